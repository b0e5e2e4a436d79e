//! Execution, and the form of errors.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use apollo_compiler::ExecutableDocument;
use apollo_compiler::ast::OperationType;
use apollo_compiler::executable::Operation;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::{Execution, ObjectValue};
use apollo_compiler::response::{ExecutionResponse, GraphQLError, JsonMap, JsonValue};
use apollo_compiler::validation::Valid;
use serde_json::{Map, Value as Json, json};

use super::document::{Prepared, Schemas};
use super::mutation::{Call, Listing, MutationRoot, Outcome, perform};
use super::node::{Ctx, Failure, MARK};
use super::root::QueryRoot;
use crate::Platform;
use crate::time::Language;
use crate::world::World;

/// Documents kept in parsed form; a client has a handful of them.
const CACHE: usize = 256;

/// The scope of a caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// No token, or an unusable one: nothing but open descriptors.
    Anonymous,
    /// A token: all démarches, or some.
    Token { demarches: Option<BTreeSet<u32>>, write_access: bool },
}

impl Scope {
    pub fn sees(&self, demarche: u32) -> bool {
        match self {
            Self::Anonymous => false,
            Self::Token { demarches, .. } => demarches.as_ref().is_none_or(|numbers| numbers.contains(&demarche)),
        }
    }
}

/// One GraphQL request.
pub(crate) struct Asked<'a> {
    pub query: &'a str,
    pub operation_name: Option<&'a str>,
    pub variables: &'a Map<String, Json>,
    pub scope: Scope,
    pub language: Language,
    pub base_url: String,
}

/// The result of an execution.
pub(crate) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// Name of the operation that was executed.
    pub operation: Option<String>,
    /// Requests that a careful client never sends.
    pub violations: Vec<String>,
}

impl Answer {
    fn json(status: u16, body: &Json) -> Self {
        Self { status, body: body.to_string().into_bytes(), operation: None, violations: Vec::new() }
    }

    /// The answer to a Ruby exception.
    pub fn crash(nonce: u64) -> Self {
        let id = format!("00000000-0000-4000-8000-{nonce:012x}");
        let extensions = json!({ "code": "internal_server_error", "exception_id": id });
        Self::json(
            500,
            &json!({"errors": [{"message": "Internal Server Error", "extensions": extensions}], "data": null}),
        )
    }

    fn refused(errors: Vec<Json>) -> Self {
        Self::json(200, &json!({ "errors": errors }))
    }
}

/// Executes documents, and remembers them in parsed form.
#[derive(Default)]
pub(crate) struct Engine {
    documents: HashMap<String, Arc<Prepared>>,
    /// `true` if they were validated against the newer schema.
    newer: bool,
    /// The schemas of a platform that is not as it was pinned.
    altered: Option<Arc<Schemas>>,
}

impl Engine {
    /// Serves another schema from now on.
    pub fn alter(&mut self, schemas: Schemas) {
        self.documents.clear();
        self.altered = Some(Arc::new(schemas));
    }

    fn prepare(&mut self, schemas: &Schemas, newer: bool, text: &str) -> Arc<Prepared> {
        if self.newer != newer {
            self.newer = newer;
            self.documents.clear();
        }
        if let Some(prepared) = self.documents.get(text) {
            return Arc::clone(prepared);
        }
        if self.documents.len() >= CACHE {
            self.documents.clear();
        }
        let prepared = Prepared::new(schemas, text);
        self.documents.insert(text.to_owned(), Arc::clone(&prepared));
        prepared
    }

    /// Executes one request. Mutations may change the world; queries only move the counter of addresses.
    pub fn execute(&mut self, world: &mut World, asked: &Asked<'_>) -> Answer {
        let altered = self.altered.clone();
        let schemas = altered.as_deref().unwrap_or_else(|| Schemas::of(world.platform, world.newer));
        let prepared = self.prepare(schemas, world.newer, asked.query);
        let document = match &prepared.document {
            Ok(document) => document,
            Err(errors) => return Answer::refused(errors.clone()),
        };
        world.nonce += 1;
        if prepared.bare_fragment {
            return Answer::crash(world.nonce);
        }
        let Ok(operation) = document.operations.get(asked.operation_name) else {
            let message = match asked.operation_name {
                Some(name) => format!("No operation named \"{name}\""),
                None => "An operation name is required".to_owned(),
            };
            return Answer::refused(vec![json!({ "message": message })]);
        };
        let name = operation.name.as_ref().map(ToString::to_string);
        if let Some(message) = prepared.too_deep(name.as_deref().unwrap_or_default()) {
            return Answer::refused(vec![json!({ "message": message })]);
        }
        let JsonValue::Object(raw) = JsonValue::from(Json::Object(asked.variables.clone())) else {
            return Answer::refused(vec![json!({"message": "variables must be an object"})]);
        };
        let variables = match coerce_variable_values(&schemas.pinned, operation, &raw) {
            Ok(variables) => variables,
            Err(error) => return Answer::refused(vec![json!({ "message": error.message().to_string() })]),
        };
        let mut violations = prepared.root_violations.clone();
        let run = Run { schemas, prepared: &prepared, document, operation, variables: &variables, asked };
        let done = match operation.operation_type {
            OperationType::Mutation => run.mutate(world, &mut violations),
            _ => run.pass(world, Part::Query, &mut violations),
        };
        let mut answer = match done {
            Ok(response) => render(world.platform, &response.errors, response.data.as_ref()),
            Err(answer) => answer,
        };
        answer.operation = name;
        answer.violations = violations;
        answer
    }
}

/// The purpose of a pass over an operation.
enum Part<'p> {
    /// Answering a query.
    Query,
    /// Listing what a mutation asks for, before anything of it is executed.
    Listing(&'p RefCell<Vec<Call>>),
    /// Answering one root field of a mutation that was executed.
    Payload(&'p Call, &'p Outcome),
}

/// One operation, ready to be executed.
struct Run<'r> {
    schemas: &'r Schemas,
    prepared: &'r Arc<Prepared>,
    document: &'r Valid<ExecutableDocument>,
    operation: &'r Operation,
    variables: &'r Valid<JsonMap>,
    asked: &'r Asked<'r>,
}

impl Run<'_> {
    /// Resolves the operation, or one part of it, over the world as it is; the whole request may fail.
    fn pass(
        &self,
        world: &mut World,
        part: Part<'_>,
        violations: &mut Vec<String>,
    ) -> Result<ExecutionResponse, Answer> {
        let name = self.operation.name.as_ref().map(ToString::to_string).unwrap_or_default();
        let ctx = Ctx {
            world,
            prepared: Arc::clone(self.prepared),
            variables: JsonMap::clone(self.variables),
            scope: self.asked.scope.clone(),
            language: self.asked.language,
            base_url: self.asked.base_url.clone(),
            heavy: self.prepared.reads_champs(&name),
            failure: RefCell::new(None),
            timeout_reported: Cell::new(false),
            violations: RefCell::new(Vec::new()),
            nonce: Cell::new(world.nonce),
        };
        let root: Box<dyn ObjectValue + '_> = match part {
            Part::Query => Box::new(QueryRoot { ctx: &ctx }),
            Part::Listing(calls) => Box::new(Listing { ctx: &ctx, calls }),
            Part::Payload(call, outcome) => Box::new(MutationRoot { ctx: &ctx, call, outcome }),
        };
        let response = Execution::new(&self.schemas.served, self.document)
            .operation(self.operation)
            .implementers_map(&self.schemas.implementers)
            .coerced_variable_values(self.variables)
            .enable_schema_introspection(true)
            .execute_sync(&*root);
        drop(root);
        violations.append(&mut ctx.violations.borrow_mut());
        let nonce = ctx.nonce.get();
        let failure = ctx.failure.into_inner();
        world.nonce = nonce;
        match (failure, response) {
            (Some(Failure::Crash), _) => Err(Answer::crash(nonce)),
            (Some(Failure::Invalid(message)), _) => Err(Answer::refused(vec![json!({ "message": message })])),
            (None, Err(error)) => Err(Answer::refused(vec![json!({ "message": error.message().to_string() })])),
            (None, Ok(response)) => Ok(response),
        }
    }

    /// Executes the root fields in order, each one with its answer before the next one. An exception ends the request:
    /// what was done before it stays done.
    fn mutate(&self, world: &mut World, violations: &mut Vec<String>) -> Result<ExecutionResponse, Answer> {
        let calls = RefCell::new(Vec::new());
        let mut whole = self.pass(world, Part::Listing(&calls), violations)?;
        for call in calls.into_inner() {
            let outcome = perform(world, &self.asked.scope, &self.asked.base_url, &call);
            let response = self.pass(world, Part::Payload(&call, &outcome), violations)?;
            whole.errors.extend(response.errors);
            if let (Some(whole), Some(data)) = (&mut whole.data, response.data) {
                whole.extend(data);
            }
        }
        Ok(whole)
    }
}

fn render(platform: Platform, errors: &[GraphQLError], data: Option<&JsonMap>) -> Answer {
    let mut body = Vec::with_capacity(4096);
    body.push(b'{');
    if !errors.is_empty() {
        let errors: Vec<Json> = errors.iter().map(|error| field_error(platform, error)).collect();
        body.extend_from_slice(b"\"errors\":");
        body.extend_from_slice(Json::Array(errors).to_string().as_bytes());
        body.push(b',');
    }
    body.extend_from_slice(b"\"data\":");
    match data {
        // Writing JSON into memory fails for no value of this type.
        Some(data) => serde_json::to_writer(&mut body, data).unwrap_or_default(),
        None => body.extend_from_slice(b"null"),
    }
    body.push(b'}');
    Answer { status: 200, body, operation: None, violations: Vec::new() }
}

/// An error of a field in the platform's form: Démat Social says nothing but a message about a forbidden null.
fn field_error(platform: Platform, error: &GraphQLError) -> Json {
    let text = error.message.strip_prefix("resolver error: ").unwrap_or(&error.message);
    let (code, message) = match text.strip_prefix(MARK).and_then(|rest| rest.split_once(MARK)) {
        Some((code, message)) => (code, message),
        None => ("", text),
    };
    let mut json = json!({ "message": message });
    if code == "invalid_null" && platform == Platform::DematSocial {
        return json;
    }
    json["locations"] = error.locations.iter().map(|at| json!({"line": at.line, "column": at.column})).collect();
    json["path"] = serde_json::to_value(&error.path).unwrap_or_default();
    if !code.is_empty() {
        json["extensions"] = json!({ "code": code });
    }
    json
}
