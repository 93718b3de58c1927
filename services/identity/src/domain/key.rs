//! When a signing key begins to sign, and how long others still need its public half.

use std::time::Duration;

use kit::Timestamp;

/// Clocks may be so far apart; verifiers allow it, so a key is published so much longer.
const LEEWAY: Duration = Duration::from_secs(60);

/// A key as the table has it. The private half is in no table: it follows from the salt and a secret of the process.
#[derive(Clone, Debug)]
pub struct Key {
    pub id: String,
    /// 1, 2, 3 … Two processes that make the next key at once make the same generation, and one of them wins.
    pub generation: i64,
    pub salt: Vec<u8>,
    pub public: Vec<u8>,
    /// From when it signs.
    pub active_from: Timestamp,
    /// Until when it is published.
    pub not_after: Timestamp,
}

/// How keys follow each other.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    /// A key signs for so long.
    pub every: Duration,
    /// The next one is published so long before it signs, so that everybody knows it when its first token comes.
    pub published_before: Duration,
    /// How long a token lives.
    pub token_life: Duration,
}

/// A key that should be made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    pub generation: i64,
    pub active_from: Timestamp,
    pub not_after: Timestamp,
    /// The predecessors are published until the last token that they sign is over.
    pub predecessors_until: Timestamp,
}

impl Rotation {
    /// The key that signs now: of those that may, the newest.
    pub fn signer<'a>(&self, own: &'a [Key], now: Timestamp) -> Option<&'a Key> {
        own.iter()
            .filter(|key| key.active_from <= now && now + self.token_life <= key.not_after)
            .max_by_key(|key| key.generation)
    }

    /// The key that should be made now, if one should. `last` is the newest generation there is, `own` are the keys
    /// whose private half this process can tell.
    pub fn due(&self, own: &[Key], last: i64, now: Timestamp) -> Option<Planned> {
        let newest = own.iter().max_by_key(|key| key.generation);
        let active_from = match (newest, self.signer(own, now)) {
            // Nothing can be signed: this key cannot wait until everybody knows it.
            (None, _) => now,
            (Some(newest), None) if newest.active_from <= now => now,
            (Some(newest), _) => {
                let begin = newest.active_from + self.every;
                if now < begin - self.published_before {
                    return None;
                }
                begin.max(now + self.published_before)
            }
        };
        let until = |begin: Timestamp| begin + self.token_life + LEEWAY;
        Some(Planned {
            generation: last.saturating_add(1),
            active_from,
            not_after: until(active_from + self.every + self.every),
            predecessors_until: until(active_from),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROTATION: Rotation = Rotation {
        every: Duration::from_secs(1_000),
        published_before: Duration::from_secs(100),
        token_life: Duration::from_secs(10),
    };

    fn at(second: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_secs(second)
    }

    fn make(planned: Planned, keys: &mut Vec<Key>) {
        for key in keys.iter_mut() {
            key.not_after = key.not_after.min(planned.predecessors_until);
        }
        keys.push(Key {
            id: planned.generation.to_string(),
            generation: planned.generation,
            salt: Vec::new(),
            public: Vec::new(),
            active_from: planned.active_from,
            not_after: planned.not_after,
        });
    }

    #[test]
    fn there_is_always_a_signer_that_was_published_long_enough_and_stays_so() {
        let mut keys = Vec::new();
        let mut published = std::collections::HashMap::new();
        let mut last_signer = 0;

        for second in 0..10_000 {
            let now = at(second);
            if let Some(planned) = ROTATION.due(&keys, keys.len() as i64, now) {
                make(planned, &mut keys);
                published.insert(planned.generation, second);
            }
            assert_eq!(ROTATION.due(&keys, keys.len() as i64, now), None, "made once at {second}");
            let signer = ROTATION.signer(&keys, now).unwrap();
            assert!(signer.generation >= last_signer);
            assert!(signer.generation == 1 || second - published[&signer.generation] >= 100);
            assert!(signer.not_after >= now + ROTATION.token_life);
            last_signer = signer.generation;
            let alive = keys.iter().filter(|key| key.not_after > now).count();
            assert!((1..=3).contains(&alive), "{alive} keys at {second}");
        }

        assert_eq!(keys.len(), 11, "ten that signed, and the next one");
    }

    #[test]
    fn after_a_long_rest_a_key_is_made_at_once() {
        let mut keys = Vec::new();
        make(ROTATION.due(&keys, 0, at(0)).unwrap(), &mut keys);

        let planned = ROTATION.due(&keys, 1, at(100_000)).unwrap();

        assert_eq!((planned.generation, planned.active_from), (2, at(100_000)));
    }

    #[test]
    fn a_process_with_another_secret_makes_its_own_key() {
        let planned = ROTATION.due(&[], 7, at(50)).unwrap();

        assert_eq!((planned.generation, planned.active_from), (8, at(50)));
    }
}
