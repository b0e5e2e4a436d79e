//! Finds a champ by the id or by the label of its question.

use super::Champ;
use crate::ids::DescriptorId;

/// Errors of a search for a champ.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChampNotFound {
    /// Nothing has this id or label.
    #[error("no champ has the id or label `{wanted}`{}", did_you_mean.as_ref().map(|l| format!(" (did you mean `{l}`?)")).unwrap_or_default())]
    Unknown {
        /// The id or label that was looked for.
        wanted: String,
        /// The nearest label, when one is near.
        did_you_mean: Option<String>,
    },
    /// The dossier was read without the labels of its questions, as pages are: only ids can be found in it.
    #[error(
        "no champ has the id `{wanted}`, and this dossier has no labels: pages and stored documents come without them \
         (`Labels::fill` adds them; `changed` and `Client::dossier` give dossiers that have them)"
    )]
    NoLabels {
        /// The id or label that was looked for.
        wanted: String,
    },
    /// Several questions have this label: only the id can tell them apart (trap 47).
    #[error("{} champs are labelled `{wanted}`: name one by its id ({})", ids.len(), ids.iter().map(DescriptorId::as_str).collect::<Vec<_>>().join(", "))]
    Ambiguous {
        /// The label that was looked for.
        wanted: String,
        /// The ids of the questions that have this label.
        ids: Vec<DescriptorId>,
    },
}

/// Finds a champ by descriptor id, by champ id, or by label.
///
/// Labels are compared as people read them: no-break spaces, typographic apostrophes, case and outer spaces make no
/// difference.
///
/// # Errors
/// [`ChampNotFound`] says which label is near, or which ids share the label.
pub fn find<'a>(champs: &'a [Champ], wanted: &str) -> Result<&'a Champ, ChampNotFound> {
    if let Some(champ) = champs.iter().find(|c| c.descriptor.as_str() == wanted || c.id.as_str() == wanted) {
        return Ok(champ);
    }
    let folded = fold(wanted);
    let labelled = || champs.iter().filter_map(|c| c.label.as_deref().map(|label| (c, label)));
    let found: Vec<&Champ> = labelled().filter(|(_, label)| fold(label) == folded).map(|(champ, _)| champ).collect();
    match found.as_slice() {
        [champ] => Ok(champ),
        [] if !champs.is_empty() && labelled().next().is_none() => {
            Err(ChampNotFound::NoLabels { wanted: wanted.to_owned() })
        }
        [] => {
            let nearest = labelled().map(|(_, label)| (strsim::jaro_winkler(&folded, &fold(label)), label));
            let nearest = nearest.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0));
            let did_you_mean = nearest.map(|(_, label)| label.to_owned());
            Err(ChampNotFound::Unknown { wanted: wanted.to_owned(), did_you_mean })
        }
        several => Err(ChampNotFound::Ambiguous {
            wanted: wanted.to_owned(),
            ids: several.iter().map(|champ| champ.descriptor.clone()).collect(),
        }),
    }
}

fn fold(label: &str) -> String {
    let mut folded = String::with_capacity(label.len());
    for c in label.trim().chars() {
        match c {
            '\u{a0}' | '\u{202f}' => folded.push(' '),
            '’' | '‘' => folded.push('\''),
            other => folded.extend(other.to_lowercase()),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::champ::ChampValue;
    use crate::ids::ChampId;

    fn champ(id: &str, label: &str) -> Champ {
        Champ {
            id: ChampId::new(id),
            descriptor: DescriptorId::new(id),
            label: Some(label.into()),
            value: ChampValue::Empty,
            updated_at: None,
            prefilled: None,
            columns: Vec::new(),
            nature: None,
            unread: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn a_near_miss_names_the_nearest_label() {
        let champs = [champ("a", "Nom de l’établissement"), champ("b", "Montant demandé")];
        assert_eq!(find(&champs, "nom de l'établissement").map(|c| c.id.as_str()), Ok("a"));
        assert_eq!(find(&champs, "b").map(|c| c.id.as_str()), Ok("b"));
        let error = find(&champs, "Montant demande").expect_err("no such label");
        assert_eq!(
            error.to_string(),
            "no champ has the id or label `Montant demande` (did you mean `Montant demandé`?)"
        );
        assert!(find(&champs, "xyz").expect_err("nothing near").to_string().ends_with("`xyz`"));
    }

    #[test]
    fn a_dossier_without_labels_says_so() {
        let mut bare = champ("a", "Montant demandé");
        bare.label = None;
        assert_eq!(find(std::slice::from_ref(&bare), "a").map(|c| c.id.as_str()), Ok("a"));
        let error = find(&[bare], "Montant demandé").expect_err("there is no label");
        assert!(error.to_string().contains("this dossier has no labels"), "{error}");
        let unknown = ChampNotFound::Unknown { wanted: "a".to_owned(), did_you_mean: None };
        assert_eq!(find(&[], "a"), Err(unknown), "a form without questions lacks no label");
    }

    #[test]
    fn homonyms_are_told_apart_by_id_only() {
        let champs = [champ("a", "Précisez"), champ("b", "Précisez")];
        let error = find(&champs, "Précisez").expect_err("ambiguous");
        assert_eq!(error.to_string(), "2 champs are labelled `Précisez`: name one by its id (a, b)");
    }
}
