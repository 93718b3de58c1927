//! A mail server in this process, whose manners depend on whom a mail is for.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with mails to an address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// 550 to the recipient.
    Refuse,
    /// 451 to the recipient, so often; then it takes them.
    PutOff(usize),
    /// Takes the whole mail, so often, and leaves without a word; then it answers.
    Drop(usize),
    /// Says nothing any more once it knows the recipient.
    Hang,
    /// Takes the mail, and leaves the good-bye without an answer.
    Linger,
}

/// A mail that reached the server whole.
#[derive(Clone)]
pub struct Received {
    pub to: String,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Default)]
struct Shared {
    manners: Arc<Mutex<HashMap<String, Manner>>>,
    received: Arc<Mutex<Vec<Received>>>,
    asked: Arc<Mutex<Vec<String>>>,
    lingering: Arc<Mutex<Vec<String>>>,
    closed: Arc<AtomicBool>,
}

/// A running mail server; it goes with the test.
pub struct Post {
    pub address: SocketAddr,
    shared: Shared,
}

impl Post {
    pub async fn start() -> Post {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shared) = (listener.local_addr().unwrap(), Shared::default());
        let post = Post { address, shared: shared.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                tokio::spawn(async move { shared.serve(stream).await });
            }
        });
        post
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    pub fn treat(&self, address: &str, manner: Manner) {
        self.shared.manners.lock().unwrap().insert(address.to_owned(), manner);
    }

    /// Greets nobody any more, or everybody again.
    pub fn close(&self, closed: bool) {
        self.shared.closed.store(closed, Ordering::SeqCst);
    }

    /// The mails to an address, in the order in which they came.
    pub fn received(&self, address: &str) -> Vec<Received> {
        let received = self.shared.received.lock().unwrap();
        received.iter().filter(|mail| mail.to == address).cloned().collect()
    }

    /// How often somebody wanted to send to an address.
    pub fn asked(&self, address: &str) -> usize {
        self.shared.asked.lock().unwrap().iter().filter(|asked| *asked == address).count()
    }

    /// Whether somebody who has sent to an address has said good-bye, and waits for an answer.
    pub fn is_lingering(&self, address: &str) -> bool {
        self.shared.lingering.lock().unwrap().iter().any(|lingering| lingering == address)
    }
}

impl Shared {
    async fn serve(self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        if self.closed.load(Ordering::SeqCst) {
            stream.write_all(b"421 closed, says ada-canary\r\n").await.ok()?;
            return None;
        }
        stream.write_all(b"220 post.example\r\n").await.ok()?;
        let mut to = String::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let verb = line.split([' ', '\r']).next().unwrap_or_default().to_uppercase();
            let answer = match verb.as_str() {
                "EHLO" | "HELO" => "250 post.example\r\n".to_owned(),
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1).unwrap().to_owned();
                    self.recipient(&to).await
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await.ok()?;
                    let bytes = body(&mut stream).await?;
                    self.received.lock().unwrap().push(Received { to: to.clone(), bytes });
                    if self.uses_up(&to, |manner| matches!(manner, Manner::Drop(_))) {
                        return None;
                    }
                    "250 taken\r\n".to_owned()
                }
                "QUIT" => {
                    if self.manner(&to) == Some(Manner::Linger) {
                        self.lingering.lock().unwrap().push(to.clone());
                        std::future::pending::<()>().await;
                    }
                    stream.write_all(b"221 bye\r\n").await.ok()?;
                    return None;
                }
                _ => "250 fine\r\n".to_owned(),
            };
            stream.write_all(answer.as_bytes()).await.ok()?;
        }
    }

    async fn recipient(&self, to: &str) -> String {
        self.asked.lock().unwrap().push(to.to_owned());
        let manner = self.manner(to);
        if manner == Some(Manner::Hang) {
            std::future::pending::<()>().await;
        }
        match manner {
            // Servers repeat the address, which must not get into a log.
            Some(Manner::Refuse) => format!("550 5.1.1 <{to}>: no such user\r\n"),
            _ if self.uses_up(to, |manner| matches!(manner, Manner::PutOff(_))) => {
                format!("451 4.7.1 <{to}>: greylisted, come again\r\n")
            }
            _ => "250 fine\r\n".to_owned(),
        }
    }

    fn manner(&self, to: &str) -> Option<Manner> {
        self.manners.lock().unwrap().get(to).copied()
    }

    /// Whether a manner of this kind has to be shown once more.
    fn uses_up(&self, to: &str, kind: impl Fn(Manner) -> bool) -> bool {
        let mut manners = self.manners.lock().unwrap();
        match manners.get_mut(to) {
            Some(manner) if kind(*manner) => match manner {
                Manner::PutOff(left) | Manner::Drop(left) if *left > 0 => {
                    *left -= 1;
                    true
                }
                _ => false,
            },
            _ => false,
        }
    }
}

/// What is sent after DATA, up to the dot.
async fn body(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let from = bytes.len();
        if stream.read_until(b'\n', &mut bytes).await.ok()? == 0 {
            return None;
        }
        if &bytes[from..] == b".\r\n" {
            bytes.truncate(from);
            return Some(bytes);
        }
    }
}
