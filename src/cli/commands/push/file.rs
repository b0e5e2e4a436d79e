//! Intents in a file: a CSV with a header, or a JSON list of objects, with the columns of `dn_status_updates`.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use crate::config::keys::nearest;
use crate::dossier::DossierState;
use crate::intent::{Action, Expected, Intent, IntentId, Parts, Words};
use crate::table::Digest;

/// The columns that a file may have.
const COLUMNS: [&str; 18] = [
    "id",
    "dossier",
    "action",
    "author",
    "motivation",
    "message",
    "correction",
    "file",
    "annotations",
    "annotation",
    "groupe",
    "label",
    "message_id",
    "expected_state",
    "expected_fingerprint",
    "requires",
    "silent",
    "overrule",
];

/// Reads intents; every line that cannot be read is told, and none is taken then.
pub fn read(text: &str, json: bool) -> Result<Vec<Intent>, Vec<String>> {
    let rows = if json { objects(text) } else { lines(text) }.map_err(|error| vec![error])?;
    let mut intents = Vec::new();
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for (place, row) in rows {
        match intent(&row) {
            Ok(intent) if names.insert(intent.id.clone()) => intents.push(intent),
            Ok(intent) => wrong.push(format!("{place}: `{}` is there twice", intent.id)),
            Err(error) => wrong.push(format!("{place}: {error}")),
        }
    }
    if wrong.is_empty() { Ok(intents) } else { Err(wrong) }
}

type Rows = Vec<(String, Map<String, Json>)>;

fn objects(text: &str) -> Result<Rows, String> {
    let list: Vec<Map<String, Json>> =
        serde_json::from_str(text).map_err(|error| format!("line {}: a list of objects is expected", error.line()))?;
    Ok((1..).zip(list).map(|(at, row)| (format!("object {at}"), row)).collect())
}

fn lines(text: &str) -> Result<Rows, String> {
    // Spreadsheets of this country separate by semicolons.
    let header = text.lines().next().unwrap_or_default();
    let separator = if header.contains(';') { b';' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let mut rows = Rows::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells = header.iter().zip(&record).filter(|(_, cell)| !cell.trim().is_empty());
        let row = cells.map(|(name, cell)| (name.trim().to_owned(), Json::String(cell.to_owned()))).collect();
        rows.push((format!("line {line}"), row));
    }
    Ok(rows)
}

fn intent(row: &Map<String, Json>) -> Result<Intent, String> {
    if let Some(unknown) = row.keys().find(|name| !COLUMNS.contains(&name.as_str())) {
        let near = nearest(unknown, COLUMNS).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        return Err(format!("nothing is called `{unknown}`{near}"));
    }
    let text = |name: &str| match row.get(name) {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) if text.trim().is_empty() => None,
        Some(Json::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    let yes = |name: &str| match text(name).as_deref().map(str::trim) {
        None | Some("false" | "non" | "0") => Ok(false),
        Some("true" | "oui" | "1") => Ok(true),
        Some(_) => Err(format!("`{name}` is true or false")),
    };
    let dossier =
        text("dossier").ok_or("`dossier` is empty")?.parse().map_err(|error| format!("`dossier`: {error}"))?;
    let parts = Parts {
        action: text("action").ok_or("`action` is empty")?,
        motivation: text("motivation"),
        message: text("message"),
        correction: text("correction"),
        file: text("file"),
        annotations: text("annotations"),
        annotation: text("annotation"),
        groupe: text("groupe"),
        label: text("label"),
        message_id: text("message_id"),
    };
    // A line without a name is named after what it says: the same line in the same words is the same intent.
    let id = text("id").unwrap_or_else(|| {
        let said: Vec<String> = COLUMNS.iter().map(|name| text(name).unwrap_or_default()).collect();
        Digest::of(said.join("\u{1f}").as_bytes()).to_string()
    });
    let fingerprint = text("expected_fingerprint").map(|text| text.trim().parse());
    Ok(Intent {
        id: IntentId::new(id.trim()).map_err(|error| error.to_string())?,
        dossier,
        author: text("author").map(Words::new),
        action: Action::try_from(parts)?,
        expected: Expected {
            state: text("expected_state").map(|state| known_state(state.trim())).transpose()?,
            fingerprint: fingerprint
                .transpose()
                .map_err(|_| "`expected_fingerprint` is not a fingerprint".to_owned())?,
        },
        requires: text("requires").map(|id| IntentId::new(id.trim())).transpose().map_err(|error| error.to_string())?,
        silent: yes("silent")?,
        overrule: yes("overrule")?,
    })
}

fn known_state(word: &str) -> Result<DossierState, String> {
    match DossierState::from(word) {
        DossierState::Inconnu(_) => Err(format!("`{word}` is not a state")),
        state => Ok(state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_and_a_program_say_the_same() {
        let csv = "\u{feff}id;dossier;action;motivation;silent\nd-1;42;refuser;\"Hors délai ; désolé\";oui\n";
        let json = r#"[{"id": "d-1", "dossier": 42, "action": "refuser", "motivation": "Hors délai ; désolé", "silent": true}]"#;
        let intents = read(csv, false).expect("it is right");
        assert_eq!(intents, read(json, true).expect("it is right"));
        assert_eq!(intents.len(), 1);
    }

    #[test]
    fn a_line_without_a_name_is_named_after_what_it_says() {
        let read = |text: &str| read(text, false).expect("it is right")[0].id.clone();
        let header = "dossier,action,motivation\n";
        assert_eq!(read(&format!("{header}42,accepter,oui\n")), read(&format!("{header}42,accepter,oui\n\n")));
        assert_ne!(read(&format!("{header}42,accepter,oui\n")), read(&format!("{header}42,accepter,non\n")));
    }

    #[test]
    fn every_wrong_line_is_told_at_once() {
        let text = "dossier,action,motivatoin\n42,refuser,\n0,accepter,\n7,accepter,bien\n";
        let wrong = read(text, false).expect_err("three lines are wrong");
        assert_eq!(
            wrong,
            [
                "line 2: `motivation` is empty",
                "line 3: `dossier`: `0` is not a dossier number: a whole number greater than 0 is expected",
                "line 4: nothing is called `motivatoin`; did you mean `motivation`?",
            ]
        );
    }
}
