//! Brings the tables of a démarche to a layout: one bundle that makes and changes them and remembers it, then one that
//! shows what is new. A run that dies between the two leaves tables that the next one finds by name and shows.

use grist_client::{Action, ColRef, GristError};
use serde_json::json;

use super::ddl::{self, Wishes};
use super::dictionary::Dictionary;
use super::fault::GristFault;
use super::journal::Notice;
use super::memory::{DocumentMemory, Style};
use super::pages::{self, Dressing, Views};
use super::session::DocumentSession;
use super::shared::Shared;
use super::state::{DocumentFormat, FORMAT, STYLED, Slot};
use super::{identity, shared, stray, user_edits, value};
use crate::checkpoint::Checkpoint;
use crate::demarche::Demarche;
use crate::ids::Scope;
use crate::plan::SchemaPlan;

/// Brings the tables to a layout. Returns notices, and true if rows must be written again for columns that came back.
pub(super) async fn prepare(
    session: &mut DocumentSession,
    scope: &Scope,
    form: &Demarche,
    plan: &SchemaPlan,
    wishes: Wishes<'_>,
) -> Result<(Vec<Notice>, bool), GristFault> {
    if session.me.is_none() {
        return Err(GristFault::ReadOnly);
    }
    session.settle().await?;
    if !session.state.is_placed() {
        session.reread().await?;
    }
    session.mend().await?;
    let platform = platform(session, scope)?;
    let wishes = Wishes { platform: platform.as_deref(), ..wishes };
    let edits = user_edits::compare(
        &session.state.memory(scope)?,
        &session.state.structure,
        &session.state.hidden,
        wishes.restore,
        wishes.extensions,
    )?;
    let changes = ddl::plan(&edits.memory, &session.state.structure, &plan.layout, wishes)?;
    let owes_remap = edits.owes_remap || changes.owes_remap;
    let missing = session.state.missing()?;
    let prefix = session.state.prefix(&scope.instance)?;
    let held = session.state.format()?;
    let mut format = held.clone();
    if changes.memory.style != Style::First {
        format.version = format.version.max(STYLED);
    }
    format.instances.insert(scope.instance.clone(), prefix);
    format.dressed &= missing.is_empty() && !wishes.restyle;
    format.addresses.extend(session.state.addresses.remove_entry(&scope.instance));
    if format.document.is_none() {
        format.document = Some(identity::here(session).await?);
    }

    let mut values = vec![
        (FORMAT.to_owned(), value::write(&format)),
        (Slot::Memory.key(scope), value::write(&changes.memory)),
        (Slot::Form.key(scope), value::write(form)),
    ];
    if let Some(checkpoint) = session.state.checkpoint(scope)? {
        let remap = checkpoint.remap || owes_remap || plan.needs_backfill();
        values.push((Slot::Checkpoint.key(scope), value::write(&Checkpoint { remap, ..checkpoint })));
    }
    if session.state.dictionary(scope)?.is_none() {
        values.push((Slot::Dictionary.key(scope), value::write(&Dictionary::of(form).text())));
    }
    values.extend(session.state.blank(scope));
    let values = session.state.changed(values);
    let (shown, hidden): (Vec<&Shared>, Vec<&Shared>) = missing.into_iter().partition(|table| table.is_for_people());
    let made: Vec<Action> = hidden.iter().flat_map(|table| table.create()).collect();
    let of_features =
        wishes.extensions.wanted().flat_map(|extension| extension.missing_tables(&session.state.structure));
    let is_new_document = session.state.demarches().is_empty() && !made.is_empty();
    // It goes first: with a table, every page goes that has no widget yet.
    let stray = if is_new_document { stray::untouched(session).await } else { None };
    let made: Vec<Action> = stray.into_iter().chain(made).chain(of_features).collect();
    // The page that tells of runs comes after those of the démarche.
    let shown: Vec<Action> = shown
        .iter()
        .flat_map(|table| table.create())
        .chain(shared::mend(&shared::TABLES, &session.state.structure))
        .collect();
    let dossiers = shared::of(shared::DOSSIERS).find(&session.state.structure);
    let uncounted = dossiers.is_some() && !shared::counts_rows(&session.state.structure);
    let new = !changes.actions.is_empty() || !made.is_empty() || !shown.is_empty();
    if uncounted {
        // A document of an older version, which goes on without where the key may not make columns.
        match session.send(&[], &[shared::add_counts()], false).await {
            Ok(_) => session.reread_structure().await?,
            Err(GristFault::Grist(GristError::Blocked { .. } | GristError::Forbidden { .. })) => {}
            Err(fault) => return Err(fault),
        }
    }
    if new || !values.is_empty() {
        let mut actions = changes.actions.clone();
        actions.extend(shown);
        if changes.makes_columns() {
            actions.extend(shared::fence(&session.state.structure));
        }
        let first = actions.len();
        actions.extend(remember(session, &values));
        let answers = session.send(&made, &actions, false).await?;
        session.state.newcomers.remove(&scope.instance);
        if new {
            session.reread_structure().await?;
        }
        let memory = changes.applied(answers.as_deref().map(|answers| &answers[..first]).unwrap_or_default());
        believe(session, values, answers.map(|answers| answers[first..].to_vec()));
        show(session, scope, plan, memory?, format, wishes.restyle).await?;
    } else {
        show(session, scope, plan, changes.memory, format, wishes.restyle).await?;
    }
    session.asked = None;
    Ok((edits.notices, owes_remap))
}

/// The address at which a browser finds the dossiers of a démarche, if that of the platform is known.
fn platform(session: &DocumentSession, scope: &Scope) -> Result<Option<String>, GristFault> {
    let kept = session.state.format()?.addresses.remove(&scope.instance);
    let address = session.state.addresses.get(&scope.instance).cloned().or(kept);
    let url = address.and_then(|address| url::Url::parse(&address.url).ok());
    let root = url.map(|url| url.origin().ascii_serialization());
    Ok(root.map(|root| format!("{root}/procedures/{}", scope.demarche)))
}

/// Shows what is new, and remembers by which references the document knows it.
async fn show(
    session: &mut DocumentSession,
    scope: &Scope,
    plan: &SchemaPlan,
    mut memory: DocumentMemory,
    mut format: DocumentFormat,
    restyle: bool,
) -> Result<(), GristFault> {
    pages::resolve(&mut memory, &session.state.structure);
    let naked = memory.tables.iter().any(|table| !table.dressed)
        || memory.columns().any(|column| !column.dressed && !column.left_out);
    let mut bare = memory.pages.iter().any(|page| page.made.is_empty());
    if !naked && !bare && format.dressed {
        // Only references are new, if anything is; the next bundle that changes tables remembers them too.
        return Ok(());
    }
    if !session.state.is_placed() {
        // The answer of the first bundle was lost, and with it the rows of what is kept.
        session.reread().await?;
    }
    if naked || !format.dressed {
        let views = session.reader.views().await?;
        let crowded = session.state.demarches().len() > 1;
        let first = memory.pages.is_empty();
        let new: Vec<ColRef> =
            memory.columns().filter(|column| !column.dressed).filter_map(|column| column.col_ref).collect();
        let mut dressing = Dressing::new(&plan.layout, &mut memory, &session.state.structure, &views, crowded);
        dressing.restyle = restyle;
        let mut actions = dressing.actions(!format.dressed);
        format.dressed = true;
        actions.extend(session.extensions.wanted().flat_map(|extension| extension.dress(&memory, &new)));
        let mut values =
            vec![(FORMAT.to_owned(), value::write(&format)), (Slot::Memory.key(scope), value::write(&memory))];
        if crowded && first {
            let (renames, remembered) = crowd(session, scope, &views)?;
            actions.extend(renames);
            values.extend(remembered);
        }
        commit(session, actions, values).await?;
        bare = memory.pages.iter().any(|page| page.made.is_empty());
    }
    if bare {
        // Widgets have their references now.
        session.reread_structure().await?;
        let views = session.reader.views().await?;
        let actions = pages::arrange(&plan.layout, &mut memory, &session.state.structure, &views);
        commit(session, actions, vec![(Slot::Memory.key(scope), value::write(&memory))]).await?;
    }
    Ok(())
}

/// Values of the state under their keys.
type KeptValues = Vec<(String, String)>;

/// Renames the pages of a démarche that was alone in its document until now.
fn crowd(session: &DocumentSession, scope: &Scope, views: &Views) -> Result<(Vec<Action>, KeptValues), GristFault> {
    let (mut actions, mut values) = (Vec::new(), Vec::new());
    let own = scope.to_string();
    for other in session.state.demarches().into_iter().filter(|other| *other != own) {
        let Some((_, number)) = other.rsplit_once('/') else { continue };
        let Ok(demarche) = number.parse() else { continue };
        let instance = other[..other.len() - number.len() - 1].to_owned();
        let scope = Scope { instance, demarche };
        let mut memory = session.state.memory(&scope)?;
        let title = session.state.form(&scope)?.map(|form| form.title).unwrap_or_default();
        let renames = pages::crowd(&mut memory, views, &pages::demarche_title(&title, demarche));
        if !renames.is_empty() {
            actions.extend(renames);
            values.push((Slot::Memory.key(&scope), value::write(&memory)));
        }
    }
    Ok((actions, values))
}

/// Sends actions with the values that are to be kept.
async fn commit(session: &mut DocumentSession, mut actions: Vec<Action>, values: KeptValues) -> Result<(), GristFault> {
    let values = session.state.changed(values);
    let first = actions.len();
    actions.extend(remember(session, &values));
    let answers = session.send(&[], &actions, false).await?;
    believe(session, values, answers.map(|answers| answers[first..].to_vec()));
    Ok(())
}

/// The actions that keep some values. Not upserts: Grist does not take them beside changes of tables.
pub(super) fn remember(session: &DocumentSession, values: &[(String, String)]) -> Vec<Action> {
    let action = |(key, kept): &(String, String)| {
        let cells = shared::row(json!({ "cle": key, "valeur": kept, "empreinte": value::seal(key, kept).to_string() }));
        let table = shared::STATE.to_owned();
        match session.state.kept.get(key).and_then(|kept| kept.id) {
            Some(row) => Action::UpdateRecord { table, row, values: cells },
            None => Action::AddRecord { table, row: None, values: cells },
        }
    };
    values.iter().map(action).collect()
}

/// Believes them, with the rows that they were given.
pub(super) fn believe(
    session: &mut DocumentSession,
    values: Vec<(String, String)>,
    answers: Option<Vec<serde_json::Value>>,
) {
    let keys: Vec<String> = values.iter().map(|(key, _)| key.clone()).collect();
    session.state.keep(values);
    for (key, answer) in keys.iter().zip(answers.unwrap_or_default()) {
        if let (Some(kept), Some(id)) = (session.state.kept.get_mut(key), answer.as_i64()) {
            kept.id = Some(id);
        }
    }
}
