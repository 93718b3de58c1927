//! Rows, and how they turn into reviews.

use kit::Id;
use sea_orm::DbErr;

use crate::domain::{Opinion, Rating, Review, State, Summary};

pub mod review {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "reviews")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub product_id: Uuid,
        pub account_id: Option<Uuid>,
        pub external_id: Option<String>,
        pub author_name: String,
        pub rating: i32,
        pub title: String,
        pub body: String,
        pub state: String,
        pub verified: bool,
        pub helpful: i64,
        pub unhelpful: i64,
        pub reports: i64,
        pub rejection: Option<String>,
        pub created: ChronoDateTimeUtc,
        pub updated: ChronoDateTimeUtc,
        pub version: i64,
        pub event_version: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod summary {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "summaries")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub product_id: Uuid,
        pub stars1: i64,
        pub stars2: i64,
        pub stars3: i64,
        pub stars4: i64,
        pub stars5: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl review::Model {
    pub fn of(review: Review, external_id: Option<String>, event_version: i64) -> Self {
        Self {
            id: review.id.as_uuid(),
            product_id: review.product.as_uuid(),
            account_id: review.author.map(|account| account.as_uuid()),
            external_id,
            author_name: review.author_name,
            rating: review.opinion.rating.stars().into(),
            title: review.opinion.title,
            body: review.opinion.body,
            state: review.state.as_str().to_owned(),
            verified: review.verified,
            helpful: review.helpful,
            unhelpful: review.unhelpful,
            reports: review.reports,
            rejection: review.rejection,
            created: review.created,
            updated: review.updated,
            version: review.version,
            event_version,
        }
    }

    /// The review of a row. A state or rating that no review can have means that somebody else wrote the table.
    pub fn review(self) -> Result<Review, DbErr> {
        let malformed = || DbErr::Type(format!("review {} is malformed", self.id));
        let rating = Rating::new(self.rating.into()).ok_or_else(malformed)?;
        let state = State::named(&self.state).ok_or_else(malformed)?;
        Ok(Review {
            id: Id::from_uuid(self.id),
            product: Id::from_uuid(self.product_id),
            author: self.account_id.map(Id::from_uuid),
            author_name: self.author_name,
            opinion: Opinion { rating, title: self.title, body: self.body },
            state,
            verified: self.verified,
            helpful: self.helpful,
            unhelpful: self.unhelpful,
            reports: self.reports,
            rejection: self.rejection,
            created: self.created,
            updated: self.updated,
            version: self.version,
        })
    }
}

impl From<summary::Model> for Summary {
    fn from(row: summary::Model) -> Self {
        Self { histogram: [row.stars1, row.stars2, row.stars3, row.stars4, row.stars5] }
    }
}
