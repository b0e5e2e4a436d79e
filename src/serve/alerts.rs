//! Decides which alerts are to be sent, from the status board alone: each once when it begins and once when it is over. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::status_board::{InstanceState, JobKey, JobState};

/// From when on something is worth waking somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The time for which a job may fail.
    pub failing: Duration,
    /// The time for which a dossier may stay in quarantine.
    pub quarantine: Duration,
    /// The number of days before its end at which a token is to be replaced.
    pub token_days: u32,
}

/// The time after which an unknown value of the platform counts as over, unless another one comes. Runs that find nothing new
/// read little, so their silence says nothing.
const DRIFT_LASTS: SignedDuration = SignedDuration::from_hours(24);

/// The fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// Runs fail.
    Failing,
    /// Dossiers are in quarantine.
    Quarantine,
    /// So many deletions that they wait for a person.
    Brake,
    /// Dossiers answer questions that no revision of the form has.
    Strangers,
    /// The platform sent something that this version does not know.
    Drift,
    /// A token ends soon, or has ended.
    Token,
}

/// One thing that is wrong somewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incident {
    /// The trouble.
    pub trouble: Trouble,
    /// The instance.
    pub instance: String,
    /// The job; `None` for what concerns the whole instance.
    pub job: Option<JobKey>,
}

/// Describes an incident: counts, instants and names of the configuration, nothing of a dossier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Since when, as far as this process knows.
    pub since: Timestamp,
    /// In one sentence.
    pub words: String,
}

/// Everything that is wrong at this instant. A job that is paused is left in peace.
#[must_use]
pub fn alerts(
    jobs: &BTreeMap<JobKey, JobState>,
    instances: &BTreeMap<String, InstanceState>,
    limits: &Limits,
    now: Timestamp,
) -> BTreeMap<Incident, Alert> {
    let mut alerts = BTreeMap::new();
    for (key, state) in jobs.iter().filter(|(_, state)| !state.paused) {
        for (trouble, since, words) in of_job(state, limits, now) {
            let incident = Incident { trouble, instance: key.scope.instance.clone(), job: Some(key.clone()) };
            let (number, instance, target) = (key.scope.demarche, &key.scope.instance, &key.target);
            let words = format!("démarche {number} of {instance} into {target}: {words}");
            alerts.insert(incident, Alert { since, words });
        }
    }
    for (instance, state) in instances {
        if let Some((since, words)) = of_token(state, limits, now) {
            let incident = Incident { trouble: Trouble::Token, instance: instance.clone(), job: None };
            alerts.insert(incident, Alert { since, words: format!("the token of {instance} {words}") });
        }
    }
    alerts
}

fn of_job(state: &JobState, limits: &Limits, now: Timestamp) -> Vec<(Trouble, Timestamp, String)> {
    let lasts = |since: Timestamp, limit: Duration| now.duration_since(since).unsigned_abs() >= limit && since <= now;
    let mut found = Vec::new();
    if let Some(since) = state.failing_since.filter(|since| lasts(*since, limits.failing)) {
        let (times, at) = (state.failures_in_a_row, to_the_second(since));
        found.push((Trouble::Failing, since, format!("runs have been failing since {at}, {times} in a row")));
    }
    if let Some(since) = state.quarantined_since.filter(|since| lasts(*since, limits.quarantine)) {
        let count = state.found.unwrap_or_default().quarantine;
        let at = to_the_second(since);
        let words = format!("dossiers have been in quarantine since {at}, {count} now; `dn status` names them");
        found.push((Trouble::Quarantine, since, words));
    }
    if let Some(success) = state.last_success.filter(|_| state.found.is_some_and(|found| found.brake)) {
        let words = "so many dossiers have gone that their deletion waits for a person: look at `dn plan`, then run \
                     `dn sync --allow-deletes`"
            .to_owned();
        found.push((Trouble::Brake, success, words));
    }
    let strangers = state.found.unwrap_or_default().strangers;
    if let Some(success) = state.last_success.filter(|_| strangers > 0) {
        let words = format!(
            "dossiers answer {strangers} questions that no revision of the form has: their answers are kept in the documents \
             alone; `dn status` names the questions"
        );
        found.push((Trouble::Strangers, success, words));
    }
    if let Some(seen) = state.drift_at.filter(|seen| now.duration_since(*seen) < DRIFT_LASTS) {
        let words =
            "the platform sent something that this version does not know; nothing is lost, the run's report names it";
        found.push((Trouble::Drift, seen, words.to_owned()));
    }
    found
}

/// As people read it.
fn to_the_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

fn of_token(state: &InstanceState, limits: &Limits, now: Timestamp) -> Option<(Timestamp, String)> {
    let expires = state.token_expires?;
    let today = now.to_zoned(TimeZone::UTC).date();
    let days = today.duration_until(expires).as_hours() / 24;
    let words = match days {
        ..0 => format!("ended on {expires}"),
        days if days > i64::from(limits.token_days) => return None,
        days => format!("ends in {days} days, on {expires}"),
    };
    let from = expires.checked_sub(SignedDuration::from_hours(24 * i64::from(limits.token_days))).unwrap_or(expires);
    Some((from.to_zoned(TimeZone::UTC).map_or(now, |from| from.timestamp()), words))
}

/// Remembers the alerts that were sent, so that none is sent twice.
#[derive(Clone, Debug, Default)]
pub struct Told(BTreeMap<Incident, Alert>);

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It begins.
    Begins(Incident, Alert),
    /// It is over; with what was said when it began.
    Ends(Incident, Alert),
}

impl Told {
    /// Gives the alerts to send now. They stay due until they are [`noted`](Self::note): a message that did not leave is tried again.
    #[must_use]
    pub fn news(&self, alerts: &BTreeMap<Incident, Alert>) -> Vec<News> {
        let begins = alerts.iter().filter(|(incident, _)| !self.0.contains_key(incident));
        let ends = self.0.iter().filter(|(incident, _)| !alerts.contains_key(incident));
        let begins = begins.map(|(incident, alert)| News::Begins(incident.clone(), alert.clone()));
        begins.chain(ends.map(|(incident, alert)| News::Ends(incident.clone(), alert.clone()))).collect()
    }

    /// Notes that it was told.
    pub fn note(&mut self, news: News) {
        match news {
            News::Begins(incident, alert) => drop(self.0.insert(incident, alert)),
            News::Ends(incident, _) => drop(self.0.remove(&incident)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DemarcheNumber, Scope};
    use crate::serve::Found;

    const LIMITS: Limits =
        Limits { failing: Duration::from_secs(600), quarantine: Duration::from_secs(3_600), token_days: 14 };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    fn of(state: JobState, now: i64) -> Vec<Trouble> {
        let scope = Scope { instance: "dn".to_owned(), demarche: DemarcheNumber::new(12) };
        let jobs = BTreeMap::from([(JobKey { scope, target: "sqlite:d.db".to_owned() }, state)]);
        alerts(&jobs, &BTreeMap::new(), &LIMITS, at(now)).into_keys().map(|incident| incident.trouble).collect()
    }

    #[test]
    fn a_job_wakes_somebody_from_its_limit_on_and_not_before() {
        let failing = JobState { failing_since: Some(at(1_000)), failures_in_a_row: 3, ..JobState::default() };
        assert_eq!(of(failing.clone(), 1_599), []);
        assert_eq!(of(failing.clone(), 1_600), [Trouble::Failing]);
        assert_eq!(of(JobState { paused: true, ..failing.clone() }, 1_600), []);
        // A clock that was set back: the failure lies in the future, which says nothing.
        assert_eq!(of(failing, 100), []);

        let found = |quarantine, brake| Some(Found { quarantine, brake, ..Found::default() });
        let kept = JobState { quarantined_since: Some(at(0)), found: found(2, false), ..JobState::default() };
        assert_eq!(of(kept.clone(), 3_599), []);
        assert_eq!(of(kept, 3_600), [Trouble::Quarantine]);

        let braked = JobState { last_success: Some(at(50)), found: found(0, true), ..JobState::default() };
        assert_eq!(of(braked, 50), [Trouble::Brake]);

        let strange = Some(Found { strangers: 1, ..Found::default() });
        let strange = JobState { last_success: Some(at(50)), found: strange, ..JobState::default() };
        assert_eq!(of(strange, 50), [Trouble::Strangers]);

        let drifting = JobState { drift_at: Some(at(0)), ..JobState::default() };
        assert_eq!(of(drifting.clone(), 86_399), [Trouble::Drift]);
        assert_eq!(of(drifting, 86_400), []);
    }

    #[test]
    fn a_token_is_named_before_it_ends_and_after() {
        for (today, expected) in [
            ("2026-11-16T23:59:59Z", None),
            ("2026-11-17T00:00:00Z", Some("the token of dn ends in 14 days, on 2026-12-01")),
            ("2026-12-01T12:00:00Z", Some("the token of dn ends in 0 days, on 2026-12-01")),
            ("2026-12-02T00:00:00Z", Some("the token of dn ended on 2026-12-01")),
        ] {
            let state = InstanceState { token_expires: "2026-12-01".parse().ok(), ..InstanceState::default() };
            let instances = BTreeMap::from([("dn".to_owned(), state)]);
            let found = alerts(&BTreeMap::new(), &instances, &LIMITS, today.parse().expect("an instant"));
            assert_eq!(found.values().map(|alert| alert.words.as_str()).next(), expected, "{today}");
        }
    }

    #[test]
    fn each_incident_is_told_once_when_it_begins_and_once_when_it_is_over() {
        let incident = Incident { trouble: Trouble::Token, instance: "dn".to_owned(), job: None };
        let alert = |words: &str| Alert { since: at(0), words: words.to_owned() };
        let current = BTreeMap::from([(incident.clone(), alert("in 3 days"))]);
        let mut told = Told::default();
        let begins = vec![News::Begins(incident.clone(), alert("in 3 days"))];
        assert_eq!(told.news(&current), begins, "nothing was told yet");
        assert_eq!(told.news(&current), begins, "it did not leave");
        begins.into_iter().for_each(|news| told.note(news));
        let later = BTreeMap::from([(incident.clone(), alert("in 2 days"))]);
        assert_eq!(told.news(&later), [], "the same incident in other words");
        let ends = vec![News::Ends(incident, alert("in 3 days"))];
        assert_eq!(told.news(&BTreeMap::new()), ends);
        ends.into_iter().for_each(|news| told.note(news));
        assert_eq!(told.news(&BTreeMap::new()), []);
    }
}
