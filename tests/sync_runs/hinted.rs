//! Section H of the traps: dossiers that a webhook named.

use std::collections::BTreeSet;

use demarche_numerique::sandbox::world::{Poison, State};
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, DEMARCHE_LARGE, Fault, FaultPlan, WorldSpec};
use demarche_numerique::sink::Sink;
use demarche_numerique::sync::{Looked, look};
use demarche_numerique::{DossierNumber, Platform};

use super::lab::Lab;
use super::look::{all_in, in_order};

impl<S: Sink> Lab<S> {
    /// Looks at dossiers that somebody named.
    async fn look(&self, named: &[u32]) -> Looked {
        let named: BTreeSet<DossierNumber> = named.iter().copied().map(DossierNumber::new).collect();
        let looked = self.job(&self.sink, async |job| look(&job, &named).await).await;
        looked.expect("a look that fails is no failure")
    }
}

async fn lab(platform: Platform) -> Lab {
    let spec = WorldSpec::new(platform).only(&[DEMARCHE_COMPLETE, DEMARCHE_LARGE]).dossiers(20);
    Lab::of(spec, DEMARCHE_COMPLETE).await
}

#[tokio::test]
async fn trap_71_what_is_named_is_read_and_nothing_else_is_believed() {
    for platform in Platform::ALL {
        let lab = lab(platform).await;
        lab.run().await;
        let open = all_in(&lab, State::EnConstruction);
        let (moved, deleted, broken) = (open[0], open[1], open[2]);
        let (new, foreign) = {
            let mut world = lab.sandbox.world();
            world.passer_en_instruction(moved, Some(1)).expect("it is open");
            world.delete_by_user(deleted).expect("it is open");
            world.poison(broken, Poison::Crash);
            (world.submit(DEMARCHE_COMPLETE).expect("it is there"), world.numbers(DEMARCHE_LARGE)[0])
        };
        let looked = lab.look(&[moved, deleted, broken, new, foreign, 999_999_999]).await;
        assert_eq!((looked.read, looked.counts.inserted, looked.counts.updated), (2, 1, 1), "{platform}: {looked:?}");
        assert_eq!(lab.dossier(moved).await.state.as_str(), "en_instruction");
        assert!(lab.shows(new).await);
        // Of another démarche that the token covers: not taken in. Deleted, or not to be read: for a run to find out.
        assert!(!lab.held().await.contains_key(&DossierNumber::new(foreign)));
        assert!(lab.shows(deleted).await && lab.quarantine().await.is_empty());
        // The same calls once more change nothing.
        let again = lab.look(&[new, moved]).await;
        assert_eq!((again.read, again.counts.unchanged), (2, 2), "{again:?}");
        lab.sandbox.world().heal(broken);
        lab.wait(1);
        let report = lab.run().await;
        assert_eq!((report.counts.inserted, report.counts.deleted), (0, 1), "{report:?}");
        lab.assert_exact().await;
    }
}

#[tokio::test]
async fn trap_71_a_target_that_no_run_has_made_ready_is_left_to_the_run() {
    let lab = lab(Platform::DemarcheNumerique).await;
    let named = in_order(&lab)[0];
    assert_eq!(lab.look(&[named]).await, Looked::default());
    assert!(lab.sandbox.requests().is_empty() && lab.held().await.is_empty());
    lab.run().await;
    lab.assert_exact().await;
}

#[tokio::test]
async fn trap_71_a_platform_that_is_away_in_the_middle_of_a_look_costs_nothing_that_was_read() {
    let lab = lab(Platform::DemarcheNumerique).await;
    lab.run().await;
    let open = all_in(&lab, State::EnConstruction);
    for number in &open[..3] {
        lab.sandbox.world().passer_en_instruction(*number, Some(1)).expect("it is open");
    }
    lab.sandbox.plan(FaultPlan::new(Fault::Maintenance).operation("ReadDossier").after(1));
    let looked = lab.look(&open[..3]).await;
    assert_eq!((looked.read, looked.counts.updated), (1, 1), "{looked:?}");
    lab.sandbox.clear_faults();
    lab.run().await;
    lab.assert_exact().await;
}
