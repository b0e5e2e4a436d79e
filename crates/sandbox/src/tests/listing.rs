use jiff::SignedDuration;

use super::*;
use crate::{DEMARCHE_LARGE, DemarcheSpec, FormSpec, World};

#[test]
fn the_order_is_the_date_of_change_with_updated_since_and_the_deposit_without() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    let truth = sandbox.snapshot(DEMARCHE_COMPLETE).dossiers;
    let mut by_update = numbers.clone();
    by_update.sort_by_key(|number| (truth[number].updated_at, *number));
    let mut by_deposit = numbers;
    by_deposit.sort_by_key(|number| (truth[number].depose_at, *number));
    assert_ne!(by_update, by_deposit, "the seed tells the two orders apart");
    assert_eq!(page(&sandbox, "updatedSince: \"2000-01-01T00:00:00Z\"").0, by_update);
    assert_eq!(page(&sandbox, "first: 100").0, by_deposit);
}

#[test]
fn nothing_is_dated_later_than_now() {
    let demarches = vec![DemarcheSpec::new(DEMARCHE_LARGE, FormSpec::Simple { champs: 1 }, 10_000)];
    let spec = WorldSpec { demarches, ..WorldSpec::new(Platform::DemarcheNumerique) };
    let latest = Sandbox::new(&spec).snapshot(DEMARCHE_LARGE).dossiers.values().map(|truth| truth.updated_at).max();
    assert_eq!(latest, Some(spec.start), "with so many, some moved a moment ago");
}

#[test]
fn a_walk_by_cursor_sees_every_dossier_once_and_a_changed_one_again() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    let first = page(&sandbox, "first: 3, updatedSince: \"2000-01-01T00:00:00Z\"");
    let moved = first.0[1];
    sandbox.world().touch(moved);
    let mut seen = first.0.clone();
    let mut info = first.1;
    while info["hasNextPage"] == true {
        let after = info["endCursor"].as_str().expect("a full page has a cursor").to_owned();
        let (more, next) =
            page(&sandbox, &format!("first: 3, after: \"{after}\", updatedSince: \"2000-01-01T00:00:00Z\""));
        seen.extend(more);
        info = next;
    }
    assert_eq!(seen.iter().filter(|number| **number == moved).count(), 2);
    assert_eq!(seen.last(), Some(&moved), "it moved to the end");
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, numbers);
}

#[test]
fn updated_since_is_inclusive_and_finer_than_what_is_shown() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    sandbox.world().touch(numbers[0]);
    let at = sandbox.now();
    assert_eq!(page(&sandbox, &format!("updatedSince: \"{at}\"")).0, [numbers[0]]);
    let later = at + SignedDuration::from_micros(1);
    let (rows, info) = page(&sandbox, &format!("updatedSince: \"{later}\""));
    assert_eq!((rows, &info["endCursor"]), (vec![], &Json::Null));
    let query = "query($n: Int!) { dossier(number: $n) { dateDerniereModification } }";
    let shown = data(&sandbox, query, &json!({"n": numbers[0]}));
    let shown = shown["dossier"]["dateDerniereModification"].as_str().expect("a date").to_owned();
    assert!(shown.ends_with("+01:00") && !shown.contains('.'), "{shown}");
}

#[test]
fn a_late_commit_appears_behind_a_reader_who_already_passed() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    let late = sandbox.world().begin({
        let number = numbers[0];
        move |world: &mut World| world.edit(number, 102, "tardif").expect("the question exists")
    });
    sandbox.world().touch(numbers[1]);
    let (_, info) = page(&sandbox, "updatedSince: \"2000-01-01T00:00:00Z\"");
    let cursor = info["endCursor"].as_str().expect("a cursor").to_owned();
    let before = sandbox.dossier(numbers[0]).expect("visible").updated_at;
    sandbox.world().commit(late);
    assert!(sandbox.dossier(numbers[0]).expect("visible").updated_at > before, "it is dated");
    let (missed, _) = page(&sandbox, &format!("updatedSince: \"2000-01-01T00:00:00Z\", after: \"{cursor}\""));
    assert!(missed.is_empty(), "a reader who trusts its cursor never sees it");
    let (rows, _) = page(&sandbox, "updatedSince: \"2000-01-01T00:00:00Z\"");
    assert_eq!(rows[rows.len() - 2], numbers[0], "dated before what was committed first");
}

#[test]
fn first_zero_says_that_more_follows_and_gives_no_cursor() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    assert_eq!(page(&sandbox, "first: 0"), (vec![], json!({"hasNextPage": true, "endCursor": null})));
    assert_eq!(sandbox.violations(), [] as [&str; 0]);
    let _ = page(&sandbox, "first: 101");
    let _ = page(&sandbox, "last: 2, order: ASC");
    assert_eq!(sandbox.violations(), ["unnamed: `first` above 100", "unnamed: `last` or `before`", "unnamed: `order`"]);
}

#[test]
fn filters_keep_what_they_say() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let truth = sandbox.snapshot(DEMARCHE_COMPLETE).dossiers;
    let expected = |keep: &dyn Fn(&crate::world::DossierTruth) -> bool| truth.values().filter(|d| keep(d)).count();
    assert_eq!(page(&sandbox, "state: accepte").0.len(), expected(&|d| d.state.as_str() == "accepte"));
    assert_eq!(page(&sandbox, "archived: true").0.len(), expected(&|d| d.archived));
    let oldest = sandbox.world().demarche(DEMARCHE_COMPLETE).expect("exists").revisions[0].number;
    let id = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("ProcedureRevision-{oldest}"));
    assert_eq!(page(&sandbox, &format!("revision: \"{id}\"")).0.len(), expected(&|d| d.revision == 0));
    assert_eq!(page(&sandbox, &format!("minRevision: \"{id}\"")).0.len(), truth.len());
    let groupe = DEMARCHE_COMPLETE * 10 + 2;
    let query = format!("{{ groupeInstructeur(number: {groupe}) {{ dossiers {{ nodes {{ number }} }} }} }}");
    let answer = data(&sandbox, &query, &json!({}));
    let found = numbers(&answer["groupeInstructeur"]["dossiers"]["nodes"]);
    assert_eq!(found.len(), expected(&|d| d.groupe == groupe));
}

#[test]
fn a_hundred_thousand_dossiers_fit_and_a_page_is_quick() {
    let demarche = DemarcheSpec::new(DEMARCHE_LARGE, FormSpec::Simple { champs: 30 }, 100_000);
    let sandbox = Sandbox::new(&WorldSpec { demarches: vec![demarche], ..WorldSpec::default() });
    let query =
        "query P($since: ISO8601DateTime) { demarche(number: 1003) { dossiers(first: 100, updatedSince: $since) {
        pageInfo { hasNextPage endCursor } nodes { number champs { __typename id label stringValue } } } } }";
    let answer = data(&sandbox, query, &json!({"since": "2000-01-01T00:00:00Z"}));
    let nodes = answer["demarche"]["dossiers"]["nodes"].as_array().expect("nodes").clone();
    assert_eq!(nodes.len(), 100);
    assert!(nodes.iter().all(|node| node["champs"].as_array().is_some_and(|champs| champs.len() == 30)));
}

#[test]
fn the_same_spec_gives_the_same_world() {
    let spec = WorldSpec::default().dossiers(5);
    let (one, two) = (Sandbox::new(&spec), Sandbox::new(&spec));
    one.live(DEMARCHE_COMPLETE, 40, 3);
    two.live(DEMARCHE_COMPLETE, 40, 3);
    assert_eq!(one.snapshot(DEMARCHE_COMPLETE), two.snapshot(DEMARCHE_COMPLETE));
    let other = Sandbox::new(&WorldSpec { seed: 2, ..spec });
    assert_ne!(
        other.snapshot(DEMARCHE_COMPLETE),
        Sandbox::new(&WorldSpec::default().dossiers(5)).snapshot(DEMARCHE_COMPLETE)
    );
}
