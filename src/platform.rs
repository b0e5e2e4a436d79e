//! Kinds of platforms.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Kind of platform.
///
/// Démat Social is a fork of Démarche Numérique as it was at the end of 2023, with additions of its own: its schema
/// lacks half of what Démarche Numérique offers, so each has its own pinned schema and its own operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// `demarche.numerique.gouv.fr`, formerly Démarches Simplifiées; pinned schema of 2026-01-15.
    DemarcheNumerique,
    /// `demat.social.gouv.fr`; pinned schema of 2026-06-09.
    DematSocial,
}

impl Platform {
    /// Both platforms, in the order in which documents name them.
    pub const ALL: [Self; 2] = [Self::DemarcheNumerique, Self::DematSocial];

    /// Returns the name used in configuration files and flags.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DemarcheNumerique => "demarche-numerique",
            Self::DematSocial => "demat-social",
        }
    }

    /// Returns the address of the platform's GraphQL endpoint. Other instances have their own.
    #[must_use]
    pub fn default_url(self) -> &'static str {
        match self {
            Self::DemarcheNumerique => "https://demarche.numerique.gouv.fr/api/v2/graphql",
            Self::DematSocial => "https://demat.social.gouv.fr/api/v2/graphql",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a platform.
#[derive(Debug, thiserror::Error)]
#[error("unknown platform `{0}` (known: demarche-numerique, demat-social)")]
pub struct UnknownPlatform(String);

impl FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|p| p.as_str() == text).ok_or_else(|| UnknownPlatform(text.to_owned()))
    }
}
