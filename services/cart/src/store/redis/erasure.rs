//! The cart of somebody who asked to be forgotten.

use std::fmt::Display;
use std::sync::LazyLock;

use redis::Script;

use super::commit::Commit;
use super::{DECISIONS_MAX, Redis};
use crate::domain::AccountId;
use crate::error::Error;
use crate::store::Right;

/// Keys that one step of a walk looks at: everybody else waits for it.
const KEYS_AT_ONCE_MAX: u64 = 100;

static STEP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("erasure.lua")));

impl Redis {
    /// Once noted, an account gets no new cart. The ways to the one it has go before it, since they are found by its id; what
    /// was answered goes after it, since from then on nothing more is. Whoever is interrupted begins again.
    pub async fn forget(&self, account: AccountId) -> Result<(), Error> {
        for _ in 0..DECISIONS_MAX {
            let mut commit = Commit::new(&self.keys);
            commit.run(["SET", &self.keys.erased(account), "1"]);
            match self.find(&Right::Account { account, cart: None }).await? {
                Some(cart) => {
                    self.remove_naming(&self.keys.every_merged(), cart.id).await?;
                    // A merge in the meantime, which makes one more way, makes another version.
                    commit.expect_version(&cart);
                    commit.remove(&cart);
                }
                None => commit.expect_nothing(&self.keys.account(account)),
            }
            if commit.execute(&mut self.connection.clone()).await? {
                return self.remove_naming(&self.keys.every_kept(), account).await;
            }
        }
        Err(Error::Outrun)
    }

    /// Removes what names an id, in its key or its value. It looks at all keys, so it is for what happens rarely.
    async fn remove_naming(&self, pattern: &str, id: impl Display) -> Result<(), Error> {
        let (id, mut cursor) = (id.to_string(), 0_u64);
        loop {
            let mut step = STEP.prepare_invoke();
            step.arg(cursor).arg(pattern).arg(KEYS_AT_ONCE_MAX).arg(&id);
            cursor = step.invoke_async(&mut self.connection.clone()).await?;
            if cursor == 0 {
                return Ok(());
            }
        }
    }
}
