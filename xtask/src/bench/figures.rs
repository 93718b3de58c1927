//! Figures of a run, and how they are printed.

use std::time::Duration;

/// Durations of many equal things.
pub(crate) struct Durations(Vec<Duration>);

impl Durations {
    pub(crate) fn new(mut durations: Vec<Duration>) -> Self {
        durations.sort_unstable();
        Self(durations)
    }

    /// The duration that so many in a hundred do not exceed; nothing took no time.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

/// The middle one; of an even number the lower of the two.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// Milliseconds with one digit behind the point.
pub(crate) fn ms(duration: Duration) -> String {
    format!("{:.1}", duration.as_secs_f64() * 1_000.0)
}

/// How many of something in a second.
pub(crate) fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(f64::EPSILON)
}

/// Prints rows under their heads, as a table that Markdown knows as well.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) {
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
        cells.chain(heads.get(at).map(|head| head.chars().count())).max().unwrap_or(0)
    };
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> =
            cells.enumerate().map(|(at, cell)| format!("{cell:<width$}", width = width(at))).collect();
        println!("| {} |", padded.join(" | "));
    };
    line(&mut heads.iter().copied());
    let rules: Vec<String> = (0..heads.len()).map(|at| "-".repeat(width(at))).collect();
    line(&mut rules.iter().map(String::as_str));
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_figures() {
        let figures = Durations::new((1..=200).rev().map(Duration::from_millis).collect());

        assert_eq!(figures.percentile(50), Duration::from_millis(100));
        assert_eq!(figures.percentile(99), Duration::from_millis(198));
        assert_eq!(figures.percentile(100), Duration::from_millis(200));
        assert_eq!(Durations::new(Vec::new()).percentile(99), Duration::ZERO);
    }

    #[test]
    fn a_median_ignores_an_outlier() {
        assert!((median(vec![3.0, 900.0, 1.0]) - 3.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).abs() < f64::EPSILON);
    }
}
