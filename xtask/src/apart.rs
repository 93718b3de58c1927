//! The shop in many processes on this machine: each service and the edge with a database, a certificate and ports of
//! its own, on private servers. All of it is gone with the last handle, also when this program is killed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use tempfile::TempDir;
use uuid::Uuid;

use crate::bench::shop::command;
use crate::process::{self, Error, file_error};
use crate::servers::{Server, free_port, postgres, rabbitmq, redis, says};

const EDGE: &str = "gateway";
/// Services without tables: an index of its own, and Redis.
const WITHOUT_TABLES: [&str; 2] = ["search", "cart"];

/// Keeps a program as long as its own standard input is open; `$@` is the program with its arguments.
const KEEP: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
# A Ctrl-C reaches the program as well, which then stops by itself.
trap '' INT
{ read -r _ <&3; kill -TERM "$child" 2>/dev/null; } &
wait "$child"
"#;

/// The running shop. Fields are dropped in this order: processes before what they stand on.
pub(crate) struct Apart {
    processes: Vec<Process>,
    _servers: Vec<Server>,
    folder: TempDir,
    binary: PathBuf,
    plan: Plan,
}

/// One process of the shop.
struct Process {
    name: String,
    _keeper: Server,
}

/// What is decided before anything starts: ports and secrets.
struct Plan {
    services: Vec<String>,
    /// gRPC and admin port of each service and of the edge.
    ports: BTreeMap<String, (u16, u16)>,
    edge: u16,
    provider: u16,
    /// What each process is told.
    common: Vec<(String, String)>,
    /// Where the store of each service is.
    databases: BTreeMap<String, String>,
}

impl Apart {
    /// Starts everything and waits until every process is ready and the demo shop is in.
    pub(crate) fn start(binary: &Path) -> Result<Apart, Error> {
        let servers = vec![postgres::start()?, redis::start()?, rabbitmq::start()?];
        let [postgres, redis, rabbitmq] = servers.as_slice() else {
            return Err(Error::Refused("the servers did not start".to_owned()));
        };
        let folder =
            tempfile::tempdir().map_err(|source| file_error(Path::new("a folder"), "made", source))?;
        let services = services(binary)?;
        certify(folder.path(), &services)?;
        let mut plan = Plan::new(services, postgres)?;
        plan.common.push(("REDIS_URL".to_owned(), redis.url()));
        plan.common.push(("AMQP_URL".to_owned(), rabbitmq.url()));
        plan.seal(binary, folder.path())?;
        let mut apart =
            Apart { processes: Vec::new(), _servers: servers, folder, binary: binary.to_owned(), plan };
        apart.migrate()?;
        apart.start_provider()?;
        for name in apart.plan.services.clone().iter().map(String::as_str).chain([EDGE]) {
            apart.start_process(name)?;
        }
        let mut demo = apart.command(EDGE);
        demo.arg("demo").envs(apart.database("identity"));
        process::run(demo.stdout(Stdio::null()))?;
        Ok(apart)
    }

    /// Where the playground and GraphQL are.
    pub(crate) fn edge(&self) -> String {
        format!("http://127.0.0.1:{}", self.plan.edge)
    }

    /// The port for tools of the edge's process: all services, with reflection.
    pub(crate) fn grpc(&self) -> String {
        format!("127.0.0.1:{}", self.ports(EDGE).0)
    }

    /// Every process by name, with where it says whether it is ready.
    pub(crate) fn processes(&self) -> impl Iterator<Item = (&str, String)> {
        self.processes.iter().map(|process| {
            let (_, admin) = self.ports(&process.name);
            (process.name.as_str(), format!("http://127.0.0.1:{admin}/ready"))
        })
    }

    fn ports(&self, name: &str) -> (u16, u16) {
        self.plan.ports.get(name).copied().unwrap_or_default()
    }

    fn database(&self, service: &str) -> Option<(String, String)> {
        let url = self.plan.databases.get(service)?;
        Some((format!("SHOP_{}_DATABASE_URL", service.to_uppercase()), url.clone()))
    }

    fn migrate(&self) -> Result<(), Error> {
        let mut migrate = command(&self.binary);
        migrate.arg("migrate").args(self.plan.databases.keys());
        migrate.envs(self.plan.databases.keys().filter_map(|service| self.database(service)));
        process::run(migrate.stdout(Stdio::null()))
    }

    fn start_provider(&mut self) -> Result<(), Error> {
        let mut provider = command(&self.binary);
        let port = self.plan.provider;
        provider.args(["provider", "--listen", &format!("127.0.0.1:{port}"), "--data"]);
        provider.arg(self.folder.path().join("provider"));
        provider.arg("--webhook-url").arg(format!("{}/webhooks/payments/simulated", self.edge()));
        provider.envs(self.plan.common.iter().cloned());
        self.keep("provider", provider, || says(port, b"GET / HTTP/1.1\r\nhost: p\r\n\r\n", b"HTTP/1.1"))
    }

    fn start_process(&mut self, name: &str) -> Result<(), Error> {
        let mut serve = self.command(name);
        let (grpc, admin) = self.ports(name);
        serve.args(["serve", name, "--admin", &format!("127.0.0.1:{admin}")]);
        match name {
            EDGE => {
                serve.args(["--edge", &format!("127.0.0.1:{}", self.plan.edge)]);
                serve.args(["--grpc", &format!("127.0.0.1:{grpc}")]);
            }
            _ => {
                serve.args(["--listen", &format!("127.0.0.1:{grpc}")]);
                serve.envs(self.database(name));
            }
        }
        self.keep(name, serve, || {
            says(admin, b"GET /ready HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n", b"HTTP/1.1 200")
        })
    }

    /// The binary as one of the processes, which shows the certificate of that one.
    fn command(&self, name: &str) -> Command {
        let mut command = command(&self.binary);
        let folder = self.folder.path();
        command.env("SHOP_PEERS", "certificates");
        command.env("SHOP_CERTIFICATE", folder.join(format!("{name}.pem")));
        command.env("SHOP_CERTIFICATE_KEY", folder.join(format!("{name}.key")));
        command.env("SHOP_AUTHORITY", folder.join("authority.pem"));
        command.env("SHOP_MAIL_FOLDER", folder.join("mail"));
        command.envs(self.plan.common.iter().cloned());
        command
    }

    fn keep(&mut self, name: &str, program: Command, ready: impl Fn() -> bool) -> Result<(), Error> {
        let mut keeper = Command::new("sh");
        keeper.args(["-c", KEEP, "sh"]).arg(program.get_program()).args(program.get_args());
        for (variable, value) in program.get_envs() {
            match value {
                Some(value) => keeper.env(variable, value),
                None => keeper.env_remove(variable),
            };
        }
        keeper.stdout(Stdio::null());
        let keeper = Server::start(name, keeper, String::new(), ready)?;
        self.processes.push(Process { name: name.to_owned(), _keeper: keeper });
        Ok(())
    }
}

impl Plan {
    fn new(services: Vec<String>, postgres: &Server) -> Result<Plan, Error> {
        let mut plan = Plan {
            ports: BTreeMap::new(),
            edge: free_port()?,
            provider: free_port()?,
            common: Vec::new(),
            databases: BTreeMap::new(),
            services,
        };
        for name in plan.services.iter().map(String::as_str).chain([EDGE]) {
            let ports = (free_port()?, free_port()?);
            let address = format!("http://127.0.0.1:{}", ports.0);
            plan.common.push((format!("SHOP_{}_ADDRESS", name.to_uppercase()), address));
            plan.ports.insert(name.to_owned(), ports);
        }
        for service in plan.services.iter().filter(|name| !WITHOUT_TABLES.contains(&name.as_str())) {
            postgres::create_database(postgres, service)?;
            let url = postgres.url().replace("/postgres", &format!("/{service}"));
            plan.databases.insert(service.clone(), url);
        }
        let secret = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        for name in [
            "SHOP_SIGNING_SECRET",
            "SHOP_CART_TOKEN_SECRET",
            "SHOP_CHECKOUT_TOKEN_SECRET",
            "SHOP_WEBHOOK_SECRET",
        ] {
            plan.common.push((name.to_owned(), secret()));
        }
        plan.common.push(("SHOP_PROVIDER_URL".to_owned(), format!("http://127.0.0.1:{}", plan.provider)));
        Ok(plan)
    }

    /// Makes the key of sealed mails: its public half for who seals, its file for who opens.
    fn seal(&mut self, binary: &Path, folder: &Path) -> Result<(), Error> {
        let file = folder.join("sealing.key");
        let public = process::read(command(binary).arg("sealing-key").arg(&file))?;
        self.common.push(("SHOP_SEALING_PUBLIC_KEY".to_owned(), public));
        self.common.push(("SHOP_SEALING_KEY_FILE".to_owned(), file.display().to_string()));
        Ok(())
    }
}

/// The services of the contract, as the binary lists them.
fn services(binary: &Path) -> Result<Vec<String>, Error> {
    let routes = process::read(command(binary).arg("routes"))?;
    let mut services: Vec<String> =
        routes.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    services.dedup();
    Ok(services)
}

/// An authority that lives for this run, and a certificate of it for each process.
fn certify(folder: &Path, services: &[String]) -> Result<(), Error> {
    let wrong = |error: rcgen::Error| Error::Refused(format!("a certificate cannot be made: {error}"));
    let write = |name: String, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|source| file_error(&path, "written", source))
    };
    let mut authority = CertificateParams::new(vec![]).map_err(wrong)?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().map_err(wrong)?;
    write("authority.pem".to_owned(), authority.self_signed(&key).map_err(wrong)?.pem())?;
    let issuer = Issuer::new(authority, key);
    for name in services.iter().map(String::as_str).chain([EDGE]) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(wrong)?;
        let uri = Ia5String::try_from(format!("spiffe://shop/{name}")).map_err(wrong)?;
        params.subject_alt_names.push(SanType::URI(uri));
        let key = KeyPair::generate().map_err(wrong)?;
        write(format!("{name}.pem"), params.signed_by(&key, &issuer).map_err(wrong)?.pem())?;
        write(format!("{name}.key"), key.serialize_pem())?;
    }
    Ok(())
}
