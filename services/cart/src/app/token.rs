//! Capability tokens of guests' carts. They are derived, never kept: the store holds their hashes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::domain::CartId;
use crate::store::TokenHash;

/// Derives the tokens of this shop.
#[derive(Clone)]
pub struct Tokens {
    keyed: Hmac<Sha256>,
}

impl Tokens {
    pub fn new(secret: &[u8; 32]) -> Tokens {
        // The algorithm itself fills a shorter key up with zeros.
        let mut key = [0; 64];
        for (byte, secret) in key.iter_mut().zip(secret) {
            *byte = *secret;
        }
        Tokens { keyed: Hmac::new(&key.into()) }
    }

    /// Whoever holds it holds this cart.
    pub fn of(&self, cart: CartId) -> String {
        let mut keyed = self.keyed.clone();
        keyed.update(format!("cart:{cart}").as_bytes());
        URL_SAFE_NO_PAD.encode(keyed.finalize().into_bytes())
    }
}

/// What the store keeps of a token, and compares.
pub fn hash(token: &str) -> TokenHash {
    Sha256::digest(token).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_belongs_to_one_cart_and_one_secret() {
        let (one, other) = (CartId::new(), CartId::new());
        let tokens = Tokens::new(&[1; 32]);

        assert_eq!(tokens.of(one), tokens.of(one));
        assert_ne!(tokens.of(one), tokens.of(other));
        assert_ne!(tokens.of(one), Tokens::new(&[2; 32]).of(one));
        assert_ne!(hash(&tokens.of(one)), hash(&tokens.of(other)));
    }

    #[test]
    fn a_token_is_the_keyed_hash_that_any_library_computes() {
        let cart: CartId = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap_or_else(|_| CartId::new());

        assert_eq!(Tokens::new(&[7; 32]).of(cart), "HXWIlYGBdBGjil2_m7wGdVF0t_CQpOCBqlObjik23PU");
    }
}
