//! The domain's values as messages.

use kit::time;
use proto::inventory as pb;
use sea_orm::DbErr;

use crate::domain::{Kind, Reservation, State};
use crate::store::entity::{LocationRow, MovementRow, StockRow};

pub fn stock(row: StockRow) -> pb::Stock {
    pb::Stock {
        sku: row.sku,
        received: row.received,
        available: row.available,
        reserved: row.reserved,
        sold: row.sold,
        version: row.version,
        etag: row.version.to_string(),
        update_time: Some(time::to_proto(row.updated)),
        location_id: row.location_id.map(|place| place.to_string()).unwrap_or_default(),
    }
}

pub fn location(row: LocationRow) -> pb::Location {
    pb::Location { id: row.id.to_string(), display_name: row.display_name, is_default: row.is_default }
}

pub fn reservation(reservation: Reservation) -> pb::Reservation {
    let line = |line: crate::domain::Line| pb::StockLine { sku: line.sku, quantity: line.quantity };
    pb::Reservation {
        id: reservation.id.to_string(),
        state: state(reservation.state).into(),
        lines: reservation.lines.into_iter().map(line).collect(),
        expire_time: Some(time::to_proto(reservation.expires)),
    }
}

pub fn movement(row: MovementRow) -> Result<pb::Movement, DbErr> {
    Ok(pb::Movement {
        kind: kind(row.kind()?).into(),
        id: row.id.to_string(),
        sku: row.sku,
        location_id: row.location_id.to_string(),
        received_delta: row.received_delta,
        available_delta: row.available_delta,
        reserved_delta: row.reserved_delta,
        sold_delta: row.sold_delta,
        actor: row.actor,
        reason: row.reason,
        occur_time: Some(time::to_proto(row.occurred)),
        stock_version: row.stock_version,
    })
}

fn state(state: State) -> pb::ReservationState {
    match state {
        State::Held => pb::ReservationState::Held,
        State::Confirmed => pb::ReservationState::Confirmed,
        State::Released => pb::ReservationState::Released,
        State::Expired => pb::ReservationState::Expired,
    }
}

fn kind(kind: Kind) -> pb::MovementKind {
    match kind {
        Kind::Received => pb::MovementKind::Received,
        Kind::WrittenOff => pb::MovementKind::WrittenOff,
        Kind::Counted => pb::MovementKind::Counted,
        Kind::Reserved => pb::MovementKind::Reserved,
        Kind::Released => pb::MovementKind::Released,
        Kind::Expired => pb::MovementKind::Expired,
        Kind::Sold => pb::MovementKind::Sold,
        Kind::Returned => pb::MovementKind::Returned,
        Kind::ReturnWrittenOff => pb::MovementKind::ReturnWrittenOff,
    }
}
