//! Passwords that were forgotten or changed, and the links that come by mail.

use std::time::Duration;

use proto::identity as pb;
use proto::identity::LoginEventKind as Kind;
use tonic::Code;

use crate::support::{
    PASSWORD, Shop, email, fields, logging_in, reason, refreshing, registering, request_id, shops,
};

const NEW: &str = "difference engine 1822";

fn asking(address: &str) -> pb::RequestPasswordResetRequest {
    pb::RequestPasswordResetRequest { email: address.into(), request_id: request_id(), client: None }
}

fn resetting(token: &str, new_password: &str) -> pb::ResetPasswordRequest {
    pb::ResetPasswordRequest {
        token: token.into(),
        new_password: new_password.into(),
        request_id: request_id(),
    }
}

/// Waits until every mail that was asked for has been written or found to be none.
async fn written(shop: &Shop) {
    let marker = email();
    shop.guest().register(registering(&marker)).await.unwrap();
    shop.guest().request_password_reset(asking(&marker)).await.unwrap();
    shop.mail(&marker, pb::MailKind::ResetPassword, 1).await;
}

#[tokio::test]
async fn a_reset_sets_the_password_once_and_ends_every_session() {
    for shop in shops().await {
        let (user, account) = shop.customer().await;
        let tokens =
            shop.guest().log_in(logging_in(&account.email, PASSWORD)).await.unwrap().into_inner().tokens;
        let ask = asking(&account.email);
        shop.guest().request_password_reset(ask.clone()).await.unwrap();
        shop.guest().request_password_reset(ask).await.unwrap();
        let mail = shop.mail(&account.email, pb::MailKind::ResetPassword, 1).await;

        let weak = shop.guest().reset_password(resetting(&mail.token, "short")).await.unwrap_err();
        assert_eq!(
            (reason(&weak).as_str(), fields(&weak)),
            ("PASSWORD_WEAK", vec!["new_password".to_owned()])
        );
        let reset = resetting(&mail.token, NEW);
        shop.guest().reset_password(reset.clone()).await.unwrap();
        shop.guest().reset_password(reset).await.unwrap();
        let used = shop.guest().reset_password(resetting(&mail.token, PASSWORD)).await.unwrap_err();
        assert_eq!((used.code(), reason(&used).as_str()), (Code::FailedPrecondition, "TOKEN_NOT_USABLE"));

        let old = shop.guest().log_in(logging_in(&account.email, PASSWORD)).await.unwrap_err();
        assert_eq!(reason(&old), "CREDENTIALS_WRONG");
        let dead =
            shop.guest().refresh_session(refreshing(&tokens.unwrap().refresh_token)).await.unwrap_err();
        assert_eq!(reason(&dead), "SESSION_REVOKED");
        let (_, now) = shop.logged_in(&account.email, NEW).await;
        assert!(now.email_verified, "whoever has the link reads the mails");
        let notice = shop.mail(&account.email, pb::MailKind::PasswordChanged, 1).await;
        assert!(notice.token.is_empty());
        let news = [
            "account.registered",
            "account.mail_requested",
            "account.email_verified",
            "account.password_changed",
        ];
        assert_eq!(shop.news(&account.id).await, news);
        let audit = shop.audit(&user).await;
        assert!(audit.contains(&Kind::PasswordReset) && audit.contains(&Kind::EmailVerified));
    }
}

#[tokio::test]
async fn a_link_works_for_its_time_and_its_purpose() {
    for shop in shops().await {
        let address = email();
        shop.guest().register(registering(&address)).await.unwrap();
        let verification = shop.mail(&address, pb::MailKind::VerifyEmail, 1).await;
        shop.guest().request_password_reset(asking(&address)).await.unwrap();
        let reset = shop.mail(&address, pb::MailKind::ResetPassword, 1).await;

        let crossed = shop.guest().reset_password(resetting(&verification.token, NEW)).await.unwrap_err();
        assert_eq!(reason(&crossed), "TOKEN_NOT_USABLE");
        shop.clock.advance(Duration::from_secs(30 * 60));
        let late = shop.guest().reset_password(resetting(&reset.token, NEW)).await.unwrap_err();
        assert_eq!(reason(&late), "TOKEN_NOT_USABLE");
        shop.clock.advance(Duration::from_secs(24 * 60 * 60));
        let verify = pb::VerifyEmailRequest { token: verification.token, request_id: request_id() };
        let late = shop.guest().verify_email(verify).await.unwrap_err();
        assert_eq!(reason(&late), "TOKEN_NOT_USABLE");
        let unknown = shop.guest().reset_password(resetting("never given", NEW)).await.unwrap_err();
        assert_eq!(reason(&unknown), "TOKEN_NOT_USABLE");
    }
}

#[tokio::test]
async fn of_twenty_resets_with_one_link_at_once_one_succeeds() {
    for shop in shops().await {
        let (_, account) = shop.customer().await;
        shop.guest().request_password_reset(asking(&account.email)).await.unwrap();
        let mail = shop.mail(&account.email, pb::MailKind::ResetPassword, 1).await;

        let tries = (0..20).map(|number| {
            let mut guest = shop.guest();
            let reset = resetting(&mail.token, &format!("difference engine {number}"));
            async move { guest.reset_password(reset).await }
        });
        let answers = futures::future::join_all(tries).await;

        let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert_eq!(refused.len(), 19);
        assert!(refused.into_iter().all(|status| reason(status) == "TOKEN_NOT_USABLE"));
    }
}

#[tokio::test]
async fn an_address_gets_three_mails_in_an_hour_and_an_unknown_one_none() {
    for shop in shops().await {
        let (_, account) = shop.customer().await;
        let unknown = email();

        for _ in 0..6 {
            shop.guest().request_password_reset(asking(&account.email)).await.unwrap();
            shop.guest().request_password_reset(asking(&unknown)).await.unwrap();
            written(&shop).await;
        }
        let verify = pb::RequestEmailVerificationRequest {
            email: account.email.clone(),
            request_id: request_id(),
            client: None,
        };
        shop.guest().request_email_verification(verify.clone()).await.unwrap();
        written(&shop).await;

        let mails = shop.mails().await;
        assert_eq!(mails.iter().filter(|mail| mail.email == account.email).count(), 3);
        assert!(mails.iter().all(|mail| mail.email != unknown));
        shop.clock.advance(Duration::from_secs(60 * 60));
        let verify = pb::RequestEmailVerificationRequest { request_id: request_id(), ..verify };
        shop.guest().request_email_verification(verify).await.unwrap();
        shop.mail(&account.email, pb::MailKind::VerifyEmail, 2).await;
    }
}

#[tokio::test]
async fn a_verified_address_gets_no_further_verification() {
    for shop in shops().await {
        let (_, account) = shop.customer().await;
        let token = shop.mail(&account.email, pb::MailKind::VerifyEmail, 1).await.token;
        shop.guest().verify_email(pb::VerifyEmailRequest { token, request_id: request_id() }).await.unwrap();

        let ask = pb::RequestEmailVerificationRequest {
            email: account.email.clone(),
            request_id: request_id(),
            client: None,
        };
        shop.guest().request_email_verification(ask).await.unwrap();
        written(&shop).await;

        assert_eq!(shop.mails().await.iter().filter(|mail| mail.email == account.email).count(), 1);
    }
}

#[tokio::test]
async fn a_changed_password_ends_every_other_session() {
    for shop in shops().await {
        let (user, account) = shop.customer().await;
        let other =
            shop.guest().log_in(logging_in(&account.email, PASSWORD)).await.unwrap().into_inner().tokens;
        let change = |present: &str, new: &str| pb::ChangePasswordRequest {
            present_password: present.into(),
            new_password: new.into(),
            request_id: request_id(),
        };
        let mut client = shop.as_user(&user);

        let wrong = client.change_password(change("not my password", NEW)).await.unwrap_err();
        assert_eq!((wrong.code(), reason(&wrong).as_str()), (Code::Unauthenticated, "CREDENTIALS_WRONG"));
        let weak = client.change_password(change(PASSWORD, "qwertyuiop")).await.unwrap_err();
        assert_eq!(
            (reason(&weak).as_str(), fields(&weak)),
            ("PASSWORD_WEAK", vec!["new_password".to_owned()])
        );
        let changing = change(PASSWORD, NEW);
        client.change_password(changing.clone()).await.unwrap();
        client.change_password(changing).await.unwrap();

        let dead = shop.guest().refresh_session(refreshing(&other.unwrap().refresh_token)).await.unwrap_err();
        assert_eq!(reason(&dead), "SESSION_REVOKED");
        let sessions =
            client.list_sessions(pb::ListSessionsRequest::default()).await.unwrap().into_inner().sessions;
        assert_eq!((sessions.len(), sessions[0].current), (1, true));
        assert_eq!(shop.audit(&user).await[0], Kind::PasswordChanged);
        shop.mail(&account.email, pb::MailKind::PasswordChanged, 1).await;
        shop.logged_in(&account.email, NEW).await;
    }
}

#[tokio::test]
async fn a_stolen_token_is_no_way_to_try_passwords() {
    for shop in shops().await {
        let (user, _) = shop.customer().await;
        let change = |present: &str| pb::ChangePasswordRequest {
            present_password: present.into(),
            new_password: NEW.into(),
            request_id: request_id(),
        };

        for number in 0..5 {
            let guess = change(&format!("guess number {number}"));
            let wrong = shop.as_user(&user).change_password(guess).await.unwrap_err();
            assert_eq!(reason(&wrong), "CREDENTIALS_WRONG");
        }
        for _ in 0..2 {
            let refused = shop.as_user(&user).change_password(change(PASSWORD)).await.unwrap_err();
            assert_eq!(
                (refused.code(), reason(&refused).as_str()),
                (Code::ResourceExhausted, "LOGIN_THROTTLED")
            );
        }

        shop.clock.advance(Duration::from_secs(15 * 60));
        shop.as_user(&user).change_password(change(PASSWORD)).await.unwrap();
    }
}
