//! The columns in which people decide.

use super::desk::Desk;
use super::fault::Fault;
use super::outbox::Line;
use crate::grist::Action;
use crate::sink::Scope;

/// What is written where a person asked for an intent, now that it stands like this.
pub(super) async fn told(_desk: &Desk, _scope: &Scope, _line: &Line) -> Result<Vec<Action>, Fault> {
    Ok(Vec::new())
}
