//! No password, token, link or address in clear: in no log, no event, no error, no table that need not have it.

use std::io::Write;
use std::sync::{Arc, Mutex};

use kit::query;
use proto::identity as pb;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Shop, email, logging_in, refreshing, registering, request_id, shops};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Captured;

    fn make_writer(&'a self) -> Captured {
        self.clone()
    }
}

const PASSWORD: &str = "canary-of-a-password";
const WRONG: &str = "canary-of-a-wrong-one";

/// A whole life, and every secret that came up in it.
async fn life(shop: &Shop) -> Vec<String> {
    let address = email();
    let register = pb::RegisterRequest { password: PASSWORD.into(), ..registering(&address) };
    shop.guest().register(register.clone()).await.unwrap();
    shop.guest().register(pb::RegisterRequest { request_id: request_id(), ..register }).await.unwrap();
    let verification = shop.mail(&address, pb::MailKind::VerifyEmail, 1).await.token;
    let verify = pb::VerifyEmailRequest { token: verification.clone(), request_id: request_id() };
    shop.guest().verify_email(verify.clone()).await.unwrap();
    shop.guest()
        .verify_email(pb::VerifyEmailRequest { request_id: request_id(), ..verify })
        .await
        .unwrap_err();
    shop.guest().log_in(logging_in(&address, WRONG)).await.unwrap_err();
    let tokens =
        shop.guest().log_in(logging_in(&address, PASSWORD)).await.unwrap().into_inner().tokens.unwrap();
    let refreshed =
        shop.guest().refresh_session(refreshing(&tokens.refresh_token)).await.unwrap().into_inner();
    let refreshed = refreshed.tokens.unwrap();
    shop.guest().refresh_session(refreshing(&tokens.refresh_token)).await.unwrap_err();
    let ask =
        pb::RequestPasswordResetRequest { email: address.clone(), request_id: request_id(), client: None };
    shop.guest().request_password_reset(ask).await.unwrap();
    let link = shop.mail(&address, pb::MailKind::ResetPassword, 1).await.token;
    let reset = pb::ResetPasswordRequest {
        token: link.clone(),
        new_password: format!("{PASSWORD} again"),
        request_id: request_id(),
    };
    shop.guest().reset_password(reset).await.unwrap();
    let user = shop.verify(&tokens.access_token).await;
    let change = pb::ChangePasswordRequest {
        present_password: WRONG.into(),
        new_password: PASSWORD.into(),
        request_id: request_id(),
    };
    shop.as_user(&user).change_password(change).await.unwrap_err();
    let secrets = [PASSWORD.to_owned(), WRONG.to_owned(), address, verification, link];
    let tokens = [tokens.access_token, tokens.refresh_token, refreshed.access_token, refreshed.refresh_token];
    secrets.into_iter().chain(tokens).collect()
}

#[tokio::test]
async fn no_secret_is_written_anywhere_in_clear() {
    let captured = Captured::default();
    let everything =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(captured.clone());
    // The one test of this binary that listens to all of it; what the others say meanwhile is looked at as well.
    tracing::subscriber::set_global_default(everything.finish()).unwrap();
    for shop in shops().await {
        captured.0.lock().unwrap().clear();
        let secrets = life(&shop).await;

        let logs = String::from_utf8_lossy(&captured.0.lock().unwrap()).into_owned();
        for method in ["Register", "LogIn", "ResetPassword", "ChangePassword"] {
            let heard =
                logs.lines().any(|line| line.contains(method) && line.contains("a password is hashed"));
            assert!(heard, "nobody listened to {method}, so what it did not say proves nothing");
        }
        for secret in &secrets {
            assert!(!logs.contains(secret), "a log line holds {secret}");
        }
        for event in kit::testing::unsent(&shop.database, 10_000).await.unwrap() {
            for secret in &secrets {
                assert!(!holds(&event.payload, secret), "{} holds {secret}", event.kind);
            }
        }
        // The address stands in its account; no other table needs it, and none needs a secret.
        for table in [
            "credentials",
            "sessions",
            "refresh_tokens",
            "links",
            "throttles",
            "login_events",
            "requests",
            "outbox",
        ] {
            for row in query(shop.database.read(), &format!("SELECT * FROM {table}"), []).await.unwrap() {
                for column in row.column_names() {
                    let text = row.try_get::<String>("", &column).map(String::into_bytes);
                    let bytes = text.or_else(|_| row.try_get::<Vec<u8>>("", &column)).unwrap_or_default();
                    for secret in &secrets {
                        assert!(!holds(&bytes, secret), "{table}.{column} holds {secret}");
                    }
                }
            }
        }
    }
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}
