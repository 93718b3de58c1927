//! Rows, and how they turn into accounts, sessions and the rest.

use kit::Id;
use sea_orm::DbErr;

use crate::domain::address::{Address, Place};
use crate::domain::rights::{Permission, Rights, Role};
use crate::domain::session::{Client, Network, Session};
use crate::domain::{Account, AccountId, Incident, LoginEvent, Name, Preferences, WishlistItem};

pub mod account {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "accounts")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub email: Option<String>,
        pub email_verified: bool,
        pub given_name: String,
        pub family_name: String,
        pub role: String,
        pub permissions: String,
        pub language: String,
        pub currency_code: String,
        pub country_code: String,
        pub marketing_mail: bool,
        pub created: ChronoDateTimeUtc,
        pub updated: ChronoDateTimeUtc,
        pub version: i64,
        pub event_version: i64,
        pub erased: Option<ChronoDateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod session {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "sessions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub account_id: Uuid,
        pub created: ChronoDateTimeUtc,
        pub refreshed: ChronoDateTimeUtc,
        pub expires: ChronoDateTimeUtc,
        pub ended: Option<ChronoDateTimeUtc>,
        pub user_agent: String,
        pub network: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod login_event {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "login_events")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub account_id: Option<Uuid>,
        pub incident: String,
        pub occurred: ChronoDateTimeUtc,
        pub user_agent: String,
        pub network: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod address {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "addresses")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub account_id: Uuid,
        pub is_default: bool,
        pub given_name: String,
        pub family_name: String,
        pub company: String,
        /// One below the other.
        pub lines: String,
        pub city: String,
        pub region: String,
        pub postal_code: String,
        pub country_code: String,
        pub phone: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod wishlist_item {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "wishlist_items")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub account_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub product_id: Uuid,
        pub added: ChronoDateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod signing_key {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "signing_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub generation: i64,
        pub salt: Vec<u8>,
        pub public_key: Vec<u8>,
        pub active_from: ChronoDateTimeUtc,
        pub not_after: ChronoDateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl account::Model {
    pub fn of(account: &Account) -> Self {
        Self {
            id: account.id.as_uuid(),
            email: Some(account.email.as_str().to_owned()),
            email_verified: account.email_verified,
            given_name: account.name.given.clone(),
            family_name: account.name.family.clone(),
            role: account.rights.role().as_str().to_owned(),
            permissions: permissions(&account.rights),
            language: account.preferences.language.clone(),
            currency_code: account.preferences.currency.as_str().to_owned(),
            country_code: account.preferences.country.clone(),
            marketing_mail: account.preferences.marketing_mail,
            created: account.created,
            updated: account.updated,
            version: account.version,
            event_version: 0,
            erased: None,
        }
    }

    /// The account of a row. A value that no account can have means that somebody else wrote the table.
    pub fn account(self) -> Result<Account, DbErr> {
        let malformed = || DbErr::Type(format!("account {} is malformed", self.id));
        let role = Role::named(&self.role).ok_or_else(malformed)?;
        let listed = self.permissions.split_whitespace().map(Permission::named);
        let listed = listed.collect::<Option<Vec<_>>>().ok_or_else(malformed)?;
        Ok(Account {
            id: AccountId::from_uuid(self.id),
            email: self.email.as_deref().and_then(|email| email.parse().ok()).ok_or_else(malformed)?,
            email_verified: self.email_verified,
            rights: Rights::new(role, listed).map_err(|_| malformed())?,
            preferences: Preferences {
                currency: self.currency_code.parse().map_err(|_| malformed())?,
                language: self.language,
                country: self.country_code,
                marketing_mail: self.marketing_mail,
            },
            name: Name { given: self.given_name, family: self.family_name },
            created: self.created,
            updated: self.updated,
            version: self.version,
        })
    }
}

/// As the column has them.
pub fn permissions(rights: &Rights) -> String {
    rights.permissions().map(Permission::as_str).collect::<Vec<_>>().join(" ")
}

impl From<session::Model> for Session {
    fn from(row: session::Model) -> Self {
        Self {
            id: Id::from_uuid(row.id),
            account: Id::from_uuid(row.account_id),
            created: row.created,
            refreshed: row.refreshed,
            expires: row.expires,
            client: Client { network: Network::kept(row.network), user_agent: row.user_agent },
        }
    }
}

impl login_event::Model {
    pub fn login_event(self) -> Result<LoginEvent, DbErr> {
        let incident = Incident::named(&self.incident)
            .ok_or_else(|| DbErr::Type(format!("login event {} is malformed", self.id)))?;
        Ok(LoginEvent {
            id: Id::from_uuid(self.id),
            incident,
            occurred: self.occurred,
            client: Client { network: Network::kept(self.network), user_agent: self.user_agent },
        })
    }
}

impl address::Model {
    pub fn of(account: AccountId, address: &Address) -> Self {
        let place = address.place.clone();
        Self {
            id: address.id.as_uuid(),
            account_id: account.as_uuid(),
            is_default: address.is_default,
            given_name: place.given_name,
            family_name: place.family_name,
            company: place.company,
            lines: place.lines.join("\n"),
            city: place.city,
            region: place.region,
            postal_code: place.postal_code,
            country_code: place.country,
            phone: place.phone,
        }
    }
}

impl From<address::Model> for Address {
    fn from(row: address::Model) -> Self {
        Self {
            id: Id::from_uuid(row.id),
            place: Place {
                given_name: row.given_name,
                family_name: row.family_name,
                company: row.company,
                lines: row.lines.lines().map(str::to_owned).collect(),
                city: row.city,
                region: row.region,
                postal_code: row.postal_code,
                country: row.country_code,
                phone: row.phone,
            },
            is_default: row.is_default,
        }
    }
}

impl From<wishlist_item::Model> for WishlistItem {
    fn from(row: wishlist_item::Model) -> Self {
        Self { product: Id::from_uuid(row.product_id), added: row.added, alerts: Vec::new() }
    }
}

impl From<signing_key::Model> for crate::domain::key::Key {
    fn from(row: signing_key::Model) -> Self {
        Self {
            id: row.id,
            generation: row.generation,
            salt: row.salt,
            public: row.public_key,
            active_from: row.active_from,
            not_after: row.not_after,
        }
    }
}
