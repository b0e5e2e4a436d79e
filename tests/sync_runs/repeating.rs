//! Section C of the traps: false changes, and the same dossier several times.

use demarche_numerique::api::{Listing, ListingSource, PageSize, Since};
use demarche_numerique::dossier::GoneReason;
use demarche_numerique::plan::FeedKind;
use demarche_numerique::sandbox::world::State;
use demarche_numerique::sandbox::world::form::stable_id;
use demarche_numerique::sandbox::{DemarcheSpec, FormSpec, WorldSpec};
use demarche_numerique::{ChampValue, DossierNumber, Platform};

use super::lab::{Lab, pages_of};
use super::survey::{Database, answer};

#[tokio::test]
async fn trap_26_two_readings_of_unchanged_dossiers_write_nothing() {
    for platform in Platform::ALL {
        let base = Database::new();
        let spec = WorldSpec::new(platform).only(&[1001]).dossiers(24);
        let mut lab = Lab::with_sink(spec, 1001, base.sink().await).await;
        lab.run().await;
        let before = base.dump().await;
        lab.wait(2);
        lab.settings.full = true;
        let report = lab.run().await;
        assert!(report.sweep && report.counts.unchanged >= 24, "{report:?}");
        assert_eq!((report.counts.updated, report.rows_written), (0, 0), "{report:?}");
        assert!(base.dump().await == before, "{platform}: another content");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_26_a_dossier_read_alone_is_the_one_read_in_a_page() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 24).await;
        let listing = Listing::all(ListingSource::Demarche(lab.scope.demarche), Since::Beginning);
        let page = lab.client.dossiers_page(&listing, None, PageSize::MAX).await.expect("a page");
        assert!(page.nodes.len() >= 24);
        for mut listed in page.nodes {
            let alone = lab.client.dossier(listed.number).await.expect("an answer");
            let mut alone = alone.expect("a dossier");
            listed.canonical();
            alone.canonical();
            let json = |dossier| serde_json::to_value(dossier).expect("plain data");
            assert_eq!(json(&alone), json(&listed), "{platform} {}", listed.number);
        }
        lab.run().await;
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_27_the_second_of_two_changes_in_one_second_is_applied() {
    let lab = Lab::new(Platform::DemarcheNumerique, 20).await;
    let number = lab.in_state(State::EnConstruction)[0];
    let edit = |text: &str| lab.change(|world| world.edit(number, stable_id::RENAMED, text)).expect("it is asked");
    edit("premier");
    lab.run().await;
    let first = lab.dossier(number).await;
    edit("second");
    let report = lab.run().await;
    let second = lab.dossier(number).await;
    assert_eq!(first.date_derniere_modification, second.date_derniere_modification, "one second");
    assert_eq!(answer(&second, stable_id::RENAMED), Some(&ChampValue::Text("second".to_owned())));
    assert_eq!(report.counts.updated, 1, "{report:?}");
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_28_a_dossier_that_comes_five_times_in_a_run_is_one_event() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 12).await;
    lab.settings.page_size = pages_of(1);
    let numbers = lab.sandbox.world().numbers(lab.demarche());
    let (one, other) = (numbers[0], numbers[1]);
    let bump = move |world: &mut demarche_numerique::sandbox::World| {
        world.touch(one);
        world.touch(other);
    };
    lab.change(bump);
    let mut left = 24;
    lab.sandbox.on_request(move |_, world| {
        if left > 0 {
            left -= 1;
            bump(world);
        }
    });
    let report = lab.run().await;
    assert!(report.pages > 12 + 5, "they came again and again: {report:?}");
    lab.sandbox.clear_hooks();
    lab.run().await;
    lab.run().await;
    let feed = lab.sink.content(&lab.scope).feed;
    for number in [one, other] {
        let events: Vec<FeedKind> =
            feed.iter().filter(|event| event.number.get() == number).map(|event| event.kind).collect();
        assert_eq!(events, [FeedKind::Insert], "dossier {number}");
    }
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_31_numbers_tell_dossiers_apart_where_the_ids_of_the_two_lists_collide() {
    for platform in Platform::ALL {
        let spec =
            WorldSpec { demarches: vec![DemarcheSpec::new(2000, FormSpec::Complete, 20)], ..WorldSpec::new(platform) };
        let lab = Lab::of(spec, 2000).await;
        lab.run().await;
        assert!(lab.shows(1).await && lab.shows(4).await, "numbers as small as those of tombstones");
        // Row 1 of the pending list is dossier 1, row 1 of the other list is dossier 21.
        lab.change(|world| {
            world.delete_by_user(1).expect("it is open");
            world.delete_account("usager-9@example.org");
        });
        assert_eq!(lab.sandbox.snapshot(2000).deleted.keys().copied().collect::<Vec<_>>(), [9, 21, 22, 23]);
        lab.run().await;
        let content = lab.sink.content(&lab.scope);
        let gone = |number: u32| {
            let dossier = content.dossiers.get(&DossierNumber::new(number)).expect("a dossier that was seen");
            dossier.gone.as_ref().map(|gone| gone.reason.clone())
        };
        assert!(matches!(gone(1), Some(GoneReason::Pending(_))), "{platform}: {:?}", gone(1));
        assert!(matches!(gone(9), Some(GoneReason::Deleted(_))), "{platform}: {:?}", gone(9));
        assert_eq!((gone(2), gone(3), gone(4)), (None, None, None), "{platform}");
        lab.assert_exact().await;
    }
}
