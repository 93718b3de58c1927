//! The words of buyers: codes as they enter them, and who is entering.

use std::fmt;

use kit::Id;

/// Longer text is no code that somebody wrote down.
const ASKED_LENGTH_MAX: usize = 64;
const LENGTH_MIN: usize = 3;
const LENGTH_MAX: usize = 32;

/// A code in capital letters. Compared without regard to case, since it is printed on paper.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(String);

/// Who uses a code: an account, or the hash of an address. Never the address itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Customer(String);

impl Code {
    /// What a buyer entered; a text that can be no code is only refused when it is not even a word.
    pub fn asked(text: &str) -> Option<Code> {
        let text = text.trim();
        let length = text.chars().count();
        let sane = (1..=ASKED_LENGTH_MAX).contains(&length) && !text.chars().any(char::is_control);
        sane.then(|| Code(text.to_ascii_uppercase()))
    }

    /// The code of a discount: 3 to 32 of A-Z, 0-9, "-" and "_".
    pub fn of_discount(text: &str) -> Option<Code> {
        let code = Code::asked(text)?;
        let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        let length = (LENGTH_MIN..=LENGTH_MAX).contains(&code.0.len());
        (length && code.0.bytes().all(fits)).then_some(code)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Customer {
    /// Reads "account:ID", or "email:" and 64 hexadecimal digits.
    pub fn read(text: &str) -> Option<Customer> {
        if let Some(id) = text.strip_prefix("account:") {
            let id: Id<Customer> = id.parse().ok()?;
            return Some(Customer(format!("account:{id}")));
        }
        let digest = text.strip_prefix("email:")?;
        let fits = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Customer(text.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use super::*;

    #[test]
    fn a_code_has_3_to_32_letters_digits_and_dashes_whatever_their_case() {
        for (text, code) in [
            ("spring-10", Some("SPRING-10")),
            (" A_1 ", Some("A_1")),
            ("AB", None),
            ("", None),
            ("ÄÖÜ", None),
            ("A B C", None),
            ("A\u{0}BC", None),
        ] {
            assert_eq!(Code::of_discount(text).as_ref().map(Code::as_str), code, "{text:?}");
        }
        assert!(Code::of_discount(&"A".repeat(32)).is_some());
        assert!(Code::of_discount(&"A".repeat(33)).is_none());
    }

    #[test]
    fn what_a_buyer_enters_may_be_nonsense_but_not_a_novel() {
        assert!(Code::asked("straße!").is_some());
        assert!(Code::asked("  ").is_none());
        assert!(Code::asked("a\nb").is_none());
        assert!(Code::asked(&"x".repeat(65)).is_none());
    }

    #[test]
    fn a_customer_is_an_account_or_a_hash_and_never_an_address() {
        assert!(Customer::read("account:0198c0de-0000-7000-8000-000000000001").is_some());
        assert!(Customer::read(&format!("email:{}", "0aF".repeat(21) + "0")).is_some());
        assert_eq!(
            Customer::read(&format!("email:{}", "A".repeat(64))),
            Customer::read(&format!("email:{}", "a".repeat(64)))
        );
        for text in ["", "jane@example.com", "email:jane@example.com", "account:7", "email:"] {
            assert!(Customer::read(text).is_none(), "{text:?}");
        }
    }
}
