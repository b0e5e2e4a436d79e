//! Pages of both styles, and what is said before they are made anew.

use std::collections::BTreeSet;

use grist_client::Column;

use super::*;
use crate::demarche::{Demarche, Learned};
use crate::ids::{DemarcheNumber, DescriptorId, RevisionId};
use crate::privacy::Treatment;
use crate::sink::grist::ddl::{self, Wishes};
use crate::sink::grist::extension::ExtensionSet;
use crate::table::{CellKind, ColumnSpec, LayoutColumn, Origin, Part};

fn column(name: &str, title: &str, kind: CellKind) -> LayoutColumn {
    let spec = ColumnSpec {
        key: ColumnKey::Champ(DescriptorId::new(name), Part::Value),
        title: title.to_owned(),
        kind,
        description: None,
        options: Vec::new(),
        origin: Origin::Champ(crate::demarche::TypeDeChamp::Text, None),
        policy: Treatment::Include,
    };
    LayoutColumn { name: name.to_owned(), spec }
}

fn layout() -> Layout {
    let columns = vec![
        column("nom", "Nom", CellKind::Text),
        column("montant", "Montant demandé", CellKind::Decimal),
        column("annee", "Année de création", CellKind::Integer),
    ];
    let (key, title) = (TableKey::Dossiers, "Dossiers".to_owned());
    let tables = vec![LayoutTable { key, name: "demarche_12_dossiers".to_owned(), title, columns }];
    Layout { demarche: DemarcheNumber::new(12), title: "Aides".to_owned(), tables, presentation: BTreeSet::new() }
}

fn form() -> Demarche {
    Demarche {
        number: DemarcheNumber::new(12),
        title: "Aides".to_owned(),
        state: "publiee".to_owned(),
        date_derniere_modification: jiff::Timestamp::UNIX_EPOCH,
        revisions: Vec::new(),
        active_revision: RevisionId::new("revision"),
        groupes_instructeurs: Vec::new(),
        labels: Vec::new(),
        service: None,
        learned: Learned::default(),
    }
}

/// Tables as they are once the first bundle is applied, and the page that they were made with.
fn made(style: Style) -> (DocumentMemory, Vec<Table>, Views) {
    let extensions = ExtensionSet::default();
    let (form, platform) = (form(), Some("https://example.org"));
    let wishes = Wishes { restore: false, restyle: false, extensions: &extensions, form: &form, platform };
    let changes = ddl::plan(&DocumentMemory::default(), &[], &layout(), wishes).expect("tables");
    let mut memory = changes.memory;
    memory.style = style;
    let table = &mut memory.tables[0];
    if style == Style::First {
        table.formulas.clear();
    }
    let column = |(place, (id, kind, label, is_formula)): (usize, (String, String, String, bool))| Column {
        id,
        col_ref: i64::try_from(place).expect("few columns") + 1,
        kind,
        label,
        is_formula,
        formula: String::new(),
        widget_options: String::new(),
        description: String::new(),
        untied: false,
    };
    let data = table.all().map(|column| (column.id.clone(), column.given.clone(), column.label.clone(), false));
    let formulas = table.formulas.iter().map(|formula| (formula.id.clone(), "Text".to_owned(), String::new(), true));
    let columns = data.chain(formulas).enumerate().map(column).collect();
    let structure = vec![Table { id: table.id.clone(), table_ref: 1, columns }];
    let section = |id, view, kind: &str| views::PageWidget {
        id,
        view,
        table: 1,
        properties: [("parentKey", kind.to_owned())].into(),
    };
    let named = |name: &str| views::PageView { name: name.to_owned(), layout: String::new() };
    let views = Views {
        of_table: [(1, 2)].into(),
        sections: vec![section(10, 2, "record")],
        views: [(1, named("Tableau de bord")), (2, named("Demarche_12_dossiers"))].into(),
        ..Views::default()
    };
    (memory, structure, views)
}

fn written(actions: &[Action]) -> String {
    serde_json::to_string(actions).expect("actions")
}

#[test]
fn a_document_of_the_first_style_gets_its_grid_and_its_card_and_nothing_else() {
    let (mut memory, structure, views) = made(Style::First);
    let actions = Dressing::new(&layout(), &mut memory, &structure, &views, false).actions(false);
    let text = written(&actions);
    for new in ["CreateViewSection", "_grist_Filters", "RemoveRecord", "widgetOptions\":[\"{"] {
        assert!(!text.contains(new), "{new} in {text}");
    }
    assert_eq!(text.matches(r#""parentKey":"single""#).count(), 1);
    assert!(memory.pages.is_empty() && memory.tables[0].dressed);
    assert_eq!(arrange(&layout(), &mut memory, &structure, &views), []);
}

#[test]
fn the_new_style_replaces_the_grid_that_a_table_was_made_with() {
    let (mut memory, structure, views) = made(Style::French);
    let actions = Dressing::new(&layout(), &mut memory, &structure, &views, false).actions(false);
    let text = written(&actions);
    assert!(text.contains(r#"["BulkRemoveRecord","_grist_Views_section",[10]]"#), "{text}");
    assert!(text.contains(r#"\"currency\":\"EUR\""#), "an amount is one of money");
    let keys: Vec<&PageKey> = memory.pages.iter().map(|page| &page.key).collect();
    assert_eq!(keys, [&PageKey::Table(TableKey::Dossiers), &PageKey::Dashboard]);
}

#[test]
fn a_preview_says_what_people_changed_and_what_they_keep() {
    let (mut memory, structure, views) = made(Style::French);
    Dressing::new(&layout(), &mut memory, &structure, &views, false).actions(false);
    let mut views = views.with(&arrange(&layout(), &mut memory, &structure, &views));
    let told = restyle::preview(&memory, &structure, &views).join("\n");
    assert!(!told.contains("lost"), "{told}");
    let theirs = [("title", "Relances".to_owned()), ("parentKey", "record".to_owned())].into();
    views.sections.push(views::PageWidget { id: 30, view: 2, table: 9, properties: theirs });
    let told = restyle::preview(&memory, &structure, &views).join("\n");
    assert!(told.contains("changed of its widgets") && told.contains("“Relances” on it is kept"), "{told}");
    views.views.remove(&2);
    views.of_table.clear();
    let told = restyle::preview(&memory, &structure, &views).join("\n");
    assert!(told.contains("was removed, and stays away"), "{told}");
}

#[test]
fn numbers_are_written_as_what_they_count() {
    let (memory, ..) = made(Style::French);
    let table = &memory.tables[0];
    let format = |name: &str| {
        let column = table.columns.iter().find(|column| column.name == name).expect("a column");
        Value::Object(columns::format(column, None))
    };
    assert_eq!(format("montant")["currency"], "EUR");
    assert_eq!(format("annee"), json!({ "decimals": 0, "maxDecimals": 0 }), "a year has no thousands");
    assert_eq!(format("nom"), json!({ "wrap": null }), "a short text has one line in a grid");
}
