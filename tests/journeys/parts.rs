//! The shop in three processes, carts and the edge each in one of their own, on servers that can be killed: a Redis and
//! a broker of its own, and a schema for each service on the PostgreSQL of the test run.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rcgen::string::Ia5String;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use tempfile::TempDir;
use uuid::Uuid;

use crate::harness::{Front, command};
use crate::private::{RABBITMQ, REDIS, Server, free_address};
use crate::servers;

/// A busy machine may take its time.
const START_TIME_MAX: Duration = Duration::from_secs(120);
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// Lines of each process.
const WORDS_SHOWN_MAX: usize = 60;

/// Who is in which process; the first of each is what it is known as to others.
const PARTS: [&[&str]; 3] = [
    &[
        "orders",
        "identity",
        "catalogue",
        "inventory",
        "payments",
        "pricing",
        "reviews",
        "analytics",
        "notifications",
        "recommendations",
        "search",
    ],
    &["cart"],
    &["gateway"],
];
/// It keeps its index itself.
const WITHOUT_TABLES: &str = "search";
const GATEWAY: &str = "gateway";

/// The running shop. Fields are dropped in this order: processes before what they stand on.
pub struct Parts {
    processes: Vec<Process>,
    pub redis: Server,
    pub broker: Server,
    front: Front,
    /// The port for tools, which speaks as the edge.
    pub grpc: String,
    admin: BTreeMap<&'static str, String>,
    environment: Vec<(String, String)>,
    folder: TempDir,
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Deref for Parts {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.front
    }
}

impl Drop for Parts {
    /// Whoever looks for the reason of a failure wants to know what the processes said.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for process in ["provider", "orders", "cart", "gateway"] {
            let said = std::fs::read_to_string(self.log(process)).unwrap_or_default();
            let last = said.lines().count().saturating_sub(WORDS_SHOWN_MAX);
            said.lines().skip(last).for_each(|line| eprintln!("{process}: {line}"));
        }
    }
}

impl Parts {
    /// Starts everything, with the demo shop in it; nothing where the servers are not installed.
    pub async fn start() -> Option<Self> {
        Self::start_in(&[]).await
    }

    /// The same, with more in its environment.
    pub async fn start_in(environment: &[(&str, &str)]) -> Option<Self> {
        // Where the test run has them, they are installed.
        servers::postgres().and(servers::redis()).and(servers::amqp())?;
        let (redis, broker) = (Server::start(REDIS).await, Server::start(RABBITMQ).await);
        let mut parts = Self {
            processes: Vec::new(),
            front: Front::new(format!("http://{}", free_address()), None),
            grpc: free_address(),
            admin: PARTS.iter().map(|names| (names[0], free_address())).collect(),
            environment: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
            redis,
            broker,
        };
        parts.decide().await;
        environment.iter().for_each(|(name, value)| parts.tell(name, value));
        parts.certify();
        finish(parts.command(GATEWAY).arg("migrate"));
        parts.start_provider();
        for names in PARTS {
            parts.serve(names);
        }
        for names in PARTS {
            parts.ready(names[0]).await;
        }
        parts.fill().await;
        Some(parts)
    }

    /// Puts the demo shop in. Where a call took too long, it goes on with what is missing.
    async fn fill(&self) {
        let began = Instant::now();
        loop {
            let filled = self.command(GATEWAY).arg("demo").output().unwrap();
            if filled.status.success() {
                return;
            }
            assert!(began.elapsed() < START_TIME_MAX, "{}", String::from_utf8_lossy(&filled.stderr));
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    /// What `/ready` of a process says: its status, and its words.
    pub async fn readiness(&self, process: &str) -> Option<(u16, String)> {
        let answer = reqwest::get(format!("http://{}/ready", self.admin[process])).await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// Waits until a process says so.
    pub async fn says(&self, process: &str, wanted: (u16, &str)) {
        let began = Instant::now();
        loop {
            let said = self.readiness(process).await;
            if said.as_ref().is_some_and(|(status, words)| (*status, words.as_str()) == wanted) {
                return;
            }
            assert!(began.elapsed() < START_TIME_MAX, "{process} says {said:?}");
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    pub async fn ready(&self, process: &str) {
        self.says(process, (200, "ready\n")).await;
    }

    /// Runs another command of the binary in the shop's environment; what it says.
    pub fn run(&self, arguments: &[&str]) -> String {
        finish(self.command(GATEWAY).args(arguments))
    }

    /// Everybody who reads events, as the binary tells whoever names nobody of them.
    pub fn readers(&self) -> Vec<String> {
        let output = self.command(GATEWAY).args(["events", "list", "nobody"]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let (_, readers) = said.trim_end().split_once("the readers are ").expect(&said);
        readers.split(", ").map(str::to_owned).collect()
    }

    /// The figure of a process whose line begins so.
    pub async fn figure(&self, process: &str, named: &str) -> Option<i64> {
        let address = format!("http://{}/metrics", self.admin[process]);
        let figures = reqwest::get(address).await.unwrap().text().await.unwrap();
        let line = figures.lines().find(|line| line.starts_with(named))?;
        line.rsplit_once(' ')?.1.parse().ok()
    }

    /// Waits until nothing is under way any more, and looks whether every promise was kept.
    pub async fn verify(&self) {
        let began = Instant::now();
        loop {
            let provider = self.folder.path().join("provider");
            let mut verify = self.command(GATEWAY);
            let looked = verify.arg("verify").arg("--provider-data").arg(provider).output().unwrap();
            if looked.status.success() {
                return;
            }
            let said = [looked.stdout, looked.stderr].concat();
            assert!(began.elapsed() < START_TIME_MAX, "{}", String::from_utf8_lossy(&said));
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    /// What all processes are told.
    async fn decide(&mut self) {
        for names in PARTS {
            let address = free_address();
            for name in names {
                self.tell(&format!("SHOP_{}_ADDRESS", name.to_uppercase()), &format!("http://{address}"));
                // Carts are in Redis; the tables that nobody uses are there for `shop verify`.
                if *name != GATEWAY && *name != WITHOUT_TABLES {
                    let store = servers::schema().await.unwrap();
                    self.tell(&format!("SHOP_{}_DATABASE_URL", name.to_uppercase()), &store);
                }
            }
        }
        for name in [
            "SHOP_SIGNING_SECRET",
            "SHOP_CART_TOKEN_SECRET",
            "SHOP_CHECKOUT_TOKEN_SECRET",
            "SHOP_WEBHOOK_SECRET",
        ] {
            self.tell(name, &format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()));
        }
        let (redis, broker) = (self.redis.port(), self.broker.port());
        self.tell("REDIS_URL", &format!("redis://127.0.0.1:{redis}/"));
        self.tell("AMQP_URL", &format!("amqp://guest:guest@127.0.0.1:{broker}/%2f"));
        self.tell("SHOP_PROVIDER_URL", &format!("http://{}", free_address()));
        self.tell("SHOP_PEERS", "certificates");
        self.tell("SHOP_LOG", "warn");
        let folder = self.folder.path().to_owned();
        self.tell("SHOP_MAIL_FOLDER", folder.join("mail").to_str().unwrap());
        self.tell("SHOP_AUTHORITY", folder.join("authority.pem").to_str().unwrap());
        let key = folder.join("sealing.key");
        let public = finish(command().arg("sealing-key").arg(&key));
        self.tell("SHOP_SEALING_PUBLIC_KEY", public.trim());
        self.tell("SHOP_SEALING_KEY_FILE", key.to_str().unwrap());
    }

    fn tell(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// What all processes are told under a name.
    pub fn told(&self, name: &str) -> String {
        self.environment.iter().find(|(told, _)| told == name).unwrap().1.clone()
    }

    /// An authority that lives for this shop, and a certificate of it for each process.
    fn certify(&self) {
        let write = |name: &str, text: &str| std::fs::write(self.folder.path().join(name), text).unwrap();
        let mut authority = CertificateParams::new(vec![]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        write("authority.pem", &authority.self_signed(&key).unwrap().pem());
        let issuer = Issuer::new(authority, key);
        for names in PARTS {
            let known = names.iter().map(ToString::to_string).collect::<Vec<_>>();
            let mut certificate = CertificateParams::new(known).unwrap();
            let uri = Ia5String::try_from(format!("spiffe://shop/{}", names[0])).unwrap();
            certificate.subject_alt_names.push(SanType::URI(uri));
            let key = KeyPair::generate().unwrap();
            write(&format!("{}.pem", names[0]), &certificate.signed_by(&key, &issuer).unwrap().pem());
            write(&format!("{}.key", names[0]), &key.serialize_pem());
        }
    }

    fn start_provider(&mut self) {
        let mut provider = self.command(GATEWAY);
        let listen = self.told("SHOP_PROVIDER_URL");
        provider.args(["provider", "--listen", listen.trim_start_matches("http://"), "--data"]);
        provider.arg(self.folder.path().join("provider"));
        provider.args(["--webhook-url", &format!("{}/webhooks/payments/simulated", self.edge)]);
        self.keep("provider", provider);
    }

    fn serve(&mut self, names: &[&str]) {
        let mut serve = self.command(names[0]);
        let listen = self.told(&format!("SHOP_{}_ADDRESS", names[0].to_uppercase()));
        serve.arg("serve").args(names);
        serve.args(["--admin", &self.admin[names[0]], "--listen", listen.trim_start_matches("http://")]);
        let edge = self.edge.trim_start_matches("http://");
        serve.args(["--edge", edge, "--grpc", &self.grpc]);
        if names[0] == "cart" {
            // Else it would not be Redis that carts are kept in.
            serve.env_remove("SHOP_CART_DATABASE_URL");
        }
        self.keep(names[0], serve);
    }

    fn keep(&mut self, name: &str, mut program: Command) {
        let log = File::create(self.log(name)).unwrap();
        self.processes.push(Process(program.stdout(log).spawn().unwrap()));
    }

    fn log(&self, process: &str) -> PathBuf {
        self.folder.path().join(format!("{process}.log"))
    }

    /// The binary as one of the processes, which shows the certificate of that one.
    fn command(&self, process: &str) -> Command {
        let mut command = command();
        let file = |kind: &str| self.folder.path().join(format!("{process}.{kind}"));
        command.envs(self.environment.iter().cloned());
        command.env("SHOP_CERTIFICATE", file("pem")).env("SHOP_CERTIFICATE_KEY", file("key"));
        // Nothing is kept where the tests are run.
        command.current_dir(self.folder.path());
        command
    }
}

/// Runs a command to its end, which must be a good one; what it said.
fn finish(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
