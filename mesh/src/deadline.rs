//! When waiting ends: read on the way in, enforced on both sides, shortened at every hop, for streams too.

use std::task::{Poll, ready};
use std::time::Duration;

use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;
use proto::common::Reason;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};

use crate::body::{around, poll, trailers};
use crate::call::Answer;
use crate::status::Problem;

pub(crate) const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
/// The specification gives the number eight digits.
const AMOUNT_MAX: u128 = 99_999_999;

/// The answer to a caller whose time has passed.
pub(crate) fn exceeded() -> Status {
    let message = "the call took longer than its caller or its rule allows";
    Problem::common(Code::DeadlineExceeded, Reason::DeadlineExceeded, message).status()
}

/// The earlier of two ends, where none is never.
pub(crate) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// An answer by the deadline, and if it is a stream the end of the stream by it.
pub(crate) fn until(
    deadline: Instant,
    streaming: bool,
    answer: impl Future<Output = Answer>,
) -> impl Future<Output = Answer> {
    tokio::time::timeout_at(deadline, answer).map(move |answer| {
        let response = answer.map_err(|_| exceeded())??;
        Ok(match streaming {
            true => response.map(|body| cut(deadline, body)),
            false => response,
        })
    })
}

/// How long the sender of these headers waits. A value that cannot be read is refused rather than waited for.
pub(crate) fn read(headers: &HeaderMap) -> Result<Option<Duration>, Status> {
    let Some(value) = headers.get(GRPC_TIMEOUT) else {
        return Ok(None);
    };
    parse(value).map(Some).ok_or_else(|| {
        let description = "must be one to eight digits and a unit of H, M, S, m, u or n";
        Problem::invalid_field(GRPC_TIMEOUT.as_str(), description).status()
    })
}

/// Tells the next hop how long is left.
pub(crate) fn write(headers: &mut HeaderMap, left: Duration) {
    let (amount, unit) = match left.as_micros() {
        micros @ ..=AMOUNT_MAX => (micros, b'u'),
        micros if micros / 1_000 <= AMOUNT_MAX => (micros / 1_000, b'm'),
        _ => (u128::from(left.as_secs()).min(AMOUNT_MAX), b'S'),
    };
    let mut text = [b'0'; 9];
    let mut rest = u64::try_from(amount).unwrap_or(u64::MAX);
    let [digits @ .., last] = &mut text;
    *last = unit;
    for digit in digits.iter_mut().rev() {
        *digit = b'0'.wrapping_add(u8::try_from(rest % 10).unwrap_or_default());
        rest /= 10;
    }
    // Leading zeros are no more than digits; the eighth is the first.
    if let Ok(value) = HeaderValue::from_bytes(&text) {
        headers.insert(GRPC_TIMEOUT, value);
    }
}

fn parse(value: &HeaderValue) -> Option<Duration> {
    let (unit, digits) = value.as_bytes().split_last()?;
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    let amount = digits.iter().try_fold(0_u64, |amount, digit| {
        digit.is_ascii_digit().then(|| amount * 10 + u64::from(digit - b'0'))
    })?;
    Some(match unit {
        b'H' => Duration::from_secs(amount * 3_600),
        b'M' => Duration::from_secs(amount * 60),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        b'u' => Duration::from_micros(amount),
        b'n' => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// A stream that ends with DEADLINE_EXCEEDED when its time has passed, whether or not anything came before.
fn cut(deadline: Instant, body: Body) -> Body {
    let mut end = Box::pin(tokio::time::sleep_until(deadline));
    let mut ended = false;
    around(body, move |body, context| {
        if ended {
            return Poll::Ready(None);
        }
        // The end first: a stream that always has something ready would never be cut otherwise.
        if end.as_mut().poll(context).is_ready() {
            ended = true;
            *body = Body::empty();
            return Poll::Ready(Some(trailers(exceeded())));
        }
        let frame = ready!(poll(body, context));
        ended = frame.as_ref().is_none_or(|frame| frame.as_ref().is_ok_and(Frame::is_trailers));
        Poll::Ready(frame)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use super::*;

    fn headers(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(GRPC_TIMEOUT, text.parse().unwrap())])
    }

    #[test]
    fn what_is_written_can_be_read_and_is_never_longer() {
        for wait in [
            Duration::ZERO,
            Duration::from_nanos(1),
            Duration::from_micros(1),
            Duration::from_millis(1_500),
            Duration::from_micros(99_999_999),
            Duration::from_secs(100),
            Duration::from_millis(99_999_999),
            Duration::from_secs(200_000),
            Duration::from_secs(99_999_999),
            Duration::MAX,
        ] {
            let mut headers = HeaderMap::new();
            write(&mut headers, wait);
            let read = read(&headers).unwrap().unwrap();

            assert!(headers[GRPC_TIMEOUT].len() <= 9);
            assert!(read <= wait);
            assert!(wait - read <= (wait / 1_000).max(Duration::from_micros(1)) || wait == Duration::MAX);
        }
    }

    #[test]
    fn every_unit_is_known() {
        let seconds = |text| read(&headers(text)).unwrap().unwrap().as_secs_f64();

        assert_eq!(seconds("2H"), 7_200.0);
        assert_eq!(seconds("2M"), 120.0);
        assert_eq!(seconds("2S"), 2.0);
        assert_eq!(seconds("250m"), 0.25);
        assert_eq!(seconds("250u"), 0.000_25);
        assert_eq!(seconds("99999999n"), 0.099_999_999);
        assert_eq!(seconds("99999999H"), 359_999_996_400.0);
    }

    #[test]
    fn no_header_is_no_limit_and_a_malformed_one_is_refused() {
        assert_eq!(read(&HeaderMap::new()).unwrap(), None);
        for text in ["", "S", "5", "5s", "-5S", "+5S", "5 S", "0x5S", "123456789S", "5SS", "5.5S"] {
            assert!(read(&headers(text)).is_err(), "{text}");
        }
    }
}
