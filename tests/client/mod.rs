//! The gate, against answers given over real HTTP.

mod answers;
mod http;
mod realworld;
mod requests;
mod support;
