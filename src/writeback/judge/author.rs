//! Finds in whose name something is sent: an instructeur of the groupe that has the dossier. Pure.

use super::verdict::Refusal;
use crate::demarche::{Demarche, Profile};
use crate::dossier::Dossier;

/// Finds the member of the dossier's groupe by e-mail address or id.
///
/// # Errors
/// [`Refusal::NotInGroupe`]: the platform accepts members of the present groupe only (docs/platform.md#mutations).
pub(super) fn instructeur<'d>(demarche: &'d Demarche, dossier: &Dossier, author: &str) -> Result<&'d Profile, Refusal> {
    let groupe = &dossier.groupe_instructeur;
    let members = demarche.groupes_instructeurs.iter().filter(|known| known.id == groupe.id);
    let author = author.trim();
    members
        .flat_map(|groupe| &groupe.instructeurs)
        .find(|profile| profile.id == author || profile.email.eq_ignore_ascii_case(author))
        .ok_or(Refusal::NotInGroupe { groupe: groupe.number.get() })
}
