//! How often something may go wrong before nobody is asked any more. README.md has the rule in words.

use std::time::Duration;

/// Failures are counted in windows of this length, each beginning with the first failure in it.
pub const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Failures for one address from one network.
pub const PAIR_FAILURES_MAX: i64 = 5;
/// Failures for one address from all networks where it has no session.
pub const STRANGERS_FAILURES_MAX: i64 = 20;
/// Failures from one network for all addresses together.
pub const NETWORK_FAILURES_MAX: i64 = 100;
/// Mails with a link, to one address.
pub const MAILS_MAX: i64 = 3;
pub const MAIL_WINDOW: Duration = Duration::from_secs(60 * 60);
/// Mails asked for and accounts opened from one network, in a window each: many people may share one.
pub const NETWORK_MAILS_MAX: i64 = 300;
pub const NETWORK_REGISTRATIONS_MAX: i64 = 500;

/// One count: what is counted, and how far. The name is a keyed hash, so that no table tells who tried to log in.
#[derive(Clone, Debug)]
pub struct Gate {
    pub key: Vec<u8>,
    /// Counts of one subject are forgotten together.
    pub subject: Vec<u8>,
    pub max: i64,
    pub window: Duration,
    /// Whether a try is counted before its outcome is known, and taken back when it succeeds; else failures alone are.
    pub ahead: bool,
    /// Whether a success takes all failures back, or only its own try.
    pub forgives: bool,
}
