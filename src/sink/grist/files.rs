//! Files themselves, for those who want them: uploaded once a content, named by their checksum in `Dn_fichiers`, and shown
//! in a column of the table of files.
//!
//! Grist gives every upload another id, and forgets it after seven days unless a cell names it (Grist traps 21 and 22). So
//! `Dn_fichiers` names each upload from the bundle on that shows it: a run that dies before leaves an upload that goes by
//! itself, and no later one is made for the same content. Once no row has its checksum any more, its row goes too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::GristSink;
use super::desk::Desk;
use super::encoding::visible;
use super::fault::Fault;
use super::known::{self, Row, id, text};
use super::memory::{ColumnMemory, TableMemory};
use super::read::{Reader, quoted};
use super::shape::{self, KEY};
use super::shared;
use super::split::{self, Form, Unit, Upsert};
use super::state::State;
use crate::ids::{DossierNumber, Scope};
use crate::sink::{FileLimits, FileStore, Keeping, SinkError, WantedFile};
use crate::table::{CellKind, ColumnKey, TableKey};
use grist_client::{Action, AttachmentId, ColumnPatch, GristError, RowId, Table};

/// The column that shows files.
const FILE: &str = "fichier";

/// Its type.
pub(super) const KIND: &str = "Attachments";

/// The column that shows files, for a table that has it; `taken` are the ids in its table.
pub(super) fn column(table: &TableKey, taken: &mut BTreeSet<String>) -> Option<ColumnMemory> {
    (*table == TableKey::PiecesJointes).then(|| ColumnMemory {
        key: ColumnKey::Fixed(FILE.to_owned()),
        name: FILE.to_owned(),
        title: "Fichier".to_owned(),
        kind: CellKind::Text,
        id: shape::column_id(FILE, taken),
        col_ref: None,
        dressed: false,
        given: KIND.to_owned(),
        label: "Fichier".to_owned(),
        description: "Le fichier lui-même, copié une fois par contenu.".to_owned(),
        options: Vec::new(),
        left_out: false,
        fenced: false,
    })
}

/// The actions that make what is missing of `Dn_fichiers`, after others.
pub(super) fn table(mut made: Vec<Action>, structure: &[Table], wanted: bool) -> Vec<Action> {
    let files = &shared::FILES;
    let table = || files.id.to_owned();
    let mut new: Vec<&str> = Vec::new();
    match files.find(structure) {
        None if wanted => {
            made.extend(files.create());
            new.extend(files.columns());
        }
        Some(found) if wanted => {
            for (column, create) in files.columns().zip(files.additions()) {
                if !found.columns.iter().any(|here| here.id == column) {
                    made.push(create);
                    new.push(column);
                }
            }
        }
        _ => {}
    }
    let patch = || ColumnPatch { untied: Some(true), ..ColumnPatch::default() };
    made.extend(new.iter().map(|column| Action::ModifyColumn {
        table: table(),
        column: (*column).to_owned(),
        patch: patch(),
    }));
    made
}

/// The table of files as it is now: where each thing is.
struct Shelf {
    table: String,
    key: String,
    file: String,
    checksum: String,
    name: String,
    kind: String,
    size: String,
}

/// Why there is nowhere to show a file.
enum Closed {
    /// Nobody asked for it, or a person took the column away, which the run has told.
    Away,
    /// A column is missing without which files cannot be told apart.
    Without(String),
}

impl Shelf {
    fn of(memory: &TableMemory, structure: &[Table]) -> Result<Self, Closed> {
        let found = memory.find(structure).ok_or(Closed::Away)?;
        let file = memory.file.as_ref().filter(|file| !file.left_out).and_then(|file| file.find(found));
        let file = file.filter(|here| !here.is_formula && here.kind == KIND).ok_or(Closed::Away)?;
        let key = memory.technical(KEY).and_then(|key| key.find(found)).ok_or(Closed::Away)?;
        let own = |name| {
            let column = fixed(memory, name).and_then(|column| column.find(found));
            column.map(|here| here.id.clone()).ok_or_else(|| {
                Closed::Without(format!("{} has no column {name} of ours any more: files are not fetched", found.id))
            })
        };
        Ok(Self {
            table: found.id.clone(),
            key: key.id.clone(),
            file: file.id.clone(),
            checksum: own("checksum")?,
            name: own("filename")?,
            kind: own("content_type")?,
            size: own("byte_size")?,
        })
    }

    /// The rows without a file, in SQL: key and content.
    fn bare(&self) -> String {
        let Self { table, key, file, checksum, name, kind, size } = self.quoted();
        format!(
            "SELECT id, {key} AS cle, CAST(substr({key}, 1, instr({key}, '/') - 1) AS INTEGER) AS numero, \
             {checksum} AS empreinte, {name} AS nom, {kind} AS sorte, CAST({size} AS INTEGER) AS taille \
             FROM {table} WHERE typeof({key}) = 'text' AND typeof({checksum}) = 'text' AND length({checksum}) = {MD5} \
             AND substr({checksum}, -2) = '==' AND typeof({size}) IN ('integer', 'real', 'text') \
             AND coalesce({file}, '') IN ('', '[]')"
        )
    }

    fn quoted(&self) -> Self {
        let Self { table, key, file, checksum, name, kind, size } = self;
        let [table, key, file, checksum, name, kind, size] =
            [table, key, file, checksum, name, kind, size].map(|name| quoted(name));
        Self { table, key, file, checksum, name, kind, size }
    }

    /// The same of a row that came by another way.
    fn read(&self, row: &Row) -> Option<Bare> {
        let key = text(row, &self.key);
        let checksum = text(row, &self.checksum);
        let empty = match row.get(&self.file) {
            None | Some(Value::Null) => true,
            Some(value) => piece(value).is_none(),
        };
        let size = match row.get(&self.size)? {
            Value::String(digits) => digits.parse().ok()?,
            size => whole(size)?,
        };
        let number = key.split_once('/').and_then(|(number, _)| number.parse().ok())?;
        (empty && is_checksum(checksum)).then(|| Bare {
            key: key.to_owned(),
            wanted: WantedFile {
                number: DossierNumber::new(number),
                checksum: checksum.to_owned(),
                filename: text(row, &self.name).to_owned(),
                content_type: text(row, &self.kind).to_owned(),
                byte_size: size,
            },
        })
    }
}

/// A row without its file.
struct Bare {
    key: String,
    wanted: WantedFile,
}

/// How long an MD5 is in base64. A pseudonym in its place is no name of a content.
const MD5: usize = 24;

fn is_checksum(text: &str) -> bool {
    text.len() == MD5 && text.ends_with("==")
}

fn fixed<'a>(memory: &'a TableMemory, name: &str) -> Option<&'a ColumnMemory> {
    let named = |column: &&ColumnMemory| matches!(&column.key, ColumnKey::Fixed(fixed) if fixed == name);
    memory.columns.iter().find(named).filter(|column| !column.left_out)
}

/// A whole number that may come as a double.
fn whole(value: &Value) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes of files are far below the limit"
    )]
    let whole = |real: f64| (real >= 0.0).then_some(real as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(whole))
}

/// The upload that a cell names: `["L", 7]` by records, `[7]` by SQL.
fn piece(value: &Value) -> Option<AttachmentId> {
    match value {
        Value::String(text) => serde_json::from_str::<Vec<AttachmentId>>(text).ok()?.first().copied(),
        Value::Array(items) => items.iter().find_map(Value::as_i64),
        _ => None,
    }
    .filter(|id| *id > 0)
}

/// A cell that shows it.
fn cell(piece: AttachmentId) -> Value {
    json!(["L", piece])
}

/// Every upload of `Dn_fichiers`, by SQL.
const PIECES: &str = "SELECT id, cle, piece FROM Dn_fichiers WHERE typeof(cle) = 'text' AND typeof(piece) = 'text' \
     AND piece <> '[]'";

/// How many rows are looked up at a time, to be linked.
const LINKS: usize = 5_000;

impl Reader {
    /// Rows without a file whose content the document has: their keys, and the upload.
    async fn to_link(&self, shelf: &Shelf) -> Result<Vec<(String, AttachmentId)>, Fault> {
        let sql = format!(
            "SELECT id, cle, empreinte FROM ({}) WHERE empreinte IN (SELECT cle FROM ({PIECES}))",
            shelf.bare()
        );
        if let Some(rows) = self.sql(&sql, &[]).await? {
            let mut links = Vec::new();
            for rows in rows.chunks(LINKS) {
                links.extend(self.links(shelf, rows).await?);
            }
            return Ok(links);
        }
        let held = self.pieces().await?;
        let bare = self.bare_rows(shelf).await?;
        Ok(bare.into_iter().filter_map(|bare| Some((bare.key, *held.get(&bare.wanted.checksum)?))).collect())
    }

    /// The same for some of these rows. A copy that somebody made of a row is no row of ours.
    async fn links(&self, shelf: &Shelf, rows: &[Row]) -> Result<Vec<(String, AttachmentId)>, Fault> {
        let list = |column: &str| json!(rows.iter().map(|row| text(row, column)).collect::<Vec<_>>()).to_string();
        let (table, key) = (quoted(&shelf.table), quoted(&shelf.key));
        let sql = format!(
            "SELECT min(id) AS id, NULL AS cle, NULL AS piece FROM {table} \
             WHERE {key} IN (SELECT value FROM json_each(?)) GROUP BY {key} \
             UNION ALL SELECT id, cle, piece FROM ({PIECES}) WHERE cle IN (SELECT value FROM json_each(?))"
        );
        let answer = self.sql(&sql, &[list("cle").into(), list("empreinte").into()]).await?.unwrap_or_default();
        let (mut pieces, ours): (Vec<&Row>, Vec<&Row>) =
            answer.iter().partition(|row| row.get("piece").is_some_and(|piece| !piece.is_null()));
        let ours: BTreeSet<RowId> = ours.into_iter().filter_map(id).collect();
        // Of two with one checksum the one with the lowest id is the one that an upsert keeps up.
        pieces.sort_by_key(|row| std::cmp::Reverse(id(row)));
        let held: BTreeMap<&str, AttachmentId> =
            pieces.into_iter().filter_map(|row| Some((text(row, "cle"), piece(row.get("piece")?)?))).collect();
        let own = rows.iter().filter(|row| id(row).is_some_and(|id| ours.contains(&id)));
        let link = |row: &Row| Some((text(row, "cle").to_owned(), *held.get(text(row, "empreinte"))?));
        Ok(own.filter_map(link).collect())
    }

    async fn wanted(
        &self,
        scope: &Scope,
        shelf: &Shelf,
        limits: &FileLimits,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<WantedFile>, Fault> {
        let bare = shelf.bare();
        let sql = format!(
            "SELECT numero, empreinte, min(nom) AS nom, min(sorte) AS sorte, min(taille) AS taille FROM ({bare}) \
             WHERE numero > ? AND taille <= ? AND (? OR lower(trim(substr(sorte, 1, instr(sorte || ';', ';') - 1))) \
             IN (SELECT value FROM json_each(?)) OR lower(substr(trim(sorte), 1, instr(trim(sorte), '/'))) \
             IN (SELECT value FROM json_each(?))) \
             AND empreinte NOT IN (SELECT cle FROM ({PIECES})) \
             AND numero IN (SELECT numero FROM Dn_dossiers WHERE instance = ? AND demarche = ? AND empreinte <> '' \
             AND coalesce(disparu, '') = '') GROUP BY numero, empreinte ORDER BY numero, empreinte LIMIT ?"
        );
        let types: Vec<String> = limits.types.iter().map(ToString::to_string).collect();
        let families: Vec<&str> = types.iter().filter_map(|range| range.strip_suffix('*')).collect();
        let after = after.map_or(-1, |number| i64::from(number.get()));
        let (instance, demarche) = (json!(scope.instance), json!(scope.demarche.to_string()));
        let args = [
            json!(after),
            json!(limits.max_bytes),
            json!(types.is_empty()),
            json!(json!(types).to_string()),
            json!(json!(families).to_string()),
            instance.clone(),
            demarche.clone(),
            json!(limit),
        ];
        if let Some(rows) = self.sql(&sql, &args).await? {
            let wanted = |row: &Row| {
                Some(WantedFile {
                    number: known::number(row.get("numero")?)?,
                    checksum: text(row, "empreinte").to_owned(),
                    filename: text(row, "nom").to_owned(),
                    content_type: text(row, "sorte").to_owned(),
                    byte_size: whole(row.get("taille")?)?,
                })
            };
            return Ok(rows.iter().filter_map(wanted).collect());
        }
        let held = self.pieces().await?;
        let books = [("instance", vec![instance]), ("demarche", vec![demarche])];
        let books = self.doc.records(shared::DOSSIERS, &books).await?;
        let alive = |row: &&Row| !text(row, "empreinte").is_empty() && text(row, "disparu").is_empty();
        let alive: BTreeSet<DossierNumber> =
            books.iter().filter(alive).filter_map(|row| known::number(row.get("numero")?)).collect();
        let mut wanted: Vec<WantedFile> = self.bare_rows(shelf).await?.into_iter().map(|bare| bare.wanted).collect();
        wanted.retain(|file| {
            i64::from(file.number.get()) > after
                && alive.contains(&file.number)
                && limits.accepts(&file.content_type, file.byte_size)
                && !held.contains_key(&file.checksum)
        });
        wanted.sort_by(|one, other| (one.number, &one.checksum).cmp(&(other.number, &other.checksum)));
        wanted.dedup_by(|one, other| (one.number, &one.checksum) == (other.number, &other.checksum));
        wanted.truncate(limit as usize);
        Ok(wanted)
    }

    /// Every upload, by its checksum, record by record.
    async fn pieces(&self) -> Result<BTreeMap<String, AttachmentId>, Fault> {
        let mut rows = self.doc.records(shared::FILES.id, &[]).await?;
        rows.sort_by_key(|row| std::cmp::Reverse(id(row)));
        let pair = |row: &Row| Some((text(row, "cle").to_owned(), piece(row.get("piece")?)?));
        Ok(rows.iter().filter_map(pair).collect())
    }

    /// Every row without a file, the oldest of those with one key, record by record.
    async fn bare_rows(&self, shelf: &Shelf) -> Result<Vec<Bare>, Fault> {
        let mut rows = self.doc.records(&shelf.table, &[]).await?;
        rows.sort_by_key(id);
        let mut seen = BTreeSet::new();
        rows.retain(|row| seen.insert(text(row, &shelf.key).to_owned()));
        Ok(rows.iter().filter_map(|row| shelf.read(row)).collect())
    }
}

/// The rows of `Dn_fichiers` that no row of any démarche names any more. None as long as that cannot be told for sure.
pub(super) async fn unused(reader: &Reader, state: &State) -> Result<BTreeMap<String, Vec<RowId>>, Fault> {
    let mut removals = BTreeMap::new();
    if shared::FILES.find(&state.structure).is_none() {
        return Ok(removals);
    }
    let mut named = Vec::new();
    for memory in state.memories()? {
        let Some(table) = memory.table(&TableKey::PiecesJointes) else { continue };
        let found = table.find(&state.structure);
        let column =
            found.and_then(|found| Some((found.id.clone(), fixed(table, "checksum")?.find(found)?.id.clone())));
        let Some(column) = column else { return Ok(removals) };
        named.push(column);
    }
    let mut sql = "SELECT id FROM Dn_fichiers WHERE 1".to_owned();
    for (table, checksum) in &named {
        let (table, checksum) = (quoted(table), quoted(checksum));
        sql.push_str(&format!(" AND cle NOT IN (SELECT {checksum} FROM {table} WHERE typeof({checksum}) = 'text')"));
    }
    let rows = match reader.sql(&sql, &[]).await {
        Ok(Some(rows)) => rows,
        Ok(None) => {
            let mut rows = reader.doc.records(shared::FILES.id, &[]).await?;
            for (table, checksum) in &named {
                let there = reader.doc.records(table, &[]).await?;
                let there: BTreeSet<&str> = there.iter().map(|row| text(row, checksum)).collect();
                rows.retain(|row| !there.contains(text(row, "cle")));
            }
            rows
        }
        // Somebody renames things at this moment: next time.
        Err(error) if Fault::is_renamed(&error) => return Ok(removals),
        Err(error) => return Err(error.into()),
    };
    let rows: Vec<RowId> = rows.iter().filter_map(id).collect();
    if !rows.is_empty() {
        removals.insert(shared::FILES.id.to_owned(), rows);
    }
    Ok(removals)
}

fn shelf(desk: &Desk, scope: &Scope) -> Result<Result<Shelf, Closed>, Fault> {
    let memory = desk.state.memory(scope)?;
    let table = memory.table(&TableKey::PiecesJointes).filter(|_| shared::FILES.find(&desk.state.structure).is_some());
    Ok(table.ok_or(Closed::Away).and_then(|table| Shelf::of(table, &desk.state.structure)))
}

async fn link(desk: &mut Desk, scope: &Scope) -> Result<(u64, Vec<String>), Fault> {
    let last = Unit { removals: unused(&desk.reader, &desk.state).await?, ..Unit::default() };
    let (links, notices) = match shelf(desk, scope)? {
        Ok(shelf) => (links(&shelf, desk.reader.to_link(&shelf).await?), Vec::new()),
        Err(Closed::Away) => (Vec::new(), Vec::new()),
        Err(Closed::Without(notice)) => (Vec::new(), vec![notice]),
    };
    let linked = links.len() as u64;
    for bundle in split::bundles(links, last) {
        desk.send(&[], &bundle, false).await?;
    }
    Ok((linked, notices))
}

fn links(shelf: &Shelf, links: Vec<(String, AttachmentId)>) -> Vec<Unit> {
    let form = Arc::new(Form {
        rank: 0,
        table: shelf.table.clone(),
        key: shelf.key.clone(),
        columns: vec![shelf.file.clone()],
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
    desk: &mut Desk,
    scope: &Scope,
    limits: &FileLimits,
    after: Option<DossierNumber>,
    limit: u32,
) -> Result<Vec<WantedFile>, Fault> {
    match shelf(desk, scope)? {
        Ok(shelf) => desk.reader.wanted(scope, &shelf, limits, after, limit).await,
        Err(_) => Ok(Vec::new()),
    }
}

/// Names an upload, and shows it in every row of the démarche that has its checksum.
async fn show(desk: &mut Desk, scope: &Scope, file: &WantedFile, piece: AttachmentId) -> Result<(), Fault> {
    let columns = ["piece", "nom", "taille"].map(str::to_owned).to_vec();
    let form = Form { rank: 0, table: shared::FILES.id.to_owned(), key: "cle".to_owned(), columns, adds: true };
    let values = vec![cell(piece), visible(&file.filename).into(), file.byte_size.into()];
    let row = Upsert { form: Arc::new(form), key: file.checksum.as_str().into(), values };
    let mut bundles = split::bundles(Vec::new(), Unit { rows: vec![row], ..Unit::default() });
    let mut bundle = bundles.pop().unwrap_or_default();
    if let Ok(shelf) = shelf(desk, scope)? {
        let require = shared::row(json!({ (shelf.checksum): [file.checksum] }));
        let shown = shared::row(json!({ (shelf.file): [cell(piece)] }));
        let options = json!({ "on_many": "all", "add": false });
        bundle.push(Action::Raw(json!(["BulkAddOrUpdateRecord", shelf.table, require, shown, options])));
    }
    desk.send(&[], &bundle, false).await?;
    desk.asked = None;
    Ok(())
}

/// Does it again when what was decided is of a document that was.
macro_rules! renamed {
    ($desk:ident, $once:expr) => {
        match $once.await {
            Err(fault) if fault.is_of_the_past() => {
                $desk.reread().await?;
                $once.await
            }
            other => other,
        }
    };
}

impl FileStore for GristSink {
    async fn link_files(&self, scope: &Scope) -> Result<u64, SinkError> {
        if self.limits.is_none() {
            return Ok(0);
        }
        let (linked, notices) = self
            .read("files to be shown", async |desk| {
                desk.uploaded.clear();
                renamed!(desk, link(desk, scope))
            })
            .await?;
        self.told.add(notices);
        Ok(linked)
    }

    async fn wanted_files(
        &self,
        scope: &Scope,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<WantedFile>, SinkError> {
        let Some(limits) = &self.limits else { return Ok(Vec::new()) };
        self.read("a reading of files", async |desk| renamed!(desk, wanted(desk, scope, limits, after, limit))).await
    }

    async fn keep_file(&self, scope: &Scope, file: &WantedFile, bytes: Bytes) -> Result<Keeping, SinkError> {
        self.read("a file", async |desk| {
            if desk.uploaded.contains(&file.checksum) {
                return Ok(Keeping::Kept);
            }
            if desk.me.is_none() {
                return Err(Fault::ReadOnly);
            }
            let name = if file.filename.is_empty() { FILE.into() } else { visible(&file.filename) };
            let kind = Some(file.content_type.as_str()).filter(|kind| !kind.is_empty());
            let piece = match desk.reader.doc.upload(&name, kind, bytes).await {
                Ok(piece) => piece,
                Err(GristError::TooLarge { .. }) => return Ok(Keeping::Refused),
                Err(error) => return Err(error.into()),
            };
            renamed!(desk, show(desk, scope, file, piece))?;
            desk.uploaded.insert(file.checksum.clone());
            Ok(Keeping::Kept)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_is_found_in_a_cell_whichever_way_it_came() {
        for (value, expected) in [
            (json!(["L", 7]), Some(7)),
            (json!("[7]"), Some(7)),
            (json!("[7,8]"), Some(7)),
            (json!("[]"), None),
            (json!(["L"]), None),
            (json!(["L", 0]), None),
            (json!("a note"), None),
            (Value::Null, None),
        ] {
            assert_eq!(piece(&value), expected, "{value}");
        }
    }

    #[test]
    fn a_pseudonym_is_the_checksum_of_nothing() {
        assert!(is_checksum("1B2M2Y8AsgTpgAmY7PhCfg=="));
        assert!(!is_checksum("") && !is_checksum("p-1B2M2Y8AsgTpgAmY7PhCfg"));
    }
}
