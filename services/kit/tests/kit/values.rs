//! Ids, currencies, money and time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kit::{Clock, Currency, Id, Money, MoneyError, time};
use proptest::prelude::*;
use proto::common as pb;

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn pounds(pence: i64) -> Money {
    Money::new(currency("GBP"), pence)
}

#[test]
fn an_id_has_one_spelling() {
    let id: Id<Money> = Id::new();
    let text = id.to_string();

    assert_eq!(text.parse::<Id<Money>>().unwrap(), id);
    assert_eq!(text.to_uppercase().parse::<Id<Money>>().unwrap().to_string(), text);
    assert_eq!(format!("{id:?}"), text);
    for other in
        ["", "x", &text.replace('-', ""), &format!("{{{text}}}"), &format!("urn:uuid:{text}"), &text[1..]]
    {
        assert!(other.parse::<Id<Money>>().is_err(), "{other}");
    }
    assert!("é".repeat(18).parse::<Id<Money>>().is_err());
}

#[test]
fn later_ids_sort_later() {
    let ids: Vec<Id<Money>> = (0..1_000).map(|_| Id::new()).collect();

    assert!(ids.is_sorted());
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn an_id_survives_json_from_any_kind_of_input() {
    let id: Id<Money> = Id::new();
    let json = serde_json::to_string(&id).unwrap();

    assert_eq!(serde_json::from_str::<Id<Money>>(&json).unwrap(), id);
    assert_eq!(serde_json::from_reader::<_, Id<Money>>(json.as_bytes()).unwrap(), id);
    assert!(serde_json::from_str::<Id<Money>>("\"nonsense\"").is_err());
}

#[test]
fn currencies_know_their_decimal_places() {
    for (code, exponent) in
        [("GBP", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("ZWG", 2), ("AED", 2)]
    {
        assert_eq!(currency(code).exponent(), exponent, "{code}");
        assert_eq!(currency(code).as_str(), code);
    }
    for unknown in ["", " ", "gbp", "GB", "GBPP", "XXX", "AED AFN", "ÄÖÜ", "CRC CUP"] {
        assert!(unknown.parse::<Currency>().is_err(), "{unknown}");
    }
}

#[test]
fn decimal_text_is_read_exactly_or_refused() {
    let table = [
        ("19.99", "GBP", Ok(1999)),
        ("19.9", "GBP", Ok(1990)),
        ("19", "GBP", Ok(1900)),
        ("-0.05", "GBP", Ok(-5)),
        ("0", "GBP", Ok(0)),
        ("007.10", "GBP", Ok(710)),
        ("19.9900", "GBP", Ok(1999)),
        ("500", "JPY", Ok(500)),
        ("500.00", "JPY", Ok(500)),
        ("1.234", "KWD", Ok(1234)),
        ("92233720368547758.07", "GBP", Ok(i64::MAX)),
        ("-92233720368547758.08", "GBP", Ok(i64::MIN)),
        ("92233720368547758.08", "GBP", Err(MoneyError::Overflow)),
        ("99999999999999999999999999999999", "GBP", Err(MoneyError::Overflow)),
        ("999999999999999999999999999999999", "GBP", Err(MoneyError::Malformed)),
        ("19.999", "GBP", Err(MoneyError::Malformed)),
        ("0.5", "JPY", Err(MoneyError::Malformed)),
        ("", "GBP", Err(MoneyError::Malformed)),
        (".", "GBP", Err(MoneyError::Malformed)),
        (".5", "GBP", Err(MoneyError::Malformed)),
        ("5.", "GBP", Err(MoneyError::Malformed)),
        ("-", "GBP", Err(MoneyError::Malformed)),
        ("--1", "GBP", Err(MoneyError::Malformed)),
        ("+1", "GBP", Err(MoneyError::Malformed)),
        ("1e3", "GBP", Err(MoneyError::Malformed)),
        ("1,000.00", "GBP", Err(MoneyError::Malformed)),
        ("1.2.3", "GBP", Err(MoneyError::Malformed)),
        ("٣", "GBP", Err(MoneyError::Malformed)),
        (" 1", "GBP", Err(MoneyError::Malformed)),
        ("1.-5", "GBP", Err(MoneyError::Malformed)),
    ];
    for (text, code, expected) in table {
        let read = Money::parse_decimal(text, currency(code)).map(|money| money.minor_units());
        assert_eq!(read, expected, "{text} {code}");
    }
}

#[test]
fn money_never_wraps_and_never_mixes_currencies() {
    let yen = Money::new(currency("JPY"), 1);

    assert_eq!(pounds(2).add(pounds(3)), Ok(pounds(5)));
    assert_eq!(pounds(2).sub(pounds(3)), Ok(pounds(-1)));
    assert_eq!(pounds(2).times(3), Ok(pounds(6)));
    assert_eq!(pounds(i64::MAX).add(pounds(1)), Err(MoneyError::Overflow));
    assert_eq!(pounds(i64::MIN).sub(pounds(1)), Err(MoneyError::Overflow));
    assert_eq!(pounds(i64::MIN).times(-1), Err(MoneyError::Overflow));
    assert!(matches!(pounds(1).add(yen), Err(MoneyError::CurrencyMismatch { .. })));
    assert_eq!(Money::sum(currency("GBP"), []), Ok(pounds(0)));
    assert_eq!(Money::sum(currency("GBP"), [pounds(1), pounds(2)]), Ok(pounds(3)));
    assert!(Money::sum(currency("GBP"), [pounds(1), yen]).is_err());
}

#[test]
fn the_contracts_money_is_refused_when_its_currency_is_unknown() {
    let wire = pb::Money { currency_code: "gbp".to_owned(), minor_units: 1 };

    assert!(matches!(Money::try_from(&wire), Err(MoneyError::UnknownCurrency(_))));
    assert_eq!(Money::try_from(pb::Money::from(pounds(1999))), Ok(pounds(1999)));
    assert_eq!(pounds(1999).to_string(), "19.99 GBP");
}

proptest! {
    #[test]
    fn decimal_text_reads_back_as_the_same_amount(units: i64, code in prop::sample::select(vec!["GBP", "JPY", "KWD", "CLF"])) {
        let money = Money::new(currency(code), units);

        prop_assert_eq!(Money::parse_decimal(&money.to_decimal(), currency(code)), Ok(money));
    }

    #[test]
    fn no_text_makes_the_readers_panic(text in ".{0,40}") {
        let _ = Money::parse_decimal(&text, currency("GBP"));
        let _ = text.parse::<Currency>();
        let _ = text.parse::<Id<Money>>();
    }

    #[test]
    fn times_read_back_from_the_contract(seconds in -62_135_596_800_i64..=253_402_300_799, micros in 0_u32..1_000_000) {
        let time: DateTime<Utc> = DateTime::from_timestamp(seconds, micros * 1_000).unwrap();

        prop_assert_eq!(time::from_proto(&time::to_proto(time)), Some(time));
    }

    #[test]
    fn no_time_of_the_contract_makes_the_reader_panic(seconds: i64, nanos: i32) {
        let _ = time::from_proto(&prost_types::Timestamp { seconds, nanos });
    }
}

#[test]
fn times_outside_the_calendar_are_refused() {
    for (seconds, nanos) in
        [(253_402_300_800, 0), (-62_135_596_801, 0), (0, -1), (0, 1_000_000_000), (i64::MAX, 0)]
    {
        assert_eq!(time::from_proto(&prost_types::Timestamp { seconds, nanos }), None, "{seconds} {nanos}");
    }
}

#[test]
fn a_fixed_clock_moves_only_when_told_and_takes_its_clones_along() {
    let start = time::truncate(DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap());
    let clock = Clock::fixed(start);
    let clone = clock.clone();

    clone.advance(Duration::from_micros(1_500_000));

    assert_eq!(start.timestamp_subsec_nanos(), 123_456_000);
    assert_eq!(clock.now(), start + Duration::from_micros(1_500_000));
    clone.advance(Duration::MAX);
    let _ = clock.now();
}

#[test]
fn the_systems_clock_gives_whole_microseconds_and_goes_forward() {
    let times: Vec<_> = (0..1_000).map(|_| Clock::system().now()).collect();

    assert!(times.iter().all(|time| time.timestamp_subsec_nanos() % 1_000 == 0));
    assert!(times.is_sorted());
}
