//! Marks fields of a dossier that could not be read: a scalar of another form, or a null where an error struck.

use super::champ::WireChamp;
use super::dossier::WireDossier;
use super::envelope::{GraphqlError, PathStep};

/// Fields that only the reading of a single dossier asks for: a mark on one would tell two readings of one dossier
/// apart.
const PASSING: [&str; 5] = ["label", "prefilled", "prefilledValueModified", "updatedAt", "url"];

/// Types that are reached only through a champ, or through a demandeur, which cannot be null by itself.
const BELOW_CHAMPS: [&str; 14] = [
    "Address",
    "Association",
    "Commune",
    "Departement",
    "Effectif",
    "EngagementJuridique",
    "Entreprise",
    "Epci",
    "GeoJSON",
    "Pays",
    "PersonneMorale",
    "RNA",
    "RNF",
    "Region",
];

impl WireDossier {
    /// Marks the field at this path, on its champ or on the dossier.
    pub fn mark(&mut self, path: &[PathStep], text: String) {
        if matches!(path.last(), Some(PathStep::Field(field)) if PASSING.contains(&field.as_str())) {
            return;
        }
        match self.champ_at(path) {
            Some((champ, rest)) => drop(champ.unread.insert(legible(rest), text)),
            None => {
                let path = self.with_ids(path);
                self.unread.insert(legible(&path), text);
            }
        }
    }

    /// Marks the answer that an error emptied, unless it may have emptied more than an answer, or may be transient.
    ///
    /// An error is permanent only if the schema forbids the null. Démat Social sends neither code nor path of such an
    /// error, only the type and the field in a message: a type that occurs below champs alone identifies the champ.
    pub fn spare(&mut self, error: &GraphqlError) -> bool {
        match (error.code(), error.path.as_deref()) {
            (Some("invalid_null") | None, Some([PathStep::Field(_), path @ ..])) => {
                let spared = matches!(self.champ_at(path), Some((_, rest)) if !rest.is_empty());
                if spared {
                    self.mark(path, String::new());
                }
                spared
            }
            (None, None) => {
                let field = error.message.strip_prefix("Cannot return null for non-nullable field ");
                let of_answer = |field: &&str| field.split_once('.').is_some_and(|(of, _)| BELOW_CHAMPS.contains(&of));
                let Some(field) = field.filter(of_answer) else { return false };
                self.unread.insert(field.to_owned(), String::new());
                true
            }
            _ => false,
        }
    }

    /// Finds the champ on a path, and the rest of the path.
    fn champ_at<'p>(&mut self, path: &'p [PathStep]) -> Option<(&mut WireChamp, &'p [PathStep])> {
        let [PathStep::Field(list), PathStep::Position(position), rest @ ..] = path else { return None };
        let champ = match list.as_str() {
            "champs" => self.champs.get_mut(*position)?,
            "annotations" => self.annotations.get_mut(*position)?,
            _ => return None,
        };
        match rest {
            [
                PathStep::Field(rows),
                PathStep::Position(row),
                PathStep::Field(champs),
                PathStep::Position(position),
                rest @ ..,
            ] if rows == "rows" && champs == "champs" => {
                Some((champ.rows.as_mut()?.get_mut(*row)?.champs.get_mut(*position)?, rest))
            }
            [PathStep::Field(champs), PathStep::Position(position), rest @ ..] if champs == "champs" => {
                Some((champ.champs.as_mut()?.get_mut(*position)?, rest))
            }
            rest => Some((champ, rest)),
        }
    }

    /// Replaces positions of messages, opinions and steps by their ids: positions may change between two readings.
    fn with_ids(&self, path: &[PathStep]) -> Vec<PathStep> {
        let mut path = path.to_vec();
        if let [PathStep::Field(list), PathStep::Position(position), ..] = path.as_slice() {
            let id = match list.as_str() {
                "avis" => self.avis.get(*position).map(|one| one.id.clone()),
                "messages" => self.messages.get(*position).map(|one| one.id.clone()),
                "traitements" => self.traitements.get(*position).map(|one| one.id.clone()),
                _ => None,
            };
            path[1] = id.map_or(PathStep::Position(*position), PathStep::Field);
        }
        path
    }
}

fn legible(path: &[PathStep]) -> String {
    path.iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}
