//! The platform that a sandbox imitates.

use std::fmt;

/// The platform that a sandbox imitates: its schema, messages and rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Platform {
    /// Démarche Numérique, schema of 2026-01-15.
    DemarcheNumerique,
    /// Démat Social, a fork of it as it was at the end of 2023; schema of 2026-06-09.
    DematSocial,
}

impl Platform {
    /// Both platforms.
    pub const ALL: [Self; 2] = [Self::DemarcheNumerique, Self::DematSocial];
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DemarcheNumerique => "demarche-numerique",
            Self::DematSocial => "demat-social",
        })
    }
}
