//! A cart goes bad while nobody looks: things sell out, end, or change their price.

use kit::Money;

use super::{Cart, Line, LineId, Offers};

/// Something about a line that checkout refuses or the buyer should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub line: LineId,
    pub kind: ProblemKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// No longer offered.
    Gone,
    OutOfStock,
    /// Fewer are available than the line wants.
    Short {
        available: i64,
    },
    /// What one costs now.
    PriceChanged {
        present: Money,
    },
}

impl Cart {
    /// Everything that is wrong at this moment, in the order of the lines.
    pub fn problems(&self, offers: &Offers) -> Vec<Problem> {
        let mut problems = Vec::new();
        for line in &self.lines {
            problems.extend(kinds(line, offers).into_iter().map(|kind| Problem { line: line.id, kind }));
        }
        problems
    }
}

fn kinds(line: &Line, offers: &Offers) -> Vec<ProblemKind> {
    let Some((offer, price)) = offers.get(&line.variant).and_then(|offer| Some((offer, offer.price?))) else {
        return vec![ProblemKind::Gone];
    };
    let stock = match offer.available {
        available if available >= line.quantity => None,
        0 => Some(ProblemKind::OutOfStock),
        available => Some(ProblemKind::Short { available }),
    };
    let changed = (price != line.seen_price).then_some(ProblemKind::PriceChanged { present: price });
    stock.into_iter().chain(changed).collect()
}
