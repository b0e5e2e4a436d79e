//! The traps of Grist, numbered as in `docs/grist-traps.md`: what Grist does to a sync that does not know, and that ours
//! is not caught. Each test runs on the fake; with `DN_REAL_GRIST=1` it runs on the Grist that is named too, in a document
//! of its own (see `real_grist`). What the fake cannot show runs on a real one alone, and the page says so.
//! `GRIST_OTHER_KEY` is the key of a second account of that Grist, for traps about rights.

/// Runs tests of a [`Ground`](ground::Ground) on the fake and on the real one.
macro_rules! traps {
    ($($test:ident),* $(,)?) => {
        mod fake_grist {
            use crate::grist_traps::ground::Ground;

            $(#[tokio::test]
            async fn $test() {
                super::$test(&Ground::fake().await).await;
            })*
        }

        real_traps!($($test),*);
    };
}

/// The same on the real one alone.
macro_rules! real_traps {
    ($($test:ident),* $(,)?) => {
        mod real_grist {
            use crate::grist_traps::ground::Ground;

            $(#[tokio::test]
            async fn $test() {
                let Some(ground) = Ground::real(stringify!($test)).await else { return };
                super::$test(&ground).await;
            })*
        }
    };
}

mod blocked;
mod duplicates;
mod files;
mod ground;
mod habits;
mod limits;
mod links;
mod loss;
mod names;
mod retyped;
mod rows;
mod rules;
mod tables;
mod values;
mod wire;
