//! A checkout: a snapshot of a cart with its price, on the way to become an order.

use std::time::Duration;

use kit::{Id, Timestamp};
use serde::{Deserialize, Serialize};

use super::contact::Details;
use super::order::{AccountId, OrderId};
use super::quote::Quote;
use super::refusal::Refusal;
use super::saga::{Event, Failure, Plan, Saga, SeenState, Stage, WaitsOn};
use super::step::next;

/// Nobody comes back to a checkout after a day.
pub const OPEN_MAX: Duration = Duration::from_secs(24 * 60 * 60);

pub type CheckoutId = Id<Checkout>;

/// What somebody is about to buy. While it is READY details and quote may change; from then on the saga has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkout {
    pub id: CheckoutId,
    pub holder: Holder,
    pub cart: String,
    pub cart_version: i64,
    /// Where it will be sent as far as the cart knew; the address counts as soon as there is one.
    pub country: String,
    pub details: Details,
    pub quote: Quote,
    pub saga: Saga,
    pub purchase: Option<Purchase>,
    pub action_url: Option<String>,
    pub order: Option<(OrderId, String)>,
    pub created: Timestamp,
    pub expires: Timestamp,
    /// Grows with every change.
    pub version: i64,
    /// How many events it has emitted.
    pub news: i64,
}

/// The cart that is bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartVersion {
    pub id: String,
    pub version: i64,
    pub country: String,
}

/// To whom a checkout and its order belong: an account, or whoever holds the token whose hash this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub account: Option<AccountId>,
    pub token_hash: Option<String>,
}

/// What the provider needs, kept only until it has answered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    pub method_token: String,
    pub return_url: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckoutState {
    Ready,
    Processing,
    ActionRequired,
    PaymentPending,
    Completed,
    Failed,
}

/// What happened to a checkout, for those outside: the funnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckoutEvent {
    Started,
    Completed,
    Failed,
}

/// What an event of the saga means beyond the checkout itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// The order is to be written, now, with this state.
    Place,
    /// The stock of the order is sold under this round of the reservation.
    Confirmed {
        round: u32,
    },
    Paid,
    /// The order cannot be kept.
    Lost(&'static str),
    /// Nothing of the purchase is left to do.
    Settled,
}

impl std::fmt::Debug for Purchase {
    /// A token of a card is a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Purchase")
    }
}

impl Checkout {
    pub fn start(
        id: CheckoutId,
        holder: Holder,
        cart: CartVersion,
        details: Details,
        quote: Quote,
        now: Timestamp,
    ) -> Checkout {
        Checkout {
            id,
            holder,
            cart: cart.id,
            cart_version: cart.version,
            country: cart.country,
            details,
            quote,
            saga: Saga::new(now),
            purchase: None,
            action_url: None,
            order: None,
            created: now,
            expires: now + OPEN_MAX,
            version: 1,
            news: 0,
        }
    }

    pub fn state(&self) -> CheckoutState {
        match &self.saga.stage {
            Stage::Ready => CheckoutState::Ready,
            Stage::Failed => CheckoutState::Failed,
            Stage::Waiting { on: WaitsOn::Buyer, .. } => CheckoutState::ActionRequired,
            Stage::Waiting { on: WaitsOn::Provider, .. } => CheckoutState::PaymentPending,
            // The provider may have it or not: to the buyer that is the same as an answer that is awaited.
            Stage::Authorizing if self.saga.tries > 0 => CheckoutState::PaymentPending,
            Stage::Reserving | Stage::Holding | Stage::Authorizing | Stage::Placing | Stage::Undoing(_) => {
                CheckoutState::Processing
            }
            Stage::Confirming
            | Stage::Restocking
            | Stage::Committing
            | Stage::Capturing
            | Stage::Clearing
            | Stage::Completed => CheckoutState::Completed,
        }
    }

    pub fn missing(&self) -> Vec<&'static str> {
        self.details.missing(self.quote.requires_shipping)
    }

    /// Why the last attempt did not succeed; nothing while another one runs.
    pub fn last_failure(&self) -> Option<&Failure> {
        match self.saga.stage {
            Stage::Ready | Stage::Failed => self.saga.failures.last().map(|(_, failure)| failure),
            _ => None,
        }
    }

    pub fn ready(&self) -> Result<(), Refusal> {
        match self.state() {
            CheckoutState::Ready => Ok(()),
            state => Err(Refusal::CheckoutClosed { state }),
        }
    }

    /// The buyer tells more, and pricing has said what it costs now.
    pub fn update(&mut self, details: Details, quote: Quote) -> Result<(), Refusal> {
        self.ready()?;
        self.details = details;
        self.quote = quote;
        Ok(())
    }

    /// The buyer buys at the price he saw, if it still is the price.
    pub fn begin(
        &mut self,
        seen_quote: &str,
        fresh: &Quote,
        purchase: Purchase,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.ready()?;
        if self.quote.id != fresh.id || seen_quote != fresh.id {
            return Err(Refusal::QuoteChanged { quote: fresh.id.clone(), total: fresh.total });
        }
        let missing = self.missing();
        if !missing.is_empty() {
            return Err(Refusal::CheckoutIncomplete { missing });
        }
        let pays = !self.quote.is_free();
        if pays && purchase.method_token.is_empty() {
            return Err(Refusal::CheckoutIncomplete { missing: vec!["payment_method_token"] });
        }
        let codes = !self.quote.applied_codes().is_empty();
        self.purchase = pays.then_some(purchase);
        self.saga = next(&self.saga, Event::Begin(Plan { codes, pays }), now).0;
        Ok(())
    }

    /// The buyer no longer wants it. What is under way is undone as soon as its outcome is known.
    pub fn cancel(&mut self, now: Timestamp) -> Result<Vec<CheckoutEvent>, Refusal> {
        let state = self.state();
        if state == CheckoutState::Completed {
            return Err(Refusal::CheckoutClosed { state });
        }
        Ok(self.on(Event::Cancel, now).0)
    }

    /// One step of the saga, with what it means for those outside and for the order.
    pub fn on(&mut self, event: Event, now: Timestamp) -> (Vec<CheckoutEvent>, Vec<Note>) {
        let before = self.saga.clone();
        let placed_before = before.has_order();
        let failed_before = self.saga.stage == Stage::Failed;
        self.saga = next(&before, event.clone(), now).0;

        let mut notes = self.notes(&before, &event);
        // Nothing lies between the authorisation and the pivot, so both are one step, and one transaction.
        if self.saga.stage == Stage::Placing {
            self.saga = next(&self.saga, Event::Placed, now).0;
            notes.push(Note::Place);
        }
        if !matches!(self.saga.stage, Stage::Reserving | Stage::Holding | Stage::Authorizing) {
            self.purchase = None;
        }
        self.action_url = match (&self.saga.stage, event) {
            (Stage::Waiting { on: WaitsOn::Buyer, .. }, Event::Payment(seen)) => seen.action_url,
            (Stage::Waiting { on: WaitsOn::Buyer, .. }, _) => self.action_url.take(),
            _ => None,
        };
        let mut events = Vec::new();
        if self.saga.has_order() && !placed_before {
            events.push(CheckoutEvent::Completed);
        }
        if self.saga.stage == Stage::Failed && !failed_before {
            events.push(CheckoutEvent::Failed);
        }
        (events, notes)
    }

    /// What this step means for the order that exists already.
    fn notes(&self, before: &Saga, event: &Event) -> Vec<Note> {
        let mut notes = Vec::new();
        match (&before.stage, event) {
            (Stage::Confirming, Event::Confirmed) => notes.push(Note::Confirmed { round: before.round }),
            (Stage::Restocking, Event::OutOfStock(_)) => {
                notes.push(Note::Lost("The reserved goods were sold in the meantime."));
            }
            (Stage::Capturing, Event::Payment(seen)) => match seen.state {
                SeenState::Captured => notes.push(Note::Paid),
                SeenState::Voided | SeenState::Declined(_) => {
                    notes.push(Note::Lost("The payment could not be collected."));
                }
                _ => {}
            },
            _ => {}
        }
        if self.saga.stage == Stage::Completed && before.stage != Stage::Completed {
            notes.push(Note::Settled);
        }
        notes
    }

    /// When somebody must look at it again; nothing when it is over.
    pub fn due(&self, now: Timestamp) -> Option<Timestamp> {
        match self.saga.stage {
            Stage::Ready => Some(self.expires),
            _ => self.saga.wake_after(now).map(|after| now + after),
        }
    }

    /// The id under which stock and codes are held: another one for each attempt, since a released hold stays released.
    pub fn hold_id(&self, round: u32) -> String {
        let attempt = self.saga.attempt;
        self.derived(&format!("hold:{attempt}:{round}"))
    }

    /// The id of a call: the same whenever this step of this attempt is asked for again.
    pub fn request_id(&self, step: &str) -> String {
        let (attempt, round) = (self.saga.attempt, self.saga.round);
        self.derived(&format!("{step}:{attempt}:{round}"))
    }

    fn derived(&self, name: &str) -> String {
        uuid::Uuid::new_v5(&self.id.as_uuid(), name.as_bytes()).to_string()
    }
}
