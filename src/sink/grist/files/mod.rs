//! Keeps files themselves: each content is uploaded once, named by its checksum in `Dn_fichiers`, and shown in a column of
//! the table of files.
//!
//! Grist gives every upload another id, and forgets it after seven days unless a cell names it (Grist traps 21 and 22). So
//! `Dn_fichiers` names each upload from the bundle on that shows it: a run that dies before leaves an upload that goes by
//! itself, and no later one is made for the same content. Once no row has its checksum any more, its row goes too.

mod read;
mod table;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use grist_client::{Action, AttachmentId, ColumnPatch, GristError, Hidden, Table};
use serde_json::json;

use self::table::{FileTable, NoFileTable, cell};
use crate::ids::{DossierNumber, Scope};
use crate::sink::grist::GristSink;
use crate::sink::grist::bundles::{self, RowShape, Unit, Upsert};
use crate::sink::grist::encoding::visible;
use crate::sink::grist::extension::{AddedColumns, Extension, UnusedRows};
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::journal::Notice;
use crate::sink::grist::memory::ColumnMemory;
use crate::sink::grist::session::DocumentSession;
use crate::sink::grist::shape::ATTACHMENTS;
use crate::sink::grist::shared::{self, Shared};
use crate::sink::grist::user_edits;
use crate::sink::{FileLimits, FileStore, Keeping, SinkError, WantedFile};
use crate::table::{CellKind, ColumnKey, LayoutTable, TableKey};

/// The column that shows files.
const FILE: &str = "fichier";

/// The tables of the feature.
const TABLES: &[Shared; 1] = &[Shared {
    id: "Dn_fichiers",
    title: "",
    columns: &[("cle", "Text", ""), ("piece", ATTACHMENTS, ""), ("nom", "Text", ""), ("taille", "Numeric", "")],
}];

/// The files that the document keeps, by their checksum: made when the first démarche wants them.
const FILES: &Shared = &TABLES[0];

/// Keeps files in a document.
#[derive(Debug, Default)]
pub(super) struct FileFeature {
    /// Which files are kept; `None` for a sink that keeps none.
    limits: Option<FileLimits>,
    /// The contents that were uploaded since files were last linked.
    uploaded: Mutex<BTreeSet<String>>,
}

impl FileFeature {
    /// Keeps files within some limits, or none.
    pub fn new(limits: Option<FileLimits>) -> Self {
        Self { limits, uploaded: Mutex::default() }
    }

    fn uploaded(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.uploaded.lock().expect("no code panics while it holds the lock")
    }
}

impl Extension for FileFeature {
    fn added(&self) -> Option<AddedColumns> {
        Some(AddedColumns::File)
    }

    fn is_wanted(&self) -> bool {
        self.limits.is_some()
    }

    fn tables(&self) -> &'static [Shared] {
        TABLES
    }

    fn missing_tables(&self, structure: &[Table]) -> Vec<Action> {
        missing_tables(structure)
    }

    fn columns(&self, table: &LayoutTable) -> Vec<ColumnMemory> {
        column(&table.key).into_iter().collect()
    }

    fn follow(&self, column: &mut ColumnMemory, found: &Table, hidden: &Hidden, restore: bool) -> Option<Notice> {
        follow(column, found, hidden, restore)
    }

    fn unused<'a>(&'a self, session: &'a DocumentSession) -> BoxFuture<'a, Result<UnusedRows, GristFault>> {
        Box::pin(read::unused(&session.reader, &session.state))
    }
}

/// Makes the column that shows files, for the table that has it.
fn column(table: &TableKey) -> Option<ColumnMemory> {
    (*table == TableKey::PiecesJointes).then(|| ColumnMemory {
        key: ColumnKey::Fixed(FILE.to_owned()),
        name: FILE.to_owned(),
        title: "Fichier".to_owned(),
        kind: CellKind::Text,
        id: FILE.to_owned(),
        col_ref: None,
        dressed: false,
        given: ATTACHMENTS.to_owned(),
        label: "Fichier".to_owned(),
        description: "Le fichier lui-même, copié une fois par contenu.".to_owned(),
        options: Vec::new(),
        left_out: false,
        awaited: false,
        fenced: false,
        colours: Vec::new(),
    })
}

/// Follows what people did to the column of files. Only files depend on it: no change of it is in the way of a run.
fn follow(file: &mut ColumnMemory, found: &Table, hidden: &Hidden, restore: bool) -> Option<Notice> {
    let (title, id) = (&file.label, &found.id);
    let words = match file.find(found) {
        Some(here) if !user_edits::is_formula(here) && here.kind == file.given => {
            file.left_out = false;
            user_edits::follow(file, here);
            return None;
        }
        Some(_) => "holds no files any more",
        None if user_edits::is_hidden(file, hidden) => {
            return Some(format!("column “{title}” of {id}: {}", user_edits::HIDDEN).into());
        }
        None if restore => {
            (file.col_ref, file.left_out) = (None, true);
            return None;
        }
        None if file.left_out => "is still left out",
        None => "was deleted",
    };
    let english = format!("column “{title}” of {id} {words}: files are not fetched ({})", user_edits::AGAIN);
    let french = format!(
        "La colonne « {title} » a été supprimée, ou ne contient plus ce qu’il faut : les fichiers n’y sont plus \
         montrés. Pour la retrouver : {}.",
        user_edits::AGAIN_FRENCH
    );
    // People are told once, and the operator with every run.
    let notice = if file.left_out { english.into() } else { Notice::new(english, french) };
    file.left_out = true;
    Some(notice)
}

/// Makes what is missing of `Dn_fichiers`.
fn missing_tables(structure: &[Table]) -> Vec<Action> {
    let files = FILES;
    let mut made = Vec::new();
    let table = || files.id.to_owned();
    let mut new: Vec<&str> = Vec::new();
    match files.find(structure) {
        None => {
            made.extend(files.create());
            new.extend(files.columns());
        }
        Some(found) => {
            for (column, create) in files.columns().zip(files.additions()) {
                if !found.columns.iter().any(|here| here.id == column) {
                    made.push(create);
                    new.push(column);
                }
            }
        }
    }
    let patch = || ColumnPatch { untied: Some(true), ..ColumnPatch::default() };
    made.extend(new.iter().map(|column| Action::ModifyColumn {
        table: table(),
        column: (*column).to_owned(),
        patch: patch(),
    }));
    made
}

fn file_table(session: &DocumentSession, scope: &Scope) -> Result<Result<FileTable, NoFileTable>, GristFault> {
    let memory = session.state.memory(scope)?;
    let table = memory.table(&TableKey::PiecesJointes).filter(|_| FILES.find(&session.state.structure).is_some());
    Ok(table.ok_or(NoFileTable::Away).and_then(|table| FileTable::of(table, &session.state.structure)))
}

async fn link(session: &mut DocumentSession, scope: &Scope) -> Result<(u64, Vec<String>), GristFault> {
    let last = Unit { removals: read::unused(&session.reader, &session.state).await?, ..Unit::default() };
    let (links, notices) = match file_table(session, scope)? {
        Ok(table) => (links(&table, session.reader.to_link(&table).await?), Vec::new()),
        Err(NoFileTable::Away) => (Vec::new(), Vec::new()),
        Err(NoFileTable::Without(notice)) => (Vec::new(), vec![notice]),
    };
    let linked = links.len() as u64;
    for bundle in bundles::bundles(links, last) {
        session.send(&[], &bundle, false).await?;
    }
    Ok((linked, notices))
}

fn links(table: &FileTable, links: Vec<(String, AttachmentId)>) -> Vec<Unit> {
    let form = Arc::new(RowShape {
        rank: 0,
        table: table.table.clone(),
        key: table.key.clone(),
        columns: vec![table.file.clone()],
        adds: false,
    });
    let row = |(key, piece): (String, AttachmentId)| Upsert {
        form: Arc::clone(&form),
        key: key.into(),
        values: vec![cell(piece)],
    };
    links.into_iter().map(|link| Unit { rows: vec![row(link)], ..Unit::default() }).collect()
}

async fn wanted(
    session: &mut DocumentSession,
    scope: &Scope,
    limits: &FileLimits,
    after: Option<DossierNumber>,
    limit: u32,
) -> Result<Vec<WantedFile>, GristFault> {
    match file_table(session, scope)? {
        Ok(table) => session.reader.wanted(scope, &table, limits, after, limit).await,
        Err(_) => Ok(Vec::new()),
    }
}

/// Names an upload, and shows it in every row of the démarche that has its checksum.
async fn show(
    session: &mut DocumentSession,
    scope: &Scope,
    file: &WantedFile,
    piece: AttachmentId,
) -> Result<(), GristFault> {
    let columns = ["piece", "nom", "taille"].map(str::to_owned).to_vec();
    let form = RowShape { rank: 0, table: FILES.id.to_owned(), key: "cle".to_owned(), columns, adds: true };
    let values = vec![cell(piece), visible(&file.filename).into(), file.byte_size.into()];
    let row = Upsert { form: Arc::new(form), key: file.checksum.as_str().into(), values };
    let mut bundles = bundles::bundles(Vec::new(), Unit { rows: vec![row], ..Unit::default() });
    let mut bundle = bundles.pop().unwrap_or_default();
    if let Ok(table) = file_table(session, scope)? {
        let require = shared::row(json!({ (table.checksum): [file.checksum] }));
        let shown = shared::row(json!({ (table.file): [cell(piece)] }));
        let options = json!({ "on_many": "all", "add": false });
        bundle.push(Action::Raw(json!(["BulkAddOrUpdateRecord", table.table, require, shown, options])));
    }
    session.send(&[], &bundle, false).await?;
    session.asked = None;
    Ok(())
}

/// Does it again when what was decided is of a document that was.
macro_rules! renamed {
    ($session:ident, $once:expr) => {
        match $once.await {
            Err(fault) if fault.is_of_the_past() => {
                $session.reread().await?;
                $once.await
            }
            other => other,
        }
    };
}

impl FileStore for GristSink {
    async fn link_files(&self, scope: &Scope) -> Result<u64, SinkError> {
        if self.files.limits.is_none() {
            return Ok(0);
        }
        let (linked, notices) = self
            .read("files to be shown", async |session| {
                self.files.uploaded().clear();
                renamed!(session, link(session, scope))
            })
            .await?;
        self.notices.add(notices);
        Ok(linked)
    }

    async fn wanted_files(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<WantedFile>, SinkError> {
        let Some(limits) = &self.files.limits else { return Ok(Vec::new()) };
        self.read("a reading of files", async |session| renamed!(session, wanted(session, scope, limits, after, limit)))
            .await
    }

    async fn keep_file(&self, scope: &Scope, file: &WantedFile, bytes: Bytes) -> Result<Keeping, SinkError> {
        self.read("a file", async |session| {
            if self.files.uploaded().contains(&file.checksum) {
                return Ok(Keeping::Kept);
            }
            if session.me.is_none() {
                return Err(GristFault::ReadOnly);
            }
            let name = if file.filename.is_empty() { FILE.into() } else { visible(&file.filename) };
            let kind = Some(file.content_type.as_str()).filter(|kind| !kind.is_empty());
            let piece = match session.reader.doc.upload(&name, kind, bytes).await {
                Ok(piece) => piece,
                Err(GristError::TooLarge { .. }) => return Ok(Keeping::Refused),
                Err(error) => return Err(error.into()),
            };
            renamed!(session, show(session, scope, file, piece))?;
            self.files.uploaded().insert(file.checksum.clone());
            Ok(Keeping::Kept)
        })
        .await
    }
}
