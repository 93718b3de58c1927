//! Adjustments of stock, by staff.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use proto::inventory as pb;

use crate::context::{self, own_request_id};
use crate::error::{Fault, Problem, settled};
use crate::ids::{self, Kind};
use crate::schema::Part;
use crate::schema::stock::Stock;
use crate::schema::user_error::{StockErrorCode, UserError, Warning, user_errors};

const SERVICE: &str = "inventory";

/// A change of one row of stock: by a difference, or to a count.
#[derive(InputObject)]
pub(crate) struct StockAdjustmentInput {
    /// The stock-keeping unit.
    sku: String,
    /// Where it lies; the default location if absent.
    location_id: Option<ID>,
    /// Came in (positive) or is written off (negative). Either this or a count.
    delta: Option<i64>,
    /// So many are available now. Either this or a difference.
    count: Option<i64>,
    /// Only if the row is still in this state.
    etag: Option<String>,
}

impl StockAdjustmentInput {
    fn to_wire(&self) -> Result<pb::StockAdjustment, Fault> {
        let location = self.location_id.as_ref();
        let location = location.map(|id| ids::decode(Kind::Location, id)).transpose()?;
        use pb::stock_adjustment::Change;
        let change = match (self.delta, self.count) {
            (Some(delta), None) => Change::AvailableDelta(delta),
            (None, Some(count)) => Change::AvailableCount(count),
            _ => {
                return Err(Fault::of(Problem::BadRequest, "An adjustment has either a delta or a count."));
            }
        };
        Ok(pb::StockAdjustment {
            sku: self.sku.clone(),
            location_id: location.unwrap_or_default(),
            etag: self.etag.clone().unwrap_or_default(),
            change: Some(change),
        })
    }
}

/// What became of adjustments.
#[derive(SimpleObject, Default)]
pub(crate) struct StockPayload {
    /// The rows after the adjustments, in their order; null when nothing changed.
    stock: Option<Vec<Stock>>,
    /// Why nothing changed.
    user_errors: Vec<UserError<StockErrorCode>>,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

#[derive(Default)]
pub(crate) struct StockMutation;

/// Adjustments of stock.
#[Object]
impl StockMutation {
    /// Staff: applies all adjustments or none.
    async fn stock_adjust(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes; each SKU and location once.")] adjustments: Vec<StockAdjustmentInput>,
        #[graphql(desc = "Why; 1 to 200 characters, kept in the ledger.")] reason: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<StockPayload> {
        let change = async {
            let adjustments = adjustments.iter().map(StockAdjustmentInput::to_wire);
            let request = pb::AdjustStockRequest {
                adjustments: adjustments.collect::<Result<_, _>>()?,
                reason,
                request_id: own_request_id(ctx, &idempotency_key, "AdjustStock")?,
            };
            match settled(SERVICE, context::inventory(ctx).adjust_stock(request).await)? {
                Ok(answer) => Ok(StockPayload {
                    stock: Some(answer.stock.into_iter().map(Stock).collect()),
                    ..Default::default()
                }),
                Err(refusals) => {
                    Ok(StockPayload { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() })
                }
            }
        };
        Some(change.await)
    }
}
