//! What a sheet makes of the product that is there already.

use std::collections::HashMap;

use kit::Id;

use super::{ProductSheet, VariantSheet};
use crate::domain::{CategoryId, Choice, Content, Media, MediaId, Price, Seo, State, Variant};
use crate::sheet::Note;
use crate::sheet::columns::Column;

const TAX_CLASS_STANDARD: &str = "standard";
const TAX_CLASS_ZERO: &str = "zero";
/// The classes that a file may name; any other code belongs to a tax service.
const TAX_CLASSES: &[&str] = &[TAX_CLASS_STANDARD, "reduced", TAX_CLASS_ZERO];

impl ProductSheet {
    /// The content that the product gets. `category` is the one that the sheet names, if it names any.
    /// What the file has no column for stays as it is, and so do prices in other currencies.
    pub fn onto(
        &self,
        present: Option<&Content>,
        category: Option<CategoryId>,
    ) -> Result<Content, Vec<Note>> {
        let mut media = self.media(present);
        let mut errors = Vec::new();
        let by_sku: HashMap<&str, &Variant> = present
            .iter()
            .flat_map(|content| &content.variants)
            .map(|variant| (variant.sku.as_str(), variant))
            .collect();
        let mut variants = Vec::with_capacity(self.variants.len());
        for sheet in &self.variants {
            let known = by_sku.get(sheet.sku.as_str()).copied();
            match self.variant(sheet, known, &mut media) {
                Ok(variant) => variants.push(variant),
                Err(note) => errors.push(note),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }

        let text = |stated: &Option<String>, known: fn(&Content) -> &String| {
            let known = || present.map(known).cloned().unwrap_or_default();
            stated.clone().unwrap_or_else(known)
        };
        Ok(Content {
            handle: self.handle.clone(),
            title: self.title.clone(),
            description: text(&self.description, |content| &content.description),
            vendor: text(&self.vendor, |content| &content.vendor),
            product_type: text(&self.product_type, |content| &content.product_type),
            tags: self.tags.clone().unwrap_or_else(|| present.map(|c| c.tags.clone()).unwrap_or_default()),
            category: match self.category {
                Some(_) => category,
                None => present.and_then(|content| content.category),
            },
            state: self.final_state(present),
            seo: Seo {
                title: text(&self.seo_title, |content| &content.seo.title),
                description: text(&self.seo_description, |content| &content.seo.description),
            },
            options: self.choices(present),
            variants,
            media,
        })
    }

    fn final_state(&self, present: Option<&Content>) -> State {
        let stated = self.state.or(present.map(|content| content.state));
        match stated.unwrap_or(State::Active) {
            State::Active if self.unpublished => State::Draft,
            state => state,
        }
    }

    /// The options with the values that occur: known ones in their order, then new ones as they come.
    fn choices(&self, present: Option<&Content>) -> Vec<Choice> {
        let known = present.map_or(&[][..], |content| &content.options);
        let choice = |(number, name): (usize, &String)| {
            let mut stated: Vec<&String> = Vec::new();
            for value in self.variants.iter().filter_map(|variant| variant.option_values.get(number)) {
                if !stated.contains(&value) {
                    stated.push(value);
                }
            }
            let known = known.iter().find(|choice| choice.name == *name);
            let order: HashMap<&String, usize> = known
                .iter()
                .flat_map(|choice| &choice.values)
                .enumerate()
                .map(|(place, value)| (value, place))
                .collect();
            stated.sort_by_key(|value| order.get(value).copied().unwrap_or(usize::MAX));
            Choice { name: name.clone(), values: stated.into_iter().cloned().collect() }
        };
        self.options.iter().enumerate().map(choice).collect()
    }

    fn media(&self, present: Option<&Content>) -> Vec<Media> {
        let known = present.map_or(&[][..], |content| &content.media);
        let Some(pictures) = &self.pictures else {
            return known.to_vec();
        };
        let media = pictures.iter().map(|picture| {
            let known = known.iter().find(|media| media.url == picture.url);
            let alt_text = || known.map(|media| media.alt_text.clone());
            Media {
                id: known.map_or_else(Id::new, |media| media.id),
                url: picture.url.clone(),
                alt_text: picture.alt_text.clone().or_else(alt_text).unwrap_or_default(),
            }
        });
        media.collect()
    }

    fn variant(
        &self,
        sheet: &VariantSheet,
        known: Option<&Variant>,
        media: &mut Vec<Media>,
    ) -> Result<Variant, Note> {
        let link = match &sheet.image {
            Some(url) if url.is_empty() => None,
            Some(url) => Some(picture(url, media)),
            // A picture that is gone takes the link with it.
            None => {
                known.and_then(|variant| variant.media).filter(|id| media.iter().any(|media| media.id == *id))
            }
        };
        Ok(Variant {
            id: known.map_or_else(Id::new, |variant| variant.id),
            sku: sheet.sku.clone(),
            option_values: sheet.option_values.clone(),
            prices: self.prices(sheet, known)?,
            weight_grams: sheet.grams.unwrap_or_else(|| known.map_or(0, |variant| variant.weight_grams)),
            barcode: sheet
                .barcode
                .clone()
                .unwrap_or_else(|| known.map(|v| v.barcode.clone()).unwrap_or_default()),
            tax_class: tax_class(sheet, known),
            media: link,
            requires_shipping: sheet
                .requires_shipping
                .unwrap_or_else(|| known.is_none_or(|variant| variant.requires_shipping)),
        })
    }

    fn prices(&self, sheet: &VariantSheet, known: Option<&Variant>) -> Result<Vec<Price>, Note> {
        let mut prices = known.map(|v| v.prices.clone()).unwrap_or_default();
        let is_sold = !prices.is_empty();
        let place = prices.iter_mut().find(|price| price.amount.currency() == self.currency);
        match (sheet.price, place) {
            (Some(amount), Some(price)) => {
                let before = sheet.compare_at.unwrap_or(price.compare_at);
                *price = Price {
                    amount,
                    // Without a column for it, what it cost before stays, unless the price has overtaken it.
                    compare_at: before.filter(|b| b.minor_units() > amount.minor_units()),
                };
            }
            (Some(amount), None) => prices.push(Price { amount, compare_at: sheet.compare_at.flatten() }),
            // Sold in other currencies only: the file of this one has nothing to say about it.
            (None, None) if is_sold => {}
            (None, Some(_)) if !self.header.has(Column::Price) => {}
            (None, _) => return Err(self.at(sheet.line, Some(Column::Price), "is required")),
        }
        Ok(prices)
    }
}

/// The picture of a variant, added to the product's when it is not among them.
fn picture(url: &str, media: &mut Vec<Media>) -> MediaId {
    if let Some(known) = media.iter().find(|media| media.url == url) {
        return known.id;
    }
    let id = Id::new();
    media.push(Media { id, url: url.to_owned(), alt_text: String::new() });
    id
}

fn tax_class(sheet: &VariantSheet, known: Option<&Variant>) -> String {
    let present = known.map(|variant| variant.tax_class.as_str());
    if sheet.charge_tax == Some(false) {
        return TAX_CLASS_ZERO.to_owned();
    }
    let class = match sheet.tax_code.as_deref() {
        Some(code) if TAX_CLASSES.contains(&code) || present == Some(code) => code,
        Some(_) => TAX_CLASS_STANDARD,
        // Without a column for it the class stays; tax is charged again when the file says so.
        None if sheet.charge_tax == Some(true) && present == Some(TAX_CLASS_ZERO) => TAX_CLASS_STANDARD,
        None => present.unwrap_or(TAX_CLASS_STANDARD),
    };
    class.to_owned()
}
