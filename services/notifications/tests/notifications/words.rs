//! What mails say, whatever strangers wrote.

use kit::Id;
use kit::outbox::Event;
use proto::identity::{self, MailKind};
use proto::orders;

use crate::support::{Office, contact, hostile, offices, parsed};

const ADA: &str = "ada@example.com";

#[tokio::test]
async fn an_order_is_confirmed_in_text_and_html_with_its_lines_and_totals() {
    for office in offices(1).await {
        office.tell(&office.order("order.placed", ADA)).await;

        let mails = office.arrived(ADA, 1).await;
        let mail = parsed(&mails[0]);
        assert_eq!(mail.subject(), Some("Your order 1001"));
        assert_eq!(mail.from().unwrap().first().unwrap().address(), Some("shop@shop.example"));
        let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
        let wanted = "Hello Ada,\n\nthank you for your order 1001 of 29 November 2026, 08:00 UTC.\n\n\
            2 x Harbour mug (Blue): 24.00 GBP\n1 x Linen towel: 15.50 GBP\n\n\
            Subtotal: 39.50 GBP\nDiscount: -3.95 GBP\nDelivery: 3.99 GBP\nTotal: 39.54 GBP\n\
            Tax included: 6.59 GBP\n\nIt goes to:\n\n    Ada Lovelace\n    12 St James's Square\n    London\n\n\
            Where it stands, you see here:\n\nhttps://storefront.example/orders/";
        assert!(text.starts_with(wanted), "{text}");
        assert!(text.contains("#token=guest-token\n"), "{text}");
        let html = mail.body_html(0).unwrap();
        assert!(html.contains("Harbour mug") && html.contains("39.54 GBP"), "{html}");
        assert!(html.contains("12 St James&#39;s Square"), "{html}");
    }
}

#[tokio::test]
async fn hostile_words_change_neither_the_head_nor_the_markup() {
    for office in offices(1).await {
        let events = every_mail_of_somebody_hostile(&office);
        let count = events.len();
        for event in &events {
            office.tell(event).await;
        }

        let mails = office.arrived(ADA, count).await;
        office.settled().await;
        let mut subjects = Vec::new();
        for raw in &mails {
            let mail = parsed(raw);
            let (head, _) = raw.split_once("\r\n\r\n").unwrap();
            assert!(!head.to_lowercase().contains("\nbcc") && mail.bcc().is_none(), "{head}");
            assert_eq!(mail.to().unwrap().iter().count(), 1);
            assert!(raw.lines().all(|line| line.len() < 998), "a line is too long for SMTP");
            assert!(raw.len() < 100_000, "{} bytes", raw.len());
            let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
            for tag in ["<script", "<img", "onerror=y>"] {
                assert!(!html.contains(tag), "{html}");
            }
            assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "{text}");
            assert!(!text.contains('\u{202e}') && !text.contains("11111103"), "{text}");
            assert!(text.starts_with("Hello,"), "nobody is greeted by an attack: {text}");
            subjects.push(mail.subject().unwrap().to_owned());
        }
        subjects.sort();
        subjects.dedup();
        assert_eq!(subjects.len(), count, "{subjects:?}");
    }
}

/// One event for each template, everything in it as bad as it can be.
fn every_mail_of_somebody_hostile(office: &Office) -> Vec<Event> {
    let kinds = [
        MailKind::VerifyEmail,
        MailKind::AlreadyRegistered,
        MailKind::ResetPassword,
        MailKind::PasswordChanged,
    ];
    let accounts = kinds.into_iter().map(|kind| office.account(kind, ADA, &hostile("name")));
    let mut bad = contact(ADA);
    bad.given_name = hostile("given");
    bad.family_name = hostile("family");
    bad.address_lines = vec![hostile("street"), hostile("town")];
    for line in &mut bad.lines {
        line.product_title = hostile("title");
        line.variant_title = hostile("variant");
    }
    let kinds = ["order.placed", "order.shipped", "order.cancelled", "order.refunded"];
    let orders = kinds.into_iter().map(|kind| office.order_of(kind, bad.clone()));
    accounts.chain(orders).chain([back_in_stock(office)]).collect()
}

fn back_in_stock(office: &Office) -> Event {
    let content = identity::BackInStockContent {
        email: ADA.to_owned(),
        given_name: hostile("name"),
        language: "en".to_owned(),
        product_title: hostile("product"),
        variant_title: hostile("variant"),
        product_handle: hostile("handle"),
    };
    let account = Id::<()>::new();
    let payload = identity::AccountBackInStock {
        account_id: account.to_string(),
        mail: Some(office.opener.sealer().seal(&content).unwrap()),
        ..Default::default()
    };
    Event::new("account.back_in_stock", account, 1, office.clock.now(), &payload)
}

#[tokio::test]
async fn a_very_long_order_shows_its_first_lines_and_says_how_many_more() {
    for office in offices(1).await {
        let mut long = contact(ADA);
        let line = long.lines[0].clone();
        long.lines = vec![line; 1_200];

        office.tell(&office.order_of("order.placed", long)).await;

        let mails = office.arrived(ADA, 1).await;
        let text = parsed(&mails[0]).body_text(0).unwrap().into_owned();
        assert_eq!(text.matches("Harbour mug").count(), 100);
        assert!(text.contains("and 1100 more lines"), "{text}");
    }
}

#[tokio::test]
async fn an_imported_order_has_nobody_to_write_to() {
    for office in offices(1).await {
        let placed = orders::OrderPlaced { number: "7".to_owned(), ..Default::default() };
        let event = Event::new("order.placed", Id::<()>::new(), 1, office.clock.now(), &placed);

        office.tell(&event).await;

        assert_eq!(office.waiting().await, 0);
    }
}
