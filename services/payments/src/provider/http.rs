//! The simulated provider, spoken to over HTTP as any provider would be.

use std::str::FromStr;
use std::time::{Duration, Instant};

use kit::{Currency, Money, Timestamp};
use reqwest::{Client, Method, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::breaker::Breaker;
use super::{Authorization, Change, Failure, Forged, Notice, Provider, Unanswered, signature, wire};
use crate::domain::{DeclineReason, Refusal, Report, Standing, State};

/// How the provider is called in payments and in the path of its webhooks.
pub const SIMULATED: &str = "simulated";

const CONNECT_TIME_MAX: Duration = Duration::from_secs(1);
const EVENT_ID_LENGTH_MAX: usize = 200;
const KEY_LENGTH_MAX: usize = 200;
const REFERENCE_LENGTH_MAX: usize = 200;
const URL_LENGTH_MAX: usize = 2_000;

/// Where a provider listens: `http://host:port`. `https` is read as well, though this client speaks no TLS yet: every call fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderUrl(Url);

/// The text is no URL of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a provider's URL must be http://host:port or https://host:port")]
pub struct MalformedUrl;

/// A client of the simulated provider.
pub struct Simulated {
    client: Client,
    base: ProviderUrl,
    secret: Vec<u8>,
    breaker: Breaker,
}

#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("the provider answered {0}")]
    Status(StatusCode),
    #[error("the provider's answer is too large")]
    Size,
    #[error("the provider's answer has a value of no known meaning")]
    Value,
}

/// What came back: an answer, or a problem that the provider told.
enum Answer<T> {
    Yes(T),
    No(wire::Error),
}

impl FromStr for ProviderUrl {
    type Err = MalformedUrl;

    fn from_str(text: &str) -> Result<Self, MalformedUrl> {
        let url = Url::parse(text).map_err(|_| MalformedUrl)?;
        if matches!(url.scheme(), "http" | "https") && url.has_host() {
            Ok(Self(url))
        } else {
            Err(MalformedUrl)
        }
    }
}

impl Simulated {
    pub fn new(base: ProviderUrl, secret: &[u8], answer_time_max: Duration) -> Self {
        // The provider stands beside us: no proxy, and it never sends us elsewhere.
        let client = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIME_MAX.min(answer_time_max))
            .timeout(answer_time_max)
            .build()
            .unwrap_or_default();
        Self { client, base, secret: secret.to_vec(), breaker: Breaker::default() }
    }

    async fn change(
        &self,
        change: Change<'_>,
        action: &str,
        minor_units: i64,
        reason: &str,
    ) -> Result<Report, Failure> {
        let body = wire::Change { key: change.key.to_owned(), minor_units, reason: reason.to_owned() };
        let path = ["v1", "payments", change.payment, action];
        match self.ask(Method::POST, &path, Some(&body)).await? {
            Answer::Yes(payment) => Ok(report(payment)?),
            Answer::No(error) => Err(refused(error)),
        }
    }

    /// Asks unless the breaker is open, and tells the breaker how it went.
    async fn ask<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&B>,
    ) -> Result<Answer<T>, Unanswered> {
        self.breaker.admit(Instant::now()).map_err(unanswered)?;
        let answer = self.send(method, path, body).await;
        match answer {
            Ok(_) => self.breaker.succeeded(),
            Err(_) => self.breaker.failed(Instant::now()),
        }
        answer
    }

    async fn send<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&B>,
    ) -> Result<Answer<T>, Unanswered> {
        let mut request = self.client.request(method, self.url(path));
        if let Some(body) = body {
            request = request.json(body);
        }
        // The URL names a checkout; nothing of it belongs into a log.
        let sent = request.send().await;
        let response = sent.map_err(|error| unanswered(error.without_url()))?;
        let status = response.status();
        let bytes = read(response).await?;
        if status == StatusCode::OK {
            return serde_json::from_slice(&bytes).map(Answer::Yes).map_err(unanswered);
        }
        if !status.is_client_error() {
            return Err(unanswered(Unreadable::Status(status)));
        }
        let problem = serde_json::from_slice::<wire::Problem>(&bytes);
        problem.map(|problem| Answer::No(problem.error)).map_err(|_| unanswered(Unreadable::Status(status)))
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.0.clone();
        // One with a host always has a path.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

#[tonic::async_trait]
impl Provider for Simulated {
    fn name(&self) -> &'static str {
        SIMULATED
    }

    async fn authorize(&self, ask: Authorization<'_>) -> Result<Report, Failure> {
        let body = wire::Authorize {
            key: ask.key.to_owned(),
            minor_units: ask.amount.minor_units(),
            currency: ask.amount.currency().as_str().to_owned(),
            method: ask.method.to_owned(),
            return_url: ask.return_url.to_owned(),
        };
        match self.ask(Method::POST, &["v1", "payments"], Some(&body)).await? {
            Answer::Yes(payment) => Ok(report(payment)?),
            Answer::No(error) => Err(refused(error)),
        }
    }

    async fn capture(&self, change: Change<'_>, amount: Money) -> Result<Report, Failure> {
        self.change(change, "capture", amount.minor_units(), "").await
    }

    async fn void(&self, change: Change<'_>) -> Result<Report, Failure> {
        self.change(change, "void", 0, "").await
    }

    async fn refund(&self, change: Change<'_>, amount: Money, reason: &str) -> Result<Report, Failure> {
        self.change(change, "refund", amount.minor_units(), reason).await
    }

    async fn fetch(&self, payment: &str) -> Result<Option<Report>, Unanswered> {
        let path = ["v1", "payments", payment];
        match self.ask(Method::GET, &path, None::<&()>).await? {
            Answer::Yes(payment) => report(payment).map(Some),
            Answer::No(wire::Error::NotFound) => Ok(None),
            Answer::No(_) => Err(unanswered(Unreadable::Value)),
        }
    }

    fn open_webhook(&self, signature: &str, body: &[u8], now: Timestamp) -> Result<Notice, Forged> {
        signature::verify(&self.secret, signature, body, now)?;
        let notice: wire::Notice = serde_json::from_slice(body).map_err(|_| Forged::Body)?;
        let fits = |text: &str, most| (1..=most).contains(&text.len());
        match fits(&notice.id, EVENT_ID_LENGTH_MAX) && fits(&notice.key, KEY_LENGTH_MAX) {
            true => Ok(Notice { event_id: notice.id, payment: notice.key }),
            false => Err(Forged::Body),
        }
    }
}

async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, Unanswered> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unanswered(error.without_url()))? {
        if bytes.len().saturating_add(chunk.len()) > wire::BODY_BYTES_MAX {
            return Err(unanswered(Unreadable::Size));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The provider's words in ours. A value that cannot be is no answer.
fn report(payment: wire::Payment) -> Result<Report, Unanswered> {
    let unreadable = || unanswered(Unreadable::Value);
    let currency: Option<Currency> = payment.currency.parse().ok();
    let standing = match payment.status {
        wire::Status::Processing => Standing::Processing,
        wire::Status::ActionRequired => Standing::ActionRequired {
            url: payment.action_url.filter(|url| is_page(url)).ok_or_else(unreadable)?,
        },
        wire::Status::Authorized | wire::Status::Captured => Standing::Authorized,
        wire::Status::Declined => {
            let reason = payment.decline.as_deref().and_then(DeclineReason::named);
            Standing::Declined(reason.unwrap_or(DeclineReason::Other))
        }
        wire::Status::Voided => Standing::Voided,
    };
    let sums = [payment.minor_units, payment.captured, payment.refunded];
    let referenced = (1..=REFERENCE_LENGTH_MAX).contains(&payment.reference.len());
    if sums.iter().any(|sum| *sum < 0) || !referenced {
        return Err(unreadable());
    }
    Ok(Report {
        reference: payment.reference,
        amount: currency.map(|currency| Money::new(currency, payment.minor_units)),
        standing,
        captured: payment.captured,
        refunded: payment.refunded,
    })
}

fn is_page(url: &str) -> bool {
    url.len() <= URL_LENGTH_MAX && Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn refused(error: wire::Error) -> Failure {
    match error {
        wire::Error::NotAuthorized | wire::Error::NotFound => {
            Failure::Refused(Refusal::NotAuthorized(State::Voided))
        }
        wire::Error::AlreadyCaptured => Failure::Refused(Refusal::AlreadyCaptured),
        wire::Error::ExceedsAuthorized => Failure::Refused(Refusal::ExceedsAuthorized),
        wire::Error::ExceedsCaptured => Failure::Refused(Refusal::ExceedsCaptured),
        // Ours to mend: it stays open and is asked again.
        wire::Error::Malformed | wire::Error::KeyReused | wire::Error::Internal => {
            Failure::Unanswered(unanswered(Unreadable::Value))
        }
    }
}

fn unanswered(error: impl std::error::Error + Send + Sync + 'static) -> Unanswered {
    Unanswered(Box::new(error))
}
