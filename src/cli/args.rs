//! The command line, as clap reads it. Help texts begin with a verb and state the default.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand};

use super::exit;
use super::terminal::ColorChoice;
use crate::api::PageSize;
use crate::config::Overrides;
use crate::ids::{DemarcheNumber, DossierNumber};
use crate::intent::Action;
use crate::platform::Platform;
use crate::telemetry::LogFormat;

/// Copies démarches of Démarche Numérique and Démat Social into a database, and proves that nothing is missing.
#[derive(Debug, Parser)]
#[command(name = "dn", version, max_term_width = 100, after_long_help = exit::help())]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Clone, Debug, Args)]
pub struct GlobalArgs {
    /// Read this configuration file [default: the one that DN_CONFIG names, else none]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub config: Option<PathBuf>,
    /// Say nothing but errors [default: tell progress]
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    pub quiet: bool,
    /// Log more on stderr: -v a few lines a run, -vv one line a page [default: warnings]
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// Colour messages; NO_COLOR is respected
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t, help_heading = "Global options")]
    pub color: ColorChoice,
    /// Write logs for people or for programs
    #[arg(long, global = true, value_name = "FORM", value_enum, default_value_t, help_heading = "Global options")]
    pub log_format: LogFormat,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the main job on the embedded platform: sync, change, sync again, verify
    Demo(DemoArgs),
    /// Serve the embedded platform on this machine, to work without a token
    Sandbox(SandboxArgs),
    /// Set a target up, by questions or by flags
    Init {
        /// Which type of target.
        #[command(subcommand)]
        command: InitCommand,
    },
    /// Bring the target up to what the platform shows
    Sync(SyncArgs),
    /// Sync every démarche of the configuration on its rhythm, until told to stop
    Run(RunArgs),
    /// Print what a sync would change, and change nothing
    Plan(PlanArgs),
    /// Compare the target with the platform: missing, stale and ghost dossiers
    Verify(VerifyArgs),
    /// Show how fresh the target is, its quarantine and its last runs
    Status(StatusArgs),
    /// Show the form as a table: ids, labels, types, revisions
    Schema(SchemaArgs),
    /// Show one dossier, or do something to it
    Dossier(Box<DossierArgs>),
    /// Send what the back office decided: print the plan, or apply it
    Push(PushArgs),
    /// Show what was sent to the platform, when, in whose name, and what it answered
    Trail(TrailArgs),
    /// Write stored dossiers again in the present columns, without the network
    Remap(RemapArgs),
    /// Tell which dossiers have been kept for their term, and anonymise or purge them with --apply
    Retention(RetentionArgs),
    /// Print what is kept where, and for how long, for whoever answers for it; no dossier is read
    Register(RegisterArgs),
    /// Check token, platform and target, and tell where each setting comes from
    ///
    /// It calls the platform, which binds a new token to the address of its first call: where another machine is to use the
    /// token, let that one call first, or name its address among the networks of the token.
    Doctor(DoctorArgs),
    /// Show an example of a configuration, or check one
    Config {
        /// Which of the two.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print the completions of a shell
    Completions {
        /// Complete for this shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// How much more a command logs than others: one that nobody sits before tells its runs.
    #[must_use]
    pub fn extra_logs(&self) -> u8 {
        u8::from(self.is_unattended())
    }

    /// Whether it works with nobody watching, for as long as the machine lives.
    #[must_use]
    pub fn is_unattended(&self) -> bool {
        matches!(self, Self::Run(_))
    }
}

/// What can be set up.
#[derive(Clone, Debug, Subcommand)]
pub enum InitCommand {
    /// Bring a démarche into a Grist document: preview, first sync, and the configuration to keep
    Grist(InitGristArgs),
}

/// `dn init grist`. What flags and environment do not say is asked.
#[derive(Clone, Debug, Args)]
pub struct InitGristArgs {
    /// Talk to the Grist of this address [default: GRIST_URL, else asked]
    #[arg(long)]
    pub url: Option<String>,
    /// Write to this document, by its id or its address [default: asked]
    #[arg(long, value_name = "DOCUMENT")]
    pub document: Option<String>,
    /// Make a new document of this name [default: asked]
    #[arg(long, value_name = "NAME", conflicts_with = "document")]
    pub new: Option<String>,
    /// Make it in the workspace of this number [default: the only one, else asked]
    #[arg(long, value_name = "NUMBER", requires = "new")]
    pub workspace: Option<i64>,
    /// Bring this démarche [default: asked]
    #[arg(short, long, value_name = "NUMBER")]
    pub demarche: Option<DemarcheNumber>,
    /// Choose an instance of the configuration [default: the only one]
    #[arg(long, value_name = "NAME", help_heading = "Platform")]
    pub instance: Option<String>,
    /// Say which platform answers: demarche-numerique or demat-social [default: DN_PLATFORM, else demarche-numerique]
    #[arg(long, value_name = "NAME", help_heading = "Platform")]
    pub platform: Option<Platform>,
    /// Filter with this privacy policy: a preset (default, strict, integral) or one of the configuration [default: default]
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// Write the configuration to this file, which must not exist [default: print it]
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// Go ahead without asking for a confirmation [default: show the tables, then ask]
    #[arg(short, long)]
    pub yes: bool,
}

/// What can be done with a configuration.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print a configuration with every key and its default
    Example,
    /// Check the file of --config, and tell all that is wrong in it at once
    Check,
}

/// Which instance of a platform.
#[derive(Clone, Debug, Default, Args)]
pub struct InstanceArgs {
    /// Choose an instance of the configuration [default: the only one]
    #[arg(long, value_name = "NAME", help_heading = "Platform")]
    pub instance: Option<String>,
    /// Talk to this GraphQL address [default: DN_URL, else that of the platform]
    #[arg(long, help_heading = "Platform")]
    pub url: Option<String>,
    /// Say which platform answers: demarche-numerique or demat-social [default: DN_PLATFORM, else demarche-numerique]
    #[arg(long, value_name = "NAME", help_heading = "Platform")]
    pub platform: Option<Platform>,
}

/// Which démarches.
#[derive(Clone, Debug, Default, Args)]
pub struct DemarcheArgs {
    /// Choose a démarche by its number; may be repeated [default: all of the configuration]
    #[arg(short, long = "demarche", value_name = "NUMBER")]
    pub demarches: Vec<DemarcheNumber>,
    /// Where they are.
    #[command(flatten)]
    pub instance: InstanceArgs,
}

/// Which démarches, and into which target.
#[derive(Clone, Debug, Default, Args)]
pub struct JobArgs {
    /// Which démarches.
    #[command(flatten)]
    pub demarches: DemarcheArgs,
    /// Keep dossiers in this target, such as sqlite:dossiers.db or grist:DOCUMENT [default: that of the configuration]
    #[arg(long, value_name = "TARGET", help_heading = "Target")]
    pub to: Option<String>,
    /// Filter with this privacy policy: a preset (default, strict, integral) or one of the configuration [default: default]
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    pub policy: Option<String>,
}

/// How much to ask for at a time.
#[derive(Clone, Debug, Default, Args)]
pub struct PageArgs {
    /// Ask for at most so many dossiers at a time, 1 to 100 [default: 100]
    #[arg(long, value_name = "COUNT", value_parser = page_size)]
    pub page_size: Option<PageSize>,
}

fn page_size(text: &str) -> Result<PageSize, String> {
    let size = text.parse().ok().and_then(PageSize::new);
    size.ok_or_else(|| "a page holds 1 to 100 dossiers".to_owned())
}

/// `dn demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Keep the database here [default: a file in the temporary folder]
    #[arg(long, value_name = "TARGET")]
    pub to: Option<String>,
    /// Generate another world
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Generate so many dossiers
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    pub dossiers: u32,
    /// Imitate this platform: demarche-numerique or demat-social
    #[arg(long, value_name = "NAME", default_value_t = Platform::DemarcheNumerique)]
    pub platform: Platform,
}

/// `dn sandbox`.
#[derive(Clone, Debug, Args)]
pub struct SandboxArgs {
    /// Listen on this port of 127.0.0.1; 0 for any that is free
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Generate another world
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Generate so many dossiers
    #[arg(long, value_name = "COUNT", default_value_t = 500)]
    pub dossiers: u32,
    /// Change so many dossiers a minute, such as 10/min [default: none]
    #[arg(long, value_name = "PACE", value_parser = pace)]
    pub pace: Option<u32>,
    /// Serve an imitation of Grist beside it [default: the platform alone]
    #[arg(long)]
    pub grist: bool,
    /// Imitate this platform: demarche-numerique or demat-social
    #[arg(long, value_name = "NAME", default_value_t = Platform::DemarcheNumerique)]
    pub platform: Platform,
}

fn pace(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("/min").unwrap_or(text);
    match number.trim().parse() {
        Ok(pace) if (1..=6000).contains(&pace) => Ok(pace),
        _ => Err("a number of changes a minute is expected, such as 10/min".to_owned()),
    }
}

/// `dn sync`.
#[derive(Clone, Debug, Args)]
pub struct SyncArgs {
    /// What to sync.
    #[command(flatten)]
    pub job: JobArgs,
    /// How much to ask for at a time.
    #[command(flatten)]
    pub page: PageArgs,
    /// Read every dossier again [default: only those that moved]
    #[arg(long)]
    pub full: bool,
    /// Mark dossiers as gone however many they are [default: stop above the share of the configuration]
    #[arg(long)]
    pub allow_deletes: bool,
    /// Make columns again that somebody deleted from the Grist document [default: leave them out]
    #[arg(long)]
    pub restore_columns: bool,
    /// Keep the new address of an instance that moved; its platform must be the same [default: refuse another instance]
    #[arg(long)]
    pub accept_address: bool,
    /// Copy files themselves into the Grist document, within the limits of the configuration [default: names and sizes]
    #[arg(long)]
    pub files: bool,
    /// Print one versioned JSON object for each démarche [default: a table]
    #[arg(long)]
    pub json: bool,
}

/// `dn run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// What to sync.
    #[command(flatten)]
    pub job: JobArgs,
    /// Have so many runs under way at once, 1 to 64 [default: that of the configuration, else 1]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub workers: Option<u32>,
}

/// `dn plan`.
#[derive(Clone, Debug, Args)]
pub struct PlanArgs {
    /// What to look at.
    #[command(flatten)]
    pub job: JobArgs,
    /// How much to ask for at a time.
    #[command(flatten)]
    pub page: PageArgs,
    /// Read every dossier again [default: only those that moved]
    #[arg(long)]
    pub full: bool,
    /// End with code 10 when something would change [default: 0]
    #[arg(long)]
    pub exit_code: bool,
    /// Print one versioned JSON object for each démarche [default: lines]
    #[arg(long)]
    pub json: bool,
}

/// `dn verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    /// What to compare.
    #[command(flatten)]
    pub job: JobArgs,
    /// Read again what differs, then compare again [default: only compare]
    #[arg(long)]
    pub repair: bool,
    /// Mark dossiers as gone however many they are [default: stop above the share of the configuration]
    #[arg(long, requires = "repair")]
    pub allow_deletes: bool,
    /// Print one versioned JSON object for each démarche [default: a table]
    #[arg(long)]
    pub json: bool,
}

/// `dn status`.
#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// What to look at.
    #[command(flatten)]
    pub job: JobArgs,
    /// Show so many runs
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    pub runs: u32,
    /// Print one versioned JSON object for each démarche [default: tables]
    #[arg(long)]
    pub json: bool,
}

/// `dn schema`.
#[derive(Clone, Debug, Args)]
pub struct SchemaArgs {
    /// Which démarches.
    #[command(flatten)]
    pub demarches: DemarcheArgs,
    /// Print the démarche as one JSON object, with every revision [default: a table]
    #[arg(long)]
    pub json: bool,
}

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
    /// What the action needs.
    #[command(flatten)]
    pub parts: PartsArgs,
    /// Print the dossier, or what became of the action, as one JSON object [default: readable text]
    #[arg(long)]
    pub json: bool,
}

/// What an action on a dossier needs.
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

/// `dn push`.
#[derive(Clone, Debug, Args)]
pub struct PushArgs {
    /// What to send.
    #[command(flatten)]
    pub job: JobArgs,
    /// Take decisions from here: a target such as sqlite:dossiers.db, or a .csv or .json file [default: the target]
    #[arg(long, value_name = "SOURCE", conflicts_with = "to")]
    pub from: Option<String>,
    /// Send [default: print what would be sent]
    #[arg(long)]
    pub apply: bool,
    /// Send in this instructeur's name, by e-mail address or id, where an intent does not say [default: that of the configuration]
    #[arg(long = "as", value_name = "INSTRUCTEUR")]
    pub instructeur: Option<String>,
    /// Send from this Grist document although it is a copy of another: nothing is sent from the other any more
    #[arg(long, requires = "apply")]
    pub adopt: bool,
    /// Try this parked intent again from its start; may be repeated
    #[arg(long, value_name = "ID", conflicts_with = "apply", help_heading = "Parked intents")]
    pub retry: Vec<String>,
    /// Take this intent back; may be repeated
    #[arg(long, value_name = "ID", conflicts_with = "apply", help_heading = "Parked intents")]
    pub cancel: Vec<String>,
    /// Call this parked intent done: you have seen it on the platform; may be repeated
    #[arg(long, value_name = "ID", conflicts_with = "apply", help_heading = "Parked intents")]
    pub done: Vec<String>,
    /// Print one versioned JSON object for each démarche [default: a table]
    #[arg(long)]
    pub json: bool,
}

/// `dn trail`.
#[derive(Clone, Debug, Args)]
pub struct TrailArgs {
    /// What to look at.
    #[command(flatten)]
    pub job: JobArgs,
    /// Print comma-separated values [default: a table]
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
    /// Print one JSON object a line [default: a table]
    #[arg(long)]
    pub json: bool,
}

/// `dn remap`.
#[derive(Clone, Debug, Args)]
pub struct RemapArgs {
    /// What to write again.
    #[command(flatten)]
    pub job: JobArgs,
    /// Print one versioned JSON object for each démarche [default: a table]
    #[arg(long)]
    pub json: bool,
}

/// `dn retention`.
#[derive(Clone, Debug, Args)]
pub struct RetentionArgs {
    /// Which démarches and targets.
    #[command(flatten)]
    pub job: JobArgs,
    /// Do it [default: only tell what is due]
    #[arg(long)]
    pub apply: bool,
    /// Go on however many dossiers are due at once [default: the brake of `max-delete-share`]
    #[arg(long, requires = "apply")]
    pub allow_deletes: bool,
    /// Print one versioned JSON object for each démarche [default: a table]
    #[arg(long)]
    pub json: bool,
}

/// `dn register`.
#[derive(Clone, Debug, Args)]
pub struct RegisterArgs {
    /// Which démarches and targets.
    #[command(flatten)]
    pub job: JobArgs,
    /// Print one versioned JSON object for each démarche [default: Markdown, in French]
    #[arg(long)]
    pub json: bool,
}

/// `dn doctor`.
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    /// What to check.
    #[command(flatten)]
    pub job: JobArgs,
    /// Print one JSON object [default: one line for each check]
    #[arg(long)]
    pub json: bool,
}

impl InstanceArgs {
    /// What these flags say, for the resolution of settings.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        let Self { instance, url, platform } = self.clone();
        Overrides { instance, url, platform, ..Overrides::default() }
    }
}

impl DemarcheArgs {
    /// What these flags say, for the resolution of settings.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        Overrides { demarches: self.demarches.clone(), ..self.instance.overrides() }
    }
}

impl JobArgs {
    /// What these flags say, for the resolution of settings.
    #[must_use]
    pub fn overrides(&self, page: Option<&PageArgs>) -> Overrides {
        Overrides {
            to: self.to.clone(),
            policy: self.policy.clone(),
            page_size: page.and_then(|page| page.page_size),
            ..self.demarches.overrides()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn paces_and_page_sizes_are_checked() {
        for (text, expected) in [("10/min", Some(10)), ("10", Some(10)), ("0", None), ("x/min", None), ("", None)] {
            assert_eq!(pace(text).ok(), expected, "{text}");
        }
        for (text, expected) in [("1", true), ("100", true), ("0", false), ("101", false), ("-1", false)] {
            assert_eq!(page_size(text).is_ok(), expected, "{text}");
        }
    }
}
