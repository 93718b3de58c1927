//! Signing keys: the public halves, and the salts that the private ones follow from.

use kit::{Listed, Page, PageError, Timestamp, execute};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::Store;
use super::entity::signing_key::{Column, Entity};
use crate::domain::key::{Key, Planned};
use crate::error::Error;

/// A key that was just made, and those that it follows.
pub struct NewKey<'a> {
    pub id: &'a str,
    pub salt: &'a [u8],
    pub public: &'a [u8],
    pub planned: Planned,
    pub predecessors: Vec<String>,
}

impl Store {
    /// Every key that is kept, the oldest first.
    pub async fn keys(&self) -> Result<Vec<Key>, Error> {
        let rows = Entity::find().order_by_asc(Column::Generation).all(self.database.read()).await?;
        Ok(rows.into_iter().map(Key::from).collect())
    }

    /// Those that are published, the newest first.
    pub async fn published_keys(&self, page: &Page, now: Timestamp) -> Result<Listed<Key>, Error> {
        let mut select = Entity::find()
            .filter(Column::NotAfter.gt(now))
            .order_by_desc(Column::Generation)
            .limit(page.fetch_limit());
        match page.after.as_deref() {
            None => {}
            Some([generation]) => {
                let generation: i64 = generation.parse().map_err(|_| PageError::Token)?;
                select = select.filter(Column::Generation.lt(generation));
            }
            Some(_) => return Err(PageError::Token.into()),
        }
        let rows = select.all(self.database.read()).await?;
        let keys = rows.into_iter().map(Key::from).collect();
        Ok(page.listed(keys, |key: &Key| vec![key.generation.to_string()]))
    }

    /// Publishes a key, unless another process made one of the same generation; retires those before it and forgets
    /// those that are over.
    pub async fn publish_key(&self, key: NewKey<'_>, now: Timestamp) -> Result<(), Error> {
        let Planned { generation, active_from, not_after, predecessors_until } = key.planned;
        let tx = self.database.begin().await?;
        let sql = "INSERT INTO signing_keys (id, generation, salt, public_key, active_from, not_after)
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (generation) DO NOTHING";
        let values = [
            key.id.into(),
            generation.into(),
            key.salt.to_vec().into(),
            key.public.to_vec().into(),
            active_from.into(),
            not_after.into(),
        ];
        if execute(&*tx, sql, values).await? == 0 {
            return Ok(());
        }
        for id in key.predecessors {
            let sql = "UPDATE signing_keys SET not_after = $2 WHERE id = $1 AND not_after > $2";
            execute(&*tx, sql, [id.into(), predecessors_until.into()]).await?;
        }
        execute(&*tx, "DELETE FROM signing_keys WHERE not_after < $1", [now.into()]).await?;
        tx.commit().await?;
        Ok(())
    }
}
