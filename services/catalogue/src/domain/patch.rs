//! Some fields of a product, as staff wrote them.

use super::category::CategoryId;
use super::content::{Choice, Content, Media, MediaId, Seo, State, Variant};

/// New values for the fields that are set; the others stay.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "they are the fields of Content")]
pub struct Patch {
    pub handle: Option<String>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub vendor: Option<String>,
    pub product_type: Option<String>,
    pub tags: Option<Vec<String>>,
    pub category: Option<Option<CategoryId>>,
    pub state: Option<State>,
    pub seo: Option<Seo>,
    pub options: Option<Vec<Choice>>,
    pub variants: Option<Vec<Variant>>,
    pub media: Option<Vec<Media>>,
}

impl Patch {
    /// The content with these fields.
    pub fn onto(&self, present: &Content) -> Content {
        let mut content = present.clone();
        set(&mut content.handle, &self.handle);
        set(&mut content.title, &self.title);
        set(&mut content.description, &self.description);
        set(&mut content.vendor, &self.vendor);
        set(&mut content.product_type, &self.product_type);
        set(&mut content.tags, &self.tags);
        set(&mut content.category, &self.category);
        set(&mut content.state, &self.state);
        set(&mut content.seo, &self.seo);
        set(&mut content.options, &self.options);
        set(&mut content.media, &self.media);
        match &self.variants {
            Some(variants) => content.variants = variants.clone(),
            None => relink(&mut content, &present.media),
        }
        content
    }
}

fn set<T: Clone>(field: &mut T, value: &Option<T>) {
    if let Some(value) = value {
        field.clone_from(value);
    }
}

/// Variants that were not rewritten keep their picture while it is there, and lose the link when it goes.
fn relink(content: &mut Content, before: &[Media]) {
    let media = &content.media;
    for variant in &mut content.variants {
        variant.media = variant.media.and_then(|id| successor(id, before, media));
    }
}

fn successor(id: MediaId, before: &[Media], after: &[Media]) -> Option<MediaId> {
    let url = before.iter().find(|media| media.id == id).map(|media| &media.url);
    after
        .iter()
        .find(|media| media.id == id)
        .or_else(|| after.iter().find(|media| Some(&media.url) == url))
        .map(|media| media.id)
}

impl Content {
    /// Nothing yet: what a new product is written on.
    pub fn blank() -> Content {
        Content {
            handle: String::new(),
            title: String::new(),
            description: String::new(),
            vendor: String::new(),
            product_type: String::new(),
            tags: Vec::new(),
            category: None,
            state: State::Draft,
            seo: Seo::default(),
            options: Vec::new(),
            variants: Vec::new(),
            media: Vec::new(),
        }
    }
}
