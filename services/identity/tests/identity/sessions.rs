//! Signing in and out, and what happens to a refresh token that was copied.

use std::time::Duration;

use proto::identity as pb;
use proto::identity::LoginEventKind as Kind;
use tonic::Code;

use crate::support::{
    PASSWORD, Shop, email, fields, logging_in, logging_in_from, reason, refreshing, registering, request_id,
    shops,
};

async fn tokens(shop: &Shop, address: &str) -> pb::Tokens {
    shop.guest().log_in(logging_in(address, PASSWORD)).await.unwrap().into_inner().tokens.unwrap()
}

async fn registered(shop: &Shop) -> String {
    let address = email();
    shop.guest().register(registering(&address)).await.unwrap();
    address
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_one_answer() {
    for shop in shops().await {
        let address = registered(&shop).await;

        let wrong = shop.guest().log_in(logging_in(&address, "not my password")).await.unwrap_err();
        let unknown = shop.guest().log_in(logging_in(&email(), PASSWORD)).await.unwrap_err();

        assert_eq!((wrong.code(), reason(&wrong).as_str()), (Code::Unauthenticated, "CREDENTIALS_WRONG"));
        assert_eq!(
            (wrong.code(), wrong.message(), wrong.details()),
            (unknown.code(), unknown.message(), unknown.details())
        );
        let (user, _) = shop.logged_in(&address, PASSWORD).await;
        assert_eq!(shop.audit(&user).await, [Kind::LoggedIn, Kind::Refused]);
    }
}

#[tokio::test]
async fn a_login_that_cannot_be_read_names_its_fields() {
    for shop in shops().await {
        let request = pb::LogInRequest {
            email: "nobody".into(),
            password: "x".repeat(129),
            client: Some(pb::Client { ip_address: "somewhere".into(), user_agent: String::new() }),
        };

        let refused = shop.guest().log_in(request).await.unwrap_err();

        assert_eq!(fields(&refused), ["email", "password", "client.ip_address"]);
    }
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_second_use_ends_the_session() {
    for shop in shops().await {
        let address = registered(&shop).await;
        let first = tokens(&shop, &address).await;
        let (other, _) = shop.logged_in(&address, PASSWORD).await;

        let answer =
            shop.guest().refresh_session(refreshing(&first.refresh_token)).await.unwrap().into_inner();
        let second = answer.tokens.unwrap();
        assert_eq!(answer.account.unwrap().email, address);
        let (before, after) =
            (shop.verify(&first.access_token).await, shop.verify(&second.access_token).await);
        assert_eq!((before.account, before.session), (after.account, after.session));
        let stolen = shop.guest().refresh_session(refreshing(&first.refresh_token)).await.unwrap_err();
        assert_eq!((stolen.code(), reason(&stolen).as_str()), (Code::Unauthenticated, "SESSION_REVOKED"));
        let owner = shop.guest().refresh_session(refreshing(&second.refresh_token)).await.unwrap_err();
        assert_eq!(reason(&owner), "SESSION_REVOKED");

        assert_eq!(shop.audit(&other).await, [Kind::RefreshReused, Kind::LoggedIn, Kind::LoggedIn]);
        // The other session of the account goes on.
        let sessions = shop.as_user(&other).list_sessions(pb::ListSessionsRequest::default()).await.unwrap();
        let sessions = sessions.into_inner().sessions;
        assert_eq!((sessions.len(), sessions[0].current), (1, true));
        let unknown = shop.guest().refresh_session(refreshing("never given")).await.unwrap_err();
        assert_eq!(reason(&unknown), "SESSION_REVOKED");
    }
}

#[tokio::test]
async fn of_fifty_uses_of_a_refresh_token_at_once_one_succeeds() {
    for shop in shops().await {
        let address = registered(&shop).await;
        for _ in 0..4 {
            let given = tokens(&shop, &address).await;

            let uses = (0..50).map(|_| {
                let mut guest = shop.guest();
                let refreshing = refreshing(&given.refresh_token);
                async move { guest.refresh_session(refreshing).await }
            });
            let answers = futures::future::join_all(uses).await;

            let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
            assert_eq!(won.len(), 1);
            assert!(lost.into_iter().all(|answer| reason(&answer.unwrap_err()) == "SESSION_REVOKED"));
            let won = won.into_iter().next().unwrap().unwrap().into_inner().tokens.unwrap();
            let dead = shop.guest().refresh_session(refreshing(&won.refresh_token)).await.unwrap_err();
            assert_eq!(reason(&dead), "SESSION_REVOKED");
        }
        let (user, _) = shop.logged_in(&address, PASSWORD).await;
        let reused = shop.audit(&user).await.into_iter().filter(|kind| *kind == Kind::RefreshReused).count();
        assert_eq!(reused, 4, "the audit says it once for each session");
    }
}

#[tokio::test]
async fn a_session_ends_by_rest_and_goes_on_by_use() {
    for shop in shops().await {
        let address = registered(&shop).await;
        let day = Duration::from_secs(24 * 60 * 60);
        let resting = tokens(&shop, &address).await;
        let mut used = tokens(&shop, &address).await;

        for _ in 0..7 {
            shop.clock.advance(day * 25);
            let answer = shop.guest().refresh_session(refreshing(&used.refresh_token)).await.unwrap();
            used = answer.into_inner().tokens.unwrap();
        }
        shop.clock.advance(day * 6);

        let refused = shop.guest().refresh_session(refreshing(&resting.refresh_token)).await.unwrap_err();
        assert_eq!(reason(&refused), "SESSION_REVOKED");
        let old = shop.guest().refresh_session(refreshing(&used.refresh_token)).await.unwrap_err();
        assert_eq!(reason(&old), "SESSION_REVOKED", "no session lasts longer than 180 days");
    }
}

#[tokio::test]
async fn logging_out_ends_the_session_of_the_token_and_forgives_an_unknown_one() {
    for shop in shops().await {
        let address = registered(&shop).await;
        let given = tokens(&shop, &address).await;
        let log_out =
            pb::LogOutRequest { refresh_token: given.refresh_token.clone(), request_id: request_id() };

        shop.guest().log_out(log_out.clone()).await.unwrap();
        shop.guest().log_out(log_out).await.unwrap();
        let unknown = pb::LogOutRequest { refresh_token: "never given".into(), request_id: request_id() };
        shop.guest().log_out(unknown).await.unwrap();

        let refused = shop.guest().refresh_session(refreshing(&given.refresh_token)).await.unwrap_err();
        assert_eq!(reason(&refused), "SESSION_REVOKED");
        let (user, _) = shop.logged_in(&address, PASSWORD).await;
        assert_eq!(shop.audit(&user).await, [Kind::LoggedIn, Kind::LoggedOut, Kind::LoggedIn]);
    }
}

#[tokio::test]
async fn an_account_sees_and_ends_its_own_sessions_only() {
    for shop in shops().await {
        let address = registered(&shop).await;
        let elsewhere = logging_in_from(&address, PASSWORD, "2001:db8:1:2::3");
        let elsewhere = shop.guest().log_in(elsewhere).await.unwrap().into_inner().tokens.unwrap();
        let (user, _) = shop.logged_in(&address, PASSWORD).await;
        let (other, _) = shop.customer().await;
        let list = |page_size, page_token| pb::ListSessionsRequest { page_size, page_token };

        let first = shop.as_user(&user).list_sessions(list(1, String::new())).await.unwrap().into_inner();
        let second =
            shop.as_user(&user).list_sessions(list(1, first.next_page_token)).await.unwrap().into_inner();
        assert_eq!((first.sessions[0].current, second.sessions[0].current), (true, false));
        assert!(second.next_page_token.is_empty());
        let revoke =
            pb::RevokeSessionRequest { session_id: second.sessions[0].id.clone(), request_id: request_id() };
        let refused = shop.as_user(&other).revoke_session(revoke.clone()).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "SESSION_NOT_FOUND"));
        shop.as_user(&user).revoke_session(revoke.clone()).await.unwrap();
        shop.as_user(&user).revoke_session(revoke).await.unwrap();

        let refused = shop.guest().refresh_session(refreshing(&elsewhere.refresh_token)).await.unwrap_err();
        assert_eq!(reason(&refused), "SESSION_REVOKED");
        let left = shop.as_user(&user).list_sessions(list(0, String::new())).await.unwrap().into_inner();
        assert_eq!(left.sessions.len(), 1);
        assert_eq!(shop.audit(&user).await, [Kind::SessionRevoked, Kind::LoggedIn, Kind::LoggedIn]);
    }
}

#[tokio::test]
async fn the_audit_is_read_page_by_page() {
    for shop in shops().await {
        let (user, _) = shop.customer().await;
        let (_, account) =
            (&user, shop.as_user(&user).get_account(pb::GetAccountRequest::default()).await.unwrap());
        let address = account.into_inner().account.unwrap().email;
        for _ in 0..4 {
            shop.logged_in(&address, PASSWORD).await;
        }

        let mut seen = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListLoginEventsRequest { page_size: 2, page_token, ..Default::default() };
            let page = shop.as_user(&user).list_login_events(request).await.unwrap().into_inner();
            seen.extend(page.login_events);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }

        assert_eq!(seen.len(), 5);
        assert!(
            seen.iter().all(|event| event.network == "203.0.113.0/24" && event.user_agent == "Browser/1.0")
        );
    }
}
