//! `deploy/services.toml`: what differs between processes, and where everything around them is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::contract::{Contract, EDGE, PARTNER};
use crate::process::{Error, file_error};

const FILE: &str = "deploy/services.toml";
/// Places that every process has to do with.
const EVERYWHERE: [&str; 4] = ["dns", "linkerd-identity", "linkerd-destination", "prometheus"];

/// The table, checked against the contract.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    pub(crate) cluster: Cluster,
    pub(crate) ports: Ports,
    places: BTreeMap<String, Place>,
    pub(crate) processes: BTreeMap<String, Process>,
}

/// What is the same for all of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cluster {
    pub(crate) namespace: String,
    pub(crate) nodes: Vec<String>,
    pub(crate) edge_requests_per_second_max: u32,
}

/// Where a process listens.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ports {
    pub(crate) grpc: u16,
    pub(crate) admin: u16,
    pub(crate) edge: u16,
}

/// Somebody outside the shop's namespace: pods there, or networks outside the cluster.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    pub(crate) namespace: Option<String>,
    #[serde(default)]
    pub(crate) pods: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) networks: Vec<String>,
    #[serde(default)]
    pub(crate) except: Vec<String>,
    #[serde(default)]
    pub(crate) ports: Vec<u16>,
    /// By which it is known in the mesh.
    pub(crate) account: Option<String>,
}

/// One process.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Process {
    /// Places by name.
    pub(crate) reaches: BTreeSet<String>,
    /// At least and at most.
    pub(crate) replicas: [u32; 2],
    /// Requested and at most.
    pub(crate) cpu: [String; 2],
    /// Requested and at most.
    pub(crate) memory: [String; 2],
    /// What it may write to its node.
    pub(crate) storage: String,
    /// Variables that each cluster gives a value.
    #[serde(default)]
    pub(crate) settings: Vec<String>,
    /// Variables that are keys of the Secret of the process's name.
    #[serde(default)]
    pub(crate) secrets: Vec<String>,
    /// The same, for variables that name a file.
    #[serde(default)]
    pub(crate) files: Vec<String>,
    /// The variable that names the folder in which it keeps what it can make again.
    pub(crate) folder: Option<String>,
}

impl Table {
    /// Reads the table of a checkout.
    pub(crate) fn read(root: &Path, contract: &Contract) -> Result<Table, Error> {
        let path = root.join(FILE);
        let text = fs::read_to_string(&path).map_err(|source| file_error(&path, "read", source))?;
        Table::parse(&text, contract)
    }

    /// The table of this text, if it says of the processes of the contract all that must be said, and of no other.
    pub(crate) fn parse(text: &str, contract: &Contract) -> Result<Table, Error> {
        let refused = |sentence: String| Error::Refused(format!("{FILE}: {sentence}"));
        let table: Table = toml::from_str(text).map_err(|error| refused(error.to_string()))?;
        let mut processes = contract.services();
        processes.insert(EDGE);
        let described: BTreeSet<&str> = table.processes.keys().map(String::as_str).collect();
        if let Some(name) = processes.symmetric_difference(&described).next() {
            let where_it_is = if described.contains(name) { "no service of the contract" } else { "missing" };
            return Err(refused(format!("the process {name} is {where_it_is}")));
        }
        let named = table.processes.values().flat_map(|process| &process.reaches).map(String::as_str);
        for place in named.chain(EVERYWHERE) {
            table.place(place)?;
        }
        Ok(table)
    }

    /// A place by its name.
    pub(crate) fn place(&self, name: &str) -> Result<&Place, Error> {
        self.places.get(name).ok_or_else(|| Error::Refused(format!("{FILE}: there is no place {name}")))
    }

    /// The processes that may reach a place, sorted.
    pub(crate) fn reaching(&self, place: &str) -> impl Iterator<Item = &str> {
        let reaching = self.processes.iter().filter(move |(_, process)| process.reaches.contains(place));
        reaching.map(|(name, _)| name.as_str())
    }

    /// The service account of a caller, and its namespace. A partner's has the partner's name in a namespace of that name:
    /// whoever may make accounts there is the partner.
    pub(crate) fn account<'a>(&'a self, caller: &'a str) -> (&'a str, &'a str) {
        match caller.strip_prefix(PARTNER) {
            Some(partner) => (partner, partner),
            None => (caller, &self.cluster.namespace),
        }
    }
}
