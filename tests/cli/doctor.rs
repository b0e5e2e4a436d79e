//! Checks that `dn doctor` judges only the fields that this version uses, and fails as a sync would.

use std::path::Path;

use demarche_numerique::Platform;

use super::harness::{Ended, Harness};

/// Runs `dn doctor` where dossiers go into a file.
async fn doctor(harness: &Harness, more: &[&str]) -> Ended {
    harness.on_target("doctor", more).await
}

/// Takes a member out of a type, with its description.
fn without(sdl: &str, owner: &str, member: &str) -> String {
    let start = sdl.find(&format!("\n{owner} {{\n")).or_else(|| sdl.find(&format!("\n{owner} implements")));
    let start = start.unwrap_or_else(|| panic!("there is no {owner}")) + 1;
    let at =
        start + sdl[start..].find(&format!("\n  {member}")).unwrap_or_else(|| panic!("{owner} has no {member}")) + 1;
    let end = at + sdl[at..].find('\n').expect("a line ends") + 1;
    let above = sdl[..at - 1].rfind('\n').map_or(0, |line| line + 1);
    let at = if sdl[above..at].trim_start().starts_with('"') { above } else { at };
    [&sdl[..at], &sdl[end..]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_asks_for_is_one_line_and_no_warning() {
    for platform in Platform::ALL {
        let harness = Harness::on(platform, 1).await;
        harness.sandbox.alter_schema(|sdl| {
            // Nothing of ours reads these; the platform takes such fields away, and adds others, at every release.
            let sdl = without(sdl, "type Dossier", "geojson: File");
            let sdl = without(&sdl, "type Dossier", "pdf: File");
            sdl + "\nextend type Dossier { relances: Int }\nextend type Demarche { cadreJuridique: String }\n\
                  type Relance { id: ID! }\n"
        });
        let told = doctor(&harness, &[]).await.expect(0).stdout;
        let line = told.lines().find(|line| line.contains("  schema: ")).unwrap_or_else(|| panic!("{told}"));
        assert!(line.starts_with("ok    schema: has all that this version asks for"), "{line}");
        assert!(line.contains("2 names less") && line.contains("more than pinned"), "{line}");
        assert!(!told.contains("Dossier.geojson") && told.contains("(-v lists them)"), "{told}");
        let told = doctor(&harness, &["-v"]).await.expect(0).stdout;
        for name in ["- gone: Dossier.geojson", "- gone: Dossier.pdf", "- new: Dossier.relances", "- new: Relance"] {
            assert!(told.contains(name), "`{name}` is not in:\n{told}");
        }
        harness.on_target("sync", &[]).await.expect(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sync_asks_for_and_is_not_there_is_code_4_as_in_the_sync() {
    type Change = fn(&str) -> String;
    let changes: [(&str, Change, &str); 5] = [
        ("a field", |sdl| without(sdl, "type Dossier", "motivation: String"), "motivation"),
        ("a type", |sdl| sdl.replace("SiretChamp ", "EntrepriseChamp "), "SiretChamp"),
        ("an argument", |sdl| sdl.replace("updatedSince: ISO8601DateTime", "depuis: ISO8601DateTime"), "updatedSince"),
        ("another kind of argument", |sdl| sdl.replace("demarche(number: Int!)", "demarche(number: ID!)"), "number"),
        (
            "an argument that must be given",
            |sdl| sdl.replace("demarche(number: Int!)", "demarche(number: Int!, cle: String!)"),
            "cle",
        ),
    ];
    for (case, change, word) in changes {
        let harness = Harness::with(1).await;
        harness.sandbox.alter_schema(|sdl| {
            let altered = change(sdl);
            assert_ne!(altered, sdl, "{case}: nothing was changed");
            altered
        });
        let ended = doctor(&harness, &[]).await.expect(4);
        let line = ended.stdout.lines().find(|line| line.contains("  schema: ")).expect("a line about the schema");
        assert!(line.starts_with("FAIL  schema: a sync asks for") && line.contains(word), "{case}: {line}");
        assert!(ended.stdout.contains("hint: check `platform`"), "{}", ended.stdout);
        harness.on_target("sync", &[]).await.expect(4).says_at_last("rejected the operation");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_push_alone_asks_for_is_a_warning() {
    let harness = Harness::with(1).await;
    harness.sandbox.alter_schema(|sdl| without(sdl, "type Mutation", "dossierArchiver("));
    let told = doctor(&harness, &[]).await.expect(0).stdout;
    assert!(told.contains("warn  schema: all that a sync asks for is there; not all that `dn push` does"), "{told}");
    assert!(told.contains("dossierArchiver"), "{told}");
    harness.on_target("sync", &[]).await.expect(0);
}

/// The newest schema that was seen, which is not ours to publish: it lies beside the sources of whoever has it.
#[tokio::test(flavor = "multi_thread")]
async fn the_schema_of_a_branch_that_may_come_is_no_alarm() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/dn-2026-08-29-branch.graphql");
    let elsewhere = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/dn-2026-08-29-branch.graphql");
    let Some(sdl) = [path, elsewhere].iter().find_map(|path| std::fs::read_to_string(path).ok()) else {
        eprintln!("../shared/reference is not there: this checks nothing here");
        return;
    };
    let harness = Harness::with(2).await;
    harness.sandbox.alter_schema(|_| sdl);
    let told = doctor(&harness, &[]).await.expect(0).stdout;
    let line = told.lines().find(|line| line.contains("  schema: ")).expect("a line about the schema");
    assert!(line.starts_with("ok    schema: has all that this version asks for"), "{told}");
    harness.on_target("sync", &[]).await.expect(0);
    harness.on_target("verify", &[]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_token_is_asked_for_and_an_address_that_it_refuses_is_explained() {
    let harness = Harness::with(1).await;
    let told = doctor(&harness, &["--instance", "dn"]).await.expect(0).stdout;
    assert!(told.contains("token-expires = \"") && told.contains("under [instances.dn]"), "{told}");
    harness.write("dn.toml", "[instances.dn]\ntoken-expires = '2031-01-31'\n");
    let told = doctor(&harness, &["--config", "dn.toml"]).await.expect(0).stdout;
    assert!(!told.contains("token-expires = \""), "{told}");
    for platform in Platform::ALL {
        let harness = Harness::on(platform, 1).await;
        harness.sandbox.world().token_mut().forbidden_network = true;
        let told = doctor(&harness, &[]).await.expect(4).stdout;
        // The platform's own sentence names the address to allow.
        assert!(told.contains("Add 127.0.0.1/32 to your allowed adresses"), "{platform}: {told}");
        assert!(told.contains("belongs to the address of its first call"), "{platform}: {told}");
        let ended = harness.on_target("sync", &[]).await.expect(4).says("Add 127.0.0.1/32");
        assert!(ended.stderr.contains("belongs to the address of its first call"), "{platform}: {}", ended.stderr);
    }
}
