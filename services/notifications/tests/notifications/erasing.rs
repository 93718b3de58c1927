//! What becomes of mails to somebody who asked to be forgotten.

use kit::Id;
use kit::outbox::Event;
use proto::{identity, orders};

use crate::support::{Office, contact, offices};

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
const GUEST: &str = "guest@example.com";

#[tokio::test]
async fn what_waits_for_an_account_is_forgotten_with_it() {
    for office in offices(0).await {
        let (ada, eve) = (Id::new(), Id::new());
        for event in mails_to(&office, ada, ADA) {
            office.tell(&event).await;
        }
        office.tell(&of_an_order(&office, eve, EVE)[0]).await;
        office.tell(&office.order("order.placed", GUEST)).await;
        assert_eq!(office.waiting().await, 10);

        office.tell(&erased(&office, ada)).await;

        assert_eq!(office.waiting().await, 2);
        office.begin_to_send();
        office.arrived(EVE, 1).await;
        office.arrived(GUEST, 1).await;
        office.arrived(ADA, 0).await;
    }
}

#[tokio::test]
async fn a_mail_that_comes_after_its_account_was_erased_is_not_sent() {
    for office in offices(1).await {
        let (ada, eve) = (Id::new(), Id::new());
        office.tell(&erased(&office, ada)).await;

        for event in mails_to(&office, ada, ADA) {
            office.tell(&event).await;
        }
        office.tell(&of_an_order(&office, eve, EVE)[0]).await;
        office.tell(&office.order("order.placed", GUEST)).await;

        office.arrived(EVE, 1).await;
        office.arrived(GUEST, 1).await;
        office.settled().await;
        office.arrived(ADA, 0).await;
    }
}

/// One event of each kind that carries a mail and says to which account.
fn mails_to(office: &Office, account: Id<()>, email: &str) -> Vec<Event> {
    let sealer = office.opener.sealer();
    let content = identity::MailContent {
        kind: identity::MailKind::VerifyEmail.into(),
        email: email.to_owned(),
        ..Default::default()
    };
    let mail = Some(sealer.seal(&content).unwrap());
    let stock = identity::BackInStockContent { email: email.to_owned(), ..Default::default() };
    let stock = Some(sealer.seal(&stock).unwrap());
    let (account_id, at) = (account.to_string(), office.clock.now());
    let registered = identity::AccountRegistered { account_id: account_id.clone(), mail: mail.clone() };
    let requested = identity::AccountMailRequested {
        account_id: account_id.clone(),
        mail: mail.clone(),
        ..Default::default()
    };
    let changed = identity::AccountPasswordChanged { account_id: account_id.clone(), mail };
    let back = identity::AccountBackInStock { account_id, mail: stock, ..Default::default() };
    let mut events = vec![
        Event::new("account.registered", account, 1, at, &registered),
        Event::new("account.mail_requested", account, 2, at, &requested),
        Event::new("account.password_changed", account, 3, at, &changed),
        Event::new("account.back_in_stock", account, 4, at, &back),
    ];
    events.extend(of_an_order(office, account, email));
    events
}

/// The subject is the order, so that only the payload says whose it is.
fn of_an_order(office: &Office, account: Id<()>, email: &str) -> [Event; 4] {
    let contact = Some(office.opener.sealer().seal(&contact(email)).unwrap());
    let (account_id, order, at) = (account.to_string(), Id::<()>::new(), office.clock.now());
    let placed = orders::OrderPlaced {
        account_id: account_id.clone(),
        contact: contact.clone(),
        ..Default::default()
    };
    let shipped = orders::OrderShipped {
        account_id: account_id.clone(),
        contact: contact.clone(),
        ..Default::default()
    };
    let cancelled = orders::OrderCancelled {
        account_id: account_id.clone(),
        contact: contact.clone(),
        ..Default::default()
    };
    let refunded = orders::OrderRefunded { account_id, contact, ..Default::default() };
    [
        Event::new("order.placed", order, 1, at, &placed),
        Event::new("order.shipped", order, 2, at, &shipped),
        Event::new("order.cancelled", order, 3, at, &cancelled),
        Event::new("order.refunded", order, 4, at, &refunded),
    ]
}

fn erased(office: &Office, account: Id<()>) -> Event {
    let payload = identity::AccountErased { account_id: account.to_string() };
    Event::new("account.erased", account, 5, office.clock.now(), &payload)
}
