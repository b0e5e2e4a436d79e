//! Labels: every dossier that a program reads finds its champs by label.

use std::sync::Arc;

use demarche_numerique::api::{Client, Listing, ListingSource, PageSize, Since};
use demarche_numerique::champ::{ChampNotFound, ChampValue};
use demarche_numerique::dossier::Dossier;
use demarche_numerique::ids::{DemarcheNumber, GroupeInstructeurNumber};
use demarche_numerique::observe::Walk;
use demarche_numerique::sandbox::world::form::{Question, stable_id};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, Fault, FaultPlan, Kind, Sandbox, WorldSpec};
use demarche_numerique::{Platform, changed};
use futures_util::TryStreamExt as _;

use super::sandbox::open;

const COMPLETE: DemarcheNumber = DemarcheNumber::new(DEMARCHE_COMPLETE);
/// The question that the second revision renamed.
const PROJECT: &str = "Intitulé du projet";

fn world(dossiers: u32) -> WorldSpec {
    WorldSpec::default().only(&[DEMARCHE_COMPLETE]).dossiers(dossiers)
}

fn forms_read(sandbox: &Sandbox) -> usize {
    let of_form = |name: &String| name == "ReadDemarche";
    sandbox.requests().iter().filter(|request| request.operation.as_ref().is_some_and(of_form)).count()
}

async fn all(client: &Client) -> Vec<Dossier> {
    changed(client, COMPLETE, None).try_collect().await.expect("every dossier")
}

#[tokio::test]
async fn what_changed_finds_its_champs_by_label_for_one_more_request() {
    for platform in Platform::ALL {
        let spec = WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE]).dossiers(130);
        let (sandbox, _server, client) = open(&spec).await;
        let dossiers = all(&client).await;
        assert_eq!(dossiers.len(), sandbox.snapshot(DEMARCHE_COMPLETE).dossiers.len());
        let mut rows_seen = 0;
        for dossier in &dossiers {
            let champ =
                dossier.champ(PROJECT).unwrap_or_else(|error| panic!("{platform}, {}: {error}", dossier.number));
            assert!(matches!(champ.value, ChampValue::Text(_)), "{champ:?}");
            dossier.annotation("Avis du service").expect("an annotation");
            if let Ok(block) = dossier.champ("Intervenants")
                && let ChampValue::Repetition(rows) = &block.value
            {
                for row in rows {
                    assert!(row.champs.iter().all(|champ| champ.label.is_some()), "{row:?}");
                    rows_seen += 1;
                }
            }
        }
        assert!(rows_seen > 0, "{platform}: no row of a block was looked at");
        assert_eq!(forms_read(&sandbox), 1, "{platform}: the form is read once");
    }
}

#[tokio::test]
async fn a_question_published_during_the_walk_is_found_by_its_label() {
    let (sandbox, _server, client) = open(&world(130)).await;
    let (told, late) = std::sync::mpsc::channel();
    sandbox.on_request({
        let mut told = Some(told);
        move |request, world| {
            if request.operation.as_deref() == Some("ReadDemarche")
                && let Some(told) = told.take()
            {
                world.publish_revision(DEMARCHE_COMPLETE, |form| {
                    form.champs.push(Question::new(9001, Kind::Text, "Question de dernière minute"));
                });
                // It is the last to move, so the second page shows it.
                let late = world.submit(DEMARCHE_COMPLETE).expect("a dossier");
                world.edit(late, 9001, "réponse").unwrap_or_else(|refused| panic!("{refused:?}"));
                told.send(late).expect("the test waits for it");
            }
        }
    });
    let dossiers = all(&client).await;
    let number = late.recv().expect("a dossier was submitted");
    let late = dossiers.iter().rfind(|dossier| dossier.number.get() == number).expect("the dossier");
    let champ = late.champ("Question de dernière minute").expect("its label is known");
    assert_eq!(champ.value.as_text(), Some("réponse"));
    assert_eq!(forms_read(&sandbox), 2, "read again once, when the form had moved");
}

#[tokio::test]
async fn a_draft_renames_nothing_and_what_the_form_lost_is_not_asked_for_again_and_again() {
    let (sandbox, _server, client) = open(&world(130)).await;
    {
        let mut world = sandbox.world();
        let demarche = world.demarche_mut(DEMARCHE_COMPLETE).expect("the démarche");
        let draft = demarche.revisions.last_mut().expect("a draft");
        let form = Arc::make_mut(&mut draft.form);
        form.question_mut(stable_id::RENAMED).expect("the question").label = "Titre à venir".to_owned();
        form.champs.push(Question::new(9002, Kind::Text, "Question à venir"));
    }
    let dossiers = all(&client).await;
    for dossier in &dossiers {
        dossier.champ(PROJECT).expect("the published label");
    }
    assert_eq!(forms_read(&sandbox), 1);
    // A page whose dossiers name a question that no revision has: as after a change in place.
    sandbox.reset_log();
    let mut walk =
        Walk::new(&client, Listing::all(ListingSource::Demarche(COMPLETE), Since::Beginning), small()).with_labels();
    let mut pages = 0;
    let mut removed = false;
    while let Some(step) = walk.next().await.expect("a page") {
        pages += 1;
        assert!(step.dossiers.iter().all(|dossier| dossier.champ("Nombre de participants").is_ok()));
        if !removed {
            removed = true;
            let mut world = sandbox.world();
            let demarche = world.demarche_mut(DEMARCHE_COMPLETE).expect("the démarche");
            for revision in &mut demarche.revisions {
                let form = Arc::make_mut(&mut revision.form);
                form.champs.push(Question::new(9003, Kind::Text, "Ajoutée en place"));
            }
        }
    }
    assert!(pages > 5);
    assert_eq!(forms_read(&sandbox), 2, "once at the beginning, once for what was added in place");
}

fn small() -> PageSize {
    PageSize::new(10).expect("a page of ten")
}

#[tokio::test]
async fn a_form_that_cannot_be_read_costs_no_page() {
    let (sandbox, _server, client) = open(&world(12)).await;
    let whole = all(&client).await.len();
    let mut walk =
        Walk::new(&client, Listing::all(ListingSource::Demarche(COMPLETE), Since::Beginning), small()).with_labels();
    sandbox.plan(FaultPlan::new(Fault::Redirect).operation("ReadDemarche").times(1));
    walk.next().await.expect_err("the form cannot be read");
    let mut read = 0;
    while let Some(step) = walk.next().await.expect("a page") {
        read += step.dossiers.len();
        assert!(step.dossiers.iter().all(|dossier| dossier.champ(PROJECT).is_ok()));
    }
    assert_eq!(read, whole);
}

#[tokio::test]
async fn a_groupe_finds_its_form_by_its_first_dossier() {
    let (sandbox, _server, client) = open(&world(40)).await;
    let groupe = sandbox.world().demarche(DEMARCHE_COMPLETE).expect("the démarche").groupes[0].number;
    let source = ListingSource::Groupe(GroupeInstructeurNumber::new(groupe));
    let mut walk = Walk::new(&client, Listing::all(source, Since::Beginning), PageSize::MAX).with_labels();
    let step = walk.next().await.expect("a page").expect("dossiers");
    assert!(!step.dossiers.is_empty());
    assert!(step.dossiers.iter().all(|dossier| dossier.champ(PROJECT).is_ok()));
}

#[tokio::test]
async fn a_bare_page_says_what_it_lacks() {
    let (_sandbox, _server, client) = open(&world(3)).await;
    let listing = Listing::all(ListingSource::Demarche(COMPLETE), Since::Beginning);
    let page = client.dossiers_page(&listing, None, PageSize::MAX).await.expect("a page");
    let wanted = PROJECT.to_owned();
    assert_eq!(page.nodes[0].champ(PROJECT), Err(ChampNotFound::NoLabels { wanted }));
    let alone = client.dossier(page.nodes[0].number).await.expect("an answer").expect("a dossier");
    assert!(alone.champs.iter().all(|champ| champ.label.is_some()));
    let of = client.dossier_of(COMPLETE, alone.number).await.expect("an answer").expect("a dossier");
    assert!(of.champs.iter().all(|champ| champ.label.is_some()));
}
