//! How long an answer is kept: one about money for as long as its order, any other for a day.

use std::time::Duration;

use kit::Clock;
use proto::payments as pb;
use tonic::Status;

use crate::support::{
    Client, Shop, authorizing, capturing, pounds, reason, refunding, shops, syncing, voiding,
};

/// Longer than any answer is kept that is not about money.
const DAY_AND_MORE: Duration = Duration::from_secs(25 * 60 * 60);

/// A request to payments, of whatever method.
#[derive(Clone, Debug)]
enum Ask {
    Authorize(pb::AuthorizePaymentRequest),
    Capture(pb::CapturePaymentRequest),
    Void(pb::VoidPaymentRequest),
    Refund(pb::RefundPaymentRequest),
    Sync(pb::SyncPaymentRequest),
}

impl Ask {
    /// The answer, written out so that answers of all methods can be compared.
    async fn answer(&self, client: &mut Client) -> Result<String, Status> {
        Ok(match self.clone() {
            Ask::Authorize(request) => format!("{:?}", client.authorize_payment(request).await?.into_inner()),
            Ask::Capture(request) => format!("{:?}", client.capture_payment(request).await?.into_inner()),
            Ask::Void(request) => format!("{:?}", client.void_payment(request).await?.into_inner()),
            Ask::Refund(request) => format!("{:?}", client.refund_payment(request).await?.into_inner()),
            Ask::Sync(request) => format!("{:?}", client.sync_payment(request).await?.into_inner()),
        })
    }

    /// Something else under the same key.
    fn other(&self, payment: &pb::Payment) -> Ask {
        match self.clone() {
            Ask::Authorize(request) => Ask::Authorize(pb::AuthorizePaymentRequest { attempt: 2, ..request }),
            Ask::Capture(request) => Ask::Capture(pb::CapturePaymentRequest { amount: pounds(1), ..request }),
            Ask::Void(request) => {
                Ask::Void(pb::VoidPaymentRequest { payment_id: payment.id.clone(), ..request })
            }
            Ask::Refund(request) => Ask::Refund(pb::RefundPaymentRequest { amount: pounds(1), ..request }),
            Ask::Sync(request) => {
                Ask::Sync(pb::SyncPaymentRequest { payment_id: payment.id.clone(), ..request })
            }
        }
    }
}

/// Whatever moves money, each with its first answer.
async fn moved(shop: &Shop) -> Vec<(Ask, String)> {
    let mut orders = shop.orders();
    let authorize = authorizing("test_approve");
    let first = Ask::Authorize(authorize.clone());
    let mut answered = vec![(first.clone(), first.answer(&mut orders).await.unwrap())];
    let payment = orders.authorize_payment(authorize).await.unwrap().into_inner().payment.unwrap();
    let unwanted = shop.authorize("test_approve").await;
    for ask in [
        Ask::Capture(capturing(&payment, Some(4_000))),
        Ask::Refund(refunding(&payment, Some(1_000))),
        Ask::Void(voiding(&unwanted)),
    ] {
        answered.push((ask.clone(), ask.answer(&mut orders).await.unwrap()));
    }
    answered
}

/// What there is to see of all payments.
async fn books(shop: &Shop) -> Vec<(pb::Payment, Vec<&'static str>, serde_json::Value)> {
    let listed = shop.staff().list_payments(pb::ListPaymentsRequest::default()).await.unwrap();
    let mut books = Vec::new();
    for payment in listed.into_inner().payments {
        let (history, bank) = (shop.history(&payment.id).await, shop.at_the_bank(&payment).await);
        books.push((payment, history, bank));
    }
    books
}

#[tokio::test]
async fn an_answer_about_money_is_given_again_days_later_and_no_money_moves() {
    for shop in shops().await {
        let mut orders = shop.orders();
        let answered = moved(&shop).await;
        let before = books(&shop).await;

        let forgotten = kit::forget(&shop.database, Clock::system().now() + DAY_AND_MORE).await.unwrap();

        let third = shop.authorize("test_approve").await;
        for (ask, first) in &answered {
            // Were the key free, this would move money; asked for first, since the repetition would keep it anew.
            let refused = ask.other(&third).answer(&mut orders).await.unwrap_err();
            assert_eq!(reason(&refused), "REQUEST_ID_REUSED", "{ask:?}");
            assert_eq!(&ask.answer(&mut orders).await.unwrap(), first);
        }
        let after = books(&shop).await.into_iter().filter(|(payment, ..)| payment.id != third.id);
        assert_eq!(after.collect::<Vec<_>>(), before);
        assert_eq!(forgotten, 0);
    }
}

#[tokio::test]
async fn a_question_that_moves_no_money_is_forgotten_after_a_day() {
    for shop in shops().await {
        let mut orders = shop.orders();
        let (payment, other) = (shop.authorize("test_approve").await, shop.authorize("test_approve").await);
        let look = Ask::Sync(syncing(&payment.id));
        look.answer(&mut orders).await.unwrap();
        let refused = look.other(&other).answer(&mut orders).await.unwrap_err();
        assert_eq!(reason(&refused), "REQUEST_ID_REUSED");

        let forgotten = kit::forget(&shop.database, Clock::system().now() + DAY_AND_MORE).await.unwrap();

        assert_eq!(forgotten, 1, "the two authorisations stay");
        look.other(&other).answer(&mut orders).await.unwrap();
    }
}
