//! What the shop in one process and the shop apart answered to the same cases, as `tests/conformance` left it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::process::{Error, file_error};
use crate::report::Outcome;

/// Where the cases find the shop apart.
pub(crate) const APART: &str = "SHOP_TEST_APART";
/// The folder in which they leave what they heard: a file for each case and column.
pub(crate) const TRANSCRIPTS: &str = "SHOP_TEST_TRANSCRIPTS";

const COLUMNS: [(&str, &str); 2] = [("one", "one process on SQLite"), ("apart", "apart, on servers")];

/// What was answered, by case and column.
type Heard = BTreeMap<String, BTreeMap<String, String>>;

/// Prints both columns; a case that is missing in one, or that was answered differently, fails.
pub(crate) fn compare(folder: Option<&Path>) -> Result<Outcome, Error> {
    let Some(folder) = folder else {
        return Ok(Outcome::Failed("the shop apart did not start".to_owned()));
    };
    let mut heard = Heard::new();
    for entry in fs::read_dir(folder).map_err(|source| file_error(folder, "read", source))? {
        let path = entry.map_err(|source| file_error(folder, "read", source))?.path();
        let text = fs::read_to_string(&path).map_err(|source| file_error(&path, "read", source))?;
        let part = |of: Option<&std::ffi::OsStr>| of.unwrap_or_default().to_string_lossy().into_owned();
        heard.entry(part(path.file_stem())).or_default().insert(part(path.extension()), text);
    }
    let [one, apart] = COLUMNS.map(|(_, title)| title);
    println!("{:<28}{one:>24}{apart:>24}", "answers to");
    for (case, columns) in &heard {
        let [one, apart] = COLUMNS.map(|(column, _)| answers(columns, column));
        println!("{case:<28}{one:>24}{apart:>24}");
    }
    let wrong = differences(&heard);
    Ok(match wrong.is_empty() {
        true => {
            let all = heard.values().map(|columns| answers(columns, "one")).sum::<usize>();
            Outcome::Passed(format!("{} cases, {all} answers, the same in both columns", heard.len()))
        }
        false => Outcome::Failed(format!("{} differ\n  {}", wrong.len(), wrong.join("\n  "))),
    })
}

fn answers(columns: &BTreeMap<String, String>, column: &str) -> usize {
    columns.get(column).map_or(0, |text| text.lines().count())
}

/// A sentence for every case that does not show the same in both columns.
fn differences(heard: &Heard) -> Vec<String> {
    if heard.is_empty() {
        return vec!["no case left anything behind".to_owned()];
    }
    let different = heard.iter().filter_map(|(case, columns)| {
        let [one, apart] = COLUMNS.map(|(column, _)| columns.get(column));
        match (one, apart) {
            (Some(one), Some(apart)) if one == apart => None,
            (Some(_), Some(_)) => Some(format!("{case}: the answers are not the same")),
            (Some(_), None) => Some(format!("{case}: not run apart, or it failed there")),
            (None, _) => Some(format!("{case}: not run in one process")),
        }
    });
    different.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_run_in_both_columns_and_answered_the_same() {
        let case = |columns: &[(&str, &str)]| {
            columns.iter().map(|(column, text)| ((*column).to_owned(), (*text).to_owned())).collect()
        };
        let heard = Heard::from([
            ("same".to_owned(), case(&[("one", "a\n"), ("apart", "a\n")])),
            ("other".to_owned(), case(&[("one", "a\n"), ("apart", "b\n")])),
            ("skipped".to_owned(), case(&[("one", "a\n")])),
        ]);

        let wrong = differences(&heard);

        assert_eq!(
            wrong,
            ["other: the answers are not the same", "skipped: not run apart, or it failed there"]
        );
        assert_eq!(differences(&Heard::new()).len(), 1, "silence is no success");
    }
}
