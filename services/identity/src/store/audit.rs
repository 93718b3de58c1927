//! Security events: written in the transaction of what they tell.

use kit::{Listed, Page, Timestamp, Tx, execute};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::entity::login_event;
use super::{Store, after_id};
use crate::domain::session::Client;
use crate::domain::{AccountId, EVENTS_KEPT_MAX, Incident, LoginEvent};
use crate::error::Error;

impl Store {
    /// Newest first.
    pub async fn login_events(&self, account: AccountId, page: &Page) -> Result<Listed<LoginEvent>, Error> {
        let mut select = login_event::Entity::find()
            .filter(login_event::Column::AccountId.eq(account.as_uuid()))
            .order_by_desc(login_event::Column::Id)
            .limit(page.fetch_limit());
        if let Some(after) = after_id(page)? {
            select = select.filter(login_event::Column::Id.lt(after));
        }
        let rows = select.all(self.database.read()).await?;
        let events = rows.into_iter().map(login_event::Model::login_event).collect::<Result<Vec<_>, _>>()?;
        Ok(page.listed(events, |event| vec![event.id.to_string()]))
    }

    /// Forgets security events: those before a time, and of each account all but the newest.
    pub async fn prune_login_events(&self, before: Timestamp) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        execute(&*tx, "DELETE FROM login_events WHERE occurred < $1", [before.into()]).await?;
        let sql = "DELETE FROM login_events WHERE id IN (
                       SELECT id FROM (
                           SELECT id, ROW_NUMBER() OVER (PARTITION BY account_id ORDER BY id DESC) AS place
                           FROM login_events WHERE account_id IS NOT NULL
                       ) AS placed WHERE place > $1)";
        execute(&*tx, sql, [i64::try_from(EVENTS_KEPT_MAX).unwrap_or(i64::MAX).into()]).await?;
        tx.commit().await
    }
}

/// Nobody's account is a refusal for an address that has none; it is written all the same, to take the same time.
pub async fn note(
    tx: &Tx,
    account: Option<AccountId>,
    incident: Incident,
    client: &Client,
    now: Timestamp,
) -> Result<(), DbErr> {
    let sql = "INSERT INTO login_events (id, account_id, incident, occurred, user_agent, network)
               VALUES ($1, $2, $3, $4, $5, $6)";
    let values = [
        Uuid::now_v7().into(),
        account.map(|account| account.as_uuid()).into(),
        incident.as_str().into(),
        now.into(),
        client.user_agent.clone().into(),
        client.network.as_str().into(),
    ];
    execute(&**tx, sql, values).await.map(drop)
}
