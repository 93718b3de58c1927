//! Every state against every event and command, as tables.

use kit::{Currency, Money, Timestamp};

use super::checkout::{CartVersion, Checkout, Holder};
use super::contact::Details;
use super::quote::{Quote, QuoteLine};
use super::saga::{Event, Failure, FailureKind, Plan, Saga, Seen, SeenState, Stage, WaitsOn};
use super::shipment::LineCount;
use super::step::next;
use super::undo::{MoneyBack, Outcome, Undo};
use super::{CheckoutId, Number, Order, Refusal, ReturnId, ReturnState};

/// A stage, and for each event that moves it the stage afterwards; every other event leaves it as it is.
const SAGA: &str = "
ready        begin=reserving cancel=failed
reserving    reserved=holding short=un-reserve
holding      held=authorizing refused=un-reserve
authorizing  authorized=placing captured=placing declined=un-hold voided=un-hold pending=provider action=buyer
buyer        authorized=placing captured=placing declined=un-hold voided=un-hold pending=provider cancel=un-pay
provider     authorized=placing captured=placing declined=un-hold voided=un-hold action=buyer cancel=un-pay
placing      placed=confirming cancel=un-pay
confirming   confirmed=committing gone=restocking
restocking   reserved=confirming short=completed
committing   committed=capturing cancelled=clearing
capturing    captured=clearing declined=completed voided=completed cancelled=clearing
clearing     cleared=completed
completed
un-pay       voided=un-hold declined=un-hold captured=un-capture
un-capture   refunded=un-hold
un-hold      codes-back=un-reserve
un-reserve   stock-back=ready
failed
";

const EVENTS: [&str; 23] = [
    "begin",
    "cancel",
    "woken",
    "unknown",
    "reserved",
    "short",
    "held",
    "refused",
    "authorized",
    "declined",
    "pending",
    "action",
    "captured",
    "voided",
    "placed",
    "confirmed",
    "gone",
    "committed",
    "cleared",
    "refunded",
    "codes-back",
    "stock-back",
    "cancelled",
];

/// Lower case is what the order is afterwards, upper case the refusal; "-" changes nothing.
const ORDER: &str = "
            pay         cancel      ship            deliver     return          refund
authorized  paid        cancelled   NOT_PAID        NO_SHIPMENT EXCEEDS         NOT_PAID
paid        -           cancelled   shipped         NO_SHIPMENT EXCEEDS         refunded
shipped     -           SHIPPED     EXCEEDS         delivered   EXCEEDS         refunded
delivered   -           SHIPPED     EXCEEDS         -           returned        refunded
cancelled   -           -           CANCELLED       NO_SHIPMENT EXCEEDS         EXCEEDS_PAID
";

const RETURN: &str = "
            approve     reject      receive
requested   approved    rejected    REQUESTED
approved    APPROVED    APPROVED    received
rejected    REJECTED    REJECTED    REJECTED
received    RECEIVED    RECEIVED    RECEIVED
";

#[test]
fn every_stage_answers_every_event_as_the_table_says() {
    let rows: Vec<&str> = SAGA.lines().filter(|line| !line.is_empty()).collect();
    let mut tried = 0;
    for (row, stage) in rows.iter().zip(stages()) {
        let mut cells = row.split_whitespace();
        assert_eq!(cells.next().unwrap(), name(&stage));
        let moves: Vec<(&str, &str)> = cells.map(|cell| cell.split_once('=').unwrap()).collect();
        for event in EVENTS {
            let (after, _) = next(&in_stage(stage.clone()), event_named(event), now());
            let expected = moves.iter().find(|(moved_by, _)| *moved_by == event);
            let expected = expected.map_or_else(|| name(&stage), |(_, after)| (*after).to_owned());
            assert_eq!(name(&after.stage), expected, "{event} in {}", name(&stage));
            tried += 1;
        }
    }
    assert_eq!((rows.len(), tried), (18, 414));
}

#[test]
fn who_leaves_during_a_call_is_let_go_when_its_outcome_is_known() {
    let outcomes = [
        (Stage::Reserving, "reserved", "un-reserve"),
        (Stage::Reserving, "short", "un-reserve"),
        (Stage::Holding, "held", "un-hold"),
        (Stage::Authorizing, "authorized", "un-pay"),
        (Stage::Authorizing, "pending", "un-pay"),
        (Stage::Authorizing, "declined", "un-hold"),
    ];
    for (stage, event, expected) in outcomes {
        let left = next(&in_stage(stage.clone()), Event::Cancel, now()).0;
        assert_eq!(left.stage, stage, "nothing is guessed");
        let known = next(&left, event_named(event), now()).0;
        assert_eq!(name(&known.stage), expected, "{event}");
    }
}

#[test]
fn every_order_answers_every_command_as_the_table_says() {
    assert_eq!(table(ORDER, order_after), 30);
}

#[test]
fn every_return_answers_every_command_as_the_table_says() {
    assert_eq!(table(RETURN, return_after), 12);
}

/// Tries each cell of a table; answers how many there were.
fn table(text: &str, after: impl Fn(&str, &str) -> String) -> usize {
    let mut rows = text.lines().filter(|line| !line.is_empty());
    let commands: Vec<&str> = rows.next().unwrap().split_whitespace().collect();
    let mut tried = 0;
    for row in rows {
        let mut cells = row.split_whitespace();
        let state = cells.next().unwrap();
        for (command, expected) in commands.iter().zip(cells) {
            assert_eq!(after(state, command), expected, "{command} on {state}");
            tried += 1;
        }
    }
    tried
}

fn order_after(state: &str, command: &str) -> String {
    let mut order = order_in(state);
    let before = order.clone();
    let line = LineCount { line: order.lines[0].id, quantity: 1 };
    let shipment = order.shipments.first().map_or_else(super::ShipmentId::new, |shipment| shipment.id);
    let answer = match command {
        "pay" => {
            order.pay(now());
            Ok(())
        }
        "cancel" => order.cancel("no".into(), now()).map(drop),
        "ship" => order.ship(vec![line], String::new(), String::new(), now()).map(drop),
        "deliver" => order.deliver(shipment, now()).map(drop),
        "return" => order.request_return(vec![line], String::new(), now()).map(drop),
        _ => order.refund(None, "sorry".into(), now()).map(drop),
    };
    match answer {
        Err(refusal) => {
            assert_eq!(order, before, "a refusal changes nothing");
            refused(&refusal)
        }
        Ok(()) if order == before => "-".into(),
        Ok(()) => match command {
            "pay" => "paid".into(),
            "cancel" => "cancelled".into(),
            "ship" => "shipped".into(),
            "deliver" => "delivered".into(),
            "return" => "returned".into(),
            _ => "refunded".into(),
        },
    }
}

fn return_after(state: &str, command: &str) -> String {
    let mut order = order_in("delivered");
    let line = LineCount { line: order.lines[0].id, quantity: 1 };
    let (id, _) = order.request_return(vec![line], String::new(), now()).unwrap();
    let steps: &[&str] = match state {
        "approved" => &["approve"],
        "rejected" => &["reject"],
        "received" => &["approve", "receive"],
        _ => &[],
    };
    for step in steps {
        obey(&mut order, id, step).unwrap();
    }
    match obey(&mut order, id, command) {
        Ok(()) => format!("{:?}", order.returns[0].state).to_lowercase(),
        Err(Refusal::ReturnNotOpen { state }) => {
            assert_eq!(state, order.returns[0].state);
            format!("{state:?}").to_uppercase()
        }
        Err(other) => panic!("{other}"),
    }
}

fn obey(order: &mut Order, id: ReturnId, command: &str) -> Result<(), Refusal> {
    match command {
        "approve" => order.approve_return(id, now()).map(drop),
        "reject" => order.reject_return(id, "no".into(), now()).map(drop),
        _ => order.receive_return(id, true, now()).map(drop),
    }
}

fn refused(refusal: &Refusal) -> String {
    match refusal {
        Refusal::OrderNotPaid => "NOT_PAID",
        Refusal::OrderShipped => "SHIPPED",
        Refusal::OrderCancelled => "CANCELLED",
        Refusal::ShipmentNotFound => "NO_SHIPMENT",
        Refusal::QuantityExceedsOpen { .. } => "EXCEEDS",
        Refusal::AmountExceedsPaid { .. } | Refusal::ReturnNotOpen { state: ReturnState::Requested } => {
            "EXCEEDS_PAID"
        }
        other => panic!("{other}"),
    }
    .into()
}

/// An order of one thing for ten pence.
fn order_in(state: &str) -> Order {
    let mut checkout = checkout();
    checkout.saga.payment = Some("p".into());
    let (mut order, _) = Order::place(&checkout, Number::from_random(1), now());
    order.settled = true;
    order.stock.as_mut().unwrap().confirmed = true;
    if state != "authorized" {
        drop(order.pay(now()));
    }
    if ["shipped", "delivered"].contains(&state) {
        drop(order.ship(Vec::new(), String::new(), String::new(), now()).unwrap());
    }
    if state == "delivered" {
        let shipment = order.shipments[0].id;
        drop(order.deliver(shipment, now()).unwrap());
    }
    if state == "cancelled" {
        drop(order.cancel("no".into(), now()).unwrap());
    }
    order
}

fn checkout() -> Checkout {
    let currency: Currency = "GBP".parse().unwrap();
    let (ten, zero) = (Money::new(currency, 10), Money::zero(currency));
    let line = QuoteLine {
        variant: "v".into(),
        product: "p".into(),
        sku: "S".into(),
        product_title: String::new(),
        variant_title: String::new(),
        quantity: 1,
        unit_price: ten,
        compare_at_price: None,
        subtotal: ten,
        discount: zero,
        net: ten,
        tax: zero,
        total: ten,
        tax_rate_ppm: 0,
        tax_class: String::new(),
    };
    let quote = Quote {
        id: "q".into(),
        currency,
        lines: vec![line],
        shipping: None,
        codes: Vec::new(),
        taxes: Vec::new(),
        subtotal: ten,
        discount_total: zero,
        tax_total: zero,
        shipping_total: zero,
        total: ten,
        prices_include_tax: true,
        requires_shipping: false,
        weight_grams: 0,
    };
    assert!(quote.adds_up());
    let cart = CartVersion { id: "c".into(), version: 1, country: String::new() };
    let holder = Holder { account: None, token_hash: None };
    Checkout::start(CheckoutId::new(), holder, cart, Details::default(), quote, now())
}

fn stages() -> Vec<Stage> {
    let waiting = |on| Stage::Waiting { on, until: now() + super::saga::ACTION_MAX, asking: true };
    let undoing = |money, codes| {
        let then = Outcome::of(Failure::new(FailureKind::PaymentDeclined, "no"));
        Stage::Undoing(Undo { money, codes, stock: true, then })
    };
    vec![
        Stage::Ready,
        Stage::Reserving,
        Stage::Holding,
        Stage::Authorizing,
        waiting(WaitsOn::Buyer),
        waiting(WaitsOn::Provider),
        Stage::Placing,
        Stage::Confirming,
        Stage::Restocking,
        Stage::Committing,
        Stage::Capturing,
        Stage::Clearing,
        Stage::Completed,
        undoing(MoneyBack::Void, true),
        undoing(MoneyBack::Refund, true),
        undoing(MoneyBack::Nothing, true),
        undoing(MoneyBack::Nothing, false),
        Stage::Failed,
    ]
}

fn in_stage(stage: Stage) -> Saga {
    Saga { attempt: 1, plan: Plan { codes: true, pays: true }, stage, ..Saga::new(now()) }
}

fn name(stage: &Stage) -> String {
    match stage {
        Stage::Waiting { on: WaitsOn::Buyer, .. } => "buyer".into(),
        Stage::Waiting { on: WaitsOn::Provider, .. } => "provider".into(),
        Stage::Undoing(undo) => match (undo.money, undo.codes) {
            (MoneyBack::Void, _) => "un-pay".into(),
            (MoneyBack::Refund, _) => "un-capture".into(),
            (MoneyBack::Nothing, true) => "un-hold".into(),
            (MoneyBack::Nothing, false) => "un-reserve".into(),
        },
        other => format!("{other:?}").to_lowercase(),
    }
}

fn event_named(name: &str) -> Event {
    let seen = |state| Event::Payment(Seen { id: "p".into(), state, action_url: None });
    match name {
        "begin" => Event::Begin(Plan { codes: true, pays: true }),
        "cancel" => Event::Cancel,
        "woken" => Event::Woken,
        "unknown" => Event::Unknown,
        "reserved" => Event::Reserved,
        "short" => Event::OutOfStock(Vec::new()),
        "held" => Event::Held,
        "refused" => Event::CodeRefused,
        "authorized" => seen(SeenState::Authorized),
        "declined" => seen(SeenState::Declined("no".into())),
        "pending" => seen(SeenState::Pending),
        "action" => seen(SeenState::ActionRequired),
        "captured" => seen(SeenState::Captured),
        "voided" => seen(SeenState::Voided),
        "placed" => Event::Placed,
        "confirmed" => Event::Confirmed,
        "gone" => Event::ReservationLost,
        "committed" => Event::Committed,
        "cleared" => Event::Cleared,
        "refunded" => Event::Refunded,
        "codes-back" => Event::CodesReleased,
        "stock-back" => Event::StockReleased,
        "cancelled" => Event::OrderCancelled,
        other => panic!("no event is called {other}"),
    }
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}
