//! The provider's books. Each question has its effect once, under its key, and commits before it is answered.

mod rows;

use std::time::Duration;

use kit::{Clock, Database, Timestamp, execute, query};
use sea_orm::{DbErr, FromQueryResult};
use serde::{Deserialize, Serialize};

use super::cards::{Card, card};
use crate::provider::wire::{self, Error, Status};

const KEY_LENGTH_MAX: usize = 200;
const TEXT_LENGTH_MAX: usize = 2_000;

#[derive(Clone)]
pub struct Ledger {
    pub database: Database,
}

/// Why there is no answer of the expected kind.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The provider says no.
    #[error("refused")]
    No(Error),
    #[error("the provider's store failed")]
    Storage(#[from] DbErr),
}

/// What follows an authorisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It is answered.
    Answered,
    /// It is answered when the provider knows, at this time.
    When(Timestamp),
    /// It is not answered.
    Silence,
}

/// What may be done with a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Capture,
    Void,
    Refund,
}

#[derive(Clone, Debug, FromQueryResult)]
pub struct Row {
    pub reference: String,
    pub key: String,
    pub status: String,
    pub minor_units: i64,
    pub currency: String,
    pub method: String,
    pub return_url: String,
    pub decline: Option<String>,
    pub captured: i64,
    pub refunded: i64,
    pub ready: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
enum Kept {
    Yes(wire::Payment),
    No(Error),
}

impl Ledger {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Authorises once per key. The same key again is told how things stand by now.
    pub async fn authorize(
        &self,
        ask: &wire::Authorize,
        slow_answer: Duration,
    ) -> Result<(Option<Row>, Manner), Fault> {
        rows::check(ask)?;
        let now = Clock::system().now();
        let tx = self.database.begin().await?;
        if let Some(row) = rows::by_key(&tx, &ask.key).await? {
            let row = rows::ripe(&tx, row, now).await?;
            tx.commit().await?;
            return rows::again(row, ask);
        }
        let card = card(&ask.method);
        if card == Card::SilentWithoutEffect && rows::first_silence(&tx, &ask.key).await? {
            tx.commit().await?;
            return Ok((None, Manner::Silence));
        }
        let slow_answer = chrono::TimeDelta::from_std(slow_answer).unwrap_or_default();
        let row = rows::authorized(ask, card, now + slow_answer);
        rows::insert(&tx, &row).await?;
        if row.status()? != Status::Processing {
            rows::announce(&tx, &row, now).await?;
        }
        tx.commit().await?;
        let manner = match (card, row.ready) {
            (Card::SilentWithEffect, _) => Manner::Silence,
            (Card::Slow, Some(ready)) => Manner::When(ready),
            _ => Manner::Answered,
        };
        Ok((Some(row), manner))
    }

    pub async fn find(&self, key: &str) -> Result<Row, Fault> {
        let sql = "SELECT * FROM simulated_payments WHERE key = $1";
        let row = rows::one(self.database.read(), sql, [key.into()]).await?;
        let row = row.ok_or(Fault::No(Error::NotFound))?;
        if row.status()? != Status::Processing {
            return Ok(row);
        }
        let tx = self.database.begin().await?;
        let row = rows::ripe(&tx, row, Clock::system().now()).await?;
        tx.commit().await?;
        Ok(row)
    }

    pub async fn find_by_reference(&self, reference: &str) -> Result<Row, Fault> {
        let sql = "SELECT * FROM simulated_payments WHERE reference = $1";
        let row = rows::one(self.database.read(), sql, [reference.into()]).await?;
        row.ok_or(Fault::No(Error::NotFound))
    }

    /// Changes a payment once per key; the same key again gets the same answer, also if that was no.
    pub async fn change(
        &self,
        payment: &str,
        action: Action,
        ask: &wire::Change,
        public_url: &str,
    ) -> Result<wire::Payment, Fault> {
        if !rows::fits(&ask.key, 1, KEY_LENGTH_MAX)
            || !rows::fits(payment, 1, KEY_LENGTH_MAX)
            || !rows::fits(&ask.reason, 0, TEXT_LENGTH_MAX)
            || (action == Action::Void) != (ask.minor_units == 0)
            || ask.minor_units < 0
        {
            return Err(Fault::No(Error::Malformed));
        }
        let now = Clock::system().now();
        let tx = self.database.begin().await?;
        if let Some(kept) = rows::kept(&tx, payment, action, ask).await? {
            return match kept {
                Kept::Yes(answer) => Ok(answer),
                Kept::No(error) => Err(Fault::No(error)),
            };
        }
        let answer = match rows::by_key(&tx, payment).await? {
            Some(row) => {
                let row = rows::ripe(&tx, row, now).await?;
                rows::apply(&tx, row, action, ask.minor_units, now).await?
            }
            None if action == Action::Void => Ok(rows::tombstone(&tx, payment).await?),
            None => Err(Error::NotFound),
        };
        let kept = match &answer {
            Ok(row) => Kept::Yes(row.wire(public_url)?),
            Err(error) => Kept::No(*error),
        };
        rows::keep(&tx, payment, action, ask, &kept).await?;
        tx.commit().await?;
        match kept {
            Kept::Yes(answer) => Ok(answer),
            Kept::No(error) => Err(Fault::No(error)),
        }
    }

    /// What the buyer said at the hosted page. Said twice, or too late, it changes nothing.
    pub async fn decide(&self, reference: &str, approved: bool) -> Result<Row, Fault> {
        let tx = self.database.begin().await?;
        let (status, decline) = match approved {
            true => (Status::Authorized, None),
            false => (Status::Declined, Some("not_confirmed")),
        };
        let sql = "UPDATE simulated_payments SET status = $2, decline = $3
                   WHERE reference = $1 AND status = 'action_required'";
        let values = [reference.into(), status.as_str().into(), decline.into()];
        let changed = execute(&tx, sql, values).await? == 1;
        let sql = "SELECT * FROM simulated_payments WHERE reference = $1";
        let row = rows::one(&tx, sql, [reference.into()]).await?;
        let row = row.ok_or(Fault::No(Error::NotFound))?;
        if changed {
            rows::announce(&tx, &row, Clock::system().now()).await?;
        }
        tx.commit().await?;
        Ok(row)
    }

    /// Approves the slow ones whose time has come.
    pub async fn ripen(&self, now: Timestamp) -> Result<(), DbErr> {
        let sql = "SELECT * FROM simulated_payments WHERE status = 'processing' AND ready <= $1 LIMIT 100";
        let waiting = query(self.database.read(), sql, [now.into()]).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let tx = self.database.begin().await?;
        for row in waiting {
            rows::ripe(&tx, Row::from_query_result(&row, "")?, now).await?;
        }
        tx.commit().await
    }
}

impl Row {
    pub fn status(&self) -> Result<Status, DbErr> {
        let malformed = || DbErr::Type("a provider's payment is malformed".to_owned());
        Status::named(&self.status).ok_or_else(malformed)
    }

    pub fn wire(&self, public_url: &str) -> Result<wire::Payment, DbErr> {
        let status = self.status()?;
        let page = format!("{}/pay/{}", public_url.trim_end_matches('/'), self.reference);
        Ok(wire::Payment {
            reference: self.reference.clone(),
            key: self.key.clone(),
            status,
            minor_units: self.minor_units,
            currency: self.currency.clone(),
            captured: self.captured,
            refunded: self.refunded,
            action_url: (status == Status::ActionRequired).then_some(page),
            decline: self.decline.clone(),
        })
    }
}
