//! What the contract says in words: whoever calls a method reads what it refuses, and for which reason.

use crate::none;
use crate::refusals::HANDS_ON;
use crate::tree::{files, read, reasons, services};

/// A method and what is said above it.
struct Method {
    name: String,
    said: String,
    /// Is it more than a read?
    effect: bool,
}

#[test]
fn every_method_with_an_effect_says_what_it_refuses() {
    let mut violations = Vec::new();
    for service in services() {
        for method in methods(&contract(&service)) {
            if method.effect && !method.said.contains("Refused") {
                violations
                    .push(format!("proto/shop/{service}/v1: {} does not say what it refuses", method.name));
            }
        }
    }
    none(violations);
}

#[test]
fn every_reason_is_named_where_it_is_answered() {
    let mut violations = Vec::new();
    for service in services() {
        let text = contract(&service);
        let mut said = above(text.split("\nservice ").next().unwrap_or_default());
        said.extend(methods(&text).into_iter().map(|method| method.said));
        let said = said.join(" ");
        for (_, name) in reasons(&service) {
            if !loud_words(&said).any(|word| word == name) {
                violations.push(format!("proto/shop/{service}/v1: no method says that it answers {name}"));
            }
        }
    }
    none(violations);
}

#[test]
fn a_method_names_only_reasons_that_it_may_answer() {
    let mut violations = Vec::new();
    for service in services() {
        let text = contract(&service);
        let theirs = HANDS_ON.iter().find(|(name, _, _)| *name == service).map_or(&[][..], |(_, of, _)| *of);
        let packages = [service.as_str(), "common"].into_iter().chain(theirs.iter().copied());
        let answered: Vec<String> = packages.flat_map(reasons).map(|(_, name)| name).collect();
        // States are as loud, and are no reasons.
        let stands = |word: &str| {
            text.contains(&format!("_{word} = ")) && !text.contains(&format!("REASON_{word} = "))
        };
        for method in methods(&text) {
            for word in loud_words(&method.said).filter(|word| word.contains('_')) {
                if !answered.iter().any(|name| name == word) && !stands(word) {
                    violations.push(format!("proto/shop/{service}/v1: {} names {word}", method.name));
                }
            }
        }
    }
    none(violations);
}

#[test]
fn whoever_hands_on_what_another_refuses_says_so() {
    let mut violations = Vec::new();
    for (service, theirs, _) in HANDS_ON {
        let methods = methods(&contract(service));
        for upstream in theirs {
            let words = format!("what {upstream}'s ");
            if !methods.iter().any(|method| method.said.contains(&words)) {
                violations.push(format!("proto/shop/{service}/v1: no method says: {words}… refuses"));
            }
        }
    }
    none(violations);
}

/// The contract of a service, in one text.
fn contract(service: &str) -> String {
    files(&format!("proto/shop/{service}/v1"), ".proto").iter().map(|path| read(path)).collect()
}

/// The methods of a contract.
fn methods(text: &str) -> Vec<Method> {
    let parts: Vec<&str> = text.split("\n  rpc ").collect();
    let method = |pair: &[&str]| {
        let (name, _) = pair[1].split_once('(').expect("a method takes something");
        let (_, level) = pair[1].split_once("idempotency_level = ").expect("the build wants it");
        Method {
            name: name.to_owned(),
            said: above(pair[0]).join(" "),
            effect: !level.starts_with("NO_SIDE_EFFECTS"),
        }
    };
    parts.windows(2).map(method).collect()
}

/// The lines of the comment that a text ends with.
fn above(text: &str) -> Vec<String> {
    let lines = text.lines().rev().map_while(|line| line.trim_start().strip_prefix("//"));
    let mut lines: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    lines.reverse();
    lines
}

/// Words in capitals: names of reasons and states.
fn loud_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_').filter(|word| word.len() > 1)
}

#[test]
fn a_method_is_read_with_what_is_said_above_it() {
    let text = "// Owns.\nservice S {\n  // Does it. Refused: an odd one\n  // (ODD_ONE).\n  rpc Do(DoRequest) returns (DoResponse) {\n    option idempotency_level = IDEMPOTENT;\n  }\n  // Looks.\n  rpc Look(L) returns (M) {\n    option idempotency_level = NO_SIDE_EFFECTS;\n  }\n}\n";

    let found = methods(text);

    let read: Vec<(&str, &str, bool)> =
        found.iter().map(|method| (method.name.as_str(), method.said.as_str(), method.effect)).collect();
    assert_eq!(read, [("Do", "Does it. Refused: an odd one (ODD_ONE).", true), ("Look", "Looks.", false)]);
    assert_eq!(loud_words(&found[0].said).collect::<Vec<_>>(), ["ODD_ONE"]);
}
