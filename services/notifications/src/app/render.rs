//! A letter in words: subject, text and HTML, from the templates of this crate.

use std::time::Duration;

use askama::Template as _;
use kit::{Currency, Money, Timestamp, UnknownCurrency};

use crate::domain::Template;
use crate::domain::letter::{Contents, Letter, Order, OrderLine, Totals};
use crate::domain::line::Line;
use crate::domain::storefront::Storefront;

/// How the shop speaks of itself.
#[derive(Clone)]
pub struct Words {
    /// What the shop is called.
    pub shop: String,
    /// Where the links lead.
    pub storefront: Storefront,
}

/// What a mail says.
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

#[derive(askama::Template)]
#[template(path = "mail.txt")]
struct Text<'a> {
    words: &'a Words,
    letter: &'a Letter,
}

#[derive(askama::Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    words: &'a Words,
    letter: &'a Letter,
    subject: &'a str,
}

impl Words {
    pub(crate) fn write(&self, letter: &Letter) -> Result<Rendered, askama::Error> {
        let subject = self.subject(&letter.contents);
        let text = Text { words: self, letter }.render()?;
        let html = Html { words: self, letter, subject: &subject }.render()?;
        Ok(Rendered { text: tidy(&text), subject, html })
    }

    fn subject(&self, contents: &Contents) -> String {
        let shop = &self.shop;
        match contents {
            Contents::VerifyEmail { .. } => format!("Confirm your address at {shop}"),
            Contents::AlreadyRegistered { .. } => format!("You have an account at {shop}"),
            Contents::ResetPassword { .. } => format!("Set a new password for {shop}"),
            Contents::PasswordChanged { .. } => format!("Your password for {shop} was changed"),
            Contents::OrderPlaced { order, .. } => format!("Your order {}", order.number),
            Contents::OrderShipped { order, .. } => format!("Order {} is on its way", order.number),
            Contents::OrderCancelled { order } => format!("Order {} is cancelled", order.number),
            Contents::OrderRefunded { order, .. } => format!("A refund for order {}", order.number),
            Contents::BackInStock { product, .. } => format!("Back in stock: {product}"),
        }
    }
}

/// A point in time as a person reads it, with its zone.
fn day(time: &Timestamp) -> String {
    time.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// Empty branches of a template leave lines behind; two paragraphs are one empty line apart.
fn tidy(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    format!("{}\n", lines.join("\n").trim_end())
}

/// The letter of a preview: of a person and an order that do not exist.
pub fn sample(template: Template, now: Timestamp) -> Result<Letter, UnknownCurrency> {
    let pounds: Currency = "GBP".parse()?;
    let token = "a-secret-of-the-link".to_owned();
    let money = |minor_units| Money::new(pounds, minor_units);
    let line = |title, variant, quantity, total| OrderLine {
        title: Line::of(title),
        variant: Line::of(variant),
        quantity,
        total: Some(money(total)),
    };
    let order = Order {
        id: "018f0000-0000-7000-8000-000000000000".to_owned(),
        number: Line::of("1001"),
        token: String::new(),
        lines: vec![line("Harbour mug", "Blue / Large", 2, 2_400), line("Linen towel", "", 1, 1_550)],
        more: 0,
    };
    let address = ["Ada Lovelace", "12 St James's Square", "London", "SW1Y 4JH", "GB"].map(Line::of).to_vec();
    let totals = Totals {
        subtotal: money(3_950),
        discount: money(395),
        shipping: money(399),
        tax: money(659),
        total: money(3_954),
        prices_include_tax: true,
    };
    let contents = match template {
        Template::VerifyEmail => Contents::VerifyEmail { token },
        Template::AlreadyRegistered => Contents::AlreadyRegistered { token },
        Template::ResetPassword => Contents::ResetPassword { token },
        Template::PasswordChanged => Contents::PasswordChanged { at: now },
        Template::OrderPlaced => {
            let placed = now - Duration::from_secs(60);
            Contents::OrderPlaced { order, placed, totals: Some(totals), address }
        }
        Template::OrderShipped => {
            let (carrier, tracking_number) = (Line::of("Royal Mail"), Line::of("AB123456789GB"));
            Contents::OrderShipped { order, carrier, tracking_number, address }
        }
        Template::OrderCancelled => Contents::OrderCancelled { order },
        Template::OrderRefunded => {
            Contents::OrderRefunded { order, amount: money(1_550), refunded: money(1_550) }
        }
        Template::BackInStock => Contents::BackInStock {
            product: Line::of("Harbour mug"),
            variant: Line::of("Blue / Large"),
            handle: "harbour-mug".to_owned(),
        },
    };
    Ok(Letter { to: "ada@example.com".to_owned(), name: Line::greeting("Ada"), contents })
}
