//! Over a network a mail and the password of the shop go in TLS, or not at all.

use kit::Clock;
use notifications::{Mail, Mailer, Smtp, Undelivered};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::support::sender;

/// How a record of TLS begins that opens a connection.
const TLS_HANDSHAKE: u8 = 22;

#[tokio::test]
async fn with_smtps_nothing_is_said_before_tls_begins() {
    assert_eq!(heard("smtps", &["STARTTLS", "AUTH PLAIN LOGIN"]).await, ["TLS"]);
}

#[tokio::test]
async fn with_starttls_the_password_waits_until_tls_begins() {
    assert_eq!(heard("smtp", &["STARTTLS", "AUTH PLAIN LOGIN"]).await, ["EHLO", "STARTTLS", "TLS"]);
}

#[tokio::test]
async fn a_server_that_gives_no_tls_gets_neither_password_nor_mail() {
    assert_eq!(heard("smtp", &["AUTH PLAIN LOGIN"]).await, ["EHLO"]);
}

/// The commands that a server hears which offers so much, until TLS begins or the shop leaves. It takes whatever it is told.
async fn heard(scheme: &str, offers: &[&str]) -> Vec<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // It leads to this machine, too, but the shop takes it for one elsewhere.
    let address = format!("0.0.0.0:{}", listener.local_addr().unwrap().port());
    let smtp = Smtp::new(&format!("{scheme}://shop:secret@{address}"), sender()).unwrap();

    let mail = mail();
    let (sent, heard) = tokio::join!(smtp.send(&mail), listen(listener, offers));

    assert!(matches!(sent, Err(Undelivered::Closed { .. })), "every mail waits");
    heard
}

async fn listen(listener: TcpListener, offers: &[&str]) -> Vec<String> {
    let (mut shop, _) = listener.accept().await.unwrap();
    shop.write_all(b"220 post.example\r\n").await.unwrap();
    let mut heard = Vec::new();
    let mut bytes = [0; 4_096];
    loop {
        let length = shop.read(&mut bytes).await.unwrap_or(0);
        match bytes[..length].first() {
            None => return heard,
            Some(&TLS_HANDSHAKE) => {
                heard.push("TLS".to_owned());
                return heard;
            }
            Some(_) => {}
        }
        for line in String::from_utf8_lossy(&bytes[..length]).lines() {
            let command = line.split(' ').next().unwrap().to_owned();
            let answer = match command.as_str() {
                "EHLO" => {
                    offers.iter().map(|offer| format!("250-{offer}\r\n")).collect::<String>() + "250 fine\r\n"
                }
                "STARTTLS" => "220 go on\r\n".to_owned(),
                "AUTH" => "235 come in\r\n".to_owned(),
                "DATA" => "354 go on\r\n".to_owned(),
                _ => "250 fine\r\n".to_owned(),
            };
            heard.push(command);
            shop.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}

fn mail() -> Mail {
    Mail {
        event: Uuid::now_v7(),
        message_id: "<1@shop.example>".to_owned(),
        to: "ada@example.com".to_owned(),
        date: Clock::system().now(),
        subject: "Your order 1001".to_owned(),
        text: "Hello".to_owned(),
        html: "<p>Hello".to_owned(),
    }
}
