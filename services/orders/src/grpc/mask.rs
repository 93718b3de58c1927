//! Field masks: what of an order is asked for.

use kit::parse::Fields;
use mesh::status::Violation;
use prost_types::FieldMask;
use proto::orders::Order;

/// A field of an order by its name, and how it is left out.
type Field = (&'static str, fn(&mut Order));

/// All but the id, which is always there.
const FIELDS: [Field; 26] = [
    ("number", |order| order.number.clear()),
    ("account_id", |order| order.account_id.clear()),
    ("origin", |order| order.origin = 0),
    ("state", |order| order.state = 0),
    ("payment_state", |order| order.payment_state = 0),
    ("fulfilment_state", |order| order.fulfilment_state = 0),
    ("allowed_actions", |order| order.allowed_actions.clear()),
    ("email", |order| order.email.clear()),
    ("shipping_address", |order| order.shipping_address = None),
    ("billing_address", |order| order.billing_address = None),
    ("lines", |order| order.lines.clear()),
    ("totals", |order| order.totals = None),
    ("codes", |order| order.codes.clear()),
    ("shipping_method_name", |order| order.shipping_method_name.clear()),
    ("payment_id", |order| order.payment_id.clear()),
    ("paid", |order| order.paid = None),
    ("refunded", |order| order.refunded = None),
    ("shipments", |order| order.shipments.clear()),
    ("returns", |order| order.returns.clear()),
    ("place_time", |order| order.place_time = None),
    ("update_time", |order| order.update_time = None),
    ("version", |order| order.version = 0),
    ("etag", |order| order.etag.clear()),
    ("checkout_id", |order| order.checkout_id.clear()),
    ("external_id", |order| order.external_id.clear()),
    ("cancel_reason", |order| order.cancel_reason.clear()),
];

/// The fields that the lines of an order are read for; where it stands is written beside it.
const OF_LINES: [&str; 2] = ["lines", "allowed_actions"];

/// What is left out of an answer.
pub struct Mask(Vec<Field>);

impl Mask {
    /// What is to be read; an empty mask or "*" is all.
    pub fn to_read(mask: Option<&FieldMask>) -> Result<Mask, Vec<Violation>> {
        let paths = mask.map_or(&[][..], |mask| &mask.paths);
        if paths.is_empty() || paths == ["*"] {
            return Ok(Mask(Vec::new()));
        }
        let mut fields = Fields::new();
        let known = |path: &String| path == "id" || FIELDS.iter().any(|(name, _)| name == path);
        if !paths.iter().all(known) {
            fields.refuse("read_mask", "names a field that an order does not have");
        }
        let left_out = FIELDS.into_iter().filter(|(name, _)| !paths.iter().any(|path| path == name));
        fields.build(|| Some(Mask(left_out.collect())))
    }

    /// Whether the lines are needed for what is asked.
    pub fn needs_lines(&self) -> bool {
        OF_LINES.iter().any(|field| self.0.iter().all(|(left_out, _)| left_out != field))
    }

    pub fn apply(&self, mut order: Order) -> Order {
        for (_, leave_out) in &self.0 {
            leave_out(&mut order);
        }
        order
    }
}
