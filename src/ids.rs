//! Ids: the numbers that people see, and the opaque ids of the platform.
//!
//! Every id is its own type, so that a dossier number cannot be passed where a démarche number is meant. There is no
//! `Deref` and no blanket `From`: leaving the type is always written out.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The text is not a number of the platform.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not a {what}: a whole number greater than 0 is expected")]
pub struct InvalidNumber {
    what: &'static str,
    text: String,
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u32);

        impl $name {
            /// Wraps a number as the platform shows it.
            #[must_use]
            pub const fn new(number: u32) -> Self {
                Self(number)
            }

            /// The bare number.
            #[must_use]
            pub const fn get(self) -> u32 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidNumber;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text.trim().parse() {
                    Ok(number) if number > 0 => Ok(Self(number)),
                    _ => Err(InvalidNumber { what: $what, text: text.to_owned() }),
                }
            }
        }
    };
}

macro_rules! opaque {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps an id exactly as the platform gave it.
            #[must_use]
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as the platform gave it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

number! {
    /// The number of a démarche, as in the address of its pages.
    DemarcheNumber, "démarche number"
}
number! {
    /// The number of a dossier, as the usager reads it. Unique on one instance; the numbers of two instances collide.
    DossierNumber, "dossier number"
}
number! {
    /// The number of a groupe d'instructeurs.
    GroupeInstructeurNumber, "groupe instructeur number"
}

opaque! {
    /// The API's id of a dossier, needed by mutations.
    DossierId
}
opaque! {
    /// The id of one champ of one dossier. A champ of a repetition row carries the row in its id.
    ChampId
}
opaque! {
    /// The id of a question of the form. It survives revisions **and** the cloning of a démarche (trap 46), so the key
    /// of a column is (démarche, descriptor).
    DescriptorId
}
opaque! {
    /// The id of one row of a repetition block. Rows sort by id in order of creation.
    RowId
}
opaque! {
    /// The id of a revision of a form.
    RevisionId
}
opaque! {
    /// The id of an instructeur, needed by mutations.
    InstructeurId
}
opaque! {
    /// The id of a groupe d'instructeurs.
    GroupeInstructeurId
}
opaque! {
    /// The id of a message of a dossier.
    MessageId
}
opaque! {
    /// The id of a label of a démarche.
    LabelId
}

impl ChampId {
    /// Returns the descriptor and the row in this id.
    ///
    /// Ids are base64 of `Champ-<n>` or `Champ-<n>|<row>` (docs/platform.md#champs). The schema of Démat Social has the
    /// descriptor nowhere else. An id of another shape is returned whole as the descriptor.
    #[must_use]
    pub fn descriptor_and_row(&self) -> (DescriptorId, Option<RowId>) {
        let decoded = STANDARD.decode(&self.0).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        match decoded.as_deref().and_then(|text| text.split_once('|')) {
            Some((champ, row)) => {
                (DescriptorId(STANDARD.encode(champ)), Some(RowId(STANDARD.encode(format!("Row-{row}")))))
            }
            None => (DescriptorId(self.0.clone()), None),
        }
    }
}

impl RowId {
    /// Returns the instant at which the row was made: its id is a ULID, whose first 48 bits are milliseconds. `None`
    /// for an id of another shape.
    #[must_use]
    pub fn created_at(&self) -> Option<Timestamp> {
        let bytes = STANDARD.decode(&self.0).ok()?;
        let ulid = std::str::from_utf8(&bytes).ok()?.strip_prefix("Row-").filter(|ulid| ulid.len() == 26)?;
        let digit = |letter: u8| ULID.iter().position(|known| *known == letter.to_ascii_uppercase());
        let millis = ulid.bytes().take(10).try_fold(0_i64, |millis, letter| {
            let digit = i64::try_from(digit(letter)?).ok()?;
            Some(millis * 32 + digit)
        })?;
        Timestamp::from_millisecond(millis).ok()
    }
}

/// Digits of a ULID.
const ULID: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl DescriptorId {
    /// Returns the number inside the id (`stable_id`), if the id has the usual shape.
    #[must_use]
    pub fn stable_id(&self) -> Option<u64> {
        let bytes = STANDARD.decode(&self.0).ok()?;
        std::str::from_utf8(&bytes).ok()?.strip_prefix("Champ-")?.parse().ok()
    }
}

/// Which dossiers: one démarche of one instance of a platform. Numbers of two instances collide, so both are needed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// The short name of the instance, as configured.
    pub instance: String,
    /// The démarche.
    pub demarche: DemarcheNumber,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.instance, self.demarche)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_champ_id_names_its_descriptor_and_its_row() {
        let root = ChampId::new(STANDARD.encode("Champ-42"));
        assert_eq!(root.descriptor_and_row(), (DescriptorId::new(root.as_str()), None));

        let child = ChampId::new(STANDARD.encode("Champ-42|01HROW"));
        let (descriptor, row) = child.descriptor_and_row();
        assert_eq!(descriptor.stable_id(), Some(42));
        assert_eq!(row, Some(RowId::new(STANDARD.encode("Row-01HROW"))));
    }

    #[test]
    fn a_row_tells_when_it_was_made() {
        let row = |text: &str| RowId::new(STANDARD.encode(text)).created_at();
        assert_eq!(row("Row-01ARZ3NDEKTSV4RRFFQ69G5FAV"), Timestamp::from_millisecond(1_469_922_850_259).ok());
        assert_eq!(row("Row-01HROW"), None);
        assert_eq!(row("01ARZ3NDEKTSV4RRFFQ69G5FAV"), None);
        assert_eq!(RowId::new("é").created_at(), None);
    }

    #[test]
    fn an_id_of_another_shape_stays_opaque() {
        for id in ["TEST_ID_1", "dossier-1", "", "é"] {
            assert_eq!(ChampId::new(id).descriptor_and_row(), (DescriptorId::new(id), None), "{id}");
            assert_eq!(DescriptorId::new(id).stable_id(), None, "{id}");
        }
    }

    #[test]
    fn numbers_refuse_what_the_platform_never_gives() {
        for text in ["0", "-1", "12a", "", "99999999999"] {
            assert!(text.parse::<DossierNumber>().is_err(), "{text}");
        }
        assert_eq!(" 12 ".parse::<DemarcheNumber>().ok(), Some(DemarcheNumber::new(12)));
    }
}
