//! The operations that stand ready in the playground, run from left to right as its page does.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::basket::heard;
use crate::harness::{Shop, Visitor, text};

/// What later operations know from earlier ones: a name as it stands in their variables, and its value.
type Known = Vec<(String, String)>;

async fn setup(page: &Visitor) -> Value {
    let url = format!("{}/dev/playground.json", page.edge);
    page.http.get(url).send().await.unwrap().json().await.unwrap()
}

async fn play(page: &Visitor, persona: &str) {
    let url = format!("{}/dev/persona", page.edge);
    let answer = page.http.post(url).json(&json!({ "persona": persona })).send().await.unwrap();
    let played: Value = answer.json().await.unwrap();
    assert_eq!(played["persona"], persona);
}

/// Runs an operation with what is known, and learns from its answer.
async fn run(page: &Visitor, tab: &Value, known: &mut Known) {
    known.push(("{{newKey}}".to_owned(), Uuid::new_v4().to_string()));
    let asked = tab["variables"].to_string();
    let filled = known.iter().rev().fold(asked, |filled, (name, value)| filled.replace(name, value));
    assert!(!filled.contains("{{"), "nobody gave {filled}");
    let (query, variables) = (text(&tab["query"]), serde_json::from_str(&filled).unwrap());
    if query.starts_with("subscription") {
        heard(page, &query, variables, "\"PAID\"", async {}).await;
        return;
    }

    let answer = page.answer(&query, variables).await;

    assert_eq!(answer["errors"], Value::Null, "{query}");
    assert_ne!(answer["extensions"]["rpcs"]["count"], 0, "{query}");
    for payload in answer["data"].as_object().unwrap().values() {
        assert!(payload["userErrors"].as_array().is_none_or(Vec::is_empty), "{payload}");
    }
    for (name, path) in tab["remember"].as_object().into_iter().flatten() {
        let found = answer["data"].pointer(&format!("/{}", text(path).replace('.', "/")));
        known.push((format!("{{{{{name}}}}}"), text(found.unwrap())));
    }
}

#[tokio::test]
async fn the_ready_operations_lead_through_a_purchase_and_a_day_at_the_desk() {
    let shop = Shop::start(&["--ephemeral"]);
    let page = shop.browser();
    let found = setup(&page).await;
    assert_eq!(found["persona"], Value::Null, "the page signs a newcomer in");
    let mut persona = "shopper";
    play(&page, persona).await;
    let mut known = Known::new();

    for tab in found["tabs"].as_array().unwrap() {
        if let Some(needed) = tab["persona"].as_str().filter(|needed| *needed != persona) {
            persona = needed;
            play(&page, persona).await;
        }
        run(&page, tab, &mut known).await;
    }

    assert_eq!(setup(&page).await["persona"], "staff");
    play(&page, "guest").await;
    assert_eq!(setup(&page).await["persona"], "guest", "a guest by choice stays one");
}
