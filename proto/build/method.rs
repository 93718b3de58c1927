//! The rule of one method, parsed: what the contract's options say, as values.

use std::fmt;
use std::time::Duration;

/// The longest time that a rule may grant; more is a mistake in the unit.
const TIMEOUT_MAX: Duration = Duration::from_secs(3600);

/// Everything the stacks need to know about a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Method {
    /// As it travels: `/shop.orders.v1.OrdersService/CancelOrder`.
    pub(crate) path: String,
    /// The owner: `orders`.
    pub(crate) service: String,
    /// `CancelOrder`.
    pub(crate) name: String,
    /// Who may call; `all` alone means everybody.
    pub(crate) callers: Vec<String>,
    /// What the end user must be: alternatives, one is enough.
    pub(crate) access: Vec<Access>,
    /// How long a call may take; nothing for a stream without an end.
    pub(crate) timeout: Option<Duration>,
    /// May it be repeated?
    pub(crate) idempotency: Idempotency,
    /// Does the client send many messages?
    pub(crate) client_streaming: bool,
    /// Does the server send many messages?
    pub(crate) server_streaming: bool,
}

/// One alternative of what the end user must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Public,
    Customer,
    Staff(String),
    Service,
}

/// What a repetition does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idempotency {
    NoSideEffects,
    Idempotent,
    Unknown,
}

/// A rule of the house that the contract breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) sentence: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "proto/{}:{}: {}", self.file, self.line, self.sentence)
    }
}

impl Access {
    /// Parses one alternative as the contract writes it; a permission is checked by the caller, who knows them.
    pub(crate) fn parse(text: &str) -> Option<Access> {
        match text {
            "public" => Some(Access::Public),
            "customer" => Some(Access::Customer),
            "service" => Some(Access::Service),
            _ => {
                let permission = text.strip_prefix("staff(")?.strip_suffix(')')?;
                Some(Access::Staff(permission.to_owned()))
            }
        }
    }
}

/// Parses `800ms` or `5s`; nothing for anything else, for zero and for more than an hour.
pub(crate) fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, milliseconds) = if let Some(digits) = text.strip_suffix("ms") {
        (digits, 1)
    } else {
        (text.strip_suffix('s')?, 1000)
    };
    // `parse` alone would take a sign, and a leading zero hides a slip of the finger.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.starts_with('0') {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    let timeout = Duration::from_millis(count.checked_mul(milliseconds)?);
    (timeout <= TIMEOUT_MAX).then_some(timeout)
}
