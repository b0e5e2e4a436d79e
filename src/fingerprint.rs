//! Computes fingerprints: digests of what is stored, equal if and only if nothing has to be written.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// First 128 bits of SHA-256: a collision of two dossiers is not expected.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 16]);

/// Digest of a dossier's stored document. Two readings with one fingerprint are one version, whatever their dates: the
/// platform changes dates without content and content without dates (traps 20, 26 to 28).
pub type Fingerprint = Digest;

impl Digest {
    /// Computes the digest of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let hash = Sha256::digest(bytes);
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash[..16]);
        Self(digest)
    }

    /// Seals the digest of a listing when a dossier is anonymised. It still shows that the platform's listing did not
    /// move since, and never equals the digest of a listing.
    #[must_use]
    pub fn sealed(self) -> Self {
        Self::of(&[b"anonymised ", self.0.as_slice()].concat())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.write_str(str::from_utf8(&text).expect("hexadecimal digits are ASCII"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not the 32 hexadecimal digits of a digest.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a digest of 32 hexadecimal digits")]
pub struct InvalidDigest(String);

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut digest = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return Err(InvalidDigest(text.to_owned()));
        }
        for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| InvalidDigest(text.to_owned()))?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| InvalidDigest(text.to_owned()))?;
        }
        Ok(Self(digest))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_survives_its_text_form() {
        let digest = Digest::of("dossier".as_bytes());
        assert_eq!(digest.to_string().parse::<Digest>().ok(), Some(digest));
        for text in ["", "zz", &"g".repeat(32), &"é".repeat(16)] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
