//! Reads what a document holds of some dossiers: rows of `Dn_dossiers`, of the analysts' tables, and of the quarantine.
//! The answers are read here; asking is in `read`.

use std::collections::{BTreeMap, BTreeSet};

use grist_client::RowId;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::fault::GristFault;
use super::shared;
use crate::dossier::{Gone, GoneReason};
use crate::ids::{DossierNumber, Scope};
use crate::plan::{Known, KnownDossier};
use crate::sink::settle::Held;
use crate::table::TableKey;

/// Content of a row of `Dn_dossiers`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DossierRecord {
    /// `None` while the dossier is being written in several bundles.
    pub held: Option<Held>,
    pub first_seen: Option<Timestamp>,
    /// The number of rows of `Dn_suites` that continue the document.
    pub rest: u32,
}

/// A row of a child table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Child {
    pub table: TableKey,
    pub id: RowId,
    pub key: String,
}

/// Everything that is held of some dossiers, at one moment. Grist may give the ids of its rows to others after a commit
/// (Grist trap 6).
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Holdings {
    /// Those that were asked for.
    pub asked: BTreeSet<DossierNumber>,
    /// True if the rows of child tables were read.
    pub whole: bool,
    pub stored: BTreeMap<DossierNumber, DossierRecord>,
    /// The rows of the analysts' table.
    pub rows: BTreeMap<DossierNumber, Vec<RowId>>,
    pub children: BTreeMap<DossierNumber, Vec<Child>>,
    pub quarantine: BTreeMap<DossierNumber, Vec<RowId>>,
    /// The dossiers of which somebody ticked a row.
    pub ticked: BTreeSet<DossierNumber>,
}

impl Holdings {
    /// Finds what is held of a dossier whose row is there: one that a person deleted is not held, so that it comes back. One
    /// that was purged has no row.
    pub(super) fn held(&self, number: DossierNumber) -> Option<&Held> {
        let held = self.stored.get(&number)?.held.as_ref()?;
        let purged = held.known.gone.as_ref().is_some_and(|gone| gone.reason == GoneReason::Retention);
        (purged || self.rows.contains_key(&number)).then_some(held)
    }

    pub(super) fn known(&self) -> Known {
        let held = self.asked.iter().filter_map(|number| Some((*number, self.held(*number)?)));
        held.map(|(number, held)| (number, held.known.clone())).collect()
    }

    /// Returns true if these dossiers were asked for.
    pub(super) fn covers(&self, numbers: &BTreeSet<DossierNumber>) -> bool {
        numbers.is_subset(&self.asked)
    }
}

/// A row of an answer, by column.
pub(super) type DocRecord = Map<String, Value>;

/// The key of a dossier in `Dn_dossiers`.
pub(super) fn key(scope: &Scope, number: DossierNumber) -> String {
    format!("{scope}/{number}")
}

/// The number of a dossier in an answer, where numbers come as doubles.
pub(super) fn number(value: &Value) -> Option<DossierNumber> {
    let number = value.as_u64().or_else(|| {
        let real = value.as_f64()?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked on the same line")]
        (real.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&real)).then_some(real as u64)
    });
    number.and_then(|number| u32::try_from(number).ok()).map(DossierNumber::new)
}

/// Returns true if a row of `Dn_dossiers` is of the dossier that its key names: a copy that somebody edited is not.
pub(super) fn is_ours(row: &DocRecord) -> bool {
    let number = row.get("numero").and_then(number).map(|number| number.to_string()).unwrap_or_default();
    text(row, "cle") == [text(row, "instance"), text(row, "demarche"), &number].join("/")
}

pub(super) fn id(row: &DocRecord) -> Option<RowId> {
    row.get("id")?.as_i64()
}

pub(super) fn text<'a>(row: &'a DocRecord, column: &str) -> &'a str {
    row.get(column).and_then(Value::as_str).unwrap_or_default()
}

/// The end of a count: a dossier without rows has one too, and one whose rows were never counted has none.
pub(super) const END: char = '.';

/// Writes the number of rows in each child table, by the place of the table, as `Dn_dossiers` keeps it: `1:2 4:1.`
pub(super) fn counted(rows: &BTreeMap<usize, u64>) -> String {
    let pairs: Vec<String> = rows.iter().map(|(table, rows)| format!("{table}:{rows}")).collect();
    format!("{}{END}", pairs.join(" "))
}

/// A row of `Dn_dossiers`.
pub(super) fn stored(row: &DocRecord) -> Result<(DossierNumber, DossierRecord), GristFault> {
    let unreadable =
        |column: &str| GristFault::Altered(format!("a value of {} in {} cannot be read", column, shared::DOSSIERS));
    let number = row.get("numero").and_then(number).ok_or_else(|| unreadable("numero"))?;
    if !text(row, "cle").ends_with(&format!("/{number}")) {
        let key = text(row, "cle");
        return Err(GristFault::Altered(format!(
            "the row {key} of {} was edited: its number is {number}",
            shared::DOSSIERS
        )));
    }
    let rest = row.get("suites").and_then(Value::as_u64).and_then(|rest| u32::try_from(rest).ok()).unwrap_or_default();
    let parsed = |column: &'static str| text(row, column).parse::<Timestamp>().map_err(|_| unreadable(column));
    if text(row, "empreinte").is_empty() {
        return Ok((number, DossierRecord { held: None, first_seen: None, rest }));
    }
    let digest = |column: &'static str| text(row, column).parse().map_err(|_| unreadable(column));
    let known = KnownDossier { fingerprint: digest("empreinte")?, light: digest("lumiere")?, gone: gone(row)? };
    // Never compared; but a row in which somebody changed it is not as it was written.
    parsed("modifie")?;
    let held = Held { known, last_changed: parsed("changement")? };
    Ok((number, DossierRecord { held: Some(held), first_seen: Some(parsed("premiere_vue")?), rest }))
}

/// The tombstone of a row of `Dn_dossiers`.
pub(super) fn gone(row: &DocRecord) -> Result<Option<Gone>, GristFault> {
    let unreadable =
        |column: &str| GristFault::Altered(format!("a value of {} in {} cannot be read", column, shared::DOSSIERS));
    let word = || text(row, "motif").to_owned();
    let reason = match text(row, "disparu") {
        "" => return Ok(None),
        "pending" => GoneReason::Pending(word()),
        "deleted" => GoneReason::Deleted(word()),
        "missing" => GoneReason::Missing,
        "filtered" => GoneReason::Filtered,
        "retention" => GoneReason::Retention,
        _ => return Err(unreadable("disparu")),
    };
    let at = match text(row, "disparu_le") {
        "" => None,
        at => Some(at.parse().map_err(|_| unreadable("disparu_le"))?),
    };
    Ok(Some(Gone { reason, at }))
}

/// The tombstone as it is kept: what kind, the platform's word, and when.
pub(super) fn tombstone(gone: Option<&Gone>) -> [Value; 3] {
    use GoneReason::{Deleted, Filtered, Missing, Pending, Retention};
    let Some(Gone { reason, at }) = gone else { return [Value::Null, Value::Null, Value::Null] };
    let (kind, word) = match reason {
        Pending(word) => ("pending", Value::from(word.as_str())),
        Deleted(word) => ("deleted", Value::from(word.as_str())),
        Missing => ("missing", Value::Null),
        Filtered => ("filtered", Value::Null),
        Retention => ("retention", Value::Null),
    };
    [kind.into(), word, at.map(|at| at.to_string()).into()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fingerprint::Digest;

    #[test]
    fn a_number_is_read_whole_or_not_at_all() {
        for (value, expected) in [
            (json!(12), Some(12)),
            (json!(4_294_967_295_u32), Some(u32::MAX)),
            (json!(12.0), Some(12)),
            (json!(12.5), None),
            (json!(-1), None),
            (json!("12"), None),
            (json!(4_294_967_296_u64), None),
        ] {
            assert_eq!(number(&value).map(DossierNumber::get), expected, "{value}");
        }
    }

    #[test]
    fn a_count_of_nothing_is_a_count() {
        assert_eq!(counted(&BTreeMap::new()), ".");
        assert_eq!(counted(&BTreeMap::from([(1, 2), (14, 300)])), "1:2 14:300.");
    }

    #[test]
    fn a_tombstone_comes_back_as_it_was() {
        let at = Some(Timestamp::UNIX_EPOCH);
        for gone in [
            None,
            Some(Gone { reason: GoneReason::Missing, at: None }),
            Some(Gone { reason: GoneReason::Pending("user_request".into()), at }),
            Some(Gone { reason: GoneReason::Deleted(String::new()), at: None }),
        ] {
            let [kind, word, at] = tombstone(gone.as_ref());
            let row = shared::row(json!({ "disparu": kind, "motif": word, "disparu_le": at }));
            assert_eq!(super::gone(&row).expect("a tombstone"), gone);
        }
    }

    #[test]
    fn a_dossier_is_held_when_both_tables_have_it() {
        let number = DossierNumber::new(1);
        let digest = Digest::of(b"").to_string();
        let row = shared::row(json!({
            "cle": "dn/12/1", "numero": 1.0, "empreinte": digest, "lumiere": digest, "modifie": "2026-01-15T10:00:00Z",
            "changement": "2026-01-15T10:00:00Z", "premiere_vue": "2026-01-15T10:00:00Z", "suites": 0,
        }));
        let (of, stored) = stored(&row).expect("a row");
        let mut holdings = Holdings { asked: [number].into(), stored: [(of, stored)].into(), ..Holdings::default() };
        assert!(holdings.held(number).is_none() && holdings.known().is_empty());
        holdings.rows.insert(number, vec![4]);
        assert_eq!(holdings.known().len(), 1);
        let begun =
            super::stored(&shared::row(json!({ "cle": "dn/12/1", "numero": 1, "empreinte": "" }))).expect("a row").1;
        holdings.stored.insert(number, begun);
        assert!(holdings.held(number).is_none());
    }
}
