//! Records requests.

use jiff::Timestamp;
use serde_json::Value as Json;

/// One request that reached the endpoint, whatever became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestInfo {
    /// Rank since the sandbox exists, from 1.
    pub rank: u64,
    /// The operation that was executed, or asked for; `upload` for a file that is sent; `None` for
    /// downloads and unnamed ones.
    pub operation: Option<String>,
    /// Its variables; null for downloads.
    pub variables: Json,
    /// Status of the answer, even when the answer was lost.
    pub status: u16,
    /// Size of the whole answer.
    pub bytes: usize,
    /// Virtual time.
    pub at: Timestamp,
    /// The fault that struck it, as its `Debug` text.
    pub fault: Option<String>,
}
