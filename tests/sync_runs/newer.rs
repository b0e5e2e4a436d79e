//! Platforms newer than the pinned schema, and the sub-values of champs.

use demarche_numerique::privacy::{Filter, Policy, Treatment};
use demarche_numerique::sandbox::world::State;
use demarche_numerique::sandbox::world::form::stable_id;
use demarche_numerique::sandbox::{Area, AreaSource, Kind, Value, WorldSpec};
use demarche_numerique::sink::SqliteSink;
use demarche_numerique::{Client, Platform};
use serde_json::json;

use super::lab::{Lab, fresh_client};
use super::survey::{Database, descriptor, occurs, question};

const PLATFORM: Platform = Platform::DemarcheNumerique;

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

async fn lab(newer: bool, base: &Database) -> Lab<SqliteSink> {
    let spec = WorldSpec { newer, ..WorldSpec::new(PLATFORM).only(&[1001]).dossiers(24) };
    let mut lab = Lab::with_sink(spec, 1001, base.sink().await).await;
    lab.client = fresh_client(&lab);
    lab
}

/// Counts the columns of a question's sub-values.
async fn sub_columns(base: &Database, stable_id: u64) -> Vec<String> {
    let id = descriptor(stable_id);
    let query = format!(
        "SELECT \"column\" FROM dn_columns WHERE descriptor = '{}' AND part LIKE 'column:%' ORDER BY id",
        id.as_str()
    );
    base.list(&query).await.into_iter().flatten().collect()
}

#[tokio::test]
async fn what_a_platform_has_more_reaches_a_target_that_was_there_before_once() {
    let base = Database::new();
    let mut lab = lab(false, &base).await;
    lab.run().await;
    let number = lab.in_state(State::EnConstruction)[0];
    let groupes = lab.change(|world| {
        let of = |world: &demarche_numerique::sandbox::World| world.dossier(number).expect("there").groupe;
        let before = of(world);
        let other = world.demarche(1001).expect("there").groupes.iter().map(|groupe| groupe.number);
        let other = other.into_iter().find(|number| *number != before).expect("two groupes");
        world.changer_groupe(number, other).expect("it is open");
        (before, other)
    });
    let map = question(PLATFORM, Kind::Carte);
    lab.run().await;
    let passages = "SELECT count(*) FROM demarche_1001_affectations";
    assert_eq!(base.one(passages).await, text("0"), "the platform does not tell them yet");
    lab.assert_exact().await;

    lab.change(|world| {
        world.newer = true;
        let plot = Area {
            id: 77,
            description: None,
            source: AreaSource::Rpg,
            geometry: json!({ "type": "Point", "coordinates": [2.5, 47.5] }),
        };
        world.edit(number, map, Value::Areas(vec![plot])).expect("it is asked");
    });
    // The schema is read once a day.
    lab.wait(25);
    lab.client = fresh_client(&lab);
    let report = lab.run().await;
    assert!(report.sweep, "everything is read again for it: {report:?}");
    assert_eq!(report.drift, Vec::<String>::new());
    assert_eq!(
        base.ask("SELECT groupe_precedent_number, groupe_instructeur_number, mode FROM demarche_1001_affectations")
            .await,
        [vec![text(&groupes.0.to_string()), text(&groupes.1.to_string()), text("manual")]]
    );
    let plots = "SELECT rpg_commune || ' ' || rpg_numero || ' ' || rpg_surface FROM demarche_1001_geo_zones \
                 WHERE source = 'rpg'";
    assert_eq!(base.one(plots).await, text("35238 77 2.5"));
    let companies = "SELECT count(DISTINCT demandeur_naf_2025) FROM demarche_1001_dossiers";
    assert_eq!(base.one(companies).await, text("1"));
    let steps = "SELECT count(*) FROM demarche_1001_traitements WHERE revision IS NULL";
    assert_eq!(base.one(steps).await, text("0"));
    lab.assert_exact().await;

    lab.settings.full = true;
    let again = lab.run().await;
    assert_eq!((again.counts.updated, again.rows_written), (0, 0), "no dossier changes twice: {again:?}");
}

#[tokio::test]
async fn a_target_of_the_pinned_platform_is_not_read_again_for_nothing() {
    let base = Database::new();
    let mut lab = Lab::with_sink(WorldSpec::new(PLATFORM).only(&[1001]).dossiers(12), 1001, base.sink().await).await;
    lab.run().await;
    lab.client = Client::builder(PLATFORM)
        .url(lab.client.url().as_str())
        .token(lab.sandbox.token())
        .build()
        .expect("valid settings");
    assert!(!lab.run().await.sweep);
}

#[tokio::test]
async fn what_an_answer_leads_to_has_a_column_each_on_demand() {
    let base = Database::new();
    let mut lab = lab(true, &base).await;
    let quotient = stable_id::FIRST_NEWER;
    let numbers = lab.in_state(State::EnConstruction);
    lab.change(|world| {
        world.edit(numbers[0], quotient, true).expect("it is asked");
        world.edit(numbers[1], quotient, false).expect("it is asked");
    });
    lab.run().await;
    assert_eq!(base.cell(1001, numbers[0], quotient).await, text("true"), "the approval alone");
    assert_eq!(sub_columns(&base, quotient).await, Vec::<String>::new());
    lab.assert_exact().await;

    lab.client = lab.client.with_columns(true);
    let report = lab.run().await;
    assert!(report.sweep, "{report:?}");
    let columns = sub_columns(&base, quotient).await;
    assert_eq!(columns.len(), 2, "{columns:?}");
    let cell =
        |column: &str, number: u32| format!("SELECT \"{column}\" FROM demarche_1001_dossiers WHERE number = {number}");
    assert_eq!(base.one(&cell(&columns[0], numbers[0])).await, text("78231.55"));
    assert_eq!(base.one(&cell(&columns[0], numbers[1])).await, None);
    let rib = sub_columns(&base, stable_id::RIB).await;
    assert_eq!(rib.len(), 3, "{rib:?}");
    let ibans = format!("SELECT DISTINCT \"{}\" FROM demarche_1001_dossiers", rib[1]);
    assert!(base.list(&ibans).await.contains(&text("FR14 2004 1010 0505 0001 3M02 606")));
    let natures = "SELECT DISTINCT nature FROM demarche_1001_pieces_jointes WHERE nature IS NOT NULL";
    assert_eq!(base.list(natures).await, [text("RIB")]);
    lab.assert_exact().await;

    // The treatment of the question is that of what it leads to.
    let kinds = [("quotient_familial".to_owned(), Treatment::Exclude)].into();
    lab.filter = Filter::new(Policy { kinds, ..Policy::default() }, None).expect("no key is needed");
    lab.run().await;
    for column in &columns {
        assert_eq!(base.one(&cell(column, numbers[0])).await, text("[non conservé]"), "{column}");
    }
    lab.assert_exact().await;
    lab.sink.close().await.expect("a clean end");
    assert!(!occurs(&base.bytes(), "78231.55"), "not even in what was stored before");
    lab.sink = base.sink().await;

    // Turned off, the columns stay and are emptied.
    lab.filter = Filter::new(Policy::default(), None).expect("no key is needed");
    lab.client = lab.client.with_columns(false);
    lab.run().await;
    assert_eq!(base.one(&cell(&columns[0], numbers[0])).await, None);
    assert_eq!(base.cell(1001, numbers[0], quotient).await, text("true"));
    lab.assert_exact().await;
}

#[tokio::test]
async fn an_identity_document_that_is_asked_for_as_a_file_is_given_or_not() {
    let base = Database::new();
    let mut lab = lab(true, &base).await;
    lab.client = lab.client.with_columns(true);
    lab.run().await;
    let column = base.column(1001, stable_id::IDENTITY).await;
    let cells = base.list(&format!("SELECT DISTINCT \"{column}\" FROM demarche_1001_dossiers")).await;
    assert!(cells.iter().flatten().all(|cell| cell.contains("true")), "{cells:?}");
    assert!(cells.iter().any(Option::is_some), "{cells:?}");
    let files = format!(
        "SELECT count(*) FROM demarche_1001_pieces_jointes WHERE descriptor_id = '{}'",
        descriptor(stable_id::IDENTITY).as_str()
    );
    assert_eq!(base.one(&files).await, text("0"));
    assert_eq!(sub_columns(&base, stable_id::IDENTITY).await, Vec::<String>::new());
    let name = format!("pièce {}-", stable_id::IDENTITY);
    assert!(!occurs(&base.bytes(), &name));
    lab.assert_exact().await;
}
