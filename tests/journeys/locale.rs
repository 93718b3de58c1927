//! For whom a query is answered: the country decides the currency and the tax, and one language is spoken.

use serde_json::{Value, json};

use crate::acts::{self, PRODUCT_CREATE};
use crate::harness::{Shop, Visitor, text};

/// A product with prices in two currencies, in stock. Its id, and its variant's.
async fn sold_abroad(staff: &Visitor) -> (String, String) {
    let sku = format!("J-{}", uuid::Uuid::new_v4().simple());
    let price =
        |amount: &str, currency: &str| json!({ "amount": { "amount": amount, "currencyCode": currency } });
    let prices = [price("10.00", "GBP"), price("12.50", "EUR")];
    let input = json!({
        "title": "Sold abroad", "handle": sku.to_lowercase(), "status": "ACTIVE",
        "variants": [{ "sku": sku, "weightGrams": 100, "prices": prices }],
    });
    let product = staff.done(PRODUCT_CREATE, json!({ "input": input })).await["product"].take();
    acts::count(staff, &sku, 9).await;
    (text(&product["id"]), text(&product["variants"]["nodes"][0]["id"]))
}

#[tokio::test]
async fn prices_are_shown_in_the_currency_of_the_country() {
    let shop = Shop::shared();
    let (product, _) = sold_abroad(&shop.staff().await).await;
    let guest = shop.guest();
    let price = async |context: &str| {
        let document = format!(
            "query($id: ID!) {context} {{ answer: product(id: $id) {{
                variants {{ nodes {{ price {{ amount currencyCode }} }} }} }} }}"
        );
        let product = guest.look(&document, json!({ "id": product })).await;
        product["variants"]["nodes"][0]["price"].clone()
    };

    let pounds = json!({ "amount": "10.00", "currencyCode": "GBP" });
    let euros = json!({ "amount": "12.50", "currencyCode": "EUR" });
    assert_eq!(price("").await, pounds);
    assert_eq!(price("@inContext(country: GB)").await, pounds);
    assert_eq!(price("@inContext(country: \"DE\")").await, euros);
    assert_eq!(price("@inContext(country: \"IE\", language: \"ga\")").await, euros);
    // A country whose currency nobody priced in: there is no price, and none is made up.
    assert_eq!(price("@inContext(country: \"JP\")").await, Value::Null);
}

#[tokio::test]
async fn a_cart_is_taxed_for_its_own_country() {
    let shop = Shop::shared();
    let (_, variant) = sold_abroad(&shop.staff().await).await;
    let guest = shop.guest();
    let create = "mutation($variant: ID!, $country: CountryCode!, $key: ID!) { answer: cartCreate(idempotencyKey: $key,
        lines: [{ merchandiseId: $variant }], buyerIdentity: { countryCode: $country }) {
        cart { id cost { taxes { rate } totalAmount { amount currencyCode } } } token userErrors { code } } }";
    let bought =
        async |country: &str| guest.done(create, json!({ "variant": variant, "country": country })).await;

    let (british, german) = (bought("GB").await, bought("DE").await);

    assert_eq!(british["cart"]["cost"]["taxes"][0]["rate"], "0.2");
    assert_eq!(british["cart"]["cost"]["totalAmount"]["currencyCode"], "GBP");
    assert_eq!(german["cart"]["cost"]["taxes"][0]["rate"], "0.19");
    assert_eq!(german["cart"]["cost"]["totalAmount"]["currencyCode"], "EUR");
    // Asked from elsewhere, a cart stays what it is, and says so.
    let look =
        "query($id: ID!, $token: String) @inContext(country: \"GB\") { answer: cart(id: $id, token: $token) {
        buyerIdentity { countryCode } warnings { code } cost { totalAmount { currencyCode } } } }";
    let seen = guest.look(look, json!({ "id": german["cart"]["id"], "token": german["token"] })).await;
    assert_eq!(seen["buyerIdentity"]["countryCode"], "DE");
    assert_eq!(seen["cost"]["totalAmount"]["currencyCode"], "EUR");
    assert_eq!(seen["warnings"].as_array().unwrap().len(), 1, "{seen}");
}

#[tokio::test]
async fn a_language_that_is_not_spoken_is_answered_in_the_shops_own() {
    let shop = Shop::shared();
    let guest = shop.guest();
    let ask = async |context: &str| {
        let body = json!({ "query": format!("query {context} {{ categories {{ name }} }}") });
        let request = guest.http.post(format!("{}/graphql", shop.edge)).header("x-shop-client", "tests");
        let answer = request.json(&body).send().await.unwrap();
        let language = answer.headers().get("content-language").cloned();
        assert_eq!(answer.status().as_u16(), 200);
        (language, answer.json::<Value>().await.unwrap())
    };

    for context in ["", "@inContext(language: \"en\")", "@inContext(language: \"pt-BR\")"] {
        let (language, answer) = ask(context).await;
        assert_eq!(language.unwrap(), "en", "{context}");
        assert!(answer["data"]["categories"][0]["name"].is_string(), "{answer}");
    }
    for context in ["language: \"\"", "language: \"e\"", "language: \"en_GB\"", "country: \"Germany\""] {
        let (_, answer) = ask(&format!("@inContext({context})")).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{context}: {answer}");
    }
}
