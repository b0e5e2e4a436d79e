//! Compares rows with the expected ones, and finds rows of no dossier.

use std::collections::BTreeMap;

use super::dialect::quoted;
use super::fault::Fault;
use super::remember::{self, whose};
use super::rows::{self, Written};
use super::store::{Fields, Insert, Store};
use super::value::Value;
use super::{ddl, read};
use crate::ids::{DossierNumber, Scope};
use crate::report::{RowDifference, RowFault};
use crate::sink::compare::Differences;
use crate::sink::{ExpectedDossier, InstanceAddress, Prepared};
use crate::table::{Layout, TableKey};

/// The expected rows of some dossiers in one table.
pub(in crate::sink) struct Wanted<'a> {
    /// The rows as they would be inserted: number first, key of a child row second.
    pub rows: Insert<'a>,
    /// Number of key columns.
    pub keys: usize,
    /// The dossiers.
    pub numbers: &'a [DossierNumber],
}

/// The condition for dossiers with rows: all but purged ones.
const KEPT: &str = "d.instance = $1 AND d.demarche = $2 AND (d.gone IS NULL OR d.gone <> 'retention')";

/// Finds the differences that counting rows shows.
pub(in crate::sink) async fn survey<S: Store>(
    store: &mut S,
    scope: &Scope,
    limit: u32,
) -> Result<Vec<RowDifference>, Fault> {
    let mut found = Differences::default();
    for table in remember::tables(store, scope).await? {
        let (name, child) = (quoted(&table.name), table.key.is_child());
        let (number, key) = number_and_key(&table.key);
        let held = format!("(SELECT {number} AS number, count(*) AS held FROM {name} GROUP BY {number})");
        let (expected, counted) = match child {
            true => (S::row_count("d.row_counts", &table.name), "d.row_counts IS NOT NULL"),
            // Duplicates are reported as such below.
            false => ("CAST(1 AS bigint)".to_owned(), "c.held IS NULL"),
        };
        let wrong = format!(
            "SELECT d.number AS number, coalesce(c.held, 0) AS held, {expected} AS expected FROM dn_dossiers AS d \
             LEFT JOIN {held} AS c ON c.number = d.number \
             WHERE {KEPT} AND {counted} AND coalesce(c.held, 0) <> {expected} ORDER BY d.number LIMIT $3"
        );
        for row in query(store, scope, wrong, limit).await? {
            let (held, expected) = (row.integer("held")?, row.integer("expected")?);
            let fault = if held < expected { RowFault::Missing } else { RowFault::Extra };
            found.add(number_of(&row)?, &table.name, fault, held.abs_diff(expected));
        }
        let doubled = format!(
            "SELECT k.number AS number, CAST(sum(k.held - 1) AS bigint) AS held FROM \
             (SELECT {number} AS number, count(*) AS held FROM {name} GROUP BY {key} HAVING count(*) > 1) AS k \
             JOIN dn_dossiers AS d ON d.number = k.number WHERE {KEPT} GROUP BY k.number ORDER BY k.number LIMIT $3"
        );
        for row in query(store, scope, doubled, limit).await? {
            found.add(number_of(&row)?, &table.name, RowFault::Doubled, row.integer("held")?.unsigned_abs());
        }
        let unknown = format!(
            "SELECT c.number AS number, c.held AS held FROM {held} AS c WHERE NOT EXISTS \
             (SELECT 1 FROM dn_dossiers AS d WHERE {KEPT} AND d.number = c.number) ORDER BY c.number LIMIT $3"
        );
        for row in query(store, scope, unknown, limit).await? {
            found.add(number_of(&row)?, &table.name, RowFault::Unknown, row.integer("held")?.unsigned_abs());
        }
    }
    Ok(found.into_list())
}

/// The columns of the number of the dossier, and of the key.
fn number_and_key(key: &TableKey) -> (&'static str, &'static str) {
    if key.is_child() { ("\"dossier_number\"", "\"dossier_number\", \"key\"") } else { ("\"number\"", "\"number\"") }
}

async fn query<S: Store>(store: &mut S, scope: &Scope, query: String, limit: u32) -> Result<Vec<S::Row>, Fault> {
    let [instance, demarche] = whose(scope);
    store.rows(query.into(), &[instance, demarche, limit.into()]).await
}

fn number_of(row: &impl Fields) -> Result<Option<DossierNumber>, Fault> {
    Ok(row.maybe_integer("number")?.and_then(|number| u32::try_from(number).ok()).map(DossierNumber::new))
}

/// Compares the rows of some dossiers, cell by cell.
pub(in crate::sink) async fn compare<S: Store>(
    store: &mut S,
    scope: &Scope,
    layout: &Layout,
    expected: &[ExpectedDossier],
) -> Result<Vec<RowDifference>, Fault> {
    ddl::as_left(store, scope, layout).await?;
    let numbers: Vec<DossierNumber> = expected.iter().map(|dossier| dossier.row.number).collect();
    let written: Vec<Written<'_>> = expected
        .iter()
        .map(|dossier| Written {
            row: &dossier.row,
            gone: dossier.gone.as_ref(),
            changed_at: dossier.last_changed,
            fresh: true,
        })
        .collect();
    let all: Vec<&Written<'_>> = written.iter().collect();
    let mut children = rows::by_table(layout, &written)?;
    let mut found = Differences::default();
    for (position, table) in layout.tables.iter().enumerate() {
        let (rows, keys) = match table.key.is_child() {
            true => (rows::of_children(table, &std::mem::take(&mut children[position]))?, 2),
            false => (rows::of_dossiers(table, &all, true)?, 1),
        };
        store.compare(&mut found, &Wanted { rows, keys, numbers: &numbers }).await?;
    }
    compare_documents(store, scope, layout, expected, &numbers, &mut found).await?;
    Ok(found.into_list())
}

/// Compares the state of each dossier and its number of rows with its document.
async fn compare_documents<S: Store>(
    store: &mut S,
    scope: &Scope,
    layout: &Layout,
    expected: &[ExpectedDossier],
    numbers: &[DossierNumber],
    found: &mut Differences,
) -> Result<(), Fault> {
    const TABLE: &str = "dn_dossiers";
    let select = format!(
        "SELECT number, state, CAST(row_counts AS text) AS row_counts FROM dn_dossiers \
         WHERE instance = $1 AND demarche = $2 AND {}",
        S::among("number", 3)
    );
    let [instance, demarche] = whose(scope);
    let mut held = BTreeMap::new();
    for row in store.rows(select.into(), &[instance, demarche, Value::Numbers(numbers)]).await? {
        let counts = row.maybe_text("row_counts")?.map(str::to_owned);
        held.insert(number_of(&row)?, (row.text("state")?.to_owned(), counts));
    }
    for dossier in expected {
        let row = &dossier.row;
        // A dossier that was removed since the documents were read is left to the next comparison.
        let Some((state, counts)) = held.get(&Some(row.number)) else { continue };
        if state != row.state.as_str() {
            found.add_changed(row.number, TABLE, ["state"]);
        }
        match counts {
            None => found.add(Some(row.number), TABLE, RowFault::Uncounted, 1),
            Some(counts) if *counts != rows::counts(layout, row) => {
                found.add_changed(row.number, TABLE, ["row_counts"]);
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Removes rows of no dossier, inside a transaction, and returns their number.
pub(in crate::sink) async fn remove_unknown<S: Store>(store: &mut S, prepared: &Prepared) -> Result<u64, Fault> {
    let mut removed = 0;
    // Children first, as a foreign key refers to their dossier.
    for table in prepared.layout().tables.iter().rev() {
        let (number, _) = number_and_key(&table.key);
        let name = quoted(&table.name);
        let delete = format!(
            "DELETE FROM {name} WHERE NOT EXISTS (SELECT 1 FROM dn_dossiers AS d WHERE {KEPT} \
             AND d.number = {name}.{number}) RETURNING {number} AS number"
        );
        removed += store.rows(delete.into(), &whose(prepared.scope())).await?.len() as u64;
    }
    Ok(removed)
}

/// Reads the instances with their addresses.
pub(in crate::sink) async fn instances<S: Store>(
    store: &mut S,
) -> Result<Vec<(String, Option<InstanceAddress>)>, Fault> {
    let rows = store.rows("SELECT name, platform, url FROM dn_instances ORDER BY name".into(), &[]).await?;
    let instance = |row: &S::Row| {
        let platform = row.maybe_text("platform")?.map(str::to_owned);
        let url = row.maybe_text("url")?.map(str::to_owned);
        let address = platform.zip(url).map(|(platform, url)| InstanceAddress { platform, url });
        Ok((row.text("name")?.to_owned(), address))
    };
    rows.iter().map(instance).collect()
}

/// Stores the address of an instance, inside a transaction.
pub(in crate::sink) async fn keep_address<S: Store>(
    store: &mut S,
    instance: &str,
    address: &InstanceAddress,
    was: Option<&InstanceAddress>,
) -> Result<(), Fault> {
    remember::register(store, instance).await?;
    let held = instances(store).await?.into_iter().find(|(name, _)| name == instance);
    if held.is_some_and(|(_, held)| held.as_ref() != was) {
        return Ok(());
    }
    let update = "UPDATE dn_instances SET platform = $1, url = $2 WHERE name = $3";
    store.run(update.into(), &[(&address.platform).into(), (&address.url).into(), instance.into()]).await
}

/// Finds which of these dossiers have a row in a table of dossiers, whatever `dn_dossiers` says.
pub(super) async fn present<S: Store>(
    store: &mut S,
    table: &str,
    numbers: &[DossierNumber],
) -> Result<Vec<DossierNumber>, Fault> {
    let select = format!("SELECT \"number\" AS number FROM {} WHERE {}", quoted(table), S::among("number", 1));
    let rows = store.rows(select.into(), &[Value::Numbers(numbers)]).await?;
    rows.iter().map(read::number).collect()
}
