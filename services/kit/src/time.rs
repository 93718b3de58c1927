//! Points in time: what the clock says, and how the contract writes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Datelike, Utc};

/// A point in time. Stores keep microseconds, so nothing finer is ever made.
pub type Timestamp = DateTime<Utc>;

/// Says what time it is. Handed down, so that a test can stand still and step forward.
#[derive(Clone, Debug)]
pub struct Clock {
    hands: Hands,
}

#[derive(Clone, Debug)]
enum Hands {
    System,
    /// Microseconds since 1970, shared by all clones.
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The time of the machine.
    pub fn system() -> Self {
        Self { hands: Hands::System }
    }

    /// Stands at one time until it is advanced; its clones go with it.
    pub fn fixed(at: Timestamp) -> Self {
        Self { hands: Hands::Fixed(Arc::new(AtomicI64::new(at.timestamp_micros()))) }
    }

    /// The present, in whole microseconds.
    #[allow(clippy::disallowed_methods, reason = "this is the one reader of the machine's time")]
    pub fn now(&self) -> Timestamp {
        match &self.hands {
            Hands::System => truncate(Utc::now()),
            Hands::Fixed(micros) => DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst))
                .unwrap_or(DateTime::<Utc>::MAX_UTC),
        }
    }

    /// Steps a fixed clock forward. The machine's time goes by itself, so there this does nothing.
    pub fn advance(&self, by: Duration) {
        if let Hands::Fixed(micros) = &self.hands {
            let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
            // The closure always answers, so the update cannot fail.
            let _ =
                micros.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some(now.saturating_add(by)));
        }
    }
}

/// Drops what a store would not keep, so that a value read back equals the one written.
pub fn truncate(time: Timestamp) -> Timestamp {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}

/// As the contract writes it.
pub fn to_proto(time: Timestamp) -> prost_types::Timestamp {
    // Below 10^9 except in a leap second, which the contract has no words for.
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(i32::MAX).min(999_999_999);
    prost_types::Timestamp { seconds: time.timestamp(), nanos }
}

/// As the contract wrote it; nothing when it is outside the years 1 to 9999 or no time at all.
pub fn from_proto(time: &prost_types::Timestamp) -> Option<Timestamp> {
    let nanos = u32::try_from(time.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    DateTime::from_timestamp(time.seconds, nanos)
        .filter(|time| (1..=9999).contains(&time.year()))
        .map(truncate)
}
