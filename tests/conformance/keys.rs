//! Every method that takes a request id: called twenty times at once, and once more. Imports, whose request is a stream,
//! say per record what was there before; `shop import` twice is a journey.

use std::collections::BTreeSet;
use std::time::Duration;

use kit::Clock;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::acts::{self, goods};
use crate::calls::methods_with;
use crate::columns::{Column, same};
use crate::harness::{PASSWORD, Visitor, text};
use crate::inbox;

/// How long goods and codes are kept for somebody.
const HOLD: Duration = Duration::from_secs(600);

/// A list of calls for one column; which methods they were.
struct Calls<'a> {
    shop: &'a Column,
    tried: BTreeSet<String>,
}

impl Calls<'_> {
    /// What came of it.
    async fn made(&mut self, who: Option<&Visitor>, name: &str, request: Value) -> Value {
        self.made_of(who, name, request, |answer| answer).await
    }

    /// The same where the answer shows the order, which goes on living: of that the id.
    async fn made_of_order(&mut self, who: Option<&Visitor>, name: &str, request: Value) -> Value {
        let part = |mut answer: Value| {
            answer["order"] = answer["order"]["id"].take();
            answer
        };
        self.made_of(who, name, request, part).await
    }

    async fn made_of(
        &mut self,
        who: Option<&Visitor>,
        name: &str,
        request: Value,
        part: fn(Value) -> Value,
    ) -> Value {
        let answer = self.shop.once(who, name, request, part).await;
        self.tried.insert(name.to_owned());
        answer.unwrap_or_else(|status| panic!("{name}: {status:?}"))
    }

    /// Every method that takes a request id and lets this caller in was tried.
    fn complete(&self) {
        let keyed = methods_with("request_id", self.shop.caller);
        assert_eq!(keyed.difference(&self.tried).collect::<Vec<_>>(), Vec::<&String>::new(), "never tried");
    }
}

fn with_key(mut request: Value) -> Value {
    request["request_id"] = json!(Uuid::new_v4().to_string());
    request
}

fn gbp(minor_units: i64) -> Value {
    json!({ "currency_code": "GBP", "minor_units": minor_units })
}

fn place() -> Value {
    json!({ "given_name": "Grace", "family_name": "Hopper", "lines": ["1 Harbour Street"], "city": "London",
        "postal_code": "N1 9GU", "country_code": "GB" })
}

/// The id without the kind that GraphQL puts before it, in the form of the contract.
fn bare(id: &str) -> String {
    let (_, id) = id.rsplit_once('_').unwrap();
    Uuid::parse_str(id).unwrap().to_string()
}

#[tokio::test]
async fn what_the_edge_calls_is_done_once() {
    same("keys of the edge", "gateway", async |shop| {
        let mut calls = Calls { shop, tried: BTreeSet::new() };
        let staff = shop.front.staff().await;
        let customer = identity(&mut calls, &staff).await;
        let sold = catalogue(&mut calls, &staff).await;
        pricing(&mut calls, &staff).await;
        let cart = carts(&mut calls, &customer, &sold).await;
        orders(&mut calls, &staff, &customer, &cart, &sold).await;
        reviews(&mut calls, &staff, &customer, &sold).await;
        let erase = json!({ "password": PASSWORD });
        calls.made(Some(&customer), "identity.EraseAccount", erase).await;
        let forged = json!({ "provider": "simulated", "signature": "t=1,v1=00", "body": "e30=" });
        let refused = shop.once(None, "payments.ReceiveWebhook", forged, |answer| answer).await;
        assert!(refused.is_err(), "a signature of nobody");
        calls.tried.insert("payments.ReceiveWebhook".to_owned());
        calls.complete();
    })
    .await;
}

/// Accounts; the customer whose account it is.
async fn identity(calls: &mut Calls<'_>, staff: &Visitor) -> Visitor {
    let email = |name: &str| format!("{name}-{}@example.com", Uuid::new_v4().simple());
    let grace = email("grace");
    let register = json!({ "email": grace, "password": PASSWORD, "given_name": "Grace", "family_name": "H" });
    calls.made(None, "identity.Register", register).await;
    by_mail(calls, &grace).await;
    let customer = calls.shop.front.signed_in(&grace, PASSWORD).await;
    let who = Some(&customer);
    let changed = json!({ "present_password": PASSWORD, "new_password": format!("{PASSWORD} 2") });
    calls.made(who, "identity.ChangePassword", changed).await;
    let back = json!({ "present_password": format!("{PASSWORD} 2"), "new_password": PASSWORD });
    calls.shop.call(who, "identity.ChangePassword", with_key(back)).await.unwrap();
    let patch = json!({ "account": { "given_name": "Admiral" }, "update_mask": "givenName" });
    calls.made(who, "identity.UpdateAccount", patch).await;
    let address = json!({ "address": place(), "is_default": true });
    let address = calls.made(who, "identity.CreateAddress", address).await["address"]["id"].take();
    let moved = json!({ "address_id": address, "address": place() });
    calls.made(who, "identity.UpdateAddress", moved).await;
    calls.made(who, "identity.DeleteAddress", json!({ "address_id": address })).await;
    let wish = json!({ "product_ids": [Uuid::now_v7().to_string()] });
    calls.made(who, "identity.AddWishlistItems", wish.clone()).await;
    calls.made(who, "identity.RemoveWishlistItems", wish).await;
    let other = calls.shop.front.signed_in(&grace, PASSWORD).await;
    let sessions = calls.shop.call(Some(&other), "identity.ListSessions", json!({})).await.unwrap();
    let current = sessions["sessions"].as_array().unwrap().iter().find(|one| one["current"] == true).unwrap();
    calls.made(who, "identity.RevokeSession", json!({ "session_id": current["id"] })).await;
    let again = json!({ "email": grace, "password": PASSWORD });
    let again = calls.shop.call(None, "identity.LogIn", again).await.unwrap();
    let refresh = again["tokens"]["refresh_token"].clone();
    calls.made(None, "identity.LogOut", json!({ "refresh_token": refresh })).await;
    let hire = json!({ "email": email("staff"), "password": PASSWORD, "given_name": "Ada", "family_name": "L",
        "role": "ROLE_STAFF", "permissions": ["PERMISSION_STOCK_READ"] });
    let hired = calls.made(Some(staff), "identity.CreateStaffAccount", hire).await["account"]["id"].take();
    let demoted = json!({ "account_id": hired, "role": "ROLE_CUSTOMER" });
    calls.made(Some(staff), "identity.SetAccountRole", demoted).await;
    customer
}

/// What needs the token of a mail.
async fn by_mail(calls: &mut Calls<'_>, email: &str) {
    let to = json!({ "email": email });
    calls.made(None, "identity.RequestEmailVerification", to.clone()).await;
    let token = inbox::token(&calls.shop.front, email, "Confirm your address").await;
    calls.made(None, "identity.VerifyEmail", json!({ "token": token })).await;
    calls.made(None, "identity.RequestPasswordReset", to).await;
    let token = inbox::token(&calls.shop.front, email, "Set a new password").await;
    let reset = json!({ "token": token, "new_password": PASSWORD });
    calls.made(None, "identity.ResetPassword", reset).await;
}

/// The catalogue, stock of it, and who looked at it: the product and its variant.
async fn catalogue(calls: &mut Calls<'_>, staff: &Visitor) -> (Value, Value) {
    let word = Uuid::new_v4().simple().to_string();
    let who = Some(staff);
    let category = json!({ "category": { "slug": word, "name": "Buoys" } });
    let category = calls.made(who, "catalogue.CreateCategory", category).await["category"].take();
    let renamed = json!({ "category": { "id": category["id"], "name": "Bells" }, "update_mask": "name" });
    calls.made(who, "catalogue.UpdateCategory", renamed).await;
    let product = json!({ "product": {
        "handle": word, "title": "Bell", "status": "PRODUCT_STATUS_ACTIVE",
        "variants": [{ "sku": format!("J-{word}"), "prices": [{ "amount": gbp(1_000) }], "tax_class": "standard",
            "weight_grams": 100, "requires_shipping": true }],
    } });
    let product = calls.made(who, "catalogue.CreateProduct", product).await["product"].take();
    let titled = json!({ "product": { "id": product["id"], "title": "Ship's bell" }, "update_mask": "title",
        "etag": product["etag"] });
    calls.made(who, "catalogue.UpdateProduct", titled).await;
    let collection =
        json!({ "collection": { "handle": word, "title": "Sea", "product_ids": [product["id"]] } });
    let collection = calls.made(who, "catalogue.CreateCollection", collection).await["collection"].take();
    let titled = json!({ "collection": { "id": collection["id"], "title": "Deep sea" }, "update_mask": "title",
        "etag": collection["etag"] });
    calls.made(who, "catalogue.UpdateCollection", titled).await;
    let sku = &product["variants"][0]["sku"];
    let arrived = json!({ "adjustments": [{ "sku": sku, "available_delta": 40 }], "reason": "arrived" });
    calls.made(who, "inventory.AdjustStock", arrived).await;
    let views = json!({ "views": [{ "product_id": product["id"], "country": "GB", "count": 3 }] });
    calls.made(None, "analytics.RecordViews", views).await;
    let gone = goods(staff, "1.00", 1).await;
    calls.made(who, "catalogue.ArchiveProduct", json!({ "product_id": bare(&gone.product) })).await;
    let variant = product["variants"][0].clone();
    (product, variant)
}

async fn pricing(calls: &mut Calls<'_>, staff: &Visitor) {
    let who = Some(staff);
    let code = json!({ "discount": { "code": Uuid::new_v4().simple().to_string(), "percent_ppm": 100_000 } });
    let discount = calls.made(who, "pricing.CreateDiscount", code).await["discount"].take();
    let limited = json!({ "discount": { "id": discount["id"], "limit_total": 5 }, "update_mask": "limitTotal",
        "etag": discount["etag"] });
    calls.made(who, "pricing.UpdateDiscount", limited).await;
    let tax = json!({ "country_code": "NZ", "tax_class": "standard", "rate_ppm": 150_000,
        "included_in_prices": true });
    calls.made(who, "pricing.SetTaxRule", json!({ "tax_rule": tax })).await;
    let mut method = json!({ "display_name": "Albatross", "country_codes": ["NZ"], "days_max": 9,
        "rates": [{ "weight_grams_max": 1_000, "price": gbp(400) }] });
    let created = json!({ "shipping_method": method });
    let created = calls.made(who, "pricing.CreateShippingMethod", created).await["shipping_method"].take();
    method["id"] = created["id"].clone();
    method["disabled"] = json!(true);
    let closed = json!({ "shipping_method": method, "etag": created["etag"] });
    calls.made(who, "pricing.UpdateShippingMethod", closed).await;
}

/// A cart with one line, and one that was merged into it.
async fn carts(calls: &mut Calls<'_>, customer: &Visitor, (_, variant): &(Value, Value)) -> Value {
    let lines = |quantity: i64| json!([{ "variant_id": variant["id"], "quantity": quantity }]);
    let who = Some(customer);
    let cart = calls
        .made(
            who,
            "cart.CreateCart",
            json!({ "lines": lines(1), "currency_code": "GBP", "country_code": "GB" }),
        )
        .await;
    let key = json!({ "cart_id": cart["cart"]["id"] });
    let added = calls.made(who, "cart.AddCartLines", json!({ "key": key, "lines": lines(2) })).await;
    let line = &added["cart"]["lines"][0]["id"];
    let set = json!({ "key": key, "lines": [{ "line_id": line, "quantity": 5 }] });
    calls.made(who, "cart.UpdateCartLines", set).await;
    calls.made(who, "cart.RemoveCartLines", json!({ "key": key, "line_ids": [line] })).await;
    calls.made(who, "cart.SetCartCodes", json!({ "key": key, "codes": ["NOTHING"] })).await;
    let context = json!({ "key": key, "currency_code": "GBP", "country_code": "GB" });
    calls.made(who, "cart.SetCartContext", context).await;
    let left = json!({ "lines": lines(3), "currency_code": "GBP", "country_code": "GB" });
    let left = calls.made(None, "cart.CreateCart", left).await;
    let guest = json!({ "cart_id": left["cart"]["id"], "token": left["token"] });
    let merged = calls.made(who, "cart.MergeCarts", json!({ "guest": guest })).await;
    merged["cart"]["id"].clone()
}

async fn orders(
    calls: &mut Calls<'_>,
    staff: &Visitor,
    customer: &Visitor,
    cart: &Value,
    (_, variant): &(Value, Value),
) {
    let (buyer, clerk) = (Some(customer), Some(staff));
    let started = calls.made(buyer, "orders.StartCheckout", json!({ "cart_id": cart })).await;
    let checkout = &started["checkout"]["id"];
    let details = json!({ "email": "buyer@example.com", "shipping_address": place(),
        "shipping_method_id": bare(acts::STANDARD) });
    let update = json!({ "key": { "checkout_id": checkout }, "details": details, "replace_codes": true });
    let ready = calls.made(buyer, "orders.UpdateCheckout", update).await;
    let complete = json!({ "key": { "checkout_id": checkout }, "quote_id": ready["checkout"]["quote"]["id"],
        "payment_method_token": "test_approve" });
    let paid = calls.made(buyer, "orders.CompleteCheckout", complete).await;
    let order = paid["checkout"]["order_id"].clone();
    let held = acts::Held { id: format!("order_{}", text(&order).replace('-', "")), token: None };
    acts::paid(customer, &held).await;

    let seen =
        calls.shop.call(buyer, "orders.GetOrder", json!({ "key": { "order_id": order } })).await.unwrap();
    let line = &seen["order"]["lines"][0]["id"];
    let ship = json!({ "order_id": order, "carrier": "Gull Post", "tracking_number": "G1" });
    let sent = calls.made(clerk, "orders.ShipOrder", ship).await;
    let shipment = &sent["order"]["shipments"][0]["id"];
    let arrived = json!({ "order_id": order, "shipment_id": shipment });
    calls.made(clerk, "orders.DeliverShipment", arrived).await;
    let ask = json!({ "key": { "order_id": order }, "lines": [{ "line_id": line, "quantity": 1 }],
        "reason": "dull" });
    let back = |answer: &Value, at: usize| answer["order"]["returns"][at]["id"].clone();
    let asked = calls.made(buyer, "orders.RequestReturn", ask.clone()).await;
    let no = json!({ "order_id": order, "return_id": back(&asked, 0), "rejection": "It rings." });
    calls.made(clerk, "orders.RejectReturn", no).await;
    let asked = calls.made(buyer, "orders.RequestReturn", ask).await;
    let yes = json!({ "order_id": order, "return_id": back(&asked, 1) });
    calls.made(clerk, "orders.ApproveReturn", yes.clone()).await;
    calls.made_of_order(clerk, "orders.ReceiveReturn", yes).await;
    let refund = json!({ "order_id": order, "amount": gbp(100), "reason": "kind" });
    calls.made_of_order(clerk, "orders.RefundOrder", refund).await;

    let sold = acts::Goods {
        product: String::new(),
        variant: format!("variant_{}", text(&variant["id"]).replace('-', "")),
        sku: text(&variant["sku"]),
    };
    let ready = acts::ready(customer, &sold, 1).await;
    let cancel = json!({ "key": { "checkout_id": bare(&ready.held.id) } });
    calls.made(buyer, "orders.CancelCheckout", cancel).await;
    let order = acts::bought(customer, &sold, 1).await;
    acts::paid(customer, &order).await;
    let cancel = json!({ "key": { "order_id": bare(&order.id) }, "reason": "changed my mind" });
    calls.made_of_order(buyer, "orders.CancelOrder", cancel).await;
}

async fn reviews(calls: &mut Calls<'_>, staff: &Visitor, customer: &Visitor, (product, _): &(Value, Value)) {
    let (author, clerk) = (Some(customer), Some(staff));
    let create = json!({ "product_id": product["id"], "rating": 4, "title": "Loud", "author_name": "Grace" });
    let review = calls.made(author, "reviews.CreateReview", create).await["review"].take();
    let id = &review["id"];
    let reject = json!({ "review_id": id, "rejection": "shouts", "etag": review["etag"] });
    calls.made(clerk, "reviews.RejectReview", reject).await;
    let update = json!({ "review_id": id, "rating": 5, "title": "Clear" });
    calls.made(author, "reviews.UpdateReview", update).await;
    calls.made(clerk, "reviews.ApproveReview", json!({ "review_id": id })).await;
    let reader = calls.shop.front.customer().await;
    calls.made(Some(&reader), "reviews.VoteReview", json!({ "review_id": id, "helpful": true })).await;
    calls.made(Some(&reader), "reviews.ReportReview", json!({ "review_id": id, "complaint": "rude" })).await;
    calls.made(author, "reviews.DeleteReview", json!({ "review_id": id })).await;
    let old = json!({ "external_id": Uuid::new_v4().to_string(), "product_id": product["id"], "author_name": "Ada",
        "rating": 3, "title": "Old", "create_time": "2020-01-01T00:00:00Z" });
    calls.made(clerk, "reviews.ImportReviews", json!({ "reviews": [old] })).await;
}

#[tokio::test]
async fn what_orders_call_is_done_once() {
    same("keys of orders", "orders", async |shop| {
        let mut calls = Calls { shop, tried: BTreeSet::new() };
        let staff = shop.front.staff().await;
        let goods = goods(&staff, "10.00", 20).await;
        let soon = (Clock::system().now() + HOLD).to_rfc3339();
        stock(&mut calls, &goods.sku, &soon).await;
        assert_eq!(acts::stock(&staff, &goods.sku).await, [19, 18, 0, 1]);
        payments(&mut calls).await;
        let code = Uuid::new_v4().simple().to_string().to_uppercase();
        let discount = "mutation($code: String!, $key: ID!) {
            answer: discountCreate(input: { code: $code, percentage: \"0.1\" }, idempotencyKey: $key) {
                discount { code } userErrors { code } } }";
        staff.done(discount, json!({ "code": code })).await;
        let checkout = Uuid::now_v7().to_string();
        let hold = json!({ "checkout_id": checkout, "codes": [code],
            "customer_key": format!("account:{}", Uuid::now_v7()),
            "expire_time": soon });
        calls.made(None, "pricing.HoldCodes", hold).await;
        for end in ["pricing.CommitCodes", "pricing.ReleaseCodes"] {
            calls.made(None, end, json!({ "checkout_id": checkout })).await;
        }
        let guest = shop.front.guest();
        let cart = acts::cart(&guest, &[(&goods, 2)]).await;
        let variant = bare(&goods.variant);
        let bought = json!([{ "variant_id": variant, "quantity": 2 }]);
        let clear = json!({ "cart_id": bare(&cart.id), "version": 1, "bought": bought });
        calls.made(None, "cart.ClearCart", clear).await;
        calls.complete();
    })
    .await;
}

/// A reservation that is confirmed and partly returned, and one that is released.
async fn stock(calls: &mut Calls<'_>, sku: &str, soon: &str) {
    for (end, quantity) in [("inventory.ConfirmReservation", 3), ("inventory.ReleaseReservation", 4)] {
        let id = Uuid::now_v7().to_string();
        let reserve = json!({ "reservation_id": id, "lines": [{ "sku": sku, "quantity": quantity }],
            "expire_time": soon });
        calls.made(None, "inventory.ReserveStock", reserve).await;
        calls.made(None, end, json!({ "reservation_id": id })).await;
        if end == "inventory.ConfirmReservation" {
            let back = |quantity: i64, restock: bool| json!({ "reservation_id": id, "lines": [{ "sku": sku, "quantity": quantity }], "restock": restock });
            calls.made(None, "inventory.ReturnStock", back(1, true)).await;
            calls.made(None, "inventory.ReturnStock", back(1, false)).await;
        }
    }
}

/// One that is captured and refunded, and one that is let go.
async fn payments(calls: &mut Calls<'_>) {
    let authorize = || {
        json!({ "checkout_id": Uuid::now_v7().to_string(), "attempt": 1, "amount": gbp(1_000),
            "method_token": "test_approve" })
    };
    let payment = calls.made(None, "payments.AuthorizePayment", authorize()).await["payment"]["id"].take();
    let part =
        |minor_units: i64| json!({ "payment_id": payment, "amount": gbp(minor_units), "reason": "kind" });
    let mut capture = part(900);
    capture.as_object_mut().unwrap().remove("reason");
    calls.made(None, "payments.CapturePayment", capture).await;
    calls.made(None, "payments.RefundPayment", part(100)).await;
    calls.made(None, "payments.SyncPayment", json!({ "payment_id": payment })).await;
    let payment = calls.made(None, "payments.AuthorizePayment", authorize()).await["payment"]["id"].take();
    calls.made(None, "payments.VoidPayment", json!({ "payment_id": payment })).await;
}
