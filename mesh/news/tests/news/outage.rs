//! The broker is killed, or its word gets lost, while events are published.

use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kit::Database;
use lapin::{Connection, ConnectionProperties};
use news::{Letters, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::broker::{KNOWN, end, process, url};
use crate::support::{Heard, Migrator, eventually, happen, sent, watched};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../xtask/servers/rabbitmq.sh");

/// Below those that systems hand out by themselves (Linux from 32768, others from 49152): no connection takes one of them
/// while the broker is away.
const PORTS: Range<u16> = 10_000..32_768;

fn free_port() -> u16 {
    loop {
        let port = rand::random_range(PORTS);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A broker of this test alone, on a folder that outlives it.
struct Broker {
    keeper: Child,
    ports: [u16; 3],
    folder: tempfile::TempDir,
}

impl Broker {
    fn start() -> Self {
        let (ports, folder) = ([(); 3].map(|()| free_port()), tempfile::tempdir().unwrap());
        Self { keeper: keeper(&ports, folder.path()), ports, folder }
    }

    fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.ports[0])
    }

    /// As the machine would end it: without a word.
    fn kill(&mut self) {
        let pid = std::fs::read_to_string(self.folder.path().join("pid")).unwrap();
        assert!(Command::new("kill").args(["-KILL", pid.trim()]).status().unwrap().success());
        drop(self.keeper.stdin.take());
        self.keeper.wait().unwrap();
    }

    fn start_again(&mut self) {
        self.keeper = keeper(&self.ports, self.folder.path());
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn keeper(ports: &[u16; 3], folder: &Path) -> Child {
    let mut command = Command::new("sh");
    command.arg(SCRIPT).args(ports.iter().map(ToString::to_string)).arg(folder);
    command.stdin(Stdio::piped()).spawn().unwrap()
}

async fn answers(url: &str) {
    let began = Instant::now();
    while Connection::connect(url, ConnectionProperties::default()).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(120), "the broker does not start");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn store() -> Database {
    kit::testing::sqlite::<Migrator>().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_for_twenty_seconds_loses_nothing_and_doubles_nothing() {
    if url().is_none() {
        return;
    }
    watched();
    let mut broker = Broker::start();
    answers(&broker.url()).await;
    let settings = Settings::new(&broker.url(), KNOWN.to_vec()).unwrap();
    let never = Arc::new(AtomicBool::new(false));
    let (outbox, at_one, at_other) = (store().await, store().await, store().await);
    let (one, other) = (Heard::default(), Heard::default());
    let shop = vec![
        process(&[&outbox], vec![], &settings),
        process(&[&outbox], vec![one.reader("one", &at_one, &never)], &settings),
        process(&[], vec![other.reader("other", &at_other, &never)], &settings),
    ];

    // Ten subjects, a version of each every 50 ms, from 2 s before the kill until 2 s after the broker is back.
    let (enough, appending) = (Arc::new(AtomicBool::new(false)), outbox.clone());
    let told = enough.clone();
    let appending = tokio::spawn(async move {
        let mut version = 0;
        while !told.load(Ordering::SeqCst) {
            version += 1;
            for subject in 0..10 {
                happen(&appending, &format!("s-{subject}"), version).await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        version
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    broker.kill();
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(!sent(&outbox).await);
    broker.start_again();
    answers(&broker.url()).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    enough.store(true, Ordering::SeqCst);
    let versions = appending.await.unwrap();

    let all = usize::try_from(versions).unwrap() * 10;
    eventually(|| one.all().len() >= all && other.all().len() >= all).await;
    let dead = Letters::RabbitMq(settings.clone(), vec![]).list("one").await.unwrap();
    end(shop).await;
    assert!(dead.is_empty());
    for heard in [one, other] {
        for subject in 0..10 {
            assert_eq!(heard.of(&format!("s-{subject}")), (1..=versions).collect::<Vec<_>>());
        }
    }
    assert!(sent(&outbox).await);
}

/// Hands everything on to the broker, and its words back until it is told to swallow them and cut the line.
async fn swallowing(to: String) -> (u16, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, swallow) = (listener.local_addr().unwrap().port(), Arc::new(AtomicBool::new(false)));
    let told = swallow.clone();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let Ok(server) = TcpStream::connect(&to).await else { continue };
            let (swallow, (mut from_client, mut to_client)) = (told.clone(), client.into_split());
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            tokio::spawn(async move {
                let mut bytes = vec![0; 16 * 1024];
                while let Ok(read) = from_server.read(&mut bytes).await
                    && read > 0
                {
                    if swallow.load(Ordering::SeqCst) {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        break;
                    }
                    if to_client.write_all(&bytes[..read]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (port, swallow)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_that_gets_lost_doubles_no_effect() {
    let Some(url) = url() else { return };
    watched();
    let address = url.rsplit('@').next().unwrap().split('/').next().unwrap().to_owned();
    let (port, swallow) = swallowing(address.clone()).await;
    let name = format!("test-{}", uuid::Uuid::now_v7().simple());
    let direct = Settings::new(&url, KNOWN.to_vec()).unwrap().named(&name);
    let around = Settings::new(&url.replace(&address, &format!("127.0.0.1:{port}")), KNOWN.to_vec());
    let around = around.unwrap().named(&name);
    let never = Arc::new(AtomicBool::new(false));
    let (outbox, at_one, heard) = (store().await, store().await, Heard::default());
    let reading = process(&[], vec![heard.reader("one", &at_one, &never)], &direct);
    let publishing = process(&[&outbox], vec![], &around);
    happen(&outbox, "warm", 1).await;
    eventually(|| heard.of("warm") == [1]).await;

    for round in 0..5 {
        swallow.store(true, Ordering::SeqCst);
        for subject in 0..20 {
            happen(&outbox, &format!("s-{subject}"), round + 1).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        swallow.store(false, Ordering::SeqCst);
        let all = usize::try_from(round + 1).unwrap() * 20 + 1;
        eventually(|| heard.all().len() == all).await;
    }
    while !sent(&outbox).await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    end(vec![reading, publishing]).await;

    // Some came more than once, since the broker had them and nobody knew.
    assert!(heard.attempts.load(Ordering::SeqCst) > heard.all().len());
    for subject in 0..20 {
        assert_eq!(heard.of(&format!("s-{subject}")), [1, 2, 3, 4, 5]);
    }
}
