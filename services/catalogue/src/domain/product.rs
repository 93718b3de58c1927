//! A product and what can happen to it.

use kit::{Id, Timestamp};

use super::Refusal;
use super::content::{Content, State};

/// Names a product.
pub type ProductId = Id<Product>;

/// Something the shop offers.
// Whoever makes one has asked `Content::flaws` first; a change gives `version` + 1 and exactly one event.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    /// For ever the same.
    pub id: ProductId,
    /// What staff wrote.
    pub content: Content,
    /// When it was added.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
    /// Since when it is active, while it is.
    pub published: Option<Timestamp>,
    /// 1, 2, 3 …
    pub version: i64,
}

/// What happened to a product.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The product as it is now.
    pub product: Product,
    /// What happened to it.
    pub what: What,
}

/// The kinds of change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It is new.
    Created,
    /// These fields are not what they were.
    Updated(Vec<&'static str>),
    /// It was taken out of the shop.
    Archived,
}

impl Product {
    /// A new product.
    pub fn create(mut content: Content, now: Timestamp) -> Result<Change, Refusal> {
        content.adopt_ids(None);
        refuse_flaws(&content)?;
        let product = Product {
            id: Id::new(),
            published: (content.state == State::Active).then_some(now),
            content,
            created: now,
            updated: now,
            version: 1,
        };
        Ok(Change { product, what: What::Created })
    }

    /// The product with another content; nothing when that is the one it has.
    pub fn update(&self, mut content: Content, now: Timestamp) -> Result<Option<Change>, Refusal> {
        content.adopt_ids(Some(&self.content));
        refuse_flaws(&content)?;
        let paths = self.content.differences(&content);
        if paths.is_empty() {
            return Ok(None);
        }

        let archived = content.state == State::Archived && self.content.state != State::Archived;
        let published = match content.state {
            State::Active => self.published.or(Some(now)),
            State::Draft | State::Archived => None,
        };
        let product = Product {
            id: self.id,
            content,
            created: self.created,
            updated: now,
            published,
            version: self.version.saturating_add(1),
        };
        let what = if archived { What::Archived } else { What::Updated(paths) };
        Ok(Some(Change { product, what }))
    }

    /// The product taken out of the shop; nothing when it was before.
    pub fn archive(&self, now: Timestamp) -> Option<Change> {
        if self.content.state == State::Archived {
            return None;
        }
        let mut product = self.clone();
        product.content.state = State::Archived;
        product.published = None;
        product.updated = now;
        product.version = self.version.saturating_add(1);
        Some(Change { product, what: What::Archived })
    }

    /// Its place in the shop's own order: when it was published, or else added.
    pub fn listed(&self) -> Timestamp {
        self.published.unwrap_or(self.created)
    }
}

fn refuse_flaws(content: &Content) -> Result<(), Refusal> {
    let flaws = content.flaws();
    match flaws.is_empty() {
        true => Ok(()),
        false => Err(Refusal::Flawed(flaws)),
    }
}
