//! Reading single products, batches and variants; who sees what.

use proto::catalogue as pb;
use tonic::Code;

use crate::support::*;

#[tokio::test]
async fn a_product_is_found_by_id_and_by_handle() {
    for shop in shops().await {
        let created = shop.create(shirt("oxford")).await;

        let by_id = get(&mut shop.visitor(), &created.id).await.unwrap();
        let request = pb::GetProductRequest {
            key: Some(pb::get_product_request::Key::Handle("oxford".to_owned())),
            read_mask: None,
        };
        let by_handle = shop.visitor().get_product(request).await.unwrap();

        assert_eq!(by_id, created);
        assert_eq!(by_handle.into_inner().product.unwrap(), created);
        assert_eq!(created.variants[1].title, "S / Blue");
        assert_eq!(created.variants[1].position, 2);
        assert_eq!(created.variants[1].product_id, created.id);
        assert_eq!(created.variants[1].tax_class, "standard");
        assert_eq!(created.media[0].position, 1);
        assert!(created.publish_time.is_some());
        assert_eq!((created.version, created.etag.as_str()), (1, "1"));
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_no_fault_of_the_service() {
    for shop in shops().await {
        shop.database.read().close_by_ref().await.unwrap();

        let refused = get(&mut shop.visitor(), &uuid::Uuid::now_v7().to_string()).await.unwrap_err();

        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "UNAVAILABLE"));
    }
}

#[tokio::test]
async fn only_what_the_mask_names_is_read() {
    for shop in shops().await {
        let created = shop.create(shirt("oxford")).await;
        let all = [
            "handle",
            "title",
            "description",
            "vendor",
            "product_type",
            "tags",
            "category_id",
            "status",
            "seo",
            "options",
            "variants",
            "media",
            "create_time",
            "update_time",
            "publish_time",
            "etag",
            "version",
        ];

        for path in all {
            let request = pb::BatchGetProductsRequest {
                product_ids: vec![created.id.clone()],
                read_mask: Some(mask(&[path])),
            };
            let answer = shop.visitor().batch_get_products(request).await.unwrap();
            let read = answer.into_inner().products.remove(0);

            let mut expected = pb::Product { id: created.id.clone(), ..Default::default() };
            let whole = created.clone();
            match path {
                "handle" => expected.handle = whole.handle,
                "title" => expected.title = whole.title,
                "description" => expected.description = whole.description,
                "vendor" => expected.vendor = whole.vendor,
                "product_type" => expected.product_type = whole.product_type,
                "tags" => expected.tags = whole.tags,
                "category_id" => expected.category_id = whole.category_id,
                "status" => expected.status = whole.status,
                "seo" => expected.seo = whole.seo,
                "options" => expected.options = whole.options,
                "variants" => expected.variants = whole.variants,
                "media" => expected.media = whole.media,
                "create_time" => expected.create_time = whole.create_time,
                "update_time" => expected.update_time = whole.update_time,
                "publish_time" => expected.publish_time = whole.publish_time,
                "etag" => expected.etag = whole.etag,
                _ => expected.version = whole.version,
            }
            assert_eq!(read, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn an_unknown_path_of_a_mask_is_refused() {
    for shop in shops().await {
        let request =
            pb::ListProductsRequest { read_mask: Some(mask(&["title", "colour"])), ..Default::default() };

        let refused = shop.visitor().list_products(request).await.unwrap_err();

        assert_eq!(refused.code(), Code::InvalidArgument);
        assert_eq!(reason(&refused), "INVALID_FIELDS");
        assert_eq!(violated(&refused), ["read_mask"]);
    }
}

#[tokio::test]
async fn drafts_and_archived_products_exist_for_staff_alone() {
    for shop in shops().await {
        let mut draft = mug("draft");
        draft.status = pb::ProductStatus::Draft.into();
        let draft = shop.create(draft).await;
        let gone = shop.create(mug("gone")).await;
        let gone = shop.archive(&gone.id).await;
        let collection = shop.collection("all", &[&draft, &gone]).await.unwrap();
        let ids = vec![draft.id.clone(), gone.id.clone()];

        for mut client in [shop.visitor(), shop.shopper()] {
            for id in &ids {
                let refused = get(&mut client, id).await.unwrap_err();
                assert_eq!(refused.code(), Code::NotFound);
                assert_eq!(reason(&refused), "PRODUCT_NOT_FOUND");
            }
            let batch = batch(&mut client, ids.clone()).await;
            assert_eq!((batch.products.len(), batch.missing), (0, ids.clone()));
            let mut request = pb::ListProductsRequest::default();
            assert!(list(&mut client, request.clone()).await.is_empty());
            request.filter =
                Some(pb::ProductFilter { status: pb::ProductStatus::Draft.into(), ..Default::default() });
            assert!(list(&mut client, request).await.is_empty());
            let variants = variants(&mut client, &["DRAFT", "GONE"]).await;
            assert_eq!(variants.missing, ["DRAFT", "GONE"]);
            let seen = collection_of(&mut client, &collection.id).await;
            assert!(seen.product_ids.is_empty());
        }

        let mut staff = shop.staff();
        assert_eq!(get(&mut staff, &draft.id).await.unwrap(), draft);
        assert_eq!(batch(&mut staff, ids.clone()).await.products.len(), 2);
        assert_eq!(list(&mut staff, pb::ListProductsRequest::default()).await.len(), 2);
        assert_eq!(variants(&mut staff, &["DRAFT", "GONE"]).await.variants.len(), 2);
        assert_eq!(collection_of(&mut staff, &collection.id).await.product_ids, ids);

        // A cart that acts for staff sells no drafts.
        let mut cart = shop.client("cart", Some(shop.editor.clone()));
        assert_eq!(variants(&mut cart, &["DRAFT"]).await.missing, ["DRAFT"]);
    }
}

#[tokio::test]
async fn a_batch_answers_in_the_order_asked_and_names_what_is_missing() {
    for shop in shops().await {
        let first = shop.create(mug("first")).await;
        let second = shop.create(mug("second")).await;
        let nobody = uuid::Uuid::now_v7().to_string();

        let ids = vec![second.id.clone(), nobody.clone(), first.id.clone(), second.id.clone()];
        let batch = batch(&mut shop.visitor(), ids).await;

        assert_eq!(batch.products, [second, first]);
        assert_eq!(batch.missing, [nobody]);
    }
}

#[tokio::test]
async fn a_batch_of_1500_ids_is_answered_and_one_more_is_refused() {
    for shop in shops().await {
        let ids = |count: usize| (0..count).map(|_| uuid::Uuid::now_v7().to_string()).collect();
        let products = |count| pb::BatchGetProductsRequest { product_ids: ids(count), read_mask: None };
        let categories = |count| pb::BatchGetCategoriesRequest { category_ids: ids(count) };
        let collections =
            |count| pb::BatchGetCollectionsRequest { collection_ids: ids(count), read_mask: None };
        let variants = |count| pb::BatchGetVariantsRequest {
            keys: (0..count).map(|at| sku(&format!("SKU-{at}"))).collect(),
        };
        let mut client = shop.visitor();

        let missing = [
            client.batch_get_products(products(1_500)).await.unwrap().into_inner().missing,
            client.batch_get_categories(categories(1_500)).await.unwrap().into_inner().missing,
            client.batch_get_collections(collections(1_500)).await.unwrap().into_inner().missing,
            client.batch_get_variants(variants(1_500)).await.unwrap().into_inner().missing,
        ];
        let refusals = [
            (client.batch_get_products(products(1_501)).await.unwrap_err(), "product_ids"),
            (client.batch_get_categories(categories(1_501)).await.unwrap_err(), "category_ids"),
            (client.batch_get_collections(collections(1_501)).await.unwrap_err(), "collection_ids"),
            (client.batch_get_variants(variants(1_501)).await.unwrap_err(), "keys"),
        ];

        assert_eq!(missing.map(|ids| ids.len()), [1_500; 4]);
        for (refused, field) in refusals {
            assert_eq!(reason(&refused), "INVALID_FIELDS");
            assert_eq!(violated(&refused), [field]);
        }
    }
}

#[tokio::test]
async fn a_whole_cart_of_1200_variants_is_one_batch() {
    for shop in shops().await {
        crate::import::import(&shop, &crate::import::generated(120)).await;
        let skus: Vec<String> =
            (0..1_200).map(|number| format!("P{}-{}", number % 120, number / 120)).collect();

        let keys = skus.iter().map(|one| sku(one)).collect();
        let request = pb::BatchGetVariantsRequest { keys };
        let answer = shop.client("cart", None).batch_get_variants(request).await.unwrap().into_inner();

        let found: Vec<&String> =
            answer.variants.iter().map(|one| &one.variant.as_ref().unwrap().sku).collect();
        assert_eq!(found, skus.iter().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn variants_are_found_by_id_and_sku_with_what_a_cart_shows() {
    for shop in shops().await {
        let mut product = shirt("oxford");
        product.media.push(pb::Media { id: "back".to_owned(), ..picture("/media/back.svg") });
        product.variants[2].media_id = "back".to_owned();
        let product = shop.create(product).await;
        let own = &product.variants[2];
        let keys = vec![
            sku("OXFORD-M-RED"),
            pb::VariantKey { key: Some(pb::variant_key::Key::VariantId(product.variants[0].id.clone())) },
            sku("NONE"),
        ];

        let request = pb::BatchGetVariantsRequest { keys };
        let mut cart = shop.client("cart", None);
        let answer = cart.batch_get_variants(request).await.unwrap().into_inner();

        assert_eq!(answer.missing, ["NONE"]);
        assert_eq!(answer.variants.len(), 2);
        assert_eq!(answer.variants[0].variant.as_ref(), Some(own));
        assert_eq!(answer.variants[0].image_url, "/media/back.svg");
        assert_eq!(answer.variants[1].image_url, "/media/oxford.svg");
        assert_eq!(answer.variants[1].product_title, product.title);
        assert_eq!(answer.variants[1].product_handle, "oxford");
        assert_eq!(own.media_id, product.media[1].id);
    }
}

#[tokio::test]
async fn services_that_are_not_named_in_the_contract_may_not_call() {
    for shop in shops().await {
        let mut reviews = shop.client("reviews", None);

        let refused = reviews.list_products(pb::ListProductsRequest::default()).await.unwrap_err();

        assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED");
    }
}

async fn batch(client: &mut Client, product_ids: Vec<String>) -> pb::BatchGetProductsResponse {
    let request = pb::BatchGetProductsRequest { product_ids, read_mask: None };
    client.batch_get_products(request).await.unwrap().into_inner()
}

fn sku(sku: &str) -> pb::VariantKey {
    pb::VariantKey { key: Some(pb::variant_key::Key::Sku(sku.to_owned())) }
}

async fn variants(client: &mut Client, skus: &[&str]) -> pb::BatchGetVariantsResponse {
    let keys = skus.iter().map(|one| sku(one)).collect();
    let request = pb::BatchGetVariantsRequest { keys };
    client.batch_get_variants(request).await.unwrap().into_inner()
}

async fn collection_of(client: &mut Client, id: &str) -> pb::Collection {
    let request = pb::GetCollectionRequest {
        key: Some(pb::get_collection_request::Key::CollectionId(id.to_owned())),
        read_mask: None,
    };
    let answer = client.get_collection(request).await.unwrap();
    answer.into_inner().collection.unwrap()
}
