//! Announces a file (`createDirectUpload`).

use apollo_compiler::response::JsonValue;
use serde_json::json;

use super::super::file::sign_blob;
use super::super::node::global_id;
use super::context::MutationContext;
use super::payload::{DirectUpload, Payload};
use super::perform::{Done, Outcome};
use crate::world::{Announced, Effect};

/// The address and the signed id work for one hour; the file is looked at when it is attached, not before.
pub(super) fn create(context: &mut MutationContext<'_>) -> Outcome {
    context.writable()?;
    let dossier = context.dossier()?;
    let text = |key: &str| context.text(key).unwrap_or_default().to_owned();
    let size = context.input.get("byteSize").and_then(JsonValue::as_i64);
    let announced = Announced {
        filename: text("filename"),
        content_type: text("contentType"),
        byte_size: size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
        checksum: text("checksum"),
    };
    let headers = json!({"Content-Type": announced.content_type, "ETag": announced.etag()}).to_string();
    let now = context.world.now();
    let blob = context.world.announce(announced);
    let upload = DirectUpload {
        blob_id: global_id("Blob", blob),
        headers,
        signed_blob_id: sign_blob("attach", blob, now),
        url: format!("{}/uploads/{}", context.base_url, sign_blob("send", blob, now)),
    };
    Ok(Done { dossier: Some(dossier), ..Done::plain(Payload::Upload(upload), Effect::Upload { blob }) })
}
