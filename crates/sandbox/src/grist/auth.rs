//! Keys, roles and access rules.

use std::collections::{BTreeMap, BTreeSet};

/// The role of a key on a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, writes and changes the structure.
    Editor,
    /// Everything, whatever the access rules.
    Owner,
}

impl Role {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewers",
            Self::Editor => "editors",
            Self::Owner => "owners",
        }
    }
}

/// Access rules of a document, as far as a sync meets them (Grist traps 20 and 31). They never bind owners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessRules {
    /// There is some rule somewhere: this alone takes SQL away.
    pub any: bool,
    /// Tables with a rule about reading: they cannot be upserted.
    pub unreadable: BTreeSet<String>,
    /// Columns, by table and id, that are hidden: they look as if they were not there. Their table cannot be upserted.
    pub hidden: BTreeSet<(String, String)>,
    /// The structure may not be changed.
    pub frozen: bool,
}

impl AccessRules {
    pub(super) fn exist(&self) -> bool {
        self.any || self.frozen || !self.unreadable.is_empty() || !self.hidden.is_empty()
    }
}

/// Keys and their roles.
#[derive(Default)]
pub(super) struct Keys(BTreeMap<String, Rights>);

#[derive(Default)]
struct Rights {
    everywhere: Option<Role>,
    documents: BTreeMap<String, Option<Role>>,
    service: bool,
}

impl Keys {
    /// Makes a key known, with a role in all documents or none.
    pub(super) fn add(&mut self, key: &str, everywhere: Option<Role>) {
        self.0.entry(key.to_owned()).or_default().everywhere = everywhere;
    }

    pub(super) fn grant(&mut self, key: &str, document: &str, role: Option<Role>) {
        self.0.entry(key.to_owned()).or_default().documents.insert(document.to_owned(), role);
    }

    /// Says that a key is that of a service account.
    pub(super) fn serve(&mut self, key: &str) {
        self.0.entry(key.to_owned()).or_default().service = true;
    }

    pub(super) fn is_service(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|rights| rights.service)
    }

    pub(super) fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    pub(super) fn knows(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    pub(super) fn role(&self, key: Option<&str>, document: &str) -> Option<Role> {
        let rights = self.0.get(key?)?;
        rights.documents.get(document).copied().unwrap_or(rights.everywhere)
    }
}
