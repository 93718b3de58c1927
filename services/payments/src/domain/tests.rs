//! Every state against every command, and sums that must re-add whatever happens.

use proptest::prelude::*;

use super::*;

const AMOUNT: i64 = 1_000;

fn currency() -> Currency {
    "GBP".parse().unwrap()
}

fn now() -> Timestamp {
    chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn report(standing: Standing) -> Report {
    Report {
        reference: "sim_1".to_owned(),
        amount: Some(Money::new(currency(), AMOUNT)),
        standing,
        captured: 0,
        refunded: 0,
    }
}

fn asking() -> Standing {
    Standing::ActionRequired { url: "http://127.0.0.1/pay/1".to_owned() }
}

fn pending() -> Payment {
    let amount = Money::new(currency(), AMOUNT);
    Payment::intend(CheckoutId::new(), 1, amount, "simulated", now()).0
}

fn authorized() -> Payment {
    let mut payment = pending();
    payment.learn(&report(Standing::Authorized)).unwrap();
    payment
}

/// A payment on its shortest way into a state.
fn payment_in(state: State) -> Payment {
    let mut payment = pending();
    match state {
        State::Pending => {}
        State::ActionRequired => drop(payment.learn(&report(asking())).unwrap()),
        State::Authorized => payment = authorized(),
        State::Captured => {
            payment = authorized();
            let (amount, _) = payment.capture(None).unwrap();
            payment.end_capture(amount.minor_units(), true);
        }
        State::Declined => {
            let declined = Standing::Declined(DeclineReason::CardExpired);
            payment.learn(&report(declined)).unwrap();
        }
        State::Voided => drop(payment.learn(&report(Standing::Voided)).unwrap()),
    }
    assert_eq!(payment.state, state);
    payment
}

fn run(payment: &mut Payment, command: &str) -> Result<(), Refusal> {
    match command {
        "authorized" => drop(payment.learn(&report(Standing::Authorized)).unwrap()),
        "asked" => drop(payment.learn(&report(asking())).unwrap()),
        "declined" => {
            let declined = Standing::Declined(DeclineReason::CardExpired);
            payment.learn(&report(declined)).unwrap();
        }
        "gone" => drop(payment.learn(&report(Standing::Voided)).unwrap()),
        "capture" => {
            let (amount, _) = payment.capture(None)?;
            payment.end_capture(amount.minor_units(), true);
        }
        "void" => {
            if payment.void()?.is_some() {
                payment.end_void(Some(&report(Standing::Voided)));
            }
        }
        "refund" => {
            let (amount, _) = payment.refund(None)?;
            payment.end_refund(amount.minor_units(), true);
        }
        other => panic!("there is no command {other}"),
    }
    Ok(())
}

fn name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::ExceedsAuthorized => "TOO_MUCH",
        Refusal::ExceedsCaptured => "NOTHING",
        Refusal::AlreadyCaptured => "TAKEN",
        Refusal::NotAuthorized(_) => "NOT_HELD",
        Refusal::CurrencyMismatch => "CURRENCY",
        Refusal::InFlight => "IN_FLIGHT",
    }
}

/// Lower case is the next state, upper case the refusal. The first four columns are what the provider reports.
const TABLE: &str = "
                    authorized  asked            declined    gone        capture   void      refund
    pending         authorized  action_required  declined    voided      NOT_HELD  voided    NOT_HELD
    action_required authorized  action_required  declined    voided      NOT_HELD  voided    NOT_HELD
    authorized      authorized  authorized       authorized  voided      captured  voided    NOTHING
    captured        captured    captured         captured    captured    TOO_MUCH  TAKEN     captured
    declined        declined    declined         declined    declined    NOT_HELD  declined  NOT_HELD
    voided          voided      voided           voided      voided      NOT_HELD  voided    NOT_HELD";

#[test]
fn every_state_answers_every_command_as_the_table_says() {
    let mut lines = TABLE.lines().filter(|line| !line.trim().is_empty());
    let commands: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    let mut tried = 0;
    for (line, state) in lines.zip(State::ALL) {
        let mut cells = line.split_whitespace();
        assert_eq!(cells.next(), Some(state.as_str()));
        for (command, expected) in commands.iter().zip(cells) {
            let before = payment_in(state);
            let mut payment = before.clone();
            let answer = match run(&mut payment, command) {
                Ok(()) => payment.state.as_str(),
                Err(refusal) => {
                    assert_eq!(payment, before, "a refusal changes nothing");
                    name(refusal)
                }
            };
            assert_eq!(answer, expected, "{} and {command}", state.as_str());
            tried += 1;
        }
    }
    assert_eq!(tried, 42);
}

#[test]
fn an_amount_that_the_provider_was_not_asked_for_is_not_believed() {
    for amount in [Money::new(currency(), AMOUNT - 1), Money::new("EUR".parse().unwrap(), AMOUNT)] {
        let report = Report { amount: Some(amount), ..report(Standing::Authorized) };
        assert_eq!(pending().learn(&report), Err(Mismatch));
    }
}

#[test]
fn what_others_did_at_the_provider_is_learnt_only_while_nothing_of_ours_is_asked() {
    let elsewhere = Report { captured: 600, refunded: 100, ..report(Standing::Authorized) };
    let mut payment = authorized();
    payment.capture(Some(payment.money(500))).unwrap();
    assert_eq!(payment.learn(&elsewhere), Ok(vec![]));

    payment.end_capture(500, true);
    let events = payment.learn(&elsewhere).unwrap();
    let expected = [EventKind::ChargeSuccess.of(100), EventKind::RefundSuccess.of(100)];
    assert_eq!(events, expected);
    assert_eq!((payment.sums.captured, payment.sums.refunded), (600, 100));
    assert_eq!(payment.learn(&elsewhere), Ok(vec![]), "twice changes nothing");
}

#[test]
fn an_amount_in_another_currency_is_refused() {
    let euros = Some(Money::new("EUR".parse().unwrap(), 1));
    assert_eq!(authorized().capture(euros), Err(Refusal::CurrencyMismatch));
    let mut captured = payment_in(State::Captured);
    assert_eq!(captured.refund(euros), Err(Refusal::CurrencyMismatch));
}

#[test]
fn nothing_is_captured_while_a_void_is_asked_and_the_other_way_round() {
    let mut payment = authorized();
    payment.void().unwrap();
    assert_eq!(payment.capture(None), Err(Refusal::InFlight));
    assert_eq!(payment.void(), Err(Refusal::InFlight));
    payment.end_void(None);

    payment.capture(Some(payment.money(1))).unwrap();
    assert_eq!(payment.void(), Err(Refusal::InFlight));
}

#[test]
fn a_void_that_comes_after_a_decline_ends_as_a_decline() {
    let mut payment = pending();
    payment.void().unwrap();
    let declined = report(Standing::Declined(DeclineReason::SuspectedFraud));
    let events = payment.end_void(Some(&declined));
    let failure = EventKind::AuthorizationFailure(DeclineReason::SuspectedFraud);
    assert_eq!(events, [failure.of(AMOUNT)]);
    assert_eq!(payment.state, State::Declined);
}

#[derive(Clone, Debug)]
enum Step {
    Capture(i64),
    EndCapture(bool),
    Refund(i64),
    EndRefund(bool),
    Void,
    EndVoid(bool),
    Reported(usize, i64, i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (-10..AMOUNT + 10).prop_map(Step::Capture),
        any::<bool>().prop_map(Step::EndCapture),
        (-10..AMOUNT + 10).prop_map(Step::Refund),
        any::<bool>().prop_map(Step::EndRefund),
        Just(Step::Void),
        any::<bool>().prop_map(Step::EndVoid),
        (0..5_usize, -5..2 * AMOUNT, -5..2 * AMOUNT)
            .prop_map(|(standing, captured, refunded)| Step::Reported(standing, captured, refunded)),
    ]
}

/// Runs a step as the store would: what is asked is remembered until it is answered.
fn walk(payment: &mut Payment, step: &Step, asked: &mut (Vec<i64>, Vec<i64>)) -> Vec<Event> {
    let money = |units| Some(Money::new(currency(), units));
    match step {
        Step::Capture(units) => match payment.capture(money(*units)) {
            Ok((amount, event)) => {
                asked.0.push(amount.minor_units());
                vec![event]
            }
            Err(_) => vec![],
        },
        Step::EndCapture(taken) => {
            let units = asked.0.pop();
            units.map(|units| payment.end_capture(units, *taken)).into_iter().collect()
        }
        Step::Refund(units) => match payment.refund(money(*units)) {
            Ok((amount, event)) => {
                asked.1.push(amount.minor_units());
                vec![event]
            }
            Err(_) => vec![],
        },
        Step::EndRefund(given) => {
            let units = asked.1.pop();
            units.map(|units| payment.end_refund(units, *given)).into_iter().collect()
        }
        Step::Void => payment.void().ok().flatten().into_iter().collect(),
        Step::EndVoid(gone) if payment.sums.voiding => {
            let answer = report(Standing::Voided);
            payment.end_void(gone.then_some(&answer))
        }
        Step::EndVoid(_) => vec![],
        Step::Reported(standing, captured, refunded) => {
            let standings = [
                Standing::Processing,
                asking(),
                Standing::Authorized,
                Standing::Declined(DeclineReason::Other),
                Standing::Voided,
            ];
            let report =
                Report { captured: *captured, refunded: *refunded, ..report(standings[*standing].clone()) };
            payment.learn(&report).unwrap()
        }
    }
}

proptest! {
    #[test]
    fn sums_hold_and_re_add_whatever_happens(steps in proptest::collection::vec(step(), 0..60)) {
        let mut payment = authorized();
        let mut asked = (vec![], vec![]);
        let mut events = Vec::new();
        for step in &steps {
            let before = payment.sums;
            events.extend(walk(&mut payment, step, &mut asked));
            let sums = payment.sums;

            prop_assert!(sums.captured + sums.capturing <= sums.authorized, "{step:?} {sums:?}");
            prop_assert!(sums.refunded + sums.refunding <= sums.captured, "{step:?} {sums:?}");
            prop_assert!(sums.capturing >= 0 && sums.refunding >= 0);
            prop_assert!(before.captured <= sums.captured && before.refunded <= sums.refunded);
            prop_assert_eq!(asked.0.iter().sum::<i64>(), sums.capturing);
            prop_assert_eq!(asked.1.iter().sum::<i64>(), sums.refunding);
            prop_assert_eq!(sums.captured > 0, payment.state == State::Captured);
        }
        let total = |kind| -> i64 {
            events.iter().filter(|event| event.kind == kind).map(|event| event.minor_units).sum()
        };
        prop_assert_eq!(total(EventKind::ChargeSuccess), payment.sums.captured);
        prop_assert_eq!(total(EventKind::RefundSuccess), payment.sums.refunded);
    }
}
