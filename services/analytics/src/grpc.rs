//! The contract on one side, the domain on the other. Only here a request can be invalid.

mod parse;

use kit::{Currency, Money, Page, PageLimits};
use mesh::Caller;
use mesh::status::Problem;
use proto::analytics as pb;
use proto::analytics::analytics_service_server::{AnalyticsService, AnalyticsServiceServer};
use tonic::{Request, Response, Status};

use crate::app::{Analytics, Sales};
use crate::domain::{Figures, ProductSales, Range};
use crate::error::Error;

const PAGE: PageLimits = PageLimits { default: 20, max: 100 };

pub fn server(analytics: Analytics) -> AnalyticsServiceServer<impl AnalyticsService> {
    AnalyticsServiceServer::new(Grpc { analytics })
}

struct Grpc {
    analytics: Analytics,
}

#[tonic::async_trait]
impl AnalyticsService for Grpc {
    async fn record_views(
        &self,
        request: Request<pb::RecordViewsRequest>,
    ) -> Result<Response<pb::RecordViewsResponse>, Status> {
        let caller = Caller::of(&request);
        let message = request.into_inner();
        let key = caller.key("RecordViews", &message.request_id, &message)?;
        self.analytics.record_views(&key, &parse::views(&message)?).await?;
        Ok(Response::new(pb::RecordViewsResponse {}))
    }

    async fn get_sales(
        &self,
        request: Request<pb::GetSalesRequest>,
    ) -> Result<Response<pb::GetSalesResponse>, Status> {
        let (range, parts, currency) = parse::sales(request.get_ref())?;
        let sales = self.analytics.sales(range, parts, currency).await?;
        Ok(Response::new(shown(sales, currency)))
    }

    async fn list_country_sales(
        &self,
        request: Request<pb::ListCountrySalesRequest>,
    ) -> Result<Response<pb::ListCountrySalesResponse>, Status> {
        let message = request.into_inner();
        let (range, currency) = parse::country_sales(&message)?;
        let (size, token) = (message.page_size, message.page_token.clone());
        let arguments = pb::ListCountrySalesRequest { page_size: 0, page_token: String::new(), ..message };
        let page = Page::parse(size, &token, &arguments, PAGE).map_err(Error::from)?;
        let listed = self.analytics.country_sales(range, currency, &page).await?;
        let listed = listed
            .map(|(country, sold)| pb::CountrySales { country, figures: Some(figures(sold, currency)) });
        Ok(Response::new(pb::ListCountrySalesResponse {
            countries: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn list_product_sales(
        &self,
        request: Request<pb::ListProductSalesRequest>,
    ) -> Result<Response<pb::ListProductSalesResponse>, Status> {
        let message = request.into_inner();
        let (range, currency, order) = parse::product_sales(&message)?;
        let (size, token) = (message.page_size, message.page_token.clone());
        let arguments = pb::ListProductSalesRequest { page_size: 0, page_token: String::new(), ..message };
        let page = Page::parse(size, &token, &arguments, PAGE).map_err(Error::from)?;
        let listed = self.analytics.product_sales(range, currency, order, &page).await?;
        let listed = listed.map(|sales| product(sales, currency));
        Ok(Response::new(pb::ListProductSalesResponse {
            products: listed.items,
            next_page_token: listed.next_page_token,
        }))
    }

    async fn get_funnel(
        &self,
        request: Request<pb::GetFunnelRequest>,
    ) -> Result<Response<pb::GetFunnelResponse>, Status> {
        let funnel = self.analytics.funnel(parse::funnel(request.get_ref())?).await?;
        Ok(Response::new(pb::GetFunnelResponse {
            product_views: funnel.product_views,
            carts: funnel.carts,
            carts_with_checkout: funnel.carts_with_checkout,
            carts_paid: funnel.carts_paid,
            abandonment_ppm: funnel.abandonment_ppm(),
        }))
    }

    async fn get_payment_outcomes(
        &self,
        request: Request<pb::GetPaymentOutcomesRequest>,
    ) -> Result<Response<pb::GetPaymentOutcomesResponse>, Status> {
        let (range, currency) = parse::payment_outcomes(request.get_ref())?;
        let outcomes = self.analytics.payment_outcomes(range, currency).await?;
        Ok(Response::new(pb::GetPaymentOutcomesResponse {
            payments: outcomes.payments,
            authorized: outcomes.authorized,
            declined: outcomes.declined,
            undecided: outcomes.undecided(),
            success_ppm: outcomes.success_ppm(),
            captured: Some(Money::new(currency, outcomes.captured).into()),
            refunded: Some(Money::new(currency, outcomes.refunded).into()),
        }))
    }
}

fn shown(sales: Sales, currency: Currency) -> pb::GetSalesResponse {
    let point = |(range, sold): (Range, Figures)| pb::SalesPoint {
        start_date: range.start().to_string(),
        end_date: range.end().to_string(),
        figures: Some(figures(sold, currency)),
    };
    pb::GetSalesResponse {
        totals: Some(figures(sales.totals, currency)),
        points: sales.points.into_iter().map(point).collect(),
        other_currency_codes: sales.other_currencies,
    }
}

fn figures(figures: Figures, currency: Currency) -> pb::SalesFigures {
    let money = |minor_units| Some(Money::new(currency, minor_units).into());
    pb::SalesFigures {
        orders: figures.orders,
        units: figures.units,
        revenue: money(figures.revenue),
        refunded: money(figures.refunded),
        net_revenue: money(figures.net_revenue()),
        average_order_value: figures.average_order_value().and_then(money),
        cancelled_orders: figures.cancelled_orders,
        shipping: money(figures.shipping),
        tax: money(figures.tax),
        discounts: money(figures.discounts),
    }
}

fn product(sales: ProductSales, currency: Currency) -> pb::ProductSales {
    pb::ProductSales {
        product_id: sales.product.map(|product| product.to_string()).unwrap_or_default(),
        sku: sales.sku,
        units: sales.units,
        revenue: Some(Money::new(currency, sales.revenue).into()),
        views: sales.views,
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Request(error) => Problem::from(error),
            Error::Page(error) => error.into(),
            Error::Storage(error) => kit::RequestError::Storage(error).into(),
        }
        .status()
    }
}
