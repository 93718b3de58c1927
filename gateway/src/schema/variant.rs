//! Variants of products: what is put into a cart.

use std::borrow::Cow;
use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use proto::catalogue as pb;

use crate::context::locale;
use crate::ids::{self, Kind};
use crate::schema::money::{CurrencyCode, Money, optional};
use crate::schema::product::{Availability, Product, currency_of, price_in};

/// The product that a variant belongs to, as far as it is at hand.
enum Parent<'a> {
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

impl<'a> Variant<'a> {
    /// A variant of a product's own list.
    pub(crate) fn of(product: &'a Product, wire: &'a pb::Variant) -> Self {
        Self {
            wire: Cow::Borrowed(wire),
            parent: Parent::Here(product),
            stock: Cow::Borrowed(&product.stock),
        }
    }
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

/// One choice: "Size" is "M".
#[derive(SimpleObject)]
pub(crate) struct SelectedOption {
    /// "Size".
    pub(crate) name: String,
    /// "M".
    pub(crate) value: String,
}

/// One choice: "Size" is "M".
#[derive(InputObject)]
pub(crate) struct SelectedOptionInput {
    /// "Size".
    pub(crate) name: String,
    /// "M".
    pub(crate) value: String,
}
