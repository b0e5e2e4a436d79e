//! Reads what a row asks for, and says in French what makes no sense in it. Pure.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::columns::{Annotation, Columns, DECISIONS};
use crate::fingerprint::Digest;
use crate::ids::DossierNumber;
use crate::intent::{Action, Edit, Expected, Intent, IntentId, Words};
use crate::sink::grist::known::DocRecord;
use crate::table::CellKind;

/// Everything that a row asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    author: Option<Words>,
    edits: Vec<Edit>,
    decision: Option<Action>,
    message: Option<Words>,
}

/// A text of a row; empty where there is none, and for a column that is not there. A cell of another kind, such as the error
/// of a formula, is no empty one: what somebody meant by it is not known.
fn text(row: &DocRecord, column: Option<&String>, title: &str) -> Result<String, String> {
    match column.and_then(|column| row.get(column)) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.trim().to_owned()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err(format!("« {title} » : un texte est attendu")),
    }
}

fn words(row: &DocRecord, column: Option<&String>, title: &str) -> Result<Option<Words>, String> {
    Ok(Some(text(row, column, title)?).filter(|text| !text.is_empty()).map(Words::new))
}

/// The message of a row.
pub(super) fn message(columns: &Columns, row: &DocRecord) -> Result<Option<Words>, String> {
    words(row, columns.message.as_ref(), "Message à l’usager")
}

/// The decision of a row, with its motivation.
pub(super) fn decision(columns: &Columns, row: &DocRecord) -> Result<Option<Action>, String> {
    let word = text(row, columns.decision.as_ref(), "Décision")?;
    let motivation = words(row, columns.motivation.as_ref(), "Motivation à envoyer")?;
    let justificatif = None;
    let missing = || format!("Il manque la motivation, que l’usager lira : « {word} » en demande une");
    Ok(Some(match word.as_str() {
        "" if motivation.is_some() => return Err("Il y a une motivation, et pas de décision".to_owned()),
        "" => return Ok(None),
        "Accepter" => Action::Accepter { motivation, justificatif },
        "Refuser" => Action::Refuser { motivation: motivation.ok_or_else(missing)?, justificatif },
        "Classer sans suite" => Action::ClasserSansSuite { motivation: motivation.ok_or_else(missing)?, justificatif },
        word if DECISIONS.iter().any(|(known, _, _)| *known == word) && motivation.is_some() => {
            return Err(format!("« {word} » ne prend pas de motivation : l’usager ne la lirait pas"));
        }
        "Passer en instruction" => Action::PasserEnInstruction,
        "Repasser en construction" => Action::RepasserEnConstruction,
        "Repasser en instruction" => Action::RepasserEnInstruction,
        "Archiver" => Action::Archiver,
        "Désarchiver" => Action::Desarchiver,
        _ => {
            let known: Vec<&str> = DECISIONS.iter().map(|(word, _, _)| *word).collect();
            return Err(format!("Cette décision n’existe pas ; il y a : {}", known.join(", ")));
        }
    }))
}

/// The value to be written to an annotation; `None` for one that is left as it is.
pub(super) fn edit(annotation: &Annotation, row: &DocRecord) -> Result<Option<Edit>, String> {
    let cell = row.get(&annotation.id).unwrap_or(&Value::Null);
    let empty = match cell {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.len() < 2,
        _ => false,
    };
    if empty {
        return Ok(None);
    }
    let value = value(annotation, cell).map_err(|what| format!("« {} » : {what}", annotation.title))?;
    Ok(Some(Edit { annotation: annotation.descriptor.as_str().to_owned(), row: None, value }))
}

/// A value as the annotation takes it.
fn value(annotation: &Annotation, cell: &Value) -> Result<Value, String> {
    let written = cell.as_str().map(str::trim);
    let choice = |choice: &str| {
        let known = annotation.options.is_empty() || annotation.options.iter().any(|option| option == choice);
        if known { Ok(choice.to_owned()) } else { Err("ce n’est pas un des choix de la liste".to_owned()) }
    };
    match annotation.kind {
        CellKind::Integer => {
            let whole = cell.as_f64().filter(|real| real.fract() == 0.0 && real.abs() < 1e15);
            #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1e15")]
            let whole = whole.map(|real| real as i64).or_else(|| digits(written?).parse().ok());
            whole.map(Value::from).ok_or_else(|| "un nombre entier est attendu".to_owned())
        }
        CellKind::Decimal | CellKind::Real => {
            let number = cell.is_number().then(|| cell.to_string()).or_else(|| Some(digits(written?)));
            let number = number.filter(|number| number.parse::<f64>().is_ok());
            number.map(Value::from).ok_or_else(|| "un nombre est attendu".to_owned())
        }
        CellKind::Date => {
            let day = cell.as_f64().and_then(instant).map(|at| at.to_zoned(TimeZone::UTC).date());
            let day = day.or_else(|| written?.parse::<Date>().ok());
            day.map(|day| day.to_string().into()).ok_or_else(|| "une date est attendue".to_owned())
        }
        CellKind::Datetime => {
            let at = cell.as_f64().and_then(instant).or_else(|| written?.parse::<Timestamp>().ok());
            at.map(|at| at.to_string().into()).ok_or_else(|| "une date et une heure sont attendues".to_owned())
        }
        CellKind::Choices => {
            let items = match cell {
                // The first says that it is a list.
                Value::Array(items) => items.iter().skip(1).filter_map(Value::as_str).map(str::to_owned).collect(),
                _ => vec![written.unwrap_or_default().to_owned()],
            };
            items.iter().map(|item| choice(item)).collect::<Result<Vec<_>, _>>().map(Value::from)
        }
        CellKind::Boolean => match written.map(str::to_lowercase).as_deref() {
            Some("oui") => Ok("oui".into()),
            Some("non") => Ok("non".into()),
            _ => Err("« Oui » ou « Non » est attendu".to_owned()),
        },
        CellKind::Choice => choice(written.unwrap_or_default()).map(Value::from),
        CellKind::Text | CellKind::Json => match cell {
            Value::String(text) => Ok(text.trim().into()),
            Value::Number(number) => Ok(number.to_string().into()),
            _ => Err("un texte est attendu".to_owned()),
        },
    }
}

/// A number as people write it: `1 234,5`.
fn digits(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(|c| if c == ',' { '.' } else { c }).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "dates are far below the limit")]
fn instant(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_second(seconds.floor() as i64).ok()
}

impl Asked {
    /// Reads a row.
    ///
    /// # Errors
    /// What is missing or makes no sense, in French and without what was written.
    pub(super) fn read(columns: &Columns, row: &DocRecord) -> Result<Self, String> {
        let edits = columns.annotations.iter().filter_map(|annotation| edit(annotation, row).transpose());
        let asked = Self {
            author: words(row, columns.agent.as_ref(), "Agent")?,
            edits: edits.collect::<Result<_, _>>()?,
            decision: decision(columns, row)?,
            message: message(columns, row)?,
        };
        if asked.edits.is_empty() && asked.decision.is_none() && asked.message.is_none() {
            return Err("Rien à envoyer : ni décision, ni message, ni annotation".to_owned());
        }
        Ok(asked)
    }

    /// The name that its intents have in common: the table, the dossier, the content, and a number that is given once, so
    /// that the same message may be sent again on purpose.
    pub(super) fn chain(&self, table: &str, number: DossierNumber, turn: i64) -> String {
        let Self { author, edits, decision, message } = self;
        let content = json!([author, edits, decision, message]).to_string();
        let content = Digest::of(content.as_bytes()).to_string();
        format!("{table}/{number}/{turn}/{}", content.get(..8).unwrap_or_default())
    }

    /// Its intents, each requiring the one before: annotations, which a decision may need; the decision; the message, which
    /// may tell of it. What the person saw is checked by the first: the others follow its own doing.
    pub(super) fn intents(self, chain: &str, number: DossierNumber, seen: Expected) -> Vec<Intent> {
        let Self { author, edits, decision, message } = self;
        let annotations = (!edits.is_empty()).then_some(("annotations", Action::Annotations { edits }));
        let decision = decision.map(|decision| ("decision", decision));
        let message = message.map(|body| ("message", Action::Message { body, attachment: None, correction: None }));
        let mut intents: Vec<Intent> = Vec::new();
        for (part, action) in [annotations, decision, message].into_iter().flatten() {
            let former = intents.last().map(|intent| intent.id.clone());
            intents.push(Intent {
                id: IntentId::new(format!("{chain}/{part}")).expect("a short line without control characters"),
                dossier: number,
                author: author.clone(),
                action,
                expected: if former.is_none() { seen.clone() } else { Expected::default() },
                requires: former,
                silent: false,
                overrule: false,
            });
        }
        intents
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DescriptorId;
    use crate::sink::grist::shared;

    fn columns() -> Columns {
        let own = |name: &str| Some(name.to_owned());
        let annotation = |id: &str, kind, options: &[&str]| Annotation {
            descriptor: DescriptorId::new(format!("Q-{id}")),
            title: id.to_owned(),
            kind,
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            id: id.to_owned(),
        };
        Columns {
            table: "Dossiers".to_owned(),
            name: "demarche_12_dossiers".to_owned(),
            number: "number".to_owned(),
            decision: own("decision"),
            motivation: own("motivation"),
            message: own("message"),
            agent: own("agent"),
            fills_agent: false,
            annotations: vec![
                annotation("n", CellKind::Integer, &[]),
                annotation("jour", CellKind::Date, &[]),
                annotation("avis", CellKind::Choices, &["a", "b"]),
                annotation("accord", CellKind::Boolean, &[]),
                annotation("montant", CellKind::Decimal, &[]),
            ],
            send: own("envoyer"),
            outcome: own("suite"),
        }
    }

    fn read(row: Value) -> Result<Asked, String> {
        Asked::read(&columns(), &shared::row(row))
    }

    #[test]
    fn a_row_becomes_annotations_then_a_decision_then_a_message() {
        let row = json!({
            "decision": "Refuser", "motivation": " Hors délai ", "message": "Bonjour", "agent": "agent@example.org",
            "n": 3, "jour": 1_767_225_600, "avis": ["L", "b"], "accord": "Oui", "montant": "1 234,5",
        });
        let asked = read(row).expect("it makes sense");
        let chain = asked.chain("demarche_12_dossiers", DossierNumber::new(7), 4);
        assert!(chain.starts_with("demarche_12_dossiers/7/4/"), "{chain}");
        let seen = Expected { state: Some("en_instruction".into()), fingerprint: Some(Digest::of(b"")) };
        let intents = asked.intents(&chain, DossierNumber::new(7), seen.clone());
        let words: Vec<&str> = intents.iter().map(|intent| intent.action.word()).collect();
        assert_eq!(words, ["annotations", "refuser", "message"]);
        assert_eq!(intents[0].expected, seen);
        for pair in intents.windows(2) {
            assert_eq!(pair[1].requires.as_ref(), Some(&pair[0].id));
            assert_eq!(pair[1].expected, Expected::default());
        }
        let Action::Annotations { edits } = &intents[0].action else { panic!("annotations first") };
        let values: Vec<&Value> = edits.iter().map(|edit| &edit.value).collect();
        assert_eq!(values, [&json!(3), &json!("2026-01-01"), &json!(["b"]), &json!("oui"), &json!("1234.5")]);
        assert_eq!(intents[1].author.as_ref().map(Words::as_str), Some("agent@example.org"));
    }

    #[test]
    fn what_makes_no_sense_is_told_in_french_and_quotes_nothing() {
        for (row, told) in [
            (json!({}), "Rien à envoyer"),
            (json!({ "decision": "Refuser" }), "Il manque la motivation"),
            (json!({ "decision": "Classer sans suite", "motivation": "  " }), "Il manque la motivation"),
            (json!({ "motivation": "secret" }), "pas de décision"),
            (json!({ "decision": "Passer en instruction", "motivation": "secret" }), "ne prend pas de motivation"),
            (json!({ "decision": "secret" }), "n’existe pas"),
            (json!({ "n": 1.5 }), "« n » : un nombre entier est attendu"),
            (json!({ "n": "secret" }), "un nombre entier est attendu"),
            (json!({ "jour": "secret" }), "une date est attendue"),
            (json!({ "avis": ["L", "secret"] }), "pas un des choix"),
            (json!({ "accord": "secret" }), "« Oui » ou « Non »"),
            (json!({ "montant": "secret" }), "un nombre est attendu"),
            (json!({ "decision": "Accepter", "message": ["E", "TypeError"] }), "« Message à l’usager » : un texte"),
            (json!({ "decision": "Accepter", "motivation": true }), "« Motivation à envoyer » : un texte"),
            (json!({ "message": "Bonjour", "agent": ["L", "secret"] }), "« Agent » : un texte"),
        ] {
            let error = read(row.clone()).expect_err("nonsense");
            assert!(error.contains(told) && !error.contains("secret"), "{row}: {error}");
        }
    }

    #[test]
    fn empty_cells_are_left_alone_and_a_zero_is_a_value() {
        let row = json!({ "decision": "Accepter", "n": 0, "jour": null, "avis": ["L"], "accord": "", "montant": null });
        let asked = read(row).expect("it makes sense");
        assert_eq!(asked.edits.len(), 1);
        assert_eq!(asked.edits[0].value, json!(0));
    }

    #[test]
    fn the_same_content_asked_twice_has_two_names_and_other_content_too() {
        let asked = |message: &str| read(json!({ "message": message })).expect("a message");
        let name = |message: &str, turn| asked(message).chain("t", DossierNumber::new(1), turn);
        assert_eq!(name("a", 1), name("a", 1));
        assert_ne!(name("a", 1), name("a", 2));
        assert_ne!(name("a", 1), name("b", 1));
    }
}
