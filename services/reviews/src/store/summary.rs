//! The figures per product, moved in the transaction of what moves them and never recounted.

use std::collections::HashMap;

use kit::{IDS_PER_STATEMENT_MAX, Tx, execute};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use super::entity::summary;
use super::{ProductId, Rating, Store};
use crate::domain::Summary;

impl Store {
    /// Summaries in the order asked; a product without reviews has an empty one.
    pub async fn summaries(&self, products: &[ProductId]) -> Result<Vec<Summary>, DbErr> {
        read(self.database.read(), products).await
    }
}

pub async fn read(on: &impl ConnectionTrait, products: &[ProductId]) -> Result<Vec<Summary>, DbErr> {
    let mut found = HashMap::with_capacity(products.len());
    for some in products.chunks(IDS_PER_STATEMENT_MAX) {
        let ids = some.iter().map(|product| product.as_uuid());
        let rows = summary::Entity::find().filter(summary::Column::ProductId.is_in(ids)).all(on).await?;
        found.extend(rows.into_iter().map(|row| (row.product_id, Summary::from(row))));
    }
    let of = |product: &ProductId| found.get(&product.as_uuid()).copied().unwrap_or_default();
    Ok(products.iter().map(of).collect())
}

/// One rating goes and another comes; either may be none.
pub async fn shift(
    tx: &Tx,
    product: ProductId,
    gone: Option<Rating>,
    come: Option<Rating>,
) -> Result<(), DbErr> {
    if gone == come {
        return Ok(());
    }
    let change = |stars: u8| {
        let counts = |rating: Option<Rating>| i64::from(rating.is_some_and(|rating| rating.stars() == stars));
        counts(come) - counts(gone)
    };
    execute(
        &**tx,
        "INSERT INTO summaries (product_id, stars1, stars2, stars3, stars4, stars5) VALUES ($1, 0, 0, 0, 0, 0)
         ON CONFLICT DO NOTHING",
        [product.as_uuid().into()],
    )
    .await?;
    execute(
        &**tx,
        "UPDATE summaries SET stars1 = stars1 + $2, stars2 = stars2 + $3, stars3 = stars3 + $4,
            stars4 = stars4 + $5, stars5 = stars5 + $6
         WHERE product_id = $1",
        [
            product.as_uuid().into(),
            change(1).into(),
            change(2).into(),
            change(3).into(),
            change(4).into(),
            change(5).into(),
        ],
    )
    .await
    .map(drop)
}
