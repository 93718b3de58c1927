//! Another shop's order history.

use futures::{StreamExt, stream};
use proptest::prelude::*;
use proto::orders as pb;
use proto::orders::import_orders_request::Part;
use proto::orders::import_orders_response::Part as Told;
use tonic::Status;

use crate::support::payments::units;
use crate::support::{Shop, by_id, reason, request_id, shops};

const HISTORY: &str = r#"{"order":"1","at":"2010-12-01 08:26:00","customer":"17850","country":"United Kingdom","lines":[{"sku":"85123A","qty":6,"unit_pence":255},{"sku":"85123A","qty":2,"unit_pence":199}]}
not json

{"order":"2","at":"2010-12-01 09:00:00","customer":null,"country":"EIRE","lines":[{"sku":"POST","qty":1,"unit_pence":9223372036854775807},{"sku":"X","qty":2,"unit_pence":9223372036854775807}]}
{"order":"3","at":"2010-12-02 09:00:00","customer":null,"country":"EIRE","lines":[{"sku":"22730","qty":80995,"unit_pence":4}]}
{"order":"1","at":"2010-12-01 08:26:00","customer":"17850","country":"United Kingdom","lines":[{"sku":"85123A","qty":6,"unit_pence":255}]}"#;

#[tokio::test]
async fn history_is_taken_order_by_order_and_once() {
    for shop in shops().await {
        let (progress, errors) = import(&shop, HISTORY.as_bytes(), 7).await.unwrap();

        assert!(progress.done);
        assert_eq!((progress.lines_read, progress.orders_created, progress.orders_unchanged), (6, 2, 1));
        assert_eq!((progress.orders_refused, progress.order_lines_created), (2, 3));
        assert_eq!(progress.total_minor_units, 6 * 255 + 2 * 199 + 80_995 * 4);
        let lines: Vec<(i64, &str)> =
            errors.iter().map(|error| (error.line, error.external_id.as_str())).collect();
        assert_eq!(lines, [(2, ""), (4, "2")]);

        let (again, _) = import(&shop, HISTORY.as_bytes(), 100_000).await.unwrap();
        assert_eq!((again.orders_created, again.orders_unchanged, again.total_minor_units), (0, 3, 0));
    }
}

#[tokio::test]
async fn a_history_that_is_imported_five_times_at_once_is_there_once() {
    for shop in shops().await {
        let order = |number: i64| {
            format!(
                r#"{{"order":"{number}","at":"2010-12-01 08:26:00","customer":null,"country":"EIRE","lines":[{{"sku":"X","qty":1,"unit_pence":100}}]}}"#
            )
        };
        let file = (0..200).map(order).collect::<Vec<_>>().join("\n");

        let imports = (0..5).map(|_| import(&shop, file.as_bytes(), 1_000));
        let told = futures::future::join_all(imports).await;

        let told: Vec<pb::OrderImportProgress> = told.into_iter().map(|told| told.unwrap().0).collect();
        let sum = |of: fn(&pb::OrderImportProgress) -> i64| told.iter().map(of).sum::<i64>();
        let sums = [sum(|told| told.orders_created), sum(|told| told.orders_unchanged)];
        assert_eq!((sums, sum(|told| told.orders_refused)), ([200, 800], 0));
        assert_eq!(sum(|told| told.total_minor_units), 20_000);
        let all = pb::ListOrdersRequest { all_accounts: true, with_totals: true, ..Default::default() };
        let listed = shop.staff().list_orders(all).await.unwrap().into_inner();
        assert_eq!((listed.total_size, listed.total_amounts[0].minor_units), (Some(200), 20_000));
        assert_eq!(kit::testing::unsent(&shop.database, 1_000).await.unwrap().len(), 200);
    }
}

#[tokio::test]
async fn imported_orders_are_history() {
    for shop in shops().await {
        import(&shop, HISTORY.as_bytes(), 1_000).await.unwrap();
        let all = pb::ListOrdersRequest { all_accounts: true, with_totals: true, ..Default::default() };
        let listed = shop.staff().list_orders(all).await.unwrap().into_inner();

        let order = &listed.orders[1];
        assert_eq!((order.external_id.as_str(), order.lines.len()), ("1", 2));
        assert_eq!((order.state(), order.origin()), (pb::OrderState::Closed, pb::OrderOrigin::Imported));
        assert_eq!((units(&order.lines[0].unit_price), units(&order.lines[1].total)), (255, 398));
        assert!(order.allowed_actions.is_empty());
        assert_eq!(order.place_time.unwrap().seconds, 1_291_191_960);
        assert_eq!(listed.total_amounts[0].minor_units, 6 * 255 + 2 * 199 + 80_995 * 4);

        let news = kit::testing::unsent(&shop.database, 100).await.unwrap();
        assert_eq!(news.len(), 2);
        let placed: pb::OrderPlaced = news[0].decode().unwrap();
        assert_eq!(placed.origin(), order.origin());
        assert_eq!(placed.external_customer, shop.settings.tokens.of_customer("17850"));
        assert!(!placed.external_customer.contains("17850"));
        assert_eq!((placed.country.as_str(), placed.contact), ("United Kingdom", None));

        let cancel = pb::CancelOrderRequest {
            key: Some(by_id(&order.id, "")),
            reason: String::new(),
            request_id: request_id(),
        };
        assert_eq!(reason(&shop.staff().cancel_order(cancel).await.unwrap_err()), "ORDER_IMPORTED");
    }
}

#[tokio::test]
async fn a_line_that_does_not_end_is_left_out_and_the_next_one_taken() {
    for shop in shops().await {
        let mut file = vec![b'x'; 1024 * 1024 + 1];
        file.push(b'\n');
        file.extend_from_slice(HISTORY.as_bytes());

        let (progress, errors) = import(&shop, &file, 200_000).await.unwrap();

        assert_eq!((progress.orders_created, errors[0].line), (2, 1));
        assert!(errors[0].message.contains("longer than"));
    }
}

#[tokio::test]
async fn a_stream_out_of_order_is_refused() {
    for shop in shops().await {
        let chunk = |bytes: &[u8]| pb::ImportOrdersRequest { part: Some(Part::Chunk(bytes.to_vec())) };
        let wrong: [Vec<pb::ImportOrdersRequest>; 3] = [
            vec![chunk(b"{}")],
            vec![start("GBP"), start("GBP")],
            vec![start("GBP"), chunk(&vec![0; 256 * 1024 + 1])],
        ];
        let mut reasons = Vec::new();
        for messages in wrong {
            reasons.push(reason(&send(&shop, messages).await.unwrap_err()));
        }
        assert_eq!(reasons, ["STREAM_OUT_OF_ORDER", "STREAM_OUT_OF_ORDER", "INVALID_FIELDS"]);
        let unknown = send(&shop, vec![start("XXX")]).await.unwrap_err();
        assert_eq!(mesh::status::violations_of(&unknown)[0].field, "start.currency_code");
        let nothing = send(&shop, vec![start("GBP")]).await.unwrap();
        assert_eq!(nothing.0.orders_created, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn wherever_the_file_is_cut_the_same_orders_come_in(size in 1_usize..400) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let shop = Shop::new(kit::testing::sqlite::<orders::Migrator>().await);
            let (progress, errors) = import(&shop, HISTORY.as_bytes(), size).await.unwrap();
            assert_eq!((progress.orders_created, progress.lines_read, errors.len()), (2, 6, 2));
        });
    }
}

type Imported = (pb::OrderImportProgress, Vec<pb::OrderImportError>);

async fn import(shop: &Shop, file: &[u8], size: usize) -> Result<Imported, Status> {
    let chunks = file.chunks(size).map(|chunk| Part::Chunk(chunk.to_vec()));
    let chunks = chunks.map(|part| pb::ImportOrdersRequest { part: Some(part) });
    send(shop, std::iter::once(start("GBP")).chain(chunks).collect()).await
}

async fn send(shop: &Shop, messages: Vec<pb::ImportOrdersRequest>) -> Result<Imported, Status> {
    let mut answers = shop.staff().import_orders(stream::iter(messages)).await?.into_inner();
    let mut last = pb::OrderImportProgress::default();
    let mut errors = Vec::new();
    while let Some(answer) = answers.next().await {
        match answer?.part.unwrap() {
            Told::Progress(progress) => last = progress,
            Told::Error(error) => errors.push(error),
        }
    }
    Ok((last, errors))
}

fn start(currency: &str) -> pb::ImportOrdersRequest {
    let start = pb::OrderImportStart { currency_code: currency.into(), request_id: request_id() };
    pb::ImportOrdersRequest { part: Some(Part::Start(start)) }
}
