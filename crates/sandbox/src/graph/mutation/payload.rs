//! The answer to a mutation: the object as it is now, or what was refused.

use apollo_compiler::resolvers::{ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;

use super::super::champ::ChampNode;
use super::super::demarche::{groupe, instructeur, label};
use super::super::descriptor::DemarcheDescriptorNode;
use super::super::dossier::{DossierNode, message};
use super::super::node::{Ctx, Obj, Resolved, Val, invalid_null};
use super::super::root::readable;
use super::call::Call;
use super::perform::{Done, Outcome, Refusal};
use crate::Platform;
use crate::world::Place;

/// The object in an answer.
pub(in crate::graph) enum Payload {
    Dossier(u32),
    Message(u64),
    Annotations { dossier: u32, places: Vec<Place> },
    Follow { dossier: u32, instructeur: u32 },
    Label { dossier: u32, id: u64 },
    Groupe(u32),
    Demarche(u32),
    Upload(DirectUpload),
}

/// Where to send a file, and how to name it afterwards.
pub(in crate::graph) struct DirectUpload {
    pub blob_id: String,
    /// A JSON object, as text.
    pub headers: String,
    pub signed_blob_id: String,
    pub url: String,
}

/// The root of a mutation whose field has just been executed; the other fields wait for their turn.
pub(in crate::graph) struct MutationRoot<'c> {
    pub ctx: &'c Ctx<'c>,
    pub call: &'c Call,
    pub outcome: &'c Outcome,
}

impl ObjectValue for MutationRoot<'_> {
    fn type_name(&self) -> &'static str {
        "Mutation"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        if info.field_selections()[0].response_key().as_str() != self.call.key {
            return Ok(ResolvedValue::SkipForPartialExecution);
        }
        let typename = info.field_definition().ty.inner_named_type().as_str();
        let (done, refused): (Option<&Done>, &[String]) = match self.outcome {
            Ok(done) => (Some(done), &done.errors),
            Err(Refusal::Said(messages)) => (None, messages),
            Err(Refusal::NotFound) => return Err(Ctx::not_found(typename)),
            Err(Refusal::Hidden(typename)) => return Err(Ctx::hidden(typename)),
            Err(Refusal::Crash) => return Err(self.ctx.crash()),
        };
        let echo = self.call.input.get("clientMutationId").cloned().unwrap_or(JsonValue::Null);
        Ok(ResolvedValue::object(PayloadNode { ctx: self.ctx, typename, done, refused, echo }))
    }
}

struct PayloadNode<'c> {
    ctx: &'c Ctx<'c>,
    typename: &'c str,
    done: Option<&'c Done>,
    refused: &'c [String],
    echo: JsonValue,
}

fn texts(typename: &'static str, messages: &[String]) -> Val {
    Val::list(messages.iter().map(|message| Obj::new(typename).with("message", message.as_str())))
}

impl<'c> PayloadNode<'c> {
    fn dossier(&self, number: u32) -> Option<ResolvedValue<'c>> {
        let ctx = self.ctx;
        let (dossier, demarche) = readable(ctx, number)?;
        Some(ResolvedValue::object(DossierNode { ctx, dossier, demarche, late: false }))
    }

    fn annotation(&self, number: u32, place: &Place) -> Option<ResolvedValue<'c>> {
        let dossier = self.ctx.world.dossier(number)?;
        let (question, value, at) = self.ctx.world.annotation(dossier, place)?;
        let node = ChampNode::new(self.ctx, number, question, place.row.clone(), value, at);
        Some(ResolvedValue::object(node))
    }

    fn object(&self, field: &str, payload: &Payload) -> Option<ResolvedValue<'c>> {
        let (ctx, world) = (self.ctx, self.ctx.world);
        match (field, payload) {
            (
                "dossier",
                Payload::Dossier(dossier) | Payload::Follow { dossier, .. } | Payload::Label { dossier, .. },
            ) => self.dossier(*dossier),
            ("message", Payload::Message(id)) => {
                world.message(*id).map(|(_, found)| ResolvedValue::object(message(ctx, found)))
            }
            ("annotation", Payload::Annotations { dossier, places }) => self.annotation(*dossier, places.first()?),
            ("annotations", Payload::Annotations { dossier, places }) => {
                let nodes: Vec<_> = places.iter().filter_map(|place| self.annotation(*dossier, place)).collect();
                Some(ResolvedValue::list(nodes))
            }
            ("instructeur", Payload::Follow { instructeur: number, .. }) => {
                Some(ResolvedValue::object(instructeur(ctx, *number)))
            }
            ("label", Payload::Label { id, .. }) => {
                let mut labels = world.demarches.values().flat_map(|demarche| &demarche.labels);
                labels.find(|one| one.id == *id).map(|one| ResolvedValue::object(label(one)))
            }
            ("groupeInstructeur", Payload::Groupe(number)) => {
                world.groupe(*number).map(|(_, found)| ResolvedValue::object(groupe(ctx, found)))
            }
            ("demarche", Payload::Demarche(number)) => world.demarche(*number).map(|demarche| {
                let revision = demarche.active_revision();
                ResolvedValue::object(DemarcheDescriptorNode { ctx, demarche, revision })
            }),
            ("directUpload", Payload::Upload(upload)) => Some(ResolvedValue::object(
                Obj::new("DirectUpload")
                    .with("blobId", upload.blob_id.as_str())
                    .with("headers", upload.headers.as_str())
                    .with("signedBlobId", upload.signed_blob_id.as_str())
                    .with("url", upload.url.as_str()),
            )),
            _ => None,
        }
    }
}

impl ObjectValue for PayloadNode<'_> {
    fn type_name(&self) -> &str {
        self.typename
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let list = |typename, messages: &[String]| {
            if messages.is_empty() { ResolvedValue::null() } else { texts(typename, messages).into_resolved() }
        };
        Ok(match info.field_name() {
            "clientMutationId" => ResolvedValue::Leaf(self.echo.clone()),
            // Success is an empty list on one platform and null on the other.
            "errors" if self.refused.is_empty() && self.ctx.platform() == Platform::DematSocial => {
                ResolvedValue::list([])
            }
            "errors" => list("ValidationError", self.refused),
            "warnings" => list("WarningMessage", self.done.map_or(&[], |done| &done.warnings)),
            field => match self.done.and_then(|done| self.object(field, &done.payload)) {
                Some(object) => object,
                None if info.field_definition().ty.is_non_null() => return Err(invalid_null(self.typename, field)),
                None => ResolvedValue::null(),
            },
        })
    }
}
