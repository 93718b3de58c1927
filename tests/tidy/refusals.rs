//! What a service refuses: for a reason of its own contract or a common one, never for another's, never by hand.

use crate::none;
use crate::source::{Path, bare, paths, without_tests};
use crate::tree::{File, reasons, rust, services};

/// Who hands on what others refuse, whose, and why. Their reasons are answered as they are; the contract says where.
pub(crate) const HANDS_ON: [(&str, &[&str], &str); 1] = [(
    "orders",
    &["cart", "pricing"],
    "whoever buys can act on it: another way of shipping, a line less, a cart of his own",
)];

#[test]
fn a_reason_that_is_declared_is_answered_somewhere() {
    let mut violations = Vec::new();
    for service in services() {
        let source = sources(&[&format!("services/{service}/src")]);
        for (variant, name) in reasons(&service) {
            if !names_reason(&source, &variant) {
                violations
                    .push(format!("proto/shop/{service}/v1: REASON_{name} is declared and never answered"));
            }
        }
    }
    let mut folders = vec!["mesh/src".to_owned(), "services/kit/src".to_owned()];
    folders.extend(services().iter().map(|name| format!("services/{name}/src")));
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let source = sources(&folders);
    for (variant, name) in reasons("common") {
        if !names_reason(&source, &variant) {
            violations.push(format!("proto/shop/common/v1: REASON_{name} is declared and never answered"));
        }
    }
    none(violations);
}

#[test]
fn every_reason_is_heard_by_a_test() {
    let mut owners: Vec<(String, Vec<String>)> =
        services().into_iter().map(|name| (name.clone(), vec![format!("services/{name}/tests")])).collect();
    owners.push(("common".to_owned(), vec!["mesh/tests".to_owned(), "mesh/src".to_owned()]));
    let mut violations = Vec::new();
    for (package, folders) in owners {
        let heard: String = folders.iter().flat_map(|folder| rust(folder)).map(|file| file.text).collect();
        for (_, name) in reasons(&package) {
            if !heard.contains(&format!("\"{name}\"")) {
                violations.push(format!(
                    "proto/shop/{package}/v1: no test in {} is answered {name}",
                    folders.join(" or ")
                ));
            }
        }
    }
    none(violations);
}

#[test]
fn a_reason_is_never_spelt_by_hand() {
    let mut declared = reasons("common");
    for service in services() {
        declared.extend(reasons(&service));
    }
    let mut violations = Vec::new();
    for service in services() {
        for file in rust(&format!("services/{service}/src")) {
            let inside = file.path.trim_start_matches(&format!("services/{service}/src/"));
            // Rows and domains have words of their own, which may be the same ones.
            if !inside.starts_with("grpc") {
                continue;
            }
            for (_, name) in &declared {
                if file.text.contains(&format!("\"{name}\""))
                    || file.text.contains(&format!("\"REASON_{name}\""))
                {
                    violations.push(format!(
                        "{}: the reason {name} is spelt by hand, so the contract cannot hold it to its word",
                        file.path
                    ));
                }
            }
        }
    }
    none(violations);
}

#[test]
fn a_service_answers_its_own_reasons_and_the_common_ones_alone() {
    let services = services();
    let mut violations = Vec::new();
    for file in rust("").iter().filter(|file| file.is_source()) {
        let text = without_tests(&bare(&file.text));
        let inside = file.path.strip_prefix("services/").and_then(|rest| rest.split_once("/src/"));
        let wrong = match inside.filter(|(name, _)| services.iter().any(|service| service == name)) {
            Some((service, _)) => foreign(service, &text),
            // Stacks and edge know common reasons alone.
            None if text.contains("Problem::new(") => {
                vec!["only a service has reasons of its own".to_owned()]
            }
            None => Vec::new(),
        };
        violations.extend(wrong.into_iter().map(|wrong| format!("{}: {wrong}", file.path)));
    }
    none(violations);
}

#[test]
fn what_another_service_refuses_is_handed_on_by_those_that_say_so() {
    let mut violations = Vec::new();
    for service in services() {
        let answers = sources(&[&format!("services/{service}/src")]);
        let hands_on = answers.contains("*status");
        let says_so = HANDS_ON.iter().any(|(name, _, _)| *name == service);
        if hands_on && !says_so {
            violations.push(format!("services/{service}: it hands on another's status; see HANDS_ON"));
        }
        if says_so && !hands_on {
            violations.push(format!("HANDS_ON names {service}, which hands on nothing"));
        }
    }
    none(violations);
}

/// What in the shipped code of a service answers a reason that is neither its own nor a common one, or might.
fn foreign(service: &str, text: &str) -> Vec<String> {
    let found = paths(text);
    let mut wrong = Vec::new();
    for path in &found {
        let named = spelt_out(&path.segments, &found);
        match owner(&named) {
            None => {}
            Some(owner) if owner == service => {}
            Some("common") if path.import.as_deref() == Some("Reason") => {
                wrong.push(
                    "`Reason` is the service's own here: import the common one as CommonReason".to_owned(),
                );
            }
            Some("common") => {}
            Some(_) => wrong.push(format!("it may not answer {}", named.join("::"))),
        }
    }
    // `Problem::common` takes a common reason alone; everywhere else there are none.
    let apart: String = text
        .split("Problem::common(")
        .enumerate()
        .map(|(at, part)| if at == 0 { part } else { &part[arguments(part).len()..] })
        .collect();
    for path in paths(&apart).iter().filter(|path| path.import.is_none()) {
        if owner(&spelt_out(&path.segments, &found)) == Some("common") {
            wrong.push("a common reason is answered by Problem::common".to_owned());
        }
    }
    for (at, call) in text.match_indices("Problem::new(") {
        let arguments = parted(arguments(&text[at + call.len()..]));
        if arguments.get(1) != Some(&"NAME") {
            wrong.push("Problem::new takes the service's own NAME".to_owned());
        }
        let reason = arguments.get(2).and_then(|reason| reason.strip_suffix(".as_str_name()"));
        let own = match reason {
            Some("reason") => names_own(&text[..at]),
            Some(path) => path.rsplit("::").nth(1) == Some("Reason"),
            None => false,
        };
        if !own {
            let how = "Problem::new takes the name of a declared reason where it is called";
            wrong.push(format!("{how}: Reason::X.as_str_name()"));
        }
    }
    wrong
}

/// The package of a contract whose reasons, or whose one reason, a path names.
fn owner(path: &[String]) -> Option<&str> {
    let at = path.iter().position(|segment| segment == "Reason")?;
    match &path[..at] {
        [first, package] if first == "proto" => Some(package),
        _ => Some("somebody"),
    }
}

/// A path as it is written without imports.
fn spelt_out(path: &[String], found: &[Path]) -> Vec<String> {
    /// Nobody renames so often; a name that imports itself must not run in a circle.
    const RENAMED_MAX: usize = 8;
    let mut path = path.to_vec();
    for _ in 0..RENAMED_MAX {
        let import = found.iter().find(|import| import.import.as_ref() == path.first());
        let Some(import) = import else { break };
        path.splice(..1, import.segments.iter().cloned());
    }
    path
}

/// Is the last thing that was called `reason` one of the service's own?
fn names_own(before: &str) -> bool {
    let bound = whole_words(before, "reason").last();
    bound.is_some_and(|at| whole_words(&before[at..], "Reason").next().is_some())
}

/// Where a word stands by itself.
fn whole_words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let (before, after) = (&text[..*at], &text[at + word.len()..]);
        !before.ends_with(is_word) && !after.starts_with(is_word)
    })
}

/// What stands before the bracket that ends a call.
fn arguments(call: &str) -> &str {
    let mut open = 1;
    let end = call.find(|letter| {
        open += i32::from(letter == '(') - i32::from(letter == ')');
        open == 0
    });
    &call[..end.unwrap_or(call.len())]
}

/// The arguments of a call one by one.
fn parted(arguments: &str) -> Vec<&str> {
    let mut open = 0;
    let parts = arguments.split(|letter| {
        open += i32::from(matches!(letter, '(' | '[' | '{')) - i32::from(matches!(letter, ')' | ']' | '}'));
        open == 0 && letter == ','
    });
    parts.map(str::trim).collect()
}

/// The shipped code of some folders, without what only their tests name.
fn sources(folders: &[&str]) -> String {
    folders
        .iter()
        .flat_map(|folder| rust(folder))
        .filter(File::is_source)
        .map(|file| without_tests(&bare(&file.text)))
        .collect()
}

/// Is `Reason::Variant` named, whatever comes before `Reason` and whatever follows?
fn names_reason(source: &str, variant: &str) -> bool {
    let wanted = format!("Reason::{variant}");
    source.match_indices(&wanted).any(|(at, _)| {
        let next = source[at + wanted.len()..].chars().next();
        !next.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    })
}

#[test]
fn a_reason_is_found_by_its_whole_name() {
    assert!(names_reason("problem(pb::Reason::OrderShipped)", "OrderShipped"));
    assert!(names_reason("CommonReason::TokenInvalid", "TokenInvalid"));
    assert!(!names_reason("Reason::OrderShippedTwice", "OrderShipped"));
    assert_eq!(arguments("NAME, f(a, b()), c), d.as_str_name()"), "NAME, f(a, b()), c");
    assert_eq!(parted("NAME, f(a, b()), c"), ["NAME", "f(a, b())", "c"]);
    assert!(!reasons("common").is_empty());
    let (variant, name) = &reasons("common")[0];
    assert_eq!((variant.as_str(), name.as_str()), ("InvalidFields", "INVALID_FIELDS"));
}

#[test]
fn a_reason_of_its_own_is_known_under_any_name() {
    for source in [
        "use proto::cart::Reason; let p = |c, reason: Reason| Problem::new(c, NAME, reason.as_str_name(), w());",
        "use proto::cart as pb; use pb::Reason; fn p(reason: Reason) { Problem::new(c, NAME, reason.as_str_name(), w) }",
        "use proto::cart as pb; Problem::new(f(a, b), NAME, pb::Reason::LineLimit.as_str_name(), w)",
        "Problem::new(c, NAME, proto::cart::Reason::LineLimit.as_str_name(), w)",
        "use proto::common::Reason as CommonReason; Problem::common(c(), CommonReason::Overloaded, w)",
    ] {
        assert_eq!(foreign("cart", source), Vec::<String>::new(), "{source}");
    }
}

#[test]
fn a_reason_of_another_is_seen_under_any_name() {
    for source in [
        "use proto::orders::Reason; let p = |c, reason: Reason| Problem::new(c, NAME, reason.as_str_name(), w);",
        "use proto::orders as pb; Problem::new(c, NAME, pb::Reason::OrderShipped.as_str_name(), w)",
        "use proto::{cart as pb, orders::Reason as Why}; Why::OrderShipped",
        "use super::*; Problem::new(c, NAME, pb::Reason::LineLimit.as_str_name(), w)",
        // Another's domain, or a name that no contract has.
        "use proto::cart::Reason; Problem::new(c, pricing::NAME, Reason::LineLimit.as_str_name(), w)",
        "use proto::cart::Reason; Problem::new(c, NAME, words(Reason::LineLimit), w)",
        // Another enumeration.
        "use proto::cart as pb; Problem::new(c, NAME, pb::WarningKind::Dropped.as_str_name(), w)",
        "fn p(reason: pb::DeclineReason) { Problem::new(c, NAME, reason.as_str_name(), w) }",
        // A common reason under the domain of a service.
        "use proto::common::Reason; let p = |reason: Reason| Problem::new(c, NAME, reason.as_str_name(), w);",
        "use proto::common::Reason as CommonReason; p(CommonReason::Overloaded)",
    ] {
        assert!(!foreign("cart", source).is_empty(), "{source}");
    }
}
