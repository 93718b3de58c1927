//! The columns, under the names of both header generations.

use std::collections::HashMap;

use super::tokens::{Row, Unreadable};

/// Which names an exported file carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// Until 2024: "Handle".
    Old,
    /// 2024 and later: "URL handle".
    New,
}

/// The columns that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "docs/shopify-csv.md says what each means")]
pub enum Column {
    Handle,
    Title,
    Description,
    Vendor,
    Category,
    Type,
    Tags,
    Published,
    Status,
    OptionName(usize),
    OptionValue(usize),
    GiftCard,
    SeoTitle,
    SeoDescription,
    Sku,
    Barcode,
    Price,
    CompareAt,
    ChargeTax,
    TaxCode,
    Tracker,
    Quantity,
    Policy,
    Grams,
    RequiresShipping,
    VariantImage,
    ImageSrc,
    ImagePosition,
    ImageAlt,
}

/// Every name under which a column is known. Case does not matter, so most stand here once.
const NAMES: &[(&str, Column)] = &[
    ("handle", Column::Handle),
    ("url handle", Column::Handle),
    ("title", Column::Title),
    ("body (html)", Column::Description),
    ("description", Column::Description),
    ("vendor", Column::Vendor),
    ("product category", Column::Category),
    ("standard product type", Column::Category),
    ("standardized product type", Column::Category),
    ("type", Column::Type),
    ("custom product type", Column::Type),
    ("tags", Column::Tags),
    ("published", Column::Published),
    ("published on online store", Column::Published),
    ("status", Column::Status),
    ("option1 name", Column::OptionName(0)),
    ("option2 name", Column::OptionName(1)),
    ("option3 name", Column::OptionName(2)),
    ("option1 value", Column::OptionValue(0)),
    ("option2 value", Column::OptionValue(1)),
    ("option3 value", Column::OptionValue(2)),
    ("gift card", Column::GiftCard),
    ("seo title", Column::SeoTitle),
    ("seo description", Column::SeoDescription),
    ("variant sku", Column::Sku),
    ("sku", Column::Sku),
    ("variant barcode", Column::Barcode),
    ("barcode", Column::Barcode),
    ("variant price", Column::Price),
    ("price", Column::Price),
    ("variant compare at price", Column::CompareAt),
    ("compare-at price", Column::CompareAt),
    ("variant taxable", Column::ChargeTax),
    ("charge tax", Column::ChargeTax),
    ("variant tax code", Column::TaxCode),
    ("tax code", Column::TaxCode),
    ("variant inventory tracker", Column::Tracker),
    ("inventory tracker", Column::Tracker),
    ("variant inventory qty", Column::Quantity),
    ("inventory quantity", Column::Quantity),
    ("variant inventory policy", Column::Policy),
    ("continue selling when out of stock", Column::Policy),
    ("variant grams", Column::Grams),
    ("weight value (grams)", Column::Grams),
    ("variant requires shipping", Column::RequiresShipping),
    ("requires shipping", Column::RequiresShipping),
    ("variant image", Column::VariantImage),
    ("variant image url", Column::VariantImage),
    ("image src", Column::ImageSrc),
    ("product image url", Column::ImageSrc),
    ("image position", Column::ImagePosition),
    ("image alt text", Column::ImageAlt),
];

/// Known and not read: a real export imports silently.
const IGNORED: &[&str] = &[
    "option1 linked to",
    "option2 linked to",
    "option3 linked to",
    "cost per item",
    "unit price total measure",
    "unit price total measure unit",
    "unit price base measure",
    "unit price base measure unit",
    "variant weight unit",
    "weight unit for display",
    "variant fulfillment service",
    "fulfillment service",
    "google product category",
    "gender",
    "age group",
    "mpn",
    "manufacturer part number (mpn)",
    "adwords grouping",
    "ad group name",
    "adwords labels",
    "ads labels",
    "condition",
    "custom product",
    "custom label 0",
    "custom label 1",
    "custom label 2",
    "custom label 3",
    "custom label 4",
    "collection",
    "image width",
    "image height",
    "packed product length",
    "packed product width",
    "packed product height",
    "packed product dimension unit",
];

const IGNORED_BEGINNINGS: &[&str] =
    &["google shopping /", "included /", "price /", "compare at price /", "compare-at price /"];

/// Where each column stands in this file.
#[derive(Clone, Debug)]
pub struct Header {
    places: HashMap<Column, usize>,
    names: HashMap<Column, String>,
    /// Columns in no table; most likely misspelt.
    pub unknown: Vec<String>,
}

impl Header {
    /// Reads the first row.
    pub fn read(row: &Row) -> Result<Header, Unreadable> {
        let known: HashMap<&str, Column> = NAMES.iter().copied().collect();
        let mut header = Header { places: HashMap::new(), names: HashMap::new(), unknown: Vec::new() };
        for (place, written) in row.cells().enumerate() {
            let written = written.trim();
            let name = written.to_lowercase();
            match known.get(name.as_str()) {
                Some(column) => {
                    if header.places.insert(*column, place).is_some() {
                        let sentence = "the header names one column twice".to_owned();
                        return Err(Unreadable::Header(sentence));
                    }
                    header.names.insert(*column, written.to_owned());
                }
                None if is_ignored(&name) => {}
                None => header.unknown.push(written.to_owned()),
            }
        }
        if !header.has(Column::Handle) || !header.has(Column::Title) {
            return Err(Unreadable::Header(
                "the first line is not the header of a product file: \
                 it needs the columns \"URL handle\" (or \"Handle\") and \"Title\""
                    .to_owned(),
            ));
        }
        Ok(header)
    }

    /// Whether the file has the column.
    pub fn has(&self, column: Column) -> bool {
        self.places.contains_key(&column)
    }

    /// The column's name as the file writes it.
    pub fn name(&self, column: Column) -> &str {
        self.names.get(&column).map_or("", String::as_str)
    }

    /// The cell of a row, without the spaces around it; empty when the row or the file has none.
    pub fn cell<'a>(&self, row: &'a Row, column: Column) -> &'a str {
        self.raw(row, column).trim()
    }

    /// The cell of a row as it is written.
    pub fn raw<'a>(&self, row: &'a Row, column: Column) -> &'a str {
        self.places.get(&column).and_then(|place| row.cell(*place)).unwrap_or_default()
    }
}

fn is_ignored(name: &str) -> bool {
    name.is_empty()
        || IGNORED.contains(&name)
        || IGNORED_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || (name.contains("(product.metafields.") && name.ends_with(')'))
}

/// The column of a name in any case, if it is one that is read.
pub fn column_of(name: &str) -> Option<Column> {
    let name = name.trim().to_lowercase();
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, column)| *column)
}
