//! Ids, times and secrets differ from run to run: each gets a name by the order in which it is first seen. The name says in
//! which form it stood there, since two stores may differ in that, too.

use std::collections::HashMap;

use regex::{Captures, Regex};

/// Of the shortest secret, in base 64: longer than any word.
const SECRET_LENGTH: usize = 43;

/// The same texts, with names in place of what no two runs share.
pub fn renamed(texts: &[String]) -> String {
    let mut names = Names { ids: HashMap::new(), secrets: HashMap::new() };
    let renamed: Vec<String> = texts.iter().map(|text| names.rename(text)).collect();
    renamed.join("\n") + "\n"
}

struct Names {
    ids: HashMap<String, usize>,
    secrets: HashMap<String, usize>,
}

impl Names {
    fn rename(&mut self, text: &str) -> String {
        let time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)";
        let text = replaced(text, time, |found| Some(format!("<time{}>", form_of_time(found))));
        let date = r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000";
        let text = replaced(&text, date, |_| Some("<time>".to_owned()));
        // In development the edge says which calls it made, in the order in which they ended, and how long they took.
        let text = replaced(&text, r#""calls":\[[^\]]*\],|,"totalMs":[0-9.]+"#, |_| Some(String::new()));
        let text = replaced(&text, r"http://127\.0\.0\.1:\d+", |_| Some("<address>".to_owned()));
        let text = replaced(&text, r"\bS-[0-9A-Z]{10}\b", |found| {
            Some(format!("<number {}>", numbered(&mut self.secrets, found.to_owned())))
        });
        // One id may be written with dashes and without; so it has one number in two forms.
        let id = r"(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b[0-9a-f]{16,}\b";
        let text = replaced(&text, &id.replace(r"\b", r"(?:\b|_)"), |found| {
            let bare = found.to_lowercase().replace(['-', '_'], "");
            let prefix = if found.starts_with('_') { "_" } else { "" };
            let form = if found.contains('-') { " dashed" } else { "" };
            Some(format!("{prefix}<id {}{form}>", numbered(&mut self.ids, bare)))
        });
        replaced(&text, r"[A-Za-z0-9_+/.-]{20,}={0,2}", |found| {
            let has = |kind: fn(&char) -> bool| found.chars().any(|letter| kind(&letter));
            // Words of the contract and of its texts are in one case, or without digits; but of so long a secret, one in
            // 1,500 has no digit either.
            let mixed = has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase);
            let secret = mixed && (has(char::is_ascii_digit) || found.len() >= SECRET_LENGTH);
            secret.then(|| format!("<secret {}>", numbered(&mut self.secrets, found.to_owned())))
        })
    }
}

/// The zone as it is written, and whether there is anything finer than a microsecond, which no store keeps. How many digits
/// there are above that follows from the value, and differs from run to run.
fn form_of_time(time: &str) -> String {
    let (date, zone) = match time.strip_suffix('Z') {
        Some(date) => (date, "Z"),
        None => time.split_at(time.len() - "+00:00".len()),
    };
    let digits = date.split_once('.').map_or(0, |(_, digits)| digits.len());
    let finer = if digits > 6 { " finer than microseconds" } else { "" };
    format!(" {zone}{finer}")
}

fn numbered(known: &mut HashMap<String, usize>, value: String) -> usize {
    let next = known.len() + 1;
    *known.entry(value).or_insert(next)
}

fn replaced(text: &str, pattern: &str, mut name: impl FnMut(&str) -> Option<String>) -> String {
    let pattern = Regex::new(pattern).unwrap();
    let named = |found: &Captures| name(&found[0]).unwrap_or_else(|| found[0].to_owned());
    pattern.replace_all(text, named).into_owned()
}

#[test]
fn what_is_the_same_has_one_name_and_what_differs_has_two() {
    let heard = |one: &str, other: &str| {
        renamed(&[
            format!(r#"{{"id":"order_{one}","at":"2026-01-01T00:00:00Z"}}"#),
            format!(r#"{{"id":"order_{one}","other":"order_{other}","token":"aB3{one}xyz"}}"#),
        ])
    };
    let (one, other) = ("0190a1b2c3d47e5f8a9b0c1d2e3f4a5b", "0290a1b2c3d47e5f8a9b0c1d2e3f4a5b");

    assert_eq!(heard(one, other), heard(other, one));
    assert_ne!(heard(one, one), heard(one, other));
    assert_eq!(renamed(&["aBc/".repeat(11)]), "<secret 1>\n");
    let plain = r#"{"code":"IDEMPOTENCY_KEY_REUSED","handle":"a-mug-with-a-long-name","count":12}"#;
    assert_eq!(renamed(&[plain.to_owned()]), format!("{plain}\n"));
}

#[test]
fn a_time_keeps_its_zone_and_what_is_finer_than_a_store_keeps() {
    let named = |time: &str| renamed(&[format!("at {time}.")]);

    for time in ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.120Z", "2026-01-01T00:00:00.120001Z"] {
        assert_eq!(named(time), "at <time Z>.\n");
    }
    assert_eq!(named("2026-01-01T00:00:00.120+00:00"), "at <time +00:00>.\n");
    assert_eq!(named("2026-01-01T02:00:00+02:00"), "at <time +02:00>.\n");
    assert_eq!(named("2026-01-01T00:00:00.120001002Z"), "at <time Z finer than microseconds>.\n");
}

#[test]
fn an_id_keeps_its_dashes_and_its_number() {
    let id = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
    let heard = [format!("{id} order_{}", id.replace('-', "")), id.to_uppercase()];

    assert_eq!(renamed(&heard), "<id 1 dashed> order_<id 1>\n<id 1 dashed>\n");
}
