//! The contract on one side, the domain on the other. Only here a request can be invalid.

mod convert;
mod parse;
mod status;

use kit::{Page, PageLimits};
use mesh::Caller;
use mesh::status::Problem;
use proto::pricing as pb;
use proto::pricing::pricing_service_server::{PricingService, PricingServiceServer};
use tonic::{Request, Response, Status};

use crate::app::Pricing;
use convert::{discount, method, option, quote, tax_rule};

const DISCOUNTS: PageLimits = PageLimits { default: 20, max: 250 };
const TAX_RULES: PageLimits = PageLimits { default: 250, max: 1_000 };
const METHODS: PageLimits = PageLimits { default: 250, max: 250 };
const OPTIONS: PageLimits = PageLimits { default: 50, max: 50 };

pub fn server(pricing: Pricing) -> PricingServiceServer<impl PricingService> {
    PricingServiceServer::new(Grpc { pricing })
}

struct Grpc {
    pricing: Pricing,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl PricingService for Grpc {
    async fn quote(&self, request: Request<pb::QuoteRequest>) -> Answer<pb::QuoteResponse> {
        let (basket, wishes) = parse::quote(request.get_ref())?;
        let quote = quote(self.pricing.quote(&basket, wishes).await?);
        Ok(Response::new(pb::QuoteResponse { quote: Some(quote) }))
    }

    async fn list_shipping_options(
        &self,
        request: Request<pb::ListShippingOptionsRequest>,
    ) -> Answer<pb::ListShippingOptionsResponse> {
        let mut message = request.into_inner();
        let (size, token) = paging(&mut message.page_size, &mut message.page_token);
        let page = page(size, &token, &message, OPTIONS)?;
        let basket = parse::parcel(&message)?;
        let listed = self.pricing.shipping_options(&basket, &page).await?.map(option);
        Ok(Response::new(pb::ListShippingOptionsResponse {
            options: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn hold_codes(&self, request: Request<pb::HoldCodesRequest>) -> Answer<pb::HoldCodesResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("HoldCodes", &message.request_id, &message)?.lasting();
        let (checkout, codes, customer, expires) = parse::hold(&message)?;
        self.pricing.hold_codes(&key, checkout, codes, &customer, expires).await?;
        Ok(Response::new(pb::HoldCodesResponse {}))
    }

    async fn commit_codes(
        &self,
        request: Request<pb::CommitCodesRequest>,
    ) -> Answer<pb::CommitCodesResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("CommitCodes", &message.request_id, &message)?.lasting();
        self.pricing.commit_codes(&key, parse::id("checkout_id", &message.checkout_id)?).await?;
        Ok(Response::new(pb::CommitCodesResponse {}))
    }

    async fn release_codes(
        &self,
        request: Request<pb::ReleaseCodesRequest>,
    ) -> Answer<pb::ReleaseCodesResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("ReleaseCodes", &message.request_id, &message)?.lasting();
        self.pricing.release_codes(&key, parse::id("checkout_id", &message.checkout_id)?).await?;
        Ok(Response::new(pb::ReleaseCodesResponse {}))
    }

    async fn create_discount(
        &self,
        request: Request<pb::CreateDiscountRequest>,
    ) -> Answer<pb::CreateDiscountResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("CreateDiscount", &message.request_id, &message)?;
        let terms = parse::created_discount(&message)?;
        let discount = discount(self.pricing.create_discount(&key, terms).await?);
        Ok(Response::new(pb::CreateDiscountResponse { discount: Some(discount) }))
    }

    async fn update_discount(
        &self,
        request: Request<pb::UpdateDiscountRequest>,
    ) -> Answer<pb::UpdateDiscountResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("UpdateDiscount", &message.request_id, &message)?;
        let (id, etag, patch) = parse::updated_discount(&message)?;
        let discount = discount(self.pricing.update_discount(&key, id, etag, patch).await?);
        Ok(Response::new(pb::UpdateDiscountResponse { discount: Some(discount) }))
    }

    async fn batch_get_discounts(
        &self,
        request: Request<pb::BatchGetDiscountsRequest>,
    ) -> Answer<pb::BatchGetDiscountsResponse> {
        let ids = parse::ids("discount_ids", &request.get_ref().discount_ids)?;
        let mut found = self.pricing.batch_get_discounts(&ids).await?;
        let mut answer = pb::BatchGetDiscountsResponse::default();
        for id in ids {
            match found.remove(&id) {
                Some(found) => answer.discounts.push(discount(found)),
                None => answer.missing.push(id.to_string()),
            }
        }
        Ok(Response::new(answer))
    }

    async fn list_discounts(
        &self,
        request: Request<pb::ListDiscountsRequest>,
    ) -> Answer<pb::ListDiscountsResponse> {
        let mut message = request.into_inner();
        let (size, token) = paging(&mut message.page_size, &mut message.page_token);
        let page = page(size, &token, &message, DISCOUNTS)?;
        let listed = self.pricing.list_discounts(&page).await?.map(discount);
        Ok(Response::new(pb::ListDiscountsResponse {
            discounts: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn list_tax_rules(
        &self,
        request: Request<pb::ListTaxRulesRequest>,
    ) -> Answer<pb::ListTaxRulesResponse> {
        let mut message = request.into_inner();
        let (size, token) = paging(&mut message.page_size, &mut message.page_token);
        let page = page(size, &token, &message, TAX_RULES)?;
        let listed = self.pricing.list_tax_rules(&page).await?.map(tax_rule);
        Ok(Response::new(pb::ListTaxRulesResponse {
            tax_rules: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn set_tax_rule(&self, request: Request<pb::SetTaxRuleRequest>) -> Answer<pb::SetTaxRuleResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("SetTaxRule", &message.request_id, &message)?;
        let rule = tax_rule(self.pricing.set_tax_rule(&key, parse::tax_rule(&message)?).await?);
        Ok(Response::new(pb::SetTaxRuleResponse { tax_rule: Some(rule) }))
    }

    async fn list_shipping_methods(
        &self,
        request: Request<pb::ListShippingMethodsRequest>,
    ) -> Answer<pb::ListShippingMethodsResponse> {
        let mut message = request.into_inner();
        let (size, token) = paging(&mut message.page_size, &mut message.page_token);
        let page = page(size, &token, &message, METHODS)?;
        let listed = self.pricing.list_shipping_methods(&page).await?.map(method);
        Ok(Response::new(pb::ListShippingMethodsResponse {
            shipping_methods: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn create_shipping_method(
        &self,
        request: Request<pb::CreateShippingMethodRequest>,
    ) -> Answer<pb::CreateShippingMethodResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("CreateShippingMethod", &message.request_id, &message)?;
        let offer = parse::created_method(&message)?;
        let method = method(self.pricing.create_shipping_method(&key, offer).await?);
        Ok(Response::new(pb::CreateShippingMethodResponse { shipping_method: Some(method) }))
    }

    async fn update_shipping_method(
        &self,
        request: Request<pb::UpdateShippingMethodRequest>,
    ) -> Answer<pb::UpdateShippingMethodResponse> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("UpdateShippingMethod", &message.request_id, &message)?;
        let (id, etag, offer) = parse::updated_method(&message)?;
        let method = method(self.pricing.update_shipping_method(&key, id, etag, offer).await?);
        Ok(Response::new(pb::UpdateShippingMethodResponse { shipping_method: Some(method) }))
    }
}

/// Takes size and token out of a request, so that what is left are its arguments.
fn paging(size: &mut i32, token: &mut String) -> (i32, String) {
    (std::mem::take(size), std::mem::take(token))
}

fn page<M: prost::Message>(
    size: i32,
    token: &str,
    arguments: &M,
    limits: PageLimits,
) -> Result<Page, Problem> {
    Ok(Page::parse(size, token, arguments, limits)?)
}
