//! Cursors: positions in a listing, each bound to the listing that it came from.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use jiff::Timestamp;

use super::error::ApiError;
use crate::ids::DossierNumber;

/// Position in one listing. The platform accepts the cursor of any other listing and answers wrong rows (traps 8 and
/// 9), so the client refuses it. A cursor serves one walk and is never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) text: String,
    pub(super) listing: u64,
}

/// Identifies a listing by the platform's address, the list, its filters and its order.
pub(super) fn listing_id(listing: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    listing.hash(&mut hasher);
    hasher.finish()
}

impl Cursor {
    /// Refuses a cursor of another listing. Its text is the platform's own and is sent back as it came: it is never
    /// stored, so nothing can have corrupted it (trap 9).
    pub(super) fn check(&self, listing: u64, what: &str) -> Result<(), ApiError> {
        // The platform accepts the cursor of another listing without an error and answers wrong rows (trap 8).
        if self.listing == listing { Ok(()) } else { Err(ApiError::ForeignCursor { what: what.to_owned() }) }
    }

    /// Returns a number that distinguishes it from others, to detect a cursor that comes again (trap 14).
    pub(crate) fn digest(&self) -> u64 {
        listing_id(&self.text)
    }

    /// Returns the dossier at this position, if the cursor has the shape of today's platform: base64url of
    /// `<instant>;<row id>`, and the row id of a dossier is its number (docs/platform.md#paging).
    #[must_use]
    pub fn row(&self) -> Option<DossierNumber> {
        let text = self.text.trim_end_matches('=');
        let decoded = URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()?;
        let (instant, row) = std::str::from_utf8(&decoded).ok()?.split_once(';')?;
        instant.parse::<Timestamp>().ok()?;
        row.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(plain: &str, listing: u64) -> Cursor {
        Cursor { text: URL_SAFE_NO_PAD.encode(plain), listing }
    }

    #[test]
    fn trap_8_a_cursor_is_accepted_by_its_own_listing_only() {
        let cursor = cursor("2026-01-15T14:52:35.123456000Z;1234", 7);
        assert_eq!(cursor.text, "MjAyNi0wMS0xNVQxNDo1MjozNS4xMjM0NTYwMDBaOzEyMzQ");
        assert!(cursor.check(7, "a list").is_ok());
        assert!(matches!(cursor.check(8, "a list"), Err(ApiError::ForeignCursor { .. })));
    }

    #[test]
    fn a_cursor_names_its_dossier_when_it_has_the_known_shape() {
        assert_eq!(cursor("2026-01-15T14:52:35.1Z;1234", 1).row(), Some(DossierNumber::new(1234)));
        for plain in ["abc", "100", "", ";", "2026-01-15T14:52:35Z;", "2026-01-15T14:52:35Z;x", "yesterday;12"] {
            assert_eq!(cursor(plain, 1).row(), None, "{plain}");
        }
        let garbage = Cursor { text: "not base64!".to_owned(), listing: 1 };
        assert_eq!(garbage.row(), None);
    }
}
