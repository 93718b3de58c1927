//! Reading payments and what happened to them.

use std::collections::HashMap;

use kit::{IDS_PER_STATEMENT_MAX, Listed, Money, Page, PageError, Timestamp};
use sea_orm::{ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::Store;
use super::entity::{event, kind, payment};
use crate::domain::{CheckoutId, EventKind, Payment, PaymentId, State};
use crate::error::Error;

/// Which payments are read; all that is set must hold.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    pub state: Option<State>,
    pub checkout: Option<CheckoutId>,
}

/// One line of the list of what happened.
#[derive(Clone, Debug)]
pub struct Listing {
    pub id: Uuid,
    pub payment: PaymentId,
    pub position: i64,
    pub kind: EventKind,
    pub amount: Money,
    pub reference: Option<String>,
    pub occurred: Timestamp,
}

impl Store {
    pub async fn find(&self, id: PaymentId) -> Result<Payment, Error> {
        let row = payment::Entity::find_by_id(id.as_uuid()).one(self.database.read()).await?;
        Ok(row.ok_or(Error::NotFound(id))?.payment()?)
    }

    pub async fn find_many(&self, ids: &[PaymentId]) -> Result<HashMap<PaymentId, Payment>, DbErr> {
        let mut found = HashMap::with_capacity(ids.len());
        for some in ids.chunks(IDS_PER_STATEMENT_MAX) {
            let rows = payment::Entity::find()
                .filter(payment::Column::Id.is_in(some.iter().map(|id| id.as_uuid())))
                .all(self.database.read())
                .await?;
            for row in rows {
                let payment = row.payment()?;
                found.insert(payment.id, payment);
            }
        }
        Ok(found)
    }

    /// Payments, newest first.
    pub async fn page(&self, filter: Filter, page: &Page) -> Result<Listed<Payment>, Error> {
        let mut select = payment::Entity::find()
            .order_by_desc(payment::Column::Created)
            .order_by_desc(payment::Column::Id)
            .limit(page.fetch_limit());
        if let Some(state) = filter.state {
            select = select.filter(payment::Column::State.eq(state.as_str()));
        }
        if let Some(checkout) = filter.checkout {
            select = select.filter(payment::Column::CheckoutId.eq(checkout.as_uuid()));
        }
        if let Some(after) = &page.after {
            select = select.filter(older_than(after)?);
        }
        let rows = select.all(self.database.read()).await?;
        let payments = rows.iter().map(payment::Model::payment);
        let payments = payments.collect::<Result<Vec<_>, _>>()?;
        let keys = |payment: &Payment| vec![payment.created.to_rfc3339(), payment.id.to_string()];
        Ok(page.listed(payments, keys))
    }

    /// What happened to a payment, oldest first.
    pub async fn events(&self, id: PaymentId, page: &Page) -> Result<Listed<Listing>, Error> {
        let payment = self.find(id).await?;
        let mut select = event::Entity::find()
            .filter(event::Column::PaymentId.eq(id.as_uuid()))
            .order_by_asc(event::Column::Position)
            .limit(page.fetch_limit());
        if let Some(after) = &page.after {
            let [position] = after.as_slice() else {
                return Err(PageError::Token.into());
            };
            let position: i64 = position.parse().map_err(|_| PageError::Token)?;
            select = select.filter(event::Column::Position.gt(position));
        }
        let rows = select.all(self.database.read()).await?;
        let listings = rows.into_iter().map(|row| listing(row, &payment));
        let listings = listings.collect::<Result<Vec<_>, _>>()?;
        Ok(page.listed(listings, |listing| vec![listing.position.to_string()]))
    }
}

fn listing(row: event::Model, payment: &Payment) -> Result<Listing, DbErr> {
    let malformed = || DbErr::Type(format!("payment event {} is malformed", row.id));
    Ok(Listing {
        id: row.id,
        payment: payment.id,
        position: row.position,
        kind: kind(&row.kind).ok_or_else(malformed)?,
        amount: payment.money(row.minor_units),
        reference: row.reference,
        occurred: row.occurred,
    })
}

fn older_than(keys: &[String]) -> Result<Condition, PageError> {
    let [created, id] = keys else {
        return Err(PageError::Token);
    };
    let created = chrono::DateTime::parse_from_rfc3339(created)
        .map_err(|_| PageError::Token)?
        .with_timezone(&chrono::Utc);
    let id: Uuid = id.parse().map_err(|_| PageError::Token)?;
    let same_time =
        Condition::all().add(payment::Column::Created.eq(created)).add(payment::Column::Id.lt(id));
    Ok(Condition::any().add(payment::Column::Created.lt(created)).add(same_time))
}
