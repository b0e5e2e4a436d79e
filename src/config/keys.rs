//! Every key that a configuration file may hold. The reader accepts no other, and a test checks that
//! `config/example.toml` shows them all.

use super::target::{grist, postgres, sqlite};

/// A section of the file and the keys that it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name in messages and in the documentation; `*` stands for a name that the operator chooses.
    pub name: &'static str,
    /// Its keys.
    pub keys: &'static [&'static str],
}

/// The top of the file.
pub const ROOT: Section =
    Section { name: "the top of the file", keys: &["instances", "targets", "privacy", "sync", "run", "demarches"] };

/// `[instances.*]`: a platform and how to talk to it.
pub const INSTANCE: Section = Section {
    name: "[instances.*]",
    keys: &[
        "platform",
        "url",
        "token-env",
        "token-file",
        "token-expires",
        "webhook-path-env",
        "webhook-path-file",
        "connect-timeout",
        "read-timeout",
        "total-timeout",
        "page-size",
        "rate-limit",
    ],
};

/// `[targets.*]`: a place where dossiers are kept.
pub const TARGET: Section = Section { name: "[targets.*]", keys: &TARGET_KEYS };

const TARGET_KEYS: [&str; 1 + sqlite::KEYS.len() + grist::KEYS.len() + postgres::KEYS.len()] =
    joined(&[&["type"], sqlite::KEYS, grist::KEYS, postgres::KEYS]);

/// The types of target, each with its own keys.
pub const TARGET_TYPES: &[(&str, &[&str])] =
    &[(sqlite::TYPE, sqlite::KEYS), (postgres::TYPE, postgres::KEYS), (grist::TYPE, grist::KEYS)];

/// Joins lists of keys: `N` is the sum of their lengths.
const fn joined<const N: usize>(lists: &[&[&'static str]]) -> [&'static str; N] {
    let mut keys = [""; N];
    let (mut list, mut at) = (0, 0);
    while list < lists.len() {
        let mut index = 0;
        while index < lists[list].len() {
            keys[at] = lists[list][index];
            (index, at) = (index + 1, at + 1);
        }
        list += 1;
    }
    assert!(at == N, "the lists have as many keys as the array");
    keys
}

/// `[privacy.*]`: what may leave the platform.
pub const POLICY: Section =
    Section { name: "[privacy.*]", keys: &["preset", "key-env", "key-file", "kinds", "descriptors"] };

/// The keys that say how a démarche is followed: in `[sync]` for all, in `[[demarches]]` for one.
pub const FOLLOWING: &[&str] = &[
    "overlap",
    "follow-up",
    "follow-up-every",
    "listing-every",
    "reread-every",
    "rebase-delay",
    "max-delete-share",
    "max-delete-floor",
    "instructeur",
    "push-on-schedule",
    "columns",
    "retention",
];

/// `[sync]`: how démarches are followed unless they say otherwise.
pub const SYNC: Section = Section { name: "[sync]", keys: FOLLOWING };

/// `[sync.retention]`, `[demarches.retention]`: for how long dossiers are kept.
pub const RETENTION: Section =
    Section { name: "[sync.retention]", keys: &["deleted", "finished", "runs", "on-schedule"] };

/// `[sync.retention] deleted` and `finished`: the terms of dossiers.
pub const TERMS: Section = Section { name: "[sync.retention] deleted and finished", keys: &["anonymise", "purge"] };

/// The keys that say when `dn run` runs a démarche: in `[run]` for all, in `[[demarches]]` for one.
pub const RUNNING: &[&str] = &["schedule", "timezone", "jitter", "adaptive", "paused"];

/// `[run]`: when `dn run` runs démarches unless they say otherwise, how many at once, and where it says how it is.
pub const RUN: Section = Section { name: "[run]", keys: &RUN_KEYS };

const OF_THE_PROGRAM: &[&str] = &["workers", "listen", "ready-within", "hint-window", "alerts"];
const RUN_KEYS: [&str; RUNNING.len() + OF_THE_PROGRAM.len()] = joined(&[RUNNING, OF_THE_PROGRAM]);

/// `[run.alerts]`: who receives alerts, and from which limits on.
pub const ALERTS: Section = Section {
    name: "[run.alerts]",
    keys: &["command", "webhook-env", "webhook-file", "failing-after", "quarantine-after", "token-days"],
};

/// `[[demarches]]`: a démarche to follow.
pub const DEMARCHE: Section = Section { name: "[[demarches]]", keys: &DEMARCHE_KEYS };

const OF_A_DEMARCHE: &[&str] = &["number", "instance", "target", "privacy", "groupes", "states", "deposited-since"];
const DEMARCHE_KEYS: [&str; OF_A_DEMARCHE.len() + FOLLOWING.len() + RUNNING.len()] =
    joined(&[OF_A_DEMARCHE, FOLLOWING, RUNNING]);

/// Every section.
pub const ALL: &[Section] = &[ROOT, INSTANCE, TARGET, POLICY, SYNC, RETENTION, TERMS, RUN, ALERTS, DEMARCHE];

/// Of these names the one that was probably meant.
#[must_use]
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase().replace('_', "-");
    let scored = known.into_iter().map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        for (wanted, expected) in [
            ("token_env", Some("token-env")),
            ("tokenenv", Some("token-env")),
            ("page-sise", Some("page-size")),
            ("Platform", Some("platform")),
            ("zzz", None),
        ] {
            assert_eq!(nearest(wanted, INSTANCE.keys.iter().copied()), expected, "{wanted}");
        }
    }
}
