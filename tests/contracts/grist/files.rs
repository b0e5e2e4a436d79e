//! Files themselves, as attachments of the document: once a content, whatever is repeated, lost or changed.

use std::collections::{BTreeMap, BTreeSet};

use demarche_numerique::Platform;
use demarche_numerique::privacy::{Filter, Policy, Treatment};
use demarche_numerique::report::{FilesReport, Report};
use demarche_numerique::sandbox::grist::{AccessRules, Fault, FaultPlan, Grist, Role, Row};
use demarche_numerique::sandbox::world::form::stable_id;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, FileRecord, Kind, Scan, Value, WorldSpec};
use demarche_numerique::sink::{FileLimits, FileStore, GristSink, MemorySink, SinkError, WantedFile};
use demarche_numerique::sync::{self, SyncError};
use jiff::SignedDuration;

use super::Place;
use crate::sync_runs::lab::Lab;

const PIECES: &str = "Demarche_1001_pieces_jointes";

/// A platform, and a document that keeps its files.
struct Office {
    lab: Lab,
    place: Place,
    limits: Option<FileLimits>,
    key: String,
    /// The question that asks for files.
    question: u64,
}

impl Office {
    /// So many dossiers, each with one file of its own.
    async fn with(dossiers: u32) -> Self {
        let spec = WorldSpec::new(Platform::DemarcheNumerique).only(&[DEMARCHE_COMPLETE]).dossiers(dossiers);
        let lab = Lab::with_sink(spec, DEMARCHE_COMPLETE, MemorySink::default()).await;
        let rank = Kind::all(Platform::DemarcheNumerique).iter().position(|kind| *kind == Kind::PieceJustificative);
        let question = stable_id::FIRST_OF_KINDS + rank.expect("a kind") as u64;
        let (limits, key) = (Some(FileLimits::default()), Grist::OWNER.to_owned());
        let office = Self { lab, place: Place::new().await, limits, key, question };
        for number in office.numbers() {
            office.lab.sandbox.world().edit(number, stable_id::REPETITION, Value::Empty).expect("an answer");
            office.hand_in(number, &[(&format!("pièce {number}.pdf"), 1000)]);
        }
        office
    }

    fn numbers(&self) -> Vec<u32> {
        self.lab.sandbox.world().numbers(DEMARCHE_COMPLETE)
    }

    /// Files of this name and this size; both together are the content.
    fn hand_in(&self, number: u32, files: &[(&str, u64)]) {
        let now = self.lab.sandbox.now();
        let files = files.iter().map(|(name, size)| FileRecord::new(name, *size, now)).collect();
        self.answer(number, files);
    }

    fn answer(&self, number: u32, files: Vec<FileRecord>) {
        self.lab.sandbox.world().edit(number, self.question, Value::Files(files)).expect("an answer");
    }

    async fn open(&self) -> GristSink {
        let mut opening = GristSink::of(self.place.doc(&self.key));
        if let Some(limits) = self.limits.clone() {
            opening = opening.files(limits);
        }
        opening.open().await.expect("a document")
    }

    async fn rows(&self, sink: &GristSink) -> Report {
        let run = self.lab.run_into(sink).await;
        assert!(run.error.is_none(), "{:?}", run.error);
        run.report
    }

    async fn files(&self, sink: &GristSink) -> Result<FilesReport, SyncError> {
        self.lab.job(sink, async |job| sync::files(&job).await).await
    }

    /// A run and its files, as `dn sync --files` does it.
    async fn sync(&self) -> FilesReport {
        let sink = self.open().await;
        self.rows(&sink).await;
        let report = self.files(&sink).await.expect("files");
        sink.close().await.expect("a clean end");
        self.place.assert_sound();
        report
    }

    /// The rows of the table of files that are the answer of a question.
    fn pieces(&self) -> Vec<Row> {
        self.place.rows(PIECES).into_iter().filter(|row| row.text("origine") == "champ").collect()
    }

    fn uploads(&self) -> usize {
        self.place.rows("_grist_Attachments").len()
    }

    /// Every file has its bytes, each content once; what the document shows is what was handed in.
    fn expect_whole(&self) {
        let held: BTreeMap<String, Option<i64>> = self
            .place
            .rows("Dn_fichiers")
            .iter()
            .map(|row| (row.text("cle").to_owned(), upload(row, "piece")))
            .collect();
        let mut names = BTreeSet::new();
        for row in self.place.rows(PIECES) {
            let checksum = row.text("checksum");
            if !checksum.is_empty() {
                assert_eq!(Some(upload(&row, "fichier")), held.get(checksum).copied(), "{}", row.text("filename"));
                names.insert(checksum.to_owned());
            }
        }
        assert_eq!(held.keys().cloned().collect::<BTreeSet<_>>(), names, "no more is kept than is shown");
        assert_eq!(held.values().collect::<BTreeSet<_>>().len(), held.len(), "each content has its own upload");
    }
}

/// The upload that a cell names.
fn upload(row: &Row, column: &str) -> Option<i64> {
    row.cell(column).as_array().and_then(|items| items.get(1)?.as_i64())
}

#[tokio::test]
async fn each_content_is_uploaded_once_and_a_second_run_uploads_nothing() {
    let office = Office::with(12).await;
    let first = office.sync().await;
    assert!(first.kept >= 12 && first.left.is_empty(), "{first:?}");
    assert_eq!(office.uploads() as u64, first.kept);
    office.expect_whole();
    let column = office.place.person().column(PIECES, "fichier");
    assert_eq!((column.text("type"), column.text("label")), ("Attachments", "Fichier"));
    let row = office.pieces().remove(0);
    let id = upload(&row, "fichier").expect("an upload");
    let bytes = office.place.doc(Grist::OWNER).download_attachment(id).await.expect("its bytes");
    assert_eq!(bytes.len() as u64, row.cell("byte_size").as_u64().expect("a size"));

    office.sync().await;
    let before = office.place.grist.state_number(&office.place.document);
    office.place.grist.reset_log();
    assert_eq!(office.sync().await, FilesReport::default());
    assert_eq!(office.place.grist.count().writes, 0);
    assert_eq!(
        office.place.grist.state_number(&office.place.document),
        before,
        "people keep their history (Grist trap 32)"
    );
}

#[tokio::test]
async fn two_rows_with_one_content_share_one_upload_now_and_later() {
    let office = Office::with(4).await;
    let numbers = office.numbers();
    let now = office.lab.sandbox.now();
    let common = FileRecord::new("statuts.pdf", 700, now);
    let renamed = FileRecord { filename: "statuts (copie).pdf".to_owned(), ..common.clone() };
    office.answer(numbers[0], vec![common.clone(), renamed.clone()]);
    office.answer(numbers[1], vec![common.clone()]);
    let first = office.sync().await;
    office.expect_whole();
    let uploads = office.uploads();
    assert_eq!(first.kept as usize, uploads);

    office.answer(numbers[2], vec![renamed]);
    let later = office.sync().await;
    assert_eq!((later.kept, later.linked, office.uploads()), (0, 1, uploads));
    office.expect_whole();
}

#[tokio::test]
async fn a_file_that_stays_keeps_its_place_and_one_that_goes_is_let_go() {
    let office = Office::with(3).await;
    let number = office.numbers()[0];
    office.hand_in(number, &[("reste.pdf", 10), ("part.pdf", 20)]);
    office.sync().await;
    let shown = |name: &str| {
        let rows = office.pieces();
        rows.iter().find(|row| row.text("filename") == name).map(|row| (row.id, upload(row, "fichier")))
    };
    let before = shown("reste.pdf").expect("a row");
    let kept = office.place.rows("Dn_fichiers").len();
    let files = office.lab.sandbox.world().value(number, office.question);
    let Some(Value::Files(mut files)) = files else { panic!("no files") };
    files.pop();
    office.answer(number, files);
    // Also where nobody asks for files any more: what is withheld must not stay.
    let office = Office { limits: None, ..office };
    let sink = office.open().await;
    office.rows(&sink).await;
    sink.close().await.expect("a clean end");
    let rows = office.pieces();
    assert!(rows.iter().all(|row| row.text("filename") != "part.pdf"));
    let stays = rows.iter().find(|row| row.text("filename") == "reste.pdf").expect("a row");
    assert_eq!((stays.id, upload(stays, "fichier")), before);
    assert_eq!(office.place.rows("Dn_fichiers").len(), kept - 1);
    office.expect_whole();
}

#[tokio::test]
async fn only_files_within_the_limits_are_fetched() {
    let mut office = Office::with(3).await;
    let numbers = office.numbers();
    office.hand_in(numbers[0], &[("a.png", 300), ("b.png", 301), ("c.pdf", 300), ("d.txt", 300)]);
    let range = |text: &str| text.parse().expect("a type");
    office.limits = Some(FileLimits { max_bytes: 300, types: vec![range("image/*"), range("application/pdf")] });
    office.sync().await;
    let shown = |office: &Office| -> Vec<String> {
        let rows = office.pieces();
        let shown = rows.iter().filter(|row| upload(row, "fichier").is_some());
        shown.map(|row| row.text("filename").to_owned()).collect()
    };
    assert_eq!(BTreeSet::from_iter(shown(&office)), BTreeSet::from(["a.png".to_owned(), "c.pdf".to_owned()]));
    office.limits = Some(FileLimits { max_bytes: 301, types: vec![range("image/*")] });
    office.sync().await;
    assert_eq!(shown(&office).len(), 3);
    office.limits = Some(FileLimits { max_bytes: 300, types: Vec::new() });
    office.sync().await;
    assert_eq!(shown(&office).len(), 4);
    office.limits = Some(FileLimits::default());
    office.sync().await;
    office.expect_whole();
}

#[tokio::test]
async fn a_file_that_is_not_found_safe_waits() {
    let office = Office::with(3).await;
    let number = office.numbers()[1];
    let mut file = FileRecord::new("en attente.pdf", 40, office.lab.sandbox.now());
    file.scan = Scan::Pending;
    office.answer(number, vec![file]);
    let first = office.sync().await;
    assert_eq!(first.left, BTreeMap::from([("not_safe".to_owned(), 1)]));
    office.lab.sandbox.world().scan_files(number, office.question, Scan::Safe).expect("files");
    let second = office.sync().await;
    assert_eq!((second.kept, second.left.len()), (1, 0));
    office.expect_whole();
}

#[tokio::test]
async fn an_address_that_expires_on_the_way_is_asked_for_again() {
    let office = Office::with(2).await;
    let number = office.numbers()[0];
    office.hand_in(number, &[("a.pdf", 10), ("b.pdf", 11), ("c.pdf", 12)]);
    let sandbox = office.lab.sandbox.clone();
    office.place.grist.on_request(move |request| {
        if request.route == "POST attachments" {
            sandbox.advance(SignedDuration::from_hours(2));
        }
    });
    assert!(office.sync().await.left.is_empty());
    office.expect_whole();
}

#[tokio::test]
async fn a_run_that_dies_at_any_request_is_finished_without_a_second_upload_of_what_is_named() {
    let office = Office::with(3).await;
    let sink = office.open().await;
    office.rows(&sink).await;
    sink.close().await.expect("a clean end");
    let empty = office.place.grist.snapshot(&office.place.document);
    office.place.grist.reset_log();
    let kept = office.sync().await.kept as usize;
    let requests = u32::try_from(office.place.grist.count().requests).expect("a few");
    for after in 2..requests {
        for applied in [false, true] {
            office.place.grist.restore(&office.place.document, &empty);
            let uploads = office.uploads();
            if applied {
                office.place.grist.plan(FaultPlan::new(Fault::LoseAnswer).after(after).times(1));
            }
            office.place.grist.plan(FaultPlan::new(Fault::CloseBefore).after(after));
            let died = async {
                let sink = office.open().await;
                let run = office.lab.run_into(&sink).await;
                let files = office.files(&sink).await;
                (run.error.is_some() || files.is_err(), sink.close().await.is_err())
            };
            let _failed = died.await;
            office.place.grist.clear_faults();
            office.sync().await;
            office.expect_whole();
            let made = office.uploads() - uploads;
            assert!((kept..=kept + 3).contains(&made), "{made} uploads after {after} requests, {applied}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_doubles_nothing() {
    for route in ["POST attachments", "POST apply"] {
        for after in 0..3 {
            let office = Office::with(2).await;
            let sink = office.open().await;
            office.rows(&sink).await;
            office.place.grist.plan(FaultPlan::new(Fault::LoseAnswer).route(route).after(after).times(1));
            let report = office.files(&sink).await.expect("it goes on by itself");
            office.expect_whole();
            let lost = usize::from(route == "POST attachments" && u64::from(after) < report.kept);
            assert_eq!(office.uploads(), report.kept as usize + lost, "{route} {after}");
            office.place.assert_sound();
        }
    }
}

#[tokio::test]
async fn a_person_who_deletes_the_column_is_obeyed_until_it_is_asked_for() {
    let office = Office::with(3).await;
    office.sync().await;
    let uploads = office.uploads();
    office.place.person().remove_column(PIECES, "fichier");
    office.hand_in(office.numbers()[0], &[("autre.pdf", 5)]);
    let sink = office.open().await;
    let report = office.rows(&sink).await;
    assert!(report.notices.iter().any(|notice| notice.contains("“Fichier”") && notice.contains("was deleted")));
    assert_eq!(office.files(&sink).await.expect("nothing to do").kept, 0);
    sink.close().await.expect("a clean end");
    assert!(!office.place.person().columns(PIECES).contains(&"fichier".to_owned()));
    assert_eq!(office.uploads(), uploads);

    let opening = GristSink::of(office.place.doc(Grist::OWNER)).files(FileLimits::default()).restore_columns(true);
    let sink = opening.open().await.expect("a document");
    office.rows(&sink).await;
    let back = office.files(&sink).await.expect("files");
    assert_eq!(back.kept, 1, "what was known is shown again without a download: {back:?}");
    assert!(back.linked > 0);
    sink.close().await.expect("a clean end");
    office.expect_whole();
}

#[tokio::test]
async fn what_people_make_of_the_columns_is_followed_or_told() {
    let office = Office::with(2).await;
    office.sync().await;
    let person = office.place.person();
    person.rename_column(PIECES, "fichier", "document");
    person.rename_column(PIECES, "checksum", "md5");
    office.hand_in(office.numbers()[0], &[("autre.pdf", 5)]);
    assert_eq!(office.sync().await.kept, 1);
    let row = office.pieces().into_iter().find(|row| row.text("filename") == "autre.pdf").expect("a row");
    assert!(upload(&row, "document").is_some());

    person.retype_column(PIECES, "document", "Text");
    let sink = office.open().await;
    let report = office.rows(&sink).await;
    assert!(report.notices.iter().any(|notice| notice.contains("holds no files any more")), "{:?}", report.notices);
    sink.close().await.expect("a clean end");
    person.retype_column(PIECES, "document", "Attachments");
    person.remove_column(PIECES, "md5");
    office.hand_in(office.numbers()[1], &[("encore.pdf", 6)]);
    let sink = office.open().await;
    office.rows(&sink).await;
    assert_eq!(office.files(&sink).await.expect("nothing to do").kept, 0);
    let notices = demarche_numerique::sink::Sink::notices(&sink);
    assert!(notices.iter().any(|notice| notice.contains("has no column checksum of ours")), "{notices:?}");
}

#[tokio::test]
async fn the_memory_of_files_heals_when_somebody_deletes_it() {
    let office = Office::with(2).await;
    office.sync().await;
    let uploads = office.uploads();
    office.place.person().remove_table("Dn_fichiers");
    assert_eq!(office.sync().await.kept, 0, "what rows show is there");
    office.hand_in(office.numbers()[0], &[("autre.pdf", 5)]);
    assert_eq!((office.sync().await.kept, office.uploads()), (1, uploads + 1));
    office.place.person().remove_column("Dn_fichiers", "nom");
    office.hand_in(office.numbers()[0], &[("encore.pdf", 6)]);
    assert_eq!(office.sync().await.kept, 1);
}

#[tokio::test]
async fn withheld_files_are_never_fetched_and_those_withheld_later_go() {
    let filter = |treatment| {
        let kinds = BTreeMap::from([("pieces-jointes".to_owned(), treatment)]);
        Filter::new(Policy { kinds, ..Policy::default() }, None).expect("no key is needed")
    };
    for treatment in [Treatment::Mask, Treatment::Exclude] {
        let mut office = Office::with(3).await;
        let open = std::mem::replace(&mut office.lab.filter, filter(treatment));
        assert_eq!(office.sync().await, FilesReport::default());
        assert_eq!(office.uploads(), 0);
        office.lab.filter = open;
        assert!(office.sync().await.kept > 0);
        office.lab.filter = filter(treatment);
        office.limits = None;
        let sink = office.open().await;
        office.rows(&sink).await;
        sink.close().await.expect("a clean end");
        assert!(office.place.rows("Dn_fichiers").is_empty(), "Grist forgets in seven days what nothing names");
        assert!(office.place.rows(PIECES).iter().all(|row| upload(row, "fichier").is_none()));
    }
}

#[tokio::test]
async fn files_are_those_of_dossiers_that_are_there() {
    let office = Office::with(3).await;
    let sink = office.open().await;
    office.rows(&sink).await;
    let all = sink.wanted_files(&office.lab.scope, None, 99).await.expect("an answer").len();
    let first = sink.wanted_files(&office.lab.scope, None, 1).await.expect("an answer").remove(0);
    let others = sink.wanted_files(&office.lab.scope, Some(first.number), 99).await.expect("an answer");
    assert!(others.iter().all(|file| file.number > first.number) && others.len() < all);
    let rows = office.place.rows("Dn_dossiers");
    let row = rows.iter().find(|row| row.cell("numero").as_f64() == Some(f64::from(first.number.get())));
    office.place.person().edit("Dn_dossiers", row.expect("a row").id, "disparu", "deleted".into());
    let left = sink.wanted_files(&office.lab.scope, None, 99).await.expect("an answer");
    assert_eq!(left, others);
}

#[tokio::test]
async fn an_editor_to_whom_rules_close_sql_gets_the_same_files() {
    let mut office = Office::with(4).await;
    let now = office.lab.sandbox.now();
    office.answer(office.numbers()[0], vec![FileRecord::new("commun.pdf", 9, now)]);
    office.place.grist.add_key("editeur", Some(Role::Editor));
    office.place.grist.set_rules(&office.place.document, AccessRules { any: true, ..AccessRules::default() });
    office.key = "editeur".to_owned();
    let first = office.sync().await;
    assert_eq!((first.kept as usize, first.left.len()), (office.uploads(), 0));
    office.expect_whole();
    office.answer(office.numbers()[1], vec![FileRecord::new("commun.pdf", 9, now)]);
    let second = office.sync().await;
    assert_eq!((second.kept, second.linked), (0, 1));
    office.expect_whole();
}

#[tokio::test]
async fn a_file_too_large_for_the_instance_is_left_and_the_others_come() {
    let office = Office::with(3).await;
    let sink = office.open().await;
    office.rows(&sink).await;
    let refusal = Fault::Answer { status: 413, body: r#"{"error":"Attachments must not exceed 1 MB"}"#.to_owned() };
    office.place.grist.plan(FaultPlan::new(refusal).route("POST attachments").times(1));
    let report = office.files(&sink).await.expect("files");
    assert_eq!(report.left, BTreeMap::from([("refused".to_owned(), 1)]));
    assert!(report.kept > 0);
}

#[tokio::test]
async fn a_run_that_lost_its_lease_shows_nothing() {
    let office = Office::with(2).await;
    let sink = office.open().await;
    office.rows(&sink).await;
    let file: WantedFile = sink.wanted_files(&office.lab.scope, None, 1).await.expect("an answer").remove(0);
    // The line of the run gave the lease back; another run takes it.
    let row = office.place.rows("Dn_baux").remove(0);
    office.place.person().act(serde_json::json!([
        ["AddRecord", "Dn_baux", null, {
            "jeton": "autre", "tour": 1, "hote": "ailleurs", "processus": 1,
            "depuis": row.text("depuis"), "vu": row.text("vu"), "libre": false,
        }],
        ["RemoveRecord", "Dn_baux", row.id],
    ]));
    let error = sink.keep_file(&office.lab.scope, &file, vec![0].into()).await.expect_err("a refusal");
    assert!(matches!(error, SinkError::Locked { .. }), "{error}");
    assert!(office.place.rows("Dn_fichiers").is_empty());
}
