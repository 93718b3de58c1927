//! A broker that is reached by TLS.

use news::Settings;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// How a record of TLS begins that opens a connection.
const TLS_HANDSHAKE: [u8; 1] = [22];

#[tokio::test]
async fn it_is_spoken_to_in_tls_where_the_url_asks_for_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("amqps://guest:guest@localhost:{}/%2f", listener.local_addr().unwrap().port());
    let settings = Settings::new(&url, Vec::new()).unwrap();
    let asking = tokio::spawn(async move { settings.admitted().await });

    let (mut asked, _) = listener.accept().await.unwrap();
    let mut first = [0];
    asked.read_exact(&mut first).await.unwrap();

    assert_eq!(first, TLS_HANDSHAKE);
    asking.abort();
}
