//! The limits of the edge, by name; lengths of single fields stand where they are read.

use std::time::Duration;

/// Bytes of a request's body.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Bytes of a GraphQL document, before anything parses it.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024;
/// Fields below the operation's root, fragments expanded: what an answer may be asked for, not what was typed.
pub const DOCUMENT_NODES_MAX: u64 = 1_000;
/// Aliases, fragments expanded.
pub const DOCUMENT_ALIASES_MAX: u64 = 15;
/// Fields at the root of the operation.
pub const DOCUMENT_ROOTS_MAX: u64 = 10;
/// Fragments that a document defines.
pub const DOCUMENT_FRAGMENTS_MAX: usize = 30;
/// Levels of selection, fragments expanded.
pub const DOCUMENT_DEPTH_MAX: u64 = 12;
/// The same, where a document asks about the schema alone: tools follow a type through nine of its wrappings.
pub const INTROSPECTION_DEPTH_MAX: u64 = 16;
/// Directives of one field, fragment or operation.
pub const DIRECTIVES_MAX: usize = 4;
/// Cost of an operation: each field one, each list times what is asked for.
pub const COMPLEXITY_MAX: usize = 30_000;
/// Levels that an input value may be nested.
pub const VARIABLES_DEPTH_MAX: usize = 12;
/// Parsed documents that are kept.
pub const DOCUMENTS_KEPT_MAX: usize = 1_000;

/// Items of one page.
pub const PAGE_SIZE_MAX: i32 = 100;
/// Items of a page when nobody says how many.
pub const PAGE_SIZE_DEFAULT: i32 = 20;
/// Reviews of each product of a list.
pub const REVIEWS_EACH_MAX: i32 = 20;
/// Ids that `nodes` takes at once.
pub const NODES_MAX: usize = 250;
/// Those of them that are opened by a token: carts, checkouts, a guest's orders. Each is a call of its own.
pub const HELD_NODES_MAX: usize = 10;
/// Characters of an idempotency key.
pub const IDEMPOTENCY_KEY_LENGTH_MAX: usize = 128;
/// A guest without a cart has nobody to share keys with but everybody: such a key must not be guessed.
pub const GUEST_KEY_LENGTH_MIN: usize = 16;
/// Recommendations of one list.
pub const RECOMMENDATIONS_MAX: i32 = 20;
/// Characters of an opaque id or cursor.
pub const ID_LENGTH_MAX: usize = 512;

/// From the headers of a request until its answer is made; subscriptions are exempt.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take nothing of what it is sent before its connection ends.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// From the opening of a connection to its first request, and for the headers of each.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections in all.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Connections of one address.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 100;
/// Bytes of the headers of one request.
pub const HEADER_BYTES_MAX: usize = 32 * 1024;

/// Until `connection_init` has to come: 4408.
pub const SOCKET_INIT_TIMEOUT: Duration = Duration::from_secs(3);
/// Between pings; a peer that answers none until the next is gone.
pub const SOCKET_PING_INTERVAL: Duration = Duration::from_secs(20);
/// How long a slow reader may hold up a message before it is dropped.
pub const SOCKET_SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of one message.
pub const SOCKET_MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of the buffer that every open socket holds.
pub const SOCKET_READ_BUFFER_BYTES: usize = 4 * 1024;
/// Subscriptions of one socket.
pub const SOCKET_SUBSCRIPTIONS_MAX: usize = 20;
/// Sockets and event streams of one account, or of one address without an account.
pub const SOCKETS_PER_USER_MAX: usize = 10;
/// Sockets and event streams in all.
pub const SOCKETS_MAX: usize = 10_000;
/// Between two signs of life on an event stream.
pub const SSE_HEARTBEAT: Duration = Duration::from_secs(15);

/// Tokens that an account may save up.
pub const RATE_ACCOUNT_BURST: u32 = 600;
/// Tokens that an account gets back each second.
pub const RATE_ACCOUNT_PER_SECOND: u32 = 100;
/// Tokens that an address without an account may save up. Many guests come from one address: an office, a proxy.
pub const RATE_ADDRESS_BURST: u32 = 10_000;
/// Tokens that an address without an account gets back each second.
pub const RATE_ADDRESS_PER_SECOND: u32 = 2_000;
/// How much more is allowed outside of production, where one machine plays all shoppers.
pub const RATE_DEVELOPMENT_FACTOR: u32 = 100;
/// What a query costs; a subscription too.
pub const RATE_QUERY_COST: u32 = 1;
/// What each field of a mutation costs.
pub const RATE_MUTATION_COST: u32 = 5;
/// What a request costs, beside its query, that is refused before it executes.
pub const RATE_REFUSED_COST: u32 = 5;
/// Clients that are remembered; above it those who have been idle longest are forgotten, and begin with full buckets.
pub const RATE_CLIENTS_MAX: usize = 50_000;

/// Bytes of a webhook's body.
pub const WEBHOOK_BYTES_MAX: usize = 64 * 1024;
/// How long a browser may keep a picture that never changes.
pub const MEDIA_MAX_AGE: Duration = Duration::from_secs(365 * 24 * 3600);
/// How long the published keys may be kept by others.
pub const KEYS_MAX_AGE: Duration = Duration::from_secs(60);

/// Views of products that wait to be counted; what comes beyond is dropped.
pub const VIEWS_WAITING_MAX: usize = 10_000;
/// Products and countries of one batch, as the contract has it.
pub const VIEWS_PER_BATCH_MAX: usize = 1_000;
/// Between two batches.
pub const VIEWS_FLUSH_INTERVAL: Duration = Duration::from_secs(2);
/// How often a batch is sent before it is given up.
pub const VIEW_BATCH_TRIES_MAX: u32 = 5;
/// How long the end of a process waits for views of the last requests.
pub const VIEWS_DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
