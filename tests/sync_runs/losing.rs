//! Section A of the traps: losing dossiers.

use demarche_numerique::Platform;
use demarche_numerique::sink::RunOutcome;

use super::lab::{Lab, pages_of};

#[tokio::test]
async fn a_first_run_copies_everything_and_a_second_one_writes_nothing() {
    for platform in Platform::ALL {
        let lab = Lab::new(platform, 120).await;
        let report = lab.run().await;
        assert_eq!(report.outcome, RunOutcome::Done, "{report:?}");
        assert_eq!(report.counts.inserted, lab.sandbox.snapshot(lab.demarche()).dossiers.len() as u64);
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_1_a_change_that_becomes_visible_behind_the_watermark_arrives_with_the_next_run() {
    let lab = Lab::new(Platform::DemarcheNumerique, 30).await;
    let numbers = lab.sandbox.world().numbers(lab.demarche());
    let (late_one, other) = (numbers[0], numbers[1]);
    let late = lab.sandbox.world().begin(move |world| world.touch(late_one));
    lab.sandbox.world().touch(other);
    lab.run().await;
    lab.sandbox.world().commit(late);
    let report = lab.run().await;
    assert_eq!(report.counts.updated, 1, "{report:?}");
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_11_dossiers_that_move_between_pages_are_committed_once_each() {
    let mut lab = Lab::new(Platform::DemarcheNumerique, 60).await;
    lab.settings.page_size = pages_of(10);
    let numbers = lab.sandbox.world().numbers(lab.demarche());
    for (rank, number) in numbers.into_iter().take(20).enumerate() {
        let rank = u32::try_from(rank).expect("a small number");
        lab.sandbox.after_request(rank % 6 + 3, move |world| world.touch(number));
    }
    lab.run().await;
    lab.run().await;
    lab.assert_exact().await;
}
