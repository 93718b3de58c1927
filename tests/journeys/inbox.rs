//! The mails that the page of development shows.

use std::time::{Duration, Instant};

use crate::harness::Front;

const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(30);
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// The pages of all mails to an address whose subject begins so, the newest first.
pub async fn all(shop: &Front, email: &str, subject: &str) -> Vec<String> {
    let list = page(shop, "/dev/mail").await;
    let mut found = Vec::new();
    for item in list.split("<li>").skip(1) {
        let path = item.split('"').nth(1).unwrap();
        let title = item.split('>').nth(1).unwrap();
        if title.starts_with(subject) && item.contains(&format!("to {email} ")) {
            found.push(page(shop, path).await);
        }
    }
    found
}

/// The newest such mail, once it is there.
pub async fn one(shop: &Front, email: &str, subject: &str) -> String {
    let deadline = Instant::now() + ARRIVAL_TIME_MAX;
    loop {
        if let Some(mail) = all(shop, email, subject).await.into_iter().next() {
            return mail;
        }
        assert!(Instant::now() < deadline, "no mail to {email}: {subject}");
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// The secret of the link in such a mail.
pub async fn token(shop: &Front, email: &str, subject: &str) -> String {
    let mail = one(shop, email, subject).await;
    let (_, rest) = mail.split_once("#token=").expect("a link with a token");
    rest.split(char::is_whitespace).next().unwrap().to_owned()
}

async fn page(shop: &Front, path: &str) -> String {
    let answer = shop.guest().http.get(format!("{}{path}", shop.edge)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}
