//! Reads the fields of a request into values, and collects everything that is wrong with them.
//!
//! ```
//! # use kit::parse::{Fields, Violation};
//! # use kit::Id;
//! struct Review { product: Id<Review>, title: String }
//! # fn parse(product_id: &str, title: &str) -> Result<Review, Vec<Violation>> {
//! let mut fields = Fields::new();
//! let product = fields.id("product_id", product_id);
//! let title = fields.text("title", title, 1..=120);
//! fields.build(|| Some(Review { product: product?, title: title? }))
//! # }
//! # assert!(parse("?", "fine").is_err());
//! ```

use std::collections::HashSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use proto::common as pb;

use crate::currency::Currency;
use crate::id::Id;
use crate::money::{Money, MoneyError};
use crate::time::{self, Timestamp};

/// Things that one call names at most, whatever they are.
pub const BATCH_MAX: usize = 1_500;
/// A thousand wrong lines need no thousand sentences.
pub const VIOLATIONS_MAX: usize = 100;

/// What is wrong with one field. The sentence never repeats the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path in the request: `lines[0].quantity`.
    pub field: String,
    /// A sentence for the person who wrote the call.
    pub description: String,
}

/// Collects violations while a request is read. Every method answers the value, or nothing and notes why.
#[derive(Debug, Default)]
pub struct Fields {
    prefix: String,
    violations: Vec<Violation>,
}

impl Fields {
    /// Nothing wrong yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes that a field is wrong.
    pub fn refuse(&mut self, field: &str, description: impl Into<String>) {
        if self.violations.len() < VIOLATIONS_MAX {
            let field = format!("{}{field}", self.prefix);
            self.violations.push(Violation { field, description: description.into() });
        }
    }

    /// Reads fields of a message inside: `fields.within("lines[0]", |fields| fields.id("id", …))`.
    pub fn within<T>(&mut self, path: impl Display, read: impl FnOnce(&mut Fields) -> T) -> T {
        let inner = format!("{}{path}.", self.prefix);
        let outer = std::mem::replace(&mut self.prefix, inner);
        let value = read(self);
        self.prefix = outer;
        value
    }

    /// One line of text with so many characters, without the spaces around it and without control characters.
    pub fn text(&mut self, field: &str, value: &str, lengths: RangeInclusive<usize>) -> Option<String> {
        self.characters(field, value, lengths, |character| character.is_control())
    }

    /// Text that may have several lines; otherwise as [`text`](Self::text).
    pub fn prose(&mut self, field: &str, value: &str, lengths: RangeInclusive<usize>) -> Option<String> {
        self.characters(field, value, lengths, |character| {
            character.is_control() && !matches!(character, '\n' | '\r' | '\t')
        })
    }

    /// An id.
    pub fn id<T>(&mut self, field: &str, value: &str) -> Option<Id<T>> {
        self.parsed(field, value)
    }

    /// The ids of a batch, in the order asked; one that stands twice counts once.
    pub fn ids<T>(
        &mut self,
        field: &str,
        values: &[String],
        items: RangeInclusive<usize>,
    ) -> Option<Vec<Id<T>>> {
        let most = *items.end();
        let fits = self.count(field, values.len(), items);
        let (mut ids, mut seen) = (Vec::with_capacity(values.len().min(most)), HashSet::new());
        for (index, value) in values.iter().enumerate().take(most) {
            ids.extend(self.id(&format!("{field}[{index}]"), value).filter(|id| seen.insert(*id)));
        }
        fits.map(|_| ids)
    }

    /// The etag of a thing, which is the version that was read; an empty one stands for whichever there is.
    pub fn etag(&mut self, value: &str) -> Option<Option<i64>> {
        if value.is_empty() {
            return Some(None);
        }
        let version = value.parse().ok().or_else(|| self.wrong("etag", "is not an etag of this service"));
        version.map(Some)
    }

    /// Anything that reads itself from text; its error's words become the sentence, so they must not repeat the text.
    pub fn parsed<T: FromStr<Err: Display>>(&mut self, field: &str, value: &str) -> Option<T> {
        match value.parse() {
            Ok(parsed) => Some(parsed),
            Err(_) if value.is_empty() => self.missing(field),
            Err(error) => self.wrong(field, error.to_string()),
        }
    }

    /// A whole number within limits.
    pub fn integer(&mut self, field: &str, value: impl Into<i64>, range: RangeInclusive<i64>) -> Option<i64> {
        let value = value.into();
        match range.contains(&value) {
            true => Some(value),
            false => self.wrong(field, format!("must be {} to {}", range.start(), range.end())),
        }
    }

    /// How many items a list may have.
    pub fn count(&mut self, field: &str, items: usize, range: RangeInclusive<usize>) -> Option<usize> {
        let (least, most) = (range.start(), range.end());
        match range.contains(&items) {
            true => Some(items),
            false => self.wrong(field, format!("must have {least} to {most} items, not {items}")),
        }
    }

    /// A field that must be there.
    pub fn present<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        value.or_else(|| self.missing(field))
    }

    /// A value of an enum of the contract, other than its UNSPECIFIED.
    pub fn choice<E: TryFrom<i32>>(&mut self, field: &str, value: i32) -> Option<E> {
        if value == 0 {
            return self.missing(field);
        }
        E::try_from(value).ok().or_else(|| self.wrong(field, "is not a known value"))
    }

    /// A point in time.
    pub fn time(&mut self, field: &str, value: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
        let value = self.present(field, value)?;
        let wrong = || self.wrong(field, "is not a time between the years 1 and 9999");
        time::from_proto(value).or_else(wrong)
    }

    /// A currency code.
    pub fn currency(&mut self, field: &str, value: &str) -> Option<Currency> {
        self.parsed(field, value)
    }

    /// An amount, not below zero.
    pub fn money(&mut self, field: &str, value: Option<&pb::Money>) -> Option<Money> {
        let value = self.present(field, value)?;
        match Money::try_from(value) {
            Ok(money) if money.minor_units() >= 0 => Some(money),
            Ok(_) => self.wrong(&format!("{field}.minor_units"), "must not be negative"),
            Err(MoneyError::UnknownCurrency(error)) => {
                self.wrong(&format!("{field}.currency_code"), error.to_string())
            }
            Err(error) => self.wrong(field, error.to_string()),
        }
    }

    /// A country: two capital letters of ISO 3166-1. Whether it is one that is served, the owner decides.
    pub fn country(&mut self, field: &str, value: &str) -> Option<String> {
        match value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase()) {
            true => Some(value.to_owned()),
            false => self.wrong(field, "must be two capital letters of ISO 3166-1"),
        }
    }

    /// Everything that is wrong, if anything is.
    pub fn finish(self) -> Result<(), Vec<Violation>> {
        match self.violations.is_empty() {
            true => Ok(()),
            false => Err(self.violations),
        }
    }

    /// Puts the values together when nothing is wrong. `value` uses `?` on what the methods above answered.
    pub fn build<T>(mut self, value: impl FnOnce() -> Option<T>) -> Result<T, Vec<Violation>> {
        let value = value();
        if value.is_none() && self.violations.is_empty() {
            // Only a reader that refuses without a word gets here; the call must fail all the same.
            self.refuse("", "the request is not complete");
        }
        self.finish().and_then(|()| value.ok_or_else(Vec::new))
    }

    fn characters(
        &mut self,
        field: &str,
        value: &str,
        lengths: RangeInclusive<usize>,
        refused: impl Fn(char) -> bool,
    ) -> Option<String> {
        let value = value.trim();
        let length = value.chars().count();
        if length == 0 && !lengths.contains(&0) {
            return self.missing(field);
        }
        if !lengths.contains(&length) {
            let (least, most) = (lengths.start(), lengths.end());
            return self.wrong(field, format!("must have {least} to {most} characters"));
        }
        match value.chars().any(refused) {
            true => self.wrong(field, "must not contain control characters"),
            false => Some(value.to_owned()),
        }
    }

    fn missing<T>(&mut self, field: &str) -> Option<T> {
        self.wrong(field, "is required")
    }

    /// Refuses a field, which then has no value.
    fn wrong<T>(&mut self, field: &str, description: impl Into<String>) -> Option<T> {
        self.refuse(field, description);
        None
    }
}
