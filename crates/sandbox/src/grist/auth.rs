//! Keys, access tokens, roles and access rules.

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

/// An access token, as Grist gives it to a custom widget of a document (Grist trap 41).
#[derive(Clone, Debug)]
pub(super) struct AccessToken {
    pub(super) document: String,
    /// The rights of the person in that document, at most: fewer where the token only reads.
    pub(super) key: String,
    pub(super) read_only: bool,
    pub(super) expired: bool,
}

/// The tokens that were given, by themselves.
#[derive(Default)]
pub(super) struct AccessTokens(BTreeMap<String, AccessToken>);

impl AccessTokens {
    /// Gives a token. It has the three parts of the real ones.
    pub(super) fn give(&mut self, token: AccessToken) -> String {
        let text = format!("acces.{}.{}", token.document, self.0.len());
        self.0.insert(text.clone(), token);
        text
    }

    /// Ends the time of every token.
    pub(super) fn expire(&mut self) {
        self.0.values_mut().for_each(|token| token.expired = true);
    }

    /// Checks a token.
    ///
    /// # Errors
    ///
    /// Grist's words for one that is none of its own, or whose time is over.
    pub(super) fn verify(&self, text: &str) -> Result<&AccessToken, &'static str> {
        if text.split('.').count() != 3 {
            return Err("Broken token");
        }
        match self.0.get(text) {
            Some(token) if token.expired => Err("Token has expired"),
            Some(token) => Ok(token),
            None => Err("Cannot verify token"),
        }
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
