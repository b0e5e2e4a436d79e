//! Client against answers over real HTTP.

mod answers;
#[cfg(feature = "sandbox")]
mod download;
mod http;
mod labels;
mod mutations;
mod mutations_lost;
#[cfg(feature = "sandbox")]
mod mutations_sandbox;
mod mutations_upload;
mod realworld;
mod requests;
#[cfg(feature = "sandbox")]
mod sandbox;
mod support;
mod within;
