//! Decides about colours and progress from the capabilities of the terminal, which the caller reads once.

use clap::ValueEnum;

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Holds the capabilities of the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// True if the answer goes to a terminal.
    pub stdout_is_terminal: bool,
    /// True if messages go to a terminal.
    pub stderr_is_terminal: bool,
    /// True if NO_COLOR is set to anything.
    pub no_color: bool,
    /// True in continuous integration (`CI` is set).
    pub ci: bool,
    /// True if the terminal is too simple for progress bars (`TERM=dumb`).
    pub dumb: bool,
}

/// The form of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressMode {
    /// A line that is written over and over.
    Bar,
    /// A line for some pages.
    Lines,
    /// Not at all: a program reads the answer.
    Silent,
    /// Not at all, nor notices that need nobody: `--quiet`.
    Quiet,
}

impl ProgressMode {
    /// Bars only where somebody can watch them; lines elsewhere; nothing when a program reads or quiet was asked.
    #[must_use]
    pub fn resolve(around: Surroundings, quiet: bool, json: bool) -> Self {
        match around {
            _ if quiet => Self::Quiet,
            _ if json => Self::Silent,
            Surroundings { stderr_is_terminal: true, ci: false, dumb: false, .. } => Self::Bar,
            _ => Self::Lines,
        }
    }
}

/// Decides if a stream gets colours. They never carry meaning alone.
#[must_use]
pub fn colors(choice: ColorChoice, is_terminal: bool, around: Surroundings) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => is_terminal && !around.no_color && !around.dumb,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_only_where_somebody_can_watch_them() {
        let terminal = Surroundings { stderr_is_terminal: true, ..Surroundings::default() };
        for (case, around, quiet, json, expected) in [
            ("a terminal", terminal, false, false, ProgressMode::Bar),
            ("a pipe", Surroundings::default(), false, false, ProgressMode::Lines),
            ("continuous integration", Surroundings { ci: true, ..terminal }, false, false, ProgressMode::Lines),
            ("a dumb terminal", Surroundings { dumb: true, ..terminal }, false, false, ProgressMode::Lines),
            ("quiet", terminal, true, false, ProgressMode::Quiet),
            ("quiet, for a program", terminal, true, true, ProgressMode::Quiet),
            ("for a program", terminal, false, true, ProgressMode::Silent),
        ] {
            assert_eq!(ProgressMode::resolve(around, quiet, json), expected, "{case}");
        }
    }

    #[test]
    fn colours_follow_the_choice_then_the_surroundings() {
        let plain = Surroundings::default();
        let no_color = Surroundings { no_color: true, ..plain };
        for (choice, terminal, around, expected) in [
            (ColorChoice::Auto, true, plain, true),
            (ColorChoice::Auto, false, plain, false),
            (ColorChoice::Auto, true, no_color, false),
            (ColorChoice::Auto, true, Surroundings { dumb: true, ..plain }, false),
            (ColorChoice::Always, false, no_color, true),
            (ColorChoice::Never, true, plain, false),
        ] {
            assert_eq!(colors(choice, terminal, around), expected, "{choice:?} {terminal} {around:?}");
        }
    }
}
