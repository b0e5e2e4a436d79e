//! Visits every text that somebody typed.

use serde_json::Value as Json;

use crate::champ::{ChampValue, File, Registration};
use crate::dossier::{Demandeur, Dossier, Mandataire};

/// Visits the texts of a dossier outside its champs. Dates, ids and public records of companies hold no NIR.
pub(super) fn around(dossier: &mut Dossier, see: &mut impl FnMut(&mut String)) {
    dossier.motivation.iter_mut().for_each(&mut *see);
    see(&mut dossier.usager.email);
    match &mut dossier.demandeur {
        Demandeur::PersonnePhysique { civilite: _, nom, prenom, date_de_naissance: _, email } => {
            see(nom);
            see(prenom);
            email.iter_mut().for_each(&mut *see);
        }
        Demandeur::PersonneMorale(_)
        | Demandeur::PersonneMoraleIncomplete { .. }
        | Demandeur::Inconnu { .. }
        | Demandeur::Withheld => {}
    }
    if let Some(Mandataire { prenom, nom }) = &mut dossier.mandataire {
        prenom.iter_mut().chain(nom).for_each(&mut *see);
    }
    see(&mut dossier.groupe_instructeur.label);
    for assignment in &mut dossier.assignments {
        see(&mut assignment.groupe_instructeur);
        assignment.previous.iter_mut().for_each(&mut *see);
    }
    dossier.labels.iter_mut().for_each(|label| see(&mut label.name));
    for traitement in &mut dossier.traitements {
        traitement.motivation.iter_mut().chain(&mut traitement.changed_columns).for_each(&mut *see);
    }
    for avis in &mut dossier.avis {
        see(&mut avis.question);
        avis.question_label.iter_mut().chain(&mut avis.reponse).for_each(&mut *see);
    }
    for message in &mut dossier.messages {
        see(&mut message.body);
    }
    dossier.unread.values_mut().for_each(&mut *see);
    files_around(dossier).for_each(|file| see(&mut file.filename));
}

/// Iterates over the files of a dossier outside its champs.
fn files_around(dossier: &mut Dossier) -> impl Iterator<Item = &mut File> {
    let messages = dossier.messages.iter_mut().flat_map(|message| &mut message.attachments);
    let avis = dossier.avis.iter_mut().flat_map(|avis| &mut avis.attachments);
    messages.chain(avis).chain(&mut dossier.motivation_attachment).chain(&mut dossier.attestation)
}

/// Visits the texts of one answer, rows of blocks aside.
pub(super) fn answer(value: &mut ChampValue, see: &mut impl FnMut(&mut String)) {
    use ChampValue as V;
    match value {
        V::Text(text) | V::Civilite(text) | V::EngagementJuridique(text) => see(text),
        V::Choice { label, value } => {
            see(label);
            value.iter_mut().for_each(see);
        }
        V::Choices { values, text } => values.iter_mut().chain(text).for_each(see),
        V::LinkedChoice { primary, secondary } => primary.iter_mut().chain(secondary).for_each(see),
        V::Address(address) => {
            see(&mut address.label);
            address.street_address.iter_mut().chain(&mut address.street_name).for_each(see);
        }
        V::Siret { siret, etablissement: _ } => see(siret),
        V::Rna(found) | V::Rnf(found) => {
            let Registration { id, title, address: _, commune: _, departement: _ } = &mut **found;
            see(id);
            title.iter_mut().for_each(see);
        }
        V::Carte(areas) => areas.iter_mut().flat_map(|area| &mut area.description).for_each(see),
        V::Files(files) => files.iter_mut().for_each(|file| see(&mut file.filename)),
        V::Finess(record) | V::Rpps(record) => {
            see(&mut record.text);
            record.data.iter_mut().for_each(|data| json(data, see));
        }
        V::Unknown { typename: _, string_value } => string_value.iter_mut().for_each(see),
        V::Empty
        | V::Integer(_)
        | V::Decimal(_)
        | V::Boolean(_)
        | V::Date(_)
        | V::Datetime(_)
        | V::Commune { .. }
        | V::Departement(_)
        | V::Region(_)
        | V::Pays(_)
        | V::Epci { .. }
        | V::Repetition(_)
        | V::TitreIdentite { .. }
        | V::DossierLink(_)
        | V::Presentation
        | V::Withheld(_) => {}
    }
}

/// Visits the texts and numbers of a record. A number that is changed becomes a text.
fn json(value: &mut Json, see: &mut impl FnMut(&mut String)) {
    match value {
        Json::String(text) => see(text),
        Json::Number(number) => {
            let before = number.to_string();
            let mut text = before.clone();
            see(&mut text);
            if text != before {
                *value = Json::String(text);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| json(item, see)),
        Json::Object(fields) => fields.values_mut().for_each(|field| json(field, see)),
        Json::Null | Json::Bool(_) => {}
    }
}
