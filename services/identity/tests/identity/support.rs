//! Starts the service on every kind of store, and says things shortly.

use std::time::Duration;

use kit::{Clock, Database};
use mesh::testing::{self, TestServer};
use mesh::{Channel, Role, User};
use proto::identity as pb;
use proto::identity::identity_service_client::IdentityServiceClient;
use sealing::Opener;
use secrecy::SecretString;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

pub use kit::testing::request_id;
pub use mesh::testing::reason;

pub type Client = IdentityServiceClient<Channel>;

pub const PASSWORD: &str = "analytical engine 1843";

pub struct Shop {
    pub database: Database,
    pub clock: Clock,
    pub opener: Opener,
    server: TestServer,
    _work: DropGuard,
}

/// One shop for each kind of store, its background work running.
pub async fn shops() -> Vec<Shop> {
    let databases = kit::testing::databases::<identity::Migrator>().await;
    databases.into_iter().map(Shop::new).collect()
}

/// Those on PostgreSQL, where several write at the same time.
pub async fn shops_with_many_writers() -> Vec<Shop> {
    kit::testing::postgres::<identity::Migrator>().await.into_iter().map(Shop::new).collect()
}

pub fn settings(opener: &Opener) -> identity::Settings {
    identity::Settings {
        sealer: opener.sealer(),
        key_secret: SecretString::from("a secret of the tests, long enough"),
        access_life: Duration::from_secs(600),
        key_rotation: Duration::from_secs(24 * 60 * 60),
        key_published_before: Duration::from_secs(600),
        hashes_at_once: 2,
        hashes_waiting_max: 200,
        work_interval: Duration::from_millis(20),
    }
}

impl Shop {
    pub fn new(database: Database) -> Self {
        let opener = Opener::generate();
        let clock = Clock::fixed(Clock::system().now());
        Self { opener: opener.clone(), ..Self::at(database, settings(&opener), clock) }
    }

    /// One with settings of its own; nobody opens its mails.
    pub fn with(database: Database, settings: identity::Settings) -> Self {
        Self::at(database, settings, Clock::fixed(Clock::system().now()))
    }

    /// One more process on the same store.
    pub fn at(database: Database, settings: identity::Settings, clock: Clock) -> Self {
        let opener = Opener::generate();
        let routes = identity::routes(database.clone(), settings.clone(), clock.clone());
        let server = testing::serve(identity::NAME, routes);
        let shutdown = CancellationToken::new();
        tokio::spawn(identity::work(database.clone(), settings, clock.clone(), shutdown.clone()));
        Self { database, clock, opener, server, _work: shutdown.drop_guard() }
    }

    pub fn guest(&self) -> Client {
        IdentityServiceClient::new(self.server.channel_as("gateway", None))
    }

    pub fn as_user(&self, user: &User) -> Client {
        IdentityServiceClient::new(self.server.channel_as("gateway", Some(user.clone())))
    }

    pub fn as_service(&self, workload: &'static str) -> Client {
        IdentityServiceClient::new(self.server.channel_as(workload, None))
    }

    /// Registers and logs in.
    pub async fn customer(&self) -> (User, pb::Account) {
        let email = email();
        self.guest().register(registering(&email)).await.unwrap();
        self.logged_in(&email, PASSWORD).await
    }

    /// Somebody who works here, logged in.
    pub async fn staff(&self, role: Role, permissions: &[&str]) -> (User, pb::Account) {
        let email = email();
        let account = identity::NewAccount {
            email: email.clone(),
            password: SecretString::from(PASSWORD),
            name: ("Grace".into(), "Hopper".into()),
            role,
            permissions: permissions.iter().map(ToString::to_string).collect(),
            verified: true,
        };
        identity::create_account(&self.database, &self.clock, account).await.unwrap();
        self.logged_in(&email, PASSWORD).await
    }

    pub async fn logged_in(&self, email: &str, password: &str) -> (User, pb::Account) {
        let answer = self.guest().log_in(logging_in(email, password)).await.unwrap().into_inner();
        let user = self.verify(&answer.tokens.unwrap().access_token).await;
        (user, answer.account.unwrap())
    }

    /// Who a token of this service says its holder is, as any other service finds out.
    pub async fn verify(&self, token: &str) -> User {
        let verifier = self.verifier();
        (*verifier.verify(token).await.unwrap()).clone()
    }

    pub fn verifier(&self) -> mesh::tokens::Verifier {
        let guest = self.guest();
        mesh::tokens::Verifier::new(std::sync::Arc::new(move || {
            let mut guest = guest.clone();
            Box::pin(async move {
                let keys =
                    guest.list_signing_keys(pb::ListSigningKeysRequest::default()).await?.into_inner().keys;
                Ok(keys
                    .into_iter()
                    .map(|key| mesh::tokens::SigningKey { key_id: key.key_id, public_key: key.public_key })
                    .collect())
            })
        }))
    }

    /// The mails of the outbox, opened, oldest first.
    pub async fn mails(&self) -> Vec<pb::MailContent> {
        let mut mails = Vec::new();
        for event in kit::testing::unsent(&self.database, 10_000).await.unwrap() {
            let sealed = match event.kind.as_str() {
                "account.registered" => event.decode::<pb::AccountRegistered>().unwrap().mail,
                "account.mail_requested" => event.decode::<pb::AccountMailRequested>().unwrap().mail,
                "account.password_changed" => event.decode::<pb::AccountPasswordChanged>().unwrap().mail,
                _ => None,
            };
            mails.extend(sealed.map(|sealed| self.opener.open::<pb::MailContent>(&sealed).unwrap()));
        }
        mails
    }

    /// Waits for the newest mail of a kind to an address, the `number`th of its kind.
    pub async fn mail(&self, email: &str, kind: pb::MailKind, number: usize) -> pb::MailContent {
        for _ in 0..400 {
            let mails = self.mails().await;
            let mut fitting = mails.into_iter().filter(|mail| mail.email == email && mail.kind() == kind);
            if let Some(mail) = fitting.nth(number - 1) {
                return mail;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("mail {number} of kind {kind:?} was not written");
    }

    /// The kinds of all events of an account, oldest first.
    pub async fn news(&self, account: &str) -> Vec<String> {
        let events = kit::testing::unsent(&self.database, 10_000).await.unwrap();
        events.into_iter().filter(|event| event.subject == account).map(|event| event.kind).collect()
    }

    /// What the audit of an account holds, newest first.
    pub async fn audit(&self, user: &User) -> Vec<pb::LoginEventKind> {
        let request = pb::ListLoginEventsRequest { page_size: 100, ..Default::default() };
        let answer = self.as_user(user).list_login_events(request).await.unwrap().into_inner();
        answer.login_events.iter().map(pb::LoginEvent::kind).collect()
    }
}

pub fn email() -> String {
    format!("ada.{}@mail.example", Uuid::new_v4().simple())
}

pub fn registering(email: &str) -> pb::RegisterRequest {
    pb::RegisterRequest {
        email: email.into(),
        password: PASSWORD.into(),
        given_name: "Ada".into(),
        family_name: "Lovelace".into(),
        preferences: None,
        request_id: request_id(),
        client: None,
    }
}

pub fn logging_in(email: &str, password: &str) -> pb::LogInRequest {
    logging_in_from(email, password, "203.0.113.7")
}

pub fn logging_in_from(email: &str, password: &str, ip_address: &str) -> pb::LogInRequest {
    let client = pb::Client { ip_address: ip_address.into(), user_agent: "Browser/1.0".into() };
    pb::LogInRequest { email: email.into(), password: password.into(), client: Some(client) }
}

pub fn refreshing(refresh_token: &str) -> pb::RefreshSessionRequest {
    pb::RefreshSessionRequest { refresh_token: refresh_token.into(), client: None }
}

pub fn fields(status: &tonic::Status) -> Vec<String> {
    mesh::status::violations_of(status).into_iter().map(|violation| violation.field).collect()
}
