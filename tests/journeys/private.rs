//! Servers of a test's own, to be killed.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const START_TIME_MAX: Duration = Duration::from_secs(120);
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// Below those that systems hand out by themselves (Linux from 32768, others from 49152): a connection of another test
/// takes none of them before its server has started.
const PORTS: Range<u16> = 10_000..32_768;

/// What kind of server, and how it shows that it is there.
pub struct Kind {
    /// The script that keeps it.
    script: &'static str,
    /// How many ports it wants.
    ports: usize,
    greeting: &'static [u8],
    answer: &'static [u8],
}

pub const REDIS: Kind = Kind {
    script: concat!(env!("CARGO_MANIFEST_DIR"), "/xtask/servers/redis.sh"),
    ports: 1,
    greeting: b"PING\r\n",
    answer: b"+PONG",
};

pub const RABBITMQ: Kind = Kind {
    script: concat!(env!("CARGO_MANIFEST_DIR"), "/xtask/servers/rabbitmq.sh"),
    ports: 3,
    greeting: b"AMQP\0\0\x09\x01",
    answer: b"\x01\0\0",
};

/// A server on a folder that outlives it. It ends with this handle, also when the test is killed.
pub struct Server {
    kind: Kind,
    keeper: Child,
    ports: Vec<u16>,
    folder: TempDir,
}

impl Server {
    pub async fn start(kind: Kind) -> Self {
        let ports: Vec<u16> = (0..kind.ports).map(|_| free_port()).collect();
        let folder = tempfile::tempdir().unwrap();
        let keeper = keep(&kind, &ports, folder.path());
        let server = Self { kind, keeper, ports, folder };
        server.answers().await;
        server
    }

    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    /// As the machine would end it: without a word.
    pub fn kill(&mut self) {
        let pid = std::fs::read_to_string(self.folder.path().join("pid")).unwrap();
        assert!(Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap().success());
        self.end();
    }

    /// On what is left of it.
    pub async fn start_again(&mut self) {
        self.keeper = keep(&self.kind, &self.ports, self.folder.path());
        self.answers().await;
    }

    async fn answers(&self) {
        let began = Instant::now();
        while self.greet().await.ok().as_deref() != Some(self.kind.answer) {
            assert!(began.elapsed() < START_TIME_MAX, "{} does not start", self.kind.script);
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    async fn greet(&self) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).await?;
        stream.write_all(self.kind.greeting).await?;
        let mut said = vec![0; self.kind.answer.len()];
        stream.read_exact(&mut said).await?;
        Ok(said)
    }

    fn end(&mut self) {
        // The end of its input is the keeper's sign to stop.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn keep(kind: &Kind, ports: &[u16], folder: &Path) -> Child {
    let mut command = Command::new("sh");
    command.arg(kind.script).args(ports.iter().map(ToString::to_string)).arg(folder);
    command.stdin(Stdio::piped()).spawn().unwrap()
}

/// A port that is free, and that nobody else here is given.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let port = rand::random_range(PORTS);
        let free = std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free && GIVEN.lock().unwrap().insert(port) {
            return port;
        }
    }
}

/// An address where nobody listens.
pub fn free_address() -> String {
    format!("127.0.0.1:{}", free_port())
}
