//! What a document of the index holds, and a product as one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, IndexRecordOption, JsonObjectOptions, OwnedValue, STORED, Schema, SchemaBuilder,
    TextFieldIndexing, TextOptions, Value,
};

use crate::domain::{Product, Rating, Sku, stem, words};

/// Words of each part that are looked at.
const TITLE_WORDS_MAX: usize = 64;
const LABEL_WORDS_MAX: usize = 256;
const SKU_WORDS_MAX: usize = 16;
const PROSE_WORDS_MAX: usize = 2_000;
/// Stands between the name and the value of an option; neither may hold it.
pub const BETWEEN: char = '\u{1f}';

/// The fields. Terms find documents; columns filter, count and rank them; the record is what is shown and compared.
#[derive(Clone, Copy)]
pub struct Fields {
    pub id: Field,
    /// Words of title and labels, as written: the dictionary of prefixes and spellings.
    pub words: Field,
    /// Stems of title, labels and SKUs.
    pub stems: Field,
    /// Those, and stems of the description.
    pub anywhere: Field,
    pub sku: Field,
    /// The SKUs that can be bought.
    pub in_stock: Field,
    category: Field,
    vendor: Field,
    product_type: Field,
    tag: Field,
    option: Field,
    available: Field,
    rating: Field,
    published: Field,
    title_order: Field,
    price: Field,
    id_high: Field,
    id_low: Field,
    title_words: Field,
    label_words: Field,
    record: Field,
}

/// The names of columns, where they are opened.
pub mod column {
    pub const CATEGORY: &str = "category";
    pub const VENDOR: &str = "vendor";
    pub const PRODUCT_TYPE: &str = "product_type";
    pub const TAG: &str = "tag";
    pub const OPTION: &str = "option";
    pub const AVAILABLE: &str = "available";
    pub const RATING: &str = "rating";
    pub const PUBLISHED: &str = "published";
    pub const TITLE_ORDER: &str = "title_order";
    pub const PRICE: &str = "price";
    pub const ID_HIGH: &str = "id_high";
    pub const ID_LOW: &str = "id_low";
    pub const TITLE_WORDS: &str = "title_words";
    pub const LABEL_WORDS: &str = "label_words";
}

impl Fields {
    /// The schema and its fields.
    pub fn declare() -> (Schema, Self) {
        let mut schema = Schema::builder();
        let fields = Self {
            id: terms(&mut schema, "id"),
            words: terms(&mut schema, "words"),
            stems: terms(&mut schema, "stems"),
            anywhere: terms(&mut schema, "anywhere"),
            sku: terms(&mut schema, "sku"),
            in_stock: terms(&mut schema, "in_stock"),
            category: texts(&mut schema, column::CATEGORY),
            vendor: texts(&mut schema, column::VENDOR),
            product_type: texts(&mut schema, column::PRODUCT_TYPE),
            tag: texts(&mut schema, column::TAG),
            option: texts(&mut schema, column::OPTION),
            available: schema.add_bool_field(column::AVAILABLE, FAST),
            rating: schema.add_u64_field(column::RATING, FAST),
            published: schema.add_i64_field(column::PUBLISHED, FAST),
            title_order: texts(&mut schema, column::TITLE_ORDER),
            price: schema.add_json_field(column::PRICE, JsonObjectOptions::default().set_fast("raw")),
            id_high: schema.add_u64_field(column::ID_HIGH, FAST),
            id_low: schema.add_u64_field(column::ID_LOW, FAST),
            title_words: texts(&mut schema, column::TITLE_WORDS),
            label_words: texts(&mut schema, column::LABEL_WORDS),
            record: schema.add_text_field("record", STORED),
        };
        (schema.build(), fields)
    }

    /// A product as a document.
    pub fn document(&self, product: &Product) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_text(self.id, product.id.to_string());
        self.add_words(&mut document, product);
        for sku in &product.skus {
            document.add_text(self.sku, &sku.sku);
            if sku.available {
                document.add_text(self.in_stock, &sku.sku);
            }
        }
        if let Some(category) = product.category {
            document.add_text(self.category, category.to_string());
        }
        if !product.vendor.is_empty() {
            document.add_text(self.vendor, &product.vendor);
        }
        if !product.product_type.is_empty() {
            document.add_text(self.product_type, &product.product_type);
        }
        for tag in &product.tags {
            document.add_text(self.tag, tag);
        }
        for (name, value) in &product.options {
            document.add_text(self.option, option_term(name, value));
        }
        document.add_bool(self.available, product.is_available());
        if let Some(rating) = product.rating.hundredths() {
            document.add_u64(self.rating, rating);
        }
        document.add_i64(self.published, product.published.timestamp_micros());
        let price = |(currency, amount): (&kit::Currency, &i64)| {
            (currency.as_str().to_owned(), OwnedValue::I64(*amount))
        };
        document.add_object(self.price, product.prices.iter().map(price).collect::<BTreeMap<_, _>>());
        let (high, low) = product.id.as_uuid().as_u64_pair();
        document.add_u64(self.id_high, high);
        document.add_u64(self.id_low, low);
        let record = serde_json::to_string(&Record::of(product)).unwrap_or_default();
        document.add_text(self.record, record);
        document
    }

    fn add_words(&self, document: &mut TantivyDocument, product: &Product) {
        let title = words(&product.title, TITLE_WORDS_MAX);
        let ordered: Vec<&str> = title.iter().map(|word| word.text.as_str()).collect();
        document.add_text(self.title_order, ordered.join(" "));
        let labels = [&product.vendor, &product.product_type].into_iter().chain(&product.tags);
        let labels = labels.chain(product.options.iter().flat_map(|(name, value)| [name, value]));
        let labels = labels.flat_map(|label| words(label, TITLE_WORDS_MAX)).take(LABEL_WORDS_MAX);
        let labels: Vec<_> = labels.collect();
        for word in &title {
            document.add_text(self.title_words, &word.text);
        }
        for word in &labels {
            document.add_text(self.label_words, &word.text);
        }
        let skus: Vec<_> = product.skus.iter().flat_map(|sku| words(&sku.sku, SKU_WORDS_MAX)).collect();
        let description = words(&product.description, PROSE_WORDS_MAX);
        for word in title.iter().chain(&labels) {
            document.add_text(self.words, &word.text);
        }
        for word in title.iter().chain(&labels).chain(&skus) {
            document.add_text(self.stems, stem(&word.text));
        }
        for word in title.iter().chain(&labels).chain(&skus).chain(&description) {
            document.add_text(self.anywhere, stem(&word.text));
        }
    }

    /// What a document was made from, as far as it is kept.
    pub fn record(&self, document: &TantivyDocument) -> Option<Record> {
        let text = document.get_first(self.record)?.as_str()?;
        serde_json::from_str(text).ok()
    }
}

/// The part of a product that is kept as it is: to be shown, and to be compared with what its owners say.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    pub version: i64,
    pub title: String,
    pub description: String,
    skus: Vec<(String, bool)>,
    rating: (i64, i64),
}

impl Record {
    fn of(product: &Product) -> Self {
        Self {
            version: product.version,
            title: product.title.clone(),
            description: product.description.clone(),
            skus: product.skus.iter().map(|sku| (sku.sku.clone(), sku.available)).collect(),
            rating: (product.rating.count, product.rating.sum),
        }
    }

    pub fn rating(&self) -> Rating {
        let (count, sum) = self.rating;
        Rating { count, sum }
    }

    pub fn skus(&self) -> Vec<Sku> {
        let sku = |(sku, available): &(String, bool)| Sku { sku: sku.clone(), available: *available };
        self.skus.iter().map(sku).collect()
    }
}

/// How an option stands in its column: all values of one name lie beside each other.
pub fn option_term(name: &str, value: &str) -> String {
    format!("{name}{BETWEEN}{value}")
}

/// Found by exactly this text; neither how often nor where it occurs is kept.
fn terms(schema: &mut SchemaBuilder, name: &str) -> Field {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false);
    schema.add_text_field(name, TextOptions::default().set_indexing_options(indexing))
}

fn texts(schema: &mut SchemaBuilder, name: &str) -> Field {
    schema.add_text_field(name, TextOptions::default().set_fast("raw"))
}
