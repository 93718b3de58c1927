//! `shop migrate`: tables, brought up to date.

use kit::Database;

use super::Failure;
use crate::config::{Migrate, database_url};
use crate::data::DataFolder;
use crate::places::{self, SERVICES};

/// Brings the tables of the named services up to date, or of all.
pub async fn run(arguments: &Migrate) -> Result<(), Failure> {
    let mut services = SERVICES.to_vec();
    if !arguments.names.is_empty() {
        services = arguments.names.iter().map(|name| places::named(name)).collect::<Result<_, _>>()?;
    }
    let mut folder = None;
    for service in services {
        if service == search::NAME {
            println!("{service} has no tables: it builds its index itself");
            continue;
        }
        let (store, place) = match database_url(service) {
            (variable, Some(url)) => {
                let store = Database::open(&url).await.map_err(|error| {
                    Failure::caused(format!("the database that {variable} names cannot be used"), &error)
                })?;
                (store, variable)
            }
            (_, None) => {
                let folder = match folder.take() {
                    Some(open) => folder.insert(open),
                    None => folder.insert(DataFolder::open(&arguments.data.data)?),
                };
                (folder.database(service).await?, folder.path().display().to_string())
            }
        };
        places::migrate(service, &store).await?;
        println!("the tables of {service} in {place} are up to date");
    }
    Ok(())
}
