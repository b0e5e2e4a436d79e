//! Titles of forms and identifiers of the platform, whatever they hold.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use demarche_numerique::ids::{ChampId, DescriptorId, DossierNumber};
use demarche_numerique::table::naming::{NameLimits, column_name};
use demarche_numerique::table::{ColumnKey, Part};
use proptest::prelude::*;

proptest! {
    #[test]
    fn columns_have_clean_names_of_their_own_whatever_the_questions_are(titles in prop::collection::vec(any::<String>(), 1..40)) {
        let limits = NameLimits::default();
        let mut taken = BTreeSet::new();
        for (rank, title) in titles.iter().enumerate() {
            let key = ColumnKey::Champ(DescriptorId::new(STANDARD.encode(format!("Champ-{rank}"))), Part::Value);
            let name = column_name(&key, title, &taken, limits);
            prop_assert!(!name.is_empty() && name.len() <= limits.max_bytes, "{name:?}");
            prop_assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'), "{name:?}");
            prop_assert!(!name.starts_with(|c: char| c.is_ascii_digit()), "{name:?}");
            prop_assert!(taken.insert(name.clone()), "{name} twice");
        }
    }

    #[test]
    fn an_identifier_is_read_or_kept_as_it_is(plain: String, encode: bool) {
        let id = ChampId::new(if encode { STANDARD.encode(&plain) } else { plain.clone() });
        let (descriptor, row) = id.descriptor_and_row();
        match row {
            Some(_) => prop_assert!(plain.contains('|') || !encode),
            None => prop_assert_eq!(descriptor.as_str(), id.as_str()),
        }
        if let Some(number) = descriptor.stable_id() {
            prop_assert!(STANDARD.decode(descriptor.as_str()).is_ok_and(|text| text.starts_with(b"Champ-")), "{number}");
        }
    }

    #[test]
    fn a_number_is_one_of_the_platform_or_refused(text in "[ 0-9+\\-_.eE\u{660}-\u{669}]{0,14}") {
        match text.parse::<DossierNumber>() {
            Ok(number) => prop_assert_eq!(u64::from(number.get()), text.trim().parse::<u64>().expect("digits alone")),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
