//! Reads what is known of files: rows without one, uploads, and rows that nothing refers to. By SQL, and record by record
//! where SQL is closed to the key.

use std::collections::{BTreeMap, BTreeSet};

use grist_client::{AttachmentId, RowId};
use serde_json::json;

use super::FILES;
use super::table::{FileTable, RowWithoutFile, fixed, upload_of, whole};
use crate::ids::{DossierNumber, Scope};
use crate::sink::grist::extension::UnusedRows;
use crate::sink::grist::fault::GristFault;
use crate::sink::grist::known::{self, DocRecord, id, text};
use crate::sink::grist::read::{Reader, quoted};
use crate::sink::grist::shared;
use crate::sink::grist::state::State;
use crate::sink::{FileLimits, WantedFile};
use crate::table::TableKey;

/// Every upload of `Dn_fichiers`, by SQL.
const UPLOADS: &str = "SELECT id, cle, piece FROM Dn_fichiers WHERE typeof(cle) = 'text' AND typeof(piece) = 'text' \
     AND piece <> '[]'";

/// The number of rows that are looked up at a time, to be linked.
const LINKS: usize = 5_000;

impl Reader {
    /// Rows without a file whose content the document has: their keys, and the upload.
    pub(super) async fn to_link(&self, table: &FileTable) -> Result<Vec<(String, AttachmentId)>, GristFault> {
        let sql = format!(
            "SELECT id, cle, empreinte FROM ({}) WHERE empreinte IN (SELECT cle FROM ({UPLOADS}))",
            table.rows_without_file()
        );
        if let Some(rows) = self.sql(&sql, &[]).await? {
            let mut links = Vec::new();
            for rows in rows.chunks(LINKS) {
                links.extend(self.links(table, rows).await?);
            }
            return Ok(links);
        }
        let held = self.uploads().await?;
        let bare = self.rows_without_file(table).await?;
        Ok(bare.into_iter().filter_map(|bare| Some((bare.key, *held.get(&bare.wanted.checksum)?))).collect())
    }

    /// The same for some of these rows. A copy that somebody made of a row is no row of ours.
    async fn links(&self, table: &FileTable, rows: &[DocRecord]) -> Result<Vec<(String, AttachmentId)>, GristFault> {
        let list = |column: &str| json!(rows.iter().map(|row| text(row, column)).collect::<Vec<_>>()).to_string();
        let (table, key) = (quoted(&table.table), quoted(&table.key));
        let sql = format!(
            "SELECT min(id) AS id, NULL AS cle, NULL AS piece FROM {table} \
             WHERE {key} IN (SELECT value FROM json_each(?)) GROUP BY {key} \
             UNION ALL SELECT id, cle, piece FROM ({UPLOADS}) WHERE cle IN (SELECT value FROM json_each(?))"
        );
        let answer = self.sql(&sql, &[list("cle").into(), list("empreinte").into()]).await?.unwrap_or_default();
        let (mut pieces, ours): (Vec<&DocRecord>, Vec<&DocRecord>) =
            answer.iter().partition(|row| row.get("piece").is_some_and(|piece| !piece.is_null()));
        let ours: BTreeSet<RowId> = ours.into_iter().filter_map(id).collect();
        // Of two with one checksum the one with the lowest id is the one that an upsert keeps up.
        pieces.sort_by_key(|row| std::cmp::Reverse(id(row)));
        let held: BTreeMap<&str, AttachmentId> =
            pieces.into_iter().filter_map(|row| Some((text(row, "cle"), upload_of(row.get("piece")?)?))).collect();
        let own = rows.iter().filter(|row| id(row).is_some_and(|id| ours.contains(&id)));
        let link = |row: &DocRecord| Some((text(row, "cle").to_owned(), *held.get(text(row, "empreinte"))?));
        Ok(own.filter_map(link).collect())
    }

    pub(super) async fn wanted(
        &self,
        scope: &Scope,
        table: &FileTable,
        limits: &FileLimits,
        after: Option<DossierNumber>,
        limit: u32,
    ) -> Result<Vec<WantedFile>, GristFault> {
        let bare = table.rows_without_file();
        let sql = format!(
            "SELECT numero, empreinte, min(nom) AS nom, min(sorte) AS sorte, min(taille) AS taille FROM ({bare}) \
             WHERE numero > ? AND taille <= ? AND (? OR lower(trim(substr(sorte, 1, instr(sorte || ';', ';') - 1))) \
             IN (SELECT value FROM json_each(?)) OR lower(substr(trim(sorte), 1, instr(trim(sorte), '/'))) \
             IN (SELECT value FROM json_each(?))) \
             AND empreinte NOT IN (SELECT cle FROM ({UPLOADS})) \
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
            let wanted = |row: &DocRecord| {
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
        let held = self.uploads().await?;
        let books = [("instance", vec![instance]), ("demarche", vec![demarche])];
        let books = self.doc.records(shared::DOSSIERS, &books).await?;
        let alive = |row: &&DocRecord| !text(row, "empreinte").is_empty() && text(row, "disparu").is_empty();
        let alive: BTreeSet<DossierNumber> =
            books.iter().filter(alive).filter_map(|row| known::number(row.get("numero")?)).collect();
        let mut wanted: Vec<WantedFile> =
            self.rows_without_file(table).await?.into_iter().map(|bare| bare.wanted).collect();
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
    async fn uploads(&self) -> Result<BTreeMap<String, AttachmentId>, GristFault> {
        let mut rows = self.doc.records(FILES.id, &[]).await?;
        rows.sort_by_key(|row| std::cmp::Reverse(id(row)));
        let pair = |row: &DocRecord| Some((text(row, "cle").to_owned(), upload_of(row.get("piece")?)?));
        Ok(rows.iter().filter_map(pair).collect())
    }

    /// Every row without a file, the oldest of those with one key, record by record.
    async fn rows_without_file(&self, table: &FileTable) -> Result<Vec<RowWithoutFile>, GristFault> {
        let mut rows = self.doc.records(&table.table, &[]).await?;
        rows.sort_by_key(id);
        let mut seen = BTreeSet::new();
        rows.retain(|row| seen.insert(text(row, &table.key).to_owned()));
        Ok(rows.iter().filter_map(|row| table.read(row)).collect())
    }
}

/// The rows of `Dn_fichiers` that no row of any démarche names any more. None as long as that is not certain.
pub(super) async fn unused(reader: &Reader, state: &State) -> Result<UnusedRows, GristFault> {
    let mut removals = BTreeMap::new();
    if FILES.find(&state.structure).is_none() {
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
            let mut rows = reader.doc.records(FILES.id, &[]).await?;
            for (table, checksum) in &named {
                let there = reader.doc.records(table, &[]).await?;
                let there: BTreeSet<&str> = there.iter().map(|row| text(row, checksum)).collect();
                rows.retain(|row| !there.contains(text(row, "cle")));
            }
            rows
        }
        // Somebody renames things at this moment: next time.
        Err(error) if GristFault::is_renamed(&error) => return Ok(removals),
        Err(error) => return Err(error.into()),
    };
    let rows: Vec<RowId> = rows.iter().filter_map(id).collect();
    if !rows.is_empty() {
        removals.insert(FILES.id.to_owned(), rows);
    }
    Ok(removals)
}
