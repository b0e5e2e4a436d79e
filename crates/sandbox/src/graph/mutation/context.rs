//! Checks that all mutations share, in the platform's order.

use apollo_compiler::response::{JsonMap, JsonValue};

use super::super::engine::Scope;
use super::super::file::check_blob;
use super::super::node::local_id;
use super::perform::Refusal;
use crate::value::FileRecord;
use crate::world::{BadBlob, World};

/// The context of a mutation: caller, input, world.
pub(super) struct MutationContext<'w> {
    pub world: &'w mut World,
    pub scope: &'w Scope,
    /// Where files are sent to.
    pub base_url: &'w str,
    pub input: &'w JsonMap,
}

impl MutationContext<'_> {
    pub fn text(&self, key: &str) -> Option<&str> {
        self.input.get(key).and_then(JsonValue::as_str)
    }

    /// A flag, false when absent: the schemas say so wherever they give a default, save for `follow`.
    pub fn flag(&self, key: &str) -> bool {
        self.input.get(key).and_then(JsonValue::as_bool).unwrap_or(false)
    }

    /// Returns `true` if the usager gets an e-mail.
    pub fn notifies(&self) -> bool {
        !self.flag("disableNotification")
    }

    /// First of all: may this token write?
    pub fn writable(&self) -> Result<(), Refusal> {
        match self.scope {
            Scope::Token { write_access: true, .. } => Ok(()),
            _ => Err(Refusal::said("Le jeton utilisé est configuré seulement en lecture")),
        }
    }

    /// Second: is the file that goes with it there, whole and as announced?
    pub fn blob(&self, key: &str) -> Result<Option<FileRecord>, Refusal> {
        self.text(key).map(|signed| self.file(signed)).transpose()
    }

    /// The file that was sent under a signed id.
    pub fn file(&self, signed: &str) -> Result<FileRecord, Refusal> {
        let known = check_blob("attach", signed, self.world.now()).ok_or(BadBlob::BadId);
        known.and_then(|blob| self.world.sent_file(blob)).map_err(|bad| Refusal::said(bad.message()))
    }

    /// Third: the dossier, if it can be loaded and the token sees its démarche.
    pub fn dossier(&self) -> Result<u32, Refusal> {
        self.loaded(self.text("dossierId").and_then(|id| local_id("Dossier", id)?.parse().ok()))
    }

    /// Hidden, expired and drafted dossiers cannot be loaded.
    pub fn loaded(&self, number: Option<u32>) -> Result<u32, Refusal> {
        let dossier = number.and_then(|number| self.world.dossier(number)).filter(|dossier| dossier.is_visible());
        let dossier = dossier.ok_or(Refusal::NotFound)?;
        let demarche = self.world.demarche(dossier.demarche).filter(|demarche| !demarche.discarded);
        let demarche = demarche.ok_or(Refusal::NotFound)?;
        if self.scope.sees(demarche.number) { Ok(dossier.number) } else { Err(Refusal::Hidden("Dossier")) }
    }

    /// Then the instructeur, who must be in the team that has the dossier now.
    pub fn instructeur(&self, dossier: u32) -> Result<u32, Refusal> {
        let refused = || Refusal::said("L’instructeur n’a pas les droits d’accès à ce dossier");
        let id = self.text("instructeurId").unwrap_or_default();
        let Some(number) = local_id("Instructeur", id).and_then(|number| number.parse().ok()) else {
            // The ids of other people can be loaded; they are just not those of an instructeur.
            let somebody = ["User", "Expert"].into_iter().any(|profile| local_id(profile, id).is_some());
            return Err(if somebody { refused() } else { Refusal::NotFound });
        };
        self.world.instructeur(number).ok_or(Refusal::NotFound)?;
        let groupe = self.world.dossier(dossier).and_then(|dossier| self.world.groupe(dossier.groupe));
        let belongs = groupe.is_some_and(|(_, groupe)| groupe.instructeurs.contains(&number));
        if belongs { Ok(number) } else { Err(refused()) }
    }

    /// A team, of a démarche that the token sees.
    pub fn groupe(&self) -> Result<u32, Refusal> {
        let id = self.text("groupeInstructeurId").and_then(|id| local_id("GroupeInstructeur", id));
        let number = id.and_then(|id| id.parse().ok()).ok_or(Refusal::NotFound)?;
        let (demarche, _) = self.world.groupe(number).ok_or(Refusal::NotFound)?;
        if demarche.discarded {
            return Err(Refusal::NotFound);
        }
        if self.scope.sees(demarche.number) { Ok(number) } else { Err(Refusal::Hidden("GroupeInstructeur")) }
    }
}
