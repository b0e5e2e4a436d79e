use jiff::SignedDuration;

use super::*;
use crate::world::{Reason, State};
use crate::{DemarcheSpec, FormSpec};

fn in_state(sandbox: &Sandbox, state: State) -> u32 {
    let dossiers = sandbox.snapshot(DEMARCHE_COMPLETE).dossiers;
    dossiers.values().find(|dossier| dossier.state == state).expect("the world has every state").number
}

fn tombstones(sandbox: &Sandbox, listing: &str, arguments: &str) -> Vec<(u32, String, String)> {
    let query = format!(
        "{{ demarche(number: 1001) {{ {listing}{arguments} {{ nodes {{ number reason dateSupression }} }} }} }}"
    );
    let answer = data(sandbox, &query, &json!({}));
    let nodes = answer["demarche"][listing]["nodes"].as_array().expect("nodes").clone();
    let text = |node: &Json, key: &str| node[key].as_str().expect("a text").to_owned();
    nodes.iter().map(|node| (numbers(&json!([node]))[0], text(node, "reason"), text(node, "dateSupression"))).collect()
}

#[test]
fn a_usager_deletes_an_open_dossier_which_is_pending_then_gone_with_the_date_of_each_platform() {
    for (platform, days) in [(Platform::DemarcheNumerique, 14), (Platform::DematSocial, 7)] {
        let (sandbox, _) = small(platform);
        let number = in_state(&sandbox, State::EnConstruction);
        sandbox.world().delete_by_user(number).expect("it is open");
        let asked = sandbox.now();
        assert!(sandbox.dossier(number).is_none());
        assert_eq!(tombstones(&sandbox, "pendingDeletedDossiers", "")[0].0, number);
        sandbox.advance(SignedDuration::from_hours(24 * days - 1));
        assert!(sandbox.snapshot(DEMARCHE_COMPLETE).pending.contains_key(&number), "{platform}: still pending");
        sandbox.advance(SignedDuration::from_hours(2));
        let snapshot = sandbox.snapshot(DEMARCHE_COMPLETE);
        assert!(!snapshot.pending.contains_key(&number));
        let expected = if platform == Platform::DemarcheNumerique { asked } else { sandbox.now() };
        assert_eq!(snapshot.deleted[&number].at, expected, "{platform}");
        let since = format!("(deletedSince: \"{}\")", sandbox.now() - SignedDuration::from_hours(24));
        let recent = tombstones(&sandbox, "deletedDossiers", &since);
        assert_eq!(recent.is_empty(), platform == Platform::DemarcheNumerique, "{platform}: {recent:?}");
    }
}

#[test]
fn a_decided_dossier_deleted_by_its_usager_stays_listed() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let number = in_state(&sandbox, State::Accepte);
    sandbox.world().delete_by_user(number).expect("it is decided");
    assert!(sandbox.dossier(number).is_some());
    sandbox.world().delete_by_administration(number).expect("it is decided");
    assert!(sandbox.dossier(number).is_none());
    assert_eq!(sandbox.snapshot(DEMARCHE_COMPLETE).pending[&number].reason, Some(Reason::InstructeurRequest));
    sandbox.advance(SignedDuration::from_hours(24 * 15));
    assert!(sandbox.snapshot(DEMARCHE_COMPLETE).deleted.contains_key(&number));
}

#[test]
fn an_expired_dossier_is_in_limbo_on_one_platform_and_destroyed_on_the_other() {
    let (dn, _) = small(Platform::DemarcheNumerique);
    let number = in_state(&dn, State::EnConstruction);
    dn.world().expire(number).expect("it is open");
    let now = dn.snapshot(DEMARCHE_COMPLETE);
    assert!(
        ![now.dossiers.contains_key(&number), now.pending.contains_key(&number), now.deleted.contains_key(&number)]
            .contains(&true)
    );
    dn.advance(SignedDuration::from_hours(24 * 14));
    assert_eq!(dn.snapshot(DEMARCHE_COMPLETE).deleted[&number].reason, Some(Reason::Expired));
    let (ds, _) = small(Platform::DematSocial);
    let number = in_state(&ds, State::EnConstruction);
    ds.world().expire(number).expect("it is open");
    assert_eq!(ds.snapshot(DEMARCHE_COMPLETE).deleted[&number].reason, Some(Reason::Expired));
}

#[test]
fn a_restored_dossier_comes_back_dated_now_at_its_old_place() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    let order = page(&sandbox, "first: 100").0;
    let number = in_state(&sandbox, State::EnConstruction);
    sandbox.world().delete_by_user(number).expect("it is open");
    sandbox.world().restore(number).expect("it is hidden");
    assert_eq!(page(&sandbox, "first: 100").0, order);
    assert_eq!(page(&sandbox, &format!("updatedSince: \"{}\"", sandbox.now())).0, [number]);
    assert_eq!(sandbox.snapshot(DEMARCHE_COMPLETE).dossiers.len(), numbers.len());
    assert_eq!(tombstones(&sandbox, "pendingDeletedDossiers", ""), []);
}

#[test]
fn an_account_goes_with_its_open_dossiers_and_leaves_the_others() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    for number in &numbers {
        sandbox.world().transfer(*number, "partant@example.org");
    }
    let before = sandbox.snapshot(DEMARCHE_COMPLETE);
    sandbox.world().delete_account("partant@example.org");
    let after = sandbox.snapshot(DEMARCHE_COMPLETE);
    for (number, dossier) in &before.dossiers {
        let open = dossier.state == State::EnConstruction;
        assert_eq!(after.dossiers.contains_key(number), !open, "{number}");
        assert_eq!(after.deleted.get(number).map(|gone| gone.reason), open.then_some(Some(Reason::UserRemoved)));
    }
    let kept = in_state(&sandbox, State::EnInstruction);
    let query = "query($n: Int!) { dossier(number: $n) { connectionUsager usager { id } } }";
    let answer = data(&sandbox, query, &json!({ "n": kept }));
    assert_eq!(answer["dossier"], json!({"connectionUsager": "deleted", "usager": {"id": "<deleted>"}}));
}

#[test]
fn a_draft_demarche_leaves_no_tombstone() {
    let mut demarche = DemarcheSpec::new(1001, FormSpec::Complete, 4);
    demarche.brouillon = true;
    let sandbox = Sandbox::new(&WorldSpec { demarches: vec![demarche], ..WorldSpec::default() });
    let number = in_state(&sandbox, State::EnConstruction);
    sandbox.world().delete_by_user(number).expect("it is open");
    sandbox.advance(SignedDuration::from_hours(24 * 30));
    let snapshot = sandbox.snapshot(DEMARCHE_COMPLETE);
    assert!(snapshot.pending.is_empty() && snapshot.deleted.is_empty());
}

#[test]
fn pending_and_deleted_ids_come_from_two_numberings() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let ids = |listing: &str| {
        let query = format!("{{ demarche(number: 1001) {{ {listing} {{ nodes {{ id }} }} }} }}");
        let answer = data(&sandbox, &query, &json!({}));
        let id = answer["demarche"][listing]["nodes"][0]["id"].as_str().expect("an id").to_owned();
        String::from_utf8(base64::Engine::decode(&base64::engine::general_purpose::STANDARD, id).expect("base64"))
            .expect("text")
    };
    let number = in_state(&sandbox, State::EnConstruction);
    sandbox.world().delete_by_user(number).expect("it is open");
    assert_eq!(ids("pendingDeletedDossiers"), format!("DeletedDossier-{number}"));
    assert!(ids("deletedDossiers").starts_with("DeletedDossier-") && ids("deletedDossiers").len() < 18);
}

#[test]
fn a_pending_row_without_a_date_is_a_null_node_and_crashes_cursors() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let number = in_state(&sandbox, State::EnConstruction);
    sandbox.world().hide_without_reason(number).expect("it exists");
    let query = "{ demarche(number: 1001) { pendingDeletedDossiers { nodes { number reason } } } }";
    let answer = sandbox.graphql(query, &json!({}));
    assert_eq!(answer["data"]["demarche"]["pendingDeletedDossiers"]["nodes"], json!([null]));
    let query = "{ demarche(number: 1001) { pendingDeletedDossiers { pageInfo { endCursor } } } }";
    assert_eq!(raw(&sandbox, Some(&sandbox.token()), &json!({ "query": query })).0, 500);
}
