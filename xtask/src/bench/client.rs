//! A client of the public GraphQL API, as a storefront's server or a phone has one.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use serde_json::{Value, json};

use crate::process::Error;

/// Longer than the edge takes to say that it took too long.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
const ATTEMPTS_MAX: u32 = 10;
const ATTEMPT_INTERVAL: Duration = Duration::from_millis(250);

/// How often a client had to ask again; shared by all clients of one run.
pub(crate) type Repeats = Arc<AtomicU64>;

/// Somebody at one address, with a connection of their own.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
    repeats: Repeats,
}

/// What one attempt came to.
enum Attempt {
    Answered(Value),
    /// Worth another attempt after a while, and why.
    Later(Duration, String),
}

impl Client {
    /// A client at `address`, one of this machine's own.
    pub(crate) fn new(url: &str, address: IpAddr, repeats: Repeats) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .local_address(address)
            .timeout(ANSWER_TIME_MAX)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| Error::Refused(format!("no HTTP client: {error}")))?;
        Ok(Self { http, url: url.to_owned(), token: None, repeats })
    }

    /// The same client, signed in.
    pub(crate) async fn sign_in(mut self, email: &str, password: &str) -> Result<Self, Error> {
        let query = "mutation($email: String!, $password: String!) {
            customerLogIn(email: $email, password: $password) {
                tokens { accessToken } userErrors { code message } warnings { message } } }";
        let variables = json!({ "email": email, "password": password });
        let session = self.change("customerLogIn", query, variables).await?;
        self.token = Some(text(&session, "/tokens/accessToken")?.to_owned());
        Ok(self)
    }

    /// The `data` of an answer without errors. What may be tried again, is, with the same key and so with one effect.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Result<Value, Error> {
        let body = json!({ "query": query, "variables": variables });
        let mut last = String::new();
        for _ in 0..ATTEMPTS_MAX {
            match self.attempt(&body).await? {
                Attempt::Answered(data) => return Ok(data),
                Attempt::Later(delay, why) => {
                    self.wait(delay).await;
                    last = why;
                }
            }
        }
        Err(Error::Refused(format!("asked {ATTEMPTS_MAX} times: {last}")))
    }

    /// The payload of the one mutation in `query`. A business error is an error here, and so is a warning: it says
    /// that something was done otherwise than asked.
    pub(crate) async fn change(&self, name: &str, query: &str, variables: Value) -> Result<Value, Error> {
        for _ in 0..ATTEMPTS_MAX {
            let mut data = self.ask(query, variables.clone()).await?;
            let payload = data.get_mut(name).map(Value::take).unwrap_or_default();
            let said = |list: &str| payload.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
            let errors = said("userErrors");
            if errors.iter().any(|error| at(error, "/code") == "IDEMPOTENCY_IN_PROGRESS") {
                self.wait(ATTEMPT_INTERVAL).await;
                continue;
            }
            let objections: Vec<String> =
                errors.iter().chain(&said("warnings")).map(Value::to_string).collect();
            return match objections.is_empty() {
                true => Ok(payload),
                false => Err(Error::Refused(format!("{name}: {}", objections.join(", ")))),
            };
        }
        Err(Error::Refused(format!("{name} is still in progress after {ATTEMPTS_MAX} attempts")))
    }

    /// All items of the list `name`, page by page.
    pub(crate) async fn pages(&self, query: &str, name: &str) -> Result<Vec<Value>, Error> {
        let mut items = Vec::new();
        let mut after = Value::Null;
        loop {
            let data = self.ask(query, json!({ "after": after })).await?;
            items.extend(list(&data, &format!("/{name}/nodes"))?.iter().cloned());
            if at(&data, &format!("/{name}/pageInfo/hasNextPage")) != true {
                return Ok(items);
            }
            after = at(&data, &format!("/{name}/pageInfo/endCursor")).clone();
        }
    }

    async fn wait(&self, delay: Duration) {
        self.repeats.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(delay).await;
    }

    async fn attempt(&self, body: &Value) -> Result<Attempt, Error> {
        let mut request = self.http.post(&self.url).header("x-shop-client", "bench").json(body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Ok(Attempt::Later(ATTEMPT_INTERVAL, error.to_string())),
        };
        let status = answer.status();
        let asked = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let delay = asked.map_or(ATTEMPT_INTERVAL, Duration::from_secs);
        let mut answer: Value = match answer.json().await {
            Ok(answer) => answer,
            Err(error) => return Ok(Attempt::Later(delay, format!("{status}: {error}"))),
        };
        let errors = answer.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
        if errors.is_empty() {
            return Ok(Attempt::Answered(answer.get_mut("data").map(Value::take).unwrap_or_default()));
        }
        let words: Vec<String> = errors.iter().map(Value::to_string).collect();
        let words = words.join(", ");
        match errors.iter().any(|error| at(error, "/extensions/retryable") == true) {
            true => Ok(Attempt::Later(delay, words)),
            false => Err(Error::Refused(words)),
        }
    }
}

/// What is at a place of an answer; null if there is nothing.
pub(crate) fn at<'a>(value: &'a Value, place: &str) -> &'a Value {
    value.pointer(place).unwrap_or(&Value::Null)
}

/// The text at a place of an answer that promises one.
pub(crate) fn text<'a>(value: &'a Value, place: &str) -> Result<&'a str, Error> {
    let missing = || Error::Refused(format!("no text at {place} of {value}"));
    value.pointer(place).and_then(Value::as_str).ok_or_else(missing)
}

/// The list at a place of an answer that promises one.
pub(crate) fn list<'a>(value: &'a Value, place: &str) -> Result<&'a Vec<Value>, Error> {
    let missing = || Error::Refused(format!("no list at {place} of {value}"));
    value.pointer(place).and_then(Value::as_array).ok_or_else(missing)
}

/// The whole number at a place of an answer that promises one.
pub(crate) fn number(value: &Value, place: &str) -> Result<i64, Error> {
    let missing = || Error::Refused(format!("no number at {place} of {value}"));
    value.pointer(place).and_then(Value::as_i64).ok_or_else(missing)
}

/// The pence at a place of an answer that promises an amount: "19.99" is 1999.
pub(crate) fn pence(value: &Value, place: &str) -> Result<i64, Error> {
    let amount = text(value, place)?;
    to_pence(amount).ok_or_else(|| Error::Refused(format!("'{amount}' at {place} is no amount in pounds")))
}

fn to_pence(amount: &str) -> Option<i64> {
    let (pounds, pence) = amount.split_once('.')?;
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if pence.len() != 2 || !plain(pence) || !plain(pounds) {
        return None;
    }
    pounds.parse::<i64>().ok()?.checked_mul(100)?.checked_add(pence.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_to_the_penny_or_not_at_all() {
        assert_eq!(to_pence("19.99"), Some(1_999));
        assert_eq!(to_pence("0.05"), Some(5));
        for wrong in ["19", "19.9", "19.999", ".99", "-1.00", "1e2.00", "99999999999999999999.00"] {
            assert_eq!(to_pence(wrong), None, "{wrong}");
        }
    }
}
