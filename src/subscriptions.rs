//! Who reads what: known to every process that publishes, so that the queue of a reader is there before the reader is.

use std::collections::BTreeSet;

use news::{Settings, Subscription};

use crate::commands::Failure;

/// All readers but those that live everywhere, which have no queue to be kept. A test of `shop up`, which binds all of
/// them, compares.
pub const SUBSCRIPTIONS: [Subscription; 9] = [
    Subscription {
        reader: "analytics",
        kinds: &[
            "order.placed",
            "order.cancelled",
            "order.refunded",
            "order.checkout_started",
            "order.checkout_completed",
            "payment.authorized",
            "payment.declined",
            "payment.action_required",
            "payment.captured",
            "payment.refunded",
            "cart.created",
            "cart.changed",
            "cart.merged",
            "product.created",
            "product.updated",
        ],
    },
    Subscription { reader: "cart", kinds: &["account.erased"] },
    Subscription { reader: "catalogue", kinds: &["product.updated", "product.archived"] },
    Subscription { reader: "identity", kinds: &["stock.changed"] },
    Subscription {
        reader: "notifications",
        kinds: &[
            "account.registered",
            "account.mail_requested",
            "account.password_changed",
            "account.back_in_stock",
            "account.erased",
            "order.placed",
            "order.shipped",
            "order.cancelled",
            "order.refunded",
        ],
    },
    Subscription { reader: "orders.accounts", kinds: &["account.erased"] },
    Subscription {
        reader: "orders.payments",
        kinds: &[
            "payment.authorized",
            "payment.declined",
            "payment.captured",
            "payment.voided",
            "payment.refunded",
        ],
    },
    Subscription {
        reader: "recommendations",
        kinds: &["order.placed", "product.created", "product.updated", "product.archived", "account.erased"],
    },
    Subscription { reader: "reviews", kinds: &["order.delivered", "account.erased"] },
];

/// Who tells of what: the first word of a kind, and the service in whose outbox it is.
const OWNERS: [(&str, &str); 6] = [
    ("account", identity::NAME),
    ("cart", cart::NAME),
    ("order", orders::NAME),
    ("payment", payments::NAME),
    ("product", catalogue::NAME),
    ("stock", inventory::NAME),
];

/// The services that tell what a reader wants to hear.
pub fn owners(of: &Subscription) -> BTreeSet<&'static str> {
    of.kinds.iter().filter_map(|kind| owner(kind)).collect()
}

fn owner(kind: &str) -> Option<&'static str> {
    let (word, _) = kind.split_once('.')?;
    OWNERS.iter().find(|(owned, _)| *owned == word).map(|(_, service)| *service)
}

/// The broker of a shop that runs apart.
pub fn broker(url: &str) -> Result<Settings, Failure> {
    Settings::new(url, SUBSCRIPTIONS.to_vec())
        .map_err(|error| Failure::caused("AMQP_URL cannot be used", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_tells_every_kind_that_is_read() {
        let kinds = SUBSCRIPTIONS.iter().flat_map(|subscription| subscription.kinds);
        let strangers: Vec<&&str> = kinds.filter(|kind| owner(kind).is_none()).collect();

        assert!(strangers.is_empty(), "{strangers:?}");
    }
}
