//! Tests the traps of Grist, numbered as in `docs/grist-traps.md`. Each test runs on the imitation; with `DN_REAL_GRIST=1` it
//! also runs on the Grist that the environment names, in its own document (see `real_grist`). A trap that the imitation cannot
//! show runs on a real Grist only, and the page says so.
//! `GRIST_OTHER_KEY` is the key of a second account of that Grist, for traps about rights.

/// Runs tests on a [`Fixture`](fixture::Fixture) on the fake and on the real one.
macro_rules! traps {
    ($($test:ident),* $(,)?) => {
        mod fake_grist {
            use crate::grist_traps::fixture::Fixture;

            $(#[tokio::test]
            async fn $test() {
                super::$test(&Fixture::fake().await).await;
            })*
        }

        real_traps!($($test),*);
    };
}

/// The same on the real one alone.
macro_rules! real_traps {
    ($($test:ident),* $(,)?) => {
        mod real_grist {
            use crate::grist_traps::fixture::Fixture;

            $(#[tokio::test]
            async fn $test() {
                let Some(fixture) = Fixture::real(stringify!($test)).await else { return };
                super::$test(&fixture).await;
            })*
        }
    };
}

mod commands;
mod duplicates;
mod files;
mod fixture;
mod history;
mod limits;
mod links;
mod names;
mod proxy;
mod retyped;
mod rows;
mod rules;
mod stopped;
mod tables;
mod unresponsive;
mod values;
