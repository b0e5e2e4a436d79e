//! `dn config`: an example, and the check of a file.

use clap::Subcommand;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::printer::{answer, legible};
use crate::cli::told;
use crate::config::{self, Config};
use crate::cycle::webhook_paths;

/// The commands of `dn config`.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print a configuration with every key and its default
    Example,
    /// Check the file of --config, and report every error in it at once
    Check,
}

/// Prints a configuration with every key and its default.
pub fn example() -> Result<Exit, CliError> {
    answer(&config::example())?;
    Ok(Exit::Done)
}

/// Checks the file of `--config`.
pub fn check(context: &Context) -> Result<Exit, CliError> {
    let Some(path) = context.config_path() else {
        return Err(CliError::Usage {
            message: "no configuration file is named".to_owned(),
            hint: "name one with `--config FILE` or with DN_CONFIG",
        });
    };
    let Config { instances, targets, policies, demarches, sync: _, run: _, service: _ } = context.config()?;
    let places =
        instances.iter().filter_map(|(name, instance)| Some((name.as_str(), &instance.webhook_path.as_ref()?.value)));
    let absent = webhook_paths::read(places, &context.secrets)?.absent;
    told(
        context,
        false,
        &format!(
            "{} ({}): correct; {} instances, {} targets, {} privacy policies, {} démarches\n",
            legible(&path.value.display().to_string()),
            path.origin,
            instances.len(),
            targets.len(),
            policies.len(),
            demarches.len(),
        ),
    );
    for error in absent {
        // Whoever writes a file need not be who may read its secrets.
        told(context, false, &format!("not checked: {}\n", legible(&error.to_string())));
    }
    Ok(Exit::Done)
}
