//! The Rust text that the build writes from the contract.

use std::fmt::Write as _;

use super::method::{Access, Idempotency, Method};

/// The table of all methods, as an expression of type `&'static [Method]`.
pub(crate) fn source(methods: &[Method]) -> String {
    let mut text = String::from("&[\n");
    for method in methods {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "    Method {{ path: {:?}, service: {:?}, name: {:?}, callers: &{:?}, access: &[{}], timeout: {}, \
             idempotency: Idempotency::{}, client_streaming: {}, server_streaming: {} }},",
            method.path,
            method.service,
            method.name,
            method.callers,
            access(&method.access),
            timeout(method),
            idempotency(method.idempotency),
            method.client_streaming,
            method.server_streaming,
        );
    }
    text.push_str("]\n");
    text
}

/// One short name per package: `pub use shop::orders::v1 as orders;`.
pub(crate) fn packages(packages: &[String]) -> String {
    let mut text = String::new();
    for package in packages {
        let parts: Vec<&str> = package.split('.').collect();
        if let [_, name, version] = parts.as_slice() {
            // A second version of a package keeps its version in the name, so that both can be used side by side.
            let short = if *version == "v1" { (*name).to_owned() } else { format!("{name}_{version}") };
            let _ = writeln!(
                text,
                "#[doc = \"The package `{package}`.\"]\n#[doc(inline)]\npub use shop::{name}::{version} as {short};"
            );
        }
    }
    text
}

fn access(alternatives: &[Access]) -> String {
    let words: Vec<String> = alternatives
        .iter()
        .map(|alternative| match alternative {
            Access::Public => "Access::Public".to_owned(),
            Access::Customer => "Access::Customer".to_owned(),
            Access::Staff(permission) => format!("Access::Staff({permission:?})"),
            Access::Service => "Access::Service".to_owned(),
        })
        .collect();
    words.join(", ")
}

fn timeout(method: &Method) -> String {
    match method.timeout {
        Some(timeout) => format!("Some(Duration::from_millis({}))", timeout.as_millis()),
        None => "None".to_owned(),
    }
}

fn idempotency(idempotency: Idempotency) -> &'static str {
    match idempotency {
        Idempotency::NoSideEffects => "NoSideEffects",
        Idempotency::Idempotent => "Idempotent",
        Idempotency::Unknown => "Unknown",
    }
}
