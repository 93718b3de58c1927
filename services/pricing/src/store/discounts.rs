//! Discounts: written by staff, read by quotes.

use std::collections::HashMap;

use kit::{
    Cursor, IDS_PER_STATEMENT_MAX, Listed, Once, Page, PageError, RequestKey, Timestamp, Tx, execute,
    is_taken, query, time,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, Order, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::entity::discount::{self, Column, Entity};
use super::{DECISIONS_MAX, Store};
use crate::domain::{Candidate, Code, Customer, Discount, DiscountId, Found, Refusal, Terms};
use crate::error::Error;

impl Store {
    /// What is known of the codes, in the order asked.
    pub async fn candidates(
        &self,
        codes: Vec<Code>,
        customer: Option<&Customer>,
    ) -> Result<Vec<Candidate>, DbErr> {
        candidates(self.database.read(), codes, customer).await
    }

    pub async fn discounts(&self, ids: &[DiscountId]) -> Result<HashMap<DiscountId, Discount>, DbErr> {
        let mut found = HashMap::with_capacity(ids.len());
        for some in ids.chunks(IDS_PER_STATEMENT_MAX) {
            let ids = some.iter().map(|id| id.as_uuid());
            for row in Entity::find().filter(Column::Id.is_in(ids)).all(self.database.read()).await? {
                let discount = row.discount()?;
                found.insert(discount.id, discount);
            }
        }
        Ok(found)
    }

    /// The newest first.
    pub async fn discount_page(&self, page: &Page) -> Result<Listed<Discount>, Error> {
        let mut select = Entity::find()
            .order_by(Column::Created, Order::Desc)
            .order_by(Column::Id, Order::Desc)
            .limit(page.fetch_limit());
        if let Some(after) = &page.after {
            let (created, id) = position(after).ok_or(PageError::Token)?;
            let same_time = Condition::all().add(Column::Created.eq(created)).add(Column::Id.lt(id));
            select = select.filter(Condition::any().add(Column::Created.lt(created)).add(same_time));
        }
        let rows = select.all(self.database.read()).await?;
        let discounts = rows.into_iter().map(discount::Model::discount).collect::<Result<Vec<_>, _>>()?;
        Ok(page.listed(discounts, |discount| vec![discount.created.to_rfc3339(), discount.id.to_string()]))
    }

    pub async fn insert_discount(&self, key: &RequestKey, discount: Discount) -> Result<Discount, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<discount::Model>()?.discount()?),
            Once::First(tx) => tx,
        };
        let code = discount.terms.code.clone();
        let row = discount::Model::of(discount);
        let inserted = Entity::insert(row.clone().into_active_model()).exec_without_returning(&*tx).await;
        inserted.map_err(|error| taken(error, &code))?;
        tx.keep(&row).await?;
        tx.commit().await?;
        Ok(row.discount()?)
    }

    /// Loads the discount, lets `decide` say its new terms, and saves them unless they contradict the uses that there
    /// are. With an etag, exactly the version that was read is changed.
    pub async fn update_discount(
        &self,
        key: &RequestKey,
        id: DiscountId,
        etag: Option<i64>,
        decide: impl Fn(Terms) -> Result<Terms, Refusal>,
    ) -> Result<Discount, Error> {
        for _ in 0..DECISIONS_MAX {
            let tx = match self.database.begin_once(key).await? {
                Once::Kept(answer) => return Ok(answer.rows::<discount::Model>()?.discount()?),
                Once::First(tx) => tx,
            };
            let row = Entity::find_by_id(id.as_uuid()).one(&**tx).await?;
            let discount = row.ok_or(Error::DiscountNotFound(id))?.discount()?;
            if etag.is_some_and(|etag| etag != discount.version) {
                return Err(Error::Conflict);
            }
            let terms = decide(discount.terms)?;
            let code = terms.code.clone();
            if terms.limit_total.is_some_and(|limit| limit < discount.use_count) {
                return Err(Refusal::LimitBelowUses { per_customer: false }.into());
            }
            let version = discount.version.saturating_add(1);
            let row = discount::Model::of(Discount { terms, version, ..discount });
            if !save(&tx, &row).await.map_err(|error| taken(error, &code))? {
                continue;
            }
            // From here on the row is ours, so no use is added while they are looked at.
            if most_used(&tx, &row).await? > row.limit_per_customer.unwrap_or(i64::MAX) {
                return Err(Refusal::LimitBelowUses { per_customer: true }.into());
            }
            let row = Entity::find_by_id(row.id).one(&**tx).await?.ok_or(Error::DiscountNotFound(id))?;
            tx.keep(&row).await?;
            tx.commit().await?;
            return Ok(row.discount()?);
        }
        Err(Error::Conflict)
    }
}

/// What is known of the codes, in the order asked, as seen from here.
pub async fn candidates(
    on: &impl ConnectionTrait,
    codes: Vec<Code>,
    customer: Option<&Customer>,
) -> Result<Vec<Candidate>, DbErr> {
    if codes.is_empty() {
        return Ok(Vec::new());
    }
    let names = codes.iter().map(Code::as_str);
    let mut found = HashMap::with_capacity(codes.len());
    for row in Entity::find().filter(Column::Code.is_in(names)).all(on).await? {
        let discount = row.discount()?;
        let used_by_customer = match customer {
            Some(customer) if discount.terms.limit_per_customer.is_some() => {
                uses(on, discount.id, customer).await?
            }
            _ => 0,
        };
        found.insert(discount.terms.code.clone(), Found { discount, used_by_customer });
    }
    Ok(codes.into_iter().map(|code| Candidate { found: found.remove(&code), code }).collect())
}

async fn uses(on: &impl ConnectionTrait, id: DiscountId, customer: &Customer) -> Result<i64, DbErr> {
    let sql = "SELECT use_count FROM customer_uses WHERE discount_id = $1 AND customer = $2";
    let rows = query(on, sql, [id.as_uuid().into(), customer.as_str().into()]).await?;
    rows.first().map_or(Ok(0), |row| row.try_get("", "use_count"))
}

/// Writes new terms over the version before, unless a use came in between that they do not allow.
async fn save(tx: &Tx, row: &discount::Model) -> Result<bool, DbErr> {
    let sql =
        "UPDATE discounts SET code = $2, percent_ppm = $3, amount = $4, amount_currency = $5, minimum = $6,
            minimum_currency = $7, limit_total = $8, limit_per_customer = $9, starts = $10, ends = $11,
            combinable = $12, disabled = $13, version = version + 1
         WHERE id = $1 AND version = $14 AND use_count <= $15";
    let values = [
        row.id.into(),
        row.code.clone().into(),
        row.percent_ppm.into(),
        row.amount.into(),
        row.amount_currency.clone().into(),
        row.minimum.into(),
        row.minimum_currency.clone().into(),
        row.limit_total.into(),
        row.limit_per_customer.into(),
        row.starts.into(),
        row.ends.into(),
        row.combinable.into(),
        row.disabled.into(),
        row.version.saturating_sub(1).into(),
        row.limit_total.unwrap_or(i64::MAX).into(),
    ];
    Ok(execute(&**tx, sql, values).await? == 1)
}

/// The uses of the customer who has most of them.
async fn most_used(tx: &Tx, row: &discount::Model) -> Result<i64, DbErr> {
    let sql = "SELECT COALESCE(MAX(use_count), 0) AS most FROM customer_uses WHERE discount_id = $1";
    let rows = query(&**tx, sql, [row.id.into()]).await?;
    rows.first().map_or(Ok(0), |row| row.try_get("", "most"))
}

fn position(after: &Cursor) -> Option<(Timestamp, Uuid)> {
    let [created, id] = after.as_slice() else { return None };
    let created = chrono::DateTime::parse_from_rfc3339(created).ok()?.with_timezone(&chrono::Utc);
    Some((time::truncate(created), id.parse().ok()?))
}

fn taken(error: DbErr, code: &Code) -> Error {
    if is_taken(&error) { Error::CodeTaken(code.clone()) } else { Error::Storage(error) }
}
