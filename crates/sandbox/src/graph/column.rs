//! Parts of an answer (Démarche Numérique only).

use super::file;
use super::node::{Ctx, Obj, Val, global_id, text};
use super::people;
use crate::kind::Kind;
use crate::time;
use crate::value::Value;
use crate::world::form::Question;

/// The columns of an answer: none for repetitions and identity documents, several for addresses and SIRET numbers.
pub(super) fn columns(ctx: &Ctx<'_>, question: &Question, value: &Value, string_value: Option<String>) -> Val {
    let given = value.text();
    let leaf = |value: Option<&str>| value.map_or(Val::NULL, Val::from);
    let (typename, content) = match question.kind {
        Kind::PieceJustificative if question.nature == "TITRE_IDENTITE" => return Val::List(Vec::new()),
        Kind::Repetition | Kind::TitreIdentite | Kind::Carte => return Val::List(Vec::new()),
        kind if kind.is_decoration() => return Val::List(Vec::new()),
        Kind::IntegerNumber | Kind::Number => ("IntegerColumn", leaf(given)),
        Kind::DecimalNumber => {
            let number = given.and_then(|text| text.parse::<f64>().ok());
            ("DecimalColumn", number.map_or(Val::NULL, Val::from))
        }
        Kind::Checkbox | Kind::YesNo => ("BooleanColumn", given.map_or(Val::NULL, |text| Val::from(text == "true"))),
        Kind::Date => ("DateColumn", leaf(given)),
        Kind::Datetime => ("DateTimeColumn", Val::Leaf(Ctx::iso_opt(given.and_then(time::parse_instant)))),
        Kind::DropDownList | Kind::Civilite | Kind::Departements | Kind::Regions | Kind::Pays => {
            ("EnumColumn", leaf(given))
        }
        Kind::MultipleDropDownList => {
            let items = match value {
                Value::List(items) => items.iter().map(|item| Val::from(item.as_str())).collect(),
                _ => Vec::new(),
            };
            ("EnumsColumn", Val::List(items))
        }
        Kind::PieceJustificative => {
            let files = match value {
                Value::Files(all) => file::files(ctx, all),
                _ => Val::List(Vec::new()),
            };
            ("AttachmentsColumn", files)
        }
        _ => ("TextColumn", leaf(string_value.as_deref().filter(|text| !text.is_empty()))),
    };
    let id = |path: &str| global_id("Column", format!("type_de_champ/{}{path}", question.stable_id));
    let mut all = vec![
        Obj::new(typename)
            .with("id", id(""))
            .with("label", question.label.as_str())
            .with("stringValue", text(string_value.as_deref()))
            .with("value", content),
    ];
    let mut part = |path: &str, label: &str, content: Option<&str>| {
        all.push(
            Obj::new("TextColumn")
                .with("id", id(path))
                .with("label", format!("{} – {label}", question.label))
                .with("stringValue", text(content))
                .with("value", text(content)),
        );
    };
    // The data behind an approval, and behind a bank statement.
    if given == Some("true") {
        match question.kind {
            Kind::QuotientFamilial => {
                part("-quotient_familial", "Valeur du quotient familial", Some("78231.55"));
                part("-allocataires", "Allocataires", Some("FICTIVE Camille"));
            }
            Kind::Aah | Kind::Aeeh | Kind::Ars => part("-beneficiaire", "Bénéficiaire", Some("true")),
            Kind::EtudiantBoursier => part("-echelon", "Échelon", Some("4")),
            _ => {}
        }
    }
    if question.nature == "RIB" && !value.is_empty() {
        part("-titulaire", "Titulaire", Some("FICTIVE Camille"));
        part("-iban", "IBAN", Some("FR14 2004 1010 0505 0001 3M02 606"));
        part("-banque", "Nom de la banque", Some("Banque de l’Exemple"));
    }
    if let Value::Reference { id: typed, known } = value {
        let commune = people::commune_of(typed).filter(|_| *known).map(|found| found.0);
        match question.kind {
            Kind::Address => {
                part("/postal_code", "Code postal", commune.map(|commune| commune.2));
                part("/city_name", "Commune", commune.map(|commune| commune.1));
                part("/departement_code", "Département", commune.map(|commune| commune.3));
            }
            Kind::Siret => part("/entreprise_raison_sociale", "Raison sociale", known.then_some("SOCIÉTÉ FICTIVE")),
            _ => {}
        }
    }
    Val::list(all)
}
