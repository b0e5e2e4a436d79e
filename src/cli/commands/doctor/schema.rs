//! Checks that the platform accepts the requests of this version, and compares its schema with the pinned one.

use super::diagnosis::Diagnosis;
use crate::api::{ApiError, Client, LiveSchema, Rejections, SchemaFacts};
use crate::cli::exit::Exit;
use crate::cli::printer::{counted, shortened};
use crate::cycle::targets::CheckOutcome;
use crate::platform::Platform;

/// The name of this check.
const SCHEMA: &str = "schema";
/// The number of names in the line of a check; all of them are below it.
const SHOWN: usize = 5;
/// The number of characters of names in that line.
const LONGEST: usize = 160;

impl Diagnosis {
    /// Asks the platform for its schema, and judges it.
    pub(super) async fn schema(&mut self, client: &Client, platform: Platform) {
        let schema = match client.live_schema().await {
            Ok(schema) => schema,
            // Some proxies let no introspection through; whether a sync works, a sync tells.
            Err(error @ (ApiError::Rejected { .. } | ApiError::Undecodable { .. } | ApiError::ServerError { .. })) => {
                return self.not_compared(&error.to_string());
            }
            Err(error) => return self.fail(SCHEMA, &error.into()),
        };
        match schema.rejections(platform) {
            Ok(Rejections { reading, writing }) if reading.is_empty() && writing.is_empty() => {
                self.differences(&schema, platform);
            }
            Ok(Rejections { reading, writing }) if reading.is_empty() => {
                let found =
                    format!("all that a sync asks for is there; not all that `dn push` does: {}", few(&writing));
                let hint = "decisions of these kinds cannot be sent; a newer version of this program may fit";
                self.add_with(CheckOutcome::Warn, SCHEMA, found, Some(hint), writing);
                self.differences(&schema, platform);
            }
            Ok(Rejections { reading, .. }) => {
                self.exit = self.exit.worse(Exit::Refused);
                let found = format!("a sync asks for {} that is not there: {}", things(&reading), few(&reading));
                let hint = "check `platform` and the address; a newer version of this program may fit";
                self.add_with(CheckOutcome::Fail, SCHEMA, found, Some(hint), reading);
            }
            Err(reason) => self.not_compared(&reason),
        }
    }

    /// One line about what nothing of ours asks for.
    fn differences(&mut self, schema: &LiveSchema, platform: Platform) {
        let gap = schema.facts().against(&SchemaFacts::pinned(platform));
        if gap.is_empty() {
            return self.add(CheckOutcome::Ok, SCHEMA, "as pinned", None);
        }
        let names = |count: usize| counted(count as u64, "name");
        let found = format!(
            "has all that this version asks for; beside that {} less and {} more than pinned",
            names(gap.missing.len()),
            names(gap.added.len())
        );
        let gone = gap.missing.iter().map(|name| format!("gone: {name}"));
        let details = gone.chain(gap.added.iter().map(|name| format!("new: {name}"))).collect();
        self.add_with(CheckOutcome::Ok, SCHEMA, found, None, details);
    }

    fn not_compared(&mut self, reason: &str) {
        let hint = "a sync tells whether the platform accepts what this version asks for";
        self.add(CheckOutcome::Warn, SCHEMA, format!("could not be compared: {reason}"), Some(hint));
    }
}

fn things(list: &[String]) -> String {
    match list.len() {
        1 => "one thing".to_owned(),
        count => format!("{count} things"),
    }
}

fn few(list: &[String]) -> String {
    let shown: Vec<&str> = list.iter().take(SHOWN).map(String::as_str).collect();
    let more = if list.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shortened(&shown.join(", "), LONGEST))
}
