//! Whatever goes wrong with a call, a checkout becomes one order or none, and nothing is left behind.

use proto::orders as pb;
use proto::orders::{CheckoutFailure, CheckoutState};
use proto::payments as pay;

use crate::support::faults::{Fault, Faults};
use crate::support::inventory::{Figures, Promise};
use crate::support::pricing::Use;
use crate::support::{Begun, Shop, request_id, shops};

const FORWARD: [&str; 7] = [
    "ReserveStock",
    "HoldCodes",
    "AuthorizePayment",
    "ConfirmReservation",
    "CommitCodes",
    "CapturePayment",
    "ClearCart",
];
/// Half a minute each: far less than a payment may take.
const ROUNDS_MAX: usize = 12;
const BACKWARD: [&str; 2] = ["ReleaseCodes", "ReleaseReservation"];

#[tokio::test]
async fn a_purchase_survives_every_lost_call_and_every_lost_answer() {
    for shop in shops().await {
        let mut sold = 0;
        for method in FORWARD {
            for faults in troubles() {
                let story = format!("{method}: {faults:?}");
                faults_of(&shop, method).plan(method, faults);
                let begun = shop.checkout_with(&["TEN"]).await;
                shop.complete(&begun, "test_approve").await.unwrap();

                let bought = in_time(&shop, &begun).await;

                sold += 1;
                assert_eq!(bought.state(), CheckoutState::Completed, "{story}");
                let order = shop.read(&bought.order_id).await;
                assert_eq!(order.payment_state(), pb::OrderPaymentState::Paid, "{story}");
                assert_eq!(shop.inventory.figures("A").sold, sold, "{story}");
                assert_eq!(shop.inventory.in_state(Promise::Held), 0, "{story}");
                assert_eq!(shop.payments.live().len() as i64, sold, "{story}");
                assert_eq!(shop.pricing.uses(Use::Committed) as i64, sold, "{story}");
                shop.inventory.set("A", 10);
                shop.inventory.set("B", 10);
            }
        }
    }
}

#[tokio::test]
async fn the_way_back_survives_every_lost_call_and_every_lost_answer() {
    for shop in shops().await {
        for method in BACKWARD {
            for faults in troubles() {
                let story = format!("{method}: {faults:?}");
                faults_of(&shop, method).plan(method, faults);
                let begun = shop.checkout_with(&["TEN"]).await;
                shop.complete(&begun, "test_decline").await.unwrap();

                let declined = in_time(&shop, &begun).await;

                assert_eq!(declined.state(), CheckoutState::Ready, "{story}");
                assert_eq!(declined.last_failure(), CheckoutFailure::PaymentDeclined, "{story}");
                assert_eq!(shop.inventory.figures("A"), Figures { available: 10, ..Figures::default() });
                assert_eq!(shop.pricing.uses(Use::Held), 0, "{story}");
            }
        }
        let begun = shop.checkout().await;
        shop.payments.faults.plan("VoidPayment", [Fault::AnswerLost, Fault::NotDone, Fault::NotDone]);
        shop.complete(&begun, "test_action_required").await.unwrap();
        let request = pb::CancelCheckoutRequest { key: Some(begun.key()), request_id: request_id() };
        shop.guest().cancel_checkout(request).await.unwrap();
        assert_eq!(in_time(&shop, &begun).await.state(), CheckoutState::Failed);
        assert!(shop.payments.live().is_empty());
    }
}

#[tokio::test]
async fn a_slow_neighbour_does_not_hold_the_buyer_for_more_than_six_seconds() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        let slow = Fault::Slow(std::time::Duration::from_millis(7_000));
        shop.payments.faults.plan("AuthorizePayment", [slow]);
        let asked = std::time::Instant::now();

        let answered = shop.complete(&begun, "test_approve").await.unwrap();

        // It was answered before the neighbour had spoken.
        assert!(asked.elapsed().as_secs() >= 5);
        assert_eq!(answered.state(), CheckoutState::Processing);
        while shop.now(&begun).await.state() == CheckoutState::Processing {
            assert!(asked.elapsed().as_secs() < 60);
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        assert_eq!(shop.now(&begun).await.state(), CheckoutState::Completed);
    }
}

#[tokio::test]
async fn a_buyer_who_leaves_in_the_middle_is_let_go_as_soon_as_the_outcome_is_known() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        shop.payments.faults.plan("AuthorizePayment", vec![Fault::AnswerLost; 3]);
        let pending = shop.complete(&begun, "test_approve").await.unwrap();
        assert_eq!(pending.state(), CheckoutState::PaymentPending);

        let request = pb::CancelCheckoutRequest { key: Some(begun.key()), request_id: request_id() };
        shop.guest().cancel_checkout(request).await.unwrap();

        let failed = in_time(&shop, &begun).await;
        assert_eq!(failed.last_failure(), CheckoutFailure::Cancelled);
        assert_eq!(shop.payments.all()[0].state(), pay::PaymentState::Voided);
        assert_eq!(shop.inventory.figures("A").available, 10);
    }
}

#[tokio::test]
async fn a_reservation_that_ran_out_is_made_anew_or_the_order_is_cancelled() {
    for shop in shops().await {
        for left in [10, 0] {
            let begun = shop.checkout().await;
            shop.inventory.faults.plan("ConfirmReservation", vec![Fault::NotDone; 3]);
            let bought = shop.complete(&begun, "test_approve").await.unwrap();
            assert_eq!(bought.state(), CheckoutState::Completed);
            shop.inventory.expire_all();
            shop.inventory.set("A", left);

            in_time(&shop, &begun).await;
            shop.later(1).await;

            let order = shop.read(&bought.order_id).await;
            match left {
                0 => {
                    assert_eq!(order.state(), pb::OrderState::Cancelled);
                    assert_eq!(order.payment_state(), pb::OrderPaymentState::Voided);
                    assert_eq!(order.cancel_reason, "The reserved goods were sold in the meantime.");
                    assert_eq!(shop.payments.live().len(), 1, "only the first order's");
                }
                _ => assert_eq!(order.payment_state(), pb::OrderPaymentState::Paid),
            }
        }
    }
}

#[tokio::test]
async fn a_reservation_that_ran_out_unheard_leaves_the_checkout_open() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        shop.inventory.faults.plan("ReserveStock", vec![Fault::AnswerLost; 3]);
        shop.complete(&begun, "test_approve").await.unwrap();
        shop.inventory.expire_all();

        let open = in_time(&shop, &begun).await;

        assert_eq!(
            (open.state(), open.last_failure()),
            (CheckoutState::Ready, CheckoutFailure::InsufficientStock)
        );
        assert!(shop.payments.all().is_empty());
        let bought = shop.complete(&begun, "test_approve").await.unwrap();
        assert_eq!(bought.state(), CheckoutState::Completed);
        assert_eq!(shop.inventory.figures("A"), Figures { available: 9, reserved: 0, sold: 1 });
    }
}

#[tokio::test]
async fn an_order_whose_money_is_gone_is_cancelled() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        shop.payments.faults.plan("CapturePayment", vec![Fault::NotDone; 3]);
        let bought = shop.complete(&begun, "test_approve").await.unwrap();
        shop.payments.lose_all();

        in_time(&shop, &begun).await;
        shop.later(1).await;

        let order = shop.read(&bought.order_id).await;
        assert_eq!(order.state(), pb::OrderState::Cancelled);
        assert_eq!(shop.inventory.figures("A"), Figures { available: 10, ..Figures::default() });
    }
}

#[tokio::test]
async fn what_a_dead_process_left_is_taken_over_when_its_lease_runs_out() {
    let shop = Shop::new(kit::testing::sqlite::<orders::Migrator>().await);
    let begun = shop.checkout().await;
    let slow = Fault::Slow(std::time::Duration::from_secs(600));
    shop.payments.faults.plan("AuthorizePayment", [slow]);
    let (request, mut client) = (begun.completing("test_approve"), shop.guest());
    let payments = shop.payments.clone();
    let process = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.spawn(async move { client.complete_checkout(request).await });
        runtime.block_on(async {
            while payments.faults.calls("AuthorizePayment") == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        });
        // All its tasks die with it, in the middle of the call.
        runtime.shutdown_background();
    });
    tokio::task::spawn_blocking(|| process.join().unwrap()).await.unwrap();

    shop.later(1).await;
    assert_eq!(shop.now(&begun).await.state(), CheckoutState::Processing, "the lease still holds");
    shop.later(4).await;

    assert_eq!(in_time(&shop, &begun).await.state(), CheckoutState::Completed);
    assert_eq!((shop.payments.all().len(), shop.inventory.figures("A").sold), (1, 1));
}

fn troubles() -> [Vec<Fault>; 4] {
    [
        vec![Fault::NotDone],
        vec![Fault::AnswerLost],
        vec![Fault::AnswerLost, Fault::NotDone],
        vec![Fault::NotDone, Fault::NotDone, Fault::NotDone, Fault::AnswerLost],
    ]
}

fn faults_of<'a>(shop: &'a Shop, method: &str) -> &'a Faults {
    match method {
        "ReserveStock" | "ConfirmReservation" | "ReleaseReservation" => &shop.inventory.faults,
        "HoldCodes" | "CommitCodes" | "ReleaseCodes" => &shop.pricing.faults,
        "ClearCart" => &shop.carts.faults,
        _ => &shop.payments.faults,
    }
}

/// The checkout once the recoverer has had its chances.
async fn in_time(shop: &Shop, begun: &Begun) -> pb::Checkout {
    for round in 0..ROUNDS_MAX {
        shop.later(31).await;
        // A busy machine may need more rounds; where there is an order, its money is the last thing to come.
        let checkout = shop.now(begun).await;
        let paid = match checkout.state() {
            CheckoutState::Completed => {
                shop.read(&checkout.order_id).await.payment_state() == pb::OrderPaymentState::Paid
            }
            _ => checkout.state() != CheckoutState::Processing,
        };
        if round >= 2 && paid {
            return checkout;
        }
    }
    shop.now(begun).await
}
