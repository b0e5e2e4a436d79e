//! Checks `dn retention`, `dn register`, and retention by `dn run`.

use demarche_numerique::sandbox::world::State;
use serde_json::Value;

use super::harness::{DEMARCHE, Ended, Harness};

const ONE_DAY: &str =
    "[targets.local]\ntype = 'sqlite'\npath = 'd.db'\n[sync.retention]\nfinished = { purge = '1 day' }\n";

fn config(harness: &Harness, head: &str) {
    harness.write("dn.toml", &format!("[instances.dn]\n{head}[[demarches]]\nnumber = {DEMARCHE}\n"));
}

async fn dn(harness: &Harness, args: &[&str]) -> Ended {
    harness.dn(&[&["--config", "dn.toml"], args].concat()).await
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

/// Counts the decided dossiers of the platform.
fn decided(harness: &Harness) -> u64 {
    let dossiers = harness.sandbox.snapshot(DEMARCHE).dossiers;
    let decided = |state| matches!(state, State::Accepte | State::Refuse | State::SansSuite);
    dossiers.values().filter(|dossier| decided(dossier.state)).count() as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_term_everything_is_kept_for_ever() {
    let harness = Harness::with(10).await;
    harness.on_target("sync", &[]).await.expect(0);
    let told = harness.on_target("retention", &[]).await.expect(0).stdout;
    assert!(told.contains("kept for ever"), "{told}");
    let done = json(&harness.on_target("retention", &["--apply", "--json"]).await.expect(0));
    assert_eq!((&done["purged"], &done["anonymised"]), (&0.into(), &0.into()));
    harness.on_target("retention", &["--allow-deletes"]).await.expect(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_told_braked_purged_and_no_news_afterwards() {
    let harness = Harness::with(60).await;
    config(&harness, ONE_DAY);
    dn(&harness, &["retention"]).await.expect(4).says("there is no database yet");
    dn(&harness, &["sync"]).await.expect(0);
    let due = decided(&harness);
    assert!(due > 10, "the world decides enough for the brake: {due}");
    let told = dn(&harness, &["retention"]).await.expect(0).stdout;
    assert!(told.contains("finished") && told.contains("purge") && told.contains("1 day"), "{told}");
    let look = json(&dn(&harness, &["retention", "--json"]).await.expect(0));
    assert_eq!((&look["version"], &look["rules"][0]["due"]), (&1.into(), &due.into()), "{look}");
    assert_eq!(look["rules"][0]["dossiers"].as_array().map_or(0, Vec::len) as u64, due.min(20));

    let braked = dn(&harness, &["retention", "--apply"]).await.expect(11).stdout;
    assert!(braked.contains("nothing was done") && braked.contains("hint: "), "{braked}");
    assert_eq!(json(&dn(&harness, &["status", "--json"]).await.expect(0))["alive"], 60);

    let done = json(&dn(&harness, &["retention", "--apply", "--allow-deletes", "--json"]).await.expect(0));
    assert_eq!((&done["purged"], &done["outcome"]), (&due.into(), &"done".into()), "{done}");
    let again = json(&dn(&harness, &["retention", "--apply", "--json"]).await.expect(0));
    assert_eq!((&again["purged"], &again["rows_written"]), (&0.into(), &0.into()));
    for more in [&["sync", "--json"][..], &["sync", "--full", "--json"]] {
        let synced = json(&dn(&harness, more).await.expect(0));
        assert_eq!(
            (&synced["inserted"], &synced["restored"], &synced["rows_written"]),
            (&0.into(), &0.into(), &0.into())
        );
    }
    dn(&harness, &["verify"]).await.expect(0);
    dn(&harness, &["plan", "--exit-code"]).await.expect(0);
    let status = json(&dn(&harness, &["status", "--json"]).await.expect(0));
    assert_eq!((&status["alive"], &status["gone"]), (&(60 - due).into(), &due.into()));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_program_does_it_by_itself_once_a_day_unless_it_is_told_not_to() {
    use super::workers::Worker;

    let harness = Harness::with(20).await;
    let due = decided(&harness);
    for (switch, purges) in [("false", false), ("true", true)] {
        let head = format!(
            "{ONE_DAY}on-schedule = {switch}\n[sync]\nmax-delete-share = 1.0\n[run]\nschedule = '1s'\njitter = '0s'\n"
        );
        config(&harness, &head);
        let mut worker = Worker::start(&harness, &["--config", "dn.toml", "run"], &[]);
        if purges {
            let line = worker.says(&format!("retention of démarche {DEMARCHE} ends")).await;
            assert!(line.contains(&format!("0 anonymised, {due} purged")), "{line}");
        }
        for _ in 0..2 {
            worker.says(&format!("run of démarche {DEMARCHE} ends: done")).await;
        }
        let ended = worker.stop().await;
        let told = ended.lines.iter().filter(|line| line.contains("retention of démarche")).count();
        assert_eq!(told, usize::from(purges), "{:?}", ended.lines);
    }
    dn(&harness, &["verify"]).await.expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_that_make_no_sense_are_refused_with_their_place() {
    let harness = Harness::with(1).await;
    for (terms, words) in [
        ("finished = { purge = '12 hours' }", "`12 hours` is not a term"),
        ("finished = { anonymise = '5 years', purge = '2 years' }", "would be purged before it is anonymised"),
        ("finished = { purge-after = '2 years' }", "unknown key"),
        ("done = { purge = '2 years' }", "unknown key"),
        ("deleted = '90 days'", "a table is expected"),
    ] {
        config(&harness, &format!("[targets.local]\ntype = 'sqlite'\npath = 'd.db'\n[sync.retention]\n{terms}\n"));
        dn(&harness, &["config", "check"]).await.expect(3).says(words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_register_tells_what_is_kept_where_and_reads_no_dossier() {
    let harness = Harness::with(3).await;
    let policy =
        "[privacy.service]\npreset = 'default'\n[privacy.service.kinds]\ntext = 'mask'\nmessages = 'exclude'\n";
    let terms = "deleted = { purge = '90 days' }\n";
    harness.write(
        "dn.toml",
        &format!("[instances.dn]\n{policy}{ONE_DAY}{terms}[[demarches]]\nnumber = {DEMARCHE}\nprivacy = 'service'\n"),
    );
    dn(&harness, &["sync"]).await.expect(0);
    let register = dn(&harness, &["register"]).await.expect(0).stdout;
    let wanted = ["# ", "- ", "## Dossiers", "| Donnée", "| État |", "| Type de demandeur"];
    let questions: Vec<String> = (1..=6).map(|number| format!("| Question {number} |")).collect();
    let wanted: Vec<&str> = wanted.into_iter().chain(questions.iter().map(String::as_str)).collect();
    let dossiers = register.lines().take_while(|line| !line.starts_with("## Pièces"));
    let shown: Vec<&str> = dossiers.filter(|line| wanted.iter().any(|start| line.starts_with(start))).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    # Démarche 1003 : Démarche de démonstration 1003
    - Plateforme : dn
    - Destination : sqlite:d.db
    - Dossiers gardés : tous
    - Dossiers supprimés sur la plateforme : effacés après 90 jours
    - Dossiers traités : effacés après 1 jour
    - Historique des exécutions : sans limite
    ## Dossiers (`demarche_1003_dossiers`)
    | Donnée | Colonne | Origine | Type de champ | Traitement | Après anonymisation |
    | État | `state` | plateforme |  | conservée | conservée |
    | Type de demandeur | `demandeur_type` | plateforme |  | conservée | conservée |
    | Question 1 | `question_1` | réponse de l’usager | text | masquée | effacée |
    | Question 2 | `question_2` | réponse de l’usager | integer_number | conservée | conservée |
    | Question 3 | `question_3` | réponse de l’usager | decimal_number | conservée | conservée |
    | Question 4 | `question_4` | réponse de l’usager | date | conservée | effacée |
    | Question 5 | `question_5` | réponse de l’usager | yes_no | conservée | conservée |
    | Question 6 | `question_6` | réponse de l’usager | drop_down_list | conservée | conservée |
    ");
    let messages = register.lines().skip_while(|line| !line.starts_with("## Messages"));
    let messages: Vec<&str> = messages.skip(1).take_while(|line| !line.starts_with("## ")).collect();
    assert!(messages.iter().any(|line| line.contains("| non conservée | effacée |")), "{messages:?}");
    assert!(!register.contains("example.org"), "no dossier was read: {register}");
    let object = json(&dn(&harness, &["register", "--json"]).await.expect(0));
    assert_eq!((&object["version"], &object["demarche"]), (&1.into(), &DEMARCHE.into()));
    assert_eq!(object["retention"]["deleted"]["purge"], "90 days");
    let columns = object["tables"][0]["columns"].as_array().expect("columns");
    let state = columns.iter().find(|column| column["name"] == "state").expect("the state");
    assert_eq!(
        (&state["policy"], &state["counted"], &state["source"]),
        (&"include".into(), &true.into(), &"platform".into())
    );
}
