//! A transaction that announces its commit.

use std::ops::Deref;

use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use tokio::sync::watch;

/// A transaction. Dropped without commit, it is rolled back, so an early return leaves nothing half-done.
pub struct Tx {
    inner: DatabaseTransaction,
    changes: watch::Sender<u64>,
}

impl Tx {
    pub(super) fn new(inner: DatabaseTransaction, changes: watch::Sender<u64>) -> Self {
        Self { inner, changes }
    }

    /// Makes all of it permanent, then wakes whoever listens to [`Database::changes`](super::Database::changes).
    pub async fn commit(self) -> Result<(), DbErr> {
        // Announced even if this future is dropped half-way: the store may have committed all the same,
        // and a wake-up too many costs one read.
        let _announcement = Announcement(self.changes);
        self.inner.commit().await
    }

    /// Waits for whoever took a turn of this name with a lock that this one does not go with, and keeps them off until the
    /// transaction ends. On SQLite whoever writes is alone anyway.
    pub async fn take_turn(&self, name: &str, lock: &str) -> Result<(), DbErr> {
        if self.get_database_backend() == DbBackend::Postgres {
            super::query(self, &format!("SELECT {lock}(hashtextextended($1, 0))"), [name.into()]).await?;
        }
        Ok(())
    }
}

impl Deref for Tx {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.inner
    }
}

#[async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.inner.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.inner.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.inner.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.inner.query_all_raw(statement).await
    }
}

struct Announcement(watch::Sender<u64>);

impl Drop for Announcement {
    fn drop(&mut self) {
        self.0.send_modify(|commits| *commits = commits.wrapping_add(1));
    }
}
