//! The client of Grist, against answers given over real HTTP.

mod failures;
mod limits;
mod questions;
mod support;
mod writes;
