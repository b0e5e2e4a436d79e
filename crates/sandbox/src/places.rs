//! A handful of real places: their codes are public, and clients check them.

/// Commune: INSEE code, name, postal code, code of its département.
pub(super) type Commune = (&'static str, &'static str, &'static str, &'static str);

pub(super) const COMMUNES: [Commune; 8] = [
    ("75056", "Paris", "75001", "75"),
    ("69123", "Lyon", "69003", "69"),
    ("35238", "Rennes", "35000", "35"),
    ("13055", "Marseille", "13006", "13"),
    ("2A004", "Ajaccio", "20000", "2A"),
    ("97411", "Saint-Denis", "97400", "974"),
    ("01004", "Ambérieu-en-Bugey", "01500", "01"),
    ("37018", "Ballan-Miré", "37510", "37"),
];

/// Code, name, code of the region.
pub(super) const DEPARTEMENTS: [(&str, &str, &str); 8] = [
    ("01", "Ain", "84"),
    ("13", "Bouches-du-Rhône", "93"),
    ("2A", "Corse-du-Sud", "94"),
    ("35", "Ille-et-Vilaine", "53"),
    ("37", "Indre-et-Loire", "24"),
    ("69", "Rhône", "84"),
    ("75", "Paris", "11"),
    ("974", "La Réunion", "04"),
];

/// Code, name.
pub(super) const REGIONS: [(&str, &str); 7] = [
    ("04", "La Réunion"),
    ("11", "Île-de-France"),
    ("24", "Centre-Val de Loire"),
    ("53", "Bretagne"),
    ("84", "Auvergne-Rhône-Alpes"),
    ("93", "Provence-Alpes-Côte d’Azur"),
    ("94", "Corse"),
];

/// Code, name.
pub(super) const PAYS: [(&str, &str); 4] =
    [("FR", "France"), ("CI", "Côte d’Ivoire"), ("BE", "Belgique"), ("DE", "Allemagne")];

/// Département, EPCI code, name.
pub(super) const EPCIS: [(&str, &str, &str); 3] = [
    ("35", "243500139", "Rennes Métropole"),
    ("37", "243700754", "Tours Métropole Val de Loire"),
    ("01", "240100883", "CC de la Plaine de l’Ain"),
];

pub(super) fn commune(code: &str) -> Option<Commune> {
    COMMUNES.into_iter().find(|commune| commune.0 == code)
}

pub(super) fn departement(code: &str) -> Option<(&'static str, &'static str, &'static str)> {
    DEPARTEMENTS.into_iter().find(|departement| departement.0 == code)
}

pub(super) fn region(code: &str) -> Option<(&'static str, &'static str)> {
    REGIONS.into_iter().find(|region| region.0 == code)
}

pub(super) fn pays(code: &str) -> Option<(&'static str, &'static str)> {
    PAYS.into_iter().find(|pays| pays.0 == code)
}

pub(super) fn epci(code: &str) -> Option<(&'static str, &'static str, &'static str)> {
    EPCIS.into_iter().find(|epci| epci.1 == code)
}
