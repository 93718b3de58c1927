//! Requests about categories and collections as values.

use std::collections::HashSet;

use kit::parse::{Fields, Violation};
use kit::{Id, Page, PageLimits, Timestamp};
use mesh::status::Problem;
use proto::catalogue as pb;
use tonic::Status;

use super::convert::{COLLECTION_FIELDS, CollectionMask};
use super::mask::names;
use super::parse::{ids, invalid, optional_id};
use crate::app::CollectionKey;
use crate::domain::{
    COLLECTION_PRODUCTS_MAX, Category, CategoryId, Collection, CollectionId, DESCRIPTION_BYTES_MAX,
    NAME_LENGTH_MAX, TEXT_LENGTH_MAX, is_handle, slug_of,
};

const CATEGORY_PAGE: PageLimits = PageLimits { default: 250, max: 1_000 };
const COLLECTION_PAGE: PageLimits = PageLimits { default: 20, max: 250 };

/// Changes of a category: the fields of the mask.
pub(super) struct CategoryPatch {
    name: Option<String>,
    slug: Option<String>,
    parent: Option<Option<CategoryId>>,
    position: Option<i32>,
}

/// Changes of a collection: the fields of the mask.
pub(super) struct CollectionPatch {
    handle: Option<String>,
    title: Option<String>,
    description: Option<String>,
    products: Option<Vec<crate::domain::ProductId>>,
}

pub(super) fn category_page(mut message: pb::ListCategoriesRequest) -> Result<Page, Status> {
    let (size, token) = (message.page_size, std::mem::take(&mut message.page_token));
    message.page_size = 0;
    Ok(Page::parse(size, &token, &message, CATEGORY_PAGE).map_err(Problem::from)?)
}

pub(super) fn collection_page(
    mut message: pb::ListCollectionsRequest,
) -> Result<(Page, CollectionMask), Status> {
    let (size, token) = (message.page_size, std::mem::take(&mut message.page_token));
    message.page_size = 0;
    let page = Page::parse(size, &token, &message, COLLECTION_PAGE).map_err(Problem::from)?;
    let mut fields = Fields::new();
    let mask = read_mask(&mut fields, message.read_mask.as_ref());
    fields.build(|| Some((page, mask?))).map_err(invalid)
}

pub(super) fn read_mask(
    fields: &mut Fields,
    mask: Option<&prost_types::FieldMask>,
) -> Option<CollectionMask> {
    names(fields, "read_mask", mask, COLLECTION_FIELDS)
}

/// A new category, not yet in its place.
pub(super) fn create_category(category: Option<pb::Category>) -> Result<Category, Vec<Violation>> {
    let mut fields = Fields::new();
    let all = [true; 4];
    let patch = category_patch(&mut fields, category, all);
    fields.build(|| {
        let patch = patch?;
        Some(Category {
            id: Id::new(),
            parent: patch.parent.flatten(),
            slug: patch.slug?,
            name: patch.name?,
            position: patch.position?,
            path: String::new(),
        })
    })
}

pub(super) fn update_category(
    message: pb::UpdateCategoryRequest,
) -> Result<(CategoryId, CategoryPatch), Vec<Violation>> {
    let mut fields = Fields::new();
    let known = ["name", "slug", "parent_id", "position"];
    require_mask(&mut fields, message.update_mask.as_ref());
    let mask = names(&mut fields, "update_mask", message.update_mask.as_ref(), known);
    let id = message.category.as_ref().map(|category| category.id.clone());
    let id = fields.id("category.id", &id.unwrap_or_default());
    let patch = mask.and_then(|mask| category_patch(&mut fields, message.category, mask));
    fields.build(|| Some((id?, patch?)))
}

fn category_patch(
    fields: &mut Fields,
    category: Option<pb::Category>,
    [name, slug, parent, position]: [bool; 4],
) -> Option<CategoryPatch> {
    let category = fields.present("category", category)?;
    fields.within("category", |fields| {
        let named = name.then(|| fields.text("name", &category.name, 1..=NAME_LENGTH_MAX));
        if category.name.contains('>') {
            fields.refuse("name", "must not contain >, which joins names to a path");
        }
        // A new category may leave its slug to its name.
        let stated = match category.slug.trim() {
            "" => slug_of(&category.name),
            slug => slug.to_owned(),
        };
        if slug && (!is_handle(&stated) || stated.chars().count() > NAME_LENGTH_MAX) {
            let message = "must be lower-case letters, digits, dashes and underscores, at most 80";
            fields.refuse("slug", message);
        }
        let parent = match parent {
            true => Some(optional_id(fields, "parent_id", &category.parent_id)?),
            false => None,
        };
        if position {
            fields.integer("position", category.position, 0..=i64::from(i32::MAX));
        }
        Some(CategoryPatch {
            name: match named {
                None => None,
                Some(name) => Some(name?),
            },
            slug: slug.then_some(stated),
            parent,
            position: position.then_some(category.position),
        })
    })
}

impl CategoryPatch {
    pub(super) fn onto(&self, mut category: Category) -> Category {
        if let Some(name) = &self.name {
            category.name.clone_from(name);
        }
        if let Some(slug) = &self.slug {
            category.slug.clone_from(slug);
        }
        category.parent = self.parent.unwrap_or(category.parent);
        category.position = self.position.unwrap_or(category.position);
        category
    }
}

pub(super) fn get_collection(
    message: pb::GetCollectionRequest,
) -> Result<(CollectionKey, CollectionMask), Vec<Violation>> {
    use pb::get_collection_request::Key;
    let mut fields = Fields::new();
    let mask = read_mask(&mut fields, message.read_mask.as_ref());
    let key = match message.key {
        Some(Key::CollectionId(id)) => fields.id("collection_id", &id).map(CollectionKey::Id),
        Some(Key::Handle(handle)) => {
            fields.text("handle", &handle, 1..=TEXT_LENGTH_MAX).map(CollectionKey::Handle)
        }
        None => fields.present("key", None),
    };
    fields.build(|| Some((key?, mask?)))
}

pub(super) fn batch_get_collections(
    message: pb::BatchGetCollectionsRequest,
) -> Result<(Vec<CollectionId>, CollectionMask), Vec<Violation>> {
    let mut fields = Fields::new();
    let mask = read_mask(&mut fields, message.read_mask.as_ref());
    let ids = ids(&mut fields, "collection_ids", &message.collection_ids);
    fields.build(|| Some((ids?, mask?)))
}

/// A new collection; when, the catalogue says.
pub(super) fn create_collection(collection: Option<pb::Collection>) -> Result<Collection, Vec<Violation>> {
    let mut fields = Fields::new();
    let patch = collection_patch(&mut fields, collection, [true; 4]);
    fields.build(|| {
        let blank = Collection {
            id: Id::new(),
            handle: String::new(),
            title: String::new(),
            description: String::new(),
            products: Vec::new(),
            updated: Timestamp::UNIX_EPOCH,
            version: 1,
        };
        Some(patch?.onto(blank))
    })
}

pub(super) fn update_collection(
    message: pb::UpdateCollectionRequest,
) -> Result<(CollectionId, CollectionPatch), Vec<Violation>> {
    let mut fields = Fields::new();
    let known = ["handle", "title", "description", "product_ids"];
    require_mask(&mut fields, message.update_mask.as_ref());
    let mask = names(&mut fields, "update_mask", message.update_mask.as_ref(), known);
    let id = message.collection.as_ref().map(|collection| collection.id.clone());
    let id = fields.id("collection.id", &id.unwrap_or_default());
    require_etag(&mut fields, &message.etag);
    let patch = mask.and_then(|mask| collection_patch(&mut fields, message.collection, mask));
    fields.build(|| Some((id?, patch?)))
}

/// Two writers meet on it, so which state was read must be said.
pub(super) fn require_etag(fields: &mut Fields, etag: &str) {
    if etag.is_empty() {
        fields.refuse("etag", "is required");
    }
}

fn require_mask(fields: &mut Fields, mask: Option<&prost_types::FieldMask>) {
    if mask.is_none_or(|mask| mask.paths.is_empty()) {
        fields.refuse("update_mask", "must name at least one field");
    }
}

fn collection_patch(
    fields: &mut Fields,
    collection: Option<pb::Collection>,
    [handle, title, description, products]: [bool; 4],
) -> Option<CollectionPatch> {
    let collection = fields.present("collection", collection)?;
    fields.within("collection", |fields| {
        let stated = collection.handle.trim().to_owned();
        if handle && !is_handle(&stated) {
            let message = "must be 1 to 255 lower-case letters, digits, dashes and underscores";
            fields.refuse("handle", message);
        }
        let titled = title.then(|| fields.text("title", &collection.title, 1..=TEXT_LENGTH_MAX));
        let text = collection.description;
        if description && (text.len() > DESCRIPTION_BYTES_MAX || text.contains('\0')) {
            fields.refuse("description", "must be at most 64 KiB without the character NUL");
        }
        let ids = products.then(|| product_ids(fields, &collection.product_ids));
        Some(CollectionPatch {
            handle: handle.then_some(stated),
            title: match titled {
                None => None,
                Some(title) => Some(title?),
            },
            description: description.then_some(text),
            products: match ids {
                None => None,
                Some(ids) => Some(ids?),
            },
        })
    })
}

fn product_ids(fields: &mut Fields, ids: &[String]) -> Option<Vec<crate::domain::ProductId>> {
    fields.count("product_ids", ids.len(), 0..=COLLECTION_PRODUCTS_MAX)?;
    let mut seen = HashSet::new();
    let mut parsed = Vec::with_capacity(ids.len());
    for (number, id) in ids.iter().enumerate() {
        let field = format!("product_ids[{number}]");
        let id = fields.id(&field, id)?;
        if !seen.insert(id) {
            fields.refuse(&field, "stands in the list already");
        }
        parsed.push(id);
    }
    Some(parsed)
}

impl CollectionPatch {
    pub(super) fn onto(&self, mut collection: Collection) -> Collection {
        if let Some(handle) = &self.handle {
            collection.handle.clone_from(handle);
        }
        if let Some(title) = &self.title {
            collection.title.clone_from(title);
        }
        if let Some(description) = &self.description {
            collection.description.clone_from(description);
        }
        if let Some(products) = &self.products {
            collection.products.clone_from(products);
        }
        collection
    }
}
