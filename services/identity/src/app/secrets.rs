//! Secrets that are made here, and names that are made from a secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::domain::session::Network;
use crate::domain::throttle::{
    Gate, MAIL_WINDOW, MAILS_MAX, NETWORK_FAILURES_MAX, NETWORK_MAILS_MAX, NETWORK_REGISTRATIONS_MAX,
    PAIR_FAILURES_MAX, STRANGERS_FAILURES_MAX, WINDOW,
};
use crate::domain::token::TokenHash;
use crate::domain::{AccountId, Email};

#[derive(Clone)]
pub struct Secrets {
    secret: SecretString,
}

/// A secret that leaves the house once, and the hash that stays.
pub struct Fresh {
    pub text: SecretString,
    pub hash: TokenHash,
}

impl Fresh {
    /// 256 random bits.
    pub fn token() -> Self {
        let text = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        Self { hash: TokenHash::of(&text), text: SecretString::from(text) }
    }
}

impl Secrets {
    pub fn new(secret: SecretString) -> Self {
        Self { secret }
    }

    /// A keyed hash of parts of one kind. Each part is preceded by its length, so that no two lists look alike.
    pub fn mac(&self, kind: &str, parts: &[&[u8]]) -> [u8; 32] {
        // Hashed first, so that a secret of any length fits into the block that the algorithm takes as its key.
        let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
        key.iter_mut().zip(Sha256::digest(self.secret.expose_secret())).for_each(|(slot, byte)| *slot = byte);
        let mut mac = <Hmac<Sha256> as KeyInit>::new(&key);
        for part in std::iter::once(&kind.as_bytes()).chain(parts) {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    pub fn name(&self, kind: &str, secret: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac(kind, &[secret.as_bytes()]))
    }

    /// What a login for this address from this network must pass.
    pub fn login_gates(&self, email: &Email, network: &Network, familiar: bool) -> Vec<Gate> {
        let (address, network) = (email.as_str().as_bytes(), network.as_str().as_bytes());
        let subject = self.login_subject(email);
        let of_network = self.mac("login network", &[network]).to_vec();
        let mut gates = vec![
            Gate {
                key: self.mac("login pair", &[address, network]).to_vec(),
                subject: subject.clone(),
                max: PAIR_FAILURES_MAX,
                window: WINDOW,
                ahead: true,
                forgives: true,
            },
            Gate {
                key: of_network.clone(),
                subject: of_network,
                // The last failure closes it: nobody is counted ahead who could find it closed.
                max: NETWORK_FAILURES_MAX - 1,
                window: WINDOW,
                ahead: false,
                forgives: false,
            },
        ];
        if !familiar {
            gates.push(Gate {
                key: self.mac("login strangers", &[address]).to_vec(),
                subject,
                max: STRANGERS_FAILURES_MAX,
                window: WINDOW,
                ahead: true,
                forgives: false,
            });
        }
        gates
    }

    /// Under this name the failures of an address are forgotten once its owner has shown himself.
    pub fn login_subject(&self, email: &Email) -> Vec<u8> {
        self.mac("login", &[email.as_str().as_bytes()]).to_vec()
    }

    /// What a mail with a link must pass.
    pub fn mail_gate(&self, email: &Email) -> Gate {
        let key = self.mac("mail", &[email.as_str().as_bytes()]).to_vec();
        Gate { subject: key.clone(), key, max: MAILS_MAX, window: MAIL_WINDOW, ahead: true, forgives: false }
    }

    /// What whoever asks for mails must pass, whatever addresses they are for.
    pub fn mails_gate(&self, network: &Network) -> Gate {
        self.network_gate("network mails", network, NETWORK_MAILS_MAX)
    }

    /// What whoever registers must pass.
    pub fn registrations_gate(&self, network: &Network) -> Gate {
        self.network_gate("network registrations", network, NETWORK_REGISTRATIONS_MAX)
    }

    fn network_gate(&self, kind: &str, network: &Network, max: i64) -> Gate {
        let key = self.mac(kind, &[network.as_str().as_bytes()]).to_vec();
        Gate { subject: key.clone(), key, max, window: MAIL_WINDOW, ahead: true, forgives: false }
    }

    /// What somebody who is signed in must pass to give the present password.
    pub fn present_gate(&self, account: AccountId) -> Gate {
        let key = self.mac("present password", &[account.as_uuid().as_bytes()]).to_vec();
        let max = PAIR_FAILURES_MAX;
        Gate { subject: key.clone(), key, max, window: WINDOW, ahead: true, forgives: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_parts_kinds_and_secrets_apart() {
        let secrets = Secrets::new(SecretString::from("one"));
        let others = Secrets::new(SecretString::from("other"));
        let mac = secrets.mac("kind", &[b"ab", b"c"]);

        assert_eq!(mac, secrets.mac("kind", &[b"ab", b"c"]));
        assert_ne!(mac, secrets.mac("kind", &[b"a", b"bc"]));
        assert_ne!(mac, secrets.mac("kin", &[b"dab", b"c"]));
        assert_ne!(mac, others.mac("kind", &[b"ab", b"c"]));
    }

    #[test]
    fn a_token_has_256_bits_and_differs_every_time() {
        let one = Fresh::token();
        let other = Fresh::token();

        assert_eq!(URL_SAFE_NO_PAD.decode(one.text.expose_secret()).unwrap().len(), 32);
        assert_ne!(one.text.expose_secret(), other.text.expose_secret());
        assert!(one.hash == TokenHash::of(one.text.expose_secret()));
        assert!(one.hash != other.hash);
    }
}
