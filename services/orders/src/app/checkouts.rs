//! Checkouts, as far as the buyer has a hand in them.

use std::time::Duration;

use futures::Stream;
use kit::RequestKey;
use mesh::Caller;
use proto::cart as pb;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::Instrument;

use super::quoting::Basket;
use super::{Orders, token, upstream};
use crate::domain::checkout::{CartVersion, Holder, Purchase};
use crate::domain::saga::Stage;
use crate::domain::{AccountId, Checkout, CheckoutId, CheckoutState, Details, DetailsChange, Quote, Refusal};
use crate::error::Error;
use crate::store::{Lease, Leased, Right};

/// Whoever completes a checkout waits so long for the outcome; the work goes on without him.
const OUTCOME_WAIT_MAX: Duration = Duration::from_secs(6);
/// Whoever cancels one, likewise.
const CANCEL_WAIT_MAX: Duration = Duration::from_secs(4);
/// How often somebody who waits looks although nothing was announced: another process may be at work.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// Pricing is asked again so often when somebody else changes the checkout meanwhile.
const UPDATES_MAX: usize = 5;

/// Which cart is to be bought.
pub struct Start {
    pub cart: String,
    pub cart_token: String,
    pub change: DetailsChange,
}

/// A checkout, and the token that proves the right to it; empty for an account's.
pub struct Started {
    pub checkout: Checkout,
    pub token: String,
}

/// The buyer's yes.
pub struct Completion {
    pub quote: String,
    pub purchase: Purchase,
}

impl Orders {
    pub async fn start_checkout(&self, key: &RequestKey, start: Start) -> Result<Started, Error> {
        if let Some(answer) = self.store.kept(key).await? {
            return Ok(self.started(answer.rows()?));
        }
        let cart = self.cart(&start).await?;
        if let Some(open) = self.store.checkout_of_cart(&cart.id, cart.version).await? {
            return self.resume(key, open, start.change).await;
        }
        let account = (!cart.account_id.is_empty())
            .then(|| cart.account_id.parse::<AccountId>())
            .transpose()
            .map_err(|_| Error::CheckoutNotFound)?;
        let basket = Basket {
            lines: cart.lines.iter().map(|line| (line.variant_id.clone(), line.quantity)).collect(),
            currency: cart.currency_code.parse().map_err(|_| Refusal::CartHasProblems)?,
            country: cart.country_code.clone(),
            account,
        };
        let method_asked = start.change.method.is_some();
        let codes = Details { codes: cart.codes, ..Details::default() };
        let mut details = codes.with(start.change.clone());
        let quote = self.requote(&basket, &mut details, method_asked).await?;
        let id = CheckoutId::new();
        let token_hash = match account {
            Some(_) => None,
            None => token::hash(&self.tokens.of(id)),
        };
        let cart = CartVersion { id: cart.id, version: cart.version, country: cart.country_code };
        let now = self.clock.now();
        let checkout = Checkout::start(id, Holder { account, token_hash }, cart, details, quote, now);
        let (cart, version) = (checkout.cart.clone(), checkout.cart_version);
        match self.store.start(key, checkout, now).await {
            Err(Error::Conflict) => {
                let open = self.store.checkout_of_cart(&cart, version).await?.ok_or(Error::Conflict)?;
                self.resume(key, open, start.change).await
            }
            started => Ok(self.started(started?)),
        }
    }

    /// The same cart is the same checkout. What the buyer tells now is taken while it is READY.
    async fn resume(
        &self,
        key: &RequestKey,
        open: Checkout,
        change: DetailsChange,
    ) -> Result<Started, Error> {
        let nothing_new = open.details.with(change.clone()) == open.details;
        let checkout = match nothing_new || open.ready().is_err() {
            true => self.store.resume(key, open.id).await?,
            false => self.update_checkout(key, open.id, &Right::Any, change).await?,
        };
        Ok(self.started(checkout))
    }

    pub async fn update_checkout(
        &self,
        key: &RequestKey,
        id: CheckoutId,
        right: &Right,
        change: DetailsChange,
    ) -> Result<Checkout, Error> {
        if let Some(answer) = self.store.kept(key).await? {
            return Ok(answer.rows()?);
        }
        for _ in 0..UPDATES_MAX {
            let checkout = self.store.checkout(id, right).await?;
            checkout.ready()?;
            let mut details = checkout.details.with(change.clone());
            let basket = Basket::of(&checkout.quote, &checkout.country, checkout.holder.account);
            let quote = self.requote(&basket, &mut details, change.method.is_some()).await?;
            let changed = self
                .store
                .change(
                    key,
                    id,
                    right,
                    None,
                    |present| match present.details == checkout.details {
                        true => Ok(present.update(details.clone(), quote.clone()).map(|()| Vec::new())?),
                        false => Err(Error::Conflict),
                    },
                    Checkout::clone,
                )
                .await;
            match changed {
                Err(Error::Conflict) => {}
                changed => return Ok(changed?.0),
            }
        }
        Err(Error::Conflict)
    }

    /// Buys. The outcome is waited for, but not for long.
    pub async fn complete_checkout(
        &self,
        key: &RequestKey,
        id: CheckoutId,
        right: &Right,
        completion: Completion,
    ) -> Result<Checkout, Error> {
        let until = Instant::now() + OUTCOME_WAIT_MAX;
        let key = key.clone().lasting();
        let attempt = match self.store.kept(&key).await? {
            Some(answer) => answer.rows()?,
            None => match self.begin(&key, id, right, completion, until).await {
                // The same request may have begun a moment ago; then its attempt is this one's, too.
                Err(refused @ Error::Refused(_)) => self.store.kept(&key).await?.ok_or(refused)?.rows()?,
                begun => begun?,
            },
        };
        let checkout = self.outcome(id, right, attempt, until).await?;
        Ok(as_of(checkout, attempt))
    }

    async fn begin(
        &self,
        key: &RequestKey,
        id: CheckoutId,
        right: &Right,
        completion: Completion,
        until: Instant,
    ) -> Result<i32, Error> {
        let checkout = self.store.checkout(id, right).await?;
        checkout.ready()?;
        let fresh = self.fresh_quote(&checkout).await?;
        let lease = Lease::fresh();
        let now = self.clock.now();
        let begun = self.store.change(
            key,
            id,
            right,
            Some(lease),
            |present| {
                present.begin(&completion.quote, &fresh, completion.purchase.clone(), now)?;
                Ok(Vec::new())
            },
            |present| present.saga.attempt,
        );
        let (attempt, first) = match begun.await {
            Err(Error::Refused(refusal @ Refusal::QuoteChanged { .. })) => {
                // Refused without effect, but the buyer must see what it costs now.
                if checkout.quote.id != fresh.id {
                    self.store.requote(id, fresh).await?;
                }
                return Err(refusal.into());
            }
            begun => begun?,
        };
        if first {
            let runner = self.runner.clone();
            let running = tokio::spawn(async move { runner.checkout(id, lease).await }.in_current_span());
            // Whoever waits may leave; the task goes on.
            let _ = timeout_at(until, running).await;
        }
        Ok(attempt)
    }

    async fn fresh_quote(&self, checkout: &Checkout) -> Result<Quote, Error> {
        let basket = Basket::of(&checkout.quote, &checkout.country, checkout.holder.account);
        self.quote(&basket, &checkout.details).await
    }

    pub async fn cancel_checkout(
        &self,
        key: &RequestKey,
        id: CheckoutId,
        right: &Right,
    ) -> Result<Checkout, Error> {
        let now = self.clock.now();
        let cancel = self.store.change(key, id, right, None, |present| Ok(present.cancel(now)?), |_| ());
        cancel.await?;
        let runner = self.runner.clone();
        let running =
            tokio::spawn(async move { runner.run(Leased::Checkout(id.as_uuid())).await }.in_current_span());
        let _ = timeout(CANCEL_WAIT_MAX, running).await;
        let checkout = self.store.checkout(id, right).await?;
        self.outcome(id, right, checkout.saga.attempt, Instant::now() + LOOK_INTERVAL).await
    }

    pub async fn checkout(&self, id: CheckoutId, right: &Right) -> Result<Checkout, Error> {
        self.store.checkout(id, right).await
    }

    /// The checkout now, then again whenever its version grows.
    pub async fn watch_checkout(
        &self,
        id: CheckoutId,
        right: Right,
    ) -> Result<impl Stream<Item = Result<Checkout, Error>> + Send + use<>, Error> {
        self.store.checkout_version(id, &right).await?.ok_or(Error::CheckoutNotFound)?;
        let (store, watched) = (self.store.clone(), right.clone());
        let version = move || {
            let (store, right) = (store.clone(), watched.clone());
            async move { store.checkout_version(id, &right).await }
        };
        let store = self.store.clone();
        let read = move || {
            let (store, right) = (store.clone(), right.clone());
            async move { store.checkout(id, &right).await.map(|checkout| Some((checkout.version, checkout))) }
        };
        Ok(watching::watch(self.store.changes(), watching::INTERVAL, version, read))
    }

    /// Waits until an attempt rests, or until the time is up.
    async fn outcome(
        &self,
        id: CheckoutId,
        right: &Right,
        attempt: i32,
        until: Instant,
    ) -> Result<Checkout, Error> {
        let mut changes = self.store.changes();
        loop {
            changes.mark_unchanged();
            let checkout = self.store.checkout(id, right).await?;
            if !is_busy(&checkout) || checkout.saga.attempt != attempt || Instant::now() >= until {
                return Ok(checkout);
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    async fn cart(&self, start: &Start) -> Result<pb::Cart, Error> {
        let key = pb::CartKey { cart_id: start.cart.clone(), token: start.cart_token.clone() };
        let request = pb::GetCartRequest { key: Some(key) };
        let answer = self.upstreams.cart.clone().get_cart(request).await;
        let answer = answer.map_err(|status| upstream("cart", status))?;
        let cart = answer.into_inner().cart.unwrap_or_default();
        if cart.lines.is_empty() {
            return Err(Refusal::CartEmpty.into());
        }
        // A changed price is no obstacle: the quote shows it.
        let hinders = |problem: &pb::CartProblem| {
            matches!(
                problem.kind(),
                pb::ProblemKind::Gone | pb::ProblemKind::OutOfStock | pb::ProblemKind::Short
            )
        };
        match cart.problems.iter().any(hinders) {
            true => Err(Refusal::CartHasProblems.into()),
            false => Ok(cart),
        }
    }

    fn started(&self, checkout: Checkout) -> Started {
        let token = match checkout.holder.token_hash {
            Some(_) => self.tokens.of(checkout.id),
            None => String::new(),
        };
        Started { checkout, token }
    }

    /// Who asks for a list or for his own things must be somebody.
    pub fn account(caller: &Caller) -> Result<AccountId, Error> {
        caller.customer_id().map_err(|_| Error::SignInRequired)
    }
}

/// Whether its run has not come to rest.
fn is_busy(checkout: &Checkout) -> bool {
    match checkout.saga.stage {
        Stage::Ready | Stage::Failed | Stage::Completed => false,
        Stage::Waiting { asking, .. } => asking,
        _ => true,
    }
}

/// The checkout as an earlier attempt left it: whoever repeats a request hears what became of that one.
fn as_of(checkout: Checkout, attempt: i32) -> Checkout {
    let failure = checkout.saga.failure_of(attempt).cloned();
    match failure {
        Some(failure) if checkout.saga.attempt != attempt => {
            let mut then = checkout;
            then.saga.stage = Stage::Ready;
            then.saga.failures.push((attempt, failure));
            then.order = None;
            then.action_url = None;
            debug_assert_eq!(then.state(), CheckoutState::Ready);
            then
        }
        _ => checkout,
    }
}
