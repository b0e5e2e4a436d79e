//! A typed client and a sync engine for Démarche Numérique and Démat Social.

pub mod champ;
pub mod demarche;
pub mod dossier;
pub mod ids;
pub mod platform;

pub mod api;
pub mod observe;
pub mod plan;
pub mod privacy;
pub mod sink;
pub mod sync;
pub mod table;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod config;
#[cfg(feature = "sandbox")]
pub mod sandbox;
