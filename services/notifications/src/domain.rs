//! The kinds of mail, what a letter says, and when one that did not go is tried again.

pub mod letter;
pub mod line;
pub mod storefront;

use std::time::Duration;

use kit::{Id, Timestamp};
use sha2::{Digest, Sha256};
use uuid::Uuid;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The pause after a first attempt; each further one doubles it.
const BACKOFF_MIN: Duration = Duration::from_secs(5);
/// Servers that greylist take a mail back after five minutes or so.
const BACKOFF_MAX: Duration = Duration::from_secs(10 * 60);

/// An account, as this service knows it: an id of somebody else's thing.
pub enum Account {}

pub type AccountId = Id<Account>;

/// A kind of mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    AlreadyRegistered,
    BackInStock,
    OrderCancelled,
    OrderPlaced,
    OrderRefunded,
    OrderShipped,
    PasswordChanged,
    ResetPassword,
    VerifyEmail,
}

/// All kinds, by name.
pub const TEMPLATES: [Template; 9] = [
    Template::AlreadyRegistered,
    Template::BackInStock,
    Template::OrderCancelled,
    Template::OrderPlaced,
    Template::OrderRefunded,
    Template::OrderShipped,
    Template::PasswordChanged,
    Template::ResetPassword,
    Template::VerifyEmail,
];

/// A mail as it goes out. Its head is made of what the shop itself chose, but for the address.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// Names the file of a mail that lands in a folder.
    pub event: Uuid,
    /// The same for every attempt, so that a program that gets the mail twice shows it once.
    pub message_id: String,
    /// Not yet parsed: it may be no address at all.
    pub to: String,
    /// When its cause happened.
    pub date: Timestamp,
    /// One line.
    pub subject: String,
    /// For programs that show no HTML.
    pub text: String,
    /// The same as a page.
    pub html: String,
}

/// What comes after an attempt that failed for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Again(Timestamp),
    /// What the mail says is of no use to anybody any more.
    TooLate,
}

impl Template {
    pub fn name(self) -> &'static str {
        match self {
            Template::AlreadyRegistered => "already-registered",
            Template::BackInStock => "back-in-stock",
            Template::OrderCancelled => "order-cancelled",
            Template::OrderPlaced => "order-placed",
            Template::OrderRefunded => "order-refunded",
            Template::OrderShipped => "order-shipped",
            Template::PasswordChanged => "password-changed",
            Template::ResetPassword => "reset-password",
            Template::VerifyEmail => "verify-email",
        }
    }

    pub fn named(name: &str) -> Option<Template> {
        TEMPLATES.into_iter().find(|template| template.name() == name)
    }

    /// When it is sent.
    pub fn description(self) -> &'static str {
        match self {
            Template::AlreadyRegistered => {
                "Somebody registers with an address that has an account: its link sets a new password."
            }
            Template::BackInStock => "A variant that an account asked to be told of can be bought again.",
            Template::OrderCancelled => "An order is cancelled.",
            Template::OrderPlaced => "An order is placed: its lines and totals.",
            Template::OrderRefunded => "Money goes back to the customer.",
            Template::OrderShipped => "A shipment leaves: what is in it, and how to follow it.",
            Template::PasswordChanged => "The password of an account is another one now.",
            Template::ResetPassword => "Somebody has forgotten a password: its link sets a new one.",
            Template::VerifyEmail => "An account is opened, or asks again: its link verifies the address.",
        }
    }

    /// For how long after its cause a mail is worth sending: a link that has expired helps nobody.
    pub fn useful_for(self) -> Duration {
        match self {
            Template::AlreadyRegistered | Template::ResetPassword => 30 * MINUTE,
            Template::VerifyEmail | Template::BackInStock => 24 * HOUR,
            Template::OrderCancelled
            | Template::OrderPlaced
            | Template::OrderRefunded
            | Template::OrderShipped
            | Template::PasswordChanged => 3 * DAY,
        }
    }

    /// What to do after so many attempts without success, the last one now.
    pub fn next(self, attempts: i64, caused: Timestamp, now: Timestamp) -> Next {
        let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        let wait = BACKOFF_MIN.saturating_mul(2_u32.saturating_pow(doublings)).min(BACKOFF_MAX);
        match now + wait <= caused + self.useful_for() {
            true => Next::Again(now + wait),
            false => Next::TooLate,
        }
    }
}

impl Mail {
    /// The id of the message about an event to an address, at the host of the sender.
    pub fn message_id(event: Uuid, to: &str, host: &str) -> String {
        let hash = Sha256::digest(format!("{event}\n{}", to.to_lowercase()));
        let name: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("<{name}@{host}>")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn templates_stand_by_name_and_each_is_found_by_its_own() {
        let names: Vec<&str> = TEMPLATES.iter().map(|template| template.name()).collect();

        assert!(names.is_sorted());
        for template in TEMPLATES {
            assert_eq!(Template::named(template.name()), Some(template));
        }
        assert_eq!(Template::named("order"), None);
    }

    #[test]
    fn pauses_double_up_to_ten_minutes_until_the_mail_is_of_no_use() {
        let caused = "2026-11-29T08:00:00Z".parse::<Timestamp>().unwrap();
        let wait = |attempts| match Template::OrderPlaced.next(attempts, caused, caused) {
            Next::Again(at) => (at - caused).num_seconds(),
            Next::TooLate => -1,
        };

        let waits: Vec<i64> = (1..=9).map(wait).collect();

        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
        assert_eq!(wait(i64::MAX), 600);
        let late = caused + Duration::from_secs(29 * 60 + 56);
        assert_eq!(Template::ResetPassword.next(1, caused, late), Next::TooLate);
        assert_eq!(Template::VerifyEmail.next(1, caused, late), Next::Again(late + BACKOFF_MIN));
    }

    #[test]
    fn a_message_id_follows_from_event_and_address_alone() {
        let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
        let id = Mail::message_id(one, "ada@example.com", "shop.example");

        assert_eq!(id, Mail::message_id(one, "Ada@Example.com", "shop.example"));
        assert_ne!(id, Mail::message_id(other, "ada@example.com", "shop.example"));
        assert_ne!(id, Mail::message_id(one, "eve@example.com", "shop.example"));
        assert!(!id.contains("ada") && id.ends_with("@shop.example>"));
    }
}
