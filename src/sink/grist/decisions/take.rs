//! Makes intents of the rows that are ticked. They lose their tick with the same bundle.

use std::collections::{BTreeMap, BTreeSet};

use grist_client::{Action, RowId};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::cells::Asked;
use super::columns::Columns;
use super::outcome::waits;
use crate::dossier::DossierState;
use crate::ids::{DossierNumber, Scope};
use crate::intent::{Expected, Intent};
use crate::sink::SinkError;
use crate::sink::grist::extension::Extension as _;
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::known::{self, DocRecord, id, text};
use crate::sink::grist::outbox::{OutboxCounts, OutboxDraft, of_dossiers, ready, update};
use crate::sink::grist::session::{DocumentSession, again};
use crate::sink::grist::{GristSink, identity, shared, user_edits};

/// Decisions that were taken from a démarche's table of dossiers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The intents that are in the outbox now, in their order.
    pub intents: Vec<Intent>,
    /// The ticked rows that were not taken.
    pub declined: Vec<Declined>,
    /// Why no row can be taken, if the column to tick is gone.
    pub impossible: Option<String>,
}

/// A ticked row that was not taken: it lost its tick, and says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// Its dossier; `None` for a row without the number of one.
    pub dossier: Option<DossierNumber>,
    /// Its id in the table, as Grist has it at this moment.
    pub row: RowId,
    /// Why, in French, as « Suite donnée » says it; nothing that a person wrote is in it.
    pub reason: String,
}

/// The largest number of rows in one bundle, and of bytes.
const MOST: usize = 50;
const HEAVIEST: usize = 400_000;

/// The outcome of a row that was taken.
const WAITING: &str = "En attente d’envoi";

impl GristSink {
    /// Takes what people decided: every row of the démarche's table whose « Envoyer » is ticked becomes intents in the
    /// outbox (annotations, decision, message, each requiring the one before), and loses its tick with the same bundle. So
    /// a crash at any instant neither loses nor doubles a decision. A row that makes no sense is not taken and says why.
    ///
    /// To be called before a [`push`](crate::writeback::push()) of this sink. Nothing is written when nothing is ticked, or
    /// when the sink was opened without [`decisions`](super::super::Opening::decisions).
    ///
    /// # Errors
    /// [`SinkError::Locked`] when another run took over, and those of a commit. Rows whose bundle was written are taken;
    /// the others are still ticked.
    pub async fn take_decisions(&self, scope: &Scope, now: Timestamp) -> Result<Taken, SinkError> {
        if !self.decisions.is_wanted() {
            return Ok(Taken::default());
        }
        let session = &mut *self.session.lock().await;
        let mut taken = Taken::default();
        let result = again!(session, take(session, scope, Some(now), &mut taken));
        let result = match result {
            // A row went between the question and the bundle.
            Err(GristFault::Grist(error)) if GristFault::is_missing_row(&error) => {
                again!(session, take(session, scope, Some(now), &mut taken))
            }
            other => other,
        };
        self.with_context("what was decided", result)?;
        Ok(taken)
    }

    /// Lists what [`take_decisions`](Self::take_decisions) would take now. Writes nothing; names of intents are not final.
    ///
    /// # Errors
    /// Those of a reading.
    pub async fn decisions(&self, scope: &Scope) -> Result<Taken, SinkError> {
        if !self.decisions.is_wanted() {
            return Ok(Taken::default());
        }
        self.read("a reading of what was decided", async |session| {
            let mut taken = Taken::default();
            take(session, scope, None, &mut taken).await?;
            Ok(taken)
        })
        .await
    }
}

/// A ticked row and what becomes of it.
struct Ticked {
    row: DocRecord,
    number: Option<DossierNumber>,
    asks: Result<(Asked, Expected), String>,
}

/// Takes the rows that are ticked; `None` for `at` only looks.
async fn take(
    session: &mut DocumentSession,
    scope: &Scope,
    at: Option<Timestamp>,
    taken: &mut Taken,
) -> Result<(), GristFault> {
    let memory = session.state.memory(scope)?;
    let Some(table) = memory.tables.first() else { return Ok(()) };
    let columns = Columns::of(table, &session.state.structure);
    let Some((columns, send)) = columns.and_then(|columns| columns.send.clone().map(|send| (columns, send))) else {
        let id = &table.id;
        if table.decisions.is_empty() {
            session.notices.add(vec![format!("{id} has no columns to decide in yet: `dn sync` makes them")]);
        } else {
            let words = "is gone or holds something else: nothing is taken";
            taken.impossible = Some(format!("column “Envoyer” of {id} {words} ({})", user_edits::AGAIN));
        }
        return Ok(());
    };
    let mut rows = session.reader.doc.records(&columns.table, &[(send.as_str(), vec![true.into()])]).await?;
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_by_key(id);
    if at.is_some() {
        identity::check(session).await?;
        ready(session, scope).await?;
    }
    let ticked = look(session, scope, &columns, rows).await?;
    let Some(at) = at else {
        let mut turn = OutboxCounts::of(&session.state, scope)?.intents;
        for Ticked { row, number, asks } in ticked {
            match (asks, number) {
                (Ok((asked, seen)), Some(number)) => {
                    let chain = asked.chain(&columns.name, number, turn + 1);
                    let intents = asked.intents(&chain, number, seen);
                    turn += i64::try_from(intents.len()).unwrap_or_default();
                    taken.intents.extend(intents);
                }
                (asks, dossier) => {
                    let (row, reason) = (id(&row).unwrap_or_default(), asks.err().unwrap_or_default());
                    taken.declined.push(Declined { dossier, row, reason });
                }
            }
        }
        return Ok(());
    };
    let mut rest = ticked.into_iter().peekable();
    while rest.peek().is_some() {
        let mut draft = OutboxDraft::new(session, scope)?;
        let mut part = Taken::default();
        for Ticked { row, number, asks } in rest.by_ref().take(MOST) {
            let told = match (asks, number) {
                (Ok((asked, seen)), Some(number)) => {
                    let chain = asked.chain(&columns.name, number, draft.turn());
                    for intent in asked.intents(&chain, number, seen) {
                        draft.ask(scope, &intent, at, Some(&chain));
                        part.intents.push(intent);
                    }
                    WAITING.to_owned()
                }
                (asks, dossier) => {
                    let reason = asks.err().unwrap_or_default();
                    let row = id(&row).unwrap_or_default();
                    part.declined.push(Declined { dossier, row, reason: reason.clone() });
                    reason
                }
            };
            draft.with([answer(&columns, &send, &row, number, told)]);
            if draft.weight() > HEAVIEST {
                break;
            }
        }
        draft.send(session, scope).await?;
        taken.intents.extend(part.intents);
        taken.declined.extend(part.declined);
    }
    Ok(())
}

/// The tick goes, and the row says what becomes of it.
fn answer(columns: &Columns, send: &str, row: &DocRecord, number: Option<DossierNumber>, told: String) -> Action {
    let mut cells = Map::from_iter([(send.to_owned(), Value::from(false))]);
    if let Some(outcome) = &columns.outcome {
        cells.insert(outcome.clone(), told.into());
    }
    match number {
        Some(number) => update(&columns.table, &columns.number, number.get().into(), cells),
        // A row that is not of a dossier has no key: its id was read just now.
        None => Action::UpdateRecord { table: columns.table.clone(), row: id(row).unwrap_or_default(), values: cells },
    }
}

/// Reads what each row asks for, and checks if it may: the dossier as the document shows it goes with what is asked.
async fn look(
    session: &DocumentSession,
    scope: &Scope,
    columns: &Columns,
    rows: Vec<DocRecord>,
) -> Result<Vec<Ticked>, GristFault> {
    // A row that somebody adds has the number 0, which is that of no dossier.
    let number = |row: &DocRecord| row.get(&columns.number).and_then(known::number).filter(|number| number.get() > 0);
    let numbers: BTreeSet<DossierNumber> = rows.iter().filter_map(number).collect();
    let keys: Vec<Value> = numbers.iter().map(|number| json!(known::key(scope, *number))).collect();
    let books = session.reader.doc.records(shared::DOSSIERS, &[("cle", keys)]).await?;
    let mut seen: BTreeMap<DossierNumber, Result<Expected, String>> = BTreeMap::new();
    for row in &books {
        let (number, book) = known::stored(row)?;
        let expected = match book.held {
            Some(held) if held.known.gone.is_none() => Ok(Expected {
                state: Some(DossierState::from(text(row, "etat"))),
                fingerprint: Some(held.known.fingerprint),
            }),
            Some(_) => Err("La plateforme ne montre plus ce dossier".to_owned()),
            None => Err("Ce dossier est en train d’être copié : cochez de nouveau dans un moment".to_owned()),
        };
        seen.insert(number, expected);
    }
    let under_way = of_dossiers(session, scope, numbers.iter().copied()).await?;
    let under_way: BTreeSet<DossierNumber> =
        under_way.iter().filter(|line| waits(line)).map(|l| l.kept.dossier).collect();
    let mut times: BTreeMap<DossierNumber, usize> = BTreeMap::new();
    for number in rows.iter().filter_map(number) {
        *times.entry(number).or_default() += 1;
    }
    let asks = |row: &DocRecord, number: Option<DossierNumber>| {
        let number = number.ok_or_else(|| "Cette ligne n’a pas de numéro de dossier".to_owned())?;
        let unknown = || Err("Ce dossier n’est pas dans la synchronisation : rien ne peut lui être envoyé".to_owned());
        let expected = seen.get(&number).cloned().unwrap_or_else(unknown)?;
        if times.get(&number).is_some_and(|times| *times > 1) {
            return Err("Plusieurs lignes cochées ont ce numéro de dossier : supprimez les copies".to_owned());
        }
        if under_way.contains(&number) {
            return Err("Un envoi de ce dossier est déjà en attente : cochez de nouveau quand il sera réglé".to_owned());
        }
        Asked::read(columns, row).map(|asked| (asked, expected))
    };
    let ticked = |row: DocRecord| {
        let number = number(&row);
        Ticked { asks: asks(&row, number), number, row }
    };
    Ok(rows.into_iter().map(ticked).collect())
}
