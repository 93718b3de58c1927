//! Payments, for staff.

use async_graphql::{Context, ID, Object};
use proto::payments as pb;

use crate::context;
use crate::error::{Fault, listed};
use crate::ids::{self, Kind};
use crate::schema::choice;
use crate::schema::connection::{Connection, Window};
use crate::schema::money::{Money, optional, promised};
use crate::schema::status::{PaymentEventType, PaymentStatus};
use crate::schema::{Part, time};

const SERVICE: &str = "payments";

/// Money that changes hands.
#[derive(Clone)]
pub(crate) struct Payment(pub(crate) pb::Payment);

/// Money that changes hands.
#[Object]
impl Payment {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::encode(Kind::Payment, &self.0.id)
    }

    /// Where it stands.
    fn status(&self) -> Result<PaymentStatus, Fault> {
        choice::promised(SERVICE, "PAYMENT_STATE_", self.0.state().as_str_name())
    }

    /// What was asked for.
    fn amount(&self) -> Result<Money, Fault> {
        promised(SERVICE, self.0.amount.as_ref())
    }

    /// What is promised.
    fn authorized_amount(&self) -> Option<Money> {
        optional(self.0.authorized.as_ref())
    }

    /// What was taken.
    fn captured_amount(&self) -> Option<Money> {
        optional(self.0.captured.as_ref())
    }

    /// What was given back.
    fn refunded_amount(&self) -> Option<Money> {
        optional(self.0.refunded.as_ref())
    }

    /// Who moves the money.
    fn provider(&self) -> &str {
        &self.0.provider
    }

    /// The provider's own id; empty until it is known.
    fn provider_reference(&self) -> &str {
        &self.0.provider_reference
    }

    /// What happened to it, oldest first. One call for each payment: ask for it on a single order.
    #[graphql(complexity = "crate::schema::product::page_cost(first, child_complexity)")]
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Part<Connection<PaymentEvent>> {
        Some(self.list_events(ctx, first, after).await)
    }

    /// When it was asked for.
    fn created_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.create_time.as_ref())
    }
}

impl Payment {
    async fn list_events(
        &self,
        ctx: &Context<'_>,
        first: i32,
        after: Option<String>,
    ) -> Result<Connection<PaymentEvent>, Fault> {
        let window = Window::of(Some(first), after.as_deref())?;
        let request = pb::ListPaymentEventsRequest {
            payment_id: self.0.id.clone(),
            page_size: window.page_size(),
            page_token: window.page_token(),
        };
        let answer = context::payments(ctx).list_payment_events(request).await;
        let page = listed(SERVICE, answer)?;
        let events = page.payment_events.into_iter().map(PaymentEvent).collect();
        Ok(window.connect(events, page.next_page_token))
    }
}

/// Something that happened to a payment at its provider.
pub(crate) struct PaymentEvent(pb::PaymentEvent);

/// Something that happened to a payment at its provider.
#[Object]
impl PaymentEvent {
    /// Opaque id.
    fn id(&self) -> ID {
        ids::encode(Kind::PaymentEvent, &self.0.id)
    }

    /// What happened.
    #[graphql(name = "type")]
    fn kind(&self) -> Result<PaymentEventType, Fault> {
        choice::promised(SERVICE, "PAYMENT_EVENT_TYPE_", self.0.r#type().as_str_name())
    }

    /// The amount it was about; null where it was about none.
    fn amount(&self) -> Option<Money> {
        optional(self.0.amount.as_ref())
    }

    /// A sentence for staff.
    fn message(&self) -> &str {
        &self.0.message
    }

    /// When it happened.
    fn occurred_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.occur_time.as_ref())
    }
}
