//! Signing keys that follow each other, with several processes at work.

use std::time::Duration;

use kit::Clock;
use proto::identity as pb;
use sealing::Opener;

use crate::support::{PASSWORD, Shop, logging_in, settings, shops};

async fn keys(shop: &Shop) -> Vec<pb::SigningKey> {
    shop.guest().list_signing_keys(pb::ListSigningKeysRequest::default()).await.unwrap().into_inner().keys
}

fn key_id(token: &str) -> String {
    use base64::Engine;
    let head = token.split('.').next().unwrap();
    let head = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(head).unwrap();
    let head: serde_json::Value = serde_json::from_slice(&head).unwrap();
    assert_eq!((head["typ"].as_str(), head["alg"].as_str()), (Some("at+jwt"), Some("EdDSA")));
    head["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_published_before_it_signs_and_until_its_last_token_is_over() {
    for shop in shops().await {
        let (_, account) = shop.customer().await;
        let hour = Duration::from_secs(60 * 60);
        let token = || async {
            let answer =
                shop.guest().log_in(logging_in(&account.email, PASSWORD)).await.unwrap().into_inner();
            key_id(&answer.tokens.unwrap().access_token)
        };
        let first = token().await;
        assert_eq!(keys(&shop).await.len(), 1);

        shop.clock.advance(hour * 24 - Duration::from_secs(300));
        let published = keys(&shop).await;
        assert_eq!(published.len(), 2, "the next one is there before it signs");
        assert_eq!(token().await, first);
        shop.clock.advance(Duration::from_secs(601));
        let second = token().await;
        assert_eq!(second, published[0].key_id);
        assert_ne!(second, first);
        assert_eq!(keys(&shop).await.len(), 2, "tokens of the first one live on");
        shop.clock.advance(Duration::from_secs(11 * 60));
        let left = keys(&shop).await;
        assert_eq!(left.iter().map(|key| key.key_id.clone()).collect::<Vec<_>>(), [second]);
    }
}

#[tokio::test]
async fn several_processes_make_one_key_and_accept_each_others_tokens() {
    for database in kit::testing::databases::<identity::Migrator>().await {
        // Begins in the past, as whoever verifies a token looks at the real time.
        let clock = Clock::fixed(Clock::system().now() - Duration::from_secs(60 * 60 * 60));
        let opener = Opener::generate();
        let process = || Shop::at(database.clone(), settings(&opener), clock.clone());
        let (shop, others) = (process(), [process(), process(), process()]);
        let all = || std::iter::once(&shop).chain(&others);

        for _ in 0..5 {
            futures::future::join_all(all().map(keys)).await;
            clock.advance(Duration::from_secs(12 * 60 * 60));
        }

        let published = futures::future::join_all(all().map(keys)).await;
        assert!(published.iter().all(|keys| *keys == published[0]));
        assert!(published[0].len() <= 2, "{}", published[0].len());
        let (_, account) = shop.customer().await;
        let answer =
            others[0].guest().log_in(logging_in(&account.email, PASSWORD)).await.unwrap().into_inner();
        let token = answer.tokens.unwrap().access_token;
        for process in all() {
            assert_eq!(process.verify(&token).await.account.to_string(), account.id);
        }
    }
}

#[tokio::test]
async fn a_copy_of_the_tables_signs_nothing() {
    for shop in shops().await {
        shop.customer().await;
        let before = keys(&shop).await;

        let thief = identity::Settings {
            key_secret: secrecy::SecretString::from("another secret than that of the shop"),
            ..settings(&shop.opener)
        };
        let thief = Shop::at(shop.database.clone(), thief, shop.clock.clone());
        let (_, account) = shop.customer().await;
        let answer = thief.guest().log_in(logging_in(&account.email, PASSWORD)).await.unwrap().into_inner();

        // It can only sign with a key of its own, which is plain to see.
        let kid = key_id(&answer.tokens.unwrap().access_token);
        assert!(before.iter().all(|key| key.key_id != kid));
    }
}
