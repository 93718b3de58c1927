//! The address book of an account.

use kit::Id;

/// Addresses of one account, at most.
pub const ADDRESSES_MAX: i64 = 50;

pub type AddressId = Id<Address>;

/// A place to send things to, as an account keeps it. Orders keep their own copy.
#[derive(Clone)]
pub struct Address {
    pub id: AddressId,
    pub place: Place,
    /// Used when a checkout names none. At most one of an account is it.
    pub is_default: bool,
}

/// A postal address. It has no debug output: it is a person's.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    pub given_name: String,
    pub family_name: String,
    pub company: String,
    /// One to three.
    pub lines: Vec<String>,
    pub city: String,
    pub region: String,
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub phone: String,
}
