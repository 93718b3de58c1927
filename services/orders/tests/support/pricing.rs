//! A fake of pricing: list prices, one shipping method, codes with holds.

use std::collections::HashMap;
use std::sync::Mutex;

use mesh::status::Problem;
use proto::common::Money;
use proto::pricing as pb;
use proto::pricing::pricing_service_server::PricingService;
use tonic::{Code, Request, Status};

use super::faults::{Answer, Faults, unused};

pub const POST: &str = "post";
const POSTAGE: i64 = 300;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Held,
    Committed,
    Released,
}

#[derive(Default)]
pub struct Pricing {
    pub faults: Faults,
    prices: Mutex<HashMap<String, i64>>,
    uses: Mutex<HashMap<String, Use>>,
}

impl Pricing {
    pub fn set(&self, variant: &str, price: i64) {
        self.prices.lock().unwrap().insert(variant.into(), price);
    }

    pub fn uses(&self, state: Use) -> usize {
        self.uses.lock().unwrap().values().filter(|held| **held == state).count()
    }

    /// "TEN" takes ten pence off, "FREE" everything.
    fn quote(&self, request: &pb::QuoteRequest) -> Result<pb::QuoteResponse, Status> {
        let to_island = request.destination.as_ref().is_some_and(|place| place.country_code == "IS");
        if to_island && !request.shipping_method_id.is_empty() {
            return Err(refusal(pb::Reason::ShippingMethodNotAvailable));
        }
        let free = request.codes.iter().any(|code| code == "FREE");
        let mut left = if request.codes.iter().any(|code| code == "TEN") { 10 } else { 0 };
        let mut lines = Vec::new();
        for line in &request.lines {
            let price = self.prices.lock().unwrap().get(&line.variant_id).copied();
            let price = price.ok_or_else(|| refusal(pb::Reason::VariantNotPriced))?;
            let subtotal = price * line.quantity;
            let discount = if free { subtotal } else { std::mem::take(&mut left) };
            lines.push(pb::QuoteLine {
                variant_id: line.variant_id.clone(),
                sku: line.variant_id.to_uppercase(),
                product_id: "p1".into(),
                product_title: "A thing".into(),
                quantity: line.quantity,
                unit_price: pence(price),
                subtotal: pence(subtotal),
                discount: pence(discount),
                net: pence(subtotal - discount),
                tax: pence(0),
                total: pence(subtotal - discount),
                ..Default::default()
            });
        }
        let postage = if request.shipping_method_id == POST { POSTAGE } else { 0 };
        let paid = if free { 0 } else { postage };
        let shipping = (request.shipping_method_id == POST).then(|| pb::QuoteShipping {
            method_id: POST.into(),
            display_name: "Post".into(),
            price: pence(postage),
            discount: pence(postage - paid),
            net: pence(paid),
            total: pence(paid),
            ..Default::default()
        });
        let sum = |amount: fn(&pb::QuoteLine) -> &Option<Money>| -> i64 {
            lines.iter().map(|line| super::payments::units(amount(line))).sum()
        };
        let (subtotal, discount) = (sum(|line| &line.subtotal), sum(|line| &line.discount));
        let total = sum(|line| &line.total) + paid;
        let codes = request.codes.iter().map(|code| pb::QuoteCode {
            code: code.clone(),
            outcome: pb::CodeOutcome::Applied.into(),
            amount: pence(0),
        });
        let quote = pb::Quote {
            id: format!("q-{subtotal}-{discount}-{postage}-{}", request.codes.join("+")),
            currency_code: "GBP".into(),
            codes: codes.collect(),
            shipping,
            subtotal: pence(subtotal),
            discount_total: pence(discount + postage - paid),
            shipping_total: pence(postage),
            total: pence(total),
            requires_shipping: true,
            lines,
            ..Default::default()
        };
        Ok(pb::QuoteResponse { quote: Some(quote) })
    }

    fn hold(&self, request: &pb::HoldCodesRequest) -> Result<pb::HoldCodesResponse, Status> {
        if request.codes.iter().any(|code| code == "USED") {
            return Err(refusal(pb::Reason::CodeNotUsable));
        }
        self.uses.lock().unwrap().entry(request.checkout_id.clone()).or_insert(Use::Held);
        Ok(pb::HoldCodesResponse {})
    }

    fn end(&self, id: &str, state: Use) {
        if let Some(held) = self.uses.lock().unwrap().get_mut(id) {
            *held = state;
        }
    }
}

pub fn pence(minor_units: i64) -> Option<Money> {
    Some(Money { currency_code: "GBP".into(), minor_units })
}

fn refusal(reason: pb::Reason) -> Status {
    Problem::new(Code::FailedPrecondition, "pricing", reason.as_str_name(), "refused").status()
}

#[tonic::async_trait]
impl PricingService for super::Shared<Pricing> {
    async fn quote(&self, request: Request<pb::QuoteRequest>) -> Answer<pb::QuoteResponse> {
        let request = request.into_inner();
        self.0.faults.answer("Quote", || self.0.quote(&request)).await
    }

    async fn hold_codes(&self, request: Request<pb::HoldCodesRequest>) -> Answer<pb::HoldCodesResponse> {
        let request = request.into_inner();
        self.0.faults.answer("HoldCodes", || self.0.hold(&request)).await
    }

    async fn commit_codes(
        &self,
        request: Request<pb::CommitCodesRequest>,
    ) -> Answer<pb::CommitCodesResponse> {
        let id = request.into_inner().checkout_id;
        let commit = || {
            self.0.end(&id, Use::Committed);
            Ok(pb::CommitCodesResponse {})
        };
        self.0.faults.answer("CommitCodes", commit).await
    }

    async fn release_codes(
        &self,
        request: Request<pb::ReleaseCodesRequest>,
    ) -> Answer<pb::ReleaseCodesResponse> {
        let id = request.into_inner().checkout_id;
        let release = || {
            self.0.end(&id, Use::Released);
            Ok(pb::ReleaseCodesResponse {})
        };
        self.0.faults.answer("ReleaseCodes", release).await
    }

    async fn list_shipping_options(
        &self,
        _: Request<pb::ListShippingOptionsRequest>,
    ) -> Answer<pb::ListShippingOptionsResponse> {
        Err(unused())
    }

    async fn create_discount(
        &self,
        _: Request<pb::CreateDiscountRequest>,
    ) -> Answer<pb::CreateDiscountResponse> {
        Err(unused())
    }

    async fn update_discount(
        &self,
        _: Request<pb::UpdateDiscountRequest>,
    ) -> Answer<pb::UpdateDiscountResponse> {
        Err(unused())
    }

    async fn batch_get_discounts(
        &self,
        _: Request<pb::BatchGetDiscountsRequest>,
    ) -> Answer<pb::BatchGetDiscountsResponse> {
        Err(unused())
    }

    async fn list_discounts(
        &self,
        _: Request<pb::ListDiscountsRequest>,
    ) -> Answer<pb::ListDiscountsResponse> {
        Err(unused())
    }

    async fn list_tax_rules(&self, _: Request<pb::ListTaxRulesRequest>) -> Answer<pb::ListTaxRulesResponse> {
        Err(unused())
    }

    async fn set_tax_rule(&self, _: Request<pb::SetTaxRuleRequest>) -> Answer<pb::SetTaxRuleResponse> {
        Err(unused())
    }

    async fn list_shipping_methods(
        &self,
        _: Request<pb::ListShippingMethodsRequest>,
    ) -> Answer<pb::ListShippingMethodsResponse> {
        Err(unused())
    }

    async fn create_shipping_method(
        &self,
        _: Request<pb::CreateShippingMethodRequest>,
    ) -> Answer<pb::CreateShippingMethodResponse> {
        Err(unused())
    }

    async fn update_shipping_method(
        &self,
        _: Request<pb::UpdateShippingMethodRequest>,
    ) -> Answer<pb::UpdateShippingMethodResponse> {
        Err(unused())
    }
}
