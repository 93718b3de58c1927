//! `shop routes` and `shop schema`: what the shop offers, without starting it.

use proto::rules::{Access, METHODS, Method};

/// Every method with its callers, what the end user must be, and how long it may take.
pub fn routes() {
    for method in METHODS {
        println!("{}", line(method));
    }
}

/// The GraphQL schema.
pub fn schema() {
    print!("{}", gateway::sdl());
}

fn line(method: &Method) -> String {
    let access: Vec<String> = method.access.iter().map(access).collect();
    let timeout = match method.timeout {
        Some(timeout) => format!("{timeout:?}"),
        None => "stream".to_owned(),
    };
    format!(
        "{:<12} {:<28} {:<18} {:<34} {:<7} {:?}",
        method.service,
        method.name,
        method.callers.join(","),
        access.join("|"),
        timeout,
        method.idempotency
    )
}

fn access(access: &Access) -> String {
    match access {
        Access::Public => "public".to_owned(),
        Access::Customer => "customer".to_owned(),
        Access::Staff(permission) => format!("staff({permission})"),
        Access::Service => "service".to_owned(),
    }
}
