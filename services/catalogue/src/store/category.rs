//! The tree of categories.

use kit::{Listed, Once, Page, PageError, RequestKey, Tx, execute, query};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};

use super::entity::CategoryRow;
use super::statement::{insert, query_in};
use super::write::hold_categories;
use super::{Failure, Store, key_text, settle};
use crate::domain::{Category, CategoryId, Refusal};
use crate::error::Error;

const COLUMNS: &str = "id, parent, slug, name, position, path";
/// Paths below $1: "0" is the character after "/".
const BELOW: &str = "path > $1 || '/' AND path < $1 || '0'";

impl Store {
    /// Categories by path, which puts parents before children.
    pub async fn categories(&self, page: &Page) -> Result<Listed<Category>, Error> {
        let after = match page.after.as_deref() {
            None => "",
            Some([path]) => key_text(path)?,
            Some(_) => return Err(PageError::Token.into()),
        };
        let sql = format!("SELECT {COLUMNS} FROM categories WHERE path > $1 ORDER BY path LIMIT $2");
        let limit = i64::try_from(page.fetch_limit()).unwrap_or(i64::MAX);
        let rows = query(self.database.read(), &sql, [after.into(), limit.into()]).await?;
        Ok(page.listed(read(&rows)?, |category| vec![category.path.clone()]))
    }

    /// The categories of these ids, in no particular order.
    pub async fn find_categories(&self, ids: &[CategoryId]) -> Result<Vec<Category>, Error> {
        let ids: Vec<Value> = ids.iter().map(|id| id.as_uuid().into()).collect();
        let head = format!("SELECT {COLUMNS} FROM categories WHERE id");
        Ok(read(&query_in(self.database.read(), &head, &ids, "").await?)?)
    }

    /// The whole tree.
    pub async fn all_categories(&self) -> Result<Vec<Category>, Error> {
        Ok(all(self.database.read()).await?)
    }

    /// Adds a category below its parent.
    pub async fn create_category(&self, key: &RequestKey, category: &Category) -> Result<Category, Error> {
        settle(async || {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(answer) => return kept(answer.rows()?),
                Once::First(tx) => tx,
            };
            hold_categories(&tx, &self.database).await?;
            let parent = parent(&tx, category.parent).await?;
            let category = category.clone().placed(parent.as_ref(), 1)?;
            refuse_taken(&tx, &category).await?;
            insert_categories(&tx, std::slice::from_ref(&category)).await?;
            tx.keep(&CategoryRow::of(&category)).await?;
            tx.commit().await?;
            Ok(category)
        })
        .await
    }

    /// Changes a category as `decide` says, and the paths of all that hangs on it.
    pub async fn update_category(
        &self,
        key: &RequestKey,
        id: CategoryId,
        decide: impl Fn(Category) -> Category,
    ) -> Result<Category, Error> {
        settle(async || {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(answer) => return kept(answer.rows()?),
                Once::First(tx) => tx,
            };
            hold_categories(&tx, &self.database).await?;
            let present = find(&tx, id).await?;
            let decided = decide(present.clone());
            let parent = parent(&tx, decided.parent).await?;
            if parent.as_ref().is_some_and(|parent| parent.is_within(&present)) {
                return Err(Refusal::CategoryCycle.into());
            }
            let height = height(&tx, &present).await?;
            let category = decided.placed(parent.as_ref(), height)?;
            refuse_taken(&tx, &category).await?;
            replace(&tx, &present, &category).await?;
            tx.keep(&CategoryRow::of(&category)).await?;
            tx.commit().await?;
            Ok(category)
        })
        .await
    }
}

fn kept(row: CategoryRow) -> Result<Category, Failure> {
    Ok(row.category())
}

fn read(rows: &[QueryResult]) -> Result<Vec<Category>, DbErr> {
    rows.iter().map(|row| Ok(CategoryRow::read(row)?.category())).collect()
}

pub(super) async fn all(on: &impl ConnectionTrait) -> Result<Vec<Category>, DbErr> {
    read(&query(on, &format!("SELECT {COLUMNS} FROM categories"), []).await?)
}

pub(super) async fn insert_categories(tx: &Tx, categories: &[Category]) -> Result<(), DbErr> {
    let rows = categories.iter().map(|category| CategoryRow::of(category).values());
    insert(tx, &format!("INSERT INTO categories ({COLUMNS})"), rows.collect()).await
}

async fn find(tx: &Tx, id: CategoryId) -> Result<Category, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM categories WHERE id = $1");
    let found = read(&query(tx, &sql, [id.as_uuid().into()]).await?)?.pop();
    Ok(found.ok_or_else(|| Refusal::CategoryNotFound(id.to_string()))?)
}

async fn parent(tx: &Tx, id: Option<CategoryId>) -> Result<Option<Category>, Failure> {
    match id {
        Some(id) => find(tx, id).await.map(Some),
        None => Ok(None),
    }
}

async fn refuse_taken(tx: &Tx, category: &Category) -> Result<(), Failure> {
    let sql = "SELECT id FROM categories WHERE path = $1 AND id <> $2";
    let values = [category.path.clone().into(), category.id.as_uuid().into()];
    match query(tx, sql, values).await?.is_empty() {
        true => Ok(()),
        false => Err(Refusal::HandleTaken(category.slug.clone()).into()),
    }
}

/// How many levels hang on a category, itself counted.
async fn height(tx: &Tx, category: &Category) -> Result<usize, Failure> {
    let sql = format!("SELECT {COLUMNS} FROM categories WHERE {BELOW}");
    let below = read(&query(tx, &sql, [category.path.clone().into()]).await?)?;
    let deepest = below.iter().map(Category::depth).max();
    let depth = category.depth();
    Ok(deepest.map_or(1, |deepest| deepest - depth + 1))
}

async fn replace(tx: &Tx, present: &Category, category: &Category) -> Result<(), DbErr> {
    if present.path != category.path {
        let sql = format!("UPDATE categories SET path = $2 || substr(path, $3) WHERE {BELOW}");
        let rest = i32::try_from(present.path.chars().count() + 1).unwrap_or(i32::MAX);
        let values = [present.path.clone().into(), category.path.clone().into(), rest.into()];
        execute(tx, &sql, values).await?;
    }
    let sql = "UPDATE categories SET parent = $2, slug = $3, name = $4, position = $5, path = $6 \
               WHERE id = $1";
    execute(tx, sql, CategoryRow::of(category).values()).await.map(drop)
}
