//! Tax rules, one for each country and class.

use kit::{Listed, Once, Page, PageError, RequestKey, Tx, execute, query};
use sea_orm::{DbErr, QueryResult};
use serde::{Deserialize, Serialize};

use super::Store;
use crate::domain::tax::{Rule, Taxes};
use crate::error::Error;

const SELECT: &str = "SELECT tax_rules.country, class, rate_ppm, included FROM tax_rules \
                      JOIN tax_countries ON tax_countries.country = tax_rules.country";

/// A rule as it is kept for a repeated request.
#[derive(Serialize, Deserialize)]
struct Kept {
    country: String,
    class: String,
    rate_ppm: i64,
    included: bool,
}

impl Store {
    pub async fn taxes(&self, country: &str) -> Result<Taxes, DbErr> {
        let sql = format!("{SELECT} WHERE tax_rules.country = $1");
        let rows = query(self.database.read(), &sql, [country.into()]).await?;
        let rules = rows.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        Ok(Taxes::of(country, rules))
    }

    /// By country, then by class.
    pub async fn tax_page(&self, page: &Page) -> Result<Listed<Rule>, Error> {
        let (country, class) = match page.after.as_deref() {
            None => ("", ""),
            Some([country, class]) => (country.as_str(), class.as_str()),
            Some(_) => return Err(PageError::Token.into()),
        };
        let sql = format!(
            "{SELECT} WHERE tax_rules.country > $1 OR (tax_rules.country = $1 AND class > $2)
             ORDER BY tax_rules.country, class LIMIT $3"
        );
        let limit = i64::try_from(page.fetch_limit()).unwrap_or(i64::MAX);
        let rows = query(self.database.read(), &sql, [country.into(), class.into(), limit.into()]).await?;
        let rules = rows.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        Ok(page.listed(rules, |rule| vec![rule.country.clone(), rule.class.clone()]))
    }

    /// Sets the rate of a class, and for the whole country whether prices include tax.
    pub async fn set_tax(&self, key: &RequestKey, rule: Rule) -> Result<Rule, Error> {
        let tx = match self.database.begin_once(key).await? {
            Once::Kept(answer) => return Ok(answer.rows::<Kept>()?.rule()),
            Once::First(tx) => tx,
        };
        write(&tx, &rule).await?;
        tx.keep(&Kept::of(&rule)).await?;
        tx.commit().await?;
        Ok(rule)
    }
}

async fn write(tx: &Tx, rule: &Rule) -> Result<(), DbErr> {
    let sql = "INSERT INTO tax_countries (country, included) VALUES ($1, $2)
               ON CONFLICT (country) DO UPDATE SET included = excluded.included";
    execute(&**tx, sql, [rule.country.as_str().into(), rule.included.into()]).await?;
    let sql = "INSERT INTO tax_rules (country, class, rate_ppm) VALUES ($1, $2, $3)
               ON CONFLICT (country, class) DO UPDATE SET rate_ppm = excluded.rate_ppm";
    let values = [rule.country.as_str().into(), rule.class.as_str().into(), rule.rate_ppm.into()];
    execute(&**tx, sql, values).await.map(drop)
}

fn rule(row: &QueryResult) -> Result<Rule, DbErr> {
    Ok(Rule {
        country: row.try_get("", "country")?,
        class: row.try_get("", "class")?,
        rate_ppm: row.try_get("", "rate_ppm")?,
        included: row.try_get("", "included")?,
    })
}

impl Kept {
    fn of(rule: &Rule) -> Self {
        let Rule { country, class, rate_ppm, included } = rule.clone();
        Self { country, class, rate_ppm, included }
    }

    fn rule(self) -> Rule {
        let Self { country, class, rate_ppm, included } = self;
        Rule { country, class, rate_ppm, included }
    }
}
