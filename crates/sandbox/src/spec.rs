//! Declares the world of a sandbox: démarches, forms, dossiers.

use jiff::Timestamp;

use crate::Platform;

/// The démarche with every kind of champ, several revisions, every state and everything that can hang on a dossier.
pub const DEMARCHE_COMPLETE: u32 = 1001;
/// A clone of [`DEMARCHE_COMPLETE`]: the same stable ids, other dossiers.
pub const DEMARCHE_CLONE: u32 = 1002;
/// A plain, large démarche of simple champs, for load.
pub const DEMARCHE_LARGE: u32 = 1003;

/// One démarche to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemarcheSpec {
    /// The number that people see.
    pub number: u32,
    /// Its form.
    pub form: FormSpec,
    /// Dossiers generated at start; their numbers follow each other from [`DemarcheSpec::first_dossier`].
    pub dossiers: u32,
    /// `true` if the démarche is still a draft: its dossiers are tests, and leave no tombstone.
    pub brouillon: bool,
    /// `true` if anyone may read its descriptor.
    pub opendata: bool,
}

impl DemarcheSpec {
    /// A published, open démarche.
    #[must_use]
    pub fn new(number: u32, form: FormSpec, dossiers: u32) -> Self {
        Self { number, form, dossiers, brouillon: false, opendata: true }
    }

    /// The number of its first dossier: each démarche has a million numbers of its own, e.g. 1001000001 and after.
    #[must_use]
    pub fn first_dossier(&self) -> u32 {
        self.number % 2000 * 1_000_000 + 1
    }
}

/// Which form a démarche has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormSpec {
    /// Every kind of champ of the platform, repetitions, conditions, annotations, three revisions.
    Complete,
    /// That many simple champs, one revision.
    Simple {
        /// Number of champs.
        champs: u32,
    },
}

/// A whole world to generate. The same spec gives the same world, byte for byte.
///
/// ```
/// use demarche_sandbox::{Platform, WorldSpec};
///
/// let spec = WorldSpec { platform: Platform::DematSocial, seed: 7, ..WorldSpec::default() };
/// assert_eq!(spec.demarches.len(), 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldSpec {
    /// Which platform to imitate: schema, messages, deletion rules.
    pub platform: Platform,
    /// The seed of this world.
    pub seed: u64,
    /// The démarches to generate; by default the three documented ones.
    pub demarches: Vec<DemarcheSpec>,
    /// The first instant of the virtual clock; dossiers are generated in the 400 days before it.
    pub start: Timestamp,
    /// POST requests allowed per minute and per header value; none by default, 400 on the real Démarche Numérique.
    pub rate_limit: Option<u32>,
    /// `true` if the complete form also asks a question of a kind that no schema knows.
    pub unknown_kinds: bool,
    /// `true` if it is a Démarche Numérique of today, with what is in `graphql/demarche-numerique/newer`: more fields, and more
    /// kinds, which the complete form asks as well.
    pub newer: bool,
}

impl Default for WorldSpec {
    fn default() -> Self {
        Self {
            platform: Platform::DemarcheNumerique,
            seed: 1,
            demarches: vec![
                DemarcheSpec::new(DEMARCHE_COMPLETE, FormSpec::Complete, 60),
                DemarcheSpec::new(DEMARCHE_CLONE, FormSpec::Complete, 20),
                DemarcheSpec::new(DEMARCHE_LARGE, FormSpec::Simple { champs: 30 }, 250),
            ],
            start: "2026-03-02T08:00:00Z".parse().expect("a fixed instant"),
            rate_limit: None,
            unknown_kinds: false,
            newer: false,
        }
    }
}

impl WorldSpec {
    /// The default world of a platform.
    #[must_use]
    pub fn new(platform: impl Into<Platform>) -> Self {
        Self { platform: platform.into(), ..Self::default() }
    }

    /// The default démarches with that many dossiers each.
    #[must_use]
    pub fn dossiers(mut self, count: u32) -> Self {
        for demarche in &mut self.demarches {
            demarche.dossiers = count;
        }
        self
    }

    /// Only the démarches with these numbers.
    #[must_use]
    pub fn only(mut self, numbers: &[u32]) -> Self {
        self.demarches.retain(|demarche| numbers.contains(&demarche.number));
        self
    }
}
