use super::*;
use crate::Kind;

fn typename_of(sandbox: &Sandbox, number: u32, kind: Kind, fragment: &str) -> String {
    let world = sandbox.world();
    let dossier = world.dossier(number).expect("exists");
    let form = world.form_of(dossier).expect("has a form");
    let stable_id = form.champs.iter().find(|q| q.kind == kind && q.shown_if.is_none()).expect("asked").stable_id;
    drop(world);
    let id = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("Champ-{stable_id}"));
    let query =
        format!("query($n: Int!) {{ dossier(number: $n) {{ champs(id: \"{id}\") {{ __typename {fragment} }} }} }}");
    let answer = data(sandbox, &query, &json!({"n": number}));
    answer["dossier"]["champs"][0]["__typename"].as_str().expect("a type name").to_owned()
}

#[test]
fn the_type_of_an_answer_depends_on_the_fragments_of_the_document() {
    let (dn, dn_numbers) = small(Platform::DemarcheNumerique);
    let (ds, ds_numbers) = small(Platform::DematSocial);
    for (sandbox, number, kind, fragment, expected) in [
        (&dn, dn_numbers[0], Kind::DropDownList, "", "TextChamp"),
        (&dn, dn_numbers[0], Kind::DropDownList, "... on DropDownListChamp { value }", "DropDownListChamp"),
        (&dn, dn_numbers[0], Kind::YesNo, "", "CheckboxChamp"),
        (&dn, dn_numbers[0], Kind::YesNo, "... on YesNoChamp { value }", "YesNoChamp"),
        (&dn, dn_numbers[0], Kind::Communes, "... on CommuneChamp { commune { code } }", "CommuneChamp"),
        (&dn, dn_numbers[0], Kind::Datetime, "", "DateChamp"),
        (&dn, dn_numbers[0], Kind::HeaderSection, "", "TextChamp"),
        (&ds, ds_numbers[0], Kind::DropDownList, "", "TextChamp"),
        (&ds, ds_numbers[0], Kind::YesNo, "", "CheckboxChamp"),
        (&ds, ds_numbers[0], Kind::Finess, "", "FinessChamp"),
        (&ds, ds_numbers[0], Kind::Nir, "", "NirChamp"),
    ] {
        assert_eq!(typename_of(sandbox, number, kind, fragment), expected, "{kind:?} {fragment}");
    }
}

#[test]
fn a_type_that_the_pinned_schema_lacks_is_served_and_cannot_be_asked_for() {
    let sandbox = Sandbox::new(&WorldSpec { unknown_kinds: true, ..WorldSpec::default().dossiers(4) });
    let number = *sandbox.snapshot(DEMARCHE_COMPLETE).dossiers.keys().next().expect("a dossier");
    assert_eq!(typename_of(&sandbox, number, Kind::Nouveau, ""), "NouveauChamp");
    let descriptors = "{ demarche(number: 1001) { activeRevision { champDescriptors { __typename type } } } }";
    let answer = data(&sandbox, descriptors, &json!({})).to_string();
    assert!(answer.contains("nouveau_type") && answer.contains("NouveauChampDescriptor"));
    let answer = sandbox.graphql("{ dossier(number: 1) { champs { ... on NouveauChamp { id } } } }", &json!({}));
    assert!(answer.get("data").is_none() && answer["errors"].is_array(), "{answer}");
}

#[test]
fn a_degraded_company_loses_its_dossier_without_the_fragment_on_the_incomplete_type() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    let siret = "90000000000018".to_owned();
    let demandeur = crate::world::Demandeur::PersonneMorale { siret, enriched: false };
    sandbox.world().set_demandeur(numbers[0], demandeur);
    let incomplete = "... on PersonneMoraleIncomplete { siret }";
    for (fragment, lost) in [("", true), (incomplete, false)] {
        let demandeur = format!("demandeur {{ __typename ... on PersonneMorale {{ siret siegeSocial }} {fragment} }}");
        let listing = format!("dossiers(first: 100) {{ nodes {{ number {demandeur} }} }}");
        let answer = sandbox.graphql(&format!("{{ demarche(number: 1001) {{ {listing} }} }}"), &json!({}));
        let nodes = answer["data"]["demarche"]["dossiers"]["nodes"].as_array().expect("nodes").clone();
        assert_eq!(nodes.len(), numbers.len());
        assert_eq!(nodes.iter().any(Json::is_null), lost, "{fragment}");
    }
    sandbox.world().enrich_demandeur(numbers[0]);
    let query = "query($n: Int!) { dossier(number: $n) { demandeur { __typename } } }";
    assert_eq!(
        data(&sandbox, query, &json!({"n": numbers[0]}))["dossier"]["demandeur"]["__typename"],
        "PersonneMorale"
    );
}

/// Selects every field of every champ, so that a resolver that gives a wrong shape shows.
#[test]
fn every_kind_of_champ_can_be_read_whole() {
    for platform in Platform::ALL {
        let schema = &crate::graph::Schemas::of(platform, false).pinned;
        let mut fragments = String::new();
        let selections = |name: &str| selection(schema, name, 3);
        for name in schema.implementers_map()["Champ"].objects.iter().filter(|name| **name != "DossierLinkChamp") {
            fragments.push_str(&format!("... on {name} {{ {} }} ", aliased(schema, name)));
        }
        let sandbox = Sandbox::new(&WorldSpec::new(platform).dossiers(40));
        let rest = selections("Dossier");
        let dossier = format!("champs {{ __typename {fragments} }} annotations {{ __typename {fragments} }} {rest}");
        let query = format!("{{ demarche(number: 1001) {{ dossiers {{ nodes {{ {dossier} }} }} }} }}");
        let answer = sandbox.graphql(&query, &json!({}));
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        assert!(errors.is_empty(), "{platform}: {errors:#?}");
        let nodes = answer["data"]["demarche"]["dossiers"]["nodes"].as_array().expect("nodes");
        assert!(nodes.len() >= 40 - 1 && nodes.iter().all(Json::is_object), "{platform}");
    }
}

type Schema = apollo_compiler::Schema;

/// All fields of a type, aliased by the type so that fields of the same name and another type do not conflict.
fn aliased(schema: &Schema, name: &str) -> String {
    let fields = schema.get_object(name).expect("an object type").fields.iter();
    let text = fields.filter(|(field, _)| *field != "champs" || name != "RepetitionChamp");
    let parts: Vec<String> = text
        .map(|(field, definition)| {
            let below = match (name, field.as_str()) {
                ("RepetitionChamp", "rows") => "{ id champs { __typename id stringValue } }".to_owned(),
                _ => below(schema, definition.ty.inner_named_type(), 3),
            };
            format!("{name}_{field}: {field} {below}")
        })
        .collect();
    parts.join(" ")
}

fn below(schema: &Schema, name: &str, depth: u32) -> String {
    if schema.get_interface(name).is_some() {
        "{ __typename id }".to_owned()
    } else if schema.get_object(name).is_some() {
        format!("{{ {} }}", selection(schema, name, depth - 1))
    } else {
        String::new()
    }
}

fn selection(schema: &Schema, name: &str, depth: u32) -> String {
    let mut parts = vec!["__typename".to_owned()];
    for (field, definition) in &schema.get_object(name).expect("an object type").fields {
        let inner = definition.ty.inner_named_type();
        let is_leaf = schema.get_object(inner).is_none() && schema.get_interface(inner).is_none();
        let recursive = matches!(field.as_str(), "champs" | "annotations");
        if is_leaf || depth > 1 && !recursive {
            parts.push(format!("{field} {}", below(schema, inner, depth)));
        }
    }
    parts.join(" ")
}
