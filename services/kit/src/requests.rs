//! Kept answers: a request that comes twice has one effect and one answer.
//!
//! The answer is a row in the transaction of the effect, so there is never one without the other. A request
//! that is refused rolls both back: its key is not burnt, and the same request may succeed later.

mod running;

use std::ops::Deref;
use std::time::Duration;

use prost::Message;
use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::database::{Database, Tx, execute, is_lock_timeout, query};
use crate::id::Id;
use crate::time::Clock;

pub(crate) use running::Running;
use running::Turn;

/// A repeated request waits so long for the first to finish.
pub(crate) const REQUEST_WAIT_MAX: Duration = Duration::from_secs(2);

const PRINCIPAL_LENGTH_MAX: usize = 255;
const REQUEST_ID_LENGTH_MIN: usize = 8;
const REQUEST_ID_LENGTH_MAX: usize = 255;

/// Names one request of one principal, and remembers what it said.
#[derive(Clone, Debug)]
pub struct RequestKey {
    /// Within whom ids are told apart.
    pub principal: String,
    /// The id.
    pub request_id: String,
    method: &'static str,
    /// The hash of the payload.
    pub fingerprint: Vec<u8>,
    lasting: bool,
}

/// Whether a request is the first of its key.
pub enum Once {
    /// It is: have the effect in this transaction and keep the answer.
    First(OnceTx),
    /// It is not: answer the same again.
    Kept(KeptAnswer),
}

/// The transaction of a first request. What is kept and what is done commit together.
pub struct OnceTx {
    // Before the turn, so that the rollback is on its way when the next in line wakes.
    tx: Tx,
    key: RequestKey,
    _turn: Turn,
}

/// What was answered when the request came first.
#[derive(Clone, Debug)]
pub struct KeptAnswer {
    json: String,
}

/// Why a request cannot be had once.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The key itself is unusable.
    #[error("request_id must be 8 to 255 visible ASCII characters")]
    Invalid,
    /// The key came before with another payload. Nothing was done.
    #[error("this request_id was used for another request")]
    Reused,
    /// The same request is running at this moment. Asking again later gives its answer.
    #[error("the same request is still running")]
    InProgress,
    /// The store failed.
    #[error("the kept answers cannot be reached")]
    Storage(#[from] DbErr),
}

impl RequestKey {
    /// The key of a request: who asks, for what, under which id, with which payload.
    pub fn new<M: Message>(
        principal: &str,
        method: &'static str,
        request_id: &str,
        message: &M,
    ) -> Result<RequestKey, RequestError> {
        let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let lengths = REQUEST_ID_LENGTH_MIN..=REQUEST_ID_LENGTH_MAX;
        if !lengths.contains(&request_id.len()) || !visible(request_id) {
            return Err(RequestError::Invalid);
        }
        if principal.is_empty() || principal.len() > PRINCIPAL_LENGTH_MAX || !visible(principal) {
            return Err(RequestError::Invalid);
        }

        let mut hash = Sha256::new();
        hash.update(method);
        hash.update([0]);
        hash.update(message.encode_to_vec());
        Ok(RequestKey {
            principal: principal.to_owned(),
            request_id: request_id.to_owned(),
            method,
            fingerprint: hash.finalize().to_vec(),
            lasting: false,
        })
    }

    /// Keeps the answer for as long as the thing itself: for checkout, payment and refund.
    pub fn lasting(self) -> RequestKey {
        RequestKey { lasting: true, ..self }
    }
}

impl OnceTx {
    /// Keeps the answer, in this transaction. Without it an empty answer is kept (JSON's null).
    pub async fn keep<T: Serialize + Sync>(&self, answer: &T) -> Result<(), DbErr> {
        let json = serde_json::to_string(answer).map_err(|error| DbErr::Json(error.to_string()))?;
        let sql = "UPDATE requests SET answer = $3 WHERE principal = $1 AND request_id = $2";
        let key = [self.key.principal.clone().into(), self.key.request_id.clone().into(), json.into()];
        match execute(&self.tx, sql, key).await? {
            1 => Ok(()),
            _ => Err(DbErr::RecordNotUpdated),
        }
    }

    /// Makes the effect and its answer permanent together.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.tx.commit().await
    }
}

impl Deref for OnceTx {
    type Target = Tx;

    fn deref(&self) -> &Tx {
        &self.tx
    }
}

impl KeptAnswer {
    /// The answer as it was kept.
    pub fn rows<T: DeserializeOwned>(&self) -> Result<T, DbErr> {
        serde_json::from_str(&self.json).map_err(|error| DbErr::Json(error.to_string()))
    }
}

pub(crate) async fn begin(
    database: &Database,
    running: &Running,
    key: &RequestKey,
) -> Result<Once, RequestError> {
    // Within this process a repeated request waits here, where it holds neither SQLite's writer nor a connection.
    let turn = running.turn(&key.principal, &key.request_id, REQUEST_WAIT_MAX).await;
    let turn = turn.ok_or(RequestError::InProgress)?;
    let tx = database.begin().await?;
    if claim(&tx, key).await? {
        return Ok(Once::First(OnceTx { tx, key: key.clone(), _turn: turn }));
    }
    // Gone again means forgotten between the two statements; asked again it will be the first.
    find(&tx, key).await?.map(Once::Kept).ok_or(RequestError::InProgress)
}

/// Writes the row of a first request; false when there is one already. On PostgreSQL it waits for another
/// process that holds the same key, as long as `lock_timeout` allows.
async fn claim(tx: &Tx, key: &RequestKey) -> Result<bool, RequestError> {
    let sql = "INSERT INTO requests (principal, request_id, method, fingerprint, answer, lasting, created) \
               VALUES ($1, $2, $3, $4, 'null', $5, $6) ON CONFLICT (principal, request_id) DO NOTHING";
    let values = [
        key.principal.clone().into(),
        key.request_id.clone().into(),
        key.method.into(),
        key.fingerprint.clone().into(),
        key.lasting.into(),
        // The machine's time, whatever clock the service was given: only the age of the row hangs on it.
        Clock::system().now().into(),
    ];
    match execute(tx, sql, values).await {
        Ok(rows) => Ok(rows == 1),
        Err(error) if is_lock_timeout(&error) => Err(RequestError::InProgress),
        Err(error) => Err(error.into()),
    }
}

/// What was answered when the request came before, if it did.
pub(crate) async fn find(
    on: &impl ConnectionTrait,
    key: &RequestKey,
) -> Result<Option<KeptAnswer>, RequestError> {
    let sql = "SELECT fingerprint, answer FROM requests WHERE principal = $1 AND request_id = $2";
    let values = [key.principal.clone().into(), key.request_id.clone().into()];
    let rows = query(on, sql, values).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    match row.try_get::<Vec<u8>>("", "fingerprint")? == key.fingerprint {
        true => Ok(Some(KeptAnswer { json: row.try_get("", "answer")? })),
        false => Err(RequestError::Reused),
    }
}

/// Forgets every answer that names an account or was given to it, in the transaction that forgets the person. A request
/// without an answer stays known: it holds nothing, and may come again. It reads all kept answers, so it is for what
/// happens rarely.
pub async fn forget<T>(tx: &Tx, account: Id<T>) -> Result<u64, DbErr> {
    let sql = "DELETE FROM requests WHERE answer <> 'null' AND (answer LIKE $1 OR principal LIKE $1)";
    execute(tx, sql, [format!("%{account}%").into()]).await
}
