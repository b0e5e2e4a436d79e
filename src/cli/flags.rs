//! Flags that several commands share: which démarches, where they are, where their dossiers go.

use clap::Args;

use crate::api::PageSize;
use crate::config::Overrides;
use crate::ids::DemarcheNumber;
use crate::platform::Platform;

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

impl InstanceArgs {
    /// Passes these flags to the resolution of settings.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        let Self { instance, url, platform } = self.clone();
        Overrides { instance, url, platform, ..Overrides::default() }
    }
}

/// The démarches.
#[derive(Clone, Debug, Default, Args)]
pub struct DemarcheArgs {
    /// Choose a démarche by its number; may be repeated [default: all of the configuration]
    #[arg(short, long = "demarche", value_name = "NUMBER")]
    pub demarches: Vec<DemarcheNumber>,
    /// Where they are.
    #[command(flatten)]
    pub instance: InstanceArgs,
}

impl DemarcheArgs {
    /// Passes these flags to the resolution of settings.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        Overrides { demarches: self.demarches.clone(), ..self.instance.overrides() }
    }
}

/// The démarches and their target.
#[derive(Clone, Debug, Default, Args)]
pub struct JobArgs {
    /// The démarches.
    #[command(flatten)]
    pub demarches: DemarcheArgs,
    /// Keep dossiers in this target, such as sqlite:dossiers.db or grist:DOCUMENT [default: that of the configuration]
    #[arg(long, value_name = "TARGET", help_heading = "Target")]
    pub to: Option<String>,
    /// Filter with this privacy policy: a preset (default, strict, integral) or one of the configuration [default: default]
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    pub policy: Option<String>,
}

impl JobArgs {
    /// Passes these flags to the resolution of settings.
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

/// The size of pages.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_sizes_are_checked() {
        for (text, expected) in [("1", true), ("100", true), ("0", false), ("101", false), ("-1", false)] {
            assert_eq!(page_size(text).is_ok(), expected, "{text}");
        }
    }
}
