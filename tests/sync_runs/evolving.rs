//! Changes of the form while dossiers exist (traps 25, 46 and 47).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use demarche_numerique::plan::reconcile;
use demarche_numerique::sandbox::world::State;
use demarche_numerique::sandbox::world::form::{Form, Question, stable_id};
use demarche_numerique::sandbox::{DEMARCHE_CLONE, DEMARCHE_COMPLETE, Kind, RowRecord, Value, World, WorldSpec};
use demarche_numerique::sink::Sink;
use demarche_numerique::table::infer;
use demarche_numerique::table::naming::NameLimits;
use demarche_numerique::{Client, DemarcheNumber, Platform};
use serde_json::{Value as Json, json};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::lab::Lab;
use super::survey::{Database, descriptor, question};

/// A question that no revision of the generated world asks.
const NEW: u64 = 900;

fn one(spec: WorldSpec) -> WorldSpec {
    spec.only(&[DEMARCHE_COMPLETE])
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn relabel(form: &mut Form, stable_id: u64, label: &str) {
    form.question_mut(stable_id).expect("it is asked").label = label.to_owned();
}

/// The cells of a question, by dossier.
async fn cells(base: &Database, stable_id: u64) -> BTreeMap<u32, Option<String>> {
    let column = base.column(DEMARCHE_COMPLETE, stable_id).await;
    let rows = base.ask(&format!("SELECT number, \"{column}\" FROM demarche_1001_dossiers")).await;
    let number = |text: &Option<String>| text.as_deref().expect("a number").parse().expect("a number");
    rows.iter().map(|row| (number(&row[0]), row[1].clone())).collect()
}

#[tokio::test]
async fn trap_25_a_published_revision_reaches_tables_at_once_and_open_dossiers_within_minutes() {
    let base = Database::new();
    let lab = Lab::with_sink(one(WorldSpec::default().dossiers(32)), 1001, base.sink().await).await;
    lab.run().await;
    let platform = Platform::DemarcheNumerique;
    let (removed, widened) = (question(platform, Kind::Email), question(platform, Kind::DecimalNumber));
    let names = [stable_id::RENAMED, removed, widened];
    let mut before = Vec::new();
    for id in names {
        before.push((base.column(1001, id).await, cells(&base, id).await));
    }
    let open = [lab.in_state(State::EnConstruction), lab.in_state(State::EnInstruction)].concat();
    lab.change(|world| {
        world.publish_revision(1001, |form| {
            relabel(form, stable_id::RENAMED, "Titre du projet");
            form.remove(removed);
            form.question_mut(widened).expect("it is asked").kind = Kind::Text;
            form.champs.push(Question::new(NEW, Kind::Text, "Question nouvelle"));
        });
    });
    let report = lab.run().await;
    assert!(!report.sweep && !report.schema.is_empty(), "{report:?}");
    assert!(cells(&base, NEW).await.values().all(Option::is_none), "nobody has answered yet");
    assert_eq!(base.one("SELECT count(\"Titre du projet\") > 0 FROM vue_1001_dossiers").await, text("1"));

    lab.wait_minutes(11);
    let report = lab.run().await;
    assert!(report.sweep, "{report:?}");
    assert_eq!(lab.stale().await.len(), 0);
    for (id, (column, _)) in names.into_iter().zip(&before) {
        assert_eq!(base.column(1001, id).await, *column, "names are for ever");
    }
    let kind =
        format!("SELECT kind FROM dn_columns WHERE \"column\" = '{}' AND \"table\" LIKE '%dossiers'", before[2].0);
    assert_eq!(base.one(&kind).await, text("text"));
    assert_eq!(cells(&base, stable_id::RENAMED).await, before[0].1);
    assert_eq!(cells(&base, widened).await, before[2].1, "a wider column keeps what it held");
    let kept = cells(&base, removed).await;
    assert!(before[1].1.values().flatten().count() > 0, "some had answered");
    for (number, old) in &before[1].1 {
        let expected = if open.contains(number) { &None } else { old };
        assert_eq!(kept[number], *expected, "dossier {number}, open: {}", open.contains(number));
    }

    lab.change(|world| {
        world.edit(open[0], widened, "une douzaine").expect("it is asked");
        world.edit(open[1], NEW, "réponse").expect("it is asked");
        world.edit(open[2], stable_id::WIDENED, "deux ou trois").expect("it is asked");
    });
    lab.run().await;
    assert_eq!(base.cell(1001, open[0], widened).await, text("une douzaine"));
    assert_eq!(base.cell(1001, open[1], NEW).await, text("réponse"));
    assert_eq!(base.cell(1001, open[2], stable_id::WIDENED).await, text("deux ou trois"));
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_25_a_revision_published_while_a_run_reads_is_followed_by_that_run() {
    let base = Database::new();
    let lab = Lab::with_sink(one(WorldSpec::default().dossiers(16)), 1001, base.sink().await).await;
    lab.run().await;
    let number = lab.in_state(State::EnConstruction)[0];
    lab.sandbox.after_request(1, move |world: &mut World| {
        world.publish_revision(1001, |form| form.champs.push(Question::new(NEW, Kind::IntegerNumber, "Combien ?")));
        world.rebase_all(1001);
        world.edit(number, NEW, 12).expect("it is asked");
    });
    let report = lab.run().await;
    assert_eq!(base.cell(1001, number, NEW).await, text("12"), "{report:?}");
    lab.wait_minutes(11);
    lab.run().await;
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_25_a_draft_renames_nothing_and_what_it_forgets_again_is_a_former_column() {
    let base = Database::new();
    let lab = Lab::with_sink(one(WorldSpec::default().dossiers(16)), 1001, base.sink().await).await;
    let draft = |change: &dyn Fn(&mut Form)| {
        lab.sandbox.advance(jiff::SignedDuration::from_mins(1));
        let mut world = lab.sandbox.world();
        let now = world.now();
        let record = world.demarche_mut(1001).expect("the démarche");
        record.updated_at = now;
        let revision = record.revisions.last_mut().expect("a draft");
        let mut form = Form::clone(&revision.form);
        change(&mut form);
        revision.form = Arc::new(form);
    };
    draft(&|form| {
        relabel(form, stable_id::RENAMED, "Brouillon");
        form.champs.push(Question::new(NEW, Kind::Text, "Peut-être"));
    });
    lab.run().await;
    let about =
        |id: u64| format!("SELECT title, origin FROM dn_columns WHERE descriptor = '{}'", descriptor(id).as_str());
    let renamed = base.ask(&about(stable_id::RENAMED)).await;
    assert_eq!(renamed, [[text("Intitulé du projet"), text("champ")]]);
    assert_eq!(base.ask(&about(NEW)).await, [[text("Peut-être"), text("champ")]]);
    draft(&|form| form.remove(NEW));
    lab.run().await;
    assert_eq!(base.ask(&about(NEW)).await, [[text("Peut-être"), text("former")]]);
    assert!(cells(&base, NEW).await.values().all(Option::is_none));
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_47_homonyms_never_mix_and_a_renamed_one_keeps_its_column() {
    let base = Database::new();
    let lab = Lab::with_sink(one(WorldSpec::default().dossiers(16)), 1001, base.sink().await).await;
    let number = lab.in_state(State::EnConstruction)[0];
    let [first, second] = stable_id::HOMONYMS;
    lab.change(|world| {
        world.edit(number, first, "du premier").expect("it is asked");
        world.edit(number, second, "du second").expect("it is asked");
    });
    lab.run().await;
    let columns = [base.column(1001, first).await, base.column(1001, second).await];
    assert_ne!(columns[0], columns[1]);
    lab.change(|world| {
        world.publish_revision(1001, |form| {
            relabel(form, first, "Remarque");
            relabel(form, second, "Intitulé du projet");
        });
    });
    lab.wait_minutes(1);
    lab.run().await;
    lab.wait_minutes(11);
    lab.run().await;
    assert_eq!([base.column(1001, first).await, base.column(1001, second).await], columns);
    assert_eq!(base.cell(1001, number, first).await, text("du premier"));
    assert_eq!(base.cell(1001, number, second).await, text("du second"));
    let query = format!("SELECT \"Remarque\" FROM vue_1001_dossiers WHERE \"Dossier n°\" = {number}");
    assert_eq!(base.one(&query).await, text("du premier"));
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_46_a_demarche_and_its_clone_live_in_one_file() {
    let base = Database::new();
    let spec = WorldSpec::default().only(&[DEMARCHE_COMPLETE, DEMARCHE_CLONE]).dossiers(16);
    let mut lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, base.sink().await).await;
    lab.run().await;
    lab.scope.demarche = DemarcheNumber::new(DEMARCHE_CLONE);
    lab.run().await;
    let first = |demarche| lab.sandbox.world().numbers(demarche)[0];
    for number in [DEMARCHE_COMPLETE, DEMARCHE_CLONE].map(first) {
        lab.change(|world| world.edit(number, stable_id::RENAMED, format!("de {number}"))).expect("it is asked");
    }
    for demarche in [DEMARCHE_COMPLETE, DEMARCHE_CLONE] {
        lab.scope.demarche = DemarcheNumber::new(demarche);
        lab.run().await;
        lab.assert_exact().await;
        let number = lab.sandbox.world().numbers(demarche)[0];
        assert_eq!(base.cell(demarche, number, stable_id::RENAMED).await, Some(format!("de {number}")));
    }
}

#[tokio::test]
async fn two_instances_with_the_same_numbers_live_in_one_file() {
    let base = Database::new();
    let spec = |platform, seed| WorldSpec { seed, ..one(WorldSpec::new(platform).dossiers(12)) };
    let first = Lab::with_sink(spec(Platform::DemarcheNumerique, 1), 1001, base.sink().await).await;
    first.run().await;
    first.assert_exact().await;
    let held = first.documents(&first.sink).await;
    first.sink.close().await.expect("a clean end");
    let mut second = Lab::with_sink(spec(Platform::DematSocial, 2), 1001, base.sink().await).await;
    second.scope.instance = "ds".to_owned();
    second.run().await;
    second.assert_exact().await;
    let number = *held.keys().next().expect("a dossier");
    let query = |table: &str| format!("SELECT count(*) FROM {table} WHERE number = {number}");
    assert_eq!(base.one(&query("demarche_1001_dossiers")).await, text("1"));
    assert_eq!(base.one(&query("ds_demarche_1001_dossiers")).await, text("1"));
    assert_eq!(base.one(&query("dn_dossiers")).await, text("2"));
    let mut scope = second.scope.clone();
    scope.instance = "essai".to_owned();
    let documents = second.sink.documents(&scope, None, 1000).await.expect("a readable target");
    let still = documents.into_iter().filter(|d| d.gone.is_none()).map(|d| (d.number.get(), d.document)).collect();
    assert_eq!(held, still, "the other instance was not touched");
}

#[tokio::test]
async fn hostile_labels_and_answers_are_kept_and_stay_text() {
    let base = Database::new();
    let lab = Lab::with_sink(one(WorldSpec::default().dossiers(12)), 1001, base.sink().await).await;
    let long = "é".repeat(150);
    let labels = [
        "\"; DROP TABLE demarche_1001_dossiers; --",
        "'); DELETE FROM dn_dossiers; --",
        &long,
        &long,
        "🧨🧨",
        "a\0b",
        "",
        "SELECT",
        "number",
        "dn_gone_reason",
        "Changement vu le",
        "dossier n°",
        "\u{202e}envers\u{feff}\n\t",
    ];
    lab.change(|world| {
        world.publish_revision(1001, |form| {
            for (id, label) in (NEW..).zip(labels) {
                form.champs.push(Question::new(id, Kind::Textarea, label));
            }
            let mut block = Question::new(990, Kind::Repetition, "'\"); --");
            block.children.push(Question::new(991, Kind::Text, "position"));
            form.champs.push(block);
        });
        world.rebase_all(1001);
    });
    let number = lab.in_state(State::EnConstruction)[0];
    let megabytes = "10 Mo de texte. ".repeat(10 * 1024 * 1024 / 16);
    lab.change(|world| {
        for (id, label) in (NEW..).zip(labels) {
            let value = if id == NEW { megabytes.as_str() } else { label };
            world.edit(number, id, value).expect("it is asked");
        }
        let row = demarche_numerique::sandbox::RowRecord::new(world.now(), 1, vec![(991, labels[0].into())]);
        world.edit(number, 990, demarche_numerique::sandbox::Value::Rows(vec![row])).expect("it is asked");
    });
    lab.run().await;
    for (id, label) in (NEW..).zip(labels) {
        let value = if id == NEW { megabytes.as_str() } else { label };
        let expected = (!value.is_empty()).then(|| value.replace('\0', "\u{fffd}"));
        assert!(base.cell(1001, number, id).await == expected, "{label:?}");
    }
    for name in base.list("SELECT \"column\" FROM dn_columns UNION SELECT name FROM dn_tables").await {
        let name = name.expect("a name");
        assert!(!name.is_empty() && name.len() <= 63, "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
    }
    for view in base.list("SELECT name FROM sqlite_schema WHERE type = 'view'").await.into_iter().flatten() {
        base.ask(&format!("SELECT * FROM \"{view}\"")).await;
    }
    let block = base.one("SELECT name FROM dn_tables WHERE title = '''\"); --'").await.expect("a table");
    let column = format!("SELECT \"column\" FROM dn_columns WHERE descriptor = '{}'", descriptor(991).as_str());
    let column = base.one(&column).await.expect("a column");
    assert_eq!(
        base.one(&format!("SELECT \"{column}\" FROM {block} WHERE dossier_number = {number}")).await,
        text(labels[0])
    );
    lab.assert_exact().await;
}

/// The payload of a real form, when it is at hand.
fn real_form() -> Option<Json> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["../shared/reference/realworld", "../../shared/reference/realworld"].map(|path| root.join(path));
    let file = folders.into_iter().map(|f| f.join("gsl_demarche_revision_346_descriptors.json")).find(|f| f.exists());
    let Some(file) = file else {
        eprintln!("no form of the real world at hand: made no table");
        return None;
    };
    let text = std::fs::read_to_string(file).expect("a readable file");
    Some(serde_json::from_str(&text).expect("JSON"))
}

#[tokio::test]
async fn a_real_form_of_hundreds_of_questions_becomes_tables() {
    let Some(mut recorded) = real_form() else { return };
    recorded["activeRevision"]["dateCreation"] = json!("2025-10-31T11:40:04+01:00");
    recorded["revisions"] = json!([recorded["activeRevision"]]);
    recorded["dateDerniereModification"] = json!("2025-12-19T14:45:16+01:00");
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "data": { "demarche": recorded } }));
    Mock::given(method("POST")).respond_with(answer).mount(&server).await;
    let client = Client::builder(Platform::DemarcheNumerique).token("c2VjcmV0LW9mLXRlc3Rz").url(server.uri());
    let demarche = client.build().expect("valid settings").demarche(DemarcheNumber::new(1234)).await.expect("a form");

    let base = Database::new();
    let sink = base.sink().await;
    let scope = demarche_numerique::ids::Scope { instance: "essai".to_owned(), demarche: demarche.number };
    let spec = infer(&demarche);
    let plan = reconcile(&spec, &sink.schema(&scope).await.expect("a schema"), NameLimits::default());
    let mut count = 0;
    for table in &plan.layout.tables {
        let mut names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        count += names.len();
        assert!(names.iter().all(|name| name.len() <= 63), "{names:?}");
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), table.columns.len(), "names are unique in {}", table.name);
    }
    assert!(count > 346, "{count} columns");
    sink.prepare(&scope, &demarche, plan).await.expect("tables");
    let again = reconcile(&spec, &sink.schema(&scope).await.expect("a schema"), NameLimits::default());
    assert_eq!(again.changes, [], "nothing is left to do");
    for view in base.list("SELECT name FROM sqlite_schema WHERE type = 'view'").await.into_iter().flatten() {
        base.ask(&format!("SELECT * FROM \"{view}\"")).await;
    }
}

/// The form is published while a first run reads: the démarche was told as it was, dossiers answer what comes after.
#[tokio::test]
async fn trap_25_a_form_published_while_a_first_run_reads_fills_its_columns() {
    for told_late in [false, true] {
        let base = Database::new();
        let lab = Lab::with_sink(one(WorldSpec::default().dossiers(16)), 1001, base.sink().await).await;
        let number = lab.in_state(State::EnConstruction)[0];
        // The head and the form come first, then the dossiers.
        lab.sandbox.after_request(2, move |world: &mut World| {
            if told_late {
                world.hold_form(1001);
            }
            world.publish_revision(1001, |form| {
                form.champs.push(Question::new(NEW, Kind::Text, "Question nouvelle"));
                let mut block = Question::new(NEW + 1, Kind::Repetition, "Bloc nouveau");
                block.children = vec![Question::new(NEW + 2, Kind::Text, "Dans le bloc")];
                form.champs.push(block);
            });
            world.rebase_all(1001);
            world.edit(number, NEW, "réponse").expect("it is asked");
            let at = world.now();
            let row =
                |(order, text): (u64, &str)| RowRecord::new(at, order, vec![(NEW + 2, Value::Text(text.to_owned()))]);
            let rows = [(1, "un"), (2, "deux")].map(row).to_vec();
            world.edit(number, NEW + 1, Value::Rows(rows)).expect("it is asked");
        });
        let report = lab.run().await;
        if told_late {
            let strangers: Vec<&str> = report.strangers.iter().map(|id| id.as_str()).collect();
            assert!(strangers.contains(&descriptor(NEW).as_str()), "{report:?}");
            let verification = lab.verify().await;
            assert!(!verification.is_exact() && verification.strangers[&descriptor(NEW)] > 0, "{verification:?}");
            lab.change(|world| world.release_form(1001));
            let report = lab.run().await;
            assert!(report.strangers.is_empty(), "{report:?}");
            let counts = report.counts;
            assert!(counts.rewritten > 0, "what is stored fills what is new: {counts:?}");
        }
        assert_eq!(base.cell(1001, number, NEW).await, text("réponse"), "told late: {told_late}");
        let id = descriptor(NEW + 1);
        let block = base.one(&format!("SELECT name FROM dn_tables WHERE descriptor = '{}'", id.as_str())).await;
        let block = block.expect("a table of the block");
        let column = base.column(1001, NEW + 2).await;
        let held = format!("SELECT \"{column}\" FROM \"{block}\" WHERE dossier_number = {number} ORDER BY position");
        assert_eq!(base.list(&held).await, [text("un"), text("deux")], "told late: {told_late}");
        lab.wait_minutes(11);
        lab.run().await;
        lab.assert_exact().await;
    }
}

/// A question that changes in place, without a revision: a complete reading asks for the form again.
#[tokio::test]
async fn a_form_that_changes_without_a_revision_is_read_again_with_everything() {
    let base = Database::new();
    let mut lab = Lab::with_sink(one(WorldSpec::default().dossiers(8)), 1001, base.sink().await).await;
    lab.run().await;
    lab.change(|world| {
        let record = world.demarche_mut(1001).expect("the démarche");
        let active = record.active_revision();
        let mut form = Form::clone(&record.revisions[active].form);
        relabel(&mut form, stable_id::RENAMED, "Changée sur place");
        record.revisions[active].form = Arc::new(form);
    });
    assert!(lab.run().await.schema.is_empty(), "nothing tells of it");
    lab.settings.full = true;
    let report = lab.run().await;
    assert!(report.schema.iter().any(|change| change.contains("Changée sur place")), "{report:?}");
    lab.settings.full = false;
    lab.assert_exact().await;
}
