//! `cargo xtask bench replay`: a real week of a wholesaler, bought at catalogue prices through the public GraphQL API.
//! None of its baskets is left out; every order and every piece of stock must come to what is computed here.

mod tally;
mod week;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use uuid::Uuid;

use self::week::Week;
use super::buying::{Basket, Order, address, buy_all};
use super::client::{Client, Repeats, at, number, pence, text};
use super::figures::{Durations, ms, per_second, table};
use super::shop::{self, Shop};
use super::{AT_ONCE, Build, SETTLING_INTERVAL, SETTLING_TIME_MAX};
use crate::checkout::Checkout;
use crate::process::{self, Error};

const ADMIN: &str = "admin@shopmesh.example";
/// What is on the shelf beyond what the week wants.
const SPARE: i64 = 25;
const OBJECTIONS_PRINTED_MAX: usize = 20;
/// Orders between two lines of progress.
const PROGRESS_INTERVAL: usize = 100;

const PRODUCTS: &str = "query($after: String) { products(first: 100, after: $after) {
    nodes { variants(first: 1) { nodes { id sku price { amount currencyCode } } } }
    pageInfo { hasNextPage endCursor } } }";
const STOCK: &str = "query($after: String) { stock(first: 100, after: $after) {
    nodes { sku received available reserved sold } pageInfo { hasNextPage endCursor } } }";
const ORDERS: &str = "query($after: String) { orders(first: 100, after: $after) {
    nodes { number origin paymentStatus totals { totalAmount { amount } } } pageInfo { hasNextPage endCursor } } }";

/// What was found wrong, in sentences.
type Objections = Vec<String>;

/// Replays; true when nothing differs.
pub(crate) fn run(checkout: &Checkout, build: &Build) -> Result<bool, Error> {
    let folder = env::var_os("SHOP_REFERENCE_DATA").map(PathBuf::from).ok_or_else(|| {
        Error::Refused("SHOP_REFERENCE_DATA does not name the folder of reference data".to_owned())
    })?;
    let week = Week::read(&folder)?;
    let binary = shop::build(checkout, build)?;
    let place =
        tempfile::tempdir().map_err(|source| process::file_error(&env::temp_dir(), "used", source))?;
    let password = Uuid::new_v4().to_string();
    let data = place.path().join("data");
    let mut admin = shop::command(&binary);
    admin.args(["admin", "create", "--email", ADMIN]).arg("--data").arg(&data);
    process::run(admin.env("SHOP_ADMIN_PASSWORD", &password))?;
    let mut command = shop::command(&binary);
    command.args(["up", "--empty"]).arg("--data").arg(&data);
    let shop = Shop::start(command)?;
    import(&binary, &shop, &week, &password, place.path())?;
    let same = super::runtime()?.block_on(replay(&shop, &week, build, &password))?;
    // What the shop says of itself, after what was computed apart from it.
    let kept = process::run(shop::command(&binary).arg("verify").arg("--data").arg(&data));
    if let Err(error) = &kept {
        eprintln!("{error}");
    }
    Ok(same && kept.is_ok())
}

/// Puts the catalogue in, as its staff would.
fn import(binary: &Path, shop: &Shop, week: &Week, password: &str, place: &Path) -> Result<(), Error> {
    let file = place.join("products.csv");
    week.write_catalogue(&file, |sku| week.wanted(sku) + SPARE)?;
    let mut import = shop::command(binary);
    import.args(["import", "catalogue", "--url", &shop.grpc, "--email", ADMIN]).arg(&file);
    process::read(import.env("SHOP_STAFF_PASSWORD", password)).map(drop)
}

async fn replay(shop: &Shop, week: &Week, build: &Build, password: &str) -> Result<bool, Error> {
    let staff = Client::new(&shop.graphql, address(0xffff), Repeats::default())?;
    let staff = staff.sign_in(ADMIN, password).await?;
    let mut wrong = Objections::new();
    let variants = catalogue(&staff, week, &mut wrong).await?;
    println!(
        "{} products are in; {} baskets of {} lines follow",
        variants.len(),
        week.orders.len(),
        lines(week)
    );

    let repeats = Repeats::default();
    let progress = |count: usize| {
        if count.is_multiple_of(PROGRESS_INTERVAL) {
            println!("{count} baskets");
        }
    };
    let baskets = week.orders.iter().map(|wanted| basket(wanted, &variants)).collect::<Result<_, Error>>()?;
    let (bought, took) = buy_all(&shop.graphql, baskets, AT_ONCE, &repeats, progress).await?;

    let mut orders = Vec::new();
    for (at, (wanted, order)) in week.orders.iter().zip(bought).enumerate() {
        match order {
            Ok(order) => {
                wrong.extend(tally::objections(wanted, &week.products, &order));
                orders.push(order);
            }
            Err(error) => wrong.push(format!("basket {at}: {error}")),
        }
    }
    settle(&staff, orders.len()).await?;
    check_orders(&staff, &orders, &mut wrong).await?;
    check_stock(&staff, week, &mut wrong).await?;
    report(week, build, &orders, took, &repeats);
    for objection in wrong.iter().take(OBJECTIONS_PRINTED_MAX) {
        eprintln!("{objection}");
    }
    match wrong.len() {
        0 => println!(
            "every order, the sum of all, and the stock of every SKU are as computed apart from the shop"
        ),
        count => eprintln!("{count} things differ"),
    }
    Ok(wrong.is_empty())
}

/// The id of each SKU's variant; every product must be there, at its price.
async fn catalogue(
    client: &Client,
    week: &Week,
    wrong: &mut Objections,
) -> Result<BTreeMap<String, String>, Error> {
    let mut found = BTreeMap::new();
    for product in client.pages(PRODUCTS, "products").await? {
        let variant = at(&product, "/variants/nodes/0");
        let sku = text(variant, "/sku")?;
        let price = pence(variant, "/price/amount")?;
        match week.products.get(sku) {
            Some(product) if product.price == price && at(variant, "/price/currencyCode") == "GBP" => {}
            _ => wrong.push(format!("{sku} costs {price} p, which is not its price")),
        }
        found.insert(sku.to_owned(), text(variant, "/id")?.to_owned());
    }
    if found.len() != week.products.len() {
        wrong.push(format!("{} products are in the shop instead of {}", found.len(), week.products.len()));
    }
    Ok(found)
}

fn basket(wanted: &week::Wanted, variants: &BTreeMap<String, String>) -> Result<Basket, Error> {
    let line = |(sku, quantity): (&String, &i64)| {
        let variant = variants.get(sku).ok_or_else(|| Error::Refused(format!("{sku} is not in the shop")))?;
        Ok((variant.clone(), *quantity))
    };
    let lines = wanted.quantities.iter().map(line).collect::<Result<_, Error>>()?;
    Ok(Basket { lines, country: wanted.country })
}

/// Waits until every order is paid. A checkout is completed as soon as there is an order; the money is taken right after.
async fn settle(staff: &Client, count: usize) -> Result<(), Error> {
    let began = Instant::now();
    loop {
        let orders = staff.pages(ORDERS, "orders").await?;
        let paid = orders.iter().filter(|order| at(order, "/paymentStatus") == "PAID").count();
        // What is not paid by then is found by the checks.
        if paid >= count || began.elapsed() > SETTLING_TIME_MAX {
            println!(
                "{paid} orders are paid, the last one {:.1} s after the last checkout",
                began.elapsed().as_secs_f64()
            );
            return Ok(());
        }
        tokio::time::sleep(SETTLING_INTERVAL).await;
    }
}

/// Staff must see the same orders as the guests, each once, and the same sum.
async fn check_orders(staff: &Client, orders: &[Order], wrong: &mut Objections) -> Result<(), Error> {
    let mut seen = BTreeMap::new();
    for order in staff.pages(ORDERS, "orders").await? {
        if at(&order, "/paymentStatus") != "PAID" {
            wrong.push(format!("an order that is not paid: {order}"));
        }
        if at(&order, "/origin") != "CHECKOUT" {
            wrong.push(format!("an order of another origin: {order}"));
        }
        seen.insert(text(&order, "/number")?.to_owned(), pence(&order, "/totals/totalAmount/amount")?);
    }
    let told: BTreeMap<String, i64> =
        orders.iter().map(|order| (order.number.clone(), order.total)).collect();
    if seen != told {
        let (count, sum) = (seen.len(), seen.values().sum::<i64>());
        let (guests, told) = (told.len(), told.values().sum::<i64>());
        wrong.push(format!("staff see {count} orders of {sum} p, guests were told of {guests} of {told} p"));
    }
    Ok(())
}

/// Of every SKU exactly what was bought is sold, nothing is reserved, and the rest is there.
async fn check_stock(staff: &Client, week: &Week, wrong: &mut Objections) -> Result<(), Error> {
    let rows = staff.pages(STOCK, "stock").await?;
    if rows.len() != week.products.len() {
        wrong.push(format!("{} SKUs have stock instead of {}", rows.len(), week.products.len()));
    }
    for row in rows {
        let sku = text(&row, "/sku")?;
        let bought = week.wanted(sku);
        let is = [
            number(&row, "/received")?,
            number(&row, "/available")?,
            number(&row, "/reserved")?,
            number(&row, "/sold")?,
        ];
        if is != [bought + SPARE, SPARE, 0, bought] {
            wrong.push(format!(
                "{sku}: received, available, reserved, sold are {is:?}, and {bought} were bought"
            ));
        }
    }
    Ok(())
}

fn lines(week: &Week) -> usize {
    week.orders.iter().map(|order| order.lines).sum()
}

fn report(week: &Week, build: &Build, orders: &[Order], took: Duration, repeats: &Repeats) {
    let took_each = Durations::new(orders.iter().map(|order| order.took).collect());
    let heads = [
        "build",
        "orders",
        "lines",
        "lines in orders",
        "pieces",
        "sum GBP",
        "elapsed s",
        "orders/s",
        "p50 ms",
        "p99 ms",
        "asked again",
    ];
    let in_orders = || orders.iter().flat_map(|order| &order.lines);
    let sum: i64 = orders.iter().map(|order| order.total).sum();
    let row = vec![
        build.profile().to_owned(),
        orders.len().to_string(),
        lines(week).to_string(),
        in_orders().count().to_string(),
        in_orders().map(|line| line.quantity).sum::<i64>().to_string(),
        format!("{}.{:02}", sum / 100, sum % 100),
        format!("{:.1}", took.as_secs_f64()),
        format!("{:.1}", per_second(orders.len(), took)),
        ms(took_each.percentile(50)),
        ms(took_each.percentile(99)),
        repeats.load(Ordering::Relaxed).to_string(),
    ];
    table(&heads, &[row]);
    println!(
        "lines are the source's; an order joins those of one SKU. {AT_ONCE} guests at once, each basket from an \
         address of its own, so that the edge's limits hold for each guest as they do on the internet"
    );
}
