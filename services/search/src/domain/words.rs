//! Text as words, the same way for what is indexed and for what is asked.

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A longer word is cut: nobody types it, and a dictionary of such words helps nobody.
const WORD_LENGTH_MAX: usize = 40;

/// A word as it is compared: lower case, without accents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    /// Where it stands in the text, in bytes.
    pub start: usize,
    pub end: usize,
}

/// A word as a number, for ranking. Two words with one mark would only be ranked alike, never found by each other.
pub type Mark = u32;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    /// Joins what is around it: the apostrophe of "children's".
    Silent,
    Boundary,
}

/// The first words of a text. A word ends where letters meet digits, so that "12pencils" is two of them.
pub fn words(text: &str, max: usize) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut current: Option<(Word, Class)> = None;
    for (start, letter) in text.char_indices() {
        let end = start + letter.len_utf8();
        let class = class(letter);
        if class == Class::Silent {
            continue;
        }
        if let Some((word, of)) = current.take() {
            if of == class {
                let mut word = Word { end, ..word };
                fold(letter, &mut word.text);
                current = Some((word, of));
                continue;
            }
            words.push(word);
            if words.len() >= max {
                return words;
            }
        }
        if class != Class::Boundary {
            let mut word = Word { text: String::new(), start, end };
            fold(letter, &mut word.text);
            current = Some((word, class));
        }
    }
    words.extend(current.map(|(word, _)| word));
    words.retain(|word| !word.text.is_empty());
    words.truncate(max);
    words
}

fn class(letter: char) -> Class {
    match letter {
        '\'' | '\u{2019}' | '\u{ad}' => Class::Silent,
        _ if letter.is_alphabetic() || is_combining_mark(letter) => Class::Letter,
        _ if letter.is_numeric() => Class::Digit,
        _ => Class::Boundary,
    }
}

fn fold(letter: char, word: &mut String) {
    if letter.is_ascii() {
        if word.len() < WORD_LENGTH_MAX {
            word.push(letter.to_ascii_lowercase());
        }
        return;
    }
    let folded = std::iter::once(letter).nfkd().filter(|part| !is_combining_mark(*part));
    for part in folded.flat_map(char::to_lowercase) {
        let mut buffer = [0; 4];
        let spelt: &str = match part {
            'ß' => "ss",
            'æ' => "ae",
            'œ' => "oe",
            'ø' => "o",
            'ł' => "l",
            'đ' => "d",
            _ => part.encode_utf8(&mut buffer),
        };
        if word.len() + spelt.len() <= WORD_LENGTH_MAX {
            word.push_str(spelt);
        }
    }
}

/// What the forms of a word have in common: "decorations" and "decorated" are "decor".
pub fn stem(word: &str) -> String {
    if word.len() < 3 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word.to_owned();
    }
    Stemmer::create(Algorithm::English).stem(word).into_owned()
}

/// The mark of a word: FNV-1a, folded.
pub fn mark(word: &str) -> Mark {
    let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    ((hash >> 32) ^ (hash & 0xffff_ffff)) as Mark
}

/// A word and its stem as one number.
pub fn pack(word: &str) -> u64 {
    (u64::from(mark(word)) << 32) | u64::from(mark(&stem(word)))
}
