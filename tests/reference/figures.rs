//! The figures of the wholesaler's year: as the running shop tells them after the import, and as they are when every event of
//! it is delivered twice and in any order.

use std::path::Path;
use std::time::{Duration, Instant};

use kit::outbox::Event;
use kit::{Database, Id, query};
use mesh::testing;
use proto::analytics::analytics_service_client::AnalyticsServiceClient;
use proto::analytics::{DateRange, GetSalesRequest, ListProductSalesRequest, SalesFigures, SalesInterval};
use tonic::{Request, Status};

/// The relay carries the year's events within this on a busy machine; it usually takes a fraction.
const CARRY_TIME_MAX: Duration = Duration::from_secs(600);
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// Any number will do; this one makes a failure come again.
const SEED: u64 = 20_111_209;

/// Waits until the shop has counted so many orders; answers what they add up to.
pub async fn carried(channel: tonic::transport::Channel, bearer: &str, orders: i64) -> SalesFigures {
    let begun = Instant::now();
    let mut client = AnalyticsServiceClient::new(channel);
    loop {
        let mut request = Request::new(year(SalesInterval::Month));
        request.metadata_mut().insert("authorization", bearer.parse().unwrap());
        let figures = client.get_sales(request).await.unwrap().into_inner().totals.unwrap();
        if figures.orders >= orders {
            println!("carried to analytics: {:.1} s after the import", begun.elapsed().as_secs_f64());
            return figures;
        }
        assert!(begun.elapsed() < CARRY_TIME_MAX, "only {} orders were counted", figures.orders);
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

/// Every event of the orders of a shop, from its outbox.
pub async fn events(folder: &Path) -> Vec<Event> {
    let orders = Database::open(&format!("sqlite:{}", folder.join("orders.db").display())).await.unwrap();
    let rows = query(orders.read(), "SELECT * FROM outbox ORDER BY id", []).await.unwrap();
    rows.iter()
        .map(|row| Event {
            id: Id::from_uuid(row.try_get("", "id").unwrap()),
            kind: row.try_get("", "kind").unwrap(),
            subject: row.try_get("", "subject").unwrap(),
            subject_version: row.try_get("", "subject_version").unwrap(),
            occurred: row.try_get("", "occurred").unwrap(),
            traceparent: row.try_get("", "traceparent").unwrap(),
            schema_version: row.try_get("", "schema_version").unwrap(),
            payload: row.try_get("", "payload").unwrap(),
        })
        .collect()
}

/// Delivers each event twice, in no order, to stores of every kind; each then says what the orders add up to.
pub async fn twice_in_any_order(events: Vec<Event>) -> Vec<SalesFigures> {
    let mut deliveries: Vec<Event> = events.iter().chain(&events).cloned().collect();
    let mut state = SEED;
    for place in (1..deliveries.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        deliveries.swap(place, usize::try_from(state >> 33).unwrap() % (place + 1));
    }
    let mut figures = Vec::new();
    for database in kit::testing::databases::<analytics::Migrator>().await {
        let readers = analytics::readers(&database);
        let begun = Instant::now();
        for event in &deliveries {
            (readers[0].apply)(event.clone()).await.unwrap();
        }
        let seconds = begun.elapsed().as_secs_f64();
        #[allow(clippy::cast_precision_loss)]
        let rate = deliveries.len() as f64 / seconds;
        println!("{:?}: {} deliveries in {seconds:.1} s, {rate:.0}/s", database.backend(), deliveries.len());
        figures.push(asked(database).await.unwrap());
    }
    figures
}

/// What a service over this store tells; its products must come to the same.
async fn asked(database: Database) -> Result<SalesFigures, Status> {
    let server = testing::serve(analytics::NAME, analytics::routes(database, kit::Clock::system()));
    let staff = testing::staff(&["analytics.read"]);
    let mut client = AnalyticsServiceClient::new(server.channel_as("gateway", Some(staff)));
    let sales = client.get_sales(year(SalesInterval::Week)).await?.into_inner();
    let totals = sales.totals.unwrap();

    let money =
        |figures: &Option<SalesFigures>| figures.as_ref().unwrap().revenue.as_ref().unwrap().minor_units;
    let by_week: i64 = sales.points.iter().map(|point| money(&point.figures)).sum();
    assert_eq!(by_week, money(&Some(totals.clone())));
    let (mut by_product, mut page_token) = (0, String::new());
    loop {
        let request = ListProductSalesRequest {
            range: range(),
            currency_code: "GBP".into(),
            page_size: 100,
            page_token,
            ..Default::default()
        };
        let page = client.list_product_sales(request).await?.into_inner();
        by_product +=
            page.products.iter().map(|sales| sales.revenue.as_ref().unwrap().minor_units).sum::<i64>();
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(by_product, by_week);
    Ok(totals)
}

fn year(interval: SalesInterval) -> GetSalesRequest {
    GetSalesRequest { range: range(), currency_code: "GBP".into(), interval: interval.into() }
}

fn range() -> Option<DateRange> {
    Some(DateRange { start_date: "2010-12-01".into(), end_date: "2011-12-31".into() })
}
