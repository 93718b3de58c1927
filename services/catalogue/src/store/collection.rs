//! Collections and the products they name.

use std::collections::HashMap;

use kit::{Listed, Once, Page, PageError, RequestKey, Tx, execute, query};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::entity::CollectionRow;
use super::statement::{insert, query_in};
use super::{Failure, Sight, Store, key_text, settle};
use crate::domain::{Collection, CollectionId, ProductId, Refusal};
use crate::error::Error;

const COLUMNS: &str = "id, handle, title, description, updated, version";
/// Product ids of one answer: 38 bytes each on the wire, below the limit of 4 MiB together.
const ANSWER_PRODUCTS_MAX: i64 = 80_000;

impl Store {
    /// One collection by a column that names it.
    pub async fn find_collection(
        &self,
        id: Option<CollectionId>,
        handle: &str,
        sight: Sight,
        with_products: bool,
    ) -> Result<Option<Collection>, Error> {
        let (column, value): (_, Value) = match id {
            Some(id) => ("id", id.as_uuid().into()),
            None => ("handle", handle.into()),
        };
        let on = self.database.read();
        let sql = format!("SELECT {COLUMNS} FROM collections WHERE {column} = $1");
        let rows = heads(&query(on, &sql, [value]).await?)?;
        Ok(filled(on, rows, sight, with_products).await?.pop())
    }

    /// The collections of these ids, in no particular order.
    pub async fn find_collections(
        &self,
        ids: &[CollectionId],
        sight: Sight,
        with_products: bool,
    ) -> Result<Vec<Collection>, Error> {
        let ids: Vec<Value> = ids.iter().map(|id| id.as_uuid().into()).collect();
        let on = self.database.read();
        let head = format!("SELECT {COLUMNS} FROM collections WHERE id");
        let rows = heads(&query_in(on, &head, &ids, "").await?)?;
        if with_products && fitting(on, &rows).await? < rows.len() {
            return Err(Error::AnswerTooLarge("collection_ids"));
        }
        Ok(filled(on, rows, sight, with_products).await?)
    }

    /// Collections by title.
    pub async fn collections(
        &self,
        page: &Page,
        sight: Sight,
        with_products: bool,
    ) -> Result<Listed<Collection>, Error> {
        let (title, id) = match page.after.as_deref() {
            None => (String::new(), Uuid::nil()),
            Some([title, id]) => (key_text(title)?.to_owned(), id.parse().map_err(|_| PageError::Token)?),
            Some(_) => return Err(PageError::Token.into()),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM collections WHERE (title_key, id) > ($1, $2) \
             ORDER BY title_key, id LIMIT $3"
        );
        let limit = i64::try_from(page.fetch_limit()).unwrap_or(i64::MAX);
        let on = self.database.read();
        let rows = query(on, &sql, [title.into(), id.into(), limit.into()]).await?;
        let mut rows = heads(&rows)?;
        let more = rows.len() > usize::try_from(page.size).unwrap_or(usize::MAX);
        rows.truncate(usize::try_from(page.size).unwrap_or(usize::MAX));

        // A page may be shorter than asked, its token leads on.
        let fitting = match with_products {
            true => fitting(on, &rows).await?.max(1),
            false => rows.len(),
        };
        let more = more || fitting < rows.len();
        rows.truncate(fitting);
        let items = filled(on, rows, sight, with_products).await?;
        let next_page_token = match items.last() {
            Some(last) if more => page.token(&[last.title.to_lowercase(), last.id.to_string()]),
            _ => String::new(),
        };
        Ok(Listed { items, next_page_token })
    }

    /// Adds a collection.
    pub async fn create_collection(
        &self,
        key: &RequestKey,
        collection: &Collection,
    ) -> Result<Collection, Error> {
        settle(async || {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(answer) => return kept(answer.rows()?),
                Once::First(tx) => tx,
            };
            refuse(&tx, collection).await?;
            let sql =
                format!("INSERT INTO collections (title_key, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7)");
            execute(&*tx, &sql, values(collection)).await?;
            insert_products(&tx, collection).await?;
            tx.keep(&CollectionRow::of(collection)).await?;
            tx.commit().await?;
            Ok(collection.clone())
        })
        .await
    }

    /// Changes a collection as `decide` says, or leaves it as it is when that is nothing.
    pub async fn update_collection(
        &self,
        key: &RequestKey,
        id: CollectionId,
        decide: impl Fn(&mut Collection) -> Result<bool, Refusal>,
    ) -> Result<Collection, Error> {
        settle(async || {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(answer) => return kept(answer.rows()?),
                Once::First(tx) => tx,
            };
            let sql = format!("SELECT {COLUMNS} FROM collections WHERE id = $1");
            let rows = heads(&query(&*tx, &sql, [id.as_uuid().into()]).await?)?;
            let found = filled(&*tx, rows, Sight::Staff, true).await?.pop();
            let mut collection = found.ok_or_else(|| Refusal::CollectionNotFound(id.to_string()))?;
            if decide(&mut collection)? {
                refuse(&tx, &collection).await?;
                replace(&tx, &collection).await?;
            }
            tx.keep(&CollectionRow::of(&collection)).await?;
            tx.commit().await?;
            Ok(collection)
        })
        .await
    }
}

fn kept(row: CollectionRow) -> Result<Collection, Failure> {
    Ok(row.collection()?)
}

fn heads(rows: &[QueryResult]) -> Result<Vec<CollectionRow>, DbErr> {
    rows.iter().map(CollectionRow::read).collect()
}

/// How many of these collections, from the first, have products that fit one answer.
async fn fitting(on: &impl ConnectionTrait, rows: &[CollectionRow]) -> Result<usize, DbErr> {
    let ids: Vec<Value> = rows.iter().map(|row| row.id.into()).collect();
    let head = "SELECT collection, COUNT(*) FROM collection_products WHERE collection";
    let found = query_in(on, head, &ids, "GROUP BY collection").await?;
    let counts = found
        .iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect::<Result<HashMap<Uuid, i64>, DbErr>>()?;
    let mut products = 0;
    Ok(rows
        .iter()
        .take_while(|row| {
            products += counts.get(&row.id).copied().unwrap_or(0);
            products <= ANSWER_PRODUCTS_MAX
        })
        .count())
}

/// The collections with the products that the caller may see.
async fn filled(
    on: &impl ConnectionTrait,
    mut rows: Vec<CollectionRow>,
    sight: Sight,
    with_products: bool,
) -> Result<Vec<Collection>, DbErr> {
    if with_products {
        let ids: Vec<Value> = rows.iter().map(|row| row.id.into()).collect();
        let head = "SELECT m.collection, m.product FROM collection_products m \
                    JOIN products p ON p.id = m.product WHERE m.collection";
        let tail = format!("AND {} ORDER BY m.collection, m.position", sight.condition("p.state"));
        let mut products: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for row in query_in(on, head, &ids, &tail).await? {
            let of = products.entry(row.try_get_by_index(0)?).or_default();
            of.push(row.try_get_by_index(1)?);
        }
        for row in &mut rows {
            row.products = products.remove(&row.id).unwrap_or_default();
        }
    }
    rows.into_iter().map(CollectionRow::collection).collect()
}

async fn refuse(tx: &Tx, collection: &Collection) -> Result<(), Failure> {
    let sql = "SELECT id FROM collections WHERE handle = $1 AND id <> $2";
    let values = [collection.handle.clone().into(), collection.id.as_uuid().into()];
    if !query(tx, sql, values).await?.is_empty() {
        return Err(Refusal::HandleTaken(collection.handle.clone()).into());
    }

    let ids: Vec<Value> = collection.products.iter().map(|id| id.as_uuid().into()).collect();
    let rows = query_in(tx, "SELECT id FROM products WHERE id", &ids, "").await?;
    let known = rows
        .iter()
        .map(|row| Ok(ProductId::from_uuid(row.try_get_by_index(0)?)))
        .collect::<Result<std::collections::HashSet<ProductId>, DbErr>>()?;
    match collection.products.iter().find(|id| !known.contains(id)) {
        Some(unknown) => Err(Refusal::ProductNotFound(unknown.to_string()).into()),
        None => Ok(()),
    }
}

fn values(collection: &Collection) -> [Value; 7] {
    let row = CollectionRow::of(collection);
    [
        row.title.to_lowercase().into(),
        row.id.into(),
        row.handle.into(),
        row.title.into(),
        row.description.into(),
        row.updated.into(),
        row.version.into(),
    ]
}

async fn replace(tx: &Tx, collection: &Collection) -> Result<(), Failure> {
    let sql = "UPDATE collections SET title_key = $1, handle = $3, title = $4, description = $5, \
               updated = $6, version = $7 WHERE id = $2 AND version = $7 - 1";
    if execute(tx, sql, values(collection)).await? != 1 {
        return Err(Failure::Raced);
    }
    let sql = "DELETE FROM collection_products WHERE collection = $1";
    execute(tx, sql, [collection.id.as_uuid().into()]).await?;
    Ok(insert_products(tx, collection).await?)
}

async fn insert_products(tx: &Tx, collection: &Collection) -> Result<(), DbErr> {
    let row = |(position, product): (usize, &ProductId)| {
        let position = i32::try_from(position).unwrap_or(i32::MAX);
        vec![collection.id.as_uuid().into(), position.into(), product.as_uuid().into()]
    };
    let rows = collection.products.iter().enumerate().map(row).collect();
    insert(tx, "INSERT INTO collection_products (collection, position, product)", rows).await
}
