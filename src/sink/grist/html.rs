//! Turns the HTML of a message into plain text. Pure.

/// Writes HTML as people read it: one line a paragraph, list items with a dash, links with their address, entities decoded.
/// A text without tags and entities stays as it is.
pub(super) fn plain(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return html.to_owned();
    }
    let mut text = Plain::default();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push(&rest[..at], html);
        rest = &rest[at..];
        let taken = if rest.starts_with('&') { entity(rest) } else { None };
        if let Some((letter, length)) = taken {
            text.letter(letter);
            rest = &rest[length..];
        } else if let Some(length) = tag_length(rest) {
            text.tag(&rest[..length]);
            rest = &rest[length..];
        } else {
            text.letter(if rest.starts_with('<') { '<' } else { '&' });
            rest = &rest[1..];
        }
    }
    text.push(rest, html);
    text.finish()
}

/// Text so far.
#[derive(Default)]
struct Plain {
    text: String,
    /// The address of the link that is open, and where its text begins.
    link: Option<(String, usize)>,
    /// Inside a tag whose content nobody reads.
    silent: Option<&'static str>,
}

/// Tags that begin and end a line.
const BLOCKS: [&str; 18] = [
    "p",
    "div",
    "ul",
    "ol",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "table",
    "tr",
    "blockquote",
    "pre",
    "section",
    "header",
    "footer",
];

/// Tags after which an empty line stands.
const PARAGRAPHS: [&str; 8] = ["p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"];

impl Plain {
    fn push(&mut self, text: &str, whole: &str) {
        if self.silent.is_some() {
            return;
        }
        // In HTML with blocks a line break is a space; the platform also sends text with a tag or two in it, whose breaks
        // are meant.
        let breaks = !is_markup(whole);
        for letter in text.chars() {
            match letter {
                '\n' if breaks => self.text.push('\n'),
                '\r' => {}
                letter if letter.is_ascii_whitespace() => self.space(),
                letter => self.text.push(letter),
            }
        }
    }

    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }

    fn letter(&mut self, letter: char) {
        if self.silent.is_none() {
            self.text.push(letter);
        }
    }

    /// Begins a line, unless one begins here.
    fn line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn tag(&mut self, tag: &str) {
        let inner = tag.trim_start_matches('<').trim_end_matches('>');
        let (closes, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
        let name = inner.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
        if let Some(silent) = self.silent {
            if closes && name == silent {
                self.silent = None;
            }
            return;
        }
        match (name.as_str(), closes) {
            ("br", _) => {
                self.text.truncate(self.text.trim_end_matches(' ').len());
                self.text.push('\n');
            }
            ("script", false) => self.silent = Some("script"),
            ("style", false) => self.silent = Some("style"),
            ("a", false) => self.link = attribute(inner, "href").map(|href| (href, self.text.len())),
            ("a", true) => self.close_link(),
            ("li", false) => {
                self.line();
                self.text.push_str("- ");
            }
            ("td" | "th", true) => self.space(),
            (block, _) if BLOCKS.contains(&block) => {
                self.line();
                if closes && PARAGRAPHS.contains(&block) && !self.text.is_empty() && !self.text.ends_with("\n\n") {
                    self.text.push('\n');
                }
            }
            _ => {}
        }
    }

    /// Adds the address of a link behind its text, unless the text is the address.
    fn close_link(&mut self) {
        let Some((href, from)) = self.link.take() else { return };
        let text = self.text.get(from..).unwrap_or_default().trim().to_owned();
        let bare = href.strip_prefix("mailto:").unwrap_or(&href);
        if text.is_empty() {
            self.text.push_str(bare);
        } else if text != bare && !bare.is_empty() {
            self.text.push_str(" (");
            self.text.push_str(bare);
            self.text.push(')');
        }
    }

    fn finish(mut self) -> String {
        if self.link.is_some() {
            self.close_link();
        }
        let lines: Vec<&str> = self.text.lines().map(str::trim_end).collect();
        lines.join("\n").trim().to_owned()
    }
}

/// Returns true for HTML whose lines are made by tags.
fn is_markup(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["<p", "<br", "<div", "<ul", "<ol", "<table"].iter().any(|tag| lower.contains(tag))
}

/// The length of the tag or comment at the head of a text; `None` for a lone `<`, as in `3 < 4`.
fn tag_length(text: &str) -> Option<usize> {
    if let Some(comment) = text.strip_prefix("<!--") {
        return comment.find("-->").map(|end| end + "<!---->".len());
    }
    let after = text.strip_prefix('<')?;
    let head = after.strip_prefix('/').unwrap_or(after);
    if !head.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if open == letter => quote = None,
            (None, '>') => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The value of an attribute of a tag, decoded.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let lower = tag.to_ascii_lowercase();
    let at = lower.find(&format!(" {name}=")).map(|at| at + name.len() + 2)?;
    let value = tag.get(at..)?;
    let value = match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split(quote).next()?,
        _ => value.split(|c: char| c.is_whitespace() || c == '>').next()?,
    };
    Some(decoded(value))
}

fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (letter, length) = entity(rest).unwrap_or(('&', 1));
        out.push(letter);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// The letter of the entity at the head of a text, and its length; `None` for a lone `&`.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.char_indices().take(12).find(|(_, letter)| *letter == ';').map(|(at, _)| at)?;
    let name = text.get(1..end)?;
    let letter = match name.strip_prefix('#') {
        Some(code) => {
            let code = match code.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => code.parse().ok()?,
            };
            char::from_u32(code).filter(|letter| *letter != '\0')?
        }
        None => named(name)?,
    };
    Some((letter, end + 1))
}

fn named(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "laquo" => '«',
        "raquo" => '»',
        "rsquo" => '’',
        "lsquo" => '‘',
        "rdquo" => '”',
        "ldquo" => '“',
        "hellip" => '…',
        "ndash" => '–',
        "mdash" => '—',
        "bull" => '•',
        "middot" => '·',
        "euro" => '€',
        "deg" => '°',
        "eacute" => 'é',
        "egrave" => 'è',
        "ecirc" => 'ê',
        "euml" => 'ë',
        "agrave" => 'à',
        "acirc" => 'â',
        "ccedil" => 'ç',
        "icirc" => 'î',
        "iuml" => 'ï',
        "ocirc" => 'ô',
        "ugrave" => 'ù',
        "ucirc" => 'û',
        "oelig" => 'œ',
        "Eacute" => 'É',
        "Agrave" => 'À',
        "Ccedil" => 'Ç',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_as_its_author_wrote_it() {
        for (html, text) in [
            ("Bonjour,\n\nmerci.", "Bonjour,\n\nmerci."),
            (
                "<p>Bonjour,</p><p>Il manque&nbsp;:</p><ul><li>le RIB</li><li>le <b>devis</b></li></ul><p>Merci</p>",
                "Bonjour,\n\nIl manque\u{a0}:\n\n- le RIB\n- le devis\nMerci",
            ),
            (
                "<p>Votre dossier est <a href=\"https://exemple.fr/d?a=1&amp;b=2\">ici</a>.</p>",
                "Votre dossier est ici (https://exemple.fr/d?a=1&b=2).",
            ),
            ("<a href='https://exemple.fr'>https://exemple.fr</a>", "https://exemple.fr"),
            ("<a href=\"mailto:a@exemple.fr\">a@exemple.fr</a>", "a@exemple.fr"),
            ("ligne 1<br>ligne 2<br/>\nligne 3", "ligne 1\nligne 2\nligne 3"),
            ("<div>un</div>\n<div>deux</div>", "un\ndeux"),
            ("3 &lt; 4 &amp;&amp; 5 > 2", "3 < 4 && 5 > 2"),
            ("3 < 4 & 5 > 2", "3 < 4 & 5 > 2"),
            ("L&#39;été &#xE9; &inconnu; & fin", "L'été é &inconnu; & fin"),
            ("<!-- rien --><style>p { color: red }</style>visible<script>alert(1)</script>", "visible"),
            ("ligne 1\nligne <strong>2</strong>", "ligne 1\nligne 2"),
            ("<p>sans fin", "sans fin"),
            ("<a href=\"https://exemple.fr\">sans fin", "sans fin (https://exemple.fr)"),
            ("a < b et <pas fermé", "a < b et <pas fermé"),
            ("", ""),
            ("&", "&"),
            ("é&é;<é>", "é&é;<é>"),
        ] {
            assert_eq!(plain(html), text, "{html}");
        }
    }
}
