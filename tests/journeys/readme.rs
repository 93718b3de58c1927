//! What the README tells a newcomer to paste.

use serde_json::{Value, json};

use crate::harness::Shop;

const README: &str = include_str!("../../README.md");

#[tokio::test]
async fn what_the_readme_says_to_paste_finds_something() {
    let shop = Shop::shared();
    let documents: Vec<&str> =
        README.split("```graphql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(documents.len(), 3);

    for document in documents {
        let answer = shop.guest().answer(document, json!({})).await;
        assert_eq!(answer["errors"], Value::Null, "{document}");
        for (field, found) in answer["data"].as_object().unwrap() {
            let empty = found.is_null() || found["nodes"] == json!([]);
            assert!(!empty, "{field} of {document} is {found}");
        }
    }
}
