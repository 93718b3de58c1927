//! Every process, started with what the manifests tell it and nothing else: it must find all that it needs, and what is
//! asked of its admin port must be there.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::code::Code;
use crate::objects::{base, list, name_of, shop, text};

/// What a process has no default for and can do without, and how.
const OPTIONAL: [(&str, &str); 5] = [
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "nothing is sent"),
    ("SHOP_ORIGINS", "only the edge's own pages send cookies"),
    ("SHOP_TRUSTED_PROXIES", "whoever connects is the client"),
    ("SHOP_SCRATCH_REDIS_URL", "each replica limits for itself"),
    ("SHOP_SEARCH_FOLDER", "the index is in memory"),
];
/// Where nobody listens, so that whoever needs something of there waits.
const NOWHERE: &str = "127.0.0.1:1";
/// Signs of a process that has read all its settings.
const STARTED: [&str; 2] = ["is waited for", "ready after"];

#[test]
fn a_process_starts_with_what_the_manifests_tell_it() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::make(folder.path());

    // Side by side, since a store that is away is tried for some seconds before it is waited for.
    let (objects, keys) = (base(), &keys);
    std::thread::scope(|scope| {
        for deployment in objects.of("Deployment") {
            scope.spawn(move || starts(deployment, keys));
        }
    });
}

/// Starts what a Deployment describes, and asks what the kubelet and Prometheus would ask.
fn starts(deployment: &Value, keys: &Keys) {
    let name = name_of(deployment);
    let container = shop(&deployment["spec"]["template"]);
    let process = Process::start(container, "", keys).unwrap_or_else(|said| panic!("{name}: {said}"));

    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        let path = text(&container[probe]["httpGet"]["path"]);
        let answer = process.ask(path);
        assert!(["200", "503"].contains(&&*answer), "{name}: {path} is answered {answer}");
    }
    assert_eq!(process.ask("/metrics"), "200", "{name}");
}

#[test]
fn a_process_without_one_of_its_settings_refuses_to_start() {
    let folder = tempfile::tempdir().unwrap();
    let (keys, code) = (Keys::make(folder.path()), Code::read());

    for deployment in base().of("Deployment") {
        let name = name_of(deployment);
        let container = shop(&deployment["spec"]["template"]);
        for entry in list(&container["env"]) {
            let variable = text(&entry["name"]);
            let default = code.settings["serve"][variable].is_some();
            if default || OPTIONAL.iter().any(|(optional, _)| *optional == variable) {
                continue;
            }
            assert!(Process::start(container, variable, &keys).is_err(), "{name} starts without {variable}");
        }
    }
}

/// A key pair of sealed mails.
struct Keys {
    private: String,
    public: String,
}

impl Keys {
    fn make(folder: &Path) -> Self {
        let private = folder.join("sealing.key").display().to_string();
        let output =
            Command::new(env!("CARGO_BIN_EXE_shop")).args(["sealing-key", &private]).output().unwrap();
        Self { private, public: String::from_utf8(output.stdout).unwrap().trim().to_owned() }
    }

    /// What an operator may have put where the manifests look for this variable.
    fn value(&self, variable: &str) -> String {
        match variable {
            "SHOP_SEALING_PUBLIC_KEY" => self.public.clone(),
            "SHOP_SEALING_KEY_FILE" => self.private.clone(),
            "SHOP_EDGE" => "0.0.0.0:0".to_owned(),
            "SHOP_SEARCH_FOLDER" => Path::new(&self.private).with_file_name("index").display().to_string(),
            "SHOP_ORIGINS" | "SHOP_STOREFRONT_URL" => "https://shop.example".to_owned(),
            "SHOP_TRUSTED_PROXIES" => "10.0.0.0/8".to_owned(),
            "SHOP_MAIL_FROM" => "Shop <shop@shop.example>".to_owned(),
            "SHOP_SMTP_URL" => "smtps://user:password@mail.example".to_owned(),
            "SHOP_LOG" => "warn".to_owned(),
            "AMQP_URL" => format!("amqp://{NOWHERE}"),
            _ if variable.ends_with("DATABASE_URL") => format!("postgres://shop@{NOWHERE}/shop"),
            _ if variable.ends_with("REDIS_URL") => format!("redis://{NOWHERE}"),
            _ if variable.ends_with("SECRET") => "5e".repeat(32),
            _ => format!("http://{NOWHERE}"),
        }
    }
}

/// One that runs as long as its handle.
struct Process {
    child: Child,
    /// The address of its admin port.
    admin: String,
}

impl Process {
    /// Starts what a container starts, without one of its variables; answers with its last words if it ended.
    fn start(container: &Value, without: &str, keys: &Keys) -> Result<Process, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
        command.args(list(&container["args"]).iter().map(text)).env_clear();
        for entry in list(&container["env"]) {
            let variable = text(&entry["name"]);
            let fixed =
                entry["value"].as_str().filter(|value| !value.starts_with('/') && variable != "SHOP_EDGE");
            command.env(variable, fixed.map_or_else(|| keys.value(variable), str::to_owned));
        }
        command.envs([("SHOP_ADMIN", "127.0.0.1:0"), ("SHOP_LISTEN", "127.0.0.1:0")]).env_remove(without);
        // One pipe for both, so that nothing waits unread.
        let (reader, writer) = std::io::pipe().unwrap();
        let child =
            command.stdout(writer.try_clone().unwrap()).stderr(writer).stdin(Stdio::null()).spawn().unwrap();
        drop(command);
        let mut process = Process { child, admin: String::new() };
        let mut said = String::new();
        for line in BufReader::new(reader).lines() {
            let line = line.unwrap();
            if let Some(admin) = line.strip_prefix("  admin       http://") {
                process.admin = admin.split('/').next().unwrap().to_owned();
            }
            said += &(line + "\n");
            if STARTED.iter().any(|sign| said.contains(sign)) {
                return Ok(process);
            }
        }
        process.child.wait().unwrap();
        Err(said)
    }

    /// The status of what the admin port answers.
    fn ask(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.admin).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.admin).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split_whitespace().nth(1).unwrap_or_default().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
