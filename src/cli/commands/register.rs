//! `dn register`: the record of processing (which data is kept, where, for how long), in French.

use clap::Args;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::JobArgs;
use crate::cli::jobs::Work;
use crate::cli::printer::{answer, answer_json, legible};
use crate::cli::signals;
use crate::cycle::targets::open_to_read;
use crate::plan::{Term, Terms};
use crate::privacy::{Selection, Treatment};
use crate::sync::{self, ColumnSource, Register, RegisterColumn};

/// `dn register`.
#[derive(Clone, Debug, Args)]
pub struct RegisterArgs {
    /// The démarches and their targets.
    #[command(flatten)]
    pub job: JobArgs,
    /// Print one versioned JSON object for each démarche [default: Markdown, in French]
    #[arg(long)]
    pub json: bool,
}

/// Prints the register of every démarche.
pub async fn run(context: &Context, args: &RegisterArgs) -> Result<Exit, CliError> {
    let work = Work::offline(context, &args.job, args.json);
    let stop = signals::listen()?;
    work.each(&stop, async |cycle| {
        let job = cycle.job;
        let sink = open_to_read(&job.target, &context.secrets).await?;
        let rules = job.retention.rules();
        let register = sync::register(&sink, &job.scope, job.filter.policy(), &rules).await?;
        sink.close().await?;
        if args.json {
            answer_json(&register)?;
        } else {
            answer(&markdown(&register))?;
        }
        Ok(Exit::Done)
    })
    .await
}

/// The register as Markdown.
fn markdown(register: &Register) -> String {
    let Register { version: _, instance, demarche, title, target, preset: _, selection, retention, tables } = register;
    let mut text = format!("# Démarche {demarche} : {}\n\n", cell(title));
    text.push_str(&format!("- Plateforme : {instance}\n- Destination : {}\n", cell(target)));
    text.push_str(&format!("- Dossiers gardés : {}\n", kept_dossiers(selection)));
    text.push_str(&format!("- Dossiers supprimés sur la plateforme : {}\n", kept(&retention.deleted)));
    text.push_str(&format!("- Dossiers traités : {}\n", kept(&retention.finished)));
    let runs = retention.runs.map_or_else(|| "sans limite".to_owned(), span);
    text.push_str(&format!("- Historique des exécutions : {runs}\n\n"));
    text.push_str(
        "Outre les tables ci-dessous, la destination garde de chaque dossier le document JSON dont ces tables sont faites, \
         filtré de la même façon, le journal des changements (numéros, dates, empreintes), et les décisions envoyées.\n",
    );
    for table in tables {
        text.push_str(&format!("\n## {} (`{}`)\n\n", cell(&table.title), table.name));
        text.push_str("| Donnée | Colonne | Origine | Type de champ | Traitement | Après anonymisation |\n");
        text.push_str("| --- | --- | --- | --- | --- | --- |\n");
        for column in &table.columns {
            text.push_str(&line(column));
        }
    }
    text
}

fn line(column: &RegisterColumn) -> String {
    let origin = match column.source {
        ColumnSource::Platform => "plateforme",
        ColumnSource::Champ => "réponse de l’usager",
        ColumnSource::Annotation => "annotation privée",
        ColumnSource::Former => "question retirée",
    };
    let treatment = match column.policy {
        Treatment::Include => "conservée",
        Treatment::Pseudonymise => "pseudonymisée",
        Treatment::Mask => "masquée",
        Treatment::Exclude => "non conservée",
    };
    let after = match (column.counted, column.policy) {
        (true, Treatment::Include) => "conservée",
        _ => "effacée",
    };
    let kind = column.type_de_champ.as_deref().unwrap_or("");
    format!("| {} | `{}` | {origin} | {kind} | {treatment} | {after} |\n", cell(&column.title), column.name)
}

/// Which dossiers are kept, in French.
fn kept_dossiers(selection: &Selection) -> String {
    let mut parts = Vec::new();
    if !selection.groupes.is_empty() {
        let groupes: Vec<String> = selection.groupes.iter().map(|groupe| cell(&groupe.to_string())).collect();
        parts.push(format!("des groupes {}", groupes.join(", ")));
    }
    if !selection.states.is_empty() {
        parts.push(format!("dans les états {}", selection.states.iter().cloned().collect::<Vec<_>>().join(", ")));
    }
    if let Some(since) = selection.deposited_since {
        parts.push(format!("déposés depuis le {}", since.strftime("%Y-%m-%dT%H:%M:%SZ")));
    }
    if parts.is_empty() { "tous".to_owned() } else { parts.join(", ") }
}

/// When dossiers are emptied, in French.
fn kept(terms: &Terms) -> String {
    let said = |fate: &str, term: Option<Term>| term.map(|term| format!("{fate} après {}", span(term)));
    let said: Vec<String> =
        said("anonymisés", terms.anonymise).into_iter().chain(said("effacés", terms.purge)).collect();
    if said.is_empty() { "conservés sans limite".to_owned() } else { said.join(", ") }
}

/// A term, in French: its units are those of [`Term`].
fn span(term: Term) -> String {
    let words = term.to_string();
    let words = words.split(' ').map(|word| match word {
        "year" => "an",
        "years" => "ans",
        "month" | "months" => "mois",
        "week" => "semaine",
        "weeks" => "semaines",
        "day" => "jour",
        "days" => "jours",
        number => number,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A text that breaks neither its line nor its cell.
fn cell(text: &str) -> String {
    legible(&text.replace(['\n', '\r', '\t'], " ")).replace('\\', "\\\\").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_said_in_french() {
        for (term, said) in [("1 year 6 months", "1 an 6 mois"), ("90 days", "90 jours"), ("1 week", "1 semaine")] {
            assert_eq!(span(term.parse().expect("a term")), said);
        }
        let terms = Terms { anonymise: "2 years".parse().ok(), purge: "5 years".parse().ok() };
        assert_eq!(kept(&terms), "anonymisés après 2 ans, effacés après 5 ans");
        assert_eq!(kept(&Terms::default()), "conservés sans limite");
    }

    #[test]
    fn a_label_stays_in_its_cell() {
        assert_eq!(cell("Un | deux\ntrois"), "Un \\| deux trois");
    }
}
