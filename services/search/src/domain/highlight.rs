//! Which words of a text answer a query, for showing.

use super::meaning::Meaning;
use super::words::words;

/// A text is looked at this far.
const WORDS_MAX: usize = 400;
/// Bytes of a description that are shown around the first match.
const EXCERPT_LENGTH: usize = 160;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub text: String,
    pub matched: bool,
}

/// How much of a text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excerpt {
    Whole,
    /// From a little before the first match on.
    Around,
}

/// The text cut into spans; nothing if no word matched.
pub fn highlight(meaning: &Meaning, text: &str, excerpt: Excerpt) -> Option<Vec<Span>> {
    let matched: Vec<(usize, usize)> = words(text, WORDS_MAX)
        .iter()
        .filter(|word| meaning.matches(word))
        .map(|word| (word.start, word.end))
        .collect();
    let (first, _) = matched.first()?;
    let (from, to) = match excerpt {
        Excerpt::Whole => (0, text.len()),
        Excerpt::Around => window(text, *first),
    };
    let mut spans = Vec::new();
    let mut at = from;
    for (start, end) in matched.into_iter().filter(|(start, end)| *start >= from && *end <= to) {
        push(&mut spans, text, at, start, false);
        push(&mut spans, text, start, end, true);
        at = end;
    }
    push(&mut spans, text, at, to, false);
    Some(spans)
}

fn push(spans: &mut Vec<Span>, text: &str, from: usize, to: usize, matched: bool) {
    if let Some(part) = text.get(from..to).filter(|part| !part.is_empty()) {
        spans.push(Span { text: part.to_owned(), matched });
    }
}

/// Cuts at spaces, so that no word is torn.
fn window(text: &str, first: usize) -> (usize, usize) {
    let before = text.get(..first).unwrap_or_default();
    let from = before.char_indices().rev().take(EXCERPT_LENGTH / 4).last().map_or(first, |(at, _)| at);
    let from = match from {
        0 => 0,
        from => before.get(from..).and_then(|part| part.find(' ')).map_or(first, |space| from + space + 1),
    };
    let rest = text.get(from..).unwrap_or_default();
    let to = rest.char_indices().nth(EXCERPT_LENGTH).map_or(text.len(), |(at, _)| from + at);
    if to == text.len() {
        return (from, to);
    }
    let to = text.get(from..to).and_then(|part| part.rfind(' ')).map_or(to, |space| from + space);
    (from, to.max(first))
}
