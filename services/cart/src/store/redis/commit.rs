//! What one step of the script checks and does.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use redis::Script;
use redis::aio::ConnectionManager;

use super::keys::Keys;
use super::{EVENT, rows};
use crate::domain::{Cart, Event, Line, LineId};
use crate::error::Error;
use crate::events;
use crate::store::Fresh;

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("commit.lua")));

/// Checks and commands that happen together or not at all.
pub struct Commit<'a> {
    keys: &'a Keys,
    checks: Vec<[Vec<u8>; 3]>,
    commands: Vec<Vec<Vec<u8>>>,
}

impl<'a> Commit<'a> {
    /// Nothing yet.
    pub fn new(keys: &'a Keys) -> Self {
        Self { keys, checks: Vec::new(), commands: Vec::new() }
    }

    /// The cart must still be of this version.
    pub fn expect_version(&mut self, cart: &Cart) {
        let version = cart.version.to_string();
        self.checks.push([self.keys.cart(cart.id).into(), rows::VERSION.into(), version.into()]);
    }

    /// There must be no such key.
    pub fn expect_nothing(&mut self, key: &str) {
        self.checks.push([key.into(), Vec::new(), Vec::new()]);
    }

    /// A command of Redis, word by word.
    pub fn run<W: AsRef<[u8]>>(&mut self, words: impl IntoIterator<Item = W>) {
        self.commands.push(words.into_iter().map(|word| word.as_ref().to_vec()).collect());
    }

    /// Writes a cart that is not there yet, without lines.
    pub fn create(&mut self, fresh: &Fresh) -> Result<(), Error> {
        let key = self.keys.cart(fresh.cart.id);
        let mut fields = rows::head(&fresh.cart)?;
        fields.push((rows::CREATED.to_owned(), rows::time(fresh.cart.created)));
        if let Some(token) = &fresh.token {
            fields.push((rows::TOKEN.to_owned(), rows::hex(token)));
        }
        if let Some(account) = fresh.cart.account {
            fields.push((rows::ACCOUNT.to_owned(), account.to_string()));
            self.run(["SET", &self.keys.account(account), &fresh.cart.id.to_string()]);
        }
        self.set(&key, fields);
        self.touch(&fresh.cart);
        Ok(())
    }

    /// Writes what differs from before.
    pub fn save(&mut self, before: &Cart, after: &Cart) -> Result<(), Error> {
        let key = self.keys.cart(after.id);
        let known: HashMap<LineId, &Line> = before.lines.iter().map(|line| (line.id, line)).collect();
        let kept: HashSet<LineId> = after.lines.iter().map(|line| line.id).collect();
        let gone = before.lines.iter().filter(|line| !kept.contains(&line.id));
        let gone: Vec<String> =
            gone.flat_map(|line| [rows::line_field(line.id), rows::place_field(line.id)]).collect();
        if !gone.is_empty() {
            self.run(["HDEL".to_owned(), key.clone()].into_iter().chain(gone));
        }
        let mut fields = rows::head(after)?;
        for (index, line) in after.lines.iter().enumerate() {
            let before = known.get(&line.id);
            if before.is_none_or(|before| *before != line) {
                fields.push((rows::line_field(line.id), rows::line(line)?));
            }
            // A line that is there keeps its place.
            if before.is_none() {
                fields.push((rows::place_field(line.id), rows::place(after.version, index)));
            }
        }
        self.set(&key, fields);
        self.touch(after);
        Ok(())
    }

    /// Removes a cart with everything that leads to it.
    pub fn remove(&mut self, cart: &Cart) {
        self.run(["DEL", &self.keys.cart(cart.id)]);
        self.run(["ZREM", &self.keys.touched(), &cart.id.to_string()]);
        if let Some(account) = cart.account {
            self.run(["DEL", &self.keys.account(account)]);
        }
    }

    /// Tells what happened, in the same step.
    pub fn announce(&mut self, cart: &Cart, event: Event) {
        let event = events::encoded(cart, event);
        let outbox = self.keys.outbox();
        self.run([b"XADD".as_slice(), outbox.as_bytes(), b"*", EVENT.as_bytes(), &event]);
    }

    /// Whether everything that was expected held, and so everything was done.
    pub async fn execute(self, connection: &mut ConnectionManager) -> Result<bool, Error> {
        let mut call = SCRIPT.prepare_invoke();
        call.arg(self.checks.len());
        for word in self.checks.iter().flatten() {
            call.arg(word);
        }
        for command in &self.commands {
            call.arg(command.len());
            for word in command {
                call.arg(word);
            }
        }
        Ok(call.invoke_async::<u8>(connection).await? == 1)
    }

    fn set(&mut self, key: &str, fields: Vec<(String, String)>) {
        let words = fields.into_iter().flat_map(|(name, value)| [name, value]);
        self.run(["HSET".to_owned(), key.to_owned()].into_iter().chain(words));
    }

    fn touch(&mut self, cart: &Cart) {
        let time = cart.updated.timestamp_millis().to_string();
        self.run(["ZADD", &self.keys.touched(), &time, &cart.id.to_string()]);
    }
}
