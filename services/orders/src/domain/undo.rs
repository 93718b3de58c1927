//! The way back of a checkout that did not become an order: money first, then codes, then stock.

use serde::{Deserialize, Serialize};

use super::saga::{Command, Event, Failure, FailureKind, SeenState};

/// What is still to be let go, and what the checkout is afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    pub money: MoneyBack,
    pub codes: bool,
    pub stock: bool,
    pub then: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MoneyBack {
    Nothing,
    Void,
    /// It was captured in the meantime.
    Refund,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The buyer may try again.
    Ready(Failure),
    Failed(Failure),
}

/// The event says nothing new about what is to be let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NothingDone;

impl Undo {
    pub fn wants(&self) -> Option<Command> {
        match self.money {
            MoneyBack::Void => return Some(Command::Void),
            MoneyBack::Refund => return Some(Command::Refund),
            MoneyBack::Nothing => {}
        }
        match (self.codes, self.stock) {
            (true, _) => Some(Command::ReleaseCodes),
            (false, true) => Some(Command::ReleaseStock),
            (false, false) => None,
        }
    }

    pub fn next(self, event: Event) -> Result<Undo, NothingDone> {
        match (self.wants(), event) {
            (Some(Command::Void), Event::Payment(seen)) => match seen.state {
                SeenState::Voided | SeenState::Declined(_) => Ok(Undo { money: MoneyBack::Nothing, ..self }),
                SeenState::Captured => Ok(Undo { money: MoneyBack::Refund, ..self }),
                // The provider has not made up its mind; it is told again.
                SeenState::Pending | SeenState::ActionRequired | SeenState::Authorized => Err(NothingDone),
            },
            (Some(Command::Refund), Event::Refunded) => Ok(Undo { money: MoneyBack::Nothing, ..self }),
            (Some(Command::ReleaseCodes), Event::CodesReleased) => Ok(Undo { codes: false, ..self }),
            (Some(Command::ReleaseStock), Event::StockReleased) => Ok(Undo { stock: false, ..self }),
            _ => Err(NothingDone),
        }
    }
}

impl Outcome {
    /// Whoever was declined or found too little may try again; whoever left or let time run out may not.
    pub fn of(failure: Failure) -> Outcome {
        match failure.kind {
            FailureKind::PaymentDeclined | FailureKind::InsufficientStock | FailureKind::CodeNotUsable => {
                Outcome::Ready(failure)
            }
            FailureKind::PaymentTimedOut | FailureKind::Cancelled | FailureKind::Expired => {
                Outcome::Failed(failure)
            }
        }
    }

    pub fn failure(&self) -> &Failure {
        match self {
            Outcome::Ready(failure) | Outcome::Failed(failure) => failure,
        }
    }
}
