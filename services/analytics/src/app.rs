//! One method per RPC.

use kit::{Clock, Currency, Listed, Page, RequestKey};

use crate::domain::{Day, Figures, Funnel, Outcomes, ProductOrder, ProductSales, Range, Views};
use crate::error::Error;
use crate::store::Store;

#[derive(Clone)]
pub struct Analytics {
    store: Store,
    clock: Clock,
}

/// What was sold, in all and by interval.
pub struct Sales {
    pub totals: Figures,
    pub points: Vec<(Range, Figures)>,
    pub other_currencies: Vec<String>,
}

impl Analytics {
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    pub async fn record_views(&self, key: &RequestKey, views: &[Views]) -> Result<(), Error> {
        self.store.record_views(key, Day::of(self.clock.now()), views).await
    }

    /// The sales of a range, which `parts` cut into intervals.
    pub async fn sales(&self, range: Range, parts: Vec<Range>, currency: Currency) -> Result<Sales, Error> {
        let days = self.store.days(range, currency).await?;
        let other_currencies = self.store.other_currencies(range, currency).await?;
        let totals = days.iter().fold(Figures::default(), |sum, (_, figures)| sum.plus(*figures));
        let mut days = days.into_iter().peekable();
        let points = parts.into_iter().map(|part| {
            let mut figures = Figures::default();
            while let Some((_, of_day)) = days.next_if(|(day, _)| *day <= part.end()) {
                figures = figures.plus(of_day);
            }
            (part, figures)
        });
        Ok(Sales { totals, points: points.collect(), other_currencies })
    }

    pub async fn country_sales(
        &self,
        range: Range,
        currency: Currency,
        page: &Page,
    ) -> Result<Listed<(String, Figures)>, Error> {
        self.store.countries(range, currency, page).await
    }

    pub async fn product_sales(
        &self,
        range: Range,
        currency: Currency,
        order: ProductOrder,
        page: &Page,
    ) -> Result<Listed<ProductSales>, Error> {
        self.store.products(range, currency, order, page).await
    }

    pub async fn funnel(&self, range: Range) -> Result<Funnel, Error> {
        Ok(self.store.funnel(range).await?)
    }

    pub async fn payment_outcomes(&self, range: Range, currency: Currency) -> Result<Outcomes, Error> {
        Ok(self.store.outcomes(range, currency).await?)
    }
}
