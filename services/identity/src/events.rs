//! What identity tells (`account.*`) and what it listens to (`stock.changed`). A person's data leaves it sealed, and only
//! in mails.

use kit::outbox;
use kit::{BoxError, Reader, Timestamp};
use observability::propagation;
use proto::common::Sealed;
use proto::identity as pb;
use proto::inventory as inventory_pb;
use sealing::{SealError, Sealer};
use secrecy::{ExposeSecret, SecretString};

use crate::domain::rights::Role;
use crate::domain::{Account, AccountId, MailKind, StockAlert};
use crate::error::Error;
use crate::store::Store;

/// The name of the reader; renaming it would make it read everything again.
pub const READER: &str = "identity";

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
    /// The mail says what is back.
    BackInStock(StockAlert, Sealed),
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
        News::BackInStock(alert, mail) => {
            let payload = pb::AccountBackInStock {
                account_id,
                product_id: alert.product.to_string(),
                variant_id: alert.variant.to_string(),
                sku: alert.sku,
                mail: Some(mail),
            };
            outbox::Event::new("account.back_in_stock", account, version, at, &payload)
        }
        News::Erased => {
            let payload = pb::AccountErased { account_id };
            outbox::Event::new("account.erased", account, version, at, &payload)
        }
    }
    .caused_by(propagation::traceparent())
}

/// Learns from stock what has come back, and tells those who wish for it.
pub fn reader(store: Store, sealer: Sealer) -> Reader {
    Reader::new(READER, &["stock.changed"], move |event| {
        let (store, sealer) = (store.clone(), sealer.clone());
        async move { apply(&store, &sealer, event).await }
    })
}

/// Batch by batch, each one settled for itself: whoever was told is known by the row of the wish. So news that comes again,
/// after a crash in the middle as after the end, goes on where it stopped, without an inbox.
async fn apply(store: &Store, sealer: &Sealer, event: outbox::Event) -> Result<(), BoxError> {
    let changed: inventory_pb::StockChanged = event.decode()?;
    if !changed.back_in_stock {
        return Ok(());
    }
    let news = |account: &Account, alert: &StockAlert| back_in_stock(sealer, account, alert);
    let mut after = None;
    loop {
        after = store.tell_back_in_stock(&changed.sku, event.occurred, after, news).await?;
        if after.is_none() {
            return Ok(());
        }
    }
}

fn back_in_stock(sealer: &Sealer, account: &Account, alert: &StockAlert) -> Result<News, Error> {
    let content = pb::BackInStockContent {
        email: account.email.as_str().to_owned(),
        given_name: account.name.given.clone(),
        language: account.preferences.language.clone(),
        product_title: alert.product_title.clone(),
        variant_title: alert.variant_title.clone(),
        product_handle: alert.product_handle.clone(),
    };
    Ok(News::BackInStock(alert.clone(), sealer.seal(&content)?))
}
