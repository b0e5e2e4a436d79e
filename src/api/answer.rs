//! Classifies an answer: the errors beside the data decide if the data may be used
//! (docs/platform.md#errors-beside-data).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::convert::{Drifts, Node};
use super::cursor::Cursor;
use super::error::ApiError;
use super::operation::Request;
use super::page::{Drift, Hole, Page};
use super::wire::{
    AnyNumbered, Connection, Envelope, GraphqlError, Listed, Numbered, Odd, PathStep, Undecoded, WireDossier, decode,
    decode_around,
};
use crate::ids::DossierNumber;

/// Longest excerpt of a platform's message that goes into an error, in characters.
const MESSAGE_LENGTH: usize = 300;

/// Cuts a message to a length fit for a log.
pub(super) fn cut(message: &str) -> String {
    match message.char_indices().nth(MESSAGE_LENGTH) {
        Some((at, _)) => format!("{}…", &message[..at]),
        None => message.to_owned(),
    }
}

impl Request {
    fn undecodable(&self, undecoded: Undecoded) -> ApiError {
        ApiError::Undecodable { what: self.what.clone(), path: undecoded.path, reason: undecoded.reason }
    }

    pub(super) fn partial(&self, error: Option<&GraphqlError>) -> ApiError {
        let message = error.map_or_else(|| "a part is missing without an error".to_owned(), |e| cut(&e.message));
        ApiError::Partial {
            what: self.what.clone(),
            code: error.and_then(GraphqlError::code).map(str::to_owned),
            message,
        }
    }
}

/// Converts the errors of an answer without data. The first code decides, as only the first of several errors may have
/// one (trap 3).
fn refusal(request: &Request, errors: &[GraphqlError], data_key: bool) -> ApiError {
    let first = errors.iter().find(|error| error.code().is_some()).or_else(|| errors.first());
    let what = || request.what.clone();
    let message = || first.map(|error| cut(&error.message)).unwrap_or_default();
    match first.and_then(GraphqlError::code) {
        // An invalid token may get HTTP 200, so the code decides and never the status (trap 18).
        Some("not_found") => ApiError::NotFound { what: what() },
        Some("unauthorized") => ApiError::OutOfScope { what: what() },
        Some(code @ ("forbidden" | "deprecated_token")) => {
            ApiError::TokenRefused { code: code.to_owned(), message: message() }
        }
        Some("internal_server_error") => ApiError::ServerError { what: what(), exception: exception(errors) },
        Some("timeout" | "invalid_null") => request.partial(first),
        // A rejected operation has no `data` key at all; one that failed while it was executed has a null there
        // (docs/platform.md#statuses-and-bodies).
        None if data_key => request.partial(first),
        code => ApiError::Rejected {
            operation: request.operation.to_owned(),
            code: code.map(str::to_owned),
            message: if first.is_some() { message() } else { "neither data nor errors were sent".to_owned() },
        },
    }
}

/// Finds the platform's id of an exception, for its support.
pub(super) fn exception(errors: &[GraphqlError]) -> Option<String> {
    errors.iter().find_map(|error| error.extensions.as_ref()?.exception_id.clone()).map(|id| cut(&id))
}

/// Returns true if an error touches nothing that is kept: a link to a dossier outside the token's scope reads as null,
/// and its number is in the champ's text (trap 6).
fn is_benign(error: &GraphqlError) -> bool {
    let Some(path) = &error.path else { return false };
    let in_champ = path.iter().any(|step| matches!(step, PathStep::Field(f) if f == "champs" || f == "annotations"));
    let linked = matches!(path.last(), Some(PathStep::Field(f)) if f == "dossier");
    // Only below a champ: the same code at the root means that the token lost the démarche (trap 17).
    error.code() == Some("unauthorized") && in_champ && linked
}

/// Finds the node of a page that an error is about.
fn node_of(error: &GraphqlError) -> Option<usize> {
    let path = error.path.as_ref()?;
    let nodes = path.iter().position(|step| matches!(step, PathStep::Field(field) if field == "nodes"))?;
    match path.get(nodes + 1) {
        Some(PathStep::Position(position)) => Some(*position),
        _ => None,
    }
}

/// Reads the one object of an answer, complete. An optional scalar in another form than the schema promises reads as
/// none.
///
/// # Errors
/// Any error in it; an object beside an error that is not benign is [`ApiError::Partial`].
pub(super) fn whole<T: DeserializeOwned>(request: &Request, body: &[u8]) -> Result<T, ApiError> {
    let (root, errors, odd) = opened(request, body)?;
    for odd in odd {
        // Only dossiers keep such values. Everything else is read again before it matters.
        let field = odd.path.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
        tracing::warn!(
            what = request.what,
            field,
            "the platform sent a value in another form than its schema promises; read as none"
        );
    }
    match errors.iter().find(|error| !is_benign(error)) {
        Some(error) => Err(request.partial(Some(error))),
        None => Ok(root),
    }
}

/// Reads one dossier, with marks on values of another form. If errors emptied nothing but answers, the dossier without
/// them is left in `spared`, for the case that no retry brings a better one.
///
/// # Errors
/// As [`whole`].
pub(super) fn whole_dossier(
    request: &Request,
    body: &[u8],
    spared: &Mutex<Option<WireDossier>>,
) -> Result<WireDossier, ApiError> {
    let (mut dossier, errors, odd): (WireDossier, _, _) = opened(request, body)?;
    for odd in odd {
        // The path begins with `data` and the root.
        if let [_, _, path @ ..] = odd.path.as_slice() {
            dossier.mark(path, odd.text);
        }
    }
    let fatal: Vec<&GraphqlError> = errors.iter().filter(|error| !is_benign(error)).collect();
    let Some(first) = fatal.first() else { return Ok(dossier) };
    // An answer that fails for good must not cost the dossier; one that may succeed next time must not be emptied
    // (traps 3 and 5).
    let spares = fatal.iter().all(|error| dossier.spare(error));
    *spared.lock().unwrap_or_else(PoisonError::into_inner) = spares.then_some(dossier);
    Err(request.partial(Some(first)))
}

/// Decodes the root of an answer, the errors beside it, and the scalars that are read as none.
fn opened<T: DeserializeOwned>(request: &Request, body: &[u8]) -> Result<(T, Vec<GraphqlError>, Vec<Odd>), ApiError> {
    let decoded = decode_around::<Envelope<T>>(body);
    let (envelope, odd) = decoded.map_err(|undecoded| explain(request, body, undecoded))?;
    let (root, errors) = open(request, envelope)?;
    Ok((root, errors, odd))
}

/// Reads the payload of a mutation, with its own list of refusals.
///
/// # Errors
/// Any error in it. [`ApiError::Rejected`] means that the mutation surely had no effect: the operation was refused
/// before it was executed, the answer has no `data` and its errors have no path. Any other error beside the payload,
/// whatever its code, may have struck after the effect.
pub(super) fn payload<T: DeserializeOwned>(request: &Request, body: &[u8]) -> Result<T, ApiError> {
    let envelope = decode::<Envelope<T>>(body).map_err(|undecoded| explain(request, body, undecoded))?;
    let errors = envelope.errors.unwrap_or_default();
    match envelope.data.map(|data| data.and_then(|data| data.root)) {
        Some(Some(payload)) if errors.is_empty() => Ok(payload),
        // The platform loads what a mutation names before it acts, so this error most likely had no effect. It is no
        // proof.
        Some(None) if errors.iter().any(not_loaded) => Err(refusal(request, &errors, true)),
        None if before_execution(&errors) => Err(refusal(request, &errors, false)),
        _ => Err(request.partial(errors.first())),
    }
}

/// Returns true if an error says that the platform did not find, or did not show, what the mutation names.
fn not_loaded(error: &GraphqlError) -> bool {
    let whole = error.path.as_ref().is_none_or(|path| path.len() <= 1);
    whole && matches!(error.code(), Some("not_found" | "unauthorized"))
}

/// Returns true if the errors of an answer without data come from before the execution: validation errors have no path.
/// A bad request, or an exception, looks the same after the effect.
fn before_execution(errors: &[GraphqlError]) -> bool {
    let late = |error: &GraphqlError| {
        error.path.is_some() || matches!(error.code(), Some("bad_request" | "timeout" | "internal_server_error"))
    };
    !errors.is_empty() && !errors.iter().any(late)
}

/// Returns true if an answer with the status of a failure may come from an operation that was executed: it has `data`,
/// if only a null, or names the path at which an error struck.
pub(super) fn may_be_executed(body: &[u8]) -> Option<GraphqlError> {
    let envelope = decode::<Envelope<IgnoredAny>>(body).ok()?;
    let errors = envelope.errors.filter(|errors| !errors.is_empty())?;
    let executed = envelope.data.is_some() || !before_execution(&errors);
    errors.into_iter().next().filter(|error| executed && error.code() != Some("graphql_parse_failed"))
}

/// Reads a page of a listing. Nodes that cannot be read become holes; the page as a whole fails only if its errors
/// cannot be attributed to nodes.
///
/// # Errors
/// Any error that concerns the whole page.
pub(super) fn page<N: Node>(request: &Request, listing: u64, body: &[u8]) -> Result<Page<N::Domain>, ApiError> {
    let page = read_page::<N>(request, listing, body)?;
    Ok(Page { bytes: body.len(), ..page })
}

fn read_page<N: Node>(request: &Request, listing: u64, body: &[u8]) -> Result<Page<N::Domain>, ApiError> {
    // One pass over the whole page is cheapest, and almost every page decodes.
    if let Ok(envelope) = decode::<Envelope<Listed<N>>>(body) {
        let (listed, errors) = open(request, envelope)?;
        return connection(request, listing, listed.dossiers, &errors, |node| Ok((node, Vec::new())));
    }
    // One node that does not decode must not cost the others (trap 5): decode again, node by node.
    let envelope = decode::<Envelope<Listed<Box<RawValue>>>>(body).map_err(|error| explain(request, body, error))?;
    let (listed, errors) = open(request, envelope)?;
    connection(request, listing, listed.dossiers, &errors, |raw| {
        let json = raw.get().as_bytes();
        decode_around::<N>(json).map_err(|undecoded| {
            if let Ok(numbered) = decode::<Numbered>(json) {
                return Unreadable::Dossier(numbered.number, undecoded);
            }
            match decode::<AnyNumbered>(json) {
                Ok(AnyNumbered { number }) => Unreadable::Beyond(number.to_string()),
                Err(_) => Unreadable::Nameless(undecoded),
            }
        })
    })
}

/// Node of a page that does not decode.
pub(super) enum Unreadable {
    /// The dossier of this number.
    Dossier(u32, Undecoded),
    /// A dossier whose number does not fit ours. It cannot be read, kept or put into quarantine by number: it is
    /// reported, and the others go on.
    Beyond(String),
    /// The dossier is not known.
    Nameless(Undecoded),
}

/// Returns the root of an answer, and the errors beside it.
fn open<T>(request: &Request, envelope: Envelope<T>) -> Result<(T, Vec<GraphqlError>), ApiError> {
    let errors = envelope.errors.unwrap_or_default();
    match envelope.data {
        Some(Some(data)) => match data.root {
            Some(root) => Ok((root, errors)),
            None => Err(refusal(request, &errors, true)),
        },
        Some(None) => Err(refusal(request, &errors, true)),
        None => Err(refusal(request, &errors, false)),
    }
}

/// Explains data that does not decode: the errors beside it say more than the place where decoding stopped.
fn explain(request: &Request, body: &[u8], undecoded: Undecoded) -> ApiError {
    match decode::<Envelope<IgnoredAny>>(body).ok().and_then(|envelope| envelope.errors) {
        Some(errors) => match errors.iter().find(|error| !is_benign(error)) {
            Some(error) => request.partial(Some(error)),
            None => request.undecodable(undecoded),
        },
        None => request.undecodable(undecoded),
    }
}

/// Finds what a page says against itself. The rows and `hasNextPage` come from two queries (trap 15), so such a page
/// may be transient and a retry may give a consistent one. It is never taken for the end of a listing.
fn contradiction(nodes: usize, has_next: bool, end: Option<&str>) -> Option<&'static str> {
    match (nodes, has_next, end) {
        (0, true, _) => Some("the page is empty, and `hasNextPage` is true"),
        (_, true, None | Some("")) => Some("`hasNextPage` is true, and there is no cursor"),
        _ => None,
    }
}

/// Builds a page from a connection and the errors beside it. It is good only if the nodes are a list, none of them is
/// null, and every error is benign or attributed to a node.
pub(super) fn connection<R, N: Node>(
    request: &Request,
    listing: u64,
    connection: Option<Connection<R>>,
    errors: &[GraphqlError],
    read: impl Fn(R) -> Result<(N, Vec<Odd>), Unreadable>,
) -> Result<Page<N::Domain>, ApiError> {
    let fatal: Vec<&GraphqlError> = errors.iter().filter(|error| !is_benign(error)).collect();
    let Some(Connection { page_info: Some(page_info), nodes: Some(nodes) }) = connection else {
        return Err(request.partial(fatal.first().copied()));
    };
    let mut placed: BTreeMap<usize, &GraphqlError> = BTreeMap::new();
    let mut unplaced: Vec<&GraphqlError> = Vec::new();
    for error in &fatal {
        match node_of(error).filter(|position| *position < nodes.len()) {
            Some(position) => drop(placed.entry(position).or_insert(error)),
            None => unplaced.push(error),
        }
    }
    // An error of Démat Social has no path. It is accepted only if a null node explains it, one each: an error more may
    // have emptied a field inside a dossier that looks whole.
    if let Some(error) = unplaced.first()
        && nodes.iter().filter(|node| node.is_none()).count() < unplaced.len()
    {
        return Err(request.partial(Some(error)));
    }
    if let Some(reason) = contradiction(nodes.len(), page_info.has_next_page, page_info.end_cursor.as_deref()) {
        return Err(request.undecodable(Undecoded { path: "pageInfo".to_owned(), reason: reason.to_owned() }));
    }
    // Only the first error of a time-out has a code (trap 3): it decides for all.
    let code = fatal.iter().find_map(|error| error.code());
    let mut drift = Drifts::default();
    let mut holes = Vec::new();
    let mut good = Vec::with_capacity(nodes.len());
    for (position, node) in nodes.into_iter().enumerate() {
        let error =
            placed.get(&position).copied().or_else(|| if node.is_none() { unplaced.first().copied() } else { None });
        let node = node.map(&read);
        let number = match &node {
            Some(Ok((node, _))) => Some(DossierNumber::new(node.number())),
            Some(Err(Unreadable::Dossier(number, _))) => Some(DossierNumber::new(*number)),
            Some(Err(Unreadable::Beyond(_) | Unreadable::Nameless(_))) | None => None,
        };
        let (reason, message) = match (error, node) {
            (_, Some(Err(Unreadable::Beyond(number)))) => {
                drift.number(Drift::BEYOND, &number);
                continue;
            }
            (Some(error), _) => (error.code().or(code).unwrap_or("partial"), cut(&error.message)),
            (None, None) => (code.unwrap_or("null_node"), "the platform sent nothing for it".to_owned()),
            (None, Some(Err(Unreadable::Dossier(_, undecoded) | Unreadable::Nameless(undecoded)))) => {
                ("undecodable", format!("{} at `{}`", undecoded.reason, undecoded.path))
            }
            (None, Some(Ok((node, odd)))) => {
                good.push(node.convert_with(odd, &mut drift));
                continue;
            }
        };
        holes.push(Hole { position, number, reason: reason.to_owned(), message });
    }
    Ok(Page {
        nodes: good,
        holes,
        end: page_info.end_cursor.map(|text| Cursor { text, listing }),
        has_next: page_info.has_next_page,
        drift: drift.into_vec(),
        bytes: 0,
    })
}
