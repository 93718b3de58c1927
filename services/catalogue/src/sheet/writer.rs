//! Writes products as rows that import back to the same products.

use std::collections::HashMap;

use kit::Currency;

use super::columns::{Column, Generation, column_of};
use super::tokens::Unreadable;
use crate::domain::{Content, Media, Product, State, Variant};

const NEW: &str = "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,Barcode,Option1 name,Option1 value,Option1 Linked To,Option2 name,Option2 value,Option2 Linked To,Option3 name,Option3 value,Option3 Linked To,Price,Compare-at price,Cost per item,Charge tax,Tax code,Unit price total measure,Unit price total measure unit,Unit price base measure,Unit price base measure unit,Inventory tracker,Inventory quantity,Continue selling when out of stock,Weight value (grams),Weight unit for display,Requires shipping,Fulfillment service,Product image URL,Image position,Image alt text,Variant image URL,Gift card,SEO title,SEO description";
const OLD: &str = "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option1 Linked To,Option2 Name,Option2 Value,Option2 Linked To,Option3 Name,Option3 Value,Option3 Linked To,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Fulfillment Service,Variant Price,Variant Compare At Price,Variant Requires Shipping,Variant Taxable,Unit Price Total Measure,Unit Price Total Measure Unit,Unit Price Base Measure,Unit Price Base Measure Unit,Variant Barcode,Image Src,Image Position,Image Alt Text,Gift Card,SEO Title,SEO Description,Variant Image,Variant Weight Unit,Variant Tax Code,Cost per item,Status";

/// Writes the rows of one file.
pub struct Writer {
    csv: csv::Writer<Vec<u8>>,
    columns: Vec<Option<Column>>,
    currency: Currency,
}

type Cells = HashMap<Column, String>;

impl Writer {
    /// A file that begins with its header.
    pub fn new(generation: Generation, currency: Currency) -> Result<Writer, Unreadable> {
        let header = match generation {
            Generation::Old => OLD,
            Generation::New => NEW,
        };
        let mut writer = Writer {
            csv: csv::Writer::from_writer(Vec::new()),
            columns: header.split(',').map(column_of).collect(),
            currency,
        };
        writer.row(header.split(',').map(str::to_owned))?;
        Ok(writer)
    }

    /// Writes one product, whose category lies at these names.
    pub fn product(&mut self, product: &Product, category: &[&str]) -> Result<(), Unreadable> {
        let content = &product.content;
        for number in 0..content.variants.len().max(content.media.len()) {
            let mut cells = Cells::new();
            cells.insert(Column::Handle, content.handle.clone());
            if number == 0 {
                product_cells(&mut cells, content, category);
            }
            if let Some(variant) = content.variants.get(number) {
                self.variant_cells(&mut cells, content, variant);
            }
            if let Some(media) = content.media.get(number) {
                media_cells(&mut cells, media, number + 1);
            }
            let columns = self.columns.clone();
            let row = columns.into_iter().map(|column| column.and_then(|column| cells.remove(&column)));
            self.row(row.map(Option::unwrap_or_default))?;
        }
        Ok(())
    }

    /// What was written since it was taken last.
    pub fn take(&mut self) -> Vec<u8> {
        let csv = std::mem::replace(&mut self.csv, csv::Writer::from_writer(Vec::new()));
        // Writing to memory does not fail.
        csv.into_inner().unwrap_or_default()
    }

    fn row(&mut self, cells: impl Iterator<Item = String>) -> Result<(), Unreadable> {
        self.csv.write_record(cells).map_err(|_| Unreadable::Header("a row cannot be written".to_owned()))
    }

    fn variant_cells(&self, cells: &mut Cells, content: &Content, variant: &Variant) {
        for (number, value) in variant.option_values.iter().enumerate() {
            cells.insert(Column::OptionValue(number), value.clone());
        }
        if content.options.is_empty() {
            cells.insert(Column::OptionValue(0), "Default Title".to_owned());
        }
        let price = variant.prices.iter().find(|price| price.amount.currency() == self.currency);
        if let Some(price) = price {
            cells.insert(Column::Price, price.amount.to_decimal());
            if let Some(before) = price.compare_at {
                cells.insert(Column::CompareAt, before.to_decimal());
            }
        }
        let taxed = variant.tax_class != "zero";
        let image = content.media.iter().find(|media| Some(media.id) == variant.media);
        cells.extend([
            (Column::Sku, variant.sku.clone()),
            (Column::Barcode, variant.barcode.clone()),
            (Column::ChargeTax, flag(taxed)),
            (Column::TaxCode, variant.tax_class.clone()),
            (Column::Policy, "DENY".to_owned()),
            (Column::Grams, variant.weight_grams.to_string()),
            (Column::RequiresShipping, flag(variant.requires_shipping)),
        ]);
        if let Some(image) = image {
            cells.insert(Column::VariantImage, image.url.clone());
        }
    }
}

fn product_cells(cells: &mut Cells, content: &Content, category: &[&str]) {
    let state = match content.state {
        State::Draft => "draft",
        State::Active => "active",
        State::Archived => "archived",
    };
    for (number, option) in content.options.iter().enumerate() {
        cells.insert(Column::OptionName(number), option.name.clone());
    }
    if content.options.is_empty() {
        cells.insert(Column::OptionName(0), "Title".to_owned());
    }
    cells.extend([
        (Column::Title, content.title.clone()),
        (Column::Description, content.description.clone()),
        (Column::Vendor, content.vendor.clone()),
        (Column::Category, category.join(" > ")),
        (Column::Type, content.product_type.clone()),
        (Column::Tags, content.tags.join(", ")),
        (Column::Published, flag(content.state == State::Active)),
        (Column::Status, state.to_owned()),
        (Column::GiftCard, flag(false)),
        (Column::SeoTitle, content.seo.title.clone()),
        (Column::SeoDescription, content.seo.description.clone()),
    ]);
}

fn media_cells(cells: &mut Cells, media: &Media, position: usize) {
    cells.extend([
        (Column::ImageSrc, media.url.clone()),
        (Column::ImagePosition, position.to_string()),
        (Column::ImageAlt, media.alt_text.clone()),
    ]);
}

fn flag(yes: bool) -> String {
    if yes { "TRUE" } else { "FALSE" }.to_owned()
}
