//! Products and their variants.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use proto::{catalogue as pb, inventory, reviews};

use crate::context::{Locale, locale};
use crate::error::{Fault, Problem, listed};
use crate::ids::{self, Kind};
use crate::schema::category::Category;
use crate::schema::choice::{self, ProductStatus, ReviewSortKey};
use crate::schema::connection::{Connection, Window};
use crate::schema::money::{CurrencyCode, Money, optional};
use crate::schema::review::{RatingSummary, Review};
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
        Variant {
            wire: Cow::Borrowed(variant),
            parent: Parent::Here(self),
            stock: Cow::Borrowed(&self.stock),
        }
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

fn currency_of<'a>(asked: Option<&'a CurrencyCode>, locale: &'a Locale) -> &'a str {
    asked.map_or(&locale.currency, |currency| &currency.0)
}

fn price_in<'a>(variant: &'a pb::Variant, currency: &str) -> Option<&'a pb::Price> {
    variant.prices.iter().find(|price| {
        let amount = price.amount.as_ref();
        amount.is_some_and(|amount| amount.currency_code == currency)
    })
}

/// The product that a variant belongs to, as far as it is at hand.
pub(crate) enum Parent<'a> {
    /// The variant is one of the product's own list.
    Here(&'a Product),
    /// The variant was asked for by itself.
    There { summary: Box<pb::VariantSummary>, product: Option<Arc<Product>> },
}

/// What is put into a cart: one product in one choice of its options.
pub(crate) struct Variant<'a> {
    wire: Cow<'a, pb::Variant>,
    parent: Parent<'a>,
    stock: Cow<'a, Availability>,
}

impl Variant<'static> {
    /// A variant that was asked for by itself, with its product if that was asked for, too.
    pub(crate) fn alone(
        mut summary: pb::VariantSummary,
        product: Option<Arc<Product>>,
        stock: Availability,
    ) -> Option<Self> {
        let wire = summary.variant.take()?;
        Some(Self {
            wire: Cow::Owned(wire),
            parent: Parent::There { summary: Box::new(summary), product },
            stock: Cow::Owned(stock),
        })
    }
}

/// What is put into a cart: one product in one choice of its options.
#[Object(name = "ProductVariant")]
impl Variant<'_> {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::encode(Kind::Variant, &self.wire.id)
    }

    /// The stock-keeping unit; unique in the shop.
    fn sku(&self) -> &str {
        &self.wire.sku
    }

    /// The chosen options joined by " / "; empty for a product without options.
    fn title(&self) -> &str {
        &self.wire.title
    }

    /// The product's title and the variant's, as a line of a cart shows it.
    fn display_name(&self) -> String {
        let product = match &self.parent {
            Parent::Here(product) => &product.wire.title,
            Parent::There { summary, .. } => &summary.product_title,
        };
        if self.wire.title.is_empty() {
            return product.clone();
        }
        format!("{product} – {}", self.wire.title)
    }

    /// The value of each option. Null when the options' names are not at hand: ask for the product.
    fn selected_options(&self) -> Option<Vec<SelectedOption>> {
        let product = self.product_here()?;
        let named = product.wire.options.iter().zip(&self.wire.option_values);
        let convert = |(option, value): (&pb::Option, &String)| SelectedOption {
            name: option.name.clone(),
            value: value.clone(),
        };
        Some(named.map(convert).collect())
    }

    /// The list price; null when it is not for sale in the currency.
    fn price(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The context's currency if absent.")] currency: Option<CurrencyCode>,
    ) -> Option<Money> {
        let price = price_in(&self.wire, currency_of(currency.as_ref(), locale(ctx)))?;
        optional(price.amount.as_ref())
    }

    /// What it cost before; null when it is not reduced.
    fn compare_at_price(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The context's currency if absent.")] currency: Option<CurrencyCode>,
    ) -> Option<Money> {
        let price = price_in(&self.wire, currency_of(currency.as_ref(), locale(ctx)))?;
        optional(price.compare_at.as_ref())
    }

    /// Can it be bought now? Null when stock is not known at the moment.
    fn available_for_sale(&self) -> Option<bool> {
        let status = match &self.parent {
            Parent::Here(product) => product.wire.status(),
            Parent::There { summary, .. } => summary.product_status(),
        };
        let active = status == pb::ProductStatus::Active;
        self.quantity().map(|quantity| active && quantity > 0)
    }

    /// Is it sold out at the moment? Null when stock is not known.
    fn currently_not_in_stock(&self) -> Option<bool> {
        self.quantity().map(|quantity| quantity == 0)
    }

    /// How many can be had now. Null when stock is not known.
    fn quantity_available(&self) -> Option<i64> {
        self.quantity()
    }

    /// Grams.
    fn weight_grams(&self) -> i64 {
        self.wire.weight_grams
    }

    /// EAN, UPC or ISBN; may be empty.
    fn barcode(&self) -> &str {
        &self.wire.barcode
    }

    /// What tax rules call it.
    fn tax_class(&self) -> &str {
        &self.wire.tax_class
    }

    /// Does it have to be sent?
    fn requires_shipping(&self) -> bool {
        self.wire.requires_shipping
    }

    /// The address of its picture, or of its product's first; null when there is none.
    fn image_url(&self) -> Option<&str> {
        match &self.parent {
            Parent::There { summary, .. } => Some(summary.image_url.as_str()),
            Parent::Here(product) => {
                let own = product.wire.media.iter().find(|media| media.id == self.wire.media_id);
                own.or(product.wire.media.first()).map(|media| media.url.as_str())
            }
        }
        .filter(|url| !url.is_empty())
    }

    /// The product. Null when the catalogue does not answer at the moment.
    fn product(&self) -> Option<&Product> {
        self.product_here()
    }
}

impl Variant<'_> {
    fn quantity(&self) -> Option<i64> {
        let stock = self.stock.as_ref().as_ref()?;
        Some(stock.get(&self.wire.sku).copied().unwrap_or(0))
    }

    fn product_here(&self) -> Option<&Product> {
        match &self.parent {
            Parent::Here(product) => Some(product),
            Parent::There { product, .. } => product.as_deref(),
        }
    }
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

/// One choice: "Size" is "M".
#[derive(SimpleObject)]
pub(crate) struct SelectedOption {
    /// "Size".
    name: String,
    /// "M".
    value: String,
}

/// One choice: "Size" is "M".
#[derive(InputObject)]
pub(crate) struct SelectedOptionInput {
    /// "Size".
    name: String,
    /// "M".
    value: String,
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
