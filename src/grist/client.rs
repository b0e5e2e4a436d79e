//! An instance of Grist.

use secrecy::SecretString;
use super::types::{DocId, Org, Workspace};
use super::{Doc, GristError};

/// How a client is made.
#[derive(Clone, Debug)]
pub struct Builder;
impl Builder {
    /// The key.
    pub fn key(self, _key: impl Into<SecretString>) -> Self { todo!() }
    /// The wait before the first repetition; for tests.
    pub fn retry_base(self, _base: std::time::Duration) -> Self { todo!() }
    /// How long one request may take as a whole. Default: 120 s (a document with heavy formulas is slow; ≥ 60 s).
    pub fn total_timeout(self, _timeout: std::time::Duration) -> Self { todo!() }
    /// Builds it. Nothing is sent.
    pub fn build(self) -> Result<Client, GristError> { todo!() }
}

/// An instance of Grist, as one user. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client;
impl Client {
    /// `url`: any address of the instance (with `/o/<org>` where the instance has it), `/api` or not.
    pub fn builder(_url: impl Into<String>) -> Builder { todo!() }
    /// One document.
    pub fn doc(&self, _id: DocId) -> Doc { todo!() }
    /// The sites that the key sees.
    pub async fn orgs(&self) -> Result<Vec<Org>, GristError> { todo!() }
    /// The folders of a site (id, domain, or `current`).
    pub async fn workspaces(&self, _org: &str) -> Result<Vec<Workspace>, GristError> { todo!() }
    /// A new document in a folder. Its language, zone and stray table are as Grist makes them (trap 36).
    pub async fn create_doc(&self, _workspace: i64, _name: &str) -> Result<DocId, GristError> { todo!() }
    /// How many requests were sent, and bytes of their bodies, since it was built.
    pub fn stats(&self) -> Stats { todo!() }
}

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats { pub requests: u64, pub writes: u64, pub bytes_sent: u64, pub bytes_received: u64, pub retries: u64 }
