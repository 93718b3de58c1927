//! Tax rules, for staff: what they are, how they are read and changed.

use async_graphql::{Context, ID, Object, SimpleObject};
use proto::pricing as pb;

use crate::context::{self, own_request_id};
use crate::error::{Fault, listed, settled};
use crate::schema::Part;
use crate::schema::connection::{Connection, Window};
use crate::schema::money::{CountryCode, Decimal, ppm, rate};
use crate::schema::product::page_cost;
use crate::schema::user_error::{TaxErrorCode, UserError, Warning, user_errors};

const SERVICE: &str = "pricing";

/// The rate of a country and a tax class.
pub(crate) struct TaxRule(pb::TaxRule);

/// The rate of a country and a tax class, for staff.
#[Object]
impl TaxRule {
    /// The country.
    fn country_code(&self) -> CountryCode {
        CountryCode(self.0.country_code.clone())
    }

    /// "standard", "reduced", "zero", …: the `taxClass` of variants.
    fn tax_class(&self) -> &str {
        &self.0.tax_class
    }

    /// The rate as a fraction of the net amount: "0.2" is 20 %.
    fn rate(&self) -> Decimal {
        rate(self.0.rate_ppm)
    }

    /// Do the catalogue's prices contain it? The same for all classes of a country.
    fn included_in_prices(&self) -> bool {
        self.0.included_in_prices
    }
}

#[derive(Default)]
pub(crate) struct TaxQuery;

/// Tax rules, for staff.
#[Object]
impl TaxQuery {
    /// Tax rules by country and class. For staff who see prices.
    #[graphql(complexity = "page_cost(first, child_complexity)")]
    async fn tax_rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many; at most 100.", default = 20)] first: i32,
        #[graphql(desc = "Continues behind this cursor.")] after: Option<String>,
    ) -> Part<Connection<TaxRule>> {
        let read = async {
            let window = Window::of(Some(first), after.as_deref())?;
            let request =
                pb::ListTaxRulesRequest { page_size: window.page_size(), page_token: window.page_token() };
            let page = listed(SERVICE, context::pricing(ctx).list_tax_rules(request).await)?;
            let items = page.tax_rules.into_iter().map(TaxRule).collect();
            Ok(window.connect(items, page.next_page_token))
        };
        Some(read.await)
    }
}

/// What became of a change of a tax rule.
#[derive(SimpleObject, Default)]
pub(crate) struct TaxRulePayload {
    /// The rule after the change; null when nothing changed.
    tax_rule: Option<TaxRule>,
    /// Why nothing changed.
    user_errors: Vec<UserError<TaxErrorCode>>,
    /// What was done otherwise than asked.
    warnings: Vec<Warning>,
}

#[derive(Default)]
pub(crate) struct TaxMutation;

/// Changes of tax rules.
#[Object]
impl TaxMutation {
    /// Staff: sets the rate of a country and class. Quotes that are computed from now on have it.
    async fn tax_rule_set(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The country.")] country_code: CountryCode,
        #[graphql(desc = "The class; one without a rule pays the \"standard\" rate.", default = "standard")]
        tax_class: String,
        #[graphql(desc = "The rate as a fraction of the net amount: \"0.2\" is 20 %.")] rate: Decimal,
        #[graphql(desc = "Do the catalogue's prices contain it? It holds for all classes of the country.")]
        included_in_prices: bool,
        #[graphql(desc = "Repeats of the same key do nothing more.")] idempotency_key: ID,
    ) -> Part<TaxRulePayload> {
        let change = async {
            let rule = pb::TaxRule {
                country_code: country_code.0,
                tax_class,
                rate_ppm: ppm(&rate)?,
                included_in_prices,
            };
            let request = pb::SetTaxRuleRequest {
                tax_rule: Some(rule),
                request_id: own_request_id(ctx, &idempotency_key, "SetTaxRule")?,
            };
            match settled(SERVICE, context::pricing(ctx).set_tax_rule(request).await)? {
                Ok(answer) => {
                    let rule = answer.tax_rule.ok_or_else(|| Fault::incomplete(SERVICE))?;
                    Ok(TaxRulePayload { tax_rule: Some(TaxRule(rule)), ..Default::default() })
                }
                Err(refusals) => {
                    Ok(TaxRulePayload { user_errors: user_errors(SERVICE, refusals)?, ..Default::default() })
                }
            }
        };
        Some(change.await)
    }
}
