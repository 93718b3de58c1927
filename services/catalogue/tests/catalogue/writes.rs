//! Creating, updating and archiving products.

use proto::catalogue as pb;
use tonic::Code;

use crate::support::*;

#[tokio::test]
async fn a_new_product_is_a_draft_unless_it_says_otherwise() {
    for shop in shops().await {
        let mut product = mug("mug");
        product.status = 0;

        let created = shop.create(product).await;

        assert_eq!(created.status(), pb::ProductStatus::Draft);
        assert_eq!(created.publish_time, None);
    }
}

#[tokio::test]
async fn a_repeated_request_has_one_effect_and_one_answer() {
    for shop in shops().await {
        let request = pb::CreateProductRequest { product: Some(shirt("oxford")), request_id: request_id() };
        let mut staff = shop.staff();

        let first = staff.create_product(request.clone()).await.unwrap();
        let again = staff.create_product(request.clone()).await.unwrap();
        let mut other = request;
        other.product = Some(shirt("other"));
        let reused = staff.create_product(other).await.unwrap_err();

        let product = first.into_inner().product.unwrap();
        assert_eq!(again.into_inner().product.unwrap(), product);
        assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
        assert_eq!(shop.news(&product.id).await, ["product.created 1"]);
        let all = pb::ListProductsRequest::default();
        assert_eq!(list(&mut staff, all).await, ["oxford"]);
    }
}

#[tokio::test]
async fn a_refusal_does_not_burn_the_request() {
    for shop in shops().await {
        shop.create(mug("taken")).await;
        let mut request = pb::CreateProductRequest { product: Some(mug("taken")), request_id: request_id() };

        let refused = shop.staff().create_product(request.clone()).await.unwrap_err();
        request.product = Some(mug("free"));
        let created = shop.staff().create_product(request).await;

        assert_eq!(refused.code(), Code::AlreadyExists);
        assert_eq!(reason(&refused), "HANDLE_TAKEN");
        assert!(created.is_ok());
    }
}

#[tokio::test]
async fn a_sku_belongs_to_one_product() {
    for shop in shops().await {
        shop.create(mug("first")).await;
        let mut second = mug("second");
        second.variants[0].sku = "FIRST".to_owned();

        let refused = shop.try_create(second.clone()).await.unwrap_err();
        let changed = shop.create(mug("second")).await;
        let changed = pb::Product { variants: second.variants, ..changed };
        let refused_too = shop.update(changed, &["variants"]).await.unwrap_err();

        for refused in [refused, refused_too] {
            assert_eq!(refused.code(), Code::AlreadyExists);
            assert_eq!(reason(&refused), "SKU_TAKEN");
            assert_eq!(mesh::status::metadata_of(&refused)["sku"], "FIRST");
        }
    }
}

#[tokio::test]
async fn twenty_writers_of_one_handle_make_one_product() {
    for shop in shops().await {
        let tries = (0..20).map(|_| shop.try_create(mug("mug")));

        let outcomes = futures::future::join_all(tries).await;

        let made = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(made, 1);
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(reason(refused), "HANDLE_TAKEN");
        }
    }
}

#[tokio::test]
async fn of_twenty_writers_that_read_one_state_one_wins() {
    for shop in shops().await {
        let product = shop.create(mug("mug")).await;
        let tries = (0..20).map(|number| {
            let title = format!("Title {number}");
            let product = pb::Product { title, ..product.clone() };
            shop.update(product, &["title"])
        });

        let outcomes = futures::future::join_all(tries).await;

        let won: Vec<_> = outcomes.iter().filter_map(|o| o.as_ref().ok()).collect();
        assert_eq!(won.len(), 1);
        assert_eq!(shop.get(&product.id).await, *won[0]);
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(refused.code(), Code::Aborted);
            assert_eq!(reason(refused), "ETAG_MISMATCH");
        }
    }
}

#[tokio::test]
async fn only_the_fields_of_the_mask_change() {
    for shop in shops().await {
        let product = shop.create(shirt("oxford")).await;
        let wanted = pb::Product {
            title: "  Linen shirt ".to_owned(),
            vendor: "Nobody".to_owned(),
            ..product.clone()
        };

        let updated = shop.update(wanted, &["title"]).await.unwrap();

        let expected = pb::Product {
            title: "Linen shirt".to_owned(),
            version: 2,
            etag: "2".to_owned(),
            update_time: updated.update_time,
            ..product.clone()
        };
        assert_eq!(updated, expected);
        assert_ne!(updated.update_time, product.update_time);
        let events = kit::testing::unsent(&shop.database, 10).await.unwrap();
        let news: pb::ProductUpdated = events[1].decode().unwrap();
        assert_eq!(events[1].kind, "product.updated");
        assert_eq!(news.paths, ["title"]);
        assert_eq!(news.skus.len(), 4);
    }
}

#[tokio::test]
async fn a_change_that_changes_nothing_is_no_news() {
    for shop in shops().await {
        let product = shop.create(shirt("oxford")).await;

        let all = ["title", "options", "variants", "media", "tags", "seo", "status"];
        let updated = shop.update(product.clone(), &all).await.unwrap();

        assert_eq!(updated, product);
        assert_eq!(shop.news(&product.id).await, ["product.created 1"]);
    }
}

#[tokio::test]
async fn variants_keep_their_id_by_sku_and_pictures_theirs_by_url() {
    for shop in shops().await {
        let product = shop.create(shirt("oxford")).await;
        let mut wanted = product.clone();
        wanted.variants.remove(0);
        wanted.variants.reverse();
        for variant in &mut wanted.variants {
            variant.id = String::new();
        }
        wanted.variants[0].prices = vec![price(3_100)];
        wanted.media[0].id = String::new();
        wanted.media.push(picture("/media/new.svg"));

        let updated = shop.update(wanted, &["variants", "media"]).await.unwrap();

        let ids = |product: &pb::Product| -> Vec<(String, String)> {
            let mut ids: Vec<_> =
                product.variants.iter().map(|variant| (variant.sku.clone(), variant.id.clone())).collect();
            ids.sort();
            ids
        };
        assert_eq!(
            ids(&updated),
            ids(&product)[0..4].iter().filter(|(sku, _)| sku != "OXFORD-S-RED").cloned().collect::<Vec<_>>()
        );
        assert_eq!(updated.media[0].id, product.media[0].id);
        assert_ne!(updated.media[1].id, "");
        // The SKU that was given up is free again.
        let mut other = mug("other");
        other.variants[0].sku = "OXFORD-S-RED".to_owned();
        shop.create(other).await;
    }
}

#[tokio::test]
async fn a_picture_that_goes_takes_its_links_with_it() {
    for shop in shops().await {
        let mut product = mug("mug");
        product.media[0].id = "front".to_owned();
        product.variants[0].media_id = "front".to_owned();
        let product = shop.create(product).await;
        assert_eq!(product.variants[0].media_id, product.media[0].id);

        let wanted = pb::Product { media: vec![picture("/media/other.svg")], ..product.clone() };
        let updated = shop.update(wanted, &["media"]).await.unwrap();

        assert_eq!(updated.variants[0].media_id, "");
    }
}

#[tokio::test]
async fn what_does_not_fit_together_is_refused_field_by_field() {
    type Spoil = fn(&mut pb::Product);
    let cases: &[(&str, Spoil)] = &[
        ("product.handle", |p| p.handle = "No Spaces".to_owned()),
        ("product.title", |p| p.title = String::new()),
        ("product.title", |p| p.title = "x".repeat(256)),
        ("product.title", |p| p.title = "two\nlines".to_owned()),
        ("product.description", |p| p.description = "x".repeat(65_537)),
        ("product.description", |p| p.description = "\0".to_owned()),
        ("product.tags", |p| p.tags = vec!["a,b".to_owned()]),
        ("product.tags", |p| p.tags = vec!["a".to_owned(), "A".to_owned()]),
        ("product.category_id", |p| p.category_id = "mugs".to_owned()),
        ("product.status", |p| p.status = 9),
        ("product.options[0].name", |p| p.options[0].name = String::new()),
        ("product.options[1].name", |p| p.options[1].name = "SIZE".to_owned()),
        ("product.options[0].values", |p| p.options[0].values.push("XL".to_owned())),
        ("product.variants", |p| p.variants.clear()),
        ("product.variants[0].sku", |p| p.variants[0].sku = String::new()),
        ("product.variants[1].sku", |p| p.variants[1].sku = "OXFORD-S-RED".to_owned()),
        ("product.variants[0].option_values", |p| p.variants[0].option_values[0] = "L".to_owned()),
        ("product.variants[0].option_values", |p| drop(p.variants[0].option_values.pop())),
        ("product.variants[1].option_values", |p| p.variants[1].option_values[1] = "Red".to_owned()),
        ("product.variants[0].prices", |p| p.variants[0].prices.clear()),
        ("product.variants[0].prices", |p| p.variants[0].prices.push(price(1))),
        ("product.variants[0].prices[0].amount", |p| p.variants[0].prices[0].amount = None),
        ("product.variants[0].prices[0].amount.minor_units", |p| p.variants[0].prices = vec![price(-1)]),
        ("product.variants[0].prices", |p| p.variants[0].prices = vec![price(i64::MAX)]),
        ("product.variants[0].prices.compare_at", |p| {
            p.variants[0].prices[0].compare_at = Some(pounds(2_900))
        }),
        ("product.variants[0].weight_grams", |p| p.variants[0].weight_grams = -1),
        ("product.variants[0].tax_class", |p| p.variants[0].tax_class = "VAT 20".to_owned()),
        ("product.variants[0].media_id", |p| p.variants[0].media_id = "none".to_owned()),
        ("product.media[0].url", |p| p.media[0].url = "javascript:alert(1)".to_owned()),
        ("product.media[0].url", |p| p.media[0].url = "//elsewhere".to_owned()),
        ("product.media[1].url", |p| p.media.push(picture("/media/oxford.svg"))),
    ];
    for shop in shops().await {
        for (field, spoil) in cases {
            let mut product = shirt("oxford");
            spoil(&mut product);

            let refused = shop.try_create(product).await.expect_err(field);

            assert_eq!(reason(&refused), "INVALID_FIELDS", "{field}");
            assert!(violated(&refused).contains(&field.to_string()), "{field}: {:?}", violated(&refused));
        }
        let all = pb::ListProductsRequest::default();
        assert!(list(&mut shop.staff(), all).await.is_empty());
    }
}

#[tokio::test]
async fn an_update_says_what_it_changes_and_what_it_read() {
    for shop in shops().await {
        let product = shop.create(mug("mug")).await;
        let request = |etag: &str, paths: &[&str]| pb::UpdateProductRequest {
            product: Some(product.clone()),
            update_mask: Some(mask(paths)),
            etag: etag.to_owned(),
            request_id: request_id(),
        };
        let cases: [(_, &[&str]); 5] = [
            (request("1", &[]), &["update_mask"]),
            (request("1", &["id"]), &["update_mask"]),
            (request("1", &["etag"]), &["update_mask"]),
            (request("", &["title"]), &["etag"]),
            (
                pb::UpdateProductRequest {
                    product: Some(pb::Product { status: 0, ..product.clone() }),
                    ..request("1", &["status"])
                },
                &["product.status"],
            ),
        ];

        for (request, fields) in cases {
            let refused = shop.staff().update_product(request).await.unwrap_err();
            assert_eq!(violated(&refused), fields);
        }
        let nobody = pb::Product { id: uuid::Uuid::now_v7().to_string(), ..product.clone() };
        let refused = shop.update(nobody, &["title"]).await.unwrap_err();
        assert_eq!(reason(&refused), "PRODUCT_NOT_FOUND");
        let elsewhere = pb::Product { category_id: uuid::Uuid::now_v7().to_string(), ..product.clone() };
        let refused = shop.update(elsewhere, &["category_id"]).await.unwrap_err();
        assert_eq!(reason(&refused), "CATEGORY_NOT_FOUND");
    }
}

#[tokio::test]
async fn an_archived_product_is_archived_once() {
    for shop in shops().await {
        let product = shop.create(mug("mug")).await;

        let archived = shop.archive(&product.id).await;
        let again = shop.archive(&product.id).await;

        assert_eq!(archived.status(), pb::ProductStatus::Archived);
        assert_eq!(archived.publish_time, None);
        assert_eq!(again, archived);
        let news = ["product.created 1", "product.archived 2"];
        assert_eq!(shop.news(&product.id).await, news);
    }
}

#[tokio::test]
async fn a_product_that_is_published_again_is_new_in_the_shop() {
    for shop in shops().await {
        let product = shop.create(mug("mug")).await;
        let mut archived = shop.archive(&product.id).await;
        archived.status = pb::ProductStatus::Active.into();

        let back = shop.update(archived, &["status"]).await.unwrap();

        assert!(back.publish_time.unwrap().seconds > product.publish_time.unwrap().seconds);
        let expected = ["product.created 1", "product.archived 2", "product.updated 3"];
        assert_eq!(shop.news(&product.id).await, expected);
    }
}

#[tokio::test]
async fn only_staff_with_the_permission_write() {
    for shop in shops().await {
        let request = pb::CreateProductRequest { product: Some(mug("mug")), request_id: request_id() };
        let reader = mesh::testing::staff(&["catalogue.read"]);
        let cases = [
            (shop.visitor(), "SIGN_IN_REQUIRED"),
            (shop.shopper(), "PERMISSION_MISSING"),
            (shop.client("gateway", Some(reader)), "PERMISSION_MISSING"),
        ];

        for (mut client, expected) in cases {
            let refused = client.create_product(request.clone()).await.unwrap_err();
            assert_eq!(reason(&refused), expected);
        }
    }
}

#[tokio::test]
async fn a_repeated_change_is_answered_as_it_was_though_the_product_moved_on() {
    for shop in shops().await {
        let product = shop.create(mug("mug")).await;
        let update = pb::UpdateProductRequest {
            product: Some(pb::Product { title: "Cup".to_owned(), ..product.clone() }),
            update_mask: Some(mask(&["title"])),
            etag: product.etag.clone(),
            request_id: request_id(),
        };
        let archive = pb::ArchiveProductRequest { product_id: product.id.clone(), request_id: request_id() };
        let mut staff = shop.staff();

        let updated = staff.update_product(update.clone()).await.unwrap().into_inner();
        let archived = staff.archive_product(archive.clone()).await.unwrap().into_inner();
        let mut back = archived.product.clone().unwrap();
        back.status = pb::ProductStatus::Draft.into();
        shop.update(back, &["status"]).await.unwrap();

        assert_eq!(staff.update_product(update.clone()).await.unwrap().into_inner(), updated);
        assert_eq!(staff.archive_product(archive).await.unwrap().into_inner(), archived);
        let other = pb::UpdateProductRequest { etag: "2".to_owned(), ..update };
        let reused = staff.update_product(other).await.unwrap_err();
        assert_eq!(reason(&reused), "REQUEST_ID_REUSED");
        assert_eq!(shop.get(&product.id).await.version, 4);
    }
}

#[tokio::test]
async fn a_request_without_a_usable_name_is_refused() {
    for shop in shops().await {
        for name in ["", "short", "with spaces in it"] {
            let request = pb::CreateProductRequest { product: Some(mug("mug")), request_id: name.to_owned() };

            let refused = shop.staff().create_product(request).await.unwrap_err();

            assert_eq!(violated(&refused), ["request_id"]);
        }
    }
}
