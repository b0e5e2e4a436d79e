//! Knows the text of a file and collects everything that is wrong in it, where serde would stop at the first.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Problem};
use super::origin::SettingOrigin;
use super::values::InvalidValue;

/// The text of a file and what was found wrong in it so far.
pub(super) struct Source {
    path: Arc<PathBuf>,
    text: String,
    problems: Vec<(usize, Problem)>,
}

impl Source {
    pub(super) fn new(path: &Path, text: &str) -> Self {
        Self { path: Arc::new(path.to_owned()), text: text.to_owned(), problems: Vec::new() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Line and column, from 1, of a byte of the text.
    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    pub(super) fn origin(&self, offset: usize) -> SettingOrigin {
        SettingOrigin::File { path: Arc::clone(&self.path), line: self.position(offset).0 }
    }

    pub(super) fn report(&mut self, offset: usize, key: impl Into<String>, error: InvalidValue) {
        let InvalidValue { message, hint } = error;
        let problem = Problem { at: Some(self.position(offset)), key: key.into(), message, hint };
        self.problems.push((offset, problem));
    }

    /// Everything that is wrong, in the order of the file.
    pub(super) fn finish(mut self) -> Result<(), ConfigError> {
        if self.problems.is_empty() {
            return Ok(());
        }
        self.problems.sort_by_key(|(offset, _)| *offset);
        let problems = self.problems.into_iter().map(|(_, problem)| problem).collect();
        Err(ConfigError { file: Some(self.path.as_ref().clone()), problems })
    }
}

/// One table of the file.
#[derive(Clone)]
pub(super) struct Table<'d> {
    table: &'d DeTable<'d>,
    /// Where it begins.
    pub(super) offset: usize,
    path: String,
}

impl<'d> Table<'d> {
    pub(super) fn new(table: &'d DeTable<'d>, offset: usize, path: String) -> Self {
        Self { table, offset, path }
    }

    /// The path of a key, as messages show it.
    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&'d str, usize, &'d Spanned<DeValue<'d>>)> + use<'d> {
        self.table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span().start, value))
    }

    /// Where the value of a key begins, or the table itself.
    pub(super) fn offset_of(&self, key: &str) -> usize {
        self.table.get(key).map_or(self.offset, |value| value.span().start)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.table.get(key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }
}
