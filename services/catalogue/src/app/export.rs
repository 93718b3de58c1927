//! The export: all products as a file, a few of them in memory at a time.

use futures::{Stream, stream};
use kit::Currency;

use super::Catalogue;
use crate::domain::{CategoryTree, ProductId};
use crate::error::Error;
use crate::sheet::{Generation, Writer};

/// Products that are read at once.
const WALK_PRODUCTS: u32 = 50;

/// What an export writes.
#[derive(Clone, Copy, Debug)]
pub struct Export {
    /// Which names the header carries.
    pub generation: Generation,
    /// The currency of the prices.
    pub currency: Currency,
}

struct Walk {
    catalogue: Catalogue,
    tree: CategoryTree,
    writer: Writer,
    after: Option<ProductId>,
    done: bool,
}

impl Catalogue {
    /// The file in pieces, products in the order in which they were added.
    pub async fn export_products(
        &self,
        export: Export,
    ) -> Result<impl Stream<Item = Result<Vec<u8>, Error>> + use<>, Error> {
        let walk = Walk {
            catalogue: self.clone(),
            tree: CategoryTree::new(self.store.all_categories().await?),
            writer: Writer::new(export.generation, export.currency)?,
            after: None,
            done: false,
        };
        Ok(stream::try_unfold(walk, Walk::step))
    }
}

impl Walk {
    async fn step(mut self) -> Result<Option<(Vec<u8>, Walk)>, Error> {
        if self.done {
            return Ok(None);
        }
        let store = &self.catalogue.store;
        let products = store.walk(self.after, WALK_PRODUCTS).await?;
        self.done = products.is_empty();
        for product in &products {
            let category = product.content.category;
            let names = category.map(|id| self.tree.names(id)).unwrap_or_default();
            self.writer.product(product, &names)?;
            self.after = Some(product.id);
        }
        let piece = self.writer.take();
        Ok(Some((piece, self)))
    }
}
