//! The tree of categories, as catalogue last told it: which lie below which, and what they are called.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::CategoryId;

/// A category whose ancestors are more than these is taken for a root: the catalogue has eight levels.
const DEPTH_MAX: usize = 8;

/// The tree at one time. Clones of the handle share it.
#[derive(Clone, Default)]
pub struct Categories {
    tree: Arc<RwLock<Arc<Tree>>>,
}

/// Names and parents.
#[derive(Default)]
pub struct Tree {
    nodes: HashMap<CategoryId, (String, Option<CategoryId>)>,
}

impl Categories {
    pub fn tree(&self) -> Arc<Tree> {
        self.tree.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn replace(&self, nodes: HashMap<CategoryId, (String, Option<CategoryId>)>) {
        *self.tree.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Tree { nodes });
    }
}

impl Tree {
    /// The category and all that lie in it.
    pub fn below(&self, id: CategoryId) -> Vec<CategoryId> {
        let within = self.nodes.keys().copied().filter(|node| *node != id && self.path(*node).contains(&id));
        std::iter::once(id).chain(within).collect()
    }

    /// Names and counts of all categories, each with what lies below it. Unknown ones are left out.
    pub fn roll_up(&self, counts: &BTreeMap<CategoryId, i64>) -> Vec<(CategoryId, String, i64)> {
        let mut sums: BTreeMap<CategoryId, i64> = BTreeMap::new();
        for (id, count) in counts {
            for ancestor in self.path(*id) {
                *sums.entry(ancestor).or_default() += count;
            }
        }
        let named = |(id, count)| Some((id, self.nodes.get(&id)?.0.clone(), count));
        sums.into_iter().filter_map(named).collect()
    }

    /// The category itself, its parent, and so on.
    fn path(&self, id: CategoryId) -> Vec<CategoryId> {
        let parent = |id: &CategoryId| self.nodes.get(id).and_then(|(_, parent)| *parent);
        std::iter::successors(Some(id), parent).take(DEPTH_MAX).collect()
    }
}
