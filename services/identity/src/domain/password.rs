//! Which passwords are taken.

use secrecy::{ExposeSecret, SecretString};

use super::Email;

/// Characters, not bytes.
pub const LENGTH_MIN: usize = 10;
pub const LENGTH_MAX: usize = 128;
/// "aaaaaaaaaa" and "1212121212" are long and yet nothing.
const DISTINCT_MIN: usize = 5;
/// Shorter parts of an address are in many good passwords by chance.
const LIKENESS_MIN: usize = 4;
/// What people choose first, one per line, in lower case and without the digits and signs at the end.
const COMMON: &str = include_str!("password/common.txt");

/// A password that somebody may choose. It has been measured, but not yet held against the address of its owner.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    #[error("must have at least 10 characters")]
    Short,
    #[error("must have at most 128 characters")]
    Long,
    #[error("is one of the first that anybody would try")]
    Common,
    #[error("must not be like the e-mail address")]
    LikeAddress,
}

impl Password {
    pub fn choose(text: SecretString) -> Result<Self, Weakness> {
        let password = Self::known(text)?;
        match is_common(password.0.expose_secret()) {
            true => Err(Weakness::Common),
            false => Ok(password),
        }
    }

    /// A password that need not be a secret to everybody, only long enough.
    pub fn known(text: SecretString) -> Result<Self, Weakness> {
        match text.expose_secret().chars().count() {
            ..LENGTH_MIN => Err(Weakness::Short),
            LENGTH_MIN..=LENGTH_MAX => Ok(Self(text)),
            _ => Err(Weakness::Long),
        }
    }

    /// Refuses a password that contains the name before the @, forwards or backwards, or is the whole address.
    pub fn apart_from(&self, email: &Email) -> Result<(), Weakness> {
        let text = self.0.expose_secret().to_lowercase();
        let name = email.local_part().split('+').next().unwrap_or_default();
        let backwards: String = name.chars().rev().collect();
        let alike = text == email.as_str()
            || name.len() >= LIKENESS_MIN && (text.contains(name) || text.contains(&backwards));
        match alike {
            true => Err(Weakness::LikeAddress),
            false => Ok(()),
        }
    }

    pub fn secret(&self) -> &SecretString {
        &self.0
    }
}

fn is_common(text: &str) -> bool {
    let text = text.to_lowercase();
    let distinct: std::collections::BTreeSet<char> = text.chars().collect();
    let stem = text.trim_end_matches(|character: char| !character.is_alphabetic());
    let plain: String = stem.chars().map(plain).collect();
    distinct.len() < DISTINCT_MIN
        || is_run(&text)
        || COMMON.lines().any(|common| common == text || common == stem || common == plain)
}

/// The letter that a digit or sign stands for: "p@ssw0rd" is no better than what it reads as.
fn plain(character: char) -> char {
    match character {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    }
}

/// "abcdefghijk", "9876543210": every character follows the one before.
fn is_run(text: &str) -> bool {
    let steps = text
        .chars()
        .zip(text.chars().skip(1))
        .map(|(one, next)| i64::from(u32::from(next)) - i64::from(u32::from(one)));
    let mut steps = steps.map(|step| if step.abs() == 9 { -step.signum() } else { step });
    let Some(first) = steps.next() else { return true };
    first.abs() <= 1 && steps.all(|step| step == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(text: &str) -> Result<Password, Weakness> {
        Password::choose(SecretString::from(text))
    }

    #[test]
    fn a_password_is_long_enough_and_not_the_first_one_tried() {
        let table = [
            ("short-one", Some(Weakness::Short)),
            ("ten-letter", None),
            ("Passwörtchen", None),
            ("correct horse battery", None),
            ("password123!", Some(Weakness::Common)),
            ("P@ssw0rd2024", Some(Weakness::Common)),
            ("qwertyuiop", Some(Weakness::Common)),
            ("1234567890", Some(Weakness::Common)),
            ("0987654321", Some(Weakness::Common)),
            ("abcdefghijklm", Some(Weakness::Common)),
            ("aaaaaaaaaaaa", Some(Weakness::Common)),
            ("121212121212", Some(Weakness::Common)),
            ("iloveyou2026", Some(Weakness::Common)),
        ];

        for (text, weakness) in table {
            assert_eq!(choose(text).err(), weakness, "{text}");
        }
        assert!(choose(&"pass phrase ".repeat(10)).is_ok());
        assert_eq!(choose(&"ab cd ef gh".repeat(12)).err(), Some(Weakness::Long));
    }

    #[test]
    fn a_password_is_not_like_the_address() {
        let email: Email = "lovelace+shop@mail.example".parse().unwrap();

        for alike in ["Lovelace-1815", "my ecalevol word", "lovelace+shop@mail.example"] {
            assert_eq!(choose(alike).unwrap().apart_from(&email), Err(Weakness::LikeAddress), "{alike}");
        }
        assert_eq!(choose("analytical engine").unwrap().apart_from(&email), Ok(()));
        let short: Email = "ada@mail.example".parse().unwrap();
        assert_eq!(choose("adamant granite").unwrap().apart_from(&short), Ok(()));
    }

    #[test]
    fn a_password_has_no_debug_output() {
        let password = choose("analytical engine").unwrap();

        assert!(!format!("{password:?}").contains("analytical"));
    }

    #[test]
    fn the_list_is_written_as_it_is_looked_up() {
        for line in COMMON.lines() {
            assert_eq!(line, line.trim().to_lowercase());
            assert!(!line.is_empty());
        }
        assert!(COMMON.lines().count() >= 200);
    }
}
