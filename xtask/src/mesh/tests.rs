//! The proof: what a cluster with the committed objects lets happen is what the contract and the table say, nothing less and
//! nothing more, and each object is needed for it. What reads the objects shares nothing with what renders them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod cluster;
mod limits;
mod objects;
mod parties;

use std::collections::BTreeSet;
use std::path::Path;

use self::cluster::Cluster;
use self::objects::{Authorization, Object};
use self::parties::{Parties, happens, said};
use super::compare;
use super::contract::Contract;
use super::linkerd::{BREAKER, DEFAULT_DENY};
use super::table::Table;
use crate::checkout::Checkout;
use crate::report::Outcome;

fn committed() -> (Contract, Table, Vec<Object>) {
    let root = Checkout::of_this_build();
    let contract = Contract::read(root.root()).unwrap();
    let table = Table::read(root.root(), &contract).unwrap();
    let objects = objects::read(&root.root().join("mesh/linkerd"));
    (contract, table, objects)
}

/// The first few differences, to be read.
fn differences(left: &BTreeSet<String>, right: &BTreeSet<String>) -> Vec<String> {
    let missing = right.difference(left).map(|line| format!("missing: {line}"));
    let beyond = left.difference(right).map(|line| format!("beyond: {line}"));
    missing.chain(beyond).take(20).collect()
}

#[test]
fn a_cluster_lets_happen_what_the_contract_says_and_nothing_else() {
    let (contract, table, objects) = committed();
    let parties = Parties::of(&contract, &table);

    let happens = happens(&Cluster::of(&objects), &contract, &table, &parties);

    assert_eq!(differences(&happens, &said(&contract, &table)), Vec::<String>::new());
}

#[test]
fn no_object_can_be_left_out_unnoticed() {
    let (contract, table, objects) = committed();
    let parties = Parties::of(&contract, &table);
    let said = said(&contract, &table);
    let mut unnoticed = Vec::new();

    for at in 0..objects.len() {
        let mut rest = objects.clone();
        let left_out = rest.remove(at);
        if happens(&Cluster::of(&rest), &contract, &table, &parties) == said {
            unnoticed.push(format!("{} {}", left_out.kind, left_out.metadata.name));
        }
    }

    assert!(objects.len() > 150, "{} objects", objects.len());
    assert_eq!(unnoticed, Vec::<String>::new());
}

/// Authorisations are a union: one for a whole server or namespace would open all its routes.
#[test]
fn an_authorisation_is_for_one_route() {
    let (.., objects) = committed();

    for object in objects.iter().filter(|object| object.is("AuthorizationPolicy")) {
        let authorization: Authorization = object.spec();
        let target = &authorization.target_ref;
        let name = &object.metadata.name;
        assert!(
            ["GRPCRoute", "HTTPRoute"].contains(&target.kind.as_str()),
            "{name} is for a {}",
            target.kind
        );
        assert!(objects.iter().any(|object| object.is_meant(target)), "{name} is for no route that is there");
        let known = &authorization.required_authentication_refs;
        assert_eq!(known.len(), 1, "{name}: all of several would have to hold");
    }
}

#[test]
fn the_mesh_repeats_no_call() {
    let (.., objects) = committed();
    let annotations = objects.iter().flat_map(|object| object.metadata.annotations.keys());
    let of_manifests = BREAKER.iter().chain([&DEFAULT_DENY]).map(|(key, _)| *key);

    let retries: Vec<&str> = annotations
        .map(String::as_str)
        .chain(of_manifests)
        .filter(|key| key.contains("retry"))
        .chain(objects.iter().filter(|object| object.is("ServiceProfile")).map(|_| "ServiceProfile"))
        .collect();

    assert_eq!(retries, Vec::<&str>::new());
}

#[test]
fn a_change_by_hand_is_found_and_undone() {
    let (root, _guard) = copy();
    let checkout = Checkout::at(&root);
    assert!(matches!(compare(&checkout).unwrap(), Outcome::Passed(_)));
    let cart = root.join("mesh/linkerd/services/cart.yaml");
    let text = std::fs::read_to_string(&cart).unwrap();
    std::fs::write(&cart, text.replace("method: GetCart }", "method: ClearCart }")).unwrap();
    std::fs::write(root.join("mesh/linkerd/own.yaml"), "kind: Own\n").unwrap();
    std::fs::remove_file(root.join("mesh/linkerd/admin.yaml")).unwrap();

    let found = compare(&checkout).unwrap();
    let written = super::write(&checkout).unwrap();

    let Outcome::Failed(found) = found else { panic!("{found:?}") };
    for sentence in
        ["cart.yaml:65 differs", "mesh/linkerd/own.yaml is left over", "mesh/linkerd/admin.yaml is missing"]
    {
        assert!(found.contains(sentence), "{sentence} is not in {found}");
    }
    assert!(matches!(written, Outcome::Passed(said) if said.ends_with(" files, 3 of them changed")));
    assert!(matches!(compare(&checkout).unwrap(), Outcome::Passed(_)));
}

#[test]
fn a_contract_that_does_not_hold_is_refused_with_file_and_line() {
    let (root, _guard) = copy();
    let orders = root.join("proto/shop/orders/v1/orders.proto");
    let text = std::fs::read_to_string(&orders).unwrap();
    for (after, sentence) in [
        ("callers: [\"warehouse\"]", "names the unknown caller `warehouse`"),
        ("callers: [\"pricing\"]", "closes a cycle of callers: orders → pricing → orders"),
    ] {
        std::fs::write(&orders, text.replacen("callers: [\"gateway\"]", after, 1)).unwrap();

        let refused = compare(&Checkout::at(&root)).unwrap_err().to_string();

        assert!(refused.contains(sentence), "{sentence} is not in {refused}");
        let (place, _) = refused.split_once(": OrdersService.").unwrap();
        let line = place.strip_prefix("proto/shop/orders/v1/orders.proto:").unwrap();
        assert!(line.parse::<usize>().is_ok_and(|line| line > 1), "{refused}");
    }
}

#[test]
fn the_table_must_say_of_every_process_and_of_no_other() {
    let (contract, ..) = committed();
    let root = Checkout::of_this_build();
    let text = std::fs::read_to_string(root.root().join("deploy/services.toml")).unwrap();
    for (before, after, sentence) in [
        ("[processes.cart]", "[processes.basket]", "the process basket is no service of the contract"),
        ("\"smtp\"", "\"telex\"", "there is no place telex"),
        ("[places.dns]", "[places.names]", "there is no place dns"),
        ("storage = \"2Gi\"", "", "missing field `storage`"),
        ("storage = \"2Gi\"", "storage = \"2Gi\"\ndisk = 1", "unknown field `disk`"),
    ] {
        assert!(text.contains(before), "{before}");

        let refused = Table::parse(&text.replace(before, after), &contract).err().unwrap().to_string();

        assert!(refused.contains(sentence), "{sentence} is not in {refused}");
    }
}

/// A copy of what is read and rendered.
fn copy() -> (std::path::PathBuf, tempfile::TempDir) {
    fn copy_folder(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            match entry.path().is_dir() {
                true => copy_folder(&entry.path(), &to),
                false => drop(std::fs::copy(entry.path(), to).unwrap()),
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (Checkout::of_this_build(), folder.path().to_owned());
    for part in ["proto/shop", "deploy", "mesh/linkerd"] {
        copy_folder(&from.root().join(part), &to.join(part));
    }
    std::fs::copy(from.root().join("ARCHITECTURE.md"), to.join("ARCHITECTURE.md")).unwrap();
    (to, folder)
}
