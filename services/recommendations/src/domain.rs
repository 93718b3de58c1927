//! What orders teach, and what follows from it: which products go together, how much each sells, what a customer may
//! want. Pure: it is told what was bought and what is known, and answers in the order of its ranking.

mod neighbours;
mod order;
mod ranking;
#[cfg(test)]
mod tests;

use kit::{Id, Timestamp};

pub use neighbours::{Neighbour, Neighbours};
pub use order::{Bought, Order, meet_around};
pub use ranking::{
    CANDIDATES_EACH_MAX, CANDIDATES_MAX, Candidate, Known, RANKED_MAX, SPEAKERS_MAX, Speaker,
    bought_together, candidates, favourites, for_customer,
};

/// What is learnt as one: a product, or a SKU for which no product was known.
pub enum Item {}
pub type ItemId = Id<Item>;
pub type ProductId = Id<Product>;
pub enum Category {}
pub type CategoryId = Id<Category>;
/// Somebody with a history: an account, or a customer of an imported history.
pub enum Customer {}
pub type CustomerId = Id<Customer>;

/// What orders and the catalogue have told of a product.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Product {
    pub id: ProductId,
    pub category: Option<CategoryId>,
    /// As far as is known; only then it is recommended.
    pub offered: bool,
    /// Orders with it, ever.
    pub order_count: i64,
    /// How much it sells of late; see [`Order::demand`].
    pub demand: f64,
}

/// What is told of a product by the catalogue, as of one version of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    pub product: ProductId,
    pub category: Option<CategoryId>,
    pub offered: bool,
    /// The items that its SKUs stood for as long as nobody knew whose they are.
    pub skus: Vec<ItemId>,
    pub version: i64,
    pub occurred: Timestamp,
}

/// One product of a customer's history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Purchase {
    pub product: ProductId,
    /// The customer's orders with it.
    pub order_count: i64,
    pub last: Timestamp,
}

/// A product that somebody may want.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recommendation {
    pub product: ProductId,
    /// Comparable within one ranking.
    pub score: f64,
    pub because: Explanation,
}

/// The strongest reason for a recommendation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Explanation {
    BoughtTogether {
        with: ProductId,
        orders: i64,
    },
    BoughtBefore {
        orders: i64,
    },
    PopularInCategory {
        category: CategoryId,
        orders: i64,
    },
    /// Nobody has bought it yet.
    SameCategory {
        category: CategoryId,
    },
    Popular {
        orders: i64,
    },
}
