//! A load of plain HTTP/1.1 over many connections, each from an address of its own: the edge counts what each address
//! asks, and a load from one would measure only its refusals.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::bench::buying::address;
use crate::process::Error;

/// Longer answers are not expected here.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// A request as it goes over the wire, and how long its answer is.
pub(crate) struct Shot {
    pub(crate) request: Vec<u8>,
    pub(crate) body_length: usize,
}

/// Asks for so long over so many connections, one request after the other on each. Every answer must have status 200
/// and the length that it had when it was compared.
pub(crate) async fn fire(
    target: SocketAddr,
    shots: Arc<Vec<Shot>>,
    connections: usize,
    time: Duration,
) -> Result<Vec<Duration>, Error> {
    let next = Arc::new(AtomicUsize::new(0));
    let until = Instant::now() + time;
    let mut guests = JoinSet::new();
    for guest in 0..connections {
        let (shots, next) = (shots.clone(), next.clone());
        guests.spawn(async move {
            let mut connection = Connection::open(target, guest).await?;
            let mut took = Vec::new();
            while Instant::now() < until {
                let at = next.fetch_add(1, Ordering::Relaxed) % shots.len().max(1);
                let Some(shot) = shots.get(at) else { break };
                let began = Instant::now();
                let body = connection.ask(&shot.request).await?;
                took.push(began.elapsed());
                if body.len() != shot.body_length {
                    return Err(Error::Refused(format!(
                        "an answer of {} bytes instead of {}",
                        body.len(),
                        shot.body_length
                    )));
                }
            }
            Ok(took)
        });
    }
    let mut all = Vec::new();
    while let Some(ended) = guests.join_next().await {
        let ended = ended.map_err(|error| Error::Refused(format!("a guest broke down: {error}")))?;
        all.extend(ended?);
    }
    Ok(all)
}

/// One connection that stays open.
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(target: SocketAddr, guest: usize) -> Result<Self, Error> {
        let open = async {
            let socket = TcpSocket::new_v4()?;
            socket.bind(SocketAddr::new(address(guest), 0))?;
            let stream = socket.connect(target).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        };
        let stream = open.await.map_err(|error: std::io::Error| lost(&error))?;
        Ok(Self { stream, read: Vec::with_capacity(64 * 1024) })
    }

    /// The body of an answer with status 200.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<&[u8], Error> {
        self.stream.write_all(request).await.map_err(|error| lost(&error))?;
        self.read.clear();
        loop {
            let read = self.stream.read_buf(&mut self.read).await.map_err(|error| lost(&error))?;
            if read == 0 || self.read.len() > ANSWER_BYTES_MAX {
                return Err(Error::Refused("an answer broke off, or had no end".to_owned()));
            }
            if let Some(body) = whole(&self.read)? {
                return Ok(self.read.get(body..).unwrap_or_default());
            }
        }
    }
}

/// Where the body begins if the answer is here whole.
fn whole(read: &[u8]) -> Result<Option<usize>, Error> {
    let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let body = end + 4;
    let head = String::from_utf8_lossy(read.get(..end).unwrap_or_default());
    if !head.starts_with("HTTP/1.1 200 ") {
        let text = String::from_utf8_lossy(read.get(body..).unwrap_or_default());
        return Err(Error::Refused(format!("an answer other than 200: {head}\n{text}")));
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.ok_or_else(|| Error::Refused(format!("an answer without a length: {head}")))?;
    Ok((read.len() >= body + length).then_some(body))
}

fn lost(error: &std::io::Error) -> Error {
    Error::Refused(format!("the connection was lost: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let text = b"HTTP/1.1 200 OK\r\ncontent-type: x\r\nContent-Length: 3\r\n\r\nabc";

        assert_eq!(whole(&text[..20]).unwrap(), None);
        assert_eq!(whole(&text[..text.len() - 1]).unwrap(), None);
        assert_eq!(whole(text).unwrap(), Some(text.len() - 3));
        assert!(whole(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n").is_err());
    }
}
