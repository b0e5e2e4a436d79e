//! `dn schema`: the form as a table, through all revisions.

use comfy_table::ColumnConstraint;
use serde::Serialize;

use crate::api::Form;
use crate::cli::args::SchemaArgs;
use crate::cli::context::{Context, has_token, variable};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::failed;
use crate::cli::printer::{answer, answer_json, counted, legible, table};
use crate::config::{self, Instance};
use crate::demarche::{Descriptor, Revision};
use crate::ids::{DemarcheNumber, DescriptorId};

/// Shows the form of every démarche that is named.
pub async fn run(context: &Context, args: &SchemaArgs) -> Result<Exit, CliError> {
    let config = context.config()?;
    let mut exit = Exit::Done;
    for (instance, number) in config::resolve_demarches(&config, &args.demarches.overrides(), &variable)? {
        let one = show(context, &instance, number, args.json).await;
        exit = exit.worse(one.unwrap_or_else(|error| failed(&error)));
    }
    Ok(exit)
}

async fn show(context: &Context, instance: &Instance, number: DemarcheNumber, json: bool) -> Result<Exit, CliError> {
    let client = context.client_with_or_without_token(instance)?;
    if has_token(instance) {
        let demarche = client.demarche(number).await?;
        let title = Title { number, title: &demarche.title, state: &demarche.state };
        match json {
            true => answer_json(&demarche)?,
            false => answer(&render(&title, &demarche.revisions, context.width))?,
        }
    } else {
        // Anybody may read the form of an open démarche, in its revision in force.
        let Form { title, state, revision, .. } = client.demarche_descriptor(number).await?;
        let title = Title { number, title: &title, state: &state };
        match json {
            true => answer_json(&PublicForm { title, revision: revision.as_ref() })?,
            false => answer(&render(&title, revision.as_slice(), context.width))?,
        }
    }
    Ok(Exit::Done)
}

/// What a form is called.
#[derive(Debug, Serialize)]
struct Title<'a> {
    number: DemarcheNumber,
    title: &'a str,
    state: &'a str,
}

/// What `dn schema --json` prints without a token.
#[derive(Debug, Serialize)]
struct PublicForm<'a> {
    #[serde(flatten)]
    title: Title<'a>,
    revision: Option<&'a Revision>,
}

/// One question, as it is in the newest revision that asks it.
struct Line<'a> {
    descriptor: &'a Descriptor,
    depth: usize,
    /// The first and the last revision that ask it, counted from 1.
    first: usize,
    last: usize,
}

fn render(title: &Title<'_>, revisions: &[Revision], width: u16) -> String {
    let mut text = format!(
        "démarche {}: {} ({}); {}\n",
        title.number,
        legible(title.title),
        legible(title.state),
        counted(revisions.len() as u64, "revision")
    );
    type Part = fn(&Revision) -> &[Descriptor];
    let parts: [(&str, Part); 2] = [("Champ", |revision| &revision.champs), ("Annotation", |r| &r.annotations)];
    for (title, part) in parts {
        let lists: Vec<&[Descriptor]> = revisions.iter().map(part).collect();
        let mut lines = Vec::new();
        collect(&lists, 0, &mut lines);
        if lines.is_empty() {
            continue;
        }
        let mut rows = table(&[title, "Type", "Options", "Revisions", "Id"], width);
        for whole in [1, 4] {
            if let Some(column) = rows.column_mut(whole) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        for Line { descriptor, depth, first, last } in &lines {
            let required = if descriptor.required { " *" } else { "" };
            let options = match descriptor.options.len() {
                0 => String::new(),
                count => count.to_string(),
            };
            let revisions = match (*first, *last == revisions.len()) {
                (first, true) => format!("{first} →"),
                (first, false) if first == *last => first.to_string(),
                (first, false) => format!("{first} – {last}"),
            };
            rows.add_row([
                format!("{}{}{required}", "  ".repeat(*depth), legible(&descriptor.label)),
                descriptor.type_de_champ.to_string(),
                options,
                revisions,
                descriptor.id.to_string(),
            ]);
        }
        text.push_str(&format!("{rows}\n"));
    }
    text.push_str("* required\nRevisions are counted from 1, oldest first; “2 →” is asked since the second.\n");
    text
}

/// The questions of all revisions in the order of the newest, then those that it asks no more.
fn collect<'a>(revisions: &[&'a [Descriptor]], depth: usize, lines: &mut Vec<Line<'a>>) {
    let mut seen: Vec<&DescriptorId> = Vec::new();
    for list in revisions.iter().rev() {
        for descriptor in *list {
            if seen.contains(&&descriptor.id) {
                continue;
            }
            seen.push(&descriptor.id);
            let asked: Vec<Option<&Descriptor>> =
                revisions.iter().map(|list| list.iter().find(|other| other.id == descriptor.id)).collect();
            let first = asked.iter().position(Option::is_some).unwrap_or_default() + 1;
            let last = asked.iter().rposition(Option::is_some).unwrap_or_default() + 1;
            lines.push(Line { descriptor, depth, first, last });
            let children: Vec<&[Descriptor]> =
                asked.iter().map(|found| found.map_or(&[][..], |found| found.children.as_slice())).collect();
            collect(&children, depth + 1, lines);
        }
    }
}
