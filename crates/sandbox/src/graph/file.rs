//! Files and their signed addresses.

use apollo_compiler::response::JsonValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::node::{Ctx, Obj, Val};
use crate::value::{FileRecord, Scan};

/// Validity of an address.
const LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The content of a signed address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// Where the bytes come from.
    pub seed: u64,
    /// Their number.
    pub byte_size: u64,
    /// MIME type.
    pub content_type: String,
    /// When the address stops working.
    pub expires_at: Timestamp,
}

fn signature(payload: &str) -> String {
    let digest = Sha256::digest(format!("sandbox;{payload}"));
    URL_SAFE_NO_PAD.encode(&digest[..12])
}

/// The signed part of an address; the nonce makes two readings of one file differ.
fn sign(signed: &Signed, nonce: u64) -> String {
    let until = signed.expires_at.as_microsecond();
    let payload = format!("{};{};{};{until};{nonce}", signed.seed, signed.byte_size, signed.content_type);
    let payload = URL_SAFE_NO_PAD.encode(payload);
    format!("{payload}.{}", signature(&payload))
}

/// Decodes a signed address; `None` if it was forged.
pub(crate) fn check_signature(text: &str) -> Option<Signed> {
    let (payload, given) = text.split_once('.')?;
    if given != signature(payload) {
        return None;
    }
    let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let mut parts = payload.split(';');
    Some(Signed {
        seed: parts.next()?.parse().ok()?,
        byte_size: parts.next()?.parse().ok()?,
        content_type: parts.next()?.to_owned(),
        expires_at: Timestamp::from_microsecond(parts.next()?.parse().ok()?).ok()?,
    })
}

/// The number of a blob for one purpose (`send` its bytes, or `attach` it), good for an hour from now.
pub(super) fn sign_blob(purpose: &str, blob: u64, now: Timestamp) -> String {
    let payload = URL_SAFE_NO_PAD.encode(format!("{purpose};{blob};{}", (now + LIFETIME).as_microsecond()));
    format!("{payload}.{}", signature(&payload))
}

/// The number of the blob that a signed text stands for, unless it was forged, meant for something else, or is too old.
pub(crate) fn check_blob(purpose: &str, text: &str, now: Timestamp) -> Option<u64> {
    let (payload, given) = text.split_once('.')?;
    if given != signature(payload) {
        return None;
    }
    let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let (blob, until) = payload.strip_prefix(purpose)?.strip_prefix(';')?.split_once(';')?;
    let until = Timestamp::from_microsecond(until.parse().ok()?).ok()?;
    if now < until { blob.parse().ok() } else { None }
}

fn url(ctx: &Ctx<'_>, file: &FileRecord) -> String {
    let signed = Signed {
        seed: file.seed,
        byte_size: file.byte_size,
        content_type: file.content_type.clone(),
        expires_at: ctx.world.now() + LIFETIME,
    };
    let name = file.filename.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "_");
    format!("{}/files/{}/{name}", ctx.base_url, sign(&signed, ctx.next_nonce()))
}

/// A file that somebody handed in.
pub(super) fn file(ctx: &Ctx<'_>, file: &FileRecord) -> Obj {
    let size = match i32::try_from(file.byte_size) {
        Ok(size) => Val::from(size),
        Err(_) => Val::Fail(format!("Integer out of bounds: {}", file.byte_size)),
    };
    Obj::new("File")
        .with("filename", file.filename.as_str())
        .with("contentType", file.content_type.as_str())
        .with("byteSize", size)
        .with("byteSizeBigInt", file.byte_size.to_string())
        .with("checksum", file.checksum())
        .with("createdAt", Ctx::iso(file.created_at))
        .with("virusScanResult", if file.scan == Scan::Pending { "pending" } else { "safe" })
        .with("url", url(ctx, file))
}

/// The files that an answer shows: infected ones are not there.
pub(super) fn files<'f>(ctx: &Ctx<'_>, all: impl IntoIterator<Item = &'f FileRecord>) -> Val {
    Val::list(all.into_iter().filter(|one| one.scan != Scan::Infected).map(|one| file(ctx, one)))
}

/// A file built on demand: no size, no checksum, made now, at an address of its own.
pub(super) fn synthetic(ctx: &Ctx<'_>, filename: &str, content_type: &str) -> Obj {
    let mut record = FileRecord::new(filename, 256, ctx.world.now());
    content_type.clone_into(&mut record.content_type);
    Obj::new("File")
        .with("filename", filename)
        .with("contentType", content_type)
        .with("byteSize", 0)
        .with("byteSizeBigInt", "0")
        .with("checksum", "")
        .with("createdAt", Ctx::iso(record.created_at))
        .with("virusScanResult", "safe")
        .with("url", JsonValue::from(url(ctx, &record)))
}
