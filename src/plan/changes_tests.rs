use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::dossier::{DossierState, GoneReason};
use crate::plan::Fate;

fn row(number: u32, content: u8, light: u8) -> Row {
    Row {
        number: DossierNumber::new(number),
        state: DossierState::EnConstruction,
        updated_at: Timestamp::UNIX_EPOCH,
        fingerprint: Digest::of(&[content]),
        light: Digest::of(&[light]),
        document: String::new(),
        cells: Vec::new(),
        children: Vec::new(),
    }
}

fn present(number: u32, content: u8) -> Observation {
    Observation::Present(Box::new(row(number, content, content)))
}

fn gone(number: u32, reason: GoneReason) -> Observation {
    Observation::Gone(DossierNumber::new(number), Gone { reason, at: None })
}

/// Applies a plan as a correct sink does.
fn apply(known: &mut Known, plan: &Plan) {
    for change in &plan.changes {
        let held = known.get(&change.number());
        if let Some(after) = decide(change, held).after(held) {
            known.insert(change.number(), after);
        }
    }
}

/// Prints the plan as a preview does, line by line.
fn told(known: &Known, observed: Vec<Observation>) -> String {
    let line = |change: &Change| format!("{}\n", decide(change, known.get(&change.number())));
    plan(known, observed).changes.iter().map(line).collect()
}

fn known(of: &[Observation]) -> Known {
    let mut known = Known::new();
    for observation in of {
        let plan = plan(&known, vec![observation.clone()]);
        apply(&mut known, &plan);
    }
    known
}

#[test]
fn the_table() {
    use GoneReason::{Deleted, Missing, Pending};
    let pending = || Pending("user_request".to_owned());
    let deleted = || Deleted("user_request".to_owned());
    let rows: Vec<(&str, Vec<Observation>, Observation, &str)> = vec![
        ("new", vec![], present(1, 1), "+ dossier 1 (en_construction)\n"),
        ("the same", vec![present(1, 1)], present(1, 1), ""),
        ("moved", vec![present(1, 1)], present(1, 2), "~ dossier 1 (en_construction)\n"),
        ("back", vec![present(1, 1), gone(1, pending())], present(1, 1), "+ dossier 1 (en_construction), restored\n"),
        ("gone, never ours", vec![], gone(1, deleted()), ""),
        ("gone", vec![present(1, 1)], gone(1, pending()), "- dossier 1 (user_request)\n"),
        (
            "pending, then purged",
            vec![present(1, 1), gone(1, pending())],
            gone(1, deleted()),
            "= dossier 1 stays deleted (user_request)\n",
        ),
        (
            "missing, then purged",
            vec![present(1, 1), gone(1, Missing)],
            gone(1, deleted()),
            "= dossier 1 stays deleted (user_request)\n",
        ),
        ("purged, then missing", vec![present(1, 1), gone(1, deleted())], gone(1, Missing), ""),
        ("purged, still pending", vec![present(1, 1), gone(1, deleted())], gone(1, pending()), ""),
        ("gone as before", vec![present(1, 1), gone(1, pending())], gone(1, pending()), ""),
    ];
    for (case, before, observed, expected) in rows {
        assert_eq!(told(&known(&before), vec![observed]), expected, "{case}");
    }
}

/// A dossier as retention left it: its light listing had this content then.
fn emptied(fate: Fate, light: u8) -> Known {
    let (light, gone) = match fate {
        Fate::Purge => (Digest::of(&[light]), Some(Gone { reason: GoneReason::Retention, at: None })),
        Fate::Anonymise => (Digest::of(&[light]).sealed(), None),
    };
    [(DossierNumber::new(1), KnownDossier { fingerprint: Digest::of(b"left"), light, gone })].into()
}

#[test]
fn what_retention_emptied_stays_away_until_the_listing_shows_another() {
    use GoneReason::{Deleted, Missing, Pending};
    for (fate, moved) in [
        (Fate::Purge, "+ dossier 1 (en_construction), restored\n"),
        (Fate::Anonymise, "~ dossier 1 (en_construction)\n"),
    ] {
        let known = emptied(fate, 1);
        let told = |observed| told(&known, vec![observed]);
        assert_eq!(told(Observation::Present(Box::new(row(1, 1, 1)))), "", "{fate:?}: as it was");
        assert_eq!(told(Observation::Present(Box::new(row(1, 7, 1)))), "", "{fate:?}: read under another policy");
        assert_eq!(told(Observation::Present(Box::new(row(1, 1, 2)))), moved, "{fate:?}: it moved");
    }
    let purged = emptied(Fate::Purge, 1);
    for reason in [Missing, Pending("user_request".into()), Deleted("expired".into())] {
        assert!(plan(&purged, vec![gone(1, reason)]).is_empty(), "nothing is left to delete");
    }
}

fn observation() -> impl Strategy<Value = Observation> {
    prop_oneof![
        3 => (1..6_u32, 0..4_u8).prop_map(|(number, content)| present(number, content)),
        1 => (1..6_u32, 0..3_u8).prop_map(|(number, reason)| gone(number, match reason {
            0 => GoneReason::Missing,
            1 => GoneReason::Pending("user_request".to_owned()),
            _ => GoneReason::Deleted("expired".to_owned()),
        })),
    ]
}

#[test]
fn the_brake_counts_what_would_newly_go() {
    let known = known(&[present(1, 1), present(2, 2), gone(2, GoneReason::Missing)]);
    let deleted = |number| gone(number, GoneReason::Deleted("expired".to_owned()));
    let plan = plan(&known, vec![deleted(1), deleted(2), deleted(3), present(4, 4)]);
    assert_eq!((plan.deletions, plan.changes.len(), plan.unchanged), (1, 3, 1));
}

proptest! {
    #[test]
    fn doing_a_plan_leaves_nothing_to_do(before in vec(observation(), 0..12), observed in vec(observation(), 0..12)) {
        let mut known = known(&before);
        let first = plan(&known, observed.clone());
        apply(&mut known, &first);
        prop_assert!(plan(&known, observed).is_empty());
    }

    #[test]
    fn duplicates_change_nothing(before in vec(observation(), 0..12), observed in vec(observation(), 0..12)) {
        let known = known(&before);
        let twice: Vec<Observation> = observed.iter().flat_map(|o| [o.clone(), o.clone()]).collect();
        prop_assert_eq!(plan(&known, observed).changes, plan(&known, twice).changes);
    }

    #[test]
    fn the_order_of_different_dossiers_does_not_matter(
        before in vec(observation(), 0..12),
        observed in vec(observation(), 0..12).prop_shuffle(),
    ) {
        let known = known(&before);
        let mut by_number = observed.clone();
        // A stable sort: the observations of one dossier keep their order.
        by_number.sort_by_key(Observation::number);
        prop_assert_eq!(plan(&known, observed), plan(&known, by_number));
    }

    #[test]
    fn one_page_or_many_end_in_the_same_content(before in vec(observation(), 0..8), observed in vec(observation(), 0..12)) {
        let mut whole = known(&before);
        let mut parts = whole.clone();
        let at_once = plan(&whole, observed.clone());
        apply(&mut whole, &at_once);
        for observation in observed.clone() {
            let step = plan(&parts, vec![observation]);
            apply(&mut parts, &step);
        }
        let alive = |known: &Known| -> Vec<(DossierNumber, Digest)> {
            known.iter().filter(|(_, d)| d.gone.is_none()).map(|(n, d)| (*n, d.fingerprint)).collect()
        };
        // A dossier seen and gone within one page was never held by the one that saw the page at once.
        prop_assert_eq!(alive(&whole), alive(&parts));
    }
}
