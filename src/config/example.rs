//! Writes `config/example.toml` from the declarations of the keys: a key that is declared is shown, with its help and its default. This file adds the
//! sample tables and the words between them.

use super::keys::{Key, sections, unsaid};
use super::target::TYPES;

const WIDTH: usize = 120;

const HEAD: &str = "\
Every key that a configuration file may hold, with its default where it has one.

  dn --config config/example.toml config check      tells everything that is wrong in a file, at once
  dn --config config/example.toml doctor            tells where each setting comes from

A flag wins over the environment, which wins over this file, which wins over the default.
Durations are whole numbers with a unit: \"30s\", \"15m\", \"24h\", \"7d\", \"1h30m\".
Relative paths start from the folder of this file.
No secret is ever written here: only the name of the environment variable, or of the file, that holds it.";

/// Gives a configuration with every key and its default: the text of `config/example.toml`.
#[must_use]
pub fn example() -> String {
    let mut page = Page(String::new());
    page.comment(HEAD);

    page.heading(
        "Instances: a platform and how to talk to it",
        "The short name (here `dn` and `ds`) is stored with the dossiers, as the numbers of two instances collide: do not change it once \
         dossiers were synced. At most 24 small letters, digits and hyphens, beginning with a letter.",
    );
    let of_second = ["token-file", "token-expires", "webhook-path-file"];
    let (second, first): (Vec<Key>, Vec<Key>) =
        keys_of("[instances.*]").into_iter().partition(|key| of_second.contains(&key.name));
    page.table("[instances.dn]", "", &[], &first);
    page.table("[instances.ds]", "", &["platform = \"demat-social\""], &as_chosen(second));

    page.heading("Targets: where dossiers are kept", "");
    for (index, kind) in TYPES.iter().enumerate() {
        let header = format!("[targets.{}]", kind.sample);
        page.table(&header, kind.about, &[], &[]);
        match index {
            0 => page.keys(&keys_of("[targets.*]")[..1]),
            _ => page.line(&format!("type = \"{}\"", kind.name())),
        }
        page.keys(&unsaid(kind.declare).1);
    }

    page.heading(
        "Privacy: what may leave the platform",
        "A démarche names one of these policies, or a preset. Flag --policy.",
    );
    let (files, keys): (Vec<Key>, Vec<Key>) = keys_of("[privacy.*]").into_iter().partition(|key| key.alternative);
    page.table("[privacy.service]", "", &[], &keys);
    page.table(
        "[privacy.service.kinds]",
        "What becomes of all champs of a kind, or of a part of the dossier (usager, demandeur, mandataire, instructeurs, messages, avis, \
         motivation, pieces-jointes, traitements): \"include\", \"pseudonymise\", \"mask\" or \"exclude\".",
        &["iban = \"mask\"", "email = \"pseudonymise\""],
        &[],
    );
    page.table(
        "[privacy.service.descriptors]",
        "What becomes of one champ or annotation, by the id that `dn schema` shows; wins over its kind.",
        &["\"Q2hhbXAtMTAwMQ==\" = \"exclude\""],
        &[],
    );
    page.table("[privacy.partner]", "", &["preset = \"strict\""], &as_chosen(files));

    page.heading("How démarches are followed, unless they say otherwise", "");
    page.table("[sync]", "", &[], &keys_of("[sync]"));
    page.table(
        "[sync.retention]",
        "For how long dossiers are kept: years, months, weeks or days. Without these tables, for ever. Look with `dn retention` before \
         anything is done; docs/retention.md tells what goes and what stays.",
        &[],
        &keys_of("[sync.retention]"),
    );
    page.table(
        "[sync.retention.deleted]",
        "Dossiers that the platform deleted, from the day on which it did.",
        &["purge = \"1 year\""],
        &[],
    );
    page.table(
        "[sync.retention.finished]",
        "Decided dossiers, from the day of the decision.",
        &[],
        &keys_of("[sync.retention] deleted and finished"),
    );

    page.heading("When `dn run` runs démarches, unless they say otherwise", "");
    page.table("[run]", "", &[], &keys_of("[run]"));
    page.table(
        "[run.alerts]",
        "Whom it wakes. Each message is told once when something begins and once when it is over, as a line of JSON; its `text` is what \
         chat programs show. Nobody is told when this section is left out.",
        &[],
        &keys_of("[run.alerts]"),
    );

    page.heading("Démarches", "One table a démarche. Flag --demarche NUMBER chooses among them.");
    let shared: Vec<Key> = ["[sync]", "[run]"].into_iter().flat_map(keys_of).collect();
    let own: Vec<Key> =
        keys_of("[[demarches]]").into_iter().filter(|key| !shared.iter().any(|other| other.name == key.name)).collect();
    page.table("[[demarches]]", "", &[], &own);
    page.remark("Whatever [sync] says may be said otherwise for one démarche.");
    page.line("listing-every = \"6h\"");
    page.remark("So may for how long its dossiers are kept: here those that the platform deleted, for ever.");
    page.line("retention.deleted = {}");
    page.remark("So may whatever [run] says of when it runs.");
    page.line("schedule = \"*/15 * * * *\"");
    page.line("");
    page.line("[[demarches]]");
    page.line("number = 2002");
    page.line("instance = \"ds\"");
    page.remark("Several démarches may share a target.");
    page.line("target = \"equipe\"");
    page.0
}

/// Lists the keys of a section.
fn keys_of(section: &str) -> Vec<Key> {
    let found = sections().into_iter().find(|known| known.name == section);
    found.unwrap_or_else(|| panic!("there is no section {section}")).keys
}

/// Takes the second way to name a secret as the one that the sample chose.
fn as_chosen(keys: Vec<Key>) -> Vec<Key> {
    keys.into_iter().map(|key| Key { alternative: false, ..key }).collect()
}

/// The text so far.
struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    /// Writes a comment, whose lines are kept.
    fn comment(&mut self, text: &str) {
        for line in text.lines() {
            self.line(format!("# {line}").trim_end());
        }
    }

    /// Writes a comment, whose lines are broken where they are full.
    fn remark(&mut self, text: &str) {
        let mut line = "#".to_owned();
        for word in text.split_whitespace() {
            if line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.line(&line);
                line = "#".to_owned();
            }
            line.push(' ');
            line.push_str(word);
        }
        if line != "#" {
            self.line(&line);
        }
    }

    fn heading(&mut self, title: &str, text: &str) {
        let title = format!("# --- {title} ");
        self.0.push_str("\n\n");
        self.line(&format!("{title}{}", "-".repeat(WIDTH - 1 - title.chars().count())));
        if !text.is_empty() {
            self.line("#");
            self.remark(text);
        }
    }

    /// Writes a table: what the sample says of its own, then keys with their help and their defaults.
    fn table(&mut self, header: &str, about: &str, says: &[&str], keys: &[Key]) {
        self.line("");
        self.remark(about);
        self.line(header);
        for line in says {
            self.line(line);
        }
        self.keys(keys);
    }

    fn keys(&mut self, keys: &[Key]) {
        for Key { name, help, value, alternative } in keys {
            // A table stands elsewhere, under a header of its own.
            let Some(value) = value else { continue };
            self.remark(help);
            let comment = if *alternative { "# " } else { "" };
            self.line(&format!("{comment}{name} = {value}"));
        }
    }
}
