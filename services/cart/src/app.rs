//! One method per RPC: whose cart, what is offered, what becomes of it.

mod market;
pub mod token;
pub mod upkeep;

use std::time::Duration;

use futures::Stream;
use kit::{Clock, Currency, RequestKey};
use mesh::Caller;
use mesh::status::chain;
use observability::names;

use self::market::{Market, Wanted};
use self::token::Tokens;
use crate::Upstreams;
use crate::domain::{AccountId, Answer, Cart, CartId, Event, LineId, Offers, Report, VariantId, Warning};
use crate::error::Error;
use crate::store::{Change, Fresh, Store};

pub use crate::store::Right;

/// A cart that changes while others are asked about it is asked about again, so often.
const QUESTIONS_MAX: usize = 5;
/// Nobody waits longer for problems that are only to be shown.
const PROBLEMS_WAIT_MAX: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct Carts {
    store: Store,
    upstreams: Upstreams,
    tokens: Tokens,
    clock: Clock,
}

/// What a request says about which cart it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Whoever shows a token means the cart of that token, signed in or not.
    Token { cart: CartId, token: String },
    /// The account's own.
    Account { cart: Option<CartId> },
}

/// A change that somebody has the right to ask for.
pub struct Edit {
    pub right: Right,
    pub key: RequestKey,
    pub etag: Option<i64>,
}

/// What a new cart is to be.
pub struct Opening {
    pub currency: Currency,
    pub country: String,
    pub lines: Vec<(VariantId, i64)>,
    pub codes: Vec<String>,
}

/// What a change must know of others.
enum Need {
    /// Nothing; but the problems of the cart are shown if they can be had.
    Problems,
    /// What is offered of these, in this currency.
    Offers { currency: Currency, variants: Vec<VariantId> },
}

/// The right that a claim gives to whoever makes it. A guest without a token has none.
pub fn right(caller: &Caller, claim: Claim) -> Result<Right, Error> {
    match claim {
        Claim::Token { cart, token } => Ok(Right::Token { cart, hash: token::hash(&token) }),
        Claim::Account { cart } => {
            let account = account(caller).ok_or(Error::NotFound)?;
            Ok(Right::Account { account, cart })
        }
    }
}

impl Carts {
    pub fn new(store: Store, upstreams: Upstreams, tokens: Tokens, clock: Clock) -> Self {
        Self { store, upstreams, tokens, clock }
    }

    /// Opens a cart and answers a guest's token with it. An account that has a cart gets that one, with the lines.
    pub async fn create(
        &self,
        caller: &Caller,
        key: &RequestKey,
        opening: &Opening,
    ) -> Result<(Answer, Option<String>), Error> {
        let account = account(caller);
        let answer = match self.store.kept(key).await? {
            Some(answer) => answer,
            None => self.open(account, key, opening).await?,
        };
        let token = account.is_none().then(|| self.tokens.of(answer.cart.id));
        Ok((answer, token))
    }

    pub async fn get(&self, right: &Right) -> Result<Answer, Error> {
        let cart = self.store.find(right).await?.ok_or(Error::NotFound)?;
        let problems = self.look(&cart).await.problems(&cart);
        Ok(Answer { cart, report: Report { problems, ..Report::default() } })
    }

    pub async fn add(&self, edit: &Edit, lines: &[(VariantId, i64)]) -> Result<Answer, Error> {
        let variants: Vec<VariantId> = lines.iter().map(|(variant, _)| *variant).collect();
        let need = |cart: &Cart| Need::Offers { currency: cart.currency, variants: variants.clone() };
        let add = |cart: &mut Cart, market: &Market| {
            let offers = market.offers(cart.currency, &variants)?;
            Ok(cart.add(lines, offers)?)
        };
        self.change(edit, need, add).await
    }

    pub async fn set(&self, edit: &Edit, quantities: &[(LineId, i64)]) -> Result<Answer, Error> {
        let named = |cart: &Cart| -> Vec<VariantId> {
            let lines = cart.lines.iter().filter(|line| quantities.iter().any(|(id, _)| *id == line.id));
            lines.map(|line| line.variant).collect()
        };
        let need = |cart: &Cart| Need::Offers { currency: cart.currency, variants: named(cart) };
        let set = |cart: &mut Cart, market: &Market| {
            let offers = market.offers(cart.currency, &named(cart))?;
            Ok(cart.set(quantities, offers)?)
        };
        self.change(edit, need, set).await
    }

    pub async fn remove(&self, edit: &Edit, lines: &[LineId]) -> Result<Answer, Error> {
        let remove = |cart: &mut Cart, _: &Market| {
            cart.remove(lines);
            Ok(Vec::new())
        };
        self.change(edit, |_| Need::Problems, remove).await
    }

    pub async fn set_codes(&self, edit: &Edit, codes: &[String]) -> Result<Answer, Error> {
        let set = |cart: &mut Cart, _: &Market| {
            cart.codes = codes.to_vec();
            Ok(Vec::new())
        };
        self.change(edit, |_| Need::Problems, set).await
    }

    pub async fn move_to(
        &self,
        edit: &Edit,
        currency: Option<Currency>,
        country: Option<&str>,
    ) -> Result<Answer, Error> {
        let other = |cart: &Cart| currency.filter(|currency| *currency != cart.currency);
        let need = |cart: &Cart| match other(cart) {
            None => Need::Problems,
            Some(currency) => Need::Offers { currency, variants: cart.variants() },
        };
        let none = Offers::new();
        let move_to = |cart: &mut Cart, market: &Market| {
            let offers = match other(cart) {
                None => &none,
                // All of it: a line that nobody was asked about must not be lost.
                Some(currency) => market.offers(currency, &cart.variants())?,
            };
            let country = country.unwrap_or(&cart.country).to_owned();
            Ok(cart.move_to(currency.unwrap_or(cart.currency), country, offers))
        };
        self.change(edit, need, move_to).await
    }

    /// Joins a guest's cart to the account's, which takes the guest's country and currency if there is none yet.
    pub async fn merge(&self, account: AccountId, key: &RequestKey, guest: &Right) -> Result<Answer, Error> {
        let own = Right::Account { account, cart: None };
        for _ in 0..QUESTIONS_MAX {
            let theirs = match self.present(key, guest).await? {
                Present::Cart(cart) => cart,
                Present::Answered(answer) => return Ok(answer),
            };
            let now = self.clock.now();
            let present = self.store.find(&own).await?;
            let fresh = Cart::open(Some(account), theirs.currency, theirs.country.clone(), now);
            let base = present.as_ref().unwrap_or(&fresh);
            let need = Need::Offers { currency: base.currency, variants: theirs.variants() };
            let market = self.market(base, need).await?;
            let merge = |cart: &mut Cart, guest: &Cart| {
                let offers = market.offers(cart.currency, &guest.variants())?;
                let merged = cart.merge(guest, offers);
                Ok(Report { merged, problems: market.problems(cart), ..Report::default() })
            };
            let fresh = Fresh { cart: fresh, token: None };
            match self.store.merge(key, guest, fresh, now, merge).await {
                Err(Error::Outrun) => {}
                settled => return settled,
            }
        }
        Err(Error::Outrun)
    }

    /// Takes out what was bought. Nobody is asked: a checkout waits for this.
    pub async fn clear(
        &self,
        key: &RequestKey,
        cart: CartId,
        version: i64,
        bought: &[(VariantId, i64)],
    ) -> Result<Answer, Error> {
        let right = Right::Service(cart);
        let change = Change { key, right: &right, etag: None, now: self.clock.now(), tell: Event::cleared };
        let clear = |present: &mut Cart| {
            // Versions of a guest's cart say nothing about the one it was merged into: no cart has version 0.
            let version = if present.id == cart { version } else { 0 };
            present.clear(version, bought);
            Ok(Report { problems: Market::unknown().problems(present), ..Report::default() })
        };
        self.store.update(&change, clear).await
    }

    /// The cart now, then again whenever its version grows, until it is gone.
    pub async fn watch(
        &self,
        right: Right,
    ) -> Result<impl Stream<Item = Result<Answer, Error>> + Send + use<>, Error> {
        self.store.version(&right).await?.ok_or(Error::NotFound)?;
        let changes = self.store.changes();
        let (store, watched) = (self.store.clone(), right.clone());
        let version = move || {
            let (store, right) = (store.clone(), watched.clone());
            async move { store.version(&right).await }
        };
        let carts = self.clone();
        let read = move || {
            let (carts, right) = (carts.clone(), right.clone());
            async move {
                match carts.get(&right).await {
                    Ok(answer) => Ok(Some((answer.cart.version, answer))),
                    Err(Error::NotFound) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        };
        Ok(watching::watch(changes, watching::INTERVAL, version, read))
    }

    async fn open(
        &self,
        account: Option<AccountId>,
        key: &RequestKey,
        opening: &Opening,
    ) -> Result<Answer, Error> {
        let variants: Vec<VariantId> = opening.lines.iter().map(|(variant, _)| *variant).collect();
        for _ in 0..QUESTIONS_MAX {
            let now = self.clock.now();
            let mut fresh = Cart::open(account, opening.currency, opening.country.clone(), now);
            fresh.join_codes(&opening.codes);
            let present = match account {
                Some(account) => self.store.find(&Right::Account { account, cart: None }).await?,
                None => None,
            };
            let base = present.as_ref().unwrap_or(&fresh);
            let need = match variants.is_empty() {
                true => Need::Problems,
                false => Need::Offers { currency: base.currency, variants: variants.clone() },
            };
            let market = self.market(base, need).await?;
            let fill = |cart: &mut Cart| {
                let offers = market.offers(cart.currency, &variants)?;
                let warnings = cart.add(&opening.lines, offers)?;
                cart.join_codes(&opening.codes);
                Ok(Report { warnings, problems: market.problems(cart), ..Report::default() })
            };
            let token = account.is_none().then(|| token::hash(&self.tokens.of(fresh.id)));
            match self.store.open(key, Fresh { cart: fresh, token }, now, fill).await {
                Err(Error::Outrun) => {}
                settled => return settled,
            }
        }
        Err(Error::Outrun)
    }

    /// Asks others first and decides then, on the cart as it is at that moment: no lock is held across a call.
    async fn change(
        &self,
        edit: &Edit,
        need: impl Fn(&Cart) -> Need,
        decide: impl Fn(&mut Cart, &Market) -> Result<Vec<Warning>, Error>,
    ) -> Result<Answer, Error> {
        for _ in 0..QUESTIONS_MAX {
            let present = match self.present(&edit.key, &edit.right).await? {
                Present::Cart(cart) => cart,
                Present::Answered(answer) => return Ok(answer),
            };
            let market = self.market(&present, need(&present)).await?;
            let change = Change {
                key: &edit.key,
                right: &edit.right,
                etag: edit.etag,
                now: self.clock.now(),
                tell: Event::changed,
            };
            let decide = |cart: &mut Cart| {
                let warnings = decide(cart, &market)?;
                Ok(Report { warnings, problems: market.problems(cart), ..Report::default() })
            };
            match self.store.update(&change, decide).await {
                Err(Error::Outrun) => {}
                settled => return settled,
            }
        }
        Err(Error::Outrun)
    }

    /// The cart to be changed, unless this request was answered before.
    async fn present(&self, key: &RequestKey, right: &Right) -> Result<Present, Error> {
        if let Some(answer) = self.store.kept(key).await? {
            return Ok(Present::Answered(answer));
        }
        if let Some(cart) = self.store.find(right).await? {
            return Ok(Present::Cart(cart));
        }
        // The same request, running at the same time, may be what took the cart away.
        self.store.kept(key).await?.map(Present::Answered).ok_or(Error::NotFound)
    }

    async fn market(&self, cart: &Cart, need: Need) -> Result<Market, Error> {
        match need {
            Need::Problems => Ok(self.look(cart).await),
            Need::Offers { currency, variants } => {
                let mut wanted: Wanted = variants.into_iter().map(|variant| (variant, None)).collect();
                wanted.extend(known(cart));
                Market::ask(&self.upstreams, currency, &wanted).await
            }
        }
    }

    /// What is offered of what is in the cart, if somebody answers in time.
    async fn look(&self, cart: &Cart) -> Market {
        let wanted = known(cart);
        let asking = Market::ask(&self.upstreams, cart.currency, &wanted);
        match tokio::time::timeout(PROBLEMS_WAIT_MAX, asking).await {
            Ok(Ok(market)) => market,
            Ok(Err(error)) => {
                let chain = chain(&error);
                tracing::warn!({ names::ERROR } = chain, "the problems of a cart are not known: {chain}");
                Market::unknown()
            }
            Err(_) => {
                tracing::warn!("the problems of a cart are not known: nobody answered in time");
                Market::unknown()
            }
        }
    }
}

enum Present {
    Cart(Cart),
    Answered(Answer),
}

fn account(caller: &Caller) -> Option<AccountId> {
    caller.customer_id().ok()
}

fn known(cart: &Cart) -> Wanted {
    cart.lines.iter().map(|line| (line.variant, Some(line.sku.clone()))).collect()
}
