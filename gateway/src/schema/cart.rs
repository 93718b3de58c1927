//! Carts as they are shown: the lines with what the catalogue, pricing and inventory know of them.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use proto::{cart as pb, pricing};

use crate::context::{self, locale, viewer};
use crate::error::{Fault, soften};
use crate::ids::{self, Kind};
use crate::schema::choice::{self, CartProblemKind, CartWarningCode};
use crate::schema::connection::{Connection, Window};
use crate::schema::look::Look;
use crate::schema::money::{CountryCode, CurrencyCode, Money, optional};
use crate::schema::product::page_cost;
use crate::schema::quote::{Cost, DiscountCode, LineCost, ShippingOption, discount_codes};
use crate::schema::recommendation::{self, Recommendation, Wanted, first_of};
use crate::schema::variant::Variant;
use crate::schema::{Part, time, wants};

/// The most shipping methods that pricing answers at once.
const SHIPPING_OPTIONS_MAX: i32 = 50;

/// What somebody is about to buy.
pub(crate) struct Cart {
    pub(crate) wire: pb::Cart,
    variants: Option<HashMap<String, Arc<Variant<'static>>>>,
    quote: Option<pricing::Quote>,
    shipping: Option<Vec<pricing::ShippingOption>>,
    together: Option<Vec<Recommendation>>,
}

/// A cart with all that is asked for below it: at most one call of each service, side by side.
pub(crate) async fn show(ctx: &Context<'_>, wire: pb::Cart, look: &Look<'_>) -> Cart {
    let merchandise = look.below("lines").items().below("merchandise");
    let merchandise = merchandise.and(look.below("problems").below("line").below("merchandise"));
    let wanted = Wanted::of(&look.below("boughtTogether"));
    let (variants, quote, shipping, together) = futures::join!(
        wants::variants_by_id(ctx, variant_ids(&wire), &merchandise),
        quote(ctx, &wire, look),
        shipping(ctx, &wire, look),
        // Seldom asked for and large: every cart would carry it along.
        Box::pin(recommendation::with_basket(ctx, wanted.as_ref(), product_ids(&wire))),
    );
    Cart { variants, quote, shipping, together, wire }
}

fn variant_ids(cart: &pb::Cart) -> Vec<String> {
    cart.lines.iter().map(|line| line.variant_id.clone()).collect()
}

fn product_ids(cart: &pb::Cart) -> Vec<String> {
    cart.lines.iter().map(|line| line.product_id.clone()).collect()
}

/// Lines that can be priced: pricing refuses a basket with a variant that is no longer offered.
fn priced_lines(cart: &pb::Cart) -> Vec<pricing::QuoteLineRequest> {
    let gone = |line: &&pb::CartLine| {
        let mut problems = cart.problems.iter();
        !problems.any(|it| it.line_id == line.id && it.kind() == pb::ProblemKind::Gone)
    };
    let convert = |line: &pb::CartLine| pricing::QuoteLineRequest {
        variant_id: line.variant_id.clone(),
        quantity: line.quantity,
    };
    cart.lines.iter().filter(gone).map(convert).collect()
}

fn destination(cart: &pb::Cart) -> Option<pricing::Destination> {
    (!cart.country_code.is_empty())
        .then(|| pricing::Destination { country_code: cart.country_code.clone(), ..Default::default() })
}

async fn quote(ctx: &Context<'_>, cart: &pb::Cart, look: &Look<'_>) -> Option<pricing::Quote> {
    let codes = look.below("discountCodes");
    let wanted = look.has("cost")
        || look.below("lines").items().has("cost")
        || codes.has_any(&["applicable", "outcome", "amount"]);
    let lines = priced_lines(cart);
    if !wanted || lines.is_empty() {
        return None;
    }
    let user = viewer(ctx).user.as_ref();
    let request = pricing::QuoteRequest {
        lines,
        currency_code: cart.currency_code.clone(),
        destination: destination(cart),
        codes: cart.codes.clone(),
        shipping_method_id: String::new(),
        customer_key: user.map_or(String::new(), |user| format!("account:{}", user.account)),
    };
    let answer = context::pricing(ctx).quote(request).await;
    soften(ctx, "pricing", answer)?.quote
}

async fn shipping(
    ctx: &Context<'_>,
    cart: &pb::Cart,
    look: &Look<'_>,
) -> Option<Vec<pricing::ShippingOption>> {
    let lines = priced_lines(cart);
    if !look.has("shippingOptions") || lines.is_empty() {
        return Some(Vec::new());
    }
    let request = pricing::ListShippingOptionsRequest {
        lines,
        currency_code: cart.currency_code.clone(),
        destination: destination(cart),
        page_size: SHIPPING_OPTIONS_MAX,
        page_token: String::new(),
    };
    let answer = context::pricing(ctx).list_shipping_options(request).await;
    Some(soften(ctx, "pricing", answer)?.options)
}

/// What somebody is about to buy.
#[Object]
impl Cart {
    /// Opaque id. It gives nobody the right to the cart.
    pub(crate) async fn id(&self) -> ID {
        ids::encode(Kind::Cart, &self.wire.id)
    }

    /// The lines in the order in which they were added.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    fn lines(
        &self,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<CartLine<'_>>, Fault> {
        let window = Window::of(Some(first), after.as_deref())?;
        Ok(window.slice(self.wire.lines.iter().map(|line| self.line(line))))
    }

    /// All quantities together.
    fn total_quantity(&self) -> i64 {
        self.wire.lines.iter().map(|line| line.quantity).sum()
    }

    /// The discount codes that were entered, whether they hold or not.
    fn discount_codes(&self) -> Vec<DiscountCode> {
        discount_codes(&self.wire.codes, self.quote.as_ref())
    }

    /// What is wrong with lines at the moment: read it again before a checkout.
    fn problems(&self) -> Vec<CartProblem<'_>> {
        let convert = |wire| CartProblem { wire, cart: self };
        self.wire.problems.iter().map(convert).collect()
    }

    /// What the buyer should know about it: the query's context names another country than the cart is priced for.
    fn warnings(&self, ctx: &Context<'_>) -> Vec<CartWarning> {
        let locale = locale(ctx);
        let country = &self.wire.country_code;
        let differs = locale.asked && !country.is_empty() && *country != locale.country;
        differs.then(CartWarning::context_differs).into_iter().collect()
    }

    /// What it costs as far as is known. Null when it is empty, or prices are not known at the moment.
    fn cost(&self) -> Option<Cost<'_>> {
        let quote = self.quote.as_ref()?;
        Some(Cost { quote, estimated: true })
    }

    /// Where it goes and how it is paid, as far as is known.
    fn buyer_identity(&self) -> CartBuyerIdentity {
        let country = &self.wire.country_code;
        CartBuyerIdentity {
            country_code: (!country.is_empty()).then(|| CountryCode(country.clone())),
            currency_code: CurrencyCode(self.wire.currency_code.clone()),
            signed_in: !self.wire.account_id.is_empty(),
        }
    }

    /// The ways to have it sent to its country. Null when prices are not known at the moment.
    fn shipping_options(&self) -> Option<Vec<ShippingOption>> {
        let options = self.shipping.as_ref()?;
        Some(options.iter().cloned().map(ShippingOption).collect())
    }

    /// What is bought together with what is in it, best first. Null when it is not known at the moment.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    fn bought_together(
        &self,
        #[graphql(desc = "How many; at most 20.", default = 4)] first: i32,
    ) -> Part<&[Recommendation]> {
        first_of(self.together.as_ref(), first)
    }

    /// When it was opened.
    fn created_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.create_time.as_ref())
    }

    /// When it last changed.
    fn updated_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.update_time.as_ref())
    }

    /// Grows by one with every change.
    fn version(&self) -> i64 {
        self.wire.version
    }

    /// Names this state of the cart; give it back to change exactly this state.
    fn etag(&self) -> &str {
        &self.wire.etag
    }
}

impl Cart {
    fn line<'a>(&'a self, wire: &'a pb::CartLine) -> CartLine<'a> {
        let mut quoted = self.quote.iter().flat_map(|quote| &quote.lines);
        CartLine {
            wire,
            variant: self.variants.as_ref().and_then(|all| all.get(&wire.variant_id)).map(Arc::as_ref),
            quoted: quoted.find(|quoted| quoted.variant_id == wire.variant_id),
        }
    }
}

/// One variant and how many of it.
pub(crate) struct CartLine<'a> {
    wire: &'a pb::CartLine,
    variant: Option<&'a Variant<'static>>,
    quoted: Option<&'a pricing::QuoteLine>,
}

/// One variant and how many of it.
#[Object]
impl CartLine<'_> {
    /// Opaque id.
    fn id(&self) -> ID {
        ids::encode(Kind::CartLine, &self.wire.id)
    }

    /// What it is. Null when it is no longer offered, or the catalogue does not answer at the moment.
    fn merchandise(&self) -> Option<&Variant<'static>> {
        self.variant
    }

    /// The variant's id, also when it is no longer offered.
    fn merchandise_id(&self) -> ID {
        ids::encode(Kind::Variant, &self.wire.variant_id)
    }

    /// How many.
    fn quantity(&self) -> i64 {
        self.wire.quantity
    }

    /// What one cost when the line last changed.
    fn seen_price(&self) -> Option<Money> {
        optional(self.wire.seen_price.as_ref())
    }

    /// What it costs now. Null when prices are not known at the moment.
    fn cost(&self) -> Option<LineCost<'_>> {
        self.quoted.map(LineCost)
    }
}

/// Something about a line that a checkout would refuse, or that the buyer should know.
pub(crate) struct CartProblem<'a> {
    wire: &'a pb::CartProblem,
    cart: &'a Cart,
}

/// Something about a line that a checkout would refuse, or that the buyer should know.
#[Object]
impl CartProblem<'_> {
    /// What is wrong.
    fn kind(&self) -> Result<CartProblemKind, Fault> {
        choice::promised("cart", "PROBLEM_KIND_", self.wire.kind().as_str_name())
    }

    /// The line.
    fn line(&self) -> Option<CartLine<'_>> {
        let mut lines = self.cart.wire.lines.iter();
        let line = lines.find(|line| line.id == self.wire.line_id)?;
        Some(self.cart.line(line))
    }

    /// How many can be had.
    fn available_quantity(&self) -> i64 {
        self.wire.available_quantity
    }

    /// What one costs now, where the price changed.
    fn present_price(&self) -> Option<Money> {
        optional(self.wire.present_price.as_ref())
    }
}

/// Where a cart goes and how it is paid, as far as is known.
#[derive(SimpleObject)]
pub(crate) struct CartBuyerIdentity {
    /// Where it will be sent. It decides the cart's taxes and shipping, whatever `@inContext` says.
    country_code: Option<CountryCode>,
    /// The currency of its prices.
    currency_code: CurrencyCode,
    /// Does it belong to an account?
    signed_in: bool,
}

/// Something that a change did otherwise than asked.
#[derive(SimpleObject)]
pub(crate) struct CartWarning {
    /// What a program decides by.
    code: CartWarningCode,
    /// What a person reads.
    message: String,
    /// The variant it is about; null when it is about the cart.
    target: Option<ID>,
    /// How many were asked for.
    requested_quantity: i64,
    /// How many there are now.
    actual_quantity: i64,
}

impl CartWarning {
    pub(crate) fn of(wire: &pb::CartWarning) -> Option<Self> {
        let code = choice::named("WARNING_KIND_", wire.kind().as_str_name())?;
        let message = match code {
            CartWarningCode::CappedByStock => "Fewer are available than were asked for.",
            CartWarningCode::CappedByLimit => "A line holds no more than this.",
            CartWarningCode::Dropped => "It could not be added.",
            CartWarningCode::ContextDiffers => return None,
        };
        Some(Self {
            code,
            message: message.to_owned(),
            target: Some(ids::encode(Kind::Variant, &wire.variant_id)),
            requested_quantity: wire.requested_quantity,
            actual_quantity: wire.actual_quantity,
        })
    }

    /// The query names another country than the cart is priced for.
    pub(crate) fn context_differs() -> Self {
        Self {
            code: CartWarningCode::ContextDiffers,
            message: "The cart keeps the prices of its own country: change it by cartBuyerIdentityUpdate."
                .to_owned(),
            target: None,
            requested_quantity: 0,
            actual_quantity: 0,
        }
    }
}
