//! The fake over HTTP.

mod access;
mod client;
mod faults;
mod people;
mod records;
mod structure;

use client::Client;
