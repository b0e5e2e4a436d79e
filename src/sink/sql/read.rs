//! Reads checkpoint, census, documents, quarantine and run history.

use std::collections::BTreeMap;

use super::fault::Fault;
use super::remember::{from_word, whose};
use super::store::{Fields, Store};
use super::value::Value;
use crate::checkpoint::Checkpoint;
use crate::dossier::{Gone, GoneReason};
use crate::fingerprint::Digest;
use crate::ids::{DossierNumber, Scope};
use crate::plan::{Known, KnownDossier};
use crate::report::RunRecord;
use crate::sink::settle::Held;
use crate::sink::{CensusEntry, QuarantineEntry, StoredDocument, Totals};

pub(in crate::sink) async fn checkpoint<S: Store>(store: &mut S, scope: &Scope) -> Result<Option<Checkpoint>, Fault> {
    let query = "SELECT CAST(checkpoint AS text) AS checkpoint FROM dn_checkpoints \
                 WHERE instance = $1 AND demarche = $2";
    let rows = store.rows(query.into(), &whose(scope)).await?;
    let read = |text: &str| {
        serde_json::from_str(text).map_err(|_| Fault::Altered(format!("the checkpoint of {scope} cannot be read")))
    };
    rows.first().map(|row| row.text("checkpoint").and_then(read)).transpose()
}

/// Reads stored dossiers, as far as a commit needs them.
pub(super) async fn held<S: Store>(
    store: &mut S,
    scope: &Scope,
    numbers: &[DossierNumber],
) -> Result<BTreeMap<DossierNumber, Held>, Fault> {
    let [instance, demarche] = whose(scope);
    let rows = store.rows(S::HELD.into(), &[instance, demarche, Value::Numbers(numbers)]).await?;
    let held = |row: &S::Row| {
        let (fingerprint, light) = (digest(row, "fingerprint")?, digest(row, "light")?);
        let known = KnownDossier { fingerprint, light, gone: gone(row)? };
        Ok((number(row)?, Held { known, last_changed: row.instant("last_changed")? }))
    };
    rows.iter().map(held).collect()
}

pub(in crate::sink) async fn known<S: Store>(
    store: &mut S,
    scope: &Scope,
    numbers: &[DossierNumber],
) -> Result<Known, Fault> {
    let held = held(store, scope, numbers).await?;
    Ok(held.into_iter().map(|(number, held)| (number, held.known)).collect())
}

pub(in crate::sink) async fn totals<S: Store>(store: &mut S, scope: &Scope) -> Result<Totals, Fault> {
    // Two counts over two indexes, as a count over the rows would read every dossier.
    let query = "SELECT (SELECT count(*) FROM dn_dossiers WHERE instance = $1 AND demarche = $2) AS every, \
                 (SELECT count(*) FROM dn_dossiers WHERE instance = $1 AND demarche = $2 AND gone IS NOT NULL) AS gone";
    let rows = store.rows(query.into(), &whose(scope)).await?;
    let row = rows.first().ok_or_else(|| Fault::unreadable("every"))?;
    let (every, gone) = (row.integer("every")?, row.integer("gone")?);
    Ok(Totals { alive: (every - gone).unsigned_abs(), gone: gone.unsigned_abs() })
}

/// The parameters of a page: whose, after which number, how many.
fn page(scope: &Scope, after: Option<DossierNumber>, limit: u32) -> [Value<'_>; 4] {
    let [instance, demarche] = whose(scope);
    let after = after.map_or(-1, |number| i64::from(number.get()));
    [instance, demarche, after.into(), limit.into()]
}

pub(in crate::sink) async fn census<S: Store>(
    store: &mut S,
    scope: &Scope,
    after: Option<DossierNumber>,
    limit: u32,
) -> Result<Vec<CensusEntry>, Fault> {
    let query = "SELECT number, light, gone, gone_reason, gone_at FROM dn_dossiers \
                 WHERE instance = $1 AND demarche = $2 AND number > $3 ORDER BY number LIMIT $4";
    let rows = store.rows(query.into(), &page(scope, after, limit)).await?;
    let entry = |row: &S::Row| Ok(CensusEntry { number: number(row)?, light: digest(row, "light")?, gone: gone(row)? });
    rows.iter().map(entry).collect()
}

pub(in crate::sink) async fn documents<S: Store>(
    store: &mut S,
    scope: &Scope,
    after: Option<DossierNumber>,
    limit: u32,
) -> Result<Vec<StoredDocument>, Fault> {
    let query = "SELECT number, CAST(document AS text) AS document, light, fingerprint, gone, gone_reason, gone_at, \
                 last_changed FROM dn_dossiers WHERE instance = $1 AND demarche = $2 AND number > $3 \
                 AND (gone IS NULL OR gone <> 'retention') ORDER BY number LIMIT $4";
    let rows = store.rows(query.into(), &page(scope, after, limit)).await?;
    let document = |row: &S::Row| {
        Ok(StoredDocument {
            number: number(row)?,
            document: row.text("document")?.to_owned(),
            light: digest(row, "light")?,
            fingerprint: digest(row, "fingerprint")?,
            gone: gone(row)?,
            last_changed: row.instant("last_changed")?,
        })
    };
    rows.iter().map(document).collect()
}

pub(in crate::sink) async fn quarantine<S: Store>(store: &mut S, scope: &Scope) -> Result<Vec<QuarantineEntry>, Fault> {
    let query = "SELECT number, reason, message, since, attempts, next_try FROM dn_quarantine \
                 WHERE instance = $1 AND demarche = $2";
    let rows = store.rows(query.into(), &whose(scope)).await?;
    let entry = |row: &S::Row| {
        Ok::<_, Fault>(QuarantineEntry {
            number: number(row)?,
            reason: row.text("reason")?.to_owned(),
            message: row.text("message")?.to_owned(),
            since: row.instant("since")?,
            attempts: row.whole("attempts")?,
            next_try: row.instant("next_try")?,
        })
    };
    let mut entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    // Not in SQL: as texts, instants with and without fractions of a second do not sort.
    entries.sort_by_key(|entry| (entry.since, entry.number));
    Ok(entries)
}

pub(in crate::sink) async fn runs<S: Store>(store: &mut S, scope: &Scope, limit: u32) -> Result<Vec<RunRecord>, Fault> {
    let query = "SELECT id, started_at, ended_at, outcome, CAST(report AS text) AS report FROM dn_runs \
                 WHERE instance = $1 AND demarche = $2 ORDER BY seq DESC LIMIT $3";
    let [instance, demarche] = whose(scope);
    let rows = store.rows(query.into(), &[instance, demarche, limit.into()]).await?;
    let run = |row: &S::Row| {
        Ok(RunRecord {
            id: row.text("id")?.to_owned(),
            started_at: row.instant("started_at")?,
            ended_at: row.instant("ended_at")?,
            outcome: from_word(row.text("outcome")?, "outcome")?,
            // A run needs nothing of an old report: one that this version cannot read must not keep it from running.
            report: serde_json::from_str(row.text("report")?).unwrap_or_default(),
        })
    };
    rows.iter().map(run).collect()
}

pub(super) fn number(row: &impl Fields) -> Result<DossierNumber, Fault> {
    row.whole("number").map(DossierNumber::new)
}

fn gone(row: &impl Fields) -> Result<Option<Gone>, Fault> {
    let Some(kind) = row.maybe_text("gone")? else { return Ok(None) };
    let word = || row.maybe_text("gone_reason").map(|word| word.unwrap_or_default().to_owned());
    let reason = match kind {
        "pending" => GoneReason::Pending(word()?),
        "deleted" => GoneReason::Deleted(word()?),
        "missing" => GoneReason::Missing,
        "filtered" => GoneReason::Filtered,
        "retention" => GoneReason::Retention,
        _ => return Err(Fault::unreadable("gone")),
    };
    Ok(Some(Gone { reason, at: row.maybe_instant("gone_at")? }))
}

/// Reads a digest. A damaged one becomes a digest that equals no other, so the dossier is read again.
fn digest(row: &impl Fields, column: &'static str) -> Result<Digest, Fault> {
    let text = row.text(column)?;
    Ok(text.parse().unwrap_or_else(|_| Digest::of(text.as_bytes())))
}
