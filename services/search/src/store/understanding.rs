//! What the words of a query may stand for, by the dictionary of the index.
//!
//! Every word must occur, in one of its forms. Words that the dictionary does not know are taken for misspelt or joined
//! ones at once; if then nothing is found, all words are (`Tolerant`), and at last some may be missing (`Partial`).

use std::collections::HashMap;

use tantivy::query::{AllQuery, BooleanQuery, FuzzyTermQuery, Occur, Query, TermQuery};
use tantivy::schema::IndexRecordOption;
use tantivy::{Searcher, Term};

use super::entity::Fields;
use crate::domain::{Match, Meaning, Word, stem, synonyms};

/// Completions of the last word that are looked for, most frequent first.
const PREFIX_WORDS_MAX: usize = 32;
/// Spellings of one word that are looked for.
const SPELLINGS_MAX: usize = 24;
/// Entries of a dictionary that one word may make us read.
const ENTRIES_MAX: usize = 4_096;
/// From this length on a word may be misspelt by one letter, and by two.
const ONE_TYPO_LENGTH: usize = 3;
const TWO_TYPOS_LENGTH: usize = 7;
/// The parts of a joined word are this long.
const PART_LENGTH_MIN: usize = 2;
const JOINED_LENGTH_MIN: usize = 5;

/// How far a query is bent to find something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    Literal,
    Tolerant,
    /// So many words must occur, of those that may be misspelt.
    Partial(usize),
}

/// A query, made sense of.
pub struct Understanding {
    pub query: Box<dyn Query>,
    pub meaning: Meaning,
    /// Words that the dictionary does not have as they are, so that what was found corrects them.
    pub mended: Vec<bool>,
    /// What the last word may become.
    pub completions: Vec<String>,
}

/// A word of the query and the terms that stand for it.
struct Slot {
    terms: Vec<Term>,
    pairs: Vec<(String, String)>,
    frequency: u64,
    known: bool,
    mended: bool,
}

struct Reading<'a> {
    searcher: &'a Searcher,
    fields: &'a Fields,
    words: &'a [Word],
    typing: bool,
}

/// Makes sense of words; `typing` says that the last may be unfinished.
pub fn understand(
    searcher: &Searcher,
    fields: &Fields,
    words: &[Word],
    effort: Effort,
    typing: bool,
) -> tantivy::Result<Understanding> {
    if words.is_empty() {
        return Ok(Understanding {
            query: Box::new(AllQuery),
            meaning: Meaning::new(Vec::new(), true),
            mended: Vec::new(),
            completions: Vec::new(),
        });
    }
    Reading { searcher, fields, words, typing }.read(effort)
}

impl Reading<'_> {
    fn read(&self, effort: Effort) -> tantivy::Result<Understanding> {
        let partial = matches!(effort, Effort::Partial(_));
        let mut slots = self.words.iter().map(|word| self.slot(&word.text)).collect::<Result<Vec<_>, _>>()?;
        let total = self.searcher.num_docs();
        let weight = |slot: &Slot| match partial {
            true => 1.0 + ((total + 1) as f32 / (slot.frequency + 1) as f32).ln(),
            false => 1.0,
        };
        let mut meaning = Meaning::new(slots.iter().map(weight).collect(), !partial);
        for (at, word) in self.words.iter().enumerate() {
            meaning.add_surface(&word.text, at, Match::Exact);
            meaning.add_stem(&stem(&word.text), at, Match::Stem);
            for synonym in synonyms(&stem(&word.text)) {
                meaning.add_stem(synonym, at, Match::Synonym);
            }
        }
        self.join(&mut slots, &mut meaning)?;
        let completions = self.complete(&mut slots, &mut meaning)?;
        for at in 0..slots.len() {
            self.split(&mut slots, at, &mut meaning)?;
            self.spell(&mut slots, at, effort, &mut meaning)?;
        }
        let mended = slots.iter().map(|slot| slot.mended).collect();
        let needed = match effort {
            Effort::Partial(needed) => needed,
            _ => slots.len(),
        };
        let clauses = slots.into_iter().map(|slot| self.clause(slot)).collect();
        Ok(Understanding { query: combine(clauses, needed), meaning: meaning.sorted(), mended, completions })
    }

    /// The word itself in all its forms, wherever it occurs, and what means the same.
    fn slot(&self, word: &str) -> tantivy::Result<Slot> {
        let own = stem(word);
        let term = |stem: &String| Term::from_field_text(self.fields.anywhere, stem);
        let terms: Vec<Term> = std::iter::once(&own).chain(synonyms(&own)).map(term).collect();
        let frequency = self.searcher.doc_freq(&term(&own))?;
        Ok(Slot { terms, pairs: Vec::new(), frequency, known: frequency > 0, mended: false })
    }

    /// Two words that the dictionary has as one.
    fn join(&self, slots: &mut [Slot], meaning: &mut Meaning) -> tantivy::Result<()> {
        for (at, (left, right)) in self.words.iter().zip(self.words.iter().skip(1)).enumerate() {
            let joined = stem(&format!("{}{}", left.text, right.text));
            let term = Term::from_field_text(self.fields.stems, &joined);
            if self.searcher.doc_freq(&term)? == 0 {
                continue;
            }
            for at in [at, at + 1] {
                if let Some(slot) = slots.get_mut(at) {
                    slot.terms.push(term.clone());
                    // The one word is no misspelling of the other.
                    slot.known = true;
                    meaning.add_stem(&joined, at, Match::Joined);
                }
            }
        }
        Ok(())
    }

    /// What the last word may become.
    fn complete(&self, slots: &mut [Slot], meaning: &mut Meaning) -> tantivy::Result<Vec<String>> {
        let (Some(word), Some(slot)) = (self.words.last(), slots.last_mut()) else {
            return Ok(Vec::new());
        };
        if !self.typing {
            return Ok(Vec::new());
        }
        let (beginning, own) = (&word.text, stem(&word.text));
        let term = Term::from_field_text(self.fields.words, beginning);
        let mut completions = self.entries(&FuzzyTermQuery::new_prefix(term, 0, true))?;
        completions.truncate(PREFIX_WORDS_MAX);
        let at = self.words.len() - 1;
        for (completion, frequency) in &completions {
            let length = completion.chars().count();
            let how = Match::Prefix { typed: beginning.chars().count(), length };
            meaning.add_surface(completion, at, how);
            // Another form of the word is found by their stem.
            if stem(completion) != own {
                slot.terms.push(Term::from_field_text(self.fields.words, completion));
            }
            slot.frequency = slot.frequency.saturating_add(*frequency);
            slot.known = true;
        }
        Ok(completions.into_iter().map(|(completion, _)| completion).collect())
    }

    /// A word that is two words of the dictionary, which occur together.
    fn split(&self, slots: &mut [Slot], at: usize, meaning: &mut Meaning) -> tantivy::Result<()> {
        let (Some(word), Some(slot)) = (self.words.get(at), slots.get_mut(at)) else { return Ok(()) };
        if word.text.len() < JOINED_LENGTH_MIN || !word.text.is_ascii() {
            return Ok(());
        }
        let mut best: Option<(u64, String, String)> = None;
        for place in PART_LENGTH_MIN..=word.text.len() - PART_LENGTH_MIN {
            let (left, right) = word.text.split_at(place);
            let (left, right) = (stem(left), stem(right));
            let left_term = Term::from_field_text(self.fields.stems, &left);
            let right_term = Term::from_field_text(self.fields.stems, &right);
            let rarer = self.searcher.doc_freq(&left_term)?.min(self.searcher.doc_freq(&right_term)?);
            if rarer > best.as_ref().map_or(0, |(rarest, _, _)| *rarest)
                && self.occur_together(left_term, right_term)?
            {
                best = Some((rarer, left, right));
            }
        }
        if let Some((_, left, right)) = best {
            meaning.add_pair(&left, &right, at);
            slot.mended = !slot.known;
            slot.known = true;
            slot.pairs.push((left, right));
        }
        Ok(())
    }

    fn occur_together(&self, left: Term, right: Term) -> tantivy::Result<bool> {
        let both = BooleanQuery::intersection(vec![term_query(left), term_query(right)]);
        Ok(self.searcher.search(&both, &tantivy::collector::Count)? > 0)
    }

    /// Spellings near to a word that the dictionary does not know, or to any when nothing was found otherwise.
    fn spell(
        &self,
        slots: &mut [Slot],
        at: usize,
        effort: Effort,
        meaning: &mut Meaning,
    ) -> tantivy::Result<()> {
        let (Some(word), Some(slot)) = (self.words.get(at), slots.get_mut(at)) else { return Ok(()) };
        let length = word.text.chars().count();
        // A number that is nearly right is another number.
        let spelt = length >= ONE_TYPO_LENGTH && !word.text.chars().any(char::is_numeric);
        if !spelt || (slot.known && effort == Effort::Literal) {
            return Ok(());
        }
        let distances = if length >= TWO_TYPOS_LENGTH { 2 } else { 1 };
        for distance in 1..=distances {
            let term = Term::from_field_text(self.fields.words, &word.text);
            let fuzzy = FuzzyTermQuery::new(term, distance, true);
            let mut spellings = self.entries(&fuzzy)?;
            spellings.retain(|(spelling, _)| *spelling != word.text);
            spellings.truncate(SPELLINGS_MAX);
            for (spelling, frequency) in &spellings {
                meaning.add_surface(spelling, at, Match::Typo(distance));
                slot.terms.push(Term::from_field_text(self.fields.words, spelling));
                slot.frequency = slot.frequency.saturating_add(*frequency);
            }
            if !spellings.is_empty() {
                slot.mended |= !slot.known;
                break;
            }
        }
        Ok(())
    }

    /// What a search of the dictionary gives, most frequent first.
    fn entries(&self, search: &FuzzyTermQuery) -> tantivy::Result<Vec<(String, u64)>> {
        let automaton = search.automaton()?;
        let mut found: HashMap<String, u64> = HashMap::new();
        for segment in self.searcher.segment_readers() {
            let words = segment.inverted_index(self.fields.words)?;
            let mut entries = words.terms().search(&automaton).into_stream()?;
            let mut read = 0;
            while let Some((word, info)) = entries.next() {
                let word = String::from_utf8_lossy(word).into_owned();
                *found.entry(word).or_default() += u64::from(info.doc_freq);
                read += 1;
                if read >= ENTRIES_MAX {
                    break;
                }
            }
        }
        let mut found: Vec<(String, u64)> = found.into_iter().collect();
        found.sort_unstable_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
        Ok(found)
    }

    fn clause(&self, slot: Slot) -> Box<dyn Query> {
        let mut any: Vec<Box<dyn Query>> = slot.terms.into_iter().map(term_query).collect();
        for (left, right) in slot.pairs {
            let of = |stem: &str| term_query(Term::from_field_text(self.fields.stems, stem));
            any.push(Box::new(BooleanQuery::intersection(vec![of(&left), of(&right)])));
        }
        Box::new(BooleanQuery::union(any))
    }
}

fn term_query(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn combine(clauses: Vec<Box<dyn Query>>, needed: usize) -> Box<dyn Query> {
    if needed >= clauses.len() {
        return Box::new(BooleanQuery::intersection(clauses));
    }
    let clauses = clauses.into_iter().map(|clause| (Occur::Should, clause)).collect();
    Box::new(BooleanQuery::with_minimum_required_clauses(clauses, needed))
}
