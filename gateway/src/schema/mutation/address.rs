//! Changes of what an account holds: addresses and wishes.

use async_graphql::{Context, ID, Object, SimpleObject};
use proto::{catalogue, identity as pb};

use crate::context::{self, own_request_id};
use crate::error::{Fault, Refusal, listed, settled};
use crate::ids::{self, Kind};
use crate::schema::Part;
use crate::schema::account::{CustomerAddress, WishlistItem, show_wishlist};
use crate::schema::address::PostalAddressInput;
use crate::schema::look::Look;
use crate::schema::user_error::{CustomerErrorCode, UserError, Warning, user_errors};

const SERVICE: &str = "identity";
type Errors = Vec<UserError<CustomerErrorCode>>;

/// What became of a change of an address.
#[derive(SimpleObject, Default)]
pub(crate) struct CustomerAddressPayload {
    /// The address after the change; null when nothing changed, or it is gone.
    address: Option<CustomerAddress>,
    /// Why nothing changed.
    user_errors: Errors,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

/// What became of a change of a wishlist.
#[derive(SimpleObject, Default)]
pub(crate) struct WishlistPayload {
    /// The items that were added.
    items: Vec<WishlistItem>,
    /// Why nothing changed.
    user_errors: Errors,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

#[derive(Default)]
pub(crate) struct AddressMutation;

/// Changes of what an account holds.
#[Object]
impl AddressMutation {
    /// Adds an address.
    async fn customer_address_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The address.")] address: PostalAddressInput,
        #[graphql(desc = "Is it used when a checkout names none?", default)] is_default: bool,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerAddressPayload> {
        let change = async {
            let request = pb::CreateAddressRequest {
                address: Some(address.into()),
                is_default,
                request_id: own_request_id(ctx, &idempotency_key, "CreateAddress")?,
            };
            let answer = settled(SERVICE, context::identity(ctx).create_address(request).await)?;
            address_payload(answer.map(|answer| answer.address))
        };
        Some(change.await)
    }

    /// Replaces an address.
    async fn customer_address_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] id: ID,
        #[graphql(desc = "The address.")] address: PostalAddressInput,
        #[graphql(desc = "Is it used when a checkout names none?", default)] is_default: bool,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerAddressPayload> {
        let change = async {
            let request = pb::UpdateAddressRequest {
                address_id: ids::decode(Kind::Address, &id)?,
                address: Some(address.into()),
                is_default,
                request_id: own_request_id(ctx, &idempotency_key, "UpdateAddress")?,
            };
            let answer = settled(SERVICE, context::identity(ctx).update_address(request).await)?;
            address_payload(answer.map(|answer| answer.address))
        };
        Some(change.await)
    }

    /// Removes an address. Orders keep their own copy.
    async fn customer_address_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] id: ID,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CustomerAddressPayload> {
        let change = async {
            let request = pb::DeleteAddressRequest {
                address_id: ids::decode(Kind::Address, &id)?,
                request_id: own_request_id(ctx, &idempotency_key, "DeleteAddress")?,
            };
            let answer = settled(SERVICE, context::identity(ctx).delete_address(request).await)?;
            Ok(CustomerAddressPayload {
                user_errors: user_errors(SERVICE, answer.err().unwrap_or_default())?,
                ..Default::default()
            })
        };
        Some(change.await)
    }

    /// Puts products on the wishlist; those already there stay as they are.
    async fn wishlist_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which; at most 250.")] product_ids: Vec<ID>,
        #[graphql(
            desc = "Variants to be told of by mail, once the address is verified, when they are back in stock; their products are wished for, too. At most 250.",
            default
        )]
        notify_variant_ids: Vec<ID>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<WishlistPayload> {
        let change = async {
            let mut product_ids = ids::decode_all(Kind::Product, &product_ids)?;
            let request_id = own_request_id(ctx, &idempotency_key, "AddWishlistItems")?;
            let alerts = match stock_alerts(ctx, &notify_variant_ids).await? {
                Ok(alerts) => alerts,
                Err(refusals) => return wishlist_refused(refusals),
            };
            for alert in &alerts {
                if !product_ids.contains(&alert.product_id) {
                    product_ids.push(alert.product_id.clone());
                }
            }
            let request = pb::AddWishlistItemsRequest { product_ids, request_id, alerts };
            let answer = settled(SERVICE, context::identity(ctx).add_wishlist_items(request).await)?;
            match answer {
                Ok(answer) => Ok(WishlistPayload {
                    items: show_wishlist(ctx, answer.items, &Look::here(ctx).below("items")).await,
                    ..Default::default()
                }),
                Err(refusals) => wishlist_refused(refusals),
            }
        };
        Some(change.await)
    }

    /// Takes products off the wishlist; those not there are no error.
    async fn wishlist_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which; at most 250.")] product_ids: Vec<ID>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<WishlistPayload> {
        let change = async {
            let request = pb::RemoveWishlistItemsRequest {
                product_ids: ids::decode_all(Kind::Product, &product_ids)?,
                request_id: own_request_id(ctx, &idempotency_key, "RemoveWishlistItems")?,
            };
            let answer = context::identity(ctx).remove_wishlist_items(request).await;
            wishlist_refused(settled(SERVICE, answer)?.err().unwrap_or_default())
        };
        Some(change.await)
    }
}

/// The variants as the catalogue has them now, or those that it does not know.
async fn stock_alerts(
    ctx: &Context<'_>,
    variants: &[ID],
) -> Result<Result<Vec<pb::StockAlert>, Vec<Refusal>>, Fault> {
    if variants.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let ids = ids::decode_all(Kind::Variant, variants)?;
    let key =
        |id: &String| catalogue::VariantKey { key: Some(catalogue::variant_key::Key::VariantId(id.clone())) };
    let request = catalogue::BatchGetVariantsRequest { keys: ids.iter().map(key).collect() };
    let answer = listed("catalogue", context::catalogue(ctx).batch_get_variants(request).await)?;
    let unknown = |(place, _): (usize, &String)| Refusal {
        code: "INVALID",
        field: Some(vec!["notifyVariantIds".to_owned(), place.to_string()]),
        message: "There is no such variant.".to_owned(),
    };
    let missing = ids.iter().enumerate().filter(|(_, id)| answer.missing.contains(id));
    let missing: Vec<Refusal> = missing.map(unknown).collect();
    if !missing.is_empty() {
        return Ok(Err(missing));
    }
    let alert = |summary: catalogue::VariantSummary| {
        let variant = summary.variant.unwrap_or_default();
        pb::StockAlert {
            product_id: summary.product_id,
            variant_id: variant.id,
            sku: variant.sku,
            product_title: summary.product_title,
            variant_title: variant.title,
            product_handle: summary.product_handle,
        }
    };
    Ok(Ok(answer.variants.into_iter().map(alert).collect()))
}

fn address_payload(
    answer: Result<Option<pb::AccountAddress>, Vec<Refusal>>,
) -> Result<CustomerAddressPayload, Fault> {
    match answer {
        Ok(address) => Ok(CustomerAddressPayload {
            address: Some(CustomerAddress(address.ok_or_else(|| Fault::incomplete(SERVICE))?)),
            ..Default::default()
        }),
        Err(refusals) => {
            Ok(CustomerAddressPayload { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() })
        }
    }
}

fn wishlist_refused(refusals: Vec<Refusal>) -> Result<WishlistPayload, Fault> {
    Ok(WishlistPayload { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() })
}
