//! Decides which dossiers are due to be anonymised or purged: rules × dates × now → decision. Pure.

use std::fmt;
use std::str::FromStr;

use jiff::tz::{self, TimeZone};
use jiff::{SignedDuration, Span, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

use crate::dossier::DossierState;

/// Retention period: years, months, weeks and days of the calendar.
#[derive(Clone, Copy, Debug)]
pub struct Term(Span);

/// The text is not a term.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a term: years, months, weeks or days are expected, such as `90 days`, `18 months` or `5 years`")]
pub struct InvalidTerm(String);

impl Term {
    /// Computes an instant before which every term is surely over: the inverse of [`after`](Self::after), with a margin
    /// of a week.
    #[must_use]
    pub fn before(self, now: Timestamp) -> Timestamp {
        let day = TimeZone::UTC.to_datetime(now).date().saturating_sub(self.0).saturating_sub(Span::new().days(7));
        TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(Timestamp::MIN)
    }

    /// Computes the first instant at which a term that began at `from` is surely over.
    ///
    /// A term ends with a day: that of the same date, or the last of the month where the month has no such date (29
    /// February + 1 year, 31 January + 1 month). Both days end in the time zone where they end last, so nothing is due
    /// too early in any time zone, and at most two days too late.
    #[must_use]
    pub fn after(self, from: Timestamp) -> Timestamp {
        let east = TimeZone::fixed(tz::offset(14));
        let west = TimeZone::fixed(tz::offset(-12));
        let last = east.to_datetime(from).date().saturating_add(self.0);
        let over = last.tomorrow().map(|day| day.at(0, 0, 0, 0));
        over.and_then(|over| west.to_timestamp(over)).unwrap_or(Timestamp::MAX)
    }

    /// Approximates the length in days, to compare two terms.
    fn days(self) -> i64 {
        let days = |years: i64, months: i64, weeks: i64, days: i64| years * 366 + months * 31 + weeks * 7 + days;
        let span = self.0;
        days(span.get_years().into(), span.get_months().into(), span.get_weeks().into(), span.get_days().into())
    }
}

impl FromStr for Term {
    type Err = InvalidTerm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidTerm(text.to_owned());
        let span: Span = text.trim().parse().map_err(|_| invalid())?;
        let calendar = Span::new()
            .try_years(span.get_years())
            .and_then(|s| s.try_months(span.get_months()))
            .and_then(|s| s.try_weeks(span.get_weeks()))
            .and_then(|s| s.try_days(span.get_days()))
            .map_err(|_| invalid())?;
        // A term counts days: parts of a day would be accepted and ignored.
        if !span.is_positive() || calendar.fieldwise() != span.fieldwise() {
            return Err(invalid());
        }
        Ok(Self(calendar))
    }
}

impl PartialEq for Term {
    fn eq(&self, other: &Self) -> bool {
        self.0.fieldwise() == other.0.fieldwise()
    }
}

impl Eq for Term {}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let span = self.0;
        let parts: [(i64, &str); 4] = [
            (span.get_years().into(), "year"),
            (span.get_months().into(), "month"),
            (span.get_weeks().into(), "week"),
            (span.get_days().into(), "day"),
        ];
        let words = parts.into_iter().filter(|(number, _)| *number > 0);
        let words = words.map(|(number, unit)| format!("{number} {unit}{}", if number == 1 { "" } else { "s" }));
        f.write_str(&words.collect::<Vec<_>>().join(" "))
    }
}

impl Serialize for Term {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Fate of a dossier whose term is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Anonymised: what may be counted stays, what may identify a person goes.
    Anonymise,
    /// Purged: its number and a tombstone stay.
    Purge,
}

impl Fate {
    /// The word used in configuration files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anonymise => "anonymise",
            Self::Purge => "purge",
        }
    }
}

/// Terms of the fates; a fate without a term never comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// The term after which a dossier is anonymised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymise: Option<Term>,
    /// The term after which it is purged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purge: Option<Term>,
}

impl Terms {
    /// Returns true if there is no term.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.anonymise.is_none() && self.purge.is_none()
    }

    /// Returns true if a dossier would be purged before it is anonymised: a mistake in the configuration.
    #[must_use]
    pub fn contradict(&self) -> bool {
        matches!((self.anonymise, self.purge), (Some(first), Some(last)) if last.days() <= first.days())
    }

    /// Lists the fates with their terms, the gravest first.
    fn fates(&self) -> impl Iterator<Item = (Fate, Term)> {
        let purge = self.purge.map(|term| (Fate::Purge, term));
        // The purge first: of a dossier for which both terms are over, nothing has to be anonymised.
        purge.into_iter().chain(self.anonymise.map(|term| (Fate::Anonymise, term)))
    }
}

/// Retention periods of a target. By default everything is kept for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// Terms of dossiers that the platform deleted, from the day of the deletion, or of its detection if the platform
    /// has no date.
    pub deleted: Terms,
    /// Terms of decided dossiers, from the day of the decision (`dateTraitement`).
    pub finished: Terms,
    /// The term of the lines of the run history; the last line always stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<Term>,
}

impl Retention {
    /// Returns true if everything is kept for ever.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deleted.is_empty() && self.finished.is_empty() && self.runs.is_none()
    }
}

/// Rule by which a dossier is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionRule {
    /// The platform deleted it.
    Deleted,
    /// It is decided.
    Finished,
}

impl RetentionRule {
    /// The word used in configuration files and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Finished => "finished",
        }
    }
}

/// Dates and state of a dossier, as far as the rules need them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Age {
    /// Its last state.
    pub state: DossierState,
    /// The date of its last decision. The platform keeps it if the dossier is reopened, so the state decides (trap 49).
    pub decided_at: Option<Timestamp>,
    /// When it left the platform; `None` while it is there.
    pub gone_at: Option<Timestamp>,
    /// True if it was anonymised already.
    pub anonymous: bool,
}

/// Due dossier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueDossier {
    /// The fate.
    pub fate: Fate,
    /// The rule.
    pub rule: RetentionRule,
    /// The start of its term.
    pub since: Timestamp,
}

/// Decides if a dossier is due now. The gravest fate wins, then the rule on deleted dossiers.
#[must_use]
pub fn due(rules: &Retention, age: &Age, now: Timestamp) -> Option<DueDossier> {
    let decided = age.decided_at.filter(|_| age.state.is_terminal());
    let deleted = age.gone_at.map(|since| (RetentionRule::Deleted, rules.deleted, since));
    let finished = decided.map(|since| (RetentionRule::Finished, rules.finished, since));
    let found = deleted.into_iter().chain(finished).flat_map(|(rule, terms, since)| {
        let over = terms.fates().filter(|(_, term)| term.after(since) <= now).map(|(fate, _)| fate);
        let fates: Vec<Fate> = over.filter(|fate| *fate == Fate::Purge || !age.anonymous).collect();
        fates.into_iter().map(move |fate| DueDossier { fate, rule, since })
    });
    found.max_by_key(|due| (due.fate, due.rule == RetentionRule::Deleted))
}

/// Returns true if it is time to look again: a day has passed since `last`, or the clock was set back before it.
#[must_use]
pub fn is_time(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| now < last || now.duration_since(last) >= SignedDuration::from_hours(24))
}

#[cfg(test)]
#[path = "retention_tests.rs"]
mod tests;
