//! Whether dossiers can be kept where they are to go. Nothing is written there.

use std::path::Path;

use super::diagnosis::{CheckOutcome, Diagnosis};
use crate::cli::context::read_secret;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::targets::{GRIST_KEY, doc, is_locked, open_to_read, postgres_facts};
use crate::config::{GristTarget, PostgresTarget, Target, show_size};
use crate::sink::postgres::{CONNECTIONS_OF_A_RUN, Pooler, ServerFacts};
use crate::sink::{AnySink, SinkError};
use grist_client::{Access, Features, GristError};

impl Diagnosis {
    /// Checks one target.
    pub(super) async fn target(&mut self, target: &Target) {
        let usable = match target {
            Target::Sqlite(path) => self.file(target, path).await,
            Target::Postgres(postgres) => self.database(postgres).await,
            Target::Grist(grist) => self.document(target, grist).await,
        };
        if !usable {
            return;
        }
        match is_locked(target).await {
            Ok(false) => self.add(CheckOutcome::Ok, "target", format!("{target} can be written"), None),
            Ok(true) => self.add(CheckOutcome::Warn, "target", format!("another run works on {target} now"), None),
            Err(error) => self.fail("target", &error),
        }
    }

    /// The server, the database, what lies between, and whether the schema may be written.
    async fn database(&mut self, target: &PostgresTarget) -> bool {
        let facts = match postgres_facts(target).await {
            Ok(facts) => facts,
            Err(error) => {
                self.fail("PostgreSQL", &error);
                return false;
            }
        };
        let ServerFacts { version, encoding, pooler, tls, connections: (used, most), replica_of, obstacle } = facts;
        self.add(CheckOutcome::Ok, "PostgreSQL", format!("version {version}; {tls}"), None);
        let hint = "make the database with ENCODING 'UTF8': others have no place for every character of an answer";
        match encoding.as_str() {
            "UTF8" => self.add(CheckOutcome::Ok, "encoding", "UTF8", None),
            other => self.add(CheckOutcome::Warn, "encoding", other, Some(hint)),
        }
        let found = match pooler {
            Pooler::None => "none",
            Pooler::Present => "there is one: session and transaction pooling both work",
            Pooler::Transaction => "there is one, in transaction mode, which works",
        };
        self.add(CheckOutcome::Ok, "pooler", found, None);
        let found = format!("{used} of {most} are in use; a run takes {CONNECTIONS_OF_A_RUN}");
        let hint = "raise `max_connections` or the limit of the account, or put a pooler before the server";
        match used + CONNECTIONS_OF_A_RUN > most {
            false => self.add(CheckOutcome::Ok, "connections", found, None),
            true => self.add(CheckOutcome::Warn, "connections", found, Some(hint)),
        }
        if let Some(primary) = replica_of {
            self.exit = self.exit.worse(Exit::Refused);
            let primary = if primary.is_empty() { "another server".to_owned() } else { primary };
            let found = format!("the server is a read-only replica of {primary}");
            self.add(
                CheckOutcome::Fail,
                "target",
                found,
                Some("name the primary in the address; `status` may read from here"),
            );
            return false;
        }
        if let Some(obstacle) = obstacle {
            self.exit = self.exit.worse(Exit::Refused);
            let hint = "see « Accounts » in docs/postgres.md for the rights that the account needs";
            self.add(CheckOutcome::Fail, "target", format!("{target}: the account {obstacle}"), Some(hint));
            return false;
        }
        true
    }

    async fn file(&mut self, target: &Target, path: &Path) -> bool {
        if !path.exists() {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            match std::fs::metadata(folder) {
                Ok(facts) if facts.is_dir() && !facts.permissions().readonly() => {
                    let found = format!("{target} does not exist yet; the first sync makes it");
                    self.add(CheckOutcome::Ok, "target", found, None);
                }
                Ok(_) => self.unusable(format!("{} is not a folder that can be written", folder.display())),
                Err(error) => self.unusable(format!("folder {}: {error}", folder.display())),
            }
            return false;
        }
        match open_to_read(target).await {
            Ok(sink) => drop(sink.close().await),
            Err(error) => {
                self.fail("target", &error);
                return false;
            }
        }
        if let Err(error) = std::fs::OpenOptions::new().write(true).open(path) {
            self.unusable(format!("{target} cannot be written: {error}"));
            return false;
        }
        true
    }

    fn unusable(&mut self, found: String) {
        self.exit = self.exit.worse(Exit::Refused);
        self.add(CheckOutcome::Fail, "target", found, Some("check the path and the rights of this account"));
    }

    /// Address, key, document, access, SQL, what lies in it.
    async fn document(&mut self, target: &Target, grist: &GristTarget) -> bool {
        let GristTarget { url, document: _, key, restore_columns, files, files_max_size, files_types, decisions } =
            grist;
        let of = target.to_string();
        self.tell(&of, "url", url.value.to_string(), &url.origin);
        self.tell(&of, "key", key.value.to_string(), &key.origin);
        self.tell(&of, "restore-columns", restore_columns.value.to_string(), &restore_columns.origin);
        self.tell(&of, "files", files.value.to_string(), &files.origin);
        if files.value {
            let types: Vec<String> = files_types.value.iter().map(ToString::to_string).collect();
            let types = if types.is_empty() { "all".to_owned() } else { types.join(", ") };
            self.tell(&of, "files-max-size", show_size(files_max_size.value), &files_max_size.origin);
            self.tell(&of, "files-types", types, &files_types.origin);
        }
        self.tell(&of, "decisions", decisions.value.to_string(), &decisions.origin);
        match read_secret(GRIST_KEY, &key.value) {
            Ok(_) => self.add(CheckOutcome::Ok, "Grist key", format!("found in {}", key.value), None),
            Err(error) => {
                self.fail("Grist key", &error);
                return false;
            }
        }
        let doc = match doc(grist) {
            Ok(doc) => doc,
            Err(error) => {
                self.fail("Grist", &error);
                return false;
            }
        };
        let info = match doc.info().await {
            Ok(info) => info,
            Err(error) => {
                self.refused(error);
                return false;
            }
        };
        let place = format!("“{}” in “{}”, {}", info.name, info.workspace, info.org);
        match info.access {
            Access::Viewer => {
                self.exit = self.exit.worse(Exit::Refused);
                let hint = "share it with the account of the key as owner, or at least as editor";
                self.add(CheckOutcome::Fail, "document", format!("{place}: the key may only read it"), Some(hint));
                return false;
            }
            Access::Editor => self.add(CheckOutcome::Ok, "document", format!("{place}: the key is an editor"), None),
            Access::Owner => self.add(CheckOutcome::Ok, "document", format!("{place}: the key is an owner"), None),
        }
        match doc.features().await {
            Ok(features) => self.features(features),
            Err(error) => {
                self.refused(error);
                return false;
            }
        }
        match open_to_read(target).await {
            Ok(AnySink::Grist(sink)) => {
                self.hidden(sink.hidden().await);
                match sink.copied_from().await {
                    Ok(None) => {}
                    Ok(Some(of)) => {
                        let hint = "send from the original, or once with `dn push --adopt --apply`";
                        let found = format!("it is a copy of {of}: `dn push` refuses to send from it");
                        self.add(CheckOutcome::Warn, "document", found, Some(hint));
                    }
                    Err(error) => self.fail("document", &CliError::from(error)),
                }
                drop(AnySink::Grist(sink).close().await);
            }
            Ok(sink) => drop(sink.close().await),
            Err(error) => {
                self.fail("target", &error);
                return false;
            }
        }
        true
    }

    /// What access rules hide of our tables: Grist takes no upsert of a table of which a key does not see everything.
    fn hidden(&mut self, hidden: Result<Vec<String>, SinkError>) {
        match hidden {
            Ok(hidden) if hidden.is_empty() => {}
            Ok(hidden) => {
                self.exit = self.exit.worse(Exit::Refused);
                let found =
                    format!("access rules hide {} from the key: its table cannot be written", hidden.join(", "));
                let hint = "make the account of the key an owner, or let it read all of these tables";
                self.add(CheckOutcome::Fail, "access rules", found, Some(hint));
            }
            Err(error) => self.fail("access rules", &CliError::from(error)),
        }
    }

    fn features(&mut self, features: Features) {
        let version = features.at_least().map(|version| format!("version {version} or later; ")).unwrap_or_default();
        if features.sql {
            self.add(CheckOutcome::Ok, "Grist", format!("{version}SQL is open to the key"), None);
        } else {
            let hint = "access rules close it to all but owners: with the key of an owner a sync asks less";
            self.add(
                CheckOutcome::Warn,
                "Grist",
                format!("{version}no SQL for this key: more requests, same result"),
                Some(hint),
            );
        }
    }

    /// A refusal of the document. Grist answers from memory for a moment after a document was shared.
    fn refused(&mut self, error: GristError) {
        let fresh = matches!(error, GristError::Forbidden { .. } | GristError::NoDocument { .. });
        self.fail("document", &CliError::Grist(error));
        if fresh && let Some(check) = self.checks.last_mut() {
            let hint = check.hint.take().unwrap_or_default();
            check.hint = Some(format!("{hint}; Grist takes some seconds to notice that a document was shared"));
        }
    }
}
