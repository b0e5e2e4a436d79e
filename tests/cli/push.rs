//! Checks `dn push`, `dn trail` and `dn dossier N ACTION`: plan, sending, trail, exit codes.

use std::time::Duration;

use demarche_numerique::sandbox::world::{Demandeur, Effect, Poison};
use demarche_numerique::sandbox::{Fault, FaultPlan};
use sqlx::{Connection as _, SqliteConnection};

use super::harness::{DEMARCHE, Harness};

const AGENT: &str = "instructeur-1@example.org";

/// A new dossier of a person, whom nobody has to look up in a register.
fn submitted(harness: &Harness) -> u32 {
    let mut world = harness.sandbox.world();
    let number = world.submit(DEMARCHE).expect("the démarche exists");
    let (nom, prenom) = ("Exemple".to_owned(), "Ariane".to_owned());
    world.set_demandeur(number, Demandeur::PersonnePhysique { civilite: None, nom, prenom });
    number
}

fn done(harness: &Harness) -> Vec<String> {
    harness.sandbox.audit().into_iter().map(|entry| entry.mutation).collect()
}

/// Asks for something as another program would.
async fn insert(harness: &Harness, number: u32, action: &str, motivation: Option<&str>, message: Option<&str>) {
    let address = format!("sqlite:{}", harness.path("d.db").display());
    let mut connection = SqliteConnection::connect(&address).await.expect("the target");
    let insert = "INSERT INTO dn_status_updates (instance, demarche, number, action, motivation, message, author) \
                  SELECT instance, demarche, $1, $2, $3, $4, $5 FROM dn_forms";
    let query = sqlx::query(insert).bind(number).bind(action).bind(motivation).bind(message).bind(AGENT);
    query.execute(&mut connection).await.expect("it makes sense");
    connection.close().await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_application_decided_is_planned_sent_told_and_no_news() {
    let harness = Harness::with(0).await;
    let number = submitted(&harness);
    harness.on_target("sync", &[]).await.expect(0);
    insert(&harness, number, "accepter", Some("Complet"), None).await;
    let plan = harness.on_target("push", &[]).await.expect(0).stdout;
    assert!(plan.contains("passer en instruction, then") && plan.contains("accepter"), "{plan}");
    assert!(plan.contains("Nothing was sent."), "{plan}");
    assert_eq!(done(&harness), [""; 0]);

    let applied = harness.on_target("push", &["--apply"]).await.expect(0);
    assert!(applied.stdout.contains("1 done"), "{applied:?}");
    assert_eq!(done(&harness), ["dossierPasserEnInstruction", "dossierAccepter"]);
    let again = harness.on_target("push", &["--apply"]).await.expect(0).stdout;
    assert!(again.contains("Nothing waits"), "{again}");

    let trail = harness.on_target("trail", &["--json"]).await.expect(0).stdout;
    let lines: Vec<serde_json::Value> = trail.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let happenings: Vec<_> = lines.iter().map(|line| line["happening"].as_str().unwrap_or_default()).collect();
    assert_eq!(happenings, ["sending", "answered", "sending", "answered", "settled"]);
    assert!(!trail.contains("Complet"), "what people wrote is not in the trail: {trail}");
    let csv = harness.on_target("trail", &["--csv"]).await.expect(0).stdout;
    assert_eq!(csv.lines().count(), 6, "{csv}");
    harness.on_target("trail", &[]).await.expect(0);

    let sync = harness.on_target("sync", &["--json"]).await.expect(0).stdout;
    let report: serde_json::Value = serde_json::from_str(&sync).expect("JSON");
    assert_eq!((&report["updated"], &report["inserted"]), (&0.into(), &0.into()), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_pushed_as_often_as_one_likes() {
    let harness = Harness::with(0).await;
    let (one, two) = (submitted(&harness), submitted(&harness));
    let number = DEMARCHE.to_string();
    let push = async |more: &[&str]| {
        let args = [&["push", "--demarche", &number, "--from", "d.csv", "--as", AGENT], more].concat();
        harness.dn(&args).await
    };
    let write = |text: &str| std::fs::write(harness.path("d.csv"), text).expect("a writable folder");
    write(&format!("id;dossier;action;motivation\na;{one};refuser;Hors délai\n"));
    push(&[]).await.expect(0);
    assert!(!harness.path("d.csv.outbox.db").exists(), "a plan writes nothing");
    push(&["--apply"]).await.expect(0);
    assert!(push(&["--apply"]).await.expect(0).stdout.contains("Nothing waits"));
    assert!(push(&[]).await.expect(0).stdout.contains("Nothing waits"));
    write(&format!("id;dossier;action;motivation\na;{one};refuser;Hors délai\nb;{two};accepter;\n"));
    push(&["--apply"]).await.expect(0);
    let steps = ["dossierPasserEnInstruction", "dossierRefuser", "dossierPasserEnInstruction", "dossierAccepter"];
    assert_eq!(done(&harness), steps);
    // The same name for something else, and lines that make no sense.
    write(&format!("id;dossier;action;motivation\na;{two};refuser;Hors délai\n"));
    push(&["--apply"]).await.expect(2).says("`a`");
    write(&format!("id;dossier;action\nc;{two};exploser\nd;;refuser\n"));
    push(&[]).await.expect(2).says("line 2");
    assert_eq!(done(&harness), steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_dossier_by_hand() {
    let harness = Harness::with(0).await;
    let number = submitted(&harness).to_string();
    let refuse = ["dossier", &number, "refuser", "--motivation", "Hors délai", "--as", AGENT];
    let unasked = harness.dn(&refuse).await.expect(2);
    assert!(unasked.stdout.contains("then refuser") && unasked.stderr.contains("--yes"), "{unasked:?}");
    assert_eq!(done(&harness), [""; 0]);
    harness.dn(&[&refuse[..], &["--yes"]].concat()).await.expect(0);
    assert_eq!(done(&harness), ["dossierPasserEnInstruction", "dossierRefuser"]);
    let again = harness.dn(&[&refuse[..], &["--yes"]].concat()).await.expect(0).stdout;
    assert!(again.contains("already so"), "{again}");
    // A message in the same words is sent once, unless it is meant.
    let tell = ["dossier", &number, "message", "--message", "Bonjour", "--as", AGENT, "--yes"];
    for more in [&[][..], &[], &["--again"]] {
        harness.dn(&[&tell[..], more].concat()).await.expect(0);
    }
    assert_eq!(done(&harness)[2..], ["dossierEnvoyerMessage", "dossierEnvoyerMessage"]);
    harness.dn(&["dossier", &number, "refuser", "--as", AGENT, "--yes"]).await.expect(2).says("`motivation` is empty");
    let twice =
        ["dossier", &number, "annotations", "--set", "Remarque=a", "--set", "Remarque=b", "--as", AGENT, "--yes"];
    harness.dn(&twice).await.expect(2).says("`Remarque` twice");
    let beside = ["dossier", &number, "archiver", "--motivation", "Fini", "--as", AGENT, "--yes"];
    harness.dn(&beside).await.expect(2).says("`motivation` does not go with `archiver`");
    harness.dn(&["dossier", "77", "archiver", "--as", AGENT, "--yes"]).await.expect(4).says("does not know dossier 77");
    let set = ["dossier", &number, "annotations", "--set", "Remarque=Vu", "--as", AGENT, "--yes", "--json"];
    let json = harness.dn(&set).await.expect(0).stdout;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).expect("JSON")["counts"]["done"], 1);
}

/// The case of the field: a quotation mark that is never closed, then the decisions of two other people.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_a_lost_quotation_mark_sends_nothing_to_anybody() {
    let harness = Harness::with(0).await;
    let (one, two, three) = (submitted(&harness), submitted(&harness), submitted(&harness));
    let number = DEMARCHE.to_string();
    let push = ["push", "--demarche", &number, "--from", "d.csv", "--as", AGENT, "--apply"];
    let header = "id;dossier;action;motivation\n";
    harness.write("d.csv", &format!("{header}q1;{one};classer_sans_suite;\"Dossier en double\nq2;{two};refuser;Hors délai\nq3;{three};accepter;\n"));
    let refused = harness.dn(&push).await.expect(2).says("line 2");
    assert!(!refused.stderr.contains("double"), "{refused:?}");
    assert!(!harness.path("d.csv.outbox.db").exists(), "nothing was taken");
    assert_eq!(done(&harness), [""; 0]);
    // As French Excel writes it: Windows-1252, `sep=;`, lines of nothing at the end.
    let text = format!(
        "sep=;\r\n{}q1;{one};classer_sans_suite;\"Reçu à l'été,\nen double\"\r\n;;;\r\n;;;\r\n",
        header.replace('\n', "\r\n")
    );
    let ansi: Vec<u8> = text.chars().map(|letter| u8::try_from(u32::from(letter)).expect("Latin")).collect();
    std::fs::write(harness.path("d.csv"), ansi).expect("a writable folder");
    harness.dn(&push).await.expect(0);
    let motivations: Vec<Option<String>> = harness
        .sandbox
        .audit()
        .into_iter()
        .filter_map(|entry| match entry.effect {
            Effect::State { motivation, .. } => Some(motivation),
            _ => None,
        })
        .collect();
    assert_eq!(motivations.last(), Some(&Some("Reçu à l'été,\nen double".to_owned())));
    harness.write("d.json", "[{\"dossier\": 1, \"action\": \"archiver\",\n\"dossier\": 2}]");
    harness.dn(&["push", "--demarche", &number, "--from", "d.json"]).await.expect(2).says("line 2: the key `dossier`");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_of_a_file_is_what_its_push_does() {
    let harness = Harness::with(0).await;
    let (one, two) = (submitted(&harness), submitted(&harness));
    let number = DEMARCHE.to_string();
    let push = async |more: &[&str]| {
        harness.dn(&[&["push", "--demarche", &number, "--from", "d.csv", "--as", AGENT], more].concat()).await
    };
    harness.sandbox.world().poison.insert(one, Poison::Crash);
    harness.write("d.csv", &format!("id;dossier;action;motivation\na;{one};refuser;Hors délai\n"));
    let failed = push(&["--apply"]).await.expect(6);
    assert!(failed.stdout.contains("Not sent yet: 1"), "{failed:?}");
    harness.sandbox.world().poison.clear();
    // The line left the file; what waits beside it is sent all the same, and the plan says so.
    harness.write("d.csv", &format!("id;dossier;action;motivation;requires\nb;{two};refuser;Hors délai;a\n"));
    let plan = push(&[]).await.expect(0).stdout;
    assert!(plan.contains(&one.to_string()) && plan.contains(&two.to_string()), "{plan}");
    push(&["--apply"]).await.expect(0);
    let again = push(&[]).await.expect(0).stdout;
    assert!(again.contains("Nothing waits"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_12_by_hand_for_what_the_plan_already_refuses() {
    let harness = Harness::with(0).await;
    let number = submitted(&harness).to_string();
    let archive = ["dossier", &number, "archiver", "--as", AGENT];
    for more in [&["--yes"][..], &[], &["--yes", "--json"]] {
        let refused = harness.dn(&[&archive[..], more].concat()).await.expect(12);
        assert!(refused.stdout.contains("refused"), "{refused:?}");
        assert!(!refused.stdout.contains("dn push"), "nothing of it is in an outbox: {refused:?}");
    }
    let refuse = ["dossier", &number, "refuser", "--motivation", "Hors délai", "--as", AGENT, "--yes"];
    harness.dn(&refuse).await.expect(0);
    let conflict = ["dossier", &number, "accepter", "--as", AGENT, "--yes"];
    let conflict = harness.dn(&conflict).await.expect(12);
    assert!(conflict.stdout.contains("in conflict"), "{conflict:?}");
    assert_eq!(done(&harness), ["dossierPasserEnInstruction", "dossierRefuser"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_12_intents_that_nothing_will_ever_send_are_told() {
    let harness = Harness::with(0).await;
    let number = submitted(&harness);
    harness.on_target("sync", &[]).await.expect(0);
    insert(&harness, number, "archiver", None, None).await;
    let address = format!("sqlite:{}", harness.path("d.db").display());
    let mut connection = SqliteConnection::connect(&address).await.expect("the target");
    let insert = "INSERT INTO dn_status_updates (instance, demarche, number, action) VALUES ($1, $2, $3, 'archiver')";
    for (instance, demarche) in [("autre", DEMARCHE), ("localhost", 77), ("localhost", 77)] {
        let query = sqlx::query(insert).bind(instance).bind(demarche).bind(number);
        query.execute(&mut connection).await.expect("it makes sense");
    }
    connection.close().await.expect("it closes");
    for more in [&[][..], &["--apply"], &["--apply"]] {
        let told = harness.on_target("push", more).await.expect(12);
        assert!(
            told.stderr.contains(&format!("1 pending intent for démarche {DEMARCHE} of instance `autre`")),
            "{told:?}"
        );
        assert!(told.stderr.contains("2 pending intents for démarche 77"), "{told:?}");
    }
    let json = harness.on_target("push", &["--json"]).await.expect(12).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["unserved"].as_array().map(Vec::len), Some(2), "{json}");
    let status = harness.on_target("status", &[]).await.expect(0).stdout;
    assert!(status.contains("2 pending intents for démarche 77"), "{status}");
    let trail = harness.on_target("trail", &[]).await.expect(0);
    assert!(trail.stderr.contains("2 pending intents for démarche 77"), "{trail:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn code_12_what_needs_a_person_is_parked_and_decided_by_one() {
    let harness = Harness::with(0).await;
    let number = submitted(&harness);
    harness.on_target("sync", &[]).await.expect(0);
    insert(&harness, number, "archiver", None, None).await;
    let parked = harness.on_target("push", &["--apply", "--json"]).await.expect(12).stdout;
    let pushed: serde_json::Value = serde_json::from_str(&parked).expect("JSON");
    assert_eq!(pushed["items"][0]["reason"], "not_decided");
    let id = pushed["items"][0]["id"].as_str().expect("an id").to_owned();
    harness.on_target("push", &["--apply"]).await.expect(0);
    assert!(harness.on_target("status", &[]).await.expect(0).stdout.contains("1 refused"), "and it is not forgotten");
    harness.on_target("push", &["--retry", &id]).await.expect(0);
    harness.on_target("push", &["--apply"]).await.expect(12);
    harness.on_target("push", &["--done", &id]).await.expect(0);
    harness.on_target("push", &["--cancel", &id]).await.expect(2).says("done already");
    harness.on_target("push", &["--cancel", "nobody"]).await.expect(2).says("unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_only_read_sends_nothing_and_settles_nothing() {
    let harness = Harness::with(0).await;
    let number = submitted(&harness);
    harness.on_target("sync", &[]).await.expect(0);
    insert(&harness, number, "passer_en_instruction", None, None).await;
    harness.sandbox.world().tokens[0].write_access = false;
    harness.on_target("push", &["--apply"]).await.expect(4).says_at_last("may only read");
    harness.sandbox.world().tokens[0].write_access = true;
    harness.on_target("push", &["--apply"]).await.expect(0);
    assert_eq!(done(&harness), ["dossierPasserEnInstruction"]);
    let empty = harness.dn(&["push", "--demarche", "1", "--to", "sqlite:absent.db", "--apply"]).await.expect(4);
    empty.says("absent.db");
    assert!(!harness.path("absent.db").exists());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_killed_while_the_platform_answers_is_taken_over() {
    let harness = Harness::with(0).await;
    let number = submitted(&harness);
    harness.on_target("sync", &[]).await.expect(0);
    insert(&harness, number, "message", None, Some("Bonjour")).await;
    let forever = Fault::Slow(Duration::from_secs(3600));
    harness.sandbox.plan(FaultPlan::new(forever).operation("DossierEnvoyerMessage").times(1));
    let demarche = DEMARCHE.to_string();
    let mut command = harness.command(&["push", "--demarche", &demarche, "--to", "sqlite:d.db", "--apply"]);
    let mut child = command.spawn().expect("the binary starts");
    while done(&harness).is_empty() {
        assert!(child.try_wait().expect("its state").is_none(), "it ended by itself");
        tokio::task::yield_now().await;
    }
    child.kill().await.expect("it dies");
    let applied = harness.on_target("push", &["--apply"]).await.expect(0).stdout;
    assert!(applied.contains("1 done"), "{applied}");
    assert_eq!(done(&harness), ["dossierEnvoyerMessage"], "once");
}
