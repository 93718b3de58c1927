//! What customers say about products.

use async_graphql::{ID, Object};
use proto::reviews as pb;

use crate::error::Fault;
use crate::ids::{self, Kind};
use crate::schema::choice::{self, ReviewSortKey, ReviewStatus};
use crate::schema::money::Decimal;
use crate::schema::time;

/// The contract's order for the schema's.
pub(crate) fn sort_of(sort: ReviewSortKey) -> pb::ReviewSort {
    match sort {
        ReviewSortKey::Helpful => pb::ReviewSort::Unspecified,
        ReviewSortKey::Newest => pb::ReviewSort::Newest,
        ReviewSortKey::RatingHigh => pb::ReviewSort::RatingHigh,
        ReviewSortKey::RatingLow => pb::ReviewSort::RatingLow,
    }
}

/// What a customer says about a product.
#[derive(Clone)]
pub(crate) struct Review(pub(crate) pb::Review);

/// What a customer says about a product.
#[Object]
impl Review {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::encode(Kind::Review, &self.0.id)
    }

    /// The product's id, for `node` or `product`.
    fn product_id(&self) -> ID {
        ids::encode(Kind::Product, &self.0.product_id)
    }

    /// As the author wants to be called.
    fn author_name(&self) -> &str {
        &self.0.author_name
    }

    /// 1 to 5.
    fn rating(&self) -> i32 {
        self.0.rating
    }

    /// The review in a few words.
    fn title(&self) -> &str {
        &self.0.title
    }

    /// Plain text.
    fn body(&self) -> &str {
        &self.0.body
    }

    /// Where it stands. Others than the author and moderators see approved ones only.
    fn status(&self) -> Result<ReviewStatus, Fault> {
        choice::promised("reviews", "REVIEW_STATE_", self.0.state().as_str_name())
    }

    /// Did the author get the product from this shop?
    fn verified_purchase(&self) -> bool {
        self.0.verified_purchase
    }

    /// How many found it helpful.
    fn helpful_count(&self) -> i64 {
        self.0.helpful_count
    }

    /// How many did not.
    fn unhelpful_count(&self) -> i64 {
        self.0.unhelpful_count
    }

    /// How many reported it; zero for all but moderators.
    fn report_count(&self) -> i64 {
        self.0.report_count
    }

    /// Why it was rejected; empty for all but its author and moderators.
    fn rejection(&self) -> &str {
        &self.0.rejection
    }

    /// Did the signed-in customer write it?
    fn mine(&self) -> bool {
        self.0.mine
    }

    /// When it was written.
    fn created_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.create_time.as_ref())
    }

    /// When it last changed.
    fn updated_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.0.update_time.as_ref())
    }

    /// Names this state of the review; give it back to change exactly this state.
    fn etag(&self) -> &str {
        &self.0.etag
    }
}

/// The ratings of one product.
pub(crate) struct RatingSummary<'a>(pub(crate) &'a pb::Summary);

/// The ratings of one product, approved reviews only.
#[Object]
impl RatingSummary<'_> {
    /// The mean with two decimals: "4.25". Null without reviews.
    fn average(&self) -> Option<Decimal> {
        let count = self.0.review_count;
        let hundredths = self.0.rating_sum.checked_mul(100)?.checked_add(count / 2)?.checked_div(count)?;
        Some(Decimal(format!("{}.{:02}", hundredths / 100, hundredths % 100)))
    }

    /// How many reviews there are.
    fn count(&self) -> i64 {
        self.0.review_count
    }

    /// How many gave 1, 2, 3, 4 and 5.
    fn histogram(&self) -> &[i64] {
        &self.0.histogram
    }
}
