//! Input from outside, corrupted at random: answers, identifiers, names, configurations, calls of webhooks. Nothing of
//! it may panic, be taken for something else, or be repeated in a message.
//!
//! `PROPTEST_CASES=100000 cargo test --all-features -- fuzz proptests` is the long one; a failing case is shrunk and printed
//! as it stands. Properties of single functions are beside them, in the modules of the library.

mod answers;
mod configurations;
mod names;
mod spoil;
mod webhooks;
