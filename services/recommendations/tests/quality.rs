//! How good the recommendations are: learnt from a real wholesaler's orders before a day, through the reader of events;
//! asked about those after it, through the public contract. Beside it, on the same cases, what a simple script reaches.
//!
//! The protocol is that of the reference scores beside the data. Basket completion: of every basket with three or more
//! products that were sold before, one (chosen by Python's generator with the seed 7) is left out and must be among the
//! first ten. Next basket: the next basket of every customer who bought before and after the day; recall@20 is over what
//! twenty can hold at most. What was chosen in the service (exponents, distance, half-life) was chosen on the orders of August
//! and September, learnt from those before; the orders from October on were not looked at for it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use kit::outbox::Event;
use kit::{Database, Id, time};
use mesh::testing;
use proto::catalogue::{ProductCreated, ProductStatus};
use proto::orders::{EventLine, OrderOrigin, OrderPlaced};
use proto::recommendations as pb;
use proto::recommendations::list_for_account_request::Customer;
use proto::recommendations::recommendations_service_client::RecommendationsServiceClient;
use rand_mt::Mt;
use serde::Deserialize;
use uuid::Uuid;

/// The day that parts learning from asking, and the one at which asking ends.
#[derive(Clone, Copy)]
pub struct Split {
    pub name: &'static str,
    pub learnt_until: &'static str,
    pub asked_until: &'static str,
}

/// The split of the reference scores.
pub const HELD_OUT: Split =
    Split { name: "held out: October on", learnt_until: "2011-10-01", asked_until: "9999" };
/// What figures of the service were chosen by.
#[allow(dead_code, reason = "the example asks it, the test does not")]
pub const VALIDATION: Split =
    Split { name: "validation: August and September", learnt_until: "2011-08-01", asked_until: "2011-10-01" };

const SEED: u32 = 7;
const BASKET_MIN: usize = 3;
const BASKET_TOP: usize = 20;
const ASKED_AT_ONCE: usize = 2;

#[derive(Deserialize)]
pub struct Order {
    at: String,
    customer: Option<String>,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    sku: String,
    qty: i64,
}

impl Order {
    /// What was bought, each once, in the order of its lines.
    fn skus(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        self.lines.iter().map(|line| line.sku.as_str()).filter(|sku| seen.insert(*sku)).collect()
    }
}

/// The orders of `SHOP_REFERENCE_DATA`.
pub fn orders(folder: &Path) -> Vec<Order> {
    let file = folder.join("uci-online-retail/orders.jsonl.gz");
    let unpacked = Command::new("gzip").arg("-dc").arg(&file).output().expect("gzip runs");
    assert!(unpacked.status.success(), "{} cannot be unpacked", file.display());
    let lines = unpacked.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).expect("a line is an order")).collect()
}

/// How often what was left out was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hits {
    pub cases: usize,
    pub at_10: f64,
    pub at_20: f64,
    pub reciprocal: f64,
    pub recall_20: f64,
}

impl Hits {
    fn note(&mut self, wanted: &HashSet<&str>, ranked: &[&str]) {
        let place = ranked.iter().position(|sku| wanted.contains(sku));
        let found = ranked.iter().take(BASKET_TOP).filter(|sku| wanted.contains(*sku)).count();
        self.cases += 1;
        self.at_10 += f64::from(u8::from(place.is_some_and(|place| place < 10)));
        self.at_20 += f64::from(u8::from(place.is_some_and(|place| place < 20)));
        self.reciprocal += place.filter(|place| *place < 10).map_or(0.0, |place| 1.0 / (place + 1) as f64);
        self.recall_20 += found as f64 / wanted.len().min(BASKET_TOP) as f64;
    }

    fn mean(self) -> Self {
        let cases = self.cases as f64;
        Self {
            at_10: self.at_10 / cases,
            at_20: self.at_20 / cases,
            reciprocal: self.reciprocal / cases,
            recall_20: self.recall_20 / cases,
            ..self
        }
    }
}

/// What one split shows.
pub struct Figures {
    pub split: Split,
    pub learnt: usize,
    pub asked: usize,
    pub items: usize,
    pub completion: Hits,
    pub completion_baseline: Hits,
    pub next: Hits,
    pub next_baseline: Hits,
    learning: Duration,
    asking: Duration,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { split, learnt, asked, items, .. } = self;
        writeln!(f, "{}: {learnt} orders learnt, {asked} held back, {items} items", split.name)?;
        let completion = [
            ("cosine, baskets weighted 1/log size", self.completion_baseline),
            ("recommendations", self.completion),
        ];
        for (name, hits) in completion {
            writeln!(
                f,
                "  basket completion  {name:36} n={} HR@10={:.4} HR@20={:.4} MRR@10={:.4}",
                hits.cases, hits.at_10, hits.at_20, hits.reciprocal
            )?;
        }
        for (name, hits) in
            [("personal frequency + popularity", self.next_baseline), ("recommendations", self.next)]
        {
            writeln!(
                f,
                "  next basket        {name:36} n={} recall@20={:.4} HR@10={:.4}",
                hits.cases, hits.recall_20, hits.at_10
            )?;
        }
        write!(
            f,
            "  learnt in {:.1} s, {:.2} ms an order; asked in {:.1} s, {:.2} ms a question",
            self.learning.as_secs_f64(),
            self.learning.as_secs_f64() * 1_000.0 / *learnt as f64,
            self.asking.as_secs_f64(),
            self.asking.as_secs_f64() * 1_000.0 / (self.completion.cases + self.next.cases) as f64,
        )
    }
}

/// Learns one part of the orders and asks about the other.
pub async fn measure(orders: &[Order], split: Split) -> Figures {
    let train: Vec<&Order> = orders.iter().filter(|order| order.at.as_str() < split.learnt_until).collect();
    let asked = |at: &str| at >= split.learnt_until && at < split.asked_until;
    let test: Vec<&Order> = orders.iter().filter(|order| asked(&order.at)).collect();
    let items: BTreeSet<&str> = train.iter().flat_map(|order| order.skus()).collect();
    let completions = completions(&test, &items);
    let nexts = nexts(&train, &test, &items);
    let (completion_baseline, next_baseline) = baselines(&train, &items, &completions, &nexts);

    let database = kit::testing::sqlite::<recommendations::Migrator>().await;
    let begun = Instant::now();
    let products = learn(&database, &train, &items).await;
    let learning = begun.elapsed();
    let begun = Instant::now();
    let (completion, next) = ask(database, &products, &completions, &nexts).await;
    let asking = begun.elapsed();
    Figures {
        split,
        learnt: train.len(),
        asked: test.len(),
        items: items.len(),
        completion,
        completion_baseline,
        next,
        next_baseline,
        learning,
        asking,
    }
}

/// A basket without one of its products, and that product.
type Completion<'a> = (Vec<&'a str>, &'a str);
/// A customer, and what he bought next.
type Next<'a> = (&'a str, HashSet<&'a str>);

fn completions<'a>(test: &[&'a Order], items: &BTreeSet<&str>) -> Vec<Completion<'a>> {
    let mut random = Mt::new_with_key([SEED]);
    let mut cases = Vec::new();
    for order in test {
        let basket: Vec<&str> = order.skus().into_iter().filter(|sku| items.contains(sku)).collect();
        if basket.len() < BASKET_MIN {
            continue;
        }
        let mut sorted = basket.clone();
        sorted.sort_unstable();
        let left_out = sorted[choice(&mut random, sorted.len())];
        cases.push((basket.into_iter().filter(|sku| *sku != left_out).collect(), left_out));
    }
    cases
}

/// As Python's `Random.choice` chooses.
fn choice(random: &mut Mt, count: usize) -> usize {
    let bits = usize::BITS - count.leading_zeros();
    loop {
        let drawn = (random.next_u32() >> (32 - bits)) as usize;
        if drawn < count {
            return drawn;
        }
    }
}

fn nexts<'a>(train: &[&'a Order], test: &[&'a Order], items: &BTreeSet<&str>) -> Vec<Next<'a>> {
    let known: HashSet<&str> = train.iter().filter_map(|order| order.customer.as_deref()).collect();
    let mut seen = HashSet::new();
    let mut cases = Vec::new();
    for order in test {
        let Some(customer) = order.customer.as_deref().filter(|customer| known.contains(customer)) else {
            continue;
        };
        let basket: HashSet<&str> = order.skus().into_iter().filter(|sku| items.contains(sku)).collect();
        if !basket.is_empty() && seen.insert(customer) {
            cases.push((customer, basket));
        }
    }
    cases
}

/// What twenty lines of script reach on the same cases.
fn baselines(
    train: &[&Order],
    items: &BTreeSet<&str>,
    completions: &[Completion<'_>],
    nexts: &[Next<'_>],
) -> (Hits, Hits) {
    let names: Vec<&str> = items.iter().copied().collect();
    let places: HashMap<&str, usize> = names.iter().enumerate().map(|(place, sku)| (*sku, place)).collect();
    let count = names.len();
    let mut weights = vec![0_f32; count * count];
    let mut sold = vec![0_f32; count];
    let mut bought: HashMap<&str, HashMap<usize, f32>> = HashMap::new();
    for order in train {
        let basket: Vec<usize> = order.skus().iter().map(|sku| places[sku]).collect();
        let weight = 1.0 / (basket.len() as f32 + 2.0).ln();
        for item in &basket {
            sold[*item] += 1.0;
            let row = &mut weights[item * count..(item + 1) * count];
            for other in &basket {
                row[*other] += weight;
            }
        }
        for item in order.customer.iter().flat_map(|customer| basket.iter().map(move |item| (customer, item)))
        {
            *bought.entry(item.0).or_default().entry(*item.1).or_default() += 1.0;
        }
    }
    let best = |scores: &[f32]| -> Vec<&str> {
        let mut order: Vec<usize> = (0..count).collect();
        let better = |left: &usize, right: &usize| {
            scores[*right].total_cmp(&scores[*left]).then_with(|| left.cmp(right))
        };
        order.select_nth_unstable_by(BASKET_TOP, better);
        order.truncate(BASKET_TOP);
        order.sort_unstable_by(better);
        order.into_iter().map(|item| names[item]).collect()
    };
    let mut completion = Hits::default();
    for (basket, left_out) in completions {
        let mut scores = vec![0_f32; count];
        for sku in basket {
            let item = places[sku];
            let norm = sold[item].sqrt();
            for (other, score) in scores.iter_mut().enumerate() {
                *score += weights[item * count + other] / (norm * sold[other].sqrt());
            }
        }
        basket.iter().for_each(|sku| scores[places[sku]] = -1.0);
        completion.note(&HashSet::from([*left_out]), &best(&scores));
    }
    let mut next = Hits::default();
    for (customer, basket) in nexts {
        let mut scores: Vec<f32> = sold.iter().map(|sold| sold / 1e5).collect();
        for (item, times) in &bought[customer] {
            scores[*item] += times;
        }
        next.note(basket, &best(&scores));
    }
    (completion.mean(), next.mean())
}

/// Tells the service of the products, then of the orders as an import tells them. Answers the products' SKUs by id.
async fn learn<'a>(
    database: &Database,
    train: &[&Order],
    items: &BTreeSet<&'a str>,
) -> HashMap<String, &'a str> {
    let reader = recommendations::readers(database).remove(0);
    let now = kit::Clock::system().now();
    let mut products = HashMap::with_capacity(items.len());
    for sku in items {
        let id = Uuid::now_v7().to_string();
        let created = ProductCreated {
            product_id: id.clone(),
            skus: vec![(*sku).to_owned()],
            status: ProductStatus::Active.into(),
            ..Default::default()
        };
        (reader.apply)(Event::new("product.created", &id, 1, now, &created)).await.unwrap();
        products.insert(id, *sku);
    }
    for order in train {
        let line =
            |line: &Line| EventLine { sku: line.sku.clone(), quantity: line.qty, ..Default::default() };
        let placed = OrderPlaced {
            external_customer: order.customer.clone().unwrap_or_default(),
            origin: OrderOrigin::Imported.into(),
            lines: order.lines.iter().map(line).collect(),
            place_time: format!("{}Z", order.at.replace(' ', "T")),
            ..Default::default()
        };
        let event = Event::new("order.placed", Id::<()>::new(), 1, time::truncate(now), &placed);
        (reader.apply)(event).await.unwrap();
    }
    products
}

async fn ask(
    database: Database,
    products: &HashMap<String, &str>,
    completions: &[Completion<'_>],
    nexts: &[Next<'_>],
) -> (Hits, Hits) {
    let ids: HashMap<&str, &str> = products.iter().map(|(id, sku)| (*sku, id.as_str())).collect();
    let server = testing::serve(recommendations::NAME, recommendations::routes(database));
    let clerk = testing::staff(&["orders.read"]);
    let client = RecommendationsServiceClient::new(server.channel_as("gateway", Some(clerk)));
    let skus = |found: Vec<pb::Recommendation>| -> Vec<&str> {
        found.iter().map(|found| products[&found.product_id]).collect()
    };
    let asked = completions.iter().map(|(basket, left_out)| {
        let request = pb::ListBoughtTogetherRequest {
            page_size: BASKET_TOP as i32,
            product_ids: basket.iter().map(|sku| ids[sku].to_owned()).collect(),
            ..Default::default()
        };
        let mut client = client.clone();
        async move {
            let answer = client.list_bought_together(request).await?.into_inner();
            Ok::<_, tonic::Status>((HashSet::from([*left_out]), skus(answer.recommendations)))
        }
    });
    let mut completion = Hits::default();
    let answers: Vec<_> = stream::iter(asked).buffered(ASKED_AT_ONCE).try_collect().await.unwrap();
    answers.iter().for_each(|(wanted, ranked)| completion.note(wanted, ranked));

    let asked = nexts.iter().map(|(customer, basket)| {
        let request = pb::ListForAccountRequest {
            page_size: BASKET_TOP as i32,
            customer: Some(Customer::ExternalCustomer((*customer).to_owned())),
            ..Default::default()
        };
        let mut client = client.clone();
        async move {
            let answer = client.list_for_account(request).await?.into_inner();
            Ok::<_, tonic::Status>((basket, skus(answer.recommendations)))
        }
    });
    let mut next = Hits::default();
    let answers: Vec<_> = stream::iter(asked).buffered(ASKED_AT_ONCE).try_collect().await.unwrap();
    answers.iter().for_each(|(wanted, ranked)| next.note(wanted, ranked));
    (completion.mean(), next.mean())
}
