//! Mails of development: until there is a service that sends them, sealed mail events are opened here, written into the
//! data folder and shown at `/dev/mail`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use kit::outbox::Event;
use kit::sealing::Opener;
use kit::{BoxError, Reader};
use proto::identity as identity_pb;
use proto::orders as orders_pb;

/// Mails shown on the page; older ones stay in the folder.
const SHOWN_MAX: usize = 50;

/// Opens what is sealed for notifications, and writes mails.
pub struct Mails {
    folder: PathBuf,
    opener: Opener,
}

struct Mail {
    to: String,
    subject: &'static str,
    body: String,
}

impl Mails {
    /// Mails into `folder`, opened with the key that the services sealed them to.
    pub fn new(folder: PathBuf, opener: Opener) -> Self {
        Self { folder, opener }
    }

    /// Reads every event that carries a mail.
    pub fn reader(self: Arc<Self>) -> Reader {
        let kinds = &[
            "account.registered",
            "account.mail_requested",
            "account.password_changed",
            "order.placed",
            "order.shipped",
            "order.cancelled",
            "order.refunded",
        ];
        Reader::new("mails", kinds, move |event| {
            let mails = self.clone();
            async move { mails.apply(&event).await }
        })
    }

    /// The page that shows them.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new().route("/dev/mail", get(async move || page(&self.folder).await))
    }

    /// A file is named by its event, so the same event twice is the same mail.
    async fn apply(&self, event: &Event) -> Result<(), BoxError> {
        let Some(mail) = self.mail(event)? else {
            return Ok(());
        };
        tokio::fs::create_dir_all(&self.folder).await?;
        let text = format!(
            "Date: {}\nTo: {}\nSubject: {}\n\n{}\n",
            event.occurred.to_rfc2822(),
            mail.to,
            mail.subject,
            mail.body
        );
        tokio::fs::write(self.folder.join(format!("{}.txt", event.id)), text).await?;
        Ok(())
    }

    fn mail(&self, event: &Event) -> Result<Option<Mail>, BoxError> {
        let (sealed, subject, body) = match event.kind.as_str() {
            "account.registered" => {
                let sealed = event.decode::<identity_pb::AccountRegistered>()?.mail;
                return self.account_mail(sealed);
            }
            "account.mail_requested" => {
                let sealed = event.decode::<identity_pb::AccountMailRequested>()?.mail;
                return self.account_mail(sealed);
            }
            "account.password_changed" => {
                let sealed = event.decode::<identity_pb::AccountPasswordChanged>()?.mail;
                return self.account_mail(sealed);
            }
            "order.placed" => {
                let placed: orders_pb::OrderPlaced = event.decode()?;
                (placed.contact, "Your order", format!("Thank you. Your order is {}.", placed.number))
            }
            "order.shipped" => {
                let shipped: orders_pb::OrderShipped = event.decode()?;
                let body = format!(
                    "Order {} is on its way with {} ({}).",
                    shipped.number, shipped.carrier, shipped.tracking_number
                );
                (shipped.contact, "On its way", body)
            }
            "order.cancelled" => {
                let cancelled: orders_pb::OrderCancelled = event.decode()?;
                (cancelled.contact, "Cancelled", format!("Order {} is cancelled.", cancelled.number))
            }
            _ => {
                let refunded: orders_pb::OrderRefunded = event.decode()?;
                let amount = refunded.amount.as_ref().and_then(|money| kit::Money::try_from(money).ok());
                let amount =
                    amount.map(|money| format!("{} {}", money.to_decimal(), money.currency().as_str()));
                let body = format!(
                    "We have sent {} back for order {}.",
                    amount.unwrap_or_default(),
                    refunded.number
                );
                (refunded.contact, "Refunded", body)
            }
        };
        // An imported order has nobody to write to.
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        let contact: orders_pb::OrderContact = self.opener.open(&sealed)?;
        let body = format!("Hello {},\n\n{body}", contact.given_name);
        Ok(Some(Mail { to: contact.email, subject, body }))
    }

    fn account_mail(&self, sealed: Option<proto::common::Sealed>) -> Result<Option<Mail>, BoxError> {
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        let content: identity_pb::MailContent = self.opener.open(&sealed)?;
        let (subject, words) = match content.kind() {
            identity_pb::MailKind::VerifyEmail => ("Confirm your address", "Confirm it with this token:"),
            identity_pb::MailKind::AlreadyRegistered => (
                "You have an account",
                "Somebody tried to register with this address. You have an account already.",
            ),
            identity_pb::MailKind::ResetPassword => ("Set a new password", "Set it with this token:"),
            identity_pb::MailKind::PasswordChanged => ("Password changed", "Your password was changed."),
            identity_pb::MailKind::Unspecified => return Ok(None),
        };
        let body = format!("Hello {},\n\n{words}\n\n{}", content.given_name, content.token);
        Ok(Some(Mail { to: content.email, subject, body }))
    }
}

async fn page(folder: &Path) -> impl IntoResponse + use<> {
    let mut names = Vec::new();
    if let Ok(mut entries) = tokio::fs::read_dir(folder).await {
        while let Ok(Some(entry)) = entries.next_entry().await {
            names.push(entry.path());
        }
    }
    // Named by UUIDv7, so by name is by time.
    names.sort_unstable_by(|one, other| other.cmp(one));
    let mut mails = String::new();
    for path in names.into_iter().take(SHOWN_MAX) {
        let text = tokio::fs::read_to_string(path).await.unwrap_or_default();
        mails.push_str(&format!("<pre>{}</pre>", escaped(&text)));
    }
    let none = "<p>No mail yet. Register an account or place an order.</p>";
    let body = if mails.is_empty() { none } else { &mails };
    let html = format!(
        "<!doctype html><meta charset=utf-8><title>Mail</title>\
         <style>body{{font:16px/1.5 system-ui;max-width:46rem;margin:2rem auto}}\
         pre{{border:1px solid #ccc;border-radius:6px;padding:1rem;white-space:pre-wrap}}</style>\
         <h1>Mail</h1>{body}"
    );
    ([(header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'")], Html(html))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kit::{Clock, Id};

    use super::*;

    #[tokio::test]
    async fn a_sealed_mail_is_written_once_and_shown_without_markup() {
        let folder = tempfile::tempdir().unwrap();
        let opener = Opener::generate();
        let content = identity_pb::MailContent {
            kind: identity_pb::MailKind::ResetPassword.into(),
            email: "ada@example.com".into(),
            given_name: "<b>Ada</b>".into(),
            token: "secret-token".into(),
            ..Default::default()
        };
        let requested = identity_pb::AccountMailRequested {
            mail: Some(opener.sealer().seal(&content).unwrap()),
            ..Default::default()
        };
        let event =
            Event::new("account.mail_requested", Id::<()>::new(), 1, Clock::system().now(), &requested);
        let mails = Arc::new(Mails::new(folder.path().to_owned(), opener));
        let reader = mails.clone().reader();

        (reader.apply)(event.clone()).await.unwrap();
        (reader.apply)(event).await.unwrap();

        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let answer = page(folder.path()).await.into_response();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let html = String::from_utf8(body.to_vec()).unwrap();
        assert!(html.contains("To: ada@example.com") && html.contains("secret-token"));
        assert!(html.contains("&lt;b&gt;Ada") && !html.contains("<b>"));
    }
}
