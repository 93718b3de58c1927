//! What the shop itself says of its processes, their settings and their ports.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use mesh::serve::DRAIN_TIME_MAX;
use proto::rules::METHODS;
use regex::Regex;

pub const EDGE: &str = "gateway";

/// See the module.
pub struct Code {
    /// Every service of the contract, and the edge.
    pub processes: BTreeSet<&'static str>,
    /// By command, each variable with its default, if it has one.
    pub settings: BTreeMap<&'static str, BTreeMap<String, Option<String>>>,
    pub drain: Duration,
}

impl Code {
    pub fn read() -> Self {
        let processes = METHODS.iter().map(|method| method.service).chain([EDGE]).collect();
        let commands = ["serve", "migrate", "provider"];
        let settings = commands.map(|command| (command, settings(command, &processes)));
        Self { settings: settings.into(), processes, drain: DRAIN_TIME_MAX }
    }

    /// The services that a process may call, but for itself.
    pub fn called_by(&self, process: &str) -> BTreeSet<&'static str> {
        let called = METHODS.iter().filter(|method| method.allows(process)).map(|method| method.service);
        called.filter(|service| *service != process).collect()
    }

    /// The port that a setting of `shop serve` names where nothing else does.
    pub fn port(&self, variable: &str) -> u64 {
        let default = self.settings["serve"][variable].as_deref().expect("it has a default");
        default.rsplit(':').next().unwrap().parse().unwrap()
    }
}

/// The variables that a command knows, as its help tells; those of a service are spelt out for each.
fn settings(command: &str, processes: &BTreeSet<&str>) -> BTreeMap<String, Option<String>> {
    let mut shop = Command::new(env!("CARGO_BIN_EXE_shop"));
    let help = shop.args(["help", command]).env_clear().output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    let one = Regex::new(r"\[env: (\w+)[^\]]*\](?:\s*\[default: ([^\]]*)\])?").unwrap();
    let own = one.captures_iter(&help).map(|found| {
        let default = found.get(2).map(|default| default.as_str().to_owned());
        (found[1].to_owned(), default)
    });
    let each = Regex::new(r"SHOP_<\w+>_(\w+)").unwrap();
    let of_services = each.captures_iter(&help).flat_map(|found| {
        let what = found[1].to_owned();
        processes.iter().map(move |name| (format!("SHOP_{}_{what}", name.to_uppercase()), None))
    });
    own.chain(of_services).collect()
}
