//! Checks `config/systemd`.

use std::path::Path;

use demarche_numerique::cli::Exit;
use demarche_numerique::config::defaults;

use super::{PROGRAM, judged, read, tool, understands, written};

const SERVICES: [&str; 2] = ["dn.service", "dn-sync.service"];
const TIMER: &str = "dn-sync.timer";

/// The exposure that `systemd-analyze security` may find, in tenths; it finds 10 (1.0, of 100) in version 252.
const EXPOSURE: &str = "15";

/// The lines of a unit, as `Section.Key` and value, in order.
fn unit(name: &str) -> Vec<(String, String)> {
    let text = read(format!("config/systemd/{name}"));
    let mut section = String::new();
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(title) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = title.to_owned();
        } else {
            let (key, value) = line.split_once('=').unwrap_or_else(|| panic!("{name}: {line}"));
            lines.push((format!("{section}.{key}"), value.to_owned()));
        }
    }
    lines
}

/// The values of a key.
fn values(name: &str, key: &str) -> Vec<String> {
    unit(name).into_iter().filter(|(found, _)| found == key).map(|(_, value)| value).collect()
}

fn codes(exits: &[Exit]) -> Vec<String> {
    vec![exits.iter().map(|exit| exit.code().to_string()).collect::<Vec<_>>().join(" ")]
}

#[test]
fn units_ask_the_program_for_what_it_can_do() {
    for name in SERVICES {
        let commands = [values(name, "Service.ExecStart"), values(name, "Service.ExecReload")].concat();
        let ours: Vec<_> = commands.iter().filter_map(|command| command.strip_prefix(PROGRAM)).collect();
        assert!(!ours.is_empty(), "{name}");
        for command in ours {
            understands(command.split_whitespace());
        }
    }
    assert_eq!(values("dn.service", "Service.ExecReload").last().map(String::as_str), Some("kill -HUP $MAINPID"));
}

#[test]
fn what_the_next_run_mends_is_no_failure_and_what_no_attempt_mends_is_not_tried_again() {
    let later = [Exit::Quarantine, Exit::Unavailable, Exit::Locked, Exit::Interrupted];
    assert_eq!(values("dn-sync.service", "Service.SuccessExitStatus"), codes(&later));
    let wrong = [Exit::Usage, Exit::Configuration];
    assert_eq!(values("dn.service", "Service.RestartPreventExitStatus"), codes(&wrong));
}

#[test]
fn units_hand_the_token_over_as_a_file_that_the_service_alone_can_read() {
    for name in SERVICES {
        let expected = [
            format!("{}=/etc/dn/dn.toml", defaults::CONFIG_ENV),
            // The folder of the credentials of the unit.
            format!("{}=%d/token", defaults::TOKEN_FILE_ENV),
        ];
        assert_eq!(values(name, "Service.Environment"), expected, "{name}");
        assert_eq!(values(name, "Service.LoadCredential"), ["token:/etc/dn/token"], "{name}");
        let told = format!("url-file = \"/run/credentials/{name}/database-url\"");
        assert!(read(format!("config/systemd/{name}")).contains(&told), "{name}");
    }
}

#[test]
fn both_services_are_confined_alike_and_no_line_says_otherwise_than_another() {
    let confined = |name| {
        let lines = unit(name).into_iter().filter(|(key, _)| key.starts_with("Service."));
        lines.skip_while(|(key, _)| key != "Service.DynamicUser").collect::<Vec<_>>()
    };
    assert_eq!(confined("dn.service"), confined("dn-sync.service"));
    let mut keys: Vec<_> = confined("dn.service").into_iter().map(|(key, _)| key).collect();
    keys.retain(|key| key != "Service.SystemCallFilter");
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count);
}

#[test]
fn the_timer_starts_the_service_beside_it() {
    let service = values(TIMER, "Timer.Unit").pop().unwrap_or_else(|| TIMER.replace(".timer", ".service"));
    assert!(SERVICES.contains(&service.as_str()), "{service}");
    assert_eq!(values("dn.service", "Unit.Conflicts"), [TIMER]);
    assert_eq!(values(TIMER, "Timer.Persistent"), ["yes"]);
}

#[test]
fn systemd_finds_no_fault_in_the_units() {
    let Some(version) = tool("systemd-analyze", &["--version"]) else { return };
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let number = version.split_whitespace().nth(1).and_then(|number| number.parse::<u32>().ok()).unwrap_or_default();
    if number < 250 {
        eprintln!("systemd {number} is too old for these units: its checks are left out");
        return;
    }
    // It asks that the program be there.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let here = |name: &&str| {
        let text = read(format!("config/systemd/{name}")).replace(PROGRAM, env!("CARGO_BIN_EXE_dn"));
        written(&folder, name, &text)
    };
    let paths: Vec<_> = SERVICES.iter().chain([&TIMER]).map(here).collect();
    let paths: Vec<_> = paths.iter().map(|path| Path::to_str(path).expect("a temporary path is text")).collect();
    judged("systemd-analyze", &[&["verify", "--man=no", "--recursive-errors=one"], &paths[..]].concat());
    let exposure = format!("--threshold={EXPOSURE}");
    judged("systemd-analyze", &[&["security", "--no-pager", "--offline=true", &exposure], &paths[..2]].concat());
    judged("systemd-analyze", &["calendar", &values(TIMER, "Timer.OnCalendar").concat()]);
}
