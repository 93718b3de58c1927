//! `cargo xtask bench edge`: the page of products through GraphQL against an endpoint by hand that makes the same three
//! calls. Each candidate has a core of its own, shop and load share the other; they take turns, and the figure to trust
//! is processor time for each request.

mod candidate;
mod load;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use self::candidate::{Candidate, pin};
use self::load::{Connection, Shot, fire};
use super::buying::address;
use super::client::{Client, Repeats, list, text};
use super::figures::{Durations, median, ms, per_second, table};
use super::shop::{self, Shop};
use super::{Build, Forms};
use crate::checkout::Checkout;
use crate::process::{self, Error};

/// What the edge may cost, in times of the endpoint.
const RATIO_MAX: f64 = 2.7;
/// Each from its own address: so many may ask 100 times a second each before the edge refuses.
const CONNECTIONS: usize = 64;
const CANDIDATE_CORE: usize = 0;
const OTHER_CORE: usize = 1;
/// Places in the catalogue at which pages begin, so that no two requests in a row are the same.
const PLACES: usize = 100;
const WARM_UP: Duration = Duration::from_secs(2);

const QUERY: &str = "query Page($after: String) { products(first: 20, after: $after) { nodes {
    id handle title
    priceRange { minVariantPrice { amount currencyCode } }
    rating { average count }
    reviews(first: 3) { nodes { rating title body authorName } }
} } }";
const CURSOR: &str = "query($first: Int!) { products(first: $first) { pageInfo { endCursor } } }";

/// What one round of one candidate came to.
struct Round {
    requests: usize,
    took: Duration,
    cpu_seconds: f64,
    durations: Durations,
}

/// Measures; true when the answers are equal and the edge is within its budget.
pub(crate) fn run(
    checkout: &Checkout,
    build: &Build,
    forms: &Forms,
    rounds: usize,
    seconds: u64,
) -> Result<bool, Error> {
    let binary = shop::build(checkout, build)?;
    let mut examples = checkout.cargo();
    examples.args(["build", "--package", "gateway", "--example", "edge", "--example", "endpoint"]);
    process::run(examples.args(build.flags()))?;
    let folder = checkout.built(build.profile()).join("examples");

    let (mut rows, mut within) = (Vec::new(), true);
    for &form in forms.each() {
        let shop = Shop::demo(&binary, form)?;
        let edge = Candidate::start("edge", &folder.join("edge"), &shop.grpc, CANDIDATE_CORE)?;
        let endpoint = Candidate::start("endpoint", &folder.join("endpoint"), &shop.grpc, CANDIDATE_CORE)?;
        for (_, process) in shop.processes() {
            pin(process, OTHER_CORE)?;
        }
        // Threads that are made from here on inherit it.
        pin(std::process::id(), OTHER_CORE)?;
        let time = Duration::from_secs(seconds);
        let candidates = [edge, endpoint];
        let results = super::runtime()?.block_on(compare(&shop, &candidates, rounds, time))?;
        for row in report(&candidates, &results)? {
            let form = [form.name().to_owned(), build.profile().to_owned()];
            rows.push(form.into_iter().chain(row).collect());
        }
        within &= ratio(&results) <= RATIO_MAX;
    }
    let heads = [
        "shop",
        "build",
        "candidate",
        "CPU s per 1,000",
        "req/s",
        "p50 ms",
        "p99 ms",
        "core used %",
        "peak RSS MB",
    ];
    table(&heads, &rows);
    println!("medians of the rounds; {CONNECTIONS} connections, each from an address of its own");
    Ok(within)
}

async fn compare(
    shop: &Shop,
    candidates: &[Candidate; 2],
    rounds: usize,
    time: Duration,
) -> Result<[Vec<Round>; 2], Error> {
    let places = places(shop).await?;
    let [edge, endpoint] = candidates;
    let (asked, got): (Vec<_>, Vec<_>) =
        places.iter().map(|place| (graphql(edge, place), rest(endpoint, place))).unzip();
    let (asked, bytes) = compared(edge, asked, endpoint, got).await?;
    let shots = [Arc::new(asked.0), Arc::new(asked.1)];
    println!("{} pages of {bytes} bytes on average are the same from both", places.len());

    let mut results: [Vec<Round>; 2] = [Vec::new(), Vec::new()];
    for (candidate, shots) in candidates.iter().zip(&shots) {
        fire(candidate.address, shots.clone(), CONNECTIONS, WARM_UP).await?;
    }
    for round in 1..=rounds {
        for ((candidate, shots), results) in candidates.iter().zip(&shots).zip(&mut results) {
            let before = candidate.cpu_seconds()?;
            let began = std::time::Instant::now();
            let durations = fire(candidate.address, shots.clone(), CONNECTIONS, time).await?;
            let took = began.elapsed();
            let cpu_seconds = candidate.cpu_seconds()? - before;
            println!("round {round}: {} answered {} requests", candidate.name, durations.len());
            let requests = durations.len();
            results.push(Round { requests, took, cpu_seconds, durations: Durations::new(durations) });
        }
    }
    Ok(results)
}

/// Cursors at which a page begins, all of which leave a whole page behind them.
async fn places(shop: &Shop) -> Result<Vec<String>, Error> {
    let client = Client::new(&shop.graphql, address(0xffff), Repeats::default())?;
    let mut places = Vec::new();
    for first in 1..=PLACES {
        let data = client.ask(CURSOR, json!({ "first": first })).await?;
        places.push(text(&data, "/products/pageInfo/endCursor")?.to_owned());
    }
    Ok(places)
}

/// The requests of both, once their answers are found equal; and how long an answer is on average.
async fn compared(
    edge: &Candidate,
    asked: Vec<Vec<u8>>,
    endpoint: &Candidate,
    got: Vec<Vec<u8>>,
) -> Result<((Vec<Shot>, Vec<Shot>), usize), Error> {
    let mut one = Connection::open(edge.address, 0).await?;
    let mut other = Connection::open(endpoint.address, 0).await?;
    let mut shots = (Vec::new(), Vec::new());
    let mut bytes = 0;
    for (graphql, rest) in asked.into_iter().zip(got) {
        let (by_edge, edge_length) = answer(&mut one, &graphql).await?;
        let (by_endpoint, endpoint_length) = answer(&mut other, &rest).await?;
        if by_edge != by_endpoint || list(&by_edge, "/data/products/nodes")?.len() != 20 {
            return Err(Error::Refused(format!("the answers differ:\n{by_edge}\n{by_endpoint}")));
        }
        bytes += edge_length;
        shots.0.push(Shot { request: graphql, body_length: edge_length });
        shots.1.push(Shot { request: rest, body_length: endpoint_length });
    }
    let average = bytes / shots.0.len().max(1);
    Ok((shots, average))
}

async fn answer(connection: &mut Connection, request: &[u8]) -> Result<(Value, usize), Error> {
    let body = connection.ask(request).await?;
    let read = serde_json::from_slice(body);
    let value = read.map_err(|error| Error::Refused(format!("an answer that is no JSON: {error}")))?;
    Ok((value, body.len()))
}

fn graphql(candidate: &Candidate, place: &str) -> Vec<u8> {
    let body = json!({ "query": QUERY, "variables": { "after": place } }).to_string();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\nx-shop-client: bench\r\n\
         content-length: {}\r\n\r\n",
        candidate.address,
        body.len()
    );
    (head + &body).into_bytes()
}

fn rest(candidate: &Candidate, place: &str) -> Vec<u8> {
    format!("GET /products?after={place} HTTP/1.1\r\nhost: {}\r\n\r\n", candidate.address).into_bytes()
}

/// Processor seconds of 1,000 requests.
fn cost(round: &Round) -> f64 {
    round.cpu_seconds / round.requests.max(1) as f64 * 1_000.0
}

/// A row for each candidate.
fn report(candidates: &[Candidate; 2], results: &[Vec<Round>; 2]) -> Result<Vec<Vec<String>>, Error> {
    let middle =
        |rounds: &[Round], figure: &dyn Fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    let row = |(candidate, rounds): (&Candidate, &Vec<Round>)| {
        let percentile = |percent: usize| {
            let seconds = middle(rounds, &|round| round.durations.percentile(percent).as_secs_f64());
            ms(Duration::from_secs_f64(seconds))
        };
        let busy = |round: &Round| round.cpu_seconds / round.took.as_secs_f64() * 100.0;
        Ok(vec![
            candidate.name.to_owned(),
            format!("{:.3}", middle(rounds, &cost)),
            format!("{:.0}", middle(rounds, &|round| per_second(round.requests, round.took))),
            percentile(50),
            percentile(99),
            format!("{:.0}", middle(rounds, &busy)),
            format!("{:.1}", candidate.peak_mb()?),
        ])
    };
    candidates.iter().zip(results).map(row).collect()
}

/// How many times the endpoint's processor time the edge takes.
fn ratio([edge, endpoint]: &[Vec<Round>; 2]) -> f64 {
    let ratios: Vec<f64> =
        edge.iter().zip(endpoint).map(|(edge, endpoint)| cost(edge) / cost(endpoint)).collect();
    let said: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
    let ratio = median(ratios);
    println!(
        "the edge costs {ratio:.2} times the endpoint's CPU (by round: {}); at most {RATIO_MAX} is the goal",
        said.join(", ")
    );
    ratio
}
