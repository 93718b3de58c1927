//! Rows, and how they turn into values of the domain.

use kit::{Id, Timestamp};
use sea_orm::{DbErr, QueryResult};
use uuid::Uuid;

use crate::domain::{Neighbour, Neighbours, Product, Purchase};

/// A neighbour in a list: its id, how many orders, how much they say.
const NEIGHBOUR_BYTES: usize = 16 + 4 + 4;

/// A list as it is stored, numbers with the low byte first.
pub fn packed(neighbours: &Neighbours) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(neighbours.len() * NEIGHBOUR_BYTES);
    for neighbour in neighbours.iter() {
        bytes.extend_from_slice(neighbour.item.as_uuid().as_bytes());
        bytes.extend_from_slice(&neighbour.order_count.to_le_bytes());
        bytes.extend_from_slice(&neighbour.weight.to_le_bytes());
    }
    bytes
}

/// The list of these bytes. Bytes that no list has mean that somebody else wrote the table.
pub fn unpacked(bytes: &[u8]) -> Result<Neighbours, DbErr> {
    let (chunks, rest) = bytes.as_chunks::<NEIGHBOUR_BYTES>();
    if !rest.is_empty() {
        return Err(DbErr::Type("a list of neighbours is malformed".into()));
    }
    let list = chunks.iter().map(|chunk| {
        let (id, figures) = chunk.split_first_chunk::<16>()?;
        let (count, weight) = figures.split_first_chunk::<4>()?;
        Some(Neighbour {
            item: Id::from_uuid(Uuid::from_bytes(*id)),
            order_count: u32::from_le_bytes(*count),
            weight: f32::from_le_bytes(*weight.first_chunk::<4>()?),
        })
    });
    Ok(Neighbours::of(list.flatten().collect()))
}

/// A product of a row with `id`, `category_id`, `offered`, `order_count` and `demand`.
pub fn product(row: &QueryResult) -> Result<Product, DbErr> {
    Ok(Product {
        id: Id::from_uuid(row.try_get("", "id")?),
        category: row.try_get::<Option<Uuid>>("", "category_id")?.map(Id::from_uuid),
        offered: row.try_get("", "offered")?,
        order_count: row.try_get("", "order_count")?,
        demand: row.try_get("", "demand")?,
    })
}

/// A purchase of a row with `product_id`, `order_count` and `last`.
pub fn purchase(row: &QueryResult) -> Result<Purchase, DbErr> {
    Ok(Purchase {
        product: Id::from_uuid(row.try_get("", "product_id")?),
        order_count: row.try_get("", "order_count")?,
        last: row.try_get::<Timestamp>("", "last")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written_and_half_a_neighbour_is_none() {
        let mut list = Neighbours::default();
        for (number, weight) in [(3, 0.5), (1, 1.25), (3, 0.25)] {
            list.meet(Id::from_uuid(Uuid::from_u128(number)), weight);
        }
        let bytes = packed(&list);

        assert_eq!(unpacked(&bytes), Ok(list));
        assert!(unpacked(&bytes[1..]).is_err());
    }
}
