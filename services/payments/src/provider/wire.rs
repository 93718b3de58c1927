//! The simulated provider's JSON, as both of its ends write and read it.

use serde::{Deserialize, Serialize};

/// A body that is larger is refused before it is read.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Authorize {
    pub key: String,
    pub minor_units: i64,
    pub currency: String,
    pub method: String,
    pub return_url: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    pub key: String,
    /// Zero for a void, which has no amount.
    #[serde(default)]
    pub minor_units: i64,
    #[serde(default)]
    pub reason: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payment {
    pub reference: String,
    pub key: String,
    pub status: Status,
    pub minor_units: i64,
    pub currency: String,
    pub captured: i64,
    pub refunded: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_url: Option<String>,
    /// Why it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Processing,
    ActionRequired,
    Authorized,
    Captured,
    Declined,
    Voided,
}

/// The body of an answer that is not 200.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    pub error: Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Error {
    Malformed,
    NotFound,
    /// The key came before with another question.
    KeyReused,
    NotAuthorized,
    AlreadyCaptured,
    ExceedsAuthorized,
    ExceedsCaptured,
    Internal,
}

/// The body of a webhook. It says what happened as a hint only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Notice {
    pub id: String,
    pub status: Status,
    pub reference: String,
    pub key: String,
}

impl Status {
    pub const ALL: [Status; 6] = [
        Status::Processing,
        Status::ActionRequired,
        Status::Authorized,
        Status::Captured,
        Status::Declined,
        Status::Voided,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Status::Processing => "processing",
            Status::ActionRequired => "action_required",
            Status::Authorized => "authorized",
            Status::Captured => "captured",
            Status::Declined => "declined",
            Status::Voided => "voided",
        }
    }

    pub fn named(name: &str) -> Option<Status> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}
