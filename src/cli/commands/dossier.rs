//! `dn dossier N`: one dossier, readable. Shown to the person who asked; nothing of it goes to a log.

use clap::Args;
use clap::builder::PossibleValuesParser;
use comfy_table::Table;
use jiff::tz::TimeZone;

use super::act::PartsArgs;
use crate::api::ApiError;
use crate::champ::{Champ, ChampValue};
use crate::cli::context::{Context, variable};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::flags::InstanceArgs;
use crate::cli::printer::{answer, answer_json, counted, instant, legible, shortened, table};
use crate::cli::words;
use crate::config;
use crate::dossier::Dossier;
use crate::ids::DossierNumber;
use crate::intent::Action;

/// `dn dossier`.
#[derive(Clone, Debug, Args)]
pub struct DossierArgs {
    /// Show the dossier of this number
    #[arg(value_name = "NUMBER")]
    pub number: DossierNumber,
    /// Do this to it [default: show it]
    #[arg(value_name = "ACTION", value_parser = PossibleValuesParser::new(Action::WORDS))]
    pub action: Option<String>,
    /// Where it is.
    #[command(flatten)]
    pub instance: InstanceArgs,
    /// The parts of the action.
    #[command(flatten)]
    pub parts: PartsArgs,
    /// Print the dossier, or what became of the action, as one JSON object [default: readable text]
    #[arg(long)]
    pub json: bool,
}

/// Shows one dossier.
pub async fn run(context: &Context, args: &DossierArgs) -> Result<Exit, CliError> {
    let config = context.config()?;
    let instance = config::resolve_instance(&config, &args.instance.overrides(), &variable)?;
    let client = context.client(&instance)?;
    let Some(dossier) = client.dossier(args.number).await? else {
        return Err(ApiError::NotFound { what: format!("dossier {}", args.number) }.into());
    };
    if args.json {
        answer_json(&dossier)?;
    } else {
        answer(&render(context, &dossier))?;
    }
    Ok(Exit::Done)
}

fn render(context: &Context, dossier: &Dossier) -> String {
    let at = |at| instant(at, &context.zone);
    let mut facts = table(&["Dossier", &dossier.number.to_string()], context.width);
    let mut fact = |what: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            facts.add_row([what.to_owned(), value]);
        }
    };
    let archived = if dossier.archived { ", archived" } else { "" };
    fact("state", Some(format!("{}{archived}", legible(dossier.state.as_str()))));
    fact("submitted", Some(at(dossier.date_depot)));
    fact("in instruction", dossier.date_passage_en_instruction.map(at));
    fact("decided", dossier.date_traitement.map(at));
    fact("last change", Some(at(dossier.date_derniere_modification)));
    fact("correction awaited since", dossier.date_derniere_correction_en_attente.map(at));
    fact("expires", dossier.date_expiration.map(at));
    fact("motivation", dossier.motivation.as_deref().map(|text| shortened(text, 300)));
    fact("usager", Some(legible(&dossier.usager.email)));
    fact("demandeur", Some(words::demandeur(&dossier.demandeur)));
    fact("groupe", Some(legible(&dossier.groupe_instructeur.label)));
    let followers: Vec<String> = dossier.instructeurs.iter().map(|profile| legible(&profile.email)).collect();
    fact("instructeurs", Some(followers.join(", ")));
    let labels: Vec<String> = dossier.labels.iter().map(|label| legible(&label.name)).collect();
    fact("labels", Some(labels.join(", ")));
    fact("messages", Some(dossier.messages.len().to_string()));
    fact("avis", Some(dossier.avis.len().to_string()));
    let mut text = format!("{facts}\n");
    for (title, champs) in [("Champ", &dossier.champs), ("Annotation", &dossier.annotations)] {
        let mut rows = table(&[title, "Value"], context.width);
        add(&mut rows, champs, 0, &context.zone);
        if !rows.is_empty() {
            text.push_str(&format!("{rows}\n"));
        }
    }
    text
}

fn add(rows: &mut Table, champs: &[Champ], depth: usize, zone: &TimeZone) {
    for champ in champs {
        let label = legible(champ.label.as_deref().unwrap_or(champ.descriptor.as_str()));
        let label = format!("{}{label}", "  ".repeat(depth));
        match &champ.value {
            ChampValue::Presentation => {
                rows.add_row([format!("— {label}"), String::new()]);
            }
            ChampValue::Repetition(repeated) => {
                rows.add_row([label, counted(repeated.len() as u64, "row")]);
                for (index, row) in repeated.iter().enumerate() {
                    rows.add_row([format!("{}{}.", "  ".repeat(depth + 1), index + 1), String::new()]);
                    add(rows, &row.champs, depth + 2, zone);
                }
            }
            value => {
                rows.add_row([label, shortened(&words::value(value, zone), 500)]);
            }
        }
    }
}
