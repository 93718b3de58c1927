//! From rows to products. A product is a run of rows with one handle; only one is held at a time.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use kit::Currency;

use super::Note;
use super::columns::{Column, Header};
use super::product::ProductSheet;
use super::tokens::{Row, Unreadable};
use crate::domain::{MEDIA_MAX, VARIANTS_MAX};

/// More rows than variants and pictures together cannot be a product.
const ROWS_MAX: usize = VARIANTS_MAX + MEDIA_MAX;
/// What one product's rows may take while they are collected.
const PRODUCT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What a part of the file came to.
#[derive(Debug)]
pub enum Item {
    /// A product whose cells can all be read.
    Product(Box<ProductSheet>),
    /// A product with an error.
    Refused(Vec<Note>),
    /// A word about a line that belongs to no product.
    Line(Note),
}

/// Puts rows together to products.
pub struct Assembler {
    currency: Currency,
    header: Option<Arc<Header>>,
    run: Option<Run>,
    /// Hashes of the handles that had their run: 8 bytes each, however long the file.
    seen: HashSet<u64>,
    hasher: RandomState,
}

struct Run {
    handle: String,
    rows: Vec<Row>,
    bytes: usize,
    /// The line on which it became too long.
    overrun: Option<u64>,
}

impl Assembler {
    /// At the start of a file whose prices are in this currency.
    pub fn new(currency: Currency) -> Self {
        Self { currency, header: None, run: None, seen: HashSet::new(), hasher: RandomState::new() }
    }

    /// What the row ends, and what is to be said about it.
    pub fn push(&mut self, row: Row) -> Result<Vec<Item>, Unreadable> {
        let Some(header) = self.header.clone() else {
            let header = Header::read(&row)?;
            let warnings = header.unknown.iter().map(|column| {
                Item::Line(Note {
                    line: row.line,
                    column: column.clone(),
                    handle: String::new(),
                    message: "is not a column of the format and was not read".to_owned(),
                })
            });
            let warnings = warnings.collect();
            self.header = Some(Arc::new(header));
            return Ok(warnings);
        };

        let handle = header.cell(&row, Column::Handle).to_lowercase();
        if handle.is_empty() {
            return Ok(without_handle(&header, &row));
        }
        let mut items = Vec::new();
        if self.run.as_ref().is_none_or(|run| run.handle != handle) {
            items.extend(self.end_run());
            if self.seen.contains(&self.hasher.hash_one(&handle)) {
                items.push(Item::Line(Note {
                    line: row.line,
                    column: header.name(Column::Handle).to_owned(),
                    handle,
                    message: "the product's rows ended before; its rows must follow each other".to_owned(),
                }));
                return Ok(items);
            }
            self.run = Some(Run { handle, rows: Vec::new(), bytes: 0, overrun: None });
        }
        if let Some(run) = &mut self.run {
            run.add(row);
        }
        Ok(items)
    }

    /// What the end of the file ends.
    pub fn finish(&mut self) -> Result<Option<Item>, Unreadable> {
        if self.header.is_none() {
            return Err(Unreadable::Header("the file is empty".to_owned()));
        }
        Ok(self.end_run())
    }

    fn end_run(&mut self) -> Option<Item> {
        let run = self.run.take()?;
        let header = self.header.as_ref()?;
        self.seen.insert(self.hasher.hash_one(&run.handle));
        if let Some(line) = run.overrun {
            return Some(Item::Refused(vec![Note {
                line,
                column: String::new(),
                handle: run.handle,
                message: "the product has more rows or more text than fit one product".to_owned(),
            }]));
        }
        match ProductSheet::read(header, &run.handle, &run.rows, self.currency) {
            Ok(sheet) => Some(Item::Product(Box::new(sheet))),
            Err(notes) => Some(Item::Refused(notes)),
        }
    }
}

impl Run {
    fn add(&mut self, row: Row) {
        self.bytes = self.bytes.saturating_add(row.bytes());
        if self.overrun.is_some() {
            return;
        }
        if self.rows.len() >= ROWS_MAX || self.bytes > PRODUCT_BYTES_MAX {
            self.overrun = Some(row.line);
            self.rows = Vec::new();
            return;
        }
        self.rows.push(row);
    }
}

/// Spreadsheets end in empty rows, and the old template in a note.
fn without_handle(header: &Header, row: &Row) -> Vec<Item> {
    if row.cells().all(|cell| cell.trim().is_empty()) {
        return Vec::new();
    }
    vec![Item::Line(Note {
        line: row.line,
        column: header.name(Column::Handle).to_owned(),
        handle: String::new(),
        message: "is required".to_owned(),
    })]
}
