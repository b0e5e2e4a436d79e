//! Removes personal data at the end of a term, inside the transaction of its batch.

use super::dialect::quoted;
use super::fault::Fault;
use super::remember::whose;
use super::store::Store;
use super::value::Value;
use crate::ids::{DossierNumber, Scope};
use crate::plan::Write;
use crate::plan::decide::{NOTHING, nothing};
use crate::privacy::NOT_KEPT;
use crate::sink::Prepared;
use crate::sink::settle::Step;

/// Purges dossiers, and empties the texts of intents about every anonymised or purged dossier. Returns the number of
/// purged dossiers.
pub(super) async fn forget<S: Store>(store: &mut S, prepared: &Prepared, steps: &[Step<'_>]) -> Result<u64, Fault> {
    let emptied: Vec<DossierNumber> = steps.iter().filter(|step| step.empties()).map(|step| step.number).collect();
    if emptied.is_empty() {
        return Ok(0);
    }
    let scope = prepared.scope();
    let mut purged = Vec::new();
    for step in steps {
        if let Write::Purge { light } = step.write {
            let at = step.changed_at;
            purged.push(step.number);
            let update = "UPDATE dn_dossiers SET state = '', fingerprint = $1, light = $2, updated_at = $3, \
                          gone = 'retention', gone_reason = NULL, gone_at = $3, first_seen = $3, last_changed = $3, \
                          document = $4, row_counts = NULL WHERE instance = $5 AND demarche = $6 AND number = $7";
            let [instance, demarche] = whose(scope);
            let values = [
                nothing().into(),
                light.into(),
                at.into(),
                Value::Document(NOTHING.into()),
                instance,
                demarche,
                step.number.into(),
            ];
            store.run(update.into(), &values).await?;
        }
    }
    // Children first, as a foreign key refers to their dossier.
    for table in prepared.layout().tables.iter().rev().filter(|_| !purged.is_empty()) {
        let key = if table.key.is_child() { "dossier_number" } else { "number" };
        let delete = format!("DELETE FROM {} WHERE {}", quoted(&table.name), S::among(key, 1));
        store.run(delete.into(), &[Value::Numbers(&purged)]).await?;
    }
    empty_intents(store, scope, &emptied).await?;
    Ok(purged.len() as u64)
}

/// Empties the texts and authors of intents. The lines stay, as their ids prevent a decision from being sent twice. Pending
/// intents keep their texts.
async fn empty_intents<S: Store>(store: &mut S, scope: &Scope, emptied: &[DossierNumber]) -> Result<(), Fault> {
    let cleared = |columns: &[&str], place: usize| -> String {
        let one = |column: &&str| format!("{column} = CASE WHEN {column} IS NOT NULL THEN ${place} END");
        columns.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let update = format!(
        "UPDATE dn_status_updates SET {}, {}, progress = NULL \
         WHERE instance = $3 AND demarche = $4 AND {} AND status <> 'pending'",
        cleared(&["author", "motivation", "message", "file", "words"], 1),
        cleared(&["annotations"], 2),
        S::among("number", 5)
    );
    let [instance, demarche] = whose(scope);
    let values = [NOT_KEPT.into(), Value::Json("[]"), instance.clone(), demarche.clone(), Value::Numbers(emptied)];
    store.run(update.into(), &values).await?;
    let update = format!(
        "UPDATE dn_status_trail SET {} WHERE instance = $2 AND demarche = $3 AND {}",
        cleared(&["author", "words"], 1),
        S::among("number", 4)
    );
    store.run(update.into(), &[NOT_KEPT.into(), instance, demarche, Value::Numbers(emptied)]).await
}
