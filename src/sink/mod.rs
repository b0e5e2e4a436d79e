//! Room: sink.
