//! Copies files into the document.

use demarche_numerique::sandbox::FileRecord;
use serde_json::Value;

use super::harness::GristHarness;
use crate::cli::harness::{DEMARCHE, end};

const PIECES: &str = "Demarche_1003_pieces_jointes";

/// Three dossiers, each with a message that has a file of so many bytes.
async fn harness(sizes: [u64; 3]) -> GristHarness {
    let harness = GristHarness::with(3).await;
    let mut world = harness.base.sandbox.world();
    for (number, size) in world.numbers(DEMARCHE).into_iter().zip(sizes) {
        let files = vec![FileRecord::new(&format!("pièce {number}.pdf"), size, world.now())];
        world.envoyer_message(number, Some(1), "Voici.", None, files).expect("it is open");
    }
    drop(world);
    harness
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn shown(harness: &GristHarness) -> usize {
    let rows = harness.grist.rows(&harness.document, PIECES);
    rows.iter().filter(|row| row.cell("fichier").as_array().is_some_and(|items| items.len() == 2)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_come_when_they_are_asked_for_and_once() {
    let harness = harness([2_000, 2_001, 2_002]).await;
    let without = json(&harness.run("sync", &["--json"]).await.expect(0).stdout);
    assert_eq!(without["files"], Value::Null);
    assert!(!harness.grist.person(&harness.document).columns(PIECES).contains(&"fichier".to_owned()));
    let with = json(&harness.run("sync", &["--files", "--json"]).await.expect(0).stdout);
    let (kept, bytes) = (with["files"]["kept"].as_u64().expect("a count"), with["files"]["bytes"].as_u64());
    assert!(kept >= 3 && bytes >= Some(6_003), "{}", with["files"]);
    assert_eq!(shown(&harness) as u64, kept);
    let ended = harness.run("sync", &["--files"]).await.expect(0).stdout;
    assert!(ended.contains("files: 0 fetched (0 B)"), "{ended}");
    assert_eq!(harness.grist.rows(&harness.document, "_grist_Attachments").len() as u64, kept);
    harness.run("verify", &[]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_sets_limits_and_doctor_tells_them() {
    let harness = harness([2_000, 3_000, 4_000]).await;
    let config = |limits: &str| {
        format!(
            "[instances.here]\n[targets.equipe]\ntype = 'grist'\ndocument = '{}'\nfiles = true\n{limits}\n\
             [[demarches]]\nnumber = {DEMARCHE}\n",
            harness.document
        )
    };
    let dn = async |limits: &str, args: &[&str]| {
        std::fs::write(harness.base.path("dn.toml"), config(limits)).expect("written");
        end(harness.command(&["--config", "dn.toml"]).args(args)).await
    };
    let limits = "files-max-size = '3 kB'\nfiles-types = ['application/pdf']";
    let doctor = json(&dn(limits, &["doctor", "--json"]).await.expect(0).stdout);
    let settings = doctor["settings"].as_array().expect("a list");
    let told = |key: &str| settings.iter().find(|told| told["setting"] == key).map(|told| told["value"].clone());
    assert_eq!(told("files"), Some("true".into()));
    assert_eq!(told("files-max-size"), Some("3 kB".into()));
    assert_eq!(told("files-types"), Some("application/pdf".into()));
    dn(limits, &["sync"]).await.expect(0);
    let rows = harness.grist.rows(&harness.document, PIECES);
    for row in rows.iter().filter(|row| row.text("filename").starts_with("pièce ")) {
        let there = !row.cell("fichier").is_null();
        assert_eq!(there, row.cell("byte_size").as_i64() <= Some(3_000), "{}", row.text("filename"));
    }
    for (limits, words) in [
        ("files-max-size = '3'", "`3` is not a size"),
        (
            "files-max-size = 3",
            "a size in quotes is expected, not a whole number (such as `files-max-size = \"10 MB\"`)",
        ),
        ("files-types = ['pdf']", "`pdf` is not a type of files"),
        ("files-types = 'application/pdf'", "a list of texts in quotes is expected"),
        ("files-max-sise = '3 kB'", "did you mean `files-max-size`?"),
    ] {
        let ended = dn(limits, &["sync"]).await.expect(3);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_go_into_a_document_only_and_a_platform_that_refuses_them_is_told() {
    let harness = harness([2_000, 2_001, 2_002]).await;
    let refused = harness.base.on_target("sync", &["--files"]).await.expect(3);
    assert!(refused.stderr.contains("--files: files are copied into a Grist document only"), "{}", refused.stderr);
    harness.run("sync", &[]).await.expect(0);
    let full = demarche_numerique::sandbox::grist::Fault::Answer {
        status: 403,
        body: r#"{"error":"Exceeded attachments limit for document"}"#.to_owned(),
    };
    harness.grist.plan(demarche_numerique::sandbox::grist::FaultPlan::new(full).route("POST attachments"));
    let ended = harness.run("sync", &["--files", "--json"]).await;
    assert_ne!(ended.code, Some(0));
    assert_eq!(json(&ended.stdout)["outcome"], "failed");
    assert!(ended.stderr.contains("attachments"), "{}", ended.stderr);
    harness.grist.clear_faults();
    harness.run("sync", &["--files"]).await.expect(0);
    assert!(shown(&harness) >= 3);
}
