//! Files on their way in: announced, sent to the storage, then attached.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use md5::{Digest as _, Md5};

use super::state::World;
use crate::value::{FileRecord, Scan};

/// Time for which a blob may stay unattached.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Where the seeds of sent files start: no generated file has one as high by its nature, and a collision would only
/// give a file the bytes of another one.
const SENT: u64 = 1 << 63;

/// A file as its sender announced it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub filename: String,
    pub content_type: String,
    pub byte_size: u64,
    /// MD5 in base64.
    pub checksum: String,
}

impl Announced {
    /// The expected `ETag` header: MD5 in hexadecimal, empty if the checksum was no base64.
    pub fn etag(&self) -> String {
        let digest = STANDARD.decode(&self.checksum).unwrap_or_default();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A file announced, and sent or not.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    pub announced: Announced,
    pub created_at: Timestamp,
    pub content: Option<Arc<[u8]>>,
    pub attached: bool,
}

/// The reason for which a blob cannot be attached, in the platform's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadBlob {
    /// Nothing was sent.
    NotSent,
    /// The signed id is forged, too old, or that of a blob that was purged.
    BadId,
    /// The sent bytes differ from the announced ones.
    BadHash,
}

impl BadBlob {
    pub fn message(self) -> &'static str {
        match self {
            Self::NotSent => "Le fichier n’a pas été correctement téléversé sur le serveur de stockage",
            Self::BadId => "L’identifiant du fichier téléversé est invalide",
            Self::BadHash => "Le hash du fichier téléversé est invalide",
        }
    }
}

impl World {
    /// Makes room for a file and gives the number of its blob.
    pub(crate) fn announce(&mut self, announced: Announced) -> u64 {
        let id = self.row();
        let blob = Blob { announced, created_at: self.now, content: None, attached: false };
        self.blobs.insert(id, blob);
        id
    }

    /// Returns the announcement under that number.
    pub(crate) fn announced(&self, blob: u64) -> Option<Announced> {
        self.blobs.get(&blob).map(|blob| blob.announced.clone())
    }

    /// Puts bytes where room was made for them, over what was there; false when there is no such room any more.
    pub(crate) fn store(&mut self, blob: u64, bytes: Vec<u8>) -> bool {
        let Some(blob) = self.blobs.get_mut(&blob).filter(|blob| !blob.attached) else { return false };
        blob.content = Some(bytes.into());
        true
    }

    /// The file behind a blob, read back and compared with what was announced.
    pub(crate) fn sent_file(&self, id: u64) -> Result<FileRecord, BadBlob> {
        let blob = self.blobs.get(&id).ok_or(BadBlob::BadId)?;
        let content = blob.content.clone().ok_or(BadBlob::NotSent)?;
        let Announced { filename, content_type, byte_size, checksum } = &blob.announced;
        if content.len() as u64 != *byte_size || STANDARD.encode(Md5::digest(&content)) != *checksum {
            return Err(BadBlob::BadHash);
        }
        Ok(FileRecord {
            filename: filename.clone(),
            content_type: content_type.clone(),
            byte_size: *byte_size,
            seed: SENT | id,
            created_at: blob.created_at,
            scan: Scan::Safe,
            content: Some(content),
        })
    }

    /// The file is part of something now: its blob stays.
    pub(super) fn attach(&mut self, file: &FileRecord) {
        if file.seed & SENT != 0
            && let Some(blob) = self.blobs.get_mut(&(file.seed & !SENT))
        {
            blob.attached = true;
        }
    }

    /// The bytes that were sent under that seed, if any were.
    pub(crate) fn sent_bytes(&self, seed: u64) -> Option<Arc<[u8]>> {
        (seed & SENT != 0).then(|| self.blobs.get(&(seed & !SENT))?.content.clone()).flatten()
    }

    /// Counts announced files that wait to be attached.
    #[must_use]
    pub fn unattached_blobs(&self) -> usize {
        self.blobs.values().filter(|blob| !blob.attached).count()
    }

    /// Forgets what was not attached within a day.
    pub(super) fn purge_blobs(&mut self) {
        let now = self.now;
        self.blobs.retain(|_, blob| blob.attached || now.duration_since(blob.created_at) < KEPT);
    }
}
