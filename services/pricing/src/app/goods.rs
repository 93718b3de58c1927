//! What the catalogue says about the things in a basket, in this service's own words.

use std::collections::{HashMap, HashSet};

use kit::{Currency, Money};
use proto::catalogue::variant_key::Key;
use proto::catalogue::{BatchGetVariantsRequest, ProductStatus, VariantKey, VariantSummary};

use super::{Basket, Pricing};
use crate::domain::{Item, Refusal, VariantId};
use crate::error::Error;

impl Pricing {
    /// The lines in the order asked, by one call for all of them.
    pub async fn items(&self, basket: &Basket) -> Result<Vec<(Item, i64)>, Error> {
        let mut asked = HashSet::with_capacity(basket.lines.len());
        let variants = basket.lines.iter().map(|(variant, _)| *variant);
        let keys = variants.filter(|variant| asked.insert(*variant));
        let keys = keys.map(|variant| VariantKey { key: Some(Key::VariantId(variant.to_string())) });
        let request = BatchGetVariantsRequest { keys: keys.collect() };
        let answer = self.upstreams.catalogue.clone().batch_get_variants(request).await;
        let answer = answer.map_err(|status| Error::Catalogue(Box::new(status)))?.into_inner();

        let mut found = HashMap::with_capacity(answer.variants.len());
        for summary in answer.variants {
            if let Some(item) = item(summary, basket.currency)? {
                found.insert(item.variant, item);
            }
        }
        let lines = basket.lines.iter().map(|(variant, quantity)| {
            let item = found.get(variant).ok_or(Refusal::VariantNotPriced(*variant))?;
            Ok((item.clone(), *quantity))
        });
        lines.collect()
    }
}

/// The variant as something that can be bought in this currency; nothing if it cannot, such as one of a draft.
fn item(summary: VariantSummary, currency: Currency) -> Result<Option<Item>, Error> {
    let for_sale = summary.product_status() == ProductStatus::Active;
    let Some(variant) = summary.variant.filter(|_| for_sale) else { return Ok(None) };
    let code = currency.as_str();
    let priced = variant.prices.iter().find(|price| {
        let amount = price.amount.as_ref();
        amount.is_some_and(|amount| amount.currency_code == code)
    });
    let Some(price) = priced else { return Ok(None) };
    let unit_price = amount(price.amount.as_ref())?.unwrap_or(0);
    if variant.weight_grams < 0 {
        return Err(Error::Malformed("a weight below zero"));
    }
    Ok(Some(Item {
        variant: parsed(&variant.id)?,
        product: summary.product_id.parse().map_err(|_| Error::Malformed("a product's id"))?,
        sku: variant.sku,
        product_title: summary.product_title,
        variant_title: variant.title,
        unit_price,
        compare_at_price: amount(price.compare_at.as_ref())?.filter(|before| *before > unit_price),
        weight_grams: variant.weight_grams,
        tax_class: variant.tax_class,
        requires_shipping: variant.requires_shipping,
    }))
}

fn parsed(id: &str) -> Result<VariantId, Error> {
    id.parse().map_err(|_| Error::Malformed("a variant's id"))
}

fn amount(money: Option<&proto::common::Money>) -> Result<Option<i64>, Error> {
    let Some(money) = money else { return Ok(None) };
    let money = Money::try_from(money).map_err(|_| Error::Malformed("a price"))?;
    match money.minor_units() {
        below if below < 0 => Err(Error::Malformed("a price below zero")),
        minor_units => Ok(Some(minor_units)),
    }
}
