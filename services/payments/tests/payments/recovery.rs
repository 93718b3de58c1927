//! What a crash or a late provider left open is finished, once, by whoever looks after it.

use std::time::Duration;

use kit::{Clock, Database};
use mesh::context::{self, Context};
use proto::payments as pb;
use tokio::time::Instant;
use tonic::Code;

use crate::support::{
    Client, NOWHERE, Shop, authorizing, black_hole, capturing, eventually, mute, refunding, settings, shops,
    sums, voiding,
};

/// Calls with so little time that the method is dropped while it waits for the provider, as by a crash.
async fn doomed<T>(call: impl Future<Output = Result<T, tonic::Status>>) {
    let deadline = Instant::now().checked_add(Duration::from_millis(1_500));
    let context = Context { deadline, ..context::current() };
    let cut = context::scope(context, call).await.err().unwrap();
    assert_eq!(cut.code(), Code::DeadlineExceeded);
}

async fn dropped(shop: &Shop) -> Client {
    shop.with_provider(&black_hole().await)
}

async fn found(shop: &Shop, checkout: &str) -> pb::Payment {
    let request = pb::ListPaymentsRequest { checkout_id: checkout.to_owned(), ..Default::default() };
    let listed = shop.staff().list_payments(request).await.unwrap();
    listed.into_inner().payments.remove(0)
}

#[tokio::test]
async fn an_authorization_that_died_between_intent_and_answer_is_finished() {
    for shop in shops().await {
        let request = authorizing("test_approve");
        let mut dying = dropped(&shop).await;
        doomed(dying.authorize_payment(request.clone())).await;
        let left = found(&shop, &request.checkout_id).await;
        assert_eq!(left.state(), pb::PaymentState::Pending);
        assert_eq!(shop.at_the_bank(&left).await["error"], "not_found");

        let _work = shop.work();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let waiting = shop.get(&left.id).await;
        assert_eq!(waiting.state(), pb::PaymentState::Pending, "it is not due yet");
        shop.clock.advance(Duration::from_secs(60));

        shop.until(&left.id, pb::PaymentState::Authorized).await;
        assert_eq!(shop.at_the_bank(&left).await["status"], "authorized");
        let mut orders = shop.orders();
        let again = orders.authorize_payment(request).await.unwrap().into_inner();
        assert_eq!(again.payment.unwrap().state(), pb::PaymentState::Authorized);
        assert_eq!(shop.news(&left.id).await, ["payment.authorized"]);
    }
}

#[tokio::test]
async fn captures_refunds_and_voids_that_died_on_the_way_are_finished() {
    for shop in shops().await {
        let mut dying = dropped(&shop).await;
        let captured = shop.authorize("test_approve").await;
        let capture = capturing(&captured, Some(6_000));
        doomed(dying.capture_payment(capture)).await;
        let refunded = shop.captured().await;
        let refund = refunding(&refunded, Some(1_500));
        doomed(dying.refund_payment(refund)).await;
        let voided = shop.authorize("test_approve").await;
        doomed(dying.void_payment(voiding(&voided))).await;

        let _work = shop.work();
        shop.clock.advance(Duration::from_secs(60));

        shop.until(&captured.id, pb::PaymentState::Captured).await;
        shop.until(&voided.id, pb::PaymentState::Voided).await;
        let given = eventually(|| async {
            let payment = shop.get(&refunded.id).await;
            (sums(&payment).2 > 0).then_some(payment)
        });
        assert_eq!(sums(&given.await), (10_000, 10_000, 1_500));
        assert_eq!(sums(&shop.get(&captured.id).await), (10_000, 6_000, 0));
        assert_eq!(shop.at_the_bank(&refunded).await["refunded"], 1_500);
        assert_eq!(shop.at_the_bank(&captured).await["captured"], 6_000);
        assert_eq!(shop.at_the_bank(&voided).await["status"], "voided");
    }
}

#[tokio::test]
async fn what_was_done_but_not_recorded_is_not_done_again() {
    for shop in shops().await {
        let payment = shop.captured().await;
        let mut dying = shop.with_provider(&mute(&shop.bank.url).await);
        let refund = refunding(&payment, Some(4_000));
        doomed(dying.refund_payment(refund.clone())).await;
        assert_eq!(shop.at_the_bank(&payment).await["refunded"], 4_000);
        assert_eq!(sums(&shop.get(&payment.id).await), (10_000, 10_000, 0));

        let works = [shop.work(), shop.work(), shop.work()];
        shop.clock.advance(Duration::from_secs(60));
        let given = shop.orders().refund_payment(refund).await.unwrap().into_inner();

        assert_eq!(sums(&given.payment.unwrap()), (10_000, 10_000, 4_000));
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(works);
        assert_eq!(shop.at_the_bank(&payment).await["refunded"], 4_000);
        assert_eq!(sums(&shop.get(&payment.id).await), (10_000, 10_000, 4_000));
        let history = shop.history(&payment.id).await;
        assert_eq!(history[4..], ["REFUND_REQUEST", "REFUND_SUCCESS"]);
    }
}

#[tokio::test]
async fn a_void_finishes_the_capture_that_stands_in_its_way() {
    for shop in shops().await {
        let payment = shop.authorize("test_approve").await;
        let mut dying = dropped(&shop).await;
        let capture = capturing(&payment, Some(1));
        doomed(dying.capture_payment(capture)).await;

        let refused = shop.orders().void_payment(voiding(&payment)).await.unwrap_err();

        assert_eq!(crate::support::reason(&refused), "ALREADY_CAPTURED");
        assert_eq!(sums(&shop.get(&payment.id).await), (10_000, 1, 0));
    }
}

#[tokio::test]
async fn a_buyer_who_acted_is_noticed_without_a_webhook() {
    for shop in shops().await {
        let payment = shop.authorize("test_action_required").await;
        let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let page = browser.post(&payment.action_url).body("decision=approve");
        page.send().await.unwrap();

        let _work = shop.work();
        shop.clock.advance(Duration::from_secs(60));

        shop.until(&payment.id, pb::PaymentState::Authorized).await;
    }
}

#[tokio::test]
async fn work_ends_when_it_is_told_to() {
    let database = Database::temporary().await.unwrap();
    payments::migrate(&database).await.unwrap();
    let shutdown = tokio_util::sync::CancellationToken::new();
    let settings = settings("http://127.0.0.1:1");
    let work = payments::work(database, settings, Clock::system(), shutdown.clone());
    let work = tokio::spawn(work);

    shutdown.cancel();

    let ended = tokio::time::timeout(Duration::from_secs(5), work).await;
    ended.unwrap().unwrap();
}

#[tokio::test]
async fn all_that_a_dead_provider_left_is_settled_within_a_minute_of_its_return() {
    for shop in shops().await {
        let mut cut_off = shop.with_provider(NOWHERE);
        let mut left = Vec::new();
        for _ in 0..30 {
            let answer = cut_off.authorize_payment(authorizing("test_approve")).await.unwrap();
            left.push(answer.into_inner().payment.unwrap().id);
        }
        let away = shop.work_with(NOWHERE);
        for _ in 0..6 {
            shop.clock.advance(Duration::from_secs(20));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        drop(away);

        let _work = shop.work();
        shop.clock.advance(Duration::from_secs(45));

        for id in left {
            shop.until(&id, pb::PaymentState::Authorized).await;
        }
    }
}
