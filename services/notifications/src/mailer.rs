//! Who takes mails out of the shop: a mail server, or a folder where somebody looks at them.

mod folder;
mod message;
mod smtp;

use futures::future::BoxFuture;

use crate::domain::Mail;

pub use folder::Folder;
pub use message::{MalformedSender, Sender};
pub use smtp::{MalformedSmtpUrl, Smtp};

/// What is left to be done with a mail that is taken; not doing it loses nothing.
pub type Goodbye = BoxFuture<'static, ()>;

/// The way out. Taking a mail means that it will not be lost.
pub trait Mailer: Send + Sync {
    /// Hands a mail over. The good-bye, which may take a while, is for after it is noted that the mail has gone.
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<Goodbye, Undelivered>>;
}

/// Why a mail did not go. Servers repeat the address in their words, so nothing of these is kept but the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// This mail will never be taken: the address does not exist, or is none.
    #[error("the mail is refused for good ({})", shown(*code))]
    Refused {
        /// What the server answered; nothing when it was not asked.
        code: Option<u16>,
    },
    /// This mail is not taken now.
    #[error("the mail is not taken for now ({})", shown(*code))]
    Later {
        /// What the server answered; nothing when it was silent for too long.
        code: Option<u16>,
    },
    /// No mail is taken now: the server is away, or does not let the shop in.
    #[error("the way out is closed: {reason} ({})", shown(*code))]
    Closed {
        /// Which step failed.
        reason: &'static str,
        /// What the server answered; nothing when it did not.
        code: Option<u16>,
    },
}

fn shown(code: Option<u16>) -> String {
    code.map_or_else(|| "no code".to_owned(), |code| code.to_string())
}
