//! The real binary, started on free ports and killed when the last journey through it has ended; and who visits it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use observability::propagation::TRACEPARENT;
use reqwest::ClientBuilder;
use reqwest::header::{HeaderMap, ORIGIN};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

/// What settles by itself has settled by then: the slowest card takes a third of it.
pub const SETTLE_TIME_MAX: Duration = Duration::from_secs(60);
/// Half of what an access token is good for.
const SESSION_AGE_MAX: Duration = Duration::from_secs(5 * 60);
/// The folder in which every process notes the calls it saw; `cargo xtask` names it here and reads it.
const CALLS: &str = "SHOP_TEST_CALLS";
pub const LOOK_INTERVAL: Duration = Duration::from_millis(200);

pub const STAFF: (&str, &str) = ("staff@shopmesh.example", "staff-demo-pass");
pub const PASSWORD: &str = "correct horse battery";

/// What no line of a log and no figure may hold: an address, a name or a street of these journeys, a card, a token, a
/// password.
const PRIVATE: [&str; 7] = ["@", "Grace", "Hopper", "Harbour", "test_", "eyJ", PASSWORD];
/// All that a shop of these journeys says of itself, but for the libraries that write down every frame.
const LOG: &str = "debug,h2=info,hyper=info,hyper_util=info,sqlx=info,tantivy=info";

/// Where people come in.
pub struct Front {
    pub edge: String,
    /// One session of staff for all journeys: many at once for one account look like somebody who guesses.
    session: tokio::sync::Mutex<Option<(Instant, String)>>,
    /// What visitors are answered, one after the other, where somebody compares it.
    heard: Option<Heard>,
}

/// The texts of answers.
pub type Heard = Arc<Mutex<Vec<String>>>;

/// A running shop.
pub struct Shop {
    process: Child,
    front: Front,
    pub grpc: String,
    pub admin: String,
    /// Where its files are, for whoever looks whether it kept its promises.
    data: PathBuf,
    killed: bool,
    /// The lines of its log that say too much.
    told: Option<JoinHandle<Vec<String>>>,
    /// Where an ephemeral shop keeps its files: a killed process cleans nothing up.
    _scratch: TempDir,
}

static SHARED: Mutex<Weak<Shop>> = Mutex::new(Weak::new());

impl Shop {
    /// The shop of all journeys that leave it as others would like to find it.
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shop) = shared.upgrade() {
            return shop;
        }
        let shop = Arc::new(Self::start(&["--ephemeral"]));
        *shared = Arc::downgrade(&shop);
        shop
    }

    /// A shop on a data folder that outlives it.
    pub fn start_on(folder: &Path) -> Self {
        Self::start(&["--data", folder.to_str().unwrap()])
    }

    /// A shop of one's own.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_in(&[("SHOP_LOG", LOG)], arguments)
    }

    /// One that is told more by its environment.
    pub fn start_in(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let mut command = command();
        command.arg("up").args(arguments).env("TMPDIR", scratch.path()).envs(environment.iter().copied());
        for port in ["--edge", "--grpc", "--admin", "--provider"] {
            command.args([port, "127.0.0.1:0"]);
        }
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut shop = Shop {
            process,
            front: Front::new(String::new(), None),
            grpc: String::new(),
            admin: String::new(),
            data: PathBuf::new(),
            killed: false,
            told: None,
            _scratch: scratch,
        };
        loop {
            let line = lines.next().expect("the shop did not start").unwrap();
            let mut words = line.split_whitespace();
            match (words.next(), words.next()) {
                (Some("GraphQL"), Some(url)) => {
                    shop.front.edge = url.trim_end_matches("/graphql").to_owned();
                }
                (Some("gRPC"), Some(address)) => shop.grpc = format!("http://{address}"),
                (Some("admin"), Some(url)) => shop.admin = url.trim_end_matches("/ready").to_owned(),
                (Some("ready"), Some("after")) => break,
                _ => {}
            }
        }
        shop.data = match arguments.iter().position(|argument| *argument == "--data") {
            Some(at) => PathBuf::from(arguments[at + 1]),
            // The only folder that it made there.
            None => std::fs::read_dir(shop._scratch.path()).unwrap().next().unwrap().unwrap().path(),
        };
        // Read to the end: a pipe that nobody empties would stop the shop.
        let told = move || lines.map_while(Result::ok).filter(|line| is_private(line)).collect();
        shop.told = Some(std::thread::spawn(told));
        shop
    }

    /// Ends the process as a power cut would.
    pub fn kill(mut self) {
        self.killed = true;
        self.end();
    }

    /// Asks the process to end, as an orchestrator does, and waits until it has.
    pub fn terminate(mut self) -> ExitStatus {
        self.killed = true;
        let asked = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        assert!(asked.unwrap().success());
        self.process.wait().unwrap()
    }

    /// The figures that its admin port shows.
    fn figures(&self) -> String {
        let mut port = TcpStream::connect(self.admin.trim_start_matches("http://")).unwrap();
        port.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut figures = String::new();
        port.read_to_string(&mut figures).unwrap();
        figures
    }

    /// Waits until nothing is under way any more, and looks whether every promise was kept.
    #[allow(clippy::disallowed_methods, reason = "a shop is dropped where nothing can be awaited")]
    fn verify(&self) {
        let deadline = Instant::now() + SETTLE_TIME_MAX;
        loop {
            let looked = command().arg("verify").arg("--data").arg(&self.data).output().unwrap();
            if looked.status.success() {
                return;
            }
            let said = [looked.stdout, looked.stderr].concat();
            assert!(Instant::now() < deadline, "{}", String::from_utf8_lossy(&said));
            std::thread::sleep(LOOK_INTERVAL);
        }
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Runs another command of the binary against this shop, as staff.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = command();
        command.args(arguments).args(["--url", &self.grpc]).env("SHOP_STAFF_PASSWORD", STAFF.1);
        command.output().unwrap()
    }
}

impl Deref for Shop {
    type Target = Front;

    fn deref(&self) -> &Front {
        &self.front
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let sound = !std::thread::panicking();
        if sound && !self.killed {
            self.verify();
            let figures = self.figures();
            let private: Vec<&str> = figures.lines().filter(|line| is_private(line)).collect();
            assert!(figures.starts_with("HTTP/1") && private.is_empty(), "{private:?}");
        }
        self.end();
        let told = self.told.take().map(|told| told.join().unwrap()).unwrap_or_default();
        assert!(!sound || told.is_empty(), "{told:#?}");
    }
}

impl Front {
    /// The edge at this address.
    pub fn new(edge: String, heard: Option<Heard>) -> Self {
        Self { edge, session: tokio::sync::Mutex::new(None), heard }
    }

    /// Somebody who is not signed in.
    pub fn guest(&self) -> Visitor {
        self.visitor(client())
    }

    /// A page of the shop in a browser: it keeps cookies, and says where it is from.
    pub fn browser(&self) -> Visitor {
        let own = HeaderMap::from_iter([(ORIGIN, self.edge.parse().unwrap())]);
        self.visitor(client().cookie_store(true).default_headers(own))
    }

    /// Somebody whose clicks belong to a trace.
    pub fn traced(&self, traceparent: &str) -> Visitor {
        let trace = HeaderMap::from_iter([(TRACEPARENT, traceparent.parse().unwrap())]);
        self.visitor(client().default_headers(trace))
    }

    fn visitor(&self, client: ClientBuilder) -> Visitor {
        let (edge, heard) = (self.edge.clone(), self.heard.clone());
        Visitor { http: client.build().unwrap(), edge, token: None, heard }
    }

    /// Somebody who works here.
    pub async fn staff(&self) -> Visitor {
        let mut session = self.session.lock().await;
        if let Some((begun, token)) = &*session
            && begun.elapsed() < SESSION_AGE_MAX
        {
            return Visitor { token: Some(token.clone()), ..self.guest() };
        }
        let staff = self.signed_in(STAFF.0, STAFF.1).await;
        *session = staff.token.clone().map(|token| (Instant::now(), token));
        staff
    }

    /// Somebody who has just registered.
    pub async fn customer(&self) -> Visitor {
        let email = format!("{}@example.com", Uuid::new_v4().simple());
        let register = "mutation($email: String!, $password: String!, $key: ID!) {
            answer: customerRegister(email: $email, password: $password, givenName: \"Grace\", familyName: \"H\",
                idempotencyKey: $key) { userErrors { code } } }";
        self.guest().done(register, json!({ "email": email, "password": PASSWORD })).await;
        self.signed_in(&email, PASSWORD).await
    }

    pub async fn signed_in(&self, email: &str, password: &str) -> Visitor {
        let log_in = "mutation($email: String!, $password: String!) {
            answer: customerLogIn(email: $email, password: $password) {
                tokens { accessToken } userErrors { code } } }";
        let mut visitor = self.guest();
        let session = visitor.done(log_in, json!({ "email": email, "password": password })).await;
        visitor.token = Some(text(&session["tokens"]["accessToken"]));
        visitor
    }
}

fn is_private(line: &str) -> bool {
    PRIVATE.iter().any(|private| line.contains(private))
}

fn client() -> ClientBuilder {
    reqwest::Client::builder().no_proxy().redirect(Policy::none())
}

/// The binary, with nothing of what the shell of whoever runs the tests says about shops.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    for (name, _) in std::env::vars_os() {
        let said = name.to_string_lossy();
        if said.starts_with("SHOP_") || said.starts_with("OTEL_") {
            command.env_remove(&name);
        }
    }
    // Which calls were made is compared with the contract when all tests have run.
    if let Some(folder) = std::env::var_os(CALLS) {
        command.env("SHOP_CALLS_SEEN", Path::new(&folder).join(Uuid::new_v4().to_string()));
    }
    command
}

/// A client of the edge.
#[derive(Clone)]
pub struct Visitor {
    pub http: reqwest::Client,
    pub edge: String,
    pub token: Option<String>,
    heard: Option<Heard>,
}

impl Visitor {
    /// The same visitor, of whose answers nothing is kept.
    pub fn unheard(&self) -> Self {
        Self { heard: None, ..self.clone() }
    }

    /// The whole answer. A document that wants a `$key` and is given none gets a new one.
    pub async fn answer(&self, document: &str, variables: Value) -> Value {
        self.try_answer(document, variables).await.expect("the edge answers")
    }

    /// The same, where the shop may be gone.
    pub async fn try_answer(&self, document: &str, mut variables: Value) -> Result<Value, reqwest::Error> {
        if document.contains("$key") && variables["key"].is_null() {
            variables["key"] = json!(Uuid::new_v4().to_string());
        }
        let mut request = self
            .http
            .post(format!("{}/graphql", self.edge))
            .header("x-shop-client", "tests")
            .json(&json!({ "query": document, "variables": variables }));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let text = request.send().await?.text().await?;
        let answer = serde_json::from_str(&text).expect("the edge answers JSON");
        if let Some(heard) = &self.heard {
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        }
        Ok(answer)
    }

    /// What is under `answer`, where nothing went wrong.
    pub async fn look(&self, document: &str, variables: Value) -> Value {
        let mut answer = self.answer(document, variables).await;
        assert_eq!(answer["errors"], Value::Null, "{document}");
        answer["data"]["answer"].take()
    }

    /// The payload of a mutation that did what was asked.
    pub async fn done(&self, document: &str, variables: Value) -> Value {
        let payload = self.look(document, variables).await;
        assert_eq!(payload["userErrors"], json!([]), "{document}");
        payload
    }

    /// The code of the one user error of a mutation that did nothing.
    pub async fn refused(&self, document: &str, variables: Value) -> String {
        let payload = self.look(document, variables).await;
        let errors = payload["userErrors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{payload}");
        text(&errors[0]["code"])
    }

    /// Looks until it is as wanted.
    pub async fn eventually(
        &self,
        document: &str,
        variables: Value,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let deadline = Instant::now() + SETTLE_TIME_MAX;
        let looking = self.unheard();
        loop {
            let seen = looking.look(document, variables.clone()).await;
            if wanted(&seen) {
                // How often it was looked is no part of the answer.
                return self.look(document, variables).await;
            }
            assert!(Instant::now() < deadline, "it stayed {seen}");
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// A decimal amount in minor units, computed here and not by the shop.
pub fn pence(value: &Value) -> i64 {
    let amount = text(value);
    let (pounds, rest) = amount.split_once('.').unwrap();
    assert_eq!(rest.len(), 2, "{amount}");
    format!("{pounds}{rest}").parse().unwrap()
}
