//! The fake over HTTP.

mod client;
mod records;

use client::Client;
