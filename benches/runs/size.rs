//! Chooses the sizes that are measured.

use demarche_numerique::sandbox::DEMARCHE_LARGE;

use super::run_kind::RunKind;
use super::support::Anyhow;
use super::table::thousands;
use super::target::Target;

/// A démarche, and what is measured with it.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub demarche: u32,
    pub dossiers: u32,
    /// Delay of each answer, in milliseconds.
    pub wait: u64,
    /// The best of so many counts: what else the machine does can only add.
    pub rounds: u32,
    pub targets: &'static [Target],
    pub kinds: &'static [RunKind],
}

/// Sizes that take less than five minutes on two cores.
const SIZES: [Size; 4] = [
    Size { demarche: DEMARCHE_LARGE, dossiers: 1_000, ..EVERYTHING },
    Size { demarche: DEMARCHE_LARGE + 1, dossiers: 10_000, kinds: &FIRST_AND_NEXT, ..EVERYTHING },
    Size {
        demarche: DEMARCHE_LARGE + 2,
        dossiers: 100_000,
        rounds: 1,
        targets: &[Target::Nothing, Target::Sqlite, Target::Postgres],
        kinds: &FIRST_AND_NEXT,
        ..EVERYTHING
    },
    Size {
        demarche: DEMARCHE_LARGE + 3,
        dossiers: 2_000,
        wait: 600,
        rounds: 1,
        kinds: &[RunKind::First],
        ..EVERYTHING
    },
];

/// The cost of one changed dossier is measured with the smallest size only.
const FIRST_AND_NEXT: [RunKind; 2] = [RunKind::First, RunKind::Unchanged];

const EVERYTHING: Size =
    Size { demarche: 0, dossiers: 0, wait: 0, rounds: 3, targets: &Target::ALL, kinds: &RunKind::ALL };

impl Size {
    pub fn title(&self) -> String {
        let dossiers = format!("{} dossiers", thousands(u64::from(self.dossiers)));
        if self.wait == 0 { dossiers } else { format!("{dossiers}, each answer takes {} ms", self.wait) }
    }
}

/// All sizes, or those with so many dossiers.
pub fn chosen(dossiers: &[&str]) -> Anyhow<Vec<Size>> {
    let mut sizes = SIZES.to_vec();
    if !dossiers.is_empty() {
        sizes.retain(|size| dossiers.contains(&size.dossiers.to_string().as_str()));
    }
    match sizes.len() {
        0 => Err("usage: cargo bench --bench runs [-- any of 1000 10000 100000 2000]".into()),
        _ => Ok(sizes),
    }
}
