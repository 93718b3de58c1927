//! What pricing says, in this service's own words.

use kit::{Currency, Money, MoneyError};
use proto::pricing as pb;
use sha2::{Digest, Sha256};
use tonic::Status;

use super::{Orders, upstream};
use crate::domain::quote::{QuoteCode, QuoteLine, QuoteShipping, QuoteTax};
use crate::domain::{AccountId, Details, Quote};
use crate::error::Error;

const PRICING: &str = "pricing";
const METHOD_NOT_AVAILABLE: &str = "SHIPPING_METHOD_NOT_AVAILABLE";

/// What is to be priced, for whom.
pub struct Basket {
    pub lines: Vec<(String, i64)>,
    pub currency: Currency,
    pub country: String,
    pub account: Option<AccountId>,
}

impl Orders {
    /// What it costs now.
    pub async fn quote(&self, basket: &Basket, details: &Details) -> Result<Quote, Error> {
        let request = basket.request(details);
        let answer = self.upstreams.pricing.clone().quote(request).await;
        let answer = answer.map_err(|status| upstream(PRICING, status))?.into_inner();
        let quote = answer.quote.as_ref().ok_or(MoneyError::Malformed).and_then(quoted);
        let quote = quote.ok().filter(Quote::adds_up);
        quote.ok_or_else(|| {
            let status = Status::internal("pricing answered a quote that does not add up");
            Error::Upstream { service: PRICING, source: Box::new(status) }
        })
    }

    /// The same with new details; a shipping method that does not serve the new address is forgotten, so that the
    /// buyer can choose another, unless it is what was asked for.
    pub async fn requote(
        &self,
        basket: &Basket,
        details: &mut Details,
        method_asked: bool,
    ) -> Result<Quote, Error> {
        match self.quote(basket, details).await {
            Err(Error::RefusedBy { status, .. }) if !method_asked && is_about_method(&status) => {
                details.method = None;
                self.quote(basket, details).await
            }
            other => other,
        }
    }
}

fn is_about_method(status: &Status) -> bool {
    mesh::status::reason_of(status).is_some_and(|(_, reason)| reason == METHOD_NOT_AVAILABLE)
}

impl Basket {
    pub fn of(quote: &Quote, country: &str, account: Option<AccountId>) -> Basket {
        let lines = quote.lines.iter();
        Basket {
            lines: lines.map(|line| (line.variant.clone(), line.quantity)).collect(),
            currency: quote.currency,
            country: country.to_owned(),
            account,
        }
    }

    fn request(&self, details: &Details) -> pb::QuoteRequest {
        let lines = self.lines.iter().map(|(variant_id, quantity)| pb::QuoteLineRequest {
            variant_id: variant_id.clone(),
            quantity: *quantity,
        });
        let address = details.shipping.as_ref();
        let country = address.map_or(self.country.as_str(), |address| address.country_code.as_str());
        let destination = (!country.is_empty()).then(|| pb::Destination {
            country_code: country.to_owned(),
            region: address.map(|address| address.region.clone()).unwrap_or_default(),
            postal_code: address.map(|address| address.postal_code.clone()).unwrap_or_default(),
        });
        pb::QuoteRequest {
            lines: lines.collect(),
            currency_code: self.currency.as_str().to_owned(),
            destination,
            codes: details.codes.clone(),
            shipping_method_id: details.method.clone().unwrap_or_default(),
            customer_key: customer_key(self.account, details.email.as_deref()),
        }
    }
}

/// Limits per customer count by account, or by the hash of the address for guests.
pub fn customer_key(account: Option<AccountId>, email: Option<&str>) -> String {
    match (account, email) {
        (Some(account), _) => format!("account:{account}"),
        (None, Some(email)) => {
            let digest = Sha256::digest(email.trim().to_lowercase());
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("email:{hex}")
        }
        (None, None) => String::new(),
    }
}

fn quoted(quote: &pb::Quote) -> Result<Quote, MoneyError> {
    let currency: Currency = quote.currency_code.parse()?;
    let lines = quote.lines.iter().map(|line| line_quoted(line, currency));
    let codes = quote.codes.iter().map(|code| {
        Ok(QuoteCode {
            code: code.code.clone(),
            outcome: code.outcome,
            applied: code.outcome() == pb::CodeOutcome::Applied,
            amount: money(code.amount.as_ref(), currency)?,
        })
    });
    let taxes = quote.taxes.iter().map(|tax| {
        Ok(QuoteTax {
            display_name: tax.display_name.clone(),
            rate_ppm: tax.rate_ppm,
            net: money(tax.net.as_ref(), currency)?,
            tax: money(tax.tax.as_ref(), currency)?,
        })
    });
    Ok(Quote {
        id: quote.id.clone(),
        currency,
        lines: lines.collect::<Result<Vec<_>, MoneyError>>()?,
        shipping: quote.shipping.as_ref().map(|shipping| shipping_quoted(shipping, currency)).transpose()?,
        codes: codes.collect::<Result<Vec<_>, MoneyError>>()?,
        taxes: taxes.collect::<Result<Vec<_>, MoneyError>>()?,
        subtotal: money(quote.subtotal.as_ref(), currency)?,
        discount_total: money(quote.discount_total.as_ref(), currency)?,
        tax_total: money(quote.tax_total.as_ref(), currency)?,
        shipping_total: money(quote.shipping_total.as_ref(), currency)?,
        total: money(quote.total.as_ref(), currency)?,
        prices_include_tax: quote.prices_include_tax,
        requires_shipping: quote.requires_shipping,
        weight_grams: quote.weight_grams,
    })
}

fn line_quoted(line: &pb::QuoteLine, currency: Currency) -> Result<QuoteLine, MoneyError> {
    let compare_at = line.compare_at_price.as_ref();
    Ok(QuoteLine {
        variant: line.variant_id.clone(),
        product: line.product_id.clone(),
        sku: line.sku.clone(),
        product_title: line.product_title.clone(),
        variant_title: line.variant_title.clone(),
        quantity: line.quantity,
        unit_price: money(line.unit_price.as_ref(), currency)?,
        compare_at_price: compare_at.map(|price| money(Some(price), currency)).transpose()?,
        subtotal: money(line.subtotal.as_ref(), currency)?,
        discount: money(line.discount.as_ref(), currency)?,
        net: money(line.net.as_ref(), currency)?,
        tax: money(line.tax.as_ref(), currency)?,
        total: money(line.total.as_ref(), currency)?,
        tax_rate_ppm: line.tax_rate_ppm,
        tax_class: line.tax_class.clone(),
    })
}

fn shipping_quoted(shipping: &pb::QuoteShipping, currency: Currency) -> Result<QuoteShipping, MoneyError> {
    Ok(QuoteShipping {
        method: shipping.method_id.clone(),
        display_name: shipping.display_name.clone(),
        price: money(shipping.price.as_ref(), currency)?,
        discount: money(shipping.discount.as_ref(), currency)?,
        net: money(shipping.net.as_ref(), currency)?,
        tax: money(shipping.tax.as_ref(), currency)?,
        total: money(shipping.total.as_ref(), currency)?,
        tax_rate_ppm: shipping.tax_rate_ppm,
    })
}

/// Figures that are not set are zero; figures of another currency are no quote.
fn money(money: Option<&proto::common::Money>, currency: Currency) -> Result<Money, MoneyError> {
    let Some(money) = money else {
        return Ok(Money::zero(currency));
    };
    let money = Money::try_from(money)?;
    match money.currency() == currency {
        true => Ok(money),
        false => Err(MoneyError::CurrencyMismatch { left: currency, right: money.currency() }),
    }
}
