//! The transitions of the decision core: what each event does in each stage.

use kit::Timestamp;

use super::saga::{
    ACTION_MAX, Command, Event, Failure, FailureKind, PENDING_MAX, Plan, Saga, Seen, SeenState, Stage,
    WaitsOn,
};
use super::undo::{MoneyBack, Outcome, Undo};

/// So many failed attempts are remembered.
const FAILURES_MAX: usize = 20;

/// One step of the machine. Events that do not fit the state change nothing: they are late or came twice.
pub fn next(saga: &Saga, event: Event, now: Timestamp) -> (Saga, Vec<Command>) {
    let mut saga = saga.clone();
    saga.take(event, now);
    let commands = saga.wants().into_iter().collect();
    (saga, commands)
}

impl Saga {
    fn take(&mut self, event: Event, now: Timestamp) {
        match (&self.stage, event) {
            (_, Event::Unknown) => self.unanswered(),
            (_, Event::Cancel) => self.cancel(now),
            (_, Event::Woken) => self.woken(now),
            (Stage::Ready, Event::Begin(plan)) => self.begin(plan, now),
            (Stage::Ready, Event::Expire) => {
                self.rest(
                    Stage::Failed,
                    Failure::new(FailureKind::Expired, "Nobody completed it in time."),
                    now,
                );
            }
            (Stage::Reserving, Event::Reserved) => match self.plan.codes {
                true => self.go_on(Stage::Holding, false, now),
                false => self.pay(false, now),
            },
            (Stage::Reserving, Event::OutOfStock(shortages)) => {
                // Nothing is held, but an earlier try of this call may still be on its way: let go before it comes, it
                // takes nothing.
                self.undo(MoneyBack::Nothing, false, Failure::out_of_stock(shortages), now);
            }
            (Stage::Holding, Event::Held) => self.pay(true, now),
            (Stage::Holding, Event::CodeRefused) => {
                self.undo(MoneyBack::Nothing, false, Failure::code_refused(), now);
            }
            (Stage::Authorizing | Stage::Waiting { .. }, Event::Payment(seen)) => self.paying(seen, now),
            (Stage::Authorizing, Event::PaymentRefused(message)) => self.declined(message, now),
            (Stage::Placing, Event::Placed) => self.enter(Stage::Confirming, now),
            (Stage::Undoing(undo), event) => {
                let undo = undo.clone();
                self.undone(undo, event, now);
            }
            (_, event) if self.has_order() => self.finish(event, now),
            _ => {}
        }
    }

    fn begin(&mut self, plan: Plan, now: Timestamp) {
        self.attempt = self.attempt.saturating_add(1);
        self.round = 0;
        self.plan = plan;
        self.payment = None;
        self.abandon = None;
        self.enter(Stage::Reserving, now);
    }

    /// The stock is reserved, and codes are held if there are any.
    fn pay(&mut self, codes_held: bool, now: Timestamp) {
        let next = if self.plan.pays { Stage::Authorizing } else { Stage::Placing };
        self.go_on(next, codes_held, now);
    }

    fn go_on(&mut self, next: Stage, codes_held: bool, now: Timestamp) {
        match self.abandon.take() {
            Some(failure) => self.undo(MoneyBack::Nothing, codes_held, failure, now),
            None => self.enter(next, now),
        }
    }

    fn paying(&mut self, seen: Seen, now: Timestamp) {
        self.payment = Some(seen.id);
        let on = match seen.state {
            SeenState::Declined(message) => return self.declined(message, now),
            SeenState::Voided => {
                return self.declined("The payment did not go through.".into(), now);
            }
            SeenState::Authorized | SeenState::Captured => {
                let held = self.plan.codes;
                return match self.abandon.take() {
                    Some(failure) => self.undo(MoneyBack::Void, held, failure, now),
                    None => self.enter(Stage::Placing, now),
                };
            }
            SeenState::ActionRequired => WaitsOn::Buyer,
            SeenState::Pending => WaitsOn::Provider,
        };
        if let Some(failure) = self.abandon.take() {
            return self.undo(MoneyBack::Void, self.plan.codes, failure, now);
        }
        match &mut self.stage {
            Stage::Waiting { on: was, asking, .. } if *was == on => {
                *asking = false;
                self.tries = self.tries.saturating_add(1);
            }
            _ => {
                let limit = if on == WaitsOn::Buyer { ACTION_MAX } else { PENDING_MAX };
                self.enter(Stage::Waiting { on, until: now + limit, asking: false }, now);
            }
        }
    }

    fn declined(&mut self, message: String, now: Timestamp) {
        let failure =
            self.abandon.take().unwrap_or_else(|| Failure::new(FailureKind::PaymentDeclined, message));
        self.undo(MoneyBack::Nothing, self.plan.codes, failure, now);
    }

    /// After the pivot there is no way back from here; an order that cannot be kept is cancelled by its own means.
    fn finish(&mut self, event: Event, now: Timestamp) {
        match (&self.stage, event) {
            // Before the stock is confirmed it is not known what would have to be returned, so it is confirmed first.
            (Stage::Committing | Stage::Capturing, Event::OrderCancelled) => self.enter(Stage::Clearing, now),
            (Stage::Confirming, Event::Confirmed) => match self.plan.codes {
                true => self.enter(Stage::Committing, now),
                false => self.collect(now),
            },
            (Stage::Confirming, Event::ReservationLost) => {
                self.round = self.round.saturating_add(1);
                self.enter(Stage::Restocking, now);
            }
            (Stage::Restocking, Event::Reserved) => self.enter(Stage::Confirming, now),
            (Stage::Restocking, Event::OutOfStock(_)) => self.enter(Stage::Completed, now),
            (Stage::Committing, Event::Committed) => self.collect(now),
            (Stage::Capturing, Event::Payment(seen)) => match seen.state {
                SeenState::Captured => self.enter(Stage::Clearing, now),
                SeenState::Voided | SeenState::Declined(_) => self.enter(Stage::Completed, now),
                _ => self.unanswered(),
            },
            (Stage::Clearing, Event::Cleared) => self.enter(Stage::Completed, now),
            _ => {}
        }
    }

    fn collect(&mut self, now: Timestamp) {
        let next = if self.plan.pays { Stage::Capturing } else { Stage::Clearing };
        self.enter(next, now);
    }

    fn cancel(&mut self, now: Timestamp) {
        match &self.stage {
            Stage::Ready => self.rest(Stage::Failed, Failure::cancelled(), now),
            Stage::Waiting { .. } => {
                self.undo(MoneyBack::Void, self.plan.codes, Failure::cancelled(), now);
            }
            // What the present call did is not known yet; nothing can be undone before it is.
            Stage::Reserving | Stage::Holding | Stage::Authorizing => {
                self.abandon = Some(Failure::cancelled());
            }
            Stage::Placing => {
                let money = if self.plan.pays { MoneyBack::Void } else { MoneyBack::Nothing };
                self.undo(money, self.plan.codes, Failure::cancelled(), now);
            }
            Stage::Undoing(undo) => {
                let undo = Undo { then: Outcome::Failed(Failure::cancelled()), ..undo.clone() };
                self.stage = Stage::Undoing(undo);
            }
            _ => {}
        }
    }

    fn woken(&mut self, now: Timestamp) {
        let overdue = now >= self.since + PENDING_MAX;
        match &mut self.stage {
            Stage::Waiting { until, .. } if now >= *until => {
                self.undo(MoneyBack::Void, self.plan.codes, Failure::timed_out(), now);
            }
            Stage::Waiting { asking, .. } => *asking = true,
            // There may be an authorisation or not: it must be learnt before it can be let go.
            Stage::Authorizing if overdue && self.abandon.is_none() => {
                self.abandon = Some(Failure::timed_out());
            }
            _ => {}
        }
    }

    fn unanswered(&mut self) {
        if self.wants().is_none() {
            return;
        }
        self.tries = self.tries.saturating_add(1);
        if let Stage::Waiting { asking, .. } = &mut self.stage {
            *asking = false;
        }
    }

    fn undo(&mut self, money: MoneyBack, codes: bool, failure: Failure, now: Timestamp) {
        let cancelled = self.abandon.take();
        let then = Outcome::of(cancelled.unwrap_or(failure));
        self.leave(Undo { money, codes, stock: true, then }, now);
    }

    fn undone(&mut self, undo: Undo, event: Event, now: Timestamp) {
        match undo.next(event) {
            Ok(undo) => self.leave(undo, now),
            Err(_) => self.unanswered(),
        }
    }

    fn leave(&mut self, undo: Undo, now: Timestamp) {
        match (undo.wants(), undo.then) {
            (Some(_), then) => self.enter(Stage::Undoing(Undo { then, ..undo }), now),
            (None, Outcome::Ready(failure)) => self.rest(Stage::Ready, failure, now),
            (None, Outcome::Failed(failure)) => self.rest(Stage::Failed, failure, now),
        }
    }

    fn rest(&mut self, stage: Stage, failure: Failure, now: Timestamp) {
        self.abandon = None;
        if self.failures.len() >= FAILURES_MAX {
            self.failures.remove(0);
        }
        self.failures.push((self.attempt, failure));
        self.enter(stage, now);
    }

    fn enter(&mut self, stage: Stage, now: Timestamp) {
        self.stage = stage;
        self.tries = 0;
        self.since = now;
    }
}
