//! Requests into values of the domain.

use kit::Id;
use kit::parse::Fields;
use mesh::status::Problem;
use proto::reviews as pb;

use crate::app::Listing;
use crate::domain::{Imported, Opinion, Order, ProductId, Rating, Review, ReviewId, State};

const PRODUCTS_MAX: usize = 250;
const REVIEWS_EACH_MAX: i64 = 20;
const IMPORT_MAX: usize = 250;

type Parsed<T> = Result<T, Problem>;

pub fn review_id(value: &str) -> Parsed<ReviewId> {
    let mut fields = Fields::new();
    let id = fields.id("review_id", value);
    fields.build(|| id).map_err(Problem::invalid)
}

pub fn ids<T>(field: &str, values: &[String], max: usize) -> Parsed<Vec<Id<T>>> {
    let mut fields = Fields::new();
    let ids = fields.ids(field, values, 0..=max);
    fields.build(|| ids).map_err(Problem::invalid)
}

pub fn created(message: &pb::CreateReviewRequest) -> Parsed<(ProductId, String, Opinion)> {
    let mut fields = Fields::new();
    let product = fields.id("product_id", &message.product_id);
    let author_name = fields.text("author_name", &message.author_name, 1..=50);
    let opinion = opinion(&mut fields, message.rating, &message.title, &message.body);
    fields.build(|| Some((product?, author_name?, opinion?))).map_err(Problem::invalid)
}

pub fn updated(message: &pb::UpdateReviewRequest) -> Parsed<(ReviewId, Opinion, Option<i64>)> {
    let mut fields = Fields::new();
    let id = fields.id("review_id", &message.review_id);
    let opinion = opinion(&mut fields, message.rating, &message.title, &message.body);
    let etag = fields.etag(&message.etag);
    fields.build(|| Some((id?, opinion?, etag?))).map_err(Problem::invalid)
}

pub fn approved(message: &pb::ApproveReviewRequest) -> Parsed<(ReviewId, Option<i64>)> {
    let mut fields = Fields::new();
    let id = fields.id("review_id", &message.review_id);
    let etag = fields.etag(&message.etag);
    fields.build(|| Some((id?, etag?))).map_err(Problem::invalid)
}

pub fn rejected(message: &pb::RejectReviewRequest) -> Parsed<(ReviewId, String, Option<i64>)> {
    let mut fields = Fields::new();
    let id = fields.id("review_id", &message.review_id);
    let rejection = fields.prose("rejection", &message.rejection, 1..=500);
    let etag = fields.etag(&message.etag);
    fields.build(|| Some((id?, rejection?, etag?))).map_err(Problem::invalid)
}

pub fn reported(message: &pb::ReportReviewRequest) -> Parsed<(ReviewId, String)> {
    let mut fields = Fields::new();
    let id = fields.id("review_id", &message.review_id);
    let complaint = fields.prose("complaint", &message.complaint, 1..=500);
    fields.build(|| Some((id?, complaint?))).map_err(Problem::invalid)
}

pub fn listing(message: &pb::ListReviewsRequest) -> Parsed<Listing> {
    let mut fields = Fields::new();
    let product = match message.product_id.as_str() {
        "" => Some(None),
        product => fields.id("product_id", product).map(Some),
    };
    let order = order(&mut fields, message.sort);
    let state = match message.state {
        0 => Some(None),
        state => fields.choice("state", state).map(self::state),
    };
    let rating = match message.rating {
        0 => Some(None),
        stars => fields.integer("rating", stars, 1..=5).map(Rating::new),
    };
    let mine = message.mine;
    let listing = || Some(Listing { product: product?, mine, state: state?, rating: rating?, order: order? });
    fields.build(listing).map_err(Problem::invalid)
}

pub fn first_of_each(message: &pb::BatchListReviewsRequest) -> Parsed<(Vec<ProductId>, u64, Order)> {
    let products = ids("product_ids", &message.product_ids, PRODUCTS_MAX)?;
    let mut fields = Fields::new();
    let each = fields.integer("reviews_each", message.reviews_each, 1..=REVIEWS_EACH_MAX);
    let order = order(&mut fields, message.sort);
    fields.build(|| Some((products, u64::try_from(each?).ok()?, order?))).map_err(Problem::invalid)
}

pub fn imported(message: &pb::ImportReviewsRequest) -> Parsed<Vec<Imported>> {
    let mut fields = Fields::new();
    fields.count("reviews", message.reviews.len(), 1..=IMPORT_MAX);
    let reviews = message.reviews.iter().take(IMPORT_MAX).enumerate();
    let reviews: Vec<Option<Imported>> = reviews
        .map(|(index, review)| fields.within(format!("reviews[{index}]"), |fields| import(fields, review)))
        .collect();
    fields.build(|| reviews.into_iter().collect()).map_err(Problem::invalid)
}

fn import(fields: &mut Fields, review: &pb::ImportedReview) -> Option<Imported> {
    let external_id = fields.text("external_id", &review.external_id, 1..=200);
    let product = fields.id("product_id", &review.product_id);
    let author_name = fields.text("author_name", &review.author_name, 1..=50);
    let opinion = opinion(fields, review.rating, &review.title, &review.body);
    let helpful = fields.integer("helpful_count", review.helpful_count, 0..=1_000_000_000);
    let created = fields.time("create_time", review.create_time.as_ref());
    let created = created?;
    Some(Imported {
        external_id: external_id?,
        review: Review {
            id: ReviewId::new(),
            product: product?,
            author: None,
            author_name: author_name?,
            opinion: opinion?,
            state: State::Approved,
            verified: review.verified_purchase,
            helpful: helpful?,
            unhelpful: 0,
            reports: 0,
            rejection: None,
            created,
            updated: created,
            version: 1,
        },
    })
}

fn opinion(fields: &mut Fields, rating: i32, title: &str, body: &str) -> Option<Opinion> {
    let rating = fields.integer("rating", rating, 1..=5).and_then(Rating::new);
    let title = fields.text("title", title, 1..=120);
    let body = fields.prose("body", body, 0..=5_000);
    Some(Opinion { rating: rating?, title: title?, body: body? })
}

fn order(fields: &mut Fields, sort: i32) -> Option<Order> {
    let sort = match sort {
        0 => pb::ReviewSort::Unspecified,
        sort => fields.choice("sort", sort)?,
    };
    Some(match sort {
        pb::ReviewSort::Unspecified => Order::Helpful,
        pb::ReviewSort::Newest => Order::Newest,
        pb::ReviewSort::RatingHigh => Order::RatingHigh,
        pb::ReviewSort::RatingLow => Order::RatingLow,
    })
}

fn state(state: pb::ReviewState) -> Option<State> {
    match state {
        pb::ReviewState::Unspecified => None,
        pb::ReviewState::Pending => Some(State::Pending),
        pb::ReviewState::Approved => Some(State::Approved),
        pb::ReviewState::Rejected => Some(State::Rejected),
    }
}
