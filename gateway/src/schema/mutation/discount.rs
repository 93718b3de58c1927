//! Changes of discounts, by staff.

use async_graphql::{Context, ID, Object, SimpleObject};
use proto::pricing as pb;

use crate::context::{self, own_request_id};
use crate::error::{Fault, Refusal, settled};
use crate::ids::{self, Kind};
use crate::schema::Part;
use crate::schema::discount::{Discount, DiscountInput};
use crate::schema::user_error::{DiscountErrorCode, UserError, Warning, user_errors};

const SERVICE: &str = "pricing";

/// What became of a change of a discount.
#[derive(SimpleObject, Default)]
pub(crate) struct DiscountPayload {
    /// The discount after the change; null when nothing changed.
    discount: Option<Discount>,
    /// Why nothing changed.
    user_errors: Vec<UserError<DiscountErrorCode>>,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

#[derive(Default)]
pub(crate) struct DiscountMutation;

/// Changes of discounts.
#[Object]
impl DiscountMutation {
    /// Staff: adds a discount code.
    async fn discount_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The discount.")] input: DiscountInput,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<DiscountPayload> {
        let change = async {
            let (discount, _) = input.to_wire(String::new())?;
            let request = pb::CreateDiscountRequest {
                discount: Some(discount),
                request_id: own_request_id(ctx, &idempotency_key, "CreateDiscount")?,
            };
            let answer = settled(SERVICE, context::pricing(ctx).create_discount(request).await)?;
            payload(answer.map(|answer| answer.discount))
        };
        Some(change.await)
    }

    /// Staff: changes a discount.
    async fn discount_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] id: ID,
        #[graphql(desc = "What changes.")] input: DiscountInput,
        #[graphql(desc = "The state that was read.")] etag: String,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<DiscountPayload> {
        let change = async {
            let (discount, paths) = input.to_wire(ids::decode(Kind::Discount, &id)?)?;
            let request = pb::UpdateDiscountRequest {
                discount: Some(discount),
                update_mask: Some(prost_types::FieldMask { paths }),
                etag,
                request_id: own_request_id(ctx, &idempotency_key, "UpdateDiscount")?,
            };
            let answer = settled(SERVICE, context::pricing(ctx).update_discount(request).await)?;
            payload(answer.map(|answer| answer.discount))
        };
        Some(change.await)
    }
}

fn payload(answer: Result<Option<pb::Discount>, Vec<Refusal>>) -> Result<DiscountPayload, Fault> {
    match answer {
        Ok(discount) => Ok(DiscountPayload {
            discount: Some(Discount(discount.ok_or_else(|| Fault::incomplete(SERVICE))?)),
            ..Default::default()
        }),
        Err(refusals) => {
            Ok(DiscountPayload { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() })
        }
    }
}
