//! One integration binary: one module per room under test.

mod client;
mod schemas;
