//! Address book, wishlist, and the copy of everything.

use kit::{Listed, Page, RequestKey};
use mesh::Caller;
use serde_json::{Value, json};

use super::{Identity, signed_in};
use crate::domain::address::{Address, AddressId};
use crate::domain::rights::Permission;
use crate::domain::session::Session;
use crate::domain::{Account, LoginEvent, ProductId, StockAlert, WishlistItem};
use crate::error::Error;

impl Identity {
    pub async fn addresses(&self, caller: &Caller, page: &Page) -> Result<Listed<Address>, Error> {
        self.store.addresses(signed_in(caller)?.0, page).await
    }

    pub async fn add_address(
        &self,
        caller: &Caller,
        key: &RequestKey,
        address: Address,
    ) -> Result<Address, Error> {
        self.store.add_address(key, signed_in(caller)?.0, address).await
    }

    pub async fn replace_address(
        &self,
        caller: &Caller,
        key: &RequestKey,
        address: Address,
    ) -> Result<Address, Error> {
        self.store.replace_address(key, signed_in(caller)?.0, address).await
    }

    pub async fn remove_address(
        &self,
        caller: &Caller,
        key: &RequestKey,
        id: AddressId,
    ) -> Result<(), Error> {
        self.store.remove_address(key, signed_in(caller)?.0, id).await
    }

    pub async fn wishlist(&self, caller: &Caller, page: &Page) -> Result<Listed<WishlistItem>, Error> {
        self.store.wishlist(signed_in(caller)?.0, page).await
    }

    pub async fn add_wishes(
        &self,
        caller: &Caller,
        key: &RequestKey,
        products: &[ProductId],
        alerts: &[StockAlert],
    ) -> Result<Vec<WishlistItem>, Error> {
        self.store.add_wishes(key, signed_in(caller)?.0, products, alerts, self.clock.now()).await
    }

    pub async fn remove_wishes(
        &self,
        caller: &Caller,
        key: &RequestKey,
        products: &[ProductId],
    ) -> Result<(), Error> {
        self.store.remove_wishes(key, signed_in(caller)?.0, products).await
    }

    /// Everything that is kept about the caller, in words that a person can read.
    pub async fn export(&self, caller: &Caller) -> Result<Vec<u8>, Error> {
        let (account, _) = signed_in(caller)?;
        let export = self.store.export(account).await?;
        let document = json!({
            "account": shown_account(&export.account),
            "sessions": export.sessions.iter().map(shown_session).collect::<Vec<_>>(),
            "loginEvents": export.login_events.iter().map(shown_event).collect::<Vec<_>>(),
            "addresses": export.addresses.iter().map(shown_address).collect::<Vec<_>>(),
            "wishlist": export.wishlist.iter().map(shown_item).collect::<Vec<_>>(),
        });
        Ok(format!("{document:#}").into_bytes())
    }
}

fn shown_account(account: &Account) -> Value {
    json!({
        "id": account.id.to_string(),
        "email": account.email.as_str(),
        "emailVerified": account.email_verified,
        "givenName": account.name.given,
        "familyName": account.name.family,
        "role": account.rights.role().as_str(),
        "permissions": account.rights.permissions().map(Permission::as_str).collect::<Vec<_>>(),
        "preferences": {
            "language": account.preferences.language,
            "currencyCode": account.preferences.currency.as_str(),
            "countryCode": account.preferences.country,
            "marketingMail": account.preferences.marketing_mail,
        },
        "created": account.created.to_rfc3339(),
        "updated": account.updated.to_rfc3339(),
    })
}

fn shown_session(session: &Session) -> Value {
    json!({
        "id": session.id.to_string(),
        "created": session.created.to_rfc3339(),
        "refreshed": session.refreshed.to_rfc3339(),
        "expires": session.expires.to_rfc3339(),
        "userAgent": session.client.user_agent,
        "network": session.client.network.as_str(),
    })
}

fn shown_event(event: &LoginEvent) -> Value {
    json!({
        "id": event.id.to_string(),
        "incident": event.incident.as_str(),
        "occurred": event.occurred.to_rfc3339(),
        "userAgent": event.client.user_agent,
        "network": event.client.network.as_str(),
    })
}

fn shown_address(address: &Address) -> Value {
    let place = &address.place;
    json!({
        "id": address.id.to_string(),
        "isDefault": address.is_default,
        "givenName": place.given_name,
        "familyName": place.family_name,
        "company": place.company,
        "lines": place.lines,
        "city": place.city,
        "region": place.region,
        "postalCode": place.postal_code,
        "countryCode": place.country,
        "phone": place.phone,
    })
}

fn shown_item(item: &WishlistItem) -> Value {
    json!({
        "productId": item.product.to_string(),
        "added": item.added.to_rfc3339(),
        "alertVariantIds": item.alerts.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
