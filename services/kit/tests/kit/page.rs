//! Pages: sizes, tokens, and tokens that were tampered with.

use kit::{Page, PageError, PageLimits};
use proptest::prelude::*;
use proto::common as pb;

const LIMITS: PageLimits = PageLimits { default: 20, max: 100 };

fn list(currency_code: &str) -> pb::Money {
    pb::Money { currency_code: currency_code.to_owned(), minor_units: 0 }
}

fn page(size: i32, token: &str) -> Result<Page, PageError> {
    Page::parse(size, token, &list("GBP"), LIMITS)
}

#[test]
fn sizes_are_defaulted_capped_and_never_negative() {
    for (asked, given) in [(0, Ok(20)), (1, Ok(1)), (100, Ok(100)), (101, Ok(100)), (i32::MAX, Ok(100))] {
        assert_eq!(page(asked, "").map(|page| page.size), given, "{asked}");
    }
    assert_eq!(page(-1, "").unwrap_err(), PageError::Size);
    assert_eq!(page(i32::MIN, "").unwrap_err(), PageError::Size);
}

#[test]
fn a_token_leads_to_where_it_was_given() {
    let keys = vec!["2026-11-20".to_owned(), "näme \"with\" , anything".to_owned()];
    let token = page(10, "").unwrap().token(&keys);

    let next = page(50, &token).unwrap();

    assert_eq!(next.after, Some(keys));
    assert_eq!(next.size, 50);
}

#[test]
fn a_token_works_for_no_other_arguments_and_no_other_list() {
    let token = page(10, "").unwrap().token(&["a".to_owned()]);

    let other_filter = Page::parse(10, &token, &list("EUR"), LIMITS);
    // Encodes to the same bytes as `list("GBP")`, but is another request.
    let other_list =
        Page::parse(10, &token, &pb::Sealed { key_id: "GBP".to_owned(), ciphertext: vec![] }, LIMITS);

    assert_eq!(other_filter.unwrap_err(), PageError::Token);
    assert_eq!(other_list.unwrap_err(), PageError::Token);
}

#[test]
fn what_is_no_token_is_refused() {
    let long = "A".repeat(100_000);
    for token in ["x", "====", "bnVsbA", "e30", "W10", "\u{0}", "ключ", &long] {
        assert_eq!(page(10, token).unwrap_err(), PageError::Token, "{token:.10}");
    }
    let keys = vec![String::new(); 9];
    let too_many = page(10, "").unwrap().token(&keys);
    assert_eq!(page(10, &too_many).unwrap_err(), PageError::Token);
}

#[test]
fn there_is_a_next_token_exactly_when_there_is_more() {
    let page = page(3, "").unwrap();
    let keys = |number: &u32| vec![number.to_string()];

    let none = page.listed(vec![], keys);
    let all = page.listed(vec![1, 2, 3], keys);
    let more = page.listed(vec![1, 2, 3, 4], keys).map(|number| number * 10);

    assert_eq!(page.fetch_limit(), 4);
    assert_eq!((none.items.len(), none.next_page_token.as_str()), (0, ""));
    assert_eq!((all.items, all.next_page_token.as_str()), (vec![1, 2, 3], ""));
    assert_eq!((more.items, more.next_page_token), (vec![10, 20, 30], page.token(&["3".to_owned()])));
}

proptest! {
    #[test]
    fn no_token_makes_the_reader_panic(token in ".{0,80}") {
        let _ = page(10, &token);
    }

    #[test]
    fn a_changed_token_never_turns_into_another_list_s(position in 0_usize..200, letter in "[A-Za-z0-9_-]") {
        let token = page(10, "").unwrap().token(&["key".to_owned()]);
        let mut changed = token.clone();
        let position = position % token.len();
        changed.replace_range(position..=position, &letter);

        // Keys may be changed by hand, they are no secret and no right; but the reader must stay sound.
        if let Ok(page) = page(10, &changed) {
            prop_assert_eq!(page.after.unwrap().len(), 1);
        }
    }
}
