//! Roles: who gives them is looked up in the same transaction, and whoever changes one waits for everybody else who does.

use kit::{Once, RequestKey, Timestamp, Tx, execute, query};
use sea_orm::DbErr;

use super::entity::account;
use super::{Store, announce, audit, find_in, insert, lock, save};
use crate::domain::rights::{Rights, Role};
use crate::domain::session::Client;
use crate::domain::{Account, AccountId, Incident, Refusal};
use crate::error::Error;
use crate::events::News;

/// What somebody must hold to change the rights of others.
const WRITE: &str = "accounts.write";

impl Store {
    pub async fn create_staff(
        &self,
        key: &RequestKey,
        actor: AccountId,
        new: Account,
        password_hash: &str,
    ) -> Result<Account, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<account::Model>()?.account()?),
            Once::First(tx) => tx,
        };
        take_turn(&tx).await?;
        may_give(&tx, actor, &[&new.rights]).await?;
        if !insert(&tx, &new, password_hash).await? {
            return Err(Error::EmailTaken);
        }
        announce(&tx, new.id, new.created, News::Registered(None)).await?;
        tx.keep(&account::Model::of(&new)).await?;
        tx.commit().await?;
        Ok(new)
    }

    pub async fn set_rights(
        &self,
        key: &RequestKey,
        actor: AccountId,
        id: AccountId,
        rights: &Rights,
        now: Timestamp,
    ) -> Result<Account, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<account::Model>()?.account()?),
            Once::First(tx) => tx,
        };
        take_turn(&tx).await?;
        lock(&tx, id).await?;
        let mut account = find_in(&**tx, id).await?;
        may_give(&tx, actor, &[&account.rights, rights]).await?;
        if rights.role() != Role::Admin {
            leave_an_admin(&tx, &account).await?;
        }
        if account.rights != *rights {
            account.give(rights.clone(), now);
            save(&tx, &account).await?;
            audit::note(&tx, Some(id), Incident::RoleChanged, &Client::default(), now).await?;
            announce(&tx, id, now, News::RoleChanged(rights.role())).await?;
        }
        tx.keep(&account::Model::of(&account)).await?;
        tx.commit().await?;
        Ok(account)
    }
}

/// Makes every other change of rights wait until this transaction is over.
pub async fn take_turn(tx: &Tx) -> Result<(), DbErr> {
    execute(&**tx, "UPDATE last_admin SET changes = changes + 1 WHERE id = 1", []).await.map(drop)
}

/// Refuses to take the role of the last admin away.
pub async fn leave_an_admin(tx: &Tx, account: &Account) -> Result<(), Error> {
    if account.rights.role() != Role::Admin {
        return Ok(());
    }
    let sql = "SELECT COUNT(*) AS admins FROM accounts WHERE role = 'admin' AND erased IS NULL AND id <> $1";
    let rows = query(&**tx, sql, [account.id.as_uuid().into()]).await?;
    let others: i64 = rows.first().map(|row| row.try_get("", "admins")).transpose()?.unwrap_or_default();
    match others {
        0 => Err(Refusal::LastAdmin.into()),
        _ => Ok(()),
    }
}

/// The token of the actor may be minutes old, so what he holds is asked here.
async fn may_give(tx: &Tx, actor: AccountId, rights: &[&Rights]) -> Result<(), Error> {
    let held = match find_in(&**tx, actor).await {
        Ok(account) => account.rights,
        Err(Error::AccountNotFound) => return Err(Refusal::PermissionNotHeld.into()),
        Err(error) => return Err(error),
    };
    match held.hold(WRITE) && rights.iter().all(|rights| held.cover(rights)) {
        true => Ok(()),
        false => Err(Refusal::PermissionNotHeld.into()),
    }
}
