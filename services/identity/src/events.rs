//! What identity tells (`account.*`). A person's data leaves it sealed, and only in mails.

use kit::Timestamp;
use kit::outbox;
use kit::sealing::{SealError, Sealer};
use observability::propagation;
use proto::common::Sealed;
use proto::identity as pb;
use secrecy::{ExposeSecret, SecretString};

use crate::domain::rights::Role;
use crate::domain::{Account, AccountId, MailKind};

/// A mail that only notifications can open.
#[derive(Clone)]
pub struct SealedMail {
    kind: pb::MailKind,
    sealed: Sealed,
}

/// What happened to an account.
pub enum News {
    /// Without a mail when the address is known to be good, or has had enough mails.
    Registered(Option<SealedMail>),
    MailRequested(SealedMail),
    EmailVerified,
    PasswordChanged(SealedMail),
    RoleChanged(Role),
    Erased,
}

/// A mail to the owner of an account, with the secret of its link.
pub fn link_mail(
    sealer: &Sealer,
    account: &Account,
    kind: MailKind,
    secret: &SecretString,
) -> Result<SealedMail, SealError> {
    let kind = match kind {
        MailKind::VerifyEmail => pb::MailKind::VerifyEmail,
        MailKind::AlreadyRegistered => pb::MailKind::AlreadyRegistered,
        MailKind::ResetPassword => pb::MailKind::ResetPassword,
    };
    seal(sealer, account, kind, secret.expose_secret())
}

/// The mail that tells the owner of an account that its password is another one now.
pub fn notice(sealer: &Sealer, account: &Account) -> Result<SealedMail, SealError> {
    seal(sealer, account, pb::MailKind::PasswordChanged, "")
}

fn seal(
    sealer: &Sealer,
    account: &Account,
    kind: pb::MailKind,
    token: &str,
) -> Result<SealedMail, SealError> {
    let content = pb::MailContent {
        kind: kind.into(),
        email: account.email.as_str().to_owned(),
        given_name: account.name.given.clone(),
        token: token.to_owned(),
        language: account.preferences.language.clone(),
    };
    Ok(SealedMail { kind, sealed: sealer.seal(&content)? })
}

/// The news as the outbox takes it; its subject is the account.
pub fn event(account: AccountId, version: i64, at: Timestamp, news: News) -> outbox::Event {
    let account_id = account.to_string();
    match news {
        News::Registered(mail) => {
            let payload = pb::AccountRegistered { account_id, mail: mail.map(|mail| mail.sealed) };
            outbox::Event::new("account.registered", account, version, at, &payload)
        }
        News::MailRequested(mail) => {
            let kind = mail.kind.into();
            let payload = pb::AccountMailRequested { account_id, kind, mail: Some(mail.sealed) };
            outbox::Event::new("account.mail_requested", account, version, at, &payload)
        }
        News::EmailVerified => {
            let payload = pb::AccountEmailVerified { account_id };
            outbox::Event::new("account.email_verified", account, version, at, &payload)
        }
        News::PasswordChanged(mail) => {
            let payload = pb::AccountPasswordChanged { account_id, mail: Some(mail.sealed) };
            outbox::Event::new("account.password_changed", account, version, at, &payload)
        }
        News::RoleChanged(role) => {
            let payload = pb::AccountRoleChanged { account_id, role: role.as_str().to_owned() };
            outbox::Event::new("account.role_changed", account, version, at, &payload)
        }
        News::Erased => {
            let payload = pb::AccountErased { account_id };
            outbox::Event::new("account.erased", account, version, at, &payload)
        }
    }
    .caused_by(propagation::traceparent())
}
