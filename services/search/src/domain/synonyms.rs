//! Words that shoppers use for the same thing.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::words::stem;

/// A group a line. Only words that are the same to nearly everybody: each line finds more and sorts less well.
const GROUPS: &str = include_str!("synonyms.txt");

static BY_STEM: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let mut synonyms: HashMap<String, Vec<String>> = HashMap::new();
    for line in GROUPS.lines() {
        let stems: Vec<String> = line.split_whitespace().map(stem).collect();
        for word in &stems {
            let others = stems.iter().filter(|other| *other != word).cloned();
            synonyms.entry(word.clone()).or_default().extend(others);
        }
    }
    synonyms
});

/// The stems that mean the same as this one.
pub fn synonyms(stem: &str) -> &'static [String] {
    BY_STEM.get(stem).map_or(&[], Vec::as_slice)
}
