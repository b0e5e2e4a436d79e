//! Names tables and columns: legible, unique, limited in bytes, stable for ever once given.
//!
//! A name depends on the identity of the column and on the names already given, so questions that appear later change
//! no name. The number inside the descriptor's id is the tie-breaker between homonyms (trap 47).

use std::collections::BTreeSet;

use super::slug::{cut, slug};
use super::spec::{ColumnKey, Part, TableKey};
use crate::fingerprint::Digest;
use crate::ids::DescriptorId;

/// Names that no column of a question gets: targets need them for keys, or databases have a column of this name in
/// every table (PostgreSQL `xmin`..., SQLite `rowid`, Grist `id` and `manualSort`). Names that begin with `dn_` belong
/// to targets too.
pub const RESERVED: &[&str] = &[
    "number",
    "dossier",
    "dossier_number",
    "position",
    "key",
    "cle",
    "ligne",
    "id",
    "rowid",
    "oid",
    "fingerprint",
    "tableoid",
    "xmin",
    "cmin",
    "xmax",
    "cmax",
    "ctid",
    "manualsort",
];

/// Words that PostgreSQL or SQLite reserve. Without quotes they mean something else: `SELECT user FROM …` returns the
/// name of the database account, without a warning. No question gets one of them as its name.
const WORDS: &str = " add all alter analyse analyze and any array as asc asymmetric authorization autoincrement between \
     binary both case cast check collate collation column commit concurrently constraint create cross current_catalog \
     current_date current_role current_schema current_time current_timestamp current_user default deferrable delete desc \
     distinct do drop else end escape except exists false fetch for foreign freeze from full grant group having ilike in \
     index indexed initially inner insert intersect into is isnull join lateral leading left like limit localtime \
     localtimestamp natural not nothing notnull null offset on only or order outer overlaps placing primary references \
     returning right select session_user set similar some symmetric system_user table tablesample then to trailing \
     transaction true union unique update user using values variadic verbose when where window with ";

fn is_word(name: &str) -> bool {
    WORDS.split_ascii_whitespace().any(|word| word == name)
}

/// Limits of names in a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameLimits {
    /// The longest name, in bytes; at least 40, so that a number that tells homonyms apart always fits.
    pub max_bytes: usize,
}

impl Default for NameLimits {
    /// Returns 63 bytes: PostgreSQL's limit, kept everywhere so that a target can be moved.
    fn default() -> Self {
        Self { max_bytes: 63 }
    }
}

/// Names a new table: the prefix, then the kind of the table; for a block, the slug of its title.
#[must_use]
pub fn table_name(prefix: &str, key: &TableKey, title: &str, taken: &BTreeSet<String>, limits: NameLimits) -> String {
    let prefix = format!("{}_", cut(prefix, limits.max_bytes / 2));
    let room = limits.max_bytes - prefix.len();
    let (stem, tie) = match key {
        TableKey::Block(id) => (stem(title, "bloc", id), tie(id)),
        fixed => (fixed_table(fixed).to_owned(), "plateforme".to_owned()),
    };
    // A block may be titled "Messages", and is named before the table of messages: it must not take that name.
    let own = !matches!(key, TableKey::Block(_));
    let free = |name: &str| {
        let reserved = FIXED_TABLES.iter().any(|key| name.strip_prefix(prefix.as_str()) == Some(fixed_table(key)));
        // SQLite compares names without case: `Avis` is `avis`.
        (own || !reserved) && !taken.iter().any(|taken| taken.eq_ignore_ascii_case(name))
    };
    first_free(&stem, "", &tie, room, |name| format!("{prefix}{name}"), free)
}

/// Names a new column: for a question the slug of its title, then the part of the answer; fixed columns keep their
/// names.
#[must_use]
pub fn column_name(key: &ColumnKey, title: &str, taken: &BTreeSet<String>, limits: NameLimits) -> String {
    let room = limits.max_bytes;
    match key {
        ColumnKey::Fixed(name) => first_free(name, "", "plateforme", room, str::to_owned, |name| !taken.contains(name)),
        ColumnKey::Column(id, _) => {
            let free = |name: &str| !taken.contains(name) && !RESERVED.contains(&name) && !name.starts_with("dn_");
            first_free(&stem(title, "champ", id), "", &tie(id), room, str::to_owned, free)
        }
        ColumnKey::Champ(id, part) => {
            let suffix = part.suffix().map(|words| format!("_{}", slug(words))).unwrap_or_default();
            let stem = stem(part.bare(title), "champ", id);
            let tie = tie(id);
            let reserved = |name: &str| RESERVED.contains(&name) || is_word(name) || name.starts_with("dn_");
            let free = |name: &str| !taken.contains(name) && !reserved(name);
            // The parts of one answer stay together: where the answer itself needed its number, so do they.
            if *part != Part::Value && taken.contains(&numbered(&stem, "", &tie, room)) {
                let name = numbered(&stem, &suffix, &tie, room);
                if free(&name) {
                    return name;
                }
            }
            first_free(&stem, &suffix, &tie, room, str::to_owned, free)
        }
    }
}

fn numbered(stem: &str, suffix: &str, tie: &str, room: usize) -> String {
    let keep = room.saturating_sub(tie.len() + 1 + suffix.len());
    format!("{}_{tie}{suffix}", cut(stem, keep))
}

/// Finds the first free name: the bare one, the one with the number, then with longer and longer digests.
fn first_free(
    stem: &str,
    suffix: &str,
    tie: &str,
    room: usize,
    full: impl Fn(&str) -> String,
    free: impl Fn(&str) -> bool,
) -> String {
    let bare = full(&format!("{}{suffix}", cut(stem, room.saturating_sub(suffix.len()))));
    if free(&bare) {
        return bare;
    }
    let mut seed = tie.to_owned();
    loop {
        let name = full(&numbered(stem, suffix, &seed, room));
        if free(&name) {
            return name;
        }
        seed = Digest::of(format!("{seed}/{stem}{suffix}").as_bytes()).to_string()[..8].to_owned();
    }
}

fn stem(title: &str, what: &str, id: &DescriptorId) -> String {
    let slug = slug(title);
    match slug.as_bytes().first() {
        None => format!("{what}_{}", tie(id)),
        // A name that begins with a digit needs quotes everywhere.
        Some(first) if first.is_ascii_digit() || slug.starts_with("dn_") => format!("n_{slug}"),
        Some(_) => slug,
    }
}

/// Returns the tie-breaker of homonyms: the number inside the id, or a digest of an id of another shape.
fn tie(id: &DescriptorId) -> String {
    match id.stable_id() {
        Some(number) => number.to_string(),
        None => Digest::of(id.as_str().as_bytes()).to_string()[..8].to_owned(),
    }
}

const FIXED_TABLES: [TableKey; 9] = [
    TableKey::Dossiers,
    TableKey::PiecesJointes,
    TableKey::Messages,
    TableKey::Avis,
    TableKey::Traitements,
    TableKey::GeoZones,
    TableKey::Instructeurs,
    TableKey::Labels,
    TableKey::Affectations,
];

fn fixed_table(key: &TableKey) -> &'static str {
    match key {
        TableKey::Dossiers => "dossiers",
        TableKey::PiecesJointes => "pieces_jointes",
        TableKey::Messages => "messages",
        TableKey::Avis => "avis",
        TableKey::Traitements => "traitements",
        TableKey::GeoZones => "geo_zones",
        TableKey::Instructeurs => "instructeurs",
        TableKey::Labels => "labels",
        TableKey::Affectations => "affectations",
        TableKey::Block(_) => "bloc",
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn id(number: u64) -> DescriptorId {
        DescriptorId::new(STANDARD.encode(format!("Champ-{number}")))
    }

    fn taken(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn column(number: u64, part: Part, label: &str, names: &[&str]) -> String {
        column_name(&ColumnKey::Champ(id(number), part), &part.title(label), &taken(names), NameLimits::default())
    }

    #[test]
    fn columns_are_named_after_their_question() {
        let long = "Veuillez préciser la raison pour laquelle l’établissement demande une dérogation";
        let cases = [
            (1, Part::Value, "Adresse du siège", vec![], "adresse_du_siege"),
            (1, Part::PostalCode, "Adresse du siège", vec![], "adresse_du_siege_code_postal"),
            (2, Part::Value, "Précisez", vec!["precisez"], "precisez_2"),
            (2, Part::City, "Précisez", vec!["precisez", "precisez_2"], "precisez_2_commune"),
            (3, Part::Value, "2024", vec![], "n_2024"),
            (4, Part::Value, "🎉", vec![], "champ_4"),
            (5, Part::Value, "Number", vec![], "number_5"),
            (5, Part::Value, "Xmin", vec![], "xmin_5"),
            (5, Part::Value, "ctid", vec![], "ctid_5"),
            (5, Part::Value, "_ROWID_", vec![], "rowid_5"),
            (5, Part::Value, "manualSort", vec![], "manualsort_5"),
            (5, Part::Value, "User", vec![], "user_5"),
            (5, Part::Value, "\"Select\"\0", vec![], "select_5"),
            (5, Part::City, "Order", vec![], "order_commune"),
            (6, Part::Value, "DN fingerprint", vec![], "n_dn_fingerprint"),
            (7, Part::Value, long, vec![], "veuillez_preciser_la_raison_pour_laquelle_l_etablissement"),
            (7, Part::PostalCode, long, vec![], "veuillez_preciser_la_raison_pour_laquelle_l_code_postal"),
        ];
        for (number, part, label, names, expected) in cases {
            assert_eq!(column(number, part, label, &names), expected, "{label} {part:?}");
        }
    }

    #[test]
    fn tables_of_others_are_told_apart_without_regard_to_case() {
        let others = taken(&["Demarche_123_Enfants"]);
        let name = table_name("demarche_123", &TableKey::Block(id(9)), "Enfants", &others, NameLimits::default());
        assert_eq!(name, "demarche_123_enfants_9");
    }

    #[test]
    fn a_block_never_takes_the_name_of_a_table_that_every_demarche_has() {
        let limits = NameLimits::default();
        let block = table_name("demarche_123", &TableKey::Block(id(9)), "Messages", &BTreeSet::new(), limits);
        assert_eq!(block, "demarche_123_messages_9");
        let messages = table_name("demarche_123", &TableKey::Messages, "Messages", &taken(&[&block]), limits);
        assert_eq!(messages, "demarche_123_messages");
        let nameless = table_name("demarche_123", &TableKey::Block(id(9)), "…", &BTreeSet::new(), limits);
        assert_eq!(nameless, "demarche_123_bloc_9");
    }

    #[test]
    fn an_id_without_a_number_still_tells_homonyms_apart() {
        let opaque = ColumnKey::Champ(DescriptorId::new("TEST_ID_1"), Part::Value);
        let name = column_name(&opaque, "Nom", &taken(&["nom"]), NameLimits::default());
        assert!(name.starts_with("nom_") && name.len() == "nom_".len() + 8, "{name}");
    }

    proptest! {
        #[test]
        fn names_are_unique_short_ascii_and_do_not_depend_on_later_questions(
            labels in proptest::collection::vec("[ -~éèœ🎉]{0,90}|Précisez|Messages|number|dn_x|Xmin|user", 1..30),
        ) {
            let limits = NameLimits::default();
            let name_all = |labels: &[String]| {
                let mut given = BTreeSet::new();
                let mut names = Vec::new();
                for (number, label) in (1..).zip(labels) {
                    for part in [Part::Value, Part::PostalCode] {
                        let key = ColumnKey::Champ(id(number), part);
                        let name = column_name(&key, &part.title(label), &given, limits);
                        prop_assert!(given.insert(name.clone()), "{name} twice");
                        names.push(name);
                    }
                }
                Ok(names)
            };
            let names = name_all(&labels)?;
            for name in &names {
                prop_assert!(!name.is_empty() && name.len() <= 63, "{name}");
                prop_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
                prop_assert!(!name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
                prop_assert!(!RESERVED.contains(&name.as_str()) && !name.starts_with("dn_"), "{name}");
                prop_assert!(!is_word(name), "{name}");
            }
            let fewer = name_all(&labels[..labels.len() / 2])?;
            prop_assert_eq!(&names[..fewer.len()], &fewer[..]);
        }

        #[test]
        fn table_names_are_unique_and_short(titles in proptest::collection::vec(".{0,90}|Avis|Messages", 1..20)) {
            let limits = NameLimits::default();
            let mut given = BTreeSet::new();
            for (number, title) in (1..).zip(&titles) {
                let name = table_name("ministere_demarche_123456", &TableKey::Block(id(number)), title, &given, limits);
                prop_assert!(name.len() <= 63 && name.starts_with("ministere_demarche_123456_"), "{}", name);
                prop_assert!(given.insert(name));
            }
            for key in &FIXED_TABLES {
                let name = table_name("ministere_demarche_123456", key, "", &given, limits);
                prop_assert_eq!(name, format!("ministere_demarche_123456_{}", fixed_table(key)));
            }
        }
    }
}
