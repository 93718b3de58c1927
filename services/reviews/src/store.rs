//! The only file that knows the tables. Who may see a row is part of each query, so it cannot be forgotten.

pub mod entity;
mod erasure;
mod list;
pub mod migration;
mod summary;
mod votes;

use kit::outbox::{self, Event as News};
use kit::{Database, Id, Once, RequestKey, Timestamp, Tx, erased, execute, inbox};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter};

use self::entity::review;
use self::erasure::refuse_erased;
use crate::domain::{AccountId, Event, Imported, ProductId, Rating, Review, ReviewId};
use crate::error::Error;
use crate::events;

pub use list::Filter;

/// A change that lost the race against another one is decided again on what is there now, so often.
const DECISIONS_MAX: usize = 5;

/// Whose eyes are looking.
#[derive(Clone, Copy, Debug)]
pub enum Viewer {
    /// Sees what is approved, and everything of one's own.
    Account(AccountId),
    /// Sees what is approved.
    Anybody,
    /// Sees everything.
    Moderator,
}

/// Somebody signed in, before a review of somebody else.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    pub account: AccountId,
    pub viewer: Viewer,
}

#[derive(Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Inserts a new review. An account that has one of this product already is told which.
    pub async fn insert(&self, key: &RequestKey, review: Review) -> Result<Review, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<review::Model>()?.review()?),
            Once::First(tx) => tx,
        };
        if let Some(account) = review.author {
            refuse_erased(&tx, account).await?;
        }
        let verified = self.has_bought(&tx, &review).await?;
        let row = review::Model::of(Review { verified, ..review }, None, 1);
        let inserting = review::Entity::insert(row.clone().into_active_model())
            .on_conflict(OnConflict::new().do_nothing().to_owned());
        if inserting.exec_without_returning(&*tx).await? == 0 {
            return Err(self.already_reviewed(&tx, &row).await?);
        }
        outbox::append(&tx, &events::news(&row.clone().review()?, Event::Submitted, 1, None)).await?;
        tx.keep(&row).await?;
        tx.commit().await?;
        Ok(row.review()?)
    }

    /// Loads the review as the viewer may see it, lets `decide` change it, and saves it with its events and its
    /// product's summary. With an etag, exactly the version that was read is changed.
    pub async fn update(
        &self,
        key: &RequestKey,
        id: ReviewId,
        viewer: Viewer,
        etag: Option<i64>,
        decide: impl Fn(&mut Review) -> Result<Vec<Event>, Error>,
    ) -> Result<Review, Error> {
        for _ in 0..DECISIONS_MAX {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(answer) => return Ok(answer.rows::<review::Model>()?.review()?),
                Once::First(tx) => tx,
            };
            if let Viewer::Account(account) = viewer {
                refuse_erased(&tx, account).await?;
            }
            let row = self.find_in(&tx, id, viewer).await?;
            if etag.is_some_and(|etag| etag != row.version) {
                return Err(Error::Conflict);
            }
            if let Some(row) = change(&tx, row, &decide).await? {
                tx.keep(&row).await?;
                tx.commit().await?;
                return Ok(row.review()?);
            }
        }
        Err(Error::Conflict)
    }

    /// Removes a review of the account's own.
    pub async fn delete(&self, key: &RequestKey, id: ReviewId, author: AccountId) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        let row = self.find_in(&tx, id, Viewer::Account(author)).await?;
        if row.account_id != Some(author.as_uuid()) {
            return Err(Error::NotFound(id));
        }
        let review = row.clone().review()?;
        let gone = execute(
            &*tx,
            "DELETE FROM reviews WHERE id = $1 AND version = $2",
            [row.id.into(), row.version.into()],
        );
        if gone.await? == 0 {
            return Err(Error::Conflict);
        }
        summary::shift(&tx, review.product, review.counts(), None).await?;
        let last = review.clone();
        announce(&tx, &last, row.event_version, review.delete()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Notes the account's complaint, once; `decide` hears of the first.
    pub async fn report(
        &self,
        key: &RequestKey,
        id: ReviewId,
        Reader { account, viewer }: Reader,
        complaint: &str,
        now: Timestamp,
        decide: impl Fn(&mut Review) -> Result<Vec<Event>, Error>,
    ) -> Result<(), Error> {
        for _ in 0..DECISIONS_MAX {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(_) => return Ok(()),
                Once::First(tx) => tx,
            };
            refuse_erased(&tx, account).await?;
            let row = self.find_in(&tx, id, viewer).await?;
            row.clone().review()?.admits_reader(account)?;
            let values = [id.as_uuid().into(), account.as_uuid().into(), complaint.into(), now.into()];
            let noted = execute(
                &*tx,
                "INSERT INTO reports (review_id, account_id, complaint, reported) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (review_id, account_id) DO NOTHING",
                values,
            );
            let first = noted.await? == 1;
            if !first || change(&tx, row, &decide).await?.is_some() {
                tx.commit().await?;
                return Ok(());
            }
        }
        Err(Error::Conflict)
    }

    /// Takes reviews from elsewhere; says how many were new.
    pub async fn import(&self, key: &RequestKey, mut reviews: Vec<Imported>) -> Result<u64, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows()?),
            Once::First(tx) => tx,
        };
        // Others may import the same at this moment: in one order nobody waits for who waits for him.
        reviews.sort_by(|one, other| {
            (one.review.product, &one.external_id).cmp(&(other.review.product, &other.external_id))
        });
        let mut created: u64 = 0;
        for Imported { external_id, review } in reviews {
            let row = review::Model::of(review, Some(external_id), 1);
            let inserting = review::Entity::insert(row.clone().into_active_model())
                .on_conflict(OnConflict::column(review::Column::ExternalId).do_nothing().to_owned());
            if inserting.exec_without_returning(&*tx).await? == 0 {
                continue;
            }
            let review = row.review()?;
            summary::shift(&tx, review.product, None, review.counts()).await?;
            announce(&tx, &review, 0, vec![Event::Published]).await?;
            created = created.saturating_add(1);
        }
        tx.keep(&created).await?;
        tx.commit().await?;
        Ok(created)
    }

    /// Learns, once per event, that an account has received products. Reviews it wrote before become verified.
    pub async fn note_purchases(
        &self,
        reader: &str,
        event: Id<News>,
        account: AccountId,
        products: &[ProductId],
    ) -> Result<(), DbErr> {
        let tx = self.database.begin().await?;
        if !inbox::first_time(&tx, reader, event).await? {
            return Ok(());
        }
        // A review that is being written at this moment knows nothing of the purchase, nor this of the review: whoever
        // comes second waits.
        tx.take_turn(&account.to_string(), "pg_advisory_xact_lock").await?;
        if erased::is_noted(&tx, account).await? {
            return tx.commit().await;
        }
        for product in products {
            let pair = || [account.as_uuid().into(), product.as_uuid().into()];
            execute(
                &*tx,
                "INSERT INTO purchases (account_id, product_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                pair(),
            )
            .await?;
            execute(
                &*tx,
                "UPDATE reviews SET verified = TRUE WHERE account_id = $1 AND product_id = $2",
                pair(),
            )
            .await?;
        }
        tx.commit().await
    }

    async fn find_in(&self, tx: &Tx, id: ReviewId, viewer: Viewer) -> Result<review::Model, Error> {
        review::Entity::find_by_id(id.as_uuid())
            .filter(list::seen_by(viewer))
            .one(&**tx)
            .await?
            .ok_or(Error::NotFound(id))
    }

    /// Which review of the pair stands in the way of another.
    async fn already_reviewed(&self, tx: &Tx, row: &review::Model) -> Result<Error, DbErr> {
        let of_the_pair = review::Entity::find()
            .filter(review::Column::AccountId.eq(row.account_id))
            .filter(review::Column::ProductId.eq(row.product_id));
        let earlier = of_the_pair.one(&**tx).await?;
        Ok(earlier.map_or(Error::Conflict, |earlier| Error::AlreadyReviewed(Id::from_uuid(earlier.id))))
    }

    async fn has_bought(&self, tx: &Tx, review: &Review) -> Result<bool, DbErr> {
        let Some(account) = review.author else {
            return Ok(review.verified);
        };
        let found = kit::query(
            &**tx,
            "SELECT 1 FROM purchases WHERE account_id = $1 AND product_id = $2",
            [account.as_uuid().into(), review.product.as_uuid().into()],
        );
        Ok(!found.await?.is_empty())
    }
}

/// Applies a decision to a row; nothing when another change came in between.
async fn change(
    tx: &Tx,
    row: review::Model,
    decide: impl Fn(&mut Review) -> Result<Vec<Event>, Error>,
) -> Result<Option<review::Model>, Error> {
    let before = row.clone().review()?;
    let mut review = before.clone();
    let events = decide(&mut review)?;
    let event_version = row.event_version.saturating_add(i64::try_from(events.len()).unwrap_or(0));
    let saved = execute(
        &**tx,
        "UPDATE reviews SET rating = $3, title = $4, body = $5, state = $6, reports = $7, rejection = $8,
            updated = $9, version = $10, event_version = $11
         WHERE id = $1 AND version = $2 AND reports = $12",
        [
            row.id.into(),
            before.version.into(),
            i32::from(review.opinion.rating.stars()).into(),
            review.opinion.title.clone().into(),
            review.opinion.body.clone().into(),
            review.state.as_str().into(),
            review.reports.into(),
            review.rejection.clone().into(),
            review.updated.into(),
            review.version.into(),
            event_version.into(),
            before.reports.into(),
        ],
    );
    if saved.await? == 0 {
        return Ok(None);
    }
    summary::shift(tx, review.product, before.counts(), review.counts()).await?;
    announce(tx, &review, row.event_version, events).await?;
    Ok(Some(review::Model::of(review, row.external_id, event_version)))
}

/// Writes the events of a change, numbered on from the last one.
async fn announce(tx: &Tx, review: &Review, last: i64, events: Vec<Event>) -> Result<(), DbErr> {
    let summary = summary::read(&**tx, &[review.product]).await?.into_iter().next();
    for (version, event) in (last.saturating_add(1)..).zip(events) {
        outbox::append(tx, &events::news(review, event, version, summary)).await?;
    }
    Ok(())
}
