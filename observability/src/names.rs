//! Every span, field and metric name that this project writes, so that a query written once finds all services.
//!
//! Field names are used as `tracing::info!({ names::ORDER_ID } = %id, "order {id} was placed")`. None of them may
//! carry a person's data: ids are opaque, names and addresses have no field.

use tonic::Code;

/// Target of the spans around calls that a service answers. Always on: they carry the trace id of log lines.
pub const SERVER_SPANS: &str = "shop::server";
/// Target of the spans around calls that are sent. On only when somebody collects spans or calls.
pub const CLIENT_SPANS: &str = "shop::client";

/// What kind of remote call it is; always "grpc".
pub const RPC_SYSTEM: &str = "rpc.system";
/// The service that owns the method: "orders".
pub const RPC_SERVICE: &str = "rpc.service";
/// The method: "`CancelOrder`".
pub const RPC_METHOD: &str = "rpc.method";
/// How a call ended: "OK", "`NOT_FOUND`".
pub const RPC_CODE: &str = "rpc.code";
/// The service that called.
pub const CALLER: &str = "shop.caller";

/// The name of a GraphQL operation as its document gives it.
pub const GRAPHQL_OPERATION: &str = "graphql.operation.name";
/// "query", "mutation" or "subscription".
pub const GRAPHQL_KIND: &str = "graphql.operation.type";
/// How a GraphQL operation ended: "ok", "errors", "refused", "timeout", or "left" when its client did.
pub const GRAPHQL_OUTCOME: &str = "graphql.outcome";

/// A stock-keeping unit.
pub const SKU: &str = "product.sku";
/// A checkout.
pub const CHECKOUT_ID: &str = "checkout.id";
/// An order.
pub const ORDER_ID: &str = "order.id";
/// A payment intent.
pub const PAYMENT_ID: &str = "payment.id";

/// An event.
pub const EVENT_ID: &str = "event.id";
/// What happened: "order.placed".
pub const EVENT_KIND: &str = "event.kind";
/// Who reads an event.
pub const EVENT_READER: &str = "event.reader";

/// A kind of mail: "order-placed".
pub const MAIL_TEMPLATE: &str = "mail.template";
/// What became of an attempt to send a mail: "sent", "postponed", "`given_up`".
pub const MAIL_OUTCOME: &str = "mail.outcome";

/// A service of this project: "orders".
pub const SERVICE: &str = "shop.service";
/// How often something was tried so far.
pub const ATTEMPT: &str = "attempt";
/// How many things a line is about.
pub const COUNT: &str = "count";
/// A chain of errors, outermost first.
pub const ERROR: &str = "error";
/// Where in the source something happened.
pub const LOCATION: &str = "code.location";

/// Seconds from the arrival of a call to the end of its answer.
pub const RPC_SERVER_DURATION: &str = "rpc.server.duration";
/// Calls answered with an error.
pub const RPC_SERVER_ERRORS: &str = "rpc.server.errors";
/// Seconds from sending a call to the end of its answer.
pub const RPC_CLIENT_DURATION: &str = "rpc.client.duration";
/// Calls sent that came back with an error.
pub const RPC_CLIENT_ERRORS: &str = "rpc.client.errors";
/// Seconds from the arrival of a GraphQL operation to its answer.
pub const GRAPHQL_DURATION: &str = "graphql.operation.duration";
/// GraphQL operations whose answer had errors, or that were refused.
pub const GRAPHQL_ERRORS: &str = "graphql.operation.errors";
/// Attempts to send a mail.
pub const MAILS: &str = "mails";

/// The name of a code as the gRPC specification writes it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
