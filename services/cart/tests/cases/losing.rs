//! Redis that does not answer, or may lose what it answered.

use std::time::Duration;

use mesh::status::retry_after_of;
use tonic::{Code, Status};

use crate::support::line::State;
use crate::support::{adding, lines, reason, shop_on_a_line, warned_at_the_start};

/// Longer than a shop lets anybody wait, since a busy machine may take its time.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(1);

fn is_to_be_tried_again(status: &Status) -> bool {
    status.code() == Code::Unavailable
        && reason(status) == "CART_UNAVAILABLE"
        && retry_after_of(status).is_some_and(|delay| !delay.is_zero())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_silent_or_gone_is_said_to_be_so_and_the_same_request_is_done_once_afterwards() {
    let Some((shop, line)) = shop_on_a_line(ANSWER_TIME_MAX).await else { return };
    let mug = shop.sell(900, 1_000);
    let (_, key) = shop.open(&[(&mug, 1)]).await;
    let request = adding(&key, &[(&mug, 2)]);

    for state in [State::Silent, State::Cut] {
        line.is(state);
        let changed = shop.guest().add_cart_lines(request.clone()).await.unwrap_err();
        let read = shop.get(&key).await.unwrap_err();

        assert!(is_to_be_tried_again(&changed), "{state:?}: {changed:?}");
        assert!(is_to_be_tried_again(&read), "{state:?}: {read:?}");
        assert!(!changed.message().contains("Redis"), "{changed:?}");
    }
    line.is(State::Good);
    // What a silent line held back may have come through: with the same key it is done once all the same.
    while shop.guest().add_cart_lines(request.clone()).await.is_err() {}
    shop.guest().add_cart_lines(request).await.unwrap();

    assert_eq!(lines(&shop.get(&key).await.unwrap()), [(mug.as_str(), 3)]);
}

#[tokio::test]
async fn whoever_asks_twice_waits_for_a_silent_store_no_longer_than_two_answers_may_take() {
    let Some((shop, line)) = shop_on_a_line(ANSWER_TIME_MAX).await else { return };
    let mug = shop.sell(900, 1_000);
    let (_, key) = shop.open(&[(&mug, 1)]).await;
    line.is(State::Silent);
    // From here on nothing passes time but waiting: what is measured is the limit and not the machine.
    tokio::time::pause();

    for _ in 0..3 {
        let asked = tokio::time::Instant::now();
        let changed = shop.add(&key, &[(&mug, 2)]).await.unwrap_err();
        let changed_after = asked.elapsed();
        let read = shop.get(&key).await.unwrap_err();
        let read_after = asked.elapsed() - changed_after;

        assert!(is_to_be_tried_again(&changed) && is_to_be_tried_again(&read), "{changed:?} {read:?}");
        // The first command that fails is the answer, and the road asks for it a second time. A timer ends with the millisecond.
        let most = 2 * ANSWER_TIME_MAX + Duration::from_millis(5);
        assert!(changed_after <= most && read_after <= most, "{changed_after:?} {read_after:?}");
    }
}

#[tokio::test]
async fn a_redis_that_answers_before_its_disk_has_it_is_warned_of_once_at_the_start() {
    let cases = [
        ("*2\r\n$11\r\nappendfsync\r\n$6\r\nalways\r\n", ""),
        ("*2\r\n$11\r\nappendfsync\r\n$8\r\neverysec\r\n", "may take the changes of a second or two"),
        ("*2\r\n$11\r\nappendfsync\r\n$2\r\nno\r\n", "may take all that its system has not written"),
        // Whoever rents one may not ask it, and has no say in it.
        ("-NOPERM User nobody has no permissions to run the 'config|get' command\r\n", ""),
        ("-ERR unknown command 'CONFIG', with args beginning with: 'GET'\r\n", ""),
        ("*0\r\n", ""),
    ];
    for (answer, loss) in cases {
        let Some(said) = warned_at_the_start(answer).await else { return };

        assert_eq!(said.lines().count(), usize::from(!loss.is_empty()), "{answer}: {said}");
        assert!(said.contains(loss) && said.contains("set appendfsync always") != loss.is_empty(), "{said}");
    }
}
