//! Collects the files of a dossier: of champs, messages, opinions, the decision.

use super::Dossier;
use crate::champ::{ChampValue, File};
use crate::ids::DescriptorId;

/// File with the object that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlacedFile<'a> {
    /// `champ`, `annotation`, `message`, `avis`, `motivation` or `attestation`.
    pub origin: &'static str,
    /// The id of the champ, message or opinion; empty for the files of the decision.
    pub owner: &'a str,
    /// The question that it answers, for files of champs and annotations.
    pub descriptor: Option<&'a DescriptorId>,
    /// The nature of the file, where the platform states one: `RIB`, `JUSTIFICATIF_DOMICILE`...
    pub nature: Option<&'a str>,
    /// The file.
    pub file: &'a File,
}

impl Dossier {
    /// Collects its files: of champs and annotations (those in repetition blocks included), of messages, opinions and
    /// the decision.
    #[must_use]
    pub fn files(&self) -> Vec<PlacedFile<'_>> {
        let mut found = Vec::new();
        for (origin, champs) in [("champ", &self.champs), ("annotation", &self.annotations)] {
            for champ in champs {
                let nested: &[_] = match &champ.value {
                    ChampValue::Repetition(rows) => rows,
                    _ => &[],
                };
                for champ in std::iter::once(champ).chain(nested.iter().flat_map(|row| &row.champs)) {
                    if let ChampValue::Files(files) = &champ.value {
                        let (owner, descriptor) = (champ.id.as_str(), Some(&champ.descriptor));
                        let nature = champ.nature.as_deref();
                        let placed = |file| PlacedFile { origin, owner, descriptor, nature, file };
                        found.extend(files.iter().map(placed));
                    }
                }
            }
        }
        let messages = self.messages.iter().map(|message| ("message", message.id.as_str(), &message.attachments));
        let avis = self.avis.iter().map(|avis| ("avis", avis.id.as_str(), &avis.attachments));
        for (origin, owner, files) in messages.chain(avis) {
            found.extend(files.iter().map(|file| PlacedFile { origin, owner, descriptor: None, nature: None, file }));
        }
        for (origin, file) in [("motivation", &self.motivation_attachment), ("attestation", &self.attestation)] {
            found.extend(file.iter().map(|file| PlacedFile {
                origin,
                owner: "",
                descriptor: None,
                nature: None,
                file,
            }));
        }
        found
    }
}
