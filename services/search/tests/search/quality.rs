//! Known items of a public set, asked for in seven damaged ways. Runs when `SHOP_REFERENCE_DATA` names the folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures::StreamExt;
use proto::catalogue as catalogue_pb;
use serde::Deserialize;

use crate::support::{Shop, asking, price, product};

const VARIABLE: &str = "SHOP_REFERENCE_DATA";
const FIRST_MIN: f64 = 0.96;
const RECIPROCAL_RANK_MIN: f64 = 0.975;
const AT_ONCE: usize = 4;
const LOOKED_AT: usize = 10;

#[derive(Deserialize)]
struct Known {
    kind: String,
    query: String,
    relevant: Vec<String>,
}

/// Queries, those whose item came first, and the sum of reciprocal ranks.
#[derive(Clone, Copy, Default)]
struct Score {
    count: f64,
    first: f64,
    reciprocal: f64,
}

impl Score {
    fn add(&mut self, rank: Option<usize>) {
        self.count += 1.0;
        self.first += f64::from(rank == Some(0));
        self.reciprocal += rank.map_or(0.0, |rank| 1.0 / (rank as f64 + 1.0));
    }

    fn first(self) -> f64 {
        self.first / self.count
    }

    fn reciprocal_rank(self) -> f64 {
        self.reciprocal / self.count
    }
}

#[tokio::test]
async fn a_known_item_is_found_by_damaged_words() {
    let Some(folder) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        println!("not run: {VARIABLE} names no folder of reference data");
        return;
    };
    let (products, skus) = catalogue(&folder);
    let shop = Shop::of(products).await;
    let queries = std::fs::read_to_string(folder.join("search-known-item/queries.jsonl")).unwrap();
    let queries = queries.lines().map(|line| serde_json::from_str::<Known>(line).unwrap());

    let (shop, skus) = (&shop, &skus);
    let answers = futures::stream::iter(queries)
        .map(|known| async move {
            let request =
                proto::search::SearchProductsRequest { page_size: LOOKED_AT as i32, ..asking(&known.query) };
            let answer = shop.ask(request).await.unwrap();
            let found: Vec<String> = answer.hits.iter().map(|hit| skus[&hit.product_id].clone()).collect();
            (known, found)
        })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;

    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut parts = [Score::default(); 2];
    for (number, (known, found)) in answers.into_iter().enumerate() {
        let rank = found.iter().position(|sku| known.relevant.contains(sku));
        scores.entry(known.kind.clone()).or_default().add(rank);
        scores.entry("ALL".to_owned()).or_default().add(rank);
        parts[number % 2].add(rank);
    }
    for (kind, score) in &scores {
        println!(
            "{kind:10} H@1 {:.3} MRR@10 {:.3} of {}",
            score.first(),
            score.reciprocal_rank(),
            score.count
        );
    }
    println!("halves H@1 {:.3} and {:.3}, both seen while tuning", parts[0].first(), parts[1].first());
    let all = scores["ALL"];
    assert!(all.first() >= FIRST_MIN, "H@1 {:.4}", all.first());
    assert!(all.reciprocal_rank() >= RECIPROCAL_RANK_MIN, "MRR@10 {:.4}", all.reciprocal_rank());
}

/// The wholesaler's products, and the SKU of each.
fn catalogue(folder: &Path) -> (Vec<catalogue_pb::Product>, BTreeMap<String, String>) {
    let text = std::fs::read_to_string(folder.join("uci-online-retail/products.csv")).unwrap();
    let mut products = Vec::new();
    let mut skus = BTreeMap::new();
    for (number, line) in text.lines().skip(1).enumerate() {
        // Names may hold commas, and then quotes: what is before and after a name holds neither.
        let (sku, rest) = line.split_once(',').unwrap();
        let (rest, _times_sold) = rest.rsplit_once(',').unwrap();
        let (name, amount) = rest.rsplit_once(',').unwrap();
        let mut product = product(name.trim_matches('"').replace("\"\"", "\"").trim());
        // What fits equally well stands in the order of ids, and drawn ones would make another figure of each run.
        product.id = format!("01934c2e-7b6a-7c3e-9a51-{number:012}");
        product.variants[0].sku = sku.to_owned();
        product.variants[0].prices = vec![price(amount.parse().unwrap())];
        skus.insert(product.id.clone(), sku.to_owned());
        products.push(product);
    }
    (products, skus)
}
