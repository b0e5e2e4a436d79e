//! One dossier and what hangs on it.

use apollo_compiler::resolvers::{ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;

use super::champ::ChampNode;
use super::demarche::{groupe, instructeur, label, profile};
use super::descriptor::{DemarcheDescriptorNode, RevisionNode};
use super::file;
use super::node::{Ctx, Obj, Resolved, Val, global_id, invalid_null, local_id, text};
use super::people;
use crate::kind::Kind;
use crate::time;
use crate::world::form::Question;
use crate::world::{Avis, Connection, Demarche, Dossier, Message, Passage, Poison, Traitement, World};

pub(super) struct DossierNode<'c> {
    pub ctx: &'c Ctx<'c>,
    pub dossier: &'c Dossier,
    pub demarche: &'c Demarche,
    /// `true` if the time allowed is over: every field fails.
    pub late: bool,
}

impl<'c> DossierNode<'c> {
    /// Champs or annotations: hidden ones are absent, except annotations on Démat Social.
    fn champs<'a>(&self, info: &ResolveInfo<'_>, private: bool) -> Resolved<'a>
    where
        'c: 'a,
    {
        let (ctx, dossier) = (self.ctx, self.dossier);
        match ctx.world.poison.get(&dossier.number) {
            Some(Poison::Crash) => return Err(ctx.crash()),
            Some(Poison::NullNode | Poison::Unfindable) => return Err(invalid_null("Dossier", info.field_name())),
            Some(Poison::Timeout) => return Err(ctx.timeout("Dossier", info.field_name())),
            Some(Poison::NullAnswer) | None => {}
        }
        let Some(form) = ctx.world.form_of(dossier) else { return Ok(ResolvedValue::list([])) };
        let questions: &'c [Question] = if private { &form.annotations } else { &form.champs };
        let wanted = info
            .arguments()
            .get("id")
            .and_then(JsonValue::as_str)
            .map(|id| local_id("Champ", id).and_then(|id| id.parse::<u64>().ok()).unwrap_or(u64::MAX));
        let conditional = !private || ctx.is_demarche_numerique();
        let shown = questions.iter().filter(move |question| {
            wanted.is_none_or(|wanted| wanted == question.stable_id)
                && (!conditional || ctx.world.is_shown(dossier, question))
        });
        Ok(ResolvedValue::list(shown.map(move |question| {
            let (value, updated_at) = ctx.world.answer(dossier, question);
            ResolvedValue::object(ChampNode::new(ctx, dossier.number, question, None, value, updated_at))
        })))
    }

    fn has_map(&self) -> bool {
        let form = self.ctx.world.form_of(self.dossier);
        form.is_some_and(|form| form.champs.iter().any(|question| question.kind == Kind::Carte))
    }
}

impl ObjectValue for DossierNode<'_> {
    fn type_name(&self) -> &'static str {
        "Dossier"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let (ctx, dossier, demarche) = (self.ctx, self.dossier, self.demarche);
        let name = info.field_name();
        if self.late {
            return Err(ctx.timeout("Dossier", name));
        }
        let extra = World::extra(dossier);
        let mandataire = extra.mandataire.as_ref();
        let leaf = |value: JsonValue| Ok(ResolvedValue::Leaf(value));
        leaf(match name {
            "champs" => return self.champs(info, false),
            "annotations" => return self.champs(info, true),
            "id" => global_id("Dossier", dossier.number).into(),
            "number" => dossier.number.into(),
            "state" => dossier.state.as_str().into(),
            "archived" => dossier.archived.into(),
            "prefilled" => false.into(),
            "dateDepot" => Ctx::iso(dossier.depose_at),
            "datePassageEnConstruction" => Ctx::iso(dossier.en_construction_at),
            "datePassageEnInstruction" => Ctx::iso_opt(dossier.en_instruction_at),
            "dateTraitement" => Ctx::iso_opt(dossier.processed_at),
            "dateDerniereModification" => Ctx::iso(dossier.updated_at),
            "dateDerniereModificationChamps" => Ctx::iso(dossier.champs_at.unwrap_or(dossier.depose_at)),
            "dateDerniereModificationAnnotations" => Ctx::iso(dossier.annotations_at.unwrap_or(dossier.depose_at)),
            "dateAccuseLectureAgreement" => Ctx::iso_opt(extra.acknowledged_at),
            "dateDerniereModificationChampsParInstructeur" => Ctx::iso_opt(extra.edited_by_instructeur_at),
            "assignments" => return Ok(Val::list(extra.passages.iter().map(assignment)).into_resolved()),
            "dateSuppressionParUsager" => Ctx::iso_opt(dossier.hidden_by_user_at),
            "dateSuppressionParAdministration" => Ctx::iso_opt(dossier.hidden_by_administration_at),
            "dateDerniereCorrectionEnAttente" => Ctx::iso_opt(dossier.pending_correction()),
            "dateExpiration" => Ctx::iso_opt(ctx.world.expires_at(dossier.number)),
            "datePrevisionnelleDecisionSVASVR" => extra.sva_at.map_or(JsonValue::Null, |date| date.to_string().into()),
            "motivation" => dossier.motivation().map_or(JsonValue::Null, JsonValue::from),
            "deposeParUnTiers" | "forTiers" => mandataire.is_some().into(),
            "nomMandataire" | "mandataireLastName" => mandataire.map_or(JsonValue::Null, |m| m.0.as_str().into()),
            "prenomMandataire" | "mandataireFirstName" => mandataire.map_or(JsonValue::Null, |m| m.1.as_str().into()),
            "connectionUsager" => match ctx.world.usager(dossier).1 {
                Connection::Password => "password".into(),
                Connection::FranceConnect => "france_connect".into(),
                Connection::Deleted => "deleted".into(),
            },
            "usager" => {
                let (email, connection) = ctx.world.usager(dossier);
                let object = if connection == Connection::Deleted {
                    Obj::new("Profile").with("id", "<deleted>").with("email", email)
                } else {
                    let account = extra.usager.as_deref().map_or(dossier.number % 5000, account);
                    profile("User", account, &email)
                };
                return Ok(ResolvedValue::object(object));
            }
            "demandeur" => {
                let demandeur = ctx.world.demandeur(dossier);
                let born = extra.date_de_naissance.as_deref();
                return Ok(ResolvedValue::object(people::demandeur(ctx, dossier.number, &demandeur, born)));
            }
            "groupeInstructeur" => {
                let found = demarche.groupe(dossier.groupe).map(|one| groupe(ctx, one));
                return found.map(ResolvedValue::object).ok_or_else(|| invalid_null("Dossier", name));
            }
            "instructeurs" => {
                return Ok(Val::list(extra.instructeurs.iter().map(|number| instructeur(ctx, *number))).into_resolved());
            }
            "demarche" => {
                let revision = dossier.revision;
                return Ok(ResolvedValue::object(DemarcheDescriptorNode { ctx, demarche, revision }));
            }
            "revision" => {
                let revision = demarche.revisions.get(dossier.revision).ok_or_else(|| invalid_null("Dossier", name))?;
                return Ok(ResolvedValue::object(RevisionNode { ctx, demarche, revision }));
            }
            "labels" => {
                let put = demarche.labels.iter().filter(|one| extra.labels.contains(&one.id));
                return Ok(Val::list(put.map(label)).into_resolved());
            }
            "attestation" => {
                return Ok(Val::from(extra.attestation.as_ref().map(|one| file::file(ctx, one))).into_resolved());
            }
            "motivationAttachment" => {
                return Ok(Val::from(extra.justificatif.as_ref().map(|one| file::file(ctx, one))).into_resolved());
            }
            "pdf" => {
                let filename = format!("dossier-{}.pdf", dossier.number);
                return Ok(ResolvedValue::object(file::synthetic(ctx, &filename, "application/pdf")));
            }
            "geojson" if self.has_map() => {
                let filename = format!("dossier-{}-features.json", dossier.number);
                return Ok(ResolvedValue::object(file::synthetic(ctx, &filename, "application/json")));
            }
            "messages" => {
                let wanted = info.arguments().get("id").and_then(JsonValue::as_str);
                let kept =
                    extra.messages.iter().filter(|one| wanted.is_none_or(|id| id == global_id("Commentaire", one.id)));
                return Ok(Val::list(kept.map(|one| message(ctx, one))).into_resolved());
            }
            "avis" => {
                let wanted = info.arguments().get("id").and_then(JsonValue::as_str);
                let kept = extra.avis.iter().filter(|one| wanted.is_none_or(|id| id == global_id("Avis", one.id)));
                return Ok(Val::list(kept.map(|one| avis(ctx, one))).into_resolved());
            }
            "traitements" => {
                let steps = dossier.history.iter().map(|one| traitement(ctx, demarche, one));
                return Ok(Val::list(steps).into_resolved());
            }
            _ => JsonValue::Null,
        })
    }
}

/// The number of an account that took a dossier over: not that of the one who submitted it.
fn account(email: &str) -> u32 {
    email.bytes().fold(0, |hash: u32, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte))) % 1_000_000 + 5000
}

pub(super) fn message(ctx: &Ctx<'_>, message: &Message) -> Obj {
    let correction = message.correction.as_ref().map(|correction| {
        Obj::new("Correction")
            .with("reason", correction.reason.as_str())
            .with("dateResolution", Ctx::iso_opt(correction.resolved_at))
    });
    Obj::new("Message")
        .with("id", global_id("Commentaire", message.id))
        .with("email", message.email.as_str())
        .with("body", message.body.as_str())
        .with("createdAt", Ctx::iso(message.created_at))
        .with("discardedAt", Ctx::iso_opt(message.discarded_at))
        .with("attachment", message.attachments.first().map(|one| file::file(ctx, one)))
        .with("attachments", file::files(ctx, &message.attachments))
        .with("correction", correction)
}

fn avis(ctx: &Ctx<'_>, avis: &Avis) -> Obj {
    let claimant = || avis.claimant.map(|number| instructeur(ctx, number));
    Obj::new("Avis")
        .with("id", global_id("Avis", avis.id))
        .with("question", avis.question.as_str())
        .with("reponse", text(avis.reponse.as_deref()))
        .with("questionLabel", text(avis.question_label.as_deref()))
        .with("questionAnswer", avis.question_answer.map_or(Val::NULL, Val::from))
        .with("dateQuestion", Ctx::iso(avis.asked_at))
        .with("dateReponse", Ctx::iso(avis.updated_at))
        .with("instructeur", claimant())
        .with("claimant", claimant())
        .with("expert", profile("Expert", 1, &avis.expert))
        .with("attachment", avis.attachments.first().map(|one| file::file(ctx, one)))
        .with("attachments", file::files(ctx, &avis.attachments))
}

fn assignment(passage: &Passage) -> Obj {
    Obj::new("DossierAssignment")
        .with("assignedAt", Ctx::iso(passage.at))
        .with("assignedBy", "instructeur-1@example.org")
        .with("groupeInstructeurLabel", passage.to.1.as_str())
        .with("groupeInstructeurNumber", passage.to.0)
        .with("mode", "manual")
        .with("previousGroupeInstructeurLabel", passage.from.1.as_str())
        .with("previousGroupeInstructeurNumber", passage.from.0)
}

fn traitement(ctx: &Ctx<'_>, demarche: &Demarche, traitement: &Traitement) -> Obj {
    let then =
        demarche.revisions.iter().rev().find(|revision| revision.published_at.is_some_and(|at| at <= traitement.at));
    let revision = then.map(|revision| {
        Obj::new("Revision")
            .with("id", global_id("ProcedureRevision", revision.number))
            .with("dateCreation", Ctx::iso(revision.created_at))
            .with("datePublication", Ctx::iso_opt(revision.published_at))
            .with("champDescriptors", Val::List(Vec::new()))
            .with("annotationDescriptors", Val::List(Vec::new()))
    });
    let agent = traitement.agent.and_then(|number| ctx.world.instructeur(number));
    Obj::new("Traitement")
        .with("id", global_id("Traitement", traitement.id))
        .with("event", traitement.event)
        .with("state", traitement.state.as_str())
        .with("emailAgentTraitant", text(agent))
        .with("dateTraitement", time::iso(traitement.at))
        .with("motivation", text(traitement.motivation.as_deref()))
        .with("revision", revision)
        .with("changedColumns", Val::List(Vec::new()))
}
