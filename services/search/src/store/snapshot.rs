//! The index as it was at one commit, with its columns opened once and not for every question.

use std::collections::HashMap;
use std::sync::Arc;

use tantivy::columnar::{Column, StrColumn};
use tantivy::index::SegmentId;
use tantivy::{DocAddress, Searcher, SegmentReader};
use uuid::Uuid;

use super::entity::column;
use super::wording::Wording;
use crate::domain::ProductId;

/// What all questions between two commits look at.
pub struct Snapshot {
    pub searcher: Searcher,
    /// By the number of the segment.
    pub columns: Vec<Arc<Columns>>,
    by_segment: HashMap<SegmentId, Arc<Columns>>,
}

/// The columns of one segment. A segment never changes; what is deleted in it is known elsewhere.
pub struct Columns {
    pub category: Option<StrColumn>,
    pub vendor: Option<StrColumn>,
    pub product_type: Option<StrColumn>,
    pub tag: Option<StrColumn>,
    pub option: Option<StrColumn>,
    pub title_order: Option<StrColumn>,
    pub available: Column<bool>,
    pub rating: Column<u64>,
    pub published: Column<i64>,
    pub id_high: Column<u64>,
    pub id_low: Column<u64>,
    pub words: Wording,
}

impl Snapshot {
    /// Takes over what is open already from the snapshot before.
    pub fn open(searcher: Searcher, before: Option<&Self>) -> tantivy::Result<Self> {
        let mut by_segment = HashMap::new();
        let mut columns = Vec::new();
        for segment in searcher.segment_readers() {
            let known = before.and_then(|before| before.by_segment.get(&segment.segment_id()));
            let opened = match known {
                Some(known) => known.clone(),
                None => Arc::new(Columns::open(segment)?),
            };
            by_segment.insert(segment.segment_id(), opened.clone());
            columns.push(opened);
        }
        Ok(Self { searcher, columns, by_segment })
    }

    /// Whose product a document is.
    pub fn product(&self, address: DocAddress) -> Option<ProductId> {
        Some(self.columns.get(address.segment_ord as usize)?.id(address.doc_id))
    }
}

impl Columns {
    /// Whose product a document is.
    pub fn id(&self, document: u32) -> ProductId {
        let half = |column: &Column<u64>| column.first(document).unwrap_or_default();
        ProductId::from_uuid(Uuid::from_u64_pair(half(&self.id_high), half(&self.id_low)))
    }

    fn open(segment: &SegmentReader) -> tantivy::Result<Self> {
        let fast = segment.fast_fields();
        Ok(Self {
            category: fast.str(column::CATEGORY)?,
            vendor: fast.str(column::VENDOR)?,
            product_type: fast.str(column::PRODUCT_TYPE)?,
            tag: fast.str(column::TAG)?,
            option: fast.str(column::OPTION)?,
            title_order: fast.str(column::TITLE_ORDER)?,
            available: fast.bool(column::AVAILABLE)?,
            rating: fast.u64(column::RATING)?,
            published: fast.i64(column::PUBLISHED)?,
            id_high: fast.u64(column::ID_HIGH)?,
            id_low: fast.u64(column::ID_LOW)?,
            words: Wording::open(
                fast.str(column::TITLE_WORDS)?.as_ref(),
                fast.str(column::LABEL_WORDS)?.as_ref(),
                segment.max_doc(),
            )?,
        })
    }
}
