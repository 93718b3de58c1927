//! The tree of categories.

use proto::catalogue as pb;
use tonic::{Code, Status};

use crate::support::*;

async fn update(shop: &Shop, category: &pb::Category, paths: &[&str]) -> Result<pb::Category, Status> {
    let request = pb::UpdateCategoryRequest {
        category: Some(category.clone()),
        update_mask: Some(mask(paths)),
        request_id: request_id(),
    };
    let answer = shop.staff().update_category(request).await?;
    Ok(answer.into_inner().category.unwrap())
}

async fn paths(shop: &Shop) -> Vec<String> {
    let mut request = pb::ListCategoriesRequest { page_size: 2, page_token: String::new() };
    let mut paths = Vec::new();
    loop {
        let answer = shop.visitor().list_categories(request.clone()).await.unwrap().into_inner();
        paths.extend(answer.categories.into_iter().map(|category| category.path));
        if answer.next_page_token.is_empty() {
            return paths;
        }
        request.page_token = answer.next_page_token;
    }
}

#[tokio::test]
async fn the_tree_is_listed_with_parents_before_children() {
    for shop in shops().await {
        let home = shop.category("Home & Living", "").await.unwrap();
        shop.category("Zebra", "").await.unwrap();
        let lamps = shop.category("Lamps", &home.id).await.unwrap();
        shop.category("Desk lamps", &lamps.id).await.unwrap();

        assert_eq!(home.slug, "home-living");
        assert_eq!(lamps.path, "home-living/lamps");
        let expected = ["home-living", "home-living/lamps", "home-living/lamps/desk-lamps", "zebra"];
        assert_eq!(paths(&shop).await, expected);
        let request = pb::BatchGetCategoriesRequest {
            category_ids: vec![lamps.id.clone(), uuid::Uuid::nil().to_string(), home.id.clone()],
        };
        let batch = shop.visitor().batch_get_categories(request).await.unwrap().into_inner();
        assert_eq!(batch.categories, [lamps, home]);
        assert_eq!(batch.missing.len(), 1);
    }
}

#[tokio::test]
async fn a_repeated_creation_adds_one_category() {
    for shop in shops().await {
        let request = pb::CreateCategoryRequest {
            category: Some(pb::Category { name: "Lamps".to_owned(), ..Default::default() }),
            request_id: request_id(),
        };

        let first = shop.staff().create_category(request.clone()).await.unwrap();
        let again = shop.staff().create_category(request).await.unwrap();

        assert_eq!(first.into_inner(), again.into_inner());
        assert_eq!(paths(&shop).await, ["lamps"]);
    }
}

#[tokio::test]
async fn a_category_that_moves_takes_all_below_with_it() {
    for shop in shops().await {
        let home = shop.category("Home", "").await.unwrap();
        let sale = shop.category("Säle", "").await.unwrap();
        let lamps = shop.category("Lamps", &home.id).await.unwrap();
        let desk = shop.category("Desk", &lamps.id).await.unwrap();
        let product = shop.create(pb::Product { category_id: desk.id.clone(), ..mug("lamp") }).await;

        let moved = pb::Category { parent_id: sale.id.clone(), slug: "light".to_owned(), ..lamps };
        let moved = update(&shop, &moved, &["parent_id", "slug"]).await.unwrap();

        assert_eq!(moved.path, "säle/light");
        assert_eq!(paths(&shop).await, ["home", "säle", "säle/light", "säle/light/desk"]);
        let below_sale = pb::ListProductsRequest {
            filter: Some(pb::ProductFilter { category_id: sale.id, ..Default::default() }),
            ..Default::default()
        };
        assert_eq!(list(&mut shop.visitor(), below_sale).await, [product.handle]);
        let renamed = pb::Category { name: "Bright".to_owned(), position: 3, ..moved };
        let renamed = update(&shop, &renamed, &["name", "position"]).await.unwrap();
        assert_eq!(
            (renamed.name.as_str(), renamed.position, renamed.path.as_str()),
            ("Bright", 3, "säle/light")
        );
        let root = pb::Category { parent_id: String::new(), ..renamed };
        assert_eq!(update(&shop, &root, &["parent_id"]).await.unwrap().path, "light");
    }
}

#[tokio::test]
async fn a_category_cannot_lie_below_itself() {
    for shop in shops().await {
        let home = shop.category("Home", "").await.unwrap();
        let lamps = shop.category("Lamps", &home.id).await.unwrap();

        for parent in [&home.id, &lamps.id] {
            let moved = pb::Category { parent_id: parent.clone(), ..home.clone() };
            let refused = update(&shop, &moved, &["parent_id"]).await.unwrap_err();
            assert_eq!(refused.code(), Code::FailedPrecondition);
            assert_eq!(reason(&refused), "CATEGORY_CYCLE");
        }
        assert_eq!(paths(&shop).await, ["home", "home/lamps"]);
    }
}

#[tokio::test]
async fn the_tree_holds_eight_levels() {
    for shop in shops().await {
        let mut parent = String::new();
        for level in 1..=8 {
            parent = shop.category(&format!("L{level}"), &parent).await.unwrap().id;
        }
        let other = shop.category("Other", "").await.unwrap();
        let top = paths(&shop).await[0].clone();

        let refused = shop.category("L9", &parent).await.unwrap_err();
        let first = pb::ListCategoriesRequest { page_size: 1, page_token: String::new() };
        let first = shop.visitor().list_categories(first).await.unwrap().into_inner().categories.remove(0);
        let moved = pb::Category { parent_id: other.id, ..first };
        let refused_too = update(&shop, &moved, &["parent_id"]).await.unwrap_err();

        assert_eq!(top, "l1");
        for refused in [refused, refused_too] {
            assert_eq!(refused.code(), Code::FailedPrecondition);
            assert_eq!(reason(&refused), "CATEGORY_TOO_DEEP");
        }
    }
}

#[tokio::test]
async fn siblings_have_slugs_of_their_own() {
    for shop in shops().await {
        let home = shop.category("Home", "").await.unwrap();
        shop.category("Garden", "").await.unwrap();

        let refused = shop.category("home", "").await.unwrap_err();
        let renamed = pb::Category { slug: "garden".to_owned(), ..home.clone() };
        let refused_too = update(&shop, &renamed, &["slug"]).await.unwrap_err();

        for refused in [refused, refused_too] {
            assert_eq!(refused.code(), Code::AlreadyExists);
            assert_eq!(reason(&refused), "HANDLE_TAKEN");
        }
        assert!(shop.category("Home", &home.id).await.is_ok());
    }
}

#[tokio::test]
async fn wrong_categories_are_refused() {
    for shop in shops().await {
        let nobody = uuid::Uuid::now_v7().to_string();
        let home = shop.category("Home", "").await.unwrap();

        let unknown = shop.category("Lamps", &nobody).await.unwrap_err();
        let lost = pb::Category { id: nobody, ..home.clone() };
        let lost = update(&shop, &lost, &["name"]).await.unwrap_err();
        let joined = shop.category("Home > Lamps", "").await.unwrap_err();
        let endless = shop.category(&"x".repeat(81), "").await.unwrap_err();
        let unmasked = update(&shop, &home, &[]).await.unwrap_err();
        let unwritable = update(&shop, &home, &["path"]).await.unwrap_err();

        assert_eq!(reason(&unknown), "CATEGORY_NOT_FOUND");
        assert_eq!(reason(&lost), "CATEGORY_NOT_FOUND");
        assert_eq!(violated(&joined), ["category.name"]);
        assert_eq!(violated(&endless)[0], "category.name");
        assert_eq!(violated(&unmasked), ["update_mask"]);
        assert_eq!(violated(&unwritable), ["update_mask"]);
    }
}
