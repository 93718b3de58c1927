//! Documents that were parsed and measured before.
//!
//! Storefronts send the same few documents for ever. Only what passed the guard is kept, keyed by the SHA-256 of its text,
//! and no more than so many: unlike persisted queries nothing can be stored here that would not be executed anyway.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use sha2::{Digest, Sha256};

use crate::error::{Fault, Problem};
use crate::guard::{self, Operation};
use crate::limits::{DOCUMENT_BYTES_MAX, DOCUMENTS_KEPT_MAX};

/// A document that may execute.
pub(crate) struct Checked {
    pub(crate) document: ExecutableDocument,
    pub(crate) operation: Operation,
}

/// The SHA-256 of a document's text, written in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DocumentHash([u8; 32]);

impl DocumentHash {
    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut hash = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = pair else { return None };
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(hash))
    }

    fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }
}

/// The documents that are known, and in production those that are accepted at all.
pub(crate) struct Documents {
    accepted: Option<HashSet<DocumentHash>>,
    known: Mutex<HashMap<DocumentHash, Arc<Checked>>>,
}

impl Documents {
    /// With a list of hashes only documents on it are accepted.
    pub(crate) fn new(accepted: Option<&[DocumentHash]>) -> Self {
        let accepted = accepted.map(|hashes| hashes.iter().copied().collect());
        Self { accepted, known: Mutex::default() }
    }

    /// Parses and measures a document, or finds it among those that were.
    pub(crate) fn check(&self, text: &str) -> Result<Arc<Checked>, Fault> {
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(Fault::of(Problem::QueryTooLarge, "The document is too long."));
        }
        let hash = DocumentHash::of(text);
        if self.accepted.as_ref().is_some_and(|accepted| !accepted.contains(&hash)) {
            return Err(Fault::of(Problem::DocumentUnknown, "This shop executes registered documents only."));
        }
        if let Some(checked) = self.lock().get(&hash) {
            return Ok(checked.clone());
        }
        let document = parse_query(text).map_err(|error| malformed(&error.to_string()))?;
        let operation = guard::check(&document)?;
        let checked = Arc::new(Checked { document, operation });
        self.keep(hash, checked.clone());
        Ok(checked)
    }

    fn keep(&self, hash: DocumentHash, checked: Arc<Checked>) {
        let mut known = self.lock();
        if known.len() >= DOCUMENTS_KEPT_MAX {
            // A flood of documents that are sent once must not cost more than parsing them: forgetting all is cheap,
            // and those that matter are back with their next request.
            known.clear();
        }
        known.insert(hash, checked);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<DocumentHash, Arc<Checked>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the parser says names places and tokens of the client's own text, never anything of the schema.
fn malformed(error: &str) -> Fault {
    let words: String = error.chars().take(MESSAGE_LENGTH_MAX).collect();
    Fault::of(Problem::BadRequest, format!("The document does not parse: {words}"))
}

const MESSAGE_LENGTH_MAX: usize = 400;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    const TEXT: &str = "{ products { nodes { id } } }";

    #[test]
    fn a_known_document_is_not_parsed_again() {
        let documents = Documents::new(None);

        let first = documents.check(TEXT).unwrap();
        let second = documents.check(TEXT).unwrap();

        assert!(Arc::ptr_eq(&first, &second));
    }

    #[test]
    fn a_flood_of_documents_stays_within_its_limit() {
        let documents = Documents::new(None);

        for number in 0..DOCUMENTS_KEPT_MAX + 10 {
            documents.check(&format!("{{ f{number} }}")).unwrap();
        }

        assert!(documents.lock().len() <= DOCUMENTS_KEPT_MAX);
    }

    #[test]
    fn with_a_list_nothing_else_is_accepted() {
        let hash = Sha256::digest(TEXT.as_bytes());
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let documents = Documents::new(Some(&[DocumentHash::from_hex(&hex).unwrap()]));

        assert!(documents.check(TEXT).is_ok());
        let Err(refused) = documents.check("{ other }") else {
            panic!("an unregistered document was accepted");
        };
        assert_eq!(refused.problem, Problem::DocumentUnknown);
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for text in ["", "ab", &"g".repeat(64), &"a".repeat(65), &"é".repeat(32)] {
            assert!(DocumentHash::from_hex(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let documents = Documents::new(None);

        for text in ["", "{", "type A { a: Int }", "\u{feff}\u{0}", &"{a}".repeat(6_000)] {
            assert!(documents.check(text).is_err());
        }
    }
}
