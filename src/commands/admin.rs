//! `shop admin`: staff accounts before there is anybody who could make them.

use kit::Clock;

use super::Failure;
use crate::config::AdminAccount;
use crate::data::DataFolder;

/// Makes an admin account in the data folder of a shop that is not running.
pub async fn create(account: &AdminAccount) -> Result<(), Failure> {
    let folder = DataFolder::open(&account.data.data)?;
    let database = folder.database(identity::NAME).await?;
    identity::migrate(&database)
        .await
        .map_err(|error| Failure::caused("the tables cannot be brought up to date", &error))?;
    identity::create_admin(&database, &Clock::system(), &account.email, account.password.clone().into())
        .await
        .map_err(|error| Failure::caused("the account was not made", &error))?;
    println!("{} may now sign in as an admin", account.email);
    Ok(())
}
