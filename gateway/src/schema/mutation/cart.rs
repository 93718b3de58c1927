//! Changes of carts.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use proto::cart as pb;

use crate::context::{self, Capability, locale, viewer};
use crate::cookies;
use crate::error::{Fault, Refusal, settled};
use crate::ids::{self, Kind};
use crate::schema::Part;
use crate::schema::cart::{self, Cart, CartWarning};
use crate::schema::choice::{self, MergeOutcome};
use crate::schema::held::HeldCart;
use crate::schema::look::Look;
use crate::schema::money::{CountryCode, CurrencyCode};
use crate::schema::user_error::{CartErrorCode, UserError, user_errors};

const SERVICE: &str = "cart";
type Errors = Vec<UserError<CartErrorCode>>;

/// A variant and how many of it to add.
#[derive(InputObject)]
pub(crate) struct CartLineInput {
    /// The variant.
    merchandise_id: ID,
    /// How many, 1 to 10,000.
    #[graphql(default = 1)]
    quantity: i64,
}

/// A line and how many of it there shall be.
#[derive(InputObject)]
pub(crate) struct CartLineUpdateInput {
    /// The line.
    id: ID,
    /// How many; 0 removes the line.
    quantity: i64,
}

/// Where a cart goes and how it is paid.
#[derive(InputObject)]
pub(crate) struct CartBuyerIdentityInput {
    /// Where it will be sent; as it is if absent.
    country_code: Option<CountryCode>,
    /// The currency of its prices; as it is if absent.
    currency_code: Option<CurrencyCode>,
}

/// What became of a change of a cart.
#[derive(SimpleObject, Default)]
pub(crate) struct CartPayload {
    /// The cart after the change; null when nothing changed.
    cart: Option<Cart>,
    /// Why nothing changed; empty when something did.
    user_errors: Errors,
    /// What was done otherwise than asked.
    warnings: Vec<CartWarning>,
}

/// A new cart.
#[derive(SimpleObject, Default)]
pub(crate) struct CartCreatePayload {
    /// The cart; null when none was opened.
    cart: Option<Cart>,
    /// Whoever holds it holds the cart. Null for the cart of an account. Browsers keep it in a cookie.
    token: Option<String>,
    /// Why none was opened.
    user_errors: Errors,
    /// What was done otherwise than asked.
    warnings: Vec<CartWarning>,
}

/// A guest's cart joined to an account's.
#[derive(SimpleObject, Default)]
pub(crate) struct CartMergePayload {
    /// The account's cart; null when nothing was joined.
    cart: Option<Cart>,
    /// What became of each line of the guest's cart.
    merged_lines: Vec<MergedLine>,
    /// Why nothing was joined.
    user_errors: Errors,
    /// What was done otherwise than asked.
    warnings: Vec<CartWarning>,
}

/// What became of one line of a guest's cart.
#[derive(SimpleObject)]
pub(crate) struct MergedLine {
    /// The variant.
    merchandise_id: ID,
    /// What became of it.
    outcome: Option<MergeOutcome>,
    /// How many the guest had.
    guest_quantity: i64,
    /// How many the account has now.
    final_quantity: i64,
}

#[derive(Default)]
pub(crate) struct CartMutation;

/// Changes of carts.
#[Object]
impl CartMutation {
    /// Opens a cart. A signed-in customer who has one gets that one, with the lines added.
    async fn cart_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to put into it; at most 250 lines.", default)] lines: Vec<CartLineInput>,
        #[graphql(desc = "Discount codes.", default)] discount_codes: Vec<String>,
        #[graphql(desc = "Where it goes and how it is paid; the shop's own country if absent.")]
        buyer_identity: Option<CartBuyerIdentityInput>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CartCreatePayload> {
        let change = async {
            let request = create_request(ctx, lines, discount_codes, buyer_identity, &idempotency_key)?;
            match settled(SERVICE, context::cart(ctx).create_cart(request).await)? {
                Ok(answer) => created(ctx, answer).await,
                Err(refusals) => Ok(CartCreatePayload {
                    user_errors: user_errors(SERVICE, refusals)?,
                    ..Default::default()
                }),
            }
        };
        Some(change.await)
    }

    /// Adds quantities of variants; a variant already there grows.
    async fn cart_lines_add(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart; the account's own, or the browser's, if absent.")] cart_id: Option<ID>,
        #[graphql(desc = "A guest's token; browsers carry it in a cookie.")] token: Option<String>,
        #[graphql(desc = "What to add; 1 to 250 lines.")] lines: Vec<CartLineInput>,
        #[graphql(desc = "Only if the cart is still in this state.")] etag: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CartPayload> {
        let change = async {
            let held = HeldCart::needed(ctx, cart_id.as_ref(), token)?;
            let request = pb::AddCartLinesRequest {
                request_id: held.principal.request_id(&idempotency_key, "AddCartLines")?,
                key: Some(held.key),
                lines: new_lines(lines)?,
                etag: etag.unwrap_or_default(),
            };
            let answer = settled(SERVICE, context::cart(ctx).add_cart_lines(request).await)?;
            payload(ctx, answer.map(|answer| (answer.cart, answer.warnings))).await
        };
        Some(change.await)
    }

    /// Sets quantities of lines; 0 removes.
    async fn cart_lines_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart; the account's own, or the browser's, if absent.")] cart_id: Option<ID>,
        #[graphql(desc = "A guest's token; browsers carry it in a cookie.")] token: Option<String>,
        #[graphql(desc = "What to set; 1 to 250 lines.")] lines: Vec<CartLineUpdateInput>,
        #[graphql(desc = "Only if the cart is still in this state.")] etag: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CartPayload> {
        let change = async {
            let held = HeldCart::needed(ctx, cart_id.as_ref(), token)?;
            let convert = |line: CartLineUpdateInput| {
                Ok(pb::LineQuantity {
                    line_id: ids::decode(Kind::CartLine, &line.id)?,
                    quantity: line.quantity,
                })
            };
            let request = pb::UpdateCartLinesRequest {
                request_id: held.principal.request_id(&idempotency_key, "UpdateCartLines")?,
                key: Some(held.key),
                lines: lines.into_iter().map(convert).collect::<Result<_, Fault>>()?,
                etag: etag.unwrap_or_default(),
            };
            let answer = settled(SERVICE, context::cart(ctx).update_cart_lines(request).await)?;
            payload(ctx, answer.map(|answer| (answer.cart, answer.warnings))).await
        };
        Some(change.await)
    }

    /// Removes lines; those not there are no error.
    async fn cart_lines_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart; the account's own, or the browser's, if absent.")] cart_id: Option<ID>,
        #[graphql(desc = "A guest's token; browsers carry it in a cookie.")] token: Option<String>,
        #[graphql(desc = "Which; 1 to 250 lines.")] line_ids: Vec<ID>,
        #[graphql(desc = "Only if the cart is still in this state.")] etag: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CartPayload> {
        let change = async {
            let held = HeldCart::needed(ctx, cart_id.as_ref(), token)?;
            let request = pb::RemoveCartLinesRequest {
                request_id: held.principal.request_id(&idempotency_key, "RemoveCartLines")?,
                key: Some(held.key),
                line_ids: ids::decode_all(Kind::CartLine, &line_ids)?,
                etag: etag.unwrap_or_default(),
            };
            let answer = settled(SERVICE, context::cart(ctx).remove_cart_lines(request).await)?;
            payload(ctx, answer.map(|answer| (answer.cart, Vec::new()))).await
        };
        Some(change.await)
    }

    /// Sets the discount codes, at most 10. Whether they hold is said by `discountCodes` of the cart.
    async fn cart_discount_codes_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart; the account's own, or the browser's, if absent.")] cart_id: Option<ID>,
        #[graphql(desc = "A guest's token; browsers carry it in a cookie.")] token: Option<String>,
        #[graphql(desc = "All codes; empty takes them away.")] discount_codes: Vec<String>,
        #[graphql(desc = "Only if the cart is still in this state.")] etag: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CartPayload> {
        let change = async {
            let held = HeldCart::needed(ctx, cart_id.as_ref(), token)?;
            let request = pb::SetCartCodesRequest {
                request_id: held.principal.request_id(&idempotency_key, "SetCartCodes")?,
                key: Some(held.key),
                codes: discount_codes,
                etag: etag.unwrap_or_default(),
            };
            let answer = settled(SERVICE, context::cart(ctx).set_cart_codes(request).await)?;
            payload(ctx, answer.map(|answer| (answer.cart, Vec::new()))).await
        };
        Some(change.await)
    }

    /// Sets country and currency; the prices that lines remember are read again.
    async fn cart_buyer_identity_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart; the account's own, or the browser's, if absent.")] cart_id: Option<ID>,
        #[graphql(desc = "A guest's token; browsers carry it in a cookie.")] token: Option<String>,
        #[graphql(desc = "Where it goes and how it is paid.")] buyer_identity: CartBuyerIdentityInput,
        #[graphql(desc = "Only if the cart is still in this state.")] etag: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CartPayload> {
        let change = async {
            let held = HeldCart::needed(ctx, cart_id.as_ref(), token)?;
            let request = pb::SetCartContextRequest {
                request_id: held.principal.request_id(&idempotency_key, "SetCartContext")?,
                key: Some(held.key),
                currency_code: buyer_identity.currency_code.map_or(String::new(), |code| code.0),
                country_code: buyer_identity.country_code.map_or(String::new(), |code| code.0),
                etag: etag.unwrap_or_default(),
            };
            let answer = settled(SERVICE, context::cart(ctx).set_cart_context(request).await)?;
            payload(ctx, answer.map(|answer| (answer.cart, answer.warnings))).await
        };
        Some(change.await)
    }

    /// Joins a guest's cart to the signed-in account's and says what became of each line.
    async fn cart_merge(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The guest's cart; the one that the browser carries if absent.")] cart_id: Option<
            ID,
        >,
        #[graphql(desc = "Its token; browsers carry it in a cookie.")] token: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CartMergePayload> {
        let change = async {
            context::signed_in(ctx)?;
            let Some(guest) = guest_key(ctx, cart_id.as_ref(), token)? else {
                let refusals = vec![Refusal {
                    code: "CART_NOT_FOUND",
                    field: None,
                    message: "There is no such cart.".to_owned(),
                }];
                return unmerged(refusals);
            };
            let request = pb::MergeCartsRequest {
                guest: Some(guest),
                request_id: viewer(ctx).principal().request_id(&idempotency_key, "MergeCarts")?,
            };
            match settled(SERVICE, context::cart(ctx).merge_carts(request).await)? {
                Ok(answer) => merged(ctx, answer).await,
                Err(refusals) => unmerged(refusals),
            }
        };
        Some(change.await)
    }
}

fn new_lines(lines: Vec<CartLineInput>) -> Result<Vec<pb::NewLine>, Fault> {
    let convert = |line: CartLineInput| {
        Ok(pb::NewLine {
            variant_id: ids::decode(Kind::Variant, &line.merchandise_id)?,
            quantity: line.quantity,
        })
    };
    lines.into_iter().map(convert).collect()
}

fn create_request(
    ctx: &Context<'_>,
    lines: Vec<CartLineInput>,
    codes: Vec<String>,
    buyer: Option<CartBuyerIdentityInput>,
    key: &ID,
) -> Result<pb::CreateCartRequest, Fault> {
    let (country, currency) = buyer.map_or((None, None), |buyer| (buyer.country_code, buyer.currency_code));
    let country = country.map(|code| code.0);
    let market = &context::shared(ctx).market;
    let place = match &country {
        Some(country) => context::Locale::of(market, Some(country)),
        None => locale(ctx).clone(),
    };
    Ok(pb::CreateCartRequest {
        lines: new_lines(lines)?,
        currency_code: currency.map_or(place.currency, |code| code.0),
        country_code: place.country,
        codes,
        request_id: viewer(ctx).principal().request_id(key, "CreateCart")?,
    })
}

async fn created(ctx: &Context<'_>, answer: pb::CreateCartResponse) -> Result<CartCreatePayload, Fault> {
    let wire = answer.cart.ok_or_else(|| Fault::incomplete(SERVICE))?;
    let token = (!answer.token.is_empty()).then_some(answer.token);
    if let Some(token) = &token {
        let held = Capability { id: wire.id.clone(), token: token.clone() };
        cookies::set(ctx, cookies::Name::Cart, &held.to_cookie(), cookies::CART_LIFE);
    }
    let warnings = answer.warnings.iter().filter_map(CartWarning::of).collect();
    Ok(CartCreatePayload {
        cart: Some(cart::show(ctx, wire, &Look::here(ctx).below("cart")).await),
        token,
        warnings,
        ..Default::default()
    })
}

async fn payload(
    ctx: &Context<'_>,
    answer: Result<(Option<pb::Cart>, Vec<pb::CartWarning>), Vec<Refusal>>,
) -> Result<CartPayload, Fault> {
    match answer {
        Ok((wire, warnings)) => {
            let wire = wire.ok_or_else(|| Fault::incomplete(SERVICE))?;
            Ok(CartPayload {
                cart: Some(cart::show(ctx, wire, &Look::here(ctx).below("cart")).await),
                warnings: warnings.iter().filter_map(CartWarning::of).collect(),
                ..Default::default()
            })
        }
        Err(refusals) => {
            Ok(CartPayload { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() })
        }
    }
}

/// Nothing for who shows no token: a guest's cart is opened by nothing else.
fn guest_key(
    ctx: &Context<'_>,
    id: Option<&ID>,
    token: Option<String>,
) -> Result<Option<pb::CartKey>, Fault> {
    let carried = viewer(ctx).cart.clone();
    let named = id.map(|id| ids::decode(Kind::Cart, id)).transpose()?;
    let held = match (named, token.filter(|token| !token.is_empty())) {
        (Some(id), Some(token)) => Some(Capability { id, token }),
        (Some(id), None) => carried.filter(|held| held.id == id),
        (None, _) => carried,
    };
    Ok(held.map(|held| pb::CartKey { cart_id: held.id, token: held.token }))
}

fn unmerged(refusals: Vec<Refusal>) -> Result<CartMergePayload, Fault> {
    Ok(CartMergePayload { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() })
}

async fn merged(ctx: &Context<'_>, answer: pb::MergeCartsResponse) -> Result<CartMergePayload, Fault> {
    cookies::clear(ctx, cookies::Name::Cart);
    let wire = answer.cart.ok_or_else(|| Fault::incomplete(SERVICE))?;
    let line = |line: &pb::MergedLine| MergedLine {
        merchandise_id: ids::encode(Kind::Variant, &line.variant_id),
        outcome: choice::named("MERGE_OUTCOME_", line.outcome().as_str_name()),
        guest_quantity: line.guest_quantity,
        final_quantity: line.final_quantity,
    };
    Ok(CartMergePayload {
        merged_lines: answer.lines.iter().map(line).collect(),
        cart: Some(cart::show(ctx, wire, &Look::here(ctx).below("cart")).await),
        ..Default::default()
    })
}
