//! Refresh tokens and the secrets of links, as far as they are kept.

use sha2::{Digest, Sha256};

/// What is kept of a refresh token or a link: 256 random bits need no slow hash.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenHash(Vec<u8>);

impl TokenHash {
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token).to_vec())
    }

    pub fn to_vec(&self) -> Vec<u8> {
        self.0.clone()
    }
}
