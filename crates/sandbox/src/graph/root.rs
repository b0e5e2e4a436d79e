//! The fields of `Query`.

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::{JsonMap, JsonValue};

use super::demarche::{DemarcheNode, GroupeNode};
use super::descriptor::DemarcheDescriptorNode;
use super::dossier::DossierNode;
use super::node::{Ctx, Resolved, local_id};
use crate::world::{Demarche, Dossier, Poison};

pub(super) struct QueryRoot<'c> {
    pub ctx: &'c Ctx<'c>,
}

/// A whole number given as an argument, if it can be the number of something.
pub(super) fn number(arguments: &JsonMap, name: &str) -> Option<u32> {
    arguments.get(name).and_then(JsonValue::as_i64).and_then(|number| u32::try_from(number).ok())
}

impl<'c> QueryRoot<'c> {
    /// A démarche by number: thrown away is the same as never made.
    fn demarche(&self, number: Option<u32>, typename: &str) -> Result<&'c Demarche, FieldError> {
        let found = number.and_then(|number| self.ctx.world.demarche(number)).filter(|demarche| !demarche.discarded);
        found.ok_or_else(|| Ctx::not_found(typename))
    }

    fn described(&self, info: &ResolveInfo<'_>) -> Result<&'c Demarche, FieldError> {
        let Some(JsonValue::Object(input)) = info.arguments().get("demarche") else {
            return Err(self.ctx.invalid("demarche is required"));
        };
        let given: Vec<_> =
            ["id", "number"].into_iter().filter(|key| input.get(*key).is_some_and(|v| !v.is_null())).collect();
        if given.len() != 1 || input.len() != 1 {
            return Err(self.ctx.invalid("`FindDemarcheInput` takes exactly one argument"));
        }
        let id = || input.get("id").and_then(JsonValue::as_str).and_then(|id| local_id("Procedure", id));
        let number = number(input, "number").or_else(|| id().and_then(|id| id.parse().ok()));
        self.demarche(number, "DemarcheDescriptor")
    }
}

/// A dossier that can be read on its own: hidden, expired and drafted ones cannot.
pub(super) fn readable<'c>(ctx: &'c Ctx<'c>, number: u32) -> Option<(&'c Dossier, &'c Demarche)> {
    let dossier = ctx.world.dossier(number).filter(|dossier| dossier.is_visible())?;
    let demarche = ctx.world.demarche(dossier.demarche).filter(|demarche| !demarche.discarded)?;
    Some((dossier, demarche))
}

impl ObjectValue for QueryRoot<'_> {
    fn type_name(&self) -> &'static str {
        "Query"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let ctx = self.ctx;
        let asked = number(info.arguments(), "number");
        match info.field_name() {
            "demarche" => {
                let demarche = self.demarche(asked, "Demarche")?;
                if !ctx.scope.sees(demarche.number) {
                    return Err(Ctx::hidden("Demarche"));
                }
                Ok(ResolvedValue::object(DemarcheNode { ctx, demarche }))
            }
            "demarcheDescriptor" => {
                let demarche = self.described(info)?;
                if !ctx.scope.sees(demarche.number) && !demarche.opendata {
                    return Err(Ctx::hidden("DemarcheDescriptor"));
                }
                let revision = demarche.active_revision();
                Ok(ResolvedValue::object(DemarcheDescriptorNode { ctx, demarche, revision }))
            }
            "dossier" => {
                let unfindable = |number: &u32| ctx.world.poison.get(number) == Some(&Poison::Unfindable);
                let found = asked.filter(|number| !unfindable(number)).and_then(|number| readable(ctx, number));
                let (dossier, demarche) = found.ok_or_else(|| Ctx::not_found("Dossier"))?;
                if !ctx.scope.sees(demarche.number) {
                    return Err(Ctx::hidden("Dossier"));
                }
                Ok(ResolvedValue::object(DossierNode { ctx, dossier, demarche, late: false }))
            }
            "groupeInstructeur" => {
                let typename = "GroupeInstructeurWithDossiers";
                let mut demarches = ctx.world.demarches.values().filter(|demarche| !demarche.discarded);
                let found = asked.and_then(|n| demarches.find_map(|demarche| Some((demarche, demarche.groupe(n)?))));
                let (demarche, groupe) = found.ok_or_else(|| Ctx::not_found(typename))?;
                if !ctx.scope.sees(demarche.number) {
                    return Err(Ctx::hidden(typename));
                }
                Ok(ResolvedValue::object(GroupeNode { ctx, demarche, groupe }))
            }
            _ => Ok(ResolvedValue::null()),
        }
    }
}
