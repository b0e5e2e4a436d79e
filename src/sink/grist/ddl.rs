//! Computes the actions that make, complete, widen and retitle the tables of a démarche. None is ever dropped. Pure.

use std::collections::BTreeSet;

use grist_client::{Action, Column, Table};
use serde_json::{Map, Value, json};

use super::encoding::Kind;
use super::extension::{AddedColumns, Extension, ExtensionSet};
use super::fault::GristFault;
use super::memory::{ColumnMemory, DocumentMemory, FormulaMemory, PageKey, Style, TableMemory};
use super::shape::{self, ColumnPosition};
use super::{pages, shared};
use crate::demarche::Demarche;
use crate::sink::names;
use crate::table::{Layout, LayoutColumn, LayoutTable};

/// Wishes of the operator beyond the layout.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wishes<'a> {
    /// Columns that people deleted are made again.
    pub restore: bool,
    /// The features of the sink.
    pub extensions: &'a ExtensionSet,
    /// The form, whose labels and instructeurs are choices.
    pub form: &'a Demarche,
    /// The pages that are there are made anew, in the newest style.
    pub restyle: bool,
    /// Where a browser finds the dossiers of the démarche.
    pub platform: Option<&'a str>,
}

/// Changes of the tables, and what is remembered of them afterwards.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Changes {
    pub actions: Vec<Action>,
    pub memory: DocumentMemory,
    /// Columns are there again that rows have no values for.
    pub owes_remap: bool,
    /// The answers with the id that a column really got: the action, the table, the column's name.
    asked: Vec<(usize, usize, String)>,
    /// The answers with the id that a table really got.
    tables: Vec<(usize, String)>,
}

/// Decides how to bring the tables to a layout. `memory` follows the document already; `wishes` are the operator's.
pub(super) fn plan(
    memory: &DocumentMemory,
    structure: &[Table],
    layout: &Layout,
    wishes: Wishes<'_>,
) -> Result<Changes, GristFault> {
    let first = layout.tables.first().ok_or_else(|| GristFault::Refused("the layout has no table".to_owned()))?;
    let remembered = memory.remembered();
    for table in &layout.tables {
        let known = remembered.iter().find(|known| known.key == table.key);
        names::check(table, known).map_err(GristFault::Refused)?;
    }
    let mut changes = Changes {
        actions: Vec::new(),
        memory: memory.clone(),
        owes_remap: false,
        asked: Vec::new(),
        tables: Vec::new(),
    };
    if memory.tables.is_empty() || wishes.restyle {
        changes.memory.style = Style::NEWEST;
        changes.memory.tables.iter_mut().for_each(|table| table.dressed = false);
        if memory.pages.iter().all(|page| page.key != PageKey::Dashboard) {
            // Its widgets come once the references of tables are known; made first, it is the first page.
            changes.actions.push(pages::dashboard_page());
        }
    }
    let dossiers = memory.table(&first.key).map_or_else(|| shape::table_id(&first.name), |table| table.id.clone());
    for wanted in &layout.tables {
        match changes.memory.tables.iter().position(|table| table.key == wanted.key) {
            None => changes.create(wanted, &dossiers, wishes),
            Some(position) => {
                let found = changes.memory.tables[position].find(structure).cloned();
                let found =
                    found.ok_or_else(|| GristFault::Altered(format!("{}: the table is missing", wanted.name)))?;
                changes.adapt(position, &found, wanted, wishes);
            }
        }
    }
    changes.bounded(structure)?;
    Ok(changes)
}

/// The widest table that is made. Grist takes 2000 columns, its own included; beyond them it fails halfway, and leaves a
/// table that its data engine has and its storage has not (Grist trap 29).
const WIDEST: usize = 1_900;

impl Changes {
    /// Returns true if columns are made, with those of new tables.
    pub(super) fn makes_columns(&self) -> bool {
        !self.asked.is_empty() || !self.tables.is_empty()
    }

    /// Refuses a table that would be too wide, as long as something would be added to it.
    fn bounded(&self, structure: &[Table]) -> Result<(), GristFault> {
        for table in &self.memory.tables {
            let found = table.find(structure);
            let is_new =
                |column: &&ColumnMemory| !column.left_out && found.is_none_or(|found| column.find(found).is_none());
            let new = table.all().filter(is_new).count();
            let wide = found.map_or(0, |found| found.columns.len()) + new;
            if new > 0 && wide > WIDEST {
                let (id, advice) = (&table.id, "leave questions out by the policy, or choose another target");
                return Err(GristFault::Refused(format!(
                    "{id} would have {wide} columns, and a table of Grist bears {WIDEST} safely: {advice}"
                )));
            }
        }
        Ok(())
    }

    fn create(&mut self, wanted: &LayoutTable, dossiers: &str, wishes: Wishes<'_>) {
        let id = shape::table_id(&wanted.name);
        let style = self.memory.style;
        let own = shape::technical(&wanted.key);
        let technical: Vec<ColumnMemory> =
            own.iter().map(|technical| style.technical(&wanted.key, technical, technical.memory(dossiers))).collect();
        let mut taken: BTreeSet<String> = technical.iter().map(|column| column.id.clone()).collect();
        let columns: Vec<ColumnMemory> = wanted
            .columns
            .iter()
            .map(|LayoutColumn { name, spec }| {
                let column = shape::column(spec, name, shape::column_id(name, &mut taken));
                style.column(&wanted.key, spec, wishes.form, column)
            })
            .collect();
        let twins: Vec<ColumnMemory> =
            style.twins(wanted).into_iter().map(|twin| with_free_id(twin, &mut taken)).collect();
        let twin = |column: &ColumnMemory| twins.iter().find(|twin| twin.key == column.key);
        let placed = |place: ColumnPosition| {
            let own = own.iter().zip(&technical);
            own.filter_map(move |(own, column)| match twin(column).filter(|_| own.place == place) {
                Some(twin) => Some(twin),
                None => (style.technical_place(&wanted.key, own) == place).then_some(column),
            })
        };
        let shown = |place: ColumnPosition| {
            let layout = wanted.columns.iter().zip(&columns);
            layout.filter_map(move |(layout, column)| match twin(column).filter(|_| place == ColumnPosition::Head) {
                Some(twin) => Some(twin),
                None => (!column.awaited && style.place(&wanted.key, &layout.spec) == place).then_some(column),
            })
        };
        let mut added = Vec::new();
        for (of, column) in wishes.extensions.wanted().flat_map(|extension| wanted_columns(extension, wanted)) {
            added.push((of, with_free_id(column, &mut taken)));
        }
        let visible = placed(ColumnPosition::Head).chain(shown(ColumnPosition::Head));
        let visible = visible.chain(added.iter().map(|(_, column)| column));
        let visible = visible.chain(placed(ColumnPosition::Tail));
        let mut made: Vec<Value> = visible.map(|column| info(column, true)).collect();
        // A column that the raw data does not show is missing where people duplicate the table.
        let hidden = placed(ColumnPosition::Hidden).chain(shown(ColumnPosition::Hidden)).collect::<Vec<_>>();
        let french = self.memory.style == Style::French;
        if french {
            made.extend(hidden.iter().map(|column| info(column, true)));
        }
        let others: Vec<Action> = hidden
            .iter()
            .filter(|_| !french)
            .map(|column| Action::Raw(json!(["AddHiddenColumn", id, column.id, info(column, false)])))
            .collect();
        let mut table = TableMemory {
            key: wanted.key.clone(),
            name: wanted.name.clone(),
            title: wanted.title.clone(),
            id: id.clone(),
            table_ref: None,
            dressed: false,
            technical,
            columns,
            file: None,
            decisions: Vec::new(),
            twins,
            formulas: Vec::new(),
        };
        added.into_iter().for_each(|(of, column)| table.add(of, column));
        if french {
            for formula in pages::formulas::of(&table, wishes.platform) {
                let own = shape::column_id(formula.name, &mut taken);
                made.push(formula.info(&own));
                table.formulas.push(FormulaMemory { name: formula.name.to_owned(), id: own, col_ref: None });
            }
        }
        self.tables.push((self.actions.len(), id.clone()));
        self.actions.push(Action::Raw(json!(["AddTable", id, made])));
        self.actions.extend(others);
        self.memory.tables.push(table);
    }

    fn adapt(&mut self, position: usize, found: &Table, wanted: &LayoutTable, wishes: Wishes<'_>) {
        let style = self.memory.style;
        let dossiers = self.memory.tables.first().map(|table| table.id.clone()).unwrap_or_default();
        let mut table = self.memory.tables[position].clone();
        table.title.clone_from(&wanted.title);
        let ids = found.columns.iter().map(|column| column.id.to_lowercase());
        let held = table.all().filter(|column| !column.left_out).map(|column| column.id.to_lowercase());
        let mut taken: BTreeSet<String> = ids.chain(held).collect();
        for LayoutColumn { name, spec } in &wanted.columns {
            let new = style.column(&wanted.key, spec, wishes.form, shape::column(spec, name, String::new()));
            match table.columns.iter_mut().find(|column| column.key == spec.key) {
                None => {
                    let column = ColumnMemory { id: shape::column_id(name, &mut taken), ..new };
                    if !column.awaited {
                        self.add(position, &found.id, &column, style.place(&wanted.key, spec));
                    }
                    table.columns.push(column);
                }
                Some(column) if column.awaited && new.awaited => {
                    (column.title, column.kind) = (new.title, new.kind);
                }
                Some(column) if column.awaited => {
                    *column = ColumnMemory { id: shape::column_id(name, &mut taken), ..new };
                    let column = column.clone();
                    self.add(position, &found.id, &column, style.place(&wanted.key, spec));
                    self.owes_remap = true;
                }
                Some(column) if column.left_out => {
                    let (title, kind) = (new.title.clone(), new.kind);
                    if wishes.restore && column.col_ref.is_none() {
                        *column = ColumnMemory { id: shape::column_id(name, &mut taken), ..new };
                        let column = column.clone();
                        self.add(position, &found.id, &column, style.place(&wanted.key, spec));
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
        let technical = shape::technical(&wanted.key).iter().filter(|_| style != Style::First);
        for technical in technical {
            let Some(column) = table.technical.iter_mut().find(|column| column.name == technical.name) else {
                continue;
            };
            let new = style.technical(&wanted.key, technical, technical.memory(&dossiers));
            if let Some(here) = column.find(found) {
                let (row, patch) =
                    (here.col_ref, change(column, here, ColumnMemory { given: column.given.clone(), ..new }));
                if !patch.is_empty() {
                    let table = "_grist_Tables_column".to_owned();
                    self.actions.push(Action::UpdateRecord { table, row, values: patch });
                }
            }
        }
        let twins = style.twins(wanted).into_iter().map(|twin| (AddedColumns::Twins, twin));
        let of_features = wishes.extensions.wanted().flat_map(|extension| wanted_columns(extension, wanted));
        for (of, new) in twins.chain(of_features) {
            match table.added_mut(of).iter_mut().find(|column| column.key == new.key) {
                None => {
                    let column = with_free_id(new, &mut taken);
                    self.add(position, &found.id, &column, ColumnPosition::Head);
                    table.add(of, column);
                    self.owes_remap |= of == AddedColumns::Twins;
                }
                Some(column) if column.left_out => {
                    if wishes.restore && column.col_ref.is_none() {
                        *column = with_free_id(new, &mut taken);
                        self.add(position, &found.id, &column.clone(), ColumnPosition::Head);
                        self.owes_remap |= of == AddedColumns::Twins;
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
        if wishes.restyle {
            for formula in pages::formulas::of(&table, wishes.platform) {
                if table.formulas.iter().all(|known| known.name != formula.name) {
                    let own = shape::column_id(formula.name, &mut taken);
                    self.actions.push(Action::Raw(json!(["AddColumn", found.id, own, formula.info(&own)])));
                    table.formulas.push(FormulaMemory { name: formula.name.to_owned(), id: own, col_ref: None });
                }
            }
        }
        self.memory.tables[position] = table;
    }

    fn add(&mut self, position: usize, table: &str, column: &ColumnMemory, place: ColumnPosition) {
        let how = match place {
            // The raw data shows it, so that people can duplicate the table; pages do not.
            ColumnPosition::Hidden => "AddColumn",
            ColumnPosition::Head | ColumnPosition::Tail => "AddVisibleColumn",
        };
        let mut info = info(column, false);
        if column.given != shape::ATTACHMENTS {
            // Rows that are there would get a zero in a column of numbers: it gets its type when it is dressed.
            info["type"] = "Any".into();
        }
        self.asked.push((self.actions.len(), position, column.name.clone()));
        self.actions.push(Action::Raw(json!([how, table, column.id, info])));
    }

    /// The memory once the bundle is applied, with the ids that things really got. `answers` are those of these actions.
    pub(super) fn applied(mut self, answers: &[Value]) -> Result<DocumentMemory, GristFault> {
        for (action, asked) in &self.tables {
            let got = answers.get(*action).and_then(|answer| answer["table_id"].as_str());
            // Grist makes a table whose name is taken under another name, without an error (Grist trap 16).
            if got.is_some_and(|got| got != asked) {
                return Err(GristFault::Altered(format!("a table {asked} appeared while ours was made")));
            }
        }
        for (action, table, name) in &self.asked {
            let Some(answer) = answers.get(*action) else { continue };
            let table = &mut self.memory.tables[*table];
            if let Some(column) = table.own_mut().find(|column| column.name == *name)
                && let Some(id) = answer["colId"].as_str()
            {
                column.id = id.to_owned();
                column.col_ref = answer["colRef"].as_i64();
            }
        }
        Ok(self.memory)
    }
}

/// Finds what changes of a column that is there: only what is as we left it follows the form, the rest is a person's.
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
        let widget = shape::merged(&here.widget_options, &more, &new.colours);
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
pub(super) fn taken(memory: &DocumentMemory, structure: &[Table], extensions: &ExtensionSet) -> BTreeSet<String> {
    let ours = |table: &&Table| !memory.tables.iter().any(|known| known.table_ref == Some(table.table_ref));
    let ids = structure.iter().filter(ours).map(|table| table.id.to_lowercase());
    let of_features = extensions.all().flat_map(Extension::tables);
    ids.chain(shared::TABLES.iter().chain(of_features).map(|table| table.id.to_lowercase())).collect()
}

/// The columns that a feature wants in a table, with the place where they are remembered.
fn wanted_columns(
    extension: &dyn Extension,
    table: &LayoutTable,
) -> impl Iterator<Item = (AddedColumns, ColumnMemory)> + use<> {
    let columns = extension.added().map(|of| (of, extension.columns(table)));
    columns.into_iter().flat_map(|(of, columns)| columns.into_iter().map(move |column| (of, column)))
}

/// Gives a column an id that is free in its table.
fn with_free_id(column: ColumnMemory, taken: &mut BTreeSet<String>) -> ColumnMemory {
    ColumnMemory { id: shape::column_id(&column.id, taken), ..column }
}
