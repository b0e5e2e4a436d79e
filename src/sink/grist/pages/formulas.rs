//! Formula columns of ours, which pages need: they cost no writing, and are never read. Pure.

use serde_json::{Value, json};

use crate::sink::grist::memory::TableMemory;
use crate::sink::grist::shape::NUMBER;
use crate::table::{ColumnKey, TableKey};

/// Who asks, in one column.
pub(super) const APPLICANT: &str = "demandeur";
/// The address of a dossier on the platform.
pub(super) const LINK: &str = "sur_la_plateforme";
/// The month of deposit.
pub(super) const MONTH: &str = "mois_de_depot";
/// The month of the decision.
pub(super) const DECIDED: &str = "mois_de_decision";
/// The number of days from the deposit to the decision.
pub(super) const DELAY: &str = "delai_de_decision";
/// The size of a file, as people read it.
pub(super) const SIZE: &str = "taille";

/// A formula column that a table gets.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::sink::grist) struct Formula {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    kind: &'static str,
    widget: Value,
    pub text: String,
}

impl Formula {
    /// The properties with which the column is made.
    pub fn info(&self, id: &str) -> Value {
        let (kind, label) = (self.kind, self.title);
        let widget = if self.widget.is_null() { String::new() } else { self.widget.to_string() };
        json!({ "id": id, "type": kind, "label": label, "isFormula": true, "formula": self.text, "widgetOptions": widget })
    }
}

/// The width of a formula column.
pub(super) fn width(name: &str) -> u32 {
    match name {
        APPLICANT => 170,
        SIZE => 80,
        LINK => 130,
        _ => 110,
    }
}

/// Lists the formulas of a table; `platform` is where a browser finds the dossiers of its démarche.
pub(in crate::sink::grist) fn of(table: &TableMemory, platform: Option<&str>) -> Vec<Formula> {
    let id = |name: &str| {
        let key = ColumnKey::Fixed(name.to_owned());
        let column = table.technical.iter().chain(&table.columns).find(|column| column.key == key);
        column.filter(|column| !column.left_out).map(|column| column.id.as_str())
    };
    match &table.key {
        TableKey::Dossiers => {
            let link = platform.zip(id(NUMBER)).map(|(platform, number)| Formula {
                name: LINK,
                title: "Sur la plateforme",
                description: "Ouvre le dossier sur la plateforme.",
                kind: "Text",
                widget: json!({ "widget": "HyperLink" }),
                text: format!("\"Ouvrir {platform}/dossiers/%d\" % ${number} if ${number} else \"\""),
            });
            let month = |name, title, date: &str| {
                let text = |date| format!("${date}.strftime(\"%Y-%m\") if ${date} else \"\"");
                id(date).map(|date| Formula {
                    name,
                    title,
                    description: "Calculé dans le document, pour les graphiques.",
                    kind: "Text",
                    widget: Value::Null,
                    text: text(date),
                })
            };
            let delay = id("date_depot").zip(id("date_traitement")).map(|(deposit, decision)| Formula {
                name: DELAY,
                title: "Délai de décision (jours)",
                description: "Du dépôt à la décision.",
                kind: "Int",
                widget: Value::Null,
                text: format!("(${decision} - ${deposit}).days if ${decision} and ${deposit} else None"),
            });
            let months =
                [month(MONTH, "Mois de dépôt", "date_depot"), month(DECIDED, "Mois de la décision", "date_traitement")];
            [applicant(&id), link].into_iter().chain(months).chain([delay]).flatten().collect()
        }
        TableKey::PiecesJointes => {
            let size = id("byte_size").map(|size| Formula {
                name: SIZE,
                title: "Taille",
                description: "La taille du fichier, avec son unité.",
                kind: "Text",
                widget: json!({ "alignment": "right" }),
                text: readable(size),
            });
            size.into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The name of a company, else that of a person, else an e-mail address.
fn applicant<'a>(id: &impl Fn(&str) -> Option<&'a str>) -> Option<Formula> {
    let company = id("demandeur_raison_sociale").or_else(|| id("demandeur_nom_commercial"));
    let person: Vec<String> =
        ["demandeur_nom", "demandeur_prenom"].iter().filter_map(|name| id(name)).map(|id| format!("${id}")).collect();
    let person =
        (!person.is_empty()).then(|| format!("\" \".join(str(part) for part in [{}] if part)", person.join(", ")));
    let email = id("usager_email").map(|id| format!("${id}"));
    let choices: Vec<String> = [company.map(|id| format!("${id}")), person, email].into_iter().flatten().collect();
    (!choices.is_empty()).then(|| Formula {
        name: APPLICANT,
        title: "Demandeur",
        description: "La raison sociale de l’entreprise, ou le nom de la personne.",
        kind: "Text",
        widget: Value::Null,
        text: format!("{} or \"\"", choices.join(" or ")),
    })
}

/// The size of a file with its unit.
fn readable(size: &str) -> String {
    format!(
        "size = ${size}\n\
         if size is None or size == \"\":\n  return \"\"\n\
         size = float(size)\n\
         if size < 1000:\n  return \"%d o\" % size\n\
         if size < 1000000:\n  return \"%d ko\" % round(size / 1000)\n\
         return (\"%.1f Mo\" % (size / 1000000)).replace(\".\", \",\")"
    )
}
