//! `/attachments`: files are kept once, but each upload has an id of its own (Grist trap 21).

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::DocumentCall;
use crate::grist::auth::Role;
use crate::grist::cell::Cell;
use crate::grist::failure::Failure;
use crate::grist::request::Answer;
use crate::grist::state::State;

const ATTACHMENTS: &str = "_grist_Attachments";

/// When everything was uploaded, in milliseconds as Grist keeps it: the sandbox has no clock.
const UPLOADED: f64 = 1_773_565_200_000.0;

struct Upload {
    name: String,
    bytes: Vec<u8>,
}

pub(super) fn upload(call: &DocumentCall<'_>) -> Result<Json, Failure> {
    if call.role < Role::Editor {
        return Err(Failure::refused(403, "No write access"));
    }
    let unsupported = || Failure::refused(415, "unsupported content-type");
    let kind = call.request.content_type.as_str();
    let boundary = kind.strip_prefix("multipart/form-data").and_then(|rest| rest.split_once("boundary="));
    let (_, boundary) = boundary.ok_or_else(unsupported)?;
    let boundary = boundary.split(';').next().unwrap_or_default().trim().trim_matches('"');
    let uploads = parts(&call.request.body, boundary);
    if uploads.is_empty() {
        return Err(Failure::refused(400, "missing payload"));
    }
    let mut engine = call.document.engine();
    let mut actions = Vec::new();
    for upload in &uploads {
        let extension = upload.name.rsplit_once('.').map_or_else(String::new, |(_, end)| format!(".{end}"));
        let digest = Sha256::digest(&upload.bytes);
        let digest: String = digest.iter().take(20).map(|byte| format!("{byte:02x}")).collect();
        let identity = format!("{digest}{extension}");
        actions.push(json!(["AddRecord", ATTACHMENTS, null, {
            "fileIdent": identity, "fileName": upload.name, "fileType": "", "fileSize": upload.bytes.len(),
            "fileExt": extension, "timeUploaded": UPLOADED,
        }]));
        engine.state.files.insert(identity, upload.bytes.clone().into());
    }
    Ok(Json::Array(engine.apply(&actions, false)?.values))
}

/// The files of a multipart body, all of them in fields named `upload`.
fn parts(body: &[u8], boundary: &str) -> Vec<Upload> {
    let mark = format!("--{boundary}");
    let mut uploads = Vec::new();
    let mut places = positions(body, mark.as_bytes()).peekable();
    while let Some(start) = places.next() {
        let Some(end) = places.peek() else { break };
        let part = &body[start + mark.len()..*end];
        let Some(split) = positions(part, b"\r\n\r\n").next() else { continue };
        let head = String::from_utf8_lossy(&part[..split]).into_owned();
        let bytes = part[split + 4..].strip_suffix(b"\r\n").unwrap_or(&part[split + 4..]);
        if parameter(&head, "name").as_deref() == Some("upload") {
            let name = parameter(&head, "filename").unwrap_or_default();
            uploads.push(Upload { name, bytes: bytes.to_vec() });
        }
    }
    uploads
}

fn positions<'a>(body: &'a [u8], mark: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    body.windows(mark.len()).enumerate().filter(move |(_, window)| *window == mark).map(|(at, _)| at)
}

/// A parameter of `Content-Disposition`, plain or in the extended form.
fn parameter(head: &str, name: &str) -> Option<String> {
    let line = head.lines().find(|line| line.to_lowercase().starts_with("content-disposition"))?;
    if let Some((_, rest)) = line.split_once(&format!("; {name}*=utf-8''")) {
        let text = rest.split(';').next().unwrap_or_default();
        return url::form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
    }
    let (_, rest) = line.split_once(&format!("; {name}=\""))?;
    rest.split('"').next().map(|text| text.replace("%22", "\""))
}

fn fields_of(state: &State, row: i64) -> Json {
    let files = state.meta(ATTACHMENTS);
    json!({
        "fileName": files.text(row, "fileName"),
        "fileSize": files.int(row, "fileSize"),
        "timeUploaded": "2026-03-15T09:00:00.000Z",
    })
}

pub(super) fn list(call: &DocumentCall<'_>) -> Json {
    let engine = call.document.engine();
    let rows = engine.state.meta(ATTACHMENTS).rows.keys();
    let records: Vec<Json> = rows.map(|row| json!({ "id": row, "fields": fields_of(&engine.state, *row) })).collect();
    json!({ "records": records })
}

fn row(state: &State, id: &str) -> Result<i64, Failure> {
    let row = id.parse().ok().filter(|row| state.meta(ATTACHMENTS).rows.contains_key(row));
    row.ok_or_else(|| Failure::refused(404, format!("Attachment not found: {id}")))
}

pub(super) fn one(call: &DocumentCall<'_>, id: &str) -> Result<Json, Failure> {
    let engine = call.document.engine();
    Ok(fields_of(&engine.state, row(&engine.state, id)?))
}

pub(super) fn download(call: &DocumentCall<'_>, id: &str) -> Result<Answer, Failure> {
    let engine = call.document.engine();
    let row = row(&engine.state, id)?;
    let identity = engine.state.meta(ATTACHMENTS).text(row, "fileIdent");
    let bytes = engine.state.files.get(identity).map(|bytes| bytes.to_vec()).unwrap_or_default();
    Ok(Answer::raw(200, "application/octet-stream", bytes))
}

/// Removes the files that no cell refers to (Grist trap 22).
pub(super) fn remove_unused(call: &DocumentCall<'_>) -> Result<Json, Failure> {
    call.owner()?;
    let mut engine = call.document.engine();
    let mut used = BTreeSet::new();
    for (table, column) in engine.state.references_to(ATTACHMENTS) {
        let content = engine.state.table(&table)?;
        for row in content.rows.keys() {
            if let Some(Cell::List(items)) = content.cell(*row, &column) {
                used.extend(items.iter().filter_map(Cell::as_int));
            }
        }
    }
    let unused: Vec<i64> =
        engine.state.meta(ATTACHMENTS).rows.keys().copied().filter(|row| !used.contains(row)).collect();
    if !unused.is_empty() {
        engine.apply(&[json!(["BulkRemoveRecord", ATTACHMENTS, unused])], false)?;
    }
    Ok(Json::Null)
}
