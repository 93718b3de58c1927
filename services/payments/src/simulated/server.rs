//! The provider's HTTP interface: JSON for payments, a page for the buyer.

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use kit::{Clock, Timestamp};
use observability::names;

use super::ledger::{Action, Fault, Ledger, Manner, Row};
use super::{Settings, page};
use crate::provider::wire;

#[derive(Clone)]
pub struct Office {
    pub ledger: Ledger,
    pub settings: Settings,
}

type Answer = Result<Json<wire::Payment>, Refused>;
type Asked<T> = Result<Json<T>, JsonRejection>;

/// A no, as it is answered.
pub struct Refused(pub wire::Error);

pub fn router(ledger: Ledger, settings: Settings) -> Router {
    Router::new()
        .route("/v1/payments", post(authorize))
        .route("/v1/payments/{key}", get(fetch))
        .route("/v1/payments/{key}/capture", post(capture))
        .route("/v1/payments/{key}/void", post(void))
        .route("/v1/payments/{key}/refund", post(refund))
        .route("/pay/{reference}", get(page::show).post(page::decide))
        .layer(DefaultBodyLimit::max(wire::BODY_BYTES_MAX))
        .with_state(Office { ledger, settings })
}

async fn authorize(State(office): State<Office>, ask: Asked<wire::Authorize>) -> Answer {
    let Json(ask) = ask.map_err(|_| Refused(wire::Error::Malformed))?;
    let slow_answer = office.settings.slow_answer;
    let (row, manner) = office.ledger.authorize(&ask, slow_answer).await?;
    match (row, manner) {
        (Some(row), Manner::Answered) => office.answer(&row),
        (Some(_), Manner::When(ready)) => {
            tokio::time::sleep(until(ready)).await;
            let row = office.ledger.find(&ask.key).await?;
            office.answer(&row)
        }
        (_, Manner::Silence) | (None, _) => {
            tokio::time::sleep(office.settings.silence_max).await;
            Err(Refused(wire::Error::Internal))
        }
    }
}

async fn fetch(State(office): State<Office>, Path(key): Path<String>) -> Answer {
    let row = office.ledger.find(&key).await?;
    office.answer(&row)
}

async fn capture(State(office): State<Office>, Path(key): Path<String>, ask: Asked<wire::Change>) -> Answer {
    office.change(&key, Action::Capture, ask).await
}

async fn void(State(office): State<Office>, Path(key): Path<String>, ask: Asked<wire::Change>) -> Answer {
    office.change(&key, Action::Void, ask).await
}

async fn refund(State(office): State<Office>, Path(key): Path<String>, ask: Asked<wire::Change>) -> Answer {
    office.change(&key, Action::Refund, ask).await
}

impl Office {
    fn answer(&self, row: &Row) -> Answer {
        let payment = row.wire(&self.settings.public_url).map_err(Fault::Storage)?;
        Ok(Json(payment))
    }

    async fn change(&self, payment: &str, action: Action, ask: Asked<wire::Change>) -> Answer {
        let Json(ask) = ask.map_err(|_| Refused(wire::Error::Malformed))?;
        let public_url = &self.settings.public_url;
        let payment = self.ledger.change(payment, action, &ask, public_url).await?;
        Ok(Json(payment))
    }
}

fn until(ready: Timestamp) -> std::time::Duration {
    (ready - Clock::system().now()).to_std().unwrap_or_default()
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::No(error) => Refused(error),
            Fault::Storage(error) => {
                let chain = mesh::status::chain(&error);
                tracing::error!({ names::ERROR } = chain, "the simulated provider failed: {chain}");
                Refused(wire::Error::Internal)
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self.0 {
            wire::Error::Malformed => StatusCode::BAD_REQUEST,
            wire::Error::NotFound => StatusCode::NOT_FOUND,
            wire::Error::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            wire::Error::KeyReused
            | wire::Error::NotAuthorized
            | wire::Error::AlreadyCaptured
            | wire::Error::ExceedsAuthorized
            | wire::Error::ExceedsCaptured => StatusCode::CONFLICT,
        };
        (status, Json(wire::Problem { error: self.0 })).into_response()
    }
}
