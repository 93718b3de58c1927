//! How a provider signs what it sends: `t=<seconds>,v1=<hex of HMAC-SHA256 over "<seconds>.<body>">`.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use kit::Timestamp;
use sha2::Sha256;

use super::Forged;

/// The header that carries it.
pub const HEADER: &str = "shop-signature";
/// How far the signer's clock may be from ours.
const AGE_SECONDS_MAX: u64 = 5 * 60;
const LENGTH_MAX: usize = 512;
const DIGEST_LENGTH: usize = 32;

pub fn sign(secret: &[u8], body: &[u8], at: Timestamp) -> String {
    let seconds = at.timestamp().to_string();
    let digest = mac(secret, &seconds, body).map(|mac| hex(&mac.finalize().into_bytes())).unwrap_or_default();
    format!("t={seconds},v1={digest}")
}

/// Whether the secret's holder signed this body lately. Digests are compared in constant time.
pub fn verify(secret: &[u8], signature: &str, body: &[u8], now: Timestamp) -> Result<(), Forged> {
    let (seconds, digest) = parts(signature).ok_or(Forged::Malformed)?;
    let mac = mac(secret, seconds, body).ok_or(Forged::Signature)?;
    mac.verify_slice(&digest).map_err(|_| Forged::Signature)?;
    // Only now is the time the signer's own.
    let signed: i64 = seconds.parse().map_err(|_| Forged::Malformed)?;
    match now.timestamp().abs_diff(signed) <= AGE_SECONDS_MAX {
        true => Ok(()),
        false => Err(Forged::Time),
    }
}

fn parts(signature: &str) -> Option<(&str, [u8; DIGEST_LENGTH])> {
    if signature.len() > LENGTH_MAX {
        return None;
    }
    let mut parts = signature.split(',');
    let seconds = parts.next()?.strip_prefix("t=")?;
    let digest = parts.next()?.strip_prefix("v1=")?;
    let digits = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    (digits && parts.next().is_none()).then_some((seconds, unhex(digest)?))
}

fn mac(secret: &[u8], seconds: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    // An empty secret signs nothing: with it anybody could.
    if secret.is_empty() {
        return None;
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; DIGEST_LENGTH]> {
    let digits = text.as_bytes();
    if digits.len() != DIGEST_LENGTH * 2 {
        return None;
    }
    let mut bytes = [0; DIGEST_LENGTH];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(value).ok()?;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};
    use proptest::prelude::*;

    const SECRET: &[u8] = b"a secret";

    fn noon() -> Timestamp {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn what_was_signed_is_believed_for_five_minutes_either_way() {
        let signature = sign(SECRET, b"{}", noon());
        for (minutes, seconds, answer) in [
            (0, 0, Ok(())),
            (5, 0, Ok(())),
            (-5, 0, Ok(())),
            (5, 1, Err(Forged::Time)),
            (-5, -1, Err(Forged::Time)),
            (7 * 24 * 60, 0, Err(Forged::Time)),
        ] {
            let now = noon() + TimeDelta::minutes(minutes) + TimeDelta::seconds(seconds);
            assert_eq!(verify(SECRET, &signature, b"{}", now), answer);
        }
    }

    #[test]
    fn another_body_time_or_secret_is_forged() {
        let signature = sign(SECRET, b"{}", noon());
        assert_eq!(verify(SECRET, &signature, b"{ }", noon()), Err(Forged::Signature));
        assert_eq!(verify(b"other", &signature, b"{}", noon()), Err(Forged::Signature));
        let later = signature.replace("t=1800000000", "t=1800000001");
        assert_eq!(verify(SECRET, &later, b"{}", noon()), Err(Forged::Signature));
        let nothing = sign(b"", b"{}", noon());
        assert!(verify(b"", &nothing, b"{}", noon()).is_err());
    }

    #[test]
    fn the_form_is_exact() {
        let good = sign(SECRET, b"{}", noon());
        for bad in [
            "",
            "t=,v1=",
            "v1=00,t=1800000000",
            "t=-1,v1=00",
            &good.replace("v1=", "v0="),
            &format!("{good},v1=00"),
            &good[..good.len() - 1],
            &format!("{good}é"),
        ] {
            assert_eq!(verify(SECRET, bad, b"{}", noon()), Err(Forged::Malformed), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_and_no_body_make_it_panic(text in ".{0,600}", body in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(verify(SECRET, &text, &body, noon()).is_err());
        }
    }
}
