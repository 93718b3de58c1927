//! Who found a review helpful: a row for each vote, and the two counts, which are moved with it and never recounted,
//! since a review that was imported brings a count without rows.

use kit::{Once, RequestKey, Tx, execute, query};
use sea_orm::sea_query::LockType;
use sea_orm::{DbErr, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::entity::review;
use super::erasure::refuse_erased;
use super::{Reader, Store, list};
use crate::domain::{Review, ReviewId};
use crate::error::Error;

impl Store {
    /// Counts the account's vote; its earlier one, if any, no longer counts.
    pub async fn vote(
        &self,
        key: &RequestKey,
        id: ReviewId,
        Reader { account, viewer }: Reader,
        helpful: bool,
    ) -> Result<Review, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<review::Model>()?.review()?),
            Once::First(tx) => tx,
        };
        refuse_erased(&tx, account).await?;
        // Votes on a review take turns: each must know which one it replaces.
        let seen = review::Entity::find_by_id(id.as_uuid()).filter(list::seen_by(viewer));
        let review = seen.lock(LockType::NoKeyUpdate).one(&**tx).await?.ok_or(Error::NotFound(id))?;
        review.review()?.admits_reader(account)?;
        let whose = || [id.as_uuid().into(), account.as_uuid().into()];
        let sql = "SELECT helpful FROM votes WHERE review_id = $1 AND account_id = $2";
        let earlier = query(&**tx, sql, whose()).await?;
        let earlier = earlier.first().map(|row| row.try_get("", "helpful")).transpose()?;
        let [review, account] = whose();
        execute(
            &**tx,
            "INSERT INTO votes (review_id, account_id, helpful) VALUES ($1, $2, $3)
             ON CONFLICT (review_id, account_id) DO UPDATE SET helpful = excluded.helpful",
            [review, account, helpful.into()],
        )
        .await?;
        shift(&tx, id.as_uuid(), earlier, Some(helpful)).await?;
        let row = self.find_in(&tx, id, viewer).await?;
        tx.keep(&row).await?;
        tx.commit().await?;
        Ok(row.review()?)
    }
}

/// One vote on a review goes and another comes; either may be none.
pub async fn shift(tx: &Tx, review: Uuid, gone: Option<bool>, come: Option<bool>) -> Result<(), DbErr> {
    let change = |of: bool| i64::from(come == Some(of)) - i64::from(gone == Some(of));
    execute(
        &**tx,
        "UPDATE reviews SET helpful = helpful + $2, unhelpful = unhelpful + $3 WHERE id = $1",
        [review.into(), change(true).into(), change(false).into()],
    )
    .await
    .map(drop)
}
