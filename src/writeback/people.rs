//! In whose name: an instructeur of the groupe that has the dossier (docs/platform.md#mutations).

use super::verdict::Refusal;
use crate::demarche::{Demarche, Profile};
use crate::dossier::Dossier;

/// The member of the dossier's groupe whom an e-mail address or an id names.
///
/// # Errors
/// [`Refusal::NotInGroupe`] when nobody fits: the platform would refuse (and takes no other id).
pub(super) fn instructeur<'d>(demarche: &'d Demarche, dossier: &Dossier, author: &str) -> Result<&'d Profile, Refusal> {
    let groupe = &dossier.groupe_instructeur;
    let members = demarche.groupes_instructeurs.iter().filter(|known| known.id == groupe.id);
    let author = author.trim();
    members
        .flat_map(|groupe| &groupe.instructeurs)
        .find(|profile| profile.id == author || profile.email.eq_ignore_ascii_case(author))
        .ok_or(Refusal::NotInGroupe { groupe: groupe.number.get() })
}
