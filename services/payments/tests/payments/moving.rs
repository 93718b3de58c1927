//! Taking money, letting it go and giving it back, never more than there is.

use proto::payments as pb;
use tonic::Code;

use crate::support::{
    authorizing, black_hole, capturing, id, pounds, reason, refunding, request_id, shops, sums, syncing,
    units, voiding,
};

#[tokio::test]
async fn an_amount_is_captured_in_parts_up_to_what_is_authorized() {
    for shop in shops().await {
        let payment = shop.authorize("test_approve").await;
        let mut orders = shop.orders();

        let part = orders.capture_payment(capturing(&payment, Some(4_000))).await.unwrap();
        let part = part.into_inner().payment.unwrap();
        assert_eq!(part.state(), pb::PaymentState::Captured);
        assert_eq!(sums(&part), (10_000, 4_000, 0));

        let too_much = capturing(&payment, Some(6_001));
        let refused = orders.capture_payment(too_much).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(reason(&refused), "AMOUNT_EXCEEDS_AUTHORIZED");
        assert_eq!(shop.get(&payment.id).await, part, "a refusal changes nothing");

        let rest = orders.capture_payment(capturing(&payment, None)).await.unwrap();
        assert_eq!(sums(&rest.into_inner().payment.unwrap()), (10_000, 10_000, 0));
        let nothing = orders.capture_payment(capturing(&payment, None)).await.unwrap_err();
        assert_eq!(reason(&nothing), "AMOUNT_EXCEEDS_AUTHORIZED");
        assert_eq!(shop.at_the_bank(&payment).await["captured"], 10_000);
        assert_eq!(
            shop.news(&payment.id).await,
            ["payment.authorized", "payment.captured", "payment.captured"]
        );
        assert_eq!(
            shop.history(&payment.id).await[2..],
            ["CHARGE_REQUEST", "CHARGE_SUCCESS", "CHARGE_REQUEST", "CHARGE_SUCCESS"]
        );
    }
}

#[tokio::test]
async fn a_void_lets_the_authorization_go_and_twice_is_the_same() {
    for shop in shops().await {
        let payment = shop.authorize("test_approve").await;
        let mut orders = shop.orders();

        let voided = orders.void_payment(voiding(&payment)).await.unwrap().into_inner();
        let again = orders.void_payment(voiding(&payment)).await.unwrap().into_inner();

        assert_eq!(voided, again);
        assert_eq!(voided.payment.unwrap().state(), pb::PaymentState::Voided);
        assert_eq!(shop.at_the_bank(&payment).await["status"], "voided");
        let refused = orders.capture_payment(capturing(&payment, None)).await.unwrap_err();
        assert_eq!(reason(&refused), "NOT_AUTHORIZED");
        assert_eq!(mesh::status::metadata_of(&refused)["state"], "VOIDED");
        assert_eq!(shop.news(&payment.id).await, ["payment.authorized", "payment.voided"]);
    }
}

#[tokio::test]
async fn a_payment_that_nobody_knows_the_outcome_of_is_voided_for_good() {
    for shop in shops().await {
        // The first never reached the provider, the second was authorised there without a word.
        for method in ["test_timeout_without_effect", "test_timeout_with_effect"] {
            let request = authorizing(method);
            let mut orders = shop.orders();
            let pending = orders.authorize_payment(request.clone()).await.unwrap();
            let pending = pending.into_inner().payment.unwrap();
            assert_eq!(pending.state(), pb::PaymentState::Pending);

            let voided = orders.void_payment(voiding(&pending)).await.unwrap();

            let voided = voided.into_inner().payment.unwrap();
            assert_eq!(voided.state(), pb::PaymentState::Voided);
            assert_eq!(shop.at_the_bank(&pending).await["status"], "voided");
            assert_eq!(shop.sync(&pending.id).await.state(), pb::PaymentState::Voided);
            let again = orders.authorize_payment(request).await.unwrap();
            let again = again.into_inner().payment.unwrap();
            assert_eq!(again.state(), pb::PaymentState::Voided);
            // A question that was still on its way finds the door shut.
            let late = serde_json::json!({
                "key": crate::support::key(&pending), "minor_units": 10_000, "currency": "GBP",
                "method": method, "return_url": "",
            });
            let (_, answer) = shop.bank.post("/v1/payments", late).await;
            assert_ne!(answer["status"], "authorized");
        }
    }
}

#[tokio::test]
async fn what_is_captured_is_refunded_and_not_voided() {
    for shop in shops().await {
        let payment = shop.captured().await;
        let mut orders = shop.orders();

        let refused = orders.void_payment(voiding(&payment)).await.unwrap_err();
        assert_eq!(reason(&refused), "ALREADY_CAPTURED");
        let part = orders.refund_payment(refunding(&payment, Some(2_500))).await.unwrap();
        let part = part.into_inner();
        assert_eq!(sums(part.payment.as_ref().unwrap()), (10_000, 10_000, 2_500));
        assert_eq!(part.payment.unwrap().state(), pb::PaymentState::Captured);
        let rest = orders.refund_payment(refunding(&payment, None)).await.unwrap().into_inner();
        assert_ne!(rest.refund_id, part.refund_id);
        assert_eq!(sums(&rest.payment.unwrap()), (10_000, 10_000, 10_000));
        let nothing = orders.refund_payment(refunding(&payment, Some(1))).await.unwrap_err();

        assert_eq!(reason(&nothing), "AMOUNT_EXCEEDS_CAPTURED");
        assert_eq!(shop.at_the_bank(&payment).await["refunded"], 10_000);
        let events = kit::testing::unsent(&shop.database, 10).await.unwrap();
        let last = events.iter().rfind(|event| event.subject == payment.id).unwrap();
        let told: pb::PaymentRefunded = last.decode().unwrap();
        assert_eq!((units(&told.amount), units(&told.refunded)), (7_500, 10_000));
    }
}

#[tokio::test]
async fn what_is_not_captured_is_not_refunded() {
    for shop in shops().await {
        for (method, expected) in [
            ("test_approve", "AMOUNT_EXCEEDS_CAPTURED"),
            ("test_decline_fraud", "NOT_AUTHORIZED"),
            ("test_action_required", "NOT_AUTHORIZED"),
        ] {
            let payment = shop.authorize(method).await;
            let refund = refunding(&payment, Some(1));
            let refused = shop.orders().refund_payment(refund).await.unwrap_err();
            assert_eq!(refused.code(), Code::FailedPrecondition);
            assert_eq!(reason(&refused), expected, "{method}");
        }
    }
}

#[tokio::test]
async fn twenty_refunds_at_once_never_exceed_the_capture() {
    for shop in shops().await {
        let payment = shop.captured().await;

        let tries = (0..20).map(|_| {
            let mut client = shop.orders();
            let request = refunding(&payment, Some(900));
            tokio::spawn(async move { client.refund_payment(request).await })
        });
        let answers = futures::future::join_all(tries).await;

        let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
        let given = answers.iter().filter(|answer| answer.is_ok()).count();
        let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert_eq!((given, refused.len()), (11, 9));
        assert!(refused.iter().all(|status| reason(status) == "AMOUNT_EXCEEDS_CAPTURED"));
        assert_eq!(sums(&shop.get(&payment.id).await), (10_000, 10_000, 9_900));
        assert_eq!(shop.at_the_bank(&payment).await["refunded"], 9_900);
        let news = shop.news(&payment.id).await;
        let told = news.iter().filter(|kind| *kind == "payment.refunded").count();
        assert_eq!(told, 11);
    }
}

#[tokio::test]
async fn captures_and_a_void_at_once_leave_either_money_or_nothing() {
    for shop in shops().await {
        let payment = shop.authorize("test_approve").await;

        let captures = (0..6).map(|_| {
            let mut client = shop.orders();
            let request = capturing(&payment, Some(2_000));
            tokio::spawn(async move { client.capture_payment(request).await.map(drop) })
        });
        let voids = (0..2).map(|_| {
            let mut client = shop.orders();
            let request = voiding(&payment);
            tokio::spawn(async move { client.void_payment(request).await.map(drop) })
        });
        let tries: Vec<_> = captures.chain(voids).collect();
        futures::future::join_all(tries).await;

        let after = shop.sync(&payment.id).await;
        let books = shop.at_the_bank(&payment).await;
        assert_eq!(books["captured"], units(&after.captured));
        match after.state() {
            pb::PaymentState::Voided => assert_eq!(books["status"], "voided"),
            pb::PaymentState::Captured => assert!(units(&after.captured) <= 10_000),
            state => panic!("{state:?}"),
        }
    }
}

#[tokio::test]
async fn the_same_request_moves_money_once_and_answers_the_same() {
    for shop in shops().await {
        let payment = shop.authorize("test_approve").await;
        let mut orders = shop.orders();
        let capture = capturing(&payment, Some(5_000));
        let first = orders.capture_payment(capture.clone()).await.unwrap().into_inner();
        let refund = refunding(&payment, Some(1_000));
        let given = orders.refund_payment(refund.clone()).await.unwrap().into_inner();

        assert_eq!(first, orders.capture_payment(capture.clone()).await.unwrap().into_inner());
        assert_eq!(given, orders.refund_payment(refund.clone()).await.unwrap().into_inner());

        let other = pb::CapturePaymentRequest { amount: pounds(1), ..capture };
        let refused = orders.capture_payment(other).await.unwrap_err();
        assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
        let other = pb::RefundPaymentRequest { amount: pounds(1), ..refund };
        let refused = orders.refund_payment(other).await.unwrap_err();
        assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
        assert_eq!(sums(&shop.get(&payment.id).await), (10_000, 5_000, 1_000));
        let books = shop.at_the_bank(&payment).await;
        assert_eq!((&books["captured"], &books["refunded"]), (&5_000.into(), &1_000.into()));
    }
}

#[tokio::test]
async fn a_refused_request_does_not_burn_its_key() {
    for shop in shops().await {
        let payment = shop.authorize("test_approve").await;
        let mut orders = shop.orders();
        let refund = refunding(&payment, Some(1_000));
        orders.refund_payment(refund.clone()).await.unwrap_err();
        orders.capture_payment(capturing(&payment, None)).await.unwrap();

        let given = orders.refund_payment(refund).await.unwrap().into_inner();

        assert_eq!(sums(&given.payment.unwrap()), (10_000, 10_000, 1_000));
    }
}

#[tokio::test]
async fn a_question_without_answer_is_open_and_the_same_request_ends_it() {
    for shop in shops().await {
        let payment = shop.captured().await;
        let mut cut_off = shop.with_provider(&black_hole().await);
        let refund = refunding(&payment, Some(7_000));

        let refused = cut_off.refund_payment(refund.clone()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        assert_eq!(reason(&refused), "PROVIDER_UNAVAILABLE");
        // What is asked counts as given until the answer is known.
        let other = refunding(&payment, Some(3_001));
        let too_much = shop.orders().refund_payment(other).await.unwrap_err();
        assert_eq!(reason(&too_much), "AMOUNT_EXCEEDS_CAPTURED");
        assert_eq!(sums(&shop.get(&payment.id).await), (10_000, 10_000, 0));

        let given = shop.orders().refund_payment(refund).await.unwrap().into_inner();
        assert_eq!(sums(&given.payment.unwrap()), (10_000, 10_000, 7_000));
        assert_eq!(shop.at_the_bank(&payment).await["refunded"], 7_000);
    }
}

#[tokio::test]
async fn what_the_provider_refuses_is_undone_and_stays_refused() {
    for shop in shops().await {
        let payment = shop.authorize("test_approve").await;
        let key = crate::support::key(&payment);
        // Somebody lets it go at the provider's own desk.
        let at_the_desk = serde_json::json!({ "key": id() });
        let (status, _) = shop.bank.post(&format!("/v1/payments/{key}/void"), at_the_desk).await;
        assert_eq!(status, 200);
        let capture = capturing(&payment, None);
        let mut orders = shop.orders();

        for _ in 0..2 {
            let refused = orders.capture_payment(capture.clone()).await.unwrap_err();
            assert_eq!(reason(&refused), "NOT_AUTHORIZED");
        }

        assert_eq!(
            shop.history(&payment.id).await[2..],
            ["CHARGE_REQUEST", "CHARGE_FAILURE", "CANCEL_SUCCESS"]
        );
        assert_eq!(shop.get(&payment.id).await.state(), pb::PaymentState::Voided);
    }
}

#[tokio::test]
async fn another_currency_and_an_unknown_payment_are_refused() {
    for shop in shops().await {
        let payment = shop.captured().await;
        let mut orders = shop.orders();
        let euros = Some(proto::common::Money { currency_code: "EUR".into(), minor_units: 1 });
        let refund = pb::RefundPaymentRequest { amount: euros.clone(), ..refunding(&payment, None) };
        let refused = orders.refund_payment(refund).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(reason(&refused), "CURRENCY_MISMATCH");

        let unknown = pb::Payment { id: id(), ..payment };
        let answers = [
            orders.capture_payment(capturing(&unknown, None)).await.map(drop),
            orders.void_payment(voiding(&unknown)).await.map(drop),
            orders.refund_payment(refunding(&unknown, None)).await.map(drop),
            orders.sync_payment(syncing(&unknown.id)).await.map(drop),
        ];
        for answer in answers {
            let refused = answer.unwrap_err();
            assert_eq!(refused.code(), Code::NotFound);
            assert_eq!(reason(&refused), "PAYMENT_NOT_FOUND");
        }
        let negative = pb::RefundPaymentRequest {
            amount: pounds(-1),
            request_id: request_id(),
            ..refunding(&unknown, None)
        };
        let refused = orders.refund_payment(negative).await.unwrap_err();
        assert_eq!(reason(&refused), "INVALID_FIELDS");
    }
}
