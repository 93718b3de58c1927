//! What notifications listens to, and the letters inside. A box is opened when its mail is written, and not before.

use kit::outbox::Event;
use kit::{BoxError, Clock, Money, Reader, Timestamp};
use observability::names;
use prost::DecodeError;
use proto::common::Sealed;
use proto::identity as identity_pb;
use proto::orders as orders_pb;
use sealing::{Opener, SealError};

use crate::domain::AccountId;
use crate::domain::letter::{Contents, LINES_MAX, Letter, Order, OrderLine, Totals};
use crate::domain::line::Line;
use crate::store::Store;

/// The name of the reader; renaming it would make it read everything again.
pub const READER: &str = "notifications";

const ERASED: &str = "account.erased";

/// Why an event is no letter. Neither what is inside nor the key is ever named.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("the event is malformed")]
    Event(#[from] DecodeError),
    #[error("its sealed part cannot be read")]
    Sealed(#[from] SealError),
    #[error("no mail is known for it")]
    Kind,
    #[error("its contents are malformed")]
    Contents,
}

/// Takes every event that carries a mail, quickly: nobody who sends waits for a mail server.
pub fn reader(store: Store, clock: Clock) -> Reader {
    let kinds = &[
        "account.registered",
        "account.mail_requested",
        "account.password_changed",
        "account.back_in_stock",
        ERASED,
        "order.placed",
        "order.shipped",
        "order.cancelled",
        "order.refunded",
    ];
    Reader::new(READER, kinds, move |event| {
        let (store, clock) = (store.clone(), clock.clone());
        async move { apply(&store, &event, clock.now()).await }
    })
}

async fn apply(store: &Store, event: &Event, now: Timestamp) -> Result<(), BoxError> {
    if event.kind == ERASED {
        let erased: identity_pb::AccountErased = event.decode()?;
        return Ok(store.forget(READER, event.id, erased.account_id.parse()?).await?);
    }
    match envelope(event) {
        Ok((account, Some(_))) => Ok(store.take(READER, event, account, now).await?),
        // Imported orders have nobody to write to, accounts made by staff no address to verify.
        Ok((_, None)) => Ok(()),
        Err(error) => {
            // It will never be readable: holding back its subject would help nobody.
            let (kind, id, error) = (event.kind.as_str(), event.id, mesh::status::chain(&error));
            tracing::error!(
                { names::EVENT_ID } = %id,
                { names::ERROR } = error.as_str(),
                "{kind} {id} is left out, there will be no mail: {error}"
            );
            Ok(())
        }
    }
}

/// The letter of an event; nothing when it has none.
pub fn letter(opener: &Opener, event: &Event) -> Result<Option<Letter>, Unreadable> {
    let (_, Some(sealed)) = envelope(event)? else {
        return Ok(None);
    };
    match event.kind.as_str() {
        "account.registered" | "account.mail_requested" | "account.password_changed" => {
            account_letter(opener.open(&sealed)?, event.occurred).map(Some)
        }
        "account.back_in_stock" => Ok(Some(stock_letter(opener.open(&sealed)?))),
        _ => order_letter(opener.open(&sealed)?, event).map(Some),
    }
}

/// What an event with a mail says while it is sealed: to which account it goes, if to one, and the box.
fn envelope(event: &Event) -> Result<(Option<AccountId>, Option<Sealed>), Unreadable> {
    let (account_id, sealed) = match event.kind.as_str() {
        "account.registered" => {
            let registered: identity_pb::AccountRegistered = event.decode()?;
            (registered.account_id, registered.mail)
        }
        "account.mail_requested" => {
            let requested: identity_pb::AccountMailRequested = event.decode()?;
            (requested.account_id, requested.mail)
        }
        "account.password_changed" => {
            let changed: identity_pb::AccountPasswordChanged = event.decode()?;
            (changed.account_id, changed.mail)
        }
        "account.back_in_stock" => {
            let back: identity_pb::AccountBackInStock = event.decode()?;
            (back.account_id, back.mail)
        }
        "order.placed" => {
            let placed: orders_pb::OrderPlaced = event.decode()?;
            (placed.account_id, placed.contact)
        }
        "order.shipped" => {
            let shipped: orders_pb::OrderShipped = event.decode()?;
            (shipped.account_id, shipped.contact)
        }
        "order.cancelled" => {
            let cancelled: orders_pb::OrderCancelled = event.decode()?;
            (cancelled.account_id, cancelled.contact)
        }
        "order.refunded" => {
            let refunded: orders_pb::OrderRefunded = event.decode()?;
            (refunded.account_id, refunded.contact)
        }
        _ => return Err(Unreadable::Kind),
    };
    let account = match account_id.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| Unreadable::Contents)?),
    };
    Ok((account, sealed))
}

fn account_letter(content: identity_pb::MailContent, at: Timestamp) -> Result<Letter, Unreadable> {
    let kind = content.kind();
    let token = content.token;
    let contents = match kind {
        identity_pb::MailKind::VerifyEmail => Contents::VerifyEmail { token },
        identity_pb::MailKind::AlreadyRegistered => Contents::AlreadyRegistered { token },
        identity_pb::MailKind::ResetPassword => Contents::ResetPassword { token },
        identity_pb::MailKind::PasswordChanged => Contents::PasswordChanged { at },
        identity_pb::MailKind::Unspecified => return Err(Unreadable::Kind),
    };
    Ok(Letter { to: content.email, name: Line::greeting(&content.given_name), contents })
}

fn stock_letter(content: identity_pb::BackInStockContent) -> Letter {
    let contents = Contents::BackInStock {
        product: Line::of(&content.product_title),
        variant: Line::of(&content.variant_title),
        handle: content.product_handle,
    };
    Letter { to: content.email, name: Line::greeting(&content.given_name), contents }
}

fn order_letter(contact: orders_pb::OrderContact, event: &Event) -> Result<Letter, Unreadable> {
    let (to, name) = (contact.email.clone(), Line::greeting(&contact.given_name));
    let contents = match event.kind.as_str() {
        "order.placed" => {
            let placed: orders_pb::OrderPlaced = event.decode()?;
            Contents::OrderPlaced {
                placed: placed.place_time.parse().unwrap_or(event.occurred),
                totals: contact.totals.as_ref().and_then(totals),
                address: address(&contact),
                order: order(placed.order_id, &placed.number, contact),
            }
        }
        "order.shipped" => {
            let shipped: orders_pb::OrderShipped = event.decode()?;
            Contents::OrderShipped {
                carrier: Line::of(&shipped.carrier),
                tracking_number: Line::of(&contact.tracking_number),
                address: address(&contact),
                order: order(shipped.order_id, &shipped.number, contact),
            }
        }
        "order.cancelled" => {
            let cancelled: orders_pb::OrderCancelled = event.decode()?;
            Contents::OrderCancelled { order: order(cancelled.order_id, &cancelled.number, contact) }
        }
        "order.refunded" => {
            let refunded: orders_pb::OrderRefunded = event.decode()?;
            Contents::OrderRefunded {
                amount: money(refunded.amount.as_ref()).ok_or(Unreadable::Contents)?,
                refunded: money(refunded.refunded.as_ref()).ok_or(Unreadable::Contents)?,
                order: order(refunded.order_id, &refunded.number, contact),
            }
        }
        _ => return Err(Unreadable::Kind),
    };
    Ok(Letter { to, name, contents })
}

fn order(id: String, number: &str, contact: orders_pb::OrderContact) -> Order {
    let more = contact.lines.len().saturating_sub(LINES_MAX);
    let line = |line: orders_pb::ContactLine| OrderLine {
        title: Line::of(&line.product_title),
        variant: Line::of(&line.variant_title),
        quantity: line.quantity,
        total: money(line.total.as_ref()),
    };
    let lines = contact.lines.into_iter().take(LINES_MAX).map(line).collect();
    Order { id, number: Line::of(number), token: contact.order_token, lines, more }
}

/// As it stands on a parcel: the name first.
fn address(contact: &orders_pb::OrderContact) -> Vec<Line> {
    let name = format!("{} {}", contact.given_name, contact.family_name);
    let lines = std::iter::once(&name).chain(&contact.address_lines).map(|line| Line::of(line));
    match contact.address_lines.is_empty() {
        true => Vec::new(),
        false => lines.filter(|line| !line.is_empty()).collect(),
    }
}

fn totals(totals: &orders_pb::ContactTotals) -> Option<Totals> {
    Some(Totals {
        subtotal: money(totals.subtotal.as_ref())?,
        discount: money(totals.discount.as_ref())?,
        shipping: money(totals.shipping.as_ref())?,
        tax: money(totals.tax.as_ref())?,
        total: money(totals.total.as_ref())?,
        prices_include_tax: totals.prices_include_tax,
    })
}

fn money(wire: Option<&proto::common::Money>) -> Option<Money> {
    Money::try_from(wire?).ok()
}
