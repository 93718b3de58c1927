//! Hashes passwords: slowly, on threads of their own, so many at a time and no more.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

/// 19 MiB, twice, on one lane: about 23 ms of a core.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

#[derive(Clone)]
pub struct Hasher {
    /// Those that run or wait.
    places: Arc<Semaphore>,
    /// Likewise of those who register: whoever is known does not wait because many are not.
    newcomers: Arc<Semaphore>,
    /// Those that run.
    slots: Arc<Semaphore>,
    /// How many there were.
    #[cfg(test)]
    pub hashed: Arc<std::sync::atomic::AtomicU64>,
}

/// The right to wait for a slot. Whoever counts tries takes it first: a try that finds no place was none.
pub struct Place(OwnedSemaphorePermit);

impl Hasher {
    pub fn new(at_once: usize, waiting_max: usize) -> Self {
        let at_once = at_once.max(1);
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self {
            places: semaphore(at_once.saturating_add(waiting_max)),
            newcomers: semaphore(at_once.saturating_add(waiting_max / 4)),
            slots: semaphore(at_once),
            #[cfg(test)]
            hashed: Arc::default(),
        }
    }

    /// Refused at once when too many wait already.
    pub fn place(&self) -> Result<Place, Error> {
        self.places.clone().try_acquire_owned().map(Place).map_err(|_| Error::Overloaded)
    }

    /// The same for whoever registers.
    pub fn newcomers_place(&self) -> Result<Place, Error> {
        self.newcomers.clone().try_acquire_owned().map(Place).map_err(|_| Error::Overloaded)
    }

    pub async fn hash(&self, place: Place, password: SecretString) -> Result<String, Error> {
        self.run(place, move || hash(&password)).await?
    }

    /// Whether it is the password of the hash. Without a hash it never is, and that takes just as long to say.
    pub async fn verify(
        &self,
        place: Place,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<bool, Error> {
        self.run(place, move || verify(&password, &hash.unwrap_or_else(nobodys_hash))).await?
    }

    async fn run<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let slot = self.slots.clone().acquire_owned().await.map_err(|_| Error::Hashing)?;
        tracing::trace!("a password is hashed");
        #[cfg(test)]
        self.hashed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // Both are held by the thread: when the call is over before its time, the work is not, and counts until then.
        let held = (place.0, slot);
        let worked = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(held);
            result
        });
        worked.await.map_err(|_| Error::Hashing)
    }
}

/// Hashes on the present thread; for commands, which have no queue.
pub fn hash(password: &SecretString) -> Result<String, Error> {
    let hashed: PasswordHash =
        argon2()?.hash_password(password.expose_secret().as_bytes()).map_err(|_| Error::Hashing)?;
    Ok(hashed.to_string())
}

fn verify(password: &SecretString, hash: &str) -> Result<bool, Error> {
    let hash = PasswordHash::new(hash).map_err(|_| Error::Hashing)?;
    Ok(argon2()?.verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
}

fn argon2() -> Result<Argon2<'static>, Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| Error::Hashing)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// A hash that is as dear to check as any other and that no password has: 32 zero bytes.
fn nobodys_hash() -> String {
    let (salt, zeros) = ("A".repeat(22), "A".repeat(43));
    format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${zeros}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other() {
        let hasher = Hasher::new(2, 2);
        let hash = hasher.hash(hasher.place().unwrap(), secret("analytical engine")).await.unwrap();

        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let verify = |text: &str, hash: Option<&str>| {
            hasher.verify(hasher.place().unwrap(), secret(text), hash.map(str::to_owned))
        };
        assert!(verify("analytical engine", Some(&hash)).await.unwrap());
        assert!(!verify("analytical engin", Some(&hash)).await.unwrap());
        assert!(!verify("analytical engine", None).await.unwrap());
    }

    #[test]
    fn nobodys_hash_is_as_dear_as_any() {
        let theirs = nobodys_hash();
        let theirs = PasswordHash::new(&theirs).unwrap();
        let ours = hash(&secret("analytical engine")).unwrap();
        let ours = PasswordHash::new(&ours).unwrap();

        assert_eq!(theirs.params.to_string(), ours.params.to_string());
        assert_eq!((theirs.algorithm, theirs.version), (ours.algorithm, ours.version));
        assert_eq!(theirs.hash.unwrap().as_bytes().len(), ours.hash.unwrap().as_bytes().len());
        assert_eq!(theirs.salt.unwrap().as_ref().len(), ours.salt.unwrap().as_ref().len());
    }

    #[tokio::test]
    async fn beyond_the_queue_is_refused_at_once() {
        let hasher = Hasher::new(1, 2);
        let held: Vec<_> = (0..3).map(|_| hasher.place().unwrap()).collect();

        assert!(matches!(hasher.place(), Err(Error::Overloaded)));
        let newcomer = hasher.newcomers_place().unwrap();
        assert!(matches!(hasher.newcomers_place(), Err(Error::Overloaded)));
        drop((held, newcomer));
        assert!(hasher.place().is_ok());
    }

    #[tokio::test]
    async fn a_call_that_ended_early_counts_until_its_thread_is_done() {
        let hasher = Hasher::new(1, 0);
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        let call = hasher.run(hasher.place().unwrap(), move || receiver.recv());

        let left = tokio::time::timeout(Duration::from_millis(20), call).await;

        assert!(left.is_err());
        assert!(hasher.place().is_err());
        sender.send(()).unwrap();
        while hasher.place().is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
