//! A payment: what was agreed, what was taken, what was given back, and what is being asked of the provider.

mod operation;
mod report;

use kit::{Currency, Id, Money, Timestamp};

pub use operation::{Ask, Operation, OperationId, Outcome, RefundId};
pub use report::{DeclineReason, Report, Standing};

/// A checkout, as this service knows it: an id of somebody else's thing.
pub enum Checkout {}

pub type PaymentId = Id<Payment>;
pub type CheckoutId = Id<Checkout>;

/// Money of one attempt of one checkout. At all times captured + capturing ≤ authorized and
/// refunded + refunding ≤ captured: what is being asked of the provider counts as if it had been granted.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    pub id: PaymentId,
    pub checkout: CheckoutId,
    pub attempt: i32,
    pub state: State,
    pub amount: Money,
    pub sums: Sums,
    pub provider: String,
    /// The provider's own id.
    pub reference: Option<String>,
    /// Only with [`State::ActionRequired`].
    pub action_url: Option<String>,
    /// Only with [`State::Declined`].
    pub decline: Option<DeclineReason>,
    pub version: i64,
    pub created: Timestamp,
    pub updated: Timestamp,
}

/// Minor units of the payment's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub authorized: i64,
    pub captured: i64,
    pub refunded: i64,
    /// Asked of the provider and not answered yet.
    pub capturing: i64,
    pub refunding: i64,
    pub voiding: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Asked, and the answer is not known.
    Pending,
    /// The buyer must act at the provider's page.
    ActionRequired,
    Authorized,
    /// At least part of it.
    Captured,
    Declined,
    Voided,
}

/// What happened to a payment, as its list of events tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    pub kind: EventKind,
    pub minor_units: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    AuthorizationRequest,
    AuthorizationSuccess,
    AuthorizationFailure(DeclineReason),
    AuthorizationActionRequired,
    ChargeRequest,
    ChargeSuccess,
    ChargeFailure,
    RefundRequest,
    RefundSuccess,
    RefundFailure,
    CancelRequest,
    CancelSuccess,
    CancelFailure,
}

/// Why a payment does not do what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("more than is authorised and not yet captured")]
    ExceedsAuthorized,
    #[error("more than is captured and not yet refunded")]
    ExceedsCaptured,
    #[error("something is captured already, refund it instead")]
    AlreadyCaptured,
    #[error("the payment is not authorised")]
    NotAuthorized(State),
    #[error("the currency is not that of the payment")]
    CurrencyMismatch,
    #[error("another request about this payment waits for the provider's answer")]
    InFlight,
}

/// The provider reports another amount or currency than it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider reports another amount than it was asked for")]
pub struct Mismatch;

impl Payment {
    /// The intent, to be kept before the provider hears of it.
    pub fn intend(
        checkout: CheckoutId,
        attempt: i32,
        amount: Money,
        provider: &str,
        now: Timestamp,
    ) -> (Payment, Event) {
        let payment = Payment {
            id: PaymentId::new(),
            checkout,
            attempt,
            state: State::Pending,
            amount,
            sums: Sums::default(),
            provider: provider.to_owned(),
            reference: None,
            action_url: None,
            decline: None,
            version: 1,
            created: now,
            updated: now,
        };
        let event = EventKind::AuthorizationRequest.of(amount.minor_units());
        (payment, event)
    }

    pub fn currency(&self) -> Currency {
        self.amount.currency()
    }

    pub fn money(&self, minor_units: i64) -> Money {
        Money::new(self.currency(), minor_units)
    }

    /// The name under which the provider was asked to authorise.
    pub fn key(&self) -> String {
        format!("{}:{}", self.checkout, self.attempt)
    }

    /// Whether the provider has still to say how the authorisation ends.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Pending | State::ActionRequired)
    }

    /// Sets an amount aside for a capture; nothing named means all that is left.
    pub fn capture(&mut self, amount: Option<Money>) -> Result<(Money, Event), Refusal> {
        match self.state {
            State::Authorized | State::Captured if self.sums.voiding => {
                return Err(Refusal::InFlight);
            }
            State::Authorized | State::Captured => {}
            state => return Err(Refusal::NotAuthorized(state)),
        }
        let left = self.sums.authorized - self.sums.captured - self.sums.capturing;
        let units = self.within(amount, left, Refusal::ExceedsAuthorized)?;
        self.sums.capturing += units;
        Ok((self.money(units), EventKind::ChargeRequest.of(units)))
    }

    /// The provider took, or refused to take, what was set aside.
    pub fn end_capture(&mut self, units: i64, taken: bool) -> Event {
        self.sums.capturing -= units;
        if !taken {
            return EventKind::ChargeFailure.of(units);
        }
        self.sums.captured += units;
        self.state = State::Captured;
        EventKind::ChargeSuccess.of(units)
    }

    /// Begins to let the authorisation go. Nothing happens where nothing is held any more.
    pub fn void(&mut self) -> Result<Option<Event>, Refusal> {
        match self.state {
            State::Voided | State::Declined => return Ok(None),
            State::Captured => return Err(Refusal::AlreadyCaptured),
            State::Pending | State::ActionRequired | State::Authorized => {}
        }
        if self.sums.capturing > 0 || self.sums.voiding {
            return Err(Refusal::InFlight);
        }
        self.sums.voiding = true;
        Ok(Some(EventKind::CancelRequest.of(self.amount.minor_units())))
    }

    /// The provider let it go, or refused to. It may say instead that it had declined before.
    pub fn end_void(&mut self, answer: Option<&Report>) -> Vec<Event> {
        self.sums.voiding = false;
        match answer {
            Some(report) if matches!(report.standing, Standing::Declined(_)) => {
                // Only an authorisation has an amount that could differ.
                self.learn(report).unwrap_or_default()
            }
            Some(_) if self.state == State::Voided || self.state == State::Declined => Vec::new(),
            Some(_) => vec![self.let_go()],
            None => vec![EventKind::CancelFailure.of(self.amount.minor_units())],
        }
    }

    /// Sets an amount aside for a refund; nothing named means all that is left.
    pub fn refund(&mut self, amount: Option<Money>) -> Result<(Money, Event), Refusal> {
        match self.state {
            State::Authorized | State::Captured => {}
            state => return Err(Refusal::NotAuthorized(state)),
        }
        let left = self.sums.captured - self.sums.refunded - self.sums.refunding;
        let units = self.within(amount, left, Refusal::ExceedsCaptured)?;
        self.sums.refunding += units;
        Ok((self.money(units), EventKind::RefundRequest.of(units)))
    }

    /// The provider gave back, or refused to, what was set aside.
    pub fn end_refund(&mut self, units: i64, given: bool) -> Event {
        self.sums.refunding -= units;
        if !given {
            return EventKind::RefundFailure.of(units);
        }
        self.sums.refunded += units;
        EventKind::RefundSuccess.of(units)
    }

    /// Takes over what the provider says, never backwards: a report that is older than what is known changes nothing.
    pub fn learn(&mut self, report: &Report) -> Result<Vec<Event>, Mismatch> {
        let mut events = Vec::new();
        if self.reference.is_none() {
            self.reference = Some(report.reference.clone());
        }
        match (&report.standing, self.state) {
            (Standing::Authorized, State::Pending | State::ActionRequired) => {
                if report.amount != Some(self.amount) {
                    return Err(Mismatch);
                }
                self.enter(State::Authorized);
                self.sums.authorized = self.amount.minor_units();
                events.push(EventKind::AuthorizationSuccess.of(self.sums.authorized));
            }
            (Standing::ActionRequired { url }, State::Pending) => {
                self.enter(State::ActionRequired);
                self.action_url = Some(url.clone());
                events.push(EventKind::AuthorizationActionRequired.of(self.amount.minor_units()));
            }
            (Standing::Declined(reason), State::Pending | State::ActionRequired) => {
                self.enter(State::Declined);
                self.decline = Some(*reason);
                let failure = EventKind::AuthorizationFailure(*reason);
                events.push(failure.of(self.amount.minor_units()));
            }
            (Standing::Voided, State::Pending | State::ActionRequired | State::Authorized)
                if self.sums.capturing == 0 =>
            {
                events.push(self.let_go());
            }
            _ => {}
        }
        events.extend(self.learn_sums(report));
        Ok(events)
    }

    /// What was captured or refunded at the provider by other hands than ours. While something of ours is asked,
    /// nobody can tell whether the report has it in already, so it waits.
    fn learn_sums(&mut self, report: &Report) -> Vec<Event> {
        let mut events = Vec::new();
        let settled = matches!(self.state, State::Authorized | State::Captured);
        let asked = self.sums.capturing > 0 || self.sums.refunding > 0 || self.sums.voiding;
        if !settled || asked {
            return events;
        }
        let captured = report.captured.min(self.sums.authorized);
        if captured > self.sums.captured {
            let more = captured - self.sums.captured;
            self.sums.capturing = more;
            events.push(self.end_capture(more, true));
        }
        let refunded = report.refunded.min(self.sums.captured);
        if refunded > self.sums.refunded {
            let more = refunded - self.sums.refunded;
            self.sums.refunding = more;
            events.push(self.end_refund(more, true));
        }
        events
    }

    fn let_go(&mut self) -> Event {
        self.enter(State::Voided);
        self.sums.voiding = false;
        EventKind::CancelSuccess.of(self.amount.minor_units())
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.action_url = None;
    }

    fn within(&self, amount: Option<Money>, left: i64, too_much: Refusal) -> Result<i64, Refusal> {
        if amount.is_some_and(|amount| amount.currency() != self.currency()) {
            return Err(Refusal::CurrencyMismatch);
        }
        let units = amount.map_or(left, |amount| amount.minor_units());
        match units > 0 && units <= left {
            true => Ok(units),
            false => Err(too_much),
        }
    }
}

impl State {
    pub const ALL: [State; 6] = [
        State::Pending,
        State::ActionRequired,
        State::Authorized,
        State::Captured,
        State::Declined,
        State::Voided,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::ActionRequired => "action_required",
            State::Authorized => "authorized",
            State::Captured => "captured",
            State::Declined => "declined",
            State::Voided => "voided",
        }
    }

    pub fn named(name: &str) -> Option<State> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl EventKind {
    pub fn of(self, minor_units: i64) -> Event {
        Event { kind: self, minor_units }
    }
}

#[cfg(test)]
mod tests;
