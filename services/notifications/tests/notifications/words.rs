//! What mails say, whatever strangers wrote.

use kit::Id;
use kit::outbox::Event;
use proto::identity::{self, MailKind};
use proto::orders;

use crate::support::{Office, STOREFRONT, contact, hostile, offices, parsed};

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

/// A mail as it should be.
struct Wanted {
    event: Event,
    subject: &'static str,
    /// After the greeting, before the name of the shop.
    text: String,
    html: Vec<&'static str>,
    link: String,
}

#[tokio::test]
async fn a_mail_says_what_has_happened_and_leads_to_its_page() {
    for office in offices(1).await {
        let wanted: Vec<Wanted> = of_accounts(&office).into_iter().chain(of_orders(&office)).collect();
        for wanted in &wanted {
            office.tell(&wanted.event).await;
        }

        let raw = office.arrived(ADA, wanted.len()).await;
        let mails: Vec<_> = raw.iter().map(|mail| parsed(mail)).collect();
        for Wanted { subject, text, html, link, .. } in wanted {
            let mail = mails.iter().find(|mail| mail.subject() == Some(subject)).expect(subject);
            let whole = format!("Hello Ada,\n\n{text}\n\n--\nThe Shop\n");
            assert_eq!(mail.body_text(0).unwrap().replace("\r\n", "\n"), whole);
            let page = mail.body_html(0).unwrap();
            assert!(page.contains(&format!("<a href=\"{link}\"")), "{page}");
            for part in html {
                assert!(page.contains(part), "{part} is not in {page}");
            }
        }
    }
}

fn of_accounts(office: &Office) -> Vec<Wanted> {
    let account = |kind, subject, page: &str, before: &str, after: &str, html| {
        let link = format!("{STOREFRONT}/account/{page}");
        let text = format!("{before}\n\n{link}{after}");
        Wanted { event: office.account(kind, ADA, "Ada"), subject, text, html, link }
    };
    let changed = office.clock.now().format("%-d %B %Y, %H:%M UTC");
    vec![
        account(
            MailKind::VerifyEmail,
            "Confirm your address at The Shop",
            "verify#token=tok-en_1",
            "welcome to The Shop. Please confirm that this address is yours:",
            "\n\nThe link works once, for 24 hours. If you did not open an account, ignore\n\
             this mail: without the link nothing happens.",
            vec!["welcome to The Shop", "for 24 hours"],
        ),
        account(
            MailKind::AlreadyRegistered,
            "You have an account at The Shop",
            "reset#token=tok-en_1",
            "somebody, most likely you, tried to open an account at The Shop with\nthis address. \
             It has one already. If you have forgotten your password, set a\nnew one here:",
            "\n\nThe link works once, for 30 minutes. If it was not you, ignore this mail:\n\
             nothing has changed.",
            vec!["It has one already", "for 30 minutes"],
        ),
        account(
            MailKind::ResetPassword,
            "Set a new password for The Shop",
            "reset#token=tok-en_1",
            "here you can set a new password for your account at The Shop:",
            "\n\nThe link works once, for 30 minutes. If you did not ask for it, ignore this\n\
             mail: your password stays as it is.",
            vec!["set a new password for your account", "for 30 minutes"],
        ),
        account(
            MailKind::PasswordChanged,
            "Your password for The Shop was changed",
            "recover",
            &format!(
                "the password of your account at The Shop was changed on\n{changed}.\n\n\
                 If that was not you, set a new one at once:"
            ),
            "",
            vec!["was changed on", "If that was not you"],
        ),
        stock(office),
    ]
}

fn stock(office: &Office) -> Wanted {
    let content = identity::BackInStockContent {
        email: ADA.to_owned(),
        given_name: "Ada".to_owned(),
        language: "en".to_owned(),
        product_title: "Harbour mug".to_owned(),
        variant_title: "Blue".to_owned(),
        product_handle: "harbour-mug".to_owned(),
    };
    let link = format!("{STOREFRONT}/products/harbour-mug");
    Wanted {
        event: back_in_stock(office, &content),
        subject: "Back in stock: Harbour mug",
        text: format!(
            "you asked us to tell you: Harbour mug (Blue)\nis back in stock.\n\n{link}\n\n\
             We cannot hold it for you. To hear no more of it, take it off your wishlist."
        ),
        html: vec!["<b>Harbour mug</b> (Blue) is back in stock"],
        link,
    }
}

fn of_orders(office: &Office) -> Vec<Wanted> {
    let order = |event: Event, subject, before: &str, html| {
        let link = format!("{STOREFRONT}/orders/{}#token=guest-token", event.subject);
        Wanted { text: format!("{before}\n\n{link}"), event, subject, html, link }
    };
    // A parcel may hold a part of the order alone.
    let mut parcel = contact(ADA);
    parcel.lines.truncate(1);
    let untracked = parcel.clone();
    parcel.tracking_number = "AB123456789GB".to_owned();
    let address = "It goes to:\n\n    Ada Lovelace\n    12 St James's Square\n    London\n\n\
                   Where it stands, you see here:";
    vec![
        order(
            office.shipped(parcel, "1001", "Royal Mail"),
            "Order 1001 is on its way",
            &format!(
                "this part of your order 1001 is on its way:\n\n2 x Harbour mug (Blue): 24.00 GBP\n\n\
                 Carrier: Royal Mail\nTracking number: AB123456789GB\n\n{address}"
            ),
            vec!["2 × Harbour mug", "Carrier: Royal Mail", "Tracking number: AB123456789GB", "London"],
        ),
        order(
            office.shipped(untracked, "1002", ""),
            "Order 1002 is on its way",
            &format!(
                "this part of your order 1002 is on its way:\n\n2 x Harbour mug (Blue): 24.00 GBP\n\n{address}"
            ),
            vec!["2 × Harbour mug"],
        ),
        order(
            office.order("order.cancelled", ADA),
            "Order 1001 is cancelled",
            "your order 1001 is cancelled. What you have paid for it comes\n\
             back by itself; that may take your bank some days.\n\n\
             2 x Harbour mug (Blue): 24.00 GBP\n1 x Linen towel: 15.50 GBP",
            vec!["2 × Harbour mug", "1 × Linen towel", "comes back by itself"],
        ),
        order(
            office.order("order.refunded", ADA),
            "A refund for order 1001",
            "we have sent 10.00 GBP back for your order 1001. That may\ntake your bank some days.\n\n\
             Together with what went back before, it is 15.50 GBP.",
            vec!["<b>10.00 GBP</b> back", "it is 15.50 GBP"],
        ),
    ]
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
    bad.tracking_number = hostile("tracking");
    let kinds = ["order.placed", "order.cancelled", "order.refunded"];
    let orders = kinds.into_iter().map(|kind| office.order_of(kind, bad.clone()));
    let shipped = office.shipped(bad.clone(), "1001", &hostile("carrier"));
    let stock = identity::BackInStockContent {
        email: ADA.to_owned(),
        given_name: hostile("name"),
        language: "en".to_owned(),
        product_title: hostile("product"),
        variant_title: hostile("variant"),
        product_handle: hostile("handle"),
    };
    accounts.chain(orders).chain([shipped, back_in_stock(office, &stock)]).collect()
}

fn back_in_stock(office: &Office, content: &identity::BackInStockContent) -> Event {
    let account = Id::<()>::new();
    let payload = identity::AccountBackInStock {
        account_id: account.to_string(),
        mail: Some(office.opener.sealer().seal(content).unwrap()),
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
