//! Floods of logins.

use std::time::Duration;

use proto::identity as pb;
use proto::identity::LoginEventKind as Kind;
use tonic::Code;

use crate::support::{
    PASSWORD, Shop, email, logging_in, logging_in_from, reason, registering, request_id, settings, shops,
};

const WRONG: &str = "not my password";

async fn registered(shop: &Shop) -> String {
    let address = email();
    shop.guest().register(registering(&address)).await.unwrap();
    address
}

#[tokio::test]
async fn after_five_failures_a_network_is_refused_and_the_owner_logs_in_elsewhere() {
    for shop in shops().await {
        let address = registered(&shop).await;

        for _ in 0..5 {
            let wrong = shop.guest().log_in(logging_in(&address, WRONG)).await.unwrap_err();
            assert_eq!(reason(&wrong), "CREDENTIALS_WRONG");
        }
        for _ in 0..3 {
            let refused = shop.guest().log_in(logging_in(&address, PASSWORD)).await.unwrap_err();
            assert_eq!(
                (refused.code(), reason(&refused).as_str()),
                (Code::ResourceExhausted, "LOGIN_THROTTLED")
            );
            let delay = mesh::status::retry_after_of(&refused).unwrap();
            assert!(delay > Duration::from_secs(14 * 60) && delay <= Duration::from_secs(15 * 60 + 1));
        }

        let elsewhere = logging_in_from(&address, PASSWORD, "198.51.100.1");
        let answer = shop.guest().log_in(elsewhere).await.unwrap().into_inner();
        let user = shop.verify(&answer.tokens.unwrap().access_token).await;
        let audit = shop.audit(&user).await;
        assert_eq!(audit[..2], [Kind::LoggedIn, Kind::Throttled]);
        assert_eq!(audit[2..], [Kind::Refused; 5]);
        shop.clock.advance(Duration::from_secs(15 * 60));
        shop.guest().log_in(logging_in(&address, PASSWORD)).await.unwrap();
    }
}

#[tokio::test]
async fn a_hundred_guesses_at_once_are_five_guesses() {
    for shop in shops().await {
        let (address, unknown) = (registered(&shop).await, email());
        for target in [&address, &unknown] {
            let guesses = (0..100).map(|_| {
                let mut guest = shop.guest();
                let guess = logging_in(target, WRONG);
                async move { guest.log_in(guess).await.map(drop).map_err(|status| reason(&status)) }
            });

            let answers = futures::future::join_all(guesses).await;

            let wrong = answers.iter().filter(|answer| **answer == Err("CREDENTIALS_WRONG".into())).count();
            let throttled = answers.iter().filter(|answer| **answer == Err("LOGIN_THROTTLED".into())).count();
            assert_eq!((wrong, throttled), (5, 95));
        }
        // A process that can hash one password and let none wait refuses all of these: it hashes none of them.
        let narrow =
            identity::Settings { hashes_at_once: 1, hashes_waiting_max: 0, ..settings(&shop.opener) };
        let narrow = Shop::at(shop.database.clone(), narrow, shop.clock.clone());
        let guesses = (0..50).map(|_| {
            let mut guest = narrow.guest();
            let guess = logging_in(&address, WRONG);
            async move { guest.log_in(guess).await.map(drop).map_err(|status| reason(&status)) }
        });
        let answers = futures::future::join_all(guesses).await;
        assert!(answers.iter().all(|answer| *answer == Err("LOGIN_THROTTLED".into())), "{answers:?}");
    }
}

#[tokio::test]
async fn a_flood_from_many_networks_locks_out_strangers_and_not_the_owner() {
    for shop in shops().await {
        let address = registered(&shop).await;
        shop.logged_in(&address, PASSWORD).await;

        for network in 0..20 {
            let guess = logging_in_from(&address, WRONG, &format!("198.51.{network}.1"));
            assert_eq!(reason(&shop.guest().log_in(guess).await.unwrap_err()), "CREDENTIALS_WRONG");
        }
        let stranger = logging_in_from(&address, PASSWORD, "198.51.200.1");
        let refused = shop.guest().log_in(stranger.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "LOGIN_THROTTLED");

        // From where the owner was before, nothing has changed.
        shop.logged_in(&address, PASSWORD).await;
        // And from elsewhere a reset opens the door.
        let ask = pb::RequestPasswordResetRequest {
            email: address.clone(),
            request_id: request_id(),
            client: None,
        };
        shop.guest().request_password_reset(ask).await.unwrap();
        let token = shop.mail(&address, pb::MailKind::ResetPassword, 1).await.token;
        let new_password = PASSWORD.to_owned();
        let reset = pb::ResetPasswordRequest { token, new_password, request_id: request_id() };
        shop.guest().reset_password(reset).await.unwrap();
        shop.guest().log_in(stranger).await.unwrap();
    }
}

#[tokio::test]
async fn a_network_that_fails_for_everybody_is_refused() {
    for shop in shops().await {
        let address = registered(&shop).await;
        shop.guest().log_in(logging_in_from(&address, PASSWORD, "192.0.2.1")).await.unwrap();
        for _ in 0..10 {
            let guesses = (0..10).map(|number| {
                let mut guest = shop.guest();
                let guess = logging_in_from(&email(), WRONG, &format!("192.0.2.{number}"));
                async move { guest.log_in(guess).await.map(drop).map_err(|status| reason(&status)) }
            });
            let answers = futures::future::join_all(guesses).await;
            assert!(answers.iter().all(|answer| *answer == Err("CREDENTIALS_WRONG".into())), "{answers:?}");
        }

        let refused =
            shop.guest().log_in(logging_in_from(&address, PASSWORD, "192.0.2.200")).await.unwrap_err();

        assert_eq!(reason(&refused), "LOGIN_THROTTLED");
        shop.logged_in(&address, PASSWORD).await;
    }
}

#[tokio::test]
async fn a_success_takes_its_failures_back() {
    for shop in shops().await {
        let address = registered(&shop).await;
        for _ in 0..3 {
            for _ in 0..4 {
                shop.guest().log_in(logging_in(&address, WRONG)).await.unwrap_err();
            }
            shop.logged_in(&address, PASSWORD).await;
        }
    }
}

#[tokio::test]
async fn more_passwords_than_can_wait_are_refused_and_are_no_failures() {
    for shop in shops().await {
        let settings =
            identity::Settings { hashes_at_once: 1, hashes_waiting_max: 1, ..settings(&shop.opener) };
        let shop = Shop::with(shop.database.clone(), settings);
        let mut addresses = Vec::new();
        for _ in 0..12 {
            addresses.push(registered(&shop).await);
        }

        let logins =
            addresses.iter().map(|address| {
                let mut guest = shop.guest();
                let login = logging_in(address, PASSWORD);
                async move {
                    guest.log_in(login).await.map(drop).map_err(|status| (status.code(), reason(&status)))
                }
            });
        let answers = futures::future::join_all(logins).await;

        assert!(answers.iter().any(Result::is_ok));
        assert!(answers.iter().any(|answer| *answer == Err((Code::ResourceExhausted, "OVERLOADED".into()))));
        assert!(
            !answers.iter().any(|answer| *answer == Err((Code::Unauthenticated, "CREDENTIALS_WRONG".into())))
        );
        shop.logged_in(&addresses[0], PASSWORD).await;
    }
}

#[tokio::test]
async fn many_right_passwords_at_once_are_all_let_in() {
    for shop in shops().await {
        let address = registered(&shop).await;
        for network in ["203.0.113.7", "198.51.100.7"] {
            let logins = (0..12).map(|_| {
                let mut guest = shop.guest();
                let login = logging_in_from(&address, PASSWORD, network);
                async move { guest.log_in(login).await.map(drop).map_err(|status| reason(&status)) }
            });

            let answers = futures::future::join_all(logins).await;

            assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        }
    }
}

#[tokio::test]
async fn a_network_that_asks_for_mails_without_end_is_refused_and_others_are_not() {
    for shop in shops().await {
        let address = registered(&shop).await;
        let asking = |email: &str, ip_address: &str| pb::RequestPasswordResetRequest {
            email: email.into(),
            request_id: request_id(),
            client: Some(pb::Client { ip_address: ip_address.into(), user_agent: String::new() }),
        };
        for _ in 0..300 {
            shop.guest().request_password_reset(asking(&email(), "192.0.2.9")).await.unwrap();
        }

        let refused = shop.guest().request_password_reset(asking(&address, "192.0.2.10")).await.unwrap_err();

        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "LOGIN_THROTTLED"));
        shop.guest().request_password_reset(asking(&address, "198.51.100.1")).await.unwrap();
        shop.mail(&address, pb::MailKind::ResetPassword, 1).await;
        shop.guest().log_in(logging_in_from(&address, PASSWORD, "192.0.2.11")).await.unwrap();
    }
}

#[tokio::test]
async fn a_network_that_opens_accounts_without_end_is_refused_and_others_are_not() {
    for shop in shops().await {
        let opening = |network: &str| pb::RegisterRequest {
            client: Some(pb::Client { ip_address: network.into(), user_agent: String::new() }),
            ..registering(&email())
        };
        let first = opening("192.0.2.9");
        shop.guest().register(first.clone()).await.unwrap();
        // As if it had opened 499 by now; to hash as many passwords would take a quarter of a minute.
        kit::execute(shop.database.write(), "UPDATE throttles SET failures = 499", []).await.unwrap();

        shop.guest().register(opening("192.0.2.10")).await.unwrap();
        for _ in 0..2 {
            let refused = shop.guest().register(opening("192.0.2.11")).await.unwrap_err();
            let told = (refused.code(), reason(&refused));
            assert_eq!(told, (Code::ResourceExhausted, "LOGIN_THROTTLED".to_owned()));
        }

        // Who asked before has his answer, who has an account logs in, and the next network is another.
        shop.guest().register(first.clone()).await.unwrap();
        shop.guest().log_in(logging_in_from(&first.email, PASSWORD, "192.0.2.12")).await.unwrap();
        shop.guest().register(opening("198.51.100.1")).await.unwrap();
        shop.clock.advance(Duration::from_secs(60 * 60));
        shop.guest().register(opening("192.0.2.9")).await.unwrap();
    }
}
