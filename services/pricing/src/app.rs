//! One method per RPC: what is asked for is fetched, the domain computes or decides, the store counts.

mod goods;

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use kit::{Clock, Currency, Listed, Money, Page, PageError, RequestKey, Timestamp};
use mesh::status::chain;
use observability::names;
use tokio_util::sync::CancellationToken;

use crate::Upstreams;
use crate::domain::quote::Goods;
use crate::domain::shipping::Parcel;
use crate::domain::tax::Rule;
use crate::domain::{
    CheckoutId, Choice, Code, Customer, DEFAULT_COUNTRY, Discount, DiscountId, Enquiry, Method, MethodId,
    Offer, Patch, Quote, Terms, VariantId,
};
use crate::error::Error;
use crate::store::Store;

/// Holds that ran out are looked for so often.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(5);
/// And so many are ended before it is looked again.
const EXPIRED_AT_ONCE_MAX: u32 = 100;
/// What is no longer needed is forgotten so often.
const PRUNE_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// A hold that was closed so long ago is asked for by nobody.
const CLOSED_KEPT: TimeDelta = TimeDelta::days(30);
/// No checkout takes longer.
const HOLD_MAX: TimeDelta = TimeDelta::hours(24);

#[derive(Clone)]
pub struct Pricing {
    store: Store,
    upstreams: Upstreams,
    clock: Clock,
}

/// Things to be priced.
pub struct Basket {
    pub lines: Vec<(VariantId, i64)>,
    pub currency: Currency,
    /// Where it goes, if that is known.
    pub country: Option<String>,
}

/// What a quote is asked for, beside the basket.
pub struct Wishes {
    pub codes: Vec<Code>,
    pub method: Option<MethodId>,
    pub customer: Option<Customer>,
}

/// A method with its price for a basket.
pub struct Offered {
    pub method: Method,
    pub price: Money,
}

impl Pricing {
    pub fn new(store: Store, upstreams: Upstreams, clock: Clock) -> Self {
        Self { store, upstreams, clock }
    }

    pub async fn quote(&self, basket: &Basket, wishes: Wishes) -> Result<Quote, Error> {
        let country = basket.country.as_deref();
        // Nothing is sent before it is known where to.
        let method = wishes.method.filter(|_| country.is_some());
        let country = country.unwrap_or(DEFAULT_COUNTRY);
        let stored = async {
            let taxes = self.store.taxes(country).await?;
            let codes = self.store.candidates(wishes.codes, wishes.customer.as_ref()).await?;
            let choice = match method {
                Some(id) => Some(Choice { id, method: self.store.method(id).await? }),
                None => None,
            };
            Ok::<_, Error>((taxes, codes, choice))
        };
        let ((taxes, codes, choice), lines) = tokio::try_join!(stored, self.items(basket))?;
        let enquiry = Enquiry {
            currency: basket.currency,
            lines: &lines,
            country,
            taxes: &taxes,
            shipping: choice.as_ref(),
            codes: &codes,
            now: self.clock.now(),
        };
        Ok(Quote::compute(&enquiry)?)
    }

    /// The cheapest first; nothing when nothing has to be sent.
    pub async fn shipping_options(&self, basket: &Basket, page: &Page) -> Result<Listed<Offered>, Error> {
        let country = basket.country.as_deref().unwrap_or(DEFAULT_COUNTRY);
        let stored = async { Ok(self.store.methods_to(country).await?) };
        let (methods, lines) = tokio::try_join!(stored, self.items(basket))?;
        let goods = Goods::of(&lines)?;
        if !goods.requires_shipping {
            return Ok(page.listed(Vec::new(), keys));
        }
        let subtotal = Money::new(basket.currency, goods.subtotal);
        let parcel = Parcel { country, weight_grams: goods.weight_grams, subtotal };
        let priced = methods.into_iter().filter_map(|method| {
            let price = Money::new(basket.currency, method.price(parcel)?);
            Some(Offered { method, price })
        });
        let mut offered: Vec<Offered> = priced.collect();
        offered.sort_by_key(place);
        if let Some(after) = &page.after {
            let [price, id] = after.as_slice() else { return Err(PageError::Token.into()) };
            let last = (
                price.parse::<i64>().map_err(|_| PageError::Token)?,
                id.parse::<MethodId>().map_err(|_| PageError::Token)?,
            );
            offered.retain(|option| place(option) > last);
        }
        Ok(page.listed(offered, keys))
    }

    pub async fn hold_codes(
        &self,
        key: &RequestKey,
        checkout: CheckoutId,
        mut codes: Vec<Code>,
        customer: &Customer,
        expires: Timestamp,
    ) -> Result<(), Error> {
        codes.sort();
        codes.dedup();
        let now = self.clock.now();
        let expires = expires.min(now + HOLD_MAX);
        self.store.hold(key, checkout, codes, customer, expires, now).await
    }

    pub async fn commit_codes(&self, key: &RequestKey, checkout: CheckoutId) -> Result<(), Error> {
        self.store.commit(key, checkout, self.clock.now()).await
    }

    pub async fn release_codes(&self, key: &RequestKey, checkout: CheckoutId) -> Result<(), Error> {
        self.store.release(key, checkout, self.clock.now()).await
    }

    pub async fn create_discount(&self, key: &RequestKey, terms: Terms) -> Result<Discount, Error> {
        let terms = terms.checked()?;
        let (id, created) = (DiscountId::new(), self.clock.now());
        self.store.insert_discount(key, Discount { id, terms, use_count: 0, created, version: 1 }).await
    }

    pub async fn update_discount(
        &self,
        key: &RequestKey,
        id: DiscountId,
        etag: Option<i64>,
        patch: Patch,
    ) -> Result<Discount, Error> {
        self.store.update_discount(key, id, etag, |terms| patch.clone().applied_to(terms)).await
    }

    pub async fn batch_get_discounts(
        &self,
        ids: &[DiscountId],
    ) -> Result<HashMap<DiscountId, Discount>, Error> {
        Ok(self.store.discounts(ids).await?)
    }

    pub async fn list_discounts(&self, page: &Page) -> Result<Listed<Discount>, Error> {
        self.store.discount_page(page).await
    }

    pub async fn list_tax_rules(&self, page: &Page) -> Result<Listed<Rule>, Error> {
        self.store.tax_page(page).await
    }

    pub async fn set_tax_rule(&self, key: &RequestKey, rule: Rule) -> Result<Rule, Error> {
        self.store.set_tax(key, rule).await
    }

    pub async fn list_shipping_methods(&self, page: &Page) -> Result<Listed<Method>, Error> {
        self.store.method_page(page).await
    }

    pub async fn create_shipping_method(&self, key: &RequestKey, offer: Offer) -> Result<Method, Error> {
        self.store.insert_method(key, Method { id: MethodId::new(), offer, version: 1 }).await
    }

    pub async fn update_shipping_method(
        &self,
        key: &RequestKey,
        id: MethodId,
        etag: Option<i64>,
        offer: Offer,
    ) -> Result<Method, Error> {
        self.store.replace_method(key, id, etag, offer).await
    }
}

fn place(option: &Offered) -> (i64, MethodId) {
    (option.price.minor_units(), option.method.id)
}

fn keys(option: &Offered) -> Vec<String> {
    let (price, id) = place(option);
    vec![price.to_string(), id.to_string()]
}

/// Ends holds that ran out and forgets what is old. Several processes may do so at once.
pub async fn work(store: &Store, clock: &Clock, shutdown: CancellationToken) {
    let working = async {
        let mut prune_after = clock.now();
        loop {
            let now = clock.now();
            report(expire_overdue(store, now).await, "overdue holds could not be ended");
            if now >= prune_after {
                prune_after = now + PRUNE_INTERVAL;
                report(prune(store, now).await, "old rows could not be forgotten");
            }
            tokio::time::sleep(EXPIRY_INTERVAL).await;
        }
    };
    shutdown.run_until_cancelled(working).await;
}

async fn expire_overdue(store: &Store, now: Timestamp) -> Result<(), Error> {
    loop {
        let overdue = store.overdue(now, EXPIRED_AT_ONCE_MAX).await?;
        for checkout in &overdue {
            store.expire(*checkout, now).await?;
        }
        if overdue.len() < EXPIRED_AT_ONCE_MAX as usize {
            return Ok(());
        }
    }
}

async fn prune(store: &Store, now: Timestamp) -> Result<(), Error> {
    Ok(store.forget_closed(now - CLOSED_KEPT).await?)
}

/// Work that failed is tried again soon; it is only noted.
fn report(done: Result<(), Error>, what: &'static str) {
    if let Err(error) = done {
        let chain = chain(&error);
        tracing::warn!({ names::ERROR } = chain, "{what}: {chain}");
    }
}
