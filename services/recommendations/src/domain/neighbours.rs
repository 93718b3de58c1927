//! The items that one item was bought together with: a short list that forgets the weakest.

use super::ItemId;

/// A list that has outgrown this …
pub const NEIGHBOURS_MAX: usize = 128;
/// … is cut to its strongest. What is between the two is the room in which newcomers can grow.
pub const NEIGHBOURS_KEPT: usize = 64;

/// One item that was bought together with another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    pub item: ItemId,
    /// Orders with both, as far as is remembered.
    pub order_count: u32,
    /// The same, each order weighed by what it says.
    pub weight: f32,
}

/// Sorted by item, each once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Neighbours(Vec<Neighbour>);

impl Neighbours {
    /// A list that was read, in any order.
    pub fn of(mut list: Vec<Neighbour>) -> Self {
        list.sort_unstable_by_key(|neighbour| neighbour.item);
        list.dedup_by_key(|neighbour| neighbour.item);
        Self(list)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Neighbour> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// One more order with both.
    pub fn meet(&mut self, item: ItemId, weight: f32) {
        self.add(Neighbour { item, order_count: 1, weight });
    }

    /// Also what another list of the same product knows.
    pub fn join(&mut self, other: &Neighbours) {
        for neighbour in other.iter() {
            self.add(*neighbour);
        }
    }

    /// Forgets the weakest when there are too many.
    pub fn settle(&mut self) {
        if self.0.len() <= NEIGHBOURS_MAX {
            return;
        }
        self.0.sort_unstable_by(|left, right| {
            right.weight.total_cmp(&left.weight).then_with(|| left.item.cmp(&right.item))
        });
        self.0.truncate(NEIGHBOURS_KEPT);
        self.0.sort_unstable_by_key(|neighbour| neighbour.item);
    }

    fn add(&mut self, more: Neighbour) {
        match self.0.binary_search_by_key(&more.item, |neighbour| neighbour.item) {
            Ok(at) => {
                if let Some(known) = self.0.get_mut(at) {
                    known.order_count = known.order_count.saturating_add(more.order_count);
                    known.weight += more.weight;
                }
            }
            Err(at) => self.0.insert(at, more),
        }
    }
}
