//! What `shop events` is told.

use clap::{Args, Subcommand};
use kit::Timestamp;
use uuid::Uuid;

use super::Data;

/// `shop events`.
#[derive(Debug, Subcommand)]
pub enum Events {
    /// Lists the events that a reader could not apply, oldest first.
    List(EventsOf),
    /// Shows one of them: its envelope and the size of its payload, nothing of a person.
    Show {
        /// Whose dead letter it is.
        #[command(flatten)]
        of: EventsOf,
        /// Its id.
        event: Uuid,
    },
    /// Lets the reader try one of them again, or all.
    Retry {
        /// Whose dead letters they are.
        #[command(flatten)]
        of: EventsOf,
        /// The id of the only one.
        #[arg(required_unless_present = "all")]
        event: Option<Uuid>,
        /// Every one of them.
        #[arg(long, conflicts_with = "event")]
        all: bool,
    },
    /// Hands the reader everything again that happened since a time, at most 30 days. What its inbox knows has no effect:
    /// it is for a reader whose store was set back to an earlier state.
    Replay {
        /// Who is to have it.
        #[command(flatten)]
        of: EventsOf,
        /// The time: 2026-11-28T06:00:00Z.
        #[arg(long)]
        since: Timestamp,
    },
}

/// Whose events, and where they lie.
#[derive(Args, Clone)]
pub struct EventsOf {
    /// The reader: "reviews".
    pub reader: String,
    /// Where a shop in one process keeps its files; it must not be running.
    #[command(flatten)]
    pub data: Data,
    /// The broker of a shop that runs apart; a replay reads the stores of `SHOP_<SERVICE>_DATABASE_URL`.
    #[arg(long, env = "AMQP_URL", hide_env_values = true)]
    pub amqp_url: Option<String>,
    /// The Redis of its carts, where they are in one; a replay reads it.
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
}

impl std::fmt::Debug for EventsOf {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EventsOf").field("reader", &self.reader).finish_non_exhaustive()
    }
}
