//! Carts in tables. The right to a cart is part of each query, so it cannot be forgotten.

mod erasure;
mod reading;
mod writing;

use kit::{Database, KeptAnswer, Once, OnceTx, RequestKey, Timestamp, Tx, erased, outbox};
use sea_orm::DbErr;

use super::kept::Kept;
use super::{Change, Fresh, Right};
use crate::domain::{Answer, Cart, Event, Report};
use crate::error::Error;
use crate::events;

#[derive(Clone)]
pub struct Sql {
    database: Database,
}

impl Sql {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    /// What was answered when the request came before, if it did.
    pub async fn kept(&self, key: &RequestKey) -> Result<Option<Answer>, Error> {
        self.database.kept(key).await?.map(repeated).transpose()
    }

    /// The cart as it stands: one statement, so that version and lines are of one moment.
    pub async fn find(&self, right: &Right) -> Result<Option<Cart>, Error> {
        Ok(reading::find(self.database.read(), right).await?)
    }

    /// The cart's version alone.
    pub async fn version(&self, right: &Right) -> Result<Option<i64>, Error> {
        Ok(reading::version(self.database.read(), right).await?)
    }

    /// Loads a cart, lets `decide` change it, and saves what differs with its event and the answer. What changes
    /// nothing is answered all the same, but is no new version and no news.
    pub async fn update(
        &self,
        change: &Change<'_>,
        decide: impl Fn(&mut Cart) -> Result<Report, Error>,
    ) -> Result<Answer, Error> {
        let tx = match self.database.begin_once(change.key).await? {
            Once::Kept(answer) => return repeated(answer),
            Once::First(tx) => tx,
        };
        let before = reading::lock(&tx, change.right).await?.ok_or(Error::NotFound)?;
        if change.etag.is_some_and(|etag| etag != before.version) {
            return Err(Error::Conflict);
        }
        let mut cart = before.clone();
        let report = decide(&mut cart)?;
        if cart != before {
            cart.touch(change.now);
            writing::save(&tx, &before, &cart).await?;
            announce(&tx, &cart, (change.tell)(&before, &cart)).await?;
        }
        answer(tx, cart, report).await
    }

    /// Makes the cart, or takes the one that the account has, and lets `decide` fill it.
    pub async fn open(
        &self,
        key: &RequestKey,
        fresh: Fresh,
        now: Timestamp,
        decide: impl Fn(&mut Cart) -> Result<Report, Error>,
    ) -> Result<Answer, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return repeated(answer),
            Once::First(tx) => tx,
        };
        let (before, created) = opened(&tx, fresh).await?;
        let mut cart = before.clone();
        let report = decide(&mut cart)?;
        let changed = cart != before;
        if changed && !created {
            cart.touch(now);
        }
        if changed {
            writing::save(&tx, &before, &cart).await?;
        }
        match (created, changed) {
            (true, _) => announce(&tx, &cart, Event::Created).await?,
            (false, true) => announce(&tx, &cart, Event::changed(&before, &cart)).await?,
            (false, false) => {}
        }
        answer(tx, cart, report).await
    }

    /// Lets `decide` take a guest's cart over into the account's, which is made if there is none. The guest's is gone
    /// with the same commit; the kept answer is what remains of it.
    pub async fn merge(
        &self,
        key: &RequestKey,
        guest: &Right,
        fresh: Fresh,
        now: Timestamp,
        decide: impl Fn(&mut Cart, &Cart) -> Result<Report, Error>,
    ) -> Result<Answer, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return repeated(answer),
            Once::First(tx) => tx,
        };
        let (before, created) = opened(&tx, fresh).await?;
        let guest = reading::lock(&tx, guest).await?.ok_or(Error::NotFound)?;
        if created {
            announce(&tx, &before, Event::Created).await?;
        }
        let mut cart = before.clone();
        let report = decide(&mut cart, &guest)?;
        // Also when nothing could be taken over: that a cart is gone is news.
        cart.touch(now);
        writing::bury(&tx, &guest, &cart).await?;
        writing::save(&tx, &before, &cart).await?;
        announce(&tx, &cart, Event::Merged { guest: guest.id }).await?;
        answer(tx, cart, report).await
    }

    /// Removes carts not touched since a time, at most so many; says how many. Several processes may do so at once.
    pub async fn remove_untouched(&self, since: Timestamp, limit: i64) -> Result<u64, Error> {
        let tx = self.database.begin().await?;
        let removed = writing::remove_untouched(&tx, since, limit).await?;
        tx.commit().await?;
        Ok(removed)
    }
}

/// The account's cart, or the fresh one; and whether it is the fresh one.
async fn opened(tx: &Tx, fresh: Fresh) -> Result<(Cart, bool), Error> {
    let right = fresh.cart.account.map(|account| Right::Account { account, cart: None });
    if let Some(right) = &right
        && let Some(present) = reading::lock(tx, right).await?
    {
        return Ok((present, false));
    }
    // Tokens of an account that is erased are good for some minutes more; it gets no new cart by them.
    if let Some(account) = fresh.cart.account
        && erased::is_noted(tx, account).await?
    {
        return Err(Error::NotFound);
    }
    if writing::insert(tx, &fresh).await? {
        return Ok((fresh.cart, true));
    }
    // Another request of the account opened one between the two statements; it is there now.
    let present = match &right {
        Some(right) => reading::lock(tx, right).await?,
        None => None,
    };
    Ok((present.ok_or(Error::Outrun)?, false))
}

async fn announce(tx: &Tx, cart: &Cart, event: Event) -> Result<(), DbErr> {
    outbox::append(tx, &events::news(cart, event)).await
}

async fn answer(tx: OnceTx, cart: Cart, report: Report) -> Result<Answer, Error> {
    let answer = Answer { cart, report };
    tx.keep(&Kept::try_from(&answer)?).await?;
    tx.commit().await?;
    Ok(answer)
}

fn repeated(answer: KeptAnswer) -> Result<Answer, Error> {
    Ok(answer.rows::<Kept>()?.try_into()?)
}
