//! Makes pages, titles, and what a reference is read as. Done once, when a table is new: from then on all of
//! it is people's. Pure.

use std::collections::BTreeMap;

use grist_client::{Action, ColRef, RowId, Table, TableRef};
use serde_json::{Value, json};

use super::memory::{ColumnMemory, DocumentMemory, TableMemory};
use super::shape::{self, ColumnPosition, NUMBER, PARENT};
use super::shared::{self, Shared};
use crate::table::Layout;

/// Where the tables of a document are shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Views {
    /// The view that a table was made with.
    pub of_table: BTreeMap<TableRef, RowId>,
    /// The widgets of views: view, table, id.
    pub sections: Vec<(RowId, TableRef, RowId)>,
    /// The line of each view in the list of pages.
    pub pages: BTreeMap<RowId, RowId>,
    /// The position of the last page.
    pub last: f64,
}

/// Makes the pages of tables that are new.
pub(super) struct Dressing<'a> {
    pub layout: &'a Layout,
    pub memory: &'a mut DocumentMemory,
    pub structure: &'a [Table],
    pub views: &'a Views,
    /// Several démarches share the document: titles name them.
    pub crowded: bool,
    handle: RowId,
    actions: Vec<Action>,
}

impl<'a> Dressing<'a> {
    pub(super) fn new(
        layout: &'a Layout,
        memory: &'a mut DocumentMemory,
        structure: &'a [Table],
        views: &'a Views,
        crowded: bool,
    ) -> Self {
        Self { layout, memory, structure, views, crowded, handle: 0, actions: Vec::new() }
    }

    /// The actions that dress what is not dressed yet, and the shared tables for people where `shared` says so. The memory
    /// says afterwards that it is done.
    pub(super) fn actions(mut self, shared: bool) -> Vec<Action> {
        resolve(self.memory, self.structure);
        let mut tables = std::mem::take(&mut self.memory.tables);
        let dossiers = tables.first().cloned();
        let new = dossiers.as_ref().is_some_and(|table| !table.dressed);
        for table in &mut tables {
            self.columns(table);
            if !table.dressed {
                self.table(table, dossiers.as_ref());
                table.dressed = true;
            }
        }
        self.memory.tables = tables;
        if shared {
            self.shared();
        } else if new {
            self.close_pages();
        }
        self.actions
    }

    fn columns(&mut self, table: &mut TableMemory) {
        let found = table.find(self.structure);
        let columns = found.into_iter().flat_map(|found| &found.columns);
        let untyped: Vec<ColRef> = columns.filter(|column| column.kind == "Any").map(|column| column.col_ref).collect();
        let mut typed = Vec::new();
        let mut refs = Vec::new();
        let mut descriptions = Vec::new();
        for column in table.all_mut().filter(|column| !column.dressed && !column.left_out) {
            let Some(reference) = column.col_ref else { continue };
            refs.push(reference);
            descriptions.push(column.description.clone());
            column.dressed = true;
            if untyped.contains(&reference) {
                typed.push((reference, column.given.clone()));
            }
        }
        for (reference, kind) in typed {
            self.update("_grist_Tables_column", reference, json!({ "type": kind }));
        }
        self.untie(refs, Some(descriptions));
    }

    /// Ids that no longer follow titles, and the help texts: neither is taken at creation.
    fn untie(&mut self, refs: Vec<ColRef>, descriptions: Option<Vec<String>>) {
        if refs.is_empty() {
            return;
        }
        let mut columns = shared::row(json!({ "untieColIdFromLabel": vec![true; refs.len()] }));
        if let Some(descriptions) = descriptions {
            columns.insert("description".to_owned(), descriptions.into());
        }
        self.actions.push(Action::BulkUpdate { table: "_grist_Tables_column".to_owned(), rows: refs, columns });
    }

    fn table(&mut self, table: &TableMemory, dossiers: Option<&TableMemory>) {
        let Some(reference) = table.table_ref else { return };
        let title = self.layout.tables.iter().find(|layout| layout.key == table.key);
        let demarche = self.layout.title.as_str();
        let demarche = if demarche.is_empty() { self.layout.demarche.to_string() } else { shape::one_line(demarche) };
        let demarche = self.crowded.then_some(demarche.as_str());
        let title = title.map_or_else(|| table.id.clone(), |layout| shape::table_title(layout, demarche));
        if let Some(view) = self.views.of_table.get(&reference).copied() {
            let grid = self.title(view, reference, &title);
            if !table.key.is_child() {
                let fields = fields(table, self.layout);
                self.section(reference, view, "single", "", grid, &fields);
            } else if let Some(page) = self.views.pages.get(&view).copied() {
                self.update("_grist_Pages", page, json!({ "indentation": 1 }));
            }
        }
        if table.key.is_child()
            && let Some(number) = dossiers.and_then(|dossiers| dossiers.technical(NUMBER))
            && let (Some(shown), Some(parent)) = (number.col_ref, table.technical(PARENT))
            && let Some(col_ref) = parent.col_ref
        {
            self.update("_grist_Tables_column", col_ref, json!({ "visibleCol": shown }));
            let formula = format!("${}.{}", parent.id, number.id);
            self.actions.push(Action::SetDisplayFormula { table: table.id.clone(), col_ref, formula });
        }
    }

    /// Makes the page of the run history.
    fn shared(&mut self) {
        let tables: Vec<(&Shared, &Table)> =
            shared::TABLES.iter().filter_map(|shared| Some((shared, shared.find(self.structure)?))).collect();
        for (shared, table) in &tables {
            let described = table.columns.iter().map(|column| shared.description(&column.id).to_owned());
            let described = shared.is_for_people().then(|| described.collect());
            self.untie(table.columns.iter().map(|column| column.col_ref).collect(), described);
        }
        let find = |id: &str| tables.iter().find(|(shared, _)| shared.id == id).copied();
        for (shared, table) in tables.iter().filter(|(shared, _)| shared.is_for_people()) {
            if let Some(view) = self.views.of_table.get(&table.table_ref).copied() {
                self.title(view, table.table_ref, shared.title);
                if shared.id == shared::RUNS {
                    self.update("_grist_Views", view, json!({ "name": "Synchronisation" }));
                }
            }
        }
        let (Some((_, runs)), Some((quarantine, waiting))) = (find(shared::RUNS), find(shared::QUARANTINE)) else {
            return;
        };
        let view_of = |table: &Table| self.views.of_table.get(&table.table_ref).copied();
        let (Some(page), own) = (view_of(runs), view_of(waiting)) else { return };
        let twice = |(view, shows, _): &&(RowId, TableRef, RowId)| *view == page && *shows == waiting.table_ref;
        if self.views.sections.iter().any(|section| twice(&section)) {
            return;
        }
        let refs: Vec<ColRef> = quarantine
            .shown()
            .filter_map(|id| waiting.columns.iter().find(|column| column.id == id))
            .map(|column| column.col_ref)
            .collect();
        self.section(waiting.table_ref, page, "record", quarantine.title, 0, &refs);
        // Both on one page: the one that the second table was made with goes.
        if let Some(own) = own {
            self.actions.push(Action::BulkRemove { table: "_grist_Views".to_owned(), rows: vec![own] });
        }
    }

    /// Moves the page of the run history behind those of another démarche: it is the last one.
    fn close_pages(&mut self) {
        let runs = shared::of(shared::RUNS).find(self.structure);
        let view = runs.and_then(|table| self.views.of_table.get(&table.table_ref));
        if let Some(page) = view.and_then(|view| self.views.pages.get(view)).copied() {
            self.update("_grist_Pages", page, json!({ "pagePos": self.views.last + 1.0 }));
        }
    }

    /// The title of a page and of the widget that it was made with, which is given. The title of the widget that shows the
    /// table as it is, behind the pages, would be the table's id too: it stays.
    fn title(&mut self, view: RowId, table: TableRef, title: &str) -> RowId {
        self.update("_grist_Views", view, json!({ "name": title }));
        let grid = self.views.sections.iter().find(|(of, shows, _)| *of == view && *shows == table);
        let grid = grid.map_or(0, |(_, _, id)| *id);
        if grid != 0 {
            self.update("_grist_Views_section", grid, json!({ "title": title }));
        }
        grid
    }

    fn update(&mut self, table: &str, row: RowId, values: Value) {
        self.actions.push(Action::UpdateRecord { table: table.to_owned(), row, values: shared::row(values) });
    }

    fn section(&mut self, table: TableRef, view: RowId, kind: &str, title: &str, linked: RowId, fields: &[ColRef]) {
        self.handle -= 1;
        let values = json!({
            "tableRef": table, "parentId": view, "parentKey": kind, "title": title, "borderWidth": 1,
            "defaultWidth": 100, "linkSrcSectionRef": linked,
        });
        let (table, row) = ("_grist_Views_section".to_owned(), Some(self.handle));
        self.actions.push(Action::AddRecord { table, row, values: shared::row(values) });
        let rows = vec![Value::Null; fields.len()];
        let columns = json!({ "parentId": vec![self.handle; fields.len()], "colRef": fields });
        self.actions.push(Action::Raw(json!(["BulkAddRecord", "_grist_Views_section_field", rows, columns])));
    }
}

/// The references that the document gave to what was new.
pub(super) fn resolve(memory: &mut DocumentMemory, structure: &[Table]) {
    for table in &mut memory.tables {
        let Some(found) = table.find(structure).cloned() else { continue };
        table.table_ref = Some(found.table_ref);
        table.id.clone_from(&found.id);
        for column in table.all_mut().filter(|column| !column.left_out) {
            if let Some(here) = column.find(&found) {
                (column.col_ref, column.id) = (Some(here.col_ref), here.id.clone());
            }
        }
    }
}

/// The columns that people see, in order.
fn fields(table: &TableMemory, layout: &Layout) -> Vec<ColRef> {
    let seen = |column: &&ColumnMemory| !column.left_out;
    let twin = |column: &ColumnMemory| table.twin(&column.key).filter(seen);
    let own = |place: ColumnPosition| {
        let technical = shape::technical(&table.key).iter().filter(move |technical| technical.place == place);
        let technical = technical.filter_map(|technical| table.technical(technical.name));
        technical.map(move |column| twin(column).unwrap_or(column))
    };
    let layout = layout.tables.iter().find(|layout| layout.key == table.key);
    let asked = layout.into_iter().flat_map(|layout| &layout.columns);
    let asked = asked.filter(|column| shape::place(&column.spec) == ColumnPosition::Head);
    let asked = asked.filter_map(|column| table.columns.iter().find(|known| known.key == column.spec.key));
    let asked = asked.map(|column| twin(column).unwrap_or(column));
    let shown = own(ColumnPosition::Head).chain(asked).chain(&table.decisions).chain(own(ColumnPosition::Tail));
    shown.filter(|column| !column.left_out).filter_map(|column: &ColumnMemory| column.col_ref).collect()
}
