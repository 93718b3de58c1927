//! How long an answer is kept: one about the uses of codes for as long as the order, any other for a day.

use std::time::Duration;

use kit::Clock;
use proto::pricing as pb;
use tonic::Status;

use crate::support::*;

/// Longer than any answer is kept that is not about a checkout.
const DAY_AND_MORE: Duration = Duration::from_secs(25 * 60 * 60);

/// A request of a checkout, of whatever method.
#[derive(Clone, Debug)]
enum Ask {
    Hold(pb::HoldCodesRequest),
    Commit(pb::CommitCodesRequest),
    Release(pb::ReleaseCodesRequest),
}

impl Ask {
    async fn done(&self, client: &mut Client) -> Result<(), Status> {
        match self.clone() {
            Ask::Hold(request) => client.hold_codes(request).await.map(drop),
            Ask::Commit(request) => client.commit_codes(request).await.map(drop),
            Ask::Release(request) => client.release_codes(request).await.map(drop),
        }
    }

    /// The same under the same key, for another checkout.
    fn other(&self, checkout_id: &str) -> Ask {
        let checkout_id = checkout_id.to_owned();
        match self.clone() {
            Ask::Hold(request) => Ask::Hold(pb::HoldCodesRequest { checkout_id, ..request }),
            Ask::Commit(request) => Ask::Commit(pb::CommitCodesRequest { checkout_id, ..request }),
            Ask::Release(request) => Ask::Release(pb::ReleaseCodesRequest { checkout_id, ..request }),
        }
    }
}

#[tokio::test]
async fn what_a_checkout_did_with_its_codes_is_known_days_later_and_done_once() {
    for shop in shops().await {
        let discount = shop.discount(percent("TEN", 100_000)).await;
        let (bought, left, open) = (id(), id(), id());
        for checkout in [&left, &open] {
            shop.hold(shop.holding(checkout, &["TEN"], &account())).await.unwrap();
        }
        let asked = [
            Ask::Hold(shop.holding(&bought, &["TEN"], &account())),
            Ask::Commit(pb::CommitCodesRequest { checkout_id: bought, request_id: request_id() }),
            Ask::Release(pb::ReleaseCodesRequest { checkout_id: left, request_id: request_id() }),
        ];
        let mut orders = shop.as_service("orders");
        for ask in &asked {
            ask.done(&mut orders).await.unwrap();
        }
        assert_eq!(shop.stored(&discount).await.use_count, 2);

        let forgotten = kit::forget(&shop.database, Clock::system().now() + DAY_AND_MORE).await.unwrap();

        for ask in &asked {
            // Were the key free, a third use would be held, or the open one committed or released. It is asked for
            // first, since the repetition would keep the key anew.
            let other = if matches!(ask, Ask::Hold(_)) { id() } else { open.clone() };
            let refused = ask.other(&other).done(&mut orders).await.unwrap_err();
            assert_eq!(reason(&refused), "REQUEST_ID_REUSED", "{ask:?}");
            ask.done(&mut orders).await.unwrap();
        }
        assert_eq!(shop.stored(&discount).await.use_count, 2);
        assert_eq!(forgotten, 1, "the creation of the discount");
    }
}

#[tokio::test]
async fn what_staff_did_is_forgotten_after_a_day() {
    for shop in shops().await {
        let creating = |code: &str, request_id: &str| pb::CreateDiscountRequest {
            discount: Some(percent(code, 100_000)),
            request_id: request_id.to_owned(),
        };
        let key = request_id();
        shop.staff().create_discount(creating("TEN", &key)).await.unwrap();
        let refused = shop.staff().create_discount(creating("TWELVE", &key)).await.unwrap_err();
        assert_eq!(reason(&refused), "REQUEST_ID_REUSED");

        kit::forget(&shop.database, Clock::system().now() + DAY_AND_MORE).await.unwrap();

        shop.staff().create_discount(creating("TWELVE", &key)).await.unwrap();
    }
}
