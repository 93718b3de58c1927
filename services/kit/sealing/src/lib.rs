#![doc = include_str!("../README.md")]

use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use crypto_box::aead::OsRng;
use crypto_box::{PublicKey, SecretKey};
use prost::Message;
use proto::common as pb;
use sha2::{Digest, Sha256};

/// Seals to one public key. It cannot open what it sealed.
#[derive(Clone)]
pub struct Sealer {
    key_id: String,
    public_key: PublicKey,
}

/// Opens what was sealed to its public key.
#[derive(Clone)]
pub struct Opener {
    sealer: Sealer,
    secret_key: SecretKey,
}

/// Why something cannot be sealed or opened. Neither content nor key is ever named.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Not 32 bytes, or a file that holds something else.
    #[error("not a sealing key: 32 bytes are expected")]
    Key,
    /// The key file cannot be read or written.
    #[error("the file of the sealing key cannot be used")]
    File(#[source] std::io::Error),
    /// Sealed to a key that is not this one.
    #[error("sealed to another key")]
    OtherKey,
    /// Damaged, forged, or not the message that was expected.
    #[error("the sealed message cannot be opened")]
    Damaged,
}

impl Sealer {
    /// Seals to a public key in base64, as its holder publishes it.
    pub fn from_text(text: &str) -> Result<Sealer, SealError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| SealError::Key)?;
        PublicKey::from_slice(&bytes).map(Sealer::of).map_err(|_| SealError::Key)
    }

    /// A box with this message. Each one differs, also for the same message.
    pub fn seal<M: Message>(&self, message: &M) -> Result<pb::Sealed, SealError> {
        let ciphertext =
            self.public_key.seal(&mut OsRng, &message.encode_to_vec()).map_err(|_| SealError::Damaged)?;
        Ok(pb::Sealed { key_id: self.key_id.clone(), ciphertext })
    }

    fn of(public_key: PublicKey) -> Sealer {
        let hash = Sha256::digest(public_key.to_bytes());
        Sealer { key_id: URL_SAFE_NO_PAD.encode(hash.get(..9).unwrap_or_default()), public_key }
    }
}

impl Opener {
    /// A fresh key that lives as long as the process.
    pub fn generate() -> Opener {
        Opener::from_secret(SecretKey::generate(&mut OsRng))
    }

    /// The key in a file, which is made with a fresh one if missing, readable by its owner alone.
    pub fn from_file(path: &Path) -> Result<Opener, SealError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Opener::from_text(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Opener::create(path),
            Err(error) => Err(SealError::File(error)),
        }
    }

    /// Opens a box and reads its message.
    pub fn open<M: Message + Default>(&self, sealed: &pb::Sealed) -> Result<M, SealError> {
        if sealed.key_id != self.sealer.key_id {
            return Err(SealError::OtherKey);
        }
        let plaintext = self.secret_key.unseal(&sealed.ciphertext).map_err(|_| SealError::Damaged)?;
        M::decode(plaintext.as_slice()).map_err(|_| SealError::Damaged)
    }

    /// The other half, to hand to everyone who seals.
    pub fn sealer(&self) -> Sealer {
        self.sealer.clone()
    }

    /// The public half, to publish: base64, as [`Sealer::from_text`] takes it.
    pub fn public_key(&self) -> String {
        STANDARD.encode(self.secret_key.public_key().to_bytes())
    }

    fn from_secret(secret_key: SecretKey) -> Opener {
        Opener { sealer: Sealer::of(secret_key.public_key()), secret_key }
    }

    /// The private key, base64, as its file holds it.
    pub fn from_text(text: &str) -> Result<Opener, SealError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| SealError::Key)?;
        SecretKey::from_slice(&bytes).map(Opener::from_secret).map_err(|_| SealError::Key)
    }

    fn create(path: &Path) -> Result<Opener, SealError> {
        let opener = Opener::generate();
        let text = STANDARD.encode(opener.secret_key.to_bytes());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Written beside and moved into place, so that nobody ever reads half a key. Temporary files are private (0600).
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(SealError::File)?;
        file.write_all(text.as_bytes()).and_then(|()| file.as_file().sync_all()).map_err(SealError::File)?;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(opener),
            // Another process was first, and its key is the one that counts.
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
                let text = std::fs::read_to_string(path).map_err(SealError::File)?;
                Opener::from_text(&text)
            }
            Err(error) => Err(SealError::File(error.error)),
        }
    }
}
