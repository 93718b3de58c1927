//! One event and one reader: what counts as a failure, and how often it is tried.

use std::error::Error;
use std::time::Duration;

use kit::outbox::Event;
use kit::{BoxError, Later, Reader, is_transient};
use observability::{chain, names, propagation};
use sea_orm::DbErr;
use tonic::{Code, Status};
use tracing::Instrument;

/// A reader that takes longer has failed.
const APPLY_TIME_MAX: Duration = Duration::from_secs(30);
/// An event that failed so often by its own fault is put aside, so that others go on.
pub(crate) const STRIKES_MAX: i32 = 5;
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// From this failure on a person should look.
const FAILURES_TOO_MANY: i32 = 8;

/// An event was not applied.
pub(crate) struct Failure {
    pub(crate) reader: &'static str,
    pub(crate) error: String,
    /// Something that the reader needs is away. That is no fault of the event, which waits for as long as it takes.
    pub(crate) passing: bool,
}

impl Failure {
    /// A failure on the way to the readers.
    pub(crate) fn on_the_way(of: &'static str, error: &dyn Error) -> Self {
        Self { reader: of, error: chain(error), passing: true }
    }
}

/// Hands an event to a reader, in the trace of its cause.
pub(crate) async fn apply(reader: &Reader, event: &Event) -> Result<(), Failure> {
    let span = tracing::info_span!(
        target: names::SERVER_SPANS,
        "apply",
        otel.kind = "consumer",
        { names::EVENT_READER } = reader.name,
        { names::EVENT_KIND } = event.kind.as_str(),
    );
    propagation::set_parent(&span, &event.traceparent);
    // A task of its own: a reader that panics has failed like any other, and the rest goes on.
    let (apply, event) = (reader.apply.clone(), event.clone());
    let in_time = tokio::time::timeout(APPLY_TIME_MAX, async move { apply(event).await });
    let applied = tokio::spawn(in_time.instrument(span)).await;
    let applied = applied.map_err(BoxError::from).and_then(|in_time| in_time?);
    applied.map_err(|error| Failure {
        reader: reader.name,
        error: chain(&*error),
        passing: is_passing(&*error),
    })
}

/// How long to wait after so many failures in a row: 0.1 s, 0.4 s, 1.6 s … 60 s. Five attempts take 8.5 s.
pub(crate) fn backoff(failures: i32) -> Duration {
    let earlier = u32::try_from(failures.saturating_sub(1)).unwrap_or_default();
    BACKOFF_MIN.saturating_mul(4_u32.saturating_pow(earlier)).min(BACKOFF_MAX)
}

/// The first failure is a warning and says why; one that does not go away is for a person. In between there is silence.
pub(crate) fn tell(event: &Event, failure: &Failure, failures: i32) {
    let (kind, id, reader, error) = (event.kind.as_str(), event.id, failure.reader, failure.error.as_str());
    match failures {
        1 => tracing::warn!(
            { names::EVENT_ID } = %id,
            { names::EVENT_READER } = reader,
            { names::ERROR } = error,
            "{reader} could not apply {kind} {id} and will be asked again: {error}"
        ),
        FAILURES_TOO_MANY => tracing::error!(
            { names::EVENT_ID } = %id,
            { names::EVENT_READER } = reader,
            { names::ERROR } = error,
            { names::ATTEMPT } = failures,
            "{reader} still cannot apply {kind} {id}, which holds back its subject: {error}"
        ),
        _ => {}
    }
}

/// Tells of an event that is put aside.
pub(crate) fn tell_dead(event: &Event, failure: &Failure) {
    let (kind, id, reader, error) = (event.kind.as_str(), event.id, failure.reader, failure.error.as_str());
    tracing::error!(
        { names::EVENT_ID } = %id,
        { names::EVENT_READER } = reader,
        { names::ERROR } = error,
        "{reader} cannot apply {kind} {id}, which is put aside: {error}"
    );
}

/// Whether somewhere among the causes something is away that will be back.
fn is_passing(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let passing = error.is::<Later>()
            || error.downcast_ref().is_some_and(is_transient)
            || error.downcast_ref::<Box<DbErr>>().is_some_and(|error| is_transient(error))
            || error.downcast_ref().is_some_and(is_away)
            || error.downcast_ref::<Box<Status>>().is_some_and(|status| is_away(status));
        if passing {
            return true;
        }
        cause = error.source();
    }
    false
}

fn is_away(status: &Status) -> bool {
    let away =
        [Code::Unavailable, Code::DeadlineExceeded, Code::ResourceExhausted, Code::Aborted, Code::Cancelled];
    away.contains(&status.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the catalogue does not answer")]
    struct Upstream(#[source] Status);

    #[test]
    fn only_what_will_be_back_is_waited_for() {
        let away: [BoxError; 4] = [
            Box::new(Upstream(Status::unavailable("away"))),
            Box::new(Status::deadline_exceeded("late")),
            Box::new(Later("the mail server is away".into())),
            Box::new(DbErr::Conn(sea_orm::RuntimeErr::Internal("away".to_owned()))),
        ];
        let wrong: [BoxError; 3] = [
            "wrong".into(),
            Box::new(Upstream(Status::invalid_argument("wrong"))),
            Box::new(DbErr::RecordNotFound("x".to_owned())),
        ];

        assert!(away.iter().all(|error| is_passing(&**error)));
        assert!(!wrong.iter().any(|error| is_passing(&**error)));
    }

    #[test]
    fn five_attempts_take_less_than_half_a_minute_and_none_waits_longer_than_one() {
        let waits: Vec<u128> = (1..=7).map(|failures| backoff(failures).as_millis()).collect();

        assert_eq!(waits, [100, 400, 1_600, 6_400, 25_600, 60_000, 60_000]);
    }
}
