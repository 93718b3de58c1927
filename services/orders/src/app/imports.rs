//! Another shop's history: bytes become lines, lines become orders, orders are written in batches.

use kit::Currency;
use uuid::Uuid;

use super::Orders;
use super::runner::failed;
use crate::domain::history::{HistoricOrder, Unreadable};
use crate::domain::{Number, Order};
use crate::store::Imported;

/// A longer line is no order.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// Orders written in one transaction.
const BATCH_MAX: usize = 200;

/// One import under way.
pub struct Import {
    orders: Orders,
    currency: Currency,
    buffer: Vec<u8>,
    /// The present line is too long; what is left of it is thrown away.
    skipping: bool,
    batch: Vec<(i64, Order)>,
    progress: Progress,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    pub lines_read: i64,
    pub created: i64,
    pub unchanged: i64,
    pub refused: i64,
    pub lines_created: i64,
    pub total: i64,
}

/// A line that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    pub line: i64,
    pub external_id: String,
    pub message: String,
}

/// What there is to tell of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Progress(Progress),
    Error(ImportError),
}

impl Orders {
    pub fn import(&self, currency: Currency) -> Import {
        Import {
            orders: self.clone(),
            currency,
            buffer: Vec::new(),
            skipping: false,
            batch: Vec::with_capacity(BATCH_MAX),
            progress: Progress::default(),
        }
    }
}

impl Import {
    /// Takes the next piece of the file, wherever it was cut.
    pub async fn take(&mut self, chunk: &[u8]) -> Vec<Line> {
        let mut told = Vec::new();
        let mut pieces = chunk.split(|byte| *byte == b'\n');
        // The first piece goes on with the line that the last chunk began.
        if let Some(piece) = pieces.next() {
            self.grow(piece, &mut told);
        }
        for piece in pieces {
            self.end_line(&mut told).await;
            self.grow(piece, &mut told);
        }
        told
    }

    /// The file has ended, with or without a last line break.
    pub async fn finish(mut self) -> (Vec<Line>, Progress) {
        let mut told = Vec::new();
        if !self.buffer.is_empty() || self.skipping {
            self.end_line(&mut told).await;
        }
        self.flush(&mut told).await;
        (told, self.progress)
    }

    fn grow(&mut self, piece: &[u8], told: &mut Vec<Line>) {
        if self.skipping {
            return;
        }
        if self.buffer.len() + piece.len() > LINE_BYTES_MAX {
            self.buffer = Vec::new();
            self.skipping = true;
            let message = format!("is longer than {LINE_BYTES_MAX} bytes");
            self.refuse(self.progress.lines_read + 1, String::new(), message, told);
            return;
        }
        self.buffer.extend_from_slice(piece);
    }

    async fn end_line(&mut self, told: &mut Vec<Line>) {
        self.progress.lines_read += 1;
        if std::mem::take(&mut self.skipping) {
            return;
        }
        let text = std::mem::take(&mut self.buffer);
        let line = text.trim_ascii();
        if line.is_empty() {
            return;
        }
        let number = self.progress.lines_read;
        match self.read(line) {
            Ok(order) => self.batch.push((number, order)),
            Err(Unreadable { id, why }) => self.refuse(number, id, why, told),
        }
        if self.batch.len() >= BATCH_MAX {
            self.flush(told).await;
        }
    }

    fn read(&self, line: &[u8]) -> Result<Order, Unreadable> {
        let historic = HistoricOrder::read(line)?;
        let id = historic.id.clone();
        let (_, bits) = Uuid::new_v4().as_u64_pair();
        let now = self.orders.clock.now();
        Order::import(historic, self.currency, Number::from_random(bits), now)
            .map(|(order, _)| order)
            .map_err(|error| Unreadable { id, why: error.to_string() })
    }

    /// Writes the batch; if the store will not take it, each order by itself, so that one does not spoil the others.
    async fn flush(&mut self, told: &mut Vec<Line>) {
        let (lines, orders): (Vec<i64>, Vec<Order>) = self.batch.drain(..).unzip();
        if orders.is_empty() {
            return;
        }
        match self.orders.store.import(&orders).await {
            Ok(outcomes) => {
                for (order, outcome) in orders.iter().zip(outcomes) {
                    self.count(order, outcome);
                }
            }
            Err(_) => {
                for (line, order) in lines.into_iter().zip(orders) {
                    self.write_alone(line, order, told).await;
                }
            }
        }
        told.push(Line::Progress(self.progress));
    }

    async fn write_alone(&mut self, line: i64, order: Order, told: &mut Vec<Line>) {
        match self.orders.store.import(std::slice::from_ref(&order)).await {
            Ok(outcomes) => outcomes.into_iter().for_each(|outcome| self.count(&order, outcome)),
            Err(error) => {
                failed(&error);
                let id = order.external.map(|external| external.id).unwrap_or_default();
                self.refuse(line, id, "could not be written; import the file again".into(), told);
            }
        }
    }

    fn count(&mut self, order: &Order, outcome: Imported) {
        match outcome {
            Imported::Created => {
                self.progress.created += 1;
                self.progress.lines_created += i64::try_from(order.lines.len()).unwrap_or(i64::MAX);
                let total = order.totals.total.minor_units();
                self.progress.total = self.progress.total.saturating_add(total);
            }
            Imported::Unchanged => self.progress.unchanged += 1,
        }
    }

    fn refuse(&mut self, line: i64, external_id: String, message: String, told: &mut Vec<Line>) {
        self.progress.refused += 1;
        told.push(Line::Error(ImportError { line, external_id, message }));
    }
}
