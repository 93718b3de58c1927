//! The export, and that it comes back as it went.

use futures::StreamExt;
use proto::catalogue as pb;

use crate::import::{by_handle, generated, import};
use crate::support::*;

async fn export(shop: &Shop, new_headers: bool) -> String {
    let request = pb::ExportProductsRequest { new_headers, currency_code: "GBP".to_owned() };
    let mut answers = shop.staff().export_products(request).await.unwrap().into_inner();
    let mut file = Vec::new();
    while let Some(answer) = answers.next().await {
        let chunk = answer.unwrap().chunk;
        assert!(chunk.len() <= 256 * 1024);
        file.extend(chunk);
    }
    String::from_utf8(file).unwrap()
}

/// Products with everything that a file can say.
async fn fill(shop: &Shop) {
    let home = shop.category("Home, sweet \"home\"", "").await.unwrap();
    let room = shop.category("Room", &home.id).await.unwrap();
    let euros = proto::common::Money { currency_code: "EUR".to_owned(), minor_units: 100 };
    let mut rich = shirt("rich");
    rich.description = "  <p>\"Quoted\",\r\nlines\n and; signs</p> ".to_owned();
    rich.category_id = room.id;
    rich.tags = vec!["Über".to_owned(), "two words".to_owned()];
    rich.seo = Some(pb::Seo { title: "SEO, title".to_owned(), description: "SEO".to_owned() });
    rich.variants[0].prices[0].compare_at = Some(pounds(4_000));
    rich.variants[0].prices.push(pb::Price { amount: Some(euros.clone()), compare_at: None });
    rich.variants[0].barcode = "0123".to_owned();
    rich.variants[1].tax_class = "zero".to_owned();
    rich.variants[2].tax_class = "books".to_owned();
    rich.variants[3].requires_shipping = false;
    rich.variants.swap(0, 3);
    for number in 0..6 {
        rich.media.push(pb::Media {
            id: format!("m{number}"),
            alt_text: String::new(),
            ..picture(&format!("https://example.com/{number}.png?a=1,2"))
        });
    }
    rich.variants[2].media_id = "m4".to_owned();
    shop.create(rich).await;

    let mut bare = mug("bare");
    bare.media.clear();
    bare.tags.clear();
    bare.description = String::new();
    bare.status = pb::ProductStatus::Draft.into();
    shop.create(bare).await;
    let gone = shop.create(mug("gone")).await;
    shop.archive(&gone.id).await;
    let mut abroad = mug("abroad");
    abroad.variants[0].prices[0].amount = Some(euros);
    shop.create(abroad).await;
    let mut formula = mug("formula");
    formula.title = "=1+1".to_owned();
    formula.variants[0].sku = "-SKU".to_owned();
    shop.create(formula).await;
}

#[tokio::test]
async fn a_file_that_was_exported_changes_nothing_when_it_comes_back() {
    for shop in shops().await {
        fill(&shop).await;
        let before = by_handle(&shop, "rich").await;

        for new_headers in [true, false] {
            let file = export(&shop, new_headers).await;
            let report = import(&shop, &file).await;

            assert_eq!(report.counts(), [0, 0, 5, 0], "{report:#?}\n{file}");
            assert!(report.errors.is_empty(), "{:?}", report.errors);
            assert!(report.quantities.is_empty());
        }
        assert_eq!(by_handle(&shop, "rich").await, before);
    }
}

#[tokio::test]
async fn a_file_makes_the_same_products_in_another_shop() {
    for shop in shops().await {
        import(&shop, &generated(120)).await;
        let file = export(&shop, true).await;
        let other = shops().await.remove(0);

        let report = import(&other, &file).await;

        assert_eq!(report.counts(), [120, 0, 0, 0]);
        assert_eq!(export(&other, true).await, file);
        assert_eq!(export(&other, false).await, export(&shop, false).await);
    }
}

#[tokio::test]
async fn the_two_headers_are_those_of_the_format() {
    for shop in shops().await {
        let new = export(&shop, true).await;
        let old = export(&shop, false).await;

        assert!(new.starts_with("Title,URL handle,Description,Vendor,Product category,"));
        assert!(old.starts_with("Handle,Title,Body (HTML),Vendor,Product Category,"));
        assert_eq!((new.lines().count(), old.lines().count()), (1, 1));
    }
}
