//! Checks everything, tells everything.

use serde::Serialize;

use super::DoctorArgs;
use crate::api::Client;
use crate::cli::context::{Context, variable};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::printer::{answer_json, legible, table};
use crate::cli::{shown, written};
use crate::config::{self, Config, Instance, JobConfig, SettingOrigin, Target, show_duration};
use crate::cycle;
use crate::cycle::targets::CheckOutcome;
use crate::report::REPORT_VERSION;

/// The difference between the two clocks, in seconds, from which on it is reported.
const CLOCKS_APART: i64 = 60;

/// One check.
#[derive(Debug, Serialize)]
pub(super) struct Check {
    pub(super) verdict: CheckOutcome,
    /// The subject of the check.
    pub(super) what: String,
    /// The finding.
    pub(super) found: String,
    /// The next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
    /// Everything that was found, one a line: shown with `-v`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) details: Vec<String>,
}

/// One setting in force.
#[derive(Debug, Serialize)]
struct Told {
    /// Of what.
    of: String,
    setting: &'static str,
    value: String,
    /// Who said so: a flag, a variable, a line of the file, or `default`.
    origin: String,
}

/// The object that `dn doctor --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Diagnosis {
    version: u32,
    pub(super) checks: Vec<Check>,
    settings: Vec<Told>,
    #[serde(skip)]
    pub(super) exit: Exit,
}

/// Checks everything, tells everything.
pub async fn run(context: &Context, args: &DoctorArgs) -> Result<Exit, CliError> {
    let mut diagnosis =
        Diagnosis { version: REPORT_VERSION, checks: Vec::new(), settings: Vec::new(), exit: Exit::Done };
    diagnosis.examine(context, args).await;
    if args.json {
        return Ok(written(diagnosis.exit, answer_json(&diagnosis)));
    }
    shown(&diagnosis.render(context));
    Ok(diagnosis.exit)
}

impl Diagnosis {
    pub(super) fn add(
        &mut self,
        verdict: CheckOutcome,
        what: impl Into<String>,
        found: impl AsRef<str>,
        hint: Option<&str>,
    ) {
        self.add_with(verdict, what, found, hint, Vec::new());
    }

    /// The same, with a list that is too long for a line.
    pub(super) fn add_with(
        &mut self,
        verdict: CheckOutcome,
        what: impl Into<String>,
        found: impl AsRef<str>,
        hint: Option<&str>,
        details: Vec<String>,
    ) {
        let details = details.iter().map(|detail| legible(detail)).collect();
        let (found, hint) = (legible(found.as_ref()), hint.map(str::to_owned));
        self.checks.push(Check { verdict, what: what.into(), found, hint, details });
    }

    pub(super) fn fail(&mut self, what: impl Into<String>, error: &CliError) {
        self.exit = self.exit.worse(error.into());
        let found = legible(&error.to_string());
        self.checks.push(Check {
            verdict: CheckOutcome::Fail,
            what: what.into(),
            found,
            hint: error.hint(),
            details: Vec::new(),
        });
    }

    async fn examine(&mut self, context: &Context, args: &DoctorArgs) {
        let config = match context.config() {
            Ok(config) => config,
            Err(error) => return self.fail("configuration", &error),
        };
        match context.config_path() {
            Some(path) => {
                let found = format!("{} ({})", path.value.display(), path.origin);
                self.add(CheckOutcome::Ok, "configuration", found, None);
            }
            None => self.add(CheckOutcome::Ok, "configuration", "no file: flags, environment and defaults", None),
        }
        self.network();
        let overrides = args.job.overrides(None);
        if overrides.demarches.is_empty() && config.demarches.is_empty() {
            match config::resolve_instance(&config, &overrides, &variable) {
                Ok(instance) => drop(self.platform(context, &instance).await),
                Err(error) => self.fail("platform", &error.into()),
            }
            self.add(CheckOutcome::Warn, "démarche", "none is named", Some("name one with `--demarche NUMBER`"));
            return;
        }
        match config::resolve(&config, &overrides, &variable) {
            Ok(jobs) => self.jobs(context, &jobs).await,
            Err(_) if overrides.to.is_none() && config.targets.is_empty() => {
                self.reachable(context, &config, args).await;
                self.add(CheckOutcome::Warn, "target", "none is named", Some("for example `--to sqlite:dossiers.db`"));
            }
            Err(error) => self.fail("settings", &error.into()),
        }
    }

    /// Checks the platform alone, where no target is known.
    async fn reachable(&mut self, context: &Context, config: &Config, args: &DoctorArgs) {
        let pairs = match config::resolve_demarches(config, &args.job.overrides(None), &variable) {
            Ok(pairs) => pairs,
            Err(error) => return self.fail("settings", &error.into()),
        };
        let mut clients: Vec<(String, Option<Client>)> = Vec::new();
        for (instance, number) in pairs {
            if !clients.iter().any(|(name, _)| *name == instance.name) {
                let client = self.platform(context, &instance).await;
                clients.push((instance.name.clone(), client));
            }
            if let Some((_, Some(client))) = clients.iter().find(|(name, _)| *name == instance.name) {
                self.demarche(client, &format!("démarche {}/{number}", instance.name), number).await;
            }
        }
    }

    async fn jobs(&mut self, context: &Context, jobs: &[JobConfig]) {
        let mut clients: Vec<(&str, Option<Client>)> = Vec::new();
        let mut targets: Vec<&Target> = Vec::new();
        for job in jobs {
            let name = job.instance.name.as_str();
            if !clients.iter().any(|(known, _)| *known == name) {
                clients.push((name, self.platform(context, &job.instance).await));
            }
            let number = job.demarche.value;
            let what = format!("démarche {name}/{number}");
            if let Some((_, Some(client))) = clients.iter().find(|(known, _)| *known == name) {
                self.demarche(client, &what, number).await;
            }
            if let Err(error) = cycle::filter(&job.policy.value, &context.secrets) {
                self.fail("privacy", &error.into());
            }
            if !targets.contains(&&job.target.value) {
                targets.push(&job.target.value);
                self.target(&job.target.value, &context.secrets).await;
                self.exposure(&job.target.value);
            }
            self.tell(&what, "target", job.target.value.to_string(), &job.target.origin);
            self.tell(&what, "privacy", job.policy.value.name.clone(), &job.policy.origin);
            for (setting, value, origin) in
                job.selection.told().into_iter().chain(job.sync.told()).chain(job.run.told())
            {
                self.tell(&what, setting, value, origin);
            }
        }
    }

    /// Token, address, schema, clock.
    async fn platform(&mut self, context: &Context, instance: &Instance) -> Option<Client> {
        let of = format!("instance {}", instance.name);
        self.tell(&of, "platform", instance.platform.value.to_string(), &instance.platform.origin);
        self.tell(&of, "url", instance.url.value.to_string(), &instance.url.origin);
        self.tell(&of, "token", instance.token.value.to_string(), &instance.token.origin);
        if let Some(expires) = &instance.token_expires {
            self.tell(&of, "token-expires", expires.value.to_string(), &expires.origin);
        }
        if let Some(path) = &instance.webhook_path {
            self.tell(&of, "webhook-path", path.value.to_string(), &path.origin);
        }
        for (setting, duration) in [
            ("connect-timeout", &instance.connect_timeout),
            ("read-timeout", &instance.read_timeout),
            ("total-timeout", &instance.total_timeout),
        ] {
            self.tell(&of, setting, show_duration(duration.value), &duration.origin);
        }
        self.tell(&of, "page-size", instance.page_size.value.get().to_string(), &instance.page_size.origin);
        self.tell(&of, "rate-limit", instance.rate_limit.value.to_string(), &instance.rate_limit.origin);

        match context.secrets.read("token", &instance.token.value) {
            Ok(_) => self.token(instance),
            Err(error) => {
                self.fail("token", &error.into());
                return None;
            }
        }
        let client = match context.client(instance) {
            Ok(client) => client,
            Err(error) => {
                self.fail("platform", &error);
                return None;
            }
        };
        self.schema(&client, instance.platform.value).await;
        match client.clock_offset() {
            Some(apart) if apart.abs() > CLOCKS_APART => {
                let found = format!("the platform's is {apart} s from ours");
                self.add(
                    CheckOutcome::Warn,
                    "clock",
                    found,
                    Some("set the clock of this machine; syncs do not depend on it"),
                );
            }
            Some(apart) => self.add(CheckOutcome::Ok, "clock", format!("{apart} s apart"), None),
            None => self.add(CheckOutcome::Warn, "clock", "the platform did not tell", None),
        }
        self.rights(&client).await;
        Some(client)
    }

    /// A token that was found: who else may read it, and whether its end is known.
    fn token(&mut self, instance: &Instance) {
        let found = format!("found in {}", instance.token.value);
        match &instance.token_expires {
            Some(_) => self.add(CheckOutcome::Ok, "token", found, None),
            None => {
                // No answer of the platform tells when a token expires.
                let hint = format!(
                    "the platform lets new tokens live a year at most and does not tell here when they end: write the \
                     day as `token-expires = \"2027-01-31\"` under [instances.{}], and `dn run` warns before it",
                    instance.name
                );
                self.add(CheckOutcome::Ok, "token", found, Some(&hint));
            }
        }
        self.exposed_secret("token", &instance.token.value);
    }

    async fn demarche(&mut self, client: &Client, what: &str, number: crate::ids::DemarcheNumber) {
        match client.head(number).await {
            Ok(head) => {
                let found = format!("readable: {} ({}), {} revisions", head.title, head.state, head.revisions.len());
                self.add(CheckOutcome::Ok, what, found, None);
            }
            Err(error) => self.fail(what, &error.into()),
        }
    }

    pub(super) fn tell(&mut self, of: &str, setting: &'static str, value: String, origin: &SettingOrigin) {
        let value = legible(&value);
        self.settings.push(Told { of: of.to_owned(), setting, value, origin: origin.to_string() });
    }

    fn render(&self, context: &Context) -> String {
        let mut text = String::new();
        for Check { verdict, what, found, hint, details } in &self.checks {
            let word = match verdict {
                CheckOutcome::Ok => "ok  ",
                CheckOutcome::Warn => "warn",
                CheckOutcome::Fail => "FAIL",
            };
            text.push_str(&format!("{word}  {what}: {found}\n"));
            if let Some(hint) = hint {
                text.push_str(&format!("      hint: {hint}\n"));
            }
            match details.as_slice() {
                [] => {}
                details if context.global.verbose > 0 => {
                    details.iter().for_each(|detail| text.push_str(&format!("      - {detail}\n")));
                }
                _ => text.push_str("      (-v lists them)\n"),
            }
        }
        for of in self.settings.chunk_by(|one, next| one.of == next.of) {
            let mut rows = table(&[&of[0].of, "", "From"], context.width);
            for Told { of: _, setting, value, origin } in of {
                rows.add_row([*setting, value, origin]);
            }
            text.push_str(&format!("{rows}\n"));
        }
        text
    }
}
