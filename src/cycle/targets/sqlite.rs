//! SQLite files as targets.

use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;

use super::{Findings, TargetKind};
use crate::config::{Secrets, SqliteTarget};
use crate::cycle::CycleError;
use crate::sink::{AnySink, SqliteSink};

/// The files beside a database that hold dossiers too.
const BESIDE: [&str; 3] = ["", "-wal", "-shm"];

impl TargetKind for SqliteTarget {
    fn open<'a>(&'a self, _: &'a Secrets) -> BoxFuture<'a, Result<AnySink, CycleError>> {
        Box::pin(async { Ok(SqliteSink::open(&self.path).await?.into()) })
    }

    fn open_if_there<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<Option<AnySink>, CycleError>> {
        Box::pin(async move {
            match self.path.exists() {
                true => self.open(secrets).await.map(Some),
                false => Ok(None),
            }
        })
    }

    fn open_to_read<'a>(&'a self, _: &'a Secrets) -> BoxFuture<'a, Result<AnySink, CycleError>> {
        Box::pin(async { Ok(SqliteSink::open_read_only(&self.path).await?.into()) })
    }

    fn open_to_read_if_there<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Result<Option<AnySink>, CycleError>> {
        Box::pin(async move {
            match self.path.exists() {
                true => self.open_to_read(secrets).await.map(Some),
                false => Ok(None),
            }
        })
    }

    fn is_locked<'a>(&'a self, _: &'a Secrets) -> BoxFuture<'a, Result<bool, CycleError>> {
        Box::pin(async { Ok(SqliteSink::is_locked(&self.path)?) })
    }

    fn check<'a>(&'a self, secrets: &'a Secrets) -> BoxFuture<'a, Findings> {
        Box::pin(async move {
            let mut findings = Findings::default();
            findings.usable = self.examine(&mut findings, secrets).await;
            findings
        })
    }

    fn identity(&self) -> String {
        // Whether or not the file is there: a push makes the one beside a file of decisions.
        std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone()).display().to_string()
    }

    fn how_to_look(&self, demarche: u32) -> String {
        let path = self.path.display();
        format!(
            "database: {path}\ntry:      sqlite3 {path} \\\n            \
             \"SELECT state, count(*) FROM demarche_{demarche}_dossiers GROUP BY state\"\n"
        )
    }

    fn local_files(&self) -> Vec<PathBuf> {
        let beside = |end: &&str| {
            let mut name = self.path.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        };
        BESIDE.iter().map(beside).collect()
    }
}

impl SqliteTarget {
    async fn examine(&self, findings: &mut Findings, secrets: &Secrets) -> bool {
        let path = &self.path;
        if !path.exists() {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            match std::fs::metadata(folder) {
                Ok(facts) if facts.is_dir() && !facts.permissions().readonly() => {
                    findings.ok("target", format!("{self} does not exist yet; the first sync makes it"));
                }
                Ok(_) => unusable(findings, format!("{} is not a folder that can be written", folder.display())),
                Err(error) => unusable(findings, format!("folder {}: {error}", folder.display())),
            }
            return false;
        }
        match self.open_to_read(secrets).await {
            Ok(sink) => drop(sink.close().await),
            Err(error) => {
                findings.fail("target", &error);
                return false;
            }
        }
        if let Err(error) = std::fs::OpenOptions::new().write(true).open(path) {
            unusable(findings, format!("{self} cannot be written: {error}"));
            return false;
        }
        true
    }
}

fn unusable(findings: &mut Findings, found: String) {
    findings.refused("target", found, "check the path and the rights of this account");
}
