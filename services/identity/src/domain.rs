//! Accounts: who somebody is to the shop, and what he may do there. Pure: no clock, no store, no chance.

pub mod address;
pub mod key;
pub mod password;
pub mod rights;
pub mod session;
pub mod throttle;
pub mod token;

use std::str::FromStr;
use std::time::Duration;

use kit::{Currency, Id, Timestamp};

use rights::Rights;

/// Products on a wishlist, at most, and as many alerts.
pub const WISHLIST_MAX: usize = 500;
/// Stock that comes and goes within a day, as reservations do, has come back once.
pub const ALERT_REST: Duration = Duration::from_secs(24 * 60 * 60);
/// Security events kept per account; older ones make room.
pub const EVENTS_KEPT_MAX: u64 = 1_000;
const EMAIL_LENGTH_MAX: usize = 254;
const LOCAL_PART_LENGTH_MAX: usize = 64;
const LABEL_LENGTH_MAX: usize = 63;

pub type AccountId = Id<Account>;
/// Products are catalogue's; here they are only known by id.
pub type ProductId = Id<Product>;
pub struct Product;
pub type VariantId = Id<Variant>;
pub struct Variant;

/// Somebody with a password. An erased account is none: it has a tombstone row and is never loaded.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: AccountId,
    pub email: Email,
    pub email_verified: bool,
    pub name: Name,
    pub rights: Rights,
    pub preferences: Preferences,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub version: i64,
}

/// An e-mail address in lower case. It is a person's data, so debug output hides it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

#[derive(Clone, PartialEq, Eq, Default)]
pub struct Name {
    pub given: String,
    pub family: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// BCP 47.
    pub language: String,
    pub currency: Currency,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub marketing_mail: bool,
}

/// What an update may change; nothing where it leaves a value alone.
#[derive(Clone, Default)]
pub struct Changes {
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub language: Option<String>,
    pub currency: Option<Currency>,
    pub country: Option<String>,
    pub marketing_mail: Option<bool>,
}

/// A product that somebody wants to remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WishlistItem {
    pub product: ProductId,
    pub added: Timestamp,
    /// The variants whose return to stock is told by mail.
    pub alerts: Vec<VariantId>,
}

/// A variant whose return to stock somebody wants to be told of, in the words of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockAlert {
    pub product: ProductId,
    pub variant: VariantId,
    pub sku: String,
    pub product_title: String,
    pub variant_title: String,
    pub product_handle: String,
}

/// Why a mail with a link is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailKind {
    VerifyEmail,
    AlreadyRegistered,
    ResetPassword,
}

/// What the secret of a mailed link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    VerifyEmail,
    ResetPassword,
}

/// What happened around signing in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    LoggedIn,
    Refused,
    Throttled,
    LoggedOut,
    SessionRevoked,
    RefreshReused,
    PasswordChanged,
    PasswordReset,
    EmailVerified,
    RoleChanged,
}

/// An incident as the audit keeps it.
#[derive(Clone, Debug)]
pub struct LoginEvent {
    pub id: Id<LoginEvent>,
    pub incident: Incident,
    pub occurred: Timestamp,
    pub client: session::Client,
}

/// Why an account does not take a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("nobody gives or takes a right that he does not hold")]
    PermissionNotHeld,
    #[error("the shop would be left without an admin")]
    LastAdmin,
    #[error("an account has at most 50 addresses")]
    AddressLimit,
    #[error("a wishlist has at most 500 products and 500 alerts")]
    WishlistLimit,
}

/// The words never repeat the text: it may be somebody's address all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not an e-mail address")]
pub struct MalformedEmail;

impl Account {
    /// Takes the changes over; says whether anything is different now.
    pub fn change(&mut self, changes: &Changes, now: Timestamp) -> bool {
        let Changes { given_name, family_name, language, currency, country, marketing_mail } =
            changes.clone();
        let name = Name {
            given: given_name.unwrap_or_else(|| self.name.given.clone()),
            family: family_name.unwrap_or_else(|| self.name.family.clone()),
        };
        let preferences = Preferences {
            language: language.unwrap_or_else(|| self.preferences.language.clone()),
            currency: currency.unwrap_or(self.preferences.currency),
            country: country.unwrap_or_else(|| self.preferences.country.clone()),
            marketing_mail: marketing_mail.unwrap_or(self.preferences.marketing_mail),
        };
        if name == self.name && preferences == self.preferences {
            return false;
        }
        (self.name, self.preferences, self.updated) = (name, preferences, now);
        self.version = self.version.saturating_add(1);
        true
    }

    pub fn verify_email(&mut self, now: Timestamp) {
        (self.email_verified, self.updated) = (true, now);
        self.version = self.version.saturating_add(1);
    }

    pub fn give(&mut self, rights: Rights, now: Timestamp) {
        (self.rights, self.updated) = (rights, now);
        self.version = self.version.saturating_add(1);
    }
}

impl Preferences {
    /// Those of somebody who has not said any: the shop's own.
    pub fn of_the_shop() -> Option<Self> {
        let currency = "GBP".parse().ok()?;
        Some(Self { language: "en-GB".to_owned(), currency, country: "GB".to_owned(), marketing_mail: false })
    }
}

impl Email {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the @.
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }
}

impl FromStr for Email {
    type Err = MalformedEmail;

    /// Plain addresses only: no quoted local parts, no comments, nothing that could end a line of a mail's head.
    /// Names of other scripts come as punycode.
    fn from_str(text: &str) -> Result<Self, MalformedEmail> {
        let text = text.trim();
        let (local, domain) = text.split_once('@').ok_or(MalformedEmail)?;
        let local_fits = (1..=LOCAL_PART_LENGTH_MAX).contains(&local.len())
            && local
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte))
            && local.split('.').all(|atom| !atom.is_empty());
        let label_fits = |label: &str| {
            (1..=LABEL_LENGTH_MAX).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let domain_fits = domain.contains('.') && domain.split('.').all(label_fits);
        match local_fits && domain_fits && text.len() <= EMAIL_LENGTH_MAX {
            true => Ok(Self(text.to_ascii_lowercase())),
            false => Err(MalformedEmail),
        }
    }
}

impl std::fmt::Debug for Email {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Email(…)")
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Name(…)")
    }
}

impl MailKind {
    pub fn as_str(self) -> &'static str {
        match self {
            MailKind::VerifyEmail => "verify_email",
            MailKind::AlreadyRegistered => "already_registered",
            MailKind::ResetPassword => "reset_password",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::VerifyEmail, Self::AlreadyRegistered, Self::ResetPassword];
        all.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What the link in the mail does. Whoever registers a second time has most likely forgotten the password.
    pub fn purpose(self) -> Purpose {
        match self {
            MailKind::VerifyEmail => Purpose::VerifyEmail,
            MailKind::AlreadyRegistered | MailKind::ResetPassword => Purpose::ResetPassword,
        }
    }
}

impl Purpose {
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::VerifyEmail => "verify_email",
            Purpose::ResetPassword => "reset_password",
        }
    }

    /// How long a link works.
    pub fn life(self) -> Duration {
        match self {
            Purpose::VerifyEmail => Duration::from_secs(24 * 60 * 60),
            Purpose::ResetPassword => Duration::from_secs(30 * 60),
        }
    }
}

impl Incident {
    const ALL: [Incident; 10] = [
        Incident::LoggedIn,
        Incident::Refused,
        Incident::Throttled,
        Incident::LoggedOut,
        Incident::SessionRevoked,
        Incident::RefreshReused,
        Incident::PasswordChanged,
        Incident::PasswordReset,
        Incident::EmailVerified,
        Incident::RoleChanged,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Incident::LoggedIn => "logged_in",
            Incident::Refused => "refused",
            Incident::Throttled => "throttled",
            Incident::LoggedOut => "logged_out",
            Incident::SessionRevoked => "session_revoked",
            Incident::RefreshReused => "refresh_reused",
            Incident::PasswordChanged => "password_changed",
            Incident::PasswordReset => "password_reset",
            Incident::EmailVerified => "email_verified",
            Incident::RoleChanged => "role_changed",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|incident| incident.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_plain_or_it_is_refused() {
        let good = ["a@b.example", "Ada.Lovelace+shop@Mail.Example", "o'neil@x-y.example", " a@b.example "];
        let bad = [
            "",
            "@",
            "a@",
            "@b.example",
            "a@b",
            "a@b..example",
            "a@-b.example",
            "a@b-.example",
            ".a@b.example",
            "a..b@b.example",
            "a.@b.example",
            "a b@c.example",
            "a@b.example\r\nBcc: x@y.example",
            "a\n@b.example",
            "\"a\"@b.example",
            "a@b@c.example",
            "<a@b.example>",
            "a,b@c.example",
            "ä@b.example",
            "a@[127.0.0.1]",
        ];

        for text in good {
            assert!(text.parse::<Email>().is_ok(), "{text}");
        }
        for text in bad {
            assert!(text.parse::<Email>().is_err(), "{text}");
        }
        assert!(format!("{}@b.example", "a".repeat(65)).parse::<Email>().is_err());
        assert!(format!("a@{}.example", "b".repeat(64)).parse::<Email>().is_err());
    }

    #[test]
    fn an_address_is_the_same_in_capitals() {
        let one: Email = "Ada@Mail.Example".parse().unwrap();
        let other: Email = "ada@mail.example".parse().unwrap();

        assert_eq!(one, other);
        assert_eq!(one.local_part(), "ada");
        assert_eq!(format!("{one:?}"), "Email(…)");
    }

    proptest! {
        #[test]
        fn no_accepted_address_can_end_a_line_or_open_another(text in "\\PC{0,20}@\\PC{0,20}") {
            if let Ok(email) = text.parse::<Email>() {
                prop_assert!(email.as_str().bytes().all(|byte| byte.is_ascii_graphic() && byte != b'<' && byte != b','));
                prop_assert_eq!(email.as_str().matches('@').count(), 1);
            }
        }
    }

    #[test]
    fn every_incident_and_mail_is_read_as_it_was_written() {
        for incident in Incident::ALL {
            assert_eq!(Incident::named(incident.as_str()), Some(incident));
        }
        for kind in ["verify_email", "already_registered", "reset_password"] {
            assert_eq!(MailKind::named(kind).unwrap().as_str(), kind);
        }
    }
}
