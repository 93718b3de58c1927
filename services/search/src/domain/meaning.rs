//! How well a product answers a query. It depends on the query and the product alone, never on what else is in the
//! shop: an answer stays in order from page to page while other products come and go.

use super::words::{Mark, stem};
use super::{QUERY_WORDS_MAX, Word, mark};

/// A product whose title is the query.
pub const SCORE_MAX: u32 = 1_000_000;

/// In what way a word of a product answers a word of the query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Match {
    Exact,
    /// Another form of the word: "mugs".
    Stem,
    /// Two words of the one are a single word of the other: "teacup", "tea cup".
    Joined,
    /// Begins with the word, which was still being typed; the shorter the rest the better.
    Prefix {
        typed: usize,
        length: usize,
    },
    /// Means the same.
    Synonym,
    /// Misspelt by so many letters.
    Typo(u8),
}

impl Match {
    fn quality(self) -> f32 {
        match self {
            Match::Exact => 1.0,
            Match::Stem => 0.75,
            Match::Joined => 0.9,
            Match::Prefix { typed, length } => 0.65 + 0.1 * typed as f32 / length.max(1) as f32,
            Match::Typo(1) => 0.65,
            Match::Typo(_) => 0.55,
            Match::Synonym => 0.6,
        }
    }
}

/// What words of products may stand for the words of a query.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    slots: usize,
    surfaces: Vec<(Mark, u8, f32)>,
    stems: Vec<(Mark, u8, f32)>,
    /// Two words in a row, by their stems.
    pairs: Vec<(Mark, Mark, u8)>,
    /// Bits of the marks of surfaces and stems, by their last digits: nearly every word of a product is none of them.
    hints: [u64; 4],
    /// How much each word says: what nearly every product has says little.
    weights: Vec<f32>,
    /// Every word occurs somewhere in the product: what is not in title or labels is in the description.
    complete: bool,
}

/// Shares of the score. Tuned on a public set of known items, all of whose queries were seen meanwhile.
const WORDS: f32 = 0.66;
const COVERAGE: f32 = 0.28;
const ORDER: f32 = 0.055;
const START: f32 = 0.005;
/// A word in vendor, type, tags or options instead of the title; and one in the description alone.
const LABEL: f32 = 0.7;
const DESCRIPTION: f32 = 0.3;

impl Meaning {
    pub fn new(weights: Vec<f32>, complete: bool) -> Self {
        let slots = weights.len().min(QUERY_WORDS_MAX);
        Self { slots, weights, complete, ..Self::default() }
    }

    /// A word as it is written stands for the word of the query at `slot`.
    pub fn add_surface(&mut self, word: &str, slot: usize, how: Match) {
        self.surfaces.push((mark(word), slot as u8, how.quality()));
        self.hint(mark(word));
    }

    /// All forms of a word do.
    pub fn add_stem(&mut self, stem: &str, slot: usize, how: Match) {
        self.stems.push((mark(stem), slot as u8, how.quality()));
        self.hint(mark(stem));
    }

    /// Two words in a row do.
    pub fn add_pair(&mut self, left: &str, right: &str, slot: usize) {
        self.pairs.push((mark(left), mark(right), slot as u8));
    }

    /// To be called when all is added.
    pub fn sorted(mut self) -> Self {
        self.surfaces.sort_unstable_by_key(|(mark, _, _)| *mark);
        self.stems.sort_unstable_by_key(|(mark, _, _)| *mark);
        self
    }

    /// Whether a word of a text answers a word of the query.
    pub fn matches(&self, word: &Word) -> bool {
        let stem = mark(&stem(&word.text));
        let paired = self.pairs.iter().any(|(left, right, _)| *left == stem || *right == stem);
        paired
            || find(&self.surfaces, mark(&word.text)).next().is_some()
            || find(&self.stems, stem).next().is_some()
    }

    /// How a title spells what stands for one word of the query.
    pub fn spelling(&self, slot: usize, title: &[Word]) -> Option<String> {
        let of_slot = |(_, of, _): &&(Mark, u8, f32)| usize::from(*of) == slot;
        let quality = |word: &Word| {
            let surface = find(&self.surfaces, mark(&word.text)).filter(of_slot);
            let stems = find(&self.stems, mark(&stem(&word.text))).filter(of_slot);
            surface.chain(stems).map(|(_, _, quality)| *quality).reduce(f32::max)
        };
        for (left, right) in title.iter().zip(title.iter().skip(1)) {
            let (from, to) = (mark(&stem(&left.text)), mark(&stem(&right.text)));
            if self.pairs.contains(&(from, to, slot as u8)) {
                return Some(format!("{} {}", left.text, right.text));
            }
        }
        let spelt = title.iter().filter_map(|word| Some((quality(word)?, word)));
        spelt.max_by(|left, right| left.0.total_cmp(&right.0)).map(|(_, word)| word.text.clone())
    }

    /// 0 to [`SCORE_MAX`], from the packed words of title and labels.
    pub fn score(&self, title: impl Iterator<Item = u64>, labels: impl Iterator<Item = u64>) -> u32 {
        let mut best = [(0.0_f32, 0_u16); QUERY_WORDS_MAX];
        let mut length = 0_u16;
        let mut matched = 0_u16;
        let mut first = false;
        let mut previous: Mark = 0;
        let mut previous_matched = false;
        for packed in title {
            let mut here = self.best_of(packed, length, &mut best);
            for (left, right, slot) in &self.pairs {
                if length > 0 && *right == stem_of(packed) && *left == previous {
                    note(&mut best, *slot, Match::Joined.quality(), length);
                    matched += u16::from(!previous_matched);
                    first |= length == 1;
                    here = true;
                }
            }
            matched += u16::from(here);
            first |= here && length == 0;
            previous = stem_of(packed);
            previous_matched = here;
            length += 1;
        }
        let slots = self.slots.max(1);
        let missing = best.iter().take(self.slots).any(|(quality, _)| *quality == 0.0);
        let mut elsewhere = [(0.0_f32, 0_u16); QUERY_WORDS_MAX];
        if missing {
            for packed in labels {
                self.best_of(packed, 0, &mut elsewhere);
            }
        }
        let coverage = f32::from(matched) / f32::from(length.max(1));
        let score = WORDS * self.words(&best, &elsewhere)
            + COVERAGE * coverage
            + ORDER * order(best.get(..slots.min(QUERY_WORDS_MAX)).unwrap_or_default())
            + START * if first { 1.0 } else { 0.0 };
        (score.clamp(0.0, 1.0) * SCORE_MAX as f32) as u32
    }

    fn hint(&mut self, mark: Mark) {
        if let Some(bits) = self.hints.get_mut(hint_at(mark)) {
            *bits |= 1 << (mark % 64);
        }
    }

    fn may_have(&self, mark: Mark) -> bool {
        self.hints.get(hint_at(mark)).is_some_and(|bits| bits & (1 << (mark % 64)) != 0)
    }

    /// Notes what one word of a product stands for; says whether for anything.
    fn best_of(&self, packed: u64, place: u16, best: &mut [(f32, u16); QUERY_WORDS_MAX]) -> bool {
        let surface = (packed >> 32) as Mark;
        if !self.may_have(surface) && !self.may_have(stem_of(packed)) {
            return false;
        }
        let mut any = false;
        let found = find(&self.surfaces, surface).chain(find(&self.stems, stem_of(packed)));
        for (_, slot, quality) in found {
            note(best, *slot, *quality, place);
            any = true;
        }
        any
    }

    fn words(&self, title: &[(f32, u16)], labels: &[(f32, u16)]) -> f32 {
        let mut sum = 0.0;
        let mut whole = 0.0;
        for ((weight, (in_title, _)), (in_labels, _)) in self.weights.iter().zip(title).zip(labels) {
            let otherwise = if self.complete { DESCRIPTION } else { 0.0 };
            sum += weight * in_title.max(in_labels * LABEL).max(otherwise);
            whole += weight;
        }
        if whole > 0.0 { sum / whole } else { 0.0 }
    }
}

fn stem_of(packed: u64) -> Mark {
    (packed & 0xffff_ffff) as Mark
}

fn hint_at(mark: Mark) -> usize {
    (mark / 64 % 4) as usize
}

fn note(best: &mut [(f32, u16); QUERY_WORDS_MAX], slot: u8, quality: f32, place: u16) {
    if let Some(known) = best.get_mut(usize::from(slot))
        && known.0 < quality
    {
        *known = (quality, place);
    }
}

fn find(sorted: &[(Mark, u8, f32)], mark: Mark) -> impl Iterator<Item = &(Mark, u8, f32)> {
    let from = sorted.partition_point(|(known, _, _)| *known < mark);
    sorted.get(from..).unwrap_or_default().iter().take_while(move |(known, _, _)| *known == mark)
}

/// How far the words stand in the order of the query: 1 for a phrase.
fn order(best: &[(f32, u16)]) -> f32 {
    if best.len() < 2 {
        return 1.0;
    }
    let steps = best.iter().zip(best.iter().skip(1));
    let kept: f32 = steps
        .map(|((left, from), (right, to))| match (*left > 0.0 && *right > 0.0, to.checked_sub(*from)) {
            (true, Some(1)) => 1.0,
            (true, Some(_)) => 0.7,
            _ => 0.0,
        })
        .sum();
    kept / (best.len() - 1) as f32
}
