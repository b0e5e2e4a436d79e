//! Positions in a listing.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jiff::Timestamp;

use super::error::ApiError;

/// A position in one listing. It is bound to it: the platform accepts the cursor of any other listing and answers
/// nonsense (traps 8 and 9), so the client refuses it. It serves one walk and is never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) text: String,
    pub(super) listing: u64,
}

/// The identity of a listing: a platform's address, a list, its filters and order.
pub(super) fn listing_id(listing: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    listing.hash(&mut hasher);
    hasher.finish()
}

impl Cursor {
    /// Refuses a cursor of another listing, and one that the platform cannot have made: it would answer an empty last
    /// page to it (trap 9).
    pub(super) fn check(&self, listing: u64, what: &str) -> Result<(), ApiError> {
        if self.listing == listing && is_keyset(&self.text) {
            Ok(())
        } else {
            Err(ApiError::ForeignCursor { what: what.to_owned() })
        }
    }
}

/// Whether a text is base64 of `<instant>;<row number>` (dn-api 3.2).
fn is_keyset(text: &str) -> bool {
    let text = text.trim_end_matches('=');
    let decoded = URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text));
    let decoded = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.as_deref().and_then(|text| text.split_once(';')).is_some_and(|(instant, row)| {
        instant.parse::<Timestamp>().is_ok() && !row.is_empty() && row.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(plain: &str, listing: u64) -> Cursor {
        Cursor { text: URL_SAFE_NO_PAD.encode(plain), listing }
    }

    #[test]
    fn a_cursor_of_the_platform_is_accepted_by_its_own_listing_only() {
        let cursor = cursor("2026-01-15T14:52:35.123456000Z;1234", 7);
        assert_eq!(cursor.text, "MjAyNi0wMS0xNVQxNDo1MjozNS4xMjM0NTYwMDBaOzEyMzQ");
        assert!(cursor.check(7, "a list").is_ok());
        assert!(matches!(cursor.check(8, "a list"), Err(ApiError::ForeignCursor { .. })));
    }

    #[test]
    fn a_cursor_that_the_platform_cannot_have_made_is_refused() {
        for plain in ["abc", "100", "", ";", "2026-01-15T14:52:35Z;", "2026-01-15T14:52:35Z;x", "yesterday;12"] {
            assert!(cursor(plain, 1).check(1, "a list").is_err(), "{plain}");
        }
        for text in ["not base64!", "MTAw", "é"] {
            let cursor = Cursor { text: text.to_owned(), listing: 1 };
            assert!(cursor.check(1, "a list").is_err(), "{text}");
        }
    }
}
