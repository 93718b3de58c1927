//! Shipping methods.

use kit::{Listed, Once, Page, PageError, RequestKey, execute};
use sea_orm::{
    ColumnTrait, Condition, DbErr, EntityTrait, IntoActiveModel, Order, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::Store;
use super::entity::method::{self, Column, Entity};
use crate::domain::{Method, MethodId, Offer};
use crate::error::Error;

/// No buyer reads longer lists; methods beyond are not offered.
const OFFERED_MAX: u64 = 250;

impl Store {
    pub async fn method(&self, id: MethodId) -> Result<Option<Method>, DbErr> {
        let row = Entity::find_by_id(id.as_uuid()).one(self.database.read()).await?;
        row.map(method::Model::method).transpose()
    }

    /// The methods that go to a country now.
    pub async fn methods_to(&self, country: &str) -> Result<Vec<Method>, DbErr> {
        let rows = Entity::find()
            .filter(Column::Disabled.eq(false))
            .filter(Condition::any().add(Column::Countries.eq("")).add(Column::Countries.contains(country)))
            .order_by(Column::Id, Order::Asc)
            .limit(OFFERED_MAX)
            .all(self.database.read())
            .await?;
        rows.into_iter().map(method::Model::method).collect()
    }

    /// All of them, the oldest first.
    pub async fn method_page(&self, page: &Page) -> Result<Listed<Method>, Error> {
        let mut select = Entity::find().order_by(Column::Id, Order::Asc).limit(page.fetch_limit());
        if let Some(after) = &page.after {
            let id = after.first().and_then(|id| id.parse::<Uuid>().ok()).ok_or(PageError::Token)?;
            select = select.filter(Column::Id.gt(id));
        }
        let rows = select.all(self.database.read()).await?;
        let methods = rows.into_iter().map(method::Model::method).collect::<Result<Vec<_>, _>>()?;
        Ok(page.listed(methods, |method| vec![method.id.to_string()]))
    }

    pub async fn insert_method(&self, key: &RequestKey, method: Method) -> Result<Method, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<method::Model>()?.method()?),
            Once::First(tx) => tx,
        };
        let row = method::Model::of(method);
        Entity::insert(row.clone().into_active_model()).exec_without_returning(&**tx).await?;
        tx.keep(&row).await?;
        tx.commit().await?;
        Ok(row.method()?)
    }

    /// Replaces what a method offers. With an etag, exactly the version that was read.
    pub async fn replace_method(
        &self,
        key: &RequestKey,
        id: MethodId,
        etag: Option<i64>,
        offer: Offer,
    ) -> Result<Method, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<method::Model>()?.method()?),
            Once::First(tx) => tx,
        };
        let row = method::Model::of(Method { id, offer, version: 0 });
        let values = [
            row.id.into(),
            row.display_name.into(),
            row.description.into(),
            row.countries.into(),
            row.tiers.into(),
            row.free_from.into(),
            row.free_from_currency.into(),
            row.days_min.into(),
            row.days_max.into(),
            row.disabled.into(),
            etag.unwrap_or(0).into(),
            etag.is_none().into(),
        ];
        let replaced = execute(
            &**tx,
            "UPDATE shipping_methods SET display_name = $2, description = $3, countries = $4, tiers = $5,
                free_from = $6, free_from_currency = $7, days_min = $8, days_max = $9, disabled = $10,
                version = version + 1
             WHERE id = $1 AND (version = $11 OR $12)",
            values,
        );
        let replaced = replaced.await?;
        let row = Entity::find_by_id(id.as_uuid()).one(&**tx).await?.ok_or(Error::MethodNotFound(id))?;
        if replaced == 0 {
            return Err(Error::Conflict);
        }
        tx.keep(&row).await?;
        tx.commit().await?;
        Ok(row.method()?)
    }
}
