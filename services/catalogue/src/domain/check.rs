//! Whether the parts of a product fit together. One check for both doors: the contract and the spreadsheet.

use std::collections::HashSet;

use super::content::{
    Content, DESCRIPTION_BYTES_MAX, MEDIA_MAX, OPTIONS_MAX, Price, TAGS_MAX, TEXT_LENGTH_MAX, VARIANTS_MAX,
    Variant,
};

const ALT_TEXT_LENGTH_MAX: usize = 512;
const URL_LENGTH_MAX: usize = 2_048;
const SEO_DESCRIPTION_LENGTH_MAX: usize = 1_000;
const BARCODE_LENGTH_MAX: usize = 64;
const TAX_CLASS_LENGTH_MAX: usize = 32;
const CURRENCIES_MAX: usize = 50;
/// A tonne is no parcel, and sums of weights stay far from the end of their type.
const WEIGHT_GRAMS_MAX: i64 = 1_000_000;
/// Ten thousand million: a thousand lines of ten thousand pieces still add up within 64 bits.
const PRICE_MINOR_UNITS_MAX: i64 = 10_000_000_000;
/// Enough to see what is wrong with a product; the rest shows when these are mended.
const FLAWS_MAX: usize = 100;

/// One thing that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where it is.
    pub place: Place,
    /// A sentence that does not repeat the value.
    pub sentence: String,
}

/// A part of a product. Numbers count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are the fields of the contract")]
pub enum Place {
    Handle,
    Title,
    Description,
    Vendor,
    ProductType,
    Tags,
    SeoTitle,
    SeoDescription,
    Options,
    OptionName(usize),
    OptionValues(usize),
    Variants,
    Variant(usize, VariantField),
    Media,
    MediaUrl(usize),
    MediaAltText(usize),
}

/// A part of a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are the fields of the contract")]
pub enum VariantField {
    Sku,
    OptionValues,
    Prices,
    CompareAt,
    WeightGrams,
    Barcode,
    TaxClass,
    Media,
}

impl Content {
    /// Everything that does not fit; empty for a product that may be kept.
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Flaws(Vec::new());
        self.check_texts(&mut flaws);
        self.check_options(&mut flaws);
        self.check_variants(&mut flaws);
        self.check_media(&mut flaws);
        flaws.0
    }

    fn check_texts(&self, flaws: &mut Flaws) {
        if !is_handle(&self.handle) {
            flaws.add(Place::Handle, "must be 1 to 255 lower-case letters, digits, dashes and underscores");
        }
        flaws.line(Place::Title, &self.title, 1, TEXT_LENGTH_MAX);
        if self.description.len() > DESCRIPTION_BYTES_MAX {
            flaws.add(Place::Description, "must be at most 64 KiB");
        }
        if self.description.contains('\0') {
            flaws.add(Place::Description, "must not contain the character NUL");
        }
        flaws.line(Place::Vendor, &self.vendor, 0, TEXT_LENGTH_MAX);
        flaws.line(Place::ProductType, &self.product_type, 0, TEXT_LENGTH_MAX);
        flaws.line(Place::SeoTitle, &self.seo.title, 0, TEXT_LENGTH_MAX);
        flaws.line(Place::SeoDescription, &self.seo.description, 0, SEO_DESCRIPTION_LENGTH_MAX);

        if self.tags.len() > TAGS_MAX {
            flaws.add(Place::Tags, "must be at most 250");
        }
        let mut seen = HashSet::new();
        for tag in &self.tags {
            flaws.line(Place::Tags, tag, 1, TEXT_LENGTH_MAX);
            if tag.contains(',') {
                flaws.add(Place::Tags, "must not contain commas");
            }
            if !seen.insert(tag.to_lowercase()) {
                flaws.add(Place::Tags, "must not name a tag twice");
            }
        }
    }

    fn check_options(&self, flaws: &mut Flaws) {
        if self.options.len() > OPTIONS_MAX {
            flaws.add(Place::Options, "must be at most 3");
        }
        let mut names = HashSet::new();
        for (number, option) in self.options.iter().enumerate() {
            flaws.line(Place::OptionName(number), &option.name, 1, TEXT_LENGTH_MAX);
            if !names.insert(option.name.to_lowercase()) {
                flaws.add(Place::OptionName(number), "must not be named twice");
            }
            // What spreadsheets write for a product without options.
            let is_default = |value: &String| value.eq_ignore_ascii_case("Default Title");
            if option.name.eq_ignore_ascii_case("Title") && option.values.iter().any(is_default) {
                flaws.add(Place::OptionName(number), "must not be the word for no option");
            }
            let used: HashSet<&str> = self
                .variants
                .iter()
                .filter_map(|variant| variant.option_values.get(number))
                .map(String::as_str)
                .collect();
            let mut values = HashSet::new();
            for value in &option.values {
                flaws.line(Place::OptionValues(number), value, 1, TEXT_LENGTH_MAX);
                if !values.insert(value.as_str()) {
                    flaws.add(Place::OptionValues(number), "must not have a value twice");
                }
                if !used.contains(value.as_str()) {
                    flaws.add(Place::OptionValues(number), "must not have a value that no variant uses");
                }
            }
        }
    }

    fn check_variants(&self, flaws: &mut Flaws) {
        if self.variants.is_empty() || self.variants.len() > VARIANTS_MAX {
            flaws.add(Place::Variants, "must be 1 to 2,048");
        }
        let mut skus = HashSet::new();
        let mut combinations = HashSet::new();
        for (number, variant) in self.variants.iter().enumerate() {
            let at = |field| Place::Variant(number, field);
            check_sku(&variant.sku, at(VariantField::Sku), flaws);
            if !skus.insert(variant.sku.as_str()) {
                flaws.add(at(VariantField::Sku), "is the SKU of another variant");
            }
            self.check_values(variant, at(VariantField::OptionValues), flaws);
            if !combinations.insert(&variant.option_values) {
                flaws.add(at(VariantField::OptionValues), "are those of another variant");
            }
            check_prices(&variant.prices, number, flaws);
            if !(0..=WEIGHT_GRAMS_MAX).contains(&variant.weight_grams) {
                flaws.add(at(VariantField::WeightGrams), "must be 0 to 1,000,000");
            }
            let barcode = at(VariantField::Barcode);
            flaws.line(barcode, &variant.barcode, 0, BARCODE_LENGTH_MAX);
            if variant.barcode.starts_with('\'') {
                flaws.add(barcode, "must not begin with an apostrophe");
            }
            let is_shown = |id| self.media.iter().any(|media| media.id == id);
            if variant.media.is_some_and(|id| !is_shown(id)) {
                flaws.add(at(VariantField::Media), "names no picture of the product");
            }
            if !is_tax_class(&variant.tax_class) {
                flaws.add(
                    at(VariantField::TaxClass),
                    "must be 1 to 32 lower-case letters, digits, dashes and underscores",
                );
            }
        }
    }

    fn check_values(&self, variant: &Variant, place: Place, flaws: &mut Flaws) {
        if variant.option_values.len() != self.options.len() {
            flaws.add(place, "must be one per option of the product");
            return;
        }
        let known = self
            .options
            .iter()
            .zip(&variant.option_values)
            .all(|(option, value)| option.values.contains(value));
        if !known {
            flaws.add(place, "must be among the values of the option");
        }
    }

    fn check_media(&self, flaws: &mut Flaws) {
        if self.media.len() > MEDIA_MAX {
            flaws.add(Place::Media, "must be at most 250");
        }
        let mut urls = HashSet::new();
        for (number, media) in self.media.iter().enumerate() {
            if !is_url(&media.url) {
                flaws.add(
                    Place::MediaUrl(number),
                    "must be an https or http address or a path that begins with one slash",
                );
            }
            if !urls.insert(media.url.as_str()) {
                flaws.add(Place::MediaUrl(number), "is that of another picture of the product");
            }
            flaws.line(Place::MediaAltText(number), &media.alt_text, 0, ALT_TEXT_LENGTH_MAX);
        }
    }
}

fn check_sku(sku: &str, place: Place, flaws: &mut Flaws) {
    flaws.line(place, sku, 1, TEXT_LENGTH_MAX);
    if sku.starts_with('\'') {
        flaws.add(place, "must not begin with an apostrophe");
    }
}

fn check_prices(prices: &[Price], number: usize, flaws: &mut Flaws) {
    let place = Place::Variant(number, VariantField::Prices);
    if prices.is_empty() || prices.len() > CURRENCIES_MAX {
        flaws.add(place, "must be 1 to 50");
    }
    let mut currencies = HashSet::new();
    for price in prices {
        if !currencies.insert(price.amount.currency().as_str()) {
            flaws.add(place, "must be one per currency");
        }
        if !(0..=PRICE_MINOR_UNITS_MAX).contains(&price.amount.minor_units()) {
            flaws.add(place, "must be 0 to 10,000,000,000 minor units");
        }
        if let Some(before) = price.compare_at {
            let above = before.currency() == price.amount.currency()
                && before.minor_units() > price.amount.minor_units()
                && before.minor_units() <= PRICE_MINOR_UNITS_MAX;
            if !above {
                flaws.add(
                    Place::Variant(number, VariantField::CompareAt),
                    "must be above the price and in its currency",
                );
            }
        }
    }
}

/// Lower-case letters and digits of any script, dashes and underscores.
pub fn is_handle(text: &str) -> bool {
    let fits = |character: char| {
        matches!(character, '-' | '_') || (character.is_alphanumeric() && !character.is_uppercase())
    };
    !text.is_empty() && text.chars().count() <= TEXT_LENGTH_MAX && text.chars().all(fits)
}

fn is_tax_class(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    !text.is_empty() && text.len() <= TAX_CLASS_LENGTH_MAX && text.bytes().all(fits)
}

fn is_url(text: &str) -> bool {
    let absolute =
        ["https://", "http://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme));
    let path = text.starts_with('/') && !text.starts_with("//");
    let clean = !text.chars().any(|character| character.is_control() || character.is_whitespace());
    text.len() <= URL_LENGTH_MAX && clean && (absolute || path)
}

struct Flaws(Vec<Flaw>);

impl Flaws {
    fn add(&mut self, place: Place, sentence: impl Into<String>) {
        if self.0.len() < FLAWS_MAX {
            self.0.push(Flaw { place, sentence: sentence.into() });
        }
    }

    /// One line of text without spaces around it: what a spreadsheet gives back as it took it.
    fn line(&mut self, place: Place, text: &str, min: usize, max: usize) {
        let length = text.chars().count();
        if length < min || length > max {
            self.add(place, format!("must have {min} to {max} characters"));
        }
        if text.chars().any(char::is_control) {
            self.add(place, "must not contain control characters");
        }
        if text.trim().len() != text.len() {
            self.add(place, "must not begin or end with spaces");
        }
    }
}
