//! The list of products. What shoppers say in words is for search; everything else catalogue lists.

use async_graphql::{Context, ID, InputObject};
use proto::search::filter::Condition;
use proto::{catalogue as pb, search as search_pb};

use crate::context::{self, viewer};
use crate::error::{Fault, listed};
use crate::ids::{self, Kind};
use crate::schema::choice::{ProductSortKey, ProductStatus, wire_name};
use crate::schema::connection::{Connection, Window};
use crate::schema::look::Look;
use crate::schema::money::{MoneyInput, given};
use crate::schema::product::Product;
use crate::schema::search;
use crate::schema::wants::{self, Wants};

/// Whoever has it sees products that are not for sale, which search does not know.
const STAFF: &str = "catalogue.read";

/// What products to list. All that is set must hold.
#[derive(InputObject, Default)]
pub(crate) struct ProductFilter {
    /// Words, understood as `search` understands them: misspelt, joined or in another form. For staff, and beside
    /// `collectionId`, `handles`, `status` or several `tags`, words that must all occur as they are in title, vendor, type or tags.
    query: Option<String>,
    /// The category and all below it.
    category_id: Option<ID>,
    /// The collection.
    collection_id: Option<ID>,
    /// Any of these vendors.
    vendors: Option<Vec<String>>,
    /// Any of these types.
    product_types: Option<Vec<String>>,
    /// All of these tags.
    tags: Option<Vec<String>>,
    /// At least this price, by the lowest price of a variant.
    price_min: Option<MoneyInput>,
    /// At most this price, in the same currency.
    price_max: Option<MoneyInput>,
    /// Any of these handles.
    handles: Option<Vec<String>>,
    /// For staff: products of one status.
    status: Option<ProductStatus>,
}

impl ProductFilter {
    /// Can search tell what is asked for, and are there words for it?
    fn is_for_search(&self) -> bool {
        let some = |values: &Option<Vec<String>>| values.as_ref().map_or(0, Vec::len);
        let words = self.query.as_ref().is_some_and(|words| !words.trim().is_empty());
        let only_in_catalogue = self.collection_id.is_some()
            || self.status.is_some()
            || some(&self.handles) > 0
            || some(&self.tags) > 1;
        words && !only_in_catalogue
    }

    fn price(&self) -> Result<Option<search_pb::PriceRange>, Fault> {
        let (min, max) = (given(self.price_min.as_ref())?, given(self.price_max.as_ref())?);
        Ok((min.is_some() || max.is_some()).then_some(search_pb::PriceRange { min, max }))
    }

    /// The conditions beside the words.
    fn to_search(&self, price: Option<search_pb::PriceRange>) -> Result<Vec<search_pb::Filter>, Fault> {
        let category = self.category_id.as_ref().map(|id| ids::decode(Kind::Category, id)).transpose()?;
        let texts = |values: &Option<Vec<String>>, condition: fn(String) -> Condition| {
            values.iter().flatten().cloned().map(condition).collect::<Vec<_>>()
        };
        let conditions = category
            .map(Condition::CategoryId)
            .into_iter()
            .chain(price.map(Condition::Price))
            .chain(texts(&self.vendors, Condition::Vendor))
            .chain(texts(&self.product_types, Condition::ProductType))
            .chain(texts(&self.tags, Condition::Tag));
        Ok(conditions.map(|condition| search_pb::Filter { condition: Some(condition) }).collect())
    }

    fn to_wire(&self) -> Result<pb::ProductFilter, Fault> {
        let id = |kind, id: Option<&ID>| id.map_or(Ok(String::new()), |id| ids::decode(kind, id));
        let status = self.status.map(|status| wire_name("PRODUCT_STATUS_", status));
        let status = status.and_then(|name| pb::ProductStatus::from_str_name(&name));
        Ok(pb::ProductFilter {
            query: self.query.clone().unwrap_or_default(),
            category_id: id(Kind::Category, self.category_id.as_ref())?,
            collection_id: id(Kind::Collection, self.collection_id.as_ref())?,
            vendors: self.vendors.clone().unwrap_or_default(),
            product_types: self.product_types.clone().unwrap_or_default(),
            tags: self.tags.clone().unwrap_or_default(),
            price_min: given(self.price_min.as_ref())?,
            price_max: given(self.price_max.as_ref())?,
            handles: self.handles.clone().unwrap_or_default(),
            status: status.unwrap_or(pb::ProductStatus::Unspecified).into(),
        })
    }
}

/// One page of the list.
pub(super) async fn list(
    ctx: &Context<'_>,
    first: i32,
    after: Option<String>,
    filters: ProductFilter,
    order: (Option<ProductSortKey>, bool),
) -> Result<Connection<Product>, Fault> {
    let window = Window::of(Some(first), after.as_deref())?;
    let staff = viewer(ctx).user.as_ref().is_some_and(|user| user.may(STAFF));
    if filters.is_for_search() && !staff && order.0 != Some(ProductSortKey::Collection) {
        return found(ctx, window, filters, order).await;
    }
    let look = Look::here(ctx);
    let wants = Wants::of(&look.items());
    let (sort, descending) = order;
    let sort = sort.map(|sort| wire_name("PRODUCT_SORT_", sort));
    let sort = sort.and_then(|name| pb::ProductSort::from_str_name(&name));
    let request = pb::ListProductsRequest {
        page_size: window.page_size(),
        page_token: window.page_token(),
        filter: Some(filters.to_wire()?),
        sort: sort.unwrap_or(pb::ProductSort::Unspecified).into(),
        descending,
        read_mask: Some(wants.read_mask()),
        with_total_size: look.has("totalCount"),
    };
    let page = listed("catalogue", context::catalogue(ctx).list_products(request).await)?;
    let products = wants::products(ctx, page.products, &wants, true).await;
    Ok(window.connect(products, page.next_page_token).counted(page.total_size))
}

/// One page of what search finds.
async fn found(
    ctx: &Context<'_>,
    window: Window,
    filters: ProductFilter,
    (sort, reverse): (Option<ProductSortKey>, bool),
) -> Result<Connection<Product>, Fault> {
    let (sort, reverse) = match sort {
        None | Some(ProductSortKey::Collection) => (search_pb::SearchSort::Relevance, reverse),
        Some(ProductSortKey::Title) => (search_pb::SearchSort::Title, reverse),
        Some(ProductSortKey::Price) => (search_pb::SearchSort::Price, reverse),
        // Catalogue begins with the oldest, search with the newest.
        Some(ProductSortKey::Created) => (search_pb::SearchSort::Newest, !reverse),
    };
    let price = filters.price()?;
    let currency = price.as_ref().and_then(|range| range.min.as_ref().or(range.max.as_ref()));
    let currency = currency.map_or(&context::locale(ctx).currency, |money| &money.currency_code).clone();
    let request = search_pb::SearchProductsRequest {
        filters: filters.to_search(price)?,
        sort: sort.into(),
        reverse,
        currency_code: currency,
        page_size: window.page_size(),
        page_token: window.page_token(),
        query: filters.query.unwrap_or_default(),
        facets: Vec::new(),
        with_highlights: false,
    };
    let answer = listed("search", context::search(ctx).search_products(request).await)?;
    let hits = search::hits(ctx, &Look::here(ctx).items(), answer.hits).await?;
    let page = window.connect(hits, answer.next_page_token).filter_map(|hit| hit.product);
    Ok(page.counted(Some(answer.total_size)))
}
