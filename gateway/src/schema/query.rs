//! What can be read.

mod products;
mod search;
mod shop;
mod staff;

use async_graphql::MergedObject;

use search::SearchQuery;
use shop::ShopQuery;
use staff::StaffQuery;

use crate::schema::node::NodeQuery;
use crate::schema::shipping::ShippingQuery;
use crate::schema::tax::TaxQuery;

/// What can be read. A field whose service does not answer is null, with one error; the rest of the page stays.
#[derive(MergedObject, Default)]
pub(crate) struct Query(ShopQuery, SearchQuery, NodeQuery, StaffQuery, TaxQuery, ShippingQuery);
