//! Pages of products: one statement finds the page in an index and then opens its rows alone.

use kit::{Currency, Listed, Money, PageError, query};
use sea_orm::{DbBackend, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::entity::{PRODUCT_COLUMNS, ProductRow, product_columns, state_name};
use super::product::ANSWER_BYTES_MAX;
use super::statement::Sql;
use super::{Sight, Store, key_text};
use crate::domain::{Filter, Listing, Product, Sort, State};
use crate::error::Error;

/// Where a list's order stands in the tables.
struct Order {
    join: &'static str,
    key: &'static str,
    id: &'static str,
    is_text: bool,
    falling: bool,
}

impl Store {
    /// One page of products, and how many there are in all when that was asked.
    pub async fn page(
        &self,
        listing: &Listing,
        sight: Sight,
    ) -> Result<(Listed<Product>, Option<i64>), Error> {
        let order = Order::of(listing.sort, listing.reverse);
        let total = match listing.counted {
            true => Some(self.count(listing, &order, sight).await?),
            false => None,
        };

        let direction = if order.falling { "DESC" } else { "ASC" };
        let mut sql = Sql::default();
        let (id, key, join) = (order.id, order.key, order.join);
        sql.push(&format!(
            "WITH page AS (SELECT {id} AS id, {key} AS sort_key FROM products p {join} WHERE "
        ));
        conditions(&mut sql, listing, sight, self.many());
        if let Some(after) = &listing.page.after {
            let beyond = if order.falling { "<" } else { ">" };
            let (key_value, id_value) = order.cursor(after)?;
            let key_value = sql.value(key_value);
            let id_value = sql.value(id_value);
            sql.push(&format!(" AND ({key}, {id}) {beyond} ({key_value}, {id_value})"));
        }
        let limit = i64::try_from(listing.page.fetch_limit()).unwrap_or(i64::MAX);
        let limit = sql.value(limit);
        sql.push(&format!(
            " ORDER BY {key} {direction}, {id} {direction} LIMIT {limit}) \
             SELECT {}, page.sort_key FROM page JOIN products p ON p.id = page.id \
             ORDER BY page.sort_key {direction}, page.id {direction}",
            product_columns(listing.parts)
        ));
        let rows = query(self.database.read(), &sql.text, sql.values).await?;
        let listed = cut(listing, &order, &rows)?;
        Ok((listed, total))
    }

    /// A product's id where it is looked up in what may be most of all ids. Without the sign SQLite would open the row
    /// of each of them to sort them; with it, it walks the index of the order and asks for each id whether it is one.
    fn many(&self) -> &'static str {
        match self.database.backend() {
            DbBackend::Sqlite => "+p.id",
            _ => "p.id",
        }
    }

    async fn count(&self, listing: &Listing, order: &Order, sight: Sight) -> Result<i64, Error> {
        let mut sql = Sql::default();
        sql.push(&format!("SELECT COUNT(*) FROM products p {} WHERE ", order.join));
        conditions(&mut sql, listing, sight, self.many());
        let rows = query(self.database.read(), &sql.text, sql.values).await?;
        let row = rows.first().ok_or(DbErr::RecordNotFound(String::new()))?;
        Ok(row.try_get_by_index(0)?)
    }
}

/// Reads rows until the page is full, or the answer would be: a page may be shorter than asked, its token leads on.
fn cut(listing: &Listing, order: &Order, rows: &[QueryResult]) -> Result<Listed<Product>, Error> {
    let size = usize::try_from(listing.page.size).unwrap_or(usize::MAX);
    let mut items: Vec<Product> = Vec::new();
    let mut weight = 0;
    let mut last: Option<(&QueryResult, Uuid)> = None;
    for row in rows.iter().take(size) {
        let product = ProductRow::read(row)?;
        weight += product.weight();
        if weight > ANSWER_BYTES_MAX && last.is_some() {
            break;
        }
        last = Some((row, product.id));
        items.push(product.product()?);
    }
    let next_page_token = match last {
        Some((row, id)) if items.len() < rows.len() => {
            let key = match order.is_text {
                true => row.try_get_by_index::<String>(PRODUCT_COLUMNS)?,
                false => order.number(row)?.to_string(),
            };
            listing.page.token(&[key, id.to_string()])
        }
        _ => String::new(),
    };
    Ok(Listed { items, next_page_token })
}

impl Order {
    fn of(sort: Sort, reverse: bool) -> Order {
        let on_product = |key, is_text, falling: bool| Order {
            join: "",
            key,
            id: "p.id",
            is_text,
            falling: falling != reverse,
        };
        match sort {
            Sort::Listed => on_product("p.listed", false, true),
            Sort::Title => on_product("p.title_key", true, false),
            Sort::Created => on_product("p.created", false, false),
            Sort::Price(_) => Order {
                join: "JOIN product_prices s ON s.product = p.id",
                key: "s.lowest",
                id: "s.product",
                is_text: false,
                falling: reverse,
            },
            Sort::Collection(_) => Order {
                join: "JOIN collection_products m ON m.product = p.id",
                key: "CAST(m.position AS bigint)",
                id: "m.product",
                is_text: false,
                falling: reverse,
            },
        }
    }

    /// A cursor comes from outside: one that cannot be read is no token of ours.
    fn cursor(&self, after: &[String]) -> Result<(Value, Value), PageError> {
        let [key, id] = after else {
            return Err(PageError::Token);
        };
        let id: Uuid = id.parse().map_err(|_| PageError::Token)?;
        let key = match self.is_text {
            true => Value::from(key_text(key)?),
            false => Value::from(key.parse::<i64>().map_err(|_| PageError::Token)?),
        };
        Ok((key, id.into()))
    }

    fn number(&self, row: &QueryResult) -> Result<i64, DbErr> {
        row.try_get_by_index::<i64>(PRODUCT_COLUMNS)
    }
}

fn conditions(sql: &mut Sql, listing: &Listing, sight: Sight, many: &str) {
    let filter = &listing.filter;
    sql.push(&sight.condition("p.state"));
    if let Some(state) = filter.state
        && (sight == Sight::Staff || state != State::Active)
    {
        // For everybody another state than active contradicts what is above: nothing is found.
        sql.push(&format!(" AND p.state = '{}'", state_name(state)));
    }
    match listing.sort {
        Sort::Price(currency) => {
            let currency = sql.value(currency.map_or("", |currency| currency.as_str()));
            sql.push(&format!(" AND s.currency = {currency}"));
        }
        Sort::Collection(id) => {
            let id = sql.value(id.as_uuid());
            sql.push(&format!(" AND m.collection = {id}"));
        }
        Sort::Listed | Sort::Title | Sort::Created => {}
    }
    any_of(sql, "p.vendor", &filter.vendors);
    any_of(sql, "p.product_type", &filter.product_types);
    any_of(sql, "p.handle", &filter.handles);
    relations(sql, filter, many);
    words(sql, &filter.words, many);
    prices(sql, filter.price_min, filter.price_max, many);
}

fn any_of(sql: &mut Sql, column: &str, values: &[String]) {
    if !values.is_empty() {
        let values: Vec<Value> = values.iter().cloned().map(Value::from).collect();
        let values = sql.list(&values);
        sql.push(&format!(" AND {column} IN {values}"));
    }
}

fn relations(sql: &mut Sql, filter: &Filter, many: &str) {
    if let Some(category) = filter.category {
        let category = sql.value(category.as_uuid());
        // "0" is the character after "/": all paths that begin with this one.
        sql.push(&format!(
            " AND p.category IN (SELECT c.id FROM categories c JOIN categories top \
             ON c.path = top.path OR (c.path > top.path || '/' AND c.path < top.path || '0') \
             WHERE top.id = {category})"
        ));
    }
    if let Some(collection) = filter.collection {
        let collection = sql.value(collection.as_uuid());
        sql.push(&format!(
            " AND p.id IN (SELECT product FROM collection_products WHERE collection = {collection})"
        ));
    }
    for tag in &filter.tags {
        let tag = sql.value(tag.to_lowercase());
        sql.push(&format!(" AND {many} IN (SELECT product FROM product_tags WHERE tag = {tag})"));
    }
}

fn words(sql: &mut Sql, words: &[String], many: &str) {
    if words.is_empty() {
        return;
    }
    sql.push(&format!(" AND {many} IN (SELECT product FROM product_words WHERE 1 = 1"));
    for word in words {
        let escaped = word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = sql.value(format!("%{escaped}%"));
        sql.push(&format!(" AND words LIKE {pattern} ESCAPE '\\'"));
    }
    sql.push(")");
}

fn prices(sql: &mut Sql, min: Option<Money>, max: Option<Money>, many: &str) {
    let Some(currency) = min.or(max).map(|limit| limit.currency()) else {
        return;
    };
    let currency: Currency = currency;
    let currency = sql.value(currency.as_str());
    sql.push(&format!(" AND {many} IN (SELECT product FROM product_prices WHERE currency = {currency}"));
    for (limit, comparison) in [(min, ">="), (max, "<=")] {
        if let Some(limit) = limit {
            let limit = sql.value(limit.minor_units());
            sql.push(&format!(" AND lowest {comparison} {limit}"));
        }
    }
    sql.push(")");
}
