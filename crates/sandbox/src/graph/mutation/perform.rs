//! Which mutation does what, and the audit.

use apollo_compiler::response::JsonValue;

use super::super::engine::Scope;
use super::super::node::local_id;
use super::call::Call;
use super::desk::Desk;
use super::payload::Payload;
use super::{annotation, decision, message, sorting, team, upload};
use crate::world::{AuditEntry, Effect, Refused, State, World};

/// Result of a mutation.
pub(in crate::graph) struct Done {
    /// The objects that the answer shows.
    pub payload: Payload,
    /// The dossier that it changed.
    pub dossier: Option<u32>,
    /// In whose name.
    pub instructeur: Option<u32>,
    /// True if the usager got an e-mail.
    pub notified: bool,
    /// The effects, in order.
    pub effects: Vec<Effect>,
    /// The refusals beside the effects.
    pub errors: Vec<String>,
    /// The warnings: inputs that were ignored.
    pub warnings: Vec<String>,
}

impl Done {
    /// A change of a dossier by an instructeur.
    pub fn on(dossier: u32, instructeur: u32, effect: Effect) -> Self {
        Self {
            dossier: Some(dossier),
            instructeur: Some(instructeur),
            ..Self::plain(Payload::Dossier(dossier), effect)
        }
    }

    /// A change without a dossier or an instructeur.
    pub fn plain(payload: Payload, effect: Effect) -> Self {
        Self {
            payload,
            dossier: None,
            instructeur: None,
            notified: false,
            effects: vec![effect],
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub fn showing(self, payload: Payload) -> Self {
        Self { payload, ..self }
    }

    pub fn notified(self, notified: bool) -> Self {
        Self { notified, ..self }
    }
}

/// Why a mutation did nothing.
#[derive(Debug)]
pub(in crate::graph) enum Refusal {
    /// In words, within the payload.
    Said(Vec<String>),
    /// An id leads nowhere: an error of the field.
    NotFound,
    /// The token does not see an object of that type: an error of the field.
    Hidden(&'static str),
    /// HTTP 500.
    Crash,
}

impl Refusal {
    pub fn said(text: impl Into<String>) -> Self {
        Self::Said(vec![text.into()])
    }
}

impl From<Refused> for Refusal {
    fn from(Refused(text): Refused) -> Self {
        Self::said(text)
    }
}

/// Outcome of a mutation.
pub(in crate::graph) type Outcome = Result<Done, Refusal>;

/// Executes one root field and writes what it did into the audit.
pub(in crate::graph) fn perform(world: &mut World, scope: &Scope, base_url: &str, call: &Call) -> Outcome {
    let number = call.input.get("dossierId").and_then(JsonValue::as_str);
    let number = number.and_then(|id| local_id("Dossier", id)?.parse::<u32>().ok());
    let before =
        number.filter(|_| world.hollow.contains(&call.field)).and_then(|number| world.dossier(number).cloned());
    let mut desk = Desk { world, scope, base_url, input: &call.input };
    let desk = &mut desk;
    let done = match call.field.as_str() {
        "dossierPasserEnInstruction" => decision::passer_en_instruction(desk),
        "dossierRepasserEnConstruction" => decision::repasser_en_construction(desk),
        "dossierRepasserEnInstruction" => decision::repasser_en_instruction(desk),
        "dossierAccepter" => decision::decide(desk, State::Accepte),
        "dossierRefuser" => decision::decide(desk, State::Refuse),
        "dossierClasserSansSuite" => decision::decide(desk, State::SansSuite),
        "dossierArchiver" => decision::archiver(desk, true),
        "dossierDesarchiver" => decision::archiver(desk, false),
        "dossierEnvoyerMessage" => message::envoyer(desk),
        "dossierSupprimerMessage" => message::supprimer(desk),
        "dossierAnnulerDemandeCorrection" => message::annuler_correction(desk),
        "dossierModifierAnnotations" => annotation::batch(desk),
        "dossierModifierAnnotationAjouterLigne" => annotation::ajouter_ligne(desk),
        "dossierChangerGroupeInstructeur" => sorting::changer_groupe(desk),
        "dossierBasculeSuivi" => sorting::bascule_suivi(desk),
        "dossierAjouterLabel" => sorting::label(desk, true),
        "dossierSupprimerLabel" => sorting::label(desk, false),
        "groupeInstructeurCreer" => team::creer(desk),
        "groupeInstructeurModifier" => team::modifier(desk),
        "groupeInstructeurAjouterInstructeurs" => team::ajouter(desk),
        "groupeInstructeurSupprimerInstructeurs" => team::supprimer(desk),
        "demarcheCloner" => team::cloner(desk),
        "createDirectUpload" => upload::create(desk),
        // The schema lets nothing else through than the annotation mutations of one type.
        other => annotation::single(desk, other.trim_start_matches("dossierModifierAnnotation")),
    }?;
    if let Some(before) = before {
        desk.world.put_back(before);
        return Ok(done);
    }
    for effect in &done.effects {
        let entry = AuditEntry {
            at: world.now,
            mutation: call.field.clone(),
            dossier: done.dossier,
            instructeur: done.instructeur,
            notified: done.notified,
            effect: effect.clone(),
        };
        world.audit.push(entry);
    }
    Ok(done)
}
