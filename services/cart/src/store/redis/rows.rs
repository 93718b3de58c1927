//! The fields of a cart's hash, and how they turn into a cart.

use std::collections::HashMap;
use std::fmt::Display;

use kit::{Id, Money, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{Cart, CartId, Line, LineId};
use crate::error::Error;
use crate::store::Right;

pub const ACCOUNT: &str = "account";
pub const TOKEN: &str = "token";
pub const VERSION: &str = "version";
pub const CREATED: &str = "created";
const CURRENCY: &str = "currency";
const COUNTRY: &str = "country";
const CODES: &str = "codes";
const UPDATED: &str = "updated";
/// What the fields of a line begin with; its id follows.
const LINE: &str = "line:";
const PLACE: &str = "place:";
/// Above any index of a line, so that the lines of a later version come behind those of all earlier ones.
const PLACES_PER_VERSION: i64 = 10_000;
const FINGERPRINT_BYTES: usize = 32;

type Fields = HashMap<String, String>;

/// The value of a line's field, as JSON.
#[derive(Serialize, Deserialize)]
struct LineValue {
    variant: Uuid,
    product: Uuid,
    sku: String,
    quantity: i64,
    /// In minor units of the cart's currency.
    seen_price: i64,
}

/// Does somebody with this right see a cart of these fields?
pub fn opens(right: &Right, fields: &Fields) -> bool {
    let is = |name: &str, value: &str| fields.get(name).is_some_and(|present| present == value);
    match right {
        Right::Account { account, .. } => is(ACCOUNT, &account.to_string()),
        Right::Token { hash, .. } => is(TOKEN, &hex(hash)) && !fields.contains_key(ACCOUNT),
        Right::Service(_) => fields.contains_key(VERSION),
    }
}

pub fn cart(id: CartId, fields: &Fields) -> Result<Cart, Error> {
    let currency = field(fields, CURRENCY)?.parse().map_err(malformed)?;
    let mut lines = Vec::new();
    for (name, value) in fields {
        let Some(line) = name.strip_prefix(LINE) else {
            continue;
        };
        let value: LineValue = serde_json::from_str(value).map_err(malformed)?;
        let line = Line {
            id: line.parse().map_err(malformed)?,
            variant: Id::from_uuid(value.variant),
            product: Id::from_uuid(value.product),
            sku: value.sku,
            quantity: value.quantity,
            seen_price: Money::new(currency, value.seen_price),
        };
        let place: i64 = field(fields, &place_field(line.id))?.parse().map_err(malformed)?;
        lines.push((place, line));
    }
    lines.sort_by_key(|(place, _)| *place);
    Ok(Cart {
        id,
        account: fields.get(ACCOUNT).map(|account| account.parse().map_err(malformed)).transpose()?,
        currency,
        country: field(fields, COUNTRY)?.to_owned(),
        codes: serde_json::from_str(field(fields, CODES)?).map_err(malformed)?,
        lines: lines.into_iter().map(|(_, line)| line).collect(),
        version: version(fields)?,
        created: parse_time(field(fields, CREATED)?)?,
        updated: parse_time(field(fields, UPDATED)?)?,
    })
}

pub fn version(fields: &Fields) -> Result<i64, Error> {
    field(fields, VERSION)?.parse().map_err(malformed)
}

/// The fields that any change of a cart may change.
pub fn head(cart: &Cart) -> Result<Vec<(String, String)>, Error> {
    let codes = serde_json::to_string(&cart.codes).map_err(malformed)?;
    let fields = [
        (CURRENCY, cart.currency.as_str().to_owned()),
        (COUNTRY, cart.country.clone()),
        (CODES, codes),
        (VERSION, cart.version.to_string()),
        (UPDATED, time(cart.updated)),
    ];
    Ok(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

pub fn line_field(line: LineId) -> String {
    format!("{LINE}{line}")
}

pub fn place_field(line: LineId) -> String {
    format!("{PLACE}{line}")
}

/// Where a line stands that a version adds as one of several.
pub fn place(version: i64, index: usize) -> String {
    let index = i64::try_from(index).unwrap_or(i64::MAX);
    version.saturating_mul(PLACES_PER_VERSION).saturating_add(index).to_string()
}

pub fn line(line: &Line) -> Result<String, Error> {
    let value = LineValue {
        variant: line.variant.as_uuid(),
        product: line.product.as_uuid(),
        sku: line.sku.clone(),
        quantity: line.quantity,
        seen_price: line.seen_price.minor_units(),
    };
    serde_json::to_string(&value).map_err(malformed)
}

/// A kept answer: the fingerprint of its request, then its JSON.
pub fn keep(fingerprint: &[u8], json: &[u8]) -> Vec<u8> {
    [fingerprint, json].concat()
}

/// The two parts again.
pub fn kept(kept: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    kept.split_at_checked(FINGERPRINT_BYTES).ok_or_else(|| malformed("a kept answer is too short"))
}

pub fn time(time: Timestamp) -> String {
    time.timestamp_micros().to_string()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn malformed(why: impl Display) -> Error {
    Error::Malformed(why.to_string())
}

fn parse_time(text: &str) -> Result<Timestamp, Error> {
    let micros = text.parse().map_err(malformed)?;
    Timestamp::from_timestamp_micros(micros).ok_or_else(|| malformed("a time is out of range"))
}

fn field<'a>(fields: &'a Fields, name: &str) -> Result<&'a str, Error> {
    fields.get(name).map(String::as_str).ok_or_else(|| malformed(format!("the field {name} is missing")))
}
