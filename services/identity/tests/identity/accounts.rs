//! Accounts: opened, verified, changed, erased.

use proto::identity as pb;
use tonic::Code;

use crate::support::{PASSWORD, email, fields, logging_in, reason, registering, request_id, shops};

#[tokio::test]
async fn an_account_is_opened_and_its_address_verified() {
    for shop in shops().await {
        let address = email();

        shop.guest().register(registering(&address.to_uppercase())).await.unwrap();
        let (user, account) = shop.logged_in(&address, PASSWORD).await;
        assert_eq!((account.email.as_str(), account.email_verified), (address.as_str(), false));
        assert_eq!((account.given_name.as_str(), account.role()), ("Ada", pb::Role::Customer));
        let preferences = account.preferences.unwrap();
        assert_eq!((preferences.language.as_str(), preferences.currency_code.as_str()), ("en-GB", "GBP"));
        assert!(!preferences.marketing_mail);

        let mail = shop.mail(&address, pb::MailKind::VerifyEmail, 1).await;
        let verify = pb::VerifyEmailRequest { token: mail.token, request_id: request_id() };
        shop.guest().verify_email(verify.clone()).await.unwrap();
        shop.guest().verify_email(verify.clone()).await.unwrap();
        let again = pb::VerifyEmailRequest { request_id: request_id(), ..verify };
        let refused = shop.guest().verify_email(again).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::FailedPrecondition, "TOKEN_NOT_USABLE")
        );

        let own =
            shop.as_user(&user).get_account(pb::GetAccountRequest::default()).await.unwrap().into_inner();
        assert!(own.account.unwrap().email_verified);
        assert_eq!(shop.news(&account.id).await, ["account.registered", "account.email_verified"]);
        assert_eq!(mail.given_name, "Ada");
    }
}

#[tokio::test]
async fn an_address_that_has_an_account_gets_the_same_answer_and_its_owner_a_mail() {
    for shop in shops().await {
        let address = email();
        let first = shop.guest().register(registering(&address)).await.unwrap().into_inner();

        let other = pb::RegisterRequest {
            password: "difference engine 1822".into(),
            given_name: "Mallory".into(),
            ..registering(&address)
        };
        let second = shop.guest().register(other).await.unwrap().into_inner();

        assert_eq!(first, second);
        let mail = shop.mail(&address, pb::MailKind::AlreadyRegistered, 1).await;
        assert_eq!(mail.given_name, "Ada", "nobody writes into a mail to somebody else");
        let refused = shop.guest().log_in(logging_in(&address, "difference engine 1822")).await.unwrap_err();
        assert_eq!(reason(&refused), "CREDENTIALS_WRONG");
        let (_, account) = shop.logged_in(&address, PASSWORD).await;
        assert_eq!(shop.news(&account.id).await, ["account.registered", "account.mail_requested"]);
        // The link of the mail sets a password: whoever registers twice has most likely forgotten it.
        let reset = pb::ResetPasswordRequest {
            token: mail.token,
            new_password: "difference engine 1822".into(),
            request_id: request_id(),
        };
        shop.guest().reset_password(reset).await.unwrap();
        shop.logged_in(&address, "difference engine 1822").await;
    }
}

#[tokio::test]
async fn twenty_registrations_of_one_address_at_once_open_one_account() {
    for shop in shops().await {
        let address = email();

        let tries = (0..20).map(|_| {
            let mut guest = shop.guest();
            let registering = registering(&address);
            async move { guest.register(registering).await }
        });
        let answers = futures::future::join_all(tries).await;

        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        let (_, account) = shop.logged_in(&address, PASSWORD).await;
        let news = shop.news(&account.id).await;
        assert_eq!(news, ["account.registered", "account.mail_requested", "account.mail_requested"]);
    }
}

#[tokio::test]
async fn the_same_request_has_one_effect_and_another_payload_none() {
    for shop in shops().await {
        let address = email();
        let request = registering(&address);
        shop.guest().register(request.clone()).await.unwrap();
        shop.guest().register(request.clone()).await.unwrap();

        let other = pb::RegisterRequest { password: "difference engine 1822".into(), ..request };
        let refused = shop.guest().register(other).await.unwrap_err();

        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "REQUEST_ID_REUSED"));
        let (_, account) = shop.logged_in(&address, PASSWORD).await;
        assert_eq!(shop.news(&account.id).await, ["account.registered"]);
    }
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    for shop in shops().await {
        let request = pb::RegisterRequest {
            email: "ada@mail.example\r\nBcc: all@mail.example".into(),
            given_name: "Ada\r\nBcc: all@mail.example".into(),
            family_name: "x".repeat(101),
            preferences: Some(pb::Preferences {
                language: "en_GB".into(),
                currency_code: "XXX?".into(),
                country_code: "gb".into(),
                marketing_mail: false,
            }),
            ..registering("")
        };

        let refused = shop.guest().register(request).await.unwrap_err();

        let named = [
            "email",
            "given_name",
            "family_name",
            "preferences.language",
            "preferences.currency_code",
            "preferences.country_code",
        ];
        assert_eq!(fields(&refused), named);
        let weak = pb::RegisterRequest { password: "Password123!".into(), ..registering(&email()) };
        let refused = shop.guest().register(weak).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "PASSWORD_WEAK"));
        assert_eq!(fields(&refused), ["password"]);
        let alike =
            pb::RegisterRequest { password: "lovelace1815".into(), ..registering("lovelace@mail.example") };
        let refused = shop.guest().register(alike).await.unwrap_err();
        assert_eq!(reason(&refused), "PASSWORD_WEAK");
    }
}

#[tokio::test]
async fn an_update_changes_what_its_mask_names_and_nothing_else() {
    for shop in shops().await {
        let (user, account) = shop.customer().await;
        let changed = pb::Account {
            given_name: "Augusta".into(),
            family_name: "King".into(),
            email: "other@mail.example".into(),
            preferences: Some(pb::Preferences {
                marketing_mail: true,
                country_code: "FR".into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let paths = ["given_name", "preferences.marketing_mail", "preferences.country_code"];
        let request = pb::UpdateAccountRequest {
            account: Some(changed),
            update_mask: Some(prost_types::FieldMask { paths: paths.map(str::to_owned).to_vec() }),
            etag: account.etag.clone(),
            request_id: request_id(),
        };

        let updated = shop.as_user(&user).update_account(request.clone()).await.unwrap().into_inner();
        let again = shop.as_user(&user).update_account(request.clone()).await.unwrap().into_inner();

        assert_eq!(updated, again);
        let updated = updated.account.unwrap();
        assert_eq!((updated.given_name.as_str(), updated.family_name.as_str()), ("Augusta", "Lovelace"));
        assert_eq!(updated.email, account.email);
        let preferences = updated.preferences.unwrap();
        assert!(preferences.marketing_mail);
        assert_eq!((preferences.country_code.as_str(), preferences.currency_code.as_str()), ("FR", "GBP"));

        let stale = pb::UpdateAccountRequest { request_id: request_id(), ..request.clone() };
        let refused = shop.as_user(&user).update_account(stale).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
        for path in ["role", "email", "preferences.x", ""] {
            let mask = prost_types::FieldMask { paths: vec![path.into()] };
            let wrong = pb::UpdateAccountRequest {
                update_mask: Some(mask),
                request_id: request_id(),
                ..request.clone()
            };
            let refused = shop.as_user(&user).update_account(wrong).await.unwrap_err();
            assert_eq!(fields(&refused), ["update_mask.paths"], "{path}");
        }
    }
}

#[tokio::test]
async fn another_account_is_not_found_and_nobody_must_sign_in() {
    for shop in shops().await {
        let (user, _) = shop.customer().await;
        let (_, other) = shop.customer().await;
        let get = pb::GetAccountRequest { account_id: other.id.clone() };

        let refused = shop.as_user(&user).get_account(get.clone()).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "ACCOUNT_NOT_FOUND"));
        let events = pb::ListLoginEventsRequest { account_id: other.id.clone(), ..Default::default() };
        let refused = shop.as_user(&user).list_login_events(events).await.unwrap_err();
        assert_eq!(reason(&refused), "ACCOUNT_NOT_FOUND");
        let refused = shop.guest().get_account(get.clone()).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "SIGN_IN_REQUIRED"));
        let refused =
            shop.as_user(&user).list_accounts(pb::ListAccountsRequest::default()).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        let refused = shop.as_service("orders").get_account(get).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::PermissionDenied, "CALLER_NOT_ALLOWED")
        );
    }
}

#[tokio::test]
async fn an_erased_account_leaves_a_tombstone_that_names_nobody() {
    for shop in shops().await {
        let (user, account) = shop.customer().await;
        let mut client = shop.as_user(&user);
        let rename = pb::UpdateAccountRequest {
            account: Some(pb::Account { given_name: "Augusta".into(), ..Default::default() }),
            update_mask: Some(prost_types::FieldMask { paths: vec!["given_name".into()] }),
            etag: String::new(),
            request_id: request_id(),
        };
        client.update_account(rename.clone()).await.unwrap();

        let erase = pb::EraseAccountRequest { password: "not my password".into(), request_id: request_id() };
        let refused = client.erase_account(erase.clone()).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "CREDENTIALS_WRONG"));
        let erase = pb::EraseAccountRequest { password: PASSWORD.into(), request_id: request_id() };
        client.erase_account(erase.clone()).await.unwrap();
        client.erase_account(erase).await.unwrap();

        let refused = client.get_account(pb::GetAccountRequest::default()).await.unwrap_err();
        assert_eq!(reason(&refused), "ACCOUNT_NOT_FOUND");
        // The answer that was kept is gone, so the request is a new one.
        let refused = client.update_account(rename).await.unwrap_err();
        assert_eq!(reason(&refused), "ACCOUNT_NOT_FOUND");
        let refused = shop.guest().log_in(logging_in(&account.email, PASSWORD)).await.unwrap_err();
        assert_eq!(reason(&refused), "CREDENTIALS_WRONG");
        assert_eq!(shop.news(&account.id).await, ["account.registered", "account.erased"]);
        // The address may have an account again, another one.
        shop.guest().register(registering(&account.email)).await.unwrap();
        assert_ne!(shop.logged_in(&account.email, PASSWORD).await.1.id, account.id);
    }
}
