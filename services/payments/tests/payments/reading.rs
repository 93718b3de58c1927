//! Reading payments, and who may.

use std::time::Duration;

use mesh::testing::{customer, staff};
use proto::payments as pb;
use proto::payments::payments_service_client::PaymentsServiceClient;
use tonic::Code;

use crate::support::{authorizing, capturing, id, reason, shops, syncing};

#[tokio::test]
async fn a_batch_answers_in_the_order_asked_and_names_what_is_missing() {
    for shop in shops().await {
        let first = shop.authorize("test_approve").await;
        let second = shop.authorize("test_decline_fraud").await;
        let missing = id();
        let request = pb::BatchGetPaymentsRequest {
            payment_ids: vec![second.id.clone(), missing.clone(), first.id.clone(), second.id.clone()],
        };

        let answer = shop.staff().batch_get_payments(request).await.unwrap().into_inner();

        assert_eq!(answer.payments, [second, first]);
        assert_eq!(answer.missing, [missing]);
        let many = pb::BatchGetPaymentsRequest { payment_ids: (0..1_501).map(|_| id()).collect() };
        let refused = shop.staff().batch_get_payments(many).await.unwrap_err();
        assert_eq!(reason(&refused), "INVALID_FIELDS");
        let most = pb::BatchGetPaymentsRequest { payment_ids: (0..1_500).map(|_| id()).collect() };
        let answer = shop.staff().batch_get_payments(most).await.unwrap().into_inner();
        assert_eq!(answer.missing.len(), 1_500);
    }
}

#[tokio::test]
async fn payments_are_listed_newest_first_to_the_end() {
    for shop in shops().await {
        let mut made = Vec::new();
        for number in 0..7 {
            // Some at the same moment, which the id tells apart.
            shop.clock.advance(Duration::from_secs(number % 2));
            let method = ["test_approve", "test_decline_fraud"][number as usize % 2];
            made.push(shop.authorize(method).await);
        }
        let mut request = pb::ListPaymentsRequest { page_size: 3, ..Default::default() };
        let mut seen = Vec::new();
        loop {
            let page = shop.staff().list_payments(request.clone()).await.unwrap().into_inner();
            assert!(page.payments.len() <= 3);
            seen.extend(page.payments);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        made.reverse();
        assert_eq!(seen, made);

        request.state = pb::PaymentState::Declined.into();
        let refused = shop.staff().list_payments(request.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "PAGE_TOKEN_INVALID");
        request.page_token = String::new();
        let declined = shop.staff().list_payments(request).await.unwrap().into_inner();
        assert_eq!(declined.payments.len(), 3);
        let of_checkout =
            pb::ListPaymentsRequest { checkout_id: made[0].checkout_id.clone(), ..Default::default() };
        let listed = shop.staff().list_payments(of_checkout).await.unwrap().into_inner();
        assert_eq!(listed.payments, made[..1]);
        let wrong = pb::ListPaymentsRequest { page_size: -1, ..Default::default() };
        let refused = shop.staff().list_payments(wrong).await.unwrap_err();
        assert_eq!(reason(&refused), "INVALID_FIELDS");
    }
}

#[tokio::test]
async fn what_happened_is_listed_oldest_first_in_pages() {
    for shop in shops().await {
        let payment = shop.authorize("test_approve").await;
        for _ in 0..4 {
            let capture = capturing(&payment, Some(10));
            shop.orders().capture_payment(capture).await.unwrap();
        }
        let mut request = pb::ListPaymentEventsRequest {
            payment_id: payment.id.clone(),
            page_size: 4,
            page_token: String::new(),
        };
        let mut seen = Vec::new();
        loop {
            let answer = shop.staff().list_payment_events(request.clone()).await.unwrap();
            let page = answer.into_inner();
            seen.extend(page.payment_events);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }

        assert_eq!(seen.len(), 10);
        assert_eq!(seen[0].r#type(), pb::PaymentEventType::AuthorizationRequest);
        assert_eq!(seen[9].r#type(), pb::PaymentEventType::ChargeSuccess);
        assert!(seen.iter().all(|event| event.payment_id == payment.id));
        assert!(seen.iter().all(|event| event.message.ends_with('.')));
        assert_eq!(seen[9].provider_reference, payment.provider_reference);
        let unknown = pb::ListPaymentEventsRequest { payment_id: id(), ..Default::default() };
        let refused = shop.staff().list_payment_events(unknown).await.unwrap_err();
        assert_eq!(reason(&refused), "PAYMENT_NOT_FOUND");
    }
}

#[tokio::test]
async fn only_orders_moves_money_and_only_staff_reads_lists() {
    for shop in shops().await {
        let payment = shop.authorize("test_approve").await;
        let mut gateway = shop.as_service("gateway");
        let refused = gateway.authorize_payment(authorizing("test_approve")).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED");
        let capture = capturing(&payment, None);
        let refused = gateway.capture_payment(capture).await.unwrap_err();
        assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED");

        let list = pb::ListPaymentsRequest::default();
        let refused = gateway.list_payments(list.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "SIGN_IN_REQUIRED");
        for user in [customer(), staff(&["orders.write"])] {
            let channel = shop.channel(user);
            let mut client = PaymentsServiceClient::new(channel);
            let refused = client.list_payments(list.clone()).await.unwrap_err();
            assert_eq!(reason(&refused), "PERMISSION_MISSING");
        }
        let refused = shop.orders().sync_payment(syncing(&id())).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "PAYMENT_NOT_FOUND"));
        assert_eq!(shop.get(&payment.id).await, payment);
    }
}
