//! Reads the rows of one product.

use std::collections::HashSet;
use std::sync::Arc;

use kit::Currency;

use super::{PictureSheet, ProductSheet, VariantSheet};
use crate::domain::{OPTIONS_MAX, State};
use crate::sheet::Note;
use crate::sheet::cells::Cells;
use crate::sheet::columns::{Column, Header};
use crate::sheet::tokens::Row;

/// Stated on the first row; on others they are empty or say the same again.
const OF_THE_PRODUCT: &[Column] = &[
    Column::Title,
    Column::Description,
    Column::Vendor,
    Column::Category,
    Column::Type,
    Column::Tags,
    Column::Published,
    Column::Status,
    Column::OptionName(0),
    Column::OptionName(1),
    Column::OptionName(2),
    Column::GiftCard,
    Column::SeoTitle,
    Column::SeoDescription,
];

/// A row after the first that states one of these is a variant; many tools fill the others on every row.
const OF_A_VARIANT: &[Column] = &[
    Column::OptionValue(0),
    Column::OptionValue(1),
    Column::OptionValue(2),
    Column::Sku,
    Column::Barcode,
    Column::Price,
    Column::Quantity,
];

impl ProductSheet {
    /// Reads the rows of one product, or says everything that is wrong with them.
    pub fn read(
        header: &Arc<Header>,
        handle: &str,
        rows: &[Row],
        currency: Currency,
    ) -> Result<ProductSheet, Vec<Note>> {
        let mut cells = Cells::new(header, handle);
        let Some((first, others)) = rows.split_first() else {
            return Err(Vec::new());
        };
        for row in others {
            refuse_other_words(&mut cells, header, first, row);
        }

        let options = option_names(&mut cells, first);
        let mut variants = Vec::new();
        for (number, row) in rows.iter().enumerate() {
            if number == 0 || OF_A_VARIANT.iter().any(|c| !cells.is_empty(row, *c)) {
                variants.push(variant(&mut cells, row, handle, &options, currency));
            } else if cells.is_empty(row, Column::ImageSrc) {
                cells.refuse(row, None, "the row has neither a variant nor a picture");
            }
        }
        let pictures = header.has(Column::ImageSrc).then(|| pictures(&mut cells, rows));

        let title = cells.text(first, Column::Title).unwrap_or_default();
        if title.is_empty() {
            cells.refuse(first, Some(Column::Title), "is required");
        }
        if cells.flag(first, Column::GiftCard, false) == Some(true) {
            cells.refuse(first, Some(Column::GiftCard), "gift cards are not sold");
        }
        let sheet = ProductSheet {
            handle: handle.to_owned(),
            category: cells.text(first, Column::Category).map(|path| names(&path)),
            variants,
            bytes: rows.iter().map(Row::bytes).sum(),
            line: first.line,
            header: Arc::clone(header),
            currency,
            title,
            description: cells.verbatim(first, Column::Description),
            vendor: cells.text(first, Column::Vendor),
            product_type: cells.text(first, Column::Type),
            tags: cells.text(first, Column::Tags).map(|tags| split_tags(&tags)),
            state: state(&mut cells, first),
            unpublished: cells.flag(first, Column::Published, true) == Some(false),
            seo_title: cells.text(first, Column::SeoTitle),
            seo_description: cells.text(first, Column::SeoDescription),
            options,
            pictures,
            warnings: Vec::new(),
        };
        match cells.errors.is_empty() {
            true => Ok(ProductSheet { warnings: cells.warnings, ..sheet }),
            false => Err(cells.errors),
        }
    }
}

fn refuse_other_words(cells: &mut Cells<'_>, header: &Header, first: &Row, row: &Row) {
    for column in OF_THE_PRODUCT {
        let text = header.cell(row, *column);
        if !text.is_empty() && text != header.cell(first, *column) {
            let message = "says something else than the first row of the product";
            cells.refuse(row, Some(*column), message);
        }
    }
}

/// The options by name; none for what spreadsheets write as "Title: Default Title".
fn option_names(cells: &mut Cells<'_>, first: &Row) -> Vec<String> {
    let mut names = Vec::new();
    for number in 0..OPTIONS_MAX {
        let column = Column::OptionName(number);
        let name = cells.text(first, column).unwrap_or_default();
        if name.is_empty() {
            continue;
        }
        if names.len() < number {
            cells.refuse(first, Some(column), "the option before it has no name");
        }
        names.push(name);
    }
    let value = cells.text(first, Column::OptionValue(0));
    let is_default = value.is_some_and(|value| value.eq_ignore_ascii_case("Default Title"));
    match names.as_slice() {
        [only] if only.eq_ignore_ascii_case("Title") && is_default => Vec::new(),
        _ => names,
    }
}

fn variant(
    cells: &mut Cells<'_>,
    row: &Row,
    handle: &str,
    options: &[String],
    currency: Currency,
) -> VariantSheet {
    let option_values = option_values(cells, row, options);
    let stated = cells.code(row, Column::Sku).unwrap_or_default();
    let sku = match stated.is_empty() {
        true => derived_sku(handle, &option_values),
        false => stated,
    };
    let price = cells.amount(row, Column::Price, currency).flatten();
    let mut compare_at = cells.amount(row, Column::CompareAt, currency);
    if let (Some(price), Some(Some(before))) = (price, compare_at)
        && before.minor_units() <= price.minor_units()
    {
        let message = "is not above the price and was left out";
        cells.warn(row, Column::CompareAt, message);
        compare_at = Some(None);
    }
    cells.policy(row);
    VariantSheet {
        sku,
        quantity: cells.quantity(row),
        line: row.line,
        option_values,
        barcode: cells.code(row, Column::Barcode),
        price,
        compare_at,
        charge_tax: cells.flag(row, Column::ChargeTax, true),
        tax_code: cells.text(row, Column::TaxCode).map(|code| code.to_lowercase()),
        grams: cells.grams(row),
        requires_shipping: cells.flag(row, Column::RequiresShipping, true),
        image: cells.text(row, Column::VariantImage),
    }
}

fn option_values(cells: &mut Cells<'_>, row: &Row, options: &[String]) -> Vec<String> {
    let mut values = Vec::new();
    for number in 0..OPTIONS_MAX {
        let column = Column::OptionValue(number);
        let value = cells.text(row, column).unwrap_or_default();
        match (number < options.len(), value.is_empty()) {
            (true, true) => cells.refuse(row, Some(column), "is required: the option has a name"),
            (true, false) => values.push(value),
            (false, true) => {}
            (false, false) if options.is_empty() && value.eq_ignore_ascii_case("Default Title") => {}
            (false, false) => cells.refuse(row, Some(column), "the option has no name"),
        }
    }
    values
}

/// Stable, since it hangs on nothing but what names the variant anyway.
fn derived_sku(handle: &str, option_values: &[String]) -> String {
    let mut sku = handle.to_owned();
    for value in option_values {
        sku.push('-');
        sku.extend(value.chars().map(|c| if c.is_whitespace() { '-' } else { c }));
    }
    sku.to_uppercase()
}

fn pictures(cells: &mut Cells<'_>, rows: &[Row]) -> Vec<PictureSheet> {
    let mut seen = HashSet::new();
    let mut pictures = Vec::new();
    for row in rows {
        let url = cells.text(row, Column::ImageSrc).unwrap_or_default();
        // Some tools repeat the picture on every row of the product.
        if url.is_empty() || !seen.insert(url.clone()) {
            continue;
        }
        let position = cells.text(row, Column::ImagePosition).unwrap_or_default();
        pictures.push(PictureSheet {
            line: row.line,
            url,
            position: position.parse().ok(),
            alt_text: cells.text(row, Column::ImageAlt),
        });
    }
    let positions: HashSet<i64> = pictures.iter().filter_map(|p| p.position).collect();
    // Missing or repeated positions keep the order of the rows.
    if positions.len() == pictures.len() {
        pictures.sort_by_key(|picture| picture.position);
    }
    pictures
}

fn state(cells: &mut Cells<'_>, first: &Row) -> Option<State> {
    let text = cells.text(first, Column::Status)?;
    match text.to_ascii_lowercase().as_str() {
        "" | "active" => Some(State::Active),
        "draft" => Some(State::Draft),
        "archived" => Some(State::Archived),
        "unlisted" => {
            let message = "products that are sold but not listed are not offered; read as draft";
            cells.warn(first, Column::Status, message);
            Some(State::Draft)
        }
        _ => {
            let message = "must be active, draft, archived or unlisted";
            cells.refuse(first, Some(Column::Status), message);
            None
        }
    }
}

fn names(path: &str) -> Vec<String> {
    path.split('>').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn split_tags(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    text.split(',')
        .map(str::trim)
        .filter(|tag| !tag.is_empty() && seen.insert(tag.to_lowercase()))
        .map(str::to_owned)
        .collect()
}
