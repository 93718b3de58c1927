//! A guest signs in.

use mesh::testing::customer;
use proto::cart as pb;
use proto::cart::MergeOutcome::{Capped, Dropped, Merged};

use crate::support::{lines, merging, opening, reason, shops};

#[tokio::test]
async fn a_guests_cart_joins_that_of_the_account_and_every_line_is_reported() {
    for shop in shops().await {
        let [both, scarce, fresh, gone, sold_out] =
            [50, 5, 50, 50, 50].map(|available| shop.sell(900, available));
        let ada = customer();
        let own = shop.as_user(&ada).create_cart(opening(&[(&both, 1), (&scarce, 4)])).await;
        let own = own.unwrap().into_inner().cart.unwrap();
        let wanted = [(&both, 2), (&scarce, 3), (&fresh, 1), (&gone, 1), (&sold_out, 1)];
        let wanted = wanted.map(|(variant, quantity)| (variant.as_str(), quantity));
        let (guest, key) = shop.open(&wanted).await;
        shop.catalogue.take_away(&gone);
        shop.stock(&sold_out, 0);

        let request = merging(&key);
        let answer = shop.as_user(&ada).merge_carts(request.clone()).await.unwrap().into_inner();

        let seen: Vec<_> = answer
            .lines
            .iter()
            .map(|line| (line.variant_id.as_str(), line.outcome(), line.guest_quantity, line.final_quantity))
            .collect();
        let expected = [
            (both.as_str(), Merged, 2, 3),
            (scarce.as_str(), Capped, 3, 5),
            (fresh.as_str(), Merged, 1, 1),
            (gone.as_str(), Dropped, 1, 0),
            (sold_out.as_str(), Dropped, 1, 0),
        ];
        assert_eq!(seen, expected);
        let cart = answer.cart.as_ref().unwrap();
        assert_eq!(lines(cart), [(both.as_str(), 3), (scarce.as_str(), 5), (fresh.as_str(), 1)]);
        assert_eq!((&cart.id, cart.version, cart.problems.len()), (&own.id, 2, 0));
        let expected = [("cart.created".to_owned(), 1), ("cart.merged".to_owned(), 2)];
        assert_eq!(shop.news(&own.id).await, expected);

        // The guest's cart is gone; the same request is answered as before, another finds nothing.
        assert_eq!(reason(&shop.get(&key).await.unwrap_err()), "CART_NOT_FOUND");
        let again = shop.as_user(&ada).merge_carts(request).await.unwrap().into_inner();
        assert_eq!(again, answer);
        let refused = shop.as_user(&ada).merge_carts(merging(&key)).await.unwrap_err();
        assert_eq!(reason(&refused), "CART_NOT_FOUND");
        assert_eq!(shop.news(&guest.id).await.len(), 1);
    }
}

#[tokio::test]
async fn an_account_without_a_cart_gets_one_of_the_guests_place() {
    for shop in shops().await {
        let mug = shop.sell(900, 50);
        shop.price(&mug, &[("EUR", 1_050)]);
        let mut create = opening(&[(&mug, 2)]);
        (create.currency_code, create.country_code) = ("EUR".into(), "IE".into());
        create.codes = vec!["hello".into()];
        let guest = shop.guest().create_cart(create).await.unwrap().into_inner();
        let key = pb::CartKey { cart_id: guest.cart.unwrap().id, token: guest.token };

        let ada = customer();
        let answer = shop.as_user(&ada).merge_carts(merging(&key)).await.unwrap().into_inner();

        let cart = answer.cart.unwrap();
        assert_eq!((cart.currency_code.as_str(), cart.country_code.as_str()), ("EUR", "IE"));
        assert_eq!(
            (lines(&cart), cart.codes.as_slice()),
            (vec![(mug.as_str(), 2)], &["HELLO".to_owned()][..])
        );
        let expected = [("cart.created".to_owned(), 1), ("cart.merged".to_owned(), 2)];
        assert_eq!(shop.news(&cart.id).await, expected);
        let read = shop.as_user(&ada).get_cart(pb::GetCartRequest::default()).await.unwrap();
        assert_eq!(read.into_inner().cart, Some(cart));
    }
}

#[tokio::test]
async fn two_full_carts_become_one_full_cart() {
    for shop in shops().await {
        let variants: Vec<String> = (0..1_600).map(|_| shop.sell(100, 9)).collect();
        let ada = customer();
        let mine = shop.as_user(&ada).create_cart(opening(&[])).await.unwrap().into_inner().cart.unwrap();
        let (_, key) = shop.open(&[]).await;
        let own = pb::CartKey { cart_id: mine.id, token: String::new() };
        for at in (0..1_000).step_by(250) {
            let some: Vec<_> = variants[at..at + 250].iter().map(|one| (one.as_str(), 1)).collect();
            shop.as_user(&ada).add_cart_lines(crate::support::adding(&own, &some)).await.unwrap();
            let some: Vec<_> = variants[at + 600..at + 850].iter().map(|one| (one.as_str(), 1)).collect();
            shop.add(&key, &some).await.unwrap();
        }

        let answer = shop.as_user(&ada).merge_carts(merging(&key)).await.unwrap().into_inner();

        let count = |outcome| answer.lines.iter().filter(|line| line.outcome() == outcome).count();
        assert_eq!((count(Merged), count(Capped), count(Dropped)), (600, 0, 400));
        let cart = answer.cart.unwrap();
        assert_eq!(
            (cart.lines.len(), cart.lines.iter().map(|line| line.quantity).sum::<i64>()),
            (1_200, 1_600)
        );
        assert!(!cart.problems_unknown && cart.problems.is_empty());
    }
}

#[tokio::test]
async fn a_merge_needs_the_guests_token_and_the_catalogue() {
    for shop in shops().await {
        let mug = shop.sell(900, 50);
        let (cart, key) = shop.open(&[(&mug, 1)]).await;
        let ada = customer();

        let no_token = pb::CartKey { token: String::new(), ..key.clone() };
        let refused = shop.as_user(&ada).merge_carts(merging(&no_token)).await.unwrap_err();
        assert_eq!(mesh::status::violations_of(&refused)[0].field, "guest.token");
        let wrong = pb::CartKey { token: "wrong".into(), ..key.clone() };
        let refused = shop.as_user(&ada).merge_carts(merging(&wrong)).await.unwrap_err();
        assert_eq!(reason(&refused), "CART_NOT_FOUND");

        let request = merging(&key);
        shop.catalogue.fail(Some(tonic::Status::unavailable("away")));
        let refused = shop.as_user(&ada).merge_carts(request.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "UNAVAILABLE");
        let none = shop.as_user(&ada).get_cart(pb::GetCartRequest::default()).await.unwrap_err();
        assert_eq!(reason(&none), "CART_NOT_FOUND");
        assert_eq!(lines(&shop.get(&key).await.unwrap()), lines(&cart));

        // The key was not burnt.
        shop.catalogue.fail(None);
        let answer = shop.as_user(&ada).merge_carts(request).await.unwrap().into_inner();
        assert_eq!(lines(&answer.cart.unwrap()), [(mug.as_str(), 1)]);
    }
}

#[tokio::test]
async fn what_a_guest_bought_before_signing_in_leaves_the_accounts_cart() {
    for shop in shops().await {
        let (mug, tea) = (shop.sell(900, 50), shop.sell(450, 50));
        let ada = customer();
        let own = shop.as_user(&ada).create_cart(opening(&[(&mug, 1), (&tea, 1)])).await;
        let own = own.unwrap().into_inner().cart.unwrap();
        let (guest, key) = shop.open(&[(&mug, 2)]).await;
        shop.add(&key, &[(&mug, 1)]).await.unwrap();
        shop.as_user(&ada).merge_carts(merging(&key)).await.unwrap();

        // The version that was bought happens to be that of the account's cart now; it is another cart all the same.
        let left = shop.clear(&guest, 2, &[(&mug, 3)]).await.unwrap();

        assert_eq!((&left.id, left.version), (&own.id, 3));
        assert_eq!(lines(&left), [(mug.as_str(), 1), (tea.as_str(), 1)]);
        let last = shop.news(&own.id).await.pop();
        assert_eq!(last, Some(("cart.cleared".to_owned(), 3)));
    }
}
