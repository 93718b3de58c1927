//! Days of UTC, and how a range of them is cut.

use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate};
use kit::Timestamp;

/// Ten years: nobody compares more, and every day of it is a row that is read.
pub const RANGE_DAYS_MAX: i64 = 3_660;
/// Three years of days.
pub const INTERVALS_MAX: usize = 1_100;

/// One day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    date: NaiveDate,
}

/// From a day to a day, both included; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    start: Day,
    end: Day,
}

/// How days are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    Day,
    /// From Monday on.
    Week,
    Month,
}

/// The words for whoever wrote the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    #[error("must not be before start_date")]
    Backwards,
    #[error("must be at most {RANGE_DAYS_MAX} days after start_date")]
    TooLong,
    #[error("the range has more than {INTERVALS_MAX} such intervals")]
    TooMany,
}

/// The text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a date such as 2011-01-31")]
pub struct MalformedDay;

impl Day {
    /// The day of a point in time.
    pub fn of(time: Timestamp) -> Self {
        Self { date: time.date_naive() }
    }

    /// Days since 1970, as stores keep it.
    pub fn number(self) -> i32 {
        self.date.to_epoch_days()
    }

    /// The day of a number that a store kept.
    pub fn numbered(number: i32) -> Option<Self> {
        let seconds = i64::from(number).checked_mul(86_400)?;
        DateTime::from_timestamp(seconds, 0).map(Self::of)
    }

    fn plus(self, days: i64) -> Self {
        let date = self.date.checked_add_signed(chrono::TimeDelta::days(days));
        Self { date: date.unwrap_or(self.date) }
    }

    /// The last day of the interval in which this one lies.
    fn last_of(self, interval: Interval) -> Self {
        match interval {
            Interval::Day => self,
            Interval::Week => self.plus(6 - i64::from(self.date.weekday().num_days_from_monday())),
            Interval::Month => {
                self.plus(i64::from(self.date.num_days_in_month()) - i64::from(self.date.day()))
            }
        }
    }
}

impl FromStr for Day {
    type Err = MalformedDay;

    fn from_str(text: &str) -> Result<Self, MalformedDay> {
        // Other spellings of a date are read by the library, and would make one range two.
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| MalformedDay)?;
        let day = Self { date };
        if (1..=9999).contains(&date.year()) && day.to_string() == text { Ok(day) } else { Err(MalformedDay) }
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.date.format("%Y-%m-%d"))
    }
}

impl Range {
    pub fn new(start: Day, end: Day) -> Result<Self, RangeError> {
        let days = end.date.signed_duration_since(start.date).num_days();
        match days {
            ..0 => Err(RangeError::Backwards),
            RANGE_DAYS_MAX.. => Err(RangeError::TooLong),
            _ => Ok(Self { start, end }),
        }
    }

    pub fn start(self) -> Day {
        self.start
    }

    pub fn end(self) -> Day {
        self.end
    }

    /// The range cut into intervals, the first and the last as far as they lie within it.
    pub fn cut(self, interval: Interval) -> Result<Vec<Range>, RangeError> {
        let mut parts = Vec::new();
        let mut start = self.start;
        while start <= self.end {
            if parts.len() == INTERVALS_MAX {
                return Err(RangeError::TooMany);
            }
            let end = start.last_of(interval).min(self.end);
            parts.push(Range { start, end });
            // The last day that a calendar knows has none behind it.
            let next = end.plus(1);
            if next == end {
                break;
            }
            start = next;
        }
        Ok(parts)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(start: &str, end: &str) -> Range {
        Range::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    fn cut(range: Range, interval: Interval) -> Vec<String> {
        let parts = range.cut(interval).unwrap();
        parts.iter().map(|part| format!("{} {}", part.start(), part.end())).collect()
    }

    #[test]
    fn the_first_and_the_last_interval_end_with_the_range() {
        // The 29th of January 2012 is a Sunday.
        let days = range("2012-01-29", "2012-03-01");

        assert_eq!(
            cut(days, Interval::Month),
            ["2012-01-29 2012-01-31", "2012-02-01 2012-02-29", "2012-03-01 2012-03-01"]
        );
        let weeks = cut(days, Interval::Week);
        assert_eq!(weeks.len(), 6);
        assert_eq!(weeks[0], "2012-01-29 2012-01-29");
        assert_eq!(weeks[1], "2012-01-30 2012-02-05");
        assert_eq!(weeks[5], "2012-02-27 2012-03-01");
        assert_eq!(cut(days, Interval::Day).len(), 33);
    }

    #[test]
    fn a_range_is_neither_backwards_nor_longer_than_ten_years() {
        let of = |start: &str, end: &str| Range::new(start.parse().unwrap(), end.parse().unwrap());

        assert_eq!(of("2011-01-02", "2011-01-01"), Err(RangeError::Backwards));
        assert!(of("2011-01-01", "2011-01-01").is_ok());
        assert!(of("2010-01-01", "2020-01-08").is_ok());
        assert_eq!(of("2010-01-01", "2020-01-09"), Err(RangeError::TooLong));
        assert_eq!(range("2010-01-01", "2020-01-01").cut(Interval::Day), Err(RangeError::TooMany));
        assert_eq!(range("2010-01-01", "2013-01-04").cut(Interval::Day).unwrap().len(), INTERVALS_MAX);
        assert!(range("9999-12-01", "9999-12-31").cut(Interval::Day).is_ok());
    }

    #[test]
    fn only_one_spelling_of_a_date_is_read() {
        for text in
            ["", "2011-1-1", "2011-02-29", "+2011-01-01", "11-01-01", "2011-01-01T00:00:00Z", "0000-01-01"]
        {
            assert_eq!(text.parse::<Day>(), Err(MalformedDay), "{text}");
        }
        assert_eq!("0001-01-01".parse::<Day>().unwrap().to_string(), "0001-01-01");
    }

    proptest! {
        #[test]
        fn intervals_cover_every_day_of_a_range_once(start in -700_000..2_800_000_i32, length in 0..1_000_i64) {
            let start = Day::numbered(start).unwrap();
            let whole = Range::new(start, start.plus(length)).unwrap();
            for interval in [Interval::Day, Interval::Week, Interval::Month] {
                let parts = whole.cut(interval).unwrap();
                prop_assert_eq!(parts.first().unwrap().start(), whole.start());
                prop_assert_eq!(parts.last().unwrap().end(), whole.end());
                for pair in parts.windows(2) {
                    prop_assert_eq!(pair[0].end().plus(1), pair[1].start());
                }
            }
        }

        #[test]
        fn a_day_is_kept_as_a_number(number in -700_000..2_800_000_i32) {
            prop_assert_eq!(Day::numbered(number).unwrap().number(), number);
        }
    }
}
