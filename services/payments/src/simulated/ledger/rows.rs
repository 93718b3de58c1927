//! Rows of the provider's books, within a transaction.

use kit::{Currency, Timestamp, Tx, execute, query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::{Action, Fault, KEY_LENGTH_MAX, Kept, Manner, Row, TEXT_LENGTH_MAX};
use crate::provider::wire::{self, Error, Status};
use crate::simulated::cards::Card;

pub async fn one(
    on: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<Row>, DbErr> {
    let rows = query(on, sql, values).await?;
    let row = rows.first().map(|row| Row::from_query_result(row, ""));
    row.transpose()
}

pub async fn by_key(tx: &Tx, key: &str) -> Result<Option<Row>, DbErr> {
    let sql = "SELECT * FROM simulated_payments WHERE key = $1";
    one(tx, sql, [key.into()]).await
}

/// The row as it is by now: a slow card's time may have come since it was written.
pub async fn ripe(tx: &Tx, row: Row, now: Timestamp) -> Result<Row, DbErr> {
    if row.status()? != Status::Processing || row.ready.is_none_or(|ready| now < ready) {
        return Ok(row);
    }
    let sql = "UPDATE simulated_payments SET status = 'authorized' WHERE key = $1 AND status = 'processing'";
    if execute(tx, sql, [row.key.clone().into()]).await? == 1 {
        let row = Row { status: Status::Authorized.as_str().to_owned(), ..row };
        announce(tx, &row, now).await?;
        return Ok(row);
    }
    Ok(by_key(tx, &row.key).await?.unwrap_or(row))
}

/// The answer to an authorisation that was asked for before.
pub fn again(row: Row, ask: &wire::Authorize) -> Result<(Option<Row>, Manner), Fault> {
    let same = row.minor_units == ask.minor_units && row.currency == ask.currency && row.method == ask.method;
    // Voided before it was heard of: whatever is asked, nothing is authorised.
    let never = row.currency.is_empty();
    match (same || never, row.status()?, row.ready) {
        (false, ..) => Err(Fault::No(Error::KeyReused)),
        (true, Status::Processing, Some(ready)) => Ok((Some(row), Manner::When(ready))),
        (true, ..) => Ok((Some(row), Manner::Answered)),
    }
}

/// Whether a question can be read at all.
pub fn check(ask: &wire::Authorize) -> Result<(), Fault> {
    let page = ask.return_url.is_empty()
        || ask.return_url.starts_with("https://")
        || ask.return_url.starts_with("http://");
    let good = fits(&ask.key, 1, KEY_LENGTH_MAX)
        && fits(&ask.method, 1, TEXT_LENGTH_MAX)
        && fits(&ask.return_url, 0, TEXT_LENGTH_MAX)
        && ask.minor_units > 0
        && ask.currency.parse::<Currency>().is_ok()
        && page;
    match good {
        true => Ok(()),
        false => Err(Fault::No(Error::Malformed)),
    }
}

pub fn fits(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// What a card makes of a question.
pub fn authorized(ask: &wire::Authorize, card: Card, slow_until: Timestamp) -> Row {
    let (status, decline) = match card {
        Card::Approve | Card::SilentWithEffect | Card::SilentWithoutEffect => (Status::Authorized, None),
        Card::Decline(reason) => (Status::Declined, Some(reason.as_str().to_owned())),
        Card::ActionRequired => (Status::ActionRequired, None),
        Card::Slow => (Status::Processing, None),
    };
    Row {
        reference: reference(),
        key: ask.key.clone(),
        status: status.as_str().to_owned(),
        minor_units: ask.minor_units,
        currency: ask.currency.clone(),
        method: ask.method.clone(),
        return_url: ask.return_url.clone(),
        decline,
        captured: 0,
        refunded: 0,
        ready: (card == Card::Slow).then_some(slow_until),
    }
}

/// Makes sure that nothing is ever authorised under a key that was not heard of.
pub async fn tombstone(tx: &Tx, key: &str) -> Result<Row, DbErr> {
    let row = Row {
        reference: reference(),
        key: key.to_owned(),
        status: Status::Voided.as_str().to_owned(),
        minor_units: 0,
        currency: String::new(),
        method: String::new(),
        return_url: String::new(),
        decline: None,
        captured: 0,
        refunded: 0,
        ready: None,
    };
    insert(tx, &row).await?;
    Ok(row)
}

pub async fn insert(tx: &Tx, row: &Row) -> Result<(), DbErr> {
    let sql = "INSERT INTO simulated_payments
        (reference, key, status, minor_units, currency, method, return_url, decline, captured, refunded, ready)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9)";
    let values = [
        row.reference.clone().into(),
        row.key.clone().into(),
        row.status.clone().into(),
        row.minor_units.into(),
        row.currency.clone().into(),
        row.method.clone().into(),
        row.return_url.clone().into(),
        row.decline.clone().into(),
        row.ready.into(),
    ];
    execute(tx, sql, values).await.map(drop)
}

/// Notes that a question was left without answer and effect; true the first time.
pub async fn first_silence(tx: &Tx, key: &str) -> Result<bool, DbErr> {
    let sql = "INSERT INTO simulated_silences (key) VALUES ($1) ON CONFLICT DO NOTHING";
    Ok(execute(tx, sql, [key.into()]).await? == 1)
}

/// Changes the sums where they allow it, by the statement itself.
pub async fn apply(
    tx: &Tx,
    row: Row,
    action: Action,
    units: i64,
    now: Timestamp,
) -> Result<Result<Row, Error>, DbErr> {
    let status = row.status()?;
    let held = matches!(status, Status::Authorized | Status::Captured);
    let sql = match action {
        Action::Void if status == Status::Voided || status == Status::Declined => {
            return Ok(Ok(row));
        }
        Action::Void => {
            "UPDATE simulated_payments SET status = 'voided' WHERE key = $1 AND captured = $2
             AND status IN ('processing', 'action_required', 'authorized')"
        }
        Action::Capture if held => {
            "UPDATE simulated_payments SET status = 'captured', captured = captured + $2
             WHERE key = $1 AND captured + $2 <= minor_units"
        }
        Action::Refund if held => {
            "UPDATE simulated_payments SET refunded = refunded + $2
             WHERE key = $1 AND refunded + $2 <= captured"
        }
        Action::Capture | Action::Refund => return Ok(Err(Error::NotAuthorized)),
    };
    if execute(tx, sql, [row.key.clone().into(), units.into()]).await? != 1 {
        return Ok(Err(match action {
            Action::Void => Error::AlreadyCaptured,
            Action::Capture => Error::ExceedsAuthorized,
            Action::Refund => Error::ExceedsCaptured,
        }));
    }
    let row = by_key(tx, &row.key).await?.unwrap_or(row);
    announce(tx, &row, now).await?;
    Ok(Ok(row))
}

/// What was answered when the same change was asked for before.
pub async fn kept(tx: &Tx, payment: &str, action: Action, ask: &wire::Change) -> Result<Option<Kept>, Fault> {
    let sql = "SELECT payment, action, minor_units, answer FROM simulated_changes WHERE key = $1";
    let rows = query(tx, sql, [ask.key.clone().into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let same = row.try_get::<String>("", "payment")? == payment
        && row.try_get::<String>("", "action")? == action.as_str()
        && row.try_get::<i64>("", "minor_units")? == ask.minor_units;
    if !same {
        return Err(Fault::No(Error::KeyReused));
    }
    let answer: String = row.try_get("", "answer")?;
    let kept = serde_json::from_str(&answer).map_err(|error| DbErr::Json(error.to_string()))?;
    Ok(Some(kept))
}

pub async fn keep(
    tx: &Tx,
    payment: &str,
    action: Action,
    ask: &wire::Change,
    kept: &Kept,
) -> Result<(), DbErr> {
    let answer = serde_json::to_string(kept).map_err(|error| DbErr::Json(error.to_string()))?;
    let sql = "INSERT INTO simulated_changes (key, payment, action, minor_units, answer)
               VALUES ($1, $2, $3, $4, $5)";
    let values = [
        ask.key.clone().into(),
        payment.into(),
        action.as_str().into(),
        ask.minor_units.into(),
        answer.into(),
    ];
    execute(tx, sql, values).await.map(drop)
}

/// Leaves a webhook to be delivered, in the transaction of what it tells.
pub async fn announce(tx: &Tx, row: &Row, now: Timestamp) -> Result<(), DbErr> {
    let id = Uuid::now_v7();
    let notice = wire::Notice {
        id: id.to_string(),
        status: row.status()?,
        reference: row.reference.clone(),
        key: row.key.clone(),
    };
    let body = serde_json::to_string(&notice).map_err(|error| DbErr::Json(error.to_string()))?;
    let sql = "INSERT INTO simulated_webhooks (id, body, attempts, due) VALUES ($1, $2, 0, $3)";
    execute(tx, sql, [id.into(), body.into(), now.into()]).await.map(drop)
}

/// Nobody can guess it, since whoever knows it may act as the buyer at the hosted page.
fn reference() -> String {
    format!("sim_{}", Uuid::new_v4().simple())
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Capture => "capture",
            Action::Void => "void",
            Action::Refund => "refund",
        }
    }
}
