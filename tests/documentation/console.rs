//! Reads the console blocks of a page.

/// A block of commands and what they print.
#[derive(Debug)]
pub struct Block {
    /// File and line, for messages.
    pub place: String,
    /// The reason not to run it, if the page gives one.
    pub not_run: Option<String>,
    pub commands: Vec<Shown>,
}

/// A command with the output that the page shows.
#[derive(Debug)]
pub struct Shown {
    /// The command as it is written, on one line.
    pub source: String,
    /// Its words, without the comment behind it.
    pub words: Vec<String>,
    /// The lines that the page shows after it: output and answers.
    pub lines: Vec<String>,
}

const MARK: &str = "<!-- not run: ";

/// Every block of a text.
pub fn blocks(file: &str, text: &str) -> Vec<Block> {
    let lines: Vec<&str> = text.lines().collect();
    let mut blocks = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at];
        let fence = line.trim_start();
        if !fence.starts_with("```") {
            at += 1;
            continue;
        }
        let end = at + 1 + lines[at + 1..].iter().position(|line| line.trim() == "```").expect("every block ends");
        if fence == "```console" {
            let above = if at > 0 { lines[at - 1].trim() } else { "" };
            let not_run = above.strip_prefix(MARK).and_then(|rest| rest.strip_suffix(" -->")).map(str::to_owned);
            let indent = line.len() - fence.len();
            let inner: Vec<&str> =
                lines[at + 1..end].iter().map(|line| line.get(indent..).unwrap_or_default()).collect();
            let place = format!("{file}:{}", at + 1);
            blocks.push(Block { commands: commands(&place, &inner), place, not_run });
        }
        at = end + 1;
    }
    blocks
}

fn commands(place: &str, lines: &[&str]) -> Vec<Shown> {
    let mut commands: Vec<Shown> = Vec::new();
    let mut lines = lines.iter();
    while let Some(line) = lines.next() {
        // A comment that goes on in the next line, below where it began.
        if line.starts_with(' ') && line.trim_start().starts_with("# ") {
            continue;
        }
        let Some(first) = line.strip_prefix("$ ").or_else(|| line.strip_prefix("# ")) else {
            let shown = commands.last_mut().unwrap_or_else(|| panic!("{place} begins with no command"));
            shown.lines.push((*line).to_owned());
            continue;
        };
        let mut whole = first.to_owned();
        while let Some(begun) = whole.strip_suffix('\\') {
            whole = format!("{begun} {}", lines.next().expect("a command goes on").trim());
        }
        commands.push(Shown { words: words(&whole), source: whole, lines: Vec::new() });
    }
    assert!(!commands.is_empty(), "{place} has no command");
    commands
}

/// The words of a command as a shell takes them: quotes hold words together, a comment follows two spaces and `#`.
pub fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut before = ' ';
    for letter in command.chars() {
        match (quote, letter) {
            (None, '#') if before == ' ' => break,
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().expect("one word at least").push(letter),
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn a_block_is_read_as_a_shell_reads_it() {
    let text = "words\n\n1. a list:\n\n   <!-- not run: no reason -->\n   ```console\n   $ dn push --motivation \"Dossier # complet\" \\\n       --as a@example.org      # sent\n                  # once\n   done\n   # as root\n   ```\n";
    let [block] = blocks("x.md", text).try_into().expect("one block");
    assert_eq!((block.place.as_str(), block.not_run.as_deref()), ("x.md:6", Some("no reason")));
    assert_eq!(block.commands[0].words, ["dn", "push", "--motivation", "Dossier # complet", "--as", "a@example.org"]);
    assert_eq!(block.commands[0].lines, ["done"]);
    assert_eq!(block.commands[1].words, ["as", "root"]);
}
