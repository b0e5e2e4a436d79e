//! Routes outside of documents: sites, folders, new documents.

use serde_json::{Value as Json, json};

use crate::grist::auth::Role;
use crate::grist::document::Document;
use crate::grist::failure::Failure;
use crate::grist::handle::Site;
use crate::grist::request::Request;

/// The one site of the sandbox.
fn org() -> Json {
    json!({ "id": 4, "name": "exemple", "domain": "exemple", "access": "owners", "owner": null })
}

fn described(document: &Document, role: Role) -> Json {
    let name = document.engine().name.clone();
    json!({ "id": document.id, "name": name, "access": role.name(), "isPinned": false, "urlId": document.id, "trunkId": null, "type": null, "forks": [] })
}

/// Answers a request that is about no document, or about a document as a whole.
pub(in crate::grist) fn answer(site: &mut Site, request: &Request, key: Option<&str>) -> Result<Json, Failure> {
    let segments = request.segments();
    let known = key.is_some();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["profile", "user"]) if known => {
            let service = key.is_some_and(|key| site.keys.is_service(key));
            let email = if service { "0f0e8a1c@serviceaccounts.invalid" } else { "agent@example.org" };
            Ok(json!({ "id": 7, "email": email, "name": "Agent" }))
        }
        ("GET", ["orgs"]) => Ok(if known { json!([org()]) } else { json!([]) }),
        ("GET", ["orgs", _]) if known => Ok(org()),
        ("GET", ["orgs", _, "workspaces"]) if known => {
            let documents = site.documents.values().filter(|document| !document.engine().trashed);
            let documents: Vec<Json> = documents
                .filter_map(|document| Some(described(document, site.keys.role(key, &document.id)?)))
                .collect();
            let access = site.keys.role(key, "").map_or(Json::Null, |role| json!(role.name()));
            Ok(json!([{
                "id": 4, "name": "Home", "access": access, "isSupportWorkspace": false,
                "orgDomain": "exemple", "docs": documents,
            }]))
        }
        ("POST", ["workspaces", id, "docs"]) => {
            if *id != "4" {
                return Err(Failure::refused(404, "workspace not found"));
            }
            if site.keys.role(key, "") < Some(Role::Editor) {
                return Err(Failure::refused(403, "access denied"));
            }
            let body = request.json()?;
            let id = site.create_document(body["name"].as_str().unwrap_or("Untitled document"));
            if let Some(key) = key {
                site.keys.grant(key, &id, Some(Role::Owner));
            }
            Ok(json!(id))
        }
        ("GET", ["docs", _]) => {
            let id = site.id_of(segments[1]);
            let document = site.documents.get(&id).ok_or_else(|| Failure::refused(404, "document not found"))?;
            let role = site.keys.role(key, &id).ok_or_else(|| Failure::refused(403, "access denied"))?;
            let mut described = described(document, role);
            described["workspace"] =
                json!({ "id": document.workspace, "name": "Home", "isSupportWorkspace": false, "org": org() });
            Ok(described)
        }
        _ if known => Err(Failure::refused(404, format!("not found: {}", request.asked))),
        _ => Err(Failure::refused(403, "access denied")),
    }
}
