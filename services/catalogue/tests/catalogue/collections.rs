//! Collections.

use proto::catalogue as pb;
use tonic::{Code, Status};

use crate::support::*;

async fn update(shop: &Shop, collection: &pb::Collection, paths: &[&str]) -> Result<pb::Collection, Status> {
    let request = pb::UpdateCollectionRequest {
        etag: collection.etag.clone(),
        collection: Some(collection.clone()),
        update_mask: Some(mask(paths)),
        request_id: request_id(),
    };
    let answer = shop.staff().update_collection(request).await?;
    Ok(answer.into_inner().collection.unwrap())
}

#[tokio::test]
async fn a_collection_keeps_the_order_that_staff_gave() {
    for shop in shops().await {
        let (a, b) = (shop.create(mug("a")).await, shop.create(mug("b")).await);
        let made = shop.collection("best", &[&b, &a]).await.unwrap();

        let request = pb::GetCollectionRequest {
            key: Some(pb::get_collection_request::Key::Handle("best".to_owned())),
            read_mask: None,
        };
        let read = shop.visitor().get_collection(request).await.unwrap().into_inner();

        assert_eq!(read.collection.unwrap(), made);
        assert_eq!(made.product_ids, [b.id, a.id]);
        assert_eq!(made.etag, "1");
    }
}

#[tokio::test]
async fn only_the_fields_of_the_mask_change() {
    for shop in shops().await {
        let (a, b) = (shop.create(mug("a")).await, shop.create(mug("b")).await);
        let made = shop.collection("best", &[&a]).await.unwrap();
        let wanted = pb::Collection {
            title: "Ours".to_owned(),
            description: "ignored".to_owned(),
            product_ids: vec![b.id, a.id],
            ..made.clone()
        };

        let updated = update(&shop, &wanted, &["title", "product_ids"]).await.unwrap();
        let same = update(&shop, &updated, &["title"]).await.unwrap();
        let stale = update(&shop, &wanted, &["title"]).await.unwrap_err();

        assert_eq!((updated.title.as_str(), updated.description.as_str()), ("Ours", ""));
        assert_eq!(updated.product_ids, wanted.product_ids);
        assert_eq!(updated.etag, "2");
        assert_eq!(same, updated);
        assert_eq!(stale.code(), Code::Aborted);
        assert_eq!(reason(&stale), "ETAG_MISMATCH");
    }
}

#[tokio::test]
async fn of_twenty_writers_that_read_one_state_one_wins() {
    for shop in shops().await {
        let made = shop.collection("best", &[]).await.unwrap();
        let tries: Vec<_> = (0..20)
            .map(|number| pb::Collection { title: format!("Title {number}"), ..made.clone() })
            .collect();

        let tries = tries.iter().map(|wanted| update(&shop, wanted, &["title"]));
        let outcomes = futures::future::join_all(tries).await;

        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(reason(refused), "ETAG_MISMATCH");
        }
    }
}

#[tokio::test]
async fn collections_are_listed_by_title_and_read_in_part() {
    for shop in shops().await {
        let a = shop.create(mug("a")).await;
        for handle in ["c", "a", "b"] {
            shop.collection(handle, &[&a]).await.unwrap();
        }
        let mut request = pb::ListCollectionsRequest {
            page_size: 2,
            page_token: String::new(),
            read_mask: Some(mask(&["handle"])),
        };

        let first = shop.visitor().list_collections(request.clone()).await.unwrap().into_inner();
        request.page_token = first.next_page_token;
        let second = shop.visitor().list_collections(request).await.unwrap().into_inner();
        let all: Vec<pb::Collection> = first.collections.into_iter().chain(second.collections).collect();
        let batch = pb::BatchGetCollectionsRequest {
            collection_ids: vec![all[2].id.clone(), a.id.clone(), all[0].id.clone(), all[2].id.clone()],
            read_mask: Some(mask(&["product_ids"])),
        };
        let batch = shop.visitor().batch_get_collections(batch).await.unwrap().into_inner();

        let handles: Vec<&str> = all.iter().map(|one| one.handle.as_str()).collect();
        assert_eq!(handles, ["a", "b", "c"]);
        assert!(all.iter().all(|one| one.product_ids.is_empty() && one.title.is_empty()));
        assert_eq!(second.next_page_token, "");
        assert_eq!(batch.missing, std::slice::from_ref(&a.id));
        assert_eq!(batch.collections.len(), 2);
        assert_eq!(batch.collections[0].id, all[2].id);
        assert_eq!(batch.collections[0].product_ids, [a.id]);
        assert_eq!(batch.collections[0].handle, "");
    }
}

#[tokio::test]
async fn wrong_collections_are_refused() {
    for shop in shops().await {
        let a = shop.create(mug("a")).await;
        let made = shop.collection("best", &[&a]).await.unwrap();
        let nobody = pb::Product { id: uuid::Uuid::now_v7().to_string(), ..a.clone() };

        let taken = shop.collection("best", &[]).await.unwrap_err();
        let unknown = shop.collection("other", &[&nobody]).await.unwrap_err();
        let twice = shop.collection("other", &[&a, &a]).await.unwrap_err();
        let spaced = shop.collection("no spaces", &[]).await.unwrap_err();
        let many = pb::Collection { product_ids: vec![a.id.clone(); 5_001], ..made.clone() };
        let many = update(&shop, &many, &["product_ids"]).await.unwrap_err();
        let lost = pb::Collection { id: nobody.id.clone(), ..made.clone() };
        let lost = update(&shop, &lost, &["title"]).await.unwrap_err();
        let get = pb::GetCollectionRequest {
            key: Some(pb::get_collection_request::Key::CollectionId(nobody.id)),
            read_mask: None,
        };
        let unseen = shop.visitor().get_collection(get).await.unwrap_err();

        assert_eq!((taken.code(), reason(&taken).as_str()), (Code::AlreadyExists, "HANDLE_TAKEN"));
        assert_eq!(reason(&unknown), "PRODUCT_NOT_FOUND");
        assert_eq!(violated(&twice), ["collection.product_ids[1]"]);
        assert_eq!(violated(&spaced), ["collection.handle"]);
        assert_eq!(violated(&many), ["collection.product_ids"]);
        for refused in [lost, unseen] {
            assert_eq!(refused.code(), Code::NotFound);
            assert_eq!(reason(&refused), "COLLECTION_NOT_FOUND");
        }
        let again = pb::GetCollectionRequest {
            key: Some(pb::get_collection_request::Key::CollectionId(made.id.clone())),
            read_mask: None,
        };
        let read = shop.visitor().get_collection(again).await.unwrap().into_inner();
        assert_eq!(read.collection.unwrap(), made);
    }
}

#[tokio::test]
async fn a_repeated_creation_adds_one_collection() {
    for shop in shops().await {
        let a = shop.create(mug("a")).await;
        let request = pb::CreateCollectionRequest {
            collection: Some(pb::Collection {
                handle: "best".to_owned(),
                title: "Best".to_owned(),
                product_ids: vec![a.id],
                ..Default::default()
            }),
            request_id: request_id(),
        };

        let first = shop.staff().create_collection(request.clone()).await.unwrap();
        let again = shop.staff().create_collection(request).await.unwrap();

        assert_eq!(first.into_inner(), again.into_inner());
    }
}
