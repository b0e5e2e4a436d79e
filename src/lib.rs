//! Client and sync engine for Démarche Numérique and Démat Social.
//!
//! A typed client for both platforms, and a sync engine whose promise is: **every change that the platform shows reaches
//! the target, each dossier once, whatever fails in between.** A run may be killed at any instant; the next one goes on
//! from the last commit, and [`sync::verify`] proves that nothing is missing.
//!
#![cfg_attr(feature = "sandbox", doc = "```")]
#![cfg_attr(not(feature = "sandbox"), doc = "```ignore")]
//! use std::pin::pin;
//!
//! use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, Sandbox, WorldSpec};
//! use demarche_numerique::{Client, DemarcheNumber, Platform, changed};
//! use futures_util::TryStreamExt;
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // The embedded platform, to try this at once. In your program: no `url`, and `token(std::env::var("DN_TOKEN")?)`.
//!     let sandbox = Sandbox::new(&WorldSpec::default());
//!     let server = sandbox.serve_locally().await?;
//!     let client = Client::builder(Platform::DemarcheNumerique).url(server.url()).token(sandbox.token()).build()?;
//!
//!     let since = "2026-01-15T00:00:00Z".parse()?;
//!     let mut dossiers = pin!(changed(&client, DemarcheNumber::new(DEMARCHE_COMPLETE), Some(since)));
//!     while let Some(dossier) = dossiers.try_next().await? {
//!         // By label or by id; a near miss answers "did you mean …?".
//!         println!("{}: {:?}", dossier.number, dossier.champ("Intitulé du projet")?.value);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! The modules, in the order in which a dossier passes through them:
//!
//! - [`ids`], [`platform`], [`demarche`], [`dossier`], [`champ`]: domain types, under the platform's names;
//! - [`fingerprint`], [`checkpoint`], [`report`]: plain values that several modules exchange;
//! - [`api`]: client of the platform's GraphQL API, with retries, backoff and a rate limiter;
//! - [`observe`]: reads a démarche: watermark, walks, lists of deletions, the complete listing;
//! - [`privacy`]: removes, masks or pseudonymises values before anything is stored;
//! - [`table`]: maps a form to tables, and a dossier to rows;
//! - [`plan`]: computes changes from the state that is known and the dossiers that were read;
//! - [`sink`]: stores dossiers in a target: SQLite, PostgreSQL, Grist, memory;
//! - [`sync`]: one run, from the checkpoint to the report;
//! - [`intent`]: decisions of the back office that are to be sent to the platform;
//! - [`writeback`]: sends them, each once, and verifies them;
//! - `serve` (feature `serve`): schedules runs for any number of workers, with health, metrics and alerts;
//! - `sandbox` (feature `sandbox`): an embedded platform to develop and test against;
//! - `config` and `cycle` (feature `cycle`): whole work cycles from a configuration, for a service that has a scheduler;
//! - `cli` (feature `cli`): the `dn` command.
//!
//! This documentation shows what a program that embeds the library configures, calls or implements. Other public items serve the
//! command, the tests and the benches of this package; they are hidden here and change without notice.

#![warn(missing_docs)]

pub mod champ;
pub mod checkpoint;
pub mod demarche;
pub mod dossier;
pub mod fingerprint;
pub mod ids;
pub mod platform;
pub mod report;

pub mod api;
pub mod observe;
pub mod privacy;
#[doc(hidden)]
pub mod table;

pub mod intent;
pub mod plan;
pub mod sink;
pub mod sync;
pub mod writeback;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "cycle")]
pub mod config;
#[cfg(feature = "cycle")]
pub mod cycle;
#[cfg(feature = "sandbox")]
pub mod sandbox;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "cycle")]
#[doc(hidden)]
pub mod telemetry;

/// Names the program in the `User-Agent` header of every request.
const USER_AGENT: &str = concat!("dn/", env!("CARGO_PKG_VERSION"));

/// Runs the examples of the README.
#[cfg(all(doctest, feature = "sandbox"))]
#[doc = include_str!("../README.md")]
struct Readme;

pub use api::{ApiError, Client};
pub use champ::{Champ, ChampValue};
pub use demarche::Demarche;
pub use dossier::{Dossier, DossierState};
#[cfg(feature = "grist")]
pub use grist_client;
pub use ids::{DemarcheNumber, DossierNumber, Scope};
pub use observe::changed;
pub use platform::Platform;
pub use report::Report;
