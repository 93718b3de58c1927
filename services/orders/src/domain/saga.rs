//! The decision core of a checkout: state and event in, state and commands out.
//!
//! Reserve stock, hold codes, authorise, place the order (the pivot), confirm the stock, commit the codes, capture,
//! clear the cart. Before the pivot everything can be undone, in reverse; after it everything must be finished.
//! A call whose outcome is not known is made again under the same request id until it is: nothing is ever guessed.

use std::time::Duration;

use kit::Timestamp;
use serde::{Deserialize, Serialize};

use super::undo::Undo;

/// The buyer has so long to confirm at the provider's page.
pub const ACTION_MAX: Duration = Duration::from_secs(15 * 60);
/// The provider has so long to answer.
pub const PENDING_MAX: Duration = Duration::from_secs(30 * 60);
/// Stock and codes are held longer than any payment may take: to authorise, to hear of it, and for the buyer to act.
pub const HOLD_MAX: Duration = Duration::from_secs(90 * 60);

const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// A waiting payment is asked after even if no news comes.
const POLL_MIN: Duration = Duration::from_secs(2);

/// Where a checkout stands in its purchase. Durable before each call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saga {
    /// 1, 2, …: how often the buyer has tried to buy; 0 before the first time. Part of every request id.
    pub attempt: i32,
    /// How often stock had to be reserved anew within this attempt.
    pub round: u32,
    pub plan: Plan,
    pub stage: Stage,
    /// The provider's side of this attempt, as soon as it is known.
    pub payment: Option<String>,
    /// Set: the attempt is undone as soon as the outcome of the present call is known.
    pub abandon: Option<Failure>,
    /// Calls in a row that had no answer.
    pub tries: u32,
    /// When the present stage began.
    pub since: Timestamp,
    /// How attempts failed, the last one last, each with its number; a repeated request is answered from here.
    pub failures: Vec<(i32, Failure)>,
}

/// Which steps this purchase has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub codes: bool,
    pub pays: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    /// Waits for the buyer.
    Ready,
    Reserving,
    Holding,
    Authorizing,
    /// The payment is known and not decided.
    Waiting {
        on: WaitsOn,
        until: Timestamp,
        asking: bool,
    },
    Placing,
    // The order exists from here on.
    Confirming,
    /// The reservation ran out before it was confirmed.
    Restocking,
    Committing,
    Capturing,
    Clearing,
    Completed,
    Undoing(Undo),
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitsOn {
    Buyer,
    Provider,
}

/// A call to make. What it carries follows from the checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Command {
    Reserve,
    HoldCodes,
    Authorize,
    Sync,
    Place,
    Confirm,
    CommitCodes,
    Capture,
    ClearCart,
    Void,
    Refund,
    ReleaseCodes,
    ReleaseStock,
}

/// What came of a call, or came by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The buyer buys.
    Begin(Plan),
    /// The buyer no longer wants it.
    Cancel,
    /// Nobody completed it in time.
    Expire,
    /// A timer is due, or there is news of the payment.
    Woken,
    /// No answer, or one that says nothing about the outcome.
    Unknown,
    Reserved,
    /// Too little stock, or inventory will never take these lines.
    OutOfStock(Vec<Shortage>),
    Held,
    CodeRefused,
    Payment(Seen),
    /// The provider will never take this; there is no payment.
    PaymentRefused(String),
    Placed,
    Confirmed,
    /// The reservation is gone.
    ReservationLost,
    Committed,
    Cleared,
    Refunded,
    CodesReleased,
    StockReleased,
    /// The order was cancelled; whoever did so undoes the rest.
    OrderCancelled,
}

/// A payment as payments sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub id: String,
    pub state: SeenState,
    /// Where the buyer confirms.
    pub action_url: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SeenState {
    Pending,
    ActionRequired,
    Authorized,
    Captured,
    /// With a sentence for the buyer.
    Declined(String),
    Voided,
}

/// Why an attempt did not succeed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// A sentence for the buyer.
    pub message: String,
    pub shortages: Vec<Shortage>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    PaymentDeclined,
    InsufficientStock,
    CodeNotUsable,
    PaymentTimedOut,
    Cancelled,
    Expired,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    pub sku: String,
    pub requested: i64,
    pub available: i64,
}

impl Failure {
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure { kind, message: message.into(), shortages: Vec::new() }
    }

    pub fn timed_out() -> Failure {
        Failure::new(
            FailureKind::PaymentTimedOut,
            "The payment was not settled in time. Nothing was charged.",
        )
    }

    pub fn cancelled() -> Failure {
        Failure::new(FailureKind::Cancelled, "The purchase was cancelled.")
    }

    pub fn out_of_stock(shortages: Vec<Shortage>) -> Failure {
        let message = "Some of it is no longer available in the quantity wanted.";
        Failure { shortages, ..Failure::new(FailureKind::InsufficientStock, message) }
    }

    pub fn code_refused() -> Failure {
        Failure::new(FailureKind::CodeNotUsable, "A discount code can no longer be used.")
    }
}

impl Saga {
    pub fn new(now: Timestamp) -> Saga {
        Saga {
            attempt: 0,
            round: 0,
            plan: Plan { codes: false, pays: false },
            stage: Stage::Ready,
            payment: None,
            abandon: None,
            tries: 0,
            since: now,
            failures: Vec::new(),
        }
    }

    /// How an attempt failed, if it did and that is not long forgotten.
    pub fn failure_of(&self, attempt: i32) -> Option<&Failure> {
        self.failures.iter().find(|(failed, _)| *failed == attempt).map(|(_, failure)| failure)
    }

    /// What the present state asks for. After a crash this is asked for again, under the same request id.
    pub fn wants(&self) -> Option<Command> {
        match &self.stage {
            Stage::Ready | Stage::Completed | Stage::Failed => None,
            Stage::Reserving | Stage::Restocking => Some(Command::Reserve),
            Stage::Holding => Some(Command::HoldCodes),
            Stage::Authorizing => Some(Command::Authorize),
            Stage::Waiting { asking, .. } => asking.then_some(Command::Sync),
            Stage::Placing => Some(Command::Place),
            Stage::Confirming => Some(Command::Confirm),
            Stage::Committing => Some(Command::CommitCodes),
            Stage::Capturing => Some(Command::Capture),
            Stage::Clearing => Some(Command::ClearCart),
            Stage::Undoing(undo) => undo.wants(),
        }
    }

    /// Whether there is an order.
    pub fn has_order(&self) -> bool {
        use Stage::{Capturing, Clearing, Committing, Completed, Confirming, Restocking};
        matches!(self.stage, Confirming | Restocking | Committing | Capturing | Clearing | Completed)
    }

    /// How long to wait before the present command is given again; nothing if it has not failed.
    pub fn pause(&self) -> Option<Duration> {
        (self.tries > 0).then(|| doubled(PAUSE_MIN, self.tries - 1))
    }

    /// How long after `now` the machine must be woken at the latest; nothing when it waits for nobody.
    pub fn wake_after(&self, now: Timestamp) -> Option<Duration> {
        match &self.stage {
            Stage::Ready | Stage::Completed | Stage::Failed => None,
            Stage::Waiting { until, asking: false, .. } => {
                let left = (*until - now).to_std().unwrap_or_default();
                Some(doubled(POLL_MIN, self.tries).min(left))
            }
            _ => Some(self.pause().unwrap_or_default()),
        }
    }
}

/// Doubles with every try, up to half a minute.
fn doubled(first: Duration, times: u32) -> Duration {
    let factor = 1_u32.checked_shl(times).filter(|factor| *factor > 0).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(PAUSE_MAX)
}
