//! Requests into values of the domain: what several methods read.

use kit::Id;
use kit::parse::Fields;
use mesh::status::Problem;
use proto::common as common_pb;
use proto::identity as pb;
use secrecy::SecretString;

use crate::domain::address::Place;
use crate::domain::password::{self, Password};
use crate::domain::rights::{Permission, Rights, Role};
use crate::domain::session::{Client, Network};
use crate::domain::{Email, Name, Preferences};
use crate::error::Error;

/// A refresh token or the secret of a link: 32 bytes in base64. More is not read.
const TOKEN_LENGTH_MAX: usize = 100;
const LANGUAGE_LENGTH_MAX: usize = 35;

pub type Parsed<T> = Result<T, Problem>;

pub fn id<T>(field: &str, value: &str) -> Parsed<Id<T>> {
    let mut fields = Fields::new();
    let id = fields.id(field, value);
    fields.build(|| id).map_err(Problem::invalid)
}

pub fn ids<T>(field: &str, values: &[String], at_least: usize, max: usize) -> Parsed<Vec<Id<T>>> {
    let mut fields = Fields::new();
    let ids = fields.ids(field, values, at_least..=max);
    fields.build(|| ids).map_err(Problem::invalid)
}

/// Nothing for an empty text.
pub fn optional_id<T>(field: &str, value: &str) -> Parsed<Option<Id<T>>> {
    match value {
        "" => Ok(None),
        value => id(field, value).map(Some),
    }
}

pub fn email(value: &str) -> Parsed<Email> {
    let mut fields = Fields::new();
    let email = fields.parsed("email", value);
    fields.build(|| email).map_err(Problem::invalid)
}

/// The text of a refresh token or of a link.
pub fn token(field: &str, value: &str) -> Parsed<String> {
    let mut fields = Fields::new();
    let token = fields.text(field, value, 1..=TOKEN_LENGTH_MAX);
    fields.build(|| token).map_err(Problem::invalid)
}

/// A password that somebody claims to have: nobody's is longer than one that can be chosen.
pub fn present(fields: &mut Fields, field: &str, value: String) -> Option<SecretString> {
    fields.count(field, value.chars().count(), 1..=password::LENGTH_MAX)?;
    Some(SecretString::from(value))
}

/// A password that somebody wants to have.
pub fn chosen(field: &'static str, value: String) -> Result<Password, Error> {
    Password::choose(SecretString::from(value)).map_err(|weakness| Error::PasswordWeak { field, weakness })
}

pub fn name(fields: &mut Fields, given: &str, family: &str) -> Option<Name> {
    let given = fields.text("given_name", given, 0..=100);
    let family = fields.text("family_name", family, 0..=100);
    Some(Name { given: given?, family: family? })
}

/// Those of the shop where nothing is said.
pub fn preferences(fields: &mut Fields, preferences: Option<&pb::Preferences>) -> Option<Preferences> {
    let ours = Preferences::of_the_shop()?;
    let Some(theirs) = preferences else { return Some(ours) };
    fields.within("preferences", |fields| {
        let language = match theirs.language.as_str() {
            "" => Some(ours.language),
            value => language(fields, "language", value),
        };
        let currency = match theirs.currency_code.as_str() {
            "" => Some(ours.currency),
            value => fields.currency("currency_code", value),
        };
        let country = match theirs.country_code.as_str() {
            "" => Some(ours.country),
            value => fields.country("country_code", value),
        };
        let marketing_mail = theirs.marketing_mail;
        Some(Preferences { language: language?, currency: currency?, country: country?, marketing_mail })
    })
}

/// A language tag by its shape: subtags of one to eight letters and digits, the first of letters alone.
pub fn language(fields: &mut Fields, field: &str, value: &str) -> Option<String> {
    let subtag =
        |text: &str| (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let first = value.split('-').next().unwrap_or_default();
    let fits = value.len() <= LANGUAGE_LENGTH_MAX
        && value.split('-').all(subtag)
        && first.len() >= 2
        && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    if !fits {
        fields.refuse(field, "must be a language tag such as en-GB");
        return None;
    }
    Some(value.to_owned())
}

pub fn rights(fields: &mut Fields, role: i32, permissions: &[i32]) -> Option<Rights> {
    let role = fields.choice("role", role).and_then(role_of);
    fields.count("permissions", permissions.len(), 0..=crate::domain::rights::PERMISSIONS.len())?;
    let mut listed = Vec::with_capacity(permissions.len());
    for (index, permission) in permissions.iter().enumerate() {
        let permission = fields.choice(&format!("permissions[{index}]"), *permission);
        listed.extend(permission.and_then(permission_of));
    }
    match Rights::new(role?, listed) {
        Ok(rights) => Some(rights),
        Err(error) => {
            fields.refuse("permissions", error.to_string());
            None
        }
    }
}

pub fn role_of(role: pb::Role) -> Option<Role> {
    match role {
        pb::Role::Unspecified => None,
        pb::Role::Customer => Some(Role::Customer),
        pb::Role::Staff => Some(Role::Staff),
        pb::Role::Admin => Some(Role::Admin),
    }
}

/// By name, as method rules name permissions: `PERMISSION_ORDERS_READ` is `orders.read`.
pub fn permission_of(permission: pb::Permission) -> Option<Permission> {
    let name = permission.as_str_name().strip_prefix("PERMISSION_")?.to_lowercase().replace('_', ".");
    Permission::named(&name)
}

/// The network that a client is in.
pub fn network(client: Option<&pb::Client>) -> Result<Network, Problem> {
    let mut fields = Fields::new();
    let client = self::client(&mut fields, client);
    fields.build(|| Some(client?.network)).map_err(Problem::invalid)
}

pub fn client(fields: &mut Fields, client: Option<&pb::Client>) -> Option<Client> {
    let Some(client) = client else { return Some(Client::default()) };
    fields.within("client", |fields| {
        let network = match client.ip_address.as_str() {
            "" => Some(Network::default()),
            address => fields.parsed("ip_address", address),
        };
        Some(Client::new(network?, &client.user_agent))
    })
}

pub fn place(fields: &mut Fields, address: Option<&common_pb::Address>) -> Option<Place> {
    let address = fields.present("address", address)?;
    fields.within("address", |fields| {
        let given_name = fields.text("given_name", &address.given_name, 1..=100);
        let family_name = fields.text("family_name", &address.family_name, 1..=100);
        let company = fields.text("company", &address.company, 0..=100);
        fields.count("lines", address.lines.len(), 1..=3)?;
        let lines = address.lines.iter().enumerate();
        let lines: Vec<_> =
            lines.map(|(index, line)| fields.text(&format!("lines[{index}]"), line, 1..=200)).collect();
        let city = fields.text("city", &address.city, 1..=100);
        let region = fields.text("region", &address.region, 0..=100);
        let postal_code = fields.text("postal_code", &address.postal_code, 0..=20);
        let country = fields.country("country_code", &address.country_code);
        let phone = fields.text("phone", &address.phone, 0..=40);
        Some(Place {
            given_name: given_name?,
            family_name: family_name?,
            company: company?,
            lines: lines.into_iter().collect::<Option<_>>()?,
            city: city?,
            region: region?,
            postal_code: postal_code?,
            country: country?,
            phone: phone?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rights::PERMISSIONS;

    #[test]
    fn the_contract_and_the_domain_know_the_same_permissions() {
        let of_the_contract: Vec<_> =
            (1..=100).filter_map(|number| pb::Permission::try_from(number).ok()).collect();
        let names: Vec<_> = of_the_contract.iter().map(|one| permission_of(*one).unwrap().as_str()).collect();

        assert_eq!(names, PERMISSIONS);
    }

    #[test]
    fn a_language_has_the_shape_of_a_tag() {
        let read = |value: &str| language(&mut Fields::new(), "language", value).is_some();

        assert!(["en", "en-GB", "zh-Hant-TW", "de-CH-1996"].into_iter().all(read));
        assert!(
            ["e", "en_GB", "en-", "-en", "12", "en-languages", "en\r\n"].into_iter().all(|tag| !read(tag))
        );
    }
}
