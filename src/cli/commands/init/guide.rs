//! The steps, in order.

use jiff::Timestamp;

use super::InitGristArgs;
use super::keep::{self, Kept};
use super::make::make;
use super::place::{Place, Site, place, site};
use crate::api::{ApiError, Client};
use crate::cli::ask::Ask;
use crate::cli::context::{Context, variable};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::printer::{legible, tell};
use crate::cli::progress::ProgressReporter;
use crate::cli::{failed, shown, signals, summary};
use crate::config::{
    self, GristTarget, Instance, Overrides, SecretError, Setting, SettingOrigin, SyncSettings, Target,
};
use crate::cycle::targets::grist::{open_document, open_document_to_read, page_of};
use crate::cycle::{self, Cycle, CycleError, CycleEvent, CycleJob};
use crate::demarche::DemarcheHead;
use crate::ids::{DemarcheNumber, Scope};
use crate::privacy::Filter;
use crate::report::RunOutcome;
use crate::sink::{AnySink, GristSink, MemorySink, Preview};
use crate::sync::{self, Event, Settings, Stop};

/// Warns of the one thing that cannot be undone later: the address of a token's first call.
const FIRST_CALL: &str = "note: a new token of the platform belongs to the address of its first call; where another machine \
                          is to run this later, let it call first, or name its address in the profile page of the token";

const BY_DEMARCHE: &str = "give its number with `--demarche`";

/// Tells the key of a service account: nobody else sees the documents that it makes. An instance that does not answer is taken to be one without such accounts.
async fn is_service(site: &Site) -> bool {
    site.client.is_service().await.unwrap_or_else(|error| {
        tracing::debug!("the account of the key is not known: {error}");
        false
    })
}

/// Guides somebody to a first sync.
pub async fn run(context: &Context, args: &InitGristArgs) -> Result<Exit, CliError> {
    let config = context.config()?;
    if let Some(path) = &args.write {
        keep::check_free(path)?;
        if context.config_path().is_some() {
            let message = "--write: there is a configuration file already".to_owned();
            return Err(CliError::Usage { message, hint: "leave it out, and add what is printed to that file" });
        }
    }
    tell(FIRST_CALL);
    let ask = Ask::of_this_process();
    let site = site(&ask, args, &context.secrets).await?;
    let place = place(&ask, args, &site).await?;
    tell_place(&place);
    if matches!(place, Place::New { .. }) && is_service(&site).await {
        tell(
            "the key is that of a service account: a new document will be its own, and nobody else will see it; better \
             make the document yourself, share it with that account as owner, and name it with `--document`",
        );
    }
    let overrides = Overrides {
        demarches: args.demarche.into_iter().collect(),
        instance: args.instance.clone(),
        platform: args.platform,
        policy: args.policy.clone(),
        ..Overrides::default()
    };
    let instance = config::resolve_instance(&config, &overrides, &variable)?;
    let client = client(context, &ask, &instance).await?;
    let head = demarche(&ask, args, &client).await?;
    tell(&format!("démarche {}: {} ({})", head.number, legible(&head.title), legible(&head.state)));
    let policy = config::resolve_policy(&config, &overrides)?.value;
    let filter = cycle::filter(&policy, &context.secrets)?;

    let scope = Scope { instance: instance.name.clone(), demarche: head.number };
    let settings = Settings { page_size: instance.page_size.value, ..SyncSettings::default().settings() };
    let question = if args.restyle {
        tell(&restyling(&site, &place, &scope).await?);
        "Make these pages anew, and copy the dossiers?"
    } else {
        tell(&preview(&site, &place, Job { client: &client, scope: scope.clone(), filter: &filter, settings }).await?);
        "Make this, and copy the dossiers?"
    };
    if !args.yes && !ask.agrees(question, "agree beforehand with `--yes`")? {
        tell("nothing was written");
        return Ok(Exit::Done);
    }

    let document = match place {
        Place::There(info) => info.id,
        Place::New { workspace, name, .. } => make(&site, workspace, &name).await?,
    };
    let target = GristTarget::new(Setting { value: site.url.clone(), origin: SettingOrigin::Flag("--url") }, document);
    let stop = signals::listen()?;
    let progress = ProgressReporter::new(context.progress(false), &scope);
    let job = CycleJob {
        scope,
        client,
        target: Target::Grist(Box::new(target.clone())),
        filter,
        settings,
        instructeur: None,
        push_on_schedule: false,
        retention: SyncSettings::default().retention,
    };
    let events = |event: &CycleEvent<'_>| progress.hear(event);
    let cycle = Cycle { job: &job, stop: &stop, clock: &Timestamp::now, events: &events };
    let opening = GristSink::of(site.client.doc(target.document.clone())).restyle(args.restyle);
    let sink = open_document(opening, None).await?;
    let run = cycle.sync_dossiers(&sink).await;
    sink.close().await?;
    let exit = summary::exit(&run);
    match run.error {
        None => tell(&summary::report(context, &run.report)),
        Some(error) => drop(failed(&error.into())),
    }
    let kept = Kept {
        config: &config,
        instance: &instance,
        demarche: head.number,
        target: &target,
        policy: args.policy.as_deref(),
    };
    tell(&format!("document: {}", page_of(&target)));
    finish(context, args, &kept)?;
    Ok(exit)
}

/// The document, in words.
fn tell_place(place: &Place) {
    match place {
        Place::There(info) => tell(&format!("document: “{}” in “{}”", legible(&info.name), legible(&info.workspace))),
        Place::New { folder, name, .. } => {
            tell(&format!("document: “{}”, to be made in “{}”", legible(name), legible(folder)));
        }
    }
}

/// A client of the platform, with the token of the settings or of the person.
async fn client(context: &Context, ask: &Ask, instance: &Instance) -> Result<Client, CliError> {
    match context.client(instance) {
        Err(CliError::Cycle(CycleError::Secret(SecretError::Absent { .. }))) => {
            let question = format!("Token of {}", instance.url.value.host_str().unwrap_or("the platform"));
            Ok(cycle::client_with(instance, ask.secret(&question, "put it in the variable DN_TOKEN")?)?)
        }
        other => other,
    }
}

/// The démarche, asked for until the platform knows it.
async fn demarche(ask: &Ask, args: &InitGristArgs, client: &Client) -> Result<DemarcheHead, CliError> {
    if let Some(number) = args.demarche {
        return Ok(client.head(number).await?);
    }
    let mut tried = 0;
    loop {
        let number: DemarcheNumber = ask.until("Number of the démarche", None, BY_DEMARCHE, |text| {
            text.parse().map_err(|_| format!("`{}` is not the number of a démarche", legible(text)))
        })?;
        match client.head(number).await {
            Ok(head) => return Ok(head),
            Err(error @ (ApiError::NotFound { .. } | ApiError::OutOfScope { .. })) => {
                tried += 1;
                if tried >= ask.tries() {
                    return Err(error.into());
                }
                tell(&CliError::from(error).render());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The démarche to bring.
struct Job<'a> {
    client: &'a Client,
    scope: Scope,
    filter: &'a Filter,
    settings: Settings,
}

/// The tables that the first sync makes: the plan of a sync, stopped before it reads the dossiers.
async fn preview(
    site: &Site,
    place: &Place,
    Job { client, scope, filter, settings }: Job<'_>,
) -> Result<String, CliError> {
    let sink = match place {
        Place::There(info) => open_document_to_read(site.client.doc(info.id.clone())).await?,
        Place::New { .. } => AnySink::from(MemorySink::default()),
    };
    let preview = Preview::new(&sink);
    let stop = Stop::default();
    let events = |event: &Event| {
        if let Event::Started { .. } = event {
            stop.ask();
        }
    };
    let clock = &Timestamp::now;
    let job = sync::Job { client, sink: &preview, scope, filter, settings, events: &events, stop: stop.clone(), clock };
    let run = sync::run(&job).await;
    let previewed = preview.previewed();
    sink.close().await?;
    match run.error {
        Some(error) if run.report.outcome != RunOutcome::Interrupted => return Err(error.into()),
        _ => {}
    }
    if previewed.schema.is_empty() {
        return Ok("its tables are there already; a sync brings them up to date".to_owned());
    }
    let mut text = "to be made:\n".to_owned();
    for change in &previewed.schema {
        text.push_str(&format!("  {}\n", legible(change)));
    }
    Ok(text)
}

/// The pages that are made anew.
async fn restyling(site: &Site, place: &Place, scope: &Scope) -> Result<String, CliError> {
    let Place::There(info) = place else {
        let message = "--restyle: there is no document yet".to_owned();
        return Err(CliError::Usage { message, hint: "name a document with `--document`" });
    };
    let sink = GristSink::of(site.client.doc(info.id.clone())).open_read_only().await?;
    let lines = sink.restyle_preview(scope).await?;
    sink.close().await?;
    if lines.is_empty() {
        let message = format!("--restyle: the document has no table of the démarche {}", scope.demarche);
        return Err(CliError::Usage { message, hint: "leave `--restyle` out: a first sync makes its pages" });
    }
    let mut text = "to be made anew; pages, columns and widgets of yours stay:\n".to_owned();
    for line in lines {
        text.push_str(&format!("  {}\n", legible(&line)));
    }
    Ok(text)
}

/// Gives the configuration to keep.
fn finish(context: &Context, args: &InitGristArgs, kept: &Kept<'_>) -> Result<(), CliError> {
    let text = kept.text();
    let path = match (&args.write, context.config_path()) {
        (Some(path), _) => {
            keep::write(path, &text)?;
            tell(&format!("configuration written to {}", path.display()));
            Some(path.clone())
        }
        (None, Some(path)) => {
            tell(&format!("add this to {}:", path.value.display()));
            shown(&text);
            Some(path.value)
        }
        (None, None) => {
            tell("configuration to keep in a file:");
            shown(&text);
            None
        }
    };
    let missing = keep::variables(kept);
    if !missing.is_empty() {
        tell(&format!("the next run looks for its secrets in {}", missing.join(" and ")));
    }
    tell(&keep::next(path.as_deref()));
    Ok(())
}
