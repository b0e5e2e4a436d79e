//! Dispatches mutations, and writes the audit.

use apollo_compiler::response::JsonValue;

use super::super::engine::Scope;
use super::super::node::local_id;
use super::call::Call;
use super::context::MutationContext;
use super::payload::Payload;
use super::{annotation, decision, message, sorting, team, upload};
use crate::world::{AuditEntry, Effect, Refused, State, World};

/// The result of a mutation.
pub(in crate::graph) struct Done {
    /// The object in the answer.
    pub payload: Payload,
    /// The dossier that it changed.
    pub dossier: Option<u32>,
    /// In whose name.
    pub instructeur: Option<u32>,
    /// `true` if the usager got an e-mail.
    pub notified: bool,
    /// The effects, in order.
    pub effects: Vec<Effect>,
    /// Partial refusals.
    pub errors: Vec<String>,
    /// Warnings about ignored parts.
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

/// The refusal of a mutation.
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

/// The outcome of a mutation.
pub(in crate::graph) type Outcome = Result<Done, Refusal>;

/// Executes one root field and writes what it did into the audit.
pub(in crate::graph) fn perform(world: &mut World, scope: &Scope, base_url: &str, call: &Call) -> Outcome {
    let number = call.input.get("dossierId").and_then(JsonValue::as_str);
    let number = number.and_then(|id| local_id("Dossier", id)?.parse::<u32>().ok());
    let before =
        number.filter(|_| world.hollow.contains(&call.field)).and_then(|number| world.dossier(number).cloned());
    let mut context = MutationContext { world, scope, base_url, input: &call.input };
    let context = &mut context;
    let done = match call.field.as_str() {
        "dossierPasserEnInstruction" => decision::passer_en_instruction(context),
        "dossierRepasserEnConstruction" => decision::repasser_en_construction(context),
        "dossierRepasserEnInstruction" => decision::repasser_en_instruction(context),
        "dossierAccepter" => decision::decide(context, State::Accepte),
        "dossierRefuser" => decision::decide(context, State::Refuse),
        "dossierClasserSansSuite" => decision::decide(context, State::SansSuite),
        "dossierArchiver" => decision::archiver(context, true),
        "dossierDesarchiver" => decision::archiver(context, false),
        "dossierEnvoyerMessage" => message::envoyer(context),
        "dossierSupprimerMessage" => message::supprimer(context),
        "dossierAnnulerDemandeCorrection" => message::annuler_correction(context),
        "dossierModifierAnnotations" => annotation::batch(context),
        "dossierModifierAnnotationAjouterLigne" => annotation::ajouter_ligne(context),
        "dossierChangerGroupeInstructeur" => sorting::changer_groupe(context),
        "dossierBasculeSuivi" => sorting::bascule_suivi(context),
        "dossierAjouterLabel" => sorting::label(context, true),
        "dossierSupprimerLabel" => sorting::label(context, false),
        "groupeInstructeurCreer" => team::creer(context),
        "groupeInstructeurModifier" => team::modifier(context),
        "groupeInstructeurAjouterInstructeurs" => team::ajouter(context),
        "groupeInstructeurSupprimerInstructeurs" => team::supprimer(context),
        "demarcheCloner" => team::cloner(context),
        "createDirectUpload" => upload::create(context),
        // The schema lets nothing else through than the annotation mutations of one type.
        other => annotation::single(context, other.trim_start_matches("dossierModifierAnnotation")),
    }?;
    if let Some(before) = before {
        context.world.put_back(before);
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
