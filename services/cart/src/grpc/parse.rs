//! Requests into values of the domain.

use std::collections::HashSet;

use kit::Currency;
use kit::parse::Fields;
use mesh::status::Problem;
use proto::cart as pb;

use crate::app::{Claim, Opening};
use crate::domain::{CODES_MAX, CartId, LINES_MAX, LineId, QUANTITY_MAX, VariantId};

/// Lines that one call may change.
const CHANGED_MAX: usize = 250;
const CODE_LENGTH_MAX: usize = 64;
/// Far more than a token of ours has.
const TOKEN_LENGTH_MAX: usize = 128;

type Parsed<T> = Result<T, Problem>;
type Quantities = Vec<(VariantId, i64)>;
/// Which cart, what about it, and for which version only.
type Change<T> = Parsed<(Claim, T, Option<i64>)>;

pub fn key(message: Option<&pb::CartKey>) -> Parsed<Claim> {
    let mut fields = Fields::new();
    let claim = claim(&mut fields, "key", message);
    fields.build(|| claim).map_err(Problem::invalid)
}

pub fn opening(message: &pb::CreateCartRequest) -> Parsed<Opening> {
    let mut fields = Fields::new();
    let lines = new_lines(&mut fields, "lines", &message.lines, 0..=CHANGED_MAX);
    let currency = fields.currency("currency_code", &message.currency_code);
    let country = fields.country("country_code", &message.country_code);
    let codes = distinct_codes(&mut fields, &message.codes);
    fields
        .build(|| Some(Opening { currency: currency?, country: country?, lines: lines?, codes: codes? }))
        .map_err(Problem::invalid)
}

pub fn added(message: &pb::AddCartLinesRequest) -> Change<Quantities> {
    change(message.key.as_ref(), &message.etag, |fields| {
        new_lines(fields, "lines", &message.lines, 1..=CHANGED_MAX)
    })
}

pub fn updated(message: &pb::UpdateCartLinesRequest) -> Change<Vec<(LineId, i64)>> {
    change(message.key.as_ref(), &message.etag, |fields| {
        fields.count("lines", message.lines.len(), 1..=CHANGED_MAX)?;
        let mut seen = HashSet::new();
        let read = |(index, line): (usize, &pb::LineQuantity)| {
            fields.within(format!("lines[{index}]"), |fields| {
                let id: LineId = fields.id("line_id", &line.line_id)?;
                let quantity = fields.integer("quantity", line.quantity, 0..=QUANTITY_MAX)?;
                if !seen.insert(id) {
                    fields.refuse("line_id", "stands twice; a line has one quantity");
                }
                Some((id, quantity))
            })
        };
        all(message.lines.iter().enumerate().map(read))
    })
}

pub fn removed(message: &pb::RemoveCartLinesRequest) -> Change<Vec<LineId>> {
    change(message.key.as_ref(), &message.etag, |fields| {
        fields.count("line_ids", message.line_ids.len(), 1..=CHANGED_MAX)?;
        let read = |(index, id): (usize, &String)| fields.id(&format!("line_ids[{index}]"), id);
        all(message.line_ids.iter().enumerate().map(read))
    })
}

pub fn codes(message: &pb::SetCartCodesRequest) -> Change<Vec<String>> {
    change(message.key.as_ref(), &message.etag, |fields| distinct_codes(fields, &message.codes))
}

/// What is not said stays as it is.
pub fn context(message: &pb::SetCartContextRequest) -> Change<(Option<Currency>, Option<String>)> {
    change(message.key.as_ref(), &message.etag, |fields| {
        let currency = match message.currency_code.as_str() {
            "" => Some(None),
            code => fields.currency("currency_code", code).map(Some),
        };
        let country = match message.country_code.as_str() {
            "" => Some(None),
            code => fields.country("country_code", code).map(Some),
        };
        Some((currency?, country?))
    })
}

/// A guest's cart is named by its token, whoever is signed in.
pub fn guest(message: &pb::MergeCartsRequest) -> Parsed<Claim> {
    let mut fields = Fields::new();
    let claim = claim(&mut fields, "guest", message.guest.as_ref());
    if let Some(Claim::Account { .. }) = claim {
        fields.refuse("guest.token", "is required");
    }
    fields.build(|| claim).map_err(Problem::invalid)
}

pub fn cleared(message: &pb::ClearCartRequest) -> Parsed<(CartId, i64, Quantities)> {
    let mut fields = Fields::new();
    let cart = fields.id("cart_id", &message.cart_id);
    let version = fields.integer("version", message.version, 1..=i64::MAX);
    let bought = new_lines(&mut fields, "bought", &message.bought, 0..=LINES_MAX);
    fields.build(|| Some((cart?, version?, bought?))).map_err(Problem::invalid)
}

fn change<T>(
    key: Option<&pb::CartKey>,
    etag: &str,
    read: impl FnOnce(&mut Fields) -> Option<T>,
) -> Change<T> {
    let mut fields = Fields::new();
    let claim = claim(&mut fields, "key", key);
    let what = read(&mut fields);
    let etag = fields.etag(etag);
    fields.build(|| Some((claim?, what?, etag?))).map_err(Problem::invalid)
}

/// No key at all is that of the account's own cart.
fn claim(fields: &mut Fields, field: &str, key: Option<&pb::CartKey>) -> Option<Claim> {
    let Some(key) = key else {
        return Some(Claim::Account { cart: None });
    };
    fields.within(field, |fields| match (key.cart_id.as_str(), key.token.as_str()) {
        ("", "") => Some(Claim::Account { cart: None }),
        (id, "") => Some(Claim::Account { cart: Some(fields.id("cart_id", id)?) }),
        (id, token) => {
            let cart = fields.id("cart_id", id);
            let token = fields.text("token", token, 1..=TOKEN_LENGTH_MAX);
            Some(Claim::Token { cart: cart?, token: token? })
        }
    })
}

fn new_lines(
    fields: &mut Fields,
    field: &str,
    lines: &[pb::NewLine],
    range: std::ops::RangeInclusive<usize>,
) -> Option<Quantities> {
    fields.count(field, lines.len(), range)?;
    let read = |(index, line): (usize, &pb::NewLine)| {
        fields.within(format!("{field}[{index}]"), |fields| {
            let variant = fields.id("variant_id", &line.variant_id);
            let quantity = fields.integer("quantity", line.quantity, 1..=QUANTITY_MAX);
            Some((variant?, quantity?))
        })
    };
    all(lines.iter().enumerate().map(read))
}

/// Codes as pricing compares them: in capitals, each once, in the order given.
fn distinct_codes(fields: &mut Fields, codes: &[String]) -> Option<Vec<String>> {
    fields.count("codes", codes.len(), 0..=CODES_MAX)?;
    let read = |(index, code): (usize, &String)| {
        let code = fields.text(&format!("codes[{index}]"), code, 1..=CODE_LENGTH_MAX)?;
        Some(code.to_ascii_uppercase())
    };
    let mut seen = HashSet::new();
    let mut codes = all(codes.iter().enumerate().map(read))?;
    codes.retain(|code| seen.insert(code.clone()));
    Some(codes)
}

/// All or nothing; but every one is read, so that everything wrong is told.
fn all<T>(read: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = read.collect();
    read.into_iter().collect()
}
