use jiff::Timestamp;

use super::*;

fn row(text: &str) -> Box<Row> {
    Box::new(Row {
        number: DossierNumber::new(1),
        state: "accepte".into(),
        updated_at: Timestamp::UNIX_EPOCH,
        fingerprint: Digest::of(text.as_bytes()),
        light: Digest::of(b"light"),
        document: text.to_owned(),
        cells: Vec::new(),
        children: Vec::new(),
    })
}

fn held(row: &Row, gone: Option<&Gone>) -> KnownDossier {
    KnownDossier { fingerprint: row.fingerprint, light: row.light, gone: gone.cloned() }
}

fn gone(reason: GoneReason) -> Gone {
    Gone { reason, at: None }
}

#[test]
fn each_change_is_decided_by_what_is_held() {
    use FeedKind::{Anonymise, Delete, Insert, Purge, Restore, Rewrite, Update};
    let (old, new) = (row("old"), row("new"));
    let number = old.number;
    let pending = gone(GoneReason::Pending("user_request".into()));
    let deleted = gone(GoneReason::Deleted("user_request".into()));
    let purge = gone(GoneReason::Retention);
    let (alive, left, purged) = (held(&old, None), held(&old, Some(&pending)), held(&old, Some(&purge)));
    let sealed = KnownDossier { light: old.light.sealed(), ..alive.clone() };
    let present = |row: &Row| Change::Present(Box::new(row.clone()));
    let moved = present(&Row { light: Digest::of(b"another"), ..*new.clone() });
    let anonymise = || Change::Anonymise(new.clone());
    // The kind, whether something is written, and whether the feed tells it.
    for (case, change, held, kind, writes, told) in [
        ("new", present(&new), None, Some(Insert), true, true),
        ("new, committed again", present(&old), Some(&alive), None, false, false),
        ("moved", present(&new), Some(&alive), Some(Update), true, true),
        ("back", present(&old), Some(&left), Some(Restore), true, true),
        ("purged, as it was", present(&new), Some(&purged), None, false, false),
        ("purged, and it moved", moved.clone(), Some(&purged), Some(Restore), true, true),
        ("anonymised, as it was", present(&new), Some(&sealed), None, false, false),
        ("anonymised, and it moved", moved, Some(&sealed), Some(Update), true, true),
        ("gone, never held", Change::Gone(number, pending.clone()), None, None, false, false),
        ("gone", Change::Gone(number, pending.clone()), Some(&alive), Some(Delete), true, true),
        ("gone, committed again", Change::Gone(number, pending.clone()), Some(&left), None, false, false),
        ("gone for good", Change::Gone(number, deleted), Some(&left), None, true, false),
        ("gone, missing only", Change::Gone(number, gone(GoneReason::Missing)), Some(&left), None, false, false),
        ("gone, purged here", Change::Gone(number, pending.clone()), Some(&purged), None, false, false),
        ("written again, not held", Change::Rewrite(old.clone()), None, Some(Insert), true, true),
        ("other cells", Change::Rewrite(old.clone()), Some(&alive), Some(Rewrite), true, false),
        ("another policy", Change::Rewrite(new.clone()), Some(&left), Some(Rewrite), true, true),
        ("written again, purged here", Change::Rewrite(new.clone()), Some(&purged), None, false, false),
        ("its term is over, not held", anonymise(), None, None, false, false),
        ("its term is over", anonymise(), Some(&alive), Some(Anonymise), true, true),
        ("its term is over, purged here", anonymise(), Some(&purged), None, false, false),
        ("its last term is over, not held", Change::Purge(number), None, None, false, false),
        ("its last term is over", Change::Purge(number), Some(&left), Some(Purge), true, true),
        ("its last term is over, purged here", Change::Purge(number), Some(&purged), None, false, false),
    ] {
        let effect = decide(&change, held);
        assert_eq!(effect.kind, kind, "{case}");
        assert_eq!(effect.write != Write::Nothing, writes, "{case}");
        assert_eq!(effect.event.is_some(), told, "{case}");
        // A commit whose answer was lost is committed again.
        let after = effect.after(held);
        let again = decide(&change, after.as_ref());
        assert_eq!((again.event, again.after(after.as_ref())), (None, after), "{case}, committed again");
    }
}

#[test]
fn what_is_written_again_keeps_its_tombstone_and_what_is_anonymised_its_date() {
    let left = gone(GoneReason::Missing);
    let (old, new) = (row("old"), row("new"));
    let held = held(&old, Some(&left));
    for (change, is_new) in [
        (Change::Rewrite(old.clone()), false),
        (Change::Rewrite(new.clone()), true),
        (Change::Anonymise(new.clone()), false),
    ] {
        let effect = decide(&change, Some(&held));
        let Write::Row { gone, .. } = effect.write else { panic!("{change:?} writes a row") };
        assert_eq!((gone.as_ref(), effect.is_new), (Some(&left), is_new), "{change:?}");
    }
}

#[test]
fn what_only_the_listing_shows_is_no_event() {
    let old = row("same");
    let new = Box::new(Row { light: Digest::of(b"another"), ..*old.clone() });
    let change = Change::Present(new.clone());
    let effect = decide(&change, Some(&held(&old, None)));
    assert_eq!((effect.write, effect.kind, effect.event), (Write::Light(&new), None, None));
}

#[test]
fn a_purge_keeps_the_listing_of_what_the_platform_shows_and_of_nothing_else() {
    let row = row("here");
    let change = Change::Purge(row.number);
    let left = gone(GoneReason::Missing);
    for (gone, light) in [(None, row.light), (Some(&left), nothing())] {
        assert_eq!(decide(&change, Some(&held(&row, gone))).write, Write::Purge { light }, "{gone:?}");
    }
}

#[test]
fn what_was_anonymised_before_it_was_purged_stays_away_as_well() {
    let (seen, sealed) = (Digest::of(b"seen"), Digest::of(b"seen").sealed());
    let purged = Gone { reason: GoneReason::Retention, at: None };
    let missing = Gone { reason: GoneReason::Missing, at: None };
    for (light, gone, emptied) in [
        (seen, None, false),
        (sealed, None, true),
        (seen, Some(&purged), true),
        (sealed, Some(&purged), true),
        (sealed.sealed(), Some(&purged), false),
        (seen, Some(&missing), false),
        (sealed, Some(&missing), false),
    ] {
        assert_eq!(is_emptied(light, gone, seen), emptied, "{light} {gone:?}");
    }
}
