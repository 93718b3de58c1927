//! Address book and wishlist.

use proto::common as common_pb;
use proto::identity as pb;
use tonic::Code;
use uuid::Uuid;

use crate::support::{fields, reason, request_id, shops};

fn place(city: &str) -> common_pb::Address {
    common_pb::Address {
        given_name: "Ada".into(),
        family_name: "Lovelace".into(),
        lines: vec!["12 St James's Square".into(), "First floor".into()],
        city: city.into(),
        postal_code: "SW1Y 4LB".into(),
        country_code: "GB".into(),
        ..Default::default()
    }
}

fn adding(city: &str, is_default: bool) -> pb::CreateAddressRequest {
    pb::CreateAddressRequest { address: Some(place(city)), is_default, request_id: request_id() }
}

#[tokio::test]
async fn one_address_is_the_default_and_comes_first() {
    for shop in shops().await {
        let (user, _) = shop.customer().await;
        let mut client = shop.as_user(&user);
        let add = adding("London", true);
        let first = client.create_address(add.clone()).await.unwrap().into_inner();
        assert_eq!(client.create_address(add).await.unwrap().into_inner(), first);
        client.create_address(adding("Bath", false)).await.unwrap();
        client.create_address(adding("Leeds", true)).await.unwrap();

        let all = client.list_addresses(pb::ListAddressesRequest::default()).await.unwrap().into_inner();

        let seen: Vec<_> =
            all.addresses.iter().map(|one| (one.address.clone().unwrap().city, one.is_default)).collect();
        let expected = [("Leeds", true), ("Bath", false), ("London", false)];
        assert_eq!(seen, expected.map(|(city, is_default)| (city.to_owned(), is_default)));
        assert_eq!(first.address.unwrap().address.unwrap(), place("London"));

        let mut paged = Vec::new();
        let mut token = String::new();
        loop {
            let request = pb::ListAddressesRequest { page_size: 1, page_token: token };
            let page = client.list_addresses(request).await.unwrap().into_inner();
            paged.extend(page.addresses);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(paged, all.addresses);
    }
}

#[tokio::test]
async fn an_address_is_replaced_and_removed_by_its_owner_alone() {
    for shop in shops().await {
        let (user, _) = shop.customer().await;
        let (other, _) = shop.customer().await;
        let added = shop.as_user(&user).create_address(adding("London", false)).await.unwrap().into_inner();
        let id = added.address.unwrap().id;
        let update = pb::UpdateAddressRequest {
            address_id: id.clone(),
            address: Some(place("Paris")),
            is_default: true,
            request_id: request_id(),
        };
        let delete = pb::DeleteAddressRequest { address_id: id.clone(), request_id: request_id() };

        let refused = shop.as_user(&other).update_address(update.clone()).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "ADDRESS_NOT_FOUND"));
        let refused = shop.as_user(&other).delete_address(delete.clone()).await.unwrap_err();
        assert_eq!(reason(&refused), "ADDRESS_NOT_FOUND");
        let updated = shop.as_user(&user).update_address(update).await.unwrap().into_inner().address.unwrap();
        assert_eq!((updated.address.unwrap().city.as_str(), updated.is_default), ("Paris", true));
        shop.as_user(&user).delete_address(delete.clone()).await.unwrap();
        shop.as_user(&user).delete_address(delete).await.unwrap();

        let left = shop.as_user(&user).list_addresses(pb::ListAddressesRequest::default()).await.unwrap();
        assert!(left.into_inner().addresses.is_empty());
    }
}

#[tokio::test]
async fn there_are_fifty_addresses_however_many_are_added_at_once() {
    for shop in shops().await {
        let (user, _) = shop.customer().await;
        for _ in 0..45 {
            shop.as_user(&user).create_address(adding("London", false)).await.unwrap();
        }

        let tries = (0..20).map(|_| {
            let mut client = shop.as_user(&user);
            async move { client.create_address(adding("Bath", true)).await }
        });
        let answers = futures::future::join_all(tries).await;

        let refused: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        assert_eq!(refused.len(), 15);
        assert!(refused.iter().all(|status| reason(status) == "ADDRESS_LIMIT"));
        let request = pb::ListAddressesRequest::default();
        let all = shop.as_user(&user).list_addresses(request).await.unwrap().into_inner().addresses;
        assert_eq!((all.len(), all.iter().filter(|one| one.is_default).count()), (50, 1));
    }
}

#[tokio::test]
async fn every_wrong_part_of_an_address_is_named() {
    for shop in shops().await {
        let (user, _) = shop.customer().await;
        let wrong = common_pb::Address {
            given_name: String::new(),
            lines: vec!["one".into(), "two\nthree".into()],
            city: String::new(),
            country_code: "England".into(),
            ..place("London")
        };
        let request = pb::CreateAddressRequest { address: Some(wrong), ..adding("", false) };

        let refused = shop.as_user(&user).create_address(request).await.unwrap_err();

        let named = ["address.given_name", "address.lines[1]", "address.city", "address.country_code"];
        assert_eq!(fields(&refused), named);
    }
}

#[tokio::test]
async fn a_wishlist_keeps_each_product_once_newest_first() {
    for shop in shops().await {
        let (user, _) = shop.customer().await;
        let mut client = shop.as_user(&user);
        let products: Vec<String> = (0..5).map(|_| Uuid::now_v7().to_string()).collect();
        let add = |ids: &[String]| pb::AddWishlistItemsRequest {
            product_ids: ids.to_vec(),
            request_id: request_id(),
            alerts: Vec::new(),
        };
        client.add_wishlist_items(add(&products[..3])).await.unwrap();
        shop.clock.advance(std::time::Duration::from_secs(1));
        let later = client.add_wishlist_items(add(&products[2..])).await.unwrap().into_inner();
        assert_eq!(later.items.iter().map(|item| item.product_id.clone()).collect::<Vec<_>>(), products[2..]);

        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let request = pb::ListWishlistItemsRequest { page_size: 2, page_token: token };
            let page = client.list_wishlist_items(request).await.unwrap().into_inner();
            seen.extend(page.items.into_iter().map(|item| item.product_id));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        let expected = [4, 3, 2, 1, 0].map(|place: usize| products[place].clone());
        assert_eq!(seen, expected);

        let remove = pb::RemoveWishlistItemsRequest {
            product_ids: vec![products[0].clone(), Uuid::now_v7().to_string()],
            request_id: request_id(),
        };
        client.remove_wishlist_items(remove.clone()).await.unwrap();
        client.remove_wishlist_items(remove).await.unwrap();
        let left =
            client.list_wishlist_items(pb::ListWishlistItemsRequest::default()).await.unwrap().into_inner();
        assert_eq!(left.items.len(), 4);
    }
}

#[tokio::test]
async fn a_wishlist_has_five_hundred_products_and_a_refused_addition_adds_none() {
    for shop in shops().await {
        let (user, _) = shop.customer().await;
        let mut client = shop.as_user(&user);
        let add = |count: usize| pb::AddWishlistItemsRequest {
            product_ids: (0..count).map(|_| Uuid::now_v7().to_string()).collect(),
            request_id: request_id(),
            alerts: Vec::new(),
        };
        client.add_wishlist_items(add(250)).await.unwrap();
        client.add_wishlist_items(add(200)).await.unwrap();

        let refused = client.add_wishlist_items(add(51)).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "WISHLIST_LIMIT"));
        client.add_wishlist_items(add(50)).await.unwrap();
        let refused = client.add_wishlist_items(add(251)).await.unwrap_err();
        assert_eq!(fields(&refused), ["product_ids"]);
    }
}
