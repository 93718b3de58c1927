//! Reading reviews: by id, in lists, and the first few of many products at once.

use std::collections::HashMap;

use kit::{Cursor, IDS_PER_STATEMENT_MAX, Listed, Page, PageError, query};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, FromQueryResult, Order as Direction, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::entity::review::{self, Column, Entity};
use super::{Store, Viewer};
use crate::domain::{AccountId, Order, ProductId, Rating, Review, ReviewId, State};
use crate::error::Error;

/// Which reviews are read; all that is set must hold.
#[derive(Clone, Debug)]
pub struct Filter {
    pub viewer: Viewer,
    pub product: Option<ProductId>,
    pub author: Option<AccountId>,
    pub state: Option<State>,
    pub rating: Option<Rating>,
}

/// What a viewer may see, as part of a query.
pub fn seen_by(viewer: Viewer) -> Condition {
    let approved = Column::State.eq(State::Approved.as_str());
    match viewer {
        Viewer::Moderator => Condition::all(),
        Viewer::Anybody => Condition::all().add(approved),
        Viewer::Account(account) => {
            Condition::any().add(approved).add(Column::AccountId.eq(account.as_uuid()))
        }
    }
}

impl Store {
    /// Those that the viewer may see, by id.
    pub async fn find_many(
        &self,
        ids: &[ReviewId],
        viewer: Viewer,
    ) -> Result<HashMap<ReviewId, Review>, DbErr> {
        let mut found = HashMap::with_capacity(ids.len());
        for some in ids.chunks(IDS_PER_STATEMENT_MAX) {
            let rows = Entity::find()
                .filter(Column::Id.is_in(some.iter().map(|id| id.as_uuid())))
                .filter(seen_by(viewer))
                .all(self.database.read())
                .await?;
            for row in rows {
                let review = row.review()?;
                found.insert(review.id, review);
            }
        }
        Ok(found)
    }

    pub async fn page(&self, filter: &Filter, order: Order, page: &Page) -> Result<Listed<Review>, Error> {
        let mut select = Entity::find().filter(seen_by(filter.viewer)).limit(page.fetch_limit());
        if let Some(product) = filter.product {
            select = select.filter(Column::ProductId.eq(product.as_uuid()));
        }
        if let Some(author) = filter.author {
            select = select.filter(Column::AccountId.eq(author.as_uuid()));
        }
        if let Some(state) = filter.state {
            select = select.filter(Column::State.eq(state.as_str()));
        }
        if let Some(rating) = filter.rating {
            select = select.filter(Column::Rating.eq(i32::from(rating.stars())));
        }
        if let Some(after) = &page.after {
            select = select.filter(order.after(after)?);
        }
        for (column, direction) in order.columns() {
            select = select.order_by(column, direction);
        }
        let rows = select.all(self.database.read()).await?;
        let reviews = rows.into_iter().map(review::Model::review).collect::<Result<Vec<_>, _>>()?;
        Ok(page.listed(reviews, |review| order.keys(review)))
    }

    /// The first approved reviews of each product, at most `each` and one more, which tells that there are more.
    pub async fn first_of_each(
        &self,
        products: &[ProductId],
        each: u64,
        order: Order,
    ) -> Result<HashMap<ProductId, Vec<Review>>, DbErr> {
        if products.is_empty() {
            return Ok(HashMap::new());
        }
        // Each product's first few come from the index of the order; numbering all rows by a window would read them all.
        let arms = (0..products.len()).map(|number| {
            format!(
                "SELECT * FROM (SELECT * FROM reviews WHERE product_id = ${} AND state = 'approved' \
                 ORDER BY {} LIMIT {}) AS p{number}",
                number + 1,
                order.sql(),
                each.saturating_add(1)
            )
        });
        let sql = arms.collect::<Vec<_>>().join(" UNION ALL ");
        let values = products.iter().map(|product| product.as_uuid().into());
        let mut found: HashMap<ProductId, Vec<Review>> = HashMap::with_capacity(products.len());
        for row in query(self.database.read(), &sql, values).await? {
            let review = review::Model::from_query_result(&row, "")?.review()?;
            found.entry(review.product).or_default().push(review);
        }
        Ok(found)
    }
}

impl Order {
    /// The sort keys of a review, as page tokens carry them.
    pub fn keys(self, review: &Review) -> Cursor {
        let tie = [review.created.to_rfc3339(), review.id.to_string()];
        match self {
            Order::Newest => tie.to_vec(),
            Order::Helpful => [vec![review.helpful.to_string()], tie.to_vec()].concat(),
            Order::RatingHigh | Order::RatingLow => {
                [vec![review.opinion.rating.stars().to_string()], tie.to_vec()].concat()
            }
        }
    }

    fn columns(self) -> Vec<(Column, Direction)> {
        let tie = [(Column::Created, Direction::Desc), (Column::Id, Direction::Desc)];
        let first = match self {
            Order::Newest => None,
            Order::Helpful => Some((Column::Helpful, Direction::Desc)),
            Order::RatingHigh => Some((Column::Rating, Direction::Desc)),
            Order::RatingLow => Some((Column::Rating, Direction::Asc)),
        };
        first.into_iter().chain(tie).collect()
    }

    fn sql(self) -> &'static str {
        match self {
            Order::Newest => "created DESC, id DESC",
            Order::Helpful => "helpful DESC, created DESC, id DESC",
            Order::RatingHigh => "rating DESC, created DESC, id DESC",
            Order::RatingLow => "rating ASC, created DESC, id DESC",
        }
    }

    /// What comes after the review with these keys.
    fn after(self, keys: &Cursor) -> Result<Condition, PageError> {
        let (first, tie) = match (self, keys.as_slice()) {
            (Order::Newest, [created, id]) => (None, (created, id)),
            (Order::Helpful, [helpful, created, id]) => (Some((Column::Helpful, helpful)), (created, id)),
            (Order::RatingHigh | Order::RatingLow, [rating, created, id]) => {
                (Some((Column::Rating, rating)), (created, id))
            }
            _ => return Err(PageError::Token),
        };
        let created = chrono::DateTime::parse_from_rfc3339(tie.0)
            .map_err(|_| PageError::Token)?
            .with_timezone(&chrono::Utc);
        let id: Uuid = tie.1.parse().map_err(|_| PageError::Token)?;
        let older = Condition::any()
            .add(Column::Created.lt(created))
            .add(Condition::all().add(Column::Created.eq(created)).add(Column::Id.lt(id)));
        let Some((column, value)) = first else {
            return Ok(older);
        };
        let value: i64 = value.parse().map_err(|_| PageError::Token)?;
        let column = Expr::col(column);
        let beyond = match self {
            Order::RatingLow => column.clone().gt(value),
            Order::Helpful | Order::Newest | Order::RatingHigh => column.clone().lt(value),
        };
        Ok(Condition::any().add(beyond).add(Condition::all().add(column.eq(value)).add(older)))
    }
}
