//! The shop in many processes on this machine: each service and the edge with a store, a certificate and ports of its own,
//! on private servers. All of it is gone with the last handle, also when this program is killed.

mod certificates;
mod plan;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use self::plan::Plan;
use crate::bench::shop::command;
use crate::process::{self, Error, file_error};
use crate::servers::{Server, pause, postgres, rabbitmq, redis, says, shell};

const EDGE: &str = "gateway";
/// What PostgreSQL allows unless it is told otherwise: all processes together must do with it.
const CONNECTIONS: u16 = 100;
/// How long the processes may be too busy with their start to take the demo shop in.
const FILL_MAX: Duration = Duration::from_secs(90);

/// Keeps a program as long as its own standard input is open; `$@` is the program with its arguments.
const KEEP: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{ read -r _ <&3; kill -TERM "$child" 2>/dev/null; } &
wait "$child"
"#;
/// Keeps a folder likewise: the keys and mails in it are nobody's afterwards.
const KEEP_FOLDER: &str =
    r#"folder=$(mktemp -d) && trap 'rm -rf "$folder"' EXIT && echo "$folder" >"$1" && read -r _"#;

/// The running shop. Fields are dropped in this order: processes before what they stand on.
pub(crate) struct Apart {
    processes: Vec<Process>,
    _provider: Option<Server>,
    _servers: Vec<Server>,
    _folder: Server,
    folder: PathBuf,
    binary: PathBuf,
    calls: Option<PathBuf>,
    plan: Plan,
}

/// One process of the shop.
struct Process {
    name: String,
    keeper: Server,
}

impl Apart {
    /// Starts everything and waits until every process is ready and the demo shop is in. Where a folder is named, each process
    /// notes there which calls it saw.
    pub(crate) fn start(binary: &Path, calls: Option<&Path>) -> Result<Apart, Error> {
        let (keeper, folder) = keep_folder()?;
        let servers = vec![postgres::start_for(CONNECTIONS)?, redis::start()?, rabbitmq::start()?];
        let [postgres, redis, rabbitmq] = servers.as_slice() else {
            return Err(Error::Refused("the servers did not start".to_owned()));
        };
        let services = services(binary)?;
        certificates::make(&folder, services.iter().map(String::as_str).chain([EDGE]))?;
        let sealing = folder.join("sealing.key");
        let public = process::read(command(binary).arg("sealing-key").arg(&sealing))?;
        let plan = Plan::new(services, &folder, postgres, (redis.url(), rabbitmq.url()), (public, sealing))?;
        let mut apart = Apart {
            processes: Vec::new(),
            _provider: None,
            _servers: servers,
            _folder: keeper,
            folder,
            binary: binary.to_owned(),
            calls: calls.map(Path::to_owned),
            plan,
        };
        apart.migrate()?;
        apart.start_provider()?;
        for name in apart.plan.services.clone().iter().map(String::as_str).chain([EDGE]) {
            apart.start_process(name)?;
        }
        apart.fill()?;
        Ok(apart)
    }

    /// Puts the demo shop in. Where a call took too long, it goes on with what is missing.
    fn fill(&self) -> Result<(), Error> {
        let began = Instant::now();
        loop {
            let mut demo = self.command(EDGE);
            demo.arg("demo").envs(self.plan.database("identity"));
            match process::run(demo.stdout(Stdio::null())) {
                Err(_) if began.elapsed() < FILL_MAX => pause(),
                filled => return filled,
            }
        }
    }

    /// Where the playground and GraphQL are.
    pub(crate) fn edge(&self) -> String {
        format!("http://127.0.0.1:{}", self.plan.edge)
    }

    /// The port for tools of the edge's process: all services, with reflection.
    pub(crate) fn grpc(&self) -> String {
        format!("127.0.0.1:{}", self.plan.ports(EDGE).0)
    }

    /// Every process by name, with where it says whether it is ready.
    pub(crate) fn processes(&self) -> impl Iterator<Item = (&str, String)> {
        self.processes.iter().map(|process| {
            let (_, admin) = self.plan.ports(&process.name);
            (process.name.as_str(), format!("http://127.0.0.1:{admin}/ready"))
        })
    }

    /// Every process by name, with its number.
    pub(crate) fn numbers(&self) -> Vec<(String, u32)> {
        let number = |process: &Process| Some((process.name.clone(), process.keeper.child()?));
        self.processes.iter().filter_map(number).collect()
    }

    /// The name of a process that ended, if one did.
    pub(crate) fn ended(&mut self) -> Option<&str> {
        let ended =
            self.processes.iter_mut().find_map(|process| process.keeper.ended().then_some(&process.name));
        ended.map(String::as_str)
    }

    /// A file that says where everything is: the edge, each service, and the certificates to call them with.
    pub(crate) fn described(&self) -> Result<PathBuf, Error> {
        let addresses: serde_json::Map<_, _> = self.plan.addresses().collect();
        let text = json!({ "edge": self.edge(), "certificates": self.folder, "addresses": addresses });
        let path = self.folder.join("shop.json");
        fs::write(&path, text.to_string()).map_err(|source| file_error(&path, "written", source))?;
        Ok(path)
    }

    fn migrate(&self) -> Result<(), Error> {
        let mut migrate = command(&self.binary);
        migrate.arg("migrate").args(self.plan.with_tables());
        migrate.envs(self.plan.with_tables().filter_map(|service| self.plan.database(service)));
        process::run(migrate.stdout(Stdio::null()))
    }

    fn start_provider(&mut self) -> Result<(), Error> {
        let mut provider = command(&self.binary);
        let port = self.plan.provider;
        provider.args(["provider", "--listen", &format!("127.0.0.1:{port}"), "--data"]);
        provider.arg(self.folder.join("provider"));
        provider.arg("--webhook-url").arg(format!("{}/webhooks/payments/simulated", self.edge()));
        provider.envs(self.plan.told("provider"));
        let answers = || says(port, b"GET / HTTP/1.1\r\nhost: p\r\n\r\n", b"HTTP/1.1");
        self._provider = Some(keep("the provider", &provider, answers)?);
        Ok(())
    }

    fn start_process(&mut self, name: &str) -> Result<(), Error> {
        let mut serve = self.command(name);
        let (grpc, admin) = self.plan.ports(name);
        serve.args(["serve", name, "--admin", &format!("127.0.0.1:{admin}")]);
        match name {
            EDGE => {
                serve.args(["--edge", &format!("127.0.0.1:{}", self.plan.edge)]);
                serve.args(["--grpc", &format!("127.0.0.1:{grpc}")]);
            }
            _ => {
                serve.args(["--listen", &format!("127.0.0.1:{grpc}")]);
                serve.envs(self.plan.database(name));
            }
        }
        let ready = b"GET /ready HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        let keeper = keep(name, &serve, || says(admin, ready, b"HTTP/1.1 200"))?;
        self.processes.push(Process { name: name.to_owned(), keeper });
        Ok(())
    }

    /// The binary as one of the processes, which knows and shows what that one does.
    fn command(&self, name: &str) -> Command {
        let mut command = command(&self.binary);
        command.envs(certificates::variables(&self.folder, name)).envs(self.plan.told(name));
        if let Some(calls) = &self.calls {
            command.env("SHOP_CALLS_SEEN", calls.join(format!("apart-{name}")));
        }
        command
    }
}

/// A folder that lasts as long as its keeper.
fn keep_folder() -> Result<(Server, PathBuf), Error> {
    let said = tempfile::NamedTempFile::new()
        .map_err(|source| file_error(Path::new("a temporary file"), "made", source))?;
    let mut keeper = shell(KEEP_FOLDER, &[]);
    keeper.arg(said.path());
    let read = || fs::read_to_string(said.path()).unwrap_or_default();
    let keeper = Server::start("a folder", keeper, String::new(), || read().ends_with('\n'))?;
    Ok((keeper, PathBuf::from(read().trim_end())))
}

fn keep(name: &str, program: &Command, ready: impl Fn() -> bool) -> Result<Server, Error> {
    let mut keeper = shell(KEEP, &[]);
    keeper.arg(program.get_program()).args(program.get_args());
    for (variable, value) in program.get_envs() {
        match value {
            Some(value) => keeper.env(variable, value),
            None => keeper.env_remove(variable),
        };
    }
    keeper.stdout(Stdio::null());
    Server::start(name, keeper, String::new(), ready)
}

/// The services of the contract, as the binary lists them.
fn services(binary: &Path) -> Result<Vec<String>, Error> {
    let routes = process::read(command(binary).arg("routes"))?;
    let mut services: Vec<String> =
        routes.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect();
    services.dedup();
    Ok(services)
}
