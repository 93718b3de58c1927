//! Mails: written sealed, their links kept as hashes.

use kit::{RequestKey, Timestamp};

use super::Identity;
use super::secrets::Fresh;
use crate::domain::session::Network;
use crate::domain::{Account, Email, MailKind};
use crate::error::Error;
use crate::events::{self, SealedMail};
use crate::store::{Letter, Link};

/// Mails written in one go.
const MAILS_AT_ONCE: i64 = 100;

impl Identity {
    /// Takes note that somebody wants a mail. The address is looked up later, by [`write_mails`](Self::write_mails),
    /// so neither the answer nor its time can tell whether it has an account.
    pub async fn ask_for_mail(
        &self,
        key: &RequestKey,
        kind: MailKind,
        email: &Email,
        network: &Network,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        if self.store.answered(key).await? {
            return Ok(());
        }
        // An address waits at most once for each kind; a flood of addresses fills the share of its own network.
        self.store.pass(&self.secrets.mails_gate(network), now).await?;
        self.store.ask_for_mail(key, kind, email, now).await
    }

    /// Writes the mails that people asked for.
    pub(super) async fn write_mails(&self) -> Result<(), Error> {
        for request in self.store.mail_requests(MAILS_AT_ONCE).await? {
            let now = self.clock.now();
            let letter = |account: &Account| self.letter(account, request.kind, now);
            self.store.write_mail(&request, |email| self.secrets.mail_gate(email), letter, now).await?;
        }
        Ok(())
    }

    /// A mail with a fresh link.
    pub(super) fn letter(&self, account: &Account, kind: MailKind, now: Timestamp) -> Result<Letter, Error> {
        let Fresh { text, hash } = Fresh::token();
        let purpose = kind.purpose();
        let link = Link { hash, purpose, expires: now + purpose.life() };
        Ok(Letter { link, mail: events::link_mail(&self.sealer, account, kind, &text)? })
    }

    pub(super) fn notice(&self, account: &Account) -> Result<SealedMail, Error> {
        Ok(events::notice(&self.sealer, account)?)
    }
}
