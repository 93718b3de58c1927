//! How long an answer takes depends on its steps. They are counted here, which needs no clock: as many slow hashes and
//! as many statements whether or not the address has an account.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::atomic::Ordering;
use std::time::Duration;

use kit::{Clock, Database};
use mesh::testing::{self, TestServer};
use proto::identity as pb;
use proto::identity::identity_service_client::IdentityServiceClient;
use sealing::Opener;
use tonic::service::Routes;
use uuid::Uuid;

use super::{Identity, Settings};
use crate::{Migrator, NAME, grpc};

const PASSWORD: &str = "analytical engine 1843";

/// The service with nothing under way but what it is asked.
struct Shop {
    database: Database,
    identity: Identity,
    server: TestServer,
}

/// Hashes and statements.
type Steps = (u64, u64);

impl Shop {
    fn new(database: Database) -> Self {
        let settings = Settings {
            sealer: Opener::generate().sealer(),
            key_secret: "a secret of the tests, long enough".into(),
            access_life: Duration::from_secs(600),
            key_rotation: Duration::from_secs(24 * 60 * 60),
            key_published_before: Duration::from_secs(600),
            hashes_at_once: 2,
            hashes_waiting_max: 2,
            work_interval: Duration::from_secs(1),
        };
        let identity = Identity::new(database.clone(), settings, Clock::system());
        let server = testing::serve(NAME, Routes::new(grpc::server(identity.clone())));
        Self { database, identity, server }
    }

    fn seen(&self) -> Steps {
        (self.identity.hasher.hashed.load(Ordering::Relaxed), self.database.statements())
    }

    async fn steps(&self, call: impl Future) -> Steps {
        let before = self.seen();
        call.await;
        let after = self.seen();
        (after.0 - before.0, after.1 - before.1)
    }

    fn guest(&self) -> IdentityServiceClient<mesh::Channel> {
        IdentityServiceClient::new(self.server.channel_as("gateway", None))
    }

    async fn log_in(&self, email: &str, password: &str) -> bool {
        let request = pb::LogInRequest { email: email.into(), password: password.into(), client: None };
        self.guest().log_in(request).await.is_ok()
    }

    async fn register(&self, email: &str) {
        let (email, password) = (email.into(), PASSWORD.into());
        let request = pb::RegisterRequest { email, password, request_id: id(), ..Default::default() };
        self.guest().register(request).await.unwrap();
    }

    async fn reset(&self, email: &str) {
        let request = pb::RequestPasswordResetRequest { email: email.into(), request_id: id(), client: None };
        self.guest().request_password_reset(request).await.unwrap();
    }

    async fn verification(&self, email: &str) {
        let request =
            pb::RequestEmailVerificationRequest { email: email.into(), request_id: id(), client: None };
        self.guest().request_email_verification(request).await.unwrap();
    }
}

fn id() -> String {
    Uuid::new_v4().to_string()
}

fn email() -> String {
    format!("ada.{}@mail.example", Uuid::new_v4().simple())
}

#[tokio::test]
async fn an_answer_takes_the_same_steps_whether_or_not_the_address_has_an_account() {
    for database in kit::testing::databases::<Migrator>().await {
        let shop = Shop::new(database);
        let (known, unknown) = (email(), email());
        shop.register(&known).await;

        let of_known = [
            shop.steps(shop.log_in(&known, "not my password")).await,
            shop.steps(shop.register(&known)).await,
            shop.steps(shop.reset(&known)).await,
            shop.steps(shop.verification(&known)).await,
        ];
        let of_unknown = [
            shop.steps(shop.log_in(&unknown, "not my password")).await,
            shop.steps(shop.register(&email())).await,
            shop.steps(shop.reset(&unknown)).await,
            shop.steps(shop.verification(&unknown)).await,
        ];

        assert_eq!(of_known, of_unknown);
        assert_eq!(of_known.map(|(hashes, _)| hashes), [1, 1, 0, 0]);
        assert!(of_known.iter().all(|(_, statements)| *statements > 0), "{of_known:?}");
    }
}

#[tokio::test]
async fn a_right_password_is_hashed_once_like_a_wrong_one() {
    for database in kit::testing::databases::<Migrator>().await {
        let shop = Shop::new(database);
        let address = email();
        shop.register(&address).await;
        shop.identity.signer.rotate().await.unwrap();

        let (right, _) = shop.steps(async { assert!(shop.log_in(&address, PASSWORD).await) }).await;
        let (wrong, _) = shop.steps(async { assert!(!shop.log_in(&address, "not my password").await) }).await;

        assert_eq!((right, wrong), (1, 1));
    }
}
