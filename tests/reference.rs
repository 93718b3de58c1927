//! Real data of others: catalogues and a year of orders, imported by the binary's own commands. Runs when
//! `SHOP_REFERENCE_DATA` names the folder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "reference/figures.rs"]
mod figures;
#[path = "journeys/harness.rs"]
#[allow(dead_code)]
mod harness;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use harness::{STAFF, Shop, pence, text};
use proto::identity::LogInRequest;
use proto::identity::identity_service_client::IdentityServiceClient;
use proto::orders::orders_service_client::OrdersServiceClient;
use proto::orders::{ListOrdersRequest, OrderOrigin};
use serde::Deserialize;
use serde_json::json;
use tonic::transport::{Channel, Endpoint};

const VARIABLE: &str = "SHOP_REFERENCE_DATA";
const WHOLESALE_PRODUCTS: usize = 3_791;
const OUTDOOR_PRODUCTS: usize = 101;
const ORDERS: i64 = 19_773;
/// What all orders of the wholesaler's year add up to, by its own account.
const ORDERS_PENCE: i64 = 1_027_103_461;

#[tokio::test]
async fn two_catalogues_and_a_year_of_orders_come_in_whole() {
    let Some(folder) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        println!("not run: {VARIABLE} names no folder of reference data");
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let shop = Shop::start_on(data.path());

    let begun = Instant::now();
    import_catalogues(&shop, &folder).await;
    println!("catalogues: {:.1} s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    import_history(&shop, &folder);
    println!("order history: {:.1} s", begun.elapsed().as_secs_f64());

    let (channel, bearer) = staff(&shop).await;
    let (count, total) = totals(channel.clone(), &bearer).await;
    assert_eq!((count, total), (ORDERS, ORDERS_PENCE));
    let counted = figures::carried(channel, &bearer, ORDERS).await;
    assert_eq!((counted.orders, counted.revenue.unwrap().minor_units), (ORDERS, ORDERS_PENCE));
    let events = figures::events(data.path()).await;
    assert_eq!(i64::try_from(events.len()).unwrap(), ORDERS);
    for counted in figures::twice_in_any_order(events).await {
        assert_eq!((counted.orders, counted.revenue.unwrap().minor_units), (ORDERS, ORDERS_PENCE));
    }
}

async fn import_catalogues(shop: &Shop, folder: &Path) {
    let scratch = tempfile::tempdir().unwrap();
    let wholesale = scratch.path().join("wholesale.csv");
    std::fs::write(&wholesale, wholesale_csv(folder)).unwrap();
    let outdoor = scratch.path().join("outdoor.csv");
    std::fs::write(&outdoor, outdoor_csv(folder)).unwrap();

    for (file, products) in [(wholesale, WHOLESALE_PRODUCTS), (outdoor, OUTDOOR_PRODUCTS)] {
        let imported = shop.run(&["import", "catalogue", file.to_str().unwrap()]);
        assert_ended(&imported, &format!(" {products} products created, 0 updated, 0 unchanged, 0 refused;"));
    }
    let look = "query($handle: String!) { answer: product(handle: $handle) {
        title variants { nodes { sku price { amount } } } } }";
    let seen = shop.guest().look(look, json!({ "handle": "wholesale-85123a" })).await;
    assert_eq!(text(&seen["variants"]["nodes"][0]["sku"]), "85123A");
    assert!(pence(&seen["variants"]["nodes"][0]["price"]["amount"]) > 0);
}

/// The wholesaler's products, as Shopify would write them.
fn wholesale_csv(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("uci-online-retail/products.csv")).unwrap();
    let mut lines = vec!["Title,URL handle,Status,SKU,Price".to_owned()];
    for line in text.lines().skip(1) {
        // Names may hold commas, and then quotes: what is before and after a name holds neither.
        let (sku, rest) = line.split_once(',').unwrap();
        let (rest, _times_sold) = rest.rsplit_once(',').unwrap();
        let (name, price) = rest.rsplit_once(',').unwrap();
        let price: u64 = price.parse().unwrap();
        let handle = format!("wholesale-{}", sku.to_lowercase().replace(' ', "-"));
        lines.push(format!("{name},{handle},active,{sku},{}.{:02}", price / 100, price % 100));
    }
    lines.join("\n")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Outdoor {
    id: u64,
    r#type: String,
    brand: String,
    name: String,
    description: String,
    price: f64,
}

fn outdoor_csv(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("eshop/catalog.json")).unwrap();
    let products: Vec<Outdoor> = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut lines = vec!["Title,URL handle,Description,Vendor,Type,Status,SKU,Price".to_owned()];
    for product in products {
        lines.push(format!(
            "{},outdoor-{},{},{},{},active,OUTDOOR-{},{:.2}",
            quoted(&product.name),
            product.id,
            quoted(&product.description),
            quoted(&product.brand),
            quoted(&product.r#type),
            product.id,
            product.price
        ));
    }
    lines.join("\n")
}

fn import_history(shop: &Shop, folder: &Path) {
    let scratch = tempfile::tempdir().unwrap();
    let history = scratch.path().join("orders.jsonl");
    let unpacked = Command::new("gzip")
        .arg("-dc")
        .arg(folder.join("uci-online-retail/orders.jsonl.gz"))
        .stdout(Stdio::from(std::fs::File::create(&history).unwrap()))
        .status()
        .unwrap();
    assert!(unpacked.success());

    let imported = shop.run(&["import", "orders", history.to_str().unwrap()]);

    assert_ended(
        &imported,
        &format!("{ORDERS} orders created with 517703 lines, 0 unchanged, 0 refused; GBP {ORDERS_PENCE} in"),
    );
}

fn assert_ended(output: &Output, wanted: &str) {
    let said = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.lines().last().unwrap_or_default().contains(wanted),
        "{said}\n{complaints}"
    );
}

/// A connection to the shop, and what says that staff uses it.
async fn staff(shop: &Shop) -> (Channel, String) {
    let channel = Endpoint::from_shared(shop.grpc.clone()).unwrap().connect().await.unwrap();
    let log_in = LogInRequest { email: STAFF.0.into(), password: STAFF.1.into(), client: None };
    let answer = IdentityServiceClient::new(channel.clone()).log_in(log_in).await.unwrap().into_inner();
    (channel, format!("Bearer {}", answer.tokens.unwrap().access_token))
}

/// What the shop itself says that it holds: all orders and their sum in minor units.
async fn totals(channel: Channel, bearer: &str) -> (i64, i64) {
    let mut request = tonic::Request::new(ListOrdersRequest {
        page_size: 1,
        all_accounts: true,
        with_totals: true,
        origin: OrderOrigin::Imported.into(),
        ..Default::default()
    });
    request.metadata_mut().insert("authorization", bearer.parse().unwrap());
    let listed = OrdersServiceClient::new(channel).list_orders(request).await.unwrap().into_inner();
    assert_eq!(listed.total_amounts.len(), 1);
    (listed.total_size.unwrap(), listed.total_amounts[0].minor_units)
}
