//! Runs the documentation: examples as processes, console blocks command by command.
//!
//! A console block that cannot be run here says why in the line before it (`<!-- not run: … -->`), and is counted.

mod commands;
mod console;
mod examples;
mod files;
mod running;

use std::path::PathBuf;

use crate::support::sources::{read, root};

/// Every text for users that may hold a console block.
fn texts() -> Vec<String> {
    let docs = std::fs::read_dir(root().join("docs")).expect("the folder").map(|entry| entry.expect("an entry").path());
    let docs = docs.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let name = |path: PathBuf| format!("docs/{}", path.file_name().unwrap_or_default().to_string_lossy());
    let mut texts: Vec<String> = docs.map(name).collect();
    texts.extend(
        ["README.md", "README.fr.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
            .map(str::to_owned),
    );
    texts.sort();
    texts
}
