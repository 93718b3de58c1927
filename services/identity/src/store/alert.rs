//! Who wants to be told that something is back in stock. Found by SKU, a batch at a time: thousands may wish for one thing.

use std::collections::HashMap;

use kit::{IDS_PER_STATEMENT_MAX, Id, Timestamp, Tx, execute, query};
use sea_orm::{ConnectionTrait, DbErr, QueryResult, Value};
use uuid::Uuid;

use super::{Store, announce, find_in, lock};
use crate::domain::{ALERT_REST, Account, AccountId, ProductId, StockAlert, VariantId};
use crate::error::Error;
use crate::events::News;

/// Accounts told in one transaction; whoever writes meanwhile waits no longer than that.
const BATCH: i64 = 100;

/// After whom the next batch goes on.
pub type After = (AccountId, VariantId);

impl Store {
    /// Tells the next accounts, in the order of their ids, that a SKU came back in stock. Whoever was told of this return,
    /// or of one shortly before, is left out, so the same news twice is told once. Nothing is left when there is no
    /// answer.
    pub async fn tell_back_in_stock(
        &self,
        sku: &str,
        returned: Timestamp,
        after: Option<After>,
        news: impl Fn(&Account, &StockAlert) -> Result<News, Error>,
    ) -> Result<Option<After>, Error> {
        let (account, variant) = after
            .map_or((Uuid::nil(), Uuid::nil()), |(account, variant)| (account.as_uuid(), variant.as_uuid()));
        let sql = "SELECT s.* FROM stock_alerts s JOIN accounts a ON a.id = s.account_id
                   WHERE s.sku = $1 AND (s.account_id > $2 OR (s.account_id = $2 AND s.variant_id > $3))
                       AND s.added <= $4 AND (s.told IS NULL OR s.told <= $5)
                       AND a.email_verified AND a.erased IS NULL
                   ORDER BY s.account_id, s.variant_id LIMIT $6";
        let rested: Value = (returned - ALERT_REST).into();
        let values =
            [sku.into(), account.into(), variant.into(), returned.into(), rested.clone(), BATCH.into()];
        let rows = query(self.database.read(), sql, values).await?;
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        let last =
            (Id::from_uuid(last.try_get("", "account_id")?), Id::from_uuid(last.try_get("", "variant_id")?));
        let tx = self.database.begin().await?;
        for row in &rows {
            let id: AccountId = Id::from_uuid(row.try_get("", "account_id")?);
            let alert = read(row)?;
            // The account first, as everywhere: two who lock in different orders would wait for each other.
            match lock(&tx, id).await {
                Ok(()) => {}
                Err(Error::AccountNotFound) => continue,
                Err(error) => return Err(error),
            }
            let sql = "UPDATE stock_alerts SET told = $3
                       WHERE account_id = $1 AND variant_id = $2 AND (told IS NULL OR told <= $4)";
            let values =
                [id.as_uuid().into(), alert.variant.as_uuid().into(), returned.into(), rested.clone()];
            if execute(&*tx, sql, values).await? == 1 {
                let account = find_in(&*tx, id).await?;
                announce(&tx, id, returned, news(&account, &alert)?).await?;
            }
        }
        tx.commit().await?;
        Ok(Some(last))
    }
}

/// Notes alerts of a locked account; one that is there gets the catalogue's newest words.
pub(super) async fn put(
    tx: &Tx,
    account: AccountId,
    alerts: &[StockAlert],
    now: Timestamp,
) -> Result<(), DbErr> {
    for alert in alerts {
        let sql =
            "INSERT INTO stock_alerts (account_id, variant_id, product_id, sku, product_title, variant_title,
                       product_handle, added)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                   ON CONFLICT (account_id, variant_id) DO UPDATE SET sku = excluded.sku,
                       product_title = excluded.product_title, variant_title = excluded.variant_title,
                       product_handle = excluded.product_handle";
        let values = [
            account.as_uuid().into(),
            alert.variant.as_uuid().into(),
            alert.product.as_uuid().into(),
            alert.sku.clone().into(),
            alert.product_title.clone().into(),
            alert.variant_title.clone().into(),
            alert.product_handle.clone().into(),
            now.into(),
        ];
        execute(tx, sql, values).await?;
    }
    Ok(())
}

/// The variants that an account is told of, by product.
pub(super) async fn of_products(
    on: &impl ConnectionTrait,
    account: AccountId,
    products: &[ProductId],
) -> Result<HashMap<ProductId, Vec<VariantId>>, DbErr> {
    let mut found: HashMap<ProductId, Vec<VariantId>> = HashMap::new();
    for some in products.chunks(IDS_PER_STATEMENT_MAX) {
        let places: Vec<String> = (0..some.len()).map(|place| format!("${}", place + 2)).collect();
        let sql = format!(
            "SELECT product_id, variant_id FROM stock_alerts WHERE account_id = $1 AND product_id IN ({})
             ORDER BY variant_id",
            places.join(", ")
        );
        let ids = some.iter().map(|id| Value::from(id.as_uuid()));
        for row in query(on, &sql, std::iter::once(Value::from(account.as_uuid())).chain(ids)).await? {
            let product = Id::from_uuid(row.try_get("", "product_id")?);
            found.entry(product).or_default().push(Id::from_uuid(row.try_get("", "variant_id")?));
        }
    }
    Ok(found)
}

fn read(row: &QueryResult) -> Result<StockAlert, DbErr> {
    Ok(StockAlert {
        product: Id::from_uuid(row.try_get("", "product_id")?),
        variant: Id::from_uuid(row.try_get("", "variant_id")?),
        sku: row.try_get("", "sku")?,
        product_title: row.try_get("", "product_title")?,
        variant_title: row.try_get("", "variant_title")?,
        product_handle: row.try_get("", "product_handle")?,
    })
}
