//! Requests into values of the domain.

use kit::Money;
use kit::parse::{BATCH_MAX, Fields};
use mesh::status::Problem;
use proto::common::Money as PbMoney;
use proto::payments as pb;

use crate::app::{Filter, Intent};
use crate::domain::{PaymentId, State};
use crate::provider::SIMULATED;

const ATTEMPT_MAX: i64 = 1_000_000;
const METHOD_LENGTH_MAX: usize = 200;
const REASON_LENGTH_MAX: usize = 200;
const URL_LENGTH_MAX: usize = 2_000;
const PROVIDER_LENGTH_MAX: usize = 50;
const SIGNATURE_LENGTH_MAX: usize = 1_024;
const WEBHOOK_BYTES_MAX: usize = 64 * 1024;

type Parsed<T> = Result<T, Problem>;

pub fn payment_id(value: &str) -> Parsed<PaymentId> {
    let mut fields = Fields::new();
    let id = fields.id("payment_id", value);
    fields.build(|| id).map_err(Problem::invalid)
}

pub fn payment_ids(values: &[String]) -> Parsed<Vec<PaymentId>> {
    let mut fields = Fields::new();
    let ids = fields.ids("payment_ids", values, 0..=BATCH_MAX);
    fields.build(|| ids).map_err(Problem::invalid)
}

pub fn intent(message: &pb::AuthorizePaymentRequest) -> Parsed<Intent> {
    let mut fields = Fields::new();
    let checkout = fields.id("checkout_id", &message.checkout_id);
    let attempt = fields.integer("attempt", message.attempt, 1..=ATTEMPT_MAX);
    let amount = amount(&mut fields, message.amount.as_ref());
    let method = fields.text("method_token", &message.method_token, 1..=METHOD_LENGTH_MAX);
    let return_url = url(&mut fields, "return_url", &message.return_url);
    let intent = || {
        Some(Intent {
            checkout: checkout?,
            attempt: i32::try_from(attempt?).ok()?,
            amount: amount?,
            provider: SIMULATED,
            method: method?,
            return_url: return_url?,
        })
    };
    fields.build(intent).map_err(Problem::invalid)
}

pub fn captured(message: &pb::CapturePaymentRequest) -> Parsed<(PaymentId, Option<Money>)> {
    let mut fields = Fields::new();
    let id = fields.id("payment_id", &message.payment_id);
    let amount = optional_amount(&mut fields, message.amount.as_ref());
    fields.build(|| Some((id?, amount?))).map_err(Problem::invalid)
}

pub fn refunded(message: &pb::RefundPaymentRequest) -> Parsed<(PaymentId, Option<Money>, String)> {
    let mut fields = Fields::new();
    let id = fields.id("payment_id", &message.payment_id);
    let amount = optional_amount(&mut fields, message.amount.as_ref());
    let reason = fields.text("reason", &message.reason, 0..=REASON_LENGTH_MAX);
    fields.build(|| Some((id?, amount?, reason?))).map_err(Problem::invalid)
}

pub fn filter(message: &pb::ListPaymentsRequest) -> Parsed<Filter> {
    let mut fields = Fields::new();
    let state = match message.state {
        0 => Some(None),
        state => fields.choice("state", state).map(self::state),
    };
    let checkout = match message.checkout_id.as_str() {
        "" => Some(None),
        id => fields.id("checkout_id", id).map(Some),
    };
    let filter = || Some(Filter { state: state?, checkout: checkout? });
    fields.build(filter).map_err(Problem::invalid)
}

/// Only the form: what it says, its signature decides.
pub fn webhook(message: &pb::ReceiveWebhookRequest) -> Parsed<()> {
    let mut fields = Fields::new();
    fields.text("provider", &message.provider, 1..=PROVIDER_LENGTH_MAX);
    if message.signature.len() > SIGNATURE_LENGTH_MAX {
        fields.refuse("signature", format!("must have at most {SIGNATURE_LENGTH_MAX} bytes"));
    }
    if message.body.len() > WEBHOOK_BYTES_MAX {
        fields.refuse("body", format!("must have at most {WEBHOOK_BYTES_MAX} bytes"));
    }
    fields.finish().map_err(Problem::invalid)
}

fn amount(fields: &mut Fields, value: Option<&PbMoney>) -> Option<Money> {
    let amount = fields.money("amount", value)?;
    if amount.minor_units() == 0 {
        fields.refuse("amount.minor_units", "must be above zero");
        return None;
    }
    Some(amount)
}

fn optional_amount(fields: &mut Fields, value: Option<&PbMoney>) -> Option<Option<Money>> {
    match value {
        None => Some(None),
        value => amount(fields, value).map(Some),
    }
}

/// Where a browser is sent, so nothing but a page: no script, no file.
fn url(fields: &mut Fields, field: &str, value: &str) -> Option<String> {
    let text = fields.text(field, value, 0..=URL_LENGTH_MAX)?;
    let web = text.starts_with("https://") || text.starts_with("http://");
    let whole = || text.parse::<tonic::transport::Uri>().is_ok_and(|uri| uri.host().is_some());
    if text.is_empty() || (web && text.is_ascii() && whole()) {
        return Some(text);
    }
    fields.refuse(field, "must be the address of a page: http:// or https://, in ASCII");
    None
}

fn state(state: pb::PaymentState) -> Option<State> {
    match state {
        pb::PaymentState::Unspecified => None,
        pb::PaymentState::Pending => Some(State::Pending),
        pb::PaymentState::ActionRequired => Some(State::ActionRequired),
        pb::PaymentState::Authorized => Some(State::Authorized),
        pb::PaymentState::Captured => Some(State::Captured),
        pb::PaymentState::Declined => Some(State::Declined),
        pb::PaymentState::Voided => Some(State::Voided),
    }
}
