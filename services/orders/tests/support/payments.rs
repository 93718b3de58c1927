//! A fake of payments: a ledger of what the provider holds, and cards that behave as their names say.

use std::collections::HashMap;
use std::sync::Mutex;

use mesh::status::Problem;
use proto::common::Money;
use proto::payments as pb;
use proto::payments::payments_service_server::PaymentsService;
use tonic::{Code, Request, Status};
use uuid::Uuid;

use super::faults::{Answer, Faults, unused};

#[derive(Default)]
pub struct Payments {
    pub faults: Faults,
    ledger: Mutex<HashMap<String, pb::Payment>>,
}

impl Payments {
    pub fn all(&self) -> Vec<pb::Payment> {
        let mut all: Vec<pb::Payment> = self.ledger.lock().unwrap().values().cloned().collect();
        all.sort_by_key(|payment| (payment.checkout_id.clone(), payment.attempt));
        all
    }

    /// Money that the provider holds or has taken and not given back.
    pub fn live(&self) -> Vec<pb::Payment> {
        let live = |payment: &pb::Payment| match payment.state() {
            pb::PaymentState::Authorized => true,
            pb::PaymentState::Captured => units(&payment.captured) > units(&payment.refunded),
            _ => false,
        };
        self.all().into_iter().filter(live).collect()
    }

    /// What the provider or the buyer decides in the meantime.
    pub fn decide(&self, state: pb::PaymentState) {
        for payment in self.ledger.lock().unwrap().values_mut() {
            if matches!(payment.state(), pb::PaymentState::Pending | pb::PaymentState::ActionRequired) {
                payment.set_state(state);
            }
        }
    }

    /// The authorisation is gone, as after days without capture.
    pub fn lose_all(&self) {
        for payment in self.ledger.lock().unwrap().values_mut() {
            payment.set_state(pb::PaymentState::Voided);
        }
    }

    fn authorize(
        &self,
        request: pb::AuthorizePaymentRequest,
    ) -> Result<pb::AuthorizePaymentResponse, Status> {
        let mut ledger = self.ledger.lock().unwrap();
        let known = ledger
            .values()
            .find(|payment| payment.checkout_id == request.checkout_id && payment.attempt == request.attempt);
        if let Some(payment) = known {
            return Ok(pb::AuthorizePaymentResponse { payment: Some(payment.clone()) });
        }
        let (state, reason) = match request.method_token.as_str() {
            "test_approve" => (pb::PaymentState::Authorized, pb::DeclineReason::Unspecified),
            "test_action_required" => (pb::PaymentState::ActionRequired, pb::DeclineReason::Unspecified),
            "test_pending" => (pb::PaymentState::Pending, pb::DeclineReason::Unspecified),
            _ => (pb::PaymentState::Declined, pb::DeclineReason::InsufficientFunds),
        };
        let action = state == pb::PaymentState::ActionRequired;
        let payment = pb::Payment {
            id: Uuid::now_v7().to_string(),
            checkout_id: request.checkout_id,
            attempt: request.attempt,
            state: state.into(),
            amount: request.amount,
            decline_reason: reason.into(),
            action_url: if action { "https://bank.example/pay/1".into() } else { String::new() },
            ..Default::default()
        };
        ledger.insert(payment.id.clone(), payment.clone());
        Ok(pb::AuthorizePaymentResponse { payment: Some(payment) })
    }

    fn change<T>(
        &self,
        id: &str,
        change: impl FnOnce(&mut pb::Payment) -> Result<T, Status>,
    ) -> Result<T, Status> {
        let mut ledger = self.ledger.lock().unwrap();
        change(ledger.get_mut(id).ok_or_else(|| refusal(pb::Reason::PaymentNotFound))?)
    }

    fn capture(&self, id: &str) -> Result<pb::CapturePaymentResponse, Status> {
        self.change(id, |payment| {
            if payment.state() != pb::PaymentState::Authorized {
                return Err(refusal(pb::Reason::NotAuthorized));
            }
            payment.set_state(pb::PaymentState::Captured);
            payment.captured.clone_from(&payment.amount);
            Ok(pb::CapturePaymentResponse { payment: Some(payment.clone()) })
        })
    }

    fn void(&self, id: &str) -> Result<pb::VoidPaymentResponse, Status> {
        self.change(id, |payment| {
            if payment.state() == pb::PaymentState::Captured {
                return Err(refusal(pb::Reason::AlreadyCaptured));
            }
            payment.set_state(pb::PaymentState::Voided);
            Ok(pb::VoidPaymentResponse { payment: Some(payment.clone()) })
        })
    }

    fn refund(&self, request: pb::RefundPaymentRequest) -> Result<pb::RefundPaymentResponse, Status> {
        self.change(&request.payment_id.clone(), |payment| {
            let left = units(&payment.captured) - units(&payment.refunded);
            let amount = request.amount.map_or(left, |amount| amount.minor_units);
            if amount > left {
                return Err(refusal(pb::Reason::AmountExceedsCaptured));
            }
            let refunded = units(&payment.refunded) + amount;
            payment.refunded = Some(Money { currency_code: "GBP".into(), minor_units: refunded });
            Ok(pb::RefundPaymentResponse { payment: Some(payment.clone()), refund_id: "r".into() })
        })
    }
}

pub fn units(money: &Option<Money>) -> i64 {
    money.as_ref().map_or(0, |money| money.minor_units)
}

fn refusal(reason: pb::Reason) -> Status {
    Problem::new(Code::FailedPrecondition, "payments", reason.as_str_name(), "refused").status()
}

#[tonic::async_trait]
impl PaymentsService for super::Shared<Payments> {
    async fn authorize_payment(
        &self,
        request: Request<pb::AuthorizePaymentRequest>,
    ) -> Answer<pb::AuthorizePaymentResponse> {
        let request = request.into_inner();
        self.0.faults.answer("AuthorizePayment", || self.0.authorize(request)).await
    }

    async fn capture_payment(
        &self,
        request: Request<pb::CapturePaymentRequest>,
    ) -> Answer<pb::CapturePaymentResponse> {
        let request = request.into_inner();
        let capture = || self.0.capture(&request.payment_id);
        self.0.faults.once("CapturePayment", &request.request_id, capture).await
    }

    async fn void_payment(
        &self,
        request: Request<pb::VoidPaymentRequest>,
    ) -> Answer<pb::VoidPaymentResponse> {
        let id = request.into_inner().payment_id;
        self.0.faults.answer("VoidPayment", || self.0.void(&id)).await
    }

    async fn refund_payment(
        &self,
        request: Request<pb::RefundPaymentRequest>,
    ) -> Answer<pb::RefundPaymentResponse> {
        let request = request.into_inner();
        let id = request.request_id.clone();
        self.0.faults.once("RefundPayment", &id, || self.0.refund(request)).await
    }

    async fn sync_payment(
        &self,
        request: Request<pb::SyncPaymentRequest>,
    ) -> Answer<pb::SyncPaymentResponse> {
        let id = request.into_inner().payment_id;
        let sync =
            || self.0.change(&id, |payment| Ok(pb::SyncPaymentResponse { payment: Some(payment.clone()) }));
        self.0.faults.answer("SyncPayment", sync).await
    }

    async fn batch_get_payments(
        &self,
        _: Request<pb::BatchGetPaymentsRequest>,
    ) -> Answer<pb::BatchGetPaymentsResponse> {
        Err(unused())
    }

    async fn list_payments(&self, _: Request<pb::ListPaymentsRequest>) -> Answer<pb::ListPaymentsResponse> {
        Err(unused())
    }

    async fn list_payment_events(
        &self,
        _: Request<pb::ListPaymentEventsRequest>,
    ) -> Answer<pb::ListPaymentEventsResponse> {
        Err(unused())
    }

    async fn receive_webhook(
        &self,
        _: Request<pb::ReceiveWebhookRequest>,
    ) -> Answer<pb::ReceiveWebhookResponse> {
        Err(unused())
    }
}
