//! An order and its life.

use kit::{Id, Money, MoneyError, Timestamp};
use serde::{Deserialize, Serialize};

use super::checkout::{Checkout, CheckoutId, Holder};
use super::chore::Rest;
use super::contact::Contact;
use super::history::HistoricOrder;
use super::line::{Line, Totals};
use super::number::Number;
use super::payment::Refund;
use super::refusal::Refusal;
use super::returns::{RETURN_MAX, Return, ReturnId, ReturnState};
use super::shipment::{Shipment, ShipmentId};

/// An account, as this service knows it: an id of somebody else's thing.
#[derive(Debug)]
pub enum Account {}

pub type AccountId = Id<Account>;
pub type OrderId = Id<Order>;

/// What somebody has bought. Lines, totals and contact are as they were when it was placed, for ever.
/// At all times `refunded + refunding <= paid <= total`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub id: OrderId,
    pub number: Number,
    pub origin: Origin,
    pub holder: Holder,
    pub checkout: Option<CheckoutId>,
    /// Only an imported order has it.
    pub external: Option<External>,
    pub contact: Contact,
    pub lines: Vec<Line>,
    pub totals: Totals,
    pub codes: Vec<String>,
    pub shipping_method: String,
    pub payment: Option<String>,
    pub paid: Money,
    pub refunded: Money,
    pub refunds: Vec<Refund>,
    /// The authorisation was let go.
    pub voided: bool,
    pub stock: Option<Stock>,
    /// The code uses are held or committed under this id.
    pub codes_hold: Option<String>,
    pub shipments: Vec<Shipment>,
    pub returns: Vec<Return>,
    /// Why it was cancelled; nothing while it is not.
    pub cancelled: Option<String>,
    /// What a cancellation still has to undo.
    pub rest: Rest,
    /// Its checkout has nothing left to do.
    pub settled: bool,
    pub placed: Timestamp,
    pub updated: Timestamp,
    /// Grows with every change.
    pub version: i64,
    /// How many events it has emitted.
    pub news: i64,
    /// Calls in a row that had no answer.
    pub tries: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    Checkout,
    Imported,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderState {
    Open,
    Cancelled,
    Closed,
}

impl OrderState {
    pub const ALL: [OrderState; 3] = [OrderState::Open, OrderState::Cancelled, OrderState::Closed];
}

/// What may be done with an order, by whoever has the right to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Cancel,
    Ship,
    Deliver,
    RequestReturn,
    ApproveReturn,
    ReceiveReturn,
    Refund,
}

/// What happened to an order, for those outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OrderEvent {
    Placed,
    Paid,
    Shipped(ShipmentId),
    Delivered(ShipmentId),
    Cancelled,
    ReturnChanged(ReturnId),
    Refunded(Money),
}

/// The other shop's words for an imported order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct External {
    pub id: String,
    pub customer: Option<String>,
    pub country: String,
}

/// The reservation that stands for the goods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    pub reservation: String,
    /// Reserved has become sold.
    pub confirmed: bool,
}

impl Order {
    /// The pivot of a checkout.
    pub fn place(checkout: &Checkout, number: Number, now: Timestamp) -> (Order, Vec<OrderEvent>) {
        let id = OrderId::new();
        let quote = &checkout.quote;
        let zero = Money::zero(quote.currency);
        let codes = quote.applied_codes();
        let lines = quote.lines.iter().enumerate().map(|(position, line)| Line::quoted(id, position, line));
        let order = Order {
            id,
            number,
            origin: Origin::Checkout,
            holder: checkout.holder.clone(),
            checkout: Some(checkout.id),
            external: None,
            contact: checkout.details.contact(),
            lines: lines.collect(),
            totals: Totals::quoted(quote),
            codes_hold: (!codes.is_empty()).then(|| checkout.hold_id(0)),
            codes,
            shipping_method: quote
                .shipping
                .as_ref()
                .map(|shipping| shipping.display_name.clone())
                .unwrap_or_default(),
            payment: checkout.saga.payment.clone(),
            paid: zero,
            refunded: zero,
            refunds: Vec::new(),
            voided: false,
            stock: Some(Stock { reservation: checkout.hold_id(checkout.saga.round), confirmed: false }),
            shipments: Vec::new(),
            returns: Vec::new(),
            cancelled: None,
            rest: Rest::default(),
            settled: false,
            placed: now,
            updated: now,
            version: 1,
            news: 0,
            tries: 0,
        };
        (order, vec![OrderEvent::Placed])
    }

    /// An order of another shop: paid, delivered and closed long ago. No stock, payment or mail follows.
    pub fn import(
        historic: HistoricOrder,
        currency: kit::Currency,
        number: Number,
        now: Timestamp,
    ) -> Result<(Order, Vec<OrderEvent>), MoneyError> {
        let id = OrderId::new();
        let lines = historic.lines.into_iter().enumerate().map(|(position, line)| {
            let price = Money::new(currency, line.unit_price);
            Line::historic(id, position, line.sku, line.quantity, price)
        });
        let lines = lines.collect::<Result<Vec<Line>, MoneyError>>()?;
        let totals = Totals::historic(currency, &lines)?;
        let order = Order {
            id,
            number,
            origin: Origin::Imported,
            holder: Holder { account: None, token_hash: None },
            checkout: None,
            external: Some(External {
                id: historic.id,
                customer: historic.customer,
                country: historic.country,
            }),
            contact: Contact::default(),
            paid: totals.total,
            lines,
            totals,
            codes: Vec::new(),
            codes_hold: None,
            shipping_method: String::new(),
            payment: None,
            refunded: Money::zero(currency),
            refunds: Vec::new(),
            voided: false,
            stock: None,
            shipments: Vec::new(),
            returns: Vec::new(),
            cancelled: None,
            rest: Rest::default(),
            settled: true,
            placed: historic.placed,
            updated: now,
            version: 1,
            news: 0,
            tries: 0,
        };
        Ok((order, vec![OrderEvent::Placed]))
    }

    pub fn state(&self) -> OrderState {
        let delivered = self.lines.iter().all(|line| line.delivered == line.quantity);
        match self.cancelled {
            Some(_) => OrderState::Cancelled,
            None if delivered && !self.has_open_return() => OrderState::Closed,
            None => OrderState::Open,
        }
    }

    /// Ends an order of which nothing has shipped. Nothing happens to one that was cancelled before.
    pub fn cancel(&mut self, reason: String, now: Timestamp) -> Result<Vec<OrderEvent>, Refusal> {
        self.not_imported()?;
        if self.cancelled.is_some() {
            return Ok(Vec::new());
        }
        if self.lines.iter().any(|line| line.shipped > 0) {
            return Err(Refusal::OrderShipped);
        }
        self.cancelled = Some(reason);
        self.updated = now;
        self.rest = Rest {
            void: self.payment.is_some() && self.paid.minor_units() == 0,
            codes: self.codes_hold.is_some(),
            stock: self.stock.is_some(),
        };
        self.give_all_back(now);
        Ok(vec![OrderEvent::Cancelled])
    }

    /// What may be done with it now.
    pub fn allowed_actions(&self, now: Timestamp) -> Vec<Action> {
        if self.origin == Origin::Imported {
            return Vec::new();
        }
        let live = self.cancelled.is_none();
        let returnable = self.lines.iter().any(|line| line.returnable() > 0);
        let in_time =
            |shipment: &Shipment| shipment.delivered.is_some_and(|delivered| now <= delivered + RETURN_MAX);
        let allowed = [
            (Action::Cancel, live && self.lines.iter().all(|line| line.shipped == 0)),
            (Action::Ship, live && self.may_ship() && self.lines.iter().any(|line| line.to_ship() > 0)),
            (Action::Deliver, self.shipments.iter().any(|shipment| shipment.delivered.is_none())),
            (Action::RequestReturn, returnable && self.shipments.iter().any(in_time)),
            (Action::ApproveReturn, self.has_return(ReturnState::Requested)),
            (Action::ReceiveReturn, self.has_return(ReturnState::Approved)),
            (Action::Refund, self.refundable().minor_units() > 0),
        ];
        allowed.into_iter().filter_map(|(action, allowed)| allowed.then_some(action)).collect()
    }

    pub fn not_imported(&self) -> Result<(), Refusal> {
        match self.origin {
            Origin::Checkout => Ok(()),
            Origin::Imported => Err(Refusal::OrderImported),
        }
    }

    /// Two letters of ISO 3166-1, or as the import wrote it.
    pub fn country(&self) -> &str {
        let shipping = self.contact.shipping.as_ref().map(|address| address.country_code.as_str());
        let external = self.external.as_ref().map(|external| external.country.as_str());
        shipping.or(external).unwrap_or_default()
    }
}
