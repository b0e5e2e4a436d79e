//! Changes of a target by hand: `verify` reports each, and every way of repair repairs it.

use std::collections::BTreeSet;

use demarche_numerique::report::{Report, RowFault};
use demarche_numerique::sandbox::world::State;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::Sink;
use demarche_numerique::sync::{self, Settings, Verification};
use demarche_numerique::table::TableKey;

use super::lab::Lab;
use super::survey::Database;

/// Change by hand, and the expected report.
struct Harm {
    /// Its name in messages.
    name: &'static str,
    /// The statements; `{dossiers}`, `{messages}` and so on are the names of tables, `{of}` the number of a dossier.
    statements: &'static str,
    /// The table and the kind of each difference; `_` for one that only a comparison of cells finds.
    told: &'static [(&'static str, RowFault)],
    /// The documents that are damaged.
    damaged: bool,
    /// True if counting rows finds it too.
    counted: bool,
}

const HARMS: [Harm; 12] = [
    Harm {
        name: "a child row is deleted",
        statements: "DELETE FROM {traitements} WHERE dossier_number = {of} AND position = 0",
        told: &[("traitements", RowFault::Missing)],
        damaged: false,
        counted: true,
    },
    Harm {
        name: "a cell is emptied",
        statements: "UPDATE {dossiers} SET state = NULL WHERE number = {of}",
        told: &[("dossiers", RowFault::Changed)],
        damaged: false,
        counted: false,
    },
    Harm {
        name: "a cell of a child row is changed",
        statements: "UPDATE {traitements} SET state = 'accepte ?' WHERE dossier_number = {of} AND position = 0",
        told: &[("traitements", RowFault::Changed)],
        damaged: false,
        counted: false,
    },
    Harm {
        name: "a child row is added",
        statements: "INSERT INTO {labels} (dossier_number, key, position, name) VALUES ({of}, 'à moi', 7, 'à moi')",
        told: &[("labels", RowFault::Extra)],
        damaged: false,
        counted: true,
    },
    Harm {
        name: "a child row gets another key",
        statements: "UPDATE {traitements} SET key = 'autre' WHERE dossier_number = {of} AND position = 0",
        told: &[("traitements", RowFault::Missing), ("traitements", RowFault::Extra)],
        damaged: false,
        counted: false,
    },
    Harm {
        name: "the row of a dossier is deleted, and its children with it",
        statements: "DELETE FROM {traitements} WHERE dossier_number = {of}; DELETE FROM {messages} WHERE \
                     dossier_number = {of}; DELETE FROM {dossiers} WHERE number = {of}",
        told: &[("dossiers", RowFault::Missing), ("traitements", RowFault::Missing)],
        damaged: false,
        counted: true,
    },
    Harm {
        name: "a tombstone is written beside a dossier that is there",
        statements: "UPDATE {dossiers} SET dn_gone_reason = 'perdu' WHERE number = {of}",
        told: &[("dossiers", RowFault::Changed)],
        damaged: false,
        counted: false,
    },
    Harm {
        name: "the document is no dossier",
        statements: "UPDATE dn_dossiers SET document = '{}' WHERE number = {of}",
        told: &[],
        damaged: true,
        counted: false,
    },
    Harm {
        name: "the document is another one",
        statements: "UPDATE dn_dossiers SET document = (SELECT document FROM dn_dossiers AS o WHERE o.number <> {of} \
                     ORDER BY o.number LIMIT 1) WHERE number = {of}",
        told: &[],
        damaged: true,
        counted: false,
    },
    Harm {
        name: "the fingerprint is none",
        statements: "UPDATE dn_dossiers SET fingerprint = 'xyz' WHERE number = {of}",
        told: &[],
        damaged: true,
        counted: false,
    },
    Harm {
        name: "the state beside the document is another",
        statements: "UPDATE dn_dossiers SET state = 'autre' WHERE number = {of}",
        told: &[("dn_dossiers", RowFault::Changed)],
        damaged: false,
        counted: false,
    },
    Harm {
        name: "a stranger's row is added",
        statements: "INSERT INTO {dossiers} (number, dn_seen_at) VALUES (999999999, '2026-01-01T00:00:00Z')",
        told: &[("dossiers", RowFault::Unknown)],
        damaged: false,
        counted: true,
    },
];

/// The statements of a harm, with the names that a target gave.
async fn statements<S: Sink>(lab: &Lab<S>, harm: &str, of: u32) -> String {
    let mut text = harm.replace("{of}", &of.to_string());
    for table in lab.sink.schema(&lab.scope).await.expect("a schema").tables {
        for (word, key) in [
            ("{dossiers}", TableKey::Dossiers),
            ("{traitements}", TableKey::Traitements),
            ("{messages}", TableKey::Messages),
            ("{labels}", TableKey::Labels),
        ] {
            if table.key == key {
                text = text.replace(word, &table.name);
            }
        }
    }
    text
}

fn told(verification: &Verification) -> BTreeSet<(String, RowFault)> {
    let short = |table: &str| table.strip_prefix("demarche_1001_").unwrap_or(table).to_owned();
    verification.rows.iter().map(|found| (short(&found.table), found.fault)).collect()
}

async fn repair<S: Sink>(lab: &Lab<S>) -> Report {
    let run = lab.job(&lab.sink, async |job| sync::repair(&job).await).await;
    assert!(run.error.is_none(), "{:?}", run.error);
    run.report
}

/// Every harm is told, and mended in each way that may mend it.
async fn harms_are_told_and_mended<S: Sink>(lab: &mut Lab<S>, by_hand: impl AsyncFn(String)) {
    lab.run().await;
    lab.assert_exact().await;
    let of = lab.in_state(State::Accepte)[0];
    for harm in &HARMS {
        let harmful = statements(lab, harm.statements, of).await;
        by_hand(harmful.clone()).await;
        let verification = lab.verify().await;
        let name = harm.name;
        assert!(!verification.is_exact(), "{name}");
        let expected: BTreeSet<(String, RowFault)> =
            harm.told.iter().map(|(table, fault)| ((*table).to_owned(), *fault)).collect();
        assert!(expected.is_subset(&told(&verification)), "{name}: {:?}", verification.rows);
        assert!(
            verification.rows.iter().all(|found| found.number.is_some_and(|n| [of, 999_999_999].contains(&n.get()))),
            "{name}: {:?}",
            verification.rows
        );
        assert_eq!(
            verification.damaged.iter().map(|n| n.get()).collect::<Vec<_>>(),
            vec![of; usize::from(harm.damaged)]
        );

        let report = repair(lab).await;
        assert!(report.rows.is_some() && report.damaged.is_empty(), "{name}: {report:?}");
        let verification = lab.verify().await;
        assert!(verification.is_exact(), "{name}, after a repair: {verification:?}");
        let again = lab.run().await;
        assert_eq!((again.rows_written, again.rows), (0, None), "{name}: a run after a repair writes nothing");

        // Once more: the daily comparison sees what can be counted, a complete reading everything.
        by_hand(harmful).await;
        if harm.counted {
            let report = lab.reconcile().await;
            let rows = report.rows.unwrap_or_else(|| panic!("{name}: the daily comparison says nothing"));
            assert!(rows.mended + rows.unknown > 0, "{name}: {rows:?}");
        }
        lab.settings = Settings { full: true, ..lab.settings };
        lab.run().await;
        lab.settings = Settings { full: false, ..lab.settings };
        let left = told(&lab.verify().await);
        let strangers = harm.told.iter().any(|(_, fault)| *fault == RowFault::Unknown);
        assert!(left.is_empty() != strangers, "{name}: only a repair removes rows: {left:?}");
        repair(lab).await;
        assert!(lab.verify().await.is_exact(), "{name}");
    }
    lab.assert_exact().await;
}

fn world() -> WorldSpec {
    WorldSpec::default().dossiers(12).only(&[DEMARCHE_COMPLETE])
}

#[tokio::test]
async fn what_is_changed_by_hand_in_a_file_is_told_and_mended() {
    let base = Database::new();
    let mut lab = Lab::with_sink(world(), 1001, base.sink().await).await;
    harms_are_told_and_mended(&mut lab, async |statements| base.run(&statements).await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn what_is_changed_by_hand_in_a_schema_is_told_and_mended() {
    let base = crate::support::postgres::Database::new().await;
    let mut lab = Lab::with_sink(world(), 1001, base.sink().await).await;
    harms_are_told_and_mended(&mut lab, async |statements| base.run(&statements).await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_doubled_row_is_told_and_mended_where_no_key_prevents_it() {
    let base = crate::support::postgres::Database::new().await;
    let lab = Lab::with_sink(world(), 1001, base.sink().await).await;
    lab.run().await;
    let of = lab.in_state(State::Accepte)[0];
    let double = "ALTER TABLE {traitements} DROP CONSTRAINT {traitements}_pkey; \
                  INSERT INTO {traitements} SELECT * FROM {traitements} WHERE dossier_number = {of} AND position = 0";
    base.run(&statements(&lab, double, of).await).await;
    assert_eq!(told(&lab.verify().await), BTreeSet::from([("traitements".to_owned(), RowFault::Doubled)]));
    let report = lab.reconcile().await;
    assert_eq!(report.rows.map(|rows| rows.mended), Some(1));
    lab.assert_exact().await;
}

#[tokio::test]
async fn a_dossier_whose_document_is_gone_is_read_again_although_its_rows_are_there() {
    let base = Database::new();
    let lab = Lab::with_sink(world(), 1001, base.sink().await).await;
    lab.run().await;
    let of = lab.in_state(State::EnConstruction)[0];
    base.run(&format!("DELETE FROM dn_dossiers WHERE number = {of}")).await;
    let verification = lab.verify().await;
    assert_eq!(verification.missing.len(), 1);
    assert!(told(&verification).contains(&("dossiers".to_owned(), RowFault::Unknown)), "{verification:?}");
    // An ordinary run that reads it writes over the rows that nobody owns.
    lab.change(|world| world.touch(of));
    lab.run().await;
    lab.assert_exact().await;
}

#[tokio::test]
async fn a_damaged_document_of_a_dossier_that_is_gone_is_told_at_every_run() {
    let base = Database::new();
    let lab = Lab::with_sink(world(), 1001, base.sink().await).await;
    lab.run().await;
    let of = lab.in_state(State::EnConstruction)[0];
    lab.change(|world| world.delete_by_user(of).expect("it is open"));
    lab.run().await;
    base.run(&format!("UPDATE dn_dossiers SET document = '{{' WHERE number = {of}")).await;
    let report = repair(&lab).await;
    assert_eq!(report.damaged.iter().map(|n| n.get()).collect::<Vec<_>>(), [of], "nobody has it any more");
    assert_eq!(lab.verify().await.damaged.len(), 1);
    // Everything else is written again all the same.
    let run = lab.job(&lab.sink, async |job| sync::remap(&job).await).await;
    assert!(run.error.is_some_and(|error| error.to_string().contains(&format!("dossier {of} cannot be read"))));
    assert_eq!(run.report.counts.rewritten, 11);
}
