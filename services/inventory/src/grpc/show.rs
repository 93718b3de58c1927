//! The domain's values as messages.

use kit::time;
use proto::inventory as pb;

use crate::domain::{Figures, Kind, Line, Movement, Place, Reservation, State, Stock};

pub fn stock(stock: Stock) -> pb::Stock {
    let Figures { received, available, reserved, sold } = stock.figures;
    pb::Stock {
        sku: stock.sku,
        received,
        available,
        reserved,
        sold,
        version: stock.version,
        etag: stock.version.to_string(),
        update_time: Some(time::to_proto(stock.updated)),
        location_id: stock.location.map(|place| place.to_string()).unwrap_or_default(),
    }
}

pub fn location(place: Place) -> pb::Location {
    pb::Location { id: place.id.to_string(), display_name: place.name, is_default: place.is_default }
}

pub fn reservation(reservation: Reservation) -> pb::Reservation {
    let line = |line: Line| pb::StockLine { sku: line.sku, quantity: line.quantity };
    pb::Reservation {
        id: reservation.id.to_string(),
        state: state(reservation.state).into(),
        lines: reservation.lines.into_iter().map(line).collect(),
        expire_time: Some(time::to_proto(reservation.expires)),
    }
}

pub fn movement(movement: Movement) -> pb::Movement {
    pb::Movement {
        id: movement.id.to_string(),
        sku: movement.sku,
        location_id: movement.location.to_string(),
        kind: kind(movement.kind).into(),
        received_delta: movement.change.received,
        available_delta: movement.change.available,
        reserved_delta: movement.change.reserved,
        sold_delta: movement.change.sold,
        actor: movement.cause.actor,
        reason: movement.cause.reason,
        occur_time: Some(time::to_proto(movement.cause.now)),
        stock_version: movement.stock_version,
    }
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
