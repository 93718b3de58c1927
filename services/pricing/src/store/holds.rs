//! Uses of codes: held for a checkout, committed with its order, given back otherwise.
//!
//! Whoever counts takes the hold's row first and then the discounts' in the order of their codes, so no two of them
//! wait for each other.

use kit::{Id, Once, RequestKey, Timestamp, Tx, execute, query};
use sea_orm::DbErr;
use uuid::Uuid;

use super::{DECISIONS_MAX, Store, discounts};
use crate::domain::{
    Candidate, CheckoutId, Closed, Code, Customer, Discount, DiscountId, Hold, Outcome, Refusal, State,
};
use crate::error::Error;

impl Store {
    /// Holds one use of each code, or of none. `codes` are without repeats and in alphabetical order.
    pub async fn hold(
        &self,
        key: &RequestKey,
        checkout: CheckoutId,
        codes: Vec<Code>,
        customer: &Customer,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        if !insert(&tx, checkout, customer.as_str(), State::Held, expires, now).await? {
            let hold = find(&tx, checkout).await?.ok_or(Error::Conflict)?;
            hold.again(&codes, customer)?;
            return Ok(tx.commit().await?);
        }
        let candidates = discounts::candidates(&**tx, codes, Some(customer)).await?;
        let held = together(&candidates, now)?;
        for (candidate, discount) in candidates.iter().zip(held) {
            take(&tx, candidate, discount, customer, now).await?;
            let sql = "INSERT INTO held_codes (checkout_id, discount_id, code) VALUES ($1, $2, $3)";
            let values =
                [checkout.as_uuid().into(), discount.id.as_uuid().into(), candidate.code.as_str().into()];
            execute(&**tx, sql, values).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Makes the uses of a checkout lasting.
    pub async fn commit(&self, key: &RequestKey, checkout: CheckoutId, now: Timestamp) -> Result<(), Error> {
        for _ in 0..DECISIONS_MAX {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(_) => return Ok(()),
                Once::First(tx) => tx,
            };
            let hold = find(&tx, checkout).await?.ok_or(Refusal::HoldClosed(Closed::Unknown))?;
            let next = hold.state.commit()?;
            if enter(&tx, &hold, next, now).await? {
                return Ok(tx.commit().await?);
            }
        }
        Err(Error::Conflict)
    }

    /// Gives the uses of a checkout back. One that holds none is closed all the same: a hold that was asked for
    /// before and comes late must not take them after all.
    pub async fn release(&self, key: &RequestKey, checkout: CheckoutId, now: Timestamp) -> Result<(), Error> {
        for _ in 0..DECISIONS_MAX {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(_) => return Ok(()),
                Once::First(tx) => tx,
            };
            let done = match find(&tx, checkout).await? {
                Some(hold) => enter(&tx, &hold, hold.state.release(), now).await?,
                None => insert(&tx, checkout, "", State::Released, now, now).await?,
            };
            if done {
                return Ok(tx.commit().await?);
            }
        }
        Err(Error::Conflict)
    }

    /// Some of the checkouts whose holds have run out, the oldest first.
    pub async fn overdue(&self, now: Timestamp, limit: u32) -> Result<Vec<CheckoutId>, DbErr> {
        let sql =
            "SELECT checkout_id FROM holds WHERE state = 'held' AND expires <= $1 ORDER BY expires LIMIT $2";
        let rows = query(self.database.read(), sql, [now.into(), i64::from(limit).into()]).await?;
        rows.iter().map(|row| Ok(Id::from_uuid(row.try_get("", "checkout_id")?))).collect()
    }

    /// Gives back what a checkout still holds; nothing happens to one that was committed or released meanwhile.
    pub async fn expire(&self, checkout: CheckoutId, now: Timestamp) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        if let Some(hold) = find(&tx, checkout).await? {
            enter(&tx, &hold, hold.state.expire(), now).await?;
        }
        tx.commit().await
    }

    /// Forgets holds that were closed before a time.
    pub async fn forget_closed(&self, before: Timestamp) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        let sql = "DELETE FROM holds WHERE state IN ('released', 'expired') AND changed < $1";
        execute(&*tx, sql, [before.into()]).await?;
        tx.commit().await
    }
}

/// The discounts of all candidates, if all are in force and may be used together. Limits are not looked at here:
/// only the update that counts can tell.
fn together(candidates: &[Candidate], now: Timestamp) -> Result<Vec<&Discount>, Refusal> {
    let mut held: Vec<&Discount> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        let refused = |outcome| Refusal::CodeNotUsable { code: candidate.code.clone(), outcome };
        let discount = candidate.in_force(now).map_err(refused)?;
        if !held.iter().all(|other| discount.terms.combines_with(&other.terms)) {
            return Err(refused(Outcome::NotCombinable));
        }
        held.push(discount);
    }
    Ok(held)
}

/// Counts one use, if what holds at this moment allows it.
async fn take(
    tx: &Tx,
    candidate: &Candidate,
    discount: &Discount,
    customer: &Customer,
    now: Timestamp,
) -> Result<(), Error> {
    let refused = |outcome| Refusal::CodeNotUsable { code: candidate.code.clone(), outcome };
    let counted = execute(
        &**tx,
        "UPDATE discounts SET use_count = use_count + 1
         WHERE id = $1 AND NOT disabled AND (limit_total IS NULL OR use_count < limit_total)
            AND (starts IS NULL OR starts <= $2) AND (ends IS NULL OR ends > $2)",
        [discount.id.as_uuid().into(), now.into()],
    );
    if counted.await? == 0 {
        return Err(refused(why_not(tx, candidate, customer, now).await?).into());
    }
    let pair = || [discount.id.as_uuid().into(), customer.as_str().into()];
    execute(
        &**tx,
        "INSERT INTO customer_uses (discount_id, customer, use_count) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING",
        pair(),
    )
    .await?;
    let counted = execute(
        &**tx,
        "UPDATE customer_uses SET use_count = use_count + 1
         WHERE discount_id = $1 AND customer = $2 AND use_count < COALESCE(
            (SELECT limit_per_customer FROM discounts WHERE id = $1), use_count + 1)",
        pair(),
    );
    match counted.await? {
        0 => Err(refused(Outcome::UsedByCustomer).into()),
        _ => Ok(()),
    }
}

/// Why a use was not counted, as the discount stands now.
async fn why_not(
    tx: &Tx,
    candidate: &Candidate,
    customer: &Customer,
    now: Timestamp,
) -> Result<Outcome, DbErr> {
    let again = discounts::candidates(&**tx, vec![candidate.code.clone()], Some(customer)).await?;
    let Some(now_there) = again.first() else { return Ok(Outcome::Unknown) };
    let outcome = now_there.in_force(now).and_then(|_| now_there.has_uses_left());
    // Given back in this very moment: whoever asks again will get it.
    Ok(outcome.err().unwrap_or(Outcome::UsedUp))
}

/// Writes a hold; false when the checkout has one.
async fn insert(
    tx: &Tx,
    checkout: CheckoutId,
    customer: &str,
    state: State,
    expires: Timestamp,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let sql = "INSERT INTO holds (checkout_id, customer, state, expires, changed) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (checkout_id) DO NOTHING";
    let values =
        [checkout.as_uuid().into(), customer.into(), state.as_str().into(), expires.into(), now.into()];
    Ok(execute(&**tx, sql, values).await? == 1)
}

/// A hold with its discounts' ids.
struct HoldRow {
    hold: Hold,
    discounts: Vec<DiscountId>,
}

impl std::ops::Deref for HoldRow {
    type Target = Hold;

    fn deref(&self) -> &Hold {
        &self.hold
    }
}

async fn find(tx: &Tx, checkout: CheckoutId) -> Result<Option<HoldRow>, DbErr> {
    let sql = "SELECT customer, state FROM holds WHERE checkout_id = $1";
    let rows = query(&**tx, sql, [checkout.as_uuid().into()]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let malformed = || DbErr::Type(format!("the hold of checkout {checkout} is malformed"));
    let state: String = row.try_get("", "state")?;
    let state = State::named(&state).ok_or_else(malformed)?;
    let customer: String = row.try_get("", "customer")?;
    let sql = "SELECT discount_id, code FROM held_codes WHERE checkout_id = $1";
    let mut held = Vec::new();
    for row in query(&**tx, sql, [checkout.as_uuid().into()]).await? {
        let code: String = row.try_get("", "code")?;
        let id: Uuid = row.try_get("", "discount_id")?;
        held.push((Code::asked(&code).ok_or_else(malformed)?, Id::from_uuid(id)));
    }
    held.sort();
    let (codes, discounts) = held.into_iter().unzip();
    let customer = Customer::read(&customer);
    Ok(Some(HoldRow { hold: Hold { checkout, codes, customer, state }, discounts }))
}

/// Brings a hold into another state, with what that means for the counts; false when it left its state meanwhile.
async fn enter(tx: &Tx, row: &HoldRow, next: State, now: Timestamp) -> Result<bool, DbErr> {
    if next == row.state {
        return Ok(true);
    }
    let entered = execute(
        &**tx,
        "UPDATE holds SET state = $3, changed = $4 WHERE checkout_id = $1 AND state = $2",
        [row.checkout.as_uuid().into(), row.state.as_str().into(), next.as_str().into(), now.into()],
    );
    if entered.await? == 0 {
        return Ok(false);
    }
    if row.state.counts() && !next.counts() {
        for discount in &row.discounts {
            give_back(tx, *discount, row.customer.as_ref()).await?;
        }
    }
    Ok(true)
}

async fn give_back(tx: &Tx, discount: DiscountId, customer: Option<&Customer>) -> Result<(), DbErr> {
    let sql = "UPDATE discounts SET use_count = use_count - 1 WHERE id = $1";
    execute(&**tx, sql, [discount.as_uuid().into()]).await?;
    if let Some(customer) = customer {
        let sql =
            "UPDATE customer_uses SET use_count = use_count - 1 WHERE discount_id = $1 AND customer = $2";
        execute(&**tx, sql, [discount.as_uuid().into(), customer.as_str().into()]).await?;
    }
    Ok(())
}
