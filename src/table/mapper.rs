//! Maps a dossier to rows of a layout.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::fixed::{self, Fixed, GeoRow};
use super::layout::Layout;
use super::row::{Cell, ChildRow, Row};
use super::spec::{CellKind, ColumnKey, Part, Spec, TableKey};
use super::value;
use crate::champ::{Champ, ChampValue};
use crate::demarche::SubColumn;
use crate::dossier::{Assignment, Dossier, PlacedFile};
use crate::fingerprint::Digest;
use crate::ids::DescriptorId;
use crate::privacy::Treatment;

/// Rows of one dossier, and the marks on what did not fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapped {
    /// Its rows. A value that its column cannot hold is missing in the cells and present in the document.
    pub row: Row,
    /// The columns that could not hold a value, in the words of [`DOCUMENT_ONLY`].
    pub misfits: Vec<String>,
    /// The questions that the layout does not know: the form moved.
    pub unknown: Vec<DescriptorId>,
    /// The sub-values that the layout has no column for yet.
    pub unplaced: Vec<(DescriptorId, SubColumn)>,
}

/// Name of the column of dossiers that lists the columns whose value only the document holds: `column`, `table.column`
/// for a child table, or the title of a question that has no column.
pub const DOCUMENT_ONLY: &str = "hors_colonnes";

/// Maps dossiers to the rows of one layout. Built once for a layout, used for each dossier.
#[derive(Debug)]
pub struct Mapper {
    dossiers: Table<fixed::DossierReader>,
    blocks: HashMap<DescriptorId, Table<()>>,
    files: Option<Table<fixed::FileReader>>,
    messages: Option<Table<fixed::MessageReader>>,
    avis: Option<Table<fixed::AvisReader>>,
    traitements: Option<Table<fixed::TraitementReader>>,
    geo_zones: Option<Table<fixed::GeoReader>>,
    instructeurs: Option<Table<fixed::InstructeurReader>>,
    labels: Option<Table<fixed::LabelReader>>,
    affectations: Option<Table<fixed::AffectationReader>>,
    presentation: HashSet<DescriptorId>,
    /// The position of [`DOCUMENT_ONLY`], if the layout has it.
    mark: Option<usize>,
}

/// Positions of the cells of one table.
#[derive(Debug)]
struct Table<R> {
    position: usize,
    width: usize,
    /// Names that columns have in the mark of values that do not fit.
    names: Vec<String>,
    /// (Parts of) answers that have no column.
    beyond: HashMap<DescriptorId, Vec<(String, Part)>>,
    fixed: Vec<(Slot, Treatment, R)>,
    champs: HashMap<DescriptorId, Vec<(Slot, Part)>>,
    columns: HashMap<DescriptorId, HashMap<String, Slot>>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    column: usize,
    kind: CellKind,
}

/// Answers that the layout could not take, gathered while a dossier is mapped.
#[derive(Default)]
struct Leftovers {
    misfits: BTreeSet<String>,
    unknown: Vec<DescriptorId>,
    unplaced: Vec<(DescriptorId, SubColumn)>,
}

impl<R: Copy> Table<R> {
    fn new(position: usize, layout: &Layout, readers: &[Fixed<R>]) -> Self {
        let table = &layout.tables[position];
        let prefix = if table.key.is_child() { format!("{}.", table.name) } else { String::new() };
        let names = table.columns.iter().map(|column| format!("{prefix}{}", column.name)).collect();
        let mut fixed = Vec::new();
        let mut champs: HashMap<DescriptorId, Vec<(Slot, Part)>> = HashMap::new();
        let mut columns: HashMap<DescriptorId, HashMap<String, Slot>> = HashMap::new();
        for (column, layout) in table.columns.iter().enumerate() {
            let slot = Slot { column, kind: layout.spec.kind };
            match &layout.spec.key {
                // A column that only an older version filled stays, and stays empty: names and columns never go.
                ColumnKey::Fixed(name) => fixed.extend(
                    readers
                        .iter()
                        .find(|reader| reader.name == name.as_str())
                        .map(|reader| (slot, layout.spec.policy, reader.read)),
                ),
                ColumnKey::Champ(id, part) => champs.entry(id.clone()).or_default().push((slot, *part)),
                ColumnKey::Column(id, column) => {
                    columns.entry(id.clone()).or_default().insert(column.clone(), slot);
                }
            }
        }
        Self { position, width: table.columns.len(), names, beyond: HashMap::new(), fixed, champs, columns }
    }

    /// Builds a row with the columns that the table always has.
    fn row(&self, left: &mut Leftovers, read: impl Fn(R, Treatment) -> Cell) -> Vec<Cell> {
        // Null where no champ fills a cell: an answer that a condition hid is absent, and its old value must go (trap
        // 44).
        let mut cells = vec![Cell::Null; self.width];
        for (slot, treatment, reader) in &self.fixed {
            self.put(&mut cells, *slot, read(*reader, *treatment), left);
        }
        cells
    }

    fn put(&self, cells: &mut [Cell], slot: Slot, cell: Cell, left: &mut Leftovers) {
        match cell.coerce(slot.kind) {
            Ok(cell) => cells[slot.column] = cell,
            // The column keeps its kind: one answer must not change the type under the views and queries of people.
            Err(_) => _ = left.misfits.insert(self.names[slot.column].clone()),
        }
    }

    fn child(&self, key: String, cells: Vec<Cell>) -> ChildRow {
        ChildRow { table: self.position, key, position: 0, cells }
    }
}

impl Mapper {
    /// Builds a mapper: looks up the positions of all columns once.
    #[must_use]
    pub fn new(layout: &Layout) -> Self {
        fn table<R: Copy>(layout: &Layout, key: &TableKey, readers: &[Fixed<R>]) -> Option<Table<R>> {
            let position = layout.position(key)?;
            Some(Table::new(position, layout, readers))
        }
        let blocks = layout.tables.iter().enumerate().filter_map(|(position, table)| match &table.key {
            TableKey::Block(id) => Some((id.clone(), Table::new(position, layout, &[]))),
            _ => None,
        });
        Self {
            dossiers: table(layout, &TableKey::Dossiers, fixed::DOSSIER)
                .expect("a layout begins with the table of dossiers"),
            blocks: blocks.collect(),
            files: table(layout, &TableKey::PiecesJointes, fixed::FILES),
            messages: table(layout, &TableKey::Messages, fixed::MESSAGES),
            avis: table(layout, &TableKey::Avis, fixed::AVIS),
            traitements: table(layout, &TableKey::Traitements, fixed::TRAITEMENTS),
            geo_zones: table(layout, &TableKey::GeoZones, fixed::GEO_ZONES),
            instructeurs: table(layout, &TableKey::Instructeurs, fixed::INSTRUCTEURS),
            labels: table(layout, &TableKey::Labels, fixed::LABELS),
            affectations: table(layout, &TableKey::Affectations, fixed::AFFECTATIONS),
            presentation: layout.presentation.iter().cloned().collect(),
            mark: layout.mark(),
        }
    }

    /// Builds a mapper for a form with more columns than the target can hold. Answers without a column are listed in
    /// [`DOCUMENT_ONLY`], and are not taken for answers to unknown questions.
    #[must_use]
    pub fn of(spec: &Spec, layout: &Layout) -> Self {
        let mut mapper = Self::new(layout);
        for wanted in &spec.tables {
            let Some(position) = layout.position(&wanted.key) else { continue };
            let missing = wanted.columns.iter().filter(|column| layout.tables[position].kind_of(&column.key).is_none());
            let beyond = match &wanted.key {
                TableKey::Dossiers => Some(&mut mapper.dossiers.beyond),
                TableKey::Block(id) => mapper.blocks.get_mut(id).map(|table| &mut table.beyond),
                _ => None,
            };
            let Some(beyond) = beyond else { continue };
            for column in missing {
                if let ColumnKey::Champ(id, part) = &column.key {
                    beyond.entry(id.clone()).or_default().push((column.title.clone(), *part));
                }
            }
        }
        mapper
    }

    /// Maps a dossier, after the privacy filter, to its rows. `light` is the digest of its line in the light listing,
    /// computed before the filter.
    ///
    /// The dossier is put in its canonical form first: two readings of an unchanged dossier give equal rows. An absent
    /// champ leaves its cells empty: a condition hid it, and the stored answer is no longer given (trap 44).
    #[must_use]
    pub fn row(&self, mut dossier: Dossier, light: Digest) -> Mapped {
        // The document first: it brings the dossier into its canonical order, in which the rows are numbered too.
        let document = dossier.document();
        let mut left = Leftovers::default();
        let mut cells = self.dossiers.row(&mut left, |read, treatment| read(&dossier, treatment));
        let mut children = Vec::new();
        for champ in dossier.champs.iter().chain(&dossier.annotations) {
            match (&champ.value, self.blocks.get(&champ.descriptor)) {
                (ChampValue::Repetition(rows), Some(block)) => {
                    children.extend(rows.iter().map(|row| {
                        let mut cells = block.row(&mut left, |(), _| Cell::Null);
                        row.champs.iter().for_each(|champ| self.fill(block, champ, &mut cells, &mut left));
                        block.child(row.id.as_str().to_owned(), cells)
                    }));
                }
                // Démat Social sends an empty block as an empty answer.
                (ChampValue::Empty, Some(_)) => {}
                _ => self.fill(&self.dossiers, champ, &mut cells, &mut left),
            }
        }
        self.add_children(&dossier, &mut children, &mut left);
        arrange(&mut children);
        if let (Some(mark), false) = (self.mark, left.misfits.is_empty()) {
            cells[mark] = marks(&left.misfits);
        }
        left.unknown.sort_unstable();
        left.unknown.dedup();
        let row = Row {
            number: dossier.number,
            state: dossier.state,
            updated_at: dossier.date_derniere_modification,
            fingerprint: Digest::of(document.as_bytes()),
            light,
            document,
            cells,
            children,
        };
        let misfits = left.misfits.into_iter().collect();
        Mapped { row, misfits, unknown: left.unknown, unplaced: left.unplaced }
    }

    fn fill<R: Copy>(&self, table: &Table<R>, champ: &Champ, cells: &mut [Cell], left: &mut Leftovers) {
        let beyond = table.beyond.get(&champ.descriptor);
        for (title, part) in beyond.into_iter().flatten() {
            if value::part(&champ.value, *part) != Cell::Null {
                left.misfits.insert(title.clone());
            }
        }
        match table.champs.get(&champ.descriptor) {
            Some(slots) => {
                for (slot, part) in slots {
                    table.put(cells, *slot, value::part(&champ.value, *part), left);
                }
                fill_columns(table, champ, cells, left);
            }
            // The form asks this question, but the table has no more room: the answer is listed, and is no stranger.
            None if beyond.is_some() => {}
            None if self.presentation.contains(&champ.descriptor) => {}
            // A title that no revision lists any more is still among the answers of old dossiers (trap 45).
            None if champ.value == ChampValue::Presentation => {}
            None => left.unknown.push(champ.descriptor.clone()),
        }
    }

    fn add_children(&self, dossier: &Dossier, children: &mut Vec<ChildRow>, left: &mut Leftovers) {
        if let Some(table) = &self.files {
            for file in dossier.files() {
                let cells = table.row(left, |read, treatment| read(&file, treatment));
                children.push(table.child(file_key(&file), cells));
            }
        }
        if let Some(table) = &self.messages {
            for message in &dossier.messages {
                let cells = table.row(left, |read, treatment| read(message, treatment));
                children.push(table.child(message.id.clone(), cells));
            }
        }
        if let Some(table) = &self.avis {
            for avis in &dossier.avis {
                let cells = table.row(left, |read, treatment| read(avis, treatment));
                children.push(table.child(avis.id.clone(), cells));
            }
        }
        if let Some(table) = &self.traitements {
            for traitement in &dossier.traitements {
                let cells = table.row(left, |read, treatment| read(traitement, treatment));
                children.push(table.child(traitement.id.clone(), cells));
            }
        }
        if let Some(table) = &self.geo_zones {
            for champ in dossier.champs.iter().chain(&dossier.annotations) {
                let nested: &[_] = match &champ.value {
                    ChampValue::Repetition(rows) => rows,
                    _ => &[],
                };
                for champ in std::iter::once(champ).chain(nested.iter().flat_map(|row| &row.champs)) {
                    let ChampValue::Carte(areas) = &champ.value else { continue };
                    for area in areas {
                        let zone = GeoRow { champ: champ.id.as_str(), descriptor: &champ.descriptor, area };
                        let cells = table.row(left, |read, treatment| read(&zone, treatment));
                        children.push(table.child(format!("{}:{}", champ.id, area.id), cells));
                    }
                }
            }
        }
        if let Some(table) = &self.instructeurs {
            for profile in &dossier.instructeurs {
                let cells = table.row(left, |read, treatment| read(profile, treatment));
                children.push(table.child(profile.id.clone(), cells));
            }
        }
        if let Some(table) = &self.labels {
            for label in &dossier.labels {
                let cells = table.row(left, |read, treatment| read(label, treatment));
                children.push(table.child(label.id.clone(), cells));
            }
        }
        if let Some(table) = &self.affectations {
            for assignment in &dossier.assignments {
                let cells = table.row(left, |read, treatment| read(assignment, treatment));
                children.push(table.child(assignment_key(assignment), cells));
            }
        }
    }
}

/// Fills the columns of sub-values. If the answer is withheld, so are they.
fn fill_columns<R: Copy>(table: &Table<R>, champ: &Champ, cells: &mut [Cell], left: &mut Leftovers) {
    let known = table.columns.get(&champ.descriptor);
    if let (ChampValue::Withheld(_), Some(known)) = (&champ.value, known) {
        return known.values().for_each(|slot| table.put(cells, *slot, value::part(&champ.value, Part::Record), left));
    }
    for column in &champ.columns {
        let Some(text) = &column.text else { continue };
        match known.and_then(|known| known.get(&column.id)) {
            Some(slot) => table.put(cells, *slot, Cell::text(text), left),
            None => {
                let seen = SubColumn { id: column.id.clone(), label: column.label.clone() };
                left.unplaced.push((champ.descriptor.clone(), seen));
            }
        }
    }
}

/// Writes the cell of [`DOCUMENT_ONLY`].
pub(super) fn marks(names: &BTreeSet<String>) -> Cell {
    Cell::text(names.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
}

/// Builds the key of a file. Files have no id: owner, name, checksum and date identify one, but not its position, which
/// changes (docs/platform.md#files).
fn file_key(row: &PlacedFile<'_>) -> String {
    let file = row.file;
    let date = file.created_at.map(|at| at.to_string()).unwrap_or_default();
    // Not the position: it changes when another file is removed. Not the address: it changes with every reading (trap
    // 26).
    let identity = [row.origin, row.owner, &file.filename, &file.checksum, &date].join("\0");
    Digest::of(identity.as_bytes()).to_string()
}

/// Builds the key of an assignment, which has no id: date, groupe and mode identify it.
fn assignment_key(assignment: &Assignment) -> String {
    let date = assignment.assigned_at.map(|at| at.to_string()).unwrap_or_default();
    let number = assignment.groupe_instructeur_number.map(|number| number.to_string()).unwrap_or_default();
    Digest::of([date.as_str(), &number, &assignment.mode].join("\0").as_bytes()).to_string()
}

/// Numbers the rows, and adds a number to keys that repeat: two equal files of one champ both stay.
fn arrange(children: &mut [ChildRow]) {
    let mut next: HashMap<usize, u32> = HashMap::new();
    let mut seen: HashMap<(usize, String), u32> = HashMap::with_capacity(children.len());
    for child in children {
        let position = next.entry(child.table).or_default();
        child.position = *position;
        *position += 1;
        let mut key = child.key.clone();
        loop {
            let times = seen.entry((child.table, key)).or_default();
            *times += 1;
            if *times == 1 {
                break;
            }
            // Two equal files of one champ have one key: both rows stay.
            child.key = format!("{}~{times}", child.key);
            key = child.key.clone();
        }
    }
}

#[cfg(test)]
#[path = "mapper_tests.rs"]
mod tests;
