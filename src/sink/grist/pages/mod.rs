//! Makes the pages of a démarche. Done once, when its tables are new, or on demand: from then on all of it is people's. Pure.
//!
//! - `views`: the pages of a document as they are;
//! - `builder`, `arrange`: the actions that make widgets, and their boxes on a page;
//! - `columns`, `formulas`: how columns are shown, and the formula columns that pages need;
//! - `dashboard`, `decide`, `dossiers`, `children`, `synchronisation`: one page each.
//!
//! A page takes two bundles: Grist reports the references of widgets only once they are made, and the arrangement of a page
//! consists of references.

mod arrange;
mod builder;
mod children;
mod columns;
mod dashboard;
mod decide;
mod dossiers;
pub(super) mod formulas;
pub(super) mod restyle;
mod synchronisation;
#[cfg(test)]
mod tests;
mod views;

use grist_client::{Action, ColRef, RowId, Table, TableRef};
use serde_json::{Map, Value, json};

use arrange::Arranged;
use builder::Builder;
use columns::TableColumns;
pub(super) use views::{PROPERTIES, Views};

use super::memory::{DocumentMemory, PageKey, PageMemory, Style, TableMemory};
use super::shape::{self, ColumnPosition, NUMBER, PARENT};
use super::shared::{self, Shared};
use crate::table::{ColumnKey, Layout, LayoutTable, TableKey};

/// The action that makes the page of charts, empty: the widgets of summaries take no handle of their bundle.
pub(super) fn dashboard_page() -> Action {
    Action::Raw(json!(["AddView", "", "empty", dashboard::NAME]))
}

/// Makes the pages of tables that are new.
pub(super) struct Dressing<'a> {
    pub layout: &'a Layout,
    pub memory: &'a mut DocumentMemory,
    pub structure: &'a [Table],
    pub views: &'a Views,
    /// Several démarches share the document: titles name them.
    pub crowded: bool,
    /// Pages that are there are made anew.
    pub restyle: bool,
    build: Builder,
}

impl<'a> Dressing<'a> {
    pub(super) fn new(
        layout: &'a Layout,
        memory: &'a mut DocumentMemory,
        structure: &'a [Table],
        views: &'a Views,
        crowded: bool,
    ) -> Self {
        Self { layout, memory, structure, views, crowded, restyle: false, build: Builder::default() }
    }

    /// The actions that dress what is not dressed yet, and the shared tables for people where `shared` says so. The memory
    /// says afterwards that it is done.
    pub(super) fn actions(mut self, shared: bool) -> Vec<Action> {
        resolve(self.memory, self.structure);
        let mut tables = std::mem::take(&mut self.memory.tables);
        let number = tables.first().and_then(|dossiers| dossiers.technical(NUMBER)).cloned();
        let french = self.memory.style == Style::French;
        let new: Vec<TableKey> = tables.iter().filter(|table| !table.dressed).map(|table| table.key.clone()).collect();
        for table in &mut tables {
            self.columns(table, french);
        }
        for table in tables.iter_mut().filter(|table| !table.dressed) {
            table.dressed = true;
            let parent = table.technical(PARENT).and_then(|parent| Some((parent.col_ref?, parent.id.clone())));
            if self.restyle {
                continue;
            }
            if let Some((number, (col_ref, parent))) = number.as_ref().zip(parent.filter(|_| table.key.is_child())) {
                self.build.update("_grist_Tables_column", col_ref, json!({ "visibleCol": number.col_ref }));
                let formula = format!("${parent}.{}", number.id);
                self.build.actions.push(Action::SetDisplayFormula { table: table.id.clone(), col_ref, formula });
            }
        }
        if french {
            self.pages(&tables, &new);
        } else {
            tables.iter().filter(|table| new.contains(&table.key)).for_each(|table| self.plain(table));
        }
        self.memory.tables = tables;
        if shared {
            self.shared(french);
        } else if new.contains(&TableKey::Dossiers) {
            self.close_pages();
        }
        self.build.actions
    }

    fn columns(&mut self, table: &mut TableMemory, french: bool) {
        let found = table.find(self.structure);
        let columns = found.into_iter().flat_map(|found| &found.columns);
        let untyped: Vec<ColRef> = columns.filter(|column| column.kind == "Any").map(|column| column.col_ref).collect();
        let mut typed = Vec::new();
        let mut refs = Vec::new();
        let mut descriptions = Vec::new();
        let layout = self.layout.tables.iter().find(|layout| layout.key == table.key);
        let formats = if french { formats(table, layout, found) } else { Vec::new() };
        for column in table.all_mut().filter(|column| !column.dressed && !column.left_out) {
            let Some(reference) = column.col_ref else { continue };
            refs.push(reference);
            descriptions.push(column.description.clone());
            column.dressed = true;
            if untyped.contains(&reference) {
                typed.push((reference, column.given.clone()));
            }
        }
        let of_formulas = found.into_iter().flat_map(|found| &found.columns).filter(|column| !column.untied);
        for (column, formula) in of_formulas.filter_map(|column| Some((column, formula_of(table, column.col_ref)?))) {
            refs.push(column.col_ref);
            descriptions.push(formula.to_owned());
        }
        for (reference, kind) in typed {
            self.build.update("_grist_Tables_column", reference, json!({ "type": kind }));
        }
        self.untie(refs, Some(descriptions));
        let (rows, widgets): (Vec<ColRef>, Vec<String>) = formats.into_iter().unzip();
        if !rows.is_empty() {
            let columns = shared::row(json!({ "widgetOptions": widgets }));
            self.build.actions.push(Action::BulkUpdate { table: "_grist_Tables_column".to_owned(), rows, columns });
        }
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
        self.build.actions.push(Action::BulkUpdate { table: "_grist_Tables_column".to_owned(), rows: refs, columns });
    }

    /// The title of the démarche, on one line.
    fn demarche(&self) -> String {
        demarche_title(&self.layout.title, self.layout.demarche)
    }

    /// The title of a table.
    fn table_title(&self, table: &TableMemory, demarche: Option<&str>) -> String {
        let title = self.layout.tables.iter().find(|layout| layout.key == table.key);
        title.map_or_else(|| table.id.clone(), |layout| shape::table_title(layout, demarche))
    }

    /// Makes the pages of the tables that are new, and those of the démarche with its first table.
    fn pages(&mut self, tables: &[TableMemory], new: &[TableKey]) {
        let layouts = &self.layout.tables;
        let columns = |memory| TableColumns { memory, layout: layout_of(layouts, memory) };
        let all: Vec<TableColumns<'_>> = tables.iter().map(columns).collect();
        let Some((dossiers, children)) = all.split_first() else { return };
        let is_new = new.contains(&TableKey::Dossiers);
        let within = i64::from(self.crowded);
        let mut first = None;
        for table in all.iter().filter(|table| new.contains(&table.memory.key)) {
            let title = self.table_title(table.memory, None);
            let Some(reference) = table.memory.table_ref else { continue };
            // A page that people removed stays away.
            let Some(view) = self.views.of_table.get(&reference).copied() else { continue };
            let key = PageKey::Table(table.memory.key.clone());
            let kept = self.clear(&key, view, &[reference]);
            if table.memory.key.is_child() {
                children::make(&mut self.build, view, *table, &title);
            } else {
                dossiers::make(&mut self.build, view, *table, children);
            }
            self.name(key, view, &title, kept);
            let indentation = if table.memory.key.is_child() { 1 } else { within };
            if let Some(page) = self.views.pages.get(&view) {
                if indentation != page.indentation {
                    self.build.update("_grist_Pages", page.id, json!({ "indentation": indentation }));
                }
                if !table.memory.key.is_child() {
                    first = Some(page.position);
                }
            }
        }
        if is_new {
            self.dashboard(*dossiers);
        }
        if dossiers.memory.decisions.is_empty() {
            return;
        }
        let known = self.memory.pages.iter().find(|page| page.key == PageKey::Decide);
        match known.map(|page| page.view.filter(|view| self.views.views.contains_key(view))) {
            None => {
                let view = self.build.page(decide::NAME, within, first);
                decide::make(&mut self.build, view, *dossiers, &UNDECIDED);
                self.memory.pages.push(page(PageKey::Decide, decide::NAME));
            }
            Some(Some(view)) if is_new => {
                let kept = self.clear(&PageKey::Decide, view, &[]);
                decide::make(&mut self.build, view, *dossiers, &UNDECIDED);
                self.name(PageKey::Decide, view, decide::NAME, kept);
            }
            Some(_) => {}
        }
    }

    /// Makes the charts on the page that was made with the tables.
    fn dashboard(&mut self, dossiers: TableColumns<'_>) {
        let Some(found) = dossiers.memory.find(self.structure) else { return };
        let known = self.memory.pages.iter().find(|page| page.key == PageKey::Dashboard);
        let bare = |view: &RowId| self.views.on(*view).next().is_none();
        let named = self.views.views.iter().filter(|(_, view)| view.name == dashboard::NAME);
        let view = known.and_then(|page| page.view).filter(|view| self.views.views.contains_key(view));
        let Some(view) = view.or_else(|| named.map(|(view, _)| *view).rfind(bare)) else { return };
        let kept = self.clear(&PageKey::Dashboard, view, &[]);
        let name = if self.crowded { self.demarche() } else { dashboard::NAME.to_owned() };
        dashboard::make(&mut self.build, view, dossiers, found, self.views);
        self.name(PageKey::Dashboard, view, &name, kept);
    }

    /// Removes the widgets of ours from a page, and gives those that people put there. Of a page of the first style, ours are
    /// the first grid and the first card of `tables`.
    fn clear(&mut self, key: &PageKey, view: RowId, tables: &[TableRef]) -> Vec<RowId> {
        let known = self.memory.pages.iter().find(|page| page.key == *key && page.view == Some(view));
        let ours = known.map_or_else(|| first_widgets(self.views, view, tables), |page| page.sections.clone());
        let (gone, kept): (Vec<RowId>, Vec<RowId>) =
            self.views.on(view).map(|section| section.id).partition(|section| ours.contains(section));
        self.build.remove("_grist_Views_section", gone);
        kept
    }

    /// Names a page, and remembers it as one that is to be arranged.
    fn name(&mut self, key: PageKey, view: RowId, name: &str, kept: Vec<RowId>) {
        let known = self.memory.pages.iter().find(|page| page.key == key);
        let theirs = known.is_some_and(|known| self.views.views.get(&view).is_some_and(|view| view.name != known.name));
        if !theirs && self.views.views.get(&view).is_none_or(|view| view.name != name) {
            self.build.update("_grist_Views", view, json!({ "name": name }));
        }
        self.memory.pages.retain(|page| page.key != key);
        self.memory.pages.push(PageMemory { view: Some(view), kept, ..page(key, name) });
    }

    /// Names the page of a table, in the first style, and gives dossiers their card.
    fn plain(&mut self, table: &TableMemory) {
        let Some(reference) = table.table_ref else { return };
        let demarche = self.demarche();
        let title = self.table_title(table, self.crowded.then_some(demarche.as_str()));
        let Some(view) = self.views.of_table.get(&reference).copied() else { return };
        let grid = self.title(view, reference, &title);
        if !table.key.is_child() {
            let shown = fields(table, self.layout);
            let fields = shown.into_iter().map(|column| columns::Shown::new(column, 0)).collect();
            self.build.section(&builder::NewSection {
                table: reference,
                view,
                kind: "single",
                link: (grid != 0).then_some((grid, 0)),
                fields,
                ..builder::NewSection::default()
            });
        } else if let Some(page) = self.views.pages.get(&view) {
            self.build.update("_grist_Pages", page.id, json!({ "indentation": 1 }));
        }
    }

    /// Makes the page of the run history.
    fn shared(&mut self, french: bool) {
        let tables: Vec<(&Shared, &Table)> =
            shared::TABLES.iter().filter_map(|shared| Some((shared, shared.find(self.structure)?))).collect();
        for (shared, table) in &tables {
            let described = table.columns.iter().map(|column| shared.description(&column.id).to_owned());
            let described = shared.is_for_people().then(|| described.collect());
            self.untie(table.columns.iter().map(|column| column.col_ref).collect(), described);
        }
        let find = |id: &str| tables.iter().find(|(shared, _)| shared.id == id).copied();
        let view_of = |table: &Table| self.views.of_table.get(&table.table_ref).copied();
        let Some((_, runs)) = find(shared::RUNS) else { return };
        let waiting = find(shared::QUARANTINE).map(|(_, waiting)| waiting);
        let Some(page) = view_of(runs) else { return };
        let own = waiting.and_then(view_of).filter(|own| *own != page);
        let twice = waiting.is_some_and(|waiting| self.views.shows(page, waiting.table_ref).is_some());
        if french {
            let known = self.memory.pages.iter().find(|known| known.key == PageKey::Synchronisation);
            let shown = |known: &PageMemory| self.views.on(page).any(|section| known.sections.contains(&section.id));
            if known.is_some_and(shown) && !self.restyle {
                // The page is people's. Only a table that came back needs its widget again.
                if let Some(waiting) = waiting.filter(|_| !twice) {
                    synchronisation::quarantine(&mut self.build, page, waiting);
                }
            } else {
                let tables: Vec<TableRef> =
                    [Some(runs), waiting].into_iter().flatten().map(|table| table.table_ref).collect();
                let kept = self.clear(&PageKey::Synchronisation, page, &tables);
                synchronisation::make(&mut self.build, page, runs, waiting);
                self.name(PageKey::Synchronisation, page, synchronisation::NAME, kept);
            }
        } else {
            self.title(page, runs.table_ref, shared::of(shared::RUNS).title);
            self.build.update("_grist_Views", page, json!({ "name": synchronisation::NAME }));
            let Some(waiting) = waiting else { return };
            if twice {
                return;
            }
            let quarantine = shared::of(shared::QUARANTINE);
            let find = |id: &str| waiting.columns.iter().find(|column| column.id == id).map(|column| column.col_ref);
            let shown = quarantine.shown().filter_map(find).map(|column| columns::Shown::new(column, 0));
            self.build.section(&builder::NewSection {
                table: waiting.table_ref,
                view: page,
                kind: "record",
                title: quarantine.title.to_owned(),
                fields: shown.collect(),
                ..builder::NewSection::default()
            });
        }
        // Both on one page: the one that the second table was made with goes.
        self.build.remove("_grist_Views", own.into_iter().collect());
    }

    /// Moves the page of the run history behind those of another démarche: it is the last one.
    fn close_pages(&mut self) {
        let runs = shared::of(shared::RUNS).find(self.structure);
        let view = runs.and_then(|table| self.views.of_table.get(&table.table_ref));
        if let Some(page) = view.and_then(|view| self.views.pages.get(view)) {
            self.build.update("_grist_Pages", page.id, json!({ "pagePos": self.views.last() + 1.0 }));
        }
    }

    /// The title of a page and of the widget that it was made with, which is given. The title of the widget that shows the
    /// table as it is, behind the pages, would be the table's id too: it stays.
    fn title(&mut self, view: RowId, table: RowId, title: &str) -> RowId {
        self.build.update("_grist_Views", view, json!({ "name": title }));
        let grid = self.views.shows(view, table).map_or(0, |section| section.id);
        if grid != 0 {
            self.build.update("_grist_Views_section", grid, json!({ "title": title }));
        }
        grid
    }
}

/// Finds the first grid and the first card of each of these tables on a page.
fn first_widgets(views: &Views, view: RowId, tables: &[TableRef]) -> Vec<RowId> {
    let kinds = tables.iter().flat_map(|table| ["record", "single"].map(|kind| (*table, kind)));
    let first = |(table, kind): (TableRef, &str)| {
        let alike = |section: &&views::PageWidget| section.table == table && section.property("parentKey") == kind;
        views.on(view).filter(alike).map(|section| section.id).min()
    };
    kinds.filter_map(first).collect()
}

/// The states of dossiers that wait for a decision, in French and in the words of the platform's API.
const UNDECIDED: [&str; 4] = ["En construction", "En instruction", "en_construction", "en_instruction"];

/// A page that is to be arranged.
fn page(key: PageKey, name: &str) -> PageMemory {
    PageMemory { key, name: name.to_owned(), view: None, sections: Vec::new(), kept: Vec::new(), made: String::new() }
}

/// The title of a démarche in the list of pages.
pub(super) fn demarche_title(title: &str, number: crate::ids::DemarcheNumber) -> String {
    let title = shape::one_line(title);
    if title.is_empty() { number.to_string() } else { title }
}

fn layout_of<'a>(layouts: &'a [LayoutTable], memory: &TableMemory) -> Option<&'a LayoutTable> {
    layouts.iter().find(|layout| layout.key == memory.key)
}

/// The description of a formula column of ours.
fn formula_of(table: &TableMemory, column: ColRef) -> Option<&'static str> {
    let known = table.formulas.iter().find(|formula| formula.col_ref == Some(column))?;
    formulas::of(table, Some(""))
        .into_iter()
        .find(|formula| formula.name == known.name)
        .map(|formula| formula.description)
}

/// The forms of values for the columns that are as we made them.
fn formats(table: &TableMemory, layout: Option<&LayoutTable>, found: Option<&Table>) -> Vec<(ColRef, String)> {
    let spec =
        |key: &ColumnKey| layout.into_iter().flat_map(|layout| &layout.columns).find(|column| column.spec.key == *key);
    let columns = table.all().filter(|column| !column.left_out);
    let formatted = columns.filter_map(|column| {
        let here = column.find(found?)?;
        if here.widget_options != shape::widget(column) || (here.kind != column.given && here.kind != "Any") {
            return None;
        }
        let mut widget: Map<String, Value> = serde_json::from_str(&here.widget_options).unwrap_or_default();
        widget.extend(columns::format(column, spec(&column.key).map(|column| &column.spec)));
        widget.retain(|_, value| !value.is_null());
        let text = if widget.is_empty() { String::new() } else { Value::Object(widget).to_string() };
        (text != here.widget_options).then_some((here.col_ref, text))
    });
    formatted.collect()
}

/// Arranges the pages whose widgets are made. The memory says afterwards how they were made.
pub(super) fn arrange(layout: &Layout, memory: &mut DocumentMemory, structure: &[Table], views: &Views) -> Vec<Action> {
    let mut build = Builder::default();
    let claimed: Vec<RowId> = memory.pages.iter().filter_map(|page| page.view).collect();
    let Some(dossiers) = memory.tables.first() else { return Vec::new() };
    let columns = TableColumns { memory: dossiers, layout: layout_of(&layout.tables, dossiers) };
    let delay = columns.formula(formulas::DELAY).and_then(|delay| {
        let found = dossiers.find(structure)?;
        found.columns.iter().find(|column| column.col_ref == delay.column).map(|column| column.id.clone())
    });
    let (mut arranged, mut removed) = (Vec::new(), Vec::new());
    for (place, page) in memory.pages.iter().enumerate().filter(|(_, page)| page.made.is_empty()) {
        let free = |view: &RowId| !claimed.contains(view);
        let mut named = views.views.iter().filter(|(_, view)| view.name == page.name).map(|(view, _)| *view);
        let known = page.view.filter(|view| views.views.contains_key(view));
        let Some(view) = known.or_else(|| named.rfind(free)) else {
            removed.push(place);
            continue;
        };
        let here = Arranged { views, view };
        let mut spec = match &page.key {
            PageKey::Dashboard => dashboard::arrange(&mut build, &here, columns, delay.as_deref()),
            PageKey::Decide => decide::arrange(&here),
            PageKey::Table(TableKey::Dossiers) => dossiers::arrange(&here),
            PageKey::Table(_) => Value::Null,
            PageKey::Synchronisation => synchronisation::arrange(&here),
        };
        if let Some(rows) = spec["children"].as_array_mut()
            && page.key != PageKey::Synchronisation
        {
            rows.extend(page.kept.iter().map(|section| arrange::leaf(*section)));
        }
        if !spec.is_null() {
            build.update("_grist_Views", view, json!({ "layoutSpec": spec.to_string() }));
        }
        let sections = views.on(view).map(|section| section.id).filter(|section| !page.kept.contains(section));
        arranged.push((place, view, sections.collect::<Vec<_>>()));
    }
    let after = views.with(&build.actions);
    for (place, view, sections) in arranged {
        let page = &mut memory.pages[place];
        (page.view, page.sections, page.made) = (Some(view), sections, after.digest(view));
    }
    for place in removed {
        // A person removed it meanwhile.
        REMOVED.clone_into(&mut memory.pages[place].made);
    }
    build.actions
}

/// Memory of a page that was removed before it was arranged.
const REMOVED: &str = "-";

/// Renames the pages of a démarche that gets a neighbour in its document, as far as they are as we made them.
pub(super) fn crowd(memory: &mut DocumentMemory, views: &Views, title: &str) -> Vec<Action> {
    let mut build = Builder::default();
    let ours = |page: &PageMemory| {
        let view = page.view?;
        views.views.get(&view).filter(|here| here.name == page.name).map(|_| view)
    };
    let Some(head) = memory.pages.iter().position(|page| page.key == PageKey::Dashboard) else { return Vec::new() };
    let Some(view) = ours(&memory.pages[head]).filter(|_| memory.pages[head].name == dashboard::NAME) else {
        return Vec::new();
    };
    build.update("_grist_Views", view, json!({ "name": title }));
    for page in &memory.pages {
        let within = matches!(page.key, PageKey::Decide | PageKey::Table(TableKey::Dossiers));
        let line = ours(page).filter(|_| within).and_then(|view| views.pages.get(&view));
        if let Some(line) = line.filter(|line| line.indentation == 0) {
            build.update("_grist_Pages", line.id, json!({ "indentation": 1 }));
        }
    }
    memory.pages[head].name = title.to_owned();
    build.actions
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
        for formula in &mut table.formulas {
            let here = found.columns.iter().filter(|column| column.is_formula).find(|column| match formula.col_ref {
                Some(reference) => column.col_ref == reference,
                None => column.id == formula.id,
            });
            if let Some(here) = here {
                (formula.col_ref, formula.id) = (Some(here.col_ref), here.id.clone());
            }
        }
    }
}

/// The columns that people see in the first style, in order.
fn fields(table: &TableMemory, layout: &Layout) -> Vec<ColRef> {
    let own = |place: ColumnPosition| {
        let technical = shape::technical(&table.key).iter().filter(move |technical| technical.place == place);
        technical.filter_map(|technical| table.technical(technical.name))
    };
    let layout = layout.tables.iter().find(|layout| layout.key == table.key);
    let asked = layout.into_iter().flat_map(|layout| &layout.columns);
    let asked = asked.filter(|column| shape::place(&column.spec) == ColumnPosition::Head);
    let asked = asked.filter_map(|column| table.columns.iter().find(|known| known.key == column.spec.key));
    let shown = own(ColumnPosition::Head).chain(asked).chain(&table.decisions).chain(own(ColumnPosition::Tail));
    shown.filter(|column| !column.left_out).filter_map(|column| column.col_ref).collect()
}
