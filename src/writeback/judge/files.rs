//! Compares files of this machine with those that the platform shows. Pure: the files were read before.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value as Json;

use super::verdict::Refusal;
use crate::champ::{ChampValue, File};

/// Describes a file of this machine as the platform would: by name and digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFile {
    /// Its name, without the path.
    pub name: String,
    /// MD5 of its bytes in base64.
    pub checksum: String,
    /// The size in bytes.
    pub size: u64,
}

impl LocalFile {
    /// Returns true if a file of the platform has the same bytes.
    pub(super) fn has_bytes_of(&self, shown: &File) -> bool {
        // A file that the platform generates on demand has no checksum (docs/platform.md#files): its size is compared.
        if shown.checksum.is_empty() { shown.byte_size == self.size } else { shown.checksum == self.checksum }
    }
}

/// Holds the files that an intent names, by path, or the reason why one cannot be read.
pub type LocalFiles = BTreeMap<PathBuf, Result<LocalFile, String>>;

/// Reads the paths of files: one, or a list.
pub(super) fn paths(value: &Json) -> Result<Vec<PathBuf>, String> {
    let path = |item: &Json| item.as_str().map(str::trim).filter(|path| !path.is_empty()).map(PathBuf::from);
    let paths = match value {
        Json::Array(items) if !items.is_empty() => items.iter().map(path).collect(),
        other => path(other).map(|path| vec![path]),
    };
    paths.ok_or_else(|| "the path of a file is expected, or a list of paths; the API takes no file away".to_owned())
}

/// Finds the files that an annotation does not hold. A file is identified by its checksum and its name.
pub(super) fn absent(champ: &ChampValue, paths: Vec<PathBuf>, files: &LocalFiles) -> Result<Vec<PathBuf>, Refusal> {
    let there = match champ {
        ChampValue::Files(files) => files.as_slice(),
        _ => &[],
    };
    let mut absent: Vec<PathBuf> = Vec::new();
    for path in paths {
        let file = match files.get(&path) {
            Some(Ok(file)) => file,
            Some(Err(reason)) => return Err(Refusal::File(reason.clone())),
            None => return Err(Refusal::File("it was not read".to_owned())),
        };
        let held = there.iter().any(|held| held.checksum == file.checksum && held.filename == file.name);
        if !held && !absent.contains(&path) {
            absent.push(path);
        }
    }
    Ok(absent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_bytes_and_its_name() {
        let local =
            |name: &str, checksum: &str| Ok(LocalFile { name: name.into(), checksum: checksum.into(), size: 1 });
        let files = LocalFiles::from([
            (PathBuf::from("/tmp/avis.pdf"), local("avis.pdf", "a==")),
            (PathBuf::from("/tmp/plan.pdf"), local("plan.pdf", "b==")),
            (PathBuf::from("/tmp/perdu.pdf"), Err("it is not there".to_owned())),
        ]);
        let held = |name: &str, checksum: &str| crate::champ::File {
            filename: name.into(),
            content_type: "application/pdf".into(),
            byte_size: 1,
            checksum: checksum.into(),
            created_at: None,
            virus_scan_result: None,
            url: None,
        };
        let champ = ChampValue::Files(vec![held("avis.pdf", "a=="), held("plan.pdf", "another==")]);
        let both = paths(&serde_json::json!(["/tmp/avis.pdf", "/tmp/plan.pdf"])).expect("two paths");
        assert_eq!(absent(&champ, both.clone(), &files), Ok(vec![PathBuf::from("/tmp/plan.pdf")]));
        assert_eq!(absent(&ChampValue::Empty, both.clone(), &files), Ok(both));
        let lost = paths(&"/tmp/perdu.pdf".into()).expect("a path");
        assert_eq!(absent(&champ, lost, &files), Err(Refusal::File("it is not there".to_owned())));
        for nothing in [Json::Null, "".into(), serde_json::json!([]), 3.into()] {
            assert!(paths(&nothing).is_err(), "{nothing}");
        }
    }
}
