//! What is offered: the schema of the edge, and what every shop holds from its start.

use serde_json::{Value, json};

use crate::columns::same;

#[tokio::test]
async fn the_schema_is_the_same() {
    same("the schema", "gateway", async |shop| {
        let types = "{ answer: __schema { types { name kind description fields(includeDeprecated: true) {
            name description type { kind name ofType { kind name ofType { kind name } } } } } } }";
        let schema = shop.front.guest().look(types, json!({})).await;
        assert!(schema["types"].as_array().unwrap().len() > 100);
    })
    .await;
}

#[tokio::test]
async fn what_every_shop_has_is_the_same() {
    same("what every shop has", "gateway", async |shop| {
        let staff = shop.front.staff().await;
        for list in [
            "locations { id isDefault }",
            "mailTemplates(first: 100) { nodes { name description } }",
            "product(handle: \"harbour-mug\") { title vendor tags variants { nodes { sku price { amount } } } }",
        ] {
            let answer = staff.look(&format!("{{ answer: {list} }}"), json!({})).await;
            assert_ne!(answer, Value::Null, "{list}");
        }
    })
    .await;
}
