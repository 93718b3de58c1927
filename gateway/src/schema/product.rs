//! Products and their variants.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use proto::{catalogue as pb, inventory, reviews};

use crate::context::{Locale, locale};
use crate::error::{Fault, Problem, listed};
use crate::ids::{self, Kind};
use crate::schema::category::Category;
use crate::schema::choice::{self, ProductStatus, ReviewSortKey};
use crate::schema::connection::{Connection, Window};
use crate::schema::money::{CurrencyCode, Money};
use crate::schema::recommendation::{Recommendation, first_of};
use crate::schema::review::{RatingSummary, Review};
use crate::schema::variant::{SelectedOptionInput, Variant};
use crate::schema::{Part, time};

/// What is available by SKU; a SKU that is not in it is not for sale. Nothing at all when inventory did not answer.
pub(crate) type Availability = Option<Arc<HashMap<String, i64>>>;

pub(crate) fn availability(answer: Option<inventory::BatchGetStockResponse>) -> Availability {
    let stock = answer?.stock;
    Some(Arc::new(stock.into_iter().map(|row| (row.sku, row.available)).collect()))
}

/// Something the shop sells.
pub(crate) struct Product {
    pub(crate) wire: pb::Product,
    pub(crate) rating: Option<reviews::Summary>,
    /// The first reviews, by the order that they were asked for in.
    pub(crate) reviews: Vec<(ReviewSortKey, reviews::ProductReviews)>,
    pub(crate) stock: Availability,
    pub(crate) category: Option<Category>,
    /// One of a list: what would cost a call of its own for each is not offered.
    pub(crate) listed: bool,
    /// What goes with it, as far as it was asked for.
    pub(crate) together: Option<Vec<Recommendation>>,
    /// Itself recommended: no further recommendations are offered.
    pub(crate) recommended: bool,
}

/// Something the shop sells, in one or several variants.
#[Object]
impl Product {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::encode(Kind::Product, &self.wire.id)
    }

    /// The product's place in the shop's URLs; unique, lower case.
    fn handle(&self) -> &str {
        &self.wire.handle
    }

    /// What it is called.
    fn title(&self) -> &str {
        &self.wire.title
    }

    /// HTML as staff wrote it; clean it before you show it.
    fn description(&self) -> &str {
        &self.wire.description
    }

    /// Who makes it.
    fn vendor(&self) -> &str {
        &self.wire.vendor
    }

    /// What kind of thing it is.
    fn product_type(&self) -> &str {
        &self.wire.product_type
    }

    /// Words to find it by.
    fn tags(&self) -> &[String] {
        &self.wire.tags
    }

    /// Whether it is to be seen. Without the right to see drafts everything is active.
    fn status(&self) -> Result<ProductStatus, Fault> {
        choice::promised("catalogue", "PRODUCT_STATUS_", self.wire.status().as_str_name())
    }

    /// What search engines are told.
    fn seo(&self) -> Seo<'_> {
        Seo {
            title: self.wire.seo.as_ref().map_or("", |seo| &seo.title),
            description: self.wire.seo.as_ref().map_or("", |seo| &seo.description),
        }
    }

    /// What a buyer chooses by, each with its values.
    fn options(&self) -> Vec<ProductOption> {
        let convert =
            |option: &pb::Option| ProductOption { name: option.name.clone(), values: option.values.clone() };
        self.wire.options.iter().map(convert).collect()
    }

    /// The first picture.
    fn featured_image(&self) -> Option<Image<'_>> {
        self.wire.media.first().map(Image)
    }

    /// All pictures, in order.
    fn images(&self) -> Vec<Image<'_>> {
        self.wire.media.iter().map(Image).collect()
    }

    /// Where it stands in the tree of categories.
    fn category(&self) -> Option<&Category> {
        self.category.as_ref()
    }

    /// The variants, in order.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    fn variants(
        &self,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<Variant<'_>>, Fault> {
        let window = Window::of(Some(first), after.as_deref())?;
        Ok(window.slice(self.wire.variants.iter().map(|variant| self.variant(variant))))
    }

    /// The variant with exactly these options; null if there is none.
    fn variant_by_selected_options(
        &self,
        #[graphql(desc = "A value for each option.")] selected_options: Vec<SelectedOptionInput>,
    ) -> Option<Variant<'_>> {
        self.find_variant(&selected_options)
    }

    /// The variant with these options, or the first that is for sale, or the first.
    fn selected_or_first_available_variant(
        &self,
        #[graphql(desc = "A value for each option; may be empty.")] selected_options: Option<
            Vec<SelectedOptionInput>,
        >,
    ) -> Option<Variant<'_>> {
        let selected = selected_options.unwrap_or_default();
        self.find_variant(&selected)
            .or_else(|| {
                let mut variants = self.wire.variants.iter();
                let variant = variants.find(|variant| self.available(&variant.sku) > Some(0))?;
                Some(self.variant(variant))
            })
            .or_else(|| self.wire.variants.first().map(|first| self.variant(first)))
    }

    /// The lowest and the highest price of its variants; null when none is priced in the currency.
    fn price_range(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The context's currency if absent.")] currency: Option<CurrencyCode>,
    ) -> Option<PriceRange> {
        let currency = currency_of(currency.as_ref(), locale(ctx));
        let prices = self.wire.variants.iter().filter_map(|variant| price_in(variant, currency));
        let amounts = || prices.clone().filter_map(|price| price.amount.as_ref());
        let lowest = amounts().min_by_key(|amount| amount.minor_units)?;
        let highest = amounts().max_by_key(|amount| amount.minor_units)?;
        Some(PriceRange { min_variant_price: Money::of(lowest)?, max_variant_price: Money::of(highest)? })
    }

    /// Can at least one variant be bought now? Null when stock is not known at the moment.
    fn available_for_sale(&self) -> Option<bool> {
        self.stock.as_ref()?;
        let active = self.wire.status() == pb::ProductStatus::Active;
        let mut variants = self.wire.variants.iter();
        Some(active && variants.any(|variant| self.available(&variant.sku) > Some(0)))
    }

    /// The ratings of approved reviews. Null when reviews are not known at the moment.
    fn rating(&self) -> Option<RatingSummary<'_>> {
        self.rating.as_ref().map(RatingSummary)
    }

    /// Approved reviews. Null when reviews are not known at the moment.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 20 for each product of a list, else 100.", default = 3)]
        first: i32,
        #[graphql(desc = "Continues behind this cursor; not within a list.")] after: Option<String>,
        #[graphql(desc = "The order.", default_with = "ReviewSortKey::Helpful")] sort_key: ReviewSortKey,
    ) -> Part<Connection<Review>> {
        let window = match Window::of(Some(first), after.as_deref()) {
            Ok(window) => window,
            Err(fault) => return Some(Err(fault)),
        };
        if after.is_some() || first > crate::limits::REVIEWS_EACH_MAX {
            return Some(self.more_reviews(ctx, window, sort_key).await);
        }
        let (_, page) = self.reviews.iter().find(|(sort, _)| *sort == sort_key)?;
        let reviews = page.reviews.iter().cloned().map(Review).collect();
        Some(Ok(window.connect(reviews, page.next_page_token.clone())))
    }

    /// What is bought together with it, best first; in a new shop, what sells in its category. Null when it is not known at
    /// the moment.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    fn bought_together(
        &self,
        #[graphql(desc = "How many; at most 20.", default = 4)] first: i32,
    ) -> Part<&[Recommendation]> {
        if self.recommended {
            let message = "A recommended product has no recommendations of its own: ask for it alone.";
            return Some(Err(Fault::of(Problem::BadRequest, message)));
        }
        first_of(self.together.as_ref(), first)
    }

    /// When it was created.
    fn created_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.create_time.as_ref())
    }

    /// When it last changed.
    fn updated_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.update_time.as_ref())
    }

    /// Since when it is in the shop.
    fn published_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.publish_time.as_ref())
    }

    /// Names this state of the product; give it back to change exactly this state.
    fn etag(&self) -> &str {
        &self.wire.etag
    }
}

impl Product {
    fn variant<'a>(&'a self, variant: &'a pb::Variant) -> Variant<'a> {
        Variant::of(self, variant)
    }

    fn find_variant(&self, selected: &[SelectedOptionInput]) -> Option<Variant<'_>> {
        if selected.len() != self.wire.options.len() || selected.is_empty() {
            return None;
        }
        let fits = |variant: &&pb::Variant| {
            let named = self.wire.options.iter().zip(&variant.option_values);
            named.into_iter().all(|(option, value)| {
                let chosen = selected.iter().find(|choice| choice.name == option.name);
                chosen.is_some_and(|choice| choice.value == *value)
            })
        };
        let variant = self.wire.variants.iter().find(fits)?;
        Some(self.variant(variant))
    }

    fn available(&self, sku: &str) -> Option<i64> {
        let stock = self.stock.as_ref()?;
        Some(stock.get(sku).copied().unwrap_or(0))
    }

    async fn more_reviews(
        &self,
        ctx: &Context<'_>,
        window: Window,
        sort: ReviewSortKey,
    ) -> Result<Connection<Review>, Fault> {
        if self.listed {
            return Err(Fault::of(
                Problem::BadRequest,
                "Within a list each product has at most 20 reviews and no cursor: ask for the product alone.",
            ));
        }
        let request = reviews::ListReviewsRequest {
            page_size: window.page_size(),
            page_token: window.page_token(),
            product_id: self.wire.id.clone(),
            sort: super::review::sort_of(sort).into(),
            ..Default::default()
        };
        let answer = crate::context::reviews(ctx).list_reviews(request).await;
        let page = listed("reviews", answer)?;
        let items = page.reviews.into_iter().map(Review).collect();
        Ok(window.connect(items, page.next_page_token))
    }
}

/// What a page of a list costs: each item, and one for the list.
pub(crate) fn page_cost(first: i32, child: usize) -> usize {
    usize::try_from(first).unwrap_or(0).saturating_mul(child).saturating_add(1)
}

pub(crate) fn currency_of<'a>(asked: Option<&'a CurrencyCode>, locale: &'a Locale) -> &'a str {
    asked.map_or(&locale.currency, |currency| &currency.0)
}

pub(crate) fn price_in<'a>(variant: &'a pb::Variant, currency: &str) -> Option<&'a pb::Price> {
    variant.prices.iter().find(|price| {
        let amount = price.amount.as_ref();
        amount.is_some_and(|amount| amount.currency_code == currency)
    })
}

/// What search engines are told.
#[derive(SimpleObject)]
pub(crate) struct Seo<'a> {
    /// The page's title.
    title: &'a str,
    /// The page's description.
    description: &'a str,
}

/// What a buyer chooses by: "Size".
#[derive(SimpleObject)]
pub(crate) struct ProductOption {
    /// "Size".
    name: String,
    /// "S", "M", "L", in the order that staff gave.
    values: Vec<String>,
}

/// The span of prices of a product's variants.
#[derive(SimpleObject)]
pub(crate) struct PriceRange {
    /// The lowest.
    min_variant_price: Money,
    /// The highest.
    max_variant_price: Money,
}

/// A picture.
pub(crate) struct Image<'a>(&'a pb::Media);

/// A picture.
#[Object]
impl Image<'_> {
    /// Opaque id.
    fn id(&self) -> ID {
        ids::encode(Kind::Media, &self.0.id)
    }

    /// Absolute, or a path of the shop itself.
    fn url(&self) -> &str {
        &self.0.url
    }

    /// What it shows, in words.
    fn alt_text(&self) -> &str {
        &self.0.alt_text
    }
}
