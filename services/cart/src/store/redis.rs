//! Carts in Redis: a hash for each, with a field for each line; one script that checks versions, changes lines, appends
//! the event to a stream and keeps the answer, in one step. Decisions are made here between a read and that step; a cart
//! that changed in between is read and decided again.

mod commit;
mod erasure;
mod keys;
mod open;
mod rows;

use std::collections::HashMap;

use kit::{RequestError, RequestKey, Timestamp};
use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use tokio::sync::watch;

use self::commit::Commit;
use self::keys::Keys;
use super::kept::Kept;
use super::{Change, Fresh, Right};
use crate::domain::{Answer, Cart, CartId, Event, Report};
use crate::error::Error;

pub use open::OpenError;

/// Somebody else's changes of the same cart that one change waits out.
const DECISIONS_MAX: usize = 50;
/// Answers are kept so long: twice what is promised.
const ANSWER_KEPT_MS: u64 = 48 * 60 * 60 * 1_000;
/// As long as a cart may rest: then nobody looks for the heir of a merged one.
const MERGED_KEPT_MS: u64 = 90 * 24 * 60 * 60 * 1_000;

/// The one field of the outbox's entries.
const EVENT: &str = "event";

#[derive(Clone)]
pub struct Redis {
    connection: ConnectionManager,
    keys: Keys,
    changes: watch::Sender<u64>,
}

impl Redis {
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub fn stream(&self) -> (ConnectionManager, String, &'static str) {
        (self.connection.clone(), self.keys.outbox(), EVENT)
    }

    pub async fn ping(&self) -> Result<(), Error> {
        let _: String = redis::cmd("PING").query_async(&mut self.connection.clone()).await?;
        Ok(())
    }

    pub async fn kept(&self, key: &RequestKey) -> Result<Option<Answer>, Error> {
        let kept: Option<Vec<u8>> = self.connection.clone().get(self.keys.kept(key)).await?;
        let Some(kept) = kept else {
            return Ok(None);
        };
        let (fingerprint, json) = rows::kept(&kept)?;
        match fingerprint == key.fingerprint {
            true => Ok(Some(serde_json::from_slice::<Kept>(json).map_err(rows::malformed)?.try_into()?)),
            false => Err(RequestError::Reused.into()),
        }
    }

    /// The cart. A guest's may be merged between the two questions asked here: it is gone then, and whoever looks once more
    /// finds the one that has its lines.
    pub async fn find(&self, right: &Right) -> Result<Option<Cart>, Error> {
        match (self.find_once(right).await?, right) {
            (None, Right::Service(_)) => self.find_once(right).await,
            (found, _) => Ok(found),
        }
    }

    async fn find_once(&self, right: &Right) -> Result<Option<Cart>, Error> {
        let Some(id) = self.held(right).await? else {
            return Ok(None);
        };
        let fields: HashMap<String, String> = self.connection.clone().hgetall(self.keys.cart(id)).await?;
        match rows::opens(right, &fields) {
            true => rows::cart(id, &fields).map(Some),
            false => Ok(None),
        }
    }

    pub async fn version(&self, right: &Right) -> Result<Option<i64>, Error> {
        let Some(id) = self.held(right).await? else {
            return Ok(None);
        };
        let names = [rows::ACCOUNT, rows::TOKEN, rows::VERSION];
        let values: Vec<Option<String>> = self.connection.clone().hmget(self.keys.cart(id), &names).await?;
        let fields = names.into_iter().zip(values);
        let fields = fields.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        match rows::opens(right, &fields) {
            true => rows::version(&fields).map(Some),
            false => Ok(None),
        }
    }

    pub async fn update(
        &self,
        change: &Change<'_>,
        decide: impl Fn(&mut Cart) -> Result<Report, Error>,
    ) -> Result<Answer, Error> {
        for _ in 0..DECISIONS_MAX {
            if let Some(answer) = self.kept(change.key).await? {
                return Ok(answer);
            }
            let before = self.find(change.right).await?.ok_or(Error::NotFound)?;
            if change.etag.is_some_and(|etag| etag != before.version) {
                return Err(Error::Conflict);
            }
            let mut cart = before.clone();
            let report = decide(&mut cart)?;
            let mut commit = Commit::new(&self.keys);
            commit.expect_version(&before);
            if cart != before {
                cart.touch(change.now);
                commit.save(&before, &cart)?;
                commit.announce(&cart, (change.tell)(&before, &cart));
            }
            if let Some(answer) = self.commit(commit, change.key, Answer { cart, report }).await? {
                return Ok(answer);
            }
        }
        Err(Error::Outrun)
    }

    pub async fn open(
        &self,
        key: &RequestKey,
        fresh: &Fresh,
        now: Timestamp,
        decide: impl Fn(&mut Cart) -> Result<Report, Error>,
    ) -> Result<Answer, Error> {
        for _ in 0..DECISIONS_MAX {
            if let Some(answer) = self.kept(key).await? {
                return Ok(answer);
            }
            let mut commit = Commit::new(&self.keys);
            let (before, created) = self.opened(fresh, &mut commit).await?;
            let mut cart = before.clone();
            let report = decide(&mut cart)?;
            let changed = cart != before;
            if changed && !created {
                cart.touch(now);
            }
            if changed {
                commit.save(&before, &cart)?;
            }
            match (created, changed) {
                (true, _) => commit.announce(&cart, Event::Created),
                (false, true) => commit.announce(&cart, Event::changed(&before, &cart)),
                (false, false) => {}
            }
            if let Some(answer) = self.commit(commit, key, Answer { cart, report }).await? {
                return Ok(answer);
            }
        }
        Err(Error::Outrun)
    }

    pub async fn merge(
        &self,
        key: &RequestKey,
        guest: &Right,
        fresh: &Fresh,
        now: Timestamp,
        decide: impl Fn(&mut Cart, &Cart) -> Result<Report, Error>,
    ) -> Result<Answer, Error> {
        for _ in 0..DECISIONS_MAX {
            if let Some(answer) = self.kept(key).await? {
                return Ok(answer);
            }
            let mut commit = Commit::new(&self.keys);
            let (before, created) = self.opened(fresh, &mut commit).await?;
            let Some(guest) = self.find(guest).await? else {
                // Gone with an earlier merge: if that was this very request, its answer is there since the same step.
                return self.kept(key).await?.ok_or(Error::NotFound);
            };
            if created {
                commit.announce(&before, Event::Created);
            }
            let mut cart = before.clone();
            let report = decide(&mut cart, &guest)?;
            // Also when nothing could be taken over: that a cart is gone is news.
            cart.touch(now);
            commit.expect_version(&guest);
            commit.remove(&guest);
            commit.run([
                "SET",
                &self.keys.merged(guest.id),
                &cart.id.to_string(),
                "PX",
                &MERGED_KEPT_MS.to_string(),
            ]);
            commit.save(&before, &cart)?;
            commit.announce(&cart, Event::Merged { guest: guest.id });
            if let Some(answer) = self.commit(commit, key, Answer { cart, report }).await? {
                return Ok(answer);
            }
        }
        Err(Error::Outrun)
    }

    pub async fn remove_untouched(&self, since: Timestamp, limit: i64) -> Result<u64, Error> {
        let mut connection = self.connection.clone();
        let limit = isize::try_from(limit).unwrap_or(isize::MAX);
        let before = format!("({}", since.timestamp_millis());
        let ids: Vec<String> =
            connection.zrangebyscore_limit(self.keys.touched(), "-inf", before, 0, limit).await?;
        let mut removed = 0;
        for id in ids.iter().filter_map(|id| id.parse().ok()) {
            let mut commit = Commit::new(&self.keys);
            match self.find(&Right::Service(id)).await? {
                // One that is touched between the choice and the removal stays, and so does the heir of one that is merged.
                Some(cart) if cart.id != id || cart.updated >= since => continue,
                Some(cart) => {
                    commit.expect_version(&cart);
                    commit.remove(&cart);
                }
                None => commit.run(["ZREM", &self.keys.touched(), &id.to_string()]),
            }
            removed += u64::from(commit.execute(&mut connection).await?);
        }
        Ok(removed)
    }

    /// The account's cart, or the fresh one, which the commit will make; and whether it is the fresh one.
    async fn opened(&self, fresh: &Fresh, commit: &mut Commit<'_>) -> Result<(Cart, bool), Error> {
        if let Some(account) = fresh.cart.account {
            if let Some(present) = self.find(&Right::Account { account, cart: None }).await? {
                commit.expect_version(&present);
                return Ok((present, false));
            }
            // Tokens of an account that is erased are good for some minutes more; it gets no new cart by them.
            if self.connection.clone().exists(self.keys.erased(account)).await? {
                return Err(Error::NotFound);
            }
            commit.expect_nothing(&self.keys.account(account));
            commit.expect_nothing(&self.keys.erased(account));
        }
        commit.create(fresh)?;
        Ok((fresh.cart.clone(), true))
    }

    /// The id of the cart that a right is about; whether it opens it, is seen in the cart itself.
    async fn held(&self, right: &Right) -> Result<Option<CartId>, Error> {
        let key = match right {
            Right::Token { cart, .. } => return Ok(Some(*cart)),
            Right::Account { account, .. } => self.keys.account(*account),
            Right::Service(cart) => self.keys.merged(*cart),
        };
        let found: Option<String> = self.connection.clone().get(key).await?;
        let found = found.map(|id| id.parse().map_err(rows::malformed)).transpose()?;
        Ok(match right {
            Right::Service(cart) => found.or(Some(*cart)),
            Right::Account { cart, .. } => found.filter(|found| cart.is_none_or(|cart| cart == *found)),
            Right::Token { cart, .. } => Some(*cart),
        })
    }

    /// The answer, once it is kept with what it tells; nothing when something has changed since it was read.
    async fn commit(
        &self,
        mut commit: Commit<'_>,
        key: &RequestKey,
        answer: Answer,
    ) -> Result<Option<Answer>, Error> {
        let kept_key = self.keys.kept(key);
        commit.expect_nothing(&kept_key);
        let kept = serde_json::to_vec(&Kept::try_from(&answer)?).map_err(rows::malformed)?;
        let kept = rows::keep(&key.fingerprint, &kept);
        let life = ANSWER_KEPT_MS.to_string();
        commit.run([b"SET".as_slice(), kept_key.as_bytes(), &kept, b"PX", life.as_bytes()]);
        let done = commit.execute(&mut self.connection.clone()).await?;
        if done {
            self.changes.send_modify(|count| *count = count.wrapping_add(1));
        }
        Ok(done.then_some(answer))
    }
}
