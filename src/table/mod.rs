//! Room: table.
