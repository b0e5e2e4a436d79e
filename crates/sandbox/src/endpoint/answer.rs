//! Applies the rules of the platform before GraphQL, in its order: host, token, limits, faults.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::auth;
use super::fault::{self, FaultPlan};
use super::log::RequestInfo;
use super::message::{Incoming, Outgoing};
use super::storage;
use super::stored::stored;
use crate::graph::{Answer, Asked, Engine};
use crate::time::Language;
use crate::world::World;

/// The path of the API.
const GRAPHQL: &str = "/api/v2/graphql";

/// Everything that is not the world: parsed documents, faults, log, counters.
#[derive(Default)]
pub(crate) struct Endpoint {
    pub engine: Engine,
    pub plans: Vec<FaultPlan>,
    pub log: Vec<RequestInfo>,
    pub violations: Vec<String>,
    /// `true` if the host is an old name of the platform.
    pub redirects: bool,
    buckets: HashMap<String, (i64, u32)>,
    served: u64,
}

/// The content of a body.
struct Parsed {
    query: Option<String>,
    query_id: Option<String>,
    operation_name: Option<String>,
    variables: Map<String, Json>,
}

impl Endpoint {
    /// Answers one request and writes it into the log.
    pub fn answer(&mut self, world: &mut World, request: &Incoming) -> (Outgoing, RequestInfo) {
        self.served += 1;
        let is_graphql = request.path == GRAPHQL;
        let parsed = if is_graphql { parse(request) } else { Err((404, json!({}))) };
        let is_upload = request.method == "PUT";
        let upload = is_upload.then(|| "upload".to_owned());
        let asked = upload.or_else(|| parsed.as_ref().ok().and_then(|parsed| parsed.operation_name.clone()));
        let variables = parsed.as_ref().map(|parsed| Json::Object(parsed.variables.clone())).unwrap_or_default();
        let mut plans = self.plans.iter_mut();
        let struck = plans.find_map(|plan| plan.strikes(asked.as_deref()).then(|| plan.fault.clone()));
        let mut operation = asked;
        let mut answer = match &struck {
            Some(fault) if !fault.executes() => fault.instead(world.now(), &request.host, self.served),
            _ if is_graphql => {
                let (answer, executed) = self.graphql(world, request, parsed);
                operation = executed.or(operation);
                answer
            }
            _ if is_upload => storage::receive(world, request, &mut self.violations),
            _ => storage::send(world, request),
        };
        if let Some(fault) = &struck {
            fault.spoil(&mut answer);
        }
        let date = world.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        answer.headers.push(("date", date));
        let info = RequestInfo {
            rank: self.served,
            operation,
            variables,
            status: answer.status,
            bytes: answer.body.len(),
            at: world.now(),
            fault: struck.map(|fault| format!("{fault:?}")),
        };
        self.log.push(info.clone());
        (answer, info)
    }

    fn graphql(
        &mut self,
        world: &mut World,
        request: &Incoming,
        parsed: Result<Parsed, (u16, Json)>,
    ) -> (Outgoing, Option<String>) {
        let refuse = |(status, body): (u16, Json)| (Outgoing::json(status, body.to_string().into_bytes()), None);
        if self.redirects || request.host.contains("demarches.numerique.gouv.fr") {
            return (fault::redirect("demarche.numerique.gouv.fr"), None);
        }
        if request.method != "POST" {
            return (Outgoing::text(404, "text/html", "<h1>404</h1>"), None);
        }
        if let Some(answer) = self.throttle(world, request) {
            return (answer, None);
        }
        if world.maintenance {
            return (fault::maintenance(), None);
        }
        let stored_id = parsed.as_ref().ok().and_then(|parsed| parsed.query_id.clone());
        let scope = match auth::scope(world, request.authorization.as_deref(), stored_id.is_some()) {
            Ok(scope) => scope,
            Err(refusal) => return refuse(refusal),
        };
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(refusal) => return refuse(refusal),
        };
        let text = match &parsed.query_id {
            Some(id) => match stored(id, parsed.operation_name.as_deref()) {
                Some(text) => text,
                None => return (Outgoing::json(500, Answer::crash(self.served).body), None),
            },
            None => match &parsed.query {
                Some(query) => query.as_str(),
                None => return refuse((200, json!({"errors": [{"message": "No query string was present"}]}))),
            },
        };
        let asked = Asked {
            query: text,
            operation_name: parsed.operation_name.as_deref(),
            variables: &parsed.variables,
            scope,
            language: language(request),
            base_url: format!("http://{}", request.host),
        };
        let Answer { status, body, operation, violations } = self.engine.execute(world, &asked);
        let name = operation.as_deref().unwrap_or("unnamed");
        self.violations.extend(violations.into_iter().map(|violation| format!("{name}: {violation}")));
        (Outgoing::json(status, body), operation)
    }

    /// A fixed window of a minute for each spelling of the header.
    fn throttle(&mut self, world: &World, request: &Incoming) -> Option<Outgoing> {
        let limit = world.rate_limit?;
        let minute = world.now().as_second().div_euclid(60);
        let bucket = self.buckets.entry(request.authorization.clone().unwrap_or_default()).or_insert((minute, 0));
        if bucket.0 != minute {
            *bucket = (minute, 0);
        }
        bucket.1 += 1;
        (bucket.1 > limit).then(|| fault::rate_limited(Some((minute + 1) * 60)))
    }
}

fn parse(request: &Incoming) -> Result<Parsed, (u16, Json)> {
    let bad = |message: &str, code: &str| (400, auth::refusal(message, code));
    let is_form = request.content_type.as_deref().is_some_and(|kind| kind.contains("x-www-form-urlencoded"));
    let mut fields: Map<String, Json> = if is_form {
        let pairs = url::form_urlencoded::parse(&request.body);
        pairs.map(|(key, value)| (key.into_owned(), Json::String(value.into_owned()))).collect()
    } else {
        match serde_json::from_slice(&request.body) {
            Ok(Json::Object(fields)) => fields,
            Ok(_) => Map::new(),
            Err(error) => {
                return Err(bad(&format!("Error occurred while parsing request parameters: {error}"), "bad_request"));
            }
        }
    };
    let mut text = |key: &str| match fields.remove(key) {
        Some(Json::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    let (query, query_id, operation_name) = (text("query"), text("queryId"), text("operationName"));
    let variables = match fields.remove("variables") {
        Some(Json::Object(variables)) => variables,
        Some(Json::String(text)) if !text.is_empty() => match serde_json::from_str(&text) {
            Ok(Json::Object(variables)) => variables,
            _ => return Err(bad("variables is not valid JSON", "graphql_parse_failed")),
        },
        _ => Map::new(),
    };
    Ok(Parsed { query, query_id, operation_name, variables })
}

/// `?locale=`, then the first known language of `Accept-Language`, then French.
fn language(request: &Incoming) -> Language {
    let asked = url::form_urlencoded::parse(request.query.as_bytes()).find(|(key, _)| key == "locale");
    let header = request.accept_language.as_deref().unwrap_or_default().split(',');
    let tags = asked.iter().map(|(_, value)| value.as_ref()).chain(header);
    for tag in tags {
        match tag.trim().get(..2) {
            Some("en") => return Language::English,
            Some("fr") => return Language::French,
            _ => {}
        }
    }
    Language::French
}
