//! What the edge is measured against: the page of products written by hand, with the same three calls by plain clients,
//! and without telemetry, limits, policies or a token check. `endpoint LISTEN GRPC_URL`, then
//! `GET /products?after=CURSOR`.

use std::error::Error;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mimalloc::MiMalloc;
use prost_types::FieldMask;
use proto::catalogue::catalogue_service_client::CatalogueServiceClient;
use proto::catalogue::{self, ListProductsRequest, ProductFilter};
use proto::reviews::reviews_service_client::ReviewsServiceClient;
use proto::reviews::{self, BatchGetSummariesRequest, BatchListReviewsRequest};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

const PAGE_SIZE: i32 = 20;
const REVIEWS_EACH: i32 = 3;
const CURRENCY: &str = "GBP";

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Clone)]
struct Clients {
    catalogue: CatalogueServiceClient<Channel>,
    reviews: ReviewsServiceClient<Channel>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(listen), Some(grpc)) = (arguments.next(), arguments.next()) else {
        return Err(
            "say where to listen and where the services are: endpoint 127.0.0.1:0 http://127.0.0.1:9090"
                .into(),
        );
    };
    let channel = Endpoint::from_shared(grpc)?.tcp_nodelay(true).connect().await?;
    let clients = Clients {
        catalogue: CatalogueServiceClient::new(channel.clone()),
        reviews: ReviewsServiceClient::new(channel),
    };
    let router = Router::new().route("/products", get(products)).with_state(clients);
    let listener = TcpListener::bind(&listen).await?;
    println!("listening {}", listener.local_addr()?);
    axum::serve(listener.tap_io(|stream| drop(stream.set_nodelay(true))), router).await?;
    Ok(())
}

#[derive(Deserialize)]
struct Place {
    after: String,
}

async fn products(State(clients): State<Clients>, Query(place): Query<Place>) -> Response {
    let Some(page_token) = token(&place.after) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match page(clients, page_token).await {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(status) => {
            eprintln!("a call failed: {status}");
            StatusCode::BAD_GATEWAY.into_response()
        }
    }
}

/// The service's token in a cursor of the edge, of those that begin where the service's page begins.
fn token(cursor: &str) -> Option<String> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("0:").map(str::to_owned)
}

async fn page(mut clients: Clients, page_token: String) -> Result<Vec<u8>, Status> {
    let paths = ["id", "handle", "title", "variants"].map(str::to_owned);
    let request = ListProductsRequest {
        page_size: PAGE_SIZE,
        page_token,
        // A token is good for the list that gave it, and the edge always names a filter.
        filter: Some(ProductFilter::default()),
        read_mask: Some(FieldMask { paths: paths.into() }),
        ..Default::default()
    };
    let products = clients.catalogue.list_products(request).await?.into_inner().products;
    let product_ids: Vec<String> = products.iter().map(|product| product.id.clone()).collect();
    let mut reviews = clients.reviews.clone();
    let (summaries, reviews) = tokio::try_join!(
        clients.reviews.batch_get_summaries(BatchGetSummariesRequest { product_ids: product_ids.clone() }),
        reviews.batch_list_reviews(BatchListReviewsRequest {
            product_ids,
            reviews_each: REVIEWS_EACH,
            ..Default::default()
        }),
    )?;
    let (summaries, reviews) = (summaries.into_inner().summaries, reviews.into_inner().products);
    let known = summaries.iter().zip(&reviews);
    let nodes =
        products.iter().zip(known).map(|(product, (summary, page))| Product::of(product, summary, page));
    let answer = Answer { data: Data { products: Nodes { nodes: nodes.collect() } } };
    serde_json::to_vec(&answer).map_err(|_| Status::internal("the answer cannot be written"))
}

#[derive(Serialize)]
struct Answer<'a> {
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    products: Nodes<Product<'a>>,
}

#[derive(Serialize)]
struct Nodes<T> {
    nodes: Vec<T>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Product<'a> {
    id: String,
    handle: &'a str,
    title: &'a str,
    price_range: Option<PriceRange<'a>>,
    rating: Rating,
    reviews: Nodes<Review<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PriceRange<'a> {
    min_variant_price: Money<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Money<'a> {
    amount: String,
    currency_code: &'a str,
}

#[derive(Serialize)]
struct Rating {
    average: Option<String>,
    count: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    rating: i32,
    title: &'a str,
    body: &'a str,
    author_name: &'a str,
}

impl<'a> Product<'a> {
    fn of(
        product: &'a catalogue::Product,
        summary: &reviews::Summary,
        page: &'a reviews::ProductReviews,
    ) -> Self {
        let prices = product.variants.iter().flat_map(|variant| &variant.prices);
        let amounts = prices.filter_map(|price| price.amount.as_ref());
        let lowest = amounts
            .filter(|amount| amount.currency_code == CURRENCY)
            .min_by_key(|amount| amount.minor_units)
            .map(|lowest| Money {
                amount: format!("{}.{:02}", lowest.minor_units / 100, lowest.minor_units % 100),
                currency_code: &lowest.currency_code,
            });
        let count = summary.review_count;
        let hundredths = (summary.rating_sum * 100 + count / 2).checked_div(count);
        Self {
            id: format!("product_{}", product.id.replace('-', "")),
            handle: &product.handle,
            title: &product.title,
            price_range: lowest.map(|min_variant_price| PriceRange { min_variant_price }),
            rating: Rating {
                average: hundredths.map(|mean| format!("{}.{:02}", mean / 100, mean % 100)),
                count,
            },
            reviews: Nodes { nodes: page.reviews.iter().map(Review::of).collect() },
        }
    }
}

impl<'a> Review<'a> {
    fn of(review: &'a reviews::Review) -> Self {
        Self {
            rating: review.rating,
            title: &review.title,
            body: &review.body,
            author_name: &review.author_name,
        }
    }
}
