//! Intents in a file: a CSV with a header, or a JSON list of objects, with the columns of `dn_status_updates`.
//!
//! What is written here goes to usagers, so a file is read strictly: what is not well-formed, or may be meant in two ways,
//! refuses the whole file and is told with its line.
//!
//! - `text`: bytes to text; `csv`: text to records; [`strict`](crate::intent::strict): JSON;
//! - here: the header, then one intent a row.

mod csv;
mod text;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::config::nearest;
use crate::dossier::DossierState;
use crate::fingerprint::Digest;
use crate::ids::DossierNumber;
use crate::intent::strict::{self, NotStrict};
use crate::intent::{Action, Expected, Intent, IntentId, Parts, Words};

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

/// Those without which no row asks for anything.
const NEEDED: [&str; 2] = ["dossier", "action"];

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Separated by commas or semicolons.
    Csv,
    /// A list of objects.
    Json,
}

/// Why a file is refused. It repeats nothing that somebody wrote to a usager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    line: usize,
    reason: String,
}

impl Wrong {
    fn at(line: usize, reason: impl Into<String>) -> Self {
        Self { line, reason: reason.into() }
    }
}

impl From<NotStrict> for Wrong {
    fn from(NotStrict { line, reason }: NotStrict) -> Self {
        Self { line, reason }
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// A row, with the line on which it begins.
type Row = (usize, Map<String, Json>);

/// Reads intents.
///
/// # Errors
/// Everything that is wrong with the rows; what is wrong with the file as a whole comes alone. Nothing is taken then.
pub fn read(bytes: &[u8], format: Format) -> Result<Vec<Intent>, Vec<Wrong>> {
    let rows = match format {
        Format::Csv => rows_of_csv(&text::of_csv(bytes).map_err(|wrong| vec![wrong])?)?,
        Format::Json => {
            text::of_json(bytes).and_then(|text| Ok(strict::objects(text)?)).map_err(|wrong| vec![wrong])?
        }
    };
    let mut intents = Vec::new();
    let mut wrong = Vec::new();
    let mut lines = BTreeMap::new();
    for (line, row) in rows {
        match intent(&row) {
            Ok(intent) => match lines.insert(intent.id.clone(), line) {
                None => intents.push(intent),
                Some(former) if row.contains_key("id") => {
                    wrong.push(Wrong::at(line, format!("the id `{}` is on line {former} already", intent.id)));
                }
                Some(former) => wrong.push(Wrong::at(
                    line,
                    format!("this asks for the same as line {former}: give each an id if both are meant"),
                )),
            },
            Err(reason) => wrong.push(Wrong::at(line, reason)),
        }
    }
    if wrong.is_empty() { Ok(intents) } else { Err(wrong) }
}

fn rows_of_csv(text: &str) -> Result<Vec<Row>, Vec<Wrong>> {
    let (delimiter, text, first_line) = delimiter(text).map_err(|wrong| vec![wrong])?;
    let mut records = csv::records(text, delimiter, first_line).map_err(|wrong| vec![wrong])?.into_iter();
    let Some(header) = records.next() else {
        return Err(vec![Wrong::at(1, "the file is empty: its first line names the columns")]);
    };
    let names: Vec<&str> = header.fields.iter().map(|name| name.trim()).collect();
    check_header(&names).map_err(|reasons| {
        let wrong = |reason| Wrong::at(header.line, reason);
        reasons.into_iter().map(wrong).collect::<Vec<_>>()
    })?;
    let action = names.iter().position(|name| *name == "action");
    let mut rows = Vec::new();
    let mut wrong = Vec::new();
    // Excel writes the empty lines at the end of a sheet as `;;;`.
    for record in records.filter(|record| !record.is_blank()) {
        let line = record.line;
        if record.fields.len() != names.len() {
            wrong.push(Wrong::at(line, other_width(record.fields.len(), names.len())));
            continue;
        }
        if let Some(at) = swallowed(&record, delimiter, action) {
            wrong.push(Wrong::at(
                line + at,
                format!("this looks like a decision of its own, and stands inside a text that begins before: a quotation mark may be missing on line {line}"),
            ));
        }
        let mut row = Map::new();
        for (at, (name, cell)) in names.iter().zip(record.fields).enumerate() {
            if cell.trim().is_empty() {
                continue;
            }
            if name.is_empty() {
                wrong.push(Wrong::at(line, format!("column {} has no name, and something is written in it", at + 1)));
            }
            row.insert((*name).to_owned(), Json::String(cell));
        }
        rows.push((line, row));
    }
    if wrong.is_empty() { Ok(rows) } else { Err(wrong) }
}

/// Finds the separator of fields, the text from its header on, and the line of that. Excel takes a first line `sep=;` for an order.
fn delimiter(text: &str) -> Result<(char, &str, usize), Wrong> {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let first = first.trim_end_matches('\r');
    match first.strip_prefix("sep=") {
        Some(";") => return Ok((';', rest, 2)),
        Some(",") => return Ok((',', rest, 2)),
        Some(_) => {
            return Err(Wrong::at(1, "fields are separated by `;` or by `,`, and `sep=` names another character"));
        }
        None => {}
    }
    match (first.contains(';'), first.contains(',')) {
        (true, true) => Err(Wrong::at(1, "the header has both `;` and `,`: use one of them to separate columns")),
        (true, false) => Ok((';', text, 1)),
        (false, true) => Ok((',', text, 1)),
        (false, false) if first.contains('\t') => {
            Err(Wrong::at(1, "columns are separated by tabulations: use `;` or `,`"))
        }
        (false, false) => Ok((',', text, 1)),
    }
}

fn check_header(names: &[&str]) -> Result<(), Vec<String>> {
    let mut wrong = Vec::new();
    for (at, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        if !COLUMNS.contains(name) {
            let near = nearest(name, COLUMNS).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            wrong.push(format!("no column is called `{}`{near}", short(name)));
        } else if names[..at].contains(name) {
            wrong.push(format!("the column `{name}` is there twice"));
        }
    }
    for name in NEEDED {
        if !names.contains(&name) {
            wrong.push(format!("the column `{name}` is missing"));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

fn other_width(found: usize, expected: usize) -> String {
    let hint = if found < expected {
        "Excel leaves the empty cells at the end of some lines out: put a column that is always filled, such as `action`, \
         last"
    } else {
        "a text with the separator in it stands between quotation marks"
    };
    format!("it has {found} fields, and the header {expected} ({hint})")
}

/// The line of a record, counted from its first, that would be a decision by itself: two forgotten quotation marks make
/// well-formed CSV of several people's lines.
fn swallowed(record: &csv::Record, delimiter: char, action: Option<usize>) -> Option<usize> {
    let mut at = 0;
    for field in &record.fields {
        for (rank, line) in field.split('\n').enumerate() {
            at += usize::from(rank > 0);
            let cell = line.split(delimiter).nth(action?).unwrap_or_default();
            if rank > 0 && line.contains(delimiter) && Action::WORDS.contains(&cell.trim().trim_matches('"')) {
                return Some(at);
            }
        }
    }
    None
}

/// A name as an error may repeat it: in a file whose columns moved, anything may stand there.
fn short(name: &str) -> String {
    let mut short: String = name.chars().take(30).collect();
    if short.len() < name.len() {
        short.push('…');
    }
    short
}

fn intent(row: &Map<String, Json>) -> Result<Intent, String> {
    if let Some(unknown) = row.keys().find(|name| !COLUMNS.contains(&name.as_str())) {
        let near = nearest(unknown, COLUMNS).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        return Err(format!("nothing is called `{}`{near}", short(unknown)));
    }
    let dossier = name(row, "dossier")?.ok_or("`dossier` is empty")?;
    let dossier: DossierNumber = dossier
        .trim()
        .parse()
        .map_err(|_| "`dossier` is not the number of a dossier: a whole number greater than 0".to_owned())?;
    let parts = Parts {
        action: text(row, "action")?.ok_or("`action` is empty")?,
        motivation: text(row, "motivation")?,
        message: text(row, "message")?,
        correction: text(row, "correction")?,
        file: text(row, "file")?,
        annotations: annotations(row),
        annotation: text(row, "annotation")?,
        groupe: name(row, "groupe")?,
        label: text(row, "label")?,
        message_id: text(row, "message_id")?,
    };
    let fingerprint = text(row, "expected_fingerprint")?.map(|text| text.trim().parse());
    let id = |id: String| IntentId::new(id.trim()).map_err(|error| error.to_string());
    Ok(Intent {
        id: id(name(row, "id")?.unwrap_or_else(|| named_after(row)))?,
        dossier,
        author: text(row, "author")?.map(Words::new),
        action: Action::try_from(parts)?,
        expected: Expected {
            state: text(row, "expected_state")?.map(|state| known_state(state.trim())).transpose()?,
            fingerprint: fingerprint
                .transpose()
                .map_err(|_| "`expected_fingerprint` is not a fingerprint".to_owned())?,
        },
        requires: name(row, "requires")?.map(id).transpose()?,
        silent: yes(row, "silent")?,
        overrule: yes(row, "overrule")?,
    })
}

/// A text; none where nothing but spaces is written.
fn text(row: &Map<String, Json>, key: &str) -> Result<Option<String>, String> {
    match row.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone()).filter(|text| !text.trim().is_empty())),
        Some(Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {
            Err(format!("`{key}` is not a text: write it between quotation marks"))
        }
    }
}

/// A name that may be a number.
fn name(row: &Map<String, Json>, key: &str) -> Result<Option<String>, String> {
    match row.get(key) {
        Some(Json::Number(number)) if !number.is_f64() => Ok(Some(number.to_string())),
        _ => text(row, key),
    }
}

/// Annotations: JSON inside JSON, or a text that holds JSON, as a cell does.
fn annotations(row: &Map<String, Json>) -> Option<String> {
    match row.get("annotations") {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    }
}

/// A yes or a no, as programs and as Excel in French and in English write it.
fn yes(row: &Map<String, Json>, key: &str) -> Result<bool, String> {
    let word = match row.get(key) {
        Some(Json::Bool(yes)) => return Ok(*yes),
        _ => name(row, key)?.unwrap_or_default().trim().to_lowercase(),
    };
    match word.as_str() {
        "" | "false" | "faux" | "non" | "0" => Ok(false),
        "true" | "vrai" | "oui" | "1" => Ok(true),
        _ => Err(format!("`{key}` is true or false (oui or non)")),
    }
}

/// The name of a row without one: the same row in the same words is the same intent.
fn named_after(row: &Map<String, Json>) -> String {
    let said = |name: &&str| match row.get(*name) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) if text.trim().is_empty() => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let said: Vec<String> = COLUMNS.iter().map(said).collect();
    Digest::of(said.join("\u{1f}").as_bytes()).to_string()
}

fn known_state(word: &str) -> Result<DossierState, String> {
    match DossierState::from(word) {
        DossierState::Inconnu(_) => Err(format!("`{}` is not a state", short(word))),
        state => Ok(state),
    }
}

#[cfg(test)]
mod tests;
