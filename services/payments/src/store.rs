//! The only file that knows the tables. A payment changes together with its list of events, its news and the
//! operation that caused it, in one transaction that never lasts across a call to the provider.

pub mod entity;
mod list;
pub mod migration;
mod operations;
pub mod verify;

use kit::{
    Database, Id, Money, Once, RequestError, RequestKey, Timestamp, Tx, execute, inbox, is_taken, outbox,
};
use sea_orm::{DbErr, EntityTrait, IntoActiveModel, QuerySelect};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::entity::{event, operation, payment};
use crate::domain::{Ask, CheckoutId, Event, Operation, Outcome, Payment, PaymentId, Refusal, Report};
use crate::error::Error;
use crate::events;

pub use list::{Filter, Listing};

/// Two first requests for the same attempt may meet; the second one finds what the first one wrote.
const INTENTS_MAX: usize = 3;

/// What a checkout wants authorised.
#[derive(Clone, Debug)]
pub struct Intent {
    pub checkout: CheckoutId,
    pub attempt: i32,
    pub amount: Money,
    pub provider: &'static str,
    pub method: String,
    pub return_url: String,
}

/// What a request led to.
#[derive(Debug)]
pub enum Begun {
    /// A question to the provider, asked already or not.
    Asked(Box<Operation>),
    /// There is nothing to ask for.
    Nothing(Box<Payment>),
}

/// What is kept of a request.
#[derive(Serialize, Deserialize)]
enum Kept {
    Operation(Uuid),
    Payment(Box<payment::Model>),
}

#[derive(Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Keeps an intent before the provider hears of it. The same attempt again is the same payment; with another
    /// amount or method it is refused.
    pub async fn intend(
        &self,
        key: &RequestKey,
        intent: &Intent,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<Operation, Error> {
        for _ in 0..INTENTS_MAX {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(answer) => return self.asked(answer.rows()?).await,
                Once::First(tx) => tx,
            };
            let id = match operations::of_attempt(&tx, intent).await? {
                Some(row) if !operations::is_same(&tx, &row, intent).await? => {
                    return Err(RequestError::Reused.into());
                }
                Some(row) => row.id,
                None => match insert(&tx, intent, now, due).await {
                    Ok(id) => id,
                    Err(error) if is_taken(&error) => continue,
                    Err(error) => return Err(error.into()),
                },
            };
            tx.keep(&Kept::Operation(id)).await?;
            tx.commit().await?;
            return self.operation(Id::from_uuid(id)).await;
        }
        Err(RequestError::InProgress.into())
    }

    /// Sets aside what `decide` asks for and keeps the question, so that it is asked at least once and done at most once.
    pub async fn begin(
        &self,
        key: &RequestKey,
        id: PaymentId,
        now: Timestamp,
        due: Timestamp,
        decide: impl FnOnce(&mut Payment) -> Result<Option<(Ask, Event)>, Refusal>,
    ) -> Result<Begun, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return self.begun(answer.rows()?).await,
            Once::First(tx) => tx,
        };
        let row = locked(&tx, id).await?;
        let mut payment = row.payment()?;
        let Some((ask, event)) = decide(&mut payment)? else {
            tx.keep(&Kept::Payment(Box::new(row))).await?;
            tx.commit().await?;
            return Ok(Begun::Nothing(Box::new(payment)));
        };
        let row = save(&tx, &row, payment, vec![event], now).await?;
        let operation = Operation::new(&row.payment()?, ask, due);
        operation::Entity::insert(operation::Model::of(&operation, None).into_active_model())
            .exec_without_returning(&**tx)
            .await?;
        tx.keep(&Kept::Operation(operation.id.as_uuid())).await?;
        tx.commit().await?;
        Ok(Begun::Asked(Box::new(operation)))
    }

    /// Ends a question with the provider's answer, once: whoever comes second finds how it ended.
    pub async fn settle(
        &self,
        asked: &Operation,
        answer: &Result<Report, Refusal>,
        now: Timestamp,
    ) -> Result<Operation, Error> {
        let tx = self.database.begin().await?;
        let row = locked(&tx, asked.payment).await?;
        let mut payment = row.payment()?;
        let operation = operations::find(&tx, asked.id, &payment).await?;
        if operation.outcome.is_some() {
            return Ok(operation);
        }
        let events = end(&mut payment, &operation.ask, answer);
        let row = save(&tx, &row, payment, events, now).await?;
        operations::end(&tx, asked.id, &row, answer.as_ref().err()).await?;
        tx.commit().await?;
        let outcome = match answer {
            Ok(_) => Outcome::Done(Box::new(row.payment()?)),
            Err(refusal) => Outcome::Refused(*refusal),
        };
        Ok(Operation { outcome: Some(outcome), ..operation })
    }

    /// Takes over what the provider says about a payment.
    pub async fn learn(&self, id: PaymentId, report: &Report, now: Timestamp) -> Result<Payment, Error> {
        let tx = self.database.begin().await?;
        let payment = learn(&tx, id, report, now).await?;
        tx.commit().await?;
        Ok(payment)
    }

    /// Notes that a request came, for one whose answer is looked up anew each time.
    pub async fn note(&self, key: &RequestKey) -> Result<(), Error> {
        match self.database.begin_once(key).await? {
            Once::Kept(_) => Ok(()),
            Once::First(tx) => Ok(tx.commit().await?),
        }
    }

    /// Whether a webhook was taken in before.
    pub async fn has_heard(&self, key: &RequestKey) -> Result<bool, Error> {
        match self.database.begin_once(key).await? {
            Once::Kept(_) => Ok(true),
            Once::First(tx) => {
                drop(tx);
                Ok(false)
            }
        }
    }

    /// Takes a webhook in together with what the provider said when asked about it.
    pub async fn hear(
        &self,
        key: &RequestKey,
        reader: &str,
        event: Uuid,
        said: Option<(PaymentId, &Report)>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        if inbox::first_time(&tx, reader, Id::from_uuid(event)).await?
            && let Some((id, report)) = said
        {
            learn(&tx, id, report, now).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn begun(&self, kept: Kept) -> Result<Begun, Error> {
        match kept {
            Kept::Operation(id) => {
                let operation = self.operation(Id::from_uuid(id)).await?;
                Ok(Begun::Asked(Box::new(operation)))
            }
            Kept::Payment(row) => Ok(Begun::Nothing(Box::new(row.payment()?))),
        }
    }

    async fn asked(&self, kept: Kept) -> Result<Operation, Error> {
        match kept {
            Kept::Operation(id) => self.operation(Id::from_uuid(id)).await,
            Kept::Payment(_) => Err(DbErr::Type("a kept intent is malformed".to_owned()).into()),
        }
    }
}

/// What the answer to a question does to the payment.
fn end(payment: &mut Payment, ask: &Ask, answer: &Result<Report, Refusal>) -> Vec<Event> {
    if let (None, Ok(report)) = (&payment.reference, answer) {
        payment.reference = Some(report.reference.clone());
    }
    match ask {
        // An authorisation ends by what is learnt, whoever brings it.
        Ask::Authorize { .. } => Vec::new(),
        Ask::Capture(amount) => vec![payment.end_capture(amount.minor_units(), answer.is_ok())],
        Ask::Refund { amount, .. } => {
            vec![payment.end_refund(amount.minor_units(), answer.is_ok())]
        }
        Ask::Void => payment.end_void(answer.as_ref().ok()),
    }
}

async fn learn(tx: &Tx, id: PaymentId, report: &Report, now: Timestamp) -> Result<Payment, Error> {
    let row = locked(tx, id).await?;
    let mut payment = row.payment()?;
    match payment.learn(report) {
        Ok(events) => Ok(save(tx, &row, payment, events, now).await?.payment()?),
        Err(mismatch) => {
            // Somebody must look at it; meanwhile nothing that the provider says of it is believed.
            tracing::error!(
                { observability::names::PAYMENT_ID } = %id,
                "payment {id} is not taken over: {mismatch}"
            );
            Ok(row.payment()?)
        }
    }
}

async fn insert(tx: &Tx, intent: &Intent, now: Timestamp, due: Timestamp) -> Result<Uuid, DbErr> {
    let Intent { checkout, attempt, amount, provider, .. } = intent.clone();
    let (payment, event) = Payment::intend(checkout, attempt, amount, provider, now);
    payment::Entity::insert(payment::Model::of(&payment, 1, 0).into_active_model())
        .exec_without_returning(&**tx)
        .await?;
    write_down(tx, &payment, 0, 0, &[event]).await?;
    let ask = Ask::Authorize { method: Some(intent.method.clone()), return_url: intent.return_url.clone() };
    let operation = Operation::new(&payment, ask, due);
    let asked = operation::Model::of(&operation, Some(operations::digest(&intent.method)));
    operation::Entity::insert(asked.into_active_model()).exec_without_returning(&**tx).await?;
    Ok(operation.id.as_uuid())
}

/// The row, held until the transaction ends, so that decisions on it come one after the other.
async fn locked(tx: &Tx, id: PaymentId) -> Result<payment::Model, Error> {
    payment::Entity::find_by_id(id.as_uuid()).lock_exclusive().one(&**tx).await?.ok_or(Error::NotFound(id))
}

/// Saves a decision with what happened; nothing is written where nothing changed.
async fn save(
    tx: &Tx,
    row: &payment::Model,
    payment: Payment,
    events: Vec<Event>,
    now: Timestamp,
) -> Result<payment::Model, DbErr> {
    if payment == row.payment()? {
        return Ok(row.clone());
    }
    let payment = Payment { version: row.version.saturating_add(1), updated: now, ..payment };
    let told = write_down(tx, &payment, row.entries, row.event_version, &events).await?;
    let entries = row.entries.saturating_add(events.len() as i64);
    let saved = payment::Model::of(&payment, entries, told);
    // The version and the sums are conditions of the statement itself; the table's checks stand behind them.
    let changed = execute(
        tx,
        "UPDATE payments SET state = $3, authorized = $4, captured = $5, refunded = $6, capturing = $7,
            refunding = $8, voiding = $9, reference = $10, action_url = $11, decline = $12, version = $13,
            entries = $14, event_version = $15, updated = $16
         WHERE id = $1 AND version = $2 AND $4 <= amount AND captured <= $5 AND refunded <= $6",
        [
            saved.id.into(),
            row.version.into(),
            saved.state.clone().into(),
            saved.authorized.into(),
            saved.captured.into(),
            saved.refunded.into(),
            saved.capturing.into(),
            saved.refunding.into(),
            saved.voiding.into(),
            saved.reference.clone().into(),
            saved.action_url.clone().into(),
            saved.decline.clone().into(),
            saved.version.into(),
            saved.entries.into(),
            saved.event_version.into(),
            saved.updated.into(),
        ],
    );
    if changed.await? != 1 {
        return Err(DbErr::RecordNotUpdated);
    }
    operations::follow(tx, row, &saved).await?;
    Ok(saved)
}

/// Adds to the payment's list and tells others what concerns them; answers the number of the last news.
async fn write_down(
    tx: &Tx,
    payment: &Payment,
    entries: i64,
    told: i64,
    events: &[Event],
) -> Result<i64, DbErr> {
    let mut told = told;
    for (position, event) in (entries.saturating_add(1)..).zip(events) {
        let row = event::Model {
            id: Uuid::now_v7(),
            payment_id: payment.id.as_uuid(),
            position,
            kind: entity::kind_text(event.kind),
            minor_units: event.minor_units,
            reference: payment.reference.clone(),
            occurred: payment.updated,
        };
        event::Entity::insert(row.into_active_model()).exec_without_returning(&**tx).await?;
        if let Some(news) = events::news(payment, *event, told.saturating_add(1)) {
            told = told.saturating_add(1);
            outbox::append(tx, &news).await?;
        }
    }
    Ok(told)
}
