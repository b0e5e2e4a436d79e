//! Checks that a target can keep dossiers. Nothing is written there.

use super::diagnosis::{Check, Diagnosis};
use crate::cli::printer::legible;
use crate::config::{Secrets, Target};
use crate::cycle::targets::{CheckOutcome, Finding, kind_of};

impl Diagnosis {
    /// Checks one target.
    pub(super) async fn target(&mut self, target: &Target, secrets: &Secrets) {
        let kind = kind_of(target);
        let of = target.to_string();
        for (setting, value, origin) in kind.settings() {
            self.tell(&of, setting, value, origin);
        }
        let findings = kind.check(secrets).await;
        for Finding { verdict, what, found, hint, kind } in findings.found {
            if let Some(kind) = kind {
                self.exit = self.exit.worse(kind.into());
            }
            self.checks.push(Check {
                verdict,
                what: what.to_owned(),
                found: legible(&found),
                hint,
                details: Vec::new(),
            });
        }
        if !findings.usable {
            return;
        }
        match kind.is_locked(secrets).await {
            Ok(false) => self.add(CheckOutcome::Ok, "target", format!("{target} can be written"), None),
            Ok(true) => self.add(CheckOutcome::Warn, "target", format!("another run works on {target} now"), None),
            Err(error) => self.fail("target", &error.into()),
        }
    }
}
