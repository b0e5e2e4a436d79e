//! Forms as the API describes them.

use apollo_compiler::resolvers::{ObjectValue, ResolveInfo, ResolvedValue};

use super::demarche::{service, state};
use super::engine::Scope;
use super::node::{Ctx, Obj, Resolved, Val, global_id, text};
use crate::kind::Kind;
use crate::places;
use crate::world::Demarche;
use crate::world::form::{Question, Revision};

pub(super) struct RevisionNode<'c> {
    pub ctx: &'c Ctx<'c>,
    pub demarche: &'c Demarche,
    pub revision: &'c Revision,
}

impl RevisionNode<'_> {
    /// Anonymous readers see no annotation, unless the démarche is open to everyone.
    pub fn descriptors<'a>(&self, field: &str) -> ResolvedValue<'a> {
        let questions = match field {
            "champDescriptors" => &self.revision.form.champs[..],
            _ if self.ctx.scope == Scope::Anonymous && !self.demarche.opendata => &[],
            _ => &self.revision.form.annotations[..],
        };
        Val::list(questions.iter().map(|question| descriptor(self.ctx, question))).into_resolved()
    }
}

impl ObjectValue for RevisionNode<'_> {
    fn type_name(&self) -> &'static str {
        "Revision"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(global_id("ProcedureRevision", self.revision.number)),
            "dateCreation" => ResolvedValue::leaf(Ctx::iso(self.revision.created_at)),
            "datePublication" => ResolvedValue::leaf(Ctx::iso_opt(self.revision.published_at)),
            field @ ("champDescriptors" | "annotationDescriptors") => self.descriptors(field),
            _ => ResolvedValue::null(),
        })
    }
}

/// A question; its children only for a repetition.
fn descriptor(ctx: &Ctx<'_>, question: &Question) -> Obj {
    let options = || Val::List(question.options.iter().map(|option| Val::from(option.as_str())).collect());
    let object = Obj::new(question.kind.descriptor_typename(ctx.platform()))
        .with("id", global_id("Champ", question.stable_id))
        .with("type", question.kind.type_champ())
        .with("label", question.label.as_str())
        .with("description", text(question.description.as_deref()))
        .with("required", question.required);
    match question.kind {
        Kind::Repetition => {
            object.with("champDescriptors", Val::list(question.children.iter().map(|child| descriptor(ctx, child))))
        }
        Kind::DropDownList => object.with("options", options()).with("otherOption", false),
        Kind::MultipleDropDownList | Kind::LinkedDropDownList => object.with("options", options()),
        Kind::Departements => {
            object.with("options", places_of("Departement", places::DEPARTEMENTS.map(|d| (d.0, d.1))))
        }
        Kind::Regions => object.with("options", places_of("Region", places::REGIONS)),
        Kind::Pays => object.with("options", places_of("Pays", places::PAYS)),
        Kind::HeaderSection => object.with("level", 1),
        Kind::Explication => object.with("collapsibleExplanationEnabled", false),
        _ => object,
    }
}

fn places_of<const N: usize>(typename: &'static str, places: [(&'static str, &'static str); N]) -> Val {
    Val::list(places.map(|(code, name)| Obj::new(typename).with("code", code).with("name", name)))
}

pub(super) struct DemarcheDescriptorNode<'c> {
    pub ctx: &'c Ctx<'c>,
    pub demarche: &'c Demarche,
    /// Rank of the revision to show: the dossier's own when reached through a dossier.
    pub revision: usize,
}

impl ObjectValue for DemarcheDescriptorNode<'_> {
    fn type_name(&self) -> &'static str {
        "DemarcheDescriptor"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let (ctx, demarche) = (self.ctx, self.demarche);
        let published = demarche.revisions[demarche.active_revision()].published_at;
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(global_id("Procedure", demarche.number)),
            "number" => ResolvedValue::leaf(demarche.number),
            "title" => ResolvedValue::leaf(demarche.title.as_str()),
            "description" => ResolvedValue::leaf("Une démarche inventée."),
            "state" => ResolvedValue::leaf(state(demarche)),
            "dateCreation" => ResolvedValue::leaf(Ctx::iso(demarche.created_at)),
            "datePublication" => ResolvedValue::leaf(Ctx::iso_opt(published)),
            "dateFermeture" => ResolvedValue::leaf(Ctx::iso_opt(demarche.closed_at)),
            "dateDerniereModification" => ResolvedValue::leaf(Ctx::iso(demarche.updated_at)),
            "dureeConservationDossiers" => ResolvedValue::leaf(36),
            "opendata" => ResolvedValue::leaf(demarche.opendata),
            "tags" | "zones" => ResolvedValue::list([]),
            "demarcheUrl" | "demarcheURL" => {
                ResolvedValue::leaf(format!("https://example.org/commencer/demarche-{}", demarche.number))
            }
            "service" => ResolvedValue::object(service(demarche)),
            "revision" => {
                let revision = &demarche.revisions[self.revision.min(demarche.revisions.len() - 1)];
                ResolvedValue::object(RevisionNode { ctx, demarche, revision })
            }
            _ => ResolvedValue::null(),
        })
    }
}
