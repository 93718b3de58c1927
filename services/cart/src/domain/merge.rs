//! A guest signs in: his cart joins the one of his account, and he hears what became of every line.

use super::{Cart, LINES_MAX, Line, Offers, VariantId, cap};

/// What became of one line of the guest's cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Merged {
    pub variant: VariantId,
    pub outcome: Outcome,
    pub guest: i64,
    /// In the account's cart afterwards.
    pub total: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Merged,
    Capped,
    Dropped,
}

impl Cart {
    /// Takes the lines of a guest's cart over. Nothing here refuses: nobody can be left with two carts.
    pub fn merge(&mut self, guest: &Cart, offers: &Offers) -> Vec<Merged> {
        let outcomes = guest.lines.iter().map(|line| self.take_over(line, offers)).collect();
        self.join_codes(&guest.codes);
        outcomes
    }

    fn take_over(&mut self, line: &Line, offers: &Offers) -> Merged {
        let before = self.quantity_of(line.variant);
        let room = before > 0 || self.lines.len() < LINES_MAX;
        let offered = offers.get(&line.variant).and_then(|offer| Some((offer, offer.price?)));
        let wanted = before.saturating_add(line.quantity);
        let (outcome, total) = match offered.filter(|(offer, _)| room && offer.available > 0) {
            None => (Outcome::Dropped, before),
            Some((offer, price)) => {
                let total = cap(wanted, offer).max(before);
                // There is room, so a refusal is not possible; were it, the line would be dropped.
                match self.hold(line.variant, total, offer, price) {
                    Ok(()) if total == wanted => (Outcome::Merged, total),
                    Ok(()) => (Outcome::Capped, total),
                    Err(_) => (Outcome::Dropped, before),
                }
            }
        };
        Merged { variant: line.variant, outcome, guest: line.quantity, total }
    }
}
