//! Names of tables and columns as Grist makes them from any text (docs/grist-api.md#names; Grist trap 12).

use std::collections::BTreeSet;

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;

/// Words that Python keeps for itself.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// Names that are taken. Case does not tell them apart.
#[derive(Default)]
pub(super) struct Taken(BTreeSet<String>);

impl<S: AsRef<str>> FromIterator<S> for Taken {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        Self(names.into_iter().map(|name| name.as_ref().to_uppercase()).collect())
    }
}

impl Taken {
    fn has(&self, name: &str) -> bool {
        self.0.contains(&name.to_uppercase())
    }

    pub(super) fn add(&mut self, name: &str) {
        self.0.insert(name.to_uppercase());
    }
}

/// A free name for a table; a text without any usable letter gives `Table1`, `Table2`…
pub(super) fn table(wanted: &str, taken: &Taken) -> String {
    let name = sanitized(wanted, 'T', true);
    if name.is_empty() { numbered("Table", 1, taken) } else { free(name, taken) }
}

/// A free name for a column; a text without any usable letter gives `A`, `B`… `AA`…
pub(super) fn column(wanted: &str, taken: &Taken) -> String {
    let name = sanitized(wanted, 'c', false);
    if !name.is_empty() {
        return free(name, taken);
    }
    (0..).map(letters).find(|name| !taken.has(name)).expect("there are more letters than names")
}

fn sanitized(text: &str, prefix: char, capital: bool) -> String {
    let classes = CanonicalCombiningClassMapBorrowed::new();
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let mut name = String::new();
    for c in decomposed.chars().filter(|c| classes.get_u8(*c) == 0) {
        if c.is_ascii_alphanumeric() || c == '_' {
            name.push(c);
        } else if !name.ends_with('\u{0}') {
            name.push('\u{0}');
        }
    }
    let name = name.replace('\u{0}', "_");
    let mut name = name.trim_start_matches('_').to_owned();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, prefix);
    }
    if capital && let Some(first) = name.get(..1) {
        name.replace_range(..1, &first.to_ascii_uppercase());
    }
    while KEYWORDS.contains(&name.as_str()) {
        name.insert(0, prefix);
    }
    name
}

fn free(name: String, taken: &Taken) -> String {
    if taken.has(&name) { numbered(&name, 2, taken) } else { name }
}

fn numbered(name: &str, first: u32, taken: &Taken) -> String {
    let separator = if name.ends_with(|c: char| c.is_ascii_digit()) { "_" } else { "" };
    (first..)
        .map(|number| format!("{name}{separator}{number}"))
        .find(|name| !taken.has(name))
        .expect("there are more numbers than names")
}

/// 0 is A, 25 is Z, 26 is AA.
fn letters(mut rank: u32) -> String {
    let mut name = String::new();
    loop {
        let letter = u8::try_from(rank % 26).expect("less than 26");
        name.insert(0, char::from(b'A' + letter));
        if rank < 26 {
            return name;
        }
        rank = rank / 26 - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_golden_list() {
        let id = Taken::from_iter(["id"]);
        for (text, expected) in [
            ("Numéro de dossier", "Numero_de_dossier"),
            ("1er nom", "c1er_nom"),
            ("class", "cclass"),
            ("id", "id2"),
            ("L’adresse (complète)", "L_adresse_complete_"),
            ("œuvre", "uvre"),
            ("straße", "stra_e"),
            ("Æther", "ther"),
            ("N° SIRET", "N_SIRET"),
            ("№ 5", "No_5"),
            ("½", "c1_2"),
            ("m²", "m2"),
            ("日本", "A"),
            ("%", "A"),
            ("", "A"),
            ("_x", "x"),
            ("a__b", "a__b"),
            ("match", "match"),
        ] {
            assert_eq!(column(text, &id), expected, "{text}");
        }
        for (text, expected) in
            [("dossiers", "Dossiers"), ("2024", "T2024"), ("_grist_x", "Grist_x"), ("class", "Class"), ("", "Table1")]
        {
            assert_eq!(table(text, &Taken::default()), expected, "{text}");
        }
    }

    #[test]
    fn taken_names_get_a_number() {
        let mut taken = Taken::from_iter(["id"]);
        let mut names = Vec::new();
        for text in ["Nom", "nom", "NOM", "Nom2", "nom 2", "Champ 1", "Champ 1", "Champ_1"] {
            let name = column(text, &taken);
            taken.add(&name);
            names.push(name);
        }
        assert_eq!(names, ["Nom", "nom2", "NOM3", "Nom2_2", "nom_2", "Champ_1", "Champ_1_2", "Champ_1_3"]);
        assert_eq!((letters(25), letters(26), letters(702)), ("Z".into(), "AA".into(), "AAA".into()));
    }
}
