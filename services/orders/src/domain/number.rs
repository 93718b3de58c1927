//! The name of an order among people.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Without 0, O, 1 and I, which are mistaken for each other on the telephone. 32 letters: five bits each.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const PREFIX: &str = "S-";
/// 50 bits: nobody guesses a neighbour's, and a million orders collide once in two thousand lives of the shop.
const LETTERS: usize = 10;

/// "S-" and ten letters or digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Number(String);

/// The text is not an order number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an order number: \"S-\" and ten letters or digits without 0, O, 1 and I are expected")]
pub struct MalformedNumber;

impl Number {
    /// The number that these random bits spell; the highest are left out.
    pub fn from_random(bits: u64) -> Number {
        let letters = (0..LETTERS).map(|position| letter(bits >> (5 * position)));
        Number(PREFIX.chars().chain(letters).collect())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn letter(bits: u64) -> char {
    let index = usize::try_from(bits & 31).unwrap_or_default();
    ALPHABET.get(index).copied().map_or('2', char::from)
}

impl FromStr for Number {
    type Err = MalformedNumber;

    /// Small letters are taken, since people write them.
    fn from_str(text: &str) -> Result<Number, MalformedNumber> {
        let text = text.trim().to_ascii_uppercase();
        let letters = text.strip_prefix(PREFIX).ok_or(MalformedNumber)?;
        let ours = letters.len() == LETTERS && letters.bytes().all(|byte| ALPHABET.contains(&byte));
        ours.then_some(Number(text)).ok_or(MalformedNumber)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_number_reads_back_and_has_no_mistakable_letter(bits in any::<u64>()) {
            let number = Number::from_random(bits);
            prop_assert_eq!(&number.to_string().to_lowercase().parse::<Number>().unwrap(), &number);
            prop_assert!(!number.as_str().contains(['0', 'O', '1', 'I']));
        }

        #[test]
        fn other_text_is_no_number(text in ".{0,20}") {
            if let Ok(number) = text.parse::<Number>() {
                prop_assert_eq!(number.as_str().len(), 12);
            }
        }
    }

    #[test]
    fn different_bits_are_different_numbers() {
        assert_ne!(Number::from_random(1), Number::from_random(2));
        assert_eq!(Number::from_random(0).as_str(), "S-2222222222");
    }
}
