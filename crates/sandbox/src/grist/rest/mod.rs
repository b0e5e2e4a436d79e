//! The routes under `/api` (docs/grist-api.md#requests).

mod attachments;
mod columns;
mod homes;
mod query;
mod records;
mod shape;
mod tables;

use serde_json::{Value as Json, json};

use super::auth::Role;
use super::document::{Applied, Document};
use super::failure::Failure;
use super::request::{Answer, Request};

pub(super) use homes::answer as home;

/// A request to a document by somebody who may at least read it.
pub(super) struct DocumentCall<'a> {
    pub(super) request: &'a Request,
    pub(super) document: &'a Document,
    pub(super) role: Role,
}

impl DocumentCall<'_> {
    /// Does a bundle; values are parsed unless the request says `noparse`.
    fn apply(&self, actions: &[Json]) -> Result<Applied, Failure> {
        let mut engine = self.document.engine();
        engine.allows(self.role, actions)?;
        engine.apply(actions, !self.request.flag("noparse"))
    }

    /// The same for a route on a table: errors of the engine are told in its words.
    fn apply_on(&self, table: &str, columns: &[String], actions: &[Json]) -> Result<Applied, Failure> {
        self.apply(actions).map_err(|failure| failure.on_table(table, columns.iter().map(String::as_str)))
    }

    /// The id of a table that a path names, be it by its number.
    fn table(&self, name: &str) -> Result<String, Failure> {
        let engine = self.document.engine();
        let by_number = name.parse().ok().map(|number| engine.state.table_id(number).to_owned());
        match by_number.filter(|id| !id.is_empty()) {
            Some(id) => Ok(id),
            None if engine.state.tables.contains_key(name) => Ok(name.to_owned()),
            None => Err(Failure::refused(404, format!("Table not found \"{name}\""))),
        }
    }

    fn owner(&self) -> Result<(), Failure> {
        if self.role == Role::Owner { Ok(()) } else { Err(Failure::refused(403, "No owner access")) }
    }
}

/// Answers a request to a document.
pub(super) async fn answer(call: &DocumentCall<'_>) -> Result<Answer, Failure> {
    let segments = call.request.segments();
    let place = segments.get(2..).unwrap_or_default();
    let body = match (call.request.method.as_str(), place) {
        ("POST", ["apply"]) => apply(call)?,
        ("POST" | "GET", ["sql"]) => sql(call).await?,
        ("GET", ["tables"]) => tables::list(call),
        ("POST", ["tables"]) => tables::create(call)?,
        ("PATCH", ["tables"]) => tables::patch(call)?,
        (method, ["tables", table, rest @ ..]) if !rest.is_empty() => {
            let table = call.table(table)?;
            match (method, rest) {
                ("GET", ["columns"]) => columns::list(call, &table),
                ("POST", ["columns"]) => columns::create(call, &table)?,
                ("PATCH", ["columns"]) => columns::patch(call, &table)?,
                ("PUT", ["columns"]) => columns::put(call, &table)?,
                ("DELETE", ["columns", column]) => columns::delete(call, &table, column)?,
                ("GET" | "POST", ["records", "list"]) | ("GET", ["records"]) => query::records(call, &table)?,
                ("GET", ["data"]) => query::data(call, &table)?,
                ("POST", ["records"]) => records::create(call, &table)?,
                ("PATCH", ["records"]) => records::patch(call, &table)?,
                ("PUT", ["records"]) => records::put(call, &table)?,
                ("POST", ["records" | "data", "delete"]) => records::delete(call, &table)?,
                _ => return Err(unknown(call)),
            }
        }
        ("POST", ["attachments"]) => attachments::upload(call)?,
        ("GET", ["attachments"]) => attachments::list(call),
        ("GET", ["attachments", id]) => attachments::one(call, id)?,
        ("GET", ["attachments", id, "download"]) => return attachments::download(call, id),
        ("POST", ["attachments", "removeUnused"]) => attachments::remove_unused(call)?,
        ("GET", ["states"]) => call.document.states(),
        ("POST", ["states", "remove"]) => {
            call.owner()?;
            let keep = call.request.json()?["keep"].as_u64().ok_or_else(|| Failure::payload("body.keep is missing"))?;
            call.document.engine().forget_history(usize::try_from(keep).unwrap_or(usize::MAX));
            Json::Null
        }
        ("POST", ["force-reload"]) => {
            call.document.engine().reload();
            Json::Null
        }
        _ => return Err(unknown(call)),
    };
    Ok(Answer::json(&body))
}

fn unknown(call: &DocumentCall<'_>) -> Failure {
    Failure::refused(404, format!("not found: {}", call.request.asked))
}

fn apply(call: &DocumentCall<'_>) -> Result<Json, Failure> {
    let body = call.request.json()?;
    let actions = body.as_array().ok_or_else(|| Failure::refused(500, "`actions` parameter should be an array."))?;
    Ok(call.apply(actions)?.body())
}

async fn sql(call: &DocumentCall<'_>) -> Result<Json, Failure> {
    if call.role != Role::Owner && call.document.engine().rules.exist() {
        return Err(Failure::refused(403, "insufficient document access"));
    }
    let body = match call.request.query.get("q") {
        Some(sql) if call.request.method == "GET" => json!({ "sql": sql }),
        _ => call.request.json()?,
    };
    let sql = body["sql"].as_str().ok_or_else(|| Failure::payload("body.sql is missing"))?;
    let args = match &body["args"] {
        Json::Null => Vec::new(),
        Json::Array(args) => args.clone(),
        _ => return Err(Failure::payload("body.args is none of any[], null")),
    };
    let records = call.document.query(sql, &args).await?;
    Ok(json!({ "statement": sql, "records": records }))
}
