//! Mails that the shop sends, as staff look at them.

use async_graphql::Object;
use proto::notifications as pb;

/// A kind of mail that the shop sends.
pub(crate) struct MailTemplate(pub(crate) pb::Template);

/// A kind of mail that the shop sends.
#[Object]
impl MailTemplate {
    /// Its name: "order-placed".
    fn name(&self) -> &str {
        &self.0.name
    }

    /// When it is sent.
    fn description(&self) -> &str {
        &self.0.description
    }
}

/// A mail of a person and an order that do not exist.
pub(crate) struct MailPreview(pub(crate) pb::PreviewMailResponse);

/// A mail of a person and an order that do not exist.
#[Object]
impl MailPreview {
    /// Its subject.
    fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Its text, for programs that show no HTML.
    fn text(&self) -> &str {
        &self.0.text
    }

    /// The same as a page. Show it only in a frame with `sandbox`.
    fn html(&self) -> &str {
        &self.0.html
    }
}
