//! Makes the names that targets choose themselves: prefixes of instances, views, technical columns. Names of columns of the
//! form are made in `table::naming`.

use crate::ids::DemarcheNumber;
use crate::plan::RememberedTable;
#[cfg(any(feature = "sqlite", feature = "grist"))]
use crate::privacy::Treatment;
use crate::table::LayoutTable;

/// Columns that every table of dossiers has besides those of its layout.
pub(super) const DOSSIER_COLUMNS: [&str; 4] = ["number", "dn_gone_reason", "dn_gone_at", "dn_seen_at"];

/// Columns that every child table has besides those of its layout.
pub(super) const CHILD_COLUMNS: [&str; 3] = ["dossier_number", "key", "position"];

/// The longest prefix of an instance: with `demarche_` and ten digits it stays within half of the longest name.
const LONGEST_PREFIX: usize = 10;

/// Makes the prefix of an instance's tables: empty for the first instance of a target, its short name for the
/// others. `others` are the prefixes in use. The caller stores the result, as it must never change.
pub(super) fn instance_prefix(instance: &str, others: &[String]) -> String {
    if others.is_empty() {
        return String::new();
    }
    let mut slug: String =
        instance.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
    // The first letters of our own names; and a name that begins with a digit would have to be quoted everywhere.
    let ours = ["demarche", "dn_", "vue", "sqlite"].iter().any(|word| slug.starts_with(word));
    if ours || !slug.starts_with(|c: char| c.is_ascii_lowercase()) {
        slug.insert_str(0, "i_");
    }
    slug.truncate(LONGEST_PREFIX);
    let slug = slug.trim_end_matches('_');
    let taken = |prefix: &String| others.contains(prefix);
    let first = Some(format!("{slug}_")).filter(|prefix| !taken(prefix));
    first.unwrap_or_else(|| {
        (2_u32..)
            .map(|n| format!("{slug}{n}_"))
            .find(|prefix| !taken(prefix))
            .expect("there are fewer instances than u32s")
    })
}

/// Makes the prefix of a démarche's tables.
pub(super) fn demarche_prefix(instance_prefix: &str, demarche: DemarcheNumber) -> String {
    format!("{instance_prefix}demarche_{demarche}")
}

/// Makes the name of the view of a table: `demarche_12_dossiers` is read as `vue_12_dossiers`. Never longer than the
/// table's name, and as unique as it.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) fn view_name(table: &str, instance_prefix: &str, demarche: DemarcheNumber) -> String {
    let prefix = demarche_prefix(instance_prefix, demarche);
    match table.strip_prefix(&prefix) {
        Some(rest) => format!("{instance_prefix}vue_{demarche}{rest}"),
        None => format!("vue_{table}"),
    }
}

/// Finds the table whose view has this name.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(super) fn table_of_view(view: &str, instance_prefix: &str, demarche: DemarcheNumber) -> Option<String> {
    let rest = view.to_ascii_lowercase();
    let rest = rest.strip_prefix(&format!("{instance_prefix}vue_{demarche}_"))?;
    Some(format!("{}_{rest}", demarche_prefix(instance_prefix, demarche)))
}

/// Makes the suffix of a title whose values are withheld.
#[cfg(any(feature = "sqlite", feature = "grist"))]
pub(super) fn withheld(policy: Treatment) -> &'static str {
    match policy {
        Treatment::Include => "",
        Treatment::Pseudonymise => " (pseudonyme)",
        Treatment::Mask => " (masqué)",
        Treatment::Exclude => " (non conservé)",
    }
}

/// Checks that a stored table can become this one: the same names for the same keys, kinds at least as wide, no
/// reserved name. A plan that was made against another target fails here.
pub(super) fn check(wanted: &LayoutTable, known: Option<&RememberedTable>) -> Result<(), String> {
    let technical = if wanted.key.is_child() { &CHILD_COLUMNS[..] } else { &DOSSIER_COLUMNS[..] };
    if wanted.name.is_empty() {
        return Err("a table has no name".to_owned());
    }
    for column in &wanted.columns {
        if column.name.is_empty() || technical.iter().any(|name| name.eq_ignore_ascii_case(&column.name)) {
            return Err(format!("no column of {} may be named `{}`", wanted.name, column.name));
        }
    }
    let Some(known) = known else { return Ok(()) };
    let stale = |what: &str| Err(format!("the plan was made against other tables: {what}"));
    if known.name != wanted.name {
        return stale(&format!("{} is named {} here", wanted.name, known.name));
    }
    for column in &wanted.columns {
        let Some(held) = known.columns.iter().find(|held| held.key == column.spec.key) else { continue };
        if held.name != column.name {
            return stale(&format!("{}.{} is named {} here", wanted.name, column.name, held.name));
        }
        if held.kind.widen(column.spec.kind) != column.spec.kind {
            return stale(&format!("{}.{} would become narrower", wanted.name, column.name));
        }
    }
    Ok(())
}

/// Makes the message about a row of the wrong length.
pub(super) fn wrong_length(table: &str, columns: usize, cells: usize) -> String {
    format!("a row of {cells} cells for the {columns} columns of {table}: it was made for another layout")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_instance_has_no_prefix_and_the_others_have_their_own() {
        let given = |others: &[&str], name: &str| {
            instance_prefix(name, &others.iter().map(|prefix| (*prefix).to_owned()).collect::<Vec<_>>())
        };
        for (others, name, expected) in [
            (&[][..], "Démat Social", ""),
            (&[""][..], "ds", "ds_"),
            (&[""][..], "Démat Social", "d_mat_soci_"),
            (&["", "ds_"][..], "DS", "ds2_"),
            (&["", "ds_", "ds2_"][..], "ds", "ds3_"),
            (&[""][..], "2nd", "i_2nd_"),
            (&[""][..], "demarche_5", "i_demarche_"),
            (&[""][..], "", "i_"),
            (&[""][..], "a-very-long-name-of-an-instance", "a_very_lon_"),
        ] {
            assert_eq!(given(others, name), expected, "{name} after {others:?}");
        }
    }

    #[cfg(feature = "sqlite")]
    #[test]
    fn a_view_is_named_after_its_table() {
        let demarche = DemarcheNumber::new(12);
        assert_eq!(view_name("demarche_12_dossiers", "", demarche), "vue_12_dossiers");
        assert_eq!(view_name("ds_demarche_12_avis", "ds_", demarche), "ds_vue_12_avis");
        assert_eq!(view_name("autre", "", demarche), "vue_autre");
        let table = |view| table_of_view(view, "ds_", demarche);
        assert_eq!(table("ds_vue_12_avis").as_deref(), Some("ds_demarche_12_avis"));
        assert_eq!((table("vue_12_avis"), table("ds_vue_123_avis")), (None, None));
    }
}
