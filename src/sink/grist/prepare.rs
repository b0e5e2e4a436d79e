//! Bringing the tables of a démarche to a layout: one bundle that makes and changes them and remembers it, then one that
//! shows what is new. A run that dies between the two leaves tables that the next one finds by name and shows.

use serde_json::json;

use super::ddl::{self, Wishes};
use super::desk::Desk;
use super::fault::Fault;
use super::memory::Memory;
use super::pages::{self, Dressing};
use super::primer::Primer;
use super::shared::Shared;
use super::state::{FORMAT, Format, Slot};
use super::{files, identity, people, shared, value};
use crate::checkpoint::Checkpoint;
use crate::demarche::Demarche;
use crate::ids::Scope;
use crate::plan::SchemaPlan;
use grist_client::{Action, GristError};

/// What is to be told, and whether rows must be written again for columns that came back.
pub(super) async fn prepare(
    desk: &mut Desk,
    scope: &Scope,
    form: &Demarche,
    plan: &SchemaPlan,
    wishes: Wishes,
) -> Result<(Vec<String>, bool), Fault> {
    if desk.me.is_none() {
        return Err(Fault::ReadOnly);
    }
    desk.settle().await?;
    if !desk.state.is_placed() {
        desk.reread().await?;
    }
    desk.mend().await?;
    let seen = people::compare(&desk.state.memory(scope)?, &desk.state.structure, &desk.state.hidden, wishes.restore)?;
    let changes = ddl::plan(&seen.memory, &desk.state.structure, &plan.layout, wishes)?;
    let owes_remap = seen.owes_remap || changes.owes_remap;
    let missing = desk.state.missing()?;
    let prefix = desk.state.prefix(&scope.instance)?;
    let held = desk.state.format()?;
    let mut format = held.clone();
    format.instances.insert(scope.instance.clone(), prefix);
    format.dressed &= missing.is_empty();
    format.addresses.extend(desk.state.addresses.remove_entry(&scope.instance));
    if format.document.is_none() {
        format.document = Some(identity::here(desk).await?);
    }

    let mut values = vec![
        (FORMAT.to_owned(), value::write(&format)),
        (Slot::Memory.key(scope), value::write(&changes.memory)),
        (Slot::Form.key(scope), value::write(form)),
    ];
    if let Some(checkpoint) = desk.state.checkpoint(scope)? {
        let remap = checkpoint.remap || owes_remap || plan.needs_backfill();
        values.push((Slot::Checkpoint.key(scope), value::write(&Checkpoint { remap, ..checkpoint })));
    }
    if desk.state.primer(scope)?.is_none() {
        values.push((Slot::Primer.key(scope), value::write(&Primer::of(form).text())));
    }
    values.extend(desk.state.blank(scope));
    let values = desk.state.changed(values);
    let (shown, hidden): (Vec<&Shared>, Vec<&Shared>) = missing.into_iter().partition(|table| table.is_for_people());
    let made: Vec<Action> = hidden.iter().flat_map(|table| table.create()).collect();
    let made = files::table(made, &desk.state.structure, wishes.files);
    // The page that tells of runs comes after those of the démarche.
    let shown: Vec<Action> = shown
        .iter()
        .flat_map(|table| table.create())
        .chain(shared::mend(&shared::TABLES, &desk.state.structure))
        .collect();
    let dossiers = shared::of(shared::DOSSIERS).find(&desk.state.structure);
    let uncounted = dossiers.is_some() && !shared::counts_rows(&desk.state.structure);
    let new = !changes.actions.is_empty() || !made.is_empty() || !shown.is_empty();
    if uncounted {
        // A document of an older version, which goes on without where the key may not make columns.
        match desk.send(&[], &[shared::add_counts()], false).await {
            Ok(_) => (desk.state.structure, desk.state.hidden) = desk.reader.structure().await?,
            Err(Fault::Grist(GristError::Blocked { .. } | GristError::Forbidden { .. })) => {}
            Err(fault) => return Err(fault),
        }
    }
    if new || !values.is_empty() {
        let mut actions = changes.actions.clone();
        actions.extend(shown);
        let first = actions.len();
        actions.extend(remember(desk, &values));
        let answers = desk.send(&made, &actions, false).await?;
        desk.state.newcomers.remove(&scope.instance);
        if new {
            (desk.state.structure, desk.state.hidden) = desk.reader.structure().await?;
        }
        let memory = changes.applied(answers.as_deref().map(|answers| &answers[..first]).unwrap_or_default());
        believe(desk, values, answers.map(|answers| answers[first..].to_vec()));
        show(desk, scope, plan, memory?, format).await?;
    } else {
        show(desk, scope, plan, changes.memory, format).await?;
    }
    desk.asked = None;
    let mut notices = seen.notices;
    if wishes.files {
        notices.extend(seen.files);
    }
    if wishes.decisions {
        notices.extend(seen.desk);
    }
    Ok((notices, owes_remap))
}

/// Shows what is new, and remembers by which references the document knows it.
async fn show(
    desk: &mut Desk,
    scope: &Scope,
    plan: &SchemaPlan,
    mut memory: Memory,
    mut format: Format,
) -> Result<(), Fault> {
    pages::resolve(&mut memory, &desk.state.structure);
    let naked = memory.tables.iter().any(|table| !table.dressed)
        || memory.columns().any(|column| !column.dressed && !column.left_out);
    if !naked && format.dressed {
        // Only references are new, if anything is; the next bundle that changes tables remembers them too.
        return Ok(());
    }
    if !desk.state.is_placed() {
        // The answer of the first bundle was lost, and with it the rows of what is kept.
        desk.reread().await?;
    }
    let views = desk.reader.views().await?;
    let crowded = desk.state.demarches().len() > 1;
    let dressing = Dressing::new(&plan.layout, &mut memory, &desk.state.structure, &views, crowded);
    let mut actions = dressing.actions(!format.dressed);
    format.dressed = true;
    let values = vec![(FORMAT.to_owned(), value::write(&format)), (Slot::Memory.key(scope), value::write(&memory))];
    let values = desk.state.changed(values);
    let first = actions.len();
    actions.extend(remember(desk, &values));
    let answers = desk.send(&[], &actions, false).await?;
    believe(desk, values, answers.map(|answers| answers[first..].to_vec()));
    Ok(())
}

/// The actions that keep some values. Not upserts: Grist does not take them beside changes of tables.
fn remember(desk: &Desk, values: &[(String, String)]) -> Vec<Action> {
    let action = |(key, kept): &(String, String)| {
        let cells = shared::row(json!({ "cle": key, "valeur": kept, "empreinte": value::seal(key, kept).to_string() }));
        let table = shared::STATE.to_owned();
        match desk.state.kept.get(key).and_then(|kept| kept.id) {
            Some(row) => Action::UpdateRecord { table, row, values: cells },
            None => Action::AddRecord { table, row: None, values: cells },
        }
    };
    values.iter().map(action).collect()
}

/// Believes them, with the rows that they were given.
fn believe(desk: &mut Desk, values: Vec<(String, String)>, answers: Option<Vec<serde_json::Value>>) {
    let keys: Vec<String> = values.iter().map(|(key, _)| key.clone()).collect();
    desk.state.keep(values);
    for (key, answer) in keys.iter().zip(answers.unwrap_or_default()) {
        if let (Some(kept), Some(id)) = (desk.state.kept.get_mut(key), answer.as_i64()) {
            kept.id = Some(id);
        }
    }
}
