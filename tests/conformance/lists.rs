//! Every list of the contract, in pages of two: all rows, each once, in the order in which one page shows them.

use std::collections::BTreeSet;
use std::time::Instant;

use futures::stream;
use kit::Clock;
use mesh::context::{self, Context};
use proto::orders::import_orders_request::Part;
use proto::orders::import_orders_response::Part as Told;
use proto::orders::orders_service_client::OrdersServiceClient;
use proto::orders::{ImportOrdersRequest, OrderImportStart};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::acts::{self, goods};
use crate::calls::{method, methods_with};
use crate::columns::{Column, same};
use crate::harness::{LOOK_INTERVAL, PASSWORD, SETTLE_TIME_MAX, Visitor, text};

const PAGE: usize = 2;
/// More than any list gives at once.
const ALL: usize = 1_000;
/// Lists that are not walked through, and why.
const LEFT_OUT: [(&str, &str); 2] = [
    ("identity.ListSigningKeys", "there is one, until it has grown old"),
    ("inventory.ListLocations", "there is one, and no method adds another"),
];
/// Here a number that nobody chose decides between two of equal rank, so the order is one shop's own.
const BY_LOT: &str = "search.SearchProducts";

/// Nobody delivers there but for these cases.
const COUNTRY: &str = "IS";
/// In the imported history.
const ORDERS: usize = 5;

/// Fills lists and walks through them.
struct Walks<'a> {
    shop: &'a Column,
    /// Others have rows in the same lists; one of this case has one of these words in it.
    marks: Vec<String>,
    walked: BTreeSet<String>,
}

impl Walks<'_> {
    /// Does something that a list shows afterwards.
    async fn make(&self, who: &Visitor, name: &str, mut request: Value) -> Value {
        request["request_id"] = json!(Uuid::new_v4().to_string());
        self.shop.ask(Some(who), name, request).await.unwrap_or_else(|status| panic!("{name}: {status:?}"))
    }

    /// Walks through a list in which nobody else has rows.
    async fn all(&mut self, who: &Visitor, name: &str, request: Value, count: usize) {
        self.walk(who, name, request, count, &[]).await;
    }

    /// Walks through a list, looking at the rows of this case.
    async fn own(&mut self, who: &Visitor, name: &str, request: Value, count: usize) {
        let marks = self.marks.clone();
        self.walk(who, name, request, count, &marks).await;
    }

    /// There are so many rows, once all have come.
    async fn walk(&mut self, who: &Visitor, name: &str, request: Value, count: usize, marks: &[String]) {
        let deadline = Instant::now() + SETTLE_TIME_MAX;
        let mut rows = self.rows(who, name, &request, ALL, marks).await;
        while rows.iter().filter(|row| learnt(row)).count() != count {
            assert!(Instant::now() < deadline, "{name} has not {count} rows, but {}", json!(rows));
            tokio::time::sleep(LOOK_INTERVAL).await;
            rows = self.rows(who, name, &request, ALL, marks).await;
        }
        assert!(count > PAGE, "{name} ends on its first page");
        assert_eq!(self.rows(who, name, &request, PAGE, marks).await, rows, "{name} in pages of {PAGE}");
        if name == BY_LOT {
            rows.sort_by_key(Value::to_string);
        }
        for row in rows {
            self.shop.hear(format!("{name} {row}"));
        }
        self.walked.insert(name.to_owned());
    }

    /// The rows of all pages of a size, as far as they have a mark.
    async fn rows(
        &self,
        who: &Visitor,
        name: &str,
        request: &Value,
        size: usize,
        marks: &[String],
    ) -> Vec<Value> {
        let (_, method) = method(name);
        let list = method.output().fields().find(|field| field.is_list()).unwrap();
        let mut request = request.clone();
        request["page_size"] = json!(size);
        let own = |row: &Value| marks.is_empty() || marks.iter().any(|mark| row.to_string().contains(mark));
        let mut rows = Vec::new();
        loop {
            let mut page = self.shop.ask(Some(who), name, request.clone()).await.unwrap();
            let Value::Array(found) = page[list.name()].take() else { panic!("{name}: {page}") };
            assert!(found.len() <= size, "{name}: {} on a page of {size}", found.len());
            rows.extend(found.into_iter().filter(own));
            if page["next_page_token"] == "" {
                break;
            }
            request["page_token"] = page["next_page_token"].take();
        }
        // How well a row fits depends on what else there is, in this shop.
        rows.iter_mut().filter_map(Value::as_object_mut).for_each(|row| drop(row.remove("score")));
        rows
    }

    /// Every list of the contract was walked through, or is left out for a reason.
    fn complete(mut self) {
        self.walked.extend(LEFT_OUT.map(|(name, _)| name.to_owned()));
        assert_eq!(self.walked, methods_with("page_token", self.shop.caller));
    }
}

#[tokio::test]
async fn every_list_is_the_same_page_by_page_and_at_once() {
    same("lists", "gateway", async |shop| {
        let word = Uuid::new_v4().simple().to_string();
        let staff = shop.front.staff().await;
        let mut walks = Walks { shop, marks: vec![word.clone()], walked: BTreeSet::new() };
        let products = catalogue(&mut walks, &staff, &word).await;
        stock(&mut walks, &staff, &products).await;
        rules(&mut walks, &staff, &word, &products).await;
        reviews(&mut walks, &staff, &products).await;
        history(&mut walks, &staff, &word, &products).await;
        accounts(&mut walks, &staff, &word, &products).await;
        payments(&mut walks, &staff).await;
        walks.all(&staff, "notifications.ListTemplates", json!({}), 9).await;
        walks.complete();
    })
    .await;
}

/// A recommendation rests on all orders of the history, each of which is learnt from by itself. Other rows rest on none.
fn learnt(row: &Value) -> bool {
    [&Value::Null, &json!(ORDERS.to_string())].contains(&&row["explanation"]["order_count"])
}

fn gbp(minor_units: i64) -> Value {
    json!({ "currency_code": "GBP", "minor_units": minor_units })
}

/// Five products of one title, two of them of one price.
async fn catalogue(walks: &mut Walks<'_>, staff: &Visitor, word: &str) -> Vec<Value> {
    let mut products = Vec::new();
    for (at, price) in [500, 300, 900, 300, 700].into_iter().enumerate() {
        let product = json!({ "handle": format!("{word}-{at}"), "title": "Buoy", "vendor": word,
            "status": "PRODUCT_STATUS_ACTIVE", "variants": [{ "sku": format!("{word}-{at}"),
                "prices": [{ "amount": gbp(price) }], "tax_class": "standard", "weight_grams": 100,
                "requires_shipping": true }] });
        let made = walks.make(staff, "catalogue.CreateProduct", json!({ "product": product })).await;
        products.push(made["product"].clone());
    }
    for at in 0..3 {
        let category = json!({ "slug": format!("{word}-{at}"), "name": "Buoys" });
        walks.make(staff, "catalogue.CreateCategory", json!({ "category": category })).await;
        let collection = json!({ "handle": format!("{word}-{at}"), "title": "Sea" });
        walks.make(staff, "catalogue.CreateCollection", json!({ "collection": collection })).await;
    }
    walks.marks.extend(products.iter().map(|product| text(&product["id"])));
    for sort in ["PRODUCT_SORT_UNSPECIFIED", "PRODUCT_SORT_TITLE", "PRODUCT_SORT_PRICE"] {
        // Whoever sorts by price says in which currency.
        let list = json!({ "filter": { "vendors": [word], "price_min": gbp(0) }, "sort": sort });
        walks.all(staff, "catalogue.ListProducts", list, 5).await;
    }
    walks.own(staff, "catalogue.ListCategories", json!({}), 3).await;
    walks.own(staff, "catalogue.ListCollections", json!({}), 3).await;
    // How well they fit would change with every product that somebody else puts beside them.
    let found = json!({ "query": word, "sort": "SEARCH_SORT_TITLE" });
    walks.own(staff, "search.SearchProducts", found, 5).await;
    products
}

async fn stock(walks: &mut Walks<'_>, staff: &Visitor, products: &[Value]) {
    let skus: Vec<&Value> = products.iter().map(|product| &product["variants"][0]["sku"]).collect();
    for delta in [3, -2, -1] {
        let all = skus.iter().map(|sku| json!({ "sku": sku, "available_delta": delta }));
        let adjust = json!({ "adjustments": all.collect::<Vec<_>>(), "reason": "counted" });
        walks.make(staff, "inventory.AdjustStock", adjust).await;
    }
    walks.own(staff, "inventory.ListStock", json!({ "available_max": 0 }), 5).await;
    walks.all(staff, "inventory.ListMovements", json!({ "sku": skus[0] }), 3).await;
}

/// Discounts, taxes, and what carriage costs.
async fn rules(walks: &mut Walks<'_>, staff: &Visitor, word: &str, products: &[Value]) {
    for at in 0..3 {
        let code = format!("{}-{at}", &word[..20]).to_uppercase();
        let discount = json!({ "code": code, "percent_ppm": 100_000 });
        walks.marks.push(code);
        walks.make(staff, "pricing.CreateDiscount", json!({ "discount": discount })).await;
        let class = format!("{word}-{at}");
        let rule = json!({ "country_code": COUNTRY, "tax_class": class, "rate_ppm": 240_000 });
        walks.make(staff, "pricing.SetTaxRule", json!({ "tax_rule": rule })).await;
        let method = json!({ "display_name": format!("{word} {at}"), "country_codes": [COUNTRY], "days_max": 9,
            "rates": [{ "weight_grams_max": 1_000, "price": gbp(400) }] });
        walks.make(staff, "pricing.CreateShippingMethod", json!({ "shipping_method": method })).await;
    }
    walks.own(staff, "pricing.ListDiscounts", json!({}), 3).await;
    walks.own(staff, "pricing.ListTaxRules", json!({}), 3).await;
    walks.own(staff, "pricing.ListShippingMethods", json!({}), 3).await;
    let lines = json!([{ "variant_id": products[0]["variants"][0]["id"], "quantity": 1 }]);
    let there = json!({ "lines": lines, "currency_code": "GBP", "destination": { "country_code": COUNTRY } });
    walks.own(staff, "pricing.ListShippingOptions", there, 3).await;
}

/// All of one time.
async fn reviews(walks: &mut Walks<'_>, staff: &Visitor, products: &[Value]) {
    let product = &products[0]["id"];
    let reviews = (1..=5).map(|rating| {
        json!({ "external_id": Uuid::new_v4().to_string(), "product_id": product, "author_name": "Ada",
            "rating": rating, "title": "Old", "create_time": "2020-01-01T00:00:00Z" })
    });
    let reviews = json!({ "reviews": reviews.collect::<Vec<_>>() });
    walks.make(staff, "reviews.ImportReviews", reviews).await;
    walks.all(staff, "reviews.ListReviews", json!({ "product_id": product }), 5).await;
}

/// What was bought in another shop, and what follows from it. Nothing else sells as well here.
async fn history(walks: &mut Walks<'_>, staff: &Visitor, word: &str, products: &[Value]) {
    let at = Clock::system().now().format("%Y-%m-%d %H:%M:%S").to_string();
    let line = |product: &Value| json!({ "sku": product["variants"][0]["sku"], "qty": 2, "unit_pence": 300 });
    let lines: Vec<Value> = products.iter().map(line).collect();
    let orders = (0..ORDERS).map(|order| {
        json!({ "order": format!("{word}-{order}"), "at": at, "customer": word,
            "country": format!("{word}-{order}"), "lines": lines })
    });
    let file: String = orders.map(|order| format!("{order}\n")).collect();
    import(walks, staff, file).await;
    walks.own(staff, "orders.ListOrders", json!({ "all_accounts": true }), ORDERS).await;
    let day = json!({ "start_date": &at[..10], "end_date": &at[..10] });
    let sales = json!({ "range": day, "currency_code": "GBP" });
    walks.own(staff, "analytics.ListCountrySales", sales.clone(), ORDERS).await;
    walks.own(staff, "analytics.ListProductSales", sales, 5).await;
    let basket = json!({ "product_ids": [products[0]["id"]] });
    walks.own(staff, "recommendations.ListBoughtTogether", basket, 4).await;
    walks.own(staff, "recommendations.ListForAccount", json!({ "external_customer": word }), 5).await;
}

/// Hands a file of orders over.
async fn import(walks: &Walks<'_>, staff: &Visitor, file: String) {
    let start = OrderImportStart { currency_code: "GBP".to_owned(), request_id: Uuid::new_v4().to_string() };
    let parts = [Part::Start(start), Part::Chunk(file.into_bytes())];
    let parts = stream::iter(parts.map(|part| ImportOrdersRequest { part: Some(part) }));
    let token = staff.token.as_deref().map(Into::into);
    let importing = async {
        let mut client = OrdersServiceClient::new(walks.shop.channel("orders"));
        let mut told = client.import_orders(parts).await.unwrap().into_inner();
        while let Some(message) = told.message().await.unwrap() {
            match message.part.unwrap() {
                Told::Progress(_) => {}
                Told::Error(error) => panic!("{error:?}"),
            }
        }
    };
    context::scope(Context { token, ..Context::default() }, importing).await;
}

/// Accounts, and what one of them has.
async fn accounts(walks: &mut Walks<'_>, staff: &Visitor, word: &str, products: &[Value]) {
    for at in 0..3 {
        let person = json!({ "email": format!("{word}-{at}@example.com"), "password": PASSWORD,
            "given_name": "Grace", "family_name": "H" });
        walks.make(staff, "identity.Register", person).await;
    }
    let email = format!("{word}-0@example.com");
    for _ in 0..2 {
        walks.shop.front.signed_in(&email, PASSWORD).await;
    }
    let customer = walks.shop.front.signed_in(&email, PASSWORD).await;
    for line in ["1 Harbour Street", "2 Harbour Street", "3 Harbour Street"] {
        let place = json!({ "given_name": "Grace", "family_name": "Hopper", "lines": [line], "city": "London",
            "postal_code": "N1 9GU", "country_code": "GB" });
        walks.make(&customer, "identity.CreateAddress", json!({ "address": place })).await;
    }
    let wishes: Vec<&Value> = products.iter().map(|product| &product["id"]).collect();
    walks.make(&customer, "identity.AddWishlistItems", json!({ "product_ids": wishes })).await;
    walks.own(staff, "identity.ListAccounts", json!({}), 3).await;
    walks.all(&customer, "identity.ListSessions", json!({}), 3).await;
    walks.all(&customer, "identity.ListLoginEvents", json!({}), 3).await;
    walks.all(&customer, "identity.ListAddresses", json!({}), 3).await;
    walks.all(&customer, "identity.ListWishlistItems", json!({}), 5).await;
}

/// A checkout at which three cards were tried, and what happened to the one that was taken.
async fn payments(walks: &mut Walks<'_>, staff: &Visitor) {
    let goods = goods(staff, "10.00", 3).await;
    let guest = walks.shop.front.guest().unheard();
    let ready = acts::ready(&guest, &goods, 1).await;
    for card in ["test_decline_insufficient_funds", "test_decline_fraud"] {
        acts::pay(&guest, &ready, card).await;
    }
    let bought = acts::pay(&guest, &ready, "test_approve").await;
    let order = acts::Held { id: text(&bought["order"]["id"]), token: ready.held.token.clone() };
    acts::paid(&guest, &order).await;
    let (_, checkout) = ready.held.id.rsplit_once('_').unwrap();
    let checkout = json!({ "checkout_id": Uuid::parse_str(checkout).unwrap().to_string() });
    walks.all(staff, "payments.ListPayments", checkout.clone(), 3).await;
    let payments = walks.shop.ask(Some(staff), "payments.ListPayments", checkout).await.unwrap();
    let taken = payments["payments"].as_array().unwrap().iter().find(|one| one["attempt"] == 3).unwrap();
    walks.all(staff, "payments.ListPaymentEvents", json!({ "payment_id": taken["id"] }), 4).await;
}
