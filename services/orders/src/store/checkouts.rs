//! Checkouts: each change and what it means for others commit together.

use kit::outbox::Event as News;
use kit::{Once, RequestKey, Timestamp, Tx, erased, execute, is_taken, query};
use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::leases::{self, LEASE, Lease, Leased};
use super::{DECISIONS_MAX, Right, Store, entity, orders};
use crate::domain::checkout::Note;
use crate::domain::order::Stock;
use crate::domain::saga::{Event, Stage};
use crate::domain::{Checkout, CheckoutEvent, CheckoutId, Number, Order, OrderEvent};
use crate::error::Error;
use crate::events;

/// How a step of the saga ended.
pub enum Step {
    Taken(Box<Checkout>),
    /// Somebody else has the lease now.
    Lost,
}

impl Store {
    pub async fn checkout(&self, id: CheckoutId, right: &Right) -> Result<Checkout, Error> {
        find(self.database.read(), id, right).await?.ok_or(Error::CheckoutNotFound)
    }

    /// The checkout's version alone; nothing when it is gone.
    pub async fn checkout_version(&self, id: CheckoutId, right: &Right) -> Result<Option<i64>, Error> {
        Ok(orders::version(self.database.read(), "checkouts", id.as_uuid(), right).await?)
    }

    /// The checkout that buys this version of this cart.
    pub async fn checkout_of_cart(&self, cart: &str, version: i64) -> Result<Option<Checkout>, Error> {
        let sql = "SELECT * FROM checkouts WHERE cart = $1 AND cart_version = $2 AND state <> 'Failed'";
        let rows = query(self.database.read(), sql, [cart.into(), version.into()]).await?;
        Ok(rows.first().map(entity::checkout).transpose()?)
    }

    /// Inserts a new checkout. Those of the cart's other versions that wait for their buyer are closed.
    pub async fn start(
        &self,
        key: &RequestKey,
        mut checkout: Checkout,
        now: Timestamp,
    ) -> Result<Checkout, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows()?),
            Once::First(tx) => tx,
        };
        refuse_erased(&tx, &checkout).await?;
        // Two tabs with two versions of a cart take turns: neither would see what the other one begins.
        tx.take_turn(&checkout.cart, "pg_advisory_xact_lock").await?;
        let sql = "SELECT * FROM checkouts WHERE cart = $1 AND state <> 'Failed' \
                   AND (state = 'Ready' OR cart_version = $2)";
        let earlier = query(&*tx, sql, [checkout.cart.clone().into(), checkout.cart_version.into()]).await?;
        for row in &earlier {
            let mut earlier = entity::checkout(row)?;
            if earlier.cart_version == checkout.cart_version {
                // Somebody was quicker by a moment: the same cart is the same checkout.
                tx.keep(&earlier).await?;
                tx.commit().await?;
                return Ok(earlier);
            }
            let (changes, _) = earlier.on(Event::Cancel, now);
            let news = events::of_checkout(&mut earlier, changes, now);
            if !save(&tx, &mut earlier, None, now).await? {
                return Err(Error::Conflict);
            }
            self.announce(&tx, news).await?;
        }
        let news = events::of_checkout(&mut checkout, vec![CheckoutEvent::Started], now);
        insert(&tx, &checkout, now).await.map_err(lost_the_race)?;
        self.announce(&tx, news).await?;
        tx.keep(&checkout).await?;
        tx.commit().await?;
        Ok(checkout)
    }

    /// Answers with a checkout as it is, and keeps that for the request: its id means this and nothing else from now on.
    pub async fn resume(&self, key: &RequestKey, id: CheckoutId) -> Result<Checkout, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows()?),
            Once::First(tx) => tx,
        };
        let checkout = find(&**tx, id, &Right::Any).await?.ok_or(Error::CheckoutNotFound)?;
        refuse_erased(&tx, &checkout).await?;
        tx.keep(&checkout).await?;
        tx.commit().await?;
        Ok(checkout)
    }

    /// Loads the checkout as the caller may see it, lets `decide` change it, and saves it. What `answer` says of it
    /// then is kept with the request, and answered again when the request comes again: without the checkout.
    pub async fn change<T: Serialize + DeserializeOwned + Send + Sync>(
        &self,
        key: &RequestKey,
        id: CheckoutId,
        right: &Right,
        lease: Option<Lease>,
        decide: impl Fn(&mut Checkout) -> Result<Vec<CheckoutEvent>, Error>,
        answer: impl Fn(&Checkout) -> T,
    ) -> Result<(T, bool), Error> {
        for _ in 0..DECISIONS_MAX {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(answer) => return Ok((answer.rows()?, false)),
                Once::First(tx) => tx,
            };
            let now = self.clock.now();
            let mut checkout = find(&**tx, id, right).await?.ok_or(Error::CheckoutNotFound)?;
            let changes = decide(&mut checkout)?;
            let news = events::of_checkout(&mut checkout, changes, now);
            if !save(&tx, &mut checkout, None, now).await? {
                continue;
            }
            if let Some(lease) = lease {
                leases::take(&tx, Leased::Checkout(id.as_uuid()), lease, now).await?;
            }
            self.announce(&tx, news).await?;
            let answer = answer(&checkout);
            tx.keep(&answer).await?;
            tx.commit().await?;
            return Ok((answer, true));
        }
        Err(Error::Conflict)
    }

    /// Keeps a new quote with a checkout that still waits for its buyer.
    pub async fn requote(&self, id: CheckoutId, quote: crate::domain::Quote) -> Result<(), Error> {
        let now = self.clock.now();
        let tx = self.database.begin().await?;
        let mut checkout = find(&*tx, id, &Right::Any).await?.ok_or(Error::CheckoutNotFound)?;
        checkout.ready()?;
        checkout.quote = quote;
        // Lost against another change: whoever made it has asked for a quote, too.
        if save(&tx, &mut checkout, None, now).await? {
            tx.commit().await?;
        }
        Ok(())
    }

    /// Removes checkouts that failed and were begun before a time: with them goes what their buyers told.
    pub async fn forget_failed(&self, older_than: Timestamp) -> Result<u64, DbErr> {
        let seconds = u64::try_from(older_than.timestamp()).unwrap_or_default();
        // Ids begin with the time at which they were made.
        let first = uuid::Builder::from_unix_timestamp_millis(seconds.saturating_mul(1_000), &[0; 10]);
        let sql = "DELETE FROM checkouts WHERE state = 'Failed' AND id < $1";
        let tx = self.database.begin().await?;
        let forgotten = execute(&*tx, sql, [first.into_uuid().into()]).await?;
        tx.commit().await?;
        Ok(forgotten)
    }

    /// Takes one step of the saga, if this run still has the lease and the checkout still stands where the step
    /// began. The order, when the step concerns it, and all events are written in the same transaction.
    pub async fn step(
        &self,
        id: CheckoutId,
        lease: Lease,
        from: &Stage,
        event: &Event,
    ) -> Result<Step, Error> {
        for _ in 0..DECISIONS_MAX {
            let tx = self.database.begin().await?;
            let now = self.clock.now();
            let sql = "SELECT * FROM checkouts WHERE id = $1 AND lease_owner = $2";
            let rows = query(&*tx, sql, [id.as_uuid().into(), lease.owner.into()]).await?;
            let Some(row) = rows.first() else {
                return Ok(Step::Lost);
            };
            let mut checkout = entity::checkout(row)?;
            if checkout.saga.stage != *from {
                return Ok(Step::Taken(Box::new(checkout)));
            }
            let (changes, notes) = checkout.on(event.clone(), now);
            let Some(mut news) = self.take_notes(&tx, &mut checkout, notes, now).await? else {
                continue;
            };
            news.extend(events::of_checkout(&mut checkout, changes, now));
            if !save(&tx, &mut checkout, Some(lease), now).await? {
                continue;
            }
            self.announce(&tx, news).await?;
            tx.commit().await?;
            return Ok(Step::Taken(Box::new(checkout)));
        }
        Err(Error::Conflict)
    }

    /// Writes down what a step means for the order; nothing when somebody else was quicker to change it.
    async fn take_notes(
        &self,
        tx: &Tx,
        checkout: &mut Checkout,
        notes: Vec<Note>,
        now: Timestamp,
    ) -> Result<Option<Vec<News>>, Error> {
        if notes.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if notes.contains(&Note::Place) {
            let (_, bits) = Uuid::new_v4().as_u64_pair();
            let (mut order, changes) = Order::place(checkout, Number::from_random(bits), now);
            checkout.order = Some((order.id, order.number.to_string()));
            let news = events::of_order(&mut order, changes, &self.mailing, now);
            orders::insert(tx, &order, now).await?;
            return Ok(Some(news));
        }
        let id = checkout.order.as_ref().map(|(id, _)| *id).ok_or(Error::OrderNotFound)?;
        let before = orders::find(&**tx, id, &Right::Any).await?.ok_or(Error::OrderNotFound)?;
        let mut order = before.clone();
        let mut changes = Vec::new();
        for note in notes {
            changes.extend(noted(&mut order, checkout, note, now)?);
        }
        if order.cancelled.is_some() {
            // Nobody takes money for an order that is cancelled; its own chores undo what was done.
            checkout.on(Event::OrderCancelled, now);
        }
        let news = events::of_order(&mut order, changes, &self.mailing, now);
        Ok(orders::save(tx, &before, &mut order, None, now).await?.then_some(news))
    }
}

/// Tokens of an account that is erased are good for some minutes more.
async fn refuse_erased(tx: &Tx, checkout: &Checkout) -> Result<(), Error> {
    match checkout.holder.account {
        Some(account) if erased::is_noted(tx, account).await? => Err(Error::SignInRequired),
        _ => Ok(()),
    }
}

fn noted(
    order: &mut Order,
    checkout: &Checkout,
    note: Note,
    now: Timestamp,
) -> Result<Vec<OrderEvent>, Error> {
    match note {
        Note::Place => {}
        Note::Confirmed { round } => {
            order.stock = Some(Stock { reservation: checkout.hold_id(round), confirmed: true });
        }
        Note::Paid => return Ok(order.pay(now)),
        Note::Lost(reason) => return Ok(order.cancel(reason.to_owned(), now)?),
        Note::Settled => order.settled = true,
    }
    Ok(Vec::new())
}

/// Somebody else began to buy the same cart at the same moment.
fn lost_the_race(error: DbErr) -> Error {
    if is_taken(&error) { Error::Conflict } else { Error::Storage(error) }
}

pub(super) async fn find(
    on: &impl ConnectionTrait,
    id: CheckoutId,
    right: &Right,
) -> Result<Option<Checkout>, DbErr> {
    let (may_see, values) = right.condition(2);
    let sql = format!("SELECT * FROM checkouts WHERE id = $1 AND {may_see}");
    let values = std::iter::once(id.as_uuid().into()).chain(values);
    query(on, &sql, values).await?.first().map(entity::checkout).transpose()
}

async fn insert(tx: &Tx, checkout: &Checkout, now: Timestamp) -> Result<(), DbErr> {
    let parts = entity::checkout_parts(checkout)?;
    let sql = "INSERT INTO checkouts \
               (id, account, token_hash, cart, cart_version, state, body, quote, version, due) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let values = [
        checkout.id.as_uuid().into(),
        checkout.holder.account.map(|account| account.as_uuid()).into(),
        checkout.holder.token_hash.clone().into(),
        checkout.cart.clone().into(),
        checkout.cart_version.into(),
        entity::checkout_state(checkout.state()).into(),
        parts.body.into(),
        parts.apart.into(),
        checkout.version.into(),
        checkout.due(now).into(),
    ];
    execute(&**tx, sql, values).await.map(drop)
}

/// Saves what was loaded with this version; false when somebody else was quicker.
pub(super) async fn save(
    tx: &Tx,
    checkout: &mut Checkout,
    lease: Option<Lease>,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let was = checkout.version;
    checkout.version = was.saturating_add(1);
    let parts = entity::checkout_parts(checkout)?;
    let mut sql = "UPDATE checkouts SET state = $3, body = $4, quote = $5, due = $6, version = $7".to_owned();
    let mut values = vec![
        checkout.id.as_uuid().into(),
        was.into(),
        entity::checkout_state(checkout.state()).into(),
        parts.body.into(),
        parts.apart.into(),
        checkout.due(now).into(),
        checkout.version.into(),
    ];
    match lease {
        // At rest nobody works on it any more.
        Some(lease) if checkout.saga.wants().is_none() => {
            sql.push_str(", lease_owner = NULL, lease_until = NULL");
            sql.push_str(" WHERE id = $1 AND version = $2 AND lease_owner = $8");
            values.push(lease.owner.into());
        }
        Some(lease) => {
            sql.push_str(", lease_until = $8 WHERE id = $1 AND version = $2 AND lease_owner = $9");
            values.extend([(now + LEASE).into(), lease.owner.into()]);
        }
        None => sql.push_str(" WHERE id = $1 AND version = $2"),
    }
    Ok(execute(&**tx, &sql, values).await? == 1)
}
