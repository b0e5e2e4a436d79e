//! Reads rows of `Dn_dossiers` page by page: what a listing is compared with, and documents.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::fault::GristFault;
use super::known::{self, DocRecord, text};
use super::read::{Reader, quoted};
use super::shared;
use crate::ids::{DossierNumber, Scope};

/// Of a row of `Dn_dossiers`: whether nothing is kept of its dossier any more.
const PURGED: &str = "(coalesce(disparu, '') = 'retention')";

impl Reader {
    /// The next rows of `Dn_dossiers` after a number, in order: with `shown`, the analysts' table, those that are there or
    /// were purged; without it, those that have a document.
    pub(super) async fn dossier_rows(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
        columns: &[&str],
        shown: Option<(&str, &str)>,
    ) -> Result<Vec<DocRecord>, GristFault> {
        let (from, after) = (after, after.map_or(-1, |number| i64::from(number.get())));
        let there = shown.map_or_else(
            || format!(" AND NOT {PURGED}"),
            |(table, number)| {
                format!(" AND (numero IN (SELECT {} FROM {}) OR {PURGED})", quoted(number), quoted(table))
            },
        );
        let sql = format!(
            "SELECT {} FROM Dn_dossiers WHERE instance = ? AND demarche = ? AND empreinte <> '' AND numero > ?{there} \
             ORDER BY numero, id LIMIT ?",
            columns.join(", ")
        );
        let args = [json!(scope.instance), json!(scope.demarche.to_string()), json!(after), json!(limit)];
        if let (None, Some((table, number))) = (from, shown) {
            self.examine(&[(table, &[(number, "Int")])]).await?;
        }
        if let Some(mut rows) = self.sql(&sql, &args).await? {
            // Of a row and its copy the older one is kept up.
            rows.dedup_by_key(|row| row.get("numero").and_then(known::number));
            return Ok(rows);
        }
        let of = [("instance", vec![args[0].clone()]), ("demarche", vec![args[1].clone()])];
        let there: Option<BTreeSet<DossierNumber>> = match shown {
            Some((table, number)) => {
                let rows = self.doc.records(table, &[]).await?;
                Some(rows.iter().filter_map(|row| known::number(row.get(number)?)).collect())
            }
            None => None,
        };
        let number = |row: &DocRecord| row.get("numero").and_then(known::number);
        let wanted = |row: &DocRecord| {
            let of = number(row);
            let next = of.is_some_and(|number| i64::from(number.get()) > after);
            let purged = text(row, "disparu") == "retention";
            let there =
                there.as_ref().map_or(!purged, |there| purged || of.is_some_and(|number| there.contains(&number)));
            next && there && !text(row, "empreinte").is_empty()
        };
        let mut rows = self.doc.records(shared::DOSSIERS, &of).await?;
        rows.retain(wanted);
        rows.sort_by_key(|row| (number(row), known::id(row)));
        rows.dedup_by_key(|row| number(row));
        rows.truncate(limit as usize);
        Ok(rows)
    }

    /// Reads the rest of documents that have no place in one cell, by key.
    pub(super) async fn rests(&self, keys: Vec<Value>) -> Result<BTreeMap<String, String>, GristFault> {
        if keys.is_empty() {
            return Ok(BTreeMap::new());
        }
        let sql = "SELECT cle, valeur FROM Dn_suites WHERE cle IN (SELECT value FROM json_each(?))";
        let rows = match self.sql(sql, &[Value::Array(keys.clone()).to_string().into()]).await? {
            Some(rows) => rows,
            None => self.doc.records(shared::REST, &[("cle", keys)]).await?,
        };
        Ok(rows.iter().map(|row| (text(row, "cle").to_owned(), text(row, "valeur").to_owned())).collect())
    }
}
