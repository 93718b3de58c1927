//! The wholesaler's catalogue and one week of its orders, as the folder of reference data has them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::process::{Error, file_error};

const PRODUCTS: &str = "uci-online-retail/products.csv";
const WEEK: &str = "uci-online-retail/sample-week-2011-11-14.jsonl";
/// Baskets of that week: all of them, or what follows is no replay.
const BASKETS: usize = 587;
/// Grams of a piece; the source does not say, and parcels of many must cost more.
const WEIGHT_GRAMS: i64 = 100;

/// Where orders went, by the source's own names, and the tax in a price there in percent. Nothing for exports.
/// Written down a second time on purpose: the shop's own table is what is being checked.
const COUNTRIES: [(&str, &str, Option<i64>); 16] = [
    ("United Kingdom", "GB", Some(20)),
    ("Germany", "DE", Some(19)),
    ("France", "FR", Some(20)),
    ("EIRE", "IE", Some(23)),
    ("Portugal", "PT", Some(23)),
    ("Italy", "IT", Some(22)),
    ("Belgium", "BE", Some(21)),
    ("Sweden", "SE", Some(25)),
    ("Netherlands", "NL", Some(21)),
    ("Spain", "ES", Some(21)),
    ("Austria", "AT", Some(20)),
    ("Denmark", "DK", Some(25)),
    ("Australia", "AU", None),
    ("Japan", "JP", None),
    ("Switzerland", "CH", None),
    ("Norway", "NO", None),
];

/// Where an order goes that is for a country which the shop does not send to.
const FORWARDER: (&str, &str, Option<i64>) = ("a forwarder at home", "GB", Some(20));

/// A product of the wholesaler.
#[derive(Deserialize)]
pub(crate) struct Product {
    pub(crate) sku: String,
    pub(crate) name: String,
    #[serde(rename = "modal_unit_pence")]
    pub(crate) price: i64,
}

/// One order of the week, at no price yet.
pub(crate) struct Wanted {
    /// How many of each SKU; what stands in several lines is summed.
    pub(crate) quantities: BTreeMap<String, i64>,
    /// Lines as the source has them.
    pub(crate) lines: usize,
    pub(crate) country: &'static str,
    /// The tax in its prices, in percent.
    pub(crate) tax_percent: Option<i64>,
}

/// The catalogue and the week.
pub(crate) struct Week {
    pub(crate) products: BTreeMap<String, Product>,
    pub(crate) orders: Vec<Wanted>,
}

#[derive(Deserialize)]
struct Order {
    country: String,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    sku: String,
    qty: i64,
}

impl Week {
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(PRODUCTS);
        let malformed = |error: csv::Error| Error::Refused(format!("{PRODUCTS}: {error}"));
        let mut products = BTreeMap::new();
        for row in csv::Reader::from_path(&path).map_err(malformed)?.deserialize() {
            let product: Product = row.map_err(malformed)?;
            products.insert(product.sku.clone(), product);
        }
        let path = folder.join(WEEK);
        let text = fs::read_to_string(&path).map_err(|source| file_error(&path, "read", source))?;
        let orders = text.lines().enumerate().map(|(number, line)| {
            let malformed = |error| Error::Refused(format!("{WEEK}:{}: {error}", number + 1));
            serde_json::from_str(line).map(Wanted::of).map_err(malformed)
        });
        let orders: Vec<_> = orders.collect::<Result<_, Error>>()?;
        match orders.len() {
            BASKETS => Ok(Self { orders, products }),
            count => Err(Error::Refused(format!("{WEEK} holds {count} baskets instead of {BASKETS}"))),
        }
    }

    /// How many of a SKU the week's orders want.
    pub(crate) fn wanted(&self, sku: &str) -> i64 {
        self.orders.iter().filter_map(|order| order.quantities.get(sku)).sum()
    }

    /// The catalogue as Shopify's product CSV, with so many of each product on the shelf.
    pub(crate) fn write_catalogue(&self, path: &Path, stock: impl Fn(&str) -> i64) -> Result<(), Error> {
        let failed =
            |error: csv::Error| Error::Refused(format!("{} cannot be written: {error}", path.display()));
        let mut file = csv::Writer::from_path(path).map_err(failed)?;
        let heads = [
            "URL handle",
            "Title",
            "Status",
            "SKU",
            "Price",
            "Inventory tracker",
            "Inventory quantity",
            "Continue selling when out of stock",
            "Weight value (grams)",
            "Requires shipping",
        ];
        file.write_record(heads).map_err(failed)?;
        for (sku, product) in &self.products {
            let record = [
                format!("sku-{}", sku.to_lowercase()),
                product.name.clone(),
                "active".to_owned(),
                sku.clone(),
                format!("{}.{:02}", product.price / 100, product.price % 100),
                "shopify".to_owned(),
                stock(sku).to_string(),
                "DENY".to_owned(),
                WEIGHT_GRAMS.to_string(),
                "TRUE".to_owned(),
            ];
            file.write_record(record).map_err(failed)?;
        }
        file.flush().map_err(|source| file_error(path, "written", source))
    }
}

impl Wanted {
    fn of(order: Order) -> Self {
        let mut quantities = BTreeMap::new();
        let lines = order.lines.len();
        for line in order.lines {
            *quantities.entry(line.sku).or_insert(0) += line.qty;
        }
        let known = COUNTRIES.iter().find(|(name, ..)| *name == order.country);
        let (_, country, tax_percent) = known.copied().unwrap_or(FORWARDER);
        Self { quantities, lines, country, tax_percent }
    }
}
