//! What customers do with what is their own: their data, their sessions, their wishes, their words.

use serde_json::{Value, json};

use crate::acts::goods;
use crate::harness::{PASSWORD, Shop, Visitor, text};

const ME: &str = "{ answer: customer { id email givenName preferences { language marketingMail }
    addresses { id isDefault address { city } } wishlist { nodes { productId product { title } } }
    reviews { nodes { id title status } } sessions { id current } loginEvents { nodes { kind } } } }";
const LOG_IN: &str = "mutation($email: String!, $password: String!) {
    answer: customerLogIn(email: $email, password: $password) {
        tokens { refreshToken } userErrors { code } } }";
const REVIEW: &str = "mutation($product: ID!, $key: ID!) {
    answer: reviewCreate(productId: $product, authorName: \"Grace\",
        input: { rating: 4, title: \"Good\" }, idempotencyKey: $key) { review { id etag } userErrors { code } } }";
const APPROVE: &str = "mutation($id: ID!, $key: ID!) {
    answer: reviewApprove(id: $id, idempotencyKey: $key) { review { status } userErrors { code } } }";

fn address(city: &str) -> Value {
    json!({ "givenName": "Grace", "familyName": "Hopper", "lines": ["1 Harbour Street"], "city": city,
        "postalCode": "N1 9GU", "countryCode": "GB" })
}

#[tokio::test]
async fn a_customer_keeps_addresses_preferences_and_wishes() {
    let shop = Shop::shared();
    let goods = goods(&shop.staff().await, "10.00", 1).await;
    let me = shop.customer().await;
    let update = "mutation($key: ID!) { answer: customerUpdate(
        input: { givenName: \"Ada\", language: \"en\", marketingMail: true }, idempotencyKey: $key) {
            customer { givenName } userErrors { code } } }";
    me.done(update, json!({})).await;
    let create = "mutation($address: PostalAddressInput!, $key: ID!) {
        answer: customerAddressCreate(address: $address, isDefault: true, idempotencyKey: $key) {
            address { id } userErrors { code } } }";
    let home = me.done(create, json!({ "address": address("London") })).await["address"]["id"].take();
    let work = me.done(create, json!({ "address": address("Leeds") })).await["address"]["id"].take();
    let change = "mutation($id: ID!, $address: PostalAddressInput!, $key: ID!) {
        answer: customerAddressUpdate(id: $id, address: $address, idempotencyKey: $key) {
            address { address { city } } userErrors { code } } }";
    me.done(change, json!({ "id": home, "address": address("York") })).await;
    let delete =
        "mutation($id: ID!, $key: ID!) { answer: customerAddressDelete(id: $id, idempotencyKey: $key) {
        userErrors { code } } }";
    me.done(delete, json!({ "id": work })).await;
    let wish =
        "mutation($ids: [ID!]!, $key: ID!) { answer: wishlistAdd(productIds: $ids, idempotencyKey: $key) {
        items { productId } userErrors { code } } }";
    me.done(wish, json!({ "ids": [goods.product] })).await;

    let seen = me.look(ME, json!({})).await;
    assert_eq!(seen["givenName"], "Ada");
    assert_eq!(seen["preferences"], json!({ "language": "en", "marketingMail": true }));
    let [home] = &seen["addresses"].as_array().unwrap()[..] else { panic!("{seen}") };
    assert_eq!(home["address"]["city"], "York");
    let wished = json!([{ "productId": goods.product, "product": { "title": "Thing of a journey" } }]);
    assert_eq!(seen["wishlist"]["nodes"], wished);
    let unwish = wish.replace("wishlistAdd", "wishlistRemove");
    me.done(&unwish, json!({ "ids": [goods.product] })).await;
    assert_eq!(me.look(ME, json!({})).await["wishlist"]["nodes"], json!([]));
}

#[tokio::test]
async fn a_customer_ends_sessions_takes_the_data_along_and_goes() {
    let shop = Shop::shared();
    let me = shop.customer().await;
    let email = text(&me.look(ME, json!({})).await["email"]);
    let ask = "mutation($email: String!, $key: ID!) {
        answer: customerVerificationRequest(email: $email, idempotencyKey: $key) { userErrors { code } } }";
    me.done(ask, json!({ "email": email })).await;
    shop.signed_in(&email, PASSWORD).await;
    let sessions = me.look(ME, json!({})).await["sessions"].take();
    let others = sessions.as_array().unwrap().iter().find(|session| session["current"] == false).unwrap();
    let revoke = "mutation($id: ID!, $key: ID!) { answer: customerSessionRevoke(sessionId: $id,
        idempotencyKey: $key) { userErrors { code } } }";
    me.done(revoke, json!({ "id": others["id"] })).await;
    assert_eq!(me.look(ME, json!({})).await["sessions"].as_array().unwrap().len(), 1);

    let change = "mutation($old: String!, $new: String!, $key: ID!) { answer: customerPasswordChange(
        presentPassword: $old, newPassword: $new, idempotencyKey: $key) { userErrors { code } } }";
    me.done(change, json!({ "old": PASSWORD, "new": "another horse entirely" })).await;
    let me = shop.signed_in(&email, "another horse entirely").await;
    let export = "mutation { answer: customerDataExport { document userErrors { code } } }";
    let document = text(&me.done(export, json!({})).await["document"]);
    assert!(document.contains(&email));
    let leaving =
        shop.guest().done(LOG_IN, json!({ "email": email, "password": "another horse entirely" })).await;
    let out = "mutation($token: String, $key: ID!) {
        answer: customerLogOut(refreshToken: $token, idempotencyKey: $key) { userErrors { code } } }";
    shop.guest().done(out, json!({ "token": leaving["tokens"]["refreshToken"] })).await;

    let erase = "mutation($password: String!, $key: ID!) {
        answer: customerErase(password: $password, idempotencyKey: $key) { userErrors { code } } }";
    assert_eq!(me.refused(erase, json!({ "password": PASSWORD })).await, "CREDENTIALS_WRONG");
    me.done(erase, json!({ "password": "another horse entirely" })).await;
    let gone = json!({ "email": email, "password": "another horse entirely" });
    assert_eq!(shop.guest().refused(LOG_IN, gone).await, "CREDENTIALS_WRONG");
}

#[tokio::test]
async fn what_somebody_wrote_is_changed_voted_on_reported_and_taken_back() {
    let shop = Shop::shared();
    let staff = shop.staff().await;
    let goods = goods(&staff, "10.00", 1).await;
    let (author, reader) = (shop.customer().await, shop.customer().await);
    let said = author.done(REVIEW, json!({ "product": goods.product })).await["review"].take();
    let update = "mutation($id: ID!, $key: ID!) {
        answer: reviewUpdate(id: $id, input: { rating: 5, title: \"Better\" }, idempotencyKey: $key) {
            review { title } userErrors { code } } }";
    author.done(update, json!({ "id": said["id"] })).await;
    staff.done(APPROVE, json!({ "id": said["id"] })).await;
    let mine = author.look(ME, json!({})).await["reviews"]["nodes"].take();
    assert_eq!(mine, json!([{ "id": said["id"], "title": "Better", "status": "APPROVED" }]));

    let vote =
        "mutation($id: ID!, $key: ID!) { answer: reviewVote(id: $id, helpful: true, idempotencyKey: $key) {
        review { helpfulCount } userErrors { code } } }";
    assert_eq!(reader.done(vote, json!({ "id": said["id"] })).await["review"]["helpfulCount"], 1);
    assert!(!refusal(&author, vote, &said["id"]).await.is_empty());
    let report = "mutation($id: ID!, $key: ID!) {
        answer: reviewReport(id: $id, complaint: \"rude\", idempotencyKey: $key) {
            review { id } userErrors { code } } }";
    reader.done(report, json!({ "id": said["id"] })).await;
    let list = "query($id: ID!) { answer: reviews(productId: $id) { nodes { id } } }";
    let listed = shop.guest().look(list, json!({ "id": goods.product })).await;
    assert_eq!(listed["nodes"], json!([{ "id": said["id"] }]));
    let node = "query($id: ID!) { answer: node(id: $id) { id } }";
    assert_eq!(shop.guest().look(node, json!({ "id": said["id"] })).await["id"], said["id"]);

    let delete = "mutation($id: ID!, $key: ID!) { answer: reviewDelete(id: $id, idempotencyKey: $key) {
        userErrors { code } } }";
    author.done(delete, json!({ "id": said["id"] })).await;
    let listed = shop.guest().look(list, json!({ "id": goods.product })).await;
    assert_eq!(listed["nodes"], json!([]));
}

async fn refusal(visitor: &Visitor, document: &str, id: &Value) -> String {
    visitor.refused(document, json!({ "id": id })).await
}
