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
pub(super) struct Visit<'a> {
    pub(super) request: &'a Request,
    pub(super) document: &'a Document,
    pub(super) role: Role,
}

impl Visit<'_> {
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
pub(super) async fn answer(visit: &Visit<'_>) -> Result<Answer, Failure> {
    let segments = visit.request.segments();
    let place = segments.get(2..).unwrap_or_default();
    let body = match (visit.request.method.as_str(), place) {
        ("POST", ["apply"]) => apply(visit)?,
        ("POST" | "GET", ["sql"]) => sql(visit).await?,
        ("GET", ["tables"]) => tables::list(visit),
        ("POST", ["tables"]) => tables::create(visit)?,
        ("PATCH", ["tables"]) => tables::patch(visit)?,
        (method, ["tables", table, rest @ ..]) if !rest.is_empty() => {
            let table = visit.table(table)?;
            match (method, rest) {
                ("GET", ["columns"]) => columns::list(visit, &table),
                ("POST", ["columns"]) => columns::create(visit, &table)?,
                ("PATCH", ["columns"]) => columns::patch(visit, &table)?,
                ("PUT", ["columns"]) => columns::put(visit, &table)?,
                ("DELETE", ["columns", column]) => columns::delete(visit, &table, column)?,
                ("GET" | "POST", ["records", "list"]) | ("GET", ["records"]) => query::records(visit, &table)?,
                ("GET", ["data"]) => query::data(visit, &table)?,
                ("POST", ["records"]) => records::create(visit, &table)?,
                ("PATCH", ["records"]) => records::patch(visit, &table)?,
                ("PUT", ["records"]) => records::put(visit, &table)?,
                ("POST", ["records" | "data", "delete"]) => records::delete(visit, &table)?,
                _ => return Err(unknown(visit)),
            }
        }
        ("POST", ["attachments"]) => attachments::upload(visit)?,
        ("GET", ["attachments"]) => attachments::list(visit),
        ("GET", ["attachments", id]) => attachments::one(visit, id)?,
        ("GET", ["attachments", id, "download"]) => return attachments::download(visit, id),
        ("POST", ["attachments", "removeUnused"]) => attachments::remove_unused(visit)?,
        ("GET", ["states"]) => visit.document.states(),
        ("POST", ["states", "remove"]) => {
            visit.owner()?;
            let keep =
                visit.request.json()?["keep"].as_u64().ok_or_else(|| Failure::payload("body.keep is missing"))?;
            visit.document.engine().forget_history(usize::try_from(keep).unwrap_or(usize::MAX));
            Json::Null
        }
        ("POST", ["force-reload"]) => {
            visit.document.engine().reload();
            Json::Null
        }
        _ => return Err(unknown(visit)),
    };
    Ok(Answer::json(&body))
}

fn unknown(visit: &Visit<'_>) -> Failure {
    Failure::refused(404, format!("not found: {}", visit.request.asked))
}

fn apply(visit: &Visit<'_>) -> Result<Json, Failure> {
    let body = visit.request.json()?;
    let actions = body.as_array().ok_or_else(|| Failure::refused(500, "`actions` parameter should be an array."))?;
    Ok(visit.apply(actions)?.body(&visit.document.id))
}

async fn sql(visit: &Visit<'_>) -> Result<Json, Failure> {
    if visit.role != Role::Owner && visit.document.engine().rules.exist() {
        return Err(Failure::refused(403, "insufficient document access"));
    }
    let body = match visit.request.query.get("q") {
        Some(sql) if visit.request.method == "GET" => json!({ "sql": sql }),
        _ => visit.request.json()?,
    };
    let sql = body["sql"].as_str().ok_or_else(|| Failure::payload("body.sql is missing"))?;
    let args = match &body["args"] {
        Json::Null => Vec::new(),
        Json::Array(args) => args.clone(),
        _ => return Err(Failure::payload("body.args is none of any[], null")),
    };
    let records = visit.document.query(sql, &args).await?;
    Ok(json!({ "statement": sql, "records": records }))
}
