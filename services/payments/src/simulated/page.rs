//! The hosted page: where a buyer says yes or no. Plain HTML, no script, nothing from anywhere else.

use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use kit::{Currency, Money};

use super::ledger::{Fault, Row};
use super::server::{Office, Refused};
use crate::provider::wire::Status;

// No `form-action`: browsers hold it against the redirect back to the shop, too.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:26rem;margin:4rem auto;padding:0 1rem;color:#1c1917}\
    h1{font-size:1.25rem}p.sum{font-size:2rem;margin:1rem 0}\
    button{font:inherit;padding:.6rem 1.4rem;margin-right:.75rem;border:1px solid #57534e;border-radius:.4rem;background:#fff}\
    button[value=approve]{background:#166534;border-color:#166534;color:#fff}";

pub async fn show(State(office): State<Office>, Path(reference): Path<String>) -> Response {
    match office.ledger.find_by_reference(&reference).await {
        Ok(row) => shown(&row),
        Err(fault) => failed(fault),
    }
}

pub async fn decide(
    State(office): State<Office>,
    Path(reference): Path<String>,
    form: Result<axum::body::Bytes, BytesRejection>,
) -> Response {
    // One field with two values: to read more of a form would be to read what nobody asked for.
    let approved = match form.as_deref() {
        Ok(b"decision=approve") => true,
        Ok(b"decision=decline") => false,
        _ => return html(StatusCode::BAD_REQUEST, "<p>Please choose one of the two buttons.</p>"),
    };
    match office.ledger.decide(&reference, approved).await {
        Ok(row) => back(&row),
        Err(fault) => failed(fault),
    }
}

/// Back to the shop, or a last word where it named no way back.
fn back(row: &Row) -> Response {
    match HeaderValue::from_str(&row.return_url) {
        Ok(address) if !row.return_url.is_empty() => {
            (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response()
        }
        _ => shown(row),
    }
}

fn shown(row: &Row) -> Response {
    let sum = match row.currency.parse::<Currency>() {
        Ok(currency) => Money::new(currency, row.minor_units).to_string(),
        Err(_) => String::new(),
    };
    let words = match row.status() {
        Ok(Status::ActionRequired) => {
            "<form method=\"post\">\
             <button name=\"decision\" value=\"approve\">Approve</button>\
             <button name=\"decision\" value=\"decline\">Decline</button></form>"
        }
        Ok(Status::Authorized | Status::Captured) => {
            "<p>This payment is approved. You may close this page.</p>"
        }
        Ok(Status::Declined | Status::Voided) => "<p>This payment was not made. You may close this page.</p>",
        Ok(Status::Processing) => "<p>This payment is being worked on.</p>",
        Err(error) => return failed(Fault::Storage(error)),
    };
    // The sum is made of digits and a currency code, so there is nothing to escape.
    html(StatusCode::OK, &format!("<p class=\"sum\">{sum}</p>{words}"))
}

fn failed(fault: Fault) -> Response {
    let status = Refused::from(fault).into_response().status();
    html(status, "<p>There is no such payment.</p>")
}

fn html(status: StatusCode, inside: &str) -> Response {
    let body = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Confirm your payment</title>\
         <style>{STYLE}</style></head><body><main><h1>Confirm your payment</h1>\
         <p>This is the simulated bank of a demonstration. No money moves.</p>{inside}</main></body></html>"
    );
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body).into_response()
}
