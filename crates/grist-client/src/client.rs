//! An instance of Grist.

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;
use url::Url;

use super::address::DocId;
use super::builder::Builder;
use super::doc::{Doc, Repeat};
use super::error::GristError;
use super::limiter::Limiters;
use super::request::{Request, json as body};
use super::stats::Stats;
use super::transport::{Credential, Transport};
use super::types::{Access, Org, Workspace};
use super::wire::{WireAccount, WireOrg, WireWorkspace, decode};

/// The suffix of the address of every service account.
const SERVICE: &str = "@serviceaccounts.invalid";

/// An instance of Grist, as one account.
///
/// Clones are cheap and share the connection pool, the limiters of the documents and the counters. Every method sends one
/// request (more where it says so) and repeats it by itself where that helps and does no harm; the error that it returns
/// in the end is one for which repeating is no use, or no use any more.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Arc<Transport>,
}

impl Client {
    /// Begins a client. `url`: any address of the instance, with `/o/<org>` where it has sites, with `/api` or not; that of
    /// one of its documents does too. `http` is accepted for this very machine only.
    pub fn builder(url: impl Into<String>) -> Builder {
        Builder::new(url.into())
    }

    pub(super) fn over(transport: Arc<Transport>) -> Self {
        Self { transport }
    }

    /// The same instance as the person to whom Grist gave this access token (`grist.docApi.getAccessToken` of a custom
    /// widget), and without the key. The token is good for one document, for a quarter of an hour, with the rights of that
    /// person, or less (Grist trap 41). Nothing is sent.
    #[must_use]
    pub fn as_person(&self, token: SecretString) -> Self {
        let Transport { http, base, counters, total_timeout, body_limit, pace, credential: _, limiters: _ } =
            &*self.transport;
        Self::over(Arc::new(Transport {
            http: http.clone(),
            base: base.clone(),
            credential: Credential::AccessToken(token),
            limiters: Limiters::default(),
            counters: Arc::clone(counters),
            total_timeout: *total_timeout,
            body_limit: *body_limit,
            pace: *pace,
        }))
    }

    /// The address of the API: `https://grist.example.org/o/docs/api`.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.transport.base
    }

    /// One document. Nothing is sent.
    #[must_use]
    pub fn doc(&self, id: DocId) -> Doc {
        Doc::over(self.transport.clone(), id)
    }

    /// Returns `true` for the key of a service account, which belongs to no person.
    ///
    /// # Errors
    /// [`GristError::WrongKey`], and those of the way there.
    pub async fn is_service(&self) -> Result<bool, GristError> {
        let request = Request::get("the account", self.transport.url(["profile", "user"]));
        let account: WireAccount = self.transport.ask(None, &request, decode).await?;
        Ok(account.email.ends_with(SERVICE))
    }

    /// The sites that the key sees.
    ///
    /// # Errors
    /// [`GristError::WrongKey`], and those of the way there.
    pub async fn orgs(&self) -> Result<Vec<Org>, GristError> {
        let request = Request::get("sites", self.transport.url(["orgs"]));
        let orgs: Vec<WireOrg> = self.transport.ask(None, &request, decode).await?;
        Ok(orgs.into_iter().map(|WireOrg { id, name, domain }| Org { id, name, domain }).collect())
    }

    /// The folders of a site (its number, its domain, or `current` for that of the address), without those of examples.
    ///
    /// # Errors
    /// [`GristError::Refused`] with status 404 for a site that the key does not see.
    pub async fn workspaces(&self, org: &str) -> Result<Vec<Workspace>, GristError> {
        let request = Request::get("folders", self.transport.url(["orgs", org, "workspaces"]));
        let found: Vec<WireWorkspace> = self.transport.ask(None, &request, decode).await?;
        let own = found.into_iter().filter(|workspace| !workspace.support);
        own.map(|WireWorkspace { id, name, access, docs, support: _ }| {
            let docs = docs.into_iter().map(|doc| Ok((DocId::try_from(doc.id)?, doc.name)));
            Ok(Workspace {
                id,
                name,
                access: Access::of(access.as_deref()),
                docs: docs.collect::<Result<_, GristError>>()?,
            })
        })
        .collect()
    }

    /// A new document in a folder. Its language, its zone and its stray `Table1` are as Grist makes them (Grist trap 36).
    ///
    /// # Errors
    /// [`GristError::Forbidden`] where the key may not; [`GristError::Unclear`] when the answer was lost: it is not sent
    /// twice.
    pub async fn create_doc(&self, workspace: i64, name: &str) -> Result<DocId, GristError> {
        let url = self.transport.url(["workspaces", &workspace.to_string(), "docs"]);
        let request = Request::post("a new document", url, body(&json!({ "name": name }))?, Repeat::Never);
        let id: String = self.transport.ask(None, &request, decode).await?;
        DocId::try_from(id)
    }

    /// Returns the counts of this client and its clones.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.transport.counters.read()
    }
}
