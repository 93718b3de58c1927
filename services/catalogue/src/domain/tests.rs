//! Every state against every command, and what holds for any content.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use kit::{Id, Money, Timestamp};
use proptest::prelude::*;

use super::*;

/// One line of text as the catalogue keeps it.
fn line(length: usize) -> impl Strategy<Value = String> {
    proptest::string::string_regex(&format!("[ -~éß\"]{{0,{length}}}"))
        .unwrap()
        .prop_map(|text| text.trim().to_owned())
}

fn word() -> impl Strategy<Value = String> {
    proptest::string::string_regex("[A-Za-zé\"][A-Za-z0-9 é\",;]{0,8}[a-z0-9]").unwrap()
}

fn money(currency: &'static str) -> impl Strategy<Value = Price> {
    (0..1_000_000_i64, proptest::option::of(1..1_000_i64)).prop_map(move |(amount, more)| Price {
        amount: Money::new(currency.parse().unwrap(), amount),
        compare_at: more.map(|more| Money::new(currency.parse().unwrap(), amount + more)),
    })
}

/// Every combination of these options, some of them left out.
fn variants(options: Vec<(String, Vec<String>)>) -> impl Strategy<Value = (Vec<Choice>, Vec<Variant>)> {
    let mut combinations: Vec<Vec<String>> = vec![Vec::new()];
    for (_, values) in &options {
        combinations = combinations
            .iter()
            .flat_map(|begun| {
                values.iter().map(move |value| [&begun[..], std::slice::from_ref(value)].concat())
            })
            .collect();
    }
    let count = combinations.len();
    let of_one = (
        money("GBP"),
        proptest::option::of(money("JPY")),
        0..5_000_i64,
        "[0-9]{0,13}",
        0..3_usize,
        any::<bool>(),
    );
    (
        proptest::sample::subsequence(combinations, 1..=count).prop_shuffle(),
        proptest::collection::vec(of_one, count),
    )
        .prop_map(move |(combinations, ones)| {
            let variants: Vec<Variant> = combinations
                .into_iter()
                .zip(ones)
                .enumerate()
                .map(|(number, (option_values, (pounds, yen, weight_grams, barcode, class, sent)))| Variant {
                    id: Id::new(),
                    sku: format!("SKU {number}"),
                    option_values,
                    prices: std::iter::once(pounds).chain(yen).collect(),
                    weight_grams,
                    barcode,
                    tax_class: ["standard", "zero", "books"][class].to_owned(),
                    media: None,
                    requires_shipping: sent,
                })
                .collect();
            let choices = options
                .iter()
                .enumerate()
                .map(|(number, (name, values))| Choice {
                    name: name.clone(),
                    values: values
                        .iter()
                        .filter(|value| {
                            variants.iter().any(|variant| variant.option_values[number] == **value)
                        })
                        .cloned()
                        .collect(),
                })
                .collect();
            (choices, variants)
        })
}

/// Any content that fits together.
pub fn content() -> impl Strategy<Value = Content> {
    let options =
        proptest::collection::btree_map(word(), proptest::collection::btree_set(word(), 1..4), 0..=3)
            .prop_map(|options| {
                options.into_iter().map(|(name, values)| (name, values.into_iter().collect())).collect()
            });
    let state = prop_oneof![Just(State::Draft), Just(State::Active), Just(State::Archived)];
    (
        options.prop_flat_map(variants),
        (word(), "[ -~é\\n\\r]{0,40}", line(20), line(20), line(30), line(30), state),
        proptest::collection::btree_set("[a-z]{1,6}( [A-Z]{1,3})?", 0..4),
        proptest::collection::vec((line(20), any::<u8>()), 0..5),
    )
        .prop_map(|((options, mut variants), texts, tags, pictures)| {
            let (title, description, vendor, product_type, seo_title, seo_description, state) = texts;
            let mut media = Vec::new();
            for (number, (alt_text, link)) in pictures.into_iter().enumerate() {
                let id = Id::new();
                let place = usize::from(link) % (variants.len() * 2);
                if let Some(variant) = variants.get_mut(place) {
                    variant.media = Some(id);
                }
                let url = format!("/media/{number}.svg");
                media.push(Media { id, url, alt_text });
            }
            Content {
                handle: "handle".to_owned(),
                title,
                description,
                vendor,
                product_type,
                tags: tags.into_iter().collect(),
                category: None,
                state,
                seo: Seo { title: seo_title, description: seo_description },
                options,
                variants,
                media,
            }
        })
        .prop_filter("it fits together", |content| content.flaws().is_empty())
}

fn at(second: i64) -> Timestamp {
    chrono::DateTime::from_timestamp(second, 0).unwrap()
}

fn product(state: State) -> Product {
    let price = Price { amount: Money::new("GBP".parse().unwrap(), 100), compare_at: None };
    let variant = Variant {
        id: Id::new(),
        sku: "SKU".to_owned(),
        option_values: Vec::new(),
        prices: vec![price],
        weight_grams: 0,
        barcode: String::new(),
        tax_class: "standard".to_owned(),
        media: None,
        requires_shipping: true,
    };
    let content = Content {
        handle: "mug".to_owned(),
        title: "Mug".to_owned(),
        state,
        variants: vec![variant],
        ..Content::blank()
    };
    Product::create(content, at(1)).unwrap().product
}

#[test]
fn every_state_answers_every_command() {
    let table = "
                to-draft  to-active  to-archived  archive
        draft     same     updated    archived    archived
        active   updated     same     archived    archived
        archived updated   updated      same        same
    ";
    let mut rows = table.lines().map(str::trim).filter(|row| !row.is_empty());
    let commands: Vec<&str> = rows.next().unwrap().split_whitespace().collect();
    let states = [("draft", State::Draft), ("active", State::Active), ("archived", State::Archived)];
    for (row, (name, state)) in rows.zip(states) {
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(cells[0], name);
        for (command, expected) in commands.iter().zip(&cells[1..]) {
            let product = product(state);
            let to = |state| product.update(Content { state, ..product.content.clone() }, at(2)).unwrap();
            let change = match *command {
                "to-draft" => to(State::Draft),
                "to-active" => to(State::Active),
                "to-archived" => to(State::Archived),
                _ => product.archive(at(2)),
            };
            let said = match change.as_ref().map(|change| &change.what) {
                None => "same",
                Some(What::Created) => "created",
                Some(What::Updated(paths)) => {
                    assert_eq!(*paths, ["status"]);
                    "updated"
                }
                Some(What::Archived) => "archived",
            };
            assert_eq!(said, *expected, "{name} {command}");
            if let Some(change) = change {
                assert_eq!(change.product.version, 2);
                assert_eq!(change.product.published.is_some(), change.product.content.state == State::Active);
            }
        }
    }
}

#[test]
fn a_product_stays_published_since_it_was_while_it_changes() {
    let product = product(State::Active);

    let content = Content { title: "Cup".to_owned(), ..product.content.clone() };
    let change = product.update(content, at(9)).unwrap().unwrap();

    assert_eq!(change.product.published, Some(at(1)));
    assert_eq!(change.product.listed(), at(1));
    assert_eq!(change.product.updated, at(9));
}

#[test]
fn names_find_their_category_or_say_what_is_missing() {
    let names = |path: &str| path.split(" > ").map(str::to_owned).collect::<Vec<_>>();
    let mut tree = CategoryTree::default();

    let (room, added) = tree.plan(&names("Home > Room")).unwrap();
    added.iter().for_each(|category| tree.add(category.clone()));
    let (same, none) = tree.plan(&names("HOME > room")).unwrap();
    let (_, twin) = tree.plan(&names("Home > Room!")).unwrap();
    let deep = tree.plan(&names("1 > 2 > 3 > 4 > 5 > 6 > 7 > 8 > 9"));

    assert_eq!(
        added.iter().map(|category| category.path.as_str()).collect::<Vec<_>>(),
        ["home", "home/room"]
    );
    assert_eq!((same, none.len()), (room, 0));
    assert_eq!(tree.names(room.unwrap()), ["Home", "Room"]);
    assert_eq!(twin[0].path, "home/room-2");
    assert_eq!(deep, Err(Refusal::CategoryTooDeep));
}

#[test]
fn a_slug_is_what_a_url_can_hold() {
    let cases = [
        ("Home & Living", "home-living"),
        ("  Über-Öfen! ", "über-öfen"),
        ("???", "category"),
        ("日本", "日本"),
    ];
    for (name, slug) in cases {
        assert_eq!(slug_of(name), slug);
        assert!(is_handle(&slug_of(name)));
    }
}

proptest! {
    #[test]
    fn a_change_is_news_exactly_when_something_differs(first in content(), second in content()) {
        let product = Product::create(first, at(1)).unwrap().product;

        prop_assert!(product.update(product.content.clone(), at(2)).unwrap().is_none());
        let change = product.update(second.clone(), at(2)).unwrap();

        let changed = change.map_or_else(|| product.clone(), |change| {
            assert_eq!(change.product.version, 2);
            change.product
        });
        prop_assert_eq!(changed.published.is_some(), second.state == State::Active);
        prop_assert!(changed.update(changed.content.clone(), at(3)).unwrap().is_none());
        // Ids are kept by SKU and URL, and nothing else of what was written is lost.
        for variant in &changed.content.variants {
            let known = product.content.variants.iter().find(|known| known.sku == variant.sku);
            prop_assert!(known.is_none_or(|known| known.id == variant.id));
        }
        let links = |content: &Content| content.variants.iter().map(|v| {
            content.media.iter().position(|media| Some(media.id) == v.media)
        }).collect::<Vec<_>>();
        prop_assert_eq!(links(&changed.content), links(&second));
    }

    #[test]
    fn the_lowest_price_of_each_currency_is_one_of_the_prices(content in content()) {
        let prices: Vec<Money> = content.variants.iter().flat_map(|v| &v.prices).map(|p| p.amount).collect();

        let lowest = content.lowest_prices();

        for price in &prices {
            let same: Vec<&Money> = lowest.iter().filter(|low| low.currency() == price.currency()).collect();
            prop_assert_eq!(same.len(), 1);
            prop_assert!(same[0].minor_units() <= price.minor_units());
        }
        prop_assert!(lowest.iter().all(|low| prices.contains(low)));
    }
}
