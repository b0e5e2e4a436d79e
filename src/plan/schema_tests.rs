use crate::demarche::TypeDeChamp;
use crate::ids::{DemarcheNumber, DescriptorId};
use crate::privacy::Treatment;
use crate::table::Part;

use super::*;

fn column(id: &str, title: &str, kind: CellKind) -> ColumnSpec {
    ColumnSpec {
        key: ColumnKey::Champ(DescriptorId::new(id), Part::Value),
        title: title.to_owned(),
        kind,
        description: None,
        options: Vec::new(),
        origin: Origin::Champ(TypeDeChamp::Text, None),
        policy: Treatment::Include,
    }
}

fn spec(columns: Vec<ColumnSpec>) -> Spec {
    Spec {
        demarche: DemarcheNumber::new(12),
        title: "Démarche".to_owned(),
        tables: vec![TableSpec { key: TableKey::Dossiers, title: "Dossiers".to_owned(), columns }],
        presentation: BTreeSet::new(),
    }
}

/// Returns the tables that a target remembers after the plan.
fn remember(plan: &SchemaPlan) -> Remembered {
    let tables = plan.layout.tables.iter().map(|table| RememberedTable {
        key: table.key.clone(),
        name: table.name.clone(),
        title: table.title.clone(),
        columns: table
            .columns
            .iter()
            .map(|column| RememberedColumn {
                key: column.spec.key.clone(),
                name: column.name.clone(),
                title: column.spec.title.clone(),
                kind: column.spec.kind,
            })
            .collect(),
    });
    Remembered { tables: tables.collect(), taken: BTreeSet::new(), prefix: "demarche_12".to_owned() }
}

fn new_target() -> Remembered {
    Remembered { prefix: "demarche_12".to_owned(), ..Remembered::default() }
}

fn reconciled(before: Vec<ColumnSpec>, now: Vec<ColumnSpec>) -> SchemaPlan {
    let first = reconcile(&spec(before), &new_target(), NameLimits::default());
    reconcile(&spec(now), &remember(&first), NameLimits::default())
}

#[test]
fn the_same_form_changes_nothing() {
    let columns = || vec![column("a", "Montant", CellKind::Integer), column("b", "Précisez", CellKind::Text)];
    let plan = reconciled(columns(), columns());
    assert!(plan.changes.is_empty(), "{plan}");
    assert!(!plan.needs_remap());
}

#[test]
fn trap_47_a_renamed_question_keeps_its_column() {
    let plan = reconciled(
        vec![column("a", "Montant", CellKind::Integer)],
        vec![column("a", "Montant demandé", CellKind::Integer)],
    );
    assert_eq!(plan.to_string(), "~ column demarche_12_dossiers.montant: “Montant” is now titled “Montant demandé”\n");
    assert!(!plan.needs_remap());
}

#[test]
fn a_homonym_that_comes_later_takes_nobody_s_column() {
    let plan = reconciled(
        vec![column("a", "Précisez", CellKind::Text)],
        vec![column("b", "Précisez", CellKind::Text), column("a", "Précisez", CellKind::Text)],
    );
    let names: Vec<(&ColumnKey, &str)> =
        plan.layout.tables[0].columns.iter().map(|c| (&c.spec.key, c.name.as_str())).collect();
    let key = |id: &str| ColumnKey::Champ(DescriptorId::new(id), Part::Value);
    assert_eq!(names.iter().find(|(k, _)| **k == key("a")).map(|(_, n)| *n), Some("precisez"));
    assert_ne!(names.iter().find(|(k, _)| **k == key("b")).map(|(_, n)| *n), Some("precisez"));
}

#[test]
fn types_widen_and_never_narrow() {
    let wider = reconciled(vec![column("a", "Âge", CellKind::Integer)], vec![column("a", "Âge", CellKind::Text)]);
    assert_eq!(wider.to_string(), "~ column demarche_12_dossiers.age: Integer becomes Text\n");
    assert!(wider.needs_remap(), "old values are to be written as text");

    let narrower = reconciled(vec![column("a", "Âge", CellKind::Text)], vec![column("a", "Âge", CellKind::Integer)]);
    assert!(narrower.changes.is_empty(), "{narrower}");
    assert_eq!(narrower.layout.tables[0].columns[0].spec.kind, CellKind::Text);
}

#[test]
fn a_question_that_is_asked_no_more_keeps_its_column() {
    let plan = reconciled(
        vec![column("a", "Âge", CellKind::Integer), column("b", "Nom", CellKind::Text)],
        vec![column("b", "Nom", CellKind::Text)],
    );
    assert!(plan.changes.is_empty(), "{plan}");
    let former = plan.layout.tables[0].columns.iter().find(|c| c.name == "age").expect("the column stays");
    assert_eq!(former.spec.origin, Origin::Former);
}

#[test]
fn a_new_question_needs_no_remap_and_a_new_part_of_a_known_one_does() {
    let new = reconciled(
        vec![column("a", "Nom", CellKind::Text)],
        vec![column("a", "Nom", CellKind::Text), column("b", "Âge", CellKind::Integer)],
    );
    assert_eq!(new.to_string(), "+ column demarche_12_dossiers.age “Âge” (Integer)\n");
    assert!(!new.needs_remap());
    assert!(new.needs_backfill(), "stored documents may answer it: a form may be told later than its answers");

    let code = ColumnSpec {
        key: ColumnKey::Champ(DescriptorId::new("a"), Part::Code),
        ..column("a", "Nom – code", CellKind::Text)
    };
    let part = reconciled(vec![column("a", "Nom", CellKind::Text)], vec![column("a", "Nom", CellKind::Text), code]);
    assert!(part.needs_remap(), "{part}");
}

#[test]
fn only_dossiers_that_fill_what_is_new_are_written_again() {
    let before = vec![column("a", "Nom", CellKind::Text)];
    let plan = reconciled(before.clone(), vec![before[0].clone(), column("b", "Âge", CellKind::Integer)]);
    let backfill = plan.backfill();
    let row = |cells: [Cell; 2]| {
        let mut row = Row {
            number: crate::ids::DossierNumber::new(1),
            state: "accepte".into(),
            updated_at: jiff::Timestamp::UNIX_EPOCH,
            fingerprint: crate::fingerprint::Digest::of(b"document"),
            light: crate::fingerprint::Digest::of(b"light"),
            document: String::new(),
            cells: vec![Cell::Null; plan.layout.tables[0].columns.len()],
            children: Vec::new(),
        };
        row.cells[..2].clone_from_slice(&cells);
        row
    };
    let name = |cell: &str| Cell::Text(cell.to_owned());
    assert!(!backfill.concerns(&plan.layout, &row([name("Élise"), Cell::Null])));
    assert!(backfill.concerns(&plan.layout, &row([Cell::Null, Cell::Integer(12)])));
    assert!(Backfill::Everything.concerns(&plan.layout, &row([Cell::Null, Cell::Null])));
    assert_eq!(backfill.clone().and(Backfill::Nothing), backfill);
    assert_eq!(backfill.and(Backfill::Everything), Backfill::Everything);
    let first = reconcile(&spec(before), &new_target(), NameLimits::default());
    assert_eq!(first.backfill(), Backfill::Nothing, "nothing is stored yet");
}
