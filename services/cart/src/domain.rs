//! A cart, its lines, and what may become of them. What is offered, at what price and how much of it, comes in as a
//! value, so every decision here is a function of what it is given.

mod merge;
mod problem;

use std::collections::HashMap;

use kit::{Currency, Id, Money, Timestamp};

pub use merge::{Merged, Outcome};
pub use problem::{Problem, ProblemKind};

pub const LINES_MAX: usize = 1_200;
pub const QUANTITY_MAX: i64 = 10_000;
pub const CODES_MAX: usize = 10;

pub enum Account {}
pub enum Variant {}
pub enum Product {}

pub type AccountId = Id<Account>;
pub type CartId = Id<Cart>;
pub type LineId = Id<Line>;
pub type ProductId = Id<Product>;
pub type VariantId = Id<Variant>;

/// What somebody is about to buy. Each variant stands in one line at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Cart {
    pub id: CartId,
    /// Nobody: it belongs to whoever holds its token.
    pub account: Option<AccountId>,
    pub currency: Currency,
    pub country: String,
    /// In the order they were added.
    pub lines: Vec<Line>,
    pub codes: Vec<String>,
    /// Grows by one with every change.
    pub version: i64,
    pub created: Timestamp,
    pub updated: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub id: LineId,
    pub variant: VariantId,
    pub sku: String,
    pub product: ProductId,
    /// 1 to [`QUANTITY_MAX`].
    pub quantity: i64,
    /// What one cost when the line was last changed.
    pub seen_price: Money,
}

/// What the catalogue and inventory say about a variant at this moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub sku: String,
    pub product: ProductId,
    /// In the cart's currency; nothing when it has no price in it.
    pub price: Option<Money>,
    /// How many can be had; none for a SKU that inventory does not know.
    pub available: i64,
}

/// Offers by variant. What is not in it is no longer offered.
pub type Offers = HashMap<VariantId, Offer>;

/// Something that was done otherwise than asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub kind: WarningKind,
    pub variant: VariantId,
    pub requested: i64,
    pub actual: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarningKind {
    CappedByStock,
    CappedByLimit,
    Dropped,
}

/// What a command did, beside the cart as it stands afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub warnings: Vec<Warning>,
    /// What became of the lines of a guest's cart.
    pub merged: Vec<Merged>,
    /// Nothing where nobody could be asked.
    pub problems: Option<Vec<Problem>>,
}

/// A cart with what was said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub cart: Cart,
    pub report: Report,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such line in the cart")]
    LineNotFound(LineId),
    #[error("there is no such variant")]
    VariantNotFound(VariantId),
    #[error("a cart holds {LINES_MAX} lines")]
    LineLimit,
    #[error("the variant has no price in the currency of the cart")]
    NotForSale(VariantId),
}

/// What happened to a cart, for those outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Created,
    Changed { added: Vec<ProductId> },
    Merged { guest: CartId },
    Cleared,
}

impl Cart {
    pub fn open(account: Option<AccountId>, currency: Currency, country: String, now: Timestamp) -> Cart {
        Cart {
            id: CartId::new(),
            account,
            currency,
            country,
            lines: Vec::new(),
            codes: Vec::new(),
            version: 1,
            created: now,
            updated: now,
        }
    }

    /// Adds quantities. What cannot be had is capped or left out, with a warning. After a refusal the cart is not to be
    /// kept: some of it may have been added.
    pub fn add(&mut self, wanted: &[(VariantId, i64)], offers: &Offers) -> Result<Vec<Warning>, Refusal> {
        let mut warnings = Vec::new();
        for (variant, quantity) in wanted {
            let offer = offers.get(variant).ok_or(Refusal::VariantNotFound(*variant))?;
            let price = offer.price.ok_or(Refusal::NotForSale(*variant))?;
            let before = self.quantity_of(*variant);
            let asked = before.saturating_add(*quantity);
            // What is in the cart already stays, even if less is available now: that is a problem to show, not to hide.
            let quantity = cap(asked, offer).max(before);
            warnings.extend(warning(*variant, asked, quantity, offer));
            self.hold(*variant, quantity, offer, price)?;
        }
        Ok(warnings)
    }

    /// Sets quantities; zero removes.
    pub fn set(&mut self, wanted: &[(LineId, i64)], offers: &Offers) -> Result<Vec<Warning>, Refusal> {
        let mut warnings = Vec::new();
        for (id, asked) in wanted {
            let line = self.lines.iter_mut().find(|line| line.id == *id).ok_or(Refusal::LineNotFound(*id))?;
            let offered = offers.get(&line.variant).and_then(|offer| Some((offer, offer.price?)));
            let Some((offer, price)) = offered.filter(|_| *asked > 0) else {
                // Less of what is no longer offered can be said, more of it not.
                let actual = line.quantity.min(*asked);
                let (kind, variant) = (WarningKind::Dropped, line.variant);
                warnings.extend((actual < *asked).then_some(Warning {
                    kind,
                    variant,
                    requested: *asked,
                    actual,
                }));
                line.quantity = actual;
                continue;
            };
            let quantity = cap(*asked, offer).max(line.quantity.min(*asked));
            warnings.extend(warning(line.variant, *asked, quantity, offer));
            line.quantity = quantity;
            line.seen_price = price;
        }
        self.lines.retain(|line| line.quantity > 0);
        Ok(warnings)
    }

    /// Removes lines; those not there are no error.
    pub fn remove(&mut self, ids: &[LineId]) {
        self.lines.retain(|line| !ids.contains(&line.id));
    }

    /// Adds discount codes as far as there is room; one that is there already stays once.
    pub fn join_codes(&mut self, codes: &[String]) {
        for code in codes {
            if !self.codes.contains(code) && self.codes.len() < CODES_MAX {
                self.codes.push(code.clone());
            }
        }
    }

    /// Sets where it is sent to and in what it is paid. Lines without a price in the currency go, with a warning.
    pub fn move_to(&mut self, currency: Currency, country: String, offers: &Offers) -> Vec<Warning> {
        self.country = country;
        if self.currency == currency {
            return Vec::new();
        }
        self.currency = currency;
        let mut warnings = Vec::new();
        self.lines.retain_mut(|line| match offers.get(&line.variant).and_then(|offer| offer.price) {
            Some(price) => {
                line.seen_price = price;
                true
            }
            None => {
                warnings.push(Warning {
                    kind: WarningKind::Dropped,
                    variant: line.variant,
                    requested: line.quantity,
                    actual: 0,
                });
                false
            }
        });
        warnings
    }

    /// Takes out what a checkout bought: everything, if the cart is still the version that was bought; else the bought
    /// quantities only, so that what was added meanwhile stays.
    pub fn clear(&mut self, version: i64, bought: &[(VariantId, i64)]) {
        if self.version == version {
            self.lines.clear();
            self.codes.clear();
            return;
        }
        for (variant, quantity) in bought {
            if let Some(line) = self.lines.iter_mut().find(|line| line.variant == *variant) {
                line.quantity = line.quantity.saturating_sub(*quantity);
            }
        }
        self.lines.retain(|line| line.quantity > 0);
    }

    /// The variants of all lines.
    pub fn variants(&self) -> Vec<VariantId> {
        self.lines.iter().map(|line| line.variant).collect()
    }

    /// Counts a change.
    pub fn touch(&mut self, now: Timestamp) {
        self.version = self.version.saturating_add(1);
        self.updated = now;
    }

    fn quantity_of(&self, variant: VariantId) -> i64 {
        self.lines.iter().find(|line| line.variant == variant).map_or(0, |line| line.quantity)
    }

    /// Puts a line at a quantity and at the price that is seen with it; a new one at the end.
    fn hold(
        &mut self,
        variant: VariantId,
        quantity: i64,
        offer: &Offer,
        seen_price: Money,
    ) -> Result<(), Refusal> {
        if let Some(line) = self.lines.iter_mut().find(|line| line.variant == variant) {
            line.quantity = quantity;
            line.seen_price = seen_price;
            line.sku = offer.sku.clone();
            return Ok(());
        }
        if quantity == 0 {
            return Ok(());
        }
        if self.lines.len() >= LINES_MAX {
            return Err(Refusal::LineLimit);
        }
        let (sku, product) = (offer.sku.clone(), offer.product);
        self.lines.push(Line { id: LineId::new(), variant, sku, product, quantity, seen_price });
        Ok(())
    }
}

impl Event {
    /// A change that has no name of its own.
    pub fn changed(before: &Cart, after: &Cart) -> Event {
        let mut added: Vec<ProductId> = Vec::new();
        for line in &after.lines {
            if line.quantity > before.quantity_of(line.variant) && !added.contains(&line.product) {
                added.push(line.product);
            }
        }
        Event::Changed { added }
    }

    /// What was in it has been bought.
    pub fn cleared(_before: &Cart, _after: &Cart) -> Event {
        Event::Cleared
    }
}

fn cap(asked: i64, offer: &Offer) -> i64 {
    asked.min(offer.available).clamp(0, QUANTITY_MAX)
}

fn warning(variant: VariantId, asked: i64, actual: i64, offer: &Offer) -> Option<Warning> {
    let kind = match actual {
        actual if actual >= asked => return None,
        0 => WarningKind::Dropped,
        _ if offer.available >= QUANTITY_MAX => WarningKind::CappedByLimit,
        _ => WarningKind::CappedByStock,
    };
    Some(Warning { kind, variant, requested: asked, actual })
}

#[cfg(test)]
mod tests;
