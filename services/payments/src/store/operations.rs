//! Questions to the provider: kept before they are asked, found again by whoever finishes what others left.

use kit::{Timestamp, Tx, execute};
use sea_orm::{ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sha2::{Digest, Sha256};

use super::entity::operation::{self, Column, Entity};
use super::entity::{ASKED, DONE, REFUSED, payment, refusal_text};
use super::{Intent, Store};
use crate::domain::{Operation, OperationId, Payment, PaymentId, Refusal, State};
use crate::error::Error;

/// One payment has an authorisation and at most a few questions after it.
const OPEN_MAX: u64 = 100;

impl Store {
    pub async fn operation(&self, id: OperationId) -> Result<Operation, Error> {
        let row =
            Entity::find_by_id(id.as_uuid()).one(self.database.read()).await?.ok_or_else(|| missing(id))?;
        let payment = self.find(PaymentId::from_uuid(row.payment_id)).await?;
        Ok(row.operation(&payment)?)
    }

    /// The questions of a payment that have no answer, the authorisation left out; with a time, those due by then.
    pub async fn unanswered(
        &self,
        payment: &Payment,
        due_before: Option<Timestamp>,
    ) -> Result<Vec<Operation>, Error> {
        let due = due_before.map(|time| Column::Due.lte(time));
        let rows = Entity::find()
            .filter(Column::PaymentId.eq(payment.id.as_uuid()))
            .filter(Column::Outcome.eq(ASKED))
            .filter(Column::Kind.ne("authorize"))
            .filter(Condition::all().add_option(due))
            .order_by_asc(Column::Id)
            .limit(OPEN_MAX)
            .all(self.database.read())
            .await?;
        let operations = rows.into_iter().map(|row| row.operation(payment));
        Ok(operations.collect::<Result<_, _>>()?)
    }

    /// The questions that somebody should look at now, the longest due first.
    pub async fn due(&self, now: Timestamp, limit: u64) -> Result<Vec<Operation>, Error> {
        let rows = Entity::find()
            .filter(Column::Outcome.eq(ASKED))
            .filter(Column::Due.lte(now))
            .order_by_asc(Column::Due)
            .limit(limit)
            .find_also_related(payment::Entity)
            .all(self.database.read())
            .await?;
        let mut operations = Vec::with_capacity(rows.len());
        for (row, payment) in rows {
            let payment = payment.ok_or_else(|| missing(OperationId::from_uuid(row.id)))?;
            operations.push(row.operation(&payment.payment()?)?);
        }
        Ok(operations)
    }

    /// Takes a question that is due, until the next time that it is. Of several that want it, one gets it.
    pub async fn claim(&self, operation: &Operation, next: Timestamp) -> Result<bool, Error> {
        let tx = self.database.begin().await?;
        let claimed = execute(
            &tx,
            "UPDATE operations SET due = $3, attempts = attempts + 1 WHERE id = $1 AND due = $2 AND outcome = 'asked'",
            [operation.id.as_uuid().into(), operation.due.into(), next.into()],
        );
        let claimed = claimed.await? == 1;
        tx.commit().await?;
        Ok(claimed)
    }

    /// The question by which a payment was to be authorised.
    pub async fn authorization(&self, payment: &Payment) -> Result<Operation, Error> {
        let row = Entity::find()
            .filter(Column::Key.eq(payment.key()))
            .one(self.database.read())
            .await?
            .ok_or_else(|| DbErr::RecordNotFound(format!("authorisation of {}", payment.id)))?;
        Ok(row.operation(payment)?)
    }

    /// The payment that a provider knows by a key; nothing when the key is not one of ours.
    pub async fn payment_of(&self, key: &str) -> Result<Option<PaymentId>, Error> {
        let row = Entity::find().filter(Column::Key.eq(key)).one(self.database.read()).await?;
        Ok(row.map(|row| PaymentId::from_uuid(row.payment_id)))
    }
}

/// The question of an attempt that is known already.
pub async fn of_attempt(tx: &Tx, intent: &Intent) -> Result<Option<operation::Model>, DbErr> {
    let key = format!("{}:{}", intent.checkout, intent.attempt);
    Entity::find().filter(Column::Key.eq(key)).one(&**tx).await
}

pub async fn find(tx: &Tx, id: OperationId, payment: &Payment) -> Result<Operation, Error> {
    let row = Entity::find_by_id(id.as_uuid()).one(&**tx).await?;
    Ok(row.ok_or_else(|| missing(id))?.operation(payment)?)
}

/// Notes how a question ended. An authorisation is still open while the buyer must act.
pub async fn end(
    tx: &Tx,
    id: OperationId,
    payment: &payment::Model,
    refusal: Option<&Refusal>,
) -> Result<(), DbErr> {
    let outcome = match refusal {
        None => DONE,
        Some(_) => REFUSED,
    };
    let refusal = refusal.map(|refusal| refusal_text(*refusal));
    let values = [id.as_uuid().into(), outcome.into(), refusal.into(), answer(payment)?.into()];
    execute(
        tx,
        "UPDATE operations SET outcome = $2, refusal = $3, answer = $4 WHERE id = $1 AND outcome = 'asked'",
        values,
    )
    .await
    .map(drop)
}

/// Lets the authorisation's question follow its payment: the method is forgotten once the provider has taken it,
/// and the first state that lasts is what the question answers from then on.
pub async fn follow(tx: &Tx, before: &payment::Model, after: &payment::Model) -> Result<(), DbErr> {
    let is = |row: &payment::Model, state: State| row.state == state.as_str();
    if before.state == after.state {
        return Ok(());
    }
    if is(before, State::Pending) {
        execute(
            tx,
            "UPDATE operations SET method = NULL WHERE payment_id = $1 AND kind = 'authorize'",
            [after.id.into()],
        )
        .await?;
    }
    let was_open = is(before, State::Pending) || is(before, State::ActionRequired);
    if !was_open || is(after, State::ActionRequired) {
        return Ok(());
    }
    execute(
        tx,
        "UPDATE operations SET outcome = 'done', answer = $2
         WHERE payment_id = $1 AND kind = 'authorize' AND outcome = 'asked'",
        [after.id.into(), answer(after)?.into()],
    )
    .await
    .map(drop)
}

/// Whether an attempt that is known wanted the same.
pub async fn is_same(tx: &Tx, row: &operation::Model, intent: &Intent) -> Result<bool, DbErr> {
    let payment = payment::Entity::find_by_id(row.payment_id)
        .filter(payment::Column::Amount.eq(intent.amount.minor_units()))
        .filter(payment::Column::Currency.eq(intent.amount.currency().as_str()))
        .one(&**tx)
        .await?;
    Ok(payment.is_some() && row.method_digest == Some(digest(&intent.method)))
}

pub fn digest(method: &str) -> Vec<u8> {
    Sha256::digest(method.as_bytes()).to_vec()
}

fn answer(payment: &payment::Model) -> Result<String, DbErr> {
    serde_json::to_string(payment).map_err(|error| DbErr::Json(error.to_string()))
}

fn missing(id: OperationId) -> Error {
    DbErr::RecordNotFound(format!("operation {id}")).into()
}
