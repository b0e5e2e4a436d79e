//! Compresses documents with a dictionary of what all of a démarche have in common: names of fields and ids
//! of questions. A document is compressed as what follows this text, which is kept once; it takes a third less room.
//!
//! Nothing that anybody wrote is in it: only the form and the shapes of our own types. It is made once, with the tables,
//! and never changes, as documents cannot be read without it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::value;
use crate::demarche::{Demarche, Descriptor, TypeDeChamp};

/// The prefix of a document that was compressed with it.
const PRIMED: &str = "p:";

/// The length of the dictionary that helps: compression looks back 32 KiB, the document itself included.
const LONGEST: usize = 24_000;

/// The text of one démarche.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dictionary(String);

impl Dictionary {
    pub(super) fn kept(text: String) -> Self {
        Self(text)
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// The text for the documents of a form.
    pub(super) fn of(form: &Demarche) -> Self {
        let mut text = String::new();
        let mut seen = BTreeSet::new();
        let champs =
            form.revisions.iter().rev().flat_map(|revision| revision.champs.iter().chain(&revision.annotations));
        for descriptor in champs.flat_map(|descriptor| std::iter::once(descriptor).chain(&descriptor.children)) {
            // The most frequent comes last, where it is nearest: the room is for the newest revisions.
            let entry = entry(descriptor);
            if seen.insert(&descriptor.id) && text.len() + entry.len() + SHAPES.len() < LONGEST {
                text.push_str(&entry);
            }
        }
        Self(text + SHAPES)
    }

    /// A document as it is kept.
    pub(super) fn pack(&self, document: &str) -> String {
        let (mut packed, from) = self.begin();
        let Prefix { compress, bytes } = &mut packed;
        finish(compress, document.as_bytes(), bytes);
        format!("{PRIMED}{}", STANDARD.encode(&bytes[from..]))
    }

    fn begin(&self) -> (Prefix, usize) {
        let mut compress = Compress::new(Compression::default(), false);
        let mut bytes = Vec::new();
        feed(&mut compress, self.0.as_bytes(), &mut bytes, FlushCompress::Sync);
        let from = bytes.len();
        (Prefix { compress, bytes }, from)
    }
}

/// A compression that has seen the text, and what it wrote of it.
struct Prefix {
    compress: Compress,
    bytes: Vec<u8>,
}

/// Room for what a step writes.
const ROOM: usize = 16 << 10;

fn feed(compress: &mut Compress, input: &[u8], bytes: &mut Vec<u8>, flush: FlushCompress) -> Status {
    let before = compress.total_in();
    loop {
        bytes.reserve(ROOM);
        let done = usize::try_from(compress.total_in() - before).expect("it is no longer than the input");
        let status = compress.compress_vec(&input[done..], bytes, flush).expect("compression to memory cannot fail");
        let done = usize::try_from(compress.total_in() - before).expect("it is no longer than the input");
        let settled = done == input.len() && bytes.len() < bytes.capacity();
        if status == Status::StreamEnd || (settled && !matches!(flush, FlushCompress::Finish)) {
            return status;
        }
    }
}

fn finish(compress: &mut Compress, input: &[u8], bytes: &mut Vec<u8>) {
    let status = feed(compress, input, bytes, FlushCompress::Finish);
    debug_assert_eq!(status, Status::StreamEnd, "a finished stream has an end");
}

/// A document again; `None` when it is not one of ours, or needs a dictionary that is not there.
pub(super) fn unpack(dictionary: Option<&Dictionary>, kept: &str) -> Option<String> {
    let Some(packed) = kept.strip_prefix(PRIMED) else { return value::unpack(kept) };
    let dictionary = dictionary?;
    let packed = STANDARD.decode(packed).ok()?;
    let (Prefix { bytes: head, .. }, _) = dictionary.begin();
    let mut decompress = Decompress::new(false);
    let mut text = Vec::new();
    let input = [head, packed].concat();
    loop {
        text.reserve(ROOM.max(text.len()));
        let done = usize::try_from(decompress.total_in()).ok()?;
        let before = (done, text.len());
        match decompress.decompress_vec(&input[done..], &mut text, FlushDecompress::None).ok()? {
            Status::StreamEnd => break,
            _ if before == (usize::try_from(decompress.total_in()).ok()?, text.len()) => return None,
            _ => {}
        }
    }
    String::from_utf8(text.split_off(dictionary.0.len().min(text.len()))).ok()
}

/// Writes the JSON of an answer to a question, up to the answer.
fn entry(descriptor: &Descriptor) -> String {
    use TypeDeChamp as T;
    let id = descriptor.id.as_str();
    let value = match descriptor.type_de_champ {
        T::HeaderSection | T::Explication => "\"presentation\"",
        T::YesNo | T::Checkbox => "{\"boolean\":true}",
        T::IntegerNumber => "{\"integer\":1}",
        T::DecimalNumber | T::Number => "{\"decimal\":\"1\"}",
        T::Date => "{\"date\":\"20",
        T::Datetime => "{\"datetime\":\"20",
        T::DropDownList => "{\"choice\":{\"label\":\"",
        T::MultipleDropDownList => "{\"choices\":{\"values\":[\"",
        T::LinkedDropDownList => "{\"linked_choice\":{\"primary\":\"",
        T::PieceJustificative => "{\"files\":[{\"filename\":\"",
        T::Repetition => "{\"repetition\":[{\"id\":\"",
        _ => "{\"text\":\"",
    };
    format!("{{\"id\":\"{id}\",\"descriptor\":\"{id}\",\"value\":{value}\"}}}},")
}

/// The shapes of a dossier and of answers that have many fields.
const SHAPES: &str = concat!(
    r#"{"id":"","descriptor":"","value":"empty"},{"epci":{"epci":{"code":"","name":""},"departement":{"code":"","name":""}}},"#,
    r#""commune":{"commune":{"code":"","name":"","postal_code":""},"departement":{"code":"","name":""}},"region":{"code":"","#,
    r#""name":""},"pays":{"code":"FR","name":"France"},"linked_choice":{"primary":"","secondary":""},"civilite":"M","#,
    r#""carte":[{"id":"","source":"selection_utilisateur","description":"","geometry":{"type":"Polygon","coordinates":[[["#,
    r#""dossier_link":0,"titre_identite":{"grant_type":""},"engagement_juridique":"","rna":{"id":"","title":"","address":"#,
    r#"{"rnf":{"id":"","title":"","address":{"siret":{"siret":"","etablissement":{"siret":"","siege_social":true,"naf":"","#,
    r#""libelle_naf":"","address":{"label":"","type":"housenumber","street_address":"","street_number":"","street_name":"","#,
    r#""postal_code":"","city_name":"","city_code":"","department_name":"","department_code":"","region_name":"","#,
    r#""region_code":"","country_name":"France","country_code":"FR","geometry":{"type":"Point","coordinates":[2.,48.]}},"#,
    r#""entreprise":{"siren":"","raison_sociale":"","nom_commercial":"","enseigne":null,"nom":null,"prenom":null,"#,
    r#""forme_juridique":"","forme_juridique_code":"","capital_social":null,"code_effectif_entreprise":"","#,
    r#""numero_tva_intracommunautaire":null,"siret_siege_social":"","date_creation":"","etat_administratif":"Actif"},"#,
    r#""association":{"rna":"W","titre":"","objet":"","date_creation":"","date_declaration":null,"date_publication":null}"#,
    r#""files":[{"filename":".pdf","content_type":"application/pdf","byte_size":0,"checksum":"==","created_at":"20"#,
    r#"T00:00:00Z","virus_scan_result":"SAFE"},{"filename":".png","content_type":"image/png","byte_size":"#,
    r#"{"id":"","number":0,"state":"en_construction","archived":false,"revision":"","date_depot":"2026-01-01T00:00:00Z","#,
    r#""date_passage_en_construction":"2026-01-01T00:00:00Z","date_passage_en_instruction":null,"date_traitement":null,"#,
    r#""date_derniere_modification":"2026-01-01T00:00:00Z","date_derniere_modification_champs":"2026-01-01T00:00:00Z","#,
    r#""date_derniere_modification_annotations":null,"date_expiration":null,"date_suppression_par_usager":null,"#,
    r#""date_suppression_par_administration":null,"date_derniere_correction_en_attente":null,"#,
    r#""date_previsionnelle_decision_sva_svr":null,"date_traitement_sva_svr":null,"motivation":null,"#,
    r#""motivation_attachment":null,"attestation":null,"usager":{"id":"","email":""},"connection_usager":"password","#,
    r#""demandeur":{"personne_physique":{"civilite":"Mme","nom":"","prenom":"","date_de_naissance":null,"email":null}},"#,
    r#""demandeur":{"personne_morale":{"siret":"","siege_social":true,"naf":"","mandataire":null,"groupe_instructeur":"#,
    r#"{"id":"","number":0,"label":"","closed":false},"instructeurs":[{"id":"","email":"","labels":[{"id":"","name":"","#,
    r#""color":""}],"traitements":[{"id":"","state":"en_construction","event":"depose","date_traitement":"","#,
    r#""email_agent_traitant":null,"motivation":null},{"id":"","state":"en_instruction","event":"passer_en_instruction","#,
    r#""avis":[{"id":"","question":"","question_label":null,"question_answer":null,"reponse":null,"date_question":"","#,
    r#""date_reponse":null,"claimant":{"id":"","email":""},"expert":{"id":"","email":""},"attachments":[]}],"messages":"#,
    r#"[{"id":"","email":"","body":"<p>Bonjour</p>","created_at":"","discarded_at":null,"correction":null,"#,
    r#""correction":{"reason":"incomplete","date_resolution":null},"attachments":[]}],"champs":[{"id":"Q2hhbXAt","#,
    r#""annotations":[{"id":"Q2hhbXAt","descriptor":"Q2hhbXAt","value":"empty"},"#,
);

#[cfg(test)]
mod tests {
    use super::*;

    fn dictionary() -> Dictionary {
        Dictionary::kept(format!("{{\"id\":\"Q2hhbXAtMQ==\"}}{SHAPES}"))
    }

    #[test]
    fn documents_of_every_length_come_back() {
        let dictionary = dictionary();
        let noise: String = (0..200_000_u64).map(|n| char::from(b' ' + (n * n % 89) as u8)).collect();
        for document in ["", "{", "é🎉\0", SHAPES, &SHAPES.repeat(40), &noise] {
            let kept = dictionary.pack(document);
            assert_eq!(unpack(Some(&dictionary), &kept).as_deref(), Some(document), "{} bytes", document.len());
            assert_eq!(unpack(None, &kept), None);
        }
        assert_eq!(unpack(Some(&dictionary), &value::pack("without")).as_deref(), Some("without"));
        let other = Dictionary::kept("another text".to_owned());
        assert_ne!(unpack(Some(&other), &dictionary.pack(SHAPES)).as_deref(), Some(SHAPES));
        for foreign in ["", "p:", "p:AAAA", "p:é", "x"] {
            assert_eq!(unpack(Some(&dictionary), foreign), None, "{foreign}");
        }
    }

    #[test]
    fn what_documents_have_in_common_takes_next_to_no_room() {
        let document = SHAPES.replace("2026", "2025").replace("\"\"", "\"x\"");
        assert!(dictionary().pack(&document).len() * 3 < value::pack(&document).len());
    }
}
