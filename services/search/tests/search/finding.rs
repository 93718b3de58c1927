//! What words find.

use proto::catalogue as catalogue_pb;

use crate::support::{Shop, asking, product, reason};

async fn kitchen() -> Shop {
    let mut described = product("Plain Jug");
    described.description = "<p>Thrown from <b>stoneware</b> &amp; glazed by hand.</p>".to_owned();
    let mut labelled = product("Plain Plate");
    labelled.vendor = "Merrow Pottery".to_owned();
    labelled.tags = vec!["picnic".to_owned()];
    labelled.description = "<p>Made for a picnic.</p>".to_owned();
    let titles = [
        "Harbour Mug",
        "Harbour Mugs Set of 4",
        "Blue Teacup",
        "Tea Cup Saucer",
        "Christmas Stocking",
        "Café Crème Bowl",
        "Children's Apron",
        "Woodland 12 Pencils",
        "Grey Blanket",
        "Metal Sign Ladies",
    ];
    let products = titles.into_iter().map(product).chain([described, labelled]);
    Shop::of(products.collect()).await
}

#[tokio::test]
async fn words_are_found_whatever_their_form_and_spelling() {
    let shop = kitchen().await;
    let cases = [
        ("harbour mug", "Harbour Mug"),
        ("MUG harbours", "Harbour Mug"),
        ("mugs set", "Harbour Mugs Set of 4"),
        ("christmas stockings", "Christmas Stocking"),
        ("xmas stocking", "Christmas Stocking"),
        ("cafe creme", "Café Crème Bowl"),
        ("childrens apron", "Children's Apron"),
        ("12pencil", "Woodland 12 Pencils"),
        ("gray blanket", "Grey Blanket"),
        ("metalsign", "Metal Sign Ladies"),
        ("christmsa stocking", "Christmas Stocking"),
        ("stockign", "Christmas Stocking"),
        ("wood", "Woodland 12 Pencils"),
        ("stoneware jug", "Plain Jug"),
        ("merrow", "Plain Plate"),
        ("picnic plate", "Plain Plate"),
        ("harbour purple mug", "Harbour Mug"),
    ];
    for (query, title) in cases {
        let found = shop.find(query).await;
        assert_eq!(found.first().map(String::as_str), Some(title), "{query}: {found:?}");
    }
}

#[tokio::test]
async fn joined_words_and_parted_ones_find_each_other() {
    let shop = kitchen().await;

    for query in ["teacup", "tea cup"] {
        let mut found = shop.find(query).await;

        found.sort();
        assert_eq!(found, ["Blue Teacup", "Tea Cup Saucer"], "{query}");
    }
}

#[tokio::test]
async fn a_title_that_is_the_query_comes_first() {
    let shop = Shop::of(vec![
        product("Mug"),
        product("Mug Tree"),
        product("Tree of Mugs and Cups"),
        product("Tree Mug"),
    ])
    .await;

    assert_eq!(shop.find("mug").await.first().map(String::as_str), Some("Mug"));
    assert_eq!(shop.find("mug tree").await.first().map(String::as_str), Some("Mug Tree"));
    assert_eq!(shop.find("tree mug").await.first().map(String::as_str), Some("Tree Mug"));
}

#[tokio::test]
async fn a_mended_query_is_told_and_one_that_needs_no_mending_is_not() {
    let shop = kitchen().await;
    let cases = [
        ("christmsa stocking", "christmas stocking"),
        ("metalsign ladies", "metal sign ladies"),
        // Its title has not the word, but its description.
        ("picnik plate", "picnic plate"),
        // Neither has it, but its vendor: there is nothing to spell it by.
        ("potery plate", ""),
        ("harbour mug", ""),
        ("harb", ""),
        ("nothing of the kind whatsoever", ""),
    ];
    for (query, corrected) in cases {
        let answer = shop.ask(asking(query)).await.unwrap();
        assert_eq!(answer.corrected_query, corrected, "{query}");
    }
}

#[tokio::test]
async fn the_words_that_matched_are_marked() {
    let shop = kitchen().await;
    let request = proto::search::SearchProductsRequest { with_highlights: true, ..asking("stoneware jugs") };

    let answer = shop.ask(request).await.unwrap();

    let marked: Vec<(&str, Vec<&str>)> = answer.hits[0]
        .highlights
        .iter()
        .map(|highlight| {
            let matched = highlight.spans.iter().filter(|span| span.matched);
            (highlight.field.as_str(), matched.map(|span| span.text.as_str()).collect())
        })
        .collect();
    assert_eq!(marked, [("title", vec!["Jug"]), ("description", vec!["stoneware"])]);
    let whole: String = answer.hits[0].highlights[0].spans.iter().map(|span| span.text.as_str()).collect();
    assert_eq!(whole, "Plain Jug");
}

#[tokio::test]
async fn a_sku_finds_its_product() {
    let mut lamp = product("Lamp");
    lamp.variants[0].sku = "85123A".to_owned();
    let shop = Shop::of(vec![product("Candle"), lamp]).await;

    assert_eq!(shop.find("85123a").await, ["Lamp"]);
}

#[tokio::test]
async fn whoever_is_typing_is_offered_queries_and_products() {
    let shop = kitchen().await;
    let request = proto::search::PredictSearchRequest { query: "harbour m".to_owned(), ..Default::default() };

    let predicted = shop.client().predict_search(request).await.unwrap().into_inner();

    let completions: Vec<(&str, i64)> =
        predicted.completions.iter().map(|it| (it.query.as_str(), it.product_count)).collect();
    assert_eq!(completions, [("harbour mug", 1), ("harbour mugs", 1)]);
    let titles: Vec<_> = predicted.hits.iter().map(|hit| shop.catalogue.title(&hit.product_id)).collect();
    assert_eq!(titles, ["Harbour Mug", "Harbour Mugs Set of 4"]);
}

#[tokio::test]
async fn odd_queries_are_answered_within_bounds() {
    let shop = kitchen().await;
    let odd = [
        String::new(),
        " ".to_owned(),
        "!?*()[]{}\\/\"'`~^+-|&:;.,".to_owned(),
        ".*(a+)+$ OR title:[* TO *] AND NOT x~2^9".to_owned(),
        "\u{0}\u{1}\u{7}\u{1b}[31m\r\n\t\u{feff}\u{202e}".to_owned(),
        "🦀🦀🦀 مرحبا 你好 Ωμέγα \u{301}\u{301}\u{301}".to_owned(),
        "a".repeat(10_000),
        "harbour ".repeat(1_200),
        "a b c d e f g h i j k l m n o p q r s t u v w x y z".to_owned(),
        "é".repeat(8_000),
        "zzzzzzzzzzzzzzzzzzzzzzzzzzz qqqqqqqqqqqqqqqqqqqqqqq".to_owned(),
    ];
    for query in odd {
        let answer = shop.ask(asking(&query)).await;
        let beginning: String = query.chars().take(20).collect();
        assert!(answer.is_ok(), "{beginning:?}: {answer:?}");
        let request = proto::search::PredictSearchRequest { query, ..Default::default() };
        assert!(shop.client().predict_search(request).await.is_ok(), "{beginning:?}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_field() {
    let shop = Shop::of(Vec::new()).await;
    let filter = |condition| proto::search::Filter { condition: Some(condition) };
    let price = proto::search::PriceRange { min: Some(crate::support::pounds(1)), max: None };
    let cases = [
        (proto::search::SearchProductsRequest { query: "x".repeat(16 * 1024 + 1), ..asking("") }, "query"),
        (
            proto::search::SearchProductsRequest { currency_code: "XXX".to_owned(), ..asking("") },
            "currency_code",
        ),
        (proto::search::SearchProductsRequest { sort: 2, ..asking("") }, "currency_code"),
        (proto::search::SearchProductsRequest { sort: 99, ..asking("") }, "sort"),
        (proto::search::SearchProductsRequest { facets: vec![0], ..asking("") }, "facets[0]"),
        (
            proto::search::SearchProductsRequest {
                filters: vec![proto::search::Filter { condition: None }],
                ..asking("")
            },
            "filters[0].condition",
        ),
        (
            proto::search::SearchProductsRequest {
                filters: vec![filter(proto::search::filter::Condition::RatingMin(6))],
                ..asking("")
            },
            "filters[0].rating_min",
        ),
        (
            proto::search::SearchProductsRequest {
                filters: vec![filter(proto::search::filter::Condition::Price(price))],
                currency_code: "EUR".to_owned(),
                ..asking("")
            },
            "filters[0].price.min",
        ),
    ];
    for (request, field) in cases {
        let status = shop.ask(request).await.unwrap_err();
        assert_eq!(reason(&status), "INVALID_FIELDS", "{field}");
        let violations = mesh::status::violations_of(&status);
        assert_eq!(violations[0].field, field, "{violations:?}");
    }
}

#[tokio::test]
async fn drafts_and_what_is_archived_are_never_found() {
    let shop = kitchen().await;
    let mug = shop.ask(asking("harbour mug")).await.unwrap().hits[0].product_id.clone();

    // To search, catalogue shows active products alone: what stops being one is gone for it.
    shop.catalogue.take_away(&mug);
    let payload = catalogue_pb::ProductArchived { product_id: mug.clone(), ..Default::default() };
    let event = kit::outbox::Event::new("product.archived", &mug, 2, kit::Clock::system().now(), &payload);
    shop.hear(event).await;

    shop.until("it is gone", async |shop| shop.find("harbour").await == ["Harbour Mugs Set of 4"]).await;
}
