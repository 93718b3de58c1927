//! Delivers webhooks, signed, until each was taken: late, twice or out of order, as providers do.

use std::time::Duration;

use futures::StreamExt;
use kit::{Clock, Timestamp, execute, query};
use observability::names;
use sea_orm::{DbErr, FromQueryResult};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Settings;
use super::ledger::Ledger;
use crate::provider::signature;

const BATCH_MAX: u64 = 50;
const AT_ONCE_MAX: usize = 8;
const ATTEMPTS_MAX: i32 = 20;
const DELIVERY_TIME_MAX: Duration = Duration::from_secs(10);
const RETRY_MAX: Duration = Duration::from_secs(300);
/// How often it looks although nothing was announced: slow cards become ready by themselves.
const INTERVAL: Duration = Duration::from_secs(1);

#[derive(FromQueryResult)]
struct Webhook {
    id: Uuid,
    body: String,
    attempts: i32,
    due: Timestamp,
}

pub async fn work(ledger: Ledger, settings: Settings, shutdown: CancellationToken) {
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(DELIVERY_TIME_MAX)
        .build()
        .unwrap_or_default();
    let mut changes = ledger.database.changes();
    loop {
        if let Err(error) = deliver_due(&ledger, &settings, &client).await {
            let chain = mesh::status::chain(&error);
            tracing::error!({ names::ERROR } = chain, "webhooks are not delivered: {chain}");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = changes.changed() => {}
            () = tokio::time::sleep(INTERVAL) => {}
        }
    }
}

async fn deliver_due(ledger: &Ledger, settings: &Settings, client: &reqwest::Client) -> Result<(), DbErr> {
    let now = Clock::system().now();
    ledger.ripen(now).await?;
    let sql = "SELECT id, body, attempts, due FROM simulated_webhooks WHERE due <= $1 ORDER BY due LIMIT $2";
    let values = [now.into(), (BATCH_MAX as i64).into()];
    let rows = query(ledger.database.read(), sql, values).await?;
    let due = rows.iter().map(|row| Webhook::from_query_result(row, ""));
    let due = due.collect::<Result<Vec<_>, _>>()?;
    futures::stream::iter(due)
        .map(|webhook| deliver(ledger, settings, client, webhook))
        .buffer_unordered(AT_ONCE_MAX)
        .fold(Ok(()), |all, one| async move { all.and(one) })
        .await
}

async fn deliver(
    ledger: &Ledger,
    settings: &Settings,
    client: &reqwest::Client,
    webhook: Webhook,
) -> Result<(), DbErr> {
    let now = Clock::system().now();
    let next = match webhook.attempts.saturating_add(1) < ATTEMPTS_MAX {
        true => Some(after(now, settings.webhook_retry, webhook.attempts)),
        false => None,
    };
    // Taken before it is sent: who dies now sends it again later, and of two processes one sends it.
    let sql = "UPDATE simulated_webhooks SET attempts = attempts + 1, due = $3 WHERE id = $1 AND due = $2";
    let values = [webhook.id.into(), webhook.due.into(), next.into()];
    let tx = ledger.database.begin().await?;
    let taken = execute(&tx, sql, values).await? == 1;
    tx.commit().await?;
    if !taken {
        return Ok(());
    }
    let signed = signature::sign(&settings.webhook_secret, webhook.body.as_bytes(), now);
    let sent = client
        .post(&settings.webhook_url)
        .header(signature::HEADER, signed)
        .header("content-type", "application/json")
        .body(webhook.body)
        .send()
        .await;
    if sent.is_ok_and(|answer| answer.status().is_success()) {
        let tx = ledger.database.begin().await?;
        let sql = "UPDATE simulated_webhooks SET due = NULL WHERE id = $1";
        execute(&tx, sql, [webhook.id.into()]).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn after(now: Timestamp, first: Duration, attempts: i32) -> Timestamp {
    let doublings = attempts.clamp(0, 16).unsigned_abs();
    let delay = first
        .saturating_mul(2_u32.saturating_pow(doublings))
        // Not before the delivery has given up.
        .max(first.min(DELIVERY_TIME_MAX))
        .min(RETRY_MAX);
    let delay = chrono::TimeDelta::from_std(delay).unwrap_or_default();
    now.checked_add_signed(delay).unwrap_or(now)
}
