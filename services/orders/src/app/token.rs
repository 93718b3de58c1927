//! Capability tokens of guests. They are derived, never kept: the store holds their hashes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::domain::CheckoutId;

/// Longer text is no token of ours, and is not worth hashing.
const TOKEN_LENGTH_MAX: usize = 128;

/// Derives the tokens of this shop.
#[derive(Clone)]
pub struct Tokens {
    keyed: Hmac<Sha256>,
}

/// The secret cannot be used as a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token secret must have at least 32 bytes")]
pub struct WeakSecret;

const SECRET_LENGTH_MIN: usize = 32;

impl Tokens {
    /// From a secret of at least 32 bytes.
    pub fn new(secret: &[u8]) -> Result<Tokens, WeakSecret> {
        if secret.len() < SECRET_LENGTH_MIN {
            return Err(WeakSecret);
        }
        let keyed = Hmac::new_from_slice(secret).map_err(|_| WeakSecret)?;
        Ok(Tokens { keyed })
    }

    /// Whoever holds it may read and complete this checkout and read its order.
    pub fn of(&self, checkout: CheckoutId) -> String {
        self.derived(&format!("checkout:{checkout}"))
    }

    /// Stands for the name that an imported history has for a customer, and opens nothing.
    pub fn of_customer(&self, name: &str) -> String {
        self.derived(&format!("customer:{name}"))
    }

    fn derived(&self, text: &str) -> String {
        let mut keyed = self.keyed.clone();
        keyed.update(text.as_bytes());
        URL_SAFE_NO_PAD.encode(keyed.finalize().into_bytes())
    }
}

/// What the store compares. Text that cannot be a token has no hash, and so no rights.
pub fn hash(token: &str) -> Option<String> {
    let plausible = !token.is_empty() && token.len() <= TOKEN_LENGTH_MAX;
    plausible.then(|| URL_SAFE_NO_PAD.encode(Sha256::digest(token)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_one_checkout_and_one_secret() {
        let (one, other) = (CheckoutId::new(), CheckoutId::new());
        let tokens = Tokens::new(&[1; 32]).unwrap();

        assert_eq!(tokens.of(one), tokens.of(one));
        assert_ne!(tokens.of(one), tokens.of(other));
        assert_ne!(tokens.of(one), Tokens::new(&[2; 32]).unwrap().of(one));
        assert_eq!(Tokens::new(&[1; 31]).err(), Some(WeakSecret));
    }

    #[test]
    fn text_that_cannot_be_a_token_has_no_hash() {
        assert_eq!(hash(""), None);
        assert_eq!(hash(&"x".repeat(129)), None);
        assert_ne!(hash("a"), hash("b"));
    }
}
