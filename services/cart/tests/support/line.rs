//! A line to a server that can be held, so that nothing comes through, and cut.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything comes through.
    Good,
    /// It stands, and nothing comes through.
    Silent,
    /// Every connection breaks, and so does every new one.
    Cut,
}

/// How an answer of the server begins, and what comes through instead of it.
type Instead = (&'static str, &'static str);

pub struct Line {
    state: watch::Sender<State>,
}

impl Line {
    /// A line to the server of a URL, and the URL of its near end.
    pub async fn to(url: &str) -> (String, Self) {
        Self::open(url, None).await
    }

    /// The same, but one answer comes through as another.
    pub async fn telling(url: &str, instead: Instead) -> (String, Self) {
        Self::open(url, Some(instead)).await
    }

    async fn open(url: &str, instead: Option<Instead>) -> (String, Self) {
        let far = url.trim_start_matches("redis://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = format!("redis://{}/", listener.local_addr().unwrap());
        let (state, seen) = watch::channel(State::Good);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (far, seen) = (far.clone(), seen.clone());
                tokio::spawn(carry(client, far, seen, instead));
            }
        });
        (near, Self { state })
    }

    pub fn is(&self, state: State) {
        self.state.send_replace(state);
    }
}

async fn carry(client: TcpStream, far: String, mut seen: watch::Receiver<State>, instead: Option<Instead>) {
    let Ok(server) = TcpStream::connect(far).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let there = one_way(from_client, to_server, seen.clone(), None);
    let back = one_way(from_server, to_client, seen.clone(), instead);
    tokio::select! {
        () = there => {}
        () = back => {}
        _ = seen.wait_for(|state| *state == State::Cut) => {}
    }
}

async fn one_way(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut seen: watch::Receiver<State>,
    instead: Option<Instead>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read) = from.read(&mut bytes).await
        && read > 0
        && seen.wait_for(|state| *state == State::Good).await.is_ok()
        && to.write_all(heard(&bytes[..read], instead)).await.is_ok()
    {}
}

fn heard(said: &[u8], instead: Option<Instead>) -> &[u8] {
    let instead = instead.filter(|(beginning, _)| said.starts_with(beginning.as_bytes()));
    instead.map_or(said, |(_, other)| other.as_bytes())
}
