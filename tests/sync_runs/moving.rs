//! Names of instances: one target, one name, and an instance that is another one or has moved.

use std::collections::BTreeSet;

use demarche_numerique::plan::Retention;
use demarche_numerique::sandbox::{DEMARCHE_COMPLETE, WorldSpec};
use demarche_numerique::sink::Sink as _;
use demarche_numerique::sync::{self, Settings, SyncError};
use demarche_numerique::{Client, Platform};

use super::lab::{Lab, client};

fn at_another_address(lab: &Lab, platform: Platform, path: &str) -> Client {
    let mut url: url::Url = lab.client.url().clone();
    url.set_path(path);
    Client::builder(platform).url(url.as_str()).token(lab.sandbox.token()).build().expect("valid settings")
}

#[tokio::test]
async fn two_instances_never_share_a_name() {
    let lab = Lab::new(Platform::DemarcheNumerique, 6).await;
    lab.run().await;
    let kept = lab.sink.instances().await.expect("instances");
    assert!(kept[0].1.as_ref().is_some_and(|address| lab.client.url().as_str().starts_with(&address.url)), "{kept:?}");
    // Another port, another path, another platform.
    let other = Lab::new(Platform::DemarcheNumerique, 6).await;
    let port = client(&other.sandbox, &other._server, Platform::DemarcheNumerique);
    let path = at_another_address(&lab, Platform::DemarcheNumerique, "/autre/api/v2/graphql");
    let platform = at_another_address(&lab, Platform::DematSocial, lab.client.url().path());
    let before = lab.sink.content(&lab.scope);
    for other in [port, path, platform] {
        let jobs = async |job: sync::Job<'_, _>| {
            let job = sync::Job { client: &other, ..job };
            [
                sync::run(&job).await.error,
                sync::repair(&job).await.error,
                sync::refresh(&job, Vec::new()).await.err(),
                // Neither asks the platform anything: the numbers of another instance are not theirs all the same.
                sync::remap(&job).await.error,
                sync::retain(&job, &Retention::default(), &BTreeSet::new()).await.error,
            ]
        };
        for error in lab.job(&lab.sink, jobs).await {
            assert!(matches!(error, Some(SyncError::OtherInstance { .. })), "{error:?}");
        }
        let error = sync::verify(&other, &lab.sink, &lab.scope, &lab.filter, |_| {}).await.expect_err("a refusal");
        assert!(matches!(error, SyncError::OtherInstance { .. }), "{error:?}");
        assert!(sync::check_instance(&other, &lab.sink, &lab.scope).await.is_err());
    }
    let after = lab.sink.content(&lab.scope);
    assert_eq!((before.dossiers, before.feed), (after.dossiers, after.feed), "nothing was written");
}

#[tokio::test]
async fn an_instance_that_moved_is_accepted_once_for_all_when_its_platform_is_the_same() {
    let mut lab = Lab::of(WorldSpec::default().only(&[DEMARCHE_COMPLETE]).dossiers(6), DEMARCHE_COMPLETE).await;
    lab.run().await;
    let server = lab.sandbox.serve_locally().await.expect("a free port on loopback");
    lab.client = client(&lab.sandbox, &server, Platform::DemarcheNumerique);
    assert!(matches!(lab.try_run().await.error, Some(SyncError::OtherInstance { .. })));
    lab.settings = Settings { accept_address: true, ..lab.settings };
    assert_eq!(lab.run().await.counts.inserted, 0, "it is the same instance");
    lab.settings = Settings { accept_address: false, ..lab.settings };
    lab.assert_exact().await;
}
