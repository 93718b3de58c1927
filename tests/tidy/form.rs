//! Lengths, budgets and habits.

use crate::none;
use crate::source::{bare, code_lines, functions, without_tests};
use crate::tree::{File, files, read, rust};

/// A file that is longer splits by noun. A service's behaviour in sentences may be longer than code.
const FILE_LINES_MAX: usize = 400;
const TEST_FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const RECORD_LINES_MAX: usize = 40;

/// Files that were longer when the rule came, with the lines they may have: fewer with time, never more.
const LONGER_FILES: [(&str, usize); 0] = [];

/// Functions that were longer, by file and name, likewise.
const LONGER_FUNCTIONS: [(&str, &str, usize); 0] = [];

/// What a part may weigh without tests and without adapters. A budget that is passed is a question about design, not a number to raise.
const BUDGETS: [(&str, usize); 5] = [
    ("services/kit/src", 1500),
    ("mesh/src", 2500),
    ("mesh/news/src", 800),
    ("observability/src", 700),
    ("src/main.rs", 200),
];

/// Files that speak with one product of the outer world, and with which. Each is weighed by its own length alone.
const ADAPTERS: [(&str, &str); 8] = [
    ("mesh/src/certificates.rs", "TLS"),
    ("mesh/src/serve/linkerd.rs", "Linkerd"),
    ("mesh/news/src/rabbitmq.rs", "RabbitMQ"),
    ("mesh/news/src/rabbitmq/consumer.rs", "RabbitMQ"),
    ("mesh/news/src/rabbitmq/dead.rs", "RabbitMQ"),
    ("mesh/news/src/rabbitmq/publisher.rs", "RabbitMQ"),
    ("mesh/news/src/stream.rs", "Redis"),
    ("observability/src/otlp.rs", "a collector of OTLP"),
];

/// Parts that were heavier when the rule came, with what they may weigh: less with time, never more.
const HEAVIER: [(&str, usize); 0] = [];

/// Who may read the environment, and why.
const READERS: [(&str, &str); 5] = [
    ("src/config", "the one place of the shop's own settings"),
    ("proto/build.rs", "cargo tells a build script where to write"),
    ("services/kit/src/testing.rs", "tests learn of a PostgreSQL server"),
    ("xtask/", "it is a tool of development"),
    ("tests/", "tests learn what is at hand"),
];

#[test]
fn a_file_fits_in_the_head() {
    let mut violations = Vec::new();
    let files = rust("");
    for file in &files {
        let lines = file.text.lines().count();
        let rule = if file.is_source() { FILE_LINES_MAX } else { TEST_FILE_LINES_MAX };
        let longer = LONGER_FILES.iter().find(|(path, _)| *path == file.path);
        let most = longer.map_or(rule, |(_, lines)| *lines);
        if lines > most {
            violations.push(format!("{}: {lines} lines, at most {most}; split it by noun", file.path));
        }
        if longer.is_some() && lines <= rule {
            violations.push(format!("{}: short enough now; take it off LONGER_FILES", file.path));
        }
    }
    for (path, _) in LONGER_FILES {
        if !files.iter().any(|file| file.path == path) {
            violations.push(format!("LONGER_FILES names {path}, which is gone"));
        }
    }
    none(violations);
}

#[test]
fn a_function_fits_on_a_screen() {
    let mut violations = Vec::new();
    let mut longer: Vec<(&str, &str, usize)> = LONGER_FUNCTIONS.to_vec();
    for file in rust("") {
        for function in functions(&bare(&file.text)) {
            let known =
                longer.iter().position(|(path, name, _)| *path == file.path && *name == function.name);
            if function.lines <= FUNCTION_LINES_MAX {
                continue;
            }
            // What stays on the list at the end is short by now.
            let most = known.map_or(FUNCTION_LINES_MAX, |at| longer.swap_remove(at).2);
            if function.lines > most {
                violations.push(format!(
                    "{}:{}: {} has {} lines, at most {most}",
                    file.path, function.line, function.name, function.lines
                ));
            }
        }
    }
    for (path, name, _) in longer {
        violations.push(format!("{path}: {name} is short enough now or gone; take it off LONGER_FUNCTIONS"));
    }
    none(violations);
}

#[test]
fn a_part_keeps_within_its_budget() {
    let mut violations = Vec::new();
    for (place, most) in BUDGETS {
        let parts = if place.ends_with(".rs") {
            vec![File { path: place.to_owned(), text: read(place) }]
        } else {
            rust(place)
        };
        let lines: usize =
            parts.iter().filter(|file| is_weighed(file)).map(|file| code_lines(&file.text)).sum();
        let heavier = HEAVIER.iter().find(|(heavy, _)| *heavy == place);
        let limit = heavier.map_or(most, |(_, lines)| *lines);
        if heavier.is_some() && lines <= most {
            violations.push(format!("{place}: light enough now; take it off HEAVIER"));
        }
        if lines > limit {
            violations.push(format!("{place}: {lines} lines of code without tests, at most {limit}"));
        }
    }
    none(violations);
}

fn is_weighed(file: &File) -> bool {
    let adapter = ADAPTERS.iter().any(|(path, _)| *path == file.path);
    file.is_source() && !adapter
}

#[test]
fn every_module_says_what_it_is_for() {
    let mut violations = Vec::new();
    for file in rust("") {
        // Attributes may stand first, and a crate may take its README.
        let said = file
            .text
            .lines()
            .map(str::trim_start)
            .take_while(|line| line.is_empty() || line.starts_with("//") || line.starts_with("#!"))
            .any(|line| line.starts_with("//!") || line.starts_with("#![doc"));
        if !said {
            violations.push(format!("{}: it does not begin with `//!`", file.path));
        }
    }
    none(violations);
}

#[test]
fn a_decision_is_one_page_with_the_decision_as_its_title() {
    let mut violations = Vec::new();
    for path in files("docs/decisions", ".md") {
        let text = read(&path);
        let lines = text.lines().count();
        if lines > RECORD_LINES_MAX {
            violations.push(format!("{path}: {lines} lines, at most {RECORD_LINES_MAX}"));
        }
        let titles = text.lines().filter(|line| line.starts_with("# ")).count();
        if titles != 1 || !text.starts_with("# ") {
            violations.push(format!("{path}: it has not one title on its first line"));
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        if !name.starts_with(|letter: char| letter.is_ascii_digit()) || name.find('-') != Some(4) {
            violations.push(format!("{path}: its name is not NNNN-the-decision.md"));
        }
    }
    none(violations);
}

#[test]
fn the_environment_is_read_in_one_place() {
    let mut violations = Vec::new();
    for file in rust("") {
        let allowed = READERS.iter().any(|(place, _)| file.path.starts_with(place)) || !file.is_source();
        for (number, line) in without_tests(&bare(&file.text)).lines().enumerate() {
            if !allowed && (line.contains("env::var") || line.contains("env::vars")) {
                violations.push(format!(
                    "{}:{}: settings are read in src/config.rs and handed down",
                    file.path,
                    number + 1
                ));
            }
        }
    }
    none(violations);
}

#[test]
fn there_is_no_macro_of_our_own() {
    none(lines_with(|line| line.contains("macro_rules!")));
}

#[test]
fn a_test_is_a_sentence_and_always_runs() {
    none(lines_with(|line| {
        let line = line.trim();
        line.starts_with("#[ignore") || line.starts_with("#[should_panic") || line.contains("fn test_")
    }));
}

/// The lines of Rust that a rule forbids.
fn lines_with(forbidden: fn(&str) -> bool) -> Vec<String> {
    let mut violations = Vec::new();
    for file in rust("") {
        for (number, line) in bare(&file.text).lines().enumerate() {
            if forbidden(line) {
                violations.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    violations
}
