//! Who somebody is: registering, forgetting, coming back; and a browser that carries all of it by itself.

use serde_json::{Value, json};
use tokio::time::timeout;
use uuid::Uuid;

use crate::acts::{self, goods};
use crate::ears::{NEWS_TIME_MAX, stream};
use crate::harness::{LOOK_INTERVAL, PASSWORD, Shop, text};
use crate::inbox;

const REGISTER: &str = "mutation($email: String!, $password: String!, $key: ID!) {
    answer: customerRegister(email: $email, password: $password, idempotencyKey: $key) {
        customer { id } userErrors { field code } } }";
pub const LOG_IN: &str = "mutation($email: String!, $password: String!) {
    answer: customerLogIn(email: $email, password: $password) {
        customer { emailVerified } tokens { accessToken refreshToken } userErrors { code } } }";
const REFRESH: &str = "mutation($token: String) { answer: customerRefresh(refreshToken: $token) {
    tokens { refreshToken } userErrors { code } } }";
const VERIFY: &str = "mutation($token: String!, $key: ID!) {
    answer: customerVerifyEmail(token: $token, idempotencyKey: $key) { userErrors { code } } }";
const RECOVER: &str = "mutation($email: String!, $key: ID!) {
    answer: customerRecover(email: $email, idempotencyKey: $key) { customer { id } userErrors { code } } }";
const RESET: &str = "mutation($token: String!, $password: String!, $key: ID!) {
    answer: customerReset(token: $token, newPassword: $password, idempotencyKey: $key) { userErrors { code } } }";

fn new_address() -> String {
    format!("{}@example.com", Uuid::new_v4().simple())
}

#[tokio::test]
async fn an_address_is_verified_by_the_mail_that_came_to_it() {
    let shop = Shop::shared();
    let guest = shop.guest();
    let email = new_address();
    let person = json!({ "email": email, "password": PASSWORD });
    let registered = guest.done(REGISTER, person.clone()).await;
    // The same answer as for an address that has an account, so nobody learns who has one.
    assert_eq!(guest.done(REGISTER, person.clone()).await, registered);
    assert_eq!(guest.done(LOG_IN, person.clone()).await["customer"]["emailVerified"], false);

    let token = inbox::token(&shop, &email, "Confirm your address").await;
    guest.done(VERIFY, json!({ "token": token })).await;

    assert_eq!(guest.done(LOG_IN, person).await["customer"]["emailVerified"], true);
    assert_eq!(guest.refused(VERIFY, json!({ "token": token })).await, "TOKEN_NOT_USABLE");
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_and_old_sessions_end() {
    let shop = Shop::shared();
    let guest = shop.guest();
    let email = new_address();
    let person = json!({ "email": email, "password": PASSWORD });
    guest.done(REGISTER, person.clone()).await;
    let session = guest.done(LOG_IN, person.clone()).await;

    let known = guest.done(RECOVER, json!({ "email": email })).await;
    assert_eq!(guest.done(RECOVER, json!({ "email": new_address() })).await, known);
    let token = inbox::token(&shop, &email, "Set a new password").await;
    let weak = json!({ "token": token, "password": "short" });
    assert_eq!(guest.refused(RESET, weak).await, "PASSWORD_WEAK");
    guest.done(RESET, json!({ "token": token, "password": "another horse entirely" })).await;

    assert_eq!(guest.refused(LOG_IN, person).await, "CREDENTIALS_WRONG");
    let nobody = json!({ "email": new_address(), "password": PASSWORD });
    assert_eq!(guest.refused(LOG_IN, nobody).await, "CREDENTIALS_WRONG");
    let old = json!({ "token": session["tokens"]["refreshToken"] });
    assert_eq!(guest.refused(REFRESH, old).await, "SESSION_REVOKED");
    let anew = json!({ "email": email, "password": "another horse entirely" });
    guest.done(LOG_IN, anew).await;
}

#[tokio::test]
async fn a_refresh_token_that_comes_twice_ends_the_session() {
    let shop = Shop::shared();
    let guest = shop.guest();
    let person = json!({ "email": new_address(), "password": PASSWORD });
    guest.done(REGISTER, person.clone()).await;
    let first = guest.done(LOG_IN, person).await["tokens"]["refreshToken"].take();

    let second = guest.done(REFRESH, json!({ "token": first })).await["tokens"]["refreshToken"].take();
    assert_ne!(first, second);

    // Whoever has the first one stole it, or was stolen from.
    assert_eq!(guest.refused(REFRESH, json!({ "token": first })).await, "SESSION_REVOKED");
    assert_eq!(guest.refused(REFRESH, json!({ "token": second })).await, "SESSION_REVOKED");
}

#[tokio::test]
async fn a_browser_buys_without_naming_anything() {
    let shop = Shop::shared();
    let goods = goods(&shop.staff().await, "10.00", 5).await;
    let browser = shop.browser();
    acts::cart(&browser, &[(&goods, 2)]).await;

    let cart = browser.look("{ answer: cart { totalQuantity } }", json!({})).await;
    assert_eq!(cart["totalQuantity"], 2);
    let started = browser.done(acts::START, json!({ "input": acts::buyer() })).await["checkout"].take();
    let payment = json!({
        "id": started["id"], "quote": started["cost"]["quoteId"], "card": "test_approve",
    });
    let bought = browser.done(acts::COMPLETE, payment).await["checkout"].take();
    assert_eq!(bought["status"], "COMPLETED");

    let order = json!({ "id": text(&bought["order"]["id"]) });
    assert_eq!(browser.look(acts::ORDER, order.clone()).await["number"], bought["order"]["number"]);
    assert_eq!(shop.browser().look(acts::ORDER, order).await, Value::Null);
}

#[tokio::test]
async fn figures_for_operators_name_nobody() {
    let shop = Shop::shared();
    let email = new_address();
    let person = json!({ "email": email, "password": PASSWORD });
    shop.guest().done(REGISTER, person.clone()).await;
    shop.guest().done(LOG_IN, person).await;

    assert_eq!(admin(&shop, "ready").await.0, 200);
    let (status, metrics) = admin(&shop, "metrics").await;
    assert_eq!(status, 200);
    assert!(metrics.contains(r#"rpc_method="LogIn""#), "methods are counted by name");
    assert!(!metrics.contains(&email) && !metrics.contains('@'), "{metrics}");
}

#[tokio::test]
async fn operations_are_counted_by_their_name_and_how_they_went() {
    let shop = Shop::shared();
    let goods = goods(&shop.staff().await, "10.00", 5).await;
    let guest = shop.guest();

    guest.look("query CountMe { answer: cart { id } }", json!({})).await;
    guest.answer("query CountMyFault { stockMovements(first: 1) { nodes { id } } }", json!({})).await;
    guest.answer("query { this is no document", json!({})).await;
    let watch = "subscription CountMyWatch($skus: [String!]!) { stockChanged(skus: $skus) { sku } }";
    let mut watching = stream(&guest, watch, json!({ "skus": [goods.sku] })).await;
    watching.chunk().await.unwrap();
    drop(watching);

    let expected = [
        ("duration_seconds_count", "CountMe", "query", "ok"),
        ("duration_seconds_count", "CountMyFault", "query", "errors"),
        ("errors_total", "CountMyFault", "query", "errors"),
        ("errors_total", "anonymous", "unknown", "refused"),
        ("duration_seconds_count", "CountMyWatch", "subscription", "ok"),
        ("duration_seconds_sum", "CountMyWatch", "subscription", "ok"),
    ];
    for (family, name, kind, outcome) in expected {
        let labels = [
            format!(r#"graphql_operation_name="{name}""#),
            format!(r#"graphql_operation_type="{kind}""#),
            format!(r#"graphql_outcome="{outcome}""#),
        ];
        let counted = |line: &&str| {
            line.starts_with(&format!("graphql_operation_{family}{{"))
                && labels.iter().all(|label| line.contains(label))
        };
        // A subscription is counted as soon as the edge notices that its client has left.
        let found = async {
            loop {
                let (_, metrics) = admin(&shop, "metrics").await;
                if let Some(line) = metrics.lines().find(counted) {
                    return line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap();
                }
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
        };
        let figure = timeout(NEWS_TIME_MAX, found).await.unwrap_or_else(|_| panic!("{family} {labels:?}"));
        assert!(figure > 0.0, "{family} {labels:?}");
    }
}

/// What the admin port says.
async fn admin(shop: &Shop, path: &str) -> (u16, String) {
    let answer = shop.guest().http.get(format!("{}/{path}", shop.admin)).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}
