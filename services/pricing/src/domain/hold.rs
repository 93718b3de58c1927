//! Uses of codes, held for a checkout: who holds them, and what may become of them.

use super::{CheckoutId, Code, Customer, Refusal};

/// What a hold has come to. Uses count while it is held and for ever once it is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Held,
    Committed,
    Released,
    Expired,
}

/// Why a checkout's codes are not held: what became of them, or that they never were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    By(State),
    Unknown,
}

/// The uses that one checkout holds, all or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub checkout: CheckoutId,
    /// Without repeats, in alphabetical order.
    pub codes: Vec<Code>,
    /// Nobody when it was released before it was ever held.
    pub customer: Option<Customer>,
    pub state: State,
}

impl Hold {
    /// Asked for again: the same answer for the same codes and customer, as long as they are held.
    pub fn again(&self, codes: &[Code], customer: &Customer) -> Result<(), Refusal> {
        let same = self.codes == codes && self.customer.as_ref() == Some(customer);
        match self.state {
            State::Held | State::Committed if same => Ok(()),
            state => Err(Refusal::HoldClosed(Closed::By(state))),
        }
    }
}

impl State {
    pub const ALL: [State; 4] = [State::Held, State::Committed, State::Released, State::Expired];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Held => "held",
            State::Committed => "committed",
            State::Released => "released",
            State::Expired => "expired",
        }
    }

    pub fn named(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Do its uses count?
    pub fn counts(self) -> bool {
        matches!(self, State::Held | State::Committed)
    }

    /// The order exists. A hold that nobody has ended yet may still be committed, however late.
    pub fn commit(self) -> Result<State, Refusal> {
        match self {
            State::Held | State::Committed => Ok(State::Committed),
            State::Released | State::Expired => Err(Refusal::HoldClosed(Closed::By(self))),
        }
    }

    /// The order will not be, or is no more.
    pub fn release(self) -> State {
        match self {
            State::Held | State::Committed | State::Released => State::Released,
            State::Expired => State::Expired,
        }
    }

    /// Its time is over.
    pub fn expire(self) -> State {
        match self {
            State::Held => State::Expired,
            State::Committed | State::Released | State::Expired => self,
        }
    }
}

impl Closed {
    pub fn as_str(self) -> &'static str {
        match self {
            Closed::By(State::Held) => "HELD",
            Closed::By(State::Committed) => "COMMITTED",
            Closed::By(State::Released) => "RELEASED",
            Closed::By(State::Expired) => "EXPIRED",
            Closed::Unknown => "UNKNOWN",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

    use super::*;

    // Lower case is the next state, upper case the state that the refusal names.
    const TABLE: &str = "
                    again       other       commit      release     expire
        held        held        HELD        committed   released    expired
        committed   committed   COMMITTED   committed   released    committed
        released    RELEASED    RELEASED    RELEASED    released    released
        expired     EXPIRED     EXPIRED     EXPIRED     expired     expired";

    fn code(text: &str) -> Code {
        Code::of_discount(text).unwrap()
    }

    fn after(state: State, command: &str) -> String {
        let customer = Customer::read(&format!("account:{}", CheckoutId::new())).unwrap();
        let codes = vec![code("ONE"), code("TWO")];
        let hold = Hold { checkout: CheckoutId::new(), codes, customer: Some(customer.clone()), state };
        let next = match command {
            "again" => hold.again(&[code("ONE"), code("TWO")], &customer).map(|()| state),
            "other" => hold.again(&[code("ONE")], &customer).map(|()| state),
            "commit" => state.commit(),
            "release" => Ok(state.release()),
            "expire" => Ok(state.expire()),
            other => panic!("{other}"),
        };
        match next {
            Ok(next) => next.as_str().to_owned(),
            Err(Refusal::HoldClosed(closed)) => closed.as_str().to_owned(),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn every_state_answers_every_command() {
        let mut rows = TABLE.lines().filter(|line| !line.trim().is_empty());
        let commands: Vec<&str> = rows.next().unwrap().split_whitespace().collect();
        let mut tried = 0;
        for (row, state) in rows.zip(State::ALL) {
            let mut cells = row.split_whitespace();
            assert_eq!(State::named(cells.next().unwrap()), Some(state));
            for (cell, command) in cells.zip(&commands) {
                assert_eq!(after(state, command), cell, "{command} when {}", state.as_str());
                tried += 1;
            }
        }
        assert_eq!(tried, 20);
    }

    #[test]
    fn another_customer_does_not_take_over_a_hold() {
        let one = Customer::read(&format!("email:{}", "a".repeat(64))).unwrap();
        let other = Customer::read(&format!("email:{}", "b".repeat(64))).unwrap();
        let hold = Hold {
            checkout: CheckoutId::new(),
            codes: vec![code("ONE")],
            customer: Some(one),
            state: State::Held,
        };

        assert!(hold.again(&[code("ONE")], &other).is_err());
    }
}
