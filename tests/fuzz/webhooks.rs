//! Bodies of webhook calls: a démarche and a dossier, or nothing.

use demarche_numerique::serve::hints::named;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_body_names_two_numbers_or_nothing(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = named(&body);
    }

    #[test]
    fn what_looks_like_a_call_names_what_it_says(
        demarche in 1u32..,
        dossier in 1u32..,
        before in "([a-z_]{1,10}=[^&]{0,10}&){0,4}",
        after in "(&[a-z]{1,6}=[^&]{0,10}){0,4}",
    ) {
        prop_assume!(!before.contains("procedure_id=") && !before.contains("dossier_id="));
        prop_assume!(!before.trim_start().starts_with('{'));
        let body = format!("{before}procedure_id={demarche}&dossier_id={dossier}{after}");
        let found = named(body.as_bytes()).map(|(demarche, dossier)| (demarche.get(), dossier.get()));
        prop_assert_eq!(found, Some((demarche, dossier)));
        let body = serde_json::json!({ "procedure_id": demarche, "dossier_id": dossier.to_string(), "state": before });
        let found = named(body.to_string().as_bytes()).map(|(demarche, dossier)| (demarche.get(), dossier.get()));
        prop_assert_eq!(found, Some((demarche, dossier)));
    }

    #[test]
    fn an_object_of_any_shape_names_two_numbers_or_nothing(fields in prop::collection::btree_map("[a-z_]{1,14}", ".{0,12}", 0..5), deep in 0usize..2_000) {
        let _ = named(serde_json::to_string(&fields).expect("JSON").as_bytes());
        let nested = format!("{}{}", "{\"procedure_id\":".repeat(deep), "}".repeat(deep));
        prop_assert_eq!(named(nested.as_bytes()), None);
    }
}
