//! Values in words, for one dossier shown to a person.

use jiff::tz::TimeZone;

use super::printer::{counted, grouped, instant, legible};
use crate::champ::{ChampValue, Commune, File, HealthRecord, PersonneMorale, Registration, Territory, Withheld};
use crate::cycle::CycleEvent;
use crate::dossier::Demandeur;
use crate::intent::Status;
use crate::sink::grist::Declined;

/// The answer to a question, on one line. Repetitions are counted; their rows are for the caller to show.
pub fn value(value: &ChampValue, zone: &TimeZone) -> String {
    match value {
        ChampValue::Empty | ChampValue::Presentation => String::new(),
        ChampValue::Text(text) | ChampValue::Civilite(text) | ChampValue::EngagementJuridique(text) => legible(text),
        ChampValue::Integer(number) => number.to_string(),
        ChampValue::Decimal(number) => number.to_string(),
        ChampValue::Boolean(true) => "oui".to_owned(),
        ChampValue::Boolean(false) => "non".to_owned(),
        ChampValue::Date(date) => date.to_string(),
        ChampValue::Datetime(at) => instant(*at, zone),
        ChampValue::Choice { label, value: _ } => legible(label),
        ChampValue::Choices { values, text } => legible(&text.clone().unwrap_or_else(|| values.join(", "))),
        ChampValue::LinkedChoice { primary, secondary } => joined(" / ", [primary.as_deref(), secondary.as_deref()]),
        ChampValue::Commune { commune: Some(Commune { name, code, postal_code }), departement: _ } => {
            coded(name, postal_code.as_deref().or(code.as_deref()))
        }
        // The département is all that was chosen.
        ChampValue::Commune { commune: None, departement } | ChampValue::Epci { epci: None, departement } => {
            departement.as_ref().map(|place| coded(&place.name, Some(&place.code))).unwrap_or_default()
        }
        ChampValue::Departement(Territory { code, name })
        | ChampValue::Region(Territory { code, name })
        | ChampValue::Pays(Territory { code, name })
        | ChampValue::Epci { epci: Some(Territory { code, name }), departement: _ } => coded(name, Some(code)),
        ChampValue::Address(address) => legible(&address.label),
        ChampValue::Siret { siret, etablissement } => {
            let name = etablissement.as_deref().and_then(raison_sociale);
            joined(" ", [Some(siret.as_str()), name])
        }
        ChampValue::Rna(registration) | ChampValue::Rnf(registration) => {
            let Registration { id, title, .. } = registration.as_ref();
            joined(" ", [Some(id.as_str()), title.as_deref()])
        }
        ChampValue::Carte(areas) => counted(areas.len() as u64, "area"),
        ChampValue::Repetition(rows) => counted(rows.len() as u64, "row"),
        ChampValue::Files(files) => files.iter().map(file).collect::<Vec<_>>().join(", "),
        ChampValue::TitreIdentite { grant_type } => format!("given ({})", legible(grant_type)),
        ChampValue::DossierLink(number) => format!("dossier {number}"),
        ChampValue::Finess(HealthRecord { text, .. }) | ChampValue::Rpps(HealthRecord { text, .. }) => legible(text),
        ChampValue::Unknown { typename, string_value } => {
            format!("{} [{}]", legible(string_value.as_deref().unwrap_or_default()), legible(typename))
        }
        ChampValue::Withheld(Withheld::Excluded) => "[non conservé]".to_owned(),
        ChampValue::Withheld(Withheld::Masked) => "[masqué]".to_owned(),
        ChampValue::Withheld(Withheld::Pseudonym(digest)) => legible(digest),
    }
}

/// Who asks, on one line.
pub fn demandeur(demandeur: &Demandeur) -> String {
    match demandeur {
        Demandeur::PersonnePhysique { civilite, nom, prenom, .. } => {
            joined(" ", [civilite.as_deref(), Some(prenom.as_str()), Some(nom.as_str())])
        }
        Demandeur::PersonneMorale(personne) => joined(" ", [Some(personne.siret.as_str()), raison_sociale(personne)]),
        Demandeur::PersonneMoraleIncomplete { siret } => legible(siret),
        Demandeur::Inconnu { typename } => format!("[{}]", legible(typename)),
        Demandeur::Withheld => "[non conservé]".to_owned(),
    }
}

fn raison_sociale(personne: &PersonneMorale) -> Option<&str> {
    personne.entreprise.as_ref()?.raison_sociale.as_deref()
}

fn file(file: &File) -> String {
    let size = match file.byte_size {
        bytes if bytes < 1_000 => format!("{bytes} o"),
        bytes if bytes < 1_000_000 => format!("{} ko", bytes / 1_000),
        bytes => format!("{} Mo", grouped(bytes / 1_000_000)),
    };
    format!("{} ({size})", legible(&file.filename))
}

fn coded(name: &str, code: Option<&str>) -> String {
    match code {
        Some(code) => format!("{} ({})", legible(name), legible(code)),
        None => legible(name),
    }
}

fn joined<'a>(with: &str, parts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    legible(&parts.into_iter().flatten().collect::<Vec<_>>().join(with))
}

/// Where an intent stands.
pub fn in_words(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Done => "done",
        Status::AlreadyDone => "already so",
        Status::Refused => "refused",
        Status::Conflict => "in conflict",
        Status::Ambiguous => "ambiguous",
        Status::Cancelled => "cancelled",
    }
}

/// The platform's name of a mutation, as people say it: `dossierPasserEnInstruction` is "passer en instruction".
pub fn mutation(name: &str) -> String {
    let mut words = String::new();
    for letter in name.strip_prefix("dossier").unwrap_or(name).chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// The line that an event of a work cycle is worth, for whoever sent it off; `None` for what has other readers.
pub fn cycle_event(event: &CycleEvent<'_>) -> Option<String> {
    match event {
        CycleEvent::Declined { decision: Declined { dossier, row, reason }, sending } => {
            let of = dossier.map_or_else(|| format!("in row {row}"), |number| format!("of dossier {number}"));
            let what = if *sending { "was not taken" } else { "would not be taken" };
            Some(format!("a decision {of} {what}: {reason}"))
        }
        CycleEvent::CopyOf(of) => Some(format!(
            "this document is a copy of {of}: `--apply` refuses to send from it, unless `--adopt` says that nothing is sent \
             from {of} any more"
        )),
        CycleEvent::NothingTaken(notice) | CycleEvent::TargetNotice(notice) => Some(format!("target: {notice}")),
        CycleEvent::Run(_) | CycleEvent::StepEnded | CycleEvent::Synced(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_words() {
        let rows = [
            (ChampValue::Boolean(true), "oui"),
            (ChampValue::Text("a\nb".to_owned()), "a b"),
            (ChampValue::Choices { values: vec!["a".to_owned(), "b".to_owned()], text: None }, "a, b"),
            (ChampValue::LinkedChoice { primary: Some("a".to_owned()), secondary: None }, "a"),
            (
                ChampValue::Region(Territory { code: "11".to_owned(), name: "Île-de-France".to_owned() }),
                "Île-de-France (11)",
            ),
            (ChampValue::Withheld(Withheld::Masked), "[masqué]"),
            (ChampValue::Carte(Vec::new()), "0 areas"),
        ];
        for (champ, expected) in rows {
            assert_eq!(value(&champ, &TimeZone::UTC), expected);
        }
    }
}
