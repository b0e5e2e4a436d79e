//! Parses every `dn …` that a document shows, with the parser of the program.
//!
//! [`super::running`] runs the commands of console blocks; this test also reads the sentences, the comments of the samples in
//! `config/`, and the blocks that are not run.

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use demarche_numerique::cli::Cli;

use super::console::{blocks, words};
use super::{read, root, texts};

/// Placeholders, with a value that the parser accepts.
const PLACEHOLDERS: [(&str, &str); 2] = [("N", "1"), ("ACTION", "accepter")];

/// A command, and where it is shown.
struct Mention {
    place: String,
    text: String,
    /// `true` in a block, which a reader copies. A sentence may name a command without its arguments.
    whole: bool,
}

/// Parses the command; the error of the parser if the program does not take it.
fn fault(mention: &Mention) -> Option<String> {
    let Mention { place, text, whole } = mention;
    let shown = text.split(['>', '|', '&']).next().unwrap_or_default().replace(['[', ']'], "");
    let own = |word: String| PLACEHOLDERS.iter().find(|(name, _)| word == *name).map_or(word, |(_, own)| (*own).into());
    let args: Vec<String> = words(&shown).into_iter().map(own).collect();
    let error = Cli::command().try_get_matches_from(&args).err()?;
    let unfinished = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return None,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::MissingRequiredArgument
        | ErrorKind::MissingSubcommand => true,
        // A flag that is named without its value.
        ErrorKind::InvalidValue => {
            matches!(error.get(ContextKind::InvalidValue), Some(ContextValue::String(value)) if value.is_empty())
        }
        _ => false,
    };
    (*whole || !unfinished).then(|| format!("{place} shows `{text}`:\n{error}"))
}

fn is_command(text: &str) -> bool {
    text.starts_with("dn ")
}

/// The commands in code marks of one paragraph, which may go over lines.
fn in_sentences(place: &str, paragraph: &str) -> Vec<Mention> {
    let code =
        paragraph.split('`').skip(1).step_by(2).map(|code| code.split_whitespace().collect::<Vec<_>>().join(" "));
    let mention = |text| Mention { place: place.to_owned(), text, whole: false };
    code.filter(|code| is_command(code)).map(mention).collect()
}

/// The commands of a page: its sentences, its console blocks, and the lines of other blocks that end with a command.
fn in_page(file: &str) -> Vec<Mention> {
    let text = read(file);
    let mut found: Vec<Mention> = blocks(file, &text)
        .into_iter()
        .flat_map(|block| block.commands.into_iter().map(move |shown| (block.place.clone(), shown.source)))
        .filter(|(_, source)| is_command(source))
        .map(|(place, text)| Mention { place, text, whole: true })
        .collect();
    let (mut paragraph, mut fence) = (String::new(), None);
    for (at, line) in text.lines().chain([""]).enumerate() {
        let place = format!("{file}:{}", at + 1);
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fence = fence.is_none().then(|| language.to_owned());
        } else if let Some(language) = &fence {
            let command = line.find(" dn ").map(|at| &line[at + 1..]);
            if let (Some(command), "cron") = (command, language.as_str()) {
                found.push(Mention { place, text: command.to_owned(), whole: true });
            }
        } else if line.trim().is_empty() {
            found.extend(in_sentences(&place, &paragraph));
            paragraph.clear();
        } else {
            paragraph.push_str(line);
            paragraph.push('\n');
        }
    }
    found
}

/// The comments of the samples and of the templates.
fn in_samples() -> Vec<Mention> {
    let mut folders = vec![root().join("config"), root().join(".github")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of the sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a sample is text");
            for (at, line) in text.lines().enumerate() {
                found.extend(in_sentences(&format!("{}:{}", path.display(), at + 1), line));
            }
        }
    }
    found
}

#[test]
fn every_command_in_the_documents_parses() {
    let mut mentions: Vec<Mention> = texts().iter().flat_map(|file| in_page(file)).collect();
    assert!(mentions.iter().filter(|mention| mention.whole).count() > 20);
    mentions.extend(in_samples());
    assert!(mentions.len() > 150, "{} commands are shown", mentions.len());
    let faults: Vec<String> = mentions.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_flag_that_does_not_exist_is_found() {
    let [mention] = in_sentences("here", "Run `dn sync\n--everything` at night.").try_into().ok().expect("one command");
    let fault = fault(&mention).expect("a fault");
    assert!(fault.contains("unexpected argument '--everything'"), "{fault}");
}
