//! Views of products: noted beside the page, counted here, and sent to analytics in batches by a task of its own. A page
//! never waits for that and never fails by it; what is too much is dropped and counted.

use std::collections::HashMap;
use std::pin::pin;

use mesh::{Channel, Role};
use opentelemetry::KeyValue;
use opentelemetry::metrics::Counter;
use proto::analytics::analytics_service_client::AnalyticsServiceClient;
use proto::analytics::{ProductViews, RecordViewsRequest};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use uuid::Uuid;

use crate::context::Viewer;
use crate::limits::{
    VIEW_BATCH_TRIES_MAX, VIEWS_DRAIN_TIMEOUT, VIEWS_FLUSH_INTERVAL, VIEWS_PER_BATCH_MAX, VIEWS_WAITING_MAX,
};

/// What crawlers and previews call themselves.
const BOTS: [&str; 4] = ["bot", "crawl", "spider", "preview"];

/// Where views are noted.
#[derive(Clone, Debug)]
pub struct Views {
    waiting: mpsc::Sender<View>,
    outcomes: Outcomes,
}

/// What sends them.
#[derive(Debug)]
pub struct ViewSender {
    waiting: mpsc::Receiver<View>,
    outcomes: Outcomes,
    counted: HashMap<View, i64>,
    /// A batch that could not be sent yet. It keeps its key, so that it counts once however often it is sent.
    unsent: Option<(RecordViewsRequest, u32)>,
}

/// A product was looked at, on a page that was made for a country. Nothing of whoever looked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct View {
    product_id: String,
    country: String,
}

/// Counts what becomes of views. Made after the start of what exports them, or it stays silent.
#[derive(Clone, Debug)]
struct Outcomes(Counter<u64>);

impl Outcomes {
    fn new() -> Self {
        let meter = opentelemetry::global::meter("shop");
        let counter = meter
            .u64_counter("graphql.product.views")
            .with_description("Views of products that were recorded, or dropped since too many waited");
        Self(counter.build())
    }

    fn count(&self, outcome: &'static str, views: u64) {
        self.0.add(views, &[KeyValue::new(observability::names::GRAPHQL_OUTCOME, outcome)]);
    }
}

impl Views {
    /// A place to note views, and what sends them once it runs.
    pub fn new() -> (Self, ViewSender) {
        let (sender, receiver) = mpsc::channel(VIEWS_WAITING_MAX);
        let outcomes = Outcomes::new();
        let views = Self { waiting: sender, outcomes: outcomes.clone() };
        (views, ViewSender { waiting: receiver, outcomes, counted: HashMap::new(), unsent: None })
    }

    /// Notes that a product was looked at, unless by staff or by a program that says so.
    pub(crate) fn note(&self, viewer: &Viewer, product_id: &str, country: &str) {
        if !counts(viewer) {
            return;
        }
        let view = View { product_id: product_id.to_owned(), country: country.to_owned() };
        if self.waiting.try_send(view).is_err() {
            self.outcomes.count("dropped", 1);
        }
    }
}

fn counts(viewer: &Viewer) -> bool {
    let agent = viewer.user_agent.to_ascii_lowercase();
    let shopper = viewer.user.as_ref().is_none_or(|user| user.role == Role::Customer);
    shopper && !BOTS.iter().any(|bot| agent.contains(bot))
}

impl ViewSender {
    /// Sends views until `shutdown`, then those of the requests that are still under way, within a limit.
    pub async fn run(
        mut self,
        mut analytics: AnalyticsServiceClient<Channel>,
        shutdown: impl Future<Output = ()>,
    ) {
        let mut shutdown = pin!(shutdown);
        let mut ticks = interval(VIEWS_FLUSH_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                // A full batch waits for its turn, and what comes meanwhile waits before it.
                view = self.waiting.recv(), if !self.is_full() => match view {
                    Some(view) => self.count(view),
                    None => break,
                },
                _ = ticks.tick() => self.flush(&mut analytics).await,
            }
            if self.is_full() && self.unsent.is_none() {
                self.flush(&mut analytics).await;
            }
        }
        // The last request gives its sender back, and nothing comes any more.
        let rest = async {
            while let Some(view) = self.waiting.recv().await {
                self.count(view);
                if self.is_full() {
                    self.flush(&mut analytics).await;
                }
                if self.is_full() {
                    break;
                }
            }
        };
        // Whether all of them ended or the time did: what is counted is sent.
        let _ = timeout(VIEWS_DRAIN_TIMEOUT, rest).await;
        self.flush(&mut analytics).await;
        self.outcomes.count("dropped", self.left());
    }

    fn count(&mut self, view: View) {
        *self.counted.entry(view).or_insert(0) += 1;
    }

    fn is_full(&self) -> bool {
        self.counted.len() >= VIEWS_PER_BATCH_MAX
    }

    /// Sends the batch that waits, if any, then a new one. One that fails is sent again with the next flush, and given up in
    /// the end.
    async fn flush(&mut self, analytics: &mut AnalyticsServiceClient<Channel>) {
        while let Some((request, tries)) = self.next() {
            let views = total(&request);
            match analytics.record_views(request.clone()).await {
                Ok(_) => self.outcomes.count("recorded", views),
                Err(_) if tries + 1 < VIEW_BATCH_TRIES_MAX => {
                    self.unsent = Some((request, tries + 1));
                    return;
                }
                Err(status) => {
                    self.outcomes.count("dropped", views);
                    tracing::warn!(
                        { observability::names::RPC_CODE } = ?status.code(),
                        "{views} views of products were dropped: analytics does not take them"
                    );
                }
            }
        }
    }

    fn next(&mut self) -> Option<(RecordViewsRequest, u32)> {
        let fresh = |counted: &mut HashMap<View, i64>| (batch(counted.drain()), 0);
        self.unsent.take().or_else(|| (!self.counted.is_empty()).then(|| fresh(&mut self.counted)))
    }

    fn left(&self) -> u64 {
        let unsent = self.unsent.as_ref().map_or(0, |(request, _)| total(request));
        let counted: i64 = self.counted.values().sum();
        unsent.saturating_add(u64::try_from(counted).unwrap_or(0))
    }
}

fn batch(counted: impl Iterator<Item = (View, i64)>) -> RecordViewsRequest {
    let views = counted.map(|(view, count)| ProductViews {
        product_id: view.product_id,
        country: view.country,
        count,
    });
    RecordViewsRequest { views: views.collect(), request_id: Uuid::new_v4().to_string() }
}

fn total(request: &RecordViewsRequest) -> u64 {
    request.views.iter().map(|views| u64::try_from(views.count).unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_too_much_is_dropped_and_nobody_waits() {
        let (views, sender) = Views::new();
        let viewer = Viewer::default();

        for _ in 0..VIEWS_WAITING_MAX + 100 {
            views.note(&viewer, "a product", "GB");
        }

        assert_eq!(sender.waiting.len(), VIEWS_WAITING_MAX);
    }
}
