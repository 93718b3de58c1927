//! What things cost. Pure: integers in, integers out, and every sum re-adds from its parts.

mod amount;
mod digest;
pub mod discount;
pub mod hold;
pub mod quote;
pub mod shipping;
pub mod tax;

use kit::Id;

pub use discount::{Candidate, Code, Customer, Discount, Found, Outcome, Patch, Terms, Value};
pub use hold::{Closed, Hold, State};
pub use quote::{Enquiry, Item, Quote};
pub use shipping::{Choice, Method, Offer, Tier};

/// Others' things, of which this service knows the ids.
pub enum Variant {}
pub enum Product {}
pub enum Checkout {}

pub type VariantId = Id<Variant>;
pub type ProductId = Id<Product>;
pub type CheckoutId = Id<Checkout>;
pub type DiscountId = Id<Discount>;
pub type MethodId = Id<Method>;

/// Where a price is computed when nobody says where it goes.
pub const DEFAULT_COUNTRY: &str = "GB";

/// Why pricing does not do what is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("a variant is not for sale in this currency")]
    VariantNotPriced(VariantId),
    #[error("the shipping method does not serve this address, weight or currency")]
    MethodNotAvailable(MethodId),
    #[error("a discount code cannot be used")]
    CodeNotUsable { code: Code, outcome: Outcome },
    #[error("the codes are not held for this checkout")]
    HoldClosed(Closed),
    #[error("an amount does not fit 64 bits of minor units")]
    AmountTooLarge,
    #[error("must be after start_time")]
    EndsBeforeStart,
    /// The limits hold at all times, so none is set below what has been used. To stop a code, disable it.
    #[error("must not be below the uses that there are")]
    LimitBelowUses { per_customer: bool },
}
