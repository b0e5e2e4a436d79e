//! Cells: what they hold, and how a value becomes one (docs/grist-api.md#cells).

mod convert;
mod kind;
mod parse;
mod python;
mod stored;
mod value;

pub(super) use convert::convert;
pub(super) use kind::Kind;
pub(super) use parse::{guess, parse};
pub(super) use python::tuple;
pub(super) use stored::{Stored, store};
pub(super) use value::{Cell, Key};
