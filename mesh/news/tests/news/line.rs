//! A line to the broker that is in a test's hands: what the broker says may wait there, or be lost.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of the broker's words. What is said to it always passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    Pass,
    /// Until something else becomes of them.
    Wait,
    /// And the first that is lost ends the connection.
    AreLost,
    /// There is no connection: those that were are cut, others refused.
    Cut,
}

/// Cut when it is dropped.
pub(crate) struct Line(watch::Sender<Words>);

impl Line {
    /// A line to where a URL of a broker leads, and the URL that leads there by it.
    pub(crate) async fn to(url: &str) -> (Self, String) {
        let broker = url.rsplit('@').next().unwrap().split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let around = url.replace(&broker, &listener.local_addr().unwrap().to_string());
        let (words, told) = watch::channel(Words::Pass);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if *told.borrow() != Words::Cut
                    && let Ok(server) = TcpStream::connect(&broker).await
                {
                    tokio::spawn(hand_on(client, server, told.clone()));
                }
            }
        });
        (Self(words), around)
    }

    pub(crate) fn set(&self, words: Words) {
        self.0.send_replace(words);
    }
}

async fn hand_on(mut client: TcpStream, mut server: TcpStream, mut told: watch::Receiver<Words>) {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let asking = tokio::io::copy(&mut from_client, &mut to_server);
    let mut words = told.clone();
    let answering = async {
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(read @ 1..) = from_server.read(&mut bytes).await {
            let becomes = words.wait_for(|words| *words != Words::Wait).await;
            if !becomes.is_ok_and(|words| *words == Words::Pass) {
                // Meanwhile it is told more, and nobody will know that it was.
                return tokio::time::sleep(Duration::from_millis(50)).await;
            }
            if to_client.write_all(&bytes[..read]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = asking => {}
        () = answering => {}
        _ = told.wait_for(|words| *words == Words::Cut) => {}
    }
}
