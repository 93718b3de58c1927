//! Mails to a mail server. One connection for each: a connection that is kept and torn off in the middle of a mail would
//! take the answer to that one for the answer to the next.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::Uri;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use percent_encoding::percent_decode_str;

use super::message::{recipient, written};
use super::{Goodbye, Mailer, Sender, Undelivered};
use crate::domain::Mail;

/// A mail that is not taken in this time is tried again later.
const SEND_TIME_MAX: Duration = Duration::from_secs(30);
/// Of that, so long for the connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
/// A server that is slow to answer the good-bye keeps the place of another mail for so long.
const QUIT_TIME_MAX: Duration = Duration::from_secs(1);

/// A mail server and how to speak with it.
pub struct Smtp {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    sender: Sender,
}

#[derive(Clone)]
enum Security {
    /// TLS from the first byte.
    Tls(TlsParameters),
    /// TLS after `STARTTLS`, or no mail.
    StartTls(TlsParameters),
    /// To a server on this machine.
    None,
}

/// Not the address of a mail server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be smtps://user:password@host, or smtp://user:password@host:587 for STARTTLS, the password percent-encoded"
)]
pub struct MalformedSmtpUrl;

impl Smtp {
    /// The server of a URL. `smtp` means STARTTLS, except to this machine itself, where nobody listens in between.
    pub fn new(url: &str, sender: Sender) -> Result<Self, MalformedSmtpUrl> {
        let uri: Uri = url.parse().map_err(|_| MalformedSmtpUrl)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(MalformedSmtpUrl)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(MalformedSmtpUrl);
        }
        let tls = || TlsParameters::new(host.clone()).map_err(|_| MalformedSmtpUrl);
        let (security, port) = match uri.scheme_str() {
            Some("smtps") => (Security::Tls(tls()?), 465),
            Some("smtp") if is_here(&host) => (Security::None, 25),
            Some("smtp") => (Security::StartTls(tls()?), 587),
            _ => return Err(MalformedSmtpUrl),
        };
        let credentials = credentials(&uri)?;
        Ok(Self { port: uri.port_u16().unwrap_or(port), host, security, credentials, sender })
    }

    async fn hand_over(&self, mail: &Mail) -> Result<Goodbye, Undelivered> {
        let to = recipient(mail)?;
        let bytes = written(mail, &self.sender)?;
        let mut server = self.connect().await?;
        let from = MailFrom::new(Some(self.sender.address()), Vec::new());
        server.command(from).await.map_err(closed("the sender is not accepted"))?;
        server.command(Rcpt::new(to, Vec::new())).await.map_err(|error| refused(&error))?;
        server.command(Data).await.map_err(|error| refused(&error))?;
        server.message(&bytes).await.map_err(|error| refused(&error))?;
        // What has been taken is taken, whatever the server says to that.
        Ok(async move { tokio::time::timeout(QUIT_TIME_MAX, server.quit()).map(drop).await }.boxed())
    }

    /// A server that is ready to take a mail. What fails here says nothing of the mail.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Undelivered> {
        let name = ClientId::default();
        let tls = match &self.security {
            Security::Tls(tls) => Some(tls.clone()),
            Security::StartTls(_) | Security::None => None,
        };
        let address = (self.host.as_str(), self.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(address, None, &name, tls, None);
        let mut server = tokio::time::timeout(CONNECT_TIME_MAX, connecting)
            .await
            .map_err(|_| Undelivered::Closed { reason: "the server does not answer", code: None })?
            .map_err(closed("the server cannot be reached"))?;
        if let Security::StartTls(tls) = &self.security {
            server.starttls(tls.clone(), &name).await.map_err(closed("the server gives no TLS"))?;
        }
        if let Some(credentials) = &self.credentials {
            let signed_in = server.auth(DEFAULT_MECHANISMS, credentials).await;
            signed_in.map_err(closed("the server does not let the shop in"))?;
        }
        Ok(server)
    }
}

impl Mailer for Smtp {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<Goodbye, Undelivered>> {
        async {
            let sent = tokio::time::timeout(SEND_TIME_MAX, self.hand_over(mail)).await;
            sent.unwrap_or(Err(Undelivered::Later { code: None }))
        }
        .boxed()
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn credentials(uri: &Uri) -> Result<Option<Credentials>, MalformedSmtpUrl> {
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let Some((who, _)) = authority.rsplit_once('@') else {
        return Ok(None);
    };
    let (user, password) = who.split_once(':').ok_or(MalformedSmtpUrl)?;
    let decoded = |text: &str| {
        percent_decode_str(text).decode_utf8().map(|text| text.into_owned()).map_err(|_| MalformedSmtpUrl)
    };
    Ok(Some(Credentials::new(decoded(user)?, decoded(password)?)))
}

fn code_of(error: &Error) -> Option<u16> {
    error.status().map(u16::from)
}

fn closed(reason: &'static str) -> impl Fn(Error) -> Undelivered {
    move |error| Undelivered::Closed { reason, code: code_of(&error) }
}

/// What a server says of this mail and no other. 421 means that it goes away; without a code it is gone.
fn refused(error: &Error) -> Undelivered {
    match code_of(error) {
        Some(421) => Undelivered::Closed { reason: "the server goes away", code: Some(421) },
        code if error.is_permanent() => Undelivered::Refused { code },
        code => Undelivered::Later { code },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn smtp(url: &str) -> Result<Smtp, MalformedSmtpUrl> {
        Smtp::new(url, Sender::parse("Shop <shop@shop.example>").unwrap())
    }

    #[test]
    fn passwords_are_never_sent_in_clear_over_a_network() {
        let elsewhere = smtp("smtp://shop:p%40ss@mail.example").unwrap();
        assert!(matches!(elsewhere.security, Security::StartTls(_)));
        assert_eq!((elsewhere.port, elsewhere.host.as_str()), (587, "mail.example"));
        let secure = smtp("smtps://shop:secret@mail.example:2465").unwrap();
        assert!(matches!(secure.security, Security::Tls(_)));
        assert_eq!(secure.port, 2465);
        for here in ["smtp://127.0.0.1:2525", "smtp://localhost", "smtp://[::1]"] {
            assert!(matches!(smtp(here).unwrap().security, Security::None), "{here}");
        }
    }

    #[test]
    fn what_is_no_mail_server_is_refused() {
        let wrong = ["", "mail.example", "http://mail.example", "smtp://", "smtp://user@mail.example"];
        for url in wrong.into_iter().chain(["smtps://mail.example/inbox", "smtp://mail.example?tls=none"]) {
            assert!(smtp(url).is_err(), "{url}");
        }
    }
}
