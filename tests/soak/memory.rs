//! Hundreds of runs of the real binary: its memory stays where it was.

use std::fs::read_to_string;

use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DemarcheSpec, FormSpec, WorldSpec};

use crate::cli::harness::Harness;
use crate::cli::workers::Worker;

const FIRST: u32 = 1200;
const DEMARCHES: u32 = 10;

/// Reads the resident memory of a process, in KiB.
fn resident(worker: &Worker) -> u64 {
    let status = read_to_string(format!("/proc/{}/status", worker.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("what is resident");
    line.trim_end_matches("kB").trim().parse().expect("a number")
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_runs_take_no_more_memory_than_the_first_and_lose_nothing() {
    let spec = |number| DemarcheSpec::new(number, FormSpec::Simple { champs: 5 }, 20);
    let demarches: Vec<DemarcheSpec> = (FIRST..FIRST + DEMARCHES).map(spec).collect();
    let harness = Harness::in_world(&WorldSpec { demarches, ..WorldSpec::new(Platform::DemarcheNumerique) }).await;
    let mut config = "[instances.dn]\n[targets.local]\ntype = 'sqlite'\npath = 'd.db'\n\
                      [run]\njitter = '0s'\nschedule = '1s'\n"
        .to_owned();
    (FIRST..FIRST + DEMARCHES).for_each(|number| config.push_str(&format!("[[demarches]]\nnumber = {number}\n")));
    harness.write("dn.toml", &config);
    let mut worker = Worker::start(&harness, &["--config", "dn.toml", "run"], &[]);
    // The least of twenty runs: the allocator keeps pages for a while, more of them on a busy machine.
    let (mut early, mut late) = (u64::MAX, u64::MAX);
    for run in 0..120 {
        worker.says(" ends: done").await;
        harness.sandbox.live(FIRST + run % DEMARCHES, 1, u64::from(run));
        match run {
            20..40 => early = early.min(resident(&worker)),
            100..120 => late = late.min(resident(&worker)),
            _ => {}
        }
    }
    assert!(late <= early + 8 * 1024, "{early} KiB after 40 runs, {late} KiB after 120");
    assert_eq!(worker.stop().await.code, Some(0));
    // What moved without a date waits for the daily comparison; this is the same comparison, now.
    harness.dn(&["--config", "dn.toml", "verify", "--repair", "--allow-deletes"]).await.expect(0);
    harness.dn(&["--config", "dn.toml", "verify"]).await.expect(0);
}
