//! One line of another shop's order history, read and checked.

use chrono::{DateTime, NaiveDateTime};
use kit::Timestamp;
use serde::Deserialize;

const TEXT_MAX: usize = 200;
const SKU_MAX: usize = 64;
const LINES_MAX: usize = 10_000;
/// Wholesalers buy more of one item than a cart takes here.
const QUANTITY_MAX: i64 = 1_000_000;
const TIME_FORMAT: &str = "%Y-%m-%d %H:%M:%S";

/// An order as the other shop kept it.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoricOrder {
    pub id: String,
    pub placed: Timestamp,
    pub customer: Option<String>,
    pub country: String,
    pub lines: Vec<HistoricLine>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoricLine {
    pub sku: String,
    pub quantity: i64,
    pub unit_price: i64,
}

/// Why a line of history is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// As far as it could be read.
    pub id: String,
    pub why: String,
}

#[derive(Deserialize)]
struct Written {
    order: String,
    at: String,
    customer: Option<String>,
    country: String,
    lines: Vec<WrittenLine>,
}

#[derive(Deserialize)]
struct WrittenLine {
    sku: String,
    qty: i64,
    unit_pence: i64,
}

impl HistoricOrder {
    /// Reads one line of JSON. What is wrong with it is said without repeating it.
    pub fn read(line: &[u8]) -> Result<HistoricOrder, Unreadable> {
        let written: Written = serde_json::from_slice(line).map_err(|error| Unreadable {
            id: String::new(),
            why: format!("is not an order: {}", kind_of(&error)),
        })?;
        let id = match name("order", &written.order, 1) {
            Ok(id) => id,
            Err(why) => {
                return Err(Unreadable { id: String::new(), why });
            }
        };
        written.checked(id.clone()).map_err(|why| Unreadable { id, why })
    }
}

impl Written {
    fn checked(self, id: String) -> Result<HistoricOrder, String> {
        if self.lines.is_empty() || self.lines.len() > LINES_MAX {
            return Err(format!("must have 1 to {LINES_MAX} lines"));
        }
        let lines = self.lines.into_iter().enumerate().map(|(index, line)| line.checked(index));
        Ok(HistoricOrder {
            id,
            placed: time(&self.at)?,
            customer: self.customer.map(|customer| name("customer", &customer, 1)).transpose()?,
            country: name("country", &self.country, 0)?,
            lines: lines.collect::<Result<Vec<HistoricLine>, String>>()?,
        })
    }
}

impl WrittenLine {
    fn checked(self, index: usize) -> Result<HistoricLine, String> {
        let sku = name(&format!("lines[{index}].sku"), &self.sku, 1)?;
        if sku.len() > SKU_MAX {
            return Err(format!("lines[{index}].sku must have at most {SKU_MAX} bytes"));
        }
        if !(1..=QUANTITY_MAX).contains(&self.qty) {
            return Err(format!("lines[{index}].qty must be 1 to {QUANTITY_MAX}"));
        }
        if self.unit_pence < 0 {
            return Err(format!("lines[{index}].unit_pence must not be negative"));
        }
        Ok(HistoricLine { sku, quantity: self.qty, unit_price: self.unit_pence })
    }
}

fn name(field: &str, text: &str, min: usize) -> Result<String, String> {
    let text = text.trim();
    let length = text.chars().count();
    if !(min..=TEXT_MAX).contains(&length) || text.chars().any(char::is_control) {
        return Err(format!("{field} must have {min} to {TEXT_MAX} characters and no control characters"));
    }
    Ok(text.to_owned())
}

/// UTC, as "2010-12-01 08:26:00" or RFC 3339.
fn time(text: &str) -> Result<Timestamp, String> {
    let plain = NaiveDateTime::parse_from_str(text, TIME_FORMAT).map(|time| time.and_utc());
    plain
        .or_else(|_| DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()))
        .ok()
        .filter(|time| (1900..=9999).contains(&chrono::Datelike::year(time)))
        .map(kit::time::truncate)
        .ok_or_else(|| "at must be a time such as 2010-12-01 08:26:00".to_owned())
}

fn kind_of(error: &serde_json::Error) -> &'static str {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => "a field is missing or of the wrong type",
        Category::Eof => "the JSON ends too early",
        Category::Syntax | Category::Io => "it is not JSON",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = r#"{"order":"536365","at":"2010-12-01 08:26:00","customer":null,"country":"EIRE","lines":[{"sku":"85123A","qty":6,"unit_pence":255}]}"#;

    #[test]
    fn an_order_is_read_whole() {
        let order = HistoricOrder::read(GOOD.as_bytes()).unwrap();

        assert_eq!((order.id.as_str(), order.country.as_str()), ("536365", "EIRE"));
        assert_eq!(order.placed.to_rfc3339(), "2010-12-01T08:26:00+00:00");
        assert_eq!(order.lines, [HistoricLine { sku: "85123A".into(), quantity: 6, unit_price: 255 }]);
    }

    #[test]
    fn each_fault_is_named_and_never_repeated() {
        let faults = [
            ("2010-12-01 08:26:00", "2010-13-01 08:26:00", "at must be"),
            ("\"qty\":6", "\"qty\":0", "lines[0].qty"),
            ("\"qty\":6", "\"qty\":1000001", "lines[0].qty"),
            ("\"qty\":6", "\"qty\":\"6\"", "wrong type"),
            ("255", "-1", "lines[0].unit_pence"),
            ("85123A", "", "lines[0].sku"),
            ("536365", "", "order must have"),
            ("EIRE", "EI\\u0000RE", "country must have"),
            ("{\"order\"", "{order", "not JSON"),
            ("}]}", "}]", "too early"),
        ];
        for (good, bad, why) in faults {
            let refused = HistoricOrder::read(GOOD.replacen(good, bad, 1).as_bytes()).unwrap_err();
            assert!(refused.why.contains(why), "{bad}: {}", refused.why);
        }
        assert!(HistoricOrder::read(b"\xff\xfe").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_bring_the_reader_down(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = HistoricOrder::read(&bytes);
        }
    }
}
