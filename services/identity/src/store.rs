//! The only file that knows the tables. Whose row it is stands in every query, so it cannot be forgotten.

mod alert;
mod audit;
mod book;
pub mod entity;
mod erasure;
pub mod key;
mod link;
pub mod migration;
mod rights;
mod session;
mod throttle;

use std::collections::HashMap;

use kit::{
    Database, IDS_PER_STATEMENT_MAX, Id, Listed, Once, Page, PageError, RequestKey, Timestamp, Tx, execute,
    outbox, query,
};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Value,
};
use uuid::Uuid;

use self::entity::account;
use crate::domain::rights::Role;
use crate::domain::throttle::Gate;
use crate::domain::{Account, AccountId, Changes, Email, MailKind};
use crate::error::Error;
use crate::events::{self, News};

pub use book::Export;
pub use link::{Letter, Link};
pub use session::{NewSession, Refresh};

#[derive(Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Whether this request was answered before. A repetition must not be held against what the first one changed.
    pub async fn answered(&self, key: &RequestKey) -> Result<bool, Error> {
        Ok(self.database.kept(key).await?.is_some())
    }

    /// Opens an account, or reminds the owner of the one that the address has. Both cases run as many statements.
    pub async fn register(
        &self,
        key: &RequestKey,
        account: Account,
        password_hash: &str,
        gate: &Gate,
        letter: impl Fn(&Account, MailKind) -> Result<Letter, Error>,
    ) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        let now = account.created;
        let (account, kind) = match insert(&tx, &account, password_hash).await? {
            true => (account, MailKind::VerifyEmail),
            false => {
                // Erased between two statements: the request may simply come again.
                let owner = find_by_email_in(&**tx, &account.email).await?.ok_or(Error::Conflict)?;
                (owner, MailKind::AlreadyRegistered)
            }
        };
        // An owner may be erasing the account: nobody is written to after that. Both cases pay for the look.
        match lock(&tx, account.id).await {
            Err(Error::AccountNotFound) => return Err(Error::Conflict),
            locked => locked?,
        }
        let mail = self.mail_within(&tx, &account, gate, now, |account| letter(account, kind)).await?;
        match kind {
            MailKind::AlreadyRegistered => {
                if let Some(mail) = mail {
                    announce(&tx, account.id, now, News::MailRequested(mail)).await?;
                }
            }
            _ => announce(&tx, account.id, now, News::Registered(mail)).await?,
        }
        tx.commit().await?;
        Ok(())
    }

    /// Opens an account without a mail. Refused when the address has one.
    pub async fn create(&self, account: &Account, password_hash: &str) -> Result<(), Error> {
        let tx = self.database.begin().await?;
        if !insert(&tx, account, password_hash).await? {
            return Err(Error::EmailTaken);
        }
        announce(&tx, account.id, account.created, News::Registered(None)).await?;
        tx.commit().await?;
        Ok(())
    }

    pub async fn find(&self, id: AccountId) -> Result<Account, Error> {
        find_in(self.database.read(), id).await
    }

    pub async fn find_many(&self, ids: &[AccountId]) -> Result<HashMap<AccountId, Account>, Error> {
        let mut found = HashMap::with_capacity(ids.len());
        for some in ids.chunks(IDS_PER_STATEMENT_MAX) {
            let rows = account::Entity::find()
                .filter(account::Column::Id.is_in(some.iter().map(|id| id.as_uuid())))
                .filter(account::Column::Erased.is_null())
                .all(self.database.read())
                .await?;
            for row in rows {
                let account = row.account()?;
                found.insert(account.id, account);
            }
        }
        Ok(found)
    }

    /// Newest first.
    pub async fn page(&self, role: Option<Role>, page: &Page) -> Result<Listed<Account>, Error> {
        let mut select = account::Entity::find()
            .filter(account::Column::Erased.is_null())
            .order_by_desc(account::Column::Id)
            .limit(page.fetch_limit());
        if let Some(role) = role {
            select = select.filter(account::Column::Role.eq(role.as_str()));
        }
        if let Some(after) = after_id(page)? {
            select = select.filter(account::Column::Id.lt(after));
        }
        let rows = select.all(self.database.read()).await?;
        let accounts = rows.into_iter().map(account::Model::account).collect::<Result<Vec<_>, _>>()?;
        Ok(page.listed(accounts, |account| vec![account.id.to_string()]))
    }

    pub async fn update(
        &self,
        key: &RequestKey,
        id: AccountId,
        etag: Option<i64>,
        changes: &Changes,
        now: Timestamp,
    ) -> Result<Account, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<account::Model>()?.account()?),
            Once::First(tx) => tx,
        };
        lock(&tx, id).await?;
        let mut account = find_in(&**tx, id).await?;
        if etag.is_some_and(|etag| etag != account.version) {
            return Err(Error::Conflict);
        }
        account.change(changes, now);
        save(&tx, &account).await?;
        tx.keep(&account::Model::of(&account)).await?;
        tx.commit().await?;
        Ok(account)
    }
}

/// Inserts an account with its password; false when the address has one.
async fn insert(tx: &Tx, account: &Account, password_hash: &str) -> Result<bool, DbErr> {
    let row = account::Model::of(account).into_active_model();
    let unless_known = OnConflict::column(account::Column::Email).do_nothing().to_owned();
    match account::Entity::insert(row).on_conflict(unless_known).exec_without_returning(&**tx).await {
        Ok(0) | Err(DbErr::RecordNotInserted) => return Ok(false),
        Ok(_) => {}
        Err(error) => return Err(error),
    }
    let sql = "INSERT INTO credentials (account_id, password_hash) VALUES ($1, $2)";
    execute(&**tx, sql, [account.id.as_uuid().into(), password_hash.into()]).await?;
    Ok(true)
}

/// Makes every other change of the account wait until this transaction is over; refused when there is none (any more).
async fn lock(tx: &Tx, id: AccountId) -> Result<(), Error> {
    let sql = "UPDATE accounts SET event_version = event_version WHERE id = $1 AND erased IS NULL";
    match execute(&**tx, sql, [id.as_uuid().into()]).await? {
        0 => Err(Error::AccountNotFound),
        _ => Ok(()),
    }
}

/// Writes what may change of a locked account.
async fn save(tx: &Tx, account: &Account) -> Result<(), DbErr> {
    let sql = "UPDATE accounts SET email_verified = $2, given_name = $3, family_name = $4, role = $5, permissions = $6,
                   language = $7, currency_code = $8, country_code = $9, marketing_mail = $10, updated = $11,
                   version = $12
               WHERE id = $1";
    let values: [Value; 12] = [
        account.id.as_uuid().into(),
        account.email_verified.into(),
        account.name.given.clone().into(),
        account.name.family.clone().into(),
        account.rights.role().as_str().into(),
        entity::permissions(&account.rights).into(),
        account.preferences.language.clone().into(),
        account.preferences.currency.as_str().into(),
        account.preferences.country.clone().into(),
        account.preferences.marketing_mail.into(),
        account.updated.into(),
        account.version.into(),
    ];
    execute(&**tx, sql, values).await.map(drop)
}

/// Writes an event, numbered on from the account's last one.
async fn announce(tx: &Tx, id: AccountId, now: Timestamp, news: News) -> Result<(), DbErr> {
    let sql = "UPDATE accounts SET event_version = event_version + 1 WHERE id = $1 RETURNING event_version";
    let rows = query(&**tx, sql, [id.as_uuid().into()]).await?;
    let row = rows.first().ok_or_else(|| DbErr::RecordNotFound(format!("account {id}")))?;
    outbox::append(tx, &events::event(id, row.try_get("", "event_version")?, now, news)).await
}

async fn find_in(on: &impl ConnectionTrait, id: AccountId) -> Result<Account, Error> {
    let row =
        account::Entity::find_by_id(id.as_uuid()).filter(account::Column::Erased.is_null()).one(on).await?;
    Ok(row.ok_or(Error::AccountNotFound)?.account()?)
}

async fn find_by_email_in(on: &impl ConnectionTrait, email: &Email) -> Result<Option<Account>, Error> {
    let row = account::Entity::find().filter(account::Column::Email.eq(email.as_str())).one(on).await?;
    Ok(row.map(account::Model::account).transpose()?)
}

/// Lists by id go on after the last one; ids are in the order of time.
fn after_id(page: &Page) -> Result<Option<Uuid>, PageError> {
    match page.after.as_deref() {
        None => Ok(None),
        Some([id]) => id.parse::<Id<()>>().map(|id| Some(id.as_uuid())).map_err(|_| PageError::Token),
        Some(_) => Err(PageError::Token),
    }
}
