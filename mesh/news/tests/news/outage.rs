//! The broker is killed, its word waits or gets lost, or the line to it is cut, while events are published.

use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kit::Reader;
use kit::outbox::{self, Event};
use lapin::options::QueueDeclareOptions;
use lapin::{Channel, Connection, ConnectionProperties};
use news::{Letters, PutAside, Settings};

use crate::broker::{KNOWN, end, new_event, process, shop, store, url};
use crate::line::{Line, Words};
use crate::support::{Heard, eventually, eventually_so, happen, sent, watched};

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
    assert_eq!(dead, PutAside::default());
    for heard in [one, other] {
        for subject in 0..10 {
            assert_eq!(heard.of(&format!("s-{subject}")), (1..=versions).collect::<Vec<_>>());
        }
    }
    assert!(sent(&outbox).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_that_gets_lost_doubles_no_effect() {
    let (Some(url), Some((name, direct))) = (url(), shop()) else { return };
    let (line, around) = Line::to(&url).await;
    let around = Settings::new(&around, KNOWN.to_vec()).unwrap().named(&name);
    let never = Arc::new(AtomicBool::new(false));
    let (outbox, at_one, heard) = (store().await, store().await, Heard::default());
    let reading = process(&[], vec![heard.reader("one", &at_one, &never)], &direct);
    let publishing = process(&[&outbox], vec![], &around);
    happen(&outbox, "warm", 1).await;
    eventually(|| heard.of("warm") == [1]).await;

    for round in 0..5 {
        line.set(Words::AreLost);
        for subject in 0..20 {
            happen(&outbox, &format!("s-{subject}"), round + 1).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        line.set(Words::Pass);
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

/// Messages in a queue that nobody reads.
async fn waiting(channel: &Channel, queue: &str) -> u32 {
    let passive = QueueDeclareOptions { passive: true, ..Default::default() };
    channel.queue_declare(queue.into(), passive, Default::default()).await.unwrap().message_count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_subjects_are_published_before_the_first_word_of_the_broker_and_each_of_them_once() {
    let (Some(url), Some((name, direct))) = (url(), shop()) else { return };
    let (line, around) = Line::to(&url).await;
    let around = Settings::new(&around, KNOWN.to_vec()).unwrap().named(&name);
    direct.admitted().await.unwrap();
    let connection = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let (outbox, queue) = (store().await, format!("{name}.one"));
    let events: Vec<Event> = (0..150).map(|subject| new_event(&format!("s-{subject}"))).collect();
    let publishing = process(&[&outbox], vec![], &around);
    eventually(|| around.is_reached()).await;

    line.set(Words::Wait);
    let tx = outbox.begin().await.unwrap();
    outbox::append_all(&tx, &events).await.unwrap();
    tx.commit().await.unwrap();
    eventually_so(async || waiting(&channel, &queue).await == 100).await;
    let unsent = kit::testing::unsent(&outbox, 200).await.unwrap().len();
    line.set(Words::Pass);
    eventually_so(async || sent(&outbox).await).await;
    end(vec![publishing]).await;

    assert_eq!(unsent, 150);
    assert_eq!(waiting(&channel, &queue).await, 150);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_lives_everywhere_is_told_what_it_may_have_missed_after_each_connection() {
    let (Some(url), Some((name, direct))) = (url(), shop()) else { return };
    let (line, around) = Line::to(&url).await;
    let around = Settings::new(&around, KNOWN.to_vec()).unwrap().named(&name);
    let (outbox, heard, told) = (store().await, Heard::default(), Arc::new(AtomicUsize::new(0)));
    let (hearing, telling) = (heard.clone(), told.clone());
    let reader = Reader::everywhere("index", &["stock.changed"], move |event| {
        hearing.events.lock().unwrap().push((event.subject, event.subject_version));
        async { Ok(()) }
    });
    let reader = reader.when_missed(move || {
        telling.fetch_add(1, Ordering::SeqCst);
        async {}
    });
    let shop = vec![process(&[&outbox], vec![], &direct), process(&[], vec![reader], &around)];
    eventually(|| told.load(Ordering::SeqCst) == 1).await;

    line.set(Words::Cut);
    eventually(|| !around.is_reached()).await;
    happen(&outbox, "a", 1).await;
    eventually_so(async || sent(&outbox).await).await;
    let meanwhile = told.load(Ordering::SeqCst);
    line.set(Words::Pass);
    eventually(|| told.load(Ordering::SeqCst) == 2).await;
    happen(&outbox, "a", 2).await;
    eventually(|| !heard.all().is_empty()).await;
    end(shop).await;

    assert_eq!(meanwhile, 1);
    assert_eq!(heard.of("a"), [2]);
    assert_eq!(told.load(Ordering::SeqCst), 2);
}
