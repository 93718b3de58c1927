//! What each reason of the contracts means to a client: the one place where they become codes of GraphQL.

use proto::{
    cart, catalogue, common, identity, inventory, notifications, orders, payments, pricing, recommendations,
    reviews, search,
};
use tonic::{Code, Status};

/// What a status means to whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The client may act otherwise: a user error of this code.
    Refused(&'static str),
    /// What was named is not there, or not the caller's: null on a read, a user error of this code on a mutation.
    Missing(&'static str),
    SignIn,
    Forbidden,
    Throttled,
    Unavailable,
    /// Ours.
    Broken,
}

/// By the reason if the contract declares it, else by what the code alone may mean.
pub(crate) fn judge(status: &Status) -> Verdict {
    let reasoned = mesh::status::reason_of(status).and_then(|(domain, reason)| verdict_of(&domain, &reason));
    reasoned.unwrap_or(match status.code() {
        Code::Unavailable | Code::DeadlineExceeded => Verdict::Unavailable,
        Code::Unauthenticated => Verdict::SignIn,
        Code::PermissionDenied => Verdict::Forbidden,
        Code::ResourceExhausted => Verdict::Throttled,
        _ => Verdict::Broken,
    })
}

fn verdict_of(domain: &str, reason: &str) -> Option<Verdict> {
    let name = format!("REASON_{reason}");
    match domain {
        "shop" => common::Reason::from_str_name(&name).map(of_common),
        "identity.shop" => identity::Reason::from_str_name(&name).map(of_identity),
        "catalogue.shop" => catalogue::Reason::from_str_name(&name).map(of_catalogue),
        "inventory.shop" => inventory::Reason::from_str_name(&name).map(of_inventory),
        "pricing.shop" => pricing::Reason::from_str_name(&name).map(of_pricing),
        "payments.shop" => payments::Reason::from_str_name(&name).map(of_payments),
        "cart.shop" => cart::Reason::from_str_name(&name).map(of_cart),
        "orders.shop" => orders::Reason::from_str_name(&name).map(of_orders),
        "recommendations.shop" => recommendations::Reason::from_str_name(&name).map(of_recommendations),
        "reviews.shop" => reviews::Reason::from_str_name(&name).map(of_reviews),
        "notifications.shop" => notifications::Reason::from_str_name(&name).map(of_notifications),
        "search.shop" => search::Reason::from_str_name(&name).map(of_search),
        _ => None,
    }
}

fn of_common(reason: common::Reason) -> Verdict {
    use common::Reason as R;
    match reason {
        R::InvalidFields => Verdict::Refused("INVALID"),
        R::PageTokenInvalid => Verdict::Refused("CURSOR_INVALID"),
        R::RequestIdReused => Verdict::Refused("IDEMPOTENCY_KEY_REUSED"),
        R::RequestInProgress => Verdict::Refused("IDEMPOTENCY_IN_PROGRESS"),
        R::EtagMismatch => Verdict::Refused("CHANGED_MEANWHILE"),
        R::SignInRequired | R::TokenInvalid => Verdict::SignIn,
        R::PermissionMissing => Verdict::Forbidden,
        R::Overloaded => Verdict::Throttled,
        R::DeadlineExceeded | R::Unavailable => Verdict::Unavailable,
        // The edge itself calls what it may not: a fault of the shop, not of its client.
        R::CallerNotAllowed | R::NotOffered | R::Internal | R::Unspecified => Verdict::Broken,
    }
}

fn of_identity(reason: identity::Reason) -> Verdict {
    use identity::Reason as R;
    match reason {
        R::CredentialsWrong => Verdict::Refused("CREDENTIALS_WRONG"),
        R::LoginThrottled => Verdict::Throttled,
        R::SessionRevoked => Verdict::Refused("SESSION_REVOKED"),
        R::SessionNotFound => Verdict::Missing("SESSION_NOT_FOUND"),
        R::AccountNotFound => Verdict::Missing("ACCOUNT_NOT_FOUND"),
        R::AddressNotFound => Verdict::Missing("ADDRESS_NOT_FOUND"),
        R::TokenNotUsable => Verdict::Refused("TOKEN_NOT_USABLE"),
        R::PasswordWeak => Verdict::Refused("PASSWORD_WEAK"),
        R::EmailTaken => Verdict::Refused("EMAIL_TAKEN"),
        R::PermissionNotHeld => Verdict::Refused("PERMISSION_NOT_HELD"),
        R::LastAdmin => Verdict::Refused("LAST_ADMIN"),
        R::AddressLimit => Verdict::Refused("ADDRESS_LIMIT"),
        R::WishlistLimit => Verdict::Refused("WISHLIST_LIMIT"),
        R::Unspecified => Verdict::Broken,
    }
}

fn of_catalogue(reason: catalogue::Reason) -> Verdict {
    use catalogue::Reason as R;
    match reason {
        R::ProductNotFound => Verdict::Missing("PRODUCT_NOT_FOUND"),
        R::CategoryNotFound => Verdict::Missing("CATEGORY_NOT_FOUND"),
        R::CollectionNotFound => Verdict::Missing("COLLECTION_NOT_FOUND"),
        R::HandleTaken => Verdict::Refused("HANDLE_TAKEN"),
        R::SkuTaken => Verdict::Refused("SKU_TAKEN"),
        R::CategoryCycle => Verdict::Refused("CATEGORY_CYCLE"),
        R::CategoryTooDeep => Verdict::Refused("CATEGORY_TOO_DEEP"),
        // Imports do not pass the edge.
        R::FileUnreadable | R::StreamOutOfOrder | R::Unspecified => Verdict::Broken,
    }
}

fn of_inventory(reason: inventory::Reason) -> Verdict {
    use inventory::Reason as R;
    match reason {
        R::InsufficientStock => Verdict::Refused("INSUFFICIENT_STOCK"),
        R::LocationNotFound => Verdict::Missing("LOCATION_NOT_FOUND"),
        // Reservations belong to orders; the edge never names one.
        R::ReservationNotFound | R::ReservationClosed | R::ReturnExceedsSale | R::Unspecified => {
            Verdict::Broken
        }
    }
}

fn of_pricing(reason: pricing::Reason) -> Verdict {
    use pricing::Reason as R;
    match reason {
        R::VariantNotPriced => Verdict::Refused("VARIANT_NOT_PRICED"),
        R::ShippingMethodNotAvailable => Verdict::Refused("SHIPPING_METHOD_NOT_AVAILABLE"),
        R::CodeNotUsable => Verdict::Refused("CODE_NOT_USABLE"),
        R::CodeTaken => Verdict::Refused("CODE_TAKEN"),
        R::DiscountNotFound => Verdict::Missing("DISCOUNT_NOT_FOUND"),
        R::ShippingMethodNotFound => Verdict::Missing("SHIPPING_METHOD_NOT_FOUND"),
        R::AmountTooLarge => Verdict::Refused("AMOUNT_TOO_LARGE"),
        R::HoldClosed | R::Unspecified => Verdict::Broken,
    }
}

fn of_payments(reason: payments::Reason) -> Verdict {
    use payments::Reason as R;
    match reason {
        R::PaymentNotFound => Verdict::Missing("PAYMENT_NOT_FOUND"),
        R::ProviderUnknown => Verdict::Missing("PROVIDER_UNKNOWN"),
        R::WebhookRefused => Verdict::Forbidden,
        R::ProviderUnavailable => Verdict::Unavailable,
        R::AmountExceedsCaptured => Verdict::Refused("AMOUNT_EXCEEDS_PAID"),
        // Only orders moves money.
        R::AmountExceedsAuthorized
        | R::AlreadyCaptured
        | R::NotAuthorized
        | R::CurrencyMismatch
        | R::Unspecified => Verdict::Broken,
    }
}

fn of_cart(reason: cart::Reason) -> Verdict {
    use cart::Reason as R;
    match reason {
        R::CartNotFound => Verdict::Missing("CART_NOT_FOUND"),
        R::LineNotFound => Verdict::Missing("LINE_NOT_FOUND"),
        R::VariantNotFound => Verdict::Missing("VARIANT_NOT_FOUND"),
        R::LineLimit => Verdict::Refused("LINE_LIMIT"),
        R::NotForSale => Verdict::Refused("NOT_FOR_SALE"),
        R::CartUnavailable => Verdict::Unavailable,
        R::Unspecified => Verdict::Broken,
    }
}

fn of_orders(reason: orders::Reason) -> Verdict {
    use orders::Reason as R;
    match reason {
        R::CheckoutNotFound => Verdict::Missing("CHECKOUT_NOT_FOUND"),
        R::OrderNotFound => Verdict::Missing("ORDER_NOT_FOUND"),
        R::CartEmpty => Verdict::Refused("CART_EMPTY"),
        R::CartHasProblems => Verdict::Refused("CART_HAS_PROBLEMS"),
        R::CheckoutClosed => Verdict::Refused("CHECKOUT_CLOSED"),
        R::CheckoutIncomplete => Verdict::Refused("CHECKOUT_INCOMPLETE"),
        R::QuoteChanged => Verdict::Refused("QUOTE_CHANGED"),
        R::OrderCancelled => Verdict::Refused("ORDER_CANCELLED"),
        R::OrderShipped => Verdict::Refused("ORDER_SHIPPED"),
        R::QuantityExceedsOpen => Verdict::Refused("QUANTITY_EXCEEDS_OPEN"),
        R::ShipmentNotFound => Verdict::Missing("SHIPMENT_NOT_FOUND"),
        R::ReturnNotFound => Verdict::Missing("RETURN_NOT_FOUND"),
        R::ReturnNotOpen => Verdict::Refused("RETURN_NOT_OPEN"),
        R::ReturnTooLate => Verdict::Refused("RETURN_TOO_LATE"),
        R::AmountExceedsPaid => Verdict::Refused("AMOUNT_EXCEEDS_PAID"),
        R::OrderImported => Verdict::Refused("ORDER_IMPORTED"),
        R::LineNotFound => Verdict::Missing("LINE_NOT_FOUND"),
        R::OrderNotPaid => Verdict::Refused("ORDER_NOT_PAID"),
        // Imports do not pass the edge.
        R::StreamOutOfOrder | R::Unspecified => Verdict::Broken,
    }
}

fn of_recommendations(reason: recommendations::Reason) -> Verdict {
    use recommendations::Reason as R;
    match reason {
        R::HistoryOfAnother => Verdict::Forbidden,
        R::Unspecified => Verdict::Broken,
    }
}

fn of_reviews(reason: reviews::Reason) -> Verdict {
    use reviews::Reason as R;
    match reason {
        R::ReviewNotFound => Verdict::Missing("REVIEW_NOT_FOUND"),
        R::AlreadyReviewed => Verdict::Refused("ALREADY_REVIEWED"),
        R::OwnReview => Verdict::Refused("OWN_REVIEW"),
        R::NotApproved => Verdict::Refused("NOT_APPROVED"),
        R::Unspecified => Verdict::Broken,
    }
}

fn of_notifications(reason: notifications::Reason) -> Verdict {
    use notifications::Reason as R;
    match reason {
        R::TemplateNotFound => Verdict::Missing("TEMPLATE_NOT_FOUND"),
        R::Unspecified => Verdict::Broken,
    }
}

fn of_search(reason: search::Reason) -> Verdict {
    use search::Reason as R;
    match reason {
        R::IndexNotReady => Verdict::Unavailable,
        R::Unspecified => Verdict::Broken,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use async_graphql::resolver_utils::EnumType;
    use mesh::status::DOMAIN;
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;
    use crate::schema::user_error as nouns;

    const COMMON: &str = "common";

    /// Every package of the contract that has reasons, with those, as they travel. It is read from the contract itself,
    /// so that nobody need think of a service that is new.
    fn declared() -> Vec<(String, Vec<String>)> {
        let contract = FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
        let mut packages = Vec::new();
        for file in &contract.file {
            let package = file.package().strip_prefix("shop.").and_then(|rest| rest.strip_suffix(".v1"));
            let reasons = file.enum_type.iter().find(|known| known.name() == "Reason");
            if let (Some(package), Some(reasons)) = (package, reasons) {
                let given = reasons.value.iter().filter(|value| value.number() != 0);
                let names = given.map(|value| value.name().strip_prefix("REASON_").unwrap().to_owned());
                packages.push((package.to_owned(), names.collect()));
            }
        }
        packages
    }

    fn domain(package: &str) -> String {
        match package {
            COMMON => DOMAIN.to_owned(),
            service => format!("{service}.{DOMAIN}"),
        }
    }

    /// The codes that a user error of one noun may have.
    fn codes<E: EnumType>() -> Vec<&'static str> {
        E::items().iter().map(|item| item.name).collect()
    }

    /// The codes that reasons of one package may become: in each list all of them must stand. A service whose mutations
    /// are of several nouns has one list of all their codes.
    fn known(package: &str) -> Vec<Vec<&'static str>> {
        let (checkout, order) = (codes::<nouns::CheckoutErrorCode>(), codes::<nouns::OrderErrorCode>());
        let (discount, tax) = (codes::<nouns::DiscountErrorCode>(), codes::<nouns::TaxErrorCode>());
        let shipping = codes::<nouns::ShippingErrorCode>();
        match package {
            // Whatever is changed, anything of it may be answered.
            COMMON => vec![
                codes::<nouns::CartErrorCode>(),
                checkout,
                order,
                codes::<nouns::CustomerErrorCode>(),
                codes::<nouns::ReviewErrorCode>(),
                codes::<nouns::CatalogueErrorCode>(),
                codes::<nouns::StockErrorCode>(),
                discount,
                tax,
                shipping,
            ],
            "cart" => vec![codes::<nouns::CartErrorCode>()],
            "identity" => vec![codes::<nouns::CustomerErrorCode>()],
            "reviews" => vec![codes::<nouns::ReviewErrorCode>()],
            "catalogue" => vec![codes::<nouns::CatalogueErrorCode>()],
            "inventory" => vec![codes::<nouns::StockErrorCode>()],
            "orders" => vec![[checkout, order].concat()],
            "pricing" => vec![[checkout, discount, shipping].concat()],
            "payments" => vec![order],
            "notifications" | "recommendations" | "search" => vec![Vec::new()],
            package => panic!("{package}: of which nouns are its mutations?"),
        }
    }

    /// Told to whoever reads, or to a provider, and to no mutation.
    const APART: [(&str, &str); 4] = [
        (COMMON, "CURSOR_INVALID"),
        ("payments", "PAYMENT_NOT_FOUND"),
        ("payments", "PROVIDER_UNKNOWN"),
        ("notifications", "TEMPLATE_NOT_FOUND"),
    ];

    #[test]
    fn every_reason_of_every_contract_has_a_verdict_under_its_domain() {
        let packages = declared();

        assert!(packages.iter().any(|(package, _)| package == "orders"), "{packages:?}");
        for (package, reasons) in packages {
            let domain = domain(&package);
            for reason in reasons {
                assert!(verdict_of(&domain, &reason).is_some(), "{domain}: {reason}");
            }
        }
    }

    #[test]
    fn every_code_of_a_mutation_is_in_the_schema() {
        for (package, reasons) in declared() {
            let verdicts = reasons.iter().filter_map(|reason| verdict_of(&domain(&package), reason));
            for verdict in verdicts {
                let (Verdict::Refused(code) | Verdict::Missing(code)) = verdict else { continue };
                let apart = APART.contains(&(package.as_str(), code));
                let known = known(&package).iter().all(|codes| codes.contains(&code));
                assert!(known || apart, "{package}: {code}");
            }
        }
    }

    #[test]
    fn a_reason_that_nobody_declared_is_judged_by_its_code() {
        let status = |code| mesh::status::Problem::new(code, "cart", "UNHEARD_OF", "words").status();

        assert_eq!(judge(&status(Code::Unavailable)), Verdict::Unavailable);
        assert_eq!(judge(&status(Code::FailedPrecondition)), Verdict::Broken);
        assert_eq!(judge(&Status::not_found("words")), Verdict::Broken);
    }
}
