//! Resolves demandeurs, usagers and addresses.

use apollo_compiler::response::JsonValue;

use super::node::{Ctx, Obj, Val, global_id};
use crate::places::{self, Commune};
use crate::random::Random;
use crate::world::Demandeur;

pub(super) fn demandeur(ctx: &Ctx<'_>, number: u32, demandeur: &Demandeur, born: Option<&str>) -> Obj {
    match demandeur {
        Demandeur::PersonnePhysique { civilite, nom, prenom } => Obj::new("PersonnePhysique")
            .with("id", global_id("Individual", number))
            .with("civilite", super::node::text(*civilite))
            .with("nom", nom.as_str())
            .with("prenom", prenom.as_str())
            .with("dateDeNaissance", super::node::text(born)),
        Demandeur::PersonneMorale { siret, enriched: true } => personne_morale(siret),
        // Without a fragment on the incomplete type, the complete one is served with holes, and the dossier is lost.
        Demandeur::PersonneMorale { siret, enriched: false } => {
            let name = "PersonneMoraleIncomplete";
            let typename = if ctx.has_fragment(name) { name } else { "PersonneMorale" };
            Obj::new(typename).with("id", global_id("Etablissement", siret)).with("siret", siret.as_str())
        }
    }
}

fn seed(text: &str) -> Random {
    Random::of(&[text.bytes().fold(11, |hash: u64, byte| hash.wrapping_mul(131) ^ u64::from(byte))])
}

/// An establishment as the register describes it: invented, always the same for one number.
pub(super) fn personne_morale(siret: &str) -> Obj {
    let mut random = seed(siret);
    let commune = *random.pick(&places::COMMUNES);
    let line = format!("{} avenue de la Fiction", 1 + random.below(200));
    let siren = siret.get(..9).unwrap_or(siret);
    let capital = if random.chance(20) { "-1".to_owned() } else { (random.below(5) * 3_000_000_000).to_string() };
    let entreprise = Obj::new("Entreprise")
        .with("siren", siren)
        .with("siretSiegeSocial", siret)
        .with("raisonSociale", format!("SOCIÉTÉ FICTIVE {}", &siren[siren.len().saturating_sub(3)..]))
        .with("nomCommercial", "L’Exemple")
        .with("inlineAdresse", format!("{line} {} {}", commune.2, commune.1))
        .with("capitalSocial", capital)
        .with("formeJuridique", "SARL")
        .with("formeJuridiqueCode", "5499")
        .with("codeEffectifEntreprise", "51")
        .with("dateCreation", "2015-04-01")
        .with("etatAdministratif", "Actif")
        .with("effectifMensuel", Obj::new("Effectif").with("periode", "03 2026").with("nb", 12.5));
    let association = random.chance(25).then(|| {
        Obj::new("Association")
            .with("rna", format!("W99{}", random.digits(7)))
            .with("titre", "LES AMIS DE L’EXEMPLE")
            .with("objet", "Donner l’exemple")
            .with("dateCreation", "2001-01-01")
    });
    Obj::new("PersonneMorale")
        .with("id", global_id("Etablissement", siret))
        .with("siret", siret)
        .with("siegeSocial", true)
        .with("naf", "62.01Z")
        .with("naf2025", "90.02Z")
        .with("libelleNaf2025", "Activités de soutien au spectacle")
        .with("libelleNaf", "Programmation informatique")
        .with("adresse", format!("{line}\r\n{} {}\r\nFRANCE", commune.2, commune.1))
        .with("codeInseeLocalite", commune.0)
        .with("codePostal", commune.2)
        .with("localite", commune.1)
        .with("address", address(&line, commune))
        .with("entreprise", entreprise)
        .with("association", association)
}

/// A complete address in that commune.
pub(super) fn address(street: &str, commune: Commune) -> Obj {
    let (code, name, postal, departement) = commune;
    let known = places::departement(departement);
    let region = known.and_then(|departement| places::region(departement.2));
    let (number, street_name) = street.split_once(' ').unwrap_or(("", street));
    Obj::new("Address")
        .with("label", format!("{street} {postal} {name}"))
        .with("type", "housenumber")
        .with("streetAddress", street)
        .with("streetNumber", number)
        .with("streetName", street_name)
        .with("postalCode", postal)
        .with("cityName", name)
        .with("cityCode", code)
        .with("departmentCode", departement)
        .with("departmentName", super::node::text(known.map(|departement| departement.1)))
        .with("regionCode", super::node::text(region.map(|region| region.0)))
        .with("regionName", super::node::text(region.map(|region| region.1)))
        .with("countryCode", "FR")
        .with("countryName", "France")
        .with("geometry", point())
}

fn point() -> Obj {
    let coordinates = JsonValue::from(serde_json::json!([2.35, 48.85]));
    Obj::new("GeoJSON").with("type", "Point").with("coordinates", Val::Leaf(coordinates))
}

/// The commune whose postal code and name a typed address ends with.
pub(super) fn commune_of(typed: &str) -> Option<(Commune, &str)> {
    places::COMMUNES.into_iter().find_map(|commune| {
        let end = format!(" {} {}", commune.2, commune.1);
        typed.strip_suffix(end.as_str()).map(|street| (commune, street))
    })
}
