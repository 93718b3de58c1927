//! The GraphQL schema: nouns in files of their own, and the roots that tie them together.

pub(crate) mod account;
pub(crate) mod address;
pub(crate) mod analytics;
pub(crate) mod cart;
pub(crate) mod category;
pub(crate) mod checkout;
pub(crate) mod choice;
pub(crate) mod collection;
pub(crate) mod connection;
pub(crate) mod date;
pub(crate) mod discount;
pub(crate) mod facet;
pub(crate) mod held;
pub(crate) mod in_context;
pub(crate) mod look;
pub(crate) mod mail;
pub(crate) mod money;
pub(crate) mod mutation;
pub(crate) mod node;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod product;
pub(crate) mod query;
pub(crate) mod quote;
pub(crate) mod recommendation;
pub(crate) mod review;
pub(crate) mod search;
pub(crate) mod shipment;
pub(crate) mod shipping;
pub(crate) mod status;
pub(crate) mod stock;
pub(crate) mod subscription;
pub(crate) mod tax;
pub(crate) mod user_error;
pub(crate) mod variant;
pub(crate) mod wants;

use async_graphql::SchemaBuilder;

use crate::context::Shared;
use crate::error::Fault;
use crate::limits;
use mutation::Mutation;
use query::Query;
use subscription::Subscription;

pub(crate) type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// A root field: null when there is nothing, or when it failed, so that the other roots of a page stay.
pub(crate) type Part<T> = Option<Result<T, Fault>>;

/// The schema, ready to execute. In production nobody may ask what it looks like.
pub(crate) fn build(shared: Shared, production: bool) -> Schema {
    // How deep a document goes `guard` has measured, which lets one about the schema go deeper.
    let builder = builder()
        .data(shared)
        .limit_aliases(usize::try_from(limits::DOCUMENT_ALIASES_MAX).unwrap_or(usize::MAX))
        .limit_directives(limits::DIRECTIVES_MAX)
        .limit_complexity(limits::COMPLEXITY_MAX);
    match production {
        true => builder.disable_introspection().disable_suggestions().finish(),
        false => builder.finish(),
    }
}

/// The schema as text, for clients and for `schema.graphql`.
pub fn sdl() -> String {
    builder().finish().sdl()
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    // Lists of a service hold their items, lists that are cut out of another object borrow them: one type to clients.
    let same = ["ProductConnection", "ProductEdge"];
    Schema::build_with_ignore_name_conflicts(Query::default(), Mutation::default(), Subscription, same)
        .register_output_type::<user_error::DisplayableError>()
        .register_output_type::<node::Node>()
        .directive(in_context::InContext)
}

/// A time of the contract as the schema shows it.
pub(crate) fn time(wire: Option<&prost_types::Timestamp>) -> Option<chrono::DateTime<chrono::Utc>> {
    let wire = wire?;
    chrono::DateTime::from_timestamp(wire.seconds, u32::try_from(wire.nanos).ok()?)
}

/// A time that a client gives as the contract takes it.
pub(crate) fn wire_time(time: chrono::DateTime<chrono::Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: time.timestamp(),
        nanos: i32::try_from(time.timestamp_subsec_nanos()).unwrap_or(0),
    }
}
