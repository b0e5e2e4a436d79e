//! The tables of a démarche: made, completed, widened, retitled, never dropped. Pure: what to do comes out as actions.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::encoding::Kind;
use super::fault::Fault;
use super::memory::{ColumnMemory, Memory, TableMemory};
use super::shape::{self, Place};
use super::shared;
use super::{decisions, files};
use crate::sink::names;
use crate::table::{Layout, LayoutColumn, LayoutTable};
use grist_client::{Action, Column, Table};

/// What the operator wants of tables beyond the layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// Columns that people deleted are made again.
    pub restore: bool,
    /// Files themselves are shown.
    pub files: bool,
    /// People decide in the table of dossiers.
    pub decisions: bool,
}

/// What to do to the tables, and what is remembered of them afterwards.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Changes {
    pub actions: Vec<Action>,
    pub memory: Memory,
    /// Columns are there again that rows have no values for.
    pub owes_remap: bool,
    /// Where the answer tells the id that a column really got: the action, the table, the column's name.
    asked: Vec<(usize, usize, String)>,
    /// Where the answer tells the id that a table really got.
    tables: Vec<(usize, String)>,
}

/// Decides how to bring the tables to a layout. `memory` follows the document already; `wishes` are the operator's.
pub(super) fn plan(memory: &Memory, structure: &[Table], layout: &Layout, wishes: Wishes) -> Result<Changes, Fault> {
    let first = layout.tables.first().ok_or_else(|| Fault::Refused("the layout has no table".to_owned()))?;
    let remembered = memory.remembered();
    for table in &layout.tables {
        let known = remembered.iter().find(|known| known.key == table.key);
        names::check(table, known).map_err(Fault::Refused)?;
    }
    let mut changes = Changes {
        actions: Vec::new(),
        memory: memory.clone(),
        owes_remap: false,
        asked: Vec::new(),
        tables: Vec::new(),
    };
    let dossiers = memory.table(&first.key).map_or_else(|| shape::table_id(&first.name), |table| table.id.clone());
    for wanted in &layout.tables {
        match changes.memory.tables.iter().position(|table| table.key == wanted.key) {
            None => changes.create(wanted, &dossiers, wishes),
            Some(position) => {
                let found = changes.memory.tables[position].find(structure).cloned();
                let found = found.ok_or_else(|| Fault::Altered(format!("{}: the table is missing", wanted.name)))?;
                changes.adapt(position, &found, wanted, wishes);
            }
        }
    }
    changes.bounded(structure)?;
    Ok(changes)
}

/// The widest table that is made. Grist takes 2000 columns, its own included; beyond them it fails halfway, and leaves a
/// table that its data engine believes in and its storage does not have (Grist trap 29).
const WIDEST: usize = 1_900;

impl Changes {
    /// Refuses a table that would be too wide, as long as something would be added to it.
    fn bounded(&self, structure: &[Table]) -> Result<(), Fault> {
        for table in &self.memory.tables {
            let found = table.find(structure);
            let is_new =
                |column: &&ColumnMemory| !column.left_out && found.is_none_or(|found| column.find(found).is_none());
            let new = table.all().filter(is_new).count();
            let wide = found.map_or(0, |found| found.columns.len()) + new;
            if new > 0 && wide > WIDEST {
                let (id, advice) = (&table.id, "leave questions out by the policy, or choose another target");
                return Err(Fault::Refused(format!(
                    "{id} would have {wide} columns, and a table of Grist bears {WIDEST} safely: {advice}"
                )));
            }
        }
        Ok(())
    }

    fn create(&mut self, wanted: &LayoutTable, dossiers: &str, wishes: Wishes) {
        let id = shape::table_id(&wanted.name);
        let own = shape::technical(&wanted.key);
        let technical: Vec<ColumnMemory> = own.iter().map(|technical| technical.memory(dossiers)).collect();
        let mut taken: BTreeSet<String> = technical.iter().map(|column| column.id.clone()).collect();
        let columns: Vec<ColumnMemory> = wanted
            .columns
            .iter()
            .map(|LayoutColumn { name, spec }| shape::column(spec, name, shape::column_id(name, &mut taken)))
            .collect();
        let placed = |place: Place| {
            let own = own.iter().zip(&technical).filter(move |(own, _)| own.place == place);
            own.map(|(_, column)| column)
        };
        let shown = |place: Place| {
            let layout = wanted.columns.iter().zip(&columns);
            layout.filter(move |(layout, _)| shape::place(&layout.spec) == place).map(|(_, column)| column)
        };
        let file = files::column(&wanted.key, &mut taken).filter(|_| wishes.files);
        let desk = if wishes.decisions { decisions::wanted(wanted) } else { Vec::new() };
        let desk: Vec<ColumnMemory> = desk.into_iter().map(|column| decisions::placed(column, &mut taken)).collect();
        let visible = placed(Place::Head).chain(shown(Place::Head)).chain(&file).chain(&desk);
        let visible = visible.chain(placed(Place::Tail));
        let visible: Vec<Value> = visible.map(|column| info(column, true)).collect();
        self.tables.push((self.actions.len(), id.clone()));
        self.actions.push(Action::Raw(json!(["AddTable", id, visible])));
        for column in placed(Place::Hidden).chain(shown(Place::Hidden)) {
            self.actions.push(Action::Raw(json!(["AddHiddenColumn", id, column.id, info(column, false)])));
        }
        self.memory.tables.push(TableMemory {
            key: wanted.key.clone(),
            name: wanted.name.clone(),
            title: wanted.title.clone(),
            id,
            table_ref: None,
            dressed: false,
            technical,
            columns,
            file,
            desk,
        });
    }

    fn adapt(&mut self, position: usize, found: &Table, wanted: &LayoutTable, wishes: Wishes) {
        let mut table = self.memory.tables[position].clone();
        table.title.clone_from(&wanted.title);
        let ids = found.columns.iter().map(|column| column.id.to_lowercase());
        let held = table.all().filter(|column| !column.left_out).map(|column| column.id.to_lowercase());
        let mut taken: BTreeSet<String> = ids.chain(held).collect();
        for LayoutColumn { name, spec } in &wanted.columns {
            let new = shape::column(spec, name, String::new());
            match table.columns.iter_mut().find(|column| column.key == spec.key) {
                None => {
                    let column = ColumnMemory { id: shape::column_id(name, &mut taken), ..new };
                    self.add(position, &found.id, &column, shape::place(spec));
                    table.columns.push(column);
                }
                Some(column) if column.left_out => {
                    let (title, kind) = (new.title.clone(), new.kind);
                    if wishes.restore && column.col_ref.is_none() {
                        *column = ColumnMemory { id: shape::column_id(name, &mut taken), ..new };
                        let column = column.clone();
                        self.add(position, &found.id, &column, shape::place(spec));
                        self.owes_remap = true;
                    } else {
                        (column.title, column.kind) = (title, kind);
                    }
                }
                Some(column) => {
                    if let Some(here) = column.find(found) {
                        let patch = change(column, here, new);
                        if !patch.is_empty() {
                            self.actions.push(Action::UpdateRecord {
                                table: "_grist_Tables_column".to_owned(),
                                row: here.col_ref,
                                values: patch,
                            });
                        }
                    }
                }
            }
        }
        let absent = |file: &ColumnMemory| wishes.restore && file.left_out && file.col_ref.is_none();
        if wishes.files
            && table.file.as_ref().is_none_or(absent)
            && let Some(column) = files::column(&wanted.key, &mut taken)
        {
            self.add(position, &found.id, &column, Place::Head);
            table.file = Some(column);
        }
        if wishes.decisions {
            self.desk(position, found, &mut table, wanted, wishes.restore, &mut taken);
        }
        self.memory.tables[position] = table;
    }

    /// The columns of decisions: those that are new are added, what is as we left it follows the form.
    fn desk(
        &mut self,
        position: usize,
        found: &Table,
        table: &mut TableMemory,
        wanted: &LayoutTable,
        restore: bool,
        taken: &mut BTreeSet<String>,
    ) {
        for new in decisions::wanted(wanted) {
            match table.desk.iter_mut().find(|column| column.key == new.key) {
                None => {
                    let column = decisions::placed(new, taken);
                    self.add(position, &found.id, &column, Place::Head);
                    table.desk.push(column);
                }
                Some(column) if column.left_out => {
                    if restore && column.col_ref.is_none() {
                        *column = decisions::placed(new, taken);
                        self.add(position, &found.id, &column.clone(), Place::Head);
                    }
                }
                Some(column) => {
                    if let Some(here) = column.find(found) {
                        let (row, patch) = (here.col_ref, change(column, here, new));
                        if !patch.is_empty() {
                            let table = "_grist_Tables_column".to_owned();
                            self.actions.push(Action::UpdateRecord { table, row, values: patch });
                        }
                    }
                }
            }
        }
    }

    fn add(&mut self, position: usize, table: &str, column: &ColumnMemory, place: Place) {
        let how = if place == Place::Hidden { "AddHiddenColumn" } else { "AddVisibleColumn" };
        let mut info = info(column, false);
        if column.given != files::KIND {
            // Rows that are there would get a zero in a column of numbers: it gets its type when it is dressed.
            info["type"] = "Any".into();
        }
        self.asked.push((self.actions.len(), position, column.name.clone()));
        self.actions.push(Action::Raw(json!([how, table, column.id, info])));
    }

    /// The memory once the bundle is applied, with the ids that things really got. `answers` are those of these actions.
    pub(super) fn applied(mut self, answers: &[Value]) -> Result<Memory, Fault> {
        for (action, asked) in &self.tables {
            let got = answers.get(*action).and_then(|answer| answer["table_id"].as_str());
            if got.is_some_and(|got| got != asked) {
                return Err(Fault::Altered(format!("a table {asked} appeared while ours was made")));
            }
        }
        for (action, table, name) in &self.asked {
            let Some(answer) = answers.get(*action) else { continue };
            let table = &mut self.memory.tables[*table];
            if let Some(column) = table
                .columns
                .iter_mut()
                .chain(&mut table.file)
                .chain(&mut table.desk)
                .find(|column| column.name == *name)
                && let Some(id) = answer["colId"].as_str()
            {
                column.id = id.to_owned();
                column.col_ref = answer["colRef"].as_i64();
            }
        }
        Ok(self.memory)
    }
}

/// What changes of a column that is there: only what is as we left it follows the form, the rest is a person's.
fn change(column: &mut ColumnMemory, here: &Column, new: ColumnMemory) -> Map<String, Value> {
    let mut patch = Map::new();
    if here.label == column.label && here.label != new.label {
        patch.insert("label".to_owned(), new.label.clone().into());
    }
    if here.description == column.description && here.description != new.description {
        patch.insert("description".to_owned(), new.description.clone().into());
    }
    if column.kind != new.kind {
        // A column of choices that becomes text stays one: its choices are still a help.
        if here.kind == column.given && !Kind::parse(&here.kind).holds(&Kind::parse(&new.given)) {
            patch.insert("type".to_owned(), new.given.clone().into());
        }
        column.given = new.given;
        column.kind = new.kind;
    }
    let more: Vec<String> = new.options.iter().filter(|option| !column.options.contains(option)).cloned().collect();
    if !more.is_empty() && matches!(Kind::parse(&here.kind), Kind::Choice | Kind::ChoiceList) {
        let widget = shape::merged(&here.widget_options, &more);
        if widget != here.widget_options {
            patch.insert("widgetOptions".to_owned(), widget.into());
        }
    }
    column.options.extend(more);
    column.title = new.title;
    column.label = new.label;
    column.description = new.description;
    patch
}

fn info(column: &ColumnMemory, named: bool) -> Value {
    let mut info = Map::new();
    if named {
        info.insert("id".to_owned(), column.id.clone().into());
    }
    info.insert("type".to_owned(), column.given.clone().into());
    info.insert("label".to_owned(), column.label.clone().into());
    info.insert("isFormula".to_owned(), false.into());
    let widget = shape::widget(column);
    if !widget.is_empty() {
        info.insert("widgetOptions".to_owned(), widget.into());
    }
    Value::Object(info)
}

/// Names in the document that belong to others.
pub(super) fn taken(memory: &Memory, structure: &[Table]) -> BTreeSet<String> {
    let ours = |table: &&Table| !memory.tables.iter().any(|known| known.table_ref == Some(table.table_ref));
    let ids = structure.iter().filter(ours).map(|table| table.id.to_lowercase());
    ids.chain(shared::TABLES.iter().chain([&shared::FILES]).chain(&shared::OUTBOX).map(|table| table.id.to_lowercase()))
        .collect()
}
