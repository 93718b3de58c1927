//! Two writers at the same moment, for tests of what may happen between two statements.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test whose writers do not meet must stop at once and say so"
)]

use std::time::Duration;

use kit::{Database, Tx, execute, query};

const LOOK_INTERVAL: Duration = Duration::from_millis(5);
const LOOKS_MAX: usize = 2_000;
/// Whoever waits, in either direction, for these.
const WAITING: &str = "WITH RECURSIVE waiting (pid) AS (
        SELECT pg_backend_pid()
        UNION SELECT l.pid FROM pg_locks l, waiting w WHERE NOT l.granted AND w.pid = ANY (pg_blocking_pids(l.pid)))
    SELECT pid FROM waiting WHERE pid <> pg_backend_pid()";
const EMBRACED: &str = "SELECT 1 FROM pg_locks a, pg_locks b WHERE NOT a.granted AND NOT b.granted
    AND a.pid = ANY (pg_blocking_pids(b.pid)) AND b.pid = ANY (pg_blocking_pids(a.pid)) AND a.pid = $1";

/// Lets two meet on PostgreSQL, where several write at once: what the statement locks is kept from everybody until both
/// have come to wait for it, one after the other, or the second for the first. They must not wait for each other then.
pub async fn meeting<F, S>(database: &Database, lock: &str, first: F, second: S) -> (F::Output, S::Output)
where
    F: Future<Output: Send> + Send + 'static,
    S: Future<Output: Send> + Send + 'static,
{
    let held = database.begin().await.expect("a transaction begins");
    execute(&held, lock, []).await.expect("the lock is had");
    let first = tokio::spawn(first);
    waiting(&held, 1).await;
    let second = tokio::spawn(second);
    let both = waiting(&held, 2).await;
    held.commit().await.expect("the lock is given back");
    let ends = async { (first.await.expect("the first ends"), second.await.expect("the second ends")) };
    tokio::select! {
        answers = ends => answers,
        () = embraced(database, both) => panic!("each of the two waits for the other"),
    }
}

/// Who waits for what this transaction holds, or for one another behind it, once there are so many.
async fn waiting(held: &Tx, number: usize) -> Vec<i32> {
    for _ in 0..LOOKS_MAX {
        let rows = query(held, WAITING, []).await.expect("PostgreSQL says who waits");
        if rows.len() >= number {
            return rows.iter().filter_map(|row| row.try_get("", "pid").ok()).collect();
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
    panic!("of {number} nobody came to wait");
}

/// Ends when some of these wait for each other.
async fn embraced(database: &Database, pids: Vec<i32>) {
    loop {
        for pid in &pids {
            let rows = query(database.read(), EMBRACED, [(*pid).into()]).await;
            if !rows.expect("PostgreSQL says who waits").is_empty() {
                return;
            }
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}
