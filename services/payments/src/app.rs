//! One method per RPC. What costs money is kept before the provider is asked, asked under a key of its own, and
//! settled once, whoever brings the answer: the request, its repetition, a webhook or the one who finishes what
//! others left.

mod recovery;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kit::{Clock, Listed, Money, Page, RequestKey, Timestamp};
use observability::names;
use uuid::Uuid;

use crate::domain::{Ask, Event, Operation, Outcome, Payment, PaymentId, RefundId, Refusal, Report, State};
use crate::error::Error;
use crate::provider::{Authorization, Change, Failure, Provider, Unanswered};
use crate::store::{Begun, Store};

pub use crate::store::{Filter, Intent, Listing};
pub use recovery::work;

/// A question is left to the request that asked it for so long; it cannot live longer.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(15);

#[derive(Clone)]
pub struct Payments {
    store: Store,
    provider: Arc<dyn Provider>,
    clock: Clock,
}

impl Payments {
    pub fn new(store: Store, provider: Arc<dyn Provider>, clock: Clock) -> Self {
        Self { store, provider, clock }
    }

    pub async fn authorize(&self, key: &RequestKey, intent: Intent) -> Result<Payment, Error> {
        let now = self.clock.now();
        let due = later(now, REQUEST_TIME_MAX);
        let operation = self.store.intend(key, &intent, now, due).await?;
        if let Some(Outcome::Done(payment)) = operation.outcome {
            return Ok(*payment);
        }
        let payment = self.store.find(operation.payment).await?;
        match payment.state {
            State::Pending => self.ask_to_authorize(payment, &operation).await,
            _ => Ok(payment),
        }
    }

    pub async fn capture(
        &self,
        key: &RequestKey,
        id: PaymentId,
        amount: Option<Money>,
    ) -> Result<Payment, Error> {
        let decide = |payment: &mut Payment| {
            let (amount, event) = payment.capture(amount)?;
            Ok(Some((Ask::Capture(amount), event)))
        };
        self.change(key, id, decide).await.map(|(payment, _)| payment)
    }

    pub async fn void(&self, key: &RequestKey, id: PaymentId) -> Result<Payment, Error> {
        let decide = |payment: &mut Payment| {
            let event = payment.void()?;
            Ok(event.map(|event| (Ask::Void, event)))
        };
        self.change(key, id, decide).await.map(|(payment, _)| payment)
    }

    pub async fn refund(
        &self,
        key: &RequestKey,
        id: PaymentId,
        amount: Option<Money>,
        reason: String,
    ) -> Result<(Payment, RefundId), Error> {
        let decide = |payment: &mut Payment| {
            let (amount, event) = payment.refund(amount)?;
            let reason = reason.clone();
            Ok(Some((Ask::Refund { amount, reason }, event)))
        };
        let (payment, refund) = self.change(key, id, decide).await?;
        // A refund always asks for something, so it always has a question.
        let refund = refund.ok_or(Refusal::ExceedsCaptured)?;
        Ok((payment, refund))
    }

    /// Looks at the provider each time it is called: what it answers may have changed.
    pub async fn sync(&self, key: &RequestKey, id: PaymentId) -> Result<Payment, Error> {
        let payment = self.store.find(id).await?;
        self.store.note(key).await?;
        let payment = self.finish(payment, None).await?;
        self.look(payment).await
    }

    pub async fn batch_get(&self, ids: &[PaymentId]) -> Result<HashMap<PaymentId, Payment>, Error> {
        Ok(self.store.find_many(ids).await?)
    }

    pub async fn list(&self, filter: Filter, page: &Page) -> Result<Listed<Payment>, Error> {
        self.store.page(filter, page).await
    }

    pub async fn list_events(&self, id: PaymentId, page: &Page) -> Result<Listed<Listing>, Error> {
        self.store.events(id, page).await
    }

    /// Believes nothing of a webhook but that something happened, and asks the provider what it was.
    pub async fn receive_webhook(&self, key: &RequestKey, signature: &str, body: &[u8]) -> Result<(), Error> {
        let now = self.clock.now();
        let notice = self.provider.open_webhook(signature, body, now)?;
        if self.store.has_heard(key).await? {
            return Ok(());
        }
        let reader = format!("webhook:{}", self.provider.name());
        let event = Uuid::new_v5(&Uuid::NAMESPACE_OID, notice.event_id.as_bytes());
        let Some(id) = self.store.payment_of(&notice.payment).await? else {
            // Signed, but about nothing of ours; it will not become ours by being sent again.
            return self.store.hear(key, &reader, event, None, now).await;
        };
        let payment = self.store.find(id).await?;
        let payment = self.finish(payment, Some(now)).await?;
        let said = self.provider.fetch(&payment.key()).await?;
        let said = said.as_ref().map(|report| (id, report));
        self.store.hear(key, &reader, event, said, now).await
    }

    /// Whether a provider goes by this name here.
    pub fn knows(&self, provider: &str) -> Result<&'static str, Error> {
        match self.provider.name() {
            name if name == provider => Ok(name),
            _ => Err(Error::ProviderUnknown),
        }
    }

    /// Keeps what is asked for, then asks. Answers the payment as it stood when the provider's answer was taken over.
    async fn change(
        &self,
        key: &RequestKey,
        id: PaymentId,
        decide: impl Fn(&mut Payment) -> Result<Option<(Ask, Event)>, Refusal>,
    ) -> Result<(Payment, Option<RefundId>), Error> {
        let now = self.clock.now();
        let due = later(now, REQUEST_TIME_MAX);
        let begun = match self.store.begin(key, id, now, due, &decide).await {
            // What stands in the way may have been left by a request that is gone.
            Err(Error::Refused(Refusal::InFlight)) => {
                let payment = self.store.find(id).await?;
                self.finish(payment, None).await?;
                self.store.begin(key, id, now, due, &decide).await?
            }
            begun => begun?,
        };
        match begun {
            Begun::Nothing(payment) => Ok((*payment, None)),
            Begun::Asked(operation) => {
                let payment = self.carry_out(&operation).await?;
                Ok((payment, Some(operation.id)))
            }
        }
    }

    /// Asks the provider, unless the answer is known, and settles with what it says.
    async fn carry_out(&self, operation: &Operation) -> Result<Payment, Error> {
        let settled = match &operation.outcome {
            Some(_) => operation.clone(),
            None => self.ask_and_settle(operation).await?,
        };
        match settled.outcome {
            Some(Outcome::Done(payment)) => Ok(*payment),
            Some(Outcome::Refused(refusal)) => Err(refusal.into()),
            None => self.store.find(operation.payment).await,
        }
    }

    async fn ask_and_settle(&self, operation: &Operation) -> Result<Operation, Error> {
        let answer = self.ask(operation).await?;
        let settled = self.store.settle(operation, &answer, self.clock.now()).await?;
        if answer.is_err() {
            // It knows something that is not known here; if it will not say now, somebody looks again.
            let payment = self.store.find(operation.payment).await?;
            if let Err(Error::ProviderUnavailable(error)) = self.look(payment).await {
                unanswered(operation.payment, &error);
            }
        }
        Ok(settled)
    }

    /// What the provider says to a question: yes, or that it will never do it.
    async fn ask(&self, operation: &Operation) -> Result<Result<Report, Refusal>, Error> {
        let payment = self.store.find(operation.payment).await?.key();
        let change = Change { payment: &payment, key: &operation.key };
        let answer = match &operation.ask {
            Ask::Capture(amount) => self.provider.capture(change, *amount).await,
            Ask::Void => self.provider.void(change).await,
            Ask::Refund { amount, reason } => self.provider.refund(change, *amount, reason).await,
            Ask::Authorize { .. } => return Err(Refusal::InFlight.into()),
        };
        match answer {
            Ok(report) => Ok(Ok(report)),
            Err(Failure::Refused(refusal)) => Ok(Err(refusal)),
            Err(Failure::Unanswered(error)) => Err(error.into()),
        }
    }

    /// Asks again what a payment's earlier requests asked and got no answer to; with a time, only what was due by then.
    async fn finish(&self, payment: Payment, due_before: Option<Timestamp>) -> Result<Payment, Error> {
        let left = self.store.unanswered(&payment, due_before).await?;
        if left.is_empty() {
            return Ok(payment);
        }
        for operation in left {
            match self.carry_out(&operation).await {
                Ok(_) | Err(Error::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.store.find(payment.id).await
    }

    /// Asks the provider how things stand and takes it over. What it never heard of it is asked anew.
    async fn look(&self, payment: Payment) -> Result<Payment, Error> {
        match self.provider.fetch(&payment.key()).await? {
            Some(report) => self.learn(payment.id, &report).await,
            None if payment.state == State::Pending => {
                let operation = self.store.authorization(&payment).await?;
                self.ask_to_authorize(payment, &operation).await
            }
            None => Ok(payment),
        }
    }

    /// No answer leaves the payment as it is: nobody knows what became of it.
    async fn ask_to_authorize(&self, payment: Payment, operation: &Operation) -> Result<Payment, Error> {
        let Ask::Authorize { method: Some(method), return_url } = &operation.ask else {
            return self.store.find(payment.id).await;
        };
        let ask = Authorization { key: &operation.key, amount: payment.amount, method, return_url };
        match self.provider.authorize(ask).await {
            Ok(report) => self.learn(payment.id, &report).await,
            Err(Failure::Unanswered(error)) => {
                unanswered(payment.id, &error);
                self.store.find(payment.id).await
            }
            Err(Failure::Refused(refusal)) => Err(refusal.into()),
        }
    }

    async fn learn(&self, id: PaymentId, report: &Report) -> Result<Payment, Error> {
        self.store.learn(id, report, self.clock.now()).await
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    chrono::TimeDelta::from_std(by).ok().and_then(|by| now.checked_add_signed(by)).unwrap_or(now)
}

fn unanswered(id: PaymentId, error: &Unanswered) {
    let chain = mesh::status::chain(error);
    tracing::warn!(
        { names::PAYMENT_ID } = %id,
        { names::ERROR } = chain,
        "payment {id} waits for its provider: {chain}"
    );
}
