//! Rows, and how they turn into carts.

use kit::{Id, Money, Timestamp};
use sea_orm::{DbErr, FromQueryResult};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{Cart, Line};

/// A cart without its lines. Who holds its token is not read: that is a condition of the query.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult, Serialize, Deserialize)]
pub struct CartRow {
    pub id: Uuid,
    pub account_id: Option<Uuid>,
    pub currency: String,
    pub country: String,
    /// A list, as JSON.
    pub codes: String,
    pub version: i64,
    pub created: Timestamp,
    pub updated: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult, Serialize, Deserialize)]
pub struct LineRow {
    pub line_id: Uuid,
    pub variant_id: Uuid,
    pub product_id: Uuid,
    pub sku: String,
    pub quantity: i64,
    /// In minor units of the cart's currency.
    pub seen_price: i64,
}

impl CartRow {
    pub fn cart(self, lines: Vec<LineRow>) -> Result<Cart, DbErr> {
        let malformed = || DbErr::Type(format!("cart {} is malformed", self.id));
        let currency = self.currency.parse().map_err(|_| malformed())?;
        let line = |row: LineRow| Line {
            id: Id::from_uuid(row.line_id),
            variant: Id::from_uuid(row.variant_id),
            product: Id::from_uuid(row.product_id),
            sku: row.sku,
            quantity: row.quantity,
            seen_price: Money::new(currency, row.seen_price),
        };
        Ok(Cart {
            id: Id::from_uuid(self.id),
            account: self.account_id.map(Id::from_uuid),
            currency,
            codes: serde_json::from_str(&self.codes).map_err(|_| malformed())?,
            country: self.country,
            lines: lines.into_iter().map(line).collect(),
            version: self.version,
            created: self.created,
            updated: self.updated,
        })
    }
}

impl TryFrom<&Cart> for CartRow {
    type Error = DbErr;

    fn try_from(cart: &Cart) -> Result<Self, DbErr> {
        Ok(Self {
            id: cart.id.as_uuid(),
            account_id: cart.account.map(|account| account.as_uuid()),
            currency: cart.currency.as_str().to_owned(),
            country: cart.country.clone(),
            codes: serde_json::to_string(&cart.codes).map_err(|error| DbErr::Json(error.to_string()))?,
            version: cart.version,
            created: cart.created,
            updated: cart.updated,
        })
    }
}

impl From<&Line> for LineRow {
    fn from(line: &Line) -> Self {
        Self {
            line_id: line.id.as_uuid(),
            variant_id: line.variant.as_uuid(),
            product_id: line.product.as_uuid(),
            sku: line.sku.clone(),
            quantity: line.quantity,
            seen_price: line.seen_price.minor_units(),
        }
    }
}
