//! Stock as four figures that always add up, and reservations as promises of it.

use kit::{Id, Timestamp};

pub type LocationId = Id<Place>;
pub type ReservationId = Id<Reservation>;

/// The place that reservations take from; the migration makes it.
pub fn default_location() -> LocationId {
    "00000000-0000-7000-8000-000000000001".parse().unwrap_or_else(|_| LocationId::new())
}

/// One place's stock of one SKU. `available + reserved + sold = received`, and none is below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What ever came in, less what was written off.
    pub received: i64,
    pub available: i64,
    pub reserved: i64,
    pub sold: i64,
}

/// One place's stock of one SKU at one moment, or the sum over all places.
#[derive(Clone, Debug, PartialEq)]
pub struct Stock {
    pub sku: String,
    /// Nothing in a sum.
    pub location: Option<LocationId>,
    pub figures: Figures,
    /// Grows by one with every change.
    pub version: i64,
    pub updated: Timestamp,
}

/// A place where stock lies.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub id: LocationId,
    pub name: String,
    pub is_default: bool,
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Movement {
    pub id: Id<Movement>,
    pub sku: String,
    pub location: LocationId,
    pub kind: Kind,
    pub change: Figures,
    pub cause: Cause,
    pub stock_version: i64,
}

/// Who moves stock, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    pub actor: String,
    pub reason: String,
    pub now: Timestamp,
}

/// What staff say about one SKU in one place.
#[derive(Clone, Debug)]
pub struct Adjustment {
    pub sku: String,
    pub location: LocationId,
    pub change: Change,
    /// The version that was read, if the change holds for that one only.
    pub etag: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// Came in, or is written off.
    Delta(i64),
    /// So many are available now.
    Count(i64),
}

/// Why stock moves. Each moves a quantity from one figure to another, or in or out of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Received,
    WrittenOff,
    /// A count found more or fewer than the row said; the quantity may be negative.
    Counted,
    Reserved,
    Released,
    Expired,
    Sold,
    Returned,
    ReturnWrittenOff,
}

/// A promise of stock to one checkout.
#[derive(Clone, Debug, PartialEq)]
pub struct Reservation {
    pub id: ReservationId,
    pub state: State,
    pub lines: Vec<Line>,
    pub expires: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub sku: String,
    pub quantity: i64,
    /// Of what was sold, what came back.
    pub returned: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Held,
    Confirmed,
    Released,
    Expired,
}

/// What is available of a SKU that was asked for more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    pub sku: String,
    pub available: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is not enough stock")]
    InsufficientStock(Vec<Shortage>),
    #[error("the reservation is {}", .0.as_str())]
    ReservationClosed(State),
    #[error("more is returned than was sold and not returned before")]
    ReturnExceedsSale { sku: String, open: i64 },
}

impl Figures {
    /// The figures after a movement; nothing when one would fall below zero or beyond what can be counted.
    pub fn moved(self, kind: Kind, quantity: i64) -> Option<Figures> {
        let change = kind.change(quantity);
        let moved = Figures {
            received: self.received.checked_add(change.received)?,
            available: self.available.checked_add(change.available)?,
            reserved: self.reserved.checked_add(change.reserved)?,
            sold: self.sold.checked_add(change.sold)?,
        };
        let all = [moved.received, moved.available, moved.reserved, moved.sold];
        all.iter().all(|figure| *figure >= 0).then_some(moved)
    }
}

impl Kind {
    pub const ALL: [Kind; 9] = [
        Kind::Received,
        Kind::WrittenOff,
        Kind::Counted,
        Kind::Reserved,
        Kind::Released,
        Kind::Expired,
        Kind::Sold,
        Kind::Returned,
        Kind::ReturnWrittenOff,
    ];

    /// How each figure changes when this happens to a quantity. The changes keep the equation.
    pub fn change(self, quantity: i64) -> Figures {
        let back = quantity.saturating_neg();
        let none = Figures::default();
        match self {
            Kind::Received | Kind::Counted => Figures { received: quantity, available: quantity, ..none },
            Kind::WrittenOff => Figures { received: back, available: back, ..none },
            Kind::Reserved => Figures { available: back, reserved: quantity, ..none },
            Kind::Released | Kind::Expired => Figures { available: quantity, reserved: back, ..none },
            Kind::Sold => Figures { reserved: back, sold: quantity, ..none },
            Kind::Returned => Figures { available: quantity, sold: back, ..none },
            Kind::ReturnWrittenOff => Figures { received: back, sold: back, ..none },
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Received => "received",
            Kind::WrittenOff => "written_off",
            Kind::Counted => "counted",
            Kind::Reserved => "reserved",
            Kind::Released => "released",
            Kind::Expired => "expired",
            Kind::Sold => "sold",
            Kind::Returned => "returned",
            Kind::ReturnWrittenOff => "return_written_off",
        }
    }

    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl State {
    pub const ALL: [State; 4] = [State::Held, State::Confirmed, State::Released, State::Expired];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Held => "held",
            State::Confirmed => "confirmed",
            State::Released => "released",
            State::Expired => "expired",
        }
    }

    pub fn named(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl Change {
    /// The movement that an adjustment means; none where the count is right.
    pub fn movement(self, available: i64) -> Option<(Kind, i64)> {
        let (kind, quantity) = match self {
            Change::Delta(delta) if delta >= 0 => (Kind::Received, delta),
            Change::Delta(delta) => (Kind::WrittenOff, delta.saturating_neg()),
            Change::Count(count) => (Kind::Counted, count.saturating_sub(available)),
        };
        (quantity != 0).then_some((kind, quantity))
    }
}

/// What a command does to a reservation's stock: this kind of movement to every line, or nothing because it was
/// done before.
pub type Moves = Option<Kind>;

impl Reservation {
    /// A held promise of these lines; a SKU that stands twice counts with its sum, and lines stand in the order of
    /// their SKUs, which is the order in which rows are locked.
    pub fn hold(
        id: ReservationId,
        lines: impl IntoIterator<Item = (String, i64)>,
        expires: Timestamp,
    ) -> Self {
        let mut summed = std::collections::BTreeMap::<String, i64>::new();
        for (sku, quantity) in lines {
            let sum = summed.entry(sku).or_default();
            *sum = sum.saturating_add(quantity);
        }
        let lines = summed.into_iter().map(|(sku, quantity)| Line { sku, quantity, returned: 0 });
        Self { id, state: State::Held, lines: lines.collect(), expires }
    }

    /// A promise of nothing, so that none is made under its id any more.
    pub fn closed(id: ReservationId, now: Timestamp) -> Self {
        Self { id, state: State::Released, lines: Vec::new(), expires: now }
    }

    /// Whether the same was asked for.
    pub fn promises_the_same(&self, other: &Reservation) -> bool {
        let asked = |reservation: &Reservation| -> Vec<(String, i64)> {
            reservation.lines.iter().map(|line| (line.sku.clone(), line.quantity)).collect()
        };
        asked(self) == asked(other)
    }

    /// Reserved becomes sold.
    pub fn confirm(&mut self) -> Result<Moves, Refusal> {
        match self.state {
            State::Held => Ok(self.end(State::Confirmed, Kind::Sold)),
            State::Confirmed => Ok(None),
            State::Released | State::Expired => Err(Refusal::ReservationClosed(self.state)),
        }
    }

    /// Reserved becomes available again.
    pub fn release(&mut self) -> Result<Moves, Refusal> {
        match self.state {
            State::Held => Ok(self.end(State::Released, Kind::Released)),
            State::Released | State::Expired => Ok(None),
            State::Confirmed => Err(Refusal::ReservationClosed(self.state)),
        }
    }

    /// The time is over.
    pub fn expire(&mut self, now: Timestamp) -> Moves {
        match self.state {
            State::Held if self.expires <= now => self.end(State::Expired, Kind::Expired),
            _ => None,
        }
    }

    /// Some of what was sold comes back.
    pub fn take_back(&mut self, returns: &[(String, i64)]) -> Result<(), Refusal> {
        if self.state != State::Confirmed {
            return Err(Refusal::ReservationClosed(self.state));
        }
        for (sku, quantity) in returns {
            let line = self.lines.iter_mut().find(|line| line.sku == *sku);
            let open = line.as_ref().map_or(0, |line| line.quantity - line.returned);
            match line {
                Some(line) if *quantity <= open => line.returned += quantity,
                _ => return Err(Refusal::ReturnExceedsSale { sku: sku.clone(), open }),
            }
        }
        Ok(())
    }

    fn end(&mut self, state: State, kind: Kind) -> Moves {
        self.state = state;
        Some(kind)
    }
}

#[cfg(test)]
mod tests;
