use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn term(text: &str) -> Term {
    text.parse().expect("a term")
}

fn rules() -> Retention {
    Retention {
        deleted: Terms { anonymise: None, purge: Some(term("90 days")) },
        finished: Terms { anonymise: Some(term("2 years")), purge: Some(term("5 years")) },
        runs: None,
    }
}

fn decided(at: Timestamp) -> Age {
    Age { state: DossierState::Accepte, decided_at: Some(at), gone_at: None, anonymous: false }
}

#[test]
fn a_term_is_written_as_people_write_it() {
    for (text, shown) in [
        ("90 days", "90 days"),
        ("1 day", "1 day"),
        (" 5 years ", "5 years"),
        ("18 months", "18 months"),
        ("6 weeks", "6 weeks"),
        ("1 year 6 months", "1 year 6 months"),
        ("5y", "5 years"),
    ] {
        assert_eq!(term(text).to_string(), shown, "{text}");
        assert_eq!(term(shown), term(text), "{text}");
    }
    for text in ["", "90", "0 days", "-1 year", "12 hours", "1 day 2 hours", "for ever", "5 ans"] {
        assert!(text.parse::<Term>().is_err(), "{text}");
    }
}

#[test]
fn a_term_is_over_when_its_last_day_is_over_everywhere() {
    for (from, length, over) in [
        ("2026-03-10T09:00:00Z", "1 day", "2026-03-12T12:00:00Z"),
        ("2026-03-10T09:59:59Z", "1 day", "2026-03-12T12:00:00Z"),
        // It is the eleventh already in the east.
        ("2026-03-10T10:00:00Z", "1 day", "2026-03-13T12:00:00Z"),
        ("2024-02-29T09:00:00Z", "1 year", "2025-03-01T12:00:00Z"),
        ("2024-02-29T09:00:00Z", "4 years", "2028-03-01T12:00:00Z"),
        ("2023-02-28T09:00:00Z", "1 year", "2024-02-29T12:00:00Z"),
        ("2026-01-31T09:00:00Z", "1 month", "2026-03-01T12:00:00Z"),
        ("2024-02-29T09:00:00Z", "366 days", "2025-03-02T12:00:00Z"),
    ] {
        assert_eq!(term(length).after(at(from)), at(over), "{from} + {length}");
    }
    assert_eq!(term("19000 years").after(Timestamp::MAX), Timestamp::MAX, "beyond the calendar is never");
}

#[test]
fn nothing_is_due_before_its_term_and_everything_after() {
    let since = at("2020-02-29T08:00:00Z");
    let fate = |now: &str| due(&rules(), &decided(since), at(now)).map(|due| (due.fate, due.rule));
    assert_eq!(fate("2019-01-01T00:00:00Z"), None, "a clock that was set back");
    assert_eq!(fate("2022-02-28T23:59:59Z"), None);
    assert_eq!(fate("2022-03-01T11:59:59Z"), None);
    assert_eq!(fate("2022-03-01T12:00:00Z"), Some((Fate::Anonymise, RetentionRule::Finished)));
    assert_eq!(fate("2025-03-01T11:59:59Z"), Some((Fate::Anonymise, RetentionRule::Finished)));
    assert_eq!(fate("2025-03-01T12:00:00Z"), Some((Fate::Purge, RetentionRule::Finished)));
}

#[test]
fn only_what_is_decided_or_gone_is_ever_due() {
    let (old, now) = (at("2001-01-01T00:00:00Z"), at("2026-01-15T10:00:00Z"));
    let base = decided(old);
    let fate = |age: &Age| due(&rules(), age, now).map(|due| (due.fate, due.rule));
    for (name, age, expected) in [
        ("decided", base.clone(), Some((Fate::Purge, RetentionRule::Finished))),
        ("taken up again", Age { state: DossierState::EnInstruction, ..base.clone() }, None),
        ("a state unknown here", Age { state: DossierState::Inconnu("neuf".into()), ..base.clone() }, None),
        ("decided without a date", Age { decided_at: None, ..base.clone() }, None),
        (
            "gone, never decided",
            Age { state: DossierState::EnConstruction, decided_at: None, gone_at: Some(old), anonymous: false },
            Some((Fate::Purge, RetentionRule::Deleted)),
        ),
        ("gone lately", Age { decided_at: None, gone_at: Some(now), ..base.clone() }, None),
        ("gone and decided", Age { gone_at: Some(old), ..base.clone() }, Some((Fate::Purge, RetentionRule::Deleted))),
    ] {
        assert_eq!(fate(&age), expected, "{name}");
        assert_eq!(due(&Retention::default(), &age, now), None, "{name}, and no rule");
    }
}

#[test]
fn what_is_anonymous_is_not_anonymised_again_and_purged_all_the_same() {
    let since = at("2020-01-15T08:00:00Z");
    let age = Age { anonymous: true, ..decided(since) };
    assert_eq!(due(&rules(), &age, at("2023-01-01T00:00:00Z")), None);
    assert_eq!(due(&rules(), &age, at("2026-01-01T00:00:00Z")).map(|due| due.fate), Some(Fate::Purge));
}

#[test]
fn a_purge_comes_after_the_anonymisation() {
    let terms = |first: &str, last: &str| Terms { anonymise: Some(term(first)), purge: Some(term(last)) };
    for (first, last, contradict) in [
        ("2 years", "5 years", false),
        ("5 years", "2 years", true),
        ("1 year", "12 months", false),
        ("90 days", "90 days", true),
    ] {
        assert_eq!(terms(first, last).contradict(), contradict, "{first}, then {last}");
    }
    assert!(!Terms { anonymise: None, purge: Some(term("1 day")) }.contradict());
}

#[test]
fn what_lies_before_a_term_is_surely_beyond_it() {
    let second = SignedDuration::from_secs(1);
    for length in ["1 day", "1 month", "1 year", "18 months", "6 weeks"] {
        for now in ["2024-02-29T23:59:59Z", "2025-03-01T00:00:00Z", "2026-03-31T12:00:00Z", "2026-12-31T23:00:00Z"] {
            let last = term(length).before(at(now)) - second;
            assert!(term(length).after(last) <= at(now), "{length} before {now}");
        }
    }
}

#[test]
fn it_is_time_once_a_day_whatever_the_clock_did() {
    let last = at("2026-01-15T10:00:00Z");
    for (now, time) in [
        ("2026-01-15T10:00:00Z", false),
        ("2026-01-16T09:59:59Z", false),
        ("2026-01-16T10:00:00Z", true),
        ("2026-01-15T09:59:59Z", true),
    ] {
        assert_eq!(is_time(Some(last), at(now)), time, "{now}");
    }
    assert!(is_time(None, last));
}
