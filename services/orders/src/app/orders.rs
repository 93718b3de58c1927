//! Orders, as buyers and staff have a hand in them.

use std::collections::HashMap;
use std::time::Duration;

use futures::Stream;
use kit::{Listed, Money, Page, RequestKey};
use mesh::Caller;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tracing::Instrument;

use super::{Orders, READ, right};
use crate::domain::{
    Head, LineCount, Number, Order, OrderEvent, OrderId, RefundId, RefundState, Refusal, ReturnId, ShipmentId,
};
use crate::error::Error;
use crate::store::{Filter, Leased, Right, Sum};

/// Whoever causes a chore waits so long for it; it is done without him, too.
const CHORE_WAIT_MAX: Duration = Duration::from_secs(4);

/// How an order is named.
pub enum Key {
    Id(OrderId),
    Number(Number),
}

/// Which orders are listed.
pub struct Listing {
    pub filter: Filter,
    pub all_accounts: bool,
    pub with_totals: bool,
}

/// What a change of an order looks like from here.
pub struct Orderly<'a> {
    pub key: &'a RequestKey,
    pub id: OrderId,
    pub right: Right,
}

impl Orders {
    /// The id behind a key, if this caller may see the order.
    pub async fn resolve(&self, key: Key, right: &Right) -> Result<OrderId, Error> {
        match key {
            Key::Id(id) => Ok(id),
            Key::Number(number) => self.store.order_id(&number, right).await,
        }
    }

    pub async fn head(&self, id: OrderId, right: &Right, lines: bool) -> Result<Head, Error> {
        self.store.heads(&[id], right, lines).await?.remove(&id).ok_or(Error::OrderNotFound)
    }

    pub async fn batch_get(
        &self,
        caller: &Caller,
        ids: &[OrderId],
        lines: bool,
    ) -> Result<HashMap<OrderId, Head>, Error> {
        self.store.heads(ids, &right(caller, "", Some(READ)), lines).await
    }

    /// One's own orders, or with the permission all that the filter finds.
    pub async fn list(
        &self,
        caller: &Caller,
        listing: Listing,
        page: &Page,
        lines: bool,
    ) -> Result<(Listed<Head>, Option<Sum>), Error> {
        let mut filter = listing.filter;
        let staff_only = listing.all_accounts || listing.with_totals || filter.account.is_some();
        if staff_only && !caller.may(READ) {
            return Err(Error::PermissionMissing);
        }
        if !listing.all_accounts && filter.account.is_none() {
            filter.account = Some(Self::account(caller)?.as_uuid());
        }
        let listed = self.store.page(&filter, page, lines).await?;
        let sum = match listing.with_totals {
            true => Some(self.store.sum(&filter).await?),
            false => None,
        };
        Ok((listed, sum))
    }

    pub async fn ship(
        &self,
        change: Orderly<'_>,
        lines: Vec<LineCount>,
        carrier: String,
        tracking_number: String,
    ) -> Result<Order, Error> {
        let now = self.clock.now();
        let ship = |order: &mut Order| {
            Ok(((), order.ship(lines.clone(), carrier.clone(), tracking_number.clone(), now)?))
        };
        Ok(self.change(change, ship).await?.0)
    }

    pub async fn deliver(&self, change: Orderly<'_>, shipment: ShipmentId) -> Result<Order, Error> {
        let now = self.clock.now();
        Ok(self.change(change, |order| Ok(((), order.deliver(shipment, now)?))).await?.0)
    }

    pub async fn request_return(
        &self,
        change: Orderly<'_>,
        lines: Vec<LineCount>,
        reason: String,
    ) -> Result<(Order, ReturnId), Error> {
        let now = self.clock.now();
        let request = |order: &mut Order| Ok(order.request_return(lines.clone(), reason.clone(), now)?);
        self.change(change, request).await
    }

    pub async fn approve_return(&self, change: Orderly<'_>, id: ReturnId) -> Result<Order, Error> {
        let now = self.clock.now();
        Ok(self.change(change, |order| Ok(((), order.approve_return(id, now)?))).await?.0)
    }

    pub async fn reject_return(
        &self,
        change: Orderly<'_>,
        id: ReturnId,
        rejection: String,
    ) -> Result<Order, Error> {
        let now = self.clock.now();
        let reject = |order: &mut Order| Ok(((), order.reject_return(id, rejection.clone(), now)?));
        Ok(self.change(change, reject).await?.0)
    }

    pub async fn receive_return(
        &self,
        change: Orderly<'_>,
        id: ReturnId,
        restock: bool,
    ) -> Result<Order, Error> {
        let now = self.clock.now();
        let receive = |order: &mut Order| Ok(((), order.receive_return(id, restock, now)?));
        let (order, _) = self.change_and_wait(change, receive).await?;
        Ok(order)
    }

    pub async fn cancel(&self, change: Orderly<'_>, reason: String) -> Result<Order, Error> {
        let now = self.clock.now();
        let cancel = |order: &mut Order| Ok(((), order.cancel(reason.clone(), now)?));
        let (order, _) = self.change_and_wait(change, cancel).await?;
        Ok(order)
    }

    /// Gives money back. The amount is set aside first; if the provider will not, it is free again.
    pub async fn refund(
        &self,
        change: Orderly<'_>,
        amount: Option<Money>,
        reason: String,
    ) -> Result<(Order, RefundId), Error> {
        let now = self.clock.now();
        let change = Orderly { key: &change.key.clone().lasting(), ..change };
        let refund = |order: &mut Order| Ok((order.refund(amount, reason.clone(), now)?, Vec::new()));
        let (order, id) = self.change_and_wait(change, refund).await?;
        match order.refund_state(id) {
            Some(RefundState::Failed) => {
                Err(Refusal::AmountExceedsPaid { refundable: order.refundable() }.into())
            }
            _ => Ok((order, id)),
        }
    }

    /// The order now, then again whenever its version grows.
    pub async fn watch(
        &self,
        id: OrderId,
        right: Right,
    ) -> Result<impl Stream<Item = Result<Order, Error>> + Send + use<>, Error> {
        self.store.order_version(id, &right).await?.ok_or(Error::OrderNotFound)?;
        let (store, watched) = (self.store.clone(), right.clone());
        let version = move || {
            let (store, right) = (store.clone(), watched.clone());
            async move { store.order_version(id, &right).await }
        };
        let store = self.store.clone();
        let read = move || {
            let (store, right) = (store.clone(), right.clone());
            async move { store.order(id, &right).await.map(|order| Some((order.version, order))) }
        };
        Ok(watching::watch(self.store.changes(), watching::INTERVAL, version, read))
    }

    async fn change<T: Serialize + DeserializeOwned + Send + Sync>(
        &self,
        change: Orderly<'_>,
        decide: impl Fn(&mut Order) -> Result<(T, Vec<OrderEvent>), Error>,
    ) -> Result<(Order, T), Error> {
        self.store
            .update(change.key, change.id, &change.right, decide, |order, decided| (order, decided))
            .await
    }

    /// Changes the order, then sees to the chores that follow, as far as they are done in time. Kept is what was decided
    /// alone, perhaps for as long as the order: whoever asks again hears of the same, as the order stands then.
    async fn change_and_wait<T: Serialize + DeserializeOwned + Send + Sync>(
        &self,
        change: Orderly<'_>,
        decide: impl Fn(&mut Order) -> Result<(T, Vec<OrderEvent>), Error>,
    ) -> Result<(Order, T), Error> {
        let (id, right) = (change.id, change.right);
        let answer = self.store.update(change.key, id, &right, decide, |_, decided| decided).await?;
        let runner = self.runner.clone();
        let running =
            tokio::spawn(async move { runner.run(Leased::Order(id.as_uuid())).await }.in_current_span());
        let _ = timeout(CHORE_WAIT_MAX, running).await;
        Ok((self.store.order(id, &right).await?, answer))
    }
}
