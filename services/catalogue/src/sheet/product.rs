//! One product as a file states it, and what it makes of the product that is there already.

mod merge;
mod read;

use std::sync::Arc;

use kit::{Currency, Money};

use super::Note;
use super::columns::{Column, Header};
use crate::domain::{Flaw, Place, State, VariantField};

/// A product as the file states it. `None` is a column that the file does not have: what it stands for stays as it is.
#[derive(Debug)]
pub struct ProductSheet {
    /// The key: same handle, same product.
    pub handle: String,
    /// Names of categories from the root; empty for none.
    pub category: Option<Vec<String>>,
    /// The variants, one per row.
    pub variants: Vec<VariantSheet>,
    /// What is said about cells that are good enough.
    pub warnings: Vec<Note>,
    /// What its rows took.
    pub bytes: usize,
    line: u64,
    header: Arc<Header>,
    currency: Currency,
    title: String,
    description: Option<String>,
    vendor: Option<String>,
    product_type: Option<String>,
    tags: Option<Vec<String>>,
    state: Option<State>,
    unpublished: bool,
    seo_title: Option<String>,
    seo_description: Option<String>,
    options: Vec<String>,
    pictures: Option<Vec<PictureSheet>>,
}

/// A variant as the file states it.
#[derive(Debug)]
pub struct VariantSheet {
    /// Stated, or made of handle and option values.
    pub sku: String,
    /// What is in stock, for inventory.
    pub quantity: Option<i64>,
    line: u64,
    option_values: Vec<String>,
    barcode: Option<String>,
    price: Option<Money>,
    compare_at: Option<Option<Money>>,
    charge_tax: Option<bool>,
    tax_code: Option<String>,
    grams: Option<i64>,
    requires_shipping: Option<bool>,
    image: Option<String>,
}

#[derive(Debug)]
struct PictureSheet {
    line: u64,
    url: String,
    position: Option<i64>,
    alt_text: Option<String>,
}

impl ProductSheet {
    /// A word about the whole product.
    pub fn note(&self, message: &str) -> Note {
        self.at(self.line, None, message)
    }

    /// A word about the product's category.
    pub fn category_note(&self, message: &str) -> Note {
        self.at(self.line, Some(Column::Category), message)
    }

    /// A word about the SKU of a variant.
    pub fn sku_note(&self, sku: &str, message: &str) -> Note {
        let variant = self.variants.iter().find(|variant| variant.sku == sku);
        let line = variant.map_or(self.line, |variant| variant.line);
        self.at(line, Some(Column::Sku), message)
    }

    /// Where the file has what does not fit.
    pub fn flaw_note(&self, flaw: &Flaw) -> Note {
        let (line, column) = match flaw.place {
            Place::Handle => (self.line, Some(Column::Handle)),
            Place::Title => (self.line, Some(Column::Title)),
            Place::Description => (self.line, Some(Column::Description)),
            Place::Vendor => (self.line, Some(Column::Vendor)),
            Place::ProductType => (self.line, Some(Column::Type)),
            Place::Tags => (self.line, Some(Column::Tags)),
            Place::SeoTitle => (self.line, Some(Column::SeoTitle)),
            Place::SeoDescription => (self.line, Some(Column::SeoDescription)),
            Place::Options | Place::Variants => (self.line, None),
            Place::OptionName(number) => (self.line, Some(Column::OptionName(number))),
            Place::OptionValues(number) => (self.line, Some(Column::OptionValue(number))),
            Place::Variant(number, field) => {
                let variant = self.variants.get(number);
                (variant.map_or(self.line, |variant| variant.line), Some(variant_column(field)))
            }
            Place::Media => (self.line, Some(Column::ImageSrc)),
            Place::MediaUrl(number) => (self.picture_line(number), Some(Column::ImageSrc)),
            Place::MediaAltText(number) => (self.picture_line(number), Some(Column::ImageAlt)),
        };
        self.at(line, column, &flaw.sentence)
    }

    fn picture_line(&self, number: usize) -> u64 {
        self.pictures
            .as_ref()
            .and_then(|pictures| pictures.get(number))
            .map_or(self.line, |picture| picture.line)
    }

    fn at(&self, line: u64, column: Option<Column>, message: &str) -> Note {
        Note {
            line,
            column: column.map_or("", |column| self.header.name(column)).to_owned(),
            handle: self.handle.clone(),
            message: message.to_owned(),
        }
    }
}

fn variant_column(field: VariantField) -> Column {
    match field {
        VariantField::Sku => Column::Sku,
        VariantField::OptionValues => Column::OptionValue(0),
        VariantField::Prices => Column::Price,
        VariantField::CompareAt => Column::CompareAt,
        VariantField::WeightGrams => Column::Grams,
        VariantField::Barcode => Column::Barcode,
        VariantField::TaxClass => Column::TaxCode,
        VariantField::Media => Column::VariantImage,
    }
}
