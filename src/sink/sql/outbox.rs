//! Stores intents and the trail: `dn_status_updates` and `dn_status_trail`.

use jiff::Timestamp;

use super::fault::Fault;
use super::remember::{from_word, whose, word};
use super::store::{Fields, Store};
use super::value::Value;
use crate::dossier::DossierState;
use crate::fingerprint::Fingerprint;
use crate::ids::{DossierNumber, Scope};
use crate::intent::{Action, Expected, Intent, IntentId, Move, Parts, Progress, Seen, Status, Words};
use crate::sink::{Backlog, Entry, Happening, OutboxStep, Received, Recorded, TrailLine};

/// The columns of an intent, in order.
const COLUMNS: &str = "id, instance, demarche, number, action, author, motivation, message, correction, file, \
                       annotations, annotation, groupe, label, message_id, expected_state, expected_fingerprint, \
                       requires, silent, overrule, asked_at";

/// The columns of an intent in a query.
const READ: &str = "seq, id, number, action, author, motivation, message, correction, file, \
                    CAST(annotations AS text) AS annotations, annotation, groupe, label, message_id, expected_state, \
                    expected_fingerprint, requires, CAST(CAST(silent AS integer) AS bigint) AS silent, \
                    CAST(CAST(overrule AS integer) AS bigint) AS overrule, CAST(progress AS text) AS progress, asked_at";

/// Adds intents, inside a transaction.
pub(in crate::sink) async fn put<S: Store>(
    store: &mut S,
    scope: &Scope,
    intents: &[Intent],
    at: Timestamp,
) -> Result<Received, Fault> {
    let places: Vec<String> = (1..=21).map(|place| format!("${place}")).collect();
    let insert = format!(
        "INSERT INTO dn_status_updates ({COLUMNS}) VALUES ({}) ON CONFLICT (instance, demarche, id) DO NOTHING RETURNING seq",
        places.join(", ")
    );
    let mut received = Received::default();
    for intent in intents {
        let parts = Parts::from(&intent.action);
        if !store.rows(insert.clone().into(), &values(&parts, scope, intent, at)).await?.is_empty() {
            let line = TrailLine::of_intent(intent, Happening::Asked, at);
            write_line(store, scope, &line).await?;
            received.new += 1;
        } else if one(store, scope, &intent.id).await?.is_some_and(|entry| entry.intent.as_ref() == Ok(intent)) {
            received.known += 1;
        } else {
            received.taken.push(intent.id.clone());
        }
    }
    Ok(received)
}

fn values<'v>(parts: &'v Parts, scope: &'v Scope, intent: &'v Intent, at: Timestamp) -> [Value<'v>; 21] {
    let [instance, demarche] = whose(scope);
    [
        intent.id.as_str().into(),
        instance,
        demarche,
        intent.dossier.into(),
        (&parts.action).into(),
        intent.author.as_ref().map(Words::as_str).into(),
        parts.motivation.as_deref().into(),
        parts.message.as_deref().into(),
        parts.correction.as_deref().into(),
        parts.file.as_deref().into(),
        parts.annotations.as_deref().map_or(Value::Null, Value::Json),
        parts.annotation.as_deref().into(),
        parts.groupe.as_deref().into(),
        parts.label.as_deref().into(),
        parts.message_id.as_deref().into(),
        intent.expected.state.as_ref().map(DossierState::as_str).into(),
        intent.expected.fingerprint.into(),
        intent.requires.as_ref().map(IntentId::as_str).into(),
        Value::Boolean(intent.silent),
        Value::Boolean(intent.overrule),
        at.into(),
    ]
}

async fn one<S: Store>(store: &mut S, scope: &Scope, id: &IntentId) -> Result<Option<Entry>, Fault> {
    let query = format!("SELECT {READ} FROM dn_status_updates WHERE instance = $1 AND demarche = $2 AND id = $3");
    let [instance, demarche] = whose(scope);
    let rows = store.rows(query.into(), &[instance, demarche, id.as_str().into()]).await?;
    rows.first().map(entry).transpose()
}

pub(in crate::sink) async fn pending<S: Store>(
    store: &mut S,
    scope: &Scope,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<Entry>, Fault> {
    let query = format!(
        "SELECT {READ} FROM dn_status_updates \
         WHERE instance = $1 AND demarche = $2 AND status = 'pending' AND seq > $3 ORDER BY seq LIMIT $4"
    );
    let [instance, demarche] = whose(scope);
    let rows = store.rows(query.into(), &[instance, demarche, after.unwrap_or(0).into(), limit.into()]).await?;
    rows.iter().map(entry).collect()
}

pub(in crate::sink) async fn status<S: Store>(
    store: &mut S,
    scope: &Scope,
    id: &IntentId,
) -> Result<Option<Status>, Fault> {
    let query = "SELECT status FROM dn_status_updates WHERE instance = $1 AND demarche = $2 AND id = $3";
    let [instance, demarche] = whose(scope);
    let rows = store.rows(query.into(), &[instance, demarche, id.as_str().into()]).await?;
    rows.first().map(|row| from_word(row.text("status")?, "status")).transpose()
}

pub(in crate::sink) async fn of_dossier<S: Store>(
    store: &mut S,
    scope: &Scope,
    dossier: DossierNumber,
) -> Result<Vec<Recorded>, Fault> {
    let query = format!(
        "SELECT {READ}, status, before_state, before_fingerprint, after_state, after_fingerprint \
         FROM dn_status_updates WHERE instance = $1 AND demarche = $2 AND number = $3 ORDER BY seq"
    );
    let [instance, demarche] = whose(scope);
    let rows = store.rows(query.into(), &[instance, demarche, dossier.into()]).await?;
    let recorded = |row: &S::Row| {
        let before = seen(row, "before_state", "before_fingerprint")?;
        let after = seen(row, "after_state", "after_fingerprint")?;
        let moved = before.zip(after).map(|(before, after)| Move { before, after });
        Ok(Recorded { entry: entry(row)?, status: from_word(row.text("status")?, "status")?, moved })
    };
    rows.iter().map(recorded).collect()
}

pub(in crate::sink) async fn moves<S: Store>(
    store: &mut S,
    scope: &Scope,
    dossier: DossierNumber,
) -> Result<Vec<Move>, Fault> {
    let query = "SELECT before_state, before_fingerprint, after_state, after_fingerprint FROM dn_status_updates \
                 WHERE instance = $1 AND demarche = $2 AND number = $3 AND before_state IS NOT NULL \
                 AND after_state IS NOT NULL ORDER BY seq";
    let [instance, demarche] = whose(scope);
    let rows = store.rows(query.into(), &[instance, demarche, dossier.into()]).await?;
    let step = |row: &S::Row| {
        let at = |state, print| seen(row, state, print)?.ok_or_else(|| Fault::unreadable(print));
        Ok(Move { before: at("before_state", "before_fingerprint")?, after: at("after_state", "after_fingerprint")? })
    };
    rows.iter().map(step).collect()
}

/// Writes a step of an intent, inside a transaction.
pub(in crate::sink) async fn write<S: Store>(store: &mut S, scope: &Scope, step: &OutboxStep<'_>) -> Result<(), Fault> {
    let update = "UPDATE dn_status_updates SET progress = $4, before_state = $5, before_fingerprint = $6, \
                  status = $7, reason = $8, words = $9, after_state = $10, after_fingerprint = $11, settled_at = $12 \
                  WHERE instance = $1 AND demarche = $2 AND id = $3";
    let progress = serde_json::to_string(step.progress).expect("progress is plain data with text keys");
    let before = step.progress.before.as_ref();
    let settled = step.settled;
    // The new state of the dossier is recorded only if something was sent.
    let after = settled.and_then(|settled| settled.after.as_ref());
    let status = word(&settled.map_or(Status::Pending, |settled| settled.status));
    // While it waits, the row says why.
    let waits = step.progress.waits.as_ref().filter(|_| settled.is_none());
    let (reason, words) = match settled {
        Some(settled) => (settled.reason, settled.words.as_deref()),
        None => (waits.map(|waits| waits.reason.as_str()), waits.map(|waits| waits.words.as_str())),
    };
    let [instance, demarche] = whose(scope);
    let values = [
        instance,
        demarche,
        step.entry.id.as_str().into(),
        Value::Json(&progress),
        before.map(|seen| seen.state.as_str()).into(),
        before.map(|seen| seen.fingerprint).into(),
        status.into(),
        reason.into(),
        words.into(),
        after.map(|seen| seen.state.as_str()).into(),
        after.map(|seen| seen.fingerprint).into(),
        settled.map(|_| step.line.at).into(),
    ];
    store.run(update.into(), &values).await?;
    write_line(store, scope, &step.line).await
}

async fn write_line<S: Store>(store: &mut S, scope: &Scope, line: &TrailLine) -> Result<(), Fault> {
    let insert = "INSERT INTO dn_status_trail \
                  (instance, demarche, id, number, at, happening, action, author, mutation, words, state, fingerprint) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let [instance, demarche] = whose(scope);
    let values = [
        instance,
        demarche,
        line.intent.as_str().into(),
        line.dossier.into(),
        line.at.into(),
        word(&line.happening).into(),
        (&line.action).into(),
        line.author.as_deref().into(),
        line.mutation.as_deref().into(),
        line.words.as_deref().into(),
        line.seen.as_ref().map(|seen| seen.state.as_str()).into(),
        line.seen.as_ref().map(|seen| seen.fingerprint).into(),
    ];
    store.run(insert.into(), &values).await
}

pub(in crate::sink) async fn trail<S: Store>(
    store: &mut S,
    scope: &Scope,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<TrailLine>, Fault> {
    let query = "SELECT seq, id, number, at, happening, action, author, mutation, words, state, fingerprint \
                 FROM dn_status_trail WHERE instance = $1 AND demarche = $2 AND seq > $3 ORDER BY seq LIMIT $4";
    let [instance, demarche] = whose(scope);
    let rows = store.rows(query.into(), &[instance, demarche, after.unwrap_or(0).into(), limit.into()]).await?;
    let line = |row: &S::Row| {
        let maybe = |column| Ok::<_, Fault>(row.maybe_text(column)?.map(str::to_owned));
        Ok(TrailLine {
            seq: row.integer("seq")?,
            at: row.instant("at")?,
            intent: id(row)?,
            dossier: DossierNumber::new(row.whole("number")?),
            happening: from_word(row.text("happening")?, "happening")?,
            action: row.text("action")?.to_owned(),
            author: maybe("author")?,
            mutation: maybe("mutation")?,
            words: maybe("words")?,
            seen: seen(row, "state", "fingerprint")?,
        })
    };
    rows.iter().map(line).collect()
}

pub(in crate::sink) async fn depth<S: Store>(store: &mut S, scope: &Scope) -> Result<Vec<(Status, u64)>, Fault> {
    let query = "SELECT status, count(*) AS lines FROM dn_status_updates \
                 WHERE instance = $1 AND demarche = $2 GROUP BY status";
    let rows = store.rows(query.into(), &whose(scope)).await?;
    let mut depth = rows
        .iter()
        .map(|row| Ok((from_word(row.text("status")?, "status")?, row.integer("lines")?.unsigned_abs())))
        .collect::<Result<Vec<_>, Fault>>()?;
    depth.sort_unstable();
    Ok(depth)
}

/// Counts pending intents of all démarches.
pub(in crate::sink) async fn backlog<S: Store>(store: &mut S) -> Result<Vec<Backlog>, Fault> {
    let query = "SELECT instance, CAST(demarche AS text) AS demarche, count(*) AS lines FROM dn_status_updates \
                 WHERE status = 'pending' GROUP BY instance, demarche ORDER BY instance, demarche";
    let rows = store.rows(query.into(), &[]).await?;
    let line = |row: &S::Row| {
        Ok(Backlog {
            instance: row.text("instance")?.to_owned(),
            demarche: row.text("demarche")?.to_owned(),
            pending: row.integer("lines")?.unsigned_abs(),
        })
    };
    rows.iter().map(line).collect()
}

/// Applies an operator's command to an intent, inside a transaction.
pub(in crate::sink) async fn resolve<S: Store>(
    store: &mut S,
    scope: &Scope,
    id: &IntentId,
    status: Status,
    at: Timestamp,
) -> Result<bool, Fault> {
    let update = "UPDATE dn_status_updates SET status = $4, progress = NULL, reason = NULL, words = NULL \
                  WHERE instance = $1 AND demarche = $2 AND id = $3 AND status NOT IN ('done', 'already_done') \
                  RETURNING seq";
    let Some(entry) = one(store, scope, id).await? else { return Ok(false) };
    let [instance, demarche] = whose(scope);
    let values = [instance, demarche, id.as_str().into(), word(&status).into()];
    if store.rows(update.into(), &values).await?.is_empty() {
        return Ok(false);
    }
    let mut line = TrailLine::of_entry(&entry, Happening::Resolved, at);
    line.words = Some(status.as_str().to_owned());
    write_line(store, scope, &line).await?;
    Ok(true)
}

fn id(row: &impl Fields) -> Result<IntentId, Fault> {
    Ok(IntentId::of_row(row.text("id")?))
}

fn seen(row: &impl Fields, state: &str, print: &'static str) -> Result<Option<Seen>, Fault> {
    let (Some(state), Some(fingerprint)) = (row.maybe_text(state)?, row.maybe_text(print)?) else { return Ok(None) };
    let fingerprint = fingerprint.parse().map_err(|_| Fault::unreadable(print))?;
    Ok(Some(Seen { state: DossierState::from(state), fingerprint }))
}

/// Reads a line, which any application may have written: an unreadable part is reported with its intent, and stops no other.
fn entry(row: &impl Fields) -> Result<Entry, Fault> {
    let progress: Progress = match row.maybe_text("progress")? {
        Some(text) => serde_json::from_str(text).map_err(|_| Fault::unreadable("progress"))?,
        None => Progress::default(),
    };
    let id = id(row)?;
    let number = u32::try_from(row.integer("number")?);
    let dossier = DossierNumber::new(number.unwrap_or_default());
    let mut intent = intent(row, &id, dossier)?;
    if number.is_err() {
        intent = Err("no dossier has this number".to_owned());
    } else if let Err(invalid) = IntentId::new(id.as_str()) {
        intent = Err(invalid.to_string());
    }
    // Applications write this date too. Without it, any effect on the dossier might be that of this intent, so it is refused.
    let asked_at = row.instant("asked_at").unwrap_or_else(|_| {
        intent = Err("`asked_at` is no instant".to_owned());
        Timestamp::UNIX_EPOCH
    });
    Ok(Entry { seq: row.integer("seq")?, id, dossier, intent, asked_at, progress })
}

fn intent(row: &impl Fields, id: &IntentId, dossier: DossierNumber) -> Result<Result<Intent, String>, Fault> {
    let mut parts = Parts { action: row.text("action")?.to_owned(), ..Parts::default() };
    for (column, part) in [
        ("motivation", &mut parts.motivation),
        ("message", &mut parts.message),
        ("correction", &mut parts.correction),
        ("file", &mut parts.file),
        ("annotations", &mut parts.annotations),
        ("annotation", &mut parts.annotation),
        ("groupe", &mut parts.groupe),
        ("label", &mut parts.label),
        ("message_id", &mut parts.message_id),
    ] {
        *part = row.maybe_text(column)?.map(str::to_owned);
    }
    let author = row.maybe_text("author")?.map(Words::new);
    let state = row.maybe_text("expected_state")?.map(DossierState::from);
    let fingerprint = row.maybe_text("expected_fingerprint")?.map(str::parse::<Fingerprint>).transpose();
    let requires = row.maybe_text("requires")?.map(IntentId::new).transpose();
    let (silent, overrule) = (row.integer("silent")? != 0, row.integer("overrule")? != 0);
    let read = || {
        let expected = Expected { state, fingerprint: fingerprint.map_err(|error| error.to_string())? };
        let requires = requires.map_err(|error| error.to_string())?;
        let action = Action::try_from(parts)?;
        Ok(Intent { id: id.clone(), dossier, author, action, expected, requires, silent, overrule })
    };
    Ok(read())
}
