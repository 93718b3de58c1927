//! Kept answers: one effect and one answer per key, whatever comes twice, together, or in between.

use std::time::{Duration, Instant};

use kit::{Database, Once, RequestError, RequestKey};
use proto::common as pb;

use crate::support::{Migrator, databases, effect, effects};

fn key(principal: &str, id: &str, payload: i64) -> RequestKey {
    let message = pb::Money { currency_code: "GBP".to_owned(), minor_units: payload };
    RequestKey::new(principal, "/shop.test.v1.TestService/Pay", id, &message).unwrap()
}

/// What a service does with a request that has an effect.
async fn pay(database: &Database, key: &RequestKey) -> Result<String, RequestError> {
    match database.begin_once(key).await? {
        Once::Kept(answer) => Ok(answer.rows()?),
        Once::First(tx) => {
            effect(&tx, "paid").await;
            let answer = format!("answer {}", kit::Id::<()>::new());
            tx.keep(&answer).await?;
            tx.commit().await?;
            Ok(answer)
        }
    }
}

#[tokio::test]
async fn a_repeated_request_has_one_effect_and_the_same_answer() {
    for database in databases().await {
        let first = pay(&database, &key("account:1", "request-1", 5)).await.unwrap();
        let again = pay(&database, &key("account:1", "request-1", 5)).await.unwrap();

        assert_eq!(first, again);
        assert_eq!(effects(&database).await, 1);
    }
}

#[tokio::test]
async fn another_payload_or_method_under_the_same_id_is_refused_without_effect() {
    let money = pb::Money { currency_code: "GBP".to_owned(), minor_units: 5 };
    let other_method =
        RequestKey::new("account:1", "/shop.test.v1.TestService/Refund", "request-1", &money).unwrap();
    for database in databases().await {
        pay(&database, &key("account:1", "request-1", 5)).await.unwrap();

        for reused in [&key("account:1", "request-1", 6), &other_method] {
            assert!(matches!(pay(&database, reused).await, Err(RequestError::Reused)));
        }

        assert_eq!(effects(&database).await, 1);
        pay(&database, &key("account:1", "request-1", 5)).await.unwrap();
    }
}

#[tokio::test]
async fn two_principals_may_use_the_same_id() {
    for database in databases().await {
        let one = pay(&database, &key("account:1", "request-1", 5)).await.unwrap();
        let two = pay(&database, &key("account:2", "request-1", 5)).await.unwrap();

        assert_ne!(one, two);
        assert_eq!(effects(&database).await, 2);
    }
}

#[tokio::test]
async fn a_refusal_does_not_burn_the_key() {
    for database in databases().await {
        let Once::First(refused) = database.begin_once(&key("account:1", "request-1", 5)).await.unwrap()
        else {
            panic!("nothing came before");
        };
        effect(&refused, "half-done").await;
        refused.keep(&"never seen").await.unwrap();
        drop(refused);
        assert_eq!(effects(&database).await, 0);

        // Even another payload is fine now: nothing has happened under this key.
        pay(&database, &key("account:1", "request-1", 6)).await.unwrap();

        assert_eq!(effects(&database).await, 1);
    }
}

#[tokio::test]
async fn an_answer_that_was_not_kept_is_empty() {
    for database in databases().await {
        let key = key("account:1", "request-1", 5);
        let Once::First(tx) = database.begin_once(&key).await.unwrap() else { panic!("nothing came before") };
        tx.commit().await.unwrap();

        let Once::Kept(answer) = database.begin_once(&key).await.unwrap() else { panic!("it was committed") };

        answer.rows::<()>().unwrap();
        assert!(answer.rows::<String>().is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_many_times_at_once_has_one_effect_and_one_answer() {
    for database in databases().await {
        let requests: Vec<_> = (0..30)
            .map(|_| {
                let database = database.clone();
                tokio::spawn(async move { pay(&database, &key("account:1", "request-1", 5)).await.unwrap() })
            })
            .collect();
        let answers = futures::future::join_all(requests).await;

        let first = answers[0].as_ref().unwrap();
        assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == first));
        assert_eq!(effects(&database).await, 1);
    }
}

#[tokio::test]
async fn a_repeated_request_waits_two_seconds_for_the_first_and_is_then_told_so() {
    for database in databases().await {
        let key = key("account:1", "request-1", 5);
        let Once::First(running) = database.begin_once(&key).await.unwrap() else {
            panic!("nothing came before")
        };

        let started = Instant::now();
        let refused = database.begin_once(&key).await;

        assert!(matches!(refused, Err(RequestError::InProgress)));
        let waited = started.elapsed();
        assert!(waited >= Duration::from_millis(1_900) && waited < Duration::from_secs(4), "{waited:?}");
        running.keep(&"first").await.unwrap();
        running.commit().await.unwrap();
        assert_eq!(pay(&database, &key).await.unwrap(), "first");
    }
}

#[tokio::test]
async fn a_repeated_request_that_waits_gets_the_answer_as_soon_as_it_is_there() {
    for database in databases().await {
        let key = key("account:1", "request-1", 5);
        let Once::First(running) = database.begin_once(&key).await.unwrap() else {
            panic!("nothing came before")
        };
        let first = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            running.keep(&"first").await.unwrap();
            running.commit().await.unwrap();
        };

        let ((), repeated) = tokio::join!(first, pay(&database, &key));

        assert_eq!(repeated.unwrap(), "first");
    }
}

#[tokio::test]
async fn a_repeated_request_in_another_process_waits_for_the_row_and_is_told_so() {
    let Some(url) = kit::testing::postgres_url().await else {
        return;
    };
    let (one, two) = (Database::open(&url).await.unwrap(), Database::open(&url).await.unwrap());
    one.migrate::<Migrator>().await.unwrap();
    let key = key("account:1", "request-1", 5);
    let Once::First(running) = one.begin_once(&key).await.unwrap() else { panic!("nothing came before") };

    assert!(matches!(two.begin_once(&key).await, Err(RequestError::InProgress)));

    running.keep(&"first").await.unwrap();
    running.commit().await.unwrap();
    assert_eq!(pay(&two, &key).await.unwrap(), "first");
}

#[tokio::test]
async fn requests_of_different_names_do_not_hold_each_other_in_progress() {
    let database = kit::testing::sqlite::<Migrator>().await;
    let Once::First(running) = database.begin_once(&key("account:1", "request-1", 5)).await.unwrap() else {
        panic!("nothing came before");
    };
    // Longer than a repeated request would wait: this one only waits for its turn to write.
    let first = async {
        tokio::time::sleep(Duration::from_millis(2_300)).await;
        running.commit().await.unwrap();
    };

    let second_key = key("account:1", "request-2", 5);
    let ((), second) = tokio::join!(first, pay(&database, &second_key));

    second.unwrap();
}

#[test]
fn keys_that_no_store_should_hold_are_refused() {
    let long = "x".repeat(256);
    let message = pb::Money::default();
    for id in ["", "short", "with space", "null\0byte", "ключ-ключ", "new\nline", &long] {
        assert!(
            matches!(RequestKey::new("account:1", "m", id, &message), Err(RequestError::Invalid)),
            "{id}"
        );
    }
    for principal in ["", "a b", &long] {
        assert!(RequestKey::new(principal, "m", "request-1", &message).is_err(), "{principal}");
    }
    assert!(RequestKey::new("account:1", "m", &long[1..], &message).is_ok());
}
