//! Which fields of an order a selection reads.

use crate::schema::look::Look;

/// The fields of the message that the selection needs. An empty mask would mean all of them.
pub(crate) fn read_mask(look: &Look<'_>) -> prost_types::FieldMask {
    let paths = std::iter::once("id").chain(look.names().flat_map(paths_of).copied());
    prost_types::FieldMask { paths: paths.map(str::to_owned).collect() }
}

/// The fields of the message that a field of the schema reads.
fn paths_of(field: &str) -> &'static [&'static str] {
    match field {
        "number" => &["number"],
        "origin" => &["origin"],
        "status" => &["state"],
        "paymentStatus" => &["payment_state"],
        "fulfilmentStatus" => &["fulfilment_state"],
        "allowedActions" => &["allowed_actions"],
        "email" => &["email"],
        "customerId" => &["account_id"],
        "shippingAddress" => &["shipping_address"],
        "billingAddress" => &["billing_address"],
        "lines" => &["lines"],
        "totals" => &["totals"],
        "discountCodes" => &["codes"],
        "shippingMethod" => &["shipping_method_name"],
        "paidAmount" => &["paid"],
        "refundedAmount" => &["refunded"],
        "payment" => &["payment_id"],
        // They count lines, and show them.
        "shipments" => &["shipments", "lines"],
        "returns" => &["returns", "lines"],
        "cancelReason" => &["cancel_reason"],
        "externalId" => &["external_id"],
        "placedAt" => &["place_time"],
        "updatedAt" => &["update_time"],
        "version" => &["version"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::paths_of;

    #[test]
    fn every_field_of_an_order_asks_for_what_it_shows() {
        let sdl = crate::schema::sdl();
        let order =
            sdl.split("\ntype Order ").nth(1).and_then(|rest| rest.split("\n}").next()).unwrap_or_default();
        let of_order =
            |line: &&str| line.starts_with('\t') && line.contains(':') && !line.starts_with("\t\t");
        let fields = order
            .lines()
            .filter(of_order)
            .map(|line| line.trim().split([':', '(']).next().unwrap_or_default())
            // A sentence of a description may hold a colon, too.
            .filter(|name| !name.contains(' '));
        let silent: Vec<&str> = fields.filter(|field| paths_of(field).is_empty()).collect();

        assert_eq!(silent, ["id"]);
    }
}
