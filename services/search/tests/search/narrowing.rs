//! Filters, facets, orders and pages.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proto::catalogue as catalogue_pb;
use proto::search::filter::Condition;
use proto::search::{self as pb, FacetKind, SearchSort};

use crate::support::{Shop, asking, price, product};

const FACETS: [FacetKind; 6] = [
    FacetKind::Category,
    FacetKind::Price,
    FacetKind::Option,
    FacetKind::Rating,
    FacetKind::Availability,
    FacetKind::Vendor,
];

/// What a made-up product is like.
#[derive(Clone, Debug)]
struct Draw {
    word: usize,
    vendor: usize,
    category: usize,
    sizes: Vec<usize>,
    colour: usize,
    pence: i64,
    stars: Option<i64>,
    available: bool,
}

fn draw() -> impl Strategy<Value = Draw> {
    let sizes = proptest::collection::vec(0_usize..3, 1..3);
    (
        0_usize..4,
        0_usize..3,
        0_usize..4,
        sizes,
        0_usize..3,
        1_i64..20_000,
        proptest::option::of(1_i64..=5),
        any::<bool>(),
    )
        .prop_map(|(word, vendor, category, sizes, colour, pence, stars, available)| Draw {
            word,
            vendor,
            category,
            sizes,
            colour,
            pence,
            stars,
            available,
        })
}

const WORDS: [&str; 4] = ["Mug", "Jug", "Mug and Jug", "Plate"];
const VENDORS: [&str; 3] = ["", "Acme", "Merrow"];
const SIZES: [&str; 3] = ["S", "M", "L"];
const COLOURS: [&str; 3] = ["Red", "Green", "Blue"];

fn category(number: usize) -> String {
    format!("01934c2e-7b6a-7c3e-9a51-{number:012}")
}

/// Kitchen (0) holds cups (1), which holds mugs (2); garden (3) stands apart.
async fn shop_of(draws: &[Draw]) -> Shop {
    let index = search::Index::in_memory().unwrap();
    let shop = Shop::over(index, Vec::new());
    for (number, parent) in [(0, None), (1, Some(0)), (2, Some(1)), (3, None)] {
        shop.catalogue.category(catalogue_pb::Category {
            id: category(number),
            parent_id: parent.map(category).unwrap_or_default(),
            name: format!("Category {number}"),
            ..Default::default()
        });
    }
    for (number, draw) in draws.iter().enumerate() {
        let mut product = product(&format!("{} {number}", WORDS[draw.word]));
        product.vendor = VENDORS[draw.vendor].to_owned();
        product.category_id = category(draw.category);
        let option = |name: &str| catalogue_pb::Option { name: name.to_owned(), values: Vec::new() };
        product.options = vec![option("Size"), option("Colour")];
        let first = product.variants[0].clone();
        product.variants = (0..draw.sizes.len())
            .map(|at| catalogue_pb::Variant {
                sku: format!("{}-{at}", first.sku),
                option_values: vec![SIZES[draw.sizes[at]].to_owned(), COLOURS[draw.colour].to_owned()],
                prices: vec![price(draw.pence + at as i64)],
                ..first.clone()
            })
            .collect();
        for variant in &product.variants {
            shop.inventory.count(&variant.sku, i64::from(draw.available));
        }
        if let Some(stars) = draw.stars {
            shop.reviews.rate(&product.id, 2, stars * 2);
        }
        shop.put(product).await;
    }
    shop.until_ready().await;
    let all = draws.len() as i64;
    shop.until("all products are in", async |shop| {
        let answer = shop.ask(full("", Vec::new())).await.unwrap();
        let available = answer.facets.iter().find(|facet| facet.kind() == FacetKind::Availability).unwrap();
        answer.total_size == all && available.values.iter().map(|value| value.count).sum::<i64>() == all
    })
    .await;
    shop
}

fn full(query: &str, filters: Vec<pb::Filter>) -> pb::SearchProductsRequest {
    pb::SearchProductsRequest {
        filters,
        currency_code: "GBP".to_owned(),
        facets: FACETS.map(i32::from).to_vec(),
        ..asking(query)
    }
}

fn filter(condition: Condition) -> pb::Filter {
    pb::Filter { condition: Some(condition) }
}

/// The kind of a filter, options by their name.
fn kind(filter: &pb::Filter) -> String {
    match filter.condition.as_ref().unwrap() {
        Condition::Option(option) => format!("option {}", option.name),
        condition => format!("{condition:?}").split('(').next().unwrap().to_owned(),
    }
}

/// Sends every value of every facet back in place of the filters of its kind: it must give exactly its count.
async fn every_value_keeps_its_word(shop: &Shop, query: &str, filters: &[pb::Filter]) {
    let answer = shop.ask(full(query, filters.to_vec())).await.unwrap();
    for value in answer.facets.iter().flat_map(|facet| &facet.values) {
        let chosen = value.filter.clone().unwrap();
        let others = filters.iter().filter(|filter| kind(filter) != kind(&chosen)).cloned();
        let narrowed: Vec<pb::Filter> = others.chain([chosen.clone()]).collect();

        let answer = shop.ask(full(query, narrowed)).await.unwrap();

        assert_eq!(answer.total_size, value.count, "{query:?} {filters:?}, then {chosen:?}");
        assert_eq!(answer.hits.len() as i64, value.count);
        assert_eq!(value.selected, filters.contains(&chosen));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn every_value_of_a_facet_gives_what_it_says(
        draws in proptest::collection::vec(draw(), 1..25),
        picks in proptest::collection::vec(any::<proptest::sample::Index>(), 2),
    ) {
        run(async {
            let shop = shop_of(&draws).await;
            for query in ["", "mug"] {
                every_value_keeps_its_word(&shop, query, &[]).await;
                let answer = shop.ask(full(query, Vec::new())).await.unwrap();
                let values: Vec<_> = answer.facets.iter().flat_map(|facet| &facet.values).collect();
                if values.is_empty() {
                    continue;
                }
                let chosen: Vec<_> = picks.iter().map(|pick| pick.get(&values).filter.clone().unwrap()).collect();
                every_value_keeps_its_word(&shop, query, &chosen[..1]).await;
                every_value_keeps_its_word(&shop, query, &chosen).await;
            }
        });
    }

    #[test]
    fn the_counts_of_a_facet_add_up(draws in proptest::collection::vec(draw(), 1..25)) {
        run(async {
            let shop = shop_of(&draws).await;
            let answer = shop.ask(full("", Vec::new())).await.unwrap();
            let sum = |kind: FacetKind, name: &str| -> i64 {
                let facet = answer.facets.iter().find(|facet| facet.kind() == kind && facet.name == name);
                facet.map_or(0, |facet| facet.values.iter().map(|value| value.count).sum())
            };
            let all = draws.len() as i64;
            assert_eq!(answer.total_size, all);
            assert_eq!(sum(FacetKind::Price, ""), all);
            assert_eq!(sum(FacetKind::Availability, ""), all);
            assert_eq!(sum(FacetKind::Vendor, ""), draws.iter().filter(|draw| draw.vendor > 0).count() as i64);
            assert_eq!(sum(FacetKind::Option, "Colour"), all);
            // A product of three stars is counted at three, at two and at one.
            assert_eq!(sum(FacetKind::Rating, ""), draws.iter().filter_map(|draw| draw.stars).sum::<i64>());
        });
    }

    #[test]
    fn pages_show_everything_once_in_every_order(
        draws in proptest::collection::vec(draw(), 1..25),
        page_size in 1..7_i32,
        reverse in any::<bool>(),
    ) {
        run(async {
            page_by_page(&shop_of(&draws).await, page_size, reverse).await;
        });
    }
}

#[tokio::test]
async fn pages_of_many_products_show_everything_once_in_every_order() {
    let draws: Vec<Draw> =
        (0..200).map(|number| plain(number % 4, 100 + (number * 37 % 50) as i64)).collect();
    let shop = shop_of(&draws).await;
    for reverse in [false, true] {
        page_by_page(&shop, 20, reverse).await;
    }
}

/// All pages in a row show what one page of all shows.
async fn page_by_page(shop: &Shop, page_size: i32, reverse: bool) {
    for query in ["", "mug"] {
        let wanted = shop.ask(full(query, Vec::new())).await.unwrap();
        for sort in 0..=5 {
            let request = pb::SearchProductsRequest { sort, reverse, page_size, ..full(query, Vec::new()) };
            let whole = pb::SearchProductsRequest { page_size: 250, ..request.clone() };
            let whole = ids(&shop.ask(whole).await.unwrap());
            let paged = all_pages(shop, request).await;
            assert_eq!(paged, whole, "{query:?} by {sort}, reverse {reverse}");
            assert_eq!(paged.iter().collect::<BTreeSet<_>>().len() as i64, wanted.total_size);
        }
    }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

fn ids(answer: &pb::SearchProductsResponse) -> Vec<String> {
    answer.hits.iter().map(|hit| hit.product_id.clone()).collect()
}

async fn all_pages(shop: &Shop, mut request: pb::SearchProductsRequest) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        let answer = shop.ask(request.clone()).await.unwrap();
        found.extend(ids(&answer));
        if answer.next_page_token.is_empty() {
            return found;
        }
        request.page_token = answer.next_page_token;
    }
}

fn plain(word: usize, pence: i64) -> Draw {
    Draw { word, vendor: 1, category: 2, sizes: vec![0], colour: 0, pence, stars: None, available: true }
}

#[tokio::test]
async fn a_facet_is_counted_without_its_own_filter() {
    let shop = shop_of(&[
        Draw { vendor: 1, colour: 0, ..plain(0, 100) },
        Draw { vendor: 1, colour: 1, ..plain(0, 100) },
        Draw { vendor: 2, colour: 1, ..plain(0, 100) },
    ])
    .await;
    let acme = filter(Condition::Vendor("Acme".to_owned()));

    let answer = shop.ask(full("mug", vec![acme])).await.unwrap();

    let counts = |kind: FacetKind, name: &str| -> BTreeMap<String, i64> {
        let facet = answer.facets.iter().find(|facet| facet.kind() == kind && facet.name == name).unwrap();
        facet.values.iter().map(|value| (value.label.clone(), value.count)).collect()
    };
    assert_eq!(answer.total_size, 2);
    assert_eq!(counts(FacetKind::Vendor, ""), BTreeMap::from([("Acme".into(), 2), ("Merrow".into(), 1)]));
    assert_eq!(counts(FacetKind::Option, "Colour"), BTreeMap::from([("Red".into(), 1), ("Green".into(), 1)]));
}

#[tokio::test]
async fn a_category_holds_what_lies_below_it() {
    let shop = shop_of(&[
        Draw { category: 0, ..plain(0, 100) },
        Draw { category: 2, ..plain(0, 100) },
        Draw { category: 3, ..plain(0, 100) },
    ])
    .await;

    let answer = shop.ask(full("", vec![filter(Condition::CategoryId(category(1)))])).await.unwrap();

    assert_eq!(answer.total_size, 1);
    let facet = answer.facets.iter().find(|facet| facet.kind() == FacetKind::Category).unwrap();
    let counts: Vec<(&str, i64, bool)> =
        facet.values.iter().map(|value| (value.label.as_str(), value.count, value.selected)).collect();
    assert_eq!(
        counts,
        [
            ("Category 0", 2, false),
            ("Category 1", 1, true),
            ("Category 2", 1, false),
            ("Category 3", 1, false)
        ]
    );
}

#[tokio::test]
async fn ratings_are_counted_from_each_whole_star_up_and_each_gives_its_products() {
    // Count and sum of ratings: a hair below four stars is three, and nothing is said of what nobody rated.
    let rated = [("Best", 2, 10), ("Good", 2, 9), ("Nearly", 100, 399), ("Fair", 4, 12), ("Worst", 1, 1)];
    let products: Vec<_> = rated.iter().map(|(title, _, _)| product(title)).collect();
    let unrated = product("Unrated");
    let all = products.iter().cloned().chain([unrated]);
    let shop = Shop::over(search::Index::in_memory().unwrap(), all.collect());
    for (product, (_, count, sum)) in products.iter().zip(rated) {
        shop.reviews.rate(&product.id, count, sum);
    }
    shop.until_ready().await;

    let answer = shop.ask(full("", Vec::new())).await.unwrap();

    let facet = answer.facets.iter().find(|facet| facet.kind() == FacetKind::Rating).unwrap();
    let conditions = facet.values.iter().map(|value| value.filter.clone().unwrap().condition.unwrap());
    let counts: Vec<_> = conditions.zip(facet.values.iter().map(|value| value.count)).collect();
    let from = Condition::RatingMin;
    assert_eq!(counts, [(from(5), 1), (from(4), 2), (from(3), 4), (from(2), 4), (from(1), 5)]);
    for value in &facet.values {
        let narrowed = shop.ask(full("", vec![value.filter.clone().unwrap()])).await.unwrap();
        let mut titles: Vec<_> = ids(&narrowed).iter().map(|id| shop.catalogue.title(id)).collect();
        let mut best: Vec<_> = rated.iter().take(value.count as usize).map(|(title, _, _)| *title).collect();
        titles.sort();
        best.sort_unstable();
        assert_eq!(titles, best, "{:?}", value.filter);
        // The others are still to be chosen, and the chosen one is marked.
        let beside = narrowed.facets.iter().find(|facet| facet.kind() == FacetKind::Rating).unwrap();
        let unchosen = beside.values.iter().cloned().map(|value| pb::FacetValue { selected: false, ..value });
        assert_eq!(unchosen.collect::<Vec<_>>(), facet.values);
        let selected: Vec<_> = beside.values.iter().filter(|value| value.selected).collect();
        assert_eq!(selected, [&pb::FacetValue { selected: true, ..value.clone() }]);
    }
}

#[tokio::test]
async fn an_order_is_kept_and_what_lacks_the_value_comes_last() {
    let shop = shop_of(&[
        Draw { stars: Some(3), ..plain(0, 300) },
        Draw { stars: None, ..plain(1, 100) },
        Draw { stars: Some(5), ..plain(3, 200) },
    ])
    .await;
    let cases = [
        (SearchSort::Price, false, ["Jug 1", "Plate 2", "Mug 0"]),
        (SearchSort::Price, true, ["Mug 0", "Plate 2", "Jug 1"]),
        (SearchSort::Rating, false, ["Plate 2", "Mug 0", "Jug 1"]),
        (SearchSort::Rating, true, ["Mug 0", "Plate 2", "Jug 1"]),
        (SearchSort::Title, false, ["Jug 1", "Mug 0", "Plate 2"]),
        (SearchSort::Title, true, ["Plate 2", "Mug 0", "Jug 1"]),
        (SearchSort::Newest, false, ["Plate 2", "Jug 1", "Mug 0"]),
    ];
    for (sort, reverse, wanted) in cases {
        let request = pb::SearchProductsRequest { sort: sort.into(), reverse, ..full("", Vec::new()) };
        let answer = shop.ask(request).await.unwrap();
        let titles: Vec<String> = ids(&answer).iter().map(|id| shop.catalogue.title(id)).collect();
        assert_eq!(titles, wanted, "{sort:?} {reverse}");
    }
}

#[tokio::test]
async fn a_page_token_works_for_its_own_question_alone() {
    let shop = shop_of(&[plain(0, 100), plain(0, 200), plain(1, 300)]).await;
    let first = shop.ask(pb::SearchProductsRequest { page_size: 1, ..asking("mug") }).await.unwrap();

    for other in [asking("jug"), pb::SearchProductsRequest { reverse: true, ..asking("mug") }] {
        let request = pb::SearchProductsRequest { page_token: first.next_page_token.clone(), ..other };
        let status = shop.ask(request).await.unwrap_err();
        assert_eq!(crate::support::reason(&status), "PAGE_TOKEN_INVALID");
    }
}
