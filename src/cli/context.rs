//! Gives every command its terminal, its settings and its secrets.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::GlobalArgs;
use super::error::CliError;
use super::printer;
use super::terminal::{ProgressMode, Surroundings};
use crate::api::Client;
use crate::config::{Config, Instance, Secrets, Setting, SettingOrigin, defaults};
use crate::cycle;

/// Holds what every command needs.
#[derive(Debug)]
pub struct Context {
    /// The global flags.
    pub global: GlobalArgs,
    /// The capabilities of the terminal.
    pub around: Surroundings,
    /// The width of tables, in columns.
    pub width: u16,
    /// In which zone instants are shown.
    pub zone: TimeZone,
    /// Where secrets are looked up: in the environment of this process.
    pub secrets: Secrets,
}

impl Context {
    /// Looks at the environment and the terminal of this process.
    pub fn of_this_process(global: GlobalArgs) -> Self {
        let set = |name: &str| variable(name).is_some();
        let around = Surroundings {
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            no_color: set("NO_COLOR"),
            ci: set("CI"),
            dumb: variable("TERM").is_some_and(|term| term == "dumb"),
        };
        let columns = comfy_table::Table::new().width();
        Self {
            global,
            around,
            width: printer::width(columns),
            zone: TimeZone::system(),
            secrets: Secrets::new(variable),
        }
    }

    /// Chooses how progress is shown. Logs of single pages would tear a bar apart, so lines replace it.
    pub fn progress(&self, json: bool) -> ProgressMode {
        match ProgressMode::resolve(self.around, self.global.quiet, json) {
            ProgressMode::Bar if self.global.verbose > 0 => ProgressMode::Lines,
            mode => mode,
        }
    }

    /// The present instant.
    #[expect(clippy::unused_self, reason = "the clock belongs to the surroundings")]
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// The path of the configuration file, if one was named.
    pub fn config_path(&self) -> Option<Setting<PathBuf>> {
        if let Some(path) = &self.global.config {
            return Some(Setting { value: path.clone(), origin: SettingOrigin::Flag("--config") });
        }
        let origin = SettingOrigin::Environment(defaults::CONFIG_ENV.to_owned());
        variable(defaults::CONFIG_ENV).map(|path| Setting { value: PathBuf::from(path), origin })
    }

    /// The configuration file, or an empty configuration when none was named.
    pub fn config(&self) -> Result<Config, CliError> {
        let Some(path) = self.config_path().map(|setting| setting.value) else { return Ok(Config::default()) };
        let text = std::fs::read_to_string(&path).map_err(|source| CliError::Unreadable {
            what: "the configuration file",
            path: path.clone(),
            source,
        })?;
        Ok(Config::parse(&path, &text)?)
    }

    /// Makes a client of an instance.
    pub fn client(&self, instance: &Instance) -> Result<Client, CliError> {
        Ok(cycle::client(instance, &self.secrets)?)
    }
}

/// Gives a variable of the environment, if it is set to something.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
