//! A mail in the form of RFC 5322.

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

use super::Undelivered;
use crate::domain::Mail;

/// Who the mails of the shop are from.
#[derive(Clone, Debug)]
pub struct Sender(Mailbox);

/// Not the address of a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an address like \"Shop <shop@shop.example>\"")]
pub struct MalformedSender;

impl Sender {
    /// Reads "Shop <shop@shop.example>" or an address alone.
    pub fn parse(text: &str) -> Result<Sender, MalformedSender> {
        if text.chars().any(char::is_control) {
            return Err(MalformedSender);
        }
        text.parse().map(Sender).map_err(|_| MalformedSender)
    }

    /// The host that the ids of messages end with.
    pub fn host(&self) -> &str {
        self.0.email.domain()
    }

    pub(super) fn address(&self) -> Address {
        self.0.email.clone()
    }
}

/// Nobody may choose a name for the head of a mail: the address stands there alone, and it is parsed.
pub(super) fn recipient(mail: &Mail) -> Result<Address, Undelivered> {
    mail.to.parse().map_err(|_| Undelivered::Refused { code: None })
}

/// The whole mail, text and HTML as alternatives.
pub(super) fn written(mail: &Mail, sender: &Sender) -> Result<Vec<u8>, Undelivered> {
    let unwritable = Undelivered::Refused { code: None };
    // Tells programs that answer by themselves to be silent (RFC 3834).
    let automatic =
        HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
    let body = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
    Message::builder()
        .from(sender.0.clone())
        .to(Mailbox::new(None, recipient(mail)?))
        .subject(mail.subject.clone())
        .date(mail.date.into())
        .message_id(Some(mail.message_id.clone()))
        .raw_header(automatic)
        .multipart(body)
        .map(|message| message.formatted())
        .map_err(|_| unwritable)
}
