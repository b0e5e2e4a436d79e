//! `dn dossier N ACTION`: one thing done to one dossier, by hand.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use super::dossier::DossierArgs;
use super::push::{About, finish, show_plan};
use crate::api::ApiError;
use crate::cli::ask::Ask;
use crate::cli::context::{Context, variable};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::printer::tell;
use crate::cli::signals;
use crate::config;
use crate::cycle::PushOutcome;
use crate::ids::Scope;
use crate::intent::{Action, Expected, Intent, IntentId, Parts, Words};
use crate::privacy::{Filter, Policy};
use crate::sink::{MemoryOutbox, Outbox as _};
use crate::writeback::{Push, QUIET, plan, push};

/// The parts of an action on a dossier.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Action")]
pub struct PartsArgs {
    /// Do it in this instructeur's name, by e-mail address or id [default: that of the configuration]
    #[arg(long = "as", value_name = "INSTRUCTEUR", requires = "action")]
    pub instructeur: Option<String>,
    /// Say why: accepter, refuser, classer_sans_suite
    #[arg(long, value_name = "TEXT", requires = "action")]
    pub motivation: Option<String>,
    /// Say this: message
    #[arg(long, value_name = "TEXT", requires = "action")]
    pub message: Option<String>,
    /// Ask for a correction with the message: incorrect, incomplete, outdated
    #[arg(long, value_name = "REASON", requires = "action")]
    pub correction: Option<String>,
    /// Join this file to the decision or the message
    #[arg(long, value_name = "PATH", requires = "action")]
    pub file: Option<String>,
    /// Write this value into this annotation, by label or id; may be repeated: annotations
    #[arg(long = "set", value_name = "ANNOTATION=VALUE", requires = "action")]
    pub values: Vec<String>,
    /// Name the repetition: ajouter_ligne
    #[arg(long, value_name = "ANNOTATION", requires = "action")]
    pub annotation: Option<String>,
    /// Name the groupe, by number or label: changer_groupe
    #[arg(long, value_name = "GROUPE", requires = "action")]
    pub groupe: Option<String>,
    /// Name the label: ajouter_label, supprimer_label
    #[arg(long, value_name = "LABEL", requires = "action")]
    pub label: Option<String>,
    /// Name the message by its id: supprimer_message
    #[arg(long, value_name = "ID", requires = "action")]
    pub message_id: Option<String>,
    /// Ask the platform to send no e-mail [default: it tells the usager]
    #[arg(long, requires = "action")]
    pub silent: bool,
    /// Overwrite another decision [default: a decision is left as it is]
    #[arg(long, requires = "action")]
    pub overrule: bool,
    /// Send a message that was sent before in the same words [default: once is enough]
    #[arg(long, requires = "action")]
    pub again: bool,
    /// Go ahead without asking for a confirmation [default: show the plan, then ask]
    #[arg(short, long, requires = "action")]
    pub yes: bool,
}

const INSTEAD: &str = "add --yes to go ahead without a question";

/// Shows the plan, asks, does it, and stays until it is known what became of it.
pub async fn run(context: &Context, args: &DossierArgs) -> Result<Exit, CliError> {
    let config = context.config()?;
    let instance = config::resolve_instance(&config, &args.instance.overrides(), &variable)?;
    let intent = intent(args)?;
    let client = context.client(&instance)?;
    let Some(demarche) = client.demarche_of(args.number).await? else {
        return Err(ApiError::NotFound { what: format!("dossier {}", args.number) }.into());
    };
    let said = config.demarches.iter().find(|entry| {
        entry.number.value == demarche && entry.instance.value == instance.name && entry.sync.instructeur.is_some()
    });
    let author =
        said.map_or(&config.sync, |entry| &entry.sync).instructeur.as_ref().map(|setting| setting.value.clone());
    let scope = Scope { instance: instance.name.clone(), demarche };
    let outbox = MemoryOutbox::default();
    // Whoever says "again" knows of everything that is there: nothing of it is this request's doing.
    let asked_at = if args.parts.again { Timestamp::MAX } else { Timestamp::now() };
    outbox.put(&scope, &[intent], asked_at).await.map_err(CliError::from)?;
    let stop = signals::listen()?;
    let filter = Filter::new(Policy::default(), None)?;
    let told = |_: &crate::writeback::Item| {};
    let work = Push {
        client: &client,
        outbox: &outbox,
        scope: &scope,
        filter: &filter,
        author: args.parts.instructeur.as_deref().or(author.as_deref()),
        quiet: QUIET,
        once: !args.parts.again,
        events: &told,
        stop: &stop,
        clock: &Timestamp::now,
    };
    let planned = match plan(&work).await {
        Ok(planned) if planned.items.iter().any(|item| !item.steps.is_empty()) => planned,
        planned => return Ok(finish(context, args.json, About::PlanByHand, planned.into(), Vec::new())),
    };
    if !args.parts.yes {
        show_plan(context, &planned)?;
        if !Ask::of_this_process().agrees("Send it", INSTEAD)? {
            tell("Nothing was sent.");
            return Ok(Exit::Done);
        }
    }
    loop {
        let ended: PushOutcome = push(&work, &|_| Box::pin(std::future::ready(Ok(())))).await.into();
        let waits = outbox.pending(&scope, None, 1).await?.first().and_then(|entry| entry.progress.not_before);
        // Only a lost answer is waited for: whether it was done is known then. What the platform puts off is for later.
        let lost = ended
            .pushed
            .iter()
            .flat_map(|pushed| &pushed.items)
            .any(|item| item.reason.as_deref() == Some("lost_answer"));
        match waits {
            Some(until) if lost && ended.error.is_none() && !stop.is_asked() => {
                tell(&format!(
                    "its answer was lost; looking at the dossier again at {until}, before anything else is sent"
                ));
                let wait = until.duration_since(Timestamp::now());
                let wait = Duration::try_from(wait).unwrap_or_default();
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = stop.asked() => {}
                }
            }
            _ => return Ok(finish(context, args.json, About::Applied, ended, Vec::new())),
        }
    }
}

fn intent(args: &DossierArgs) -> Result<Intent, CliError> {
    let PartsArgs { motivation, message, correction, file, values, annotation, groupe, label, message_id, .. } =
        args.parts.clone();
    let parts = Parts {
        action: args.action.clone().unwrap_or_default(),
        motivation,
        message,
        correction,
        file,
        annotations: (!values.is_empty()).then(|| annotations(&values)).transpose()?,
        annotation,
        groupe,
        label,
        message_id,
    };
    let action = Action::try_from(parts)
        .map_err(|message| CliError::Usage { message, hint: "`dn dossier --help` tells what each action needs" })?;
    Ok(Intent {
        id: IntentId::new(format!("dossier-{}-{}", args.number, action.word())).expect("a short line"),
        dossier: args.number,
        author: args.parts.instructeur.as_deref().map(Words::new),
        action,
        expected: Expected::default(),
        requires: None,
        silent: args.parts.silent,
        overrule: args.parts.overrule,
    })
}

fn annotations(values: &[String]) -> Result<String, CliError> {
    let mut object = Map::new();
    for text in values {
        let Some((annotation, value)) = text.split_once('=') else {
            return Err(CliError::Usage {
                message: "`--set` wants an annotation and its value".to_owned(),
                hint: "write it as `--set 'Avis du service=favorable'`",
            });
        };
        if object.insert(annotation.trim().to_owned(), Json::String(value.to_owned())).is_some() {
            return Err(CliError::Usage {
                message: format!("`--set` names `{}` twice", annotation.trim()),
                hint: "write one value into each annotation",
            });
        }
    }
    Ok(Json::Object(object).to_string())
}
