//! Rows, and how they turn into stock, reservations and movements.

use kit::{Id, Timestamp};
use sea_orm::{DbErr, FromQueryResult};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{Cause, Figures, Kind, Line, Movement, Place, Reservation, State, Stock};

/// One place's stock of one SKU, or the sum over all places.
#[derive(Clone, Debug, PartialEq, FromQueryResult, Serialize, Deserialize)]
pub struct StockRow {
    pub sku: String,
    /// Nothing in a sum.
    pub location_id: Option<Uuid>,
    pub received: i64,
    pub available: i64,
    pub reserved: i64,
    pub sold: i64,
    pub version: i64,
    pub updated: Timestamp,
}

impl StockRow {
    pub fn figures(&self) -> Figures {
        Figures {
            received: self.received,
            available: self.available,
            reserved: self.reserved,
            sold: self.sold,
        }
    }

    /// The row after a movement.
    pub fn with(self, figures: Figures, now: Timestamp) -> Self {
        Self {
            received: figures.received,
            available: figures.available,
            reserved: figures.reserved,
            sold: figures.sold,
            version: self.version.saturating_add(1),
            updated: now,
            ..self
        }
    }
}

impl From<StockRow> for Stock {
    fn from(row: StockRow) -> Self {
        Self {
            figures: row.figures(),
            sku: row.sku,
            location: row.location_id.map(Id::from_uuid),
            version: row.version,
            updated: row.updated,
        }
    }
}

#[derive(Clone, Debug, FromQueryResult)]
pub struct ReservationRow {
    pub id: Uuid,
    pub state: String,
    pub expires: Timestamp,
}

#[derive(Clone, Debug, FromQueryResult)]
pub struct LineRow {
    pub sku: String,
    pub quantity: i64,
    pub returned: i64,
}

impl ReservationRow {
    pub fn reservation(self, lines: Vec<LineRow>) -> Result<Reservation, DbErr> {
        let malformed = || DbErr::Type(format!("reservation {} is malformed", self.id));
        let line = |row: LineRow| Line { sku: row.sku, quantity: row.quantity, returned: row.returned };
        Ok(Reservation {
            id: Id::from_uuid(self.id),
            state: State::named(&self.state).ok_or_else(malformed)?,
            lines: lines.into_iter().map(line).collect(),
            expires: self.expires,
        })
    }
}

/// A reservation as an answer is kept.
#[derive(Serialize, Deserialize)]
pub struct KeptReservation {
    id: Uuid,
    state: String,
    lines: Vec<(String, i64, i64)>,
    expires: Timestamp,
}

impl From<&Reservation> for KeptReservation {
    fn from(reservation: &Reservation) -> Self {
        let lines = reservation.lines.iter();
        Self {
            id: reservation.id.as_uuid(),
            state: reservation.state.as_str().to_owned(),
            lines: lines.map(|line| (line.sku.clone(), line.quantity, line.returned)).collect(),
            expires: reservation.expires,
        }
    }
}

impl KeptReservation {
    pub fn reservation(self) -> Result<Reservation, DbErr> {
        let row = ReservationRow { id: self.id, state: self.state, expires: self.expires };
        let line = |(sku, quantity, returned)| LineRow { sku, quantity, returned };
        row.reservation(self.lines.into_iter().map(line).collect())
    }
}

#[derive(Clone, Debug, FromQueryResult)]
pub struct MovementRow {
    pub id: Uuid,
    pub sku: String,
    pub location_id: Uuid,
    pub kind: String,
    pub received_delta: i64,
    pub available_delta: i64,
    pub reserved_delta: i64,
    pub sold_delta: i64,
    pub actor: String,
    pub reason: String,
    pub occurred: Timestamp,
    pub stock_version: i64,
}

impl TryFrom<MovementRow> for Movement {
    type Error = DbErr;

    fn try_from(row: MovementRow) -> Result<Self, DbErr> {
        let malformed = || DbErr::Type(format!("movement {} is malformed", row.id));
        Ok(Self {
            kind: Kind::named(&row.kind).ok_or_else(malformed)?,
            id: Id::from_uuid(row.id),
            sku: row.sku,
            location: Id::from_uuid(row.location_id),
            change: Figures {
                received: row.received_delta,
                available: row.available_delta,
                reserved: row.reserved_delta,
                sold: row.sold_delta,
            },
            cause: Cause { actor: row.actor, reason: row.reason, now: row.occurred },
            stock_version: row.stock_version,
        })
    }
}

#[derive(Clone, Debug, FromQueryResult)]
pub struct LocationRow {
    pub id: Uuid,
    pub display_name: String,
    pub is_default: bool,
}

impl From<LocationRow> for Place {
    fn from(row: LocationRow) -> Self {
        Self { id: Id::from_uuid(row.id), name: row.display_name, is_default: row.is_default }
    }
}
