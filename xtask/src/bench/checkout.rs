//! `cargo xtask bench checkout`: how many checkouts a shop completes in a second, in one process or apart.

use std::collections::HashMap;
use std::time::Instant;

use serde_json::{Value, json};
use uuid::Uuid;

use super::buying::{Basket, Order, address, buy_all};
use super::client::{Client, Repeats, at, list, number, text};
use super::figures::{Durations, ms, per_second, table};
use super::shop::{self, Shop};
use super::{AT_ONCE, Build, Form, Forms, SETTLING_INTERVAL, SETTLING_TIME_MAX};
use crate::checkout::Checkout;
use crate::process::Error;

/// The demo's member of staff; what `shop up` prints.
const STAFF: (&str, &str) = ("staff@shopmesh.example", "staff-demo-pass");
/// What a process apart may hold of its own at rest.
const OWN_MB_MAX: f64 = 20.0;
/// Variants in the baskets: enough that no row of stock is the bottleneck of all.
const VARIANTS: usize = 60;
/// Lines of a basket, and pieces of each.
const LINES: usize = 3;
const QUANTITY: i64 = 2;

const PRODUCTS: &str = "{ products(first: 100) { nodes { variants(first: 1) {
    nodes { id sku quantityAvailable availableForSale } } } } }";
const RESTOCK: &str = "mutation($adjustments: [StockAdjustmentInput!]!, $key: ID!) {
    stockAdjust(adjustments: $adjustments, reason: \"delivery\", idempotencyKey: $key) {
        stock { sku } userErrors { code message } warnings { message } } }";
const STOCK: &str = "query($after: String) { stock(first: 100, after: $after) {
    nodes { sku reserved sold } pageInfo { hasNextPage endCursor } } }";

/// Measures; true when every checkout became a paid order, stock adds up, and no process apart holds more than it may.
pub(crate) fn run(checkout: &Checkout, build: &Build, forms: &Forms, count: usize) -> Result<bool, Error> {
    let binary = shop::build(checkout, build)?;
    let (mut figures, mut memory, mut passed) = (Vec::new(), Vec::new(), true);
    for &form in forms.each() {
        let shop = Shop::demo(&binary, form)?;
        let at_rest = shop.memory()?;
        // Without optimisation nothing is promised.
        let light = matches!(form, Form::Together)
            || build.debug
            || at_rest.iter().all(|(_, memory)| memory.own < OWN_MB_MAX);
        if !light {
            eprintln!("a process holds more than {OWN_MB_MAX} MB of its own at rest");
        }
        let (row, held) = super::runtime()?.block_on(measure(&shop, count))?;
        let mb = |figure: f64| format!("{figure:.1}");
        let rows = at_rest.into_iter().zip(shop.memory()?).map(|((name, rest), (_, busy))| {
            vec![
                form.name().to_owned(),
                name,
                mb(rest.resident),
                mb(rest.own),
                mb(busy.resident),
                mb(busy.own),
            ]
        });
        memory.extend(rows);
        figures.push([form.name().to_owned(), build.profile().to_owned()].into_iter().chain(row).collect());
        passed &= held && light;
    }
    table(
        &[
            "form",
            "build",
            "checkouts",
            "at once",
            "per second",
            "p50 ms",
            "p99 ms",
            "complete p50 ms",
            "complete p99 ms",
        ],
        &figures,
    );
    println!("a checkout is five requests of a new guest, from the first thing in the cart to the order");
    table(
        &[
            "form",
            "process",
            "RSS at rest MB",
            "without files MB",
            "RSS afterwards MB",
            "without files afterwards MB",
        ],
        &memory,
    );
    Ok(passed)
}

/// A row of figures, and whether all went well.
async fn measure(shop: &Shop, count: usize) -> Result<(Vec<String>, bool), Error> {
    let repeats = Repeats::default();
    let staff = Client::new(&shop.graphql, address(0xffff), Repeats::default())?;
    let staff = staff.sign_in(STAFF.0, STAFF.1).await?;
    let variants = for_sale(&staff).await?;
    restock(&staff, &variants, count).await?;
    let before = sold(&staff).await?;

    // The first checkouts warm what is made on first use.
    let (warm, _) = buy_all(&shop.graphql, baskets(&variants, AT_ONCE), AT_ONCE, &repeats, |_| ()).await?;
    let baskets_ = baskets(&variants, count);
    let (orders, took) = buy_all(&shop.graphql, baskets_, AT_ONCE, &repeats, |_| ()).await?;
    let failures: Vec<String> =
        warm.iter().chain(&orders).filter_map(|order| objection(order.as_ref())).collect();
    for failure in failures.iter().take(10) {
        eprintln!("{failure}");
    }
    let expected =
        i64::try_from((warm.len() + orders.len() - failures.len()) * LINES).unwrap_or(0) * QUANTITY;
    let pieces = sold(&staff).await? - before;
    if pieces != expected {
        eprintln!("{pieces} pieces are marked as sold, and {expected} were");
    }

    let orders: Vec<Order> = orders.into_iter().flatten().collect();
    let took_each = Durations::new(orders.iter().map(|order| order.took).collect());
    let completing = Durations::new(orders.iter().map(|order| order.completing).collect());
    println!(
        "asked again {} times; {} failed",
        repeats.load(std::sync::atomic::Ordering::Relaxed),
        failures.len()
    );
    let row = vec![
        orders.len().to_string(),
        AT_ONCE.to_string(),
        format!("{:.1}", per_second(orders.len(), took)),
        ms(took_each.percentile(50)),
        ms(took_each.percentile(99)),
        ms(completing.percentile(50)),
        ms(completing.percentile(99)),
    ];
    Ok((row, failures.is_empty() && pieces == expected))
}

fn objection(order: Result<&Order, &Error>) -> Option<String> {
    match order {
        Ok(order) if order.status == "OPEN" && order.total == order.quoted_total => None,
        Ok(order) => Some(format!("order {} is {}, {} p", order.number, order.status, order.total)),
        Err(error) => Some(error.to_string()),
    }
}

/// Variants, and the SKUs that inventory knows them by.
async fn for_sale(client: &Client) -> Result<Vec<(String, String)>, Error> {
    let data = client.ask(PRODUCTS, json!({})).await?;
    let mut found = Vec::new();
    for product in list(&data, "/products/nodes")? {
        for variant in list(product, "/variants/nodes")? {
            if found.len() < VARIANTS && at(variant, "/availableForSale") == true {
                found.push((text(variant, "/id")?.to_owned(), text(variant, "/sku")?.to_owned()));
            }
        }
    }
    match found.len() > LINES {
        true => Ok(found),
        false => Err(Error::Refused("the demo catalogue has nothing to sell".to_owned())),
    }
}

/// As much more of everything as could be bought.
async fn restock(staff: &Client, variants: &[(String, String)], count: usize) -> Result<(), Error> {
    let delta = (count + AT_ONCE) * LINES;
    let adjustments: Vec<Value> =
        variants.iter().map(|(_, sku)| json!({ "sku": sku, "delta": delta })).collect();
    let variables = json!({ "adjustments": adjustments, "key": Uuid::new_v4() });
    staff.change("stockAdjust", RESTOCK, variables).await.map(drop)
}

/// Pieces that are sold, of everything, as soon as nothing is reserved any more.
async fn sold(staff: &Client) -> Result<i64, Error> {
    let began = Instant::now();
    loop {
        let (mut reserved, mut sold) = (0, 0);
        for row in staff.pages(STOCK, "stock").await? {
            reserved += number(&row, "/reserved")?;
            sold += number(&row, "/sold")?;
        }
        if reserved == 0 {
            return Ok(sold);
        }
        if began.elapsed() > SETTLING_TIME_MAX {
            return Err(Error::Refused(format!("{reserved} pieces stay reserved without a checkout")));
        }
        tokio::time::sleep(SETTLING_INTERVAL).await;
    }
}

/// Baskets that walk through the variants, so neighbours want different things.
fn baskets(variants: &[(String, String)], count: usize) -> Vec<Basket> {
    let basket = |number: usize| {
        // Each variant once in a basket: the lines of one basket would else be joined.
        let lines: HashMap<&str, i64> = variants
            .iter()
            .cycle()
            .skip(number * LINES % variants.len())
            .take(LINES)
            .map(|(id, _)| (id.as_str(), QUANTITY))
            .collect();
        Basket {
            lines: lines.into_iter().map(|(id, quantity)| (id.to_owned(), quantity)).collect(),
            country: "GB",
        }
    };
    (0..count).map(basket).collect()
}
