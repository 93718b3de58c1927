//! The tree of categories.

use std::collections::HashMap;

use kit::Id;

use super::Refusal;

/// How many levels the tree holds.
pub const CATEGORY_DEPTH_MAX: usize = 8;
/// Characters of a name or a slug.
// Eight of them in UTF-8 still fit a key of PostgreSQL's indexes.
pub const NAME_LENGTH_MAX: usize = 80;
/// More siblings with the same letters than this are not told apart by a number.
const SLUG_TRIES_MAX: usize = 1_000;

/// Names a category.
pub type CategoryId = Id<Category>;

/// A place in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// For ever the same.
    pub id: CategoryId,
    /// What it lies in; nothing at the root.
    pub parent: Option<CategoryId>,
    /// Its part of the path, unique among its siblings.
    pub slug: String,
    /// What it is called.
    pub name: String,
    /// Where it stands among its siblings.
    pub position: i32,
    /// Slugs from the root, joined by "/".
    pub path: String,
}

/// The whole tree, for those who walk it.
#[derive(Clone, Debug, Default)]
pub struct CategoryTree {
    by_id: HashMap<CategoryId, Category>,
    by_name: HashMap<(Option<CategoryId>, String), CategoryId>,
    by_slug: HashMap<(Option<CategoryId>, String), CategoryId>,
}

impl Category {
    /// How deep it lies; a root has depth 1.
    pub fn depth(&self) -> usize {
        self.path.split('/').count()
    }

    /// Whether it is the other one or lies below it.
    pub fn is_within(&self, other: &Category) -> bool {
        self.path
            .strip_prefix(other.path.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Puts the category in its place below `parent`; `height` is how many levels hang on it, itself counted.
    pub fn placed(mut self, parent: Option<&Category>, height: usize) -> Result<Category, Refusal> {
        let depth = parent.map_or(0, Category::depth);
        if depth + height > CATEGORY_DEPTH_MAX {
            return Err(Refusal::CategoryTooDeep);
        }
        self.parent = parent.map(|parent| parent.id);
        self.path = match parent {
            Some(parent) => format!("{}/{}", parent.path, self.slug),
            None => self.slug.clone(),
        };
        Ok(self)
    }
}

impl CategoryTree {
    /// The tree of these categories.
    pub fn new(categories: impl IntoIterator<Item = Category>) -> Self {
        let mut tree = Self::default();
        for category in categories {
            tree.add(category);
        }
        tree
    }

    /// One more category.
    pub fn add(&mut self, category: Category) {
        let name = (category.parent, category.name.to_lowercase());
        // Of two siblings of one name, the one with the smaller path counts, in whatever order they come.
        let first = self
            .by_name
            .get(&name)
            .and_then(|id| self.by_id.get(id))
            .is_none_or(|known| category.path < known.path);
        if first {
            self.by_name.insert(name, category.id);
        }
        self.by_slug.insert((category.parent, category.slug.clone()), category.id);
        self.by_id.insert(category.id, category);
    }

    /// The names from the root down to a category.
    pub fn names(&self, id: CategoryId) -> Vec<&str> {
        let mut names = Vec::new();
        let mut next = self.by_id.get(&id);
        while let Some(category) = next.filter(|_| names.len() < CATEGORY_DEPTH_MAX) {
            names.push(category.name.as_str());
            next = category.parent.and_then(|parent| self.by_id.get(&parent));
        }
        names.reverse();
        names
    }

    /// The category that lies at these names, and those that must be added so that it does.
    pub fn plan(&self, names: &[String]) -> Result<(Option<CategoryId>, Vec<Category>), Refusal> {
        if names.len() > CATEGORY_DEPTH_MAX {
            return Err(Refusal::CategoryTooDeep);
        }
        let mut added: Vec<Category> = Vec::new();
        let mut parent: Option<Category> = None;
        for name in names {
            let key = (parent.as_ref().map(|parent| parent.id), name.to_lowercase());
            let known = self.by_name.get(&key).and_then(|id| self.by_id.get(id));
            let category = match known {
                Some(known) => known.clone(),
                None => {
                    let fresh = Category {
                        id: Id::new(),
                        parent: key.0,
                        slug: self.free_slug(key.0, name)?,
                        name: name.clone(),
                        position: 0,
                        path: String::new(),
                    };
                    let fresh = fresh.placed(parent.as_ref(), 1)?;
                    added.push(fresh.clone());
                    fresh
                }
            };
            parent = Some(category);
        }
        Ok((parent.map(|category| category.id), added))
    }

    fn free_slug(&self, parent: Option<CategoryId>, name: &str) -> Result<String, Refusal> {
        let slug = slug_of(name);
        let numbered = (2..SLUG_TRIES_MAX).map(|number| format!("{slug}-{number}"));
        std::iter::once(slug.clone())
            .chain(numbered)
            .find(|slug| !self.by_slug.contains_key(&(parent, slug.clone())))
            .ok_or(Refusal::HandleTaken(slug))
    }
}

/// A name as part of a URL: lower-case letters and digits of any script with single dashes between them.
pub fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for character in name.to_lowercase().chars().take(NAME_LENGTH_MAX) {
        if character.is_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        return "category".to_owned();
    }
    slug.to_owned()
}
