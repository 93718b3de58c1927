//! `cargo xtask bench start`: how soon a shop that has been started before answers, and what it holds while nobody asks;
//! with the demo catalogue, and with 100,000 variants beside it.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::buying::address;
use super::client::{Client, Repeats, list};
use super::figures::{median, ms, table};
use super::shop::{self, Shop};
use super::{Build, kernel};
use crate::checkout::Checkout;
use crate::process::{self, Error, file_error};

/// What `shop up` prints for the demo's member of staff.
const STAFF_PASSWORD: &str = "staff-demo-pass";
/// Variants of the large catalogue, so many to a product.
const VARIANTS: usize = 100_000;
const VARIANTS_OF_A_PRODUCT: usize = 20;
/// Starts of which the median counts.
const STARTS: usize = 3;
/// What was needed to start is given back in this time.
const REST: Duration = Duration::from_secs(20);
/// Processor seconds that a shop without work uses in that time, at most.
const IDLE_SECONDS_MAX: f64 = 0.5;
const SETTLING_TIME_MAX: Duration = Duration::from_secs(600);
const FIRST_QUESTION: &str = "{ products(first: 20) { nodes { handle title } } }";

/// The aims: a second to the first answer, 100 MB at rest.
const ANSWER_MS_MAX: f64 = 1_000.0;
const REST_MB_MAX: f64 = 100.0;

/// Measures; true when the aims are reached. Without optimisation there is no aim.
pub(crate) fn run(checkout: &Checkout, build: &Build) -> Result<bool, Error> {
    let binary = shop::build(checkout, build)?;
    let place = tempfile::tempdir().map_err(|source| file_error(&std::env::temp_dir(), "used", source))?;
    let data = place.path().join("data");
    // The first start puts the demo in.
    drop(start(&binary, &data)?);
    let demo = measure(&binary, &data)?;
    let imported = import(&binary, &data, place.path())?;
    let large = measure(&binary, &data)?;

    let row = |name: &str, figures: &Figures| {
        vec![
            build.profile().to_owned(),
            name.to_owned(),
            format!("{:.0}", figures.answer_ms),
            format!("{:.0}", figures.rest_mb),
            format!("{:.0}", figures.own_mb),
        ]
    };
    let heads = ["build", "catalogue", "first answer after ms", "RSS at rest MB", "without files MB"];
    table(&heads, &[row("demo", &demo), row(&format!("demo and {VARIANTS} variants"), &large)]);
    println!(
        "median of {STARTS} starts on an existing folder; at rest: {} s after the answer; the import took {} ms",
        REST.as_secs(),
        ms(imported)
    );
    let reached =
        [demo, large].iter().all(|seen| seen.answer_ms < ANSWER_MS_MAX && seen.rest_mb < REST_MB_MAX);
    Ok(reached || build.debug)
}

struct Figures {
    answer_ms: f64,
    rest_mb: f64,
    own_mb: f64,
}

fn start(binary: &Path, data: &Path) -> Result<Shop, Error> {
    let mut command = shop::command(binary);
    command.args(["up", "--log", "error"]).arg("--data").arg(data);
    Shop::start(command)
}

fn measure(binary: &Path, data: &Path) -> Result<Figures, Error> {
    let mut answers = Vec::new();
    let (mut rests, mut owns) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let began = Instant::now();
        let shop = start(binary, data)?;
        super::runtime()?.block_on(ask(&shop))?;
        answers.push(began.elapsed().as_secs_f64() * 1_000.0);
        rest();
        for (_, memory) in shop.memory()? {
            rests.push(memory.resident);
            owns.push(memory.own);
        }
    }
    Ok(Figures { answer_ms: median(answers), rest_mb: median(rests), own_mb: median(owns) })
}

/// The first page that a visitor sees.
async fn ask(shop: &Shop) -> Result<(), Error> {
    let client = Client::new(&shop.graphql, address(0), Repeats::default())?;
    let data = client.ask(FIRST_QUESTION, json!({})).await?;
    match list(&data, "/products/nodes")?.is_empty() {
        true => Err(Error::Refused("the shop shows no product".to_owned())),
        false => Ok(()),
    }
}

/// Puts the large catalogue in, by the command that anybody would use.
fn import(binary: &Path, data: &Path, place: &Path) -> Result<Duration, Error> {
    let file = place.join("large.csv");
    write_catalogue(&file).map_err(|source| file_error(&file, "written", source))?;
    let shop = start(binary, data)?;
    let began = Instant::now();
    let mut import = shop::command(binary);
    import.args(["import", "catalogue", "--url", &shop.grpc]).arg(&file);
    process::read(import.env("SHOP_STAFF_PASSWORD", STAFF_PASSWORD))?;
    let took = began.elapsed();
    settle(&shop)?;
    Ok(took)
}

/// Waits until what follows from an import (the index, news of stock) is done: the shop then has nothing to do.
fn settle(shop: &Shop) -> Result<(), Error> {
    let used = || -> Result<f64, Error> {
        shop.processes().into_iter().map(|(_, process)| kernel::cpu_seconds(process)).sum()
    };
    let began = Instant::now();
    let mut before = used()?;
    while began.elapsed() < SETTLING_TIME_MAX {
        rest();
        let now = used()?;
        if now - before < IDLE_SECONDS_MAX {
            return Ok(());
        }
        before = now;
    }
    Err(Error::Refused(format!("the shop is still busy {} s after the import", SETTLING_TIME_MAX.as_secs())))
}

fn write_catalogue(file: &Path) -> std::io::Result<()> {
    let mut file = BufWriter::new(fs::File::create(file)?);
    writeln!(file, "Title,URL handle,Status,SKU,Option1 name,Option1 value,Price,Inventory quantity")?;
    for number in 0..VARIANTS {
        let (product, variant) = (number / VARIANTS_OF_A_PRODUCT, number % VARIANTS_OF_A_PRODUCT);
        let (title, name) = match variant {
            0 => (format!("Large product {product}"), "Size"),
            _ => (String::new(), ""),
        };
        let pounds = 5 + product % 90;
        writeln!(
            file,
            "{title},large-product-{product},active,LARGE-{number},{name},Size {variant},{pounds}.00,10"
        )?;
    }
    file.flush()
}

#[allow(clippy::disallowed_methods, reason = "this program has nothing else to do")]
fn rest() {
    thread::sleep(REST);
}
