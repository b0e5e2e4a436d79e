//! Resolves an answer under the type that the document asks for.

use apollo_compiler::resolvers::{ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::column::columns;
use super::dossier::DossierNode;
use super::file;
use super::node::{Ctx, Obj, Resolved, Val, global_id, invalid_null, text};
use super::people;
use super::root::readable;
use super::text::{fits, string_value};
use crate::kind::Kind;
use crate::places;
use crate::time;
use crate::value::{Area, AreaSource, RowRecord, Value};
use crate::world::Poison;
use crate::world::form::Question;

pub(super) struct ChampNode<'c> {
    ctx: &'c Ctx<'c>,
    dossier: u32,
    question: &'c Question,
    row: Option<String>,
    value: Value,
    updated_at: Timestamp,
    typename: &'static str,
}

impl<'c> ChampNode<'c> {
    pub fn new(
        ctx: &'c Ctx<'c>,
        dossier: u32,
        question: &'c Question,
        row: Option<String>,
        value: Value,
        updated_at: Timestamp,
    ) -> Self {
        let typename = match question.nature {
            // Served under the type that it had before, to documents that know it.
            "TITRE_IDENTITE" if ctx.has_fragment("TitreIdentiteChamp") => "TitreIdentiteChamp",
            _ => question.kind.champ_typename(ctx.platform(), |name| ctx.has_fragment(name)),
        };
        let value = if fits(question.kind, &value) { value } else { Value::Empty };
        Self { ctx, dossier, question, row, value, updated_at, typename }
    }

    fn id(&self) -> String {
        match &self.row {
            Some(row) => STANDARD.encode(format!("Champ-{}|{row}", self.question.stable_id)),
            None => global_id("Champ", self.question.stable_id),
        }
    }

    fn string_value(&self) -> Option<String> {
        string_value(self.question.kind, &self.value, self.ctx.language)
    }

    fn leaf_text(&self) -> JsonValue {
        self.value.text().map_or(JsonValue::Null, JsonValue::from)
    }

    /// The `value` of the types that have one.
    fn simple_value(&self) -> JsonValue {
        let given = self.value.text();
        match self.typename {
            "IntegerNumberChamp" => self.leaf_text(),
            "DecimalNumberChamp" => given.and_then(|text| text.parse::<f64>().ok()).map_or(JsonValue::Null, Into::into),
            "CheckboxChamp" => (given == Some("true")).into(),
            "YesNoChamp" => given.map_or(JsonValue::Null, |text| (text == "true").into()),
            "DateChamp" => {
                let midnight = given.and_then(|text| text.get(..10)?.parse().ok()).and_then(time::midnight);
                Ctx::iso_opt(midnight)
            }
            "CiviliteChamp" | "DropDownListChamp" => self.leaf_text(),
            _ if self.value.is_empty() => JsonValue::Null,
            _ => self.string_value().map_or(JsonValue::Null, JsonValue::from),
        }
    }

    fn list_item(&self, rank: usize) -> Option<&str> {
        match &self.value {
            Value::List(items) => items.get(rank).map(String::as_str),
            _ => None,
        }
    }

    fn commune(&self) -> Option<places::Commune> {
        let given = self.value.text()?;
        match self.question.kind {
            Kind::Communes => places::commune(given),
            Kind::Address if self.is_known() => people::commune_of(given).map(|found| found.0),
            Kind::Rna | Kind::Rnf if self.is_known() => places::commune("35238"),
            _ => None,
        }
    }

    fn departement(&self) -> Option<Obj> {
        let code = match self.question.kind {
            Kind::Departements => self.value.text()?,
            Kind::Epci => self.list_item(0)?,
            _ => self.commune()?.3,
        };
        places::departement(code).map(|found| place("Departement", found.0, found.1))
    }

    fn is_known(&self) -> bool {
        matches!(&self.value, Value::Reference { known: true, .. })
    }

    fn association(&self, typename: &'static str) -> Option<Obj> {
        let id = self.value.text()?;
        let street = self.is_known().then(|| people::address("3 rue des Associations", places::COMMUNES[2]));
        let title = self.is_known().then_some("LES AMIS DE L’EXEMPLE");
        Some(Obj::new(typename).with("id", id).with("title", text(title)).with("address", street))
    }

    fn rows(&self) -> &[RowRecord] {
        match &self.value {
            Value::Rows(rows) => rows,
            _ => &[],
        }
    }

    fn flat_rows<'a>(&'a self) -> ResolvedValue<'a> {
        ResolvedValue::list(self.rows().iter().flat_map(move |row| row_champs(self, row)))
    }

    fn files(&self) -> Val {
        match &self.value {
            Value::Files(all) => file::files(self.ctx, all),
            _ => Val::List(Vec::new()),
        }
    }
}

fn row_champs<'a>(champ: &'a ChampNode<'_>, row: &'a RowRecord) -> impl Iterator<Item = ResolvedValue<'a>> + 'a {
    champ.question.children.iter().map(move |child| {
        let value = row.champs.iter().find(|(stable_id, _)| *stable_id == child.stable_id);
        let value = value.map_or(Value::Empty, |(_, value)| value.clone());
        let id = Some(row.id.clone());
        ResolvedValue::object(ChampNode::new(champ.ctx, champ.dossier, child, id, value, champ.updated_at))
    })
}

fn place(typename: &'static str, code: &str, name: &str) -> Obj {
    Obj::new(typename).with("code", code).with("name", name)
}

impl ObjectValue for ChampNode<'_> {
    fn type_name(&self) -> &str {
        self.typename
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let ctx = self.ctx;
        let object = |object: Option<Obj>| Ok(Val::from(object).into_resolved());
        let given = self.value.text();
        Ok(ResolvedValue::Leaf(match info.field_name() {
            "id" => self.id().into(),
            "champDescriptorId" => global_id("Champ", self.question.stable_id).into(),
            "label" => self.question.label.as_str().into(),
            "stringValue" => self.string_value().map_or(JsonValue::Null, JsonValue::from),
            "updatedAt" => Ctx::iso(self.updated_at),
            "prefilled" => false.into(),
            "value" => self.simple_value(),
            "date" => given.and_then(|text| text.get(..10)).map_or(JsonValue::Null, JsonValue::from),
            "datetime" => Ctx::iso_opt(given.and_then(time::parse_instant)),
            "nature" => self.question.nature.into(),
            "level" => 1.into(),
            "filled" => (!self.value.is_empty()).into(),
            "grantType" => "piece_justificative".into(),
            "primaryValue" => self.list_item(0).map_or(JsonValue::Null, JsonValue::from),
            "secondaryValue" => self.list_item(1).map_or(JsonValue::Null, JsonValue::from),
            "values" => {
                let Value::List(items) = &self.value else { return Ok(ResolvedValue::list([])) };
                return Ok(ResolvedValue::list(items.iter().map(|item| ResolvedValue::leaf(item.as_str()))));
            }
            "data" => match &self.value {
                Value::Data { data, .. } => JsonValue::from(data.clone()),
                _ => JsonValue::Null,
            },
            "columns" => return Ok(columns(ctx, self.question, &self.value, self.string_value()).into_resolved()),
            "commune" => {
                let commune = self.commune();
                return object(commune.map(|found| place("Commune", found.0, found.1).with("postalCode", found.2)));
            }
            "departement" => return object(self.departement()),
            "region" => {
                let found = given.and_then(places::region);
                return object(found.map(|found| place("Region", found.0, found.1)));
            }
            "pays" => return object(given.and_then(places::pays).map(|found| place("Pays", found.0, found.1))),
            "epci" => {
                let found = self.list_item(1).and_then(places::epci);
                return object(found.map(|found| place("Epci", found.1, found.2)));
            }
            "address" => {
                let found = given.filter(|_| self.is_known()).and_then(people::commune_of);
                return object(found.map(|(commune, street)| people::address(street, commune)));
            }
            "etablissement" if ctx.world.poison.get(&self.dossier) == Some(&Poison::NullAnswer) => {
                return Err(invalid_null("PersonneMorale", "libelleNaf"));
            }
            "etablissement" => return object(given.filter(|_| self.is_known()).map(people::personne_morale)),
            "rna" => return object(self.association("RNA")),
            "rnf" => return object(self.association("RNF")),
            "engagementJuridique" => {
                let text = "NotYetImplemented";
                let amounts = Obj::new("EngagementJuridique").with("montantEngage", text).with("montantPaye", text);
                return object(given.map(|_| amounts));
            }
            "dossier" => {
                let found = given.and_then(|text| text.parse().ok()).and_then(|number| readable(ctx, number));
                let Some((dossier, demarche)) = found else { return Ok(ResolvedValue::null()) };
                if !ctx.scope.sees(demarche.number) {
                    return Err(Ctx::hidden("Dossier"));
                }
                return Ok(ResolvedValue::object(DossierNode { ctx, dossier, demarche, late: false }));
            }
            "files" => return Ok(self.files().into_resolved()),
            "file" => {
                let Val::List(files) = self.files() else { return Ok(ResolvedValue::null()) };
                return Ok(files.into_iter().next().unwrap_or(Val::NULL).into_resolved());
            }
            "geoAreas" => {
                let Value::Areas(areas) = &self.value else { return Ok(ResolvedValue::list([])) };
                if !ctx.world.newer && areas.iter().any(|area| area.source == AreaSource::Rpg) {
                    return Err(ctx.crash());
                }
                return Ok(Val::list(areas.iter().map(geo_area)).into_resolved());
            }
            "champs" => return Ok(self.flat_rows()),
            "rows" => {
                let rows = self.rows().iter();
                return Ok(ResolvedValue::list(rows.map(|row| ResolvedValue::object(RowNode { champ: self, row }))));
            }
            _ => JsonValue::Null,
        }))
    }
}

struct RowNode<'a, 'c> {
    champ: &'a ChampNode<'c>,
    row: &'a RowRecord,
}

impl ObjectValue for RowNode<'_, '_> {
    fn type_name(&self) -> &'static str {
        "Row"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        Ok(match info.field_name() {
            "id" => ResolvedValue::leaf(global_id("Row", &self.row.id)),
            _ => ResolvedValue::list(row_champs(self.champ, self.row)),
        })
    }
}

fn geo_area(area: &Area) -> Obj {
    let geometry = Obj::new("GeoJSON")
        .with("type", text(area.geometry["type"].as_str()))
        .with("coordinates", JsonValue::from(area.geometry["coordinates"].clone()));
    let common = |typename: &'static str, source: &'static str| {
        Obj::new(typename)
            .with("id", global_id("GeoArea", area.id))
            .with("source", source)
            .with("description", text(area.description.as_deref()))
            .with("geometry", geometry)
    };
    match &area.source {
        AreaSource::SelectionUtilisateur => common("SelectionUtilisateur", "selection_utilisateur"),
        AreaSource::Rpg => {
            common("Rpg", "rpg").with("commune", "35238").with("numero", area.id.to_string()).with("surface", 2.5)
        }
        AreaSource::Cadastre { commune, section, numero } => common("ParcelleCadastrale", "cadastre")
            .with("commune", commune.as_str())
            .with("section", section.as_str())
            .with("numero", numero.as_str())
            .with("prefixe", "000")
            .with("surface", "1234.5")
            .with("surfaceParcelle", 1234.5)
            .with("surfaceIntersection", 0.0)
            .with("feuille", 1)
            .with("nomCom", "Rennes")
            .with("codeCom", commune.get(2..).unwrap_or_default())
            .with("codeDep", commune.get(..2).unwrap_or_default())
            .with("codeArr", "000"),
    }
}
