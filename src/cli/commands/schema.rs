//! `dn schema`: the form as a table, through all revisions.

use clap::Args;
use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table};
use serde::Serialize;

use crate::api::Form;
use crate::cli::context::{Context, variable};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::failed;
use crate::cli::flags::DemarcheArgs;
use crate::cli::printer::{answer, answer_json, counted, legible, table};
use crate::config::{self, Instance};
use crate::cycle;
use crate::demarche::{Descriptor, Revision};
use crate::ids::{DemarcheNumber, DescriptorId};

/// `dn schema`.
#[derive(Clone, Debug, Args)]
pub struct SchemaArgs {
    /// The démarches.
    #[command(flatten)]
    pub demarches: DemarcheArgs,
    /// Print the démarche as one JSON object, with every revision [default: a table]
    #[arg(long)]
    pub json: bool,
}

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
    let client = cycle::client_or_anonymous(instance, &context.secrets)?;
    if context.secrets.read("token", &instance.token.value).is_ok() {
        let demarche = client.demarche(number).await?;
        let title = Title { number, title: &demarche.title, state: &demarche.state };
        match json {
            true => answer_json(&demarche)?,
            false => answer(&render(&title, &demarche.revisions, Layout::of(context)))?,
        }
    } else {
        // Anybody may read the form of an open démarche, in its revision in force.
        let Form { title, state, revision, .. } = client.demarche_descriptor(number).await?;
        let title = Title { number, title: &title, state: &state };
        match json {
            true => answer_json(&PublicForm { title, revision: revision.as_ref() })?,
            false => answer(&render(&title, revision.as_slice(), Layout::of(context)))?,
        }
    }
    Ok(Exit::Done)
}

/// The title of a form.
#[derive(Debug, Serialize)]
struct Title<'a> {
    number: DemarcheNumber,
    title: &'a str,
    state: &'a str,
}

/// The object that `dn schema --json` prints without a token.
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

/// The layout of questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// In a table of this width, for the eyes: long questions are wrapped.
    Table(u16),
    /// One line a question, the question last: for `grep`, `less -S` and mails.
    Lines,
}

impl Layout {
    fn of(context: &Context) -> Self {
        match context.around.stdout_is_terminal {
            true => Self::Table(context.width),
            false => Self::Lines,
        }
    }

    /// Rows of question, type, options, revisions and id.
    fn rows(self, title: &str, rows: Vec<[String; 5]>) -> String {
        let header = [title, "Type", "Options", "Revisions", "Id"].map(str::to_owned);
        match self {
            Self::Table(width) => {
                let mut table = table(&header.each_ref().map(String::as_str), width);
                for whole in [1, 4] {
                    if let Some(column) = table.column_mut(whole) {
                        column.set_constraint(ColumnConstraint::ContentWidth);
                    }
                }
                for row in rows {
                    table.add_row(row);
                }
                format!("{table}\n")
            }
            Self::Lines => {
                let mut lines = Table::new();
                lines.force_no_tty().load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
                for [question, kind, options, revisions, id] in std::iter::once(header).chain(rows) {
                    lines.add_row([id, kind, options, revisions, question]);
                }
                lines.lines().map(|line| line.trim_end().to_owned() + "\n").collect::<String>() + "\n"
            }
        }
    }
}

fn render(title: &Title<'_>, revisions: &[Revision], layout: Layout) -> String {
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
        let mut rows = Vec::new();
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
            rows.push([
                format!("{}{}{required}", "  ".repeat(*depth), legible(&descriptor.label)),
                descriptor.type_de_champ.to_string(),
                options,
                revisions,
                descriptor.id.to_string(),
            ]);
        }
        text.push_str(&layout.rows(title, rows));
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
