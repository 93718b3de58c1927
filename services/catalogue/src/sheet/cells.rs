//! Reads the cells of one product's rows and collects what is wrong with them.

use kit::{Currency, Money};

use super::Note;
use super::columns::{Column, Header};
use super::tokens::Row;

/// Enough to see what is wrong with a product; the rest shows when these are mended.
const NOTES_MAX: usize = 100;
const QUANTITY_MAX: i64 = 1_000_000_000;

/// What was found wrong while the cells of a product were read.
pub(super) struct Cells<'a> {
    header: &'a Header,
    handle: &'a str,
    pub(super) errors: Vec<Note>,
    pub(super) warnings: Vec<Note>,
}

impl<'a> Cells<'a> {
    pub(super) fn new(header: &'a Header, handle: &'a str) -> Self {
        Self { header, handle, errors: Vec::new(), warnings: Vec::new() }
    }

    pub(super) fn refuse(&mut self, row: &Row, column: Option<Column>, message: &str) {
        let note = self.note(row, column, message);
        if self.errors.len() < NOTES_MAX {
            self.errors.push(note);
        }
    }

    pub(super) fn warn(&mut self, row: &Row, column: Column, message: &str) {
        let note = self.note(row, Some(column), message);
        if self.warnings.len() < NOTES_MAX {
            self.warnings.push(note);
        }
    }

    fn note(&self, row: &Row, column: Option<Column>, message: &str) -> Note {
        Note {
            line: row.line,
            column: column.map_or("", |column| self.header.name(column)).to_owned(),
            handle: self.handle.to_owned(),
            message: message.to_owned(),
        }
    }

    /// The text of a cell; nothing when the file lacks the column, which leaves the field as it is.
    pub(super) fn text(&self, row: &Row, column: Column) -> Option<String> {
        self.header.has(column).then(|| self.header.cell(row, column).to_owned())
    }

    /// Text that is kept as it is written, spaces and line breaks included.
    pub(super) fn verbatim(&self, row: &Row, column: Column) -> Option<String> {
        self.header.has(column).then(|| self.header.raw(row, column).to_owned())
    }

    pub(super) fn is_empty(&self, row: &Row, column: Column) -> bool {
        self.header.cell(row, column).is_empty()
    }

    /// A code of digits, without the apostrophe that spreadsheets put before a leading zero.
    pub(super) fn code(&self, row: &Row, column: Column) -> Option<String> {
        self.text(row, column).map(|code| {
            let digits = code
                .strip_prefix('\'')
                .filter(|digits| digits.starts_with(|first: char| first.is_ascii_digit()));
            digits.map(str::to_owned).unwrap_or(code)
        })
    }

    /// `TRUE` or `FALSE`; empty is what the format says it is.
    pub(super) fn flag(&mut self, row: &Row, column: Column, empty: bool) -> Option<bool> {
        let text = self.text(row, column)?;
        match text.to_ascii_lowercase().as_str() {
            "" => Some(empty),
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                self.refuse(row, Some(column), "must be TRUE or FALSE");
                None
            }
        }
    }

    /// An amount, not below zero; `Some(None)` for an empty cell.
    pub(super) fn amount(&mut self, row: &Row, column: Column, currency: Currency) -> Option<Option<Money>> {
        let text = self.text(row, column)?;
        if text.is_empty() {
            return Some(None);
        }
        match Money::parse_decimal(&text, currency) {
            Ok(amount) if amount.minor_units() >= 0 => Some(Some(amount)),
            Ok(_) => {
                self.refuse(row, Some(column), "must not be negative");
                None
            }
            Err(_) => {
                let message = format!(
                    "must be an amount of {currency}, with a decimal point and without thousands marks"
                );
                self.refuse(row, Some(column), &message);
                None
            }
        }
    }

    /// A weight; some tools write decimals, so it is rounded.
    pub(super) fn grams(&mut self, row: &Row) -> Option<i64> {
        let text = self.text(row, Column::Grams)?;
        if text.is_empty() {
            return Some(0);
        }
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let grams = whole.parse::<i64>().ok();
        match grams.filter(|_| digits(whole) && digits(fraction)) {
            Some(grams) => {
                let up = i64::from(fraction.as_bytes().first().is_some_and(|digit| *digit >= b'5'));
                Some(grams.saturating_add(up))
            }
            None => {
                self.refuse(row, Some(Column::Grams), "must be a weight in grams");
                None
            }
        }
    }

    /// What is in stock; nothing when the row does not say or stock is not counted.
    pub(super) fn quantity(&mut self, row: &Row) -> Option<i64> {
        let text = self.text(row, Column::Quantity)?;
        let counted = !self.header.has(Column::Tracker) || !self.is_empty(row, Column::Tracker);
        if text.is_empty() || !counted {
            return None;
        }
        match text.parse::<i64>() {
            Ok(quantity) if quantity < 0 => {
                self.warn(row, Column::Quantity, "is negative and was read as 0");
                Some(0)
            }
            Ok(quantity) if quantity <= QUANTITY_MAX => Some(quantity),
            _ => {
                let message = "must be a whole number up to 1,000,000,000";
                self.refuse(row, Some(Column::Quantity), message);
                None
            }
        }
    }

    /// Selling past zero is not offered, which is worth a word.
    pub(super) fn policy(&mut self, row: &Row) {
        let text = self.header.cell(row, Column::Policy).to_ascii_lowercase();
        match text.as_str() {
            "" | "deny" | "false" => {}
            "continue" | "true" => {
                self.warn(row, Column::Policy, "selling past zero is not offered; this is read as DENY")
            }
            _ => self.refuse(row, Some(Column::Policy), "must be DENY, CONTINUE, FALSE or TRUE"),
        }
    }
}
