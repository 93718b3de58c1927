//! Can anybody find out who has an account? 1,000 interleaved calls for known and unknown addresses each, and how far
//! their medians and distributions lie apart: `cargo xtask bench enumeration`, which fails beyond what is allowed, or
//! `cargo run -p identity --example enumeration [calls [method]]`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement stops when it cannot measure"
)]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use kit::{Clock, Database};
use mesh::testing;
use proto::identity as pb;
use proto::identity::identity_service_client::IdentityServiceClient;
use sealing::Opener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How far medians may lie apart, in percent of the smaller.
const APART_MAX: f64 = 3.0;
/// Kolmogorov and Smirnov: two samples of a size differ by more than this, divided by the root of half the size, once in
/// a thousand times although nothing is different.
const DISTANCE_MAX: f64 = 1.949;

const PASSWORD: &str = "analytical engine 1843";

type Client = IdentityServiceClient<mesh::Channel>;

/// What one of the three calls does for an address.
#[derive(Clone, Copy)]
enum Call {
    LogIn,
    Register,
    Reset,
}

#[tokio::main]
async fn main() -> ExitCode {
    let calls = std::env::args().nth(1).map_or(1_000, |calls| calls.parse().unwrap());
    let database = Database::temporary().await.unwrap();
    identity::migrate(&database).await.unwrap();
    let (clock, opener) = (Clock::system(), Opener::generate());
    let settings = identity::Settings {
        sealer: opener.sealer(),
        key_secret: secrecy::SecretString::from("a secret of the measurement"),
        access_life: Duration::from_secs(600),
        key_rotation: Duration::from_secs(86_400),
        key_published_before: Duration::from_secs(600),
        hashes_at_once: 2,
        hashes_waiting_max: 16,
        work_interval: Duration::from_secs(1),
    };
    let routes = identity::routes(database.clone(), settings.clone(), clock.clone());
    let server = testing::serve(identity::NAME, routes);
    let shutdown = CancellationToken::new();
    tokio::spawn(identity::work(database, settings, clock, shutdown.clone()));
    let client = IdentityServiceClient::new(server.channel_as("gateway", None));

    let all = [("LogIn", Call::LogIn), ("Register", Call::Register), ("RequestPasswordReset", Call::Reset)];
    let asked = std::env::args().nth(2);
    let mut alike = true;
    for (name, call) in
        all.into_iter().filter(|(name, _)| asked.as_deref().is_none_or(|asked| asked == *name))
    {
        alike &= measure(name, call, &client, calls).await;
    }
    shutdown.cancel();
    if alike { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether known and unknown addresses cannot be told apart by time.
async fn measure(name: &str, call: Call, client: &Client, calls: usize) -> bool {
    let mut known = Vec::with_capacity(calls);
    for _ in 0..calls {
        let address = address();
        once(Call::Register, client, &address).await;
        known.push(address);
    }
    let (mut of_known, mut of_unknown) = (Vec::with_capacity(calls), Vec::with_capacity(calls));
    for address_known in &known {
        // Which comes first is left to chance, so that neither always follows the other.
        let (one, other) = (address_known.clone(), address());
        if rand::random() {
            of_known.push(once(call, client, &one).await);
            of_unknown.push(once(call, client, &other).await);
        } else {
            of_unknown.push(once(call, client, &other).await);
            of_known.push(once(call, client, &one).await);
        }
    }
    let distance = distance(&mut of_known, &mut of_unknown);
    let (one, other) = (median(&of_known), median(&of_unknown));
    let apart =
        100.0 * (one.as_secs_f64() - other.as_secs_f64()).abs() / one.as_secs_f64().min(other.as_secs_f64());
    let allowed = DISTANCE_MAX * (2.0 / calls as f64).sqrt();
    println!(
        "{name}: medians of {calls}: known {one:.2?}, unknown {other:.2?}, {apart:.2} % apart (allowed {APART_MAX} %); \
         distributions {distance:.4} apart (allowed {allowed:.4})"
    );
    apart <= APART_MAX && distance <= allowed
}

async fn once(call: Call, client: &Client, email: &str) -> Duration {
    let (mut client, email) = (client.clone(), email.to_owned());
    let request_id = Uuid::new_v4().to_string();
    // Networks far and wide, so that no gate closes.
    let [a, b, c] = rand::random::<[u8; 3]>();
    let ip_address = format!("2001:db8:{a:x}{b:02x}::{c:x}");
    let client_of_call = Some(pb::Client { ip_address, user_agent: String::new() });
    let begin = Instant::now();
    match call {
        Call::LogIn => {
            let password = "not my password".to_owned();
            client.log_in(pb::LogInRequest { email, password, client: client_of_call }).await.unwrap_err();
        }
        Call::Register => {
            let password = PASSWORD.to_owned();
            client
                .register(pb::RegisterRequest {
                    email,
                    password,
                    request_id,
                    client: client_of_call,
                    ..Default::default()
                })
                .await
                .unwrap();
        }
        Call::Reset => {
            client
                .request_password_reset(pb::RequestPasswordResetRequest {
                    email,
                    request_id,
                    client: client_of_call,
                })
                .await
                .unwrap();
        }
    }
    begin.elapsed()
}

fn address() -> String {
    format!("ada.{}@mail.example", Uuid::new_v4().simple())
}

fn median(sorted: &[Duration]) -> Duration {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// The greatest distance between the two distributions; sorts both.
fn distance(one: &mut [Duration], other: &mut [Duration]) -> f64 {
    one.sort();
    other.sort();
    let share = |sample: &[Duration], limit| {
        sample.partition_point(|value| *value <= limit) as f64 / sample.len() as f64
    };
    let limits = one.iter().chain(other.iter());
    limits.map(|limit| (share(one, *limit) - share(other, *limit)).abs()).fold(0.0, f64::max)
}
