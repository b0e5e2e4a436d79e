//! Lists the columns that an answer of each kind needs.

use super::spec::{CellKind, Part};
use crate::demarche::TypeDeChamp;

use CellKind as K;
use Part as P;

/// Lists the parts of an answer with their kinds, `Value` first. Empty for kinds that are never answered, and for
/// blocks, which are tables.
pub(super) fn parts(kind: &TypeDeChamp) -> &'static [(Part, CellKind)] {
    use TypeDeChamp as T;
    match kind {
        // Titles are listed among the champs (trap 45): they would be columns without a value.
        T::HeaderSection | T::Explication | T::Repetition => &[],
        T::IntegerNumber | T::Number | T::DossierLink => &[(P::Value, K::Integer)],
        T::DecimalNumber => &[(P::Value, K::Decimal)],
        // An identity document is given or not: neither its name nor its file is kept.
        T::YesNo | T::Checkbox | T::TitreIdentite => &[(P::Value, K::Boolean)],
        T::Date => &[(P::Value, K::Date)],
        T::Datetime => &[(P::Value, K::Datetime)],
        T::DropDownList | T::Civilite => &[(P::Value, K::Choice)],
        T::MultipleDropDownList | T::PieceJustificative => &[(P::Value, K::Choices)],
        T::LinkedDropDownList => &[(P::Value, K::Choice), (P::Secondary, K::Choice)],
        T::Address => &[
            (P::Value, K::Text),
            (P::Street, K::Text),
            (P::PostalCode, K::Text),
            (P::City, K::Text),
            (P::CityCode, K::Text),
            (P::Departement, K::Text),
            (P::DepartementCode, K::Text),
            (P::Region, K::Text),
        ],
        T::Communes => &[
            (P::Value, K::Text),
            (P::PostalCode, K::Text),
            (P::Code, K::Text),
            (P::Departement, K::Text),
            (P::DepartementCode, K::Text),
        ],
        T::Epci => &[(P::Value, K::Text), (P::Code, K::Text), (P::Departement, K::Text), (P::DepartementCode, K::Text)],
        T::Departements | T::Regions | T::Pays => &[(P::Value, K::Text), (P::Code, K::Text)],
        T::Siret => &[
            (P::Value, K::Text),
            (P::Name, K::Text),
            (P::Siren, K::Text),
            (P::Activity, K::Text),
            (P::City, K::Text),
            (P::PostalCode, K::Text),
        ],
        T::Rna | T::Rnf => &[(P::Value, K::Text), (P::Name, K::Text), (P::City, K::Text)],
        // The record has other keys from answer to answer (docs/platform.md#champs): besides the common ones it is
        // kept whole.
        T::Finess | T::Rppsante => &[
            (P::Value, K::Text),
            (P::Name, K::Text),
            (P::PostalCode, K::Text),
            (P::City, K::Text),
            (P::Record, K::Json),
        ],
        T::Carte => &[(P::Value, K::Json), (P::Longitude, K::Real), (P::Latitude, K::Real)],
        T::Text
        | T::Textarea
        | T::Formatted
        | T::ExpressionReguliere
        | T::Email
        | T::Phone
        | T::Iban
        | T::Nir
        | T::AnnuaireEducation
        // What these hold is the usager's approval; the data is in `columns` alone
        // (docs/platform.md#newer-than-the-pins).
        | T::QuotientFamilial
        | T::Aah
        | T::Aeeh
        | T::Ars
        | T::EtudiantBoursier
        | T::PreRempli
        | T::Cnaf
        | T::Dgfip
        | T::PoleEmploi
        | T::Mesri
        | T::Cojo
        | T::Referentiel
        | T::EngagementJuridique
        | T::Inconnu(_) => &[(P::Value, K::Text)],
    }
}

/// Finds the kind of the column that holds a part of an answer; `None` for a part that answers of this kind do not have.
#[cfg(feature = "grist")]
pub(crate) fn kind_of_part(kind: &TypeDeChamp, part: Part) -> Option<CellKind> {
    parts(kind).iter().find(|(own, _)| *own == part).map(|(_, kind)| *kind)
}

impl Part {
    /// Returns the part's suffix in titles and names; `None` for the answer itself.
    #[must_use]
    pub fn suffix(self) -> Option<&'static str> {
        Some(match self {
            Self::Value => return None,
            Self::Secondary => "choix secondaire",
            Self::Code => "code",
            Self::PostalCode => "code postal",
            Self::City => "commune",
            Self::CityCode => "code commune",
            Self::Street => "voie",
            Self::Departement => "département",
            Self::DepartementCode => "code département",
            Self::Region => "région",
            Self::Name => "nom",
            Self::Siren => "SIREN",
            Self::Activity => "code activité",
            Self::Longitude => "longitude",
            Self::Latitude => "latitude",
            Self::Record => "fiche",
        })
    }

    /// Builds the title of a column: the label of the question, then the part (`Siège – code postal`).
    #[must_use]
    pub fn title(self, label: &str) -> String {
        match self.suffix() {
            None => label.to_owned(),
            Some(words) => format!("{label} – {words}"),
        }
    }

    /// Returns the label of the question in such a title.
    #[must_use]
    pub fn bare(self, title: &str) -> &str {
        let stripped = self.suffix().and_then(|words| title.strip_suffix(words)?.strip_suffix(" – "));
        stripped.unwrap_or(title)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_is_answered_begins_with_its_value() {
        for kind in TypeDeChamp::KNOWN {
            let parts = parts(kind);
            if kind.is_presentation() || *kind == TypeDeChamp::Repetition {
                assert!(parts.is_empty(), "{kind}");
            } else {
                assert_eq!(parts.first().map(|(part, _)| *part), Some(Part::Value), "{kind}");
            }
        }
    }

    #[test]
    fn a_title_gives_its_label_back() {
        let title = Part::PostalCode.title("Siège – code postal");
        assert_eq!(title, "Siège – code postal – code postal");
        assert_eq!(Part::PostalCode.bare(&title), "Siège – code postal");
        assert_eq!(Part::Value.bare("Siège"), "Siège");
    }
}
