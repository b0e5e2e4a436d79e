//! Values of answers.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use md5::{Digest as _, Md5};

use super::random::Random;

/// The content of an answer, whatever the question; a content that does not fit the question reads as empty.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing was answered.
    Empty,
    /// Text, number, date (`2026-03-14`), instant, `true`/`false`, choice, or code of a place.
    Text(String),
    /// Several choices; both choices of a linked list; département and EPCI codes.
    List(Vec<String>),
    /// A SIRET, RNA, RNF number or an address, and whether the register has answered.
    Reference {
        /// The number, or the address as typed.
        id: String,
        /// False while the register has told nothing: the details read as null.
        known: bool,
    },
    /// Free JSON, as for FINESS and RPPS.
    Data {
        /// The typed text.
        text: String,
        /// The answer of the register, or null.
        data: serde_json::Value,
    },
    /// Files handed in.
    Files(Vec<FileRecord>),
    /// Shapes on a map.
    Areas(Vec<Area>),
    /// Rows of a repetition.
    Rows(Vec<RowRecord>),
}

impl Value {
    /// Returns `true` if nothing was answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Reference { id, .. } => id.is_empty(),
            Self::Data { text, .. } => text.is_empty(),
            Self::Files(files) => files.is_empty(),
            Self::Areas(areas) => areas.is_empty(),
            Self::Rows(rows) => rows.is_empty(),
        }
    }

    /// The text, when the content is a text, a reference or data.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Reference { id: text, .. } | Self::Data { text, .. } if !text.is_empty() => {
                Some(text)
            }
            _ => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Text(value.to_string())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Text(value.to_string())
    }
}

/// The result of the virus scan of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan {
    /// Not looked at yet.
    Pending,
    /// Clean.
    Safe,
    /// A virus: the file vanishes from every answer.
    Infected,
}

/// A file of the world: its bytes are made on demand from a seed, so that a large world stays small.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRecord {
    /// Name given by whoever handed it in.
    pub filename: String,
    /// MIME type.
    pub content_type: String,
    /// Size in bytes; sizes above 64 MiB are declared but cannot be downloaded.
    pub byte_size: u64,
    /// Where the bytes come from.
    pub seed: u64,
    /// When it was handed in.
    pub created_at: Timestamp,
    /// The result of the virus scan.
    pub scan: Scan,
    /// The bytes, when somebody sent them; others are made of the seed.
    pub content: Option<Arc<[u8]>>,
}

impl FileRecord {
    /// A clean text file of `byte_size` bytes.
    #[must_use]
    pub fn new(filename: &str, byte_size: u64, created_at: Timestamp) -> Self {
        let seed = filename.bytes().fold(byte_size, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let content_type = match filename.rsplit('.').next() {
            Some("pdf") => "application/pdf",
            Some("png") => "image/png",
            Some("geojson" | "json") => "application/json",
            _ => "text/plain",
        };
        let content_type = content_type.to_owned();
        Self {
            filename: filename.to_owned(),
            content_type,
            byte_size,
            seed,
            created_at,
            scan: Scan::Safe,
            content: None,
        }
    }

    /// Largest file whose bytes exist.
    pub(super) const MAX_SERVED: u64 = 64 * 1024 * 1024;

    /// The bytes themselves.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        match &self.content {
            Some(content) => content.to_vec(),
            None => bytes_of(self.seed, self.byte_size),
        }
    }

    /// MD5 in base64, as the platform gives it.
    #[must_use]
    pub fn checksum(&self) -> String {
        let digest = if self.content.is_none() && self.byte_size > Self::MAX_SERVED {
            Md5::digest(self.seed.to_be_bytes())
        } else {
            Md5::digest(self.bytes())
        };
        STANDARD.encode(digest)
    }
}

/// The bytes of the file made from `seed`, empty when it is too large to exist.
pub(super) fn bytes_of(seed: u64, byte_size: u64) -> Vec<u8> {
    if byte_size > FileRecord::MAX_SERVED {
        return Vec::new();
    }
    let mut random = Random::of(&[seed, byte_size]);
    let length = usize::try_from(byte_size).unwrap_or(0);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&random.next().to_be_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// A shape on a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// Row number, part of the id.
    pub id: u64,
    /// The usager's description.
    pub description: Option<String>,
    /// Where it comes from.
    pub source: AreaSource,
    /// GeoJSON geometry: `{"type": .., "coordinates": ..}`.
    pub geometry: serde_json::Value,
}

/// Where a shape comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AreaSource {
    /// Drawn by hand.
    SelectionUtilisateur,
    /// A parcel of the land register.
    Cadastre {
        /// Commune of the parcel.
        commune: String,
        /// Section of the parcel.
        section: String,
        /// Number of the parcel.
        numero: String,
    },
    /// An agricultural parcel: the platform has no type for it, and any query that reads it fails with HTTP 500.
    Rpg,
}

/// One row of a repetition.
#[derive(Clone, Debug, PartialEq)]
pub struct RowRecord {
    /// ULID of the row.
    pub id: String,
    /// Answers by stable id.
    pub champs: Vec<(u64, Value)>,
}

impl RowRecord {
    /// A row whose id sorts by `order` among those of the same instant.
    #[must_use]
    pub fn new(at: Timestamp, order: u64, champs: Vec<(u64, Value)>) -> Self {
        Self { id: ulid(at, order), champs }
    }
}

/// A ULID: 48 bits of milliseconds, then a counter where others put randomness.
fn ulid(at: Timestamp, order: u64) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let millis = u128::try_from(at.as_millisecond()).unwrap_or(0) & 0xffff_ffff_ffff;
    let mut bits = (millis << 80) | u128::from(order);
    let mut text = [b'0'; 26];
    for slot in text.iter_mut().rev() {
        *slot = ALPHABET[usize::try_from(bits & 31).unwrap_or(0)];
        bits >>= 5;
    }
    text.iter().map(|byte| char::from(*byte)).collect()
}
