//! Whoever erases an account is in no file of the shop afterwards, but in what the shop says that it keeps.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::acts::{self, Goods, Held, ORDER, goods};
use crate::after::{CANCEL, RETURN, deliver};
use crate::harness::{PASSWORD, Shop, Visitor, text};

/// Words by which this person would be known, whatever file they were in.
const PERSON: [&str; 8] = [
    "Wilhelmina",
    "Quagmire",
    "77 Gallows Corner",
    "Oswaldtwistle",
    "BB5 3QA",
    "1632 960123",
    "Willy of the canaries",
    "Canary/1.0",
];
/// What this person wrote for nobody but the shop.
const WORDS: [&str; 4] =
    ["canary of a pending review", "canary of a complaint", "canary of a return", "canary of a cancellation"];
/// What others have decided by: it stays, without a name.
const KEPT: &str = "canary of an approved review";
/// Mails of development lie in a folder as a mail server would have taken them, in clear.
const MAILS: &str = "mail";

const FORGOTTEN_TIME_MAX: Duration = Duration::from_secs(90);
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

const REVIEW: &str =
    "mutation($product: ID!, $body: String!, $author: String = \"Willy of the canaries\", $key: ID!) {
    answer: reviewCreate(productId: $product, authorName: $author,
        input: { rating: 4, title: \"As told\", body: $body }, idempotencyKey: $key) {
        review { id } userErrors { code } } }";

/// What of these words is in which file below a folder, in UTF-8 or UTF-16 of either order.
fn looked_for(folder: &Path, words: &[String]) -> Vec<String> {
    let mut hits = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with(MAILS) {
                hits.extend(looked_for(&path, words));
            }
            continue;
        }
        // A file may go while we look: a log that was written ahead, a part of the index.
        let Ok(bytes) = fs::read(&path) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        // Between the letters of an ASCII text UTF-16 has zeros, in either order.
        let wide = |word: &str| word.chars().map(String::from).collect::<Vec<_>>().join("\0");
        let name = path.file_name().unwrap().to_string_lossy();
        hits.extend(
            words
                .iter()
                .filter(|word| text.contains(*word) || text.contains(&wide(word)))
                .map(|word| format!("{word} in {name}")),
        );
    }
    hits
}

/// The same on a thread of its own: nobody hears that a connection has ended while all wait for the disk.
async fn found(folder: &Path, words: &[String]) -> Vec<String> {
    let (folder, words) = (folder.to_owned(), words.to_owned());
    tokio::task::spawn_blocking(move || looked_for(&folder, &words)).await.unwrap()
}

/// A customer with a browser of its own kind; the secrets of the session beside.
async fn person(shop: &Shop, email: &str) -> (Visitor, Vec<String>) {
    let mut me = shop.guest();
    me.http = reqwest::Client::builder().no_proxy().user_agent("Canary/1.0").build().unwrap();
    let register = "mutation($email: String!, $password: String!, $key: ID!) {
        answer: customerRegister(email: $email, password: $password, givenName: \"Wilhelmina\",
            familyName: \"Quagmire\", idempotencyKey: $key) { userErrors { code } } }";
    me.done(register, json!({ "email": email, "password": PASSWORD })).await;
    let log_in = json!({ "email": email, "password": PASSWORD });
    let tokens = me.done(crate::account::LOG_IN, log_in).await["tokens"].take();
    me.token = Some(text(&tokens["accessToken"]));
    (me, ["accessToken", "refreshToken"].map(|name| text(&tokens[name])).to_vec())
}

fn address() -> Value {
    json!({
        "givenName": "Wilhelmina", "familyName": "Quagmire", "lines": ["77 Gallows Corner"],
        "city": "Oswaldtwistle", "postalCode": "BB5 3QA", "countryCode": "GB", "phone": "+44 1632 960123",
    })
}

async fn till(me: &Visitor, email: &str, goods: &Goods) -> acts::Ready {
    let cart = acts::cart(me, &[(goods, 1)]).await;
    let buyer = json!({ "email": email, "shippingMethodId": acts::STANDARD, "shippingAddress": address() });
    acts::checkout_of(me, &cart, buyer).await
}

async fn buy(me: &Visitor, email: &str, goods: &Goods) -> Held {
    let ready = till(me, email, goods).await;
    let checkout = acts::pay(me, &ready, "test_approve").await;
    let order = Held { id: text(&checkout["order"]["id"]), token: None };
    acts::paid(me, &order).await;
    order
}

/// Address book, wishlist, reviews and a complaint.
async fn say(me: &Visitor, shop: &Shop, staff: &Visitor, goods: &[Goods; 2]) {
    let create = "mutation($address: PostalAddressInput!, $key: ID!) {
        answer: customerAddressCreate(address: $address, idempotencyKey: $key) { userErrors { code } } }";
    me.done(create, json!({ "address": address() })).await;
    let wish = "mutation($ids: [ID!]!, $key: ID!) {
        answer: wishlistAdd(productIds: $ids, idempotencyKey: $key) { userErrors { code } } }";
    me.done(wish, json!({ "ids": [goods[0].product] })).await;
    let approve = "mutation($id: ID!, $key: ID!) {
        answer: reviewApprove(id: $id, idempotencyKey: $key) { review { authorName body } userErrors { code } } }";
    let said = me.done(REVIEW, json!({ "product": goods[0].product, "body": KEPT })).await;
    staff.done(approve, json!({ "id": said["review"]["id"] })).await;
    me.done(REVIEW, json!({ "product": goods[1].product, "body": WORDS[0] })).await;
    let other = shop.customer().await;
    let theirs =
        other.done(REVIEW, json!({ "product": goods[0].product, "body": "Good", "author": "Grace" })).await;
    staff.done(approve, json!({ "id": theirs["review"]["id"] })).await;
    let report = "mutation($id: ID!, $words: String!, $key: ID!) {
        answer: reviewReport(id: $id, complaint: $words, idempotencyKey: $key) { userErrors { code } } }";
    me.done(report, json!({ "id": theirs["review"]["id"], "words": WORDS[1] })).await;
}

/// One order that arrived, of which something is sent back; one cancelled; one that waits; a checkout left open.
async fn trade(me: &Visitor, staff: &Visitor, email: &str, goods: &Goods) -> [Held; 2] {
    let [arrived, cancelled, waiting] =
        [buy(me, email, goods).await, buy(me, email, goods).await, buy(me, email, goods).await];
    deliver(staff, &arrived).await;
    let line = me.look(ORDER, json!({ "id": arrived.id })).await["lines"][0]["id"].take();
    let back = json!({ "id": arrived.id, "lines": [{ "lineId": line, "quantity": 1 }], "reason": WORDS[2] });
    me.done(RETURN, back).await;
    me.done(CANCEL, json!({ "id": cancelled.id, "reason": WORDS[3] })).await;
    till(me, email, goods).await;
    [arrived, waiting]
}

#[tokio::test]
async fn whoever_erases_an_account_is_in_no_file_of_the_shop_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::start_on(folder.path());
    let staff = shop.staff().await;
    let things = [goods(&staff, "10.00", 9).await, goods(&staff, "10.00", 9).await];
    let email = format!("quagmire.{}@canary.example", Uuid::new_v4().simple());
    let (me, secrets) = person(&shop, &email).await;
    let [arrived, waiting] = trade(&me, &staff, &email, &things[0]).await;
    say(&me, &shop, &staff, &things).await;
    let mut words: Vec<String> = PERSON.into_iter().chain(WORDS).map(str::to_owned).collect();
    words.push(email.clone());
    let before = found(folder.path(), &words).await;
    let missed: Vec<&String> =
        words.iter().filter(|word| !before.iter().any(|hit| hit.starts_with(*word))).collect();
    assert!(missed.is_empty(), "who looks for these finds nothing anyway: {missed:?}");

    let erase = "mutation($password: String!, $key: ID!) {
        answer: customerErase(password: $password, idempotencyKey: $key) { userErrors { code } } }";
    me.done(erase, json!({ "password": PASSWORD })).await;

    // Nobody knows where to send it, so the money goes back; what has arrived stays in the books.
    let undone = |order: &Value| {
        (&order["status"], &order["paymentStatus"]) == (&json!("CANCELLED"), &json!("REFUNDED"))
    };
    staff.eventually(ORDER, json!({ "id": waiting.id }), undone).await;
    staff.eventually(ORDER, json!({ "id": arrived.id }), |order| order["email"] != email.as_str()).await;
    shop.kill();
    let shop = Shop::start_on(folder.path());
    words.extend(secrets);
    words.push(PASSWORD.to_owned());
    let deadline = Instant::now() + FORGOTTEN_TIME_MAX;
    loop {
        let hits = found(folder.path(), &words).await;
        if hits.is_empty() {
            break;
        }
        assert!(Instant::now() < deadline, "{hits:#?}");
        tokio::time::sleep(LOOK_INTERVAL).await;
    }

    let reviews = "query($id: ID!) { answer: reviews(productId: $id) { nodes { authorName body } } }";
    let kept = shop.guest().look(reviews, json!({ "id": things[0].product })).await["nodes"].take();
    let nameless = json!({ "authorName": "", "body": KEPT });
    assert!(kept.as_array().unwrap().contains(&nameless), "{kept}");
    assert!(!found(folder.path(), &[KEPT.to_owned()]).await.is_empty(), "it is kept, and found where it is");
}
