//! Webhooks: true ones, forged ones, old ones, twice and out of order.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use proto::payments as pb;
use tonic::Code;

use crate::support::{
    Delivery, SECRET, Shop, authorizing, capturing, eventually, key, reason, refunding, shops, webhook,
};

/// Signs as the contract says, apart from the code under test.
fn signed(secret: &[u8], seconds: i64, body: &str) -> Delivery {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.update(format!("{seconds}.{body}").as_bytes());
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    Delivery { signature: format!("t={seconds},v1={digest}"), body: body.as_bytes().to_vec() }
}

fn notice(payment: &pb::Payment, event: &str, status: &str) -> String {
    let key = key(payment);
    format!(r#"{{"id":"{event}","status":"{status}","reference":"sim_x","key":"{key}"}}"#)
}

async fn send(shop: &Shop, delivery: &Delivery) -> Result<(), tonic::Status> {
    let mut gateway = shop.as_service("gateway");
    gateway.receive_webhook(webhook(delivery)).await.map(drop)
}

#[tokio::test]
async fn a_webhook_settles_what_the_browser_path_left_pending() {
    for shop in shops().await {
        shop.edge.listen();
        let mut payments = Vec::new();
        for method in ["test_slow", "test_timeout_with_effect"] {
            payments.push(shop.authorize(method).await);
        }
        for payment in payments {
            let settled = shop.until(&payment.id, pb::PaymentState::Authorized).await;
            assert_eq!(settled.id, payment.id);
            assert_eq!(shop.news(&payment.id).await, ["payment.authorized"]);
        }
    }
}

#[tokio::test]
async fn a_webhook_that_is_not_taken_comes_again_until_it_is() {
    for shop in shops().await {
        let payment = shop.authorize("test_action_required").await;
        let browser = reqwest::Client::new();
        let page = browser.post(&payment.action_url).body("decision=decline");
        // The shop's page is not there to go back to, which is none of the provider's business.
        let _ = page.send().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(shop.get(&payment.id).await.state(), pb::PaymentState::ActionRequired);

        shop.edge.listen();

        let settled = shop.until(&payment.id, pb::PaymentState::Declined).await;
        assert_eq!(settled.decline_reason(), pb::DeclineReason::NotConfirmed);
    }
}

#[tokio::test]
async fn the_same_delivery_twice_and_all_deliveries_backwards_change_nothing() {
    for shop in shops().await {
        shop.edge.listen();
        let payment = shop.captured().await;
        let refund = refunding(&payment, Some(300));
        shop.orders().refund_payment(refund).await.unwrap();
        let deliveries = eventually(|| async {
            let deliveries = shop.edge.deliveries.lock().unwrap().clone();
            (deliveries.len() >= 3).then_some(deliveries)
        })
        .await;
        let before = shop.get(&payment.id).await;
        let history = shop.history(&payment.id).await;

        for delivery in deliveries.iter().rev().chain(&deliveries) {
            send(&shop, delivery).await.unwrap();
        }

        assert_eq!(shop.get(&payment.id).await, before);
        assert_eq!(shop.history(&payment.id).await, history);
    }
}

#[tokio::test]
async fn what_a_webhook_claims_is_not_believed_but_looked_up() {
    for shop in shops().await {
        let payment = shop.authorize("test_action_required").await;
        let now = shop.clock.now().timestamp();
        for (number, status) in ["authorized", "captured", "declined", "voided"].iter().enumerate() {
            let body = notice(&payment, &format!("evt-{number}"), status);
            send(&shop, &signed(SECRET, now, &body)).await.unwrap();
        }
        assert_eq!(shop.get(&payment.id).await, payment);
    }
}

#[tokio::test]
async fn a_delivery_signed_anew_is_the_same_delivery() {
    for shop in shops().await {
        let payment = shop.authorize("test_timeout_with_effect").await;
        let now = shop.clock.now().timestamp();
        let body = notice(&payment, "evt-1", "authorized");

        send(&shop, &signed(SECRET, now - 20, &body)).await.unwrap();
        let after = shop.get(&payment.id).await;
        send(&shop, &signed(SECRET, now, &body)).await.unwrap();

        assert_eq!(after.state(), pb::PaymentState::Authorized);
        assert_eq!(shop.get(&payment.id).await, after);
    }
}

#[tokio::test]
async fn forged_old_and_malformed_webhooks_are_refused_without_effect() {
    for shop in shops().await {
        let payment = shop.authorize("test_timeout_with_effect").await;
        let now = shop.clock.now().timestamp();
        let body = notice(&payment, "evt-1", "authorized");
        let good = signed(SECRET, now, &body);
        let unsigned = Delivery { signature: String::new(), ..good.clone() };
        let other_body =
            Delivery { body: notice(&payment, "evt-2", "authorized").into_bytes(), ..good.clone() };
        let other_time = Delivery {
            signature: good.signature.replace(&format!("t={now}"), &format!("t={}", now + 1)),
            ..good.clone()
        };
        let forged = [
            signed(b"another secret", now, &body),
            signed(SECRET, now - 301, &body),
            signed(SECRET, now + 301, &body),
            signed(SECRET, now - 7 * 24 * 3600, &body),
            signed(SECRET, now, "not json"),
            signed(SECRET, now, r#"{"id":"","status":"authorized","reference":"","key":""}"#),
            unsigned,
            other_body,
            other_time,
        ];

        for delivery in forged {
            let refused = send(&shop, &delivery).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
            assert_eq!(reason(&refused), "WEBHOOK_REFUSED");
        }

        assert_eq!(shop.get(&payment.id).await.state(), pb::PaymentState::Pending);
        // A refusal burns nothing: the true one is still taken.
        send(&shop, &good).await.unwrap();
        assert_eq!(shop.get(&payment.id).await.state(), pb::PaymentState::Authorized);
    }
}

#[tokio::test]
async fn an_unknown_provider_is_refused_and_an_unknown_payment_is_nothing() {
    for shop in shops().await {
        let payment = shop.authorize("test_approve").await;
        let now = shop.clock.now().timestamp();
        let stranger = pb::Payment { checkout_id: crate::support::id(), ..payment.clone() };
        let unknown = signed(SECRET, now, &notice(&stranger, "evt-1", "authorized"));
        send(&shop, &unknown).await.unwrap();

        let elsewhere = pb::ReceiveWebhookRequest { provider: "paypal".into(), ..webhook(&unknown) };
        let mut gateway = shop.as_service("gateway");
        let refused = gateway.receive_webhook(elsewhere).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        assert_eq!(reason(&refused), "PROVIDER_UNKNOWN");
        let large = pb::ReceiveWebhookRequest { body: vec![b' '; 64 * 1024 + 1], ..webhook(&unknown) };
        let refused = gateway.receive_webhook(large).await.unwrap_err();
        assert_eq!(mesh::status::violations_of(&refused)[0].field, "body");
    }
}

#[tokio::test]
async fn webhooks_and_requests_at_once_tell_each_thing_once() {
    for shop in shops().await {
        shop.edge.listen();
        let tries = (0..8).map(|_| {
            let mut client = shop.orders();
            tokio::spawn(async move {
                let request = authorizing("test_approve");
                let answer = client.authorize_payment(request).await.unwrap();
                let payment = answer.into_inner().payment.unwrap();
                client.capture_payment(capturing(&payment, None)).await.unwrap();
                payment.id
            })
        });
        let ids = futures::future::join_all(tries).await;
        eventually(|| async {
            let delivered = shop.edge.deliveries.lock().unwrap().len();
            (delivered >= 16).then_some(())
        })
        .await;

        for id in ids {
            let id = id.unwrap();
            let history =
                ["AUTHORIZATION_REQUEST", "AUTHORIZATION_SUCCESS", "CHARGE_REQUEST", "CHARGE_SUCCESS"];
            assert_eq!(shop.history(&id).await, history);
            let news = ["payment.authorized", "payment.captured"];
            assert_eq!(shop.news(&id).await, news);
        }
    }
}
