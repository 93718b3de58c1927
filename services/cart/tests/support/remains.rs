//! What a store keeps, looked up in the store itself: that something is gone is seen nowhere else.

use kit::Database;
use redis::AsyncCommands;
use redis::aio::ConnectionManager;
use uuid::Uuid;

/// How much there is of what an erasure takes.
#[derive(Debug, PartialEq, Eq)]
pub struct Remains {
    pub carts: usize,
    pub lines: usize,
    /// Ways from guests' carts to those that have their lines.
    pub merged: usize,
    /// Kept answers that name the account or were given to it.
    pub answers: usize,
}

pub async fn in_tables(database: &Database, account: Uuid) -> Remains {
    let count = async |from: &str| {
        let sql = format!("SELECT 1 FROM {from}");
        kit::query(database.read(), &sql, []).await.unwrap().len()
    };
    let answers = format!("requests WHERE answer LIKE '%{account}%' OR principal LIKE '%{account}%'");
    Remains {
        carts: count("carts").await,
        lines: count("lines").await,
        merged: count("merged").await,
        answers: count(&answers).await,
    }
}

/// Everything of a shop there begins as the name of its outbox does.
pub async fn in_redis(connection: &ConnectionManager, outbox: &str, account: Uuid) -> Remains {
    let prefix = outbox.strip_suffix("outbox").unwrap();
    let keys = async |kind: &str| -> Vec<String> {
        connection.clone().keys(format!("{prefix}{kind}:*")).await.unwrap()
    };
    let (carts, account) = (keys("cart").await, account.to_string());
    let mut remains =
        Remains { carts: carts.len(), lines: 0, merged: keys("merged").await.len(), answers: 0 };
    for cart in &carts {
        let fields: Vec<String> = connection.clone().hkeys(cart).await.unwrap();
        remains.lines += fields.iter().filter(|field| field.starts_with("line:")).count();
    }
    for key in keys("kept").await {
        let answer: Vec<u8> = connection.clone().get(&key).await.unwrap();
        let names = key.contains(&account) || String::from_utf8_lossy(&answer).contains(&account);
        remains.answers += usize::from(names);
    }
    remains
}
