//! Every card of the simulated provider, and asking twice.

use proto::payments as pb;
use tonic::Code;

use crate::support::{NOWHERE, authorizing, eventually, pounds, reason, request_id, shops, sums, units};

#[tokio::test]
async fn a_good_card_is_authorized_and_told_to_others() {
    for shop in shops().await {
        let payment = shop.authorize("test_approve").await;

        assert_eq!(payment.state(), pb::PaymentState::Authorized);
        assert_eq!(sums(&payment), (10_000, 0, 0));
        assert_eq!(payment.provider, "simulated");
        assert!(payment.provider_reference.starts_with("sim_"));
        assert_eq!(payment, shop.get(&payment.id).await);
        let history = ["AUTHORIZATION_REQUEST", "AUTHORIZATION_SUCCESS"];
        assert_eq!(shop.history(&payment.id).await, history);
        assert_eq!(shop.news(&payment.id).await, ["payment.authorized"]);
        let events = kit::testing::unsent(&shop.database, 10).await.unwrap();
        let told: pb::PaymentAuthorized = events[0].decode().unwrap();
        assert_eq!(told.payment_id, payment.id);
        assert_eq!(told.checkout_id, payment.checkout_id);
        assert_eq!(units(&told.amount), 10_000);
    }
}

#[tokio::test]
async fn a_decline_is_an_answer_with_its_reason() {
    use pb::DeclineReason as Reason;

    for shop in shops().await {
        for (method, expected) in [
            ("test_decline_insufficient_funds", Reason::InsufficientFunds),
            ("test_decline_expired", Reason::CardExpired),
            ("test_decline_fraud", Reason::SuspectedFraud),
            ("4111 1111 1111 1111", Reason::MethodUnknown),
            ("'; DROP TABLE payments; --", Reason::MethodUnknown),
        ] {
            let payment = shop.authorize(method).await;

            assert_eq!(payment.state(), pb::PaymentState::Declined, "{method}");
            assert_eq!(payment.decline_reason(), expected, "{method}");
            assert_eq!(sums(&payment), (0, 0, 0));
            assert_eq!(shop.news(&payment.id).await, ["payment.declined"]);
        }
    }
}

#[tokio::test]
async fn a_buyer_who_must_act_approves_or_declines_at_the_hosted_page() {
    for shop in shops().await {
        let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        for (decision, expected) in
            [("approve", pb::PaymentState::Authorized), ("decline", pb::PaymentState::Declined)]
        {
            let payment = shop.authorize("test_action_required").await;
            assert_eq!(payment.state(), pb::PaymentState::ActionRequired);
            let page = browser.get(&payment.action_url).send().await.unwrap();
            let html = page.text().await.unwrap();
            assert!(html.contains("100.00 GBP") && html.contains("Approve"), "{html}");
            assert_eq!(shop.sync(&payment.id).await, payment, "nothing has changed yet");

            let decided =
                browser.post(&payment.action_url).body(format!("decision={decision}")).send().await.unwrap();

            assert_eq!(decided.status(), 303);
            let back = &decided.headers()["location"];
            assert_eq!(back, "http://127.0.0.1:8080/checkout/return");
            let payment = shop.sync(&payment.id).await;
            assert_eq!(payment.state(), expected);
            assert_eq!(payment.action_url, "");
        }
    }
}

#[tokio::test]
async fn a_slow_provider_leaves_the_payment_pending_and_then_settles_it() {
    for shop in shops().await {
        let payment = shop.authorize("test_slow").await;
        assert_eq!(payment.state(), pb::PaymentState::Pending);
        let early = shop.sync(&payment.id).await;
        assert_eq!(early.state(), pb::PaymentState::Pending);
        assert_eq!(shop.history(&payment.id).await, ["AUTHORIZATION_REQUEST"]);
        assert!(shop.news(&payment.id).await.is_empty());

        let settled = eventually(|| async {
            let payment = shop.sync(&payment.id).await;
            (payment.state() != pb::PaymentState::Pending).then_some(payment)
        });

        assert_eq!(settled.await.state(), pb::PaymentState::Authorized);
        assert_eq!(shop.news(&payment.id).await, ["payment.authorized"]);
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_asked_again_and_never_authorizes_twice() {
    for shop in shops().await {
        for (method, at_the_bank) in
            [("test_timeout_with_effect", "authorized"), ("test_timeout_without_effect", "")]
        {
            let payment = shop.authorize(method).await;
            assert_eq!(payment.state(), pb::PaymentState::Pending, "{method}");
            let books = shop.at_the_bank(&payment).await;
            assert_eq!(books["status"].as_str().unwrap_or_default(), at_the_bank);

            let settled = shop.sync(&payment.id).await;

            assert_eq!(settled.state(), pb::PaymentState::Authorized, "{method}");
            let books = shop.at_the_bank(&payment).await;
            assert_eq!(books["reference"], settled.provider_reference.as_str());
            assert_eq!(shop.news(&payment.id).await, ["payment.authorized"]);
        }
    }
}

#[tokio::test]
async fn the_same_request_finds_the_same_payment_however_often_it_comes() {
    for shop in shops().await {
        let request = authorizing("test_approve");

        let tries = (0..20).map(|_| {
            let mut client = shop.orders();
            let request = request.clone();
            async move { client.authorize_payment(request).await }
        });
        let answers = futures::future::join_all(tries).await;

        let payments: Vec<_> =
            answers.into_iter().map(|answer| answer.unwrap().into_inner().payment.unwrap()).collect();
        assert!(payments.iter().all(|payment| payment.id == payments[0].id));
        let history = ["AUTHORIZATION_REQUEST", "AUTHORIZATION_SUCCESS"];
        assert_eq!(shop.history(&payments[0].id).await, history);
    }
}

#[tokio::test]
async fn the_first_lasting_answer_is_given_again_whatever_happened_since() {
    for shop in shops().await {
        let request = authorizing("test_approve");
        let mut orders = shop.orders();
        let first = orders.authorize_payment(request.clone()).await.unwrap().into_inner();
        let payment = first.payment.clone().unwrap();
        let void = crate::support::voiding(&payment);
        orders.void_payment(void).await.unwrap();

        let again = orders.authorize_payment(request).await.unwrap().into_inner();

        assert_eq!(first, again);
        assert_eq!(shop.get(&payment.id).await.state(), pb::PaymentState::Voided);
    }
}

#[tokio::test]
async fn a_pending_answer_is_not_kept() {
    for shop in shops().await {
        let request = authorizing("test_timeout_without_effect");
        let mut orders = shop.orders();
        let first = orders.authorize_payment(request.clone()).await.unwrap().into_inner();
        assert_eq!(first.payment.unwrap().state(), pb::PaymentState::Pending);

        let again = orders.authorize_payment(request).await.unwrap().into_inner();

        assert_eq!(again.payment.unwrap().state(), pb::PaymentState::Authorized);
    }
}

#[tokio::test]
async fn an_attempt_is_one_payment_under_any_request_and_never_another_amount() {
    for shop in shops().await {
        let request = authorizing("test_approve");
        let mut orders = shop.orders();
        let first = orders.authorize_payment(request.clone()).await.unwrap().into_inner();

        let renamed = pb::AuthorizePaymentRequest { request_id: request_id(), ..request.clone() };
        let again = orders.authorize_payment(renamed.clone()).await.unwrap().into_inner();
        assert_eq!(first, again);

        for other in [
            pb::AuthorizePaymentRequest { amount: pounds(1), ..request.clone() },
            pb::AuthorizePaymentRequest { amount: pounds(1), request_id: request_id(), ..request.clone() },
            pb::AuthorizePaymentRequest {
                method_token: "test_slow".into(),
                request_id: request_id(),
                ..request.clone()
            },
        ] {
            let refused = orders.authorize_payment(other).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
        }
        let next = pb::AuthorizePaymentRequest { attempt: 2, ..renamed };
        let next = pb::AuthorizePaymentRequest { request_id: request_id(), ..next };
        let second = orders.authorize_payment(next).await.unwrap().into_inner();
        assert_ne!(second.payment.unwrap().id, first.payment.unwrap().id);
    }
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    for shop in shops().await {
        let wrong = pb::AuthorizePaymentRequest {
            checkout_id: "?".into(),
            attempt: 0,
            amount: pounds(0),
            method_token: String::new(),
            return_url: "javascript:alert(1)".into(),
            request_id: request_id(),
        };

        let refused = shop.orders().authorize_payment(wrong).await.unwrap_err();

        let violations = mesh::status::violations_of(&refused);
        let fields: Vec<_> = violations.iter().map(|wrong| wrong.field.as_str()).collect();
        let expected = ["checkout_id", "attempt", "amount.minor_units", "method_token", "return_url"];
        assert_eq!(fields, expected);

        for page in ["file:///etc/passwd", "HTTP://shop.example", "https://", "https://shöp.example", "/back"]
        {
            let wrong =
                pb::AuthorizePaymentRequest { return_url: page.into(), ..authorizing("test_approve") };
            let refused = shop.orders().authorize_payment(wrong).await.unwrap_err();
            assert_eq!(mesh::status::violations_of(&refused)[0].field, "return_url", "{page}");
        }
        let nameless =
            pb::AuthorizePaymentRequest { request_id: String::new(), ..authorizing("test_approve") };
        let refused = shop.orders().authorize_payment(nameless).await.unwrap_err();
        assert_eq!(mesh::status::violations_of(&refused)[0].field, "request_id");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_leaves_the_payment_pending_and_is_left_alone_after_five_tries() {
    for shop in shops().await {
        let mut cut_off = shop.with_provider(NOWHERE);

        let mut ids = Vec::new();
        for _ in 0..8 {
            let answer = cut_off.authorize_payment(authorizing("test_approve")).await;
            let payment = answer.unwrap().into_inner().payment.unwrap();
            assert_eq!(payment.state(), pb::PaymentState::Pending);
            ids.push(payment.id);
        }
        let sync = crate::support::syncing(&ids[0]);
        let refused = cut_off.sync_payment(sync).await.unwrap_err();

        assert_eq!(refused.code(), Code::Unavailable);
        assert_eq!(reason(&refused), "PROVIDER_UNAVAILABLE");
        assert!(mesh::status::retry_after_of(&refused).is_some());
        for id in ids {
            assert_eq!(shop.sync(&id).await.state(), pb::PaymentState::Authorized);
        }
    }
}
