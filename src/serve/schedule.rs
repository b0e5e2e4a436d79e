//! Computes when a job has its ticks. Pure.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Unit};
use sha2::{Digest as _, Sha256};

/// The longest wait that an adaptive rhythm makes of a shorter one.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);
/// After so many runs in a row that found nothing, an adaptive rhythm takes twice the time.
const PATIENCE: u32 = 3;
/// After so many ticks without a success a job is late ...
const TICKS_TO_BE_LATE: usize = 3;
/// ... and not before this long.
const LEAST_TO_BE_LATE: SignedDuration = SignedDuration::from_hours(1);
/// The hours, by the clock of the schedule, between which people work: 7 h to 20 h.
const DAY: std::ops::Range<i8> = 7..20;
/// More ticks than this are not counted one by one.
const MOST_TICKS: usize = 10_000;

/// The instants at which a job may begin.
#[derive(Clone, Debug, PartialEq)]
pub enum Ticks {
    /// By a cron expression of five fields: minute, hour, day of month, month, day of week.
    ///
    /// On the nights on which clocks change, an hour that does not exist is made up for at its end, and a fixed hour that
    /// exists twice counts once; what recurs every so many minutes goes on evenly.
    Cron(Box<Cron>),
    /// Every so often, each job at its own moment, so that those of one configuration do not begin together.
    Every(Duration),
}

/// The text says no rhythm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a cron expression of five fields: {reason}")]
pub struct InvalidSchedule {
    text: String,
    reason: String,
}

impl FromStr for Ticks {
    type Err = InvalidSchedule;

    /// Reads a cron expression that has an occurrence.
    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        let invalid = |reason: String| InvalidSchedule { text: text.to_owned(), reason };
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|error| invalid(error.to_string()))?;
        // Such as 30 February: better told now than waited for.
        let ticks = Self::Cron(Box::new(cron));
        match ticks.after(Timestamp::UNIX_EPOCH, &TimeZone::UTC, 0) {
            Some(_) => Ok(ticks),
            None => Err(invalid("there is no such day".to_owned())),
        }
    }
}

impl fmt::Display for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cron(cron) => write!(f, "{}", cron.pattern),
            Self::Every(period) => write!(f, "every {} s", period.as_secs()),
        }
    }
}

impl Ticks {
    /// The first tick after an instant; `None` for an expression that does not occur any more.
    fn after(&self, at: Timestamp, zone: &TimeZone, seed: u64) -> Option<Timestamp> {
        match self {
            Self::Cron(cron) => {
                // The expression knows whole seconds.
                let at = at.round((Unit::Second, jiff::RoundMode::Floor).into_round()).ok()?;
                cron.find_next_occurrence(&at.to_zoned(zone.clone()), false).ok().map(|next| next.timestamp())
            }
            Self::Every(period) => {
                let period = i64::try_from(period.as_millis()).ok()?.max(1);
                let phase = i64::try_from(seed % period.unsigned_abs()).ok()?;
                let since = (at.as_millisecond() - phase).rem_euclid(period);
                Timestamp::from_millisecond(at.as_millisecond() + period - since).ok()
            }
        }
    }
}

/// A rounding towards the past, as jiff wants it.
trait IntoRound {
    fn into_round(self) -> jiff::TimestampRound;
}

impl IntoRound for (Unit, jiff::RoundMode) {
    fn into_round(self) -> jiff::TimestampRound {
        jiff::TimestampRound::new().smallest(self.0).mode(self.1)
    }
}

/// When a job runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// At which instants.
    pub ticks: Ticks,
    /// By which clock.
    pub zone: TimeZone,
    /// By how much, at most, each start is put off: the jobs of one minute do not begin in one second. The same tick of the
    /// same job is put off by the same time on every host.
    pub jitter: Duration,
    /// True if it runs less often while nothing changes, at night and at week-ends: at most an hour then passes between
    /// two runs, unless the ticks themselves are further apart.
    pub adaptive: bool,
    /// True if it does not run at all for now.
    pub paused: bool,
}

impl Schedule {
    /// When the run that follows one that ended at `ended` is to begin. `quiet`: how many runs in a row found nothing.
    pub(super) fn next(&self, ended: Timestamp, quiet: u32, seed: u64) -> Option<Timestamp> {
        let first = self.ticks.after(ended, &self.zone, seed)?;
        let tick = if self.adaptive { self.stretched(ended, first, quiet, seed) } else { first };
        tick.checked_add(self.delay(tick, seed)).ok()
    }

    /// From when on a job is late that did its work at `success`: three of its ticks have passed, and an hour at least. A
    /// night without ticks makes nothing late. `None` when there are no three ticks any more.
    pub(super) fn late_from(&self, success: Timestamp, seed: u64) -> Option<Timestamp> {
        let next = |at: &Timestamp| self.ticks.after(*at, &self.zone, seed);
        let tick = std::iter::successors(Some(success), next).nth(TICKS_TO_BE_LATE)?;
        let jitter = SignedDuration::try_from(self.jitter).unwrap_or(SignedDuration::MAX);
        let tick = tick.saturating_add(jitter).unwrap_or(tick);
        // An adaptive rhythm leaves out ticks, for so long at most.
        let times = if self.adaptive { 3 } else { 1 };
        let least = success.saturating_add(LEAST_TO_BE_LATE.saturating_mul(times)).unwrap_or(tick);
        Some(tick.max(least))
    }

    /// Counts the ticks after `from` and until `to`.
    pub(super) fn between(&self, from: Timestamp, to: Timestamp, seed: u64) -> u64 {
        let next = |at: &Timestamp| self.ticks.after(*at, &self.zone, seed).filter(|tick| *tick <= to);
        std::iter::successors(next(&from), next).take(MOST_TICKS).count() as u64
    }

    /// A later tick than the first one: the last before the longer wait is over.
    fn stretched(&self, ended: Timestamp, first: Timestamp, quiet: u32, seed: u64) -> Timestamp {
        let Some(second) = self.ticks.after(first, &self.zone, seed) else { return first };
        let period = second.duration_since(first);
        let wait = match self.is_working_time(first) {
            true => period.saturating_mul(1 << (quiet / PATIENCE).min(16)).min(LONGEST),
            false => LONGEST,
        };
        let from = ended.checked_add(wait).and_then(|at| at.checked_sub(period)).unwrap_or(ended).max(ended);
        self.ticks.after(from, &self.zone, seed).unwrap_or(first)
    }

    fn is_working_time(&self, at: Timestamp) -> bool {
        let at = at.to_zoned(self.zone.clone());
        !matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday) && DAY.contains(&at.hour())
    }

    fn delay(&self, tick: Timestamp, own: u64) -> SignedDuration {
        let most = u64::try_from(self.jitter.as_millis()).unwrap_or(u64::MAX);
        if most == 0 {
            return SignedDuration::ZERO;
        }
        let drawn = seed(&format!("{own} {}", tick.as_second())) % (most + 1);
        SignedDuration::from_millis(i64::try_from(drawn).unwrap_or(i64::MAX))
    }
}

/// A number that is always the same for the same text, and has nothing to do with that of another.
#[must_use]
pub fn seed(text: &str) -> u64 {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn paris() -> TimeZone {
        TimeZone::get("Europe/Paris").expect("a zone that is part of the program")
    }

    fn schedule(text: &str) -> Schedule {
        let ticks = match text.strip_suffix('s').and_then(|seconds| seconds.parse().ok()) {
            Some(seconds) => Ticks::Every(Duration::from_secs(seconds)),
            None => text.parse().unwrap_or_else(|error| panic!("{error}")),
        };
        Schedule { ticks, zone: paris(), jitter: Duration::ZERO, adaptive: false, paused: false }
    }

    fn ticks(text: &str, from: &str, count: usize) -> Vec<String> {
        let schedule = schedule(text);
        let next = |at: &Timestamp| schedule.next(*at, 0, 0);
        let ticks = std::iter::successors(next(&at(from)), next).take(count);
        ticks.map(|tick| tick.to_zoned(paris()).strftime("%d %H:%M %:z").to_string()).collect()
    }

    #[test]
    fn a_job_is_late_after_three_ticks_and_an_hour_and_not_in_a_night_without_ticks() {
        let success = at("2026-03-02T19:05:00Z");
        for (text, adaptive, expected) in [
            ("600s", false, "2026-03-02T20:05:00Z"),
            ("600s", true, "2026-03-02T22:05:00Z"),
            ("7200s", false, "2026-03-03T00:00:00Z"),
            ("0 * * * *", false, "2026-03-02T22:00:00Z"),
            ("*/30 8-20 * * *", false, "2026-03-03T07:30:00Z"),
        ] {
            let late = Schedule { adaptive, ..schedule(text) }.late_from(success, 0);
            assert_eq!(late, Some(at(expected)), "{text} {adaptive}");
        }
    }

    #[test]
    fn on_the_night_without_two_o_clock_a_fixed_hour_is_made_up_for() {
        let found = ticks("30 2 * * *", "2026-03-28T00:00:00Z", 3);
        assert_eq!(found, ["28 02:30 +01:00", "29 03:00 +02:00", "30 02:30 +02:00"]);
        let found = ticks("*/30 * * * *", "2026-03-29T00:20:00Z", 4);
        assert_eq!(found, ["29 01:30 +01:00", "29 03:00 +02:00", "29 03:30 +02:00", "29 04:00 +02:00"]);
    }

    #[test]
    fn on_the_night_with_two_o_clock_twice_a_fixed_hour_counts_once() {
        let found = ticks("30 2 * * *", "2026-10-24T00:00:00Z", 3);
        assert_eq!(found, ["24 02:30 +02:00", "25 02:30 +02:00", "26 02:30 +01:00"]);
        let found = ticks("*/30 * * * *", "2026-10-24T23:40:00Z", 5);
        let even = ["25 02:00 +02:00", "25 02:30 +02:00", "25 02:00 +01:00", "25 02:30 +01:00", "25 03:00 +01:00"];
        assert_eq!(found, even);
    }

    #[test]
    fn expressions_have_five_fields_and_an_occurrence() {
        for (text, expected) in [
            ("*/10 * * * *", true),
            ("0 6-20 * * MON-FRI", true),
            ("0 3 1 * *", true),
            ("* * * * * *", false),
            ("0 0 30 2 *", false),
            ("61 * * * *", false),
            ("tous les jours", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<Ticks>().is_ok(), expected, "{text:?}");
        }
    }

    #[test]
    fn what_runs_every_so_often_does_not_all_begin_at_once() {
        let every = schedule("600s");
        let of = |name: &str| every.next(at("2026-03-02T08:00:00Z"), 0, seed(name)).expect("a tick");
        let (a, b) = (of("dn/1"), of("dn/2"));
        assert_ne!(a, b);
        let next = every.next(a, 0, seed("dn/1")).expect("a tick");
        assert_eq!(next.duration_since(a), SignedDuration::from_mins(10));
        assert_eq!(every.next(a - SignedDuration::from_millis(1), 0, seed("dn/1")), Some(a));
    }

    #[test]
    fn a_start_is_put_off_by_the_same_time_on_every_host() {
        let late = Schedule { jitter: Duration::from_secs(30), ..schedule("0 * * * *") };
        let of = |name: &str| late.next(at("2026-03-02T08:00:00Z"), 0, seed(name)).expect("a tick");
        assert_eq!(of("dn/1"), of("dn/1"));
        assert_ne!(of("dn/1"), of("dn/2"));
        for number in 0..50 {
            let delay = of(&format!("dn/{number}")).duration_since(at("2026-03-02T09:00:00Z"));
            assert!((0..=30_000).contains(&delay.as_millis()), "{delay}");
        }
    }

    #[test]
    fn an_adaptive_rhythm_takes_its_time_while_nothing_changes_at_night_and_at_week_ends() {
        let adaptive = |text| Schedule { adaptive: true, ..schedule(text) };
        for (text, ended, quiet, expected) in [
            // A Monday, by the clock of Paris.
            ("*/10 * * * *", "2026-03-02T09:01:00Z", 0, "2026-03-02T09:10:00Z"),
            ("*/10 * * * *", "2026-03-02T09:01:00Z", 2, "2026-03-02T09:10:00Z"),
            ("*/10 * * * *", "2026-03-02T09:01:00Z", 3, "2026-03-02T09:20:00Z"),
            ("*/10 * * * *", "2026-03-02T09:01:00Z", 60, "2026-03-02T10:00:00Z"),
            ("*/10 * * * *", "2026-03-02T22:01:00Z", 0, "2026-03-02T23:00:00Z"),
            ("*/10 * * * *", "2026-03-07T09:01:00Z", 0, "2026-03-07T10:00:00Z"),
            // What is further apart than an hour stays as it is.
            ("0 3 * * *", "2026-03-02T02:01:00Z", 60, "2026-03-03T02:00:00Z"),
        ] {
            assert_eq!(adaptive(text).next(at(ended), quiet, 0), Some(at(expected)), "{text} {ended} {quiet}");
        }
    }

    #[test]
    fn ticks_are_counted() {
        let schedule = schedule("*/10 * * * *");
        let (from, to) = (at("2026-03-02T09:10:00Z"), at("2026-03-02T09:40:00Z"));
        assert_eq!(schedule.between(from, to, 0), 3);
        assert_eq!(schedule.between(to, from, 0), 0);
    }
}
