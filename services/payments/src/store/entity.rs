//! Rows, and how they turn into payments and back.

use kit::{Id, Money};
use sea_orm::DbErr;

use crate::domain::{Ask, DeclineReason, EventKind, Operation, Outcome, Payment, Refusal, State, Sums};

pub mod payment {
    use sea_orm::entity::prelude::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Serialize, Deserialize)]
    #[sea_orm(table_name = "payments")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub checkout_id: Uuid,
        pub attempt: i32,
        pub state: String,
        pub currency: String,
        pub amount: i64,
        pub authorized: i64,
        pub captured: i64,
        pub refunded: i64,
        pub capturing: i64,
        pub refunding: i64,
        pub voiding: bool,
        pub provider: String,
        pub reference: Option<String>,
        pub action_url: Option<String>,
        pub decline: Option<String>,
        pub version: i64,
        pub entries: i64,
        pub event_version: i64,
        pub created: ChronoDateTimeUtc,
        pub updated: ChronoDateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod operation {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "operations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub payment_id: Uuid,
        pub kind: String,
        pub minor_units: i64,
        pub key: String,
        pub method: Option<String>,
        pub method_digest: Option<Vec<u8>>,
        pub return_url: String,
        pub reason: String,
        pub outcome: String,
        pub refusal: Option<String>,
        pub answer: Option<String>,
        pub attempts: i32,
        pub due: ChronoDateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::payment::Entity",
            from = "Column::PaymentId",
            to = "super::payment::Column::Id"
        )]
        Payment,
    }

    impl Related<super::payment::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Payment.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod event {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "payment_events")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub payment_id: Uuid,
        pub position: i64,
        pub kind: String,
        pub minor_units: i64,
        pub reference: Option<String>,
        pub occurred: ChronoDateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl payment::Model {
    pub fn of(payment: &Payment, entries: i64, event_version: i64) -> Self {
        Self {
            id: payment.id.as_uuid(),
            checkout_id: payment.checkout.as_uuid(),
            attempt: payment.attempt,
            state: payment.state.as_str().to_owned(),
            currency: payment.currency().as_str().to_owned(),
            amount: payment.amount.minor_units(),
            authorized: payment.sums.authorized,
            captured: payment.sums.captured,
            refunded: payment.sums.refunded,
            capturing: payment.sums.capturing,
            refunding: payment.sums.refunding,
            voiding: payment.sums.voiding,
            provider: payment.provider.clone(),
            reference: payment.reference.clone(),
            action_url: payment.action_url.clone(),
            decline: payment.decline.map(|reason| reason.as_str().to_owned()),
            version: payment.version,
            entries,
            event_version,
            created: payment.created,
            updated: payment.updated,
        }
    }

    /// The payment of a row. A value that no payment can have means that somebody else wrote the table.
    pub fn payment(&self) -> Result<Payment, DbErr> {
        let malformed = || DbErr::Type(format!("payment {} is malformed", self.id));
        let currency = self.currency.parse().map_err(|_| malformed())?;
        let decline = match &self.decline {
            Some(name) => Some(DeclineReason::named(name).ok_or_else(malformed)?),
            None => None,
        };
        Ok(Payment {
            id: Id::from_uuid(self.id),
            checkout: Id::from_uuid(self.checkout_id),
            attempt: self.attempt,
            state: State::named(&self.state).ok_or_else(malformed)?,
            amount: Money::new(currency, self.amount),
            sums: Sums {
                authorized: self.authorized,
                captured: self.captured,
                refunded: self.refunded,
                capturing: self.capturing,
                refunding: self.refunding,
                voiding: self.voiding,
            },
            provider: self.provider.clone(),
            reference: self.reference.clone(),
            action_url: self.action_url.clone(),
            decline,
            version: self.version,
            created: self.created,
            updated: self.updated,
        })
    }
}

impl operation::Model {
    pub fn of(operation: &Operation, method_digest: Option<Vec<u8>>) -> Self {
        let (method, return_url, reason) = match &operation.ask {
            Ask::Authorize { method, return_url } => (method.clone(), return_url.as_str(), ""),
            Ask::Capture(_) | Ask::Void => (None, "", ""),
            Ask::Refund { reason, .. } => (None, "", reason.as_str()),
        };
        Self {
            id: operation.id.as_uuid(),
            payment_id: operation.payment.as_uuid(),
            kind: operation.ask.kind().to_owned(),
            minor_units: operation.ask.minor_units(),
            key: operation.key.clone(),
            method,
            method_digest,
            return_url: return_url.to_owned(),
            reason: reason.to_owned(),
            outcome: ASKED.to_owned(),
            refusal: None,
            answer: None,
            attempts: operation.attempts,
            due: operation.due,
        }
    }

    /// The operation of a row; the payment tells the currency.
    pub fn operation(self, payment: &Payment) -> Result<Operation, DbErr> {
        let malformed = || DbErr::Type(format!("operation {} is malformed", self.id));
        let amount = payment.money(self.minor_units);
        let ask = match self.kind.as_str() {
            "authorize" => Ask::Authorize { method: self.method, return_url: self.return_url },
            "capture" => Ask::Capture(amount),
            "void" => Ask::Void,
            "refund" => Ask::Refund { amount, reason: self.reason },
            _ => return Err(malformed()),
        };
        let outcome = match self.outcome.as_str() {
            ASKED => None,
            DONE => {
                let answer = self.answer.as_deref().ok_or_else(malformed)?;
                let row: payment::Model =
                    serde_json::from_str(answer).map_err(|error| DbErr::Json(error.to_string()))?;
                Some(Outcome::Done(Box::new(row.payment()?)))
            }
            REFUSED => {
                let refusal = self.refusal.as_deref().and_then(refusal);
                Some(Outcome::Refused(refusal.ok_or_else(malformed)?))
            }
            _ => return Err(malformed()),
        };
        Ok(Operation {
            id: Id::from_uuid(self.id),
            payment: payment.id,
            key: self.key,
            ask,
            outcome,
            due: self.due,
            attempts: self.attempts,
        })
    }
}

pub const ASKED: &str = "asked";
pub const DONE: &str = "done";
pub const REFUSED: &str = "refused";

/// A refusal as a row keeps it; what follows the colon is the state that it speaks of.
pub fn refusal_text(refusal: Refusal) -> String {
    match refusal {
        Refusal::ExceedsAuthorized => "exceeds_authorized".to_owned(),
        Refusal::ExceedsCaptured => "exceeds_captured".to_owned(),
        Refusal::AlreadyCaptured => "already_captured".to_owned(),
        Refusal::CurrencyMismatch => "currency_mismatch".to_owned(),
        Refusal::InFlight => "in_flight".to_owned(),
        Refusal::NotAuthorized(state) => format!("not_authorized:{}", state.as_str()),
    }
}

fn refusal(text: &str) -> Option<Refusal> {
    if let Some(state) = text.strip_prefix("not_authorized:") {
        return State::named(state).map(Refusal::NotAuthorized);
    }
    [
        Refusal::ExceedsAuthorized,
        Refusal::ExceedsCaptured,
        Refusal::AlreadyCaptured,
        Refusal::CurrencyMismatch,
        Refusal::InFlight,
    ]
    .into_iter()
    .find(|refusal| refusal_text(*refusal) == text)
}

/// A kind of event as a row keeps it; what follows the colon is why the provider declined.
pub fn kind_text(kind: EventKind) -> String {
    let name = match kind {
        EventKind::AuthorizationRequest => "authorization_request",
        EventKind::AuthorizationSuccess => "authorization_success",
        EventKind::AuthorizationFailure(reason) => {
            return format!("authorization_failure:{}", reason.as_str());
        }
        EventKind::AuthorizationActionRequired => "authorization_action_required",
        EventKind::ChargeRequest => "charge_request",
        EventKind::ChargeSuccess => "charge_success",
        EventKind::ChargeFailure => "charge_failure",
        EventKind::RefundRequest => "refund_request",
        EventKind::RefundSuccess => "refund_success",
        EventKind::RefundFailure => "refund_failure",
        EventKind::CancelRequest => "cancel_request",
        EventKind::CancelSuccess => "cancel_success",
        EventKind::CancelFailure => "cancel_failure",
    };
    name.to_owned()
}

pub fn kind(text: &str) -> Option<EventKind> {
    if let Some(reason) = text.strip_prefix("authorization_failure:") {
        return DeclineReason::named(reason).map(EventKind::AuthorizationFailure);
    }
    [
        EventKind::AuthorizationRequest,
        EventKind::AuthorizationSuccess,
        EventKind::AuthorizationActionRequired,
        EventKind::ChargeRequest,
        EventKind::ChargeSuccess,
        EventKind::ChargeFailure,
        EventKind::RefundRequest,
        EventKind::RefundSuccess,
        EventKind::RefundFailure,
        EventKind::CancelRequest,
        EventKind::CancelSuccess,
        EventKind::CancelFailure,
    ]
    .into_iter()
    .find(|kind| kind_text(*kind) == text)
}
