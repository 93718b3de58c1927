//! Collections: hand-picked, ordered sets of products.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, InputType, Object};
use proto::catalogue as pb;

use crate::error::{Fault, soften};
use crate::ids::{self, Kind};
use crate::limits::PAGE_SIZE_MAX;
use crate::schema::connection::{Connection, Window};
use crate::schema::look::Look;
use crate::schema::product::{Product, page_cost};
use crate::schema::{time, wants};

/// The most products that one page of collections brings along.
const PRODUCTS_MAX: usize = 1_500;

/// A hand-picked, ordered set of products, with those of them that were asked for.
pub(crate) struct Collection {
    wire: pb::Collection,
    products: Option<Arc<HashMap<String, Product>>>,
}

/// Collections with the products that are asked for below them: one call for all.
pub(crate) async fn collections(
    ctx: &Context<'_>,
    wires: Vec<pb::Collection>,
    look: &Look<'_>,
) -> Vec<Collection> {
    let below = look.below("products");
    let windows: Vec<Window> = below.each().filter_map(|place| window_of(&place)).collect();
    let shown = |wire: &pb::Collection| -> Vec<String> {
        let ids = windows.iter().flat_map(|window| window.of_slice(&wire.product_ids));
        ids.cloned().collect()
    };
    let mut wanted: Vec<String> = wires.iter().flat_map(shown).collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted.truncate(PRODUCTS_MAX);
    let found = wants::products_by_id(ctx, wanted, &below.items()).await;
    let found = soften(ctx, "catalogue", found.map(tonic::Response::new));
    let products = found.map(|products| {
        let keyed = products.into_iter().map(|product| (product.wire.id.clone(), product));
        Arc::new(keyed.collect::<HashMap<_, _>>())
    });
    let complete = |wire| Collection { wire, products: products.clone() };
    wires.into_iter().map(complete).collect()
}

impl Collection {
    pub(crate) fn id_of(&self) -> String {
        self.wire.id.clone()
    }
}

/// The fields of a collection that its selection needs: thousands of ids cross the wire only for those who ask for products.
pub(crate) fn read_mask(look: &Look<'_>) -> prost_types::FieldMask {
    let mut paths = vec!["id", "handle", "title", "description", "update_time", "etag"];
    if look.has("products") {
        paths.push("product_ids");
    }
    prost_types::FieldMask { paths: paths.into_iter().map(str::to_owned).collect() }
}

fn window_of(place: &Look<'_>) -> Option<Window> {
    let argument = |name| place.arguments(name).into_iter().flatten().next();
    let first = argument("first").and_then(|value| i32::parse(Some(value)).ok());
    let after = argument("after").and_then(|value| Option::<String>::parse(Some(value)).ok());
    Window::of(first, after.flatten().as_deref()).ok()
}

/// A hand-picked, ordered set of products.
#[Object]
impl Collection {
    /// Opaque id.
    pub(crate) async fn id(&self) -> ID {
        ids::encode(Kind::Collection, &self.wire.id)
    }

    /// The collection's place in the shop's URLs.
    fn handle(&self) -> &str {
        &self.wire.handle
    }

    /// What it is called.
    fn title(&self) -> &str {
        &self.wire.title
    }

    /// What it is about.
    fn description(&self) -> &str {
        &self.wire.description
    }

    /// Its products in the order that staff gave; those not in the shop are left out. Null when the catalogue does not
    /// answer at the moment.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    fn products(
        &self,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<&Product>>, Fault> {
        let window = Window::of(Some(first.min(PAGE_SIZE_MAX)), after.as_deref())?;
        let Some(products) = &self.products else {
            return Ok(None);
        };
        let page = window.slice(self.wire.product_ids.iter());
        Ok(Some(page.filter_map(|id| products.get(id))))
    }

    /// When it last changed.
    fn updated_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        time(self.wire.update_time.as_ref())
    }

    /// Names this state of the collection; give it back to change exactly this state.
    fn etag(&self) -> &str {
        &self.wire.etag
    }
}
