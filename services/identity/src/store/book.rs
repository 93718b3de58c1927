//! What an account keeps for itself: addresses and the wishlist.

use std::collections::HashMap;

use kit::{
    Cursor, IDS_PER_STATEMENT_MAX, Id, Listed, Once, Page, PageError, RequestKey, Timestamp, Tx, execute,
    query,
};
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait, Order as Direction, SimpleExpr};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::entity::{address, wishlist_item};
use super::{Store, alert, lock};
use crate::domain::address::{ADDRESSES_MAX, Address, AddressId};
use crate::domain::session::Session;
use crate::domain::{
    Account, AccountId, LoginEvent, ProductId, Refusal, StockAlert, WISHLIST_MAX, WishlistItem,
};
use crate::error::Error;

/// Everything that is kept about somebody.
pub struct Export {
    pub account: Account,
    pub sessions: Vec<Session>,
    pub login_events: Vec<LoginEvent>,
    pub addresses: Vec<Address>,
    pub wishlist: Vec<WishlistItem>,
}

impl Store {
    /// The default first, then the newest.
    pub async fn addresses(&self, account: AccountId, page: &Page) -> Result<Listed<Address>, Error> {
        let mut select = address::Entity::find()
            .filter(address::Column::AccountId.eq(account.as_uuid()))
            .order_by(rank(), Direction::Asc)
            .order_by_desc(address::Column::Id)
            .limit(page.fetch_limit());
        match page.after.as_deref() {
            None => {}
            Some([place, id]) => {
                let place: i32 = place.parse().map_err(|_| PageError::Token)?;
                let id: Uuid = id.parse().map_err(|_| PageError::Token)?;
                let later = Condition::all().add(rank().eq(place)).add(address::Column::Id.lt(id));
                select = select.filter(Condition::any().add(rank().gt(place)).add(later));
            }
            Some(_) => return Err(PageError::Token.into()),
        }
        let rows = select.all(self.database.read()).await?;
        let addresses = rows.into_iter().map(Address::from).collect();
        Ok(page.listed(addresses, |address: &Address| {
            vec![i32::from(!address.is_default).to_string(), address.id.to_string()]
        }))
    }

    pub async fn add_address(
        &self,
        key: &RequestKey,
        account: AccountId,
        address: Address,
    ) -> Result<Address, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<address::Model>()?.into()),
            Once::First(tx) => tx,
        };
        lock(&tx, account).await?;
        if count(&tx, "SELECT COUNT(*) AS found FROM addresses WHERE account_id = $1", account).await?
            >= ADDRESSES_MAX
        {
            return Err(Refusal::AddressLimit.into());
        }
        make_way(&tx, account, &address).await?;
        let row = address::Model::of(account, &address);
        address::Entity::insert(row.clone().into_active_model()).exec_without_returning(&**tx).await?;
        tx.keep(&row).await?;
        tx.commit().await?;
        Ok(address)
    }

    pub async fn replace_address(
        &self,
        key: &RequestKey,
        account: AccountId,
        address: Address,
    ) -> Result<Address, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<address::Model>()?.into()),
            Once::First(tx) => tx,
        };
        lock(&tx, account).await?;
        make_way(&tx, account, &address).await?;
        let row = address::Model::of(account, &address);
        let saved = address::Entity::update_many()
            .set(row.clone().into_active_model().reset_all())
            .filter(address::Column::Id.eq(row.id))
            .filter(address::Column::AccountId.eq(row.account_id))
            .exec(&**tx)
            .await?;
        if saved.rows_affected == 0 {
            return Err(Error::AddressNotFound);
        }
        tx.keep(&row).await?;
        tx.commit().await?;
        Ok(address)
    }

    pub async fn remove_address(
        &self,
        key: &RequestKey,
        account: AccountId,
        id: AddressId,
    ) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        let sql = "DELETE FROM addresses WHERE id = $1 AND account_id = $2";
        if execute(&**tx, sql, [id.as_uuid().into(), account.as_uuid().into()]).await? == 0 {
            return Err(Error::AddressNotFound);
        }
        tx.commit().await?;
        Ok(())
    }

    /// Newest first.
    pub async fn wishlist(&self, account: AccountId, page: &Page) -> Result<Listed<WishlistItem>, Error> {
        use wishlist_item::{Column, Entity};

        let mut select = Entity::find()
            .filter(Column::AccountId.eq(account.as_uuid()))
            .order_by_desc(Column::Added)
            .order_by_desc(Column::ProductId)
            .limit(page.fetch_limit());
        if let Some(after) = &page.after {
            let (added, product) = wishlist_keys(after)?;
            let earlier = Condition::all().add(Column::Added.eq(added)).add(Column::ProductId.lt(product));
            select = select.filter(Condition::any().add(Column::Added.lt(added)).add(earlier));
        }
        let rows = select.all(self.database.read()).await?;
        let items = rows.into_iter().map(WishlistItem::from).collect();
        let items = with_alerts(self.database.read(), account, items).await?;
        Ok(page.listed(items, |item: &WishlistItem| vec![item.added.to_rfc3339(), item.product.to_string()]))
    }

    /// Puts products on the wishlist and answers their items in the order asked.
    pub async fn add_wishes(
        &self,
        key: &RequestKey,
        account: AccountId,
        products: &[ProductId],
        alerts: &[StockAlert],
        now: Timestamp,
    ) -> Result<Vec<WishlistItem>, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => {
                let rows: Vec<KeptItem> = answer.rows()?;
                return Ok(rows.into_iter().map(WishlistItem::from).collect());
            }
            Once::First(tx) => tx,
        };
        lock(&tx, account).await?;
        for product in products {
            let sql = "INSERT INTO wishlist_items (account_id, product_id, added) VALUES ($1, $2, $3)
                       ON CONFLICT (account_id, product_id) DO NOTHING";
            execute(&**tx, sql, [account.as_uuid().into(), product.as_uuid().into(), now.into()]).await?;
        }
        alert::put(&tx, account, alerts, now).await?;
        for table in ["wishlist_items", "stock_alerts"] {
            let sql = format!("SELECT COUNT(*) AS found FROM {table} WHERE account_id = $1");
            if count(&tx, &sql, account).await? > i64::try_from(WISHLIST_MAX).unwrap_or(i64::MAX) {
                return Err(Refusal::WishlistLimit.into());
            }
        }
        let rows = wishes_in(&tx, account, products).await?;
        let mut alerts = alert::of_products(&**tx, account, products).await?;
        let kept = rows.into_iter().map(|row| KeptItem {
            alerts: alerts
                .remove(&ProductId::from_uuid(row.product_id))
                .unwrap_or_default()
                .iter()
                .map(|id| id.as_uuid())
                .collect(),
            row,
        });
        let kept: Vec<KeptItem> = kept.collect();
        tx.keep(&kept).await?;
        tx.commit().await?;
        Ok(kept.into_iter().map(WishlistItem::from).collect())
    }

    pub async fn remove_wishes(
        &self,
        key: &RequestKey,
        account: AccountId,
        products: &[ProductId],
    ) -> Result<(), Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(_) => return Ok(()),
            Once::First(tx) => tx,
        };
        for some in products.chunks(IDS_PER_STATEMENT_MAX) {
            wishlist_item::Entity::delete_many()
                .filter(wishlist_item::Column::AccountId.eq(account.as_uuid()))
                .filter(wishlist_item::Column::ProductId.is_in(some.iter().map(|id| id.as_uuid())))
                .exec(&**tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

/// What became of a wish, as its request keeps it.
#[derive(Serialize, Deserialize)]
struct KeptItem {
    #[serde(flatten)]
    row: wishlist_item::Model,
    #[serde(default)]
    alerts: Vec<Uuid>,
}

impl From<KeptItem> for WishlistItem {
    fn from(kept: KeptItem) -> Self {
        let alerts = kept.alerts.into_iter().map(Id::from_uuid).collect();
        WishlistItem { alerts, ..WishlistItem::from(kept.row) }
    }
}

async fn with_alerts(
    on: &impl ConnectionTrait,
    account: AccountId,
    items: Vec<WishlistItem>,
) -> Result<Vec<WishlistItem>, DbErr> {
    let products: Vec<ProductId> = items.iter().map(|item| item.product).collect();
    let mut alerts = alert::of_products(on, account, &products).await?;
    let told = |item: WishlistItem| WishlistItem {
        alerts: alerts.remove(&item.product).unwrap_or_default(),
        ..item
    };
    Ok(items.into_iter().map(told).collect())
}

/// 0 for the default, 1 for the others.
fn rank() -> SimpleExpr {
    let is_default = Expr::col(address::Column::IsDefault).eq(true);
    CaseStatement::new().case(is_default, 0).finally(1).into()
}

/// A new default takes the place of the old one.
async fn make_way(tx: &Tx, account: AccountId, address: &Address) -> Result<(), DbErr> {
    if !address.is_default {
        return Ok(());
    }
    let sql = "UPDATE addresses SET is_default = FALSE WHERE account_id = $1 AND is_default AND id <> $2";
    execute(&**tx, sql, [account.as_uuid().into(), address.id.as_uuid().into()]).await.map(drop)
}

async fn wishes_in(
    tx: &Tx,
    account: AccountId,
    products: &[ProductId],
) -> Result<Vec<wishlist_item::Model>, DbErr> {
    let mut found = HashMap::with_capacity(products.len());
    for some in products.chunks(IDS_PER_STATEMENT_MAX) {
        let rows = wishlist_item::Entity::find()
            .filter(wishlist_item::Column::AccountId.eq(account.as_uuid()))
            .filter(wishlist_item::Column::ProductId.is_in(some.iter().map(|id| id.as_uuid())))
            .all(&**tx)
            .await?;
        found.extend(rows.into_iter().map(|row| (row.product_id, row)));
    }
    Ok(products.iter().filter_map(|product| found.remove(&product.as_uuid())).collect())
}

async fn count(tx: &Tx, sql: &str, account: AccountId) -> Result<i64, DbErr> {
    let rows = query(&**tx, sql, [account.as_uuid().into()]).await?;
    rows.first().map_or(Ok(0), |row| row.try_get("", "found"))
}

fn wishlist_keys(after: &Cursor) -> Result<(Timestamp, Uuid), PageError> {
    let [added, product] = after.as_slice() else { return Err(PageError::Token) };
    let added = chrono::DateTime::parse_from_rfc3339(added).map_err(|_| PageError::Token)?;
    let product = product.parse().map_err(|_| PageError::Token)?;
    Ok((added.with_timezone(&chrono::Utc), product))
}
