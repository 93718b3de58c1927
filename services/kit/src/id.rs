//! An identifier that knows what it identifies, so that a cart's id cannot be handed where an order's is asked for.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// The length of a UUID written with hyphens, the only spelling that is accepted.
const HYPHENATED_LENGTH: usize = 36;

/// The id of a `T`. It says nothing about whether that `T` exists.
pub struct Id<T> {
    uuid: Uuid,
    // A function pointer, so that the id is `Send`, `Sync` and `Copy` whatever `T` is.
    of: PhantomData<fn() -> T>,
}

/// The text is not a UUID with hyphens. The text is not repeated: it came from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: a UUID with hyphens is expected")]
pub struct MalformedId;

impl<T> Id<T> {
    /// A fresh id (UUIDv7): ids made later sort later, which keeps indexes compact.
    #[allow(clippy::new_without_default, reason = "a default that differs at each call would surprise")]
    pub fn new() -> Self {
        Self::from_uuid(Uuid::now_v7())
    }

    /// The id as a store or a contract knows it.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, of: PhantomData }
    }

    /// The bare UUID, for stores.
    pub const fn as_uuid(&self) -> Uuid {
        self.uuid
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.uuid.cmp(&other.uuid)
    }
}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.uuid.as_hyphenated(), f)
    }
}

impl<T> FromStr for Id<T> {
    type Err = MalformedId;

    fn from_str(text: &str) -> Result<Self, MalformedId> {
        // The library also reads braces, URNs and bare digits; one id shall have one spelling.
        if text.len() != HYPHENATED_LENGTH {
            return Err(MalformedId);
        }
        Uuid::try_parse(text).map(Self::from_uuid).map_err(|_| MalformedId)
    }
}

impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
