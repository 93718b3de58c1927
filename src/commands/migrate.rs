//! `shop migrate`: tables, brought up to date.

use super::Failure;
use crate::config::Data;
use crate::data::DataFolder;
use crate::places::{self, SERVICES};

/// Brings the tables of every service in the data folder up to date.
pub async fn run(arguments: &Data) -> Result<(), Failure> {
    let folder = DataFolder::open(&arguments.data)?;
    for service in SERVICES {
        places::migrate(service, &folder.database(service).await?).await?;
    }
    println!("the tables of all services in {} are up to date", folder.path().display());
    Ok(())
}
