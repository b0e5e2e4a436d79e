//! Composes requests: one operation, its variables, and its name in errors.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use super::cursor::Cursor;
use super::generated::{demarche_numerique as dn, demat_social as ds};
use super::page::{Listing, ListingSource, PageSize, Since};
use crate::ids::{DemarcheNumber, DossierNumber, GroupeInstructeurNumber};
use crate::platform::Platform;

/// Request that is ready to be sent, and sent again.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The operation's name.
    pub operation: &'static str,
    /// The object of the request, for people: `dossier 1234`.
    pub what: String,
    /// The number of dossiers it may answer: 0 when it lists none.
    pub page_size: u32,
    /// The body, JSON.
    pub body: Bytes,
}

/// Selection of the fields of a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// Everything that a copy keeps.
    Full,
    /// The few fields of the light listing.
    Light,
    /// Numbers and dates alone.
    Positions,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body<'a, V> {
    pub query: &'a str,
    pub operation_name: &'a str,
    pub variables: V,
}

#[derive(Serialize)]
struct Numbered {
    number: u32,
}

/// Serializes a body. Our own types have string keys only and cannot fail to serialize.
pub(super) fn encode(body: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(body).expect("variables and texts always serialize"))
}

/// Encodes an operation for one of the platforms: the two derives make distinct types of equal shape.
macro_rules! body {
    ($platform:expr, $operation:expr, $module:ident { $($field:ident: $value:expr),* $(,)? }) => {
        body!(
            $platform,
            match $platform {
                Platform::DemarcheNumerique => dn::$module::QUERY,
                Platform::DematSocial => ds::$module::QUERY,
            },
            $operation,
            $module { $($field: $value),* }
        )
    };
    ($platform:expr, $query:expr, $operation:expr, $module:ident { $($field:ident: $value:expr),* $(,)? }) => {
        match $platform {
            Platform::DemarcheNumerique => encode(&Body {
                query: $query,
                operation_name: $operation,
                variables: dn::$module::Variables { $($field: $value),* },
            }),
            Platform::DematSocial => encode(&Body {
                query: $query,
                operation_name: $operation,
                variables: ds::$module::Variables { $($field: $value),* },
            }),
        }
    };
}

fn instant(timestamp: Timestamp) -> String {
    timestamp.to_string()
}

/// Returns the pinned document of the operations that read dossiers.
pub(super) fn dossiers_document(platform: Platform) -> &'static str {
    match platform {
        Platform::DemarcheNumerique => dn::list_light::QUERY,
        Platform::DematSocial => ds::list_light::QUERY,
    }
}

/// Requests a page of dossiers. The document may ask for more than the pinned one.
pub(super) fn dossiers(
    platform: Platform,
    document: &str,
    listing: &Listing,
    after: Option<&Cursor>,
    size: PageSize,
    detail: Detail,
) -> Request {
    // `createdSince` beside `updatedSince` is ignored by the platform (trap 12): the type allows one of them.
    let (updated_since, created_since) = match listing.since {
        Since::Beginning => (Some(instant(Timestamp::UNIX_EPOCH)), None),
        Since::Updated(since) => (Some(instant(since)), None),
        Since::Created(since) => (None, Some(instant(since))),
    };
    let (number, what, operation) = match (listing.source, detail) {
        (ListingSource::Demarche(n), Detail::Full) => {
            (n.get(), format!("the dossiers of démarche {n}"), "ListDossiers")
        }
        (ListingSource::Demarche(n), Detail::Light) => (n.get(), format!("the dossiers of démarche {n}"), "ListLight"),
        (ListingSource::Groupe(n), Detail::Full) => {
            (n.get(), format!("the dossiers of groupe {n}"), "ListDossiersOfGroupe")
        }
        (ListingSource::Groupe(n), Detail::Light) => {
            (n.get(), format!("the dossiers of groupe {n}"), "ListLightOfGroupe")
        }
        (ListingSource::Demarche(n), Detail::Positions) => {
            (n.get(), format!("the dossiers of démarche {n}"), "ListPositions")
        }
        (ListingSource::Groupe(n), Detail::Positions) => {
            (n.get(), format!("the dossiers of groupe {n}"), "ListPositionsOfGroupe")
        }
    };
    let id = |revision: &Option<crate::ids::RevisionId>| revision.as_ref().map(|r| r.as_str().to_owned());
    macro_rules! listed {
        ($module:ident) => {
            body!(
                platform,
                document,
                operation,
                $module {
                    number: i64::from(number),
                    first: i64::from(size.get()),
                    after: after.map(|cursor| cursor.text.clone()),
                    updated_since: updated_since,
                    created_since: created_since,
                    state: listing.state.clone(),
                    archived: listing.archived,
                    revision: id(&listing.revision),
                    min_revision: id(&listing.min_revision),
                    max_revision: id(&listing.max_revision),
                }
            )
        };
    }
    let body = match listing.source {
        ListingSource::Demarche(_) => listed!(list_light),
        ListingSource::Groupe(_) => listed!(list_light_of_groupe),
    };
    Request { operation, what, page_size: u32::from(size.get()), body }
}

/// Requests one dossier.
pub(super) fn dossier(document: &str, number: DossierNumber) -> Request {
    of_dossier(document, number, "ReadDossier")
}

/// Requests the number of a dossier's démarche.
pub(super) fn demarche_of(platform: Platform, number: DossierNumber) -> Request {
    of_dossier(dossiers_document(platform), number, "ReadDemarcheOfDossier")
}

fn of_dossier(query: &str, number: DossierNumber, operation_name: &'static str) -> Request {
    let body = encode(&Body { query, operation_name, variables: Numbered { number: number.get() } });
    Request { operation: operation_name, what: format!("dossier {number}"), page_size: 1, body }
}

/// Requests a démarche with its whole form.
pub(super) fn demarche(platform: Platform, number: DemarcheNumber) -> Request {
    let operation = "ReadDemarche";
    let body = body!(platform, operation, read_demarche { number: i64::from(number.get()) });
    Request { operation, what: format!("démarche {number}"), page_size: 0, body }
}

/// The head of a démarche.
pub(super) fn head(platform: Platform, number: DemarcheNumber) -> Request {
    let operation = "ReadHead";
    let body = body!(platform, operation, read_head { number: i64::from(number.get()) });
    Request { operation, what: format!("démarche {number}"), page_size: 0, body }
}

/// Requests the head of a démarche and the first page of both lists of deletions.
pub(super) fn news(platform: Platform, number: DemarcheNumber, deleted_since: Option<Timestamp>) -> Request {
    let operation = "ReadNews";
    let body = body!(
        platform,
        operation,
        read_news {
            number: i64::from(number.get()),
            first: i64::from(PageSize::MAX.get()),
            deleted_since: deleted_since.map(instant),
        }
    );
    Request { operation, what: format!("démarche {number}"), page_size: 0, body }
}

/// Requests a page of the dossiers that wait to be purged.
pub(super) fn pending_deleted(platform: Platform, number: DemarcheNumber, after: Option<&Cursor>) -> Request {
    let operation = "ListPendingDeleted";
    let body = body!(
        platform,
        operation,
        list_pending_deleted {
            number: i64::from(number.get()),
            first: i64::from(PageSize::MAX.get()),
            after: after.map(|cursor| cursor.text.clone()),
        }
    );
    Request {
        operation, what: format!("the dossiers of démarche {number} that wait to be purged"), page_size: 0, body
    }
}

/// Requests a page of the dossiers that were purged.
pub(super) fn deleted(
    platform: Platform,
    number: DemarcheNumber,
    since: Option<Timestamp>,
    after: Option<&Cursor>,
) -> Request {
    let operation = "ListDeleted";
    let body = body!(
        platform,
        operation,
        list_deleted {
            number: i64::from(number.get()),
            first: i64::from(PageSize::MAX.get()),
            after: after.map(|cursor| cursor.text.clone()),
            deleted_since: since.map(instant),
        }
    );
    Request { operation, what: format!("the purged dossiers of démarche {number}"), page_size: 0, body }
}

/// Requests a groupe d'instructeurs with its members.
pub(super) fn groupe(platform: Platform, number: GroupeInstructeurNumber) -> Request {
    let operation = "ReadGroupeInstructeur";
    let body = body!(platform, operation, read_groupe_instructeur { number: i64::from(number.get()) });
    Request { operation, what: format!("groupe instructeur {number}"), page_size: 0, body }
}

/// The public form of a démarche.
pub(super) fn descriptor(platform: Platform, number: DemarcheNumber) -> Request {
    let operation = "ReadDemarcheDescriptor";
    let number_sent = i64::from(number.get());
    // The input is a "one of": a null key beside the other would be refused (trap 68). The younger schema says so, and
    // the derive makes an enum of it; the older one has a struct of optional keys, of which the absent are not written.
    let body = match platform {
        Platform::DemarcheNumerique => encode(&Body {
            query: dn::read_demarche_descriptor::QUERY,
            operation_name: operation,
            variables: dn::read_demarche_descriptor::Variables {
                demarche: dn::read_demarche_descriptor::FindDemarcheInput::Number(number_sent),
            },
        }),
        Platform::DematSocial => encode(&Body {
            query: ds::read_demarche_descriptor::QUERY,
            operation_name: operation,
            variables: ds::read_demarche_descriptor::Variables {
                demarche: ds::read_demarche_descriptor::FindDemarcheInput { id: None, number: Some(number_sent) },
            },
        }),
    };
    Request { operation, what: format!("the form of démarche {number}"), page_size: 0, body }
}

/// Requests the public form of a démarche by the platform's own stored query, the only kind that Démarche Numérique
/// accepts without a token (docs/platform.md#tokens).
pub(super) fn stored_descriptor(number: DemarcheNumber) -> Request {
    let operation = "getDemarcheDescriptor";
    let body = encode(&serde_json::json!({
        "queryId": "ds-query-v2",
        "operationName": operation,
        "variables": { "demarche": { "number": number.get() }, "includeRevision": true, "includeService": true },
    }));
    Request { operation, what: format!("the form of démarche {number}"), page_size: 0, body }
}
