//! Placeholder until this slice lands.
