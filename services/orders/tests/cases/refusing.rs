//! What cannot be bought, and who may not.

use mesh::testing::customer;
use proto::cart as cart_pb;
use proto::orders as pb;
use tonic::Code;

use crate::support::faults::Fault;
use crate::support::{cart, details, pricing, reason, request_id, shops, starting};

#[tokio::test]
async fn a_changed_price_is_refused_without_effect_and_shown() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        shop.pricing.set("a", 1_100);

        let refused = shop.complete(&begun, "test_approve").await.unwrap_err();

        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "QUOTE_CHANGED"));
        let metadata = mesh::status::metadata_of(&refused);
        assert_eq!(metadata["total_minor_units"], "1900");
        assert_eq!((shop.inventory.faults.calls("ReserveStock"), shop.payments.all().len()), (0, 0));
        let present = shop.now(&begun).await;
        assert_eq!(present.quote.as_ref().unwrap().id, metadata["quote_id"]);

        let old = shop.complete(&begun, "test_approve").await.unwrap_err();
        assert_eq!(reason(&old), "QUOTE_CHANGED");
        let mut request = begun.completing("test_approve");
        request.quote_id.clone_from(&metadata["quote_id"]);
        let bought = shop.guest().complete_checkout(request).await.unwrap().into_inner().checkout.unwrap();
        assert_eq!(bought.state(), pb::CheckoutState::Completed);
    }
}

#[tokio::test]
async fn a_refused_completion_does_not_burn_its_key() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        let request = begun.completing("test_approve");
        shop.pricing.set("a", 1_100);
        shop.guest().complete_checkout(request.clone()).await.unwrap_err();
        shop.pricing.set("a", 1_000);
        // The checkout carries the newer quote now; a first look at the old price brings it back.
        shop.guest().complete_checkout(request.clone()).await.unwrap_err();

        let bought = shop.guest().complete_checkout(request).await.unwrap().into_inner().checkout.unwrap();

        assert_eq!(bought.state(), pb::CheckoutState::Completed);
    }
}

#[tokio::test]
async fn what_is_missing_is_named() {
    for shop in shops().await {
        let cart = shop.cart(None, &[("a", 1)]);
        let start = starting(&cart, pb::CheckoutDetails::default());
        let started = shop.guest().start_checkout(start).await.unwrap().into_inner();
        let checkout = started.checkout.unwrap();
        let begun = crate::support::Begun { checkout, token: started.token, cart };

        let refused = shop.complete(&begun, "test_approve").await.unwrap_err();
        assert_eq!(reason(&refused), "CHECKOUT_INCOMPLETE");
        let missing = &mesh::status::metadata_of(&refused)["missing"];
        assert_eq!(missing, "email,shipping_address,shipping_method_id");

        let begun = shop.checkout().await;
        let refused = shop.complete(&begun, "").await.unwrap_err();
        assert_eq!(mesh::status::metadata_of(&refused)["missing"], "payment_method_token");
    }
}

#[tokio::test]
async fn carts_that_cannot_be_bought_are_refused() {
    for shop in shops().await {
        let empty = shop.cart(None, &[]);
        let refused = shop.guest().start_checkout(starting(&empty, details(&[]))).await.unwrap_err();
        assert_eq!(reason(&refused), "CART_EMPTY");

        let bad = [
            (cart_pb::ProblemKind::Gone, false),
            (cart_pb::ProblemKind::OutOfStock, false),
            (cart_pb::ProblemKind::Short, false),
            (cart_pb::ProblemKind::PriceChanged, true),
        ];
        for (kind, buyable) in bad {
            let id = shop.cart(None, &[("a", 1)]);
            let mut cart = shop.carts.get(&id);
            cart.problems = vec![cart_pb::CartProblem { kind: kind.into(), ..Default::default() }];
            shop.carts.put(cart);
            let answer = shop.guest().start_checkout(starting(&id, details(&[]))).await;
            assert_eq!(answer.is_ok(), buyable, "{kind:?}");
            if let Err(refused) = answer {
                assert_eq!(reason(&refused), "CART_HAS_PROBLEMS");
            }
        }

        let id = shop.cart(None, &[("a", 1)]);
        let stolen = pb::StartCheckoutRequest { cart_token: "x".into(), ..starting(&id, details(&[])) };
        assert_eq!(reason(&shop.guest().start_checkout(stolen).await.unwrap_err()), "CART_NOT_FOUND");
        let unpriced = shop.cart(None, &[("z", 1)]);
        let refused = shop.guest().start_checkout(starting(&unpriced, details(&[]))).await.unwrap_err();
        assert_eq!(reason(&refused), "VARIANT_NOT_PRICED");
        shop.pricing.faults.plan("Quote", [Fault::NotDone, Fault::NotDone]);
        let refused = shop.guest().start_checkout(starting(&id, details(&[]))).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
    }
}

#[tokio::test]
async fn a_new_address_forgets_a_method_that_does_not_go_there() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        let mut address = begun.checkout.details.clone().unwrap().shipping_address.unwrap();
        address.country_code = "IS".into();
        let update = |method: &str| pb::UpdateCheckoutRequest {
            key: Some(begun.key()),
            details: Some(pb::CheckoutDetails {
                shipping_address: Some(address.clone()),
                shipping_method_id: method.into(),
                ..Default::default()
            }),
            request_id: request_id(),
            ..Default::default()
        };

        let refused = shop.guest().update_checkout(update(pricing::POST)).await.unwrap_err();
        assert_eq!(reason(&refused), "SHIPPING_METHOD_NOT_AVAILABLE");
        let request = update("");
        let updated = shop.guest().update_checkout(request.clone()).await.unwrap().into_inner();
        let again = shop.guest().update_checkout(request).await.unwrap().into_inner();

        assert_eq!(updated, again);
        let checkout = updated.checkout.unwrap();
        assert_eq!(checkout.missing, ["shipping_method_id"]);
        assert_eq!(checkout.details.unwrap().email, "ada@example.org");
    }
}

#[tokio::test]
async fn a_billing_address_may_be_taken_away_again() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        let office = proto::common::Address {
            city: "York".into(),
            ..begun.checkout.details.clone().unwrap().shipping_address.unwrap()
        };
        let told = pb::UpdateCheckoutRequest {
            key: Some(begun.key()),
            details: Some(pb::CheckoutDetails {
                billing_address: Some(office.clone()),
                ..Default::default()
            }),
            request_id: request_id(),
            ..Default::default()
        };
        shop.guest().update_checkout(told).await.unwrap();
        assert_eq!(shop.now(&begun).await.details.unwrap().billing_address, Some(office));

        let removed = pb::UpdateCheckoutRequest {
            key: Some(begun.key()),
            remove_billing_address: true,
            request_id: request_id(),
            ..Default::default()
        };
        shop.guest().update_checkout(removed).await.unwrap();

        let details = shop.now(&begun).await.details.unwrap();
        assert_eq!((details.billing_address, details.email.as_str()), (None, "ada@example.org"));
        let bought = shop.complete(&begun, "test_approve").await.unwrap();
        let order = shop.read(&bought.order_id).await;
        assert_eq!(order.billing_address, order.shipping_address);
    }
}

#[tokio::test]
async fn a_checkout_that_is_bought_does_not_change_any_more() {
    for shop in shops().await {
        let (begun, order) = shop.order().await;

        let update = pb::UpdateCheckoutRequest {
            key: Some(begun.key()),
            details: Some(details(&["TEN"])),
            replace_codes: true,
            request_id: request_id(),
            ..Default::default()
        };
        let refused = shop.guest().update_checkout(update).await.unwrap_err();
        assert_eq!(reason(&refused), "CHECKOUT_CLOSED");
        assert_eq!(mesh::status::metadata_of(&refused)["state"], "COMPLETED");
        let refused = shop.complete(&begun, "test_approve").await.unwrap_err();
        assert_eq!(reason(&refused), "CHECKOUT_CLOSED");
        assert_eq!(shop.read(&order.id).await, order);
    }
}

#[tokio::test]
async fn a_checkout_is_not_found_by_anybody_else() {
    for shop in shops().await {
        let (guest, ada, eve) = (shop.checkout().await, customer(), customer());
        shop.cart(Some(&ada), &[("a", 1)]);
        let started = shop.user(&ada).start_checkout(starting("", details(&[]))).await.unwrap().into_inner();
        let adas = pb::CheckoutKey { checkout_id: started.checkout.unwrap().id, token: String::new() };
        let get = |key: &pb::CheckoutKey| pb::GetCheckoutRequest { key: Some(key.clone()) };

        assert!(shop.user(&ada).get_checkout(get(&adas)).await.is_ok());
        assert!(shop.user(&eve).get_checkout(get(&guest.key())).await.is_ok(), "whoever has the token");
        let without = pb::CheckoutKey { token: String::new(), ..guest.key() };
        let forged = pb::CheckoutKey { token: cart::TOKEN.into(), ..guest.key() };
        for refused in [
            shop.user(&eve).get_checkout(get(&adas)).await,
            shop.guest().get_checkout(get(&adas)).await,
            shop.guest().get_checkout(get(&without)).await,
            shop.user(&eve).get_checkout(get(&forged)).await,
        ] {
            assert_eq!(reason(&refused.unwrap_err()), "CHECKOUT_NOT_FOUND");
        }
        let refused = shop.service("cart").get_checkout(get(&guest.key())).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        let request = pb::UpdateCheckoutRequest {
            key: Some(begun.key()),
            details: Some(pb::CheckoutDetails {
                email: "nobody".into(),
                shipping_address: Some(proto::common::Address {
                    country_code: "gb".into(),
                    ..Default::default()
                }),
                billing_address: begun.checkout.details.clone().unwrap().shipping_address,
                codes: vec!["X".into(); 11],
                ..Default::default()
            }),
            replace_codes: true,
            remove_billing_address: true,
            request_id: request_id(),
        };

        let refused = shop.guest().update_checkout(request).await.unwrap_err();

        let fields: Vec<String> =
            mesh::status::violations_of(&refused).into_iter().map(|violation| violation.field).collect();
        let expected = [
            "details.email",
            "details.shipping_address.family_name",
            "details.shipping_address.lines",
            "details.shipping_address.city",
            "details.shipping_address.country_code",
            "details.codes",
            "remove_billing_address",
        ];
        assert_eq!(fields, expected);

        let script = pb::CompleteCheckoutRequest {
            return_url: "javascript:alert(1)".into(),
            ..begun.completing("test_approve")
        };
        let refused = shop.guest().complete_checkout(script).await.unwrap_err();
        assert_eq!(mesh::status::violations_of(&refused)[0].field, "return_url");
        let short = pb::CompleteCheckoutRequest { request_id: "1".into(), ..begun.completing("x") };
        let refused = shop.guest().complete_checkout(short).await.unwrap_err();
        assert_eq!(mesh::status::violations_of(&refused)[0].field, "request_id");
    }
}
