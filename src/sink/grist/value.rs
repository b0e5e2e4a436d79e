//! Writes values for `Dn_etat` as text, compressed where that pays, each with its digest.

use crate::fingerprint::Digest;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault::GristFault;

/// Below this many bytes compression does not pay.
const SHORT: usize = 512;

/// The prefix of a text that is kept as it is; that of one that is compressed follows.
const PLAIN: &str = "t:";
const PACKED: &str = "z:";

/// A text as it is kept.
pub(super) fn pack(text: &str) -> String {
    if text.len() < SHORT {
        return format!("{PLAIN}{text}");
    }
    let mut packed = Vec::with_capacity(text.len() / 3);
    let read = DeflateEncoder::new(text.as_bytes(), Compression::default()).read_to_end(&mut packed);
    read.expect("reading from memory cannot fail");
    format!("{PACKED}{}", STANDARD.encode(packed))
}

/// The text again; `None` when it is not one of ours.
pub(super) fn unpack(kept: &str) -> Option<String> {
    if let Some(text) = kept.strip_prefix(PLAIN) {
        return Some(text.to_owned());
    }
    let packed = STANDARD.decode(kept.strip_prefix(PACKED)?).ok()?;
    let mut text = String::new();
    DeflateDecoder::new(packed.as_slice()).read_to_string(&mut text).ok()?;
    Some(text)
}

/// A value as it is kept.
pub(super) fn write(value: &impl Serialize) -> String {
    pack(&serde_json::to_string(value).expect("what is kept is plain data with text keys"))
}

/// The digest that goes with a value: of its key too, so that two values cannot change places.
pub(super) fn seal(key: &str, kept: &str) -> Digest {
    Digest::of(format!("{key}\n{kept}").as_bytes())
}

/// The value again.
pub(super) fn read<T: DeserializeOwned>(key: &str, kept: &str) -> Result<T, GristFault> {
    let value = unpack(kept).and_then(|text| serde_json::from_str(&text).ok());
    value.ok_or_else(|| GristFault::Altered(format!("the row {key} of Dn_etat cannot be read")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_come_back() {
        for text in ["", "a", "é🎉\0", &"x".repeat(SHORT), &"dossier é ".repeat(10_000)] {
            assert_eq!(unpack(&pack(text)).as_deref(), Some(text));
        }
        assert!(pack(&"dossier é ".repeat(10_000)).len() < 2_000);
        for foreign in ["", "x", "z:é", "z:AAAA", "12"] {
            assert_eq!(unpack(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_seal_tells_another_value_and_another_place() {
        assert_ne!(seal("a", "t:1"), seal("a", "t:2"));
        assert_ne!(seal("a", "t:1"), seal("b", "t:1"));
    }
}
