//! The service against a model of a cart in a few lines, under random commands.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use proto::cart as pb;
use tonic::Status;

use crate::support::{Shop, adding, lines, reason, removing, setting, shops};

const VARIANTS: usize = 3;

#[derive(Clone, Debug)]
enum Command {
    Add(Vec<(usize, i64)>),
    Set(usize, i64),
    Remove(usize),
    Clear { stale: bool, bought: Vec<(usize, i64)> },
    Stock(usize, i64),
    Offer(usize, bool),
}

/// What a cart is, said as simply as possible.
#[derive(Clone, Debug, PartialEq)]
struct Model {
    lines: Vec<(usize, i64)>,
    stock: [i64; VARIANTS],
    offered: [bool; VARIANTS],
    version: i64,
}

impl Model {
    /// Whether the command is refused; if so, nothing has changed.
    fn apply(&mut self, command: &Command) -> bool {
        let before = self.lines.clone();
        match command {
            Command::Add(wanted) => {
                if wanted.iter().any(|(variant, _)| !self.offered[*variant]) {
                    return true;
                }
                for (variant, quantity) in wanted {
                    let old = self.quantity(*variant);
                    let can = (old + quantity).min(self.stock[*variant]).min(10_000);
                    self.put(*variant, old.max(can));
                }
            }
            Command::Set(line, quantity) => match self.lines.get(*line).copied() {
                None => return true,
                Some((variant, old)) => {
                    let kept = old.min(*quantity);
                    let can = match self.offered[variant] {
                        true => (*quantity).min(self.stock[variant]).min(10_000),
                        false => 0,
                    };
                    self.put(variant, kept.max(can));
                }
            },
            Command::Remove(line) => {
                if *line < self.lines.len() {
                    self.lines.remove(*line);
                }
            }
            Command::Clear { stale: false, .. } => self.lines.clear(),
            Command::Clear { stale: true, bought } => {
                for (variant, quantity) in bought {
                    self.put(*variant, (self.quantity(*variant) - quantity).max(0));
                }
            }
            Command::Stock(variant, available) => self.stock[*variant] = *available,
            Command::Offer(variant, offered) => self.offered[*variant] = *offered,
        }
        self.version += i64::from(self.lines != before);
        false
    }

    fn quantity(&self, variant: usize) -> i64 {
        self.lines.iter().find(|(one, _)| *one == variant).map_or(0, |(_, quantity)| *quantity)
    }

    fn put(&mut self, variant: usize, quantity: i64) {
        match self.lines.iter_mut().find(|(one, _)| *one == variant) {
            Some(line) => line.1 = quantity,
            None => self.lines.push((variant, quantity)),
        }
        self.lines.retain(|(_, quantity)| *quantity > 0);
    }

    fn problems(&self) -> usize {
        let wrong =
            |(variant, quantity): &&(usize, i64)| !self.offered[*variant] || self.stock[*variant] < *quantity;
        self.lines.iter().filter(wrong).count()
    }
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let quantity = || prop_oneof![1..8_i64, 9_990..=10_000_i64];
    let some = move || prop::collection::vec((0..VARIANTS, quantity()), 1..4);
    let available = prop_oneof![0..12_i64, 9_995..20_000_i64];
    let command = prop_oneof![
        4 => some().prop_map(Command::Add),
        3 => (0..VARIANTS, prop_oneof![Just(0), quantity()]).prop_map(|(line, to)| Command::Set(line, to)),
        1 => (0..VARIANTS).prop_map(Command::Remove),
        1 => (any::<bool>(), some()).prop_map(|(stale, bought)| Command::Clear { stale, bought }),
        3 => (0..VARIANTS, available).prop_map(|(variant, to)| Command::Stock(variant, to)),
        1 => (0..VARIANTS, any::<bool>()).prop_map(|(variant, to)| Command::Offer(variant, to)),
    ];
    prop::collection::vec(command, 1..32)
}

#[test]
fn the_service_is_the_model_whatever_happens_to_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for shop in runtime.block_on(shops()) {
        let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new(config);
        let run = runner.run(&commands(), |commands| {
            runtime.block_on(play(&shop, &commands));
            Ok(())
        });
        if let Err(error) = run {
            panic!("{error}");
        }
    }
}

async fn play(shop: &Shop, commands: &[Command]) {
    let variants: Vec<String> = (0..VARIANTS).map(|_| shop.sell(100, 5)).collect();
    let mut shelf = vec![None; VARIANTS];
    let (cart, key) = shop.open(&[]).await;
    let mut model = Model { lines: Vec::new(), stock: [5; VARIANTS], offered: [true; VARIANTS], version: 1 };

    for command in commands {
        let before = shop.get(&key).await.unwrap();
        let refused = model.apply(command);
        match command {
            Command::Stock(variant, available) => shop.stock(&variants[*variant], *available),
            Command::Offer(variant, true) => {
                shelf[*variant].take().into_iter().for_each(|summary| shop.catalogue.put(summary));
            }
            Command::Offer(variant, false) => {
                let taken = shop.catalogue.take_away(&variants[*variant]);
                shelf[*variant] = taken.or(shelf[*variant].take());
            }
            _ => {
                let answer = send(shop, &key, &before, &variants, command).await;
                assert_eq!(answer.is_err(), refused, "{command:?}: {answer:?}");
            }
        }
        let read = shop.get(&key).await.unwrap();
        let expected: Vec<_> =
            model.lines.iter().map(|(variant, quantity)| (variants[*variant].as_str(), *quantity)).collect();
        assert_eq!((lines(&read), read.version), (expected, model.version), "{command:?}");
        assert_eq!(read.problems.len(), model.problems(), "{command:?}");
    }
    let versions: Vec<i64> = shop.news(&cart.id).await.into_iter().map(|(_, version)| version).collect();
    assert_eq!(versions, (1..=model.version).collect::<Vec<_>>());
    shop.carry_news().await;
}

/// Sends a command twice, as a client that missed the first answer would.
async fn send(
    shop: &Shop,
    key: &pb::CartKey,
    before: &pb::Cart,
    variants: &[String],
    command: &Command,
) -> Result<(), Status> {
    let name = |some: &[(usize, i64)]| -> Vec<(String, i64)> {
        some.iter().map(|(variant, quantity)| (variants[*variant].clone(), *quantity)).collect()
    };
    let line = |at: usize| before.lines.get(at).map_or_else(crate::support::id, |line| line.id.clone());
    let (mut guest, mut orders) = (shop.guest(), shop.orders());
    match command {
        Command::Add(wanted) => {
            let wanted = name(wanted);
            let wanted: Vec<_> = wanted.iter().map(|(id, quantity)| (id.as_str(), *quantity)).collect();
            let request = adding(key, &wanted);
            let first = guest.add_cart_lines(request.clone()).await;
            same(first, guest.add_cart_lines(request).await, "VARIANT_NOT_FOUND")
        }
        Command::Set(at, quantity) => {
            let request = setting(key, &[(&line(*at), *quantity)]);
            let first = guest.update_cart_lines(request.clone()).await;
            same(first, guest.update_cart_lines(request).await, "LINE_NOT_FOUND")
        }
        Command::Remove(at) => {
            let request = removing(key, &[&line(*at)]);
            let first = guest.remove_cart_lines(request.clone()).await;
            same(first, guest.remove_cart_lines(request).await, "")
        }
        Command::Clear { stale, bought } => {
            let bought = name(bought);
            let bought: Vec<_> = bought.iter().map(|(id, quantity)| (id.as_str(), *quantity)).collect();
            let request = pb::ClearCartRequest {
                cart_id: before.id.clone(),
                version: before.version + i64::from(*stale),
                bought: crate::support::new_lines(&bought),
                request_id: crate::support::request_id(),
            };
            let first = orders.clear_cart(request.clone()).await;
            same(first, orders.clear_cart(request).await, "")
        }
        Command::Stock(..) | Command::Offer(..) => Ok(()),
    }
}

type Answer<T> = Result<tonic::Response<T>, Status>;

fn same<T: PartialEq + std::fmt::Debug>(
    first: Answer<T>,
    second: Answer<T>,
    why: &str,
) -> Result<(), Status> {
    let plain = |answer: Answer<T>| answer.map(tonic::Response::into_inner);
    match (plain(first), plain(second)) {
        (Ok(first), Ok(second)) => {
            assert_eq!(first, second);
            Ok(())
        }
        (Err(first), Err(second)) => {
            assert_eq!((reason(&first).as_str(), reason(&second).as_str()), (why, why));
            Err(first)
        }
        differ => panic!("{differ:?}"),
    }
}
