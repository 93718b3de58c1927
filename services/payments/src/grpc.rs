//! The contract on one side, the domain on the other. Only here a request can be invalid.

mod parse;
mod shown;

use kit::{Page, PageLimits, RequestKey};
use mesh::Caller;
use mesh::status::Problem;
use proto::payments as pb;
use proto::payments::payments_service_server::{PaymentsService, PaymentsServiceServer};
use tonic::{Code, Request, Response, Status};

use crate::NAME;
use crate::app::Payments;
use crate::domain::Refusal;
use crate::error::Error;

const PAGE: PageLimits = PageLimits { default: 20, max: 100 };
const EVENTS_PAGE: PageLimits = PageLimits { default: 50, max: 250 };

pub fn server(payments: Payments) -> PaymentsServiceServer<impl PaymentsService> {
    PaymentsServiceServer::new(Grpc { payments })
}

struct Grpc {
    payments: Payments,
}

#[tonic::async_trait]
impl PaymentsService for Grpc {
    async fn authorize_payment(
        &self,
        request: Request<pb::AuthorizePaymentRequest>,
    ) -> Result<Response<pb::AuthorizePaymentResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("AuthorizePayment", &message.request_id, &message)?.lasting();
        let intent = parse::intent(&message)?;
        let payment = self.payments.authorize(&key, intent).await?;
        Ok(Response::new(pb::AuthorizePaymentResponse { payment: Some(shown::payment(payment)) }))
    }

    async fn capture_payment(
        &self,
        request: Request<pb::CapturePaymentRequest>,
    ) -> Result<Response<pb::CapturePaymentResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("CapturePayment", &message.request_id, &message)?.lasting();
        let (id, amount) = parse::captured(&message)?;
        let payment = self.payments.capture(&key, id, amount).await?;
        Ok(Response::new(pb::CapturePaymentResponse { payment: Some(shown::payment(payment)) }))
    }

    async fn void_payment(
        &self,
        request: Request<pb::VoidPaymentRequest>,
    ) -> Result<Response<pb::VoidPaymentResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("VoidPayment", &message.request_id, &message)?.lasting();
        let id = parse::payment_id(&message.payment_id)?;
        let payment = self.payments.void(&key, id).await?;
        Ok(Response::new(pb::VoidPaymentResponse { payment: Some(shown::payment(payment)) }))
    }

    async fn refund_payment(
        &self,
        request: Request<pb::RefundPaymentRequest>,
    ) -> Result<Response<pb::RefundPaymentResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("RefundPayment", &message.request_id, &message)?.lasting();
        let (id, amount, reason) = parse::refunded(&message)?;
        let (payment, refund) = self.payments.refund(&key, id, amount, reason).await?;
        Ok(Response::new(pb::RefundPaymentResponse {
            payment: Some(shown::payment(payment)),
            refund_id: refund.to_string(),
        }))
    }

    async fn sync_payment(
        &self,
        request: Request<pb::SyncPaymentRequest>,
    ) -> Result<Response<pb::SyncPaymentResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        // Nothing is answered from what is kept, so it need not be kept for long.
        let key = caller.key("SyncPayment", &message.request_id, &message)?;
        let id = parse::payment_id(&message.payment_id)?;
        let payment = self.payments.sync(&key, id).await?;
        Ok(Response::new(pb::SyncPaymentResponse { payment: Some(shown::payment(payment)) }))
    }

    async fn batch_get_payments(
        &self,
        request: Request<pb::BatchGetPaymentsRequest>,
    ) -> Result<Response<pb::BatchGetPaymentsResponse>, Status> {
        let ids = parse::payment_ids(&request.get_ref().payment_ids)?;
        let mut found = self.payments.batch_get(&ids).await?;
        let mut answer = pb::BatchGetPaymentsResponse::default();
        for id in ids {
            match found.remove(&id) {
                Some(payment) => answer.payments.push(shown::payment(payment)),
                None => answer.missing.push(id.to_string()),
            }
        }
        Ok(Response::new(answer))
    }

    async fn list_payments(
        &self,
        request: Request<pb::ListPaymentsRequest>,
    ) -> Result<Response<pb::ListPaymentsResponse>, Status> {
        let message = request.into_inner();
        let arguments =
            pb::ListPaymentsRequest { page_size: 0, page_token: String::new(), ..message.clone() };
        let page =
            Page::parse(message.page_size, &message.page_token, &arguments, PAGE).map_err(Problem::from)?;
        let listed = self.payments.list(parse::filter(&message)?, &page).await?;
        let listed = listed.map(shown::payment);
        Ok(Response::new(pb::ListPaymentsResponse {
            payments: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn list_payment_events(
        &self,
        request: Request<pb::ListPaymentEventsRequest>,
    ) -> Result<Response<pb::ListPaymentEventsResponse>, Status> {
        let message = request.into_inner();
        let id = parse::payment_id(&message.payment_id)?;
        let arguments =
            pb::ListPaymentEventsRequest { page_size: 0, page_token: String::new(), ..message.clone() };
        let page = Page::parse(message.page_size, &message.page_token, &arguments, EVENTS_PAGE)
            .map_err(Problem::from)?;
        let listed = self.payments.list_events(id, &page).await?;
        let listed = listed.map(shown::event);
        Ok(Response::new(pb::ListPaymentEventsResponse {
            payment_events: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn receive_webhook(
        &self,
        request: Request<pb::ReceiveWebhookRequest>,
    ) -> Result<Response<pb::ReceiveWebhookResponse>, Status> {
        let message = request.into_inner();
        parse::webhook(&message)?;
        let provider = self.payments.knows(&message.provider)?;
        // The provider signs anew each time it sends the same notice, so the signature is no part of the request.
        let unsigned = pb::ReceiveWebhookRequest { signature: String::new(), ..message.clone() };
        let principal = format!("provider:{provider}");
        let key = RequestKey::new(&principal, "ReceiveWebhook", &message.request_id, &unsigned)
            .map_err(Problem::from)?;
        self.payments.receive_webhook(&key, &message.signature, &message.body).await?;
        Ok(Response::new(pb::ReceiveWebhookResponse {}))
    }
}

/// Payments are kept for as long as their orders, and so are the answers about them.
impl From<Error> for Status {
    fn from(error: Error) -> Self {
        use pb::Reason;

        let words = error.to_string();
        let problem = |code, reason: Reason| Problem::new(code, NAME, reason.as_str_name(), words.clone());
        let refused = |reason| problem(Code::FailedPrecondition, reason);
        match error {
            Error::Refused(Refusal::ExceedsAuthorized) => refused(Reason::AmountExceedsAuthorized),
            Error::Refused(Refusal::ExceedsCaptured) => refused(Reason::AmountExceedsCaptured),
            Error::Refused(Refusal::AlreadyCaptured) => refused(Reason::AlreadyCaptured),
            Error::Refused(Refusal::NotAuthorized(state)) => {
                refused(Reason::NotAuthorized).with("state", shown::state_name(state))
            }
            Error::Refused(Refusal::CurrencyMismatch) => {
                problem(Code::InvalidArgument, Reason::CurrencyMismatch).field("amount.currency_code", words)
            }
            Error::Refused(Refusal::InFlight) => kit::RequestError::InProgress.into(),
            Error::NotFound(id) => problem(Code::NotFound, Reason::PaymentNotFound).with("payment_id", id),
            Error::ProviderUnknown => problem(Code::NotFound, Reason::ProviderUnknown),
            Error::ProviderUnavailable(cause) => {
                let chain = mesh::status::chain(&cause);
                tracing::warn!({ observability::names::ERROR } = chain, "{chain}");
                problem(Code::Unavailable, Reason::ProviderUnavailable).retry_after(mesh::status::RETRY_AFTER)
            }
            // Which part of it was wrong is nobody's business who forges.
            Error::WebhookRefused(_) => problem(Code::PermissionDenied, Reason::WebhookRefused),
            Error::Request(error) => error.into(),
            Error::Page(error) => error.into(),
            Error::Storage(error) => kit::RequestError::Storage(error).into(),
        }
        .status()
    }
}
