//! Creates the views of a démarche: French titles, existing dossiers only.

use std::collections::{BTreeMap, BTreeSet};

use super::dialect::quoted;
use super::fault::Fault;
use super::remember;
use super::store::{Fields, Store};
use crate::ids::Scope;
use crate::privacy::Treatment;
use crate::sink::names;
use crate::table::{Layout, LayoutColumn, LayoutTable};

/// Drops the views of a démarche.
pub(super) async fn drop<S: Store>(store: &mut S, scope: &Scope) -> Result<(), Fault> {
    let query = "SELECT view FROM dn_tables WHERE instance = $1 AND demarche = $2";
    for row in store.rows(query.into(), &remember::whose(scope)).await? {
        store.script(format!("DROP VIEW IF EXISTS {}", quoted(row.text("view")?))).await?;
    }
    Ok(())
}

/// Creates the views of a stored layout. Leaves correct views alone.
pub(super) async fn create<S: Store>(store: &mut S, scope: &Scope, prefix: &str, layout: &Layout) -> Result<(), Fault> {
    let mut there = BTreeMap::new();
    for row in store.rows(S::VIEWS.into(), &[]).await? {
        there.insert(row.text("name")?.to_owned(), row.maybe_text("statement")?.map(str::to_owned));
    }
    let ages = ages(store, scope).await?;
    let dossiers = layout.tables.first().map(|table| table.name.as_str()).unwrap_or_default();
    for table in &layout.tables {
        let view = names::view_name(&table.name, prefix, scope.demarche);
        let ages = ages.get(&table.name).map(Vec::as_slice).unwrap_or_default();
        let statement = text(&view, table, dossiers, &titles(table, ages, S::LONGEST_TITLE));
        match there.get(&view) {
            Some(Some(made_by)) if *made_by == statement => continue,
            // A view of a user depends on it: it keeps its old titles until that one is dropped.
            Some(_) if !store.drop_view(&view).await? => {
                tracing::warn!(view, "a view keeps its old titles: another one reads it");
                continue;
            }
            Some(_) | None => {}
        }
        store.script(statement.clone()).await?;
        if let Some(keep) = S::KEEP_VIEW {
            store.run(keep.into(), &[(&view).into(), (&statement).into()]).await?;
        }
    }
    Ok(())
}

/// The columns of each table, oldest first.
async fn ages<S: Store>(store: &mut S, scope: &Scope) -> Result<BTreeMap<String, Vec<String>>, Fault> {
    let tables = remember::tables(store, scope).await?;
    let names = |table: crate::plan::RememberedTable| {
        (table.name, table.columns.into_iter().map(|column| column.name).collect())
    };
    Ok(tables.into_iter().map(names).collect())
}

/// The title of the dossier's number in every view.
const NUMBER: &str = "Dossier n°";
/// The title of a child row's place, from 1.
const RANK: &str = "Rang";
/// The title of the date at which this version was first seen.
const SEEN: &str = "Changement vu le";

fn text(view: &str, table: &LayoutTable, dossiers: &str, titles: &BTreeMap<&str, String>) -> String {
    let column = |expression: &str, title: &str| format!("  {expression} AS {}", quoted(title));
    let mut lines = Vec::new();
    if table.key.is_child() {
        lines.push(column("\"dossier_number\"", NUMBER));
        lines.push(column("\"position\" + 1", RANK));
    } else {
        lines.push(column("\"number\"", NUMBER));
    }
    for layout in &table.columns {
        lines.push(column(&quoted(&layout.name), titles.get(layout.name.as_str()).unwrap_or(&layout.name)));
    }
    let source = quoted(&table.name);
    let end = if table.key.is_child() {
        format!(
            "WHERE \"dossier_number\" IN (SELECT \"number\" FROM {} WHERE \"dn_gone_reason\" IS NULL)",
            quoted(dossiers)
        )
    } else {
        lines.push(column("\"dn_seen_at\"", SEEN));
        "WHERE \"dn_gone_reason\" IS NULL".to_owned()
    };
    format!("CREATE VIEW {} AS\nSELECT\n{}\nFROM {source}\n{end}", quoted(view), lines.join(",\n"))
}

/// Makes the titles unique: the oldest of several equal titles keeps it, and the others add their column name, so that a
/// new question changes no title. No title is longer than `longest` bytes.
fn titles<'a>(table: &'a LayoutTable, ages: &[String], longest: usize) -> BTreeMap<&'a str, String> {
    let fixed = if table.key.is_child() { [NUMBER, RANK] } else { [NUMBER, SEEN] };
    let mut taken: BTreeSet<String> = fixed.iter().map(|title| title.to_lowercase()).collect();
    let mut columns: Vec<_> = table.columns.iter().collect();
    columns.sort_by_key(|column| ages.iter().position(|name| *name == column.name).unwrap_or(usize::MAX));
    let mut titles = BTreeMap::new();
    for column in columns {
        let title = (1..).map(|attempt| candidate(column, attempt, longest));
        let free = title.into_iter().find(|title| taken.insert(title.to_lowercase()));
        titles.insert(column.name.as_str(), free.expect("among endless titles one is free"));
    }
    titles
}

/// Lists the titles to try for a column.
fn candidate(column: &LayoutColumn, attempt: u32, longest: usize) -> String {
    let title = clean(&column.spec.title);
    let title = if title.is_empty() { column.name.as_str() } else { title.as_str() };
    let withheld = withheld(column.spec.policy);
    let named = format!("{withheld} ({})", column.name);
    match attempt {
        1 => fitted(title, withheld, longest),
        2 if named.len() < longest / 2 => fitted(title, &named, longest),
        2 => column.name.clone(),
        more => fitted(&column.name, &format!(" ({more})"), longest),
    }
}

/// Appends a suffix to a title within so many bytes, by cutting the title.
fn fitted(title: &str, end: &str, longest: usize) -> String {
    const CUT: &str = "…";
    if title.len() + end.len() <= longest {
        return format!("{title}{end}");
    }
    let room = longest.saturating_sub(end.len() + CUT.len());
    format!("{}{CUT}{end}", title[..title.floor_char_boundary(room)].trim_end())
}

/// Returns the suffix of a title whose values are withheld.
fn withheld(policy: Treatment) -> &'static str {
    match policy {
        Treatment::Include => "",
        Treatment::Pseudonymise => " (pseudonyme)",
        Treatment::Mask => " (masqué)",
        Treatment::Exclude => " (non conservé)",
    }
}

/// The title on one line. U+0000 would end the statement.
fn clean(title: &str) -> String {
    let spaced: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{CellKind, ColumnKey, ColumnSpec, Origin, TableKey};

    fn column(name: &str, title: &str, policy: Treatment) -> LayoutColumn {
        let spec = ColumnSpec {
            key: ColumnKey::Fixed(name.to_owned()),
            title: title.to_owned(),
            kind: CellKind::Text,
            description: None,
            options: Vec::new(),
            origin: Origin::Fixed,
            policy,
        };
        LayoutColumn { name: name.to_owned(), spec }
    }

    #[test]
    fn titles_fit_and_stay_apart() {
        let long = "Précisez la nature des travaux qui ont été réalisés depuis la dernière demande";
        let endless = "n".repeat(63);
        let columns = vec![
            column("un", long, Treatment::Include),
            column("deux", long, Treatment::Include),
            column("trois", long, Treatment::Exclude),
            column(&endless, long, Treatment::Include),
            column("cinq", &endless, Treatment::Include),
            column("six", "rang", Treatment::Mask),
            column("sept", "RANG", Treatment::Include),
        ];
        let key = TableKey::Messages;
        let table = LayoutTable { key, name: "t".to_owned(), title: "T".to_owned(), columns };
        let shown = |longest| {
            let titles = titles(&table, &[], longest);
            table.columns.iter().map(|column| titles[column.name.as_str()].clone()).collect::<Vec<_>>()
        };
        let cut = shown(63);
        let expected = [
            "Précisez la nature des travaux qui ont été réalisés dep…",
            "Précisez la nature des travaux qui ont été réalis… (deux)",
            "Précisez la nature des travaux qui ont ét… (non conservé)",
            &endless,
            "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn… (cinq)",
            "rang (masqué)",
            "RANG (sept)",
        ];
        assert_eq!(cut, expected);
        assert!(cut.iter().all(|title| title.len() <= 63));
        assert_eq!(shown(usize::MAX)[2..4], [format!("{long} (non conservé)"), format!("{long} ({endless})")]);
    }
}
