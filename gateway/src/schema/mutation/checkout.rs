//! Changes of checkouts.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use proto::orders as pb;

use crate::context::{self, Capability};
use crate::cookies;
use crate::error::{Fault, Refusal, settled};
use crate::ids::{self, Kind};
use crate::schema::Part;
use crate::schema::address::PostalAddressInput;
use crate::schema::checkout::{self, Checkout};
use crate::schema::held::{HeldCart, HeldCheckout};
use crate::schema::look::Look;
use crate::schema::user_error::{CheckoutErrorCode, UserError, user_errors};

const SERVICE: &str = "orders";
type Errors = Vec<UserError<CheckoutErrorCode>>;

/// What the buyer tells. Absent fields stay as they are.
#[derive(InputObject, Default)]
pub(crate) struct CheckoutInput {
    /// Where news go.
    email: Option<String>,
    /// Where it is sent.
    shipping_address: Option<PostalAddressInput>,
    /// Who pays, where that is somewhere else; null takes it away.
    billing_address: MaybeUndefined<PostalAddressInput>,
    /// How it is sent, out of `shippingOptions`.
    shipping_method_id: Option<ID>,
    /// All discount codes; empty takes them away.
    discount_codes: Option<Vec<String>>,
}

impl CheckoutInput {
    fn to_wire(&self) -> Result<pb::CheckoutDetails, Fault> {
        let method = self.shipping_method_id.as_ref();
        let method = method.map(|id| ids::decode(Kind::ShippingMethod, id)).transpose()?;
        Ok(pb::CheckoutDetails {
            email: self.email.clone().unwrap_or_default(),
            shipping_address: self.shipping_address.clone().map(Into::into),
            billing_address: self.billing_address.clone().take().map(Into::into),
            shipping_method_id: method.unwrap_or_default(),
            codes: self.discount_codes.clone().unwrap_or_default(),
        })
    }
}

/// What became of a change of a checkout.
#[derive(SimpleObject, Default)]
pub(crate) struct CheckoutPayload {
    /// The checkout after the change, or as it is when the price changed; null when nothing changed.
    checkout: Option<Checkout>,
    /// Why nothing changed.
    user_errors: Errors,
    /// What was done otherwise than asked.
    warnings: Vec<CheckoutWarning>,
}

/// A checkout that was begun.
#[derive(SimpleObject, Default)]
pub(crate) struct CheckoutStartPayload {
    /// The checkout; null when none was begun.
    checkout: Option<Checkout>,
    /// Whoever holds it may complete the checkout and read its order. Null for an account's. Browsers keep it in a cookie.
    token: Option<String>,
    /// Why none was begun.
    user_errors: Errors,
    /// What was done otherwise than asked.
    warnings: Vec<CheckoutWarning>,
}

/// Something about a checkout that the buyer should know.
#[derive(SimpleObject)]
pub(crate) struct CheckoutWarning {
    /// What a program decides by: "DISCOUNT_CODE_NOT_APPLIED".
    code: &'static str,
    /// What a person reads.
    message: String,
    /// The discount code it is about.
    target: String,
}

#[derive(Default)]
pub(crate) struct CheckoutMutation;

/// Changes of checkouts.
// The arguments are the schema's.
#[allow(clippy::too_many_arguments)]
#[Object]
impl CheckoutMutation {
    /// Begins a checkout of a cart. The same cart in the same state gives the same checkout.
    async fn checkout_start(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cart; the account's own, or the browser's, if absent.")] cart_id: Option<ID>,
        #[graphql(desc = "A guest's token of the cart; browsers carry it in a cookie.")] token: Option<
            String,
        >,
        #[graphql(desc = "What is known of the buyer.", default)] input: CheckoutInput,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CheckoutStartPayload> {
        let change = async {
            let held = HeldCart::needed(ctx, cart_id.as_ref(), token)?;
            let request = pb::StartCheckoutRequest {
                request_id: held.principal.request_id(&idempotency_key, "StartCheckout")?,
                cart_id: held.key.cart_id,
                cart_token: held.key.token,
                details: Some(input.to_wire()?),
            };
            match settled(SERVICE, context::orders(ctx).start_checkout(request).await)? {
                Ok(answer) => Box::pin(started(ctx, answer)).await,
                Err(refusals) => Ok(CheckoutStartPayload {
                    user_errors: user_errors(SERVICE, refusals)?,
                    ..Default::default()
                }),
            }
        };
        Some(change.await)
    }

    /// Sets address, e-mail, shipping method or codes, and prices it again.
    async fn checkout_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The checkout.")] checkout_id: ID,
        #[graphql(desc = "A guest's token; browsers carry it in a cookie.")] token: Option<String>,
        #[graphql(desc = "What changes.")] input: CheckoutInput,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CheckoutPayload> {
        let change = async {
            let held = HeldCheckout::of(ctx, &checkout_id, token)?;
            let key = held.key.clone();
            let request = pb::UpdateCheckoutRequest {
                key: Some(held.key),
                details: Some(input.to_wire()?),
                replace_codes: input.discount_codes.is_some(),
                remove_billing_address: input.billing_address.is_null(),
                request_id: held.principal.request_id(&idempotency_key, "UpdateCheckout")?,
            };
            let answer = settled(SERVICE, context::orders(ctx).update_checkout(request).await)?;
            Box::pin(payload(ctx, key, answer.map(|answer| answer.checkout))).await
        };
        Some(change.await)
    }

    /// Buys, at the price of the quote. PROCESSING, ACTION_REQUIRED and PAYMENT_PENDING mean: watch `checkoutUpdated`.
    async fn checkout_complete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The checkout.")] checkout_id: ID,
        #[graphql(desc = "A guest's token; browsers carry it in a cookie.")] token: Option<String>,
        #[graphql(desc = "The quote that the buyer saw: `cost.quoteId`.")] quote_id: String,
        #[graphql(desc = "The payment provider's token; absent when the total is zero.")]
        payment_method_token: Option<String>,
        #[graphql(desc = "Where the provider sends the buyer back to.")] return_url: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CheckoutPayload> {
        let change = async {
            let held = HeldCheckout::of(ctx, &checkout_id, token)?;
            let key = held.key.clone();
            let request = pb::CompleteCheckoutRequest {
                key: Some(held.key),
                quote_id,
                payment_method_token: payment_method_token.unwrap_or_default(),
                return_url: return_url.unwrap_or_default(),
                request_id: held.principal.request_id(&idempotency_key, "CompleteCheckout")?,
            };
            let answer = settled(SERVICE, context::orders(ctx).complete_checkout(request).await)?;
            Box::pin(payload(ctx, key, answer.map(|answer| answer.checkout))).await
        };
        Some(change.await)
    }

    /// The buyer no longer wants it: what was reserved and authorised is let go.
    async fn checkout_cancel(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The checkout.")] checkout_id: ID,
        #[graphql(desc = "A guest's token; browsers carry it in a cookie.")] token: Option<String>,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<CheckoutPayload> {
        let change = async {
            let held = HeldCheckout::of(ctx, &checkout_id, token)?;
            let key = held.key.clone();
            let request = pb::CancelCheckoutRequest {
                key: Some(held.key),
                request_id: held.principal.request_id(&idempotency_key, "CancelCheckout")?,
            };
            let answer = settled(SERVICE, context::orders(ctx).cancel_checkout(request).await)?;
            Box::pin(payload(ctx, key, answer.map(|answer| answer.checkout))).await
        };
        Some(change.await)
    }
}

fn warnings(checkout: &pb::Checkout) -> Vec<CheckoutWarning> {
    let codes = checkout.quote.iter().flat_map(|quote| &quote.codes);
    let left_out = codes.filter(|code| code.outcome() != proto::pricing::CodeOutcome::Applied);
    let warning = |code: &proto::pricing::QuoteCode| CheckoutWarning {
        code: "DISCOUNT_CODE_NOT_APPLIED",
        message: "A discount code does not hold; `discountCodes` says why.".to_owned(),
        target: code.code.clone(),
    };
    left_out.map(warning).collect()
}

async fn started(
    ctx: &Context<'_>,
    answer: pb::StartCheckoutResponse,
) -> Result<CheckoutStartPayload, Fault> {
    let wire = answer.checkout.ok_or_else(|| Fault::incomplete(SERVICE))?;
    let token = (!answer.token.is_empty()).then_some(answer.token);
    if let Some(token) = &token {
        let held = Capability { id: wire.id.clone(), token: token.clone() };
        cookies::set(ctx, cookies::Name::Checkout, &held.to_cookie(), cookies::CHECKOUT_LIFE);
    }
    let look = Look::here(ctx).below("checkout");
    let warnings = warnings(&wire);
    let shown = checkout::show(ctx, wire, token.as_deref().unwrap_or_default(), &look).await;
    Ok(CheckoutStartPayload { checkout: Some(shown), token, warnings, ..Default::default() })
}

async fn payload(
    ctx: &Context<'_>,
    key: pb::CheckoutKey,
    answer: Result<Option<pb::Checkout>, Vec<Refusal>>,
) -> Result<CheckoutPayload, Fault> {
    let look = Look::here(ctx).below("checkout");
    let token = key.token.clone();
    match answer {
        Ok(wire) => {
            let wire = wire.ok_or_else(|| Fault::incomplete(SERVICE))?;
            let warnings = warnings(&wire);
            Ok(CheckoutPayload {
                checkout: Some(checkout::show(ctx, wire, &token, &look).await),
                warnings,
                ..Default::default()
            })
        }
        Err(refusals) => Ok(CheckoutPayload {
            checkout: requoted(ctx, key, &refusals, &look).await,
            user_errors: user_errors(SERVICE, refusals)?,
            ..Default::default()
        }),
    }
}

/// After a changed price the buyer must see the new one: the checkout carries it.
async fn requoted(
    ctx: &Context<'_>,
    key: pb::CheckoutKey,
    refusals: &[Refusal],
    look: &Look<'_>,
) -> Option<Checkout> {
    let changed = refusals.iter().any(|refusal| refusal.code == "QUOTE_CHANGED");
    if !changed || !look.exists() {
        return None;
    }
    let token = key.token.clone();
    let request = pb::GetCheckoutRequest { key: Some(key) };
    let answer = context::orders(ctx).get_checkout(request).await;
    let wire = crate::error::soften(ctx, SERVICE, answer)?.checkout?;
    Some(checkout::show(ctx, wire, &token, look).await)
}
