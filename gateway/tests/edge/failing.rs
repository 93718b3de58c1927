//! What is left of a page when one of the services behind it is down: everything but what it alone knows.

use mesh::testing;
use serde_json::{Value, json};
use tonic::Code;

use crate::support::{Answer, Fake, Shop};
use crate::whole::shop;

/// Pages as a storefront asks for them.
const PAGES: [(&str, &str); 6] = [
    (
        "product",
        "{ product(handle: \"a\") { title priceRange { minVariantPrice { amount } } availableForSale
            category { name } rating { count } reviews(first: 3) { nodes { title } }
            variants(first: 5) { nodes { sku price { amount } quantityAvailable } }
            boughtTogether { product { title } } } }",
    ),
    (
        "products",
        "{ products(first: 2) { nodes { title availableForSale rating { count } reviews(first: 3) { nodes { title } } }
            pageInfo { hasNextPage } } }",
    ),
    (
        "cart",
        "{ cart { totalQuantity cost { totalAmount { amount } } shippingOptions { title }
            discountCodes { code applicable outcome amount { amount } }
            lines(first: 5) { nodes { quantity cost { totalAmount { gross { amount } } }
                merchandise { displayName quantityAvailable product { title rating { count } } } } }
            boughtTogether { product { title } } } }",
    ),
    (
        "checkout",
        "{ checkout(id: \"checkout_01934c2e7b6a7c3e9a51000000000800\") { status lines { quantity } shippingOptions { title }
            order { number lines { quantity merchandise { sku } } } } }",
    ),
    (
        "order",
        "{ order(id: \"order_01934c2e7b6a7c3e9a51000000000700\") { number totals { totalAmount { amount } } payment { status }
            lines { title merchandise { sku quantityAvailable product { title rating { count } } } } } }",
    ),
    (
        "customer",
        "{ customer { email addresses { isDefault } sessions { current } reviews(first: 2) { nodes { title } }
            orders(first: 2) { nodes { number lines { title merchandise { sku } } } }
            wishlist(first: 2) { nodes { productId product { title } } } } }",
    ),
];

/// A page, the service or the one method that fails, what of the page is null then, and how many calls failed.
const FAILURES: [(&str, &str, &str, usize); 24] = [
    ("product", "inventory", "availableForSale variants.nodes.*.quantityAvailable", 1),
    ("product", "reviews", "rating reviews", 2),
    ("product", "recommendations", "boughtTogether", 1),
    ("product", "catalogue.BatchGetProducts", "boughtTogether", 1),
    ("product", "catalogue.BatchGetCategories", "category", 1),
    ("products", "inventory", "nodes.*.availableForSale", 1),
    ("products", "reviews", "nodes.*.rating nodes.*.reviews", 2),
    ("cart", "catalogue", "lines.nodes.*.merchandise boughtTogether", 2),
    ("cart", "inventory", "lines.nodes.*.merchandise.quantityAvailable", 1),
    (
        "cart",
        "pricing",
        "cost shippingOptions lines.nodes.*.cost discountCodes.*.applicable discountCodes.*.outcome discountCodes.*.amount",
        2,
    ),
    ("cart", "reviews", "lines.nodes.*.merchandise.product.rating", 1),
    ("cart", "recommendations", "boughtTogether", 1),
    ("checkout", "pricing", "shippingOptions", 1),
    ("checkout", "orders.GetOrder", "order", 1),
    ("checkout", "catalogue", "order.lines.*.merchandise", 1),
    ("order", "catalogue", "lines.*.merchandise", 1),
    ("order", "inventory", "lines.*.merchandise.quantityAvailable", 1),
    ("order", "reviews", "lines.*.merchandise.product.rating", 1),
    ("order", "payments", "payment", 1),
    ("customer", "catalogue", "orders.nodes.*.lines.*.merchandise wishlist.nodes.*.product", 2),
    ("customer", "orders", "orders", 1),
    ("customer", "reviews", "reviews", 1),
    ("customer", "identity.ListAddresses", "addresses", 1),
    ("customer", "identity.ListWishlistItems", "wishlist", 1),
];

fn service<'a>(shop: &'a Shop, name: &str) -> &'a Fake {
    match name {
        "identity" => &shop.identity,
        "catalogue" => &shop.catalogue,
        "inventory" => &shop.inventory,
        "pricing" => &shop.pricing,
        "payments" => &shop.payments,
        "orders" => &shop.orders,
        "reviews" => &shop.reviews,
        "recommendations" => &shop.recommendations,
        name => panic!("no page asks {name}"),
    }
}

fn fail(shop: &Shop, what: &'static str, code: Code) {
    match what.split_once('.') {
        Some((name, method)) => service(shop, name).fails(method, code),
        None => service(shop, what).goes_down(code),
    }
}

/// The page as somebody sees it who may see all of it.
async fn page(shop: &Shop, name: &str) -> Answer {
    let (_, query) = PAGES.iter().find(|(page, _)| *page == name).unwrap();
    shop.ask(query, json!({})).by(&testing::staff(&["payments.read"])).answer().await
}

/// Makes null what stands at this path, of all items where it has a star.
fn blank(part: &mut Value, path: &str) {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match (first, rest) {
        ("*", _) => part.as_array_mut().unwrap().iter_mut().for_each(|item| blank(item, rest)),
        (name, "") => {
            assert!(!part[name].is_null(), "{name} was not there before");
            part[name] = Value::Null;
        }
        (name, rest) => blank(&mut part[name], rest),
    }
}

#[tokio::test]
async fn a_service_that_is_down_makes_its_fields_null_and_the_rest_of_the_page_stays() {
    for (name, failing, nulls, calls) in FAILURES {
        for (code, told) in [(Code::Unavailable, "UPSTREAM_UNAVAILABLE"), (Code::Internal, "INTERNAL")] {
            let shop = shop(2);
            let mut left = page(&shop, name).await.data().clone();
            nulls.split(' ').for_each(|path| blank(&mut left[name], path));

            fail(&shop, failing, code);
            let answer = page(&shop, name).await;

            assert_eq!(answer.json["data"], left, "{name} without {failing}");
            let errors = answer.json["errors"].as_array().unwrap();
            let service = failing.split('.').next().unwrap();
            let told = json!([service, told]);
            let said = errors.iter().map(|error| &error["extensions"]);
            let mut said = said.map(|it| json!([it["service"], it["code"]]));
            assert!(said.all(|said| said == told), "{name} without {failing}: {}", answer.text);
            assert_eq!(errors.len(), calls, "{name} without {failing}: {}", answer.text);
            assert!(errors.iter().all(|error| error["path"][0] == *name), "{}", answer.text);
            assert!(!answer.text.contains("internal words"), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn a_category_that_cannot_be_had_is_told_also_where_its_place_in_the_tree_is_asked_for() {
    for shown in ["name", "name parent { name }"] {
        let shop = crate::pages::stocked(2);
        shop.catalogue.fails("BatchGetCategories", Code::Unavailable);
        shop.catalogue.fails("ListCategories", Code::Unavailable);

        let query = format!("{{ products {{ nodes {{ title category {{ {shown} }} }} }} }}");
        let answer = shop.ask(&query, json!({})).answer().await;

        assert_eq!(
            answer.json["data"]["products"]["nodes"][1],
            json!({ "title": "Thing 1", "category": null })
        );
        assert_eq!(answer.json["errors"].as_array().map(Vec::len), Some(1), "{shown}: {}", answer.text);
    }
}
