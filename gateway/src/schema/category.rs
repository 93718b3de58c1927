//! The tree of categories.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use proto::catalogue as pb;

use crate::context;
use crate::error::{Fault, listed};
use crate::ids::{self, Kind};

/// The most categories that the catalogue answers at once; there are never more levels than eight.
const CATEGORIES_MAX: i32 = 1_000;

/// One category, and the others as far as they are at hand.
#[derive(Clone)]
pub(crate) struct Category {
    tree: Arc<Vec<pb::Category>>,
    at: usize,
}

impl Category {
    pub(crate) fn find(tree: &Arc<Vec<pb::Category>>, id: &str) -> Option<Self> {
        let at = tree.iter().position(|category| category.id == id)?;
        Some(Self { tree: tree.clone(), at })
    }

    /// A category without the tree around it.
    pub(crate) fn alone(wire: pb::Category) -> Self {
        Self { tree: Arc::new(vec![wire]), at: 0 }
    }

    /// All of a tree, in its order.
    pub(crate) fn all(tree: &Arc<Vec<pb::Category>>) -> Vec<Self> {
        let one = |at| Self { tree: tree.clone(), at };
        (0..tree.len()).map(one).collect()
    }

    /// What it is called.
    pub(crate) fn label(&self) -> Result<&str, Fault> {
        Ok(&self.wire()?.name)
    }

    fn wire(&self) -> Result<&pb::Category, Fault> {
        self.tree.get(self.at).ok_or_else(Fault::internal)
    }
}

/// The whole tree, parents before children.
pub(crate) async fn tree(ctx: &Context<'_>) -> Result<Arc<Vec<pb::Category>>, Fault> {
    let request = pb::ListCategoriesRequest { page_size: CATEGORIES_MAX, page_token: String::new() };
    let page = listed("catalogue", context::catalogue(ctx).list_categories(request).await)?;
    Ok(Arc::new(page.categories))
}

/// A shelf of the shop; shelves stand in shelves.
#[Object]
impl Category {
    /// Opaque id.
    pub(crate) async fn id(&self) -> Result<ID, Fault> {
        Ok(ids::encode(Kind::Category, &self.wire()?.id))
    }

    /// What it is called.
    fn name(&self) -> Result<&str, Fault> {
        self.label()
    }

    /// Its own part of the path.
    fn slug(&self) -> Result<&str, Fault> {
        Ok(&self.wire()?.slug)
    }

    /// Slugs from the root, joined by "/".
    fn path(&self) -> Result<&str, Fault> {
        Ok(&self.wire()?.path)
    }

    /// The category it lies in; null at the root.
    fn parent(&self) -> Result<Option<Category>, Fault> {
        Ok(Category::find(&self.tree, &self.wire()?.parent_id))
    }

    /// The categories that lie in it.
    fn children(&self) -> Result<Vec<Category>, Fault> {
        let id = &self.wire()?.id;
        let children = self.tree.iter().filter(|category| category.parent_id == *id);
        Ok(children.filter_map(|child| Category::find(&self.tree, &child.id)).collect())
    }
}
