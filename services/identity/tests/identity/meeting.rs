//! Two requests about one account at the same moment, on the store where that is possible.

use audit::meeting;
use proto::identity as pb;

use crate::support::{
    PASSWORD, email, logging_in, reason, refreshing, registering, request_id, shops_with_many_writers,
};

/// Keeps a row from everybody.
fn locking(table: &str, column: &str, id: &str) -> String {
    format!("SELECT 1 FROM {table} WHERE {column} = '{id}' FOR UPDATE")
}

fn erasing() -> pb::EraseAccountRequest {
    pb::EraseAccountRequest { password: PASSWORD.into(), request_id: request_id() }
}

#[tokio::test]
async fn nobody_is_written_to_after_the_account_is_erased() {
    for shop in shops_with_many_writers().await {
        let (user, account) = shop.customer().await;
        let (mut client, mut guest) = (shop.as_user(&user), shop.guest());
        let again = registering(&account.email);
        let row = locking("accounts", "id", &account.id);

        let erase = async move { client.erase_account(erasing()).await };
        let register = async move { guest.register(again).await };
        let (erased, registered) = meeting(&shop.database, &row, erase, register).await;

        erased.unwrap();
        assert!(registered.is_err(), "it may come again, and opens an account of its own then");
        assert_eq!(shop.news(&account.id).await, ["account.registered", "account.erased"]);
        let links = kit::query(shop.database.read(), "SELECT 1 FROM links", []).await.unwrap();
        assert!(links.is_empty());
    }
}

#[tokio::test]
async fn a_link_that_is_used_while_the_password_is_changed_waits() {
    for shop in shops_with_many_writers().await {
        let (user, account) = shop.customer().await;
        let asking = pb::RequestPasswordResetRequest {
            email: account.email.clone(),
            request_id: request_id(),
            client: None,
        };
        shop.guest().request_password_reset(asking).await.unwrap();
        let token = shop.mail(&account.email, pb::MailKind::ResetPassword, 1).await.token;
        let (mut client, mut guest) = (shop.as_user(&user), shop.guest());
        let changing = pb::ChangePasswordRequest {
            present_password: PASSWORD.into(),
            new_password: "difference engine 1822".into(),
            request_id: request_id(),
        };
        let resetting = pb::ResetPasswordRequest {
            token,
            new_password: "difference engine 1849".into(),
            request_id: request_id(),
        };
        let row = locking("accounts", "id", &account.id);

        let change = async move { client.change_password(changing).await };
        let reset = async move { guest.reset_password(resetting).await };
        let (changed, reset) = meeting(&shop.database, &row, change, reset).await;

        changed.unwrap();
        assert_eq!(reason(&reset.unwrap_err()), "TOKEN_NOT_USABLE");
    }
}

#[tokio::test]
async fn a_session_that_goes_on_while_the_account_is_erased_ends() {
    for shop in shops_with_many_writers().await {
        let email = email();
        shop.guest().register(registering(&email)).await.unwrap();
        let opened = shop.guest().log_in(logging_in(&email, PASSWORD)).await.unwrap().into_inner();
        let tokens = opened.tokens.unwrap();
        let user = shop.verify(&tokens.access_token).await;
        let (mut client, mut guest) = (shop.as_user(&user), shop.guest());
        let row = locking("sessions", "account_id", &opened.account.unwrap().id);

        let erase = async move { client.erase_account(erasing()).await };
        let refresh = async move { guest.refresh_session(refreshing(&tokens.refresh_token)).await };
        let (erased, refreshed) = meeting(&shop.database, &row, erase, refresh).await;

        erased.unwrap();
        assert_eq!(reason(&refreshed.unwrap_err()), "SESSION_REVOKED");
    }
}
