//! The file storage beside the platform: it knows signed addresses and no token.

use super::message::{Incoming, Outgoing};
use crate::graph::{check_blob, check_signature};
use crate::value::bytes_of;
use crate::world::World;

/// Takes the bytes of an announced file, with exactly the headers that were given for it. What the bytes are is looked
/// at when the file is attached. A token is not for the storage: it is refused, and noted.
pub(super) fn receive(world: &mut World, request: &Incoming, violations: &mut Vec<String>) -> Outgoing {
    let refuse =
        |status: u16, text: &str| Outgoing::text(status, "text/html", &format!("<html><h1>{text}</h1></html>"));
    let Some(signed) = request.path.strip_prefix("/uploads/") else { return refuse(404, "Not Found") };
    if request.authorization.is_some() {
        violations.push("upload: the token was sent to the storage".to_owned());
        return refuse(400, "Bad Request");
    }
    let blob = check_blob("send", signed, world.now());
    let Some((blob, announced)) = blob.and_then(|blob| Some((blob, world.announced(blob)?))) else {
        return refuse(403, "Forbidden");
    };
    let as_given = request.content_type.as_deref() == Some(announced.content_type.as_str())
        && request.etag.as_deref() == Some(announced.etag().as_str());
    if !as_given || !world.store(blob, request.body.clone()) {
        return refuse(403, "Forbidden");
    }
    Outgoing { status: 201, ..Outgoing::default() }
}

/// The bytes behind a signed address: no token needed, and nothing once the hour is over.
pub(super) fn send(world: &World, request: &Incoming) -> Outgoing {
    let mut parts = request.path.trim_start_matches('/').splitn(3, '/');
    let (Some("files"), Some(signed)) = (parts.next(), parts.next()) else {
        return Outgoing::text(404, "text/html", "<h1>404</h1>");
    };
    let signed = match check_signature(signed) {
        Some(signed) if signed.expires_at > world.now() => signed,
        _ => return Outgoing::text(403, "text/html", "<html><h1>Forbidden</h1></html>"),
    };
    let sent = world.sent_bytes(signed.seed).map(|bytes| bytes.to_vec());
    let mut bytes = sent.unwrap_or_else(|| bytes_of(signed.seed, signed.byte_size));
    if bytes.is_empty() && signed.byte_size > 0 {
        return Outgoing::text(404, "text/html", "<html><h1>Not Found</h1></html>");
    }
    let from = request.range.as_deref().and_then(|range| range.strip_prefix("bytes="));
    let from = from.and_then(|range| range.strip_suffix('-')).and_then(|from| from.parse::<usize>().ok());
    let mut answer = Outgoing { status: 200, ..Outgoing::default() };
    if let Some(from) = from {
        if from >= bytes.len() {
            return Outgoing::text(416, "text/plain", "");
        }
        answer.status = 206;
        answer.headers.push(("content-range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len())));
        bytes.drain(..from);
    }
    answer.headers.push(("content-type", signed.content_type));
    answer.headers.push(("accept-ranges", "bytes".to_owned()));
    answer.body = bytes;
    answer
}
