//! Filters everything but the champs: people, messages, opinions, decisions.

use std::collections::BTreeMap;

use super::filter::Filter;
use super::policy::{DossierPart as Part, Treatment};
use crate::champ::{Association, Entreprise, File, PersonneMorale};
use crate::demarche::Profile;
use crate::dossier::{Demandeur, Dossier, Mandataire};

impl Filter {
    /// Filters everything but the champs. The platform's opaque ids stay: they are keys of rows and identify nobody by
    /// themselves.
    pub(super) fn around(&self, dossier: &mut Dossier) {
        let of = |part| self.policy().of_part(part);
        let files = of(Part::PiecesJointes);
        let instructeurs = of(Part::Instructeurs);
        self.email(&mut dossier.usager.email, of(Part::Usager));
        self.demandeur(&mut dossier.demandeur, of(Part::Demandeur));
        if let Some(Mandataire { prenom, nom }) = &mut dossier.mandataire {
            self.maybe(prenom, of(Part::Mandataire), Some("prenom"));
            self.maybe(nom, of(Part::Mandataire), Some("nom"));
        }
        self.profiles(&mut dossier.instructeurs, instructeurs);
        self.profiles(&mut dossier.groupe_instructeur.instructeurs, instructeurs);

        self.unread(&mut dossier.unread);

        let motivation = of(Part::Motivation);
        self.maybe(&mut dossier.motivation, motivation, None);
        self.files(&mut dossier.motivation_attachment, motivation.max(files));
        self.files(&mut dossier.attestation, files);
        let agents = of(Part::Traitements).max(instructeurs);
        for traitement in &mut dossier.traitements {
            self.maybe(&mut traitement.motivation, motivation, None);
            self.maybe_email(&mut traitement.email_agent_traitant, agents);
        }

        for assignment in &mut dossier.assignments {
            self.maybe_email(&mut assignment.assigned_by, agents);
        }

        let messages = of(Part::Messages);
        for message in &mut dossier.messages {
            self.email(&mut message.email, messages);
            self.text(&mut message.body, messages, None);
            self.files(&mut message.attachments, messages.max(files));
        }

        let opinions = of(Part::Avis);
        for avis in &mut dossier.avis {
            self.text(&mut avis.question, opinions, None);
            self.maybe(&mut avis.question_label, opinions, None);
            self.maybe(&mut avis.reponse, opinions, None);
            if !opinions.keeps() {
                // A Boolean cannot hold a placeholder.
                avis.question_answer = None;
            }
            self.profiles(&mut avis.claimant, opinions.max(instructeurs));
            self.profiles(&mut avis.expert, opinions);
            self.files(&mut avis.attachments, opinions.max(files));
        }
    }

    /// Treats the fields that could not be decoded like the part of the dossier that they belong to.
    pub(super) fn unread(&self, unread: &mut BTreeMap<String, String>) {
        for (field, text) in unread {
            self.text(text, self.of_field(field), None);
        }
    }

    /// Finds the treatment of a field of a dossier, by the platform's name of the first field on its path.
    fn of_field(&self, path: &str) -> Treatment {
        let of = |part| self.policy().of_part(part);
        match path.split('.').next().unwrap_or_default() {
            "usager" | "connectionUsager" => of(Part::Usager),
            "demandeur" => of(Part::Demandeur),
            "messages" => of(Part::Messages).max(of(Part::PiecesJointes)),
            "avis" => of(Part::Avis).max(of(Part::PiecesJointes)).max(of(Part::Instructeurs)),
            "traitements" => of(Part::Traitements).max(of(Part::Instructeurs)).max(of(Part::Motivation)),
            "instructeurs" => of(Part::Instructeurs),
            "motivation" | "motivationAttachment" | "attestation" => of(Part::Motivation).max(of(Part::PiecesJointes)),
            dates if dates.starts_with("date") || ["archived", "groupeInstructeur", "labels"].contains(&dates) => {
                Treatment::Include
            }
            // The strictest treatment for the mandataire and for fields of newer platforms.
            _ => Part::ALL.into_iter().map(of).max().unwrap_or(Treatment::Exclude),
        }
    }

    fn demandeur(&self, demandeur: &mut Demandeur, treatment: Treatment) {
        match treatment {
            Treatment::Include => {}
            Treatment::Mask | Treatment::Exclude => *demandeur = Demandeur::Withheld,
            Treatment::Pseudonymise => match demandeur {
                Demandeur::PersonnePhysique { civilite, nom, prenom, date_de_naissance, email } => {
                    self.maybe(civilite, treatment, None);
                    self.text(nom, treatment, Some("nom"));
                    self.text(prenom, treatment, Some("prenom"));
                    self.maybe_email(email, treatment);
                    // A date cannot hold a pseudonym, and identifies a person together with any other field.
                    *date_de_naissance = None;
                }
                Demandeur::PersonneMorale(found) => self.establishment(found, treatment),
                Demandeur::PersonneMoraleIncomplete { siret } => self.text(siret, treatment, Some("siret")),
                Demandeur::Inconnu { .. } | Demandeur::Withheld => {}
            },
        }
    }

    /// Removes what names a company; what describes it (activity, legal form, size) stays.
    fn establishment(&self, found: &mut PersonneMorale, treatment: Treatment) {
        let PersonneMorale {
            siret,
            siege_social: _,
            naf: _,
            libelle_naf: _,
            naf_2025: _,
            libelle_naf_2025: _,
            address,
            entreprise,
            association,
        } = found;
        self.text(siret, treatment, Some("siret"));
        *address = None;
        if let Some(company) = entreprise {
            let Entreprise {
                siren,
                raison_sociale,
                nom_commercial,
                enseigne,
                nom,
                prenom,
                forme_juridique: _,
                forme_juridique_code: _,
                capital_social: _,
                code_effectif_entreprise: _,
                numero_tva_intracommunautaire,
                siret_siege_social,
                date_creation: _,
                etat_administratif: _,
            } = company;
            self.text(siren, treatment, Some("siren"));
            self.maybe(raison_sociale, treatment, Some("raison_sociale"));
            self.maybe(nom_commercial, treatment, Some("raison_sociale"));
            self.maybe(enseigne, treatment, Some("raison_sociale"));
            self.maybe(nom, treatment, Some("nom"));
            self.maybe(prenom, treatment, Some("prenom"));
            self.maybe(numero_tva_intracommunautaire, treatment, None);
            self.maybe(siret_siege_social, treatment, Some("siret"));
        }
        if let Some(association) = association {
            let Association { rna, titre, objet, date_creation: _, date_declaration: _, date_publication: _ } =
                association;
            self.text(rna, treatment, Some("rna"));
            self.text(titre, treatment, Some("raison_sociale"));
            self.maybe(objet, treatment, None);
        }
    }

    fn profiles<'a>(&self, profiles: impl IntoIterator<Item = &'a mut Profile>, treatment: Treatment) {
        profiles.into_iter().for_each(|profile| self.email(&mut profile.email, treatment));
    }

    /// Removes name and checksum of files; their size, type and date stay. Signed addresses always go (trap 56).
    pub(super) fn files<'a>(&self, files: impl IntoIterator<Item = &'a mut File>, treatment: Treatment) {
        for file in files {
            // Signed addresses are never stored: the address alone opens the file for an hour (trap 56).
            file.url = None;
            self.text(&mut file.filename, treatment, Some("filename"));
            match treatment {
                Treatment::Include => {}
                Treatment::Pseudonymise => self.text(&mut file.checksum, treatment, Some("checksum")),
                // The checksum of a known file, such as an empty form, identifies its content.
                Treatment::Mask | Treatment::Exclude => file.checksum.clear(),
            }
        }
    }

    fn email(&self, email: &mut String, treatment: Treatment) {
        self.text(email, treatment, Some("email"));
    }

    fn maybe_email(&self, email: &mut Option<String>, treatment: Treatment) {
        self.maybe(email, treatment, Some("email"));
    }

    fn maybe(&self, text: &mut Option<String>, treatment: Treatment, domain: Option<&str>) {
        text.iter_mut().for_each(|text| self.text(text, treatment, domain));
    }
}
