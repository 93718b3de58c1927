//! Field masks: which fields of a product or collection are meant.

use kit::parse::Fields;
use prost_types::FieldMask;

use crate::domain::Parts;

/// A field of a product, as the contract names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Handle,
    Title,
    Description,
    Vendor,
    ProductType,
    Tags,
    CategoryId,
    Status,
    Seo,
    Options,
    Variants,
    Media,
    CreateTime,
    UpdateTime,
    PublishTime,
    Etag,
    Version,
}

/// All fields but the id, which is always there; the first twelve are written by staff.
const FIELDS: [(&str, Field); 17] = [
    ("handle", Field::Handle),
    ("title", Field::Title),
    ("description", Field::Description),
    ("vendor", Field::Vendor),
    ("product_type", Field::ProductType),
    ("tags", Field::Tags),
    ("category_id", Field::CategoryId),
    ("status", Field::Status),
    ("seo", Field::Seo),
    ("options", Field::Options),
    ("variants", Field::Variants),
    ("media", Field::Media),
    ("create_time", Field::CreateTime),
    ("update_time", Field::UpdateTime),
    ("publish_time", Field::PublishTime),
    ("etag", Field::Etag),
    ("version", Field::Version),
];
const WRITTEN: usize = 12;

/// Some fields of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mask(u32);

impl Mask {
    pub(super) const ALL: Mask = Mask(u32::MAX);

    pub(super) fn has(self, field: Field) -> bool {
        self.0 & (1 << field as u32) != 0
    }

    /// The costly parts that the mask asks for.
    pub(super) fn parts(self) -> Parts {
        Parts {
            description: self.has(Field::Description),
            tags: self.has(Field::Tags),
            options: self.has(Field::Options),
            variants: self.has(Field::Variants),
            media: self.has(Field::Media),
        }
    }

    /// What is to be read; an empty mask or "*" is all.
    pub(super) fn to_read(fields: &mut Fields, mask: Option<&FieldMask>) -> Option<Mask> {
        let paths = mask.map_or(&[][..], |mask| &mask.paths);
        if paths.is_empty() || paths == ["*"] {
            return Some(Mask::ALL);
        }
        of(fields, "read_mask", paths, &FIELDS)
    }

    /// What is to be written; it must be said.
    pub(super) fn to_write(fields: &mut Fields, mask: Option<&FieldMask>) -> Option<Mask> {
        let paths = mask.map_or(&[][..], |mask| &mask.paths);
        if paths.is_empty() {
            fields.refuse("update_mask", "must name at least one field");
            return None;
        }
        let written = FIELDS.get(..WRITTEN).unwrap_or_default();
        of(fields, "update_mask", paths, written)
    }
}

fn of(fields: &mut Fields, name: &str, paths: &[String], known: &[(&str, Field)]) -> Option<Mask> {
    let mut mask = Mask(0);
    for path in paths {
        match known.iter().find(|(known, _)| known == path) {
            Some((_, field)) => mask.0 |= 1 << *field as u32,
            None if path == "id" && name == "read_mask" => {}
            None => {
                fields.refuse(name, "names a field that there is not, or not in this mask");
                return None;
            }
        }
    }
    Some(mask)
}

/// A mask of a smaller message: which of these names it has; an empty one is all.
pub(super) fn names<const N: usize>(
    fields: &mut Fields,
    field: &str,
    mask: Option<&FieldMask>,
    known: [&str; N],
) -> Option<[bool; N]> {
    let paths = mask.map_or(&[][..], |mask| &mask.paths);
    if paths.is_empty() || paths == ["*"] {
        return Some([true; N]);
    }
    if paths.iter().any(|path| !known.contains(&path.as_str())) {
        fields.refuse(field, "names a field that there is not, or not in this mask");
        return None;
    }
    Some(known.map(|name| paths.iter().any(|path| path == name)))
}
