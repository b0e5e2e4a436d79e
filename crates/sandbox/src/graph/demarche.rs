//! Démarches and teams, as their administrateurs see them.

use apollo_compiler::resolvers::{ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;

use super::connection::{Connection, Listing};
use super::descriptor::RevisionNode;
use super::node::{Ctx, Obj, Resolved, Val, global_id};
use crate::world::{Demarche, Groupe, Label};

pub(super) struct DemarcheNode<'c> {
    pub ctx: &'c Ctx<'c>,
    pub demarche: &'c Demarche,
}

pub(super) struct GroupeNode<'c> {
    pub ctx: &'c Ctx<'c>,
    pub demarche: &'c Demarche,
    pub groupe: &'c Groupe,
}

pub(super) fn profile(typename: &str, id: impl std::fmt::Display, email: &str) -> Obj {
    Obj::new("Profile").with("id", global_id(typename, id)).with("email", email)
}

pub(super) fn instructeur(ctx: &Ctx<'_>, number: u32) -> Obj {
    profile("Instructeur", number, ctx.world.instructeur(number).unwrap_or_default())
}

pub(super) fn groupe(ctx: &Ctx<'_>, groupe: &Groupe) -> Obj {
    Obj::new("GroupeInstructeur")
        .with("id", global_id("GroupeInstructeur", groupe.number))
        .with("number", groupe.number)
        .with("label", groupe.label.as_str())
        .with("closed", groupe.closed)
        .with("instructeurs", Val::list(groupe.instructeurs.iter().map(|number| instructeur(ctx, *number))))
}

pub(super) fn label(label: &Label) -> Obj {
    Obj::new("Label")
        .with("id", global_id("Label", label.id))
        .with("name", label.name.as_str())
        .with("color", label.color)
}

pub(super) fn service(demarche: &Demarche) -> Obj {
    Obj::new("Service")
        .with("id", global_id("Service", demarche.number))
        .with("nom", "Service de démonstration")
        .with("organisme", "Organisme fictif")
        .with("typeOrganisme", "administration_centrale")
}

pub(super) fn state(demarche: &Demarche) -> &'static str {
    if demarche.brouillon {
        "brouillon"
    } else if demarche.closed_at.is_some() {
        "close"
    } else {
        "publiee"
    }
}

impl ObjectValue for DemarcheNode<'_> {
    fn type_name(&self) -> &'static str {
        "Demarche"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let (ctx, demarche) = (self.ctx, self.demarche);
        let (revisions, active, updated_at) = demarche.visible_form();
        let revision = |rank: usize| ResolvedValue::object(RevisionNode { ctx, demarche, revision: &revisions[rank] });
        let draft = revisions.len() - 1;
        let published = revisions[active].published_at;
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(global_id("Procedure", demarche.number)),
            "number" => ResolvedValue::leaf(demarche.number),
            "title" => ResolvedValue::leaf(demarche.title.as_str()),
            "description" => ResolvedValue::leaf("Une démarche inventée."),
            "state" => ResolvedValue::leaf(state(demarche)),
            "dateCreation" => ResolvedValue::leaf(Ctx::iso(demarche.created_at)),
            "datePublication" => ResolvedValue::leaf(Ctx::iso_opt(published)),
            "dateFermeture" => ResolvedValue::leaf(Ctx::iso_opt(demarche.closed_at)),
            "dateDerniereModification" => ResolvedValue::leaf(Ctx::iso(updated_at)),
            "activeRevision" => revision(active),
            "draftRevision" => revision(draft),
            "publishedRevision" if published.is_none() => ResolvedValue::null(),
            "publishedRevision" => revision(active),
            "revisions" => ResolvedValue::list((0..=draft).map(revision)),
            "champDescriptors" | "annotationDescriptors" => {
                let revision = RevisionNode { ctx, demarche, revision: &revisions[active] };
                return Ok(revision.descriptors(info.field_name()));
            }
            "groupeInstructeurs" => {
                if info.arguments().get("closed").is_some_and(|closed| !closed.is_null()) {
                    ctx.violation("`closed` given to groupeInstructeurs");
                    return Err(ctx.crash());
                }
                Val::list(demarche.groupes.iter().map(|one| groupe(ctx, one))).into_resolved()
            }
            "labels" => Val::list(demarche.labels.iter().map(label)).into_resolved(),
            "administrateurs" => {
                Val::list([profile("Administrateur", 1, "administrateur-1@example.org")]).into_resolved()
            }
            "service" => ResolvedValue::object(service(demarche)),
            "dossiers" => return Connection::resolve(ctx, demarche, None, Listing::Dossiers, info),
            "deletedDossiers" => return Connection::resolve(ctx, demarche, None, Listing::Deleted, info),
            "pendingDeletedDossiers" => return Connection::resolve(ctx, demarche, None, Listing::Pending, info),
            _ => ResolvedValue::Leaf(JsonValue::Null),
        })
    }
}

impl ObjectValue for GroupeNode<'_> {
    fn type_name(&self) -> &'static str {
        "GroupeInstructeurWithDossiers"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let (ctx, demarche, number) = (self.ctx, self.demarche, Some(self.groupe.number));
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(global_id("GroupeInstructeur", self.groupe.number)),
            "number" => ResolvedValue::leaf(self.groupe.number),
            "label" => ResolvedValue::leaf(self.groupe.label.as_str()),
            "closed" => ResolvedValue::leaf(self.groupe.closed),
            "instructeurs" => {
                Val::list(self.groupe.instructeurs.iter().map(|one| instructeur(ctx, *one))).into_resolved()
            }
            "dossiers" => return Connection::resolve(ctx, demarche, number, Listing::Dossiers, info),
            "deletedDossiers" => return Connection::resolve(ctx, demarche, number, Listing::Deleted, info),
            "pendingDeletedDossiers" => return Connection::resolve(ctx, demarche, number, Listing::Pending, info),
            _ => ResolvedValue::null(),
        })
    }
}
