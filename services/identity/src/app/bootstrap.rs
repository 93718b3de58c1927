//! Accounts that are made on the database itself, by commands, before there is anybody who could be asked.

use kit::{Clock, Database};
use mesh::Role;
use secrecy::SecretString;
use uuid::Uuid;

use super::accounts::Newcomer;
use super::hashing;
use crate::domain::password::Password;
use crate::domain::rights::{self, Permission, Rights};
use crate::domain::{Email, Name, Preferences};
use crate::error::Error;
use crate::store::Store;

/// An account to make.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Where mails go, and the name to log in with.
    pub email: String,
    /// 10 to 128 characters. It may be known to everybody: personas of a development shop have such ones.
    pub password: SecretString,
    /// Given name and family name.
    pub name: (String, String),
    /// What the account is.
    pub role: Role,
    /// What a member of staff may do.
    pub permissions: Vec<String>,
    /// Whether the address counts as verified.
    pub verified: bool,
}

/// Why an account is not made; the words are for whoever ran the command.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The address has one.
    #[error("this e-mail address has an account already")]
    EmailTaken,
    /// What was given cannot be an account.
    #[error("{field} {reason}")]
    Invalid {
        /// What is wrong.
        field: &'static str,
        /// Why.
        reason: String,
    },
    /// The store failed.
    #[error("the account cannot be written")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Makes the first admin (`shop admin create`), verified, with a password that the rules of registering take.
pub async fn create_admin(
    database: &Database,
    clock: &Clock,
    email: &str,
    password: SecretString,
) -> Result<Uuid, CreateError> {
    let address: Email = email.parse().map_err(|error| invalid("email", error))?;
    let strong = Password::choose(password.clone()).and_then(|password| password.apart_from(&address));
    strong.map_err(|weakness| invalid("password", weakness))?;
    let account = NewAccount {
        email: email.to_owned(),
        password,
        name: (String::new(), String::new()),
        role: Role::Admin,
        permissions: Vec::new(),
        verified: true,
    };
    create_account(database, clock, account).await
}

/// Makes an account as it is given, and answers its id. Its password need only have the right length.
pub async fn create_account(
    database: &Database,
    clock: &Clock,
    new: NewAccount,
) -> Result<Uuid, CreateError> {
    let email: Email = new.email.parse().map_err(|error| invalid("email", error))?;
    let password = Password::known(new.password).map_err(|weakness| invalid("password", weakness))?;
    let rights = rights(new.role, &new.permissions)?;
    let (given, family) = new.name;
    let preferences = Preferences::of_the_shop().ok_or_else(|| invalid("preferences", "are not known"))?;
    let newcomer = Newcomer { email, password, name: Name { given, family }, preferences };
    let secret = newcomer.password.secret().clone();
    let hash = tokio::task::spawn_blocking(move || hashing::hash(&secret)).await;
    let hash = hash.map_err(|error| CreateError::Failed(error.into()))?.map_err(failed)?;
    let account = newcomer.account(rights, new.verified, clock.now());
    Store::new(database.clone()).create(&account, &hash).await.map_err(failed)?;
    Ok(account.id.as_uuid())
}

fn rights(role: Role, permissions: &[String]) -> Result<Rights, CreateError> {
    let role = match role {
        Role::Customer => rights::Role::Customer,
        Role::Staff => rights::Role::Staff,
        Role::Admin => rights::Role::Admin,
    };
    let listed = permissions.iter().map(|name| Permission::named(name));
    let listed = listed.collect::<Option<Vec<_>>>();
    let listed = listed.ok_or_else(|| invalid("permissions", "name one that does not exist"))?;
    Rights::new(role, listed).map_err(|error| invalid("permissions", error))
}

fn invalid(field: &'static str, reason: impl ToString) -> CreateError {
    CreateError::Invalid { field, reason: reason.to_string() }
}

fn failed(error: Error) -> CreateError {
    match error {
        Error::EmailTaken => CreateError::EmailTaken,
        other => CreateError::Failed(other.into()),
    }
}
