//! What the back office decided: where it waits, and how it reaches the platform.

pub mod contract;
mod grist;
