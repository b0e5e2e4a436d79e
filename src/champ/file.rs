//! Files on the platform: of answers, messages, opinions and decisions.

use serde::{Deserialize, Serialize};

/// A file on the platform.
///
/// The platform gives no id: a file is identified by its champ, its name, its checksum and its date
/// (docs/platform.md#files).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name. Two files of one champ may have the same.
    pub filename: String,
    /// Its media type.
    pub content_type: String,
    /// Its size in bytes.
    pub byte_size: u64,
    /// MD5 of the content in base64; empty for files that the platform makes on demand.
    pub checksum: String,
    /// When it was uploaded. `None` for files made on demand, whose date is that of the request (trap 26).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<jiff::Timestamp>,
    /// `pending`, `safe`... (Démarche Numérique only). A pending file may be malware (trap 23).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virus_scan_result: Option<String>,
    /// The signed address, for the next hour (trap 56). Only single dossiers have it, and it is never stored: anybody
    /// who has the address can download the file without a token.
    #[serde(skip)]
    pub url: Option<url::Url>,
}
