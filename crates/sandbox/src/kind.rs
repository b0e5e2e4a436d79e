//! Lists every kind of question, and its names on each platform.

use crate::Platform;

/// A kind of question (`type_champ` on the platform).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Kind {
    Text,
    Textarea,
    Email,
    Phone,
    Iban,
    Formatted,
    ExpressionReguliere,
    AnnuaireEducation,
    Cnaf,
    Dgfip,
    PoleEmploi,
    Mesri,
    Cojo,
    Referentiel,
    Number,
    IntegerNumber,
    DecimalNumber,
    Checkbox,
    YesNo,
    Date,
    Datetime,
    Civilite,
    DropDownList,
    MultipleDropDownList,
    LinkedDropDownList,
    Communes,
    Departements,
    Regions,
    Pays,
    Epci,
    Address,
    Siret,
    Rna,
    Rnf,
    Carte,
    Repetition,
    DossierLink,
    PieceJustificative,
    TitreIdentite,
    EngagementJuridique,
    HeaderSection,
    Explication,
    Finess,
    Rppsante,
    Nir,
    QuotientFamilial,
    Aah,
    Aeeh,
    Ars,
    EtudiantBoursier,
    PreRempli,
    /// A kind that no pinned schema knows, as the platform may add one on any day.
    Nouveau,
}

use Kind as K;

/// Kind, `type_champ`, type of the answer, what it falls back to without a fragment on that type, stem of the descriptor.
type Line = (Kind, &'static str, &'static str, Option<&'static str>, &'static str);

const COMMON: &[Line] = &[
    (K::Text, "text", "TextChamp", None, "Text"),
    (K::Textarea, "textarea", "TextChamp", None, "Textarea"),
    (K::Email, "email", "TextChamp", None, "Email"),
    (K::Phone, "phone", "TextChamp", None, "Phone"),
    (K::Iban, "iban", "TextChamp", None, "Iban"),
    (K::AnnuaireEducation, "annuaire_education", "TextChamp", None, "AnnuaireEducation"),
    (K::Cnaf, "cnaf", "TextChamp", None, "Cnaf"),
    (K::Dgfip, "dgfip", "TextChamp", None, "Dgfip"),
    (K::PoleEmploi, "pole_emploi", "TextChamp", None, "PoleEmploi"),
    (K::Mesri, "mesri", "TextChamp", None, "Mesri"),
    (K::Cojo, "cojo", "TextChamp", None, "COJO"),
    (K::Number, "number", "IntegerNumberChamp", None, "Number"),
    (K::IntegerNumber, "integer_number", "IntegerNumberChamp", None, "IntegerNumber"),
    (K::DecimalNumber, "decimal_number", "DecimalNumberChamp", None, "DecimalNumber"),
    (K::Checkbox, "checkbox", "CheckboxChamp", None, "Checkbox"),
    (K::Date, "date", "DateChamp", None, "Date"),
    (K::Datetime, "datetime", "DatetimeChamp", Some("DateChamp"), "Datetime"),
    (K::Civilite, "civilite", "CiviliteChamp", None, "Civilite"),
    (K::MultipleDropDownList, "multiple_drop_down_list", "MultipleDropDownListChamp", None, "MultipleDropDownList"),
    (K::LinkedDropDownList, "linked_drop_down_list", "LinkedDropDownListChamp", None, "LinkedDropDownList"),
    (K::Communes, "communes", "CommuneChamp", Some("TextChamp"), "Commune"),
    (K::Departements, "departements", "DepartementChamp", Some("TextChamp"), "Departement"),
    (K::Regions, "regions", "RegionChamp", Some("TextChamp"), "Region"),
    (K::Pays, "pays", "PaysChamp", Some("TextChamp"), "Pays"),
    (K::Epci, "epci", "EpciChamp", None, "Epci"),
    (K::Address, "address", "AddressChamp", Some("TextChamp"), "Address"),
    (K::Siret, "siret", "SiretChamp", None, "Siret"),
    (K::Rna, "rna", "RNAChamp", None, "RNA"),
    (K::Rnf, "rnf", "RNFChamp", None, "RNF"),
    (K::Carte, "carte", "CarteChamp", None, "Carte"),
    (K::Repetition, "repetition", "RepetitionChamp", None, "Repetition"),
    (K::DossierLink, "dossier_link", "DossierLinkChamp", None, "DossierLink"),
    (K::PieceJustificative, "piece_justificative", "PieceJustificativeChamp", None, "PieceJustificative"),
    (K::TitreIdentite, "titre_identite", "TitreIdentiteChamp", None, "TitreIdentite"),
    (K::EngagementJuridique, "engagement_juridique", "EngagementJuridiqueChamp", None, "EngagementJuridique"),
];

const DEMARCHE_NUMERIQUE: &[Line] = &[
    (K::Formatted, "formatted", "TextChamp", None, "Formatted"),
    (K::Referentiel, "referentiel", "TextChamp", None, "Referentiel"),
    (K::YesNo, "yes_no", "YesNoChamp", Some("CheckboxChamp"), "YesNo"),
    (K::DropDownList, "drop_down_list", "DropDownListChamp", Some("TextChamp"), "DropDownList"),
    (K::HeaderSection, "header_section", "HeaderSectionChamp", Some("TextChamp"), "HeaderSection"),
    (K::Explication, "explication", "ExplicationChamp", Some("TextChamp"), "Explication"),
    (K::Nouveau, "nouveau_type", "NouveauChamp", None, "Nouveau"),
];

const DEMAT_SOCIAL: &[Line] = &[
    (K::ExpressionReguliere, "expression_reguliere", "TextChamp", None, "ExpressionReguliere"),
    (K::YesNo, "yes_no", "CheckboxChamp", None, "YesNo"),
    (K::DropDownList, "drop_down_list", "TextChamp", None, "DropDownList"),
    (K::HeaderSection, "header_section", "TextChamp", None, "HeaderSection"),
    (K::Explication, "explication", "TextChamp", None, "Explication"),
    (K::Finess, "finess", "FinessChamp", None, "Finess"),
    (K::Rppsante, "rppsante", "RppsanteChamp", None, "Rppsante"),
    (K::Nir, "nir", "NirChamp", None, "Nir"),
    (K::Nouveau, "nouveau_type", "NouveauChamp", None, "Nouveau"),
];

/// Kinds of a Démarche Numérique newer than the pinned schema: the answer is an approval, the data itself is in its columns.
const NEWER: &[Line] = &[
    (K::QuotientFamilial, "quotient_familial", "TextChamp", None, "QuotientFamilial"),
    (K::Aah, "aah", "TextChamp", None, "AAH"),
    (K::Aeeh, "aeeh", "TextChamp", None, "AEEH"),
    (K::Ars, "ars", "TextChamp", None, "ARS"),
    (K::EtudiantBoursier, "etudiant_boursier", "TextChamp", None, "EtudiantBoursier"),
    (K::PreRempli, "pre_rempli", "TextChamp", None, "PreRempli"),
];

impl Kind {
    /// The kinds that came after the pinned schema of Démarche Numérique.
    pub const NEWER: [Self; 6] = [K::QuotientFamilial, K::Aah, K::Aeeh, K::Ars, K::EtudiantBoursier, K::PreRempli];

    /// The kinds that a platform serves, the unknown one last.
    #[must_use]
    pub fn all(platform: impl Into<Platform>) -> Vec<Self> {
        Self::lines(platform.into()).map(|line| line.0).collect()
    }

    /// The word of the platform for this kind, e.g. `drop_down_list`.
    #[must_use]
    pub fn type_champ(self) -> &'static str {
        let lines = [COMMON, DEMARCHE_NUMERIQUE, DEMAT_SOCIAL, NEWER];
        lines.iter().copied().flatten().find(|line| line.0 == self).map_or("text", |line| line.1)
    }

    fn lines(platform: Platform) -> impl Iterator<Item = &'static Line> {
        let own = match platform {
            Platform::DemarcheNumerique => DEMARCHE_NUMERIQUE,
            Platform::DematSocial => DEMAT_SOCIAL,
        };
        COMMON.iter().chain(own)
    }

    fn line(self, platform: Platform) -> &'static Line {
        Self::lines(platform).chain(NEWER).find(|line| line.0 == self).unwrap_or(&COMMON[0])
    }

    /// The type under which an answer is served to a document that holds (or not) a fragment on a type.
    pub(super) fn champ_typename(self, platform: Platform, has_fragment: impl Fn(&str) -> bool) -> &'static str {
        match *self.line(platform) {
            (_, _, own, Some(fallback), _) if !has_fragment(own) => fallback,
            (_, _, own, _, _) => own,
        }
    }

    /// The type of the question.
    pub(super) fn descriptor_typename(self, platform: Platform) -> String {
        format!("{}ChampDescriptor", self.line(platform).4)
    }

    /// Returns `true` if it holds no answer: a title or a text for the reader.
    #[must_use]
    pub fn is_decoration(self) -> bool {
        matches!(self, K::HeaderSection | K::Explication)
    }
}
