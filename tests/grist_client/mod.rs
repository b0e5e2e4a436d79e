//! Tests the client of Grist against answers over HTTP.

mod failures;
mod limits;
mod reads;
mod support;
mod writes;
