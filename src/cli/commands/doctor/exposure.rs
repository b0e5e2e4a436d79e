//! Checks that other accounts of this machine cannot read personal data or secrets.

use std::path::Path;

use super::diagnosis::Diagnosis;
use crate::config::{SecretSource, Target};
use crate::cycle::targets::{CheckOutcome, kind_of};

impl Diagnosis {
    /// Tells when everybody may read the files of a target.
    pub(super) fn exposure(&mut self, target: &Target) {
        let exposed: Vec<String> = kind_of(target).local_files().iter().filter_map(|path| exposed(path)).collect();
        if !exposed.is_empty() {
            let hint = "take the right from them: `chmod 600`, or `chmod 640` and the group that is meant to read";
            let found = format!("every account of this machine may read {}", exposed.join(", "));
            self.add(CheckOutcome::Warn, "target", found, Some(hint));
        }
    }

    /// The same of the file of a secret.
    pub(super) fn exposed_secret(&mut self, what: &str, source: &SecretSource) {
        if let SecretSource::File(path) = source
            && let Some(file) = exposed(path)
        {
            let found = format!("every account of this machine may read {file}");
            self.add(CheckOutcome::Warn, what, found, Some("take the right from them: `chmod 600`"));
        }
    }
}

/// The file and its mode, when every account may read it: the file itself, and each folder on the way to it.
#[cfg(unix)]
fn exposed(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    const OTHERS_READ: u32 = 0o004;
    const OTHERS_PASS: u32 = 0o001;
    let mode = |path: &Path| Some(path.metadata().ok()?.permissions().mode());
    let file = path.canonicalize().ok()?;
    let passes = |folder: &Path| mode(folder).is_some_and(|mode| mode & OTHERS_PASS != 0);
    let open = mode(&file)? & OTHERS_READ != 0 && file.ancestors().skip(1).all(passes);
    open.then(|| format!("{} (mode {:o})", path.display(), mode(&file).unwrap_or_default() & 0o777))
}

#[cfg(not(unix))]
fn exposed(_: &Path) -> Option<String> {
    None
}
