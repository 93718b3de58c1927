//! Opaque, typed ids: `product_0190…`. A client may read the type off them, but never makes one up.

use async_graphql::ID;

use crate::error::{Fault, Problem};
use crate::limits::ID_LENGTH_MAX;

/// What an id names; the text before the underscore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Product,
    Variant,
    Media,
    Category,
    Collection,
    Cart,
    CartLine,
    Checkout,
    Order,
    OrderLine,
    Shipment,
    Return,
    Review,
    Customer,
    Address,
    Session,
    LoginEvent,
    Discount,
    Payment,
    PaymentEvent,
    ShippingMethod,
    Location,
    Movement,
}

impl Kind {
    const ALL: [Kind; 23] = [
        Kind::Product,
        Kind::Variant,
        Kind::Media,
        Kind::Category,
        Kind::Collection,
        Kind::Cart,
        Kind::CartLine,
        Kind::Checkout,
        Kind::Order,
        Kind::OrderLine,
        Kind::Shipment,
        Kind::Return,
        Kind::Review,
        Kind::Customer,
        Kind::Address,
        Kind::Session,
        Kind::LoginEvent,
        Kind::Discount,
        Kind::Payment,
        Kind::PaymentEvent,
        Kind::ShippingMethod,
        Kind::Location,
        Kind::Movement,
    ];

    fn prefix(self) -> &'static str {
        match self {
            Kind::Product => "product_",
            Kind::Variant => "variant_",
            Kind::Media => "media_",
            Kind::Category => "category_",
            Kind::Collection => "collection_",
            Kind::Cart => "cart_",
            Kind::CartLine => "cartline_",
            Kind::Checkout => "checkout_",
            Kind::Order => "order_",
            Kind::OrderLine => "orderline_",
            Kind::Shipment => "shipment_",
            Kind::Return => "return_",
            Kind::Review => "review_",
            Kind::Customer => "customer_",
            Kind::Address => "address_",
            Kind::Session => "session_",
            Kind::LoginEvent => "loginevent_",
            Kind::Discount => "discount_",
            Kind::Payment => "payment_",
            Kind::PaymentEvent => "paymentevent_",
            Kind::ShippingMethod => "shippingmethod_",
            Kind::Location => "location_",
            Kind::Movement => "movement_",
        }
    }
}

/// The id as clients see it. A UUID loses its hyphens; anything else is kept as it is.
pub(crate) fn encode(kind: Kind, raw: &str) -> ID {
    let prefix = kind.prefix();
    let mut text = String::with_capacity(prefix.len() + raw.len());
    text.push_str(prefix);
    if is_hyphenated(raw) {
        text.extend(raw.chars().filter(|letter| *letter != '-'));
    } else {
        text.push_str(raw);
    }
    ID(text)
}

/// The service's id within a client's. An id of another type is a fault of the client, said as such.
pub(crate) fn decode(kind: Kind, id: &ID) -> Result<String, Fault> {
    let raw = id.0.strip_prefix(kind.prefix()).and_then(raw_of);
    raw.ok_or_else(|| {
        let wanted = kind.prefix().trim_end_matches('_');
        Fault::of(Problem::BadId, format!("The id is not the id of a {wanted}."))
    })
}

/// Kind and service's id of an id whose kind is not known beforehand.
pub(crate) fn decode_any(id: &ID) -> Result<(Kind, String), Fault> {
    let found = Kind::ALL.into_iter().find_map(|kind| {
        let raw = id.0.strip_prefix(kind.prefix()).and_then(raw_of)?;
        Some((kind, raw))
    });
    found.ok_or_else(|| Fault::of(Problem::BadId, "The id is not an id of this shop."))
}

/// Decodes a set of ids of one kind.
pub(crate) fn decode_all(kind: Kind, ids: &[ID]) -> Result<Vec<String>, Fault> {
    ids.iter().map(|id| decode(kind, id)).collect()
}

fn raw_of(text: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':');
    if text.is_empty() || text.len() > ID_LENGTH_MAX || !text.bytes().all(plain) {
        return None;
    }
    if text.len() != 32 {
        return Some(text.to_owned());
    }
    Some(match uuid::Uuid::try_parse(text) {
        Ok(uuid) => uuid.hyphenated().to_string(),
        Err(_) => text.to_owned(),
    })
}

fn is_hyphenated(raw: &str) -> bool {
    let hyphen = |at: usize| raw.as_bytes().get(at) == Some(&b'-');
    raw.len() == 36 && hyphen(8) && hyphen(13) && hyphen(18) && hyphen(23)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_id_comes_back_as_the_service_wrote_it() {
        let raw = "01934c2e-7b6a-7c3e-9a51-0a1b2c3d4e5f";

        let id = encode(Kind::Product, raw);

        assert_eq!(id.0, "product_01934c2e7b6a7c3e9a510a1b2c3d4e5f");
        assert_eq!(decode(Kind::Product, &id).unwrap(), raw);
        assert_eq!(decode_any(&id).unwrap(), (Kind::Product, raw.to_owned()));
    }

    #[test]
    fn an_id_of_another_type_is_refused() {
        let id = encode(Kind::Order, "01934c2e-7b6a-7c3e-9a51-0a1b2c3d4e5f");

        assert!(decode(Kind::Product, &id).is_err());
    }

    #[test]
    fn what_was_never_an_id_is_refused() {
        let long = format!("product_{}", "a".repeat(ID_LENGTH_MAX + 1));
        for text in ["", "product", "product_", "product_a b", "product_é", "x_1", &long] {
            assert!(decode_any(&ID::from(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn every_kind_has_a_prefix_of_its_own() {
        let mut prefixes: Vec<_> = Kind::ALL.iter().map(|kind| kind.prefix()).collect();

        prefixes.sort_unstable();
        prefixes.dedup();

        assert_eq!(prefixes.len(), Kind::ALL.len());
    }
}
