//! Private servers for one run: own ports, own data, gone afterwards, also when this program is killed.

pub(crate) mod postgres;
pub(crate) mod rabbitmq;
pub(crate) mod redis;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::ops::Range;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::process::{self, Error};

/// How long a server may take to answer after it was started.
const START_MAX: Duration = Duration::from_secs(90);
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// Below those that systems hand out by themselves (Linux from 32768, others from 49152): nobody's connection takes one of
/// them before its server has started.
const PORTS: Range<u16> = 10_000..32_768;

/// A running server; dropping it stops it.
pub(crate) struct Server {
    keeper: Child,
    url: String,
}

impl Server {
    /// Starts the shell that keeps a server, with its script and arguments, and waits until the server answers.
    pub(crate) fn start(
        name: &str,
        mut keeper: Command,
        url: String,
        answers: impl Fn() -> bool,
    ) -> Result<Server, Error> {
        // The server's user may not be able to enter this folder. A Ctrl-C is for this program, which stops its servers
        // in order.
        keeper.stdin(Stdio::piped()).current_dir(env::temp_dir()).process_group(0);
        let child = keeper.spawn().map_err(|source| process::cannot_start(&keeper, source))?;
        let mut server = Server { keeper: child, url };
        let began = Instant::now();
        while began.elapsed() < START_MAX {
            if answers() {
                return Ok(server);
            }
            if let Ok(Some(status)) = server.keeper.try_wait() {
                let why = format!("{name} did not start: its keeper ended with {status}");
                return Err(Error::Refused(why));
            }
            pause();
        }
        Err(Error::Refused(format!("{name} did not answer within {} s", START_MAX.as_secs())))
    }

    /// Whether it has ended by itself.
    pub(crate) fn ended(&mut self) -> bool {
        !matches!(self.keeper.try_wait(), Ok(None))
    }

    /// The number of the program that a keeper with one program keeps.
    pub(crate) fn child(&self) -> Option<u32> {
        let keeper = self.keeper.id();
        let children = fs::read_to_string(format!("/proc/{keeper}/task/{keeper}/children")).ok()?;
        // The first that it started is the program; then comes whoever waits for the end of its input.
        children.split_whitespace().next()?.parse().ok()
    }

    /// How one connects.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is the keeper's sign to stop; then its last words, if any, have been said.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// A shell with a script and the ports that it is given.
pub(crate) fn shell(script: &str, ports: &[u16]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).args(ports.iter().map(ToString::to_string));
    command
}

/// Does the server on a port begin its answer to these words so?
pub(crate) fn says(port: u16, words: &[u8], answer: &[u8]) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.write_all(words)?;
        let mut said = vec![0; answer.len()];
        stream.read_exact(&mut said)?;
        Ok::<_, std::io::Error>(said)
    };
    ask().is_ok_and(|said| said == answer)
}

/// A port that is free, and that nobody else here is given.
pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let port = rand::random_range(PORTS);
        let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && given.insert(port) {
            return port;
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "this program has one thread and nothing else to do")]
pub(crate) fn pause() {
    thread::sleep(Duration::from_millis(100));
}
