//! Buckets in Redis. Of each the time is kept at which it is full again, and no longer than until then: a bucket that is
//! full is one that is not there. It is Redis that looks at the clock, so replicas need not agree on the time.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;
use scratch::Scratch;

use super::{Limit, Payer, TooMuch};

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));

/// Takes from a bucket, if there is enough in it; nothing is said while Redis is away.
pub(super) async fn take(
    scratch: &Scratch,
    payer: &Payer,
    limit: Limit,
    cost: u32,
) -> Option<Result<(), TooMuch>> {
    let key = key(scratch, payer);
    let asking = |mut redis| async move {
        let mut call = SCRIPT.key(key);
        call.arg(limit.burst).arg(limit.per_second).arg(cost);
        call.invoke_async::<u64>(&mut redis).await
    };
    Some(match scratch.ask(asking).await? {
        0 => Ok(()),
        micros => Err(TooMuch { wait: Duration::from_micros(micros) }),
    })
}

pub(super) fn key(scratch: &Scratch, payer: &Payer) -> String {
    match payer {
        Payer::Account(account) => scratch.key("rate.account", account),
        Payer::Address(address) => scratch.key("rate.address", address),
    }
}
