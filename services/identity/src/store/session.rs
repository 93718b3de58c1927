//! Sessions and refresh tokens. A token is used up by one conditional statement, so of fifty uses at once one succeeds.

use kit::{Listed, Once, Page, RequestKey, Timestamp, Tx, execute, query};
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::entity::session;
use super::throttle::{self, Counted};
use super::{Store, after_id, audit, find_in};
use crate::domain::session::{Client, Network, SESSIONS_MAX, Session, SessionId, expiry};
use crate::domain::throttle::Gate;
use crate::domain::token::TokenHash;
use crate::domain::{Account, AccountId, Email, Incident};
use crate::error::Error;

/// Who may be logging in.
#[derive(Clone)]
pub struct Candidate {
    pub account: AccountId,
    pub password_hash: String,
    /// Whether the account has had a session from the network that asks.
    pub familiar: bool,
}

/// A session that is to be opened with its first refresh token.
pub struct NewSession {
    pub session: Session,
    pub token: TokenHash,
}

/// A refresh token that is to be traded.
pub struct Refresh {
    pub presented: TokenHash,
    pub next: TokenHash,
    pub client: Client,
    pub now: Timestamp,
}

impl Store {
    /// The account of an address, as far as a login needs it.
    pub async fn candidate(&self, email: &Email, network: &Network) -> Result<Option<Candidate>, Error> {
        let sql = "SELECT a.id, c.password_hash, EXISTS (
                       SELECT 1 FROM sessions s WHERE s.account_id = a.id AND s.network = $2
                   ) AS familiar
                   FROM accounts a JOIN credentials c ON c.account_id = a.id WHERE a.email = $1";
        let rows = query(self.database.read(), sql, [email.as_str().into(), network.as_str().into()]).await?;
        rows.first().map(read_candidate).transpose().map_err(Error::from)
    }

    /// The present password of an account.
    pub async fn password_hash(&self, account: AccountId) -> Result<String, Error> {
        let sql = "SELECT password_hash FROM credentials WHERE account_id = $1";
        let rows = query(self.database.read(), sql, [account.as_uuid().into()]).await?;
        Ok(rows.first().ok_or(Error::AccountNotFound)?.try_get("", "password_hash")?)
    }

    /// Counts a try at every gate before the password is looked at; refused when one is closed, and audited when this
    /// try closed it.
    pub async fn admit(
        &self,
        gates: &[Gate],
        account: Option<AccountId>,
        client: &Client,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.database.begin().await?;
        for gate in gates.iter().filter(|gate| gate.ahead) {
            match throttle::count(&tx, gate, now).await? {
                Counted::Within => {}
                Counted::Closed => return Err(Error::LoginThrottled(gate.window)),
                Counted::Crossed => {
                    audit::note(&tx, account, Incident::Throttled, client, now).await?;
                    tx.commit().await?;
                    return Err(Error::LoginThrottled(gate.window));
                }
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Writes that a login was refused, and counts it where failures alone are.
    pub async fn refuse(
        &self,
        gates: &[Gate],
        account: Option<AccountId>,
        client: &Client,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = self.database.begin().await?;
        audit::note(&tx, account, Incident::Refused, client, now).await?;
        for gate in gates.iter().filter(|gate| !gate.ahead) {
            if let Counted::Crossed = throttle::count(&tx, gate, now).await? {
                audit::note(&tx, account, Incident::Throttled, client, now).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Opens a session for somebody whose password was right, unless it has changed since.
    pub async fn open(&self, new: NewSession, password_hash: &str, gates: &[Gate]) -> Result<Account, Error> {
        let NewSession { session, token } = new;
        let (account, now) = (session.account, session.created);
        let tx = self.database.begin().await?;
        let sql = "UPDATE credentials SET last_login = $3 WHERE account_id = $1 AND password_hash = $2";
        if execute(&*tx, sql, [account.as_uuid().into(), password_hash.into(), now.into()]).await? == 0 {
            return Err(Error::CredentialsWrong);
        }
        let row = session::Model {
            id: session.id.as_uuid(),
            account_id: account.as_uuid(),
            created: now,
            refreshed: now,
            expires: session.expires,
            ended: None,
            user_agent: session.client.user_agent.clone(),
            network: session.client.network.as_str().to_owned(),
        };
        session::Entity::insert(row.into_active_model()).exec_without_returning(&*tx).await?;
        insert_token(&tx, &token, session.id, now, session.expires).await?;
        end_beyond_limit(&tx, account, now).await?;
        audit::note(&tx, Some(account), Incident::LoggedIn, &session.client, now).await?;
        for gate in gates {
            throttle::release(&tx, gate).await?;
        }
        let account = find_in(&*tx, account).await?;
        tx.commit().await?;
        Ok(account)
    }

    /// Trades a refresh token. One that was used before is a copy in somebody's hands: its whole session ends.
    pub async fn refresh(&self, refresh: Refresh) -> Result<(Session, Account), Error> {
        let Refresh { presented, next, client, now } = refresh;
        let tx = self.database.begin().await?;
        let mut session = session_of(&tx, &presented).await?.ok_or(Error::SessionRevoked)?;
        let id = session.id.as_uuid();
        let sql = "UPDATE refresh_tokens SET used = $2 WHERE hash = $1 AND used IS NULL AND expires > $2";
        if execute(&*tx, sql, [presented.to_vec().into(), now.into()]).await? == 0 {
            end_reused(tx, &presented, now).await?;
            return Err(Error::SessionRevoked);
        }
        session.refreshed = now;
        session.expires = expiry(session.created, now);
        session.client = client;
        let sql = "UPDATE sessions SET refreshed = $2, expires = $3, user_agent = $4, network = $5
                   WHERE id = $1 AND ended IS NULL AND expires > $2";
        let values = [
            id.into(),
            now.into(),
            session.expires.into(),
            session.client.user_agent.clone().into(),
            session.client.network.as_str().into(),
        ];
        if execute(&*tx, sql, values).await? == 0 {
            return Err(Error::SessionRevoked);
        }
        insert_token(&tx, &next, session.id, now, session.expires).await?;
        let account = find_in(&*tx, session.account).await.map_err(|_| Error::SessionRevoked)?;
        tx.commit().await?;
        Ok((session, account))
    }

    /// Ends the session that a refresh token belongs to, whether or not the token was used; an unknown one ends nothing.
    pub async fn log_out(&self, key: &RequestKey, token: &TokenHash, now: Timestamp) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        let sql = "UPDATE sessions SET ended = $2 WHERE ended IS NULL
                   AND id IN (SELECT session_id FROM refresh_tokens WHERE hash = $1)
                   RETURNING account_id, user_agent, network";
        note_ended(
            &tx,
            &query(&**tx, sql, [token.to_vec().into(), now.into()]).await?,
            Incident::LoggedOut,
            now,
        )
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends one session of the account's own.
    pub async fn revoke(
        &self,
        key: &RequestKey,
        account: AccountId,
        session: SessionId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        let sql = "UPDATE sessions SET ended = $3 WHERE id = $1 AND account_id = $2 AND ended IS NULL AND expires > $3
                   RETURNING account_id, user_agent, network";
        let values = [session.as_uuid().into(), account.as_uuid().into(), now.into()];
        let ended = query(&**tx, sql, values).await?;
        if ended.is_empty() {
            return Err(Error::SessionNotFound);
        }
        note_ended(&tx, &ended, Incident::SessionRevoked, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The sessions that are not over, newest first.
    pub async fn sessions(
        &self,
        account: AccountId,
        page: &Page,
        now: Timestamp,
    ) -> Result<Listed<Session>, Error> {
        let mut select = session::Entity::find()
            .filter(session::Column::AccountId.eq(account.as_uuid()))
            .filter(session::Column::Ended.is_null())
            .filter(session::Column::Expires.gt(now))
            .order_by_desc(session::Column::Id)
            .limit(page.fetch_limit());
        if let Some(after) = after_id(page)? {
            select = select.filter(session::Column::Id.lt(after));
        }
        let rows = select.all(self.database.read()).await?;
        let sessions = rows.into_iter().map(Session::from).collect();
        Ok(page.listed(sessions, |session: &Session| vec![session.id.to_string()]))
    }

    /// All that is kept of sessions, also of those that are over, newest first.
    pub async fn kept_sessions(&self, account: AccountId, limit: u64) -> Result<Vec<Session>, Error> {
        let select = session::Entity::find()
            .filter(session::Column::AccountId.eq(account.as_uuid()))
            .order_by_desc(session::Column::Id)
            .limit(limit);
        Ok(select.all(self.database.read()).await?.into_iter().map(Session::from).collect())
    }

    /// Forgets sessions that ended or expired before `sessions`, and tokens and links that expired before `tokens`.
    pub async fn prune_sessions(&self, sessions: Timestamp, tokens: Timestamp) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        execute(&*tx, "DELETE FROM sessions WHERE expires < $1 OR ended < $1", [sessions.into()]).await?;
        execute(&*tx, "DELETE FROM refresh_tokens WHERE expires < $1", [tokens.into()]).await?;
        execute(&*tx, "DELETE FROM links WHERE expires < $1", [tokens.into()]).await?;
        tx.commit().await
    }
}

/// Ends every session of an account, or every other one.
pub async fn end_all(
    tx: &Tx,
    account: AccountId,
    kept: Option<SessionId>,
    now: Timestamp,
) -> Result<(), DbErr> {
    let kept = kept.map_or(Uuid::nil(), |session| session.as_uuid());
    let sql = "UPDATE sessions SET ended = $2 WHERE account_id = $1 AND ended IS NULL AND id <> $3";
    execute(&**tx, sql, [account.as_uuid().into(), now.into(), kept.into()]).await.map(drop)
}

/// The session of a token, locked before the token is: with a session its tokens go in this order, too.
async fn session_of(tx: &Tx, token: &TokenHash) -> Result<Option<Session>, DbErr> {
    let sql = "SELECT session_id FROM refresh_tokens WHERE hash = $1";
    let Some(row) = query(&**tx, sql, [token.to_vec().into()]).await?.into_iter().next() else {
        return Ok(None);
    };
    let id: Uuid = row.try_get("", "session_id")?;
    let locked = session::Entity::find_by_id(id).lock(LockType::NoKeyUpdate);
    Ok(locked.one(&**tx).await?.map(Session::from))
}

/// A token that cannot be used: if that is because it was used, its session ends, and the audit says so once.
async fn end_reused(tx: Tx, token: &TokenHash, now: Timestamp) -> Result<(), DbErr> {
    let sql = "UPDATE sessions SET ended = $2 WHERE ended IS NULL
               AND id IN (SELECT session_id FROM refresh_tokens WHERE hash = $1 AND used IS NOT NULL)
               RETURNING account_id, user_agent, network";
    let ended = query(&tx, sql, [token.to_vec().into(), now.into()]).await?;
    note_ended(&tx, &ended, Incident::RefreshReused, now).await?;
    tx.commit().await
}

/// Writes what ended sessions, from where these were.
async fn note_ended(
    tx: &Tx,
    ended: &[sea_orm::QueryResult],
    incident: Incident,
    now: Timestamp,
) -> Result<(), DbErr> {
    for row in ended {
        let client = Client {
            network: Network::kept(row.try_get("", "network")?),
            user_agent: row.try_get("", "user_agent")?,
        };
        let account = AccountId::from_uuid(row.try_get("", "account_id")?);
        audit::note(tx, Some(account), incident, &client, now).await?;
    }
    Ok(())
}

async fn insert_token(
    tx: &Tx,
    token: &TokenHash,
    session: SessionId,
    now: Timestamp,
    expires: Timestamp,
) -> Result<(), DbErr> {
    let sql = "INSERT INTO refresh_tokens (hash, session_id, created, expires) VALUES ($1, $2, $3, $4)";
    let values = [token.to_vec().into(), session.as_uuid().into(), now.into(), expires.into()];
    execute(&**tx, sql, values).await.map(drop)
}

async fn end_beyond_limit(tx: &Tx, account: AccountId, now: Timestamp) -> Result<(), DbErr> {
    let sql = "UPDATE sessions SET ended = $2 WHERE id IN (
                   SELECT id FROM (
                       SELECT id, ROW_NUMBER() OVER (ORDER BY refreshed DESC, id DESC) AS place
                       FROM sessions WHERE account_id = $1 AND ended IS NULL
                   ) AS placed WHERE place > $3)";
    execute(&**tx, sql, [account.as_uuid().into(), now.into(), SESSIONS_MAX.into()]).await.map(drop)
}

fn read_candidate(row: &sea_orm::QueryResult) -> Result<Candidate, DbErr> {
    Ok(Candidate {
        account: AccountId::from_uuid(row.try_get("", "id")?),
        password_hash: row.try_get("", "password_hash")?,
        familiar: row.try_get("", "familiar")?,
    })
}
