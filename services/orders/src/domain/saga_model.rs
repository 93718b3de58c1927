//! Every single fault and every pair of faults, tried on the decision core with neighbours in memory.
//!
//! A fault is one of five at one call: not done and nobody says so; done and the answer lost; done twice; the process
//! dies before the call; the process dies after it. Whatever happens, the purchase comes to rest with one order
//! that is paid and whose goods are sold, or with none and nothing held.

use std::collections::BTreeMap;
use std::time::Duration;

use kit::Timestamp;

use super::saga::{Command, Event, Plan, Saga, Seen, SeenState, Shortage, Stage};
use super::step::next;

const STOCK: i64 = 10;
const STEPS_MAX: usize = 400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NotDone,
    AnswerLost,
    Twice,
    CrashBefore,
    CrashAfter,
}

const FAULTS: [Fault; 5] =
    [Fault::NotDone, Fault::AnswerLost, Fault::Twice, Fault::CrashBefore, Fault::CrashAfter];

/// What the neighbours will say, and what the buyer does.
#[derive(Clone, Copy, Debug)]
struct Story {
    name: &'static str,
    plan: Plan,
    /// What the provider answers to each attempt.
    cards: &'static [Card],
    stock: i64,
    codes_left: bool,
    /// Before this call the buyer leaves.
    leaves_at: Option<usize>,
    /// Before the stock is confirmed for the first time, the reservation runs out and so much is left.
    runs_out: Option<i64>,
    /// Before the capture the authorisation is gone.
    money_goes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Card {
    Approves,
    Declines,
    AsksBuyerThen(Decision),
    IsSlowThen(Decision),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Yes,
    No,
    Never,
}

const PLAIN: Story = Story {
    name: "plain",
    plan: Plan { codes: true, pays: true },
    cards: &[Card::Approves],
    stock: STOCK,
    codes_left: true,
    leaves_at: None,
    runs_out: None,
    money_goes: false,
};

fn stories() -> Vec<Story> {
    let named = |name, cards| Story { name, cards, ..PLAIN };
    let mut stories = vec![
        PLAIN,
        Story { plan: Plan { codes: false, pays: true }, ..named("without codes", &[Card::Approves]) },
        Story { plan: Plan { codes: true, pays: false }, ..named("free", &[]) },
        named("declined, then another card", &[Card::Declines, Card::Approves]),
        named("buyer confirms", &[Card::AsksBuyerThen(Decision::Yes)]),
        named("buyer says no", &[Card::AsksBuyerThen(Decision::No)]),
        named("buyer never acts", &[Card::AsksBuyerThen(Decision::Never)]),
        named("slow yes", &[Card::IsSlowThen(Decision::Yes)]),
        named("slow no", &[Card::IsSlowThen(Decision::No)]),
        named("silence", &[Card::IsSlowThen(Decision::Never)]),
        Story { stock: 0, ..named("sold out", &[Card::Approves]) },
        Story { codes_left: false, ..named("code used up", &[Card::Approves]) },
        Story { runs_out: Some(STOCK), ..named("reservation runs out", &[Card::Approves]) },
        Story { runs_out: Some(0), ..named("reservation runs out for good", &[Card::Approves]) },
        Story { money_goes: true, ..named("authorisation goes", &[Card::Approves]) },
    ];
    for call in 0..9 {
        stories.push(Story { leaves_at: Some(call), ..named("buyer leaves", &[Card::Approves]) });
        let slow = &[Card::IsSlowThen(Decision::Yes)];
        stories.push(Story { leaves_at: Some(call), ..named("buyer leaves a slow card", slow) });
    }
    stories
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Held,
    Final,
    Released,
}

/// The neighbours, each idempotent as it promises to be.
struct World {
    story: Story,
    available: i64,
    holds: BTreeMap<(i32, u32), Hold>,
    codes: BTreeMap<i32, Hold>,
    payments: BTreeMap<i32, SeenState>,
    refunded: i64,
    orders: usize,
    cleared: bool,
}

impl World {
    fn new(story: Story) -> World {
        World {
            story,
            available: story.stock,
            holds: BTreeMap::new(),
            codes: BTreeMap::new(),
            payments: BTreeMap::new(),
            refunded: 0,
            orders: 0,
            cleared: false,
        }
    }

    fn perform(&mut self, saga: &Saga, command: Command) -> Event {
        let hold = (saga.attempt, saga.round);
        match command {
            Command::Reserve => self.reserve(hold),
            Command::HoldCodes if !self.story.codes_left => Event::CodeRefused,
            Command::HoldCodes => {
                self.codes.entry(saga.attempt).or_insert(Hold::Held);
                Event::Held
            }
            Command::Authorize => self.authorize(saga.attempt),
            Command::Sync => self.seen(saga.attempt),
            Command::Place => {
                self.orders += 1;
                Event::Placed
            }
            Command::Confirm => match self.holds.get_mut(&hold) {
                Some(held) if *held != Hold::Released => {
                    *held = Hold::Final;
                    Event::Confirmed
                }
                _ => Event::ReservationLost,
            },
            Command::CommitCodes => {
                self.codes.insert(saga.attempt, Hold::Final);
                Event::Committed
            }
            Command::Capture => {
                if self.payments.get(&saga.attempt) == Some(&SeenState::Authorized) {
                    self.payments.insert(saga.attempt, SeenState::Captured);
                }
                self.seen(saga.attempt)
            }
            Command::ClearCart => {
                self.cleared = true;
                Event::Cleared
            }
            Command::Void => {
                if self.payments.get(&saga.attempt) != Some(&SeenState::Captured) {
                    self.payments.insert(saga.attempt, SeenState::Voided);
                }
                self.seen(saga.attempt)
            }
            Command::Refund => {
                self.refunded = 1;
                Event::Refunded
            }
            Command::ReleaseCodes => {
                self.codes.insert(saga.attempt, Hold::Released);
                Event::CodesReleased
            }
            Command::ReleaseStock => {
                self.release(hold);
                Event::StockReleased
            }
        }
    }

    fn reserve(&mut self, hold: (i32, u32)) -> Event {
        if self.holds.contains_key(&hold) {
            return Event::Reserved;
        }
        if self.available == 0 {
            let shortage = Shortage { sku: "A".into(), requested: 1, available: 0 };
            return Event::OutOfStock(vec![shortage]);
        }
        self.available -= 1;
        self.holds.insert(hold, Hold::Held);
        Event::Reserved
    }

    fn release(&mut self, hold: (i32, u32)) {
        if self.holds.get(&hold) == Some(&Hold::Held) {
            self.holds.insert(hold, Hold::Released);
            self.available += 1;
        }
    }

    fn authorize(&mut self, attempt: i32) -> Event {
        let card = usize::try_from(attempt - 1).ok().and_then(|index| self.story.cards.get(index));
        let state = match card {
            Some(Card::Approves) => SeenState::Authorized,
            Some(Card::AsksBuyerThen(_)) => SeenState::ActionRequired,
            Some(Card::IsSlowThen(_)) => SeenState::Pending,
            Some(Card::Declines) | None => SeenState::Declined("no".into()),
        };
        self.payments.entry(attempt).or_insert(state);
        self.seen(attempt)
    }

    fn seen(&self, attempt: i32) -> Event {
        let state = self.payments[&attempt].clone();
        Event::Payment(Seen { id: format!("payment {attempt}"), state, action_url: None })
    }

    /// What the buyer or the provider decides while the purchase waits.
    fn decide(&mut self, attempt: i32) {
        let card = self.story.cards[usize::try_from(attempt - 1).unwrap()];
        let (Card::AsksBuyerThen(decision) | Card::IsSlowThen(decision)) = card else { return };
        let undecided =
            matches!(self.payments.get(&attempt), Some(SeenState::Pending | SeenState::ActionRequired));
        match decision {
            Decision::Yes if undecided => drop(self.payments.insert(attempt, SeenState::Authorized)),
            Decision::No if undecided => {
                drop(self.payments.insert(attempt, SeenState::Declined("no".into())));
            }
            _ => {}
        }
    }

    /// What happens behind the back of the purchase just before a call.
    fn interfere(&mut self, saga: &Saga, command: Command) {
        if let (Command::Confirm, 0, Some(left)) = (command, saga.round, self.story.runs_out)
            && self.holds.get(&(saga.attempt, 0)) == Some(&Hold::Held)
        {
            self.release((saga.attempt, 0));
            self.available = left;
        }
        let authorized = self.payments.get(&saga.attempt) == Some(&SeenState::Authorized);
        if command == Command::Capture && self.story.money_goes && authorized {
            self.payments.insert(saga.attempt, SeenState::Voided);
        }
    }

    fn counted(&self, hold: Hold) -> usize {
        self.holds.values().filter(|held| **held == hold).count()
    }

    fn live_payments(&self) -> usize {
        let live = |state: &&SeenState| matches!(state, SeenState::Authorized | SeenState::Captured);
        self.payments.values().filter(live).count() - usize::try_from(self.refunded).unwrap()
    }
}

/// Runs a story to its rest; answers how many calls it made.
fn run(story: Story, faults: &[(usize, Fault)]) -> usize {
    let mut world = World::new(story);
    let mut now = Timestamp::UNIX_EPOCH;
    let mut saga = begin(&Saga::new(now), story, now);
    let mut calls = 0;
    for _ in 0..STEPS_MAX {
        let Some(command) = saga.wants() else {
            match saga.stage {
                Stage::Completed | Stage::Failed => return judged(&world, &saga, faults, calls),
                Stage::Ready if usize::try_from(saga.attempt).unwrap() >= story.cards.len().max(1) => {
                    return judged(&world, &saga, faults, calls);
                }
                Stage::Ready => saga = begin(&saga, story, now),
                _ => {
                    world.decide(saga.attempt);
                    now += saga.wake_after(now).unwrap().max(Duration::from_secs(1));
                    saga = next(&saga, Event::Woken, now).0;
                }
            }
            continue;
        };
        if story.leaves_at == Some(calls) {
            saga = next(&saga, Event::Cancel, now).0;
            if saga.wants() != Some(command) {
                calls += 1;
                continue;
            }
        }
        let fault = faults.iter().find(|(at, _)| *at == calls).map(|(_, fault)| *fault);
        calls += 1;
        world.interfere(&saga, command);
        if let Some(event) = faulty(&mut world, &saga, command, fault) {
            saga = next(&saga, event, now).0;
        }
        now += Duration::from_millis(10);
    }
    panic!("{} never rests with {faults:?}: {saga:?}", story.name);
}

fn begin(saga: &Saga, story: Story, now: Timestamp) -> Saga {
    next(saga, Event::Begin(story.plan), now).0
}

/// What the machine hears; nothing when the process died and starts again from what it had written down.
fn faulty(world: &mut World, saga: &Saga, command: Command, fault: Option<Fault>) -> Option<Event> {
    // The pivot is a transaction with the state itself: it is done and known, or neither.
    if command == Command::Place {
        return match fault {
            Some(Fault::NotDone | Fault::CrashBefore) => None,
            _ => Some(world.perform(saga, command)),
        };
    }
    match fault {
        None => Some(world.perform(saga, command)),
        Some(Fault::NotDone) => Some(Event::Unknown),
        Some(Fault::AnswerLost) => {
            world.perform(saga, command);
            Some(Event::Unknown)
        }
        Some(Fault::Twice) => {
            world.perform(saga, command);
            Some(world.perform(saga, command))
        }
        Some(Fault::CrashBefore) => None,
        Some(Fault::CrashAfter) => {
            world.perform(saga, command);
            None
        }
    }
}

/// The invariants of a purchase at rest.
fn judged(world: &World, saga: &Saga, faults: &[(usize, Fault)], calls: usize) -> usize {
    let story = format!("{} {:?} with {faults:?}: {saga:?}", world.story.name, world.story.leaves_at);
    let completed = saga.stage == Stage::Completed;
    // An order that lost its goods or its money is cancelled in the same transaction, and its chores undo the rest.
    let lost = completed && !world.cleared;
    let kept = completed && !lost;
    assert_eq!(world.orders, usize::from(completed), "one order or none: {story}");
    assert!(world.available >= 0, "no more is sold than there is: {story}");
    assert_eq!(world.counted(Hold::Held), 0, "nothing stays reserved: {story}");
    if world.story.runs_out.is_none() {
        let sold = i64::try_from(world.counted(Hold::Final)).unwrap();
        assert_eq!(world.available + sold, world.story.stock, "stock adds up: {story}");
    }
    if !lost {
        let pays = world.story.plan.pays;
        assert_eq!(world.counted(Hold::Final), usize::from(kept), "sold for an order: {story}");
        assert_eq!(world.live_payments(), usize::from(kept && pays), "paid for an order: {story}");
        let uses = world.codes.values().filter(|hold| **hold != Hold::Released).count();
        assert_eq!(uses, usize::from(kept && world.story.plan.codes), "a use for an order: {story}");
    }
    if kept && world.story.plan.pays {
        assert_eq!(world.payments[&saga.attempt], SeenState::Captured, "the money is taken: {story}");
    }
    calls
}

#[test]
fn every_single_fault_and_every_pair_leaves_one_order_or_none() {
    let (mut singles, mut pairs) = (0, 0);
    for story in stories() {
        let calls = run(story, &[]);
        for first in 0..calls {
            for one in FAULTS {
                // The faulty call is made again, so there are more calls now.
                let more = run(story, &[(first, one)]);
                singles += 1;
                for second in first + 1..more {
                    for other in FAULTS {
                        run(story, &[(first, one), (second, other)]);
                        pairs += 1;
                    }
                }
            }
        }
    }
    println!("{singles} single faults and {pairs} pairs in {} stories", stories().len());
    assert!(singles > 1_000 && pairs > 40_000, "{singles} singles, {pairs} pairs");
}
