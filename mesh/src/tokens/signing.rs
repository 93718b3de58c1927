//! Signing, which identity does, and tests in its place.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use crate::tokens::{Claims, SigningKey, TYPE};

/// What comes before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const PKCS8_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A private key with its name and its public half.
#[derive(Clone)]
pub struct SigningPair {
    key: EncodingKey,
    public: SigningKey,
}

/// The library refuses the key or what is to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an access token cannot be signed with this key")]
pub struct UnusableSeed;

impl SigningPair {
    /// The pair of a seed, which is 32 random bytes and the whole secret.
    pub fn from_seed(key_id: impl Into<String>, seed: &[u8; 32]) -> Result<Self, UnusableSeed> {
        let der: Vec<u8> = PKCS8_HEAD.iter().chain(seed).copied().collect();
        let key = EncodingKey::from_ed_der(&der);
        let jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA).map_err(|_| UnusableSeed)?;
        let AlgorithmParameters::OctetKeyPair(parameters) = jwk.algorithm else {
            return Err(UnusableSeed);
        };
        let public_key = URL_SAFE_NO_PAD.decode(parameters.x).map_err(|_| UnusableSeed)?;
        let public = SigningKey { key_id: key_id.into(), public_key };
        Ok(Self { key, public })
    }

    /// The half that is published.
    pub fn public(&self) -> &SigningKey {
        &self.public
    }

    /// An access token that says so.
    pub fn sign(&self, claims: &Claims) -> Result<String, UnusableSeed> {
        let header = Header {
            typ: Some(TYPE.to_owned()),
            kid: Some(self.public.key_id.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        encode(&header, claims, &self.key).map_err(|_| UnusableSeed)
    }
}

impl std::fmt::Debug for SigningPair {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SigningPair").field("key_id", &self.public.key_id).finish_non_exhaustive()
    }
}
