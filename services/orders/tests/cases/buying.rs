//! From a cart to an order.

use futures::StreamExt;
use kit::outbox;
use mesh::testing::customer;
use proto::orders as pb;
use proto::orders::{CheckoutFailure, CheckoutState};
use proto::payments as pay;

use crate::support::inventory::{Figures, Promise};
use crate::support::payments::units;
use crate::support::pricing::Use;
use crate::support::{Begun, Shop, by_id, details, reason, request_id, shops, starting};

#[tokio::test]
async fn a_guest_buys_and_everything_adds_up() {
    for shop in shops().await {
        let begun = shop.checkout_with(&["TEN"]).await;
        assert_eq!((begun.checkout.state(), begun.checkout.missing.len()), (CheckoutState::Ready, 0));

        let bought = shop.complete(&begun, "test_approve").await.unwrap();

        assert_eq!(bought.state(), CheckoutState::Completed);
        let order = shop.read(&bought.order_id).await;
        assert_eq!(order.number, bought.order_number);
        assert_eq!(order.payment_state(), pb::OrderPaymentState::Paid);
        assert_eq!((units(&order.paid), units(&order.totals.as_ref().unwrap().total)), (1_790, 1_790));
        assert_eq!(order.lines.iter().map(|line| units(&line.total)).sum::<i64>() + 300, 1_790);
        assert_eq!(shop.inventory.figures("A"), Figures { available: 9, reserved: 0, sold: 1 });
        assert_eq!(shop.inventory.figures("B"), Figures { available: 8, reserved: 0, sold: 2 });
        assert_eq!((shop.pricing.uses(Use::Committed), shop.payments.live().len()), (1, 1));
        assert!(shop.carts.get(&begun.cart).lines.is_empty());
    }
}

#[tokio::test]
async fn the_news_of_an_order_carries_its_buyer_sealed() {
    for shop in shops().await {
        let (_, order) = shop.order().await;

        let news = kit::testing::unsent(&shop.database, 100).await.unwrap();

        let kinds: Vec<&str> = news.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(
            kinds,
            ["order.checkout_started", "order.placed", "order.checkout_completed", "order.paid"]
        );
        let placed: pb::OrderPlaced = news[1].decode().unwrap();
        assert_eq!((placed.number.as_str(), placed.lines.len()), (order.number.as_str(), 2));
        let contact: pb::OrderContact = shop.opener.open(&placed.contact.unwrap()).unwrap();
        assert_eq!((contact.email.as_str(), contact.given_name.as_str()), ("ada@example.org", "Ada"));
        for event in &news {
            let clear = String::from_utf8_lossy(&event.payload).into_owned();
            assert!(!clear.contains("ada@") && !clear.contains("Lovelace"), "{}", event.kind);
        }
    }
}

#[tokio::test]
async fn how_a_parcel_is_followed_is_told_to_nobody_but_notifications() {
    for shop in shops().await {
        let (_, order) = shop.order().await;
        crate::life::ship(&shop, &order.id, Vec::new()).await.unwrap();

        let news = kit::testing::unsent(&shop.database, 100).await.unwrap();
        let shipped = news.iter().find(|event| event.kind == "order.shipped").unwrap();
        let told: pb::OrderShipped = shipped.decode().unwrap();
        let contact: pb::OrderContact = shop.opener.open(&told.contact.unwrap()).unwrap();

        assert_eq!((told.carrier.as_str(), contact.tracking_number.as_str()), ("Post", "T1"));
    }
}

#[tokio::test]
async fn a_repeated_request_buys_once_and_answers_the_same() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        let request = begun.completing("test_approve");

        let tasks = (0..20).map(|_| {
            let (mut client, request) = (shop.guest(), request.clone());
            tokio::spawn(async move { client.complete_checkout(request).await.unwrap().into_inner() })
        });
        let answers = futures::future::join_all(tasks).await;

        let orders: Vec<String> =
            answers.into_iter().map(|answer| answer.unwrap().checkout.unwrap().order_id).collect();
        assert!(!orders[0].is_empty() && orders.iter().all(|order| *order == orders[0]));
        assert_eq!((shop.payments.all().len(), shop.inventory.figures("A").sold), (1, 1));

        let other = pb::CompleteCheckoutRequest { payment_method_token: "test_x".into(), ..request };
        let refused = shop.guest().complete_checkout(other).await.unwrap_err();
        assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
    }
}

#[tokio::test]
async fn a_declined_card_leaves_the_checkout_open_for_another() {
    for shop in shops().await {
        let begun = shop.checkout_with(&["TEN"]).await;
        let first = begun.completing("test_decline");

        let declined = shop.guest().complete_checkout(first.clone()).await.unwrap().into_inner();

        let declined = declined.checkout.unwrap();
        assert_eq!(declined.state(), CheckoutState::Ready);
        assert_eq!(declined.last_failure(), CheckoutFailure::PaymentDeclined);
        assert_eq!(declined.failure_message, "The card has not enough funds.");
        assert_eq!(shop.inventory.figures("A"), Figures { available: 10, ..Figures::default() });
        assert_eq!(shop.pricing.uses(Use::Released), 1);

        let bought = shop.complete(&begun, "test_approve").await.unwrap();
        assert_eq!(bought.state(), CheckoutState::Completed);
        assert_eq!(bought.last_failure(), CheckoutFailure::Unspecified);
        assert_eq!(shop.payments.all().iter().map(|payment| payment.attempt).collect::<Vec<_>>(), [1, 2]);

        let again = shop.guest().complete_checkout(first).await.unwrap().into_inner().checkout.unwrap();
        assert_eq!(again.state(), CheckoutState::Ready);
        assert_eq!(again.last_failure(), CheckoutFailure::PaymentDeclined);
    }
}

#[tokio::test]
async fn what_is_sold_out_is_named_and_nothing_is_charged() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        shop.inventory.set("B", 1);

        let short = shop.complete(&begun, "test_approve").await.unwrap();

        assert_eq!(
            (short.state(), short.last_failure()),
            (CheckoutState::Ready, CheckoutFailure::InsufficientStock)
        );
        let shortage = &short.shortages[0];
        assert_eq!((shortage.sku.as_str(), shortage.available_quantity), ("B", 1));
        assert_eq!(shortage.requested_quantity, 2);
        assert_eq!((shop.payments.all().len(), shop.inventory.figures("A").available), (0, 10));
        assert_eq!(shop.inventory.in_state(Promise::Released), 1, "a try that comes late takes nothing");
    }
}

#[tokio::test]
async fn a_code_that_is_used_up_lets_the_stock_go() {
    for shop in shops().await {
        let begun = shop.checkout_with(&["USED"]).await;

        let refused = shop.complete(&begun, "test_approve").await.unwrap();

        assert_eq!(refused.last_failure(), CheckoutFailure::CodeNotUsable);
        assert_eq!(refused.state(), CheckoutState::Ready);
        assert_eq!((shop.payments.all().len(), shop.inventory.in_state(Promise::Held)), (0, 0));
    }
}

#[tokio::test]
async fn a_total_of_zero_needs_no_provider() {
    for shop in shops().await {
        let begun = shop.checkout_with(&["FREE"]).await;

        let bought = shop.complete(&begun, "").await.unwrap();

        assert_eq!(bought.state(), CheckoutState::Completed);
        let order = shop.read(&bought.order_id).await;
        assert_eq!(order.payment_state(), pb::OrderPaymentState::NotRequired);
        assert!(order.allowed_actions().any(|action| action == pb::OrderAction::Ship));
        assert_eq!((shop.payments.all().len(), shop.inventory.figures("A").sold), (0, 1));
    }
}

#[tokio::test]
async fn a_buyer_who_must_act_has_fifteen_minutes() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        let waiting = shop.complete(&begun, "test_action_required").await.unwrap();
        assert_eq!(waiting.state(), CheckoutState::ActionRequired);
        assert_eq!(waiting.action_url, "https://bank.example/pay/1");

        shop.later(14 * 60).await;
        assert_eq!(shop.now(&begun).await.state(), CheckoutState::ActionRequired);
        shop.later(61).await;

        let failed = shop.now(&begun).await;
        assert_eq!(
            (failed.state(), failed.last_failure()),
            (CheckoutState::Failed, CheckoutFailure::PaymentTimedOut)
        );
        assert_eq!(shop.payments.all()[0].state(), pay::PaymentState::Voided);
        assert_eq!(shop.inventory.figures("A"), Figures { available: 10, ..Figures::default() });
    }
}

#[tokio::test]
async fn news_of_the_payment_wakes_the_checkout() {
    for shop in shops().await {
        for card in ["test_action_required", "test_pending"] {
            let begun = shop.checkout().await;
            shop.complete(&begun, card).await.unwrap();
            shop.payments.decide(pay::PaymentState::Authorized);
            let payload =
                pay::PaymentAuthorized { checkout_id: begun.checkout.id.clone(), ..Default::default() };
            let event = outbox::Event::new("payment.authorized", request_id(), 1, shop.clock.now(), &payload);

            shop.tell(event.clone()).await;
            shop.tell(event).await;

            let bought = settled(&shop, &begun).await;
            assert_eq!(bought.state(), CheckoutState::Completed, "{card}");
            assert_eq!(shop.read(&bought.order_id).await.payment_state(), pb::OrderPaymentState::Paid);
        }
    }
}

#[tokio::test]
async fn a_silent_provider_is_asked_for_thirty_minutes_and_then_left() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        let waiting = shop.complete(&begun, "test_pending").await.unwrap();
        assert_eq!(waiting.state(), CheckoutState::PaymentPending);

        shop.later(29 * 60).await;
        assert_eq!(shop.now(&begun).await.state(), CheckoutState::PaymentPending);
        assert!(shop.payments.faults.calls("SyncPayment") > 0);
        shop.later(61).await;

        assert_eq!(shop.now(&begun).await.last_failure(), CheckoutFailure::PaymentTimedOut);
        assert!(shop.payments.live().is_empty());
    }
}

#[tokio::test]
async fn a_buyer_may_leave_until_there_is_an_order() {
    for shop in shops().await {
        let (ready, acting) = (shop.checkout().await, shop.checkout().await);
        shop.complete(&acting, "test_action_required").await.unwrap();

        for begun in [&ready, &acting] {
            let request = pb::CancelCheckoutRequest { key: Some(begun.key()), request_id: request_id() };
            let left = shop.guest().cancel_checkout(request.clone()).await.unwrap().into_inner();
            assert_eq!(left.checkout.unwrap().state(), CheckoutState::Failed);
            let again = shop.guest().cancel_checkout(request).await.unwrap().into_inner().checkout.unwrap();
            assert_eq!(again.last_failure(), CheckoutFailure::Cancelled);
        }
        assert_eq!(shop.inventory.in_state(Promise::Held), 0);
        assert!(shop.payments.live().is_empty());

        let (bought, _) = shop.order().await;
        let request = pb::CancelCheckoutRequest { key: Some(bought.key()), request_id: request_id() };
        let refused = shop.guest().cancel_checkout(request).await.unwrap_err();
        assert_eq!(reason(&refused), "CHECKOUT_CLOSED");
    }
}

#[tokio::test]
async fn nobody_comes_back_to_a_checkout_after_a_day() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        shop.later(24 * 60 * 60 + 1).await;
        assert_eq!(shop.now(&begun).await.last_failure(), CheckoutFailure::Expired);

        shop.later(30 * 24 * 60 * 60).await;
        let request = pb::GetCheckoutRequest { key: Some(begun.key()) };
        let forgotten = shop.guest().get_checkout(request).await.unwrap_err();
        assert_eq!(reason(&forgotten), "CHECKOUT_NOT_FOUND");
    }
}

#[tokio::test]
async fn one_cart_version_is_one_checkout() {
    for shop in shops().await {
        let ada = customer();
        let cart = shop.cart(Some(&ada), &[("a", 1)]);
        let start = || starting("", pb::CheckoutDetails::default());
        let mut client = shop.user(&ada);

        let first = client.start_checkout(start()).await.unwrap().into_inner();
        let again = client.start_checkout(starting("", details(&[]))).await.unwrap().into_inner();

        assert!(first.token.is_empty());
        let (first, again) = (first.checkout.unwrap(), again.checkout.unwrap());
        assert_eq!(first.id, again.id);
        assert_eq!(first.missing, ["email", "shipping_address", "shipping_method_id"]);
        assert_eq!((again.missing.len(), again.account_id), (0, ada.account.to_string()));

        let mut grown = shop.carts.get(&cart);
        grown.version = 2;
        shop.carts.put(grown);
        let newer = client.start_checkout(start()).await.unwrap().into_inner().checkout.unwrap();
        assert_ne!(newer.id, first.id);
        let key = pb::CheckoutKey { checkout_id: first.id, token: String::new() };
        let request = pb::GetCheckoutRequest { key: Some(key) };
        let older = client.get_checkout(request).await.unwrap().into_inner().checkout.unwrap();
        assert_eq!(older.state(), CheckoutState::Failed);
    }
}

#[tokio::test]
async fn a_request_that_found_a_checkout_open_is_known_again() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        let request = starting(&begun.cart, details(&[]));
        let found = shop.guest().start_checkout(request.clone()).await.unwrap().into_inner();
        assert_eq!(found.checkout.unwrap().id, begun.checkout.id);

        let mut other = request.clone();
        other.details.as_mut().unwrap().email = "grace@example.org".into();
        let refused = shop.guest().start_checkout(other).await.unwrap_err();

        assert_eq!(reason(&refused), "REQUEST_ID_REUSED");
        assert_eq!(shop.now(&begun).await.details.unwrap().email, "ada@example.org");
        shop.complete(&begun, "test_approve").await.unwrap();
        let again = shop.guest().start_checkout(request).await.unwrap().into_inner().checkout.unwrap();
        assert_eq!((again.state(), again.id), (CheckoutState::Ready, begun.checkout.id));
    }
}

#[tokio::test]
async fn two_guests_with_one_request_id_do_not_meet() {
    for shop in shops().await {
        let same = |step: &str| format!("what-both-chose-to-{step}");
        let mut orders = std::collections::HashSet::new();
        for _ in 0..2 {
            let cart = shop.cart(None, &[("a", 1)]);
            let start =
                pb::StartCheckoutRequest { request_id: same("start"), ..starting(&cart, details(&[])) };
            let started = shop.guest().start_checkout(start).await.unwrap().into_inner();
            let begun = Begun { checkout: started.checkout.unwrap(), token: started.token, cart };

            let update = pb::UpdateCheckoutRequest {
                key: Some(begun.key()),
                request_id: same("update"),
                ..Default::default()
            };
            shop.guest().update_checkout(update).await.unwrap();
            let complete = pb::CompleteCheckoutRequest {
                request_id: same("complete"),
                ..begun.completing("test_approve")
            };
            let bought =
                shop.guest().complete_checkout(complete).await.unwrap().into_inner().checkout.unwrap();
            let cancel = pb::CancelOrderRequest {
                key: Some(by_id(&bought.order_id, &begun.token)),
                request_id: same("cancel"),
                ..Default::default()
            };
            let cancelled = shop.guest().cancel_order(cancel).await.unwrap().into_inner().order.unwrap();
            assert_eq!(cancelled.state(), pb::OrderState::Cancelled);
            orders.insert(cancelled.id);
        }

        assert_eq!(orders.len(), 2);
    }
}

#[tokio::test]
async fn two_tabs_that_begin_at_once_share_a_checkout() {
    for shop in shops().await {
        let cart = shop.cart(None, &[("a", 1)]);

        let tabs = (0..10).map(|_| {
            let (mut client, request) = (shop.guest(), starting(&cart, details(&[])));
            tokio::spawn(async move { client.start_checkout(request).await.unwrap().into_inner() })
        });
        let started = futures::future::join_all(tabs).await;

        let ids: std::collections::HashSet<String> =
            started.into_iter().map(|tab| tab.unwrap().checkout.unwrap().id).collect();
        assert_eq!(ids.len(), 1);
    }
}

#[tokio::test]
async fn a_watcher_sees_the_checkout_to_its_end() {
    for shop in shops().await {
        let begun = shop.checkout().await;
        let request = pb::WatchCheckoutRequest { key: Some(begun.key()) };
        let mut states = shop.guest().watch_checkout(request).await.unwrap().into_inner();
        let first = states.next().await.unwrap().unwrap().checkout.unwrap();
        assert_eq!(first.state(), CheckoutState::Ready);

        let bought = shop.complete(&begun, "test_approve").await.unwrap();

        let seen: Vec<pb::Checkout> = states.map(|state| state.unwrap().checkout.unwrap()).collect().await;
        assert_eq!(seen.last().unwrap().order_id, bought.order_id);
        assert!(seen.windows(2).all(|pair| pair[0].version < pair[1].version));
        let request =
            pb::GetOrderRequest { key: Some(by_id(&bought.order_id, &begun.token)), ..Default::default() };
        assert!(shop.guest().get_order(request).await.is_ok());
    }
}

/// The checkout as soon as nothing of it is under way.
async fn settled(shop: &Shop, begun: &Begun) -> pb::Checkout {
    for _ in 0..100 {
        let checkout = shop.now(begun).await;
        let paid = match checkout.order_id.as_str() {
            "" => false,
            id => units(&shop.read(id).await.paid) > 0,
        };
        if paid {
            return checkout;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("nothing woke the checkout")
}
