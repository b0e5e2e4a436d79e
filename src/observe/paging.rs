//! Follows the cursors of a listing, and detects a cycle.

use std::collections::HashSet;

use crate::api::{ApiError, Cursor};

/// Cursors that a walk through a listing has used.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursors(HashSet<u64>);

impl Cursors {
    /// Returns the cursor of the next page; `None` after the last one.
    ///
    /// # Errors
    /// A cursor that was used before: the platform answers `first: 0` with a next page for ever, and such a walk would
    /// never end (trap 14).
    pub(super) fn follow(
        &mut self,
        end: Option<Cursor>,
        has_next: bool,
        what: &'static str,
    ) -> Result<Option<Cursor>, ApiError> {
        let Some(end) = end.filter(|_| has_next) else { return Ok(None) };
        if self.0.insert(end.digest()) {
            return Ok(Some(end));
        }
        Err(ApiError::Undecodable {
            what: what.to_owned(),
            path: "pageInfo.endCursor".to_owned(),
            reason: "the cursor does not advance".to_owned(),
        })
    }
}
