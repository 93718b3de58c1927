//! The only file that knows the tables.

pub mod entity;
pub mod migration;
mod moving;
mod reading;
pub mod verify;

use std::collections::BTreeSet;

use kit::{
    Database, Once, OnceTx, ROWS_PER_STATEMENT_MAX, RequestKey, Timestamp, Tx, execute, for_update, query,
    tuples,
};
use sea_orm::{ConnectionTrait, FromQueryResult, Value};
use uuid::Uuid;

use self::entity::{KeptReservation, ReservationRow, StockRow};
use self::moving::{Move, apply, lock, make_rows};
use crate::domain::{
    Adjustment, Cause, Kind, Line, LocationId, Moves, Refusal, Reservation, ReservationId, Stock,
    default_location,
};
use crate::error::Error;

#[derive(Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Applies all adjustments or none, and answers the rows in their order.
    pub async fn adjust(
        &self,
        key: &RequestKey,
        adjustments: &[Adjustment],
        cause: &Cause,
    ) -> Result<Vec<Stock>, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(stocks(answer.rows()?)),
            Once::First(tx) => tx,
        };
        let keys: Vec<_> = adjustments.iter().map(|one| (one.sku.clone(), one.location)).collect();
        let locations: BTreeSet<LocationId> = keys.iter().map(|(_, location)| *location).collect();
        for location in locations {
            self.require_location(&tx, location).await?;
        }
        make_rows(&tx, &keys, cause.now).await?;
        let mut rows = lock(&tx, &keys).await?;
        let mut moves = Vec::new();
        for one in adjustments {
            let row = rows.get(&(one.sku.clone(), one.location.as_uuid())).ok_or(Error::Conflict)?;
            if one.etag.is_some_and(|etag| etag != row.version) {
                return Err(Error::Conflict);
            }
            let of = |(kind, quantity)| Move { sku: one.sku.clone(), location: one.location, kind, quantity };
            moves.extend(one.change.movement(row.available).map(of));
        }
        for changed in apply(&tx, &moves, cause).await? {
            rows.insert((changed.sku.clone(), changed.location_id.unwrap_or_default()), changed);
        }
        let after = |one: &Adjustment| rows.get(&(one.sku.clone(), one.location.as_uuid())).cloned();
        let answer: Vec<StockRow> = adjustments.iter().filter_map(after).collect();
        tx.keep(&answer).await?;
        tx.commit().await?;
        Ok(stocks(answer))
    }

    /// Reserves all lines or none. The same promise asked for again is the one there is.
    pub async fn reserve(
        &self,
        key: &RequestKey,
        wanted: Reservation,
        cause: &Cause,
    ) -> Result<Reservation, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<KeptReservation>()?.reservation()?),
            Once::First(tx) => tx,
        };
        if let Some(there) = find(&tx, wanted.id).await? {
            if !there.promises_the_same(&wanted) {
                return Err(Refusal::ReservationClosed(there.state).into());
            }
            return self.answer(tx, there).await;
        }
        apply(&tx, &all(&wanted, Kind::Reserved), cause).await?;
        insert(&tx, &wanted).await?;
        self.answer(tx, wanted).await
    }

    /// Sells what is reserved.
    pub async fn confirm(
        &self,
        key: &RequestKey,
        id: ReservationId,
        cause: &Cause,
    ) -> Result<Reservation, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<KeptReservation>()?.reservation()?),
            Once::First(tx) => tx,
        };
        let confirmed = change(&tx, id, cause, |reservation| Ok(reservation.confirm()?)).await?;
        self.answer(tx, confirmed).await
    }

    /// Gives back what is reserved. A promise that nobody has made is closed all the same: one that was asked for before
    /// and comes late must not take anything after all.
    pub async fn release(
        &self,
        key: &RequestKey,
        id: ReservationId,
        cause: &Cause,
    ) -> Result<Reservation, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<KeptReservation>()?.reservation()?),
            Once::First(tx) => tx,
        };
        let released = match change(&tx, id, cause, |reservation| Ok(reservation.release()?)).await {
            Err(Error::ReservationNotFound(_)) => {
                let closed = Reservation::closed(id, cause.now);
                insert(&tx, &closed).await?;
                closed
            }
            released => released?,
        };
        self.answer(tx, released).await
    }

    /// Takes back some of what a reservation sold.
    pub async fn take_back(
        &self,
        key: &RequestKey,
        id: ReservationId,
        lines: &[(String, i64)],
        kind: Kind,
        cause: &Cause,
    ) -> Result<Vec<Stock>, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(stocks(answer.rows()?)),
            Once::First(tx) => tx,
        };
        change(&tx, id, cause, |reservation| {
            reservation.take_back(lines)?;
            Ok(None)
        })
        .await?;
        let mut moves: Vec<Move> = lines.iter().map(|(sku, quantity)| step(sku, *quantity, kind)).collect();
        moves.sort_by(|one, other| one.sku.cmp(&other.sku));
        let rows = apply(&tx, &moves, cause).await?;
        tx.keep(&rows).await?;
        tx.commit().await?;
        Ok(stocks(rows))
    }

    /// Held reservations whose time is over, the longest overdue first.
    pub async fn overdue(&self, now: Timestamp, limit: u64) -> Result<Vec<ReservationId>, Error> {
        let sql =
            "SELECT id FROM reservations WHERE state = 'held' AND expires <= $1 ORDER BY expires LIMIT $2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = query(self.database.read(), sql, [now.into(), limit.into()]).await?;
        let ids = rows.iter().map(|row| row.try_get::<Uuid>("", "id").map(kit::Id::from_uuid));
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Ends a reservation whose time is over; somebody else may have done it in between.
    pub async fn expire(&self, id: ReservationId, cause: &Cause) -> Result<(), Error> {
        let tx = self.database.begin().await?;
        change(&tx, id, cause, |reservation| Ok(reservation.expire(cause.now))).await?;
        Ok(tx.commit().await?)
    }

    async fn answer(&self, tx: OnceTx, reservation: Reservation) -> Result<Reservation, Error> {
        tx.keep(&KeptReservation::from(&reservation)).await?;
        tx.commit().await?;
        Ok(reservation)
    }

    async fn require_location(&self, tx: &Tx, location: LocationId) -> Result<(), Error> {
        let sql = "SELECT 1 FROM locations WHERE id = $1";
        match query(tx, sql, [location.as_uuid().into()]).await?.is_empty() {
            true => Err(Error::LocationNotFound(location)),
            false => Ok(()),
        }
    }
}

fn stocks(rows: Vec<StockRow>) -> Vec<Stock> {
    rows.into_iter().map(Stock::from).collect()
}

fn all(reservation: &Reservation, kind: Kind) -> Vec<Move> {
    reservation.lines.iter().map(|line| step(&line.sku, line.quantity, kind)).collect()
}

fn step(sku: &str, quantity: i64, kind: Kind) -> Move {
    Move { sku: sku.to_owned(), location: default_location(), kind, quantity }
}

async fn change(
    tx: &Tx,
    id: ReservationId,
    cause: &Cause,
    decide: impl FnOnce(&mut Reservation) -> Result<Moves, Error>,
) -> Result<Reservation, Error> {
    let before = find(tx, id).await?.ok_or(Error::ReservationNotFound(id))?;
    let mut reservation = before.clone();
    let moves = decide(&mut reservation)?;
    if reservation == before {
        return Ok(reservation);
    }
    // The state that was read is part of the condition: two processes that expire and confirm at once cannot both win.
    let sql = "UPDATE reservations SET state = $2, expires = $3 WHERE id = $1 AND state = $4";
    let values = [
        id.as_uuid().into(),
        reservation.state.as_str().into(),
        reservation.expires.into(),
        before.state.as_str().into(),
    ];
    if execute(tx, sql, values).await? == 0 {
        return Err(Error::Conflict);
    }
    write_returns(tx, &before, &reservation).await?;
    if let Some(kind) = moves {
        apply(tx, &all(&reservation, kind), cause).await?;
    }
    Ok(reservation)
}

/// Writes what came back of each line since `before`.
async fn write_returns(tx: &Tx, before: &Reservation, after: &Reservation) -> Result<(), Error> {
    let lines = after.lines.iter().zip(&before.lines);
    let returned: Vec<&Line> =
        lines.filter(|(line, was)| line.returned != was.returned).map(|(line, _)| line).collect();
    for lines in returned.chunks(ROWS_PER_STATEMENT_MAX) {
        let sql = format!(
            "WITH q (sku, returned) AS (VALUES {}) UPDATE reservation_lines SET returned = q.returned FROM q
             WHERE reservation_lines.reservation_id = ${} AND reservation_lines.sku = q.sku",
            tuples(tx.get_database_backend(), lines.len(), &["text", "bigint"]),
            lines.len() * 2 + 1
        );
        let of = |line: &&Line| -> [Value; 2] { [line.sku.clone().into(), line.returned.into()] };
        let values = lines.iter().flat_map(of).chain(std::iter::once(after.id.as_uuid().into()));
        execute(tx, &sql, values).await?;
    }
    Ok(())
}

async fn insert(tx: &Tx, reservation: &Reservation) -> Result<(), Error> {
    let id = reservation.id.as_uuid();
    let sql = "INSERT INTO reservations (id, state, expires) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    let values = [id.into(), reservation.state.as_str().into(), reservation.expires.into()];
    if execute(tx, sql, values).await? == 0 {
        // Made or closed by somebody else in this very moment.
        return Err(Error::Conflict);
    }
    for lines in reservation.lines.chunks(ROWS_PER_STATEMENT_MAX) {
        let tuples: Vec<String> =
            (0..lines.len()).map(|at| format!("($1, ${}, ${}, 0)", at * 2 + 2, at * 2 + 3)).collect();
        let sql = format!(
            "INSERT INTO reservation_lines (reservation_id, sku, quantity, returned) VALUES {}",
            tuples.join(", ")
        );
        let of = |line: &Line| [line.sku.clone().into(), line.quantity.into()];
        execute(tx, &sql, std::iter::once(id.into()).chain(lines.iter().flat_map(of))).await?;
    }
    Ok(())
}

/// The reservation, with its row locked where several may write.
async fn find(tx: &Tx, id: ReservationId) -> Result<Option<Reservation>, Error> {
    let suffix = for_update(tx.get_database_backend());
    let sql = format!("SELECT * FROM reservations WHERE id = $1{suffix}");
    let Some(row) = query(tx, &sql, [id.as_uuid().into()]).await?.into_iter().next() else {
        return Ok(None);
    };
    let lines = reading::lines(tx, id).await?;
    Ok(Some(ReservationRow::from_query_result(&row, "")?.reservation(lines)?))
}
