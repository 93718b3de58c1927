//! Servers that the shop stands on are killed while it is open. Run where the test run has PostgreSQL, Redis and RabbitMQ.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kit::outbox::{self, Event};
use kit::{Clock, Database, Timestamp};
use proto::cart::{CartKey, GetCartRequest, cart_service_client::CartServiceClient};
use proto::orders::OrderDelivered;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::Code;
use uuid::Uuid;

use crate::acts::{self, Goods, Held, STANDARD_PENCE, goods};
use crate::after::deliver;
use crate::harness::{LOOK_INTERVAL, Visitor, text};
use crate::parts::Parts;

const ADD: &str = "mutation($id: ID, $token: String, $variant: ID!, $key: ID!) {
    answer: cartLinesAdd(cartId: $id, token: $token, lines: [{ merchandiseId: $variant, quantity: 1 }],
        idempotencyKey: $key) { cart { totalQuantity } userErrors { code } } }";
const CART: &str =
    "query($id: ID, $token: String) { answer: cart(id: $id, token: $token) { totalQuantity } }";
const PAGE: &str =
    "query($id: ID!) { answer: product(id: $id) { title variants { nodes { quantityAvailable } } } }";
const REVIEW: &str = "mutation($product: ID!, $key: ID!) {
    answer: reviewCreate(productId: $product, authorName: \"Grace\",
        input: { rating: 5, title: \"As told\", body: \"It does what it says.\" }, idempotencyKey: $key) {
        review { id } userErrors { code } } }";
const REVIEWS: &str = "{ answer: customer { reviews { nodes { verifiedPurchase } } } }";
const FIGURES: &str = "{ answer: analytics { sales { totals { orderCount unitCount revenue { amount } } }
    funnel { cartCount paidCount } payments { authorizedCount } } }";
/// For what nobody bought, the shop can but recommend what sells best.
const BEST: &str = "query($id: ID!) { answer: product(id: $id) { boughtTogether(first: 1) {
    product { id } explanation { reason orderCount } } } }";

/// Confirmations that were sent, each attempt counted: in the folder, the same mail twice is one file.
const SENT: &str = "mails_total{mail_outcome=\"sent\",mail_template=\"order-placed\"";

/// A busy machine may take its time.
const SETTLE_TIME_MAX: Duration = Duration::from_secs(120);
/// Long enough for anything that is late to have come.
const QUIET: Duration = Duration::from_secs(3);

/// Adds one after another until the store is gone, and tells how many were answered.
async fn fill(visitor: Visitor, cart: Held, goods: Goods, told: watch::Sender<i64>) {
    for answered in 0.. {
        told.send_replace(answered);
        let one = json!({ "id": cart.id, "token": cart.token, "variant": goods.variant });
        let answer = visitor.answer(ADD, one).await;
        if answer["errors"].is_array() {
            let error = &answer["errors"][0]["extensions"];
            assert_eq!((&error["service"], &error["retryable"]), (&json!("cart"), &json!(true)), "{answer}");
            return;
        }
        assert_eq!(answer["data"]["answer"]["userErrors"], json!([]), "{answer}");
    }
}

/// The cart's own word, as the edge hears it.
async fn asked(parts: &Parts, cart: &Held) -> tonic::Status {
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", parts.grpc)).unwrap();
    let mut client = CartServiceClient::new(channel.connect().await.unwrap());
    let cart_id = cart.id.trim_start_matches("cart_").parse::<Uuid>().unwrap().to_string();
    let key = Some(CartKey { cart_id, token: cart.token.clone().unwrap() });
    client.get_cart(GetCartRequest { key }).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_dies_and_only_carts_wait_and_no_line_that_was_answered_is_lost() {
    let Some(mut parts) = Parts::start().await else { return };
    let (staff, guest) = (parts.staff().await, parts.guest());
    let (mug, bell) = (goods(&staff, "10.00", 9).await, goods(&staff, "1.00", 100_000).await);
    let ready = acts::ready(&guest, &mug, 2).await;
    let order = acts::bought(&guest, &mug, 1).await;
    let mut carts = Vec::new();
    let mut filling = JoinSet::new();
    for _ in 0..4 {
        let cart = acts::cart(&guest, &[(&bell, 1)]).await;
        let (told, answered) = watch::channel(0);
        filling.spawn(fill(guest.clone(), cart.clone(), bell.clone(), told));
        carts.push((cart, answered));
    }

    for (_, answered) in &mut carts {
        answered.wait_for(|answered| *answered > 2).await.unwrap();
    }
    parts.redis.kill();
    filling.join_all().await;
    let refused = asked(&parts, &carts[0].0).await;
    let page = guest.look(PAGE, json!({ "id": mug.product })).await;
    let seen = acts::paid(&guest, &order).await;
    let paid = acts::pay(&guest, &ready, "test_approve").await;
    parts.says("cart", (503, "missing: cart\n")).await;
    for other in ["gateway", "orders"] {
        parts.says(other, (200, "ready\nwaited for: cart, redis\n")).await;
    }
    parts.redis.start_again().await;

    let reason = mesh::status::reason_of(&refused).map(|(_, reason)| reason);
    assert_eq!((refused.code(), reason.as_deref()), (Code::Unavailable, Some("CART_UNAVAILABLE")));
    assert!(mesh::status::retry_after_of(&refused).is_some());
    assert_eq!(page["variants"]["nodes"][0]["quantityAvailable"], 8);
    assert_eq!((&seen["status"], &paid["status"]), (&json!("OPEN"), &json!("COMPLETED")));
    for part in ["cart", "gateway", "orders"] {
        parts.ready(part).await;
    }
    for (cart, answered) in carts {
        let seen = guest.look(CART, acts::seen(&cart)).await;
        let (kept, answered) = (seen["totalQuantity"].as_i64().unwrap(), *answered.borrow());
        // It began with one. What was under way may have come before the end, and its answer not.
        assert!([answered + 1, answered + 2].contains(&kept), "{answered} answered, {kept} kept");
    }
    parts.verify().await;
}

/// Buys one thing after another until told to stop; none may fail.
async fn buy(guest: Visitor, goods: Goods, enough: Arc<AtomicBool>) -> Vec<Held> {
    let mut orders = Vec::new();
    while !enough.load(Ordering::SeqCst) {
        orders.push(acts::bought(&guest, &goods, 1).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    orders
}

/// What readers made of the news of orders, where some would count, learn or write twice what they hear twice.
struct Readers<'a> {
    parts: &'a Parts,
    staff: &'a Visitor,
    /// What nobody buys.
    shelved: &'a Goods,
}

impl Readers<'_> {
    async fn made(&self) -> Value {
        let best = self.staff.look(BEST, json!({ "id": self.shelved.product })).await;
        json!({
            "figures": self.staff.look(FIGURES, json!({})).await,
            "best": best["boughtTogether"],
            "mails": self.mails(),
            "mailed": self.parts.figure("orders", SENT).await,
        })
    }

    /// The numbers of the orders that were confirmed, once for each mail.
    fn mails(&self) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.parts.told("SHOP_MAIL_FOLDER")) else { return Vec::new() };
        let number = |mail: std::fs::DirEntry| {
            // One that is being written is gone under this name before it is read.
            let mail = std::fs::read_to_string(mail.path()).ok()?;
            mail.lines().find_map(|line| line.strip_prefix("Subject: Your order ")).map(str::to_owned)
        };
        let mut numbers: Vec<String> = folder.filter_map(|mail| number(mail.unwrap())).collect();
        numbers.sort();
        numbers
    }

    /// Waits until they have made this of it.
    async fn make(&self, expected: &Value) {
        let deadline = Instant::now() + SETTLE_TIME_MAX;
        loop {
            let made = self.made().await;
            if made == *expected {
                return;
            }
            assert!(Instant::now() < deadline, "{made}\ninstead of\n{expected}");
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    /// Hands the figures again what they were told since a time; how many events that is.
    fn replay(&self, since: Timestamp) -> u64 {
        let said = self.parts.run(&["events", "replay", "analytics", "--since", &since.to_rfc3339()]);
        let (count, words) = said.split_once(' ').unwrap();
        assert_eq!(words, "handed to analytics again\n");
        count.parse().unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_broker_dies_under_checkouts_and_none_fails_and_every_event_is_applied_once() {
    let Some(mut parts) = Parts::start().await else { return };
    let begun = Clock::system().now();
    let (staff, guest, buyer) = (parts.staff().await, parts.guest(), parts.customer().await);
    let (goods, shelved) = (goods(&staff, "10.00", 100_000).await, goods(&staff, "1.00", 1).await);
    let enough = Arc::new(AtomicBool::new(false));
    let mut buying = JoinSet::new();
    for _ in 0..3 {
        buying.spawn(buy(guest.clone(), goods.clone(), enough.clone()));
    }

    tokio::time::sleep(Duration::from_secs(2)).await;
    parts.broker.kill();
    let own = acts::bought(&buyer, &goods, 1).await;
    let mut numbers = vec![text(&acts::paid(&buyer, &own).await["number"])];
    deliver(&staff, &own).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    parts.says("orders", (200, "ready\nwaited for: broker\n")).await;
    parts.broker.start_again().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    enough.store(true, Ordering::SeqCst);
    for order in buying.join_all().await.concat() {
        numbers.push(text(&acts::paid(&guest, &order).await["number"]));
    }
    numbers.sort();

    parts.ready("orders").await;
    let count = i64::try_from(numbers.len()).unwrap();
    let mut expected = expected(&goods, &numbers);
    let readers = Readers { parts: &parts, staff: &staff, shelved: &shelved };
    readers.make(&expected).await;
    reviewed_as_buyer(&buyer, &goods).await;
    tokio::time::sleep(QUIET).await;
    assert_eq!(readers.made().await, expected, "nothing is counted, learnt or written twice");
    assert_eq!(acts::stock(&staff, &goods.sku).await, [100_000, 100_000 - count, 0, count]);
    for reader in parts.readers() {
        assert_eq!(parts.run(&["events", "list", &reader]).lines().count(), 1, "no dead letters of {reader}");
    }

    // News of carts is kept in Redis, and told again from there.
    let told = readers.replay(begun);
    acts::cart(&guest, &[(&goods, 1)]).await;
    expected["figures"]["funnel"]["cartCount"] = json!(count + 1);
    readers.make(&expected).await;
    assert_eq!(readers.replay(begun), told + 1, "the cart is among them");
    tokio::time::sleep(QUIET).await;
    assert_eq!(readers.made().await, expected, "what is told again is known");
    parts.verify().await;
}

/// Of these orders, a cart and one of the goods for each. Buyers paid the goods and their delivery.
fn expected(goods: &Goods, numbers: &[String]) -> Value {
    let count = i64::try_from(numbers.len()).unwrap();
    let pence = count * (1_000 + STANDARD_PENCE);
    let revenue = format!("{}.{:02}", pence / 100, pence % 100);
    json!({
        "figures": {
            "sales": { "totals": {
                "orderCount": count, "unitCount": count, "revenue": { "amount": revenue } } },
            "funnel": { "cartCount": count, "paidCount": count },
            "payments": { "authorizedCount": count },
        },
        "best": [{ "product": { "id": goods.product },
            "explanation": { "reason": "POPULAR", "orderCount": count } }],
        "mails": numbers,
        "mailed": count,
    })
}

/// Reviews, and waits until the news has come that the goods have.
async fn reviewed_as_buyer(buyer: &Visitor, goods: &Goods) {
    buyer.done(REVIEW, json!({ "product": goods.product })).await;
    let verified = |customer: &Value| customer["reviews"]["nodes"][0]["verifiedPurchase"] == true;
    buyer.eventually(REVIEWS, json!({}), verified).await;
}

/// A delivery as a program with a bug would tell it, in the outbox of orders.
async fn poison(parts: &Parts) -> Event {
    let orders = Database::open(&parts.told("SHOP_ORDERS_DATABASE_URL")).await.unwrap();
    let delivered = OrderDelivered { account_id: "nobody".to_owned(), ..Default::default() };
    let event = Event::new("order.delivered", Uuid::now_v7(), 1, Clock::system().now(), &delivered);
    let tx = orders.begin().await.unwrap();
    outbox::append(&tx, &event).await.unwrap();
    tx.commit().await.unwrap();
    event
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poisoned_message_is_put_aside_and_the_others_go_on() {
    let Some(parts) = Parts::start().await else { return };
    let (staff, buyer) = (parts.staff().await, parts.customer().await);
    let goods = goods(&staff, "10.00", 9).await;

    let poison = poison(&parts).await;
    let order = acts::bought(&buyer, &goods, 1).await;
    acts::paid(&buyer, &order).await;
    deliver(&staff, &order).await;
    reviewed_as_buyer(&buyer, &goods).await;

    let id = poison.id.to_string();
    let mut listed = parts.run(&["events", "list", "reviews"]);
    while !listed.contains(&id) {
        tokio::time::sleep(Duration::from_millis(500)).await;
        listed = parts.run(&["events", "list", "reviews"]);
    }
    let shown = parts.run(&["events", "show", "reviews", &id]);
    assert_eq!(listed.lines().count(), 2, "it alone: {listed}");
    assert!(shown.contains("order.delivered") && shown.contains(&text(&json!(poison.subject))), "{shown}");
}
