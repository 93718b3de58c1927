//! `shop verify`: looks at the stores of a shop that has gone quiet, and says of every invariant whether it holds.

mod books;

use std::error::Error;
use std::path::Path;

use audit::{Check, NEWS};
use kit::{Clock, Database, Timestamp};
use payments::simulated;

use self::books::Books;
use super::{Failure, provider};
use crate::config::{Verify, database_url};
use crate::places::SERVICES;

/// Of the rows that break a promise, so many are named.
const NAMED_MAX: usize = 20;

type Looked = Result<Vec<Check>, Box<dyn Error + Send + Sync>>;

/// Checks all that can be checked, prints a line for each promise, and fails when one is broken.
pub async fn run(arguments: &Verify) -> Result<(), Failure> {
    let now = Clock::system().now();
    let mut broken = 0;
    let mut looked = 0;
    let mut note = |place: &str, checks: Vec<Check>| {
        for check in checks {
            looked += 1;
            broken += usize::from(!check.broken.is_empty());
            println!("{}", line(place, &check));
        }
    };
    let stores = open(arguments).await?;
    for (service, store) in &stores {
        let checks = verify(service, store, now).await.map_err(|error| unreadable(service, &*error))?;
        note(service, checks);
    }
    match books(arguments, &stores).await? {
        Some(books) => note("together", books.compare()),
        None => println!(
            "not checked  together: the provider keeps its books elsewhere; --provider-data names the folder"
        ),
    }
    match broken {
        0 => {
            println!("{looked} promises kept");
            Ok(())
        }
        _ => Err(Failure::new(format!("{broken} of {looked} promises are broken"))),
    }
}

/// What can be seen from one store.
async fn verify(service: &str, store: &Database, now: Timestamp) -> Looked {
    let mut checks = match service {
        inventory::NAME => inventory::verify(store, now).await?,
        pricing::NAME => pricing::verify(store, now).await?,
        payments::NAME => payments::verify(store, now).await?,
        orders::NAME => orders::verify(store, now).await?,
        // What the others own has no invariant beyond what their tables enforce.
        _ => Vec::new(),
    };
    checks.push(NEWS.check(store, now).await?);
    Ok(checks)
}

/// The stores of all services, for reading.
async fn open(arguments: &Verify) -> Result<Vec<(&'static str, Database)>, Failure> {
    let mut stores = Vec::new();
    for service in SERVICES {
        let file = arguments.data.data.join(format!("{service}.db"));
        let store = match database_url(service) {
            (_, Some(url)) => read(service, &url).await?,
            (_, None) if file.is_file() => read(service, &url(&file)).await?,
            (variable, None) => {
                return Err(Failure::new(format!(
                    "there is no {}; name the folder of a shop with --data, or a database with {variable}",
                    file.display()
                )));
            }
        };
        stores.push((service, store));
    }
    Ok(stores)
}

/// What orders, inventory, payments and the provider each say of the same things; nothing without the provider's books.
async fn books(arguments: &Verify, stores: &[(&'static str, Database)]) -> Result<Option<Books>, Failure> {
    let folder = arguments.provider_data.as_deref().unwrap_or(&arguments.data.data);
    let file = folder.join(format!("{}.db", provider::DATABASE));
    if !file.is_file() {
        return Ok(None);
    }
    let ledger = read("provider", &url(&file)).await?;
    let store = |name: &str| stores.iter().find(|(service, _)| *service == name).map(|(_, store)| store);
    let (Some(inventory), Some(payments), Some(orders)) =
        (store(inventory::NAME), store(payments::NAME), store(orders::NAME))
    else {
        return Ok(None);
    };
    let all = async {
        Ok::<_, Box<dyn Error + Send + Sync>>(Books {
            sold: inventory::sold(inventory).await?,
            known: payments::known(payments).await?,
            sales: orders::sales(orders).await?,
            booked: simulated::booked(&ledger).await?,
        })
    };
    all.await.map(Some).map_err(|error| unreadable("books", &*error))
}

async fn read(name: &str, url: &str) -> Result<Database, Failure> {
    Database::open(url)
        .await
        .map_err(|error| Failure::caused(format!("the database of {name} cannot be opened"), &error))
}

fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

fn unreadable(what: &str, error: &dyn Error) -> Failure {
    Failure::caused(format!("the tables of {what} cannot be read"), error)
}

fn line(place: &str, check: &Check) -> String {
    let Check { invariant, promise, checked, broken } = check;
    if broken.is_empty() {
        return format!("kept    {invariant:<7} {place:<12} {checked:>8}  {promise}");
    }
    let named: Vec<&str> = broken.iter().take(NAMED_MAX).map(String::as_str).collect();
    let rest = match broken.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    let count = broken.len();
    format!("BROKEN  {invariant:<7} {place:<12} {count:>8}  {promise}: {}{rest}", named.join(", "))
}
