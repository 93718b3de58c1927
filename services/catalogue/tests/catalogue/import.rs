//! The import of Shopify's product CSV.

use futures::{StreamExt, stream};
use proto::catalogue as pb;
use proto::catalogue::import_products_request::Part as Sent;
use proto::catalogue::import_products_response::Part as Said;
use tonic::{Code, Status};

use crate::support::*;

/// What an import said, sorted out.
#[derive(Debug, Default)]
pub struct Report {
    pub progress: pb::ImportProgress,
    pub steps: usize,
    pub errors: Vec<pb::ImportError>,
    pub quantities: Vec<(String, i64)>,
}

impl Report {
    /// Created, updated, unchanged, refused.
    pub fn counts(&self) -> [i64; 4] {
        let progress = &self.progress;
        [
            progress.products_created,
            progress.products_updated,
            progress.products_unchanged,
            progress.products_refused,
        ]
    }

    /// "line column", for each word said.
    pub fn places(&self) -> Vec<String> {
        let place = |error: &pb::ImportError| format!("{} {}", error.line, error.column);
        self.errors.iter().map(place).collect()
    }
}

fn start(currency: &str) -> pb::ImportProductsRequest {
    pb::ImportProductsRequest {
        part: Some(Sent::Start(pb::ImportStart {
            currency_code: currency.to_owned(),
            request_id: request_id(),
        })),
    }
}

fn chunk(bytes: &[u8]) -> pb::ImportProductsRequest {
    pb::ImportProductsRequest { part: Some(Sent::Chunk(bytes.to_vec())) }
}

async fn send(shop: &Shop, messages: Vec<pb::ImportProductsRequest>) -> Result<Report, Status> {
    let mut answers = shop.staff().import_products(stream::iter(messages)).await?.into_inner();
    let mut report = Report::default();
    while let Some(answer) = answers.next().await {
        match answer?.part.unwrap() {
            Said::Progress(progress) => {
                assert!(!report.progress.done, "something came after the end");
                report.steps += 1;
                report.progress = progress;
            }
            Said::Error(error) => report.errors.push(error),
            Said::Quantity(said) => report.quantities.push((said.sku, said.quantity)),
        }
    }
    assert!(report.progress.done);
    Ok(report)
}

/// Imports a file in pieces of so many bytes.
pub async fn import_pieces(shop: &Shop, file: &[u8], piece: usize) -> Result<Report, Status> {
    let chunks = file.chunks(piece).map(chunk);
    send(shop, std::iter::once(start("GBP")).chain(chunks).collect()).await
}

pub async fn import(shop: &Shop, file: &str) -> Report {
    import_pieces(shop, file.as_bytes(), 64 * 1024).await.unwrap()
}

pub async fn by_handle(shop: &Shop, handle: &str) -> pb::Product {
    let request = pb::GetProductRequest {
        key: Some(pb::get_product_request::Key::Handle(handle.to_owned())),
        read_mask: None,
    };
    let answer = shop.staff().get_product(request).await.unwrap();
    answer.into_inner().product.unwrap()
}

const SHIRT: &str = "\
Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Grams,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Variant Requires Shipping,Variant Taxable,Variant Barcode,Image Src,Image Position,Image Alt Text,SEO Title,SEO Description,Variant Image,Variant Weight Unit,Status
shirt,Linen shirt,\"<p>Fresh,\r\nlight</p>\",Weavers,Clothing > Shirts,Shirts,\"Linen, Summer\",TRUE,Size,S,Colour,White,SH-S-W,210,5,deny,29.00,39.50,TRUE,TRUE,'0123456789012,/media/a.svg,2,Front,Shirt of linen,Cool,/media/w.svg,kg,active
shirt,,,,,,,,,M,,White,SH-M-W,219.6,0,continue,29,,FALSE,FALSE,,/media/b.svg,1,Back,,,,,
shirt,,,,,,,,,,,,,,,,,,,,,/media/c.svg,3,,,,,,
cup,Cup,,,,,,FALSE,Title,Default Title,,,,,,,5.00,,,,,,,,,,,,
";

#[tokio::test]
async fn a_file_of_the_old_header_becomes_products() {
    for shop in shops().await {
        let report = import(&shop, SHIRT).await;

        assert_eq!(report.counts(), [2, 0, 0, 0], "{report:?}");
        assert_eq!(report.progress.variants_imported, 3);
        assert_eq!(report.progress.lines_read, 6);
        assert_eq!(report.quantities, [("SH-S-W".to_owned(), 5), ("SH-M-W".to_owned(), 0)]);
        assert_eq!(report.places(), ["4 Variant Inventory Policy"]);

        let shirt = by_handle(&shop, "shirt").await;
        assert_eq!(shirt.description, "<p>Fresh,\r\nlight</p>");
        assert_eq!(shirt.tags, ["Linen", "Summer"]);
        assert_eq!(shirt.status(), pb::ProductStatus::Active);
        assert_eq!(shirt.seo.unwrap().title, "Shirt of linen");
        let urls: Vec<&str> = shirt.media.iter().map(|media| media.url.as_str()).collect();
        assert_eq!(urls, ["/media/b.svg", "/media/a.svg", "/media/c.svg", "/media/w.svg"]);
        assert_eq!(shirt.media[1].alt_text, "Front");
        let [small, medium] = shirt.variants.as_slice() else {
            panic!("two variants");
        };
        assert_eq!(small.option_values, ["S", "White"]);
        assert_eq!(small.prices[0].amount, Some(pounds(2_900)));
        assert_eq!(small.prices[0].compare_at, Some(pounds(3_950)));
        assert_eq!(small.weight_grams, 210);
        assert_eq!(small.barcode, "0123456789012");
        assert_eq!(small.media_id, shirt.media[3].id);
        assert!(small.requires_shipping && !medium.requires_shipping);
        assert_eq!(medium.weight_grams, 220);
        assert_eq!((small.tax_class.as_str(), medium.tax_class.as_str()), ("standard", "zero"));
        assert_eq!(shirt.options[0].values, ["S", "M"]);

        let request = pb::BatchGetCategoriesRequest { category_ids: vec![shirt.category_id] };
        let batch = shop.visitor().batch_get_categories(request).await.unwrap().into_inner();
        assert_eq!(batch.categories[0].path, "clothing/shirts");

        let cup = by_handle(&shop, "cup").await;
        assert_eq!(cup.status(), pb::ProductStatus::Draft);
        assert_eq!((cup.options.len(), cup.variants[0].sku.as_str()), (0, "CUP"));
    }
}

#[tokio::test]
async fn importing_again_changes_nothing() {
    for shop in shops().await {
        import(&shop, SHIRT).await;
        let before = by_handle(&shop, "shirt").await;

        let again = import(&shop, SHIRT).await;

        assert_eq!(again.counts(), [0, 0, 2, 0]);
        assert_eq!(again.quantities.len(), 2);
        assert_eq!(by_handle(&shop, "shirt").await, before);
        assert_eq!(shop.news(&before.id).await, ["product.created 1"]);
        let dearer = import(&shop, &SHIRT.replace("29.00", "30.00")).await;
        assert_eq!(dearer.counts(), [0, 1, 1, 0]);
        let after = by_handle(&shop, "shirt").await;
        assert_eq!(after.version, 2);
        assert_eq!(after.variants[0].id, before.variants[0].id);
        assert_eq!(after.variants[0].prices[0].amount, Some(pounds(3_000)));
        assert_eq!(shop.news(&before.id).await, ["product.created 1", "product.updated 2"]);
    }
}

#[tokio::test]
async fn it_does_not_matter_where_the_file_breaks_into_pieces() {
    for shop in shops().await {
        import(&shop, SHIRT).await;

        for piece in [1, 2, 7, 100] {
            let report = import_pieces(&shop, SHIRT.as_bytes(), piece).await.unwrap();
            assert_eq!(report.counts(), [0, 0, 2, 0]);
        }
    }
}

#[tokio::test]
async fn a_product_with_an_error_is_left_out_whole_and_the_others_go_on() {
    let file = "\
URL handle,Title,SKU,Price,Option1 name,Option1 value,Prise,Status,Charge tax,Inventory quantity,Gift card
good,Good,G-1,1.00,,,,,,,
bad,Bad,B-1,1.00,Size,S,,,,,
bad,,B-2,cheap,,M,,,,,
bad,,B-3,,,M,,,,,
worse,,W-1,1.00,,,,,,,
odd,Odd,O-1,1.00,,,,sold out,maybe,many,
gift,Gift,GI-1,5.00,,,,,,,TRUE
taken,Taken,G-1,1.00,,,,,,,
good,Good,G-1,2.00,,,,,,,
,,,,,,,,,,
Note: this is no product,,,,,,,,,,
last,Last,L-1,3.00,,,,,,-4,
,Nobody,N-1,1.00,,,,,,,
";
    for shop in shops().await {
        let report = import(&shop, file).await;

        assert_eq!(report.counts(), [2, 0, 0, 6], "{report:#?}");
        let mut places = report.places();
        places.sort();
        let expected = [
            "1 Prise",
            "10 URL handle",
            "12 Title",
            "13 Inventory quantity",
            "14 URL handle",
            "4 Price",
            "6 Title",
            "7 Charge tax",
            "7 Inventory quantity",
            "7 Status",
            "8 Gift card",
            "9 SKU",
        ];
        assert_eq!(places, expected);
        assert!(report.errors.iter().any(|error| error.handle == "bad" && error.line == 4));
        let all = pb::ListProductsRequest::default();
        assert_eq!(list(&mut shop.staff(), all).await.len(), 2);
        assert_eq!(by_handle(&shop, "good").await.variants[0].prices[0].amount, Some(pounds(100)));
        assert_eq!(report.quantities, [("L-1".to_owned(), 0)]);
    }
}

#[tokio::test]
async fn columns_that_a_file_lacks_leave_what_they_stand_for() {
    for shop in shops().await {
        import(&shop, SHIRT).await;
        let before = by_handle(&shop, "shirt").await;
        let small = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Price\n\
                     shirt,Linen shirt,Size,S,Colour,White,SH-S-W,29.00\n\
                     shirt,,,M,,White,SH-M-W,29.00\n";

        let same = import(&shop, small).await;
        let euros = small.replace("29.00", "34.00");
        let other = send(&shop, vec![start("EUR"), chunk(euros.as_bytes())]).await.unwrap();

        assert_eq!(same.counts(), [0, 0, 1, 0]);
        assert_eq!(other.counts(), [0, 1, 0, 0]);
        let after = by_handle(&shop, "shirt").await;
        let prices = &after.variants[0].prices;
        assert_eq!(prices[0], before.variants[0].prices[0]);
        assert_eq!(prices[1].amount.as_ref().unwrap().currency_code, "EUR");
        assert_eq!((after.tags, after.media), (before.tags, before.media));
    }
}

#[tokio::test]
async fn a_sku_can_move_to_a_later_product_of_the_same_file() {
    for shop in shops().await {
        let file = "Handle,Title,Variant SKU,Variant Price\na,A,ONE,1\nb,B,TWO,1\n";
        import(&shop, file).await;

        let moved = "Handle,Title,Variant SKU,Variant Price\na,A,THREE,1\nb,B,ONE,1\n";
        let report = import(&shop, moved).await;

        assert_eq!(report.counts(), [0, 2, 0, 0], "{report:?}");
        assert_eq!(by_handle(&shop, "b").await.variants[0].sku, "ONE");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused_and_what_came_before_stays() {
    for shop in shops().await {
        let good = "Handle,Title,Variant SKU,Variant Price\na,A,ONE,1\nb,B,TWO,1\n";
        let mut latin = good.as_bytes().to_vec();
        latin.extend(b"c,C\xe9,THREE,1\n");
        let mut endless = good.as_bytes().to_vec();
        endless.extend(b"c,\"");
        endless.extend(vec![b'x'; 2 * 1024 * 1024]);
        let files: [&[u8]; 5] = [b"", b"one,two\n1,2\n", b"Handle,Title,URL handle\n", &latin, &endless];

        for file in files {
            let refused = import_pieces(&shop, file, 100_000).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert_eq!(reason(&refused), "FILE_UNREADABLE");
        }
        assert!(import(&shop, good).await.counts().iter().sum::<i64>() == 2);
    }
}

#[tokio::test]
async fn messages_out_of_order_are_refused() {
    for shop in shops().await {
        let cases = [
            vec![],
            vec![chunk(b"Handle,Title\n")],
            vec![start("GBP"), chunk(b"Handle,Title\n"), start("GBP")],
        ];
        for messages in cases {
            let refused = send(&shop, messages).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert_eq!(reason(&refused), "STREAM_OUT_OF_ORDER");
        }
        let refused = send(&shop, vec![start("pounds")]).await.unwrap_err();
        assert_eq!(violated(&refused), ["start.currency_code"]);
        let refused = send(&shop, vec![start("GBP"), chunk(&[b'x'; 256 * 1024 + 1])]).await.unwrap_err();
        assert_eq!(violated(&refused), ["chunk"]);
    }
}

#[tokio::test]
async fn the_product_in_which_a_stream_breaks_off_is_not_imported() {
    for shop in shops().await {
        let torn = "Handle,Title,Variant SKU,Variant Price,Option1 Name,Option1 Value\na,A,ONE,1,Size,S\nb,B,TWO,1,Size,S\n";
        let messages = vec![start("GBP"), chunk(torn.as_bytes()), start("GBP")];

        send(&shop, messages).await.unwrap_err();

        // Product a was complete, but its batch was not written: all of it may come again.
        let all = pb::ListProductsRequest::default();
        assert!(!list(&mut shop.staff(), all).await.contains(&"b".to_owned()));
    }
}

#[tokio::test]
async fn a_client_that_leaves_stops_the_import_between_two_products() {
    for shop in shops().await {
        let (file, messages) = tokio::sync::mpsc::channel(8);
        file.send(start("GBP")).await.unwrap();
        // It breaks off after half of the variants of product 98.
        let begun: String = generated(200).split_inclusive('\n').take(1 + 985).collect();
        file.send(chunk(begun.as_bytes())).await.unwrap();
        let messages = tokio_stream::wrappers::ReceiverStream::new(messages);
        let mut answers = shop.staff().import_products(messages).await.unwrap().into_inner();
        // A quantity is told after its product was written.
        while !matches!(answers.next().await.unwrap().unwrap().part, Some(Said::Quantity(_))) {}

        drop(answers);
        drop(file);
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;

        // What was written is whole; the product in which the file broke off is not there.
        let mut request = pb::ListProductsRequest { page_size: 250, ..Default::default() };
        request.read_mask = Some(mask(&["handle", "variants"]));
        let written = shop.staff().list_products(request).await.unwrap().into_inner().products;
        assert!(!written.is_empty());
        assert!(written.iter().all(|product| product.variants.len() == 10));
    }
}

#[tokio::test]
async fn only_staff_with_the_permission_import_and_export() {
    for shop in shops().await {
        let messages = || stream::iter(vec![start("GBP"), chunk(b"Handle,Title\n")]);
        let export = pb::ExportProductsRequest { new_headers: true, currency_code: "GBP".to_owned() };

        let import = shop.shopper().import_products(messages()).await.map(drop);
        let export = shop.shopper().export_products(export).await.map(drop);

        for refused in [import, export] {
            assert_eq!(reason(&refused.unwrap_err()), "PERMISSION_MISSING");
        }
    }
}

/// A file of so many products with ten variants each.
pub fn generated(products: usize) -> String {
    let mut file = "URL handle,Title,Description,Vendor,Product category,Type,Tags,Status,Option1 name,Option1 value,SKU,Price,Compare-at price,Inventory quantity,Weight value (grams),Product image URL,Image position,Image alt text\n".to_owned();
    for product in 0..products {
        for variant in 0..10 {
            let cells = match variant {
                0 => format!(
                    "Product {product},<p>Number {product} of many.</p>,Vendor {},Home > Room {},Type {},\"one, two\",active,Size",
                    product % 50,
                    product % 40,
                    product % 30
                ),
                _ => ",,,,,,,".to_owned(),
            };
            file.push_str(&format!(
                "product-{product},{cells},S{variant},P{product}-{variant},{}.99,,{variant},250,/media/product-{product}-{variant}.svg,{},A picture\n",
                10 + product % 90,
                variant + 1,
            ));
        }
    }
    file
}

#[tokio::test]
async fn ten_thousand_variants_are_imported_with_progress_on_the_way() {
    for shop in shops().await {
        let file = generated(1_000);
        let began = std::time::Instant::now();

        let report = import(&shop, &file).await;
        let first = began.elapsed();
        let again = import(&shop, &file).await;

        println!(
            "10,000 variants on {:?}: {first:?}, and again unchanged in {:?}",
            shop.database.backend(),
            began.elapsed() - first,
        );
        assert_eq!(report.counts(), [1_000, 0, 0, 0]);
        assert_eq!(report.progress.variants_imported, 10_000);
        assert_eq!(report.progress.lines_read, 10_001);
        assert_eq!(report.quantities.len(), 10_000);
        assert!(report.steps >= 20, "{} steps", report.steps);
        assert_eq!(again.counts(), [0, 0, 1_000, 0]);
    }
}

#[tokio::test]
async fn two_imports_of_one_file_at_once_make_each_product_once() {
    for shop in shops().await {
        let file = generated(150);

        let (first, second) = futures::join!(import(&shop, &file), import(&shop, &file));

        let sums: Vec<i64> = first.counts().iter().zip(second.counts()).map(|(a, b)| a + b).collect();
        assert_eq!(sums, [150, 0, 150, 0]);
    }
}

#[tokio::test]
async fn a_product_of_the_largest_size_is_imported_and_a_larger_one_is_not() {
    let rows = |count: usize| {
        let mut file = "Handle,Title,Option1 Name,Option1 Value,Variant Price,Image Src\n".to_owned();
        for number in 0..count {
            let (title, name) = if number == 0 { ("Many", "Number") } else { ("", "") };
            let picture = if number < 250 { format!("/media/{number}.svg") } else { String::new() };
            file.push_str(&format!("many,{title},{name},{number},1.00,{picture}\n"));
        }
        file
    };
    for shop in shops().await {
        let larger = import(&shop, &rows(2_049)).await;
        let largest = import(&shop, &rows(2_048)).await;

        assert_eq!(larger.counts(), [0, 0, 0, 1]);
        assert_eq!(largest.counts(), [1, 0, 0, 0], "{largest:?}");
        let product = by_handle(&shop, "many").await;
        assert_eq!((product.variants.len(), product.media.len()), (2_048, 250));
        assert_eq!(product.variants[2_047].sku, "MANY-2047");
    }
}
