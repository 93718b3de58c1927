//! Whose a cart is, and who may do what.

use std::time::Duration;

use kit::Later;
use mesh::testing::customer;
use proto::cart as pb;
use tonic::{Code, Status};

use crate::support::line::State;
use crate::support::{
    Remains, adding, id, lines, merging, opening, reason, removing, request_id, setting, shop_on_a_line,
    shops,
};

const CARTS_OF_OTHERS: usize = 60;

fn not_found(refused: Result<(), Status>) {
    let refused = refused.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "CART_NOT_FOUND"));
}

#[tokio::test]
async fn a_guests_cart_is_found_with_its_token_only() {
    for shop in shops().await {
        let mug = shop.sell(900, 50);
        let (cart, key) = shop.open(&[(&mug, 1)]).await;
        let (_, other) = shop.open(&[]).await;

        let id_only = pb::CartKey { token: String::new(), ..key.clone() };
        let others_token = pb::CartKey { token: other.token, ..key.clone() };
        let no_token = pb::CartKey { token: format!("{} x", key.token), ..key.clone() };
        let no_cart = pb::CartKey { cart_id: id(), ..key.clone() };
        for wrong in [id_only, others_token, no_token, no_cart, pb::CartKey::default()] {
            for mut client in [shop.guest(), shop.as_user(&customer())] {
                let key = Some(wrong.clone());
                not_found(client.get_cart(pb::GetCartRequest { key: key.clone() }).await.map(drop));
                not_found(client.watch_cart(pb::WatchCartRequest { key }).await.map(drop));
                not_found(client.add_cart_lines(adding(&wrong, &[(&mug, 1)])).await.map(drop));
                not_found(client.update_cart_lines(setting(&wrong, &[(&id(), 1)])).await.map(drop));
                not_found(client.remove_cart_lines(removing(&wrong, &[&id()])).await.map(drop));
            }
        }
        not_found(shop.guest().get_cart(pb::GetCartRequest::default()).await.map(drop));

        // Whoever shows the token holds it, signed in or not; orders reads with it on behalf of a guest.
        let request = pb::GetCartRequest { key: Some(key) };
        let mine = shop.as_user(&customer()).get_cart(request.clone()).await.unwrap().into_inner();
        assert_eq!(mine.cart.as_ref(), Some(&cart));
        assert_eq!(shop.orders().get_cart(request).await.unwrap().into_inner(), mine);
    }
}

#[tokio::test]
async fn an_account_has_one_cart_that_nobody_else_finds() {
    for shop in shops().await {
        let (mug, tea) = (shop.sell(900, 50), shop.sell(450, 50));
        let (ada, eve) = (customer(), customer());
        let mut create = opening(&[(&mug, 1)]);
        create.codes = vec!["first".into()];
        let first = shop.as_user(&ada).create_cart(create).await.unwrap().into_inner();
        assert_eq!(first.token, "");
        let cart = first.cart.unwrap();
        assert_eq!((cart.account_id.clone(), cart.version), (ada.account.to_string(), 1));

        // Opened again it is the same, with the lines and codes; its place stays.
        let mut again = opening(&[(&mug, 1), (&tea, 1)]);
        again.codes = vec!["second".into(), "first".into()];
        again.country_code = "IE".into();
        let again = shop.as_user(&ada).create_cart(again).await.unwrap().into_inner().cart.unwrap();
        assert_eq!((&again.id, again.version, again.country_code.as_str()), (&cart.id, 2, "GB"));
        assert_eq!((lines(&again), again.codes.len()), (vec![(mug.as_str(), 2), (tea.as_str(), 1)], 2));
        let nothing = shop.as_user(&ada).create_cart(opening(&[])).await.unwrap().into_inner().cart;
        assert_eq!(nothing, Some(again.clone()));
        let expected = [("cart.created".to_owned(), 1), ("cart.changed".to_owned(), 2)];
        assert_eq!(shop.news(&cart.id).await, expected);

        let named = pb::CartKey { cart_id: cart.id.clone(), token: String::new() };
        for key in [Some(named.clone()), Some(pb::CartKey::default()), None] {
            let request = pb::GetCartRequest { key };
            let mine = shop.as_user(&ada).get_cart(request.clone()).await.unwrap().into_inner();
            assert_eq!(mine.cart, Some(again.clone()));
            not_found(shop.as_user(&eve).get_cart(request.clone()).await.map(drop));
            not_found(shop.guest().get_cart(request).await.map(drop));
        }
        // No token opens an account's cart, not even one made for its id by somebody who could.
        let (_, other) = shop.open(&[]).await;
        let forged = pb::CartKey { token: other.token, ..named };
        not_found(shop.as_user(&eve).add_cart_lines(adding(&forged, &[(&mug, 1)])).await.map(drop));
    }
}

#[tokio::test]
async fn what_was_bought_is_taken_out_and_nothing_else() {
    for shop in shops().await {
        let (mug, tea) = (shop.sell(900, 50), shop.sell(450, 50));
        let (cart, key) = shop.open(&[(&mug, 3)]).await;
        shop.add(&key, &[(&mug, 1), (&tea, 2)]).await.unwrap();

        // The cart has changed since: only what was bought goes.
        let left = shop.clear(&cart, cart.version, &[(&mug, 3)]).await.unwrap();
        assert_eq!(lines(&left), [(mug.as_str(), 1), (tea.as_str(), 2)]);
        assert!(left.problems_unknown);

        // It is still what was bought: all of it goes, and asked again nothing more happens.
        let present = shop.get(&key).await.unwrap();
        let request = pb::ClearCartRequest {
            cart_id: cart.id.clone(),
            version: present.version,
            bought: vec![],
            request_id: request_id(),
        };
        let empty = shop.orders().clear_cart(request.clone()).await.unwrap().into_inner();
        shop.add(&key, &[(&tea, 1)]).await.unwrap();
        assert_eq!(shop.orders().clear_cart(request).await.unwrap().into_inner(), empty);
        assert_eq!(lines(&shop.get(&key).await.unwrap()), [(tea.as_str(), 1)]);

        let kinds: Vec<_> = shop.news(&cart.id).await.into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["cart.created", "cart.changed", "cart.cleared", "cart.cleared", "cart.changed"]);
        let gone = pb::Cart { id: id(), ..cart };
        not_found(shop.clear(&gone, 1, &[]).await.map(drop));
    }
}

#[tokio::test]
async fn only_orders_clears_and_only_accounts_merge() {
    for shop in shops().await {
        let (cart, key) = shop.open(&[]).await;
        let request = pb::ClearCartRequest {
            cart_id: cart.id,
            version: 1,
            bought: Vec::new(),
            request_id: request_id(),
        };
        let edge = shop.as_user(&customer()).clear_cart(request).await.unwrap_err();
        assert_eq!((edge.code(), reason(&edge).as_str()), (Code::PermissionDenied, "CALLER_NOT_ALLOWED"));
        let guest = shop.guest().merge_carts(merging(&key)).await.unwrap_err();
        assert_eq!((guest.code(), reason(&guest).as_str()), (Code::Unauthenticated, "SIGN_IN_REQUIRED"));
        let orders = shop.orders().add_cart_lines(adding(&key, &[(&id(), 1)])).await.unwrap_err();
        assert_eq!(reason(&orders), "CALLER_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn a_cart_that_nobody_touches_for_ninety_days_is_removed() {
    for shop in shops().await {
        let mug = shop.sell(900, 50);
        let (_, old) = shop.open(&[(&mug, 1)]).await;
        let (_, touched) = shop.open(&[(&mug, 1)]).await;
        shop.clock.advance(Duration::from_secs(89 * 86_400));
        shop.add(&touched, &[(&mug, 1)]).await.unwrap();
        shop.clock.advance(Duration::from_secs(2 * 86_400));

        let stop = tokio_util::sync::CancellationToken::new();
        let work = tokio::spawn(cart::work(shop.store.clone(), shop.clock.clone(), stop.clone()));
        while shop.get(&old).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.cancel();
        work.await.unwrap();

        not_found(shop.get(&old).await.map(drop));
        assert_eq!(lines(&shop.get(&touched).await.unwrap()), [(mug.as_str(), 2)]);
        if let Some(database) = &shop.database {
            let rows = kit::query(database.read(), "SELECT 1 FROM lines", []).await.unwrap();
            assert_eq!(rows.len(), 1);
        }
    }
}

#[tokio::test]
async fn the_cart_of_whoever_is_erased_goes_and_none_comes_back() {
    for shop in shops().await {
        let mug = shop.sell(900, 50);
        let (ada, other) = (customer(), customer());
        for (user, quantity) in [(&ada, 2), (&other, 3)] {
            let (guest, key) = shop.open(&[(&mug, 1)]).await;
            shop.as_user(user).create_cart(opening(&[(&mug, quantity)])).await.unwrap();
            shop.as_user(user).merge_carts(merging(&key)).await.unwrap();
            // Asked by a service for a guest: the answer names the account all the same.
            shop.clear(&guest, 1, &[(&mug, 1)]).await.unwrap();
        }
        // More than what one look into a store finds.
        let many = (0..CARTS_OF_OTHERS).map(|_| shop.open(&[]));
        futures::future::join_all(many).await;
        let before = Remains { carts: 2 + CARTS_OF_OTHERS, lines: 2, merged: 2, answers: 3 };
        assert_eq!(shop.remains(ada.account).await, before);

        shop.erase(ada.account).await;

        let request = pb::GetCartRequest::default();
        not_found(shop.as_user(&ada).get_cart(request.clone()).await.map(drop));
        let late = shop.as_user(&ada).create_cart(opening(&[(&mug, 1)])).await;
        not_found(late.map(drop));
        let theirs = shop.as_user(&other).get_cart(request).await.unwrap().into_inner().cart.unwrap();
        assert_eq!(lines(&theirs), [(mug.as_str(), 3)]);
        let after = Remains { carts: 1 + CARTS_OF_OTHERS, lines: 1, merged: 1, answers: 0 };
        assert_eq!(shop.remains(ada.account).await, after);
        assert_eq!(shop.remains(other.account).await, Remains { answers: 3, ..after });
    }
}

#[tokio::test]
async fn whoever_is_erased_while_redis_is_away_is_forgotten_once_it_is_back() {
    let Some((shop, line)) = shop_on_a_line(Duration::from_secs(1)).await else { return };
    let (mug, ada) = (shop.sell(900, 50), customer());
    let (_, guest) = shop.open(&[(&mug, 1)]).await;
    shop.as_user(&ada).merge_carts(merging(&guest)).await.unwrap();

    for state in [State::Silent, State::Cut, State::Cut, State::Cut] {
        line.is(state);
        let failed = shop.try_erase(ada.account).await.unwrap_err();
        // What waits for something else never becomes a dead letter.
        assert!(failed.is::<Later>(), "{failed}");
    }
    line.is(State::Good);
    while shop.try_erase(ada.account).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    not_found(shop.as_user(&ada).get_cart(pb::GetCartRequest::default()).await.map(drop));
    let nothing = Remains { carts: 0, lines: 0, merged: 0, answers: 0 };
    assert_eq!(shop.remains(ada.account).await, nothing);
}
