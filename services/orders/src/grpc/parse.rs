//! Requests become values here, or are refused with everything that is wrong with them.

use kit::parse::{BATCH_MAX, Fields};
use kit::{Id, Money};
use mesh::status::Violation;
use proto::common;
use proto::orders as pb;
use tonic::transport::Uri;

use crate::app::{Completion, Filter, Key, Listing, Start};
use crate::domain::checkout::Purchase;
use crate::domain::contact::CODES_MAX;
use crate::domain::{
    Address, CheckoutId, DetailsChange, FulfilmentState, LineCount, OrderId, OrderState, Origin,
    PaymentState, ReturnId, ShipmentId,
};

type Parsed<T> = Result<T, Vec<Violation>>;

/// An order has at most so many lines.
const LINES_MAX: usize = 1_200;
const QUANTITY_MAX: i64 = 10_000;
const METHOD_TOKEN_MAX: usize = 200;
const URL_MAX: usize = 2_000;

pub fn start(message: &pb::StartCheckoutRequest) -> Parsed<Start> {
    let mut fields = Fields::new();
    let cart = set(&message.cart_id).map(|cart| fields.id::<()>("cart_id", cart));
    let cart_token = fields.text("cart_token", &message.cart_token, 0..=256);
    let details = message.details.clone().unwrap_or_default();
    let replace_codes = !details.codes.is_empty();
    let change = details_change(&mut fields, &details, replace_codes);
    fields.build(|| {
        let cart = transposed(cart)?.map(|cart| cart.to_string()).unwrap_or_default();
        Some(Start { cart, cart_token: cart_token?, change: change? })
    })
}

pub fn update(message: &pb::UpdateCheckoutRequest) -> Parsed<(CheckoutId, DetailsChange)> {
    let mut fields = Fields::new();
    let id = checkout_id(&mut fields, message.key.as_ref());
    let details = message.details.clone().unwrap_or_default();
    let change = details_change(&mut fields, &details, message.replace_codes);
    if message.remove_billing_address && details.billing_address.is_some() {
        fields.refuse("remove_billing_address", "must not stand beside a billing address");
    }
    fields.build(|| {
        let mut change = change?;
        if message.remove_billing_address {
            change.billing = Some(None);
        }
        Some((id?, change))
    })
}

pub fn complete(message: &pb::CompleteCheckoutRequest) -> Parsed<(CheckoutId, Completion)> {
    let mut fields = Fields::new();
    let id = checkout_id(&mut fields, message.key.as_ref());
    let quote = fields.text("quote_id", &message.quote_id, 1..=128);
    let method_token =
        fields.text("payment_method_token", &message.payment_method_token, 0..=METHOD_TOKEN_MAX);
    let return_url = fields.text("return_url", &message.return_url, 0..=URL_MAX);
    let page = |url: &str| {
        let web = url.starts_with("https://") || url.starts_with("http://");
        web && url.is_ascii() && url.parse::<Uri>().is_ok_and(|uri| uri.host().is_some())
    };
    if return_url.as_deref().is_some_and(|url| !url.is_empty() && !page(url)) {
        fields.refuse("return_url", "must be the address of a page: http:// or https://, in ASCII");
    }
    fields.build(|| {
        let purchase = Purchase { method_token: method_token?, return_url: return_url? };
        Some((id?, Completion { quote: quote?, purchase }))
    })
}

pub fn checkout_key(key: Option<&pb::CheckoutKey>) -> Parsed<CheckoutId> {
    let mut fields = Fields::new();
    let id = checkout_id(&mut fields, key);
    fields.build(|| id)
}

fn checkout_id(fields: &mut Fields, key: Option<&pb::CheckoutKey>) -> Option<CheckoutId> {
    let key = fields.present("key", key)?;
    fields.id("key.checkout_id", &key.checkout_id)
}

/// Fields that are set replace, so an empty one means "as it was".
fn details_change(
    fields: &mut Fields,
    details: &pb::CheckoutDetails,
    replace_codes: bool,
) -> Option<DetailsChange> {
    let email = set(&details.email).map(|email| self::email(fields, email));
    let shipping = details
        .shipping_address
        .as_ref()
        .map(|address| fields.within("details.shipping_address", |fields| self::address(fields, address)));
    let billing = details
        .billing_address
        .as_ref()
        .map(|address| fields.within("details.billing_address", |fields| self::address(fields, address)));
    let method = set(&details.shipping_method_id)
        .map(|method| fields.text("details.shipping_method_id", method, 1..=64));
    let codes = replace_codes.then(|| codes(fields, &details.codes));
    // Each is nothing when it is not set, and `Some(None)` when it is wrong.
    Some(DetailsChange {
        email: transposed(email)?,
        shipping: transposed(shipping)?,
        billing: transposed(billing)?.map(Some),
        method: transposed(method)?,
        codes: transposed(codes)?,
    })
}

fn transposed<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(value) => value.map(Some),
    }
}

fn set(text: &str) -> Option<&str> {
    (!text.trim().is_empty()).then_some(text)
}

fn email(fields: &mut Fields, email: &str) -> Option<String> {
    let email = fields.text("details.email", email, 3..=254)?;
    let plausible = email.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !email.contains(char::is_whitespace)
    });
    if !plausible {
        fields.refuse("details.email", "must be an e-mail address");
    }
    plausible.then_some(email)
}

fn address(fields: &mut Fields, address: &common::Address) -> Option<Address> {
    let given_name = fields.text("given_name", &address.given_name, 0..=100);
    let family_name = fields.text("family_name", &address.family_name, 1..=100);
    let company = fields.text("company", &address.company, 0..=100);
    fields.count("lines", address.lines.len(), 1..=3);
    let lines: Option<Vec<String>> = (0..)
        .zip(&address.lines)
        .map(|(index, line)| fields.text(&format!("lines[{index}]"), line, 1..=200))
        .collect();
    let city = fields.text("city", &address.city, 1..=100);
    let region = fields.text("region", &address.region, 0..=100);
    let postal_code = fields.text("postal_code", &address.postal_code, 0..=20);
    let country_code = fields.country("country_code", &address.country_code);
    let phone = fields.text("phone", &address.phone, 0..=40);
    Some(Address {
        given_name: given_name?,
        family_name: family_name?,
        company: company?,
        lines: lines?,
        city: city?,
        region: region?,
        postal_code: postal_code?,
        country_code: country_code?,
        phone: phone?,
    })
}

fn codes(fields: &mut Fields, codes: &[String]) -> Option<Vec<String>> {
    fields.count("details.codes", codes.len(), 0..=CODES_MAX)?;
    let read = (0..).zip(codes);
    read.map(|(index, code)| fields.text(&format!("details.codes[{index}]"), code, 1..=32)).collect()
}

pub fn order_key(key: Option<&pb::OrderKey>) -> Parsed<Key> {
    let mut fields = Fields::new();
    let named = fields.present("key", key.and_then(|key| key.key.as_ref()));
    let key = named.and_then(|named| match named {
        pb::order_key::Key::OrderId(id) => fields.id("key.order_id", id).map(Key::Id),
        pb::order_key::Key::Number(number) => fields.parsed("key.number", number).map(Key::Number),
    });
    fields.build(|| key)
}

pub fn order_ids(ids: &[String]) -> Parsed<Vec<OrderId>> {
    let mut fields = Fields::new();
    let ids = fields.ids("order_ids", ids, 0..=BATCH_MAX);
    fields.build(|| ids)
}

pub fn listing(message: &pb::ListOrdersRequest) -> Parsed<Listing> {
    let mut fields = Fields::new();
    let account = set(&message.account_id).map(|id| fields.id::<()>("account_id", id).map(|id| id.as_uuid()));
    let min = message.place_time_min.as_ref().map(|time| fields.time("place_time_min", Some(time)));
    let max = message.place_time_max.as_ref().map(|time| fields.time("place_time_max", Some(time)));
    let state = choice(&mut fields, "state", message.state, order_state);
    let payment_state = choice(&mut fields, "payment_state", message.payment_state, payment_state);
    let fulfilment_state =
        choice(&mut fields, "fulfilment_state", message.fulfilment_state, fulfilment_state);
    let origin = choice(&mut fields, "origin", message.origin, origin);
    fields.build(|| {
        let filter = Filter {
            account: transposed(account)?,
            state: state?,
            payment_state: payment_state?,
            fulfilment_state: fulfilment_state?,
            origin: origin?,
            placed_min: transposed(min)?,
            placed_max: transposed(max)?,
        };
        Some(Listing { filter, all_accounts: message.all_accounts, with_totals: message.with_totals })
    })
}

/// A filter by an enum: nothing set means any.
fn choice<E: TryFrom<i32>, T>(
    fields: &mut Fields,
    field: &str,
    value: i32,
    domain: fn(E) -> Option<T>,
) -> Option<Option<T>> {
    match value {
        0 => Some(None),
        value => fields.choice(field, value).map(domain),
    }
}

fn order_state(state: pb::OrderState) -> Option<OrderState> {
    match state {
        pb::OrderState::Unspecified => None,
        pb::OrderState::Open => Some(OrderState::Open),
        pb::OrderState::Cancelled => Some(OrderState::Cancelled),
        pb::OrderState::Closed => Some(OrderState::Closed),
    }
}

fn payment_state(state: pb::OrderPaymentState) -> Option<PaymentState> {
    match state {
        pb::OrderPaymentState::Unspecified => None,
        pb::OrderPaymentState::NotRequired => Some(PaymentState::NotRequired),
        pb::OrderPaymentState::Authorized => Some(PaymentState::Authorized),
        pb::OrderPaymentState::Paid => Some(PaymentState::Paid),
        pb::OrderPaymentState::PartiallyRefunded => Some(PaymentState::PartiallyRefunded),
        pb::OrderPaymentState::Refunded => Some(PaymentState::Refunded),
        pb::OrderPaymentState::Voided => Some(PaymentState::Voided),
    }
}

fn fulfilment_state(state: pb::FulfilmentState) -> Option<FulfilmentState> {
    match state {
        pb::FulfilmentState::Unspecified => None,
        pb::FulfilmentState::Unfulfilled => Some(FulfilmentState::Unfulfilled),
        pb::FulfilmentState::PartiallyShipped => Some(FulfilmentState::PartiallyShipped),
        pb::FulfilmentState::Shipped => Some(FulfilmentState::Shipped),
        pb::FulfilmentState::PartiallyDelivered => Some(FulfilmentState::PartiallyDelivered),
        pb::FulfilmentState::Delivered => Some(FulfilmentState::Delivered),
        pb::FulfilmentState::PartiallyReturned => Some(FulfilmentState::PartiallyReturned),
        pb::FulfilmentState::Returned => Some(FulfilmentState::Returned),
    }
}

fn origin(origin: pb::OrderOrigin) -> Option<Origin> {
    match origin {
        pb::OrderOrigin::Unspecified => None,
        pb::OrderOrigin::Checkout => Some(Origin::Checkout),
        pb::OrderOrigin::Imported => Some(Origin::Imported),
    }
}

pub struct Shipped {
    pub id: OrderId,
    pub lines: Vec<LineCount>,
    pub carrier: String,
    pub tracking_number: String,
}

pub fn ship(message: &pb::ShipOrderRequest) -> Parsed<Shipped> {
    let mut fields = Fields::new();
    let id = fields.id("order_id", &message.order_id);
    let lines = counts(&mut fields, &message.lines, 0);
    let carrier = fields.text("carrier", &message.carrier, 0..=100);
    let tracking_number = fields.text("tracking_number", &message.tracking_number, 0..=100);
    fields.build(|| {
        Some(Shipped { id: id?, lines: lines?, carrier: carrier?, tracking_number: tracking_number? })
    })
}

fn counts(fields: &mut Fields, lines: &[pb::LineCount], min: usize) -> Option<Vec<LineCount>> {
    fields.count("lines", lines.len(), min..=LINES_MAX)?;
    let read = (0..).zip(lines).map(|(index, count)| {
        let line = fields.id(&format!("lines[{index}].line_id"), &count.line_id);
        let quantity = fields.integer(&format!("lines[{index}].quantity"), count.quantity, 1..=QUANTITY_MAX);
        Some(LineCount { line: line?, quantity: quantity? })
    });
    // Collected before it is judged, so that every wrong line is named.
    let read: Vec<Option<LineCount>> = read.collect();
    read.into_iter().collect()
}

pub fn deliver(message: &pb::DeliverShipmentRequest) -> Parsed<(OrderId, ShipmentId)> {
    let mut fields = Fields::new();
    let id = fields.id("order_id", &message.order_id);
    let shipment = fields.id("shipment_id", &message.shipment_id);
    fields.build(|| Some((id?, shipment?)))
}

pub fn prose(field: &str, text: &str, min: usize, max: usize) -> Parsed<String> {
    let mut fields = Fields::new();
    let text = fields.prose(field, text, min..=max);
    fields.build(|| text)
}

pub fn returned(message: &pb::RequestReturnRequest) -> Parsed<(Vec<LineCount>, String)> {
    let mut fields = Fields::new();
    let lines = counts(&mut fields, &message.lines, 1);
    let reason = fields.prose("reason", &message.reason, 0..=500);
    fields.build(|| Some((lines?, reason?)))
}

pub fn return_key(order_id: &str, return_id: &str) -> Parsed<(OrderId, ReturnId)> {
    let mut fields = Fields::new();
    let id = fields.id("order_id", order_id);
    let returned = fields.id("return_id", return_id);
    fields.build(|| Some((id?, returned?)))
}

pub fn refund(message: &pb::RefundOrderRequest) -> Parsed<(OrderId, Option<Money>, String)> {
    let mut fields = Fields::new();
    let id: Option<Id<crate::domain::Order>> = fields.id("order_id", &message.order_id);
    let amount = message.amount.as_ref().map(|amount| {
        let amount = fields.money("amount", Some(amount))?;
        if amount.minor_units() == 0 {
            fields.refuse("amount.minor_units", "must be above 0");
        }
        Some(amount)
    });
    let reason = fields.text("reason", &message.reason, 1..=200);
    fields.build(|| Some((id?, transposed(amount)?, reason?)))
}
