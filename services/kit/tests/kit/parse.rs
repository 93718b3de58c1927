//! Reading requests: every rule by a value it takes and a value it refuses.

use kit::parse::{Fields, VIOLATIONS_MAX};
use kit::{Id, Money};
use proto::common as pb;

fn refused<T>(read: impl FnOnce(&mut Fields) -> T) -> Vec<(String, String)> {
    let mut fields = Fields::new();
    read(&mut fields);
    let violations = fields.finish().err().unwrap_or_default();
    violations.into_iter().map(|violation| (violation.field, violation.description)).collect()
}

fn sentence<T>(read: impl FnOnce(&mut Fields) -> T) -> String {
    let violations = refused(read);
    assert_eq!(violations.len(), 1, "{violations:?}");
    violations[0].1.clone()
}

#[test]
fn everything_wrong_is_named_at_once_and_by_its_path() {
    let mut fields = Fields::new();
    let name = fields.text("name", "", 1..=10);
    let line: Option<Id<Money>> = fields.within("lines[1]", |fields| {
        fields.integer("quantity", 0, 1..=10);
        fields.within("product", |fields| fields.id("id", "nonsense"))
    });
    let after = fields.id::<Money>("after", "nonsense");

    let result = fields.build(|| Some((name?, line?, after?)));

    let paths: Vec<String> = result.unwrap_err().into_iter().map(|violation| violation.field).collect();
    assert_eq!(paths, ["name", "lines[1].quantity", "lines[1].product.id", "after"]);
}

#[test]
fn values_are_put_together_when_nothing_is_wrong() {
    let mut fields = Fields::new();
    let name = fields.text("name", "  Tea\u{a0}cosy ", 1..=10);
    let note = fields.prose("note", "two\nlines", 0..=20);
    let quantity = fields.integer("quantity", 3_i32, 1..=10);

    let (name, note, quantity) = fields.build(|| Some((name?, note?, quantity?))).unwrap();

    assert_eq!((name.as_str(), note.as_str(), quantity), ("Tea\u{a0}cosy", "two\nlines", 3));
}

#[test]
fn the_ids_of_a_batch_keep_their_order_and_count_once() {
    let (one, other) = (Id::<Money>::new(), Id::<Money>::new());
    let asked: Vec<String> = [other, one, other].iter().map(ToString::to_string).collect();
    let wrong = ["?".to_owned(), one.to_string(), String::new()];

    assert_eq!(Fields::new().ids("ids", &asked, 0..=3), Some(vec![other, one]));
    assert_eq!(Fields::new().ids::<Money>("ids", &[], 0..=3), Some(Vec::new()));
    assert_eq!(sentence(|fields| fields.ids::<Money>("ids", &[], 1..=3)), "must have 1 to 3 items, not 0");
    assert_eq!(sentence(|fields| fields.ids::<Money>("ids", &asked, 0..=2)), "must have 0 to 2 items, not 3");
    let paths = refused(|fields| fields.ids::<Money>("ids", &wrong, 0..=3)).into_iter().map(|(path, _)| path);
    assert_eq!(paths.collect::<Vec<_>>(), ["ids[0]", "ids[2]"]);
}

#[test]
fn an_etag_is_the_version_that_was_read_or_stands_for_whichever_there_is() {
    assert_eq!(Fields::new().etag("7"), Some(Some(7)));
    assert_eq!(Fields::new().etag(""), Some(None));
    let foreign = refused(|fields| fields.etag("W/\"7\""));
    assert_eq!(foreign, [("etag".to_owned(), "is not an etag of this service".to_owned())]);
}

#[test]
fn a_reader_that_refuses_without_a_word_fails_all_the_same() {
    let result = Fields::new().build(|| None::<()>);

    assert_eq!(result.unwrap_err().len(), 1);
}

#[test]
fn text_is_measured_in_characters_and_holds_no_control_characters() {
    assert!(refused(|fields| fields.text("t", "ééééé", 1..=5)).is_empty());
    assert!(refused(|fields| fields.text("t", "", 0..=5)).is_empty());
    assert_eq!(sentence(|fields| fields.text("t", "éééééé", 1..=5)), "must have 1 to 5 characters");
    assert_eq!(sentence(|fields| fields.text("t", "   ", 1..=5)), "is required");
    for hostile in ["a\0b", "a\nb", "a\u{1b}[31m", "a\u{85}b"] {
        assert_eq!(
            sentence(|fields| fields.text("t", hostile, 1..=9)),
            "must not contain control characters"
        );
    }
    assert_eq!(sentence(|fields| fields.prose("t", "a\0b", 1..=5)), "must not contain control characters");
}

#[test]
fn numbers_counts_and_presence_have_limits() {
    assert!(refused(|fields| fields.integer("n", i64::MAX, 0..=i64::MAX)).is_empty());
    assert_eq!(sentence(|fields| fields.integer("n", -1_i64, 0..=5)), "must be 0 to 5");
    assert_eq!(sentence(|fields| fields.count("l", 6, 1..=5)), "must have 1 to 5 items, not 6");
    assert_eq!(sentence(|fields| fields.present("p", None::<()>)), "is required");
    assert_eq!(sentence(|fields| fields.country("c", "gb")), "must be two capital letters of ISO 3166-1");
    assert!(refused(|fields| fields.country("c", "GB")).is_empty());
}

#[test]
fn an_enum_is_refused_when_unspecified_or_unknown() {
    let read = |value| {
        let mut fields = Fields::new();
        let choice = fields.choice::<pb::Reason>("reason", value);
        fields.build(|| choice).map_err(|violations| violations[0].description.clone())
    };

    assert_eq!(read(pb::Reason::Internal as i32), Ok(pb::Reason::Internal));
    assert_eq!(read(0).unwrap_err(), "is required");
    assert_eq!(read(-7).unwrap_err(), "is not a known value");
}

#[test]
fn money_is_refused_when_missing_negative_or_of_no_currency() {
    let read = |code: &str, minor_units| {
        let money = pb::Money { currency_code: code.to_owned(), minor_units };
        refused(|fields| fields.money("price", Some(&money)))
    };

    assert!(read("GBP", 0).is_empty());
    assert_eq!(read("GBP", -1)[0].0, "price.minor_units");
    assert_eq!(read("pounds", 1)[0].0, "price.currency_code");
    assert_eq!(refused(|fields| fields.money("price", None))[0].0, "price");
}

#[test]
fn times_are_refused_when_missing_or_outside_the_calendar() {
    let wrong = prost_types::Timestamp { seconds: 0, nanos: -1 };

    assert_eq!(sentence(|fields| fields.time("t", None)), "is required");
    assert!(sentence(|fields| fields.time("t", Some(&wrong))).starts_with("is not a time"));
}

#[test]
fn sentences_never_repeat_what_came_from_outside() {
    let secret = "hunter2-hunter2";
    let violations = refused(|fields| {
        fields.text("t", secret, 1..=3);
        fields.id::<Money>("i", secret);
        fields.currency("c", secret);
        fields.country("l", secret);
        fields.parsed::<Id<Money>>("p", secret);
    });

    assert_eq!(violations.len(), 5);
    assert!(violations.iter().all(|(_, sentence)| !sentence.contains("hunter2")));
}

#[test]
fn the_number_of_violations_is_limited() {
    let violations = refused(|fields| {
        for _ in 0..10_000 {
            fields.refuse("lines", "is wrong");
        }
    });

    assert_eq!(violations.len(), VIOLATIONS_MAX);
}
