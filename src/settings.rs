//! What single services must be told, made of secrets and addresses: the same in one process and apart.

use std::time::Duration;

use sealing::Sealer;

use crate::commands::Failure;

pub fn identity(sealer: Sealer, key_secret: String) -> identity::Settings {
    identity::Settings {
        sealer,
        key_secret: key_secret.into(),
        access_life: Duration::from_secs(10 * 60),
        key_rotation: Duration::from_secs(24 * 60 * 60),
        key_published_before: Duration::from_secs(60 * 60),
        hashes_at_once: std::thread::available_parallelism().map_or(1, usize::from),
        hashes_waiting_max: 64,
        work_interval: Duration::from_secs(1),
    }
}

pub fn payments(provider_url: payments::ProviderUrl, webhook_secret: Vec<u8>) -> payments::Settings {
    payments::Settings {
        provider_url,
        webhook_secret,
        answer_time_max: Duration::from_secs(5),
        recovery_interval: Duration::from_secs(5),
    }
}

pub fn orders(sealer: Sealer, token_secret: &[u8]) -> Result<orders::Settings, Failure> {
    let tokens = orders::Tokens::new(token_secret)
        .map_err(|error| Failure::caused("the secret of checkouts cannot be used", &error))?;
    Ok(orders::Settings { tokens, sealer, recover_every: Duration::from_secs(2) })
}
