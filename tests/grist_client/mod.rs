//! Tests the client of Grist against answers over HTTP.

mod failures;
mod limits;
mod questions;
mod support;
mod writes;
