//! Hundreds of runs of the real binary: its memory stays where it was.

use std::fs::read_to_string;

use demarche_numerique::Platform;
use demarche_numerique::sandbox::{DemarcheSpec, FormSpec, WorldSpec};

use crate::cli::desk::Desk;
use crate::cli::workers::Worker;

const FIRST: u32 = 1200;
const DEMARCHES: u32 = 10;

/// What a process has resident, in KiB.
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
    let desk = Desk::in_world(&WorldSpec { demarches, ..WorldSpec::new(Platform::DemarcheNumerique) }).await;
    let mut config = "[instances.dn]\n[targets.local]\ntype = 'sqlite'\npath = 'd.db'\n\
                      [run]\njitter = '0s'\nschedule = '1s'\n"
        .to_owned();
    (FIRST..FIRST + DEMARCHES).for_each(|number| config.push_str(&format!("[[demarches]]\nnumber = {number}\n")));
    desk.write("dn.toml", &config);
    let mut worker = Worker::start(&desk, &["--config", "dn.toml", "run"], &[]);
    let mut early = 0;
    for run in 0..200 {
        worker.says(" ends: done").await;
        desk.sandbox.live(FIRST + run % DEMARCHES, 1, u64::from(run));
        if run == 60 {
            early = resident(&worker);
        }
    }
    let late = resident(&worker);
    assert!(late <= early + 8 * 1024, "{early} KiB after 60 runs, {late} KiB after 200");
    assert_eq!(worker.stop().await.code, Some(0));
    // What moved without a date waits for the daily comparison; this is the same comparison, now.
    desk.dn(&["--config", "dn.toml", "verify", "--repair", "--allow-deletes"]).await.expect(0);
    desk.dn(&["--config", "dn.toml", "verify"]).await.expect(0);
}
