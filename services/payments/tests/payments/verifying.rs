//! Whoever looks for broken promises finds them, and finds none where nothing is broken.

use audit::broken;
use audit::damage;

use crate::support::shops;

#[tokio::test]
async fn a_payment_that_does_not_add_up_is_found_and_named() {
    let damages = [
        "UPDATE payments SET captured = captured - 1",
        "UPDATE payments SET refunding = captured + 1",
        "UPDATE operations SET outcome = 'refused' WHERE kind = 'capture'",
    ];
    for sql in damages {
        for shop in shops().await {
            let payment = shop.captured().await;
            let now = shop.clock.now();
            let whole = payments::verify(&shop.database, now).await.unwrap();
            assert!(whole.iter().all(|check| check.broken.is_empty()), "{whole:?}");
            let known = payments::known(&shop.database).await.unwrap();
            assert_eq!(known[0].key, format!("{}:{}", payment.checkout_id, payment.attempt));

            damage(&shop.database, "payments", sql).await;

            let checks = payments::verify(&shop.database, now).await.unwrap();
            assert!(broken(&checks, "INV-5").contains(&payment.id), "{sql}: {checks:?}");
        }
    }
}
