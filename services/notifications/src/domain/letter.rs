//! A letter: to whom, and what it tells. All of it comes from sealed boxes and exists in memory alone.

use kit::{Money, Timestamp};

use super::Template;
use super::line::Line;

/// Lines of an order that a mail shows; of a longer one it says how many more there are.
pub const LINES_MAX: usize = 100;

pub struct Letter {
    pub to: String,
    /// The name to greet by.
    pub name: Option<Line>,
    pub contents: Contents,
}

pub enum Contents {
    VerifyEmail { token: String },
    AlreadyRegistered { token: String },
    ResetPassword { token: String },
    PasswordChanged { at: Timestamp },
    OrderPlaced { order: Order, placed: Timestamp, totals: Option<Totals>, address: Vec<Line> },
    OrderShipped { order: Order, carrier: Line, tracking_number: Line, address: Vec<Line> },
    OrderCancelled { order: Order },
    OrderRefunded { order: Order, amount: Money, refunded: Money },
    BackInStock { product: Line, variant: Line, handle: String },
}

/// Which order, and the lines that the letter is about.
pub struct Order {
    pub id: String,
    pub number: Line,
    /// A guest's capability.
    pub token: String,
    pub lines: Vec<OrderLine>,
    /// So many more than are shown.
    pub more: usize,
}

pub struct OrderLine {
    pub title: Line,
    pub variant: Line,
    pub quantity: i64,
    pub total: Option<Money>,
}

pub struct Totals {
    pub subtotal: Money,
    pub discount: Money,
    pub shipping: Money,
    pub tax: Money,
    pub total: Money,
    pub prices_include_tax: bool,
}

impl Contents {
    pub fn template(&self) -> Template {
        match self {
            Contents::VerifyEmail { .. } => Template::VerifyEmail,
            Contents::AlreadyRegistered { .. } => Template::AlreadyRegistered,
            Contents::ResetPassword { .. } => Template::ResetPassword,
            Contents::PasswordChanged { .. } => Template::PasswordChanged,
            Contents::OrderPlaced { .. } => Template::OrderPlaced,
            Contents::OrderShipped { .. } => Template::OrderShipped,
            Contents::OrderCancelled { .. } => Template::OrderCancelled,
            Contents::OrderRefunded { .. } => Template::OrderRefunded,
            Contents::BackInStock { .. } => Template::BackInStock,
        }
    }
}

impl Totals {
    /// The figures with their names, as they stand one below the other; what is zero is left out.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let tax = if self.prices_include_tax { "Tax included" } else { "Tax" };
        let before_total =
            [("Subtotal", self.subtotal), ("Discount", self.discount), ("Delivery", self.shipping)];
        let shown = |(name, amount): (&'static str, Money)| match (name, amount.minor_units()) {
            (_, 0) => None,
            ("Discount", units) if units > 0 => Some((name, format!("-{amount}"))),
            _ => Some((name, amount.to_string())),
        };
        let mut rows: Vec<(&'static str, String)> = before_total.into_iter().filter_map(shown).collect();
        let tax = shown((tax, self.tax));
        let total = ("Total", self.total.to_string());
        // A tax that is inside the total is told after it, one that is added before it.
        match self.prices_include_tax {
            true => rows.extend([Some(total), tax].into_iter().flatten()),
            false => rows.extend([tax, Some(total)].into_iter().flatten()),
        }
        rows
    }
}
