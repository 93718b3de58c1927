//! Who is told that something is back in stock, and how often.

use std::time::Duration;

use kit::Id;
use kit::outbox::Event;
use mesh::Role;
use proto::identity as pb;
use proto::inventory::StockChanged;
use tonic::Code;
use uuid::Uuid;

use crate::support::{Shop, fields, reason, request_id, settings, shops};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn wish(sku: &str) -> pb::AddWishlistItemsRequest {
    let product_id = Uuid::now_v7().to_string();
    let alert = pb::StockAlert {
        product_id: product_id.clone(),
        variant_id: Uuid::now_v7().to_string(),
        sku: sku.to_owned(),
        product_title: "Harbour mug".to_owned(),
        variant_title: "Blue".to_owned(),
        product_handle: "harbour-mug".to_owned(),
    };
    pb::AddWishlistItemsRequest {
        product_ids: vec![product_id],
        request_id: request_id(),
        alerts: vec![alert],
    }
}

/// Stock changes; the news comes twice, as a queue may bring it.
async fn stock(shop: &Shop, sku: &str, back_in_stock: bool) {
    let changed = StockChanged { sku: sku.to_owned(), available: 3, back_in_stock, ..Default::default() };
    let event = Event::new("stock.changed", Id::<()>::new(), 1, shop.clock.now(), &changed);
    let readers = identity::readers(&shop.database, &settings(&shop.opener));
    for _ in 0..2 {
        (readers[0].apply)(event.clone()).await.unwrap();
    }
}

/// The mails about stock that came back, as notifications opens them.
async fn told(shop: &Shop) -> Vec<pb::BackInStockContent> {
    let events = kit::testing::unsent(&shop.database, 10_000).await.unwrap();
    let events = events.iter().filter(|event| event.kind == "account.back_in_stock");
    let open = |event: &Event| {
        let payload: pb::AccountBackInStock = event.decode().unwrap();
        assert_eq!(payload.account_id, event.subject);
        shop.opener.open(&payload.mail.unwrap()).unwrap()
    };
    events.map(open).collect()
}

#[tokio::test]
async fn whoever_wished_is_told_once_for_each_return_of_stock() {
    for shop in shops().await {
        let (user, account) = shop.staff(Role::Customer, &[]).await;
        let added = shop.as_user(&user).add_wishlist_items(wish("MUG-1")).await.unwrap().into_inner();
        assert_eq!(added.items[0].alert_variant_ids.len(), 1);

        stock(&shop, "MUG-2", true).await;
        stock(&shop, "MUG-1", false).await;
        assert!(told(&shop).await.is_empty());
        stock(&shop, "MUG-1", true).await;

        let mails = told(&shop).await;
        assert_eq!(mails.len(), 1);
        assert_eq!((&mails[0].email, mails[0].product_title.as_str()), (&account.email, "Harbour mug"));
        // A reservation that is let go, an hour later, is no return.
        shop.clock.advance(Duration::from_secs(3_600));
        stock(&shop, "MUG-1", true).await;
        assert_eq!(told(&shop).await.len(), 1);
        shop.clock.advance(DAY);
        stock(&shop, "MUG-1", true).await;
        assert_eq!(told(&shop).await.len(), 2);
    }
}

#[tokio::test]
async fn nobody_is_told_without_a_verified_address_or_a_wish_or_of_what_was_there_before() {
    for shop in shops().await {
        let (unverified, _) = shop.customer().await;
        shop.as_user(&unverified).add_wishlist_items(wish("MUG-1")).await.unwrap();
        let (user, _) = shop.staff(Role::Customer, &[]).await;
        let mut client = shop.as_user(&user);
        let gone = wish("MUG-1");
        client.add_wishlist_items(gone.clone()).await.unwrap();
        let remove =
            pb::RemoveWishlistItemsRequest { product_ids: gone.product_ids, request_id: request_id() };
        client.remove_wishlist_items(remove).await.unwrap();

        stock(&shop, "MUG-1", true).await;

        assert!(told(&shop).await.is_empty());
    }
}

#[tokio::test]
async fn many_who_wish_for_one_thing_are_told_in_batches_each_once() {
    for shop in shops().await {
        let mut wishes = 0;
        let (user, _) = shop.staff(Role::Customer, &[]).await;
        let mut accounts = vec![user];
        for _ in 0..2 {
            accounts.push(shop.staff(Role::Customer, &[]).await.0);
        }
        for account in &accounts {
            let mut client = shop.as_user(account);
            for _ in 0..5 {
                let mut many = wish("MUG-1");
                for _ in 0..9 {
                    let other = wish("MUG-1");
                    many.product_ids.extend(other.product_ids);
                    many.alerts.extend(other.alerts);
                }
                client.add_wishlist_items(many).await.unwrap();
                wishes += 10;
            }
        }

        stock(&shop, "MUG-1", true).await;

        assert_eq!(wishes, 150, "more than one batch");
        assert_eq!(told(&shop).await.len(), wishes);
    }
}

#[tokio::test]
async fn the_same_wish_again_has_one_effect_whatever_the_catalogue_says_meanwhile() {
    for shop in shops().await {
        let (user, _) = shop.staff(Role::Customer, &[]).await;
        let mut client = shop.as_user(&user);
        let first = wish("MUG-1");
        let answer = client.add_wishlist_items(first.clone()).await.unwrap().into_inner();

        let mut renamed = first.clone();
        renamed.alerts[0].product_title = "Harbour cup".to_owned();
        assert_eq!(client.add_wishlist_items(renamed).await.unwrap().into_inner(), answer);
        let mut other = first.clone();
        other.alerts.clear();
        let refused = client.add_wishlist_items(other).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "REQUEST_ID_REUSED"));

        let page = client.list_wishlist_items(pb::ListWishlistItemsRequest::default()).await.unwrap();
        assert_eq!(page.into_inner().items, answer.items);
    }
}

#[tokio::test]
async fn every_wrong_part_of_an_alert_is_named() {
    for shop in shops().await {
        let (user, _) = shop.customer().await;
        let mut request = wish("");
        request.alerts[0].product_id = Uuid::now_v7().to_string();
        request.alerts[0].variant_id = "mug".to_owned();
        request.alerts[0].product_title = "two\nlines".to_owned();

        let refused = shop.as_user(&user).add_wishlist_items(request).await.unwrap_err();

        let named =
            ["alerts[0].product_id", "alerts[0].variant_id", "alerts[0].sku", "alerts[0].product_title"];
        assert_eq!(fields(&refused), named);
    }
}
