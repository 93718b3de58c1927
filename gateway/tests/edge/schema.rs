//! The schema as it is committed, and what it promises of itself.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{INTROSPECTION, shop};

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");

#[test]
fn the_committed_schema_is_the_schema() {
    let committed = std::fs::read_to_string(COMMITTED).unwrap_or_default();
    let present = gateway::sdl();

    assert!(committed == present, "it is not what `cargo run -- schema > gateway/schema.graphql` writes");
}

const DESCRIPTIONS: &str = "{ __schema { directives { name description } types { name kind description
    fields(includeDeprecated: true) { name description args { name description } type { kind ofType { kind } } }
    inputFields { name description } enumValues(includeDeprecated: true) { name description } } } }";

#[tokio::test]
async fn the_playground_learns_the_schema() {
    let answer = shop().ask(INTROSPECTION, json!({})).modern().answer().await;

    let types = answer.data()["__schema"]["types"].as_array().unwrap();
    assert!(types.iter().any(|it| it["name"] == "Product"));
    assert_eq!(answer.status, StatusCode::OK);
}

async fn types() -> Vec<Value> {
    let answer = shop().ask(DESCRIPTIONS, json!({})).answer().await;
    let types = answer.data()["__schema"]["types"].as_array().unwrap().clone();
    let own = types.into_iter().filter(|it| !it["name"].as_str().unwrap().starts_with("__"));
    own.collect()
}

#[tokio::test]
async fn everything_is_described() {
    let builtin = ["Boolean", "Float", "ID", "Int", "String", "DateTime"];
    let mut bare = Vec::new();
    for kind in types().await {
        let name = kind["name"].as_str().unwrap();
        let described = |it: &Value| it["description"].as_str().is_some_and(|text| text.len() > 2);
        if !described(&kind) && !builtin.contains(&name) {
            bare.push(name.to_owned());
        }
        for list in ["fields", "inputFields", "enumValues"] {
            for item in kind[list].as_array().unwrap_or(&Vec::new()) {
                let place = format!("{name}.{}", item["name"].as_str().unwrap());
                if !described(item) {
                    bare.push(place.clone());
                }
                for argument in item["args"].as_array().unwrap_or(&Vec::new()) {
                    if !described(argument) {
                        bare.push(format!("{place}({})", argument["name"].as_str().unwrap()));
                    }
                }
            }
        }
    }

    assert!(bare.is_empty(), "without a description: {bare:?}");
}

#[tokio::test]
async fn every_root_may_be_null_alone() {
    let all = types().await;
    for root in ["Query", "Mutation"] {
        let kind = all.iter().find(|it| it["name"] == root).unwrap();
        for field in kind["fields"].as_array().unwrap() {
            assert_ne!(field["type"]["kind"], "NON_NULL", "{root}.{}", field["name"]);
        }
    }
}

#[tokio::test]
async fn every_payload_has_user_errors_and_warnings_that_are_never_null() {
    let all = types().await;
    let payloads = all.iter().filter(|it| it["name"].as_str().unwrap().ends_with("Payload"));
    let mut count = 0;
    for payload in payloads {
        for wanted in ["userErrors", "warnings"] {
            let mut fields = payload["fields"].as_array().unwrap().iter();
            let field = fields.find(|field| field["name"] == wanted);
            let field = field.unwrap_or_else(|| panic!("{} lacks {wanted}", payload["name"]));
            assert_eq!(field["type"]["kind"], "NON_NULL", "{}.{wanted}", payload["name"]);
        }
        count += 1;
    }
    assert!(count > 10);
}

#[tokio::test]
async fn every_mutation_with_an_effect_takes_a_key() {
    // Signing in and refreshing are never repeated; the export changes nothing.
    let exempt = ["customerLogIn", "customerRefresh", "customerDataExport"];
    let all = types().await;
    let mutation = all.iter().find(|it| it["name"] == "Mutation").unwrap();
    for field in mutation["fields"].as_array().unwrap() {
        let name = field["name"].as_str().unwrap();
        let keyed = field["args"].as_array().unwrap().iter().any(|it| it["name"] == "idempotencyKey");
        assert_eq!(keyed, !exempt.contains(&name), "{name}");
    }
}
