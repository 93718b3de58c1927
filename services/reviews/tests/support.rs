//! Starts the service on every kind of store, and says things shortly.

use kit::{Clock, Database, Id};
use mesh::testing::{self, TestServer};
use mesh::{Channel, User};
use proto::identity as identity_pb;
use proto::orders as orders_pb;
use proto::reviews as pb;
use proto::reviews::reviews_service_client::ReviewsServiceClient;
use uuid::Uuid;

pub use kit::testing::request_id;
pub use mesh::testing::reason;

pub type Client = ReviewsServiceClient<Channel>;

pub struct Shop {
    pub database: Database,
    pub clock: Clock,
    server: TestServer,
}

/// One shop for each kind of store.
pub async fn shops() -> Vec<Shop> {
    let databases = kit::testing::databases::<reviews::Migrator>().await;
    databases.into_iter().map(Shop::new).collect()
}

impl Shop {
    fn new(database: Database) -> Self {
        let clock = Clock::fixed(Clock::system().now());
        let routes = reviews::routes(database.clone(), clock.clone());
        let server = testing::serve(reviews::NAME, routes);
        Self { database, clock, server }
    }

    pub fn as_user(&self, user: &User) -> Client {
        ReviewsServiceClient::new(self.server.channel_as("gateway", Some(user.clone())))
    }

    pub fn as_guest(&self) -> Client {
        ReviewsServiceClient::new(self.server.channel_as("gateway", None))
    }

    pub fn as_service(&self, workload: &'static str) -> Client {
        ReviewsServiceClient::new(self.server.channel_as(workload, None))
    }

    pub fn moderator(&self) -> Client {
        self.as_user(&testing::staff(&["reviews.moderate"]))
    }

    /// Writes a review by somebody new and has it approved.
    pub async fn approved(&self, product: &str, rating: i32) -> pb::Review {
        self.clock.advance(std::time::Duration::from_secs(1));
        let written = self.as_user(&testing::customer()).create_review(writing(product, rating)).await;
        let written = written.unwrap().into_inner().review.unwrap();
        let approval =
            pb::ApproveReviewRequest { review_id: written.id, etag: written.etag, request_id: request_id() };
        self.moderator().approve_review(approval).await.unwrap().into_inner().review.unwrap()
    }

    /// Tells the service that an order with this product has arrived.
    pub async fn deliver(&self, account: Uuid, product: &str) {
        let delivered = orders_pb::OrderDelivered {
            order_id: id(),
            account_id: account.to_string(),
            lines: vec![orders_pb::EventLine { product_id: product.to_owned(), ..Default::default() }],
            ..Default::default()
        };
        self.tell("order.delivered", &delivered).await;
    }

    /// Tells the service that an account is erased.
    pub async fn erase(&self, account: Uuid) {
        let erased = identity_pb::AccountErased { account_id: account.to_string() };
        self.tell("account.erased", &erased).await;
    }

    async fn tell<M: prost::Message>(&self, kind: &str, news: &M) {
        let event = kit::outbox::Event::new(kind, Id::<()>::new(), 1, self.clock.now(), news);
        let readers = reviews::readers(&self.database);
        // Twice, as a queue may.
        for reader in readers.iter().chain(&readers).filter(|reader| reader.reads(kind)) {
            (reader.apply)(event.clone()).await.unwrap();
        }
    }

    pub async fn summary(&self, product: &str) -> pb::Summary {
        let request = pb::BatchGetSummariesRequest { product_ids: vec![product.to_owned()] };
        let answer = self.as_guest().batch_get_summaries(request).await.unwrap().into_inner();
        answer.summaries.into_iter().next().unwrap()
    }

    /// The kinds of all events in the outbox, oldest first.
    pub async fn news(&self) -> Vec<String> {
        let events = kit::testing::unsent(&self.database, 10_000).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }
}

pub fn writing(product: &str, rating: i32) -> pb::CreateReviewRequest {
    pb::CreateReviewRequest {
        product_id: product.to_owned(),
        rating,
        title: "As described".into(),
        body: "It does what it says.\nI would buy it again.".into(),
        author_name: "Ada L.".into(),
        request_id: request_id(),
    }
}

/// These reviews of a product, from a shop that gave them numbers and found each as often helpful as its number says.
pub fn importing(product: &str, numbers: std::ops::Range<i32>) -> pb::ImportReviewsRequest {
    let review = |number: i32| pb::ImportedReview {
        external_id: format!("old-{product}-{number}"),
        product_id: product.to_owned(),
        author_name: "Grace H.".into(),
        rating: 1 + number % 5,
        title: "Kept".into(),
        body: String::new(),
        verified_purchase: number % 2 == 0,
        helpful_count: number.into(),
        create_time: Some(kit::time::to_proto(kit::Clock::system().now())),
    };
    pb::ImportReviewsRequest { reviews: numbers.map(review).collect(), request_id: request_id() }
}

pub fn id() -> String {
    Uuid::now_v7().to_string()
}

/// The review, if this client may see it.
pub async fn read(mut client: Client, id: &str) -> Option<pb::Review> {
    let request = pb::BatchGetReviewsRequest { review_ids: vec![id.to_owned()] };
    client.batch_get_reviews(request).await.unwrap().into_inner().reviews.pop()
}
