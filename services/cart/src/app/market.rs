//! What the catalogue and inventory say about the variants that somebody asks for.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::future::{try_join, try_join_all};
use kit::parse::BATCH_MAX;
use kit::{Currency, Money};
use proto::catalogue as catalogue_pb;
use proto::inventory as inventory_pb;
use tonic::Status;

use crate::Upstreams;
use crate::domain::{Cart, Offer, Offers, Problem, VariantId};
use crate::error::Error;

/// Variants to ask about, with their SKUs where these are known.
pub type Wanted = BTreeMap<VariantId, Option<String>>;

/// Offers, and what was asked to get them: what was not asked is not known, what was asked and not answered is not
/// offered.
pub struct Market {
    currency: Option<Currency>,
    asked: HashSet<VariantId>,
    offers: Offers,
}

impl Market {
    /// Nobody could be asked.
    pub fn unknown() -> Self {
        Self { currency: None, asked: HashSet::new(), offers: Offers::new() }
    }

    /// Asks both at the same time where the SKUs are known; else the catalogue tells them first.
    pub async fn ask(upstreams: &Upstreams, currency: Currency, wanted: &Wanted) -> Result<Self, Error> {
        let ids: Vec<VariantId> = wanted.keys().copied().collect();
        let known: Option<Vec<String>> = wanted.values().cloned().collect();
        let known = known.unwrap_or_default();
        let (summaries, mut stock) = try_join(variants(upstreams, &ids), stock(upstreams, &known)).await?;
        let asked: HashSet<&String> = known.iter().collect();
        // Those just learnt, and those that have been renamed since they came into a cart.
        let fresh: Vec<String> = summaries
            .iter()
            .filter_map(|summary| Some(summary.variant.as_ref()?.sku.clone()))
            .filter(|sku| !asked.contains(sku))
            .collect();
        stock.extend(self::stock(upstreams, &fresh).await?);
        let offers = summaries.iter().filter_map(|summary| offer(summary, currency, &stock)).collect();
        Ok(Self { currency: Some(currency), asked: ids.into_iter().collect(), offers })
    }

    /// The offers, if these variants were asked about in this currency; else the cart has outrun the question.
    pub fn offers(&self, currency: Currency, variants: &[VariantId]) -> Result<&Offers, Error> {
        match self.covers(currency, variants) {
            true => Ok(&self.offers),
            false => Err(Error::Outrun),
        }
    }

    /// What is wrong with a cart; nothing known unless all of it was asked about.
    pub fn problems(&self, cart: &Cart) -> Option<Vec<Problem>> {
        self.covers(cart.currency, &cart.variants()).then(|| cart.problems(&self.offers))
    }

    fn covers(&self, currency: Currency, variants: &[VariantId]) -> bool {
        let asked = self.currency == Some(currency) && variants.iter().all(|one| self.asked.contains(one));
        asked || variants.is_empty()
    }
}

async fn variants(
    upstreams: &Upstreams,
    ids: &[VariantId],
) -> Result<Vec<catalogue_pb::VariantSummary>, Error> {
    let key = |id: &VariantId| catalogue_pb::VariantKey {
        key: Some(catalogue_pb::variant_key::Key::VariantId(id.to_string())),
    };
    let calls =
        ids.chunks(BATCH_MAX).map(|ids| {
            let mut catalogue = upstreams.catalogue.clone();
            let request = catalogue_pb::BatchGetVariantsRequest { keys: ids.iter().map(key).collect() };
            async move {
                catalogue.batch_get_variants(request).await.map_err(|status| silent("catalogue", status))
            }
        });
    let answers = try_join_all(calls).await?;
    Ok(answers.into_iter().flat_map(|answer| answer.into_inner().variants).collect())
}

async fn stock(upstreams: &Upstreams, skus: &[String]) -> Result<HashMap<String, i64>, Error> {
    let calls = skus.chunks(BATCH_MAX).map(|skus| {
        let mut inventory = upstreams.inventory.clone();
        let request = inventory_pb::BatchGetStockRequest { skus: skus.to_vec() };
        async move { inventory.batch_get_stock(request).await.map_err(|status| silent("inventory", status)) }
    });
    let answers = try_join_all(calls).await?;
    let rows = answers.into_iter().flat_map(|answer| answer.into_inner().stock);
    Ok(rows.map(|row| (row.sku, row.available)).collect())
}

/// Whatever the reason, the change cannot be made now: it was not the buyer's mistake.
fn silent(service: &'static str, status: Status) -> Error {
    Error::Upstream { service, source: Box::new(status) }
}

fn offer(
    summary: &catalogue_pb::VariantSummary,
    currency: Currency,
    stock: &HashMap<String, i64>,
) -> Option<(VariantId, Offer)> {
    let variant = summary.variant.as_ref()?;
    if summary.product_status() != catalogue_pb::ProductStatus::Active {
        return None;
    }
    let amounts = variant.prices.iter().filter_map(|price| price.amount.as_ref());
    let price = amounts.filter_map(|amount| Money::try_from(amount).ok());
    let offer = Offer {
        sku: variant.sku.clone(),
        product: summary.product_id.parse().ok()?,
        price: price.into_iter().find(|price| price.currency() == currency),
        available: stock.get(&variant.sku).copied().unwrap_or(0),
    };
    Some((variant.id.parse().ok()?, offer))
}
