//! An artificial contract, larger and odder than ours: limits of routes, and callers from outside.

use std::collections::BTreeSet;
use std::time::Duration;

use super::cluster::Cluster;
use super::objects::{Object, Route, parse};
use super::parties::{Parties, happens, said};
use super::{committed, differences};
use crate::checkout::Checkout;
use crate::mesh::contract::{Contract, Method};
use crate::mesh::files::Rendered;
use crate::mesh::table::Table;
use crate::mesh::{linkerd, network};

/// Of the Gateway API and of Linkerd.
const RULES_MAX: usize = 16;
const MATCHES_OF_RULE_MAX: usize = 64;
const MATCHES_OF_ROUTE_MAX: usize = 128;

/// So many methods of orders, of which a partner may call every second one, and one of a time that is no whole second.
fn artificial(count: usize) -> (Contract, Table, Vec<Object>) {
    let mut methods: Vec<Method> = (0..count)
        .map(|at| Method {
            service: "orders".to_owned(),
            interface: "shop.orders.v1.OrdersService".to_owned(),
            name: format!("Method{at}"),
            callers: match at % 2 {
                0 => BTreeSet::from(["gateway".to_owned()]),
                _ => BTreeSet::from(["gateway".to_owned(), "partner:acme".to_owned()]),
            },
            timeout: Some(Duration::from_secs(3)),
        })
        .collect();
    methods[0].timeout = Some(Duration::from_millis(800));
    let contract = Contract::of(methods);
    let text =
        std::fs::read_to_string(Checkout::of_this_build().root().join("deploy/services.toml")).unwrap();
    let (places, _) = text.split_once("[processes.").unwrap();
    let process = |name: &str, place: &str| {
        format!(
            "[processes.{name}]\nreaches = [\"{place}\"]\nreplicas = [1, 1]\ncpu = [\"1\", \"1\"]\n\
             memory = [\"1Gi\", \"1Gi\"]\nstorage = \"1Gi\"\n"
        )
    };
    let text = format!("{places}{}{}", process("gateway", "redis"), process("orders", "database"));
    let table = Table::parse(&text, &contract).unwrap();
    let rendered = [linkerd::render(&contract, &table).unwrap(), network::render(&contract, &table).unwrap()];
    let objects = |file: &Rendered| parse(&file.text);
    let objects = rendered.iter().flatten().filter(|file| file.path.ends_with(".yaml")).flat_map(objects);
    let objects = objects.collect();
    (contract, table, objects)
}

fn fits(objects: &[Object]) {
    for object in objects.iter().filter(|object| object.is("GRPCRoute") || object.is("HTTPRoute")) {
        let route: Route = object.spec();
        let matches: Vec<usize> = route.rules.iter().map(|rule| rule.matches.len()).collect();
        let name = &object.metadata.name;
        assert!(matches.len() <= RULES_MAX, "{name}: {} rules", matches.len());
        assert!(matches.iter().all(|count| *count <= MATCHES_OF_RULE_MAX), "{name}: {matches:?}");
        assert!(matches.iter().sum::<usize>() <= MATCHES_OF_ROUTE_MAX, "{name}: {matches:?}");
    }
}

#[test]
fn routes_keep_within_what_a_route_may_hold() {
    let (.., ours) = committed();
    fits(&ours);
    for count in [1, 64, 65, 128, 129, 400] {
        let (contract, table, objects) = artificial(count);

        fits(&objects);

        let parties = Parties::of(&contract, &table);
        let happens = happens(&Cluster::of(&objects), &contract, &table, &parties);
        assert_eq!(differences(&happens, &said(&contract, &table)), Vec::<String>::new(), "{count} methods");
    }
}

#[test]
fn a_partner_calls_what_it_may_and_reaches_nothing_else() {
    let (contract, table, objects) = artificial(4);
    let parties = Parties::of(&contract, &table);

    let happens = happens(&Cluster::of(&objects), &contract, &table, &parties);

    let partners: Vec<&String> = happens.iter().filter(|line| line.starts_with("partner:")).collect();
    assert_eq!(
        partners,
        [
            "partner:acme calls orders grpc.health.v1.Health/Check (timeout.linkerd.io/request: 1s)",
            "partner:acme calls orders grpc.health.v1.Health/Watch (timeout.linkerd.io/idle: 900s)",
            "partner:acme calls orders shop.orders.v1.OrdersService/Method1 (timeout.linkerd.io/request: 3s)",
            "partner:acme calls orders shop.orders.v1.OrdersService/Method3 (timeout.linkerd.io/request: 3s)",
        ]
    );
}
