//! Requests into values of the domain.

use std::collections::HashSet;

use chrono::TimeDelta;
use kit::Timestamp;
use kit::parse::{BATCH_MAX, Fields};
use mesh::status::Problem;
use proto::inventory as pb;

use crate::domain::{Adjustment, Change, Reservation, ReservationId, default_location};

pub const SKU_LENGTH_MAX: usize = 100;
const WATCHED_MAX: usize = 250;
const ADJUSTMENTS_MAX: usize = 1_000;
const LINES_MAX: usize = 1_200;
const QUANTITY_MAX: i64 = 10_000;
/// A figure of one SKU, far above any warehouse and far below an overflow.
const COUNT_MAX: i64 = 1_000_000_000_000;
const HOLD_TIME_MAX: TimeDelta = TimeDelta::hours(24);

type Parsed<T> = Result<T, Problem>;

pub fn reservation_id(value: &str) -> Parsed<ReservationId> {
    let mut fields = Fields::new();
    let id = fields.id("reservation_id", value);
    fields.build(|| id).map_err(Problem::invalid)
}

/// SKUs in the order asked; one that stands twice counts once.
pub fn batch(skus: &[String]) -> Parsed<Vec<String>> {
    distinct(skus, 0..=BATCH_MAX)
}

pub fn watched(skus: &[String]) -> Parsed<Vec<String>> {
    distinct(skus, 1..=WATCHED_MAX)
}

pub fn adjustments(message: &pb::AdjustStockRequest) -> Parsed<(Vec<Adjustment>, String)> {
    let mut fields = Fields::new();
    fields.count("adjustments", message.adjustments.len(), 1..=ADJUSTMENTS_MAX);
    let reason = fields.text("reason", &message.reason, 1..=200);
    let mut seen = HashSet::new();
    let mut read = |(index, one): (usize, &pb::StockAdjustment)| {
        fields.within(format!("adjustments[{index}]"), |fields| {
            let adjustment = adjustment(fields, one)?;
            if !seen.insert((adjustment.sku.clone(), adjustment.location)) {
                fields.refuse("sku", "stands twice; a SKU and location may stand once in a call");
            }
            Some(adjustment)
        })
    };
    let adjustments: Vec<_> =
        message.adjustments.iter().take(ADJUSTMENTS_MAX).enumerate().map(&mut read).collect();
    fields
        .build(|| Some((adjustments.into_iter().collect::<Option<_>>()?, reason?)))
        .map_err(Problem::invalid)
}

pub fn reservation(message: &pb::ReserveStockRequest, now: Timestamp) -> Parsed<Reservation> {
    let mut fields = Fields::new();
    let id = fields.id("reservation_id", &message.reservation_id);
    let lines = lines(&mut fields, &message.lines);
    let expires = expiry(&mut fields, message.expire_time.as_ref(), now);
    fields.build(|| Some(Reservation::hold(id?, lines?, expires?))).map_err(Problem::invalid)
}

pub fn returned(message: &pb::ReturnStockRequest) -> Parsed<(ReservationId, Vec<(String, i64)>)> {
    let mut fields = Fields::new();
    let id = fields.id("reservation_id", &message.reservation_id);
    let lines = lines(&mut fields, &message.lines);
    let lines = lines.map(|lines| {
        // Summed by SKU, as the reservation itself is.
        let mut summed = std::collections::BTreeMap::<String, i64>::new();
        for (sku, quantity) in lines {
            *summed.entry(sku).or_default() += quantity;
        }
        summed.into_iter().collect()
    });
    fields.build(|| Some((id?, lines?))).map_err(Problem::invalid)
}

fn adjustment(fields: &mut Fields, one: &pb::StockAdjustment) -> Option<Adjustment> {
    let sku = sku(fields, &one.sku);
    let location = match one.location_id.as_str() {
        "" => Some(default_location()),
        id => fields.id("location_id", id),
    };
    let change = match one.change {
        Some(pb::stock_adjustment::Change::AvailableDelta(delta)) => {
            fields.integer("available_delta", delta, -COUNT_MAX..=COUNT_MAX).map(Change::Delta)
        }
        Some(pb::stock_adjustment::Change::AvailableCount(count)) => {
            fields.integer("available_count", count, 0..=COUNT_MAX).map(Change::Count)
        }
        None => fields.present("change", None),
    };
    let etag = fields.etag(&one.etag);
    Some(Adjustment { sku: sku?, location: location?, change: change?, etag: etag? })
}

fn lines(fields: &mut Fields, lines: &[pb::StockLine]) -> Option<Vec<(String, i64)>> {
    fields.count("lines", lines.len(), 1..=LINES_MAX)?;
    let read = |(index, line): (usize, &pb::StockLine)| {
        fields.within(format!("lines[{index}]"), |fields| {
            let sku = sku(fields, &line.sku);
            let quantity = fields.integer("quantity", line.quantity, 1..=QUANTITY_MAX);
            Some((sku?, quantity?))
        })
    };
    let read: Vec<_> = lines.iter().enumerate().map(read).collect();
    read.into_iter().collect()
}

fn expiry(fields: &mut Fields, time: Option<&prost_types::Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let time = fields.time("expire_time", time)?;
    if time > now + HOLD_TIME_MAX {
        fields.refuse("expire_time", "must be at most 24 hours from now");
        return None;
    }
    Some(time)
}

fn distinct(skus: &[String], range: std::ops::RangeInclusive<usize>) -> Parsed<Vec<String>> {
    let mut fields = Fields::new();
    let max = *range.end();
    fields.count("skus", skus.len(), range);
    let mut seen = HashSet::new();
    let mut distinct = Vec::with_capacity(skus.len().min(max));
    for (index, value) in skus.iter().enumerate().take(max) {
        if let Some(sku) = fields.text(&format!("skus[{index}]"), value, 1..=SKU_LENGTH_MAX)
            && seen.insert(sku.clone())
        {
            distinct.push(sku);
        }
    }
    fields.build(|| Some(distinct)).map_err(Problem::invalid)
}

fn sku(fields: &mut Fields, value: &str) -> Option<String> {
    fields.text("sku", value, 1..=SKU_LENGTH_MAX)
}
