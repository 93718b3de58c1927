//! How far carts and payments come.

use uuid::Uuid;

use crate::support::{added, checkout, created, gbp, merged, payment, shops};

#[tokio::test]
async fn carts_are_followed_from_the_first_thing_added_to_the_order() {
    for shop in shops().await {
        let [paid, started, filled, old]: [Uuid; 4] = std::array::from_fn(|_| Uuid::now_v7());
        shop.hear_all(&[
            added(paid, "2011-12-30T10:00:00Z"),
            added(paid, "2011-12-31T10:00:00Z"),
            checkout("started", paid, "2011-12-31T11:00:00Z"),
            // After the range, but what was added within it was bought.
            checkout("completed", paid, "2012-01-01T00:10:00Z"),
            added(started, "2011-12-31T10:00:00Z"),
            checkout("started", started, "2011-12-31T10:00:00Z"),
            added(filled, "2011-06-01T10:00:00Z"),
            // Bought before anything was added within the range, and abandoned since.
            added(old, "2010-12-01T10:00:00Z"),
            checkout("completed", old, "2010-12-01T10:00:00Z"),
            added(old, "2011-01-01T10:00:00Z"),
        ])
        .await;

        let funnel = shop.funnel().await;

        assert_eq!((funnel.carts, funnel.carts_with_checkout, funnel.carts_paid), (4, 2, 1));
        assert_eq!(funnel.abandonment_ppm, Some(750_000));
    }
}

#[tokio::test]
async fn a_cart_counts_once_something_is_in_it() {
    for shop in shops().await {
        let (empty, filled) = (Uuid::now_v7(), Uuid::now_v7());
        shop.hear_all(&[
            created(empty, &[], "2011-05-01T10:00:00Z"),
            created(filled, &[Uuid::now_v7()], "2011-05-01T10:00:00Z"),
        ])
        .await;

        assert_eq!(shop.funnel().await.carts, 1);
    }
}

#[tokio::test]
async fn a_guests_cart_and_the_one_it_went_into_are_one() {
    for shop in shops().await {
        let (guest, own) = (Uuid::now_v7(), Uuid::now_v7());
        shop.hear_all(&[
            merged(guest, own, "2011-05-02T10:00:00Z"),
            added(guest, "2011-05-01T10:00:00Z"),
            added(own, "2011-05-02T10:00:00Z"),
            checkout("started", own, "2011-05-02T10:00:00Z"),
            checkout("completed", own, "2011-05-02T10:00:00Z"),
        ])
        .await;

        let funnel = shop.funnel().await;

        assert_eq!((funnel.carts, funnel.carts_paid, funnel.abandonment_ppm), (1, 1, Some(0)));
    }
}

#[tokio::test]
async fn without_carts_and_payments_there_are_no_rates() {
    for shop in shops().await {
        let (funnel, outcomes) = (shop.funnel().await, shop.outcomes().await);

        assert_eq!((funnel.carts, funnel.abandonment_ppm), (0, None));
        assert_eq!((outcomes.payments, outcomes.success_ppm, outcomes.captured), (0, None, gbp(0)));
    }
}

#[tokio::test]
async fn payments_succeed_or_not_attempt_by_attempt() {
    for shop in shops().await {
        let [paid, kept, refused, waiting]: [Uuid; 4] = std::array::from_fn(|_| Uuid::now_v7());
        let at = "2011-05-01T10:00:00Z";
        shop.hear_all(&[
            payment("authorized", paid, 1_000, at),
            payment("captured", paid, 400, at),
            payment("captured", paid, 1_000, at),
            payment("refunded", paid, 250, at),
            payment("authorized", kept, 500, at),
            payment("declined", refused, 700, at),
            payment("action_required", waiting, 900, at),
        ])
        .await;

        let outcomes = shop.outcomes().await;

        let counts = (outcomes.payments, outcomes.authorized, outcomes.declined, outcomes.undecided);
        assert_eq!(counts, (4, 2, 1, 1));
        assert_eq!(outcomes.success_ppm, Some(666_667));
        assert_eq!((outcomes.captured, outcomes.refunded), (gbp(1_000), gbp(250)));
    }
}
