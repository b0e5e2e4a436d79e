//! `dn push`, `dn trail`, `dn dossier N ACTION`: the plan, the sending, the trail, the codes.

use std::time::Duration;

use demarche_numerique::sandbox::world::Demandeur;
use demarche_numerique::sandbox::{Fault, FaultPlan};
use sqlx::{Connection as _, SqliteConnection};

use super::desk::{DEMARCHE, Desk};

const AGENT: &str = "instructeur-1@example.org";

/// A new dossier of a person, whom nobody has to look up in a register.
fn submitted(desk: &Desk) -> u32 {
    let mut world = desk.sandbox.world();
    let number = world.submit(DEMARCHE).expect("the démarche exists");
    let (nom, prenom) = ("Exemple".to_owned(), "Ariane".to_owned());
    world.set_demandeur(number, Demandeur::PersonnePhysique { civilite: None, nom, prenom });
    number
}

fn done(desk: &Desk) -> Vec<String> {
    desk.sandbox.audit().into_iter().map(|entry| entry.mutation).collect()
}

/// Asks for something as another program would.
async fn insert(desk: &Desk, number: u32, action: &str, motivation: Option<&str>, message: Option<&str>) {
    let address = format!("sqlite:{}", desk.path("d.db").display());
    let mut connection = SqliteConnection::connect(&address).await.expect("the target");
    let insert = "INSERT INTO dn_status_updates (instance, demarche, number, action, motivation, message, author) \
                  SELECT instance, demarche, $1, $2, $3, $4, $5 FROM dn_forms";
    let query = sqlx::query(insert).bind(number).bind(action).bind(motivation).bind(message).bind(AGENT);
    query.execute(&mut connection).await.expect("it makes sense");
    connection.close().await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_application_decided_is_planned_sent_told_and_no_news() {
    let desk = Desk::with(0).await;
    let number = submitted(&desk);
    desk.on_target("sync", &[]).await.expect(0);
    insert(&desk, number, "accepter", Some("Complet"), None).await;
    let plan = desk.on_target("push", &[]).await.expect(0).stdout;
    assert!(plan.contains("passer en instruction, then") && plan.contains("accepter"), "{plan}");
    assert!(plan.contains("Nothing was sent."), "{plan}");
    assert_eq!(done(&desk), [""; 0]);

    let applied = desk.on_target("push", &["--apply"]).await.expect(0);
    assert!(applied.stdout.contains("1 done"), "{applied:?}");
    assert_eq!(done(&desk), ["dossierPasserEnInstruction", "dossierAccepter"]);
    let again = desk.on_target("push", &["--apply"]).await.expect(0).stdout;
    assert!(again.contains("Nothing waits"), "{again}");

    let trail = desk.on_target("trail", &["--json"]).await.expect(0).stdout;
    let lines: Vec<serde_json::Value> = trail.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let happenings: Vec<_> = lines.iter().map(|line| line["happening"].as_str().unwrap_or_default()).collect();
    assert_eq!(happenings, ["sending", "answered", "sending", "answered", "settled"]);
    assert!(!trail.contains("Complet"), "what people wrote is not in the trail: {trail}");
    let csv = desk.on_target("trail", &["--csv"]).await.expect(0).stdout;
    assert_eq!(csv.lines().count(), 6, "{csv}");
    desk.on_target("trail", &[]).await.expect(0);

    let sync = desk.on_target("sync", &["--json"]).await.expect(0).stdout;
    let report: serde_json::Value = serde_json::from_str(&sync).expect("JSON");
    assert_eq!((&report["updated"], &report["inserted"]), (&0.into(), &0.into()), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_pushed_as_often_as_one_likes() {
    let desk = Desk::with(0).await;
    let (one, two) = (submitted(&desk), submitted(&desk));
    let number = DEMARCHE.to_string();
    let push = async |more: &[&str]| {
        let args = [&["push", "--demarche", &number, "--from", "d.csv", "--as", AGENT], more].concat();
        desk.dn(&args).await
    };
    let write = |text: &str| std::fs::write(desk.path("d.csv"), text).expect("a writable folder");
    write(&format!("id;dossier;action;motivation\na;{one};refuser;Hors délai\n"));
    push(&[]).await.expect(0);
    assert!(!desk.path("d.csv.outbox.db").exists(), "a plan writes nothing");
    push(&["--apply"]).await.expect(0);
    assert!(push(&["--apply"]).await.expect(0).stdout.contains("Nothing waits"));
    assert!(push(&[]).await.expect(0).stdout.contains("Nothing waits"));
    write(&format!("id;dossier;action;motivation\na;{one};refuser;Hors délai\nb;{two};accepter;\n"));
    push(&["--apply"]).await.expect(0);
    let steps = ["dossierPasserEnInstruction", "dossierRefuser", "dossierPasserEnInstruction", "dossierAccepter"];
    assert_eq!(done(&desk), steps);
    // The same name for something else, and lines that make no sense.
    write(&format!("id;dossier;action;motivation\na;{two};refuser;Hors délai\n"));
    push(&["--apply"]).await.expect(2).says("`a`");
    write(&format!("id;dossier;action\nc;{two};exploser\nd;;refuser\n"));
    push(&[]).await.expect(2).says("line 2");
    assert_eq!(done(&desk), steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_dossier_by_hand() {
    let desk = Desk::with(0).await;
    let number = submitted(&desk).to_string();
    let refuse = ["dossier", &number, "refuser", "--motivation", "Hors délai", "--as", AGENT];
    let unasked = desk.dn(&refuse).await.expect(2);
    assert!(unasked.stdout.contains("then refuser") && unasked.stderr.contains("--yes"), "{unasked:?}");
    assert_eq!(done(&desk), [""; 0]);
    desk.dn(&[&refuse[..], &["--yes"]].concat()).await.expect(0);
    assert_eq!(done(&desk), ["dossierPasserEnInstruction", "dossierRefuser"]);
    let again = desk.dn(&[&refuse[..], &["--yes"]].concat()).await.expect(0).stdout;
    assert!(again.contains("already so"), "{again}");
    // A message in the same words is sent once, unless it is meant.
    let tell = ["dossier", &number, "message", "--message", "Bonjour", "--as", AGENT, "--yes"];
    for more in [&[][..], &[], &["--again"]] {
        desk.dn(&[&tell[..], more].concat()).await.expect(0);
    }
    assert_eq!(done(&desk)[2..], ["dossierEnvoyerMessage", "dossierEnvoyerMessage"]);
    desk.dn(&["dossier", &number, "refuser", "--as", AGENT, "--yes"]).await.expect(2).says("`motivation` is empty");
    desk.dn(&["dossier", "77", "archiver", "--as", AGENT, "--yes"]).await.expect(4).says("does not know dossier 77");
    let set = ["dossier", &number, "annotations", "--set", "Remarque=Vu", "--as", AGENT, "--yes", "--json"];
    let json = desk.dn(&set).await.expect(0).stdout;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).expect("JSON")["counts"]["done"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn code_12_what_needs_a_person_is_parked_and_decided_by_one() {
    let desk = Desk::with(0).await;
    let number = submitted(&desk);
    desk.on_target("sync", &[]).await.expect(0);
    insert(&desk, number, "archiver", None, None).await;
    let parked = desk.on_target("push", &["--apply", "--json"]).await.expect(12).stdout;
    let pushed: serde_json::Value = serde_json::from_str(&parked).expect("JSON");
    assert_eq!(pushed["items"][0]["reason"], "not_decided");
    let id = pushed["items"][0]["id"].as_str().expect("an id").to_owned();
    desk.on_target("push", &["--apply"]).await.expect(0);
    assert!(desk.on_target("status", &[]).await.expect(0).stdout.contains("1 refused"), "and it is not forgotten");
    desk.on_target("push", &["--retry", &id]).await.expect(0);
    desk.on_target("push", &["--apply"]).await.expect(12);
    desk.on_target("push", &["--done", &id]).await.expect(0);
    desk.on_target("push", &["--cancel", &id]).await.expect(2).says("done already");
    desk.on_target("push", &["--cancel", "nobody"]).await.expect(2).says("unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_only_read_sends_nothing_and_settles_nothing() {
    let desk = Desk::with(0).await;
    let number = submitted(&desk);
    desk.on_target("sync", &[]).await.expect(0);
    insert(&desk, number, "passer_en_instruction", None, None).await;
    desk.sandbox.world().tokens[0].write_access = false;
    desk.on_target("push", &["--apply"]).await.expect(4).says_at_last("may only read");
    desk.sandbox.world().tokens[0].write_access = true;
    desk.on_target("push", &["--apply"]).await.expect(0);
    assert_eq!(done(&desk), ["dossierPasserEnInstruction"]);
    let empty = desk.dn(&["push", "--demarche", "1", "--to", "sqlite:absent.db", "--apply"]).await.expect(4);
    empty.says("absent.db");
    assert!(!desk.path("absent.db").exists());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_is_killed_while_the_platform_answers_is_taken_over() {
    let desk = Desk::with(0).await;
    let number = submitted(&desk);
    desk.on_target("sync", &[]).await.expect(0);
    insert(&desk, number, "message", None, Some("Bonjour")).await;
    let forever = Fault::Slow(Duration::from_secs(3600));
    desk.sandbox.plan(FaultPlan::new(forever).operation("DossierEnvoyerMessage").times(1));
    let demarche = DEMARCHE.to_string();
    let mut command = desk.command(&["push", "--demarche", &demarche, "--to", "sqlite:d.db", "--apply"]);
    let mut child = command.spawn().expect("the binary starts");
    while done(&desk).is_empty() {
        assert!(child.try_wait().expect("its state").is_none(), "it ended by itself");
        tokio::task::yield_now().await;
    }
    child.kill().await.expect("it dies");
    let applied = desk.on_target("push", &["--apply"]).await.expect(0).stdout;
    assert!(applied.contains("1 done"), "{applied}");
    assert_eq!(done(&desk), ["dossierEnvoyerMessage"], "once");
}
