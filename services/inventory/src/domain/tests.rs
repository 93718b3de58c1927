//! Every state against every command, and figures under random movements.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use chrono::TimeDelta;
use kit::Clock;
use proptest::prelude::*;

use super::*;

const TABLE: &str = "
              confirm    release    expire     take_back
    held      confirmed  released   expired    HELD
    confirmed confirmed  CONFIRMED  confirmed  confirmed
    released  RELEASED   released   released   RELEASED
    expired   EXPIRED    expired    expired    EXPIRED
";

#[test]
fn every_state_answers_every_command_as_the_table_says() {
    let mut rows = TABLE.lines().filter(|line| !line.trim().is_empty());
    let commands: Vec<&str> = rows.next().unwrap().split_whitespace().collect();
    let mut tried = 0;

    for row in rows {
        let mut cells = row.split_whitespace();
        let state = State::named(cells.next().unwrap()).unwrap();
        for (command, expected) in commands.iter().zip(cells) {
            let mut reservation = Reservation { state, ..held() };
            let answer = match obey(&mut reservation, command) {
                Ok(()) => reservation.state.as_str().to_owned(),
                Err(Refusal::ReservationClosed(state)) => state.as_str().to_uppercase(),
                Err(other) => other.to_string(),
            };
            assert_eq!(answer, expected, "{command} on {state:?}");
            tried += 1;
        }
    }
    assert_eq!(tried, 16);
}

#[test]
fn a_sku_that_stands_twice_counts_with_its_sum() {
    let lines = [("B".to_owned(), 1), ("A".to_owned(), 2), ("B".to_owned(), 3)];
    let reservation = Reservation::hold(ReservationId::new(), lines, Clock::system().now());
    let summed: Vec<_> = reservation.lines.iter().map(|line| (line.sku.as_str(), line.quantity)).collect();
    assert_eq!(summed, [("A", 2), ("B", 4)]);
}

#[test]
fn no_more_comes_back_than_was_sold() {
    let mut reservation = Reservation { state: State::Confirmed, ..held() };
    reservation.take_back(&[("A".to_owned(), 2)]).unwrap();
    let refused = reservation.take_back(&[("A".to_owned(), 2)]);
    assert_eq!(refused, Err(Refusal::ReturnExceedsSale { sku: "A".to_owned(), open: 1 }));
}

proptest! {
    #[test]
    fn every_movement_keeps_the_equation_or_is_refused(
        steps in prop::collection::vec((0..9_usize, -50..50_i64), 0..200)
    ) {
        let mut figures = Figures::default();
        for (kind, quantity) in steps {
            if let Some(moved) = figures.moved(Kind::ALL[kind], quantity) {
                figures = moved;
            }
            prop_assert_eq!(figures.available + figures.reserved + figures.sold, figures.received);
            prop_assert!(figures.available >= 0 && figures.reserved >= 0 && figures.sold >= 0);
        }
    }

    #[test]
    fn no_quantity_overflows(quantity in any::<i64>(), kind in 0..9_usize) {
        let full = Figures { received: i64::MAX, available: i64::MAX, reserved: 0, sold: 0 };
        let _ = full.moved(Kind::ALL[kind], quantity);
        let _ = Figures::default().moved(Kind::ALL[kind], quantity);
    }
}

fn held() -> Reservation {
    Reservation::hold(ReservationId::new(), [("A".to_owned(), 3)], Clock::system().now())
}

fn obey(reservation: &mut Reservation, command: &str) -> Result<(), Refusal> {
    let later = reservation.expires + TimeDelta::seconds(1);
    match command {
        "confirm" => reservation.confirm().map(drop),
        "release" => reservation.release().map(drop),
        "expire" => {
            reservation.expire(later);
            Ok(())
        }
        _ => reservation.take_back(&[("A".to_owned(), 1)]),
    }
}
