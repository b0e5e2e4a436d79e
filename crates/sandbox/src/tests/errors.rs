use super::*;
use crate::world::Poison;

const PAGE: &str = "query Page { demarche(number: 1001) { dossiers(first: 100) { pageInfo { hasNextPage endCursor }
    nodes { number champs { id stringValue } } } } }";

#[test]
fn one_poisoned_dossier_is_http_500_for_the_whole_page_until_healed() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    sandbox.world().poison(numbers[2], Poison::Crash);
    let (status, body) = raw(&sandbox, Some(&sandbox.token()), &json!({"query": PAGE}));
    assert_eq!(status, 500);
    assert_eq!(body["errors"][0]["extensions"]["code"], "internal_server_error");
    assert_eq!(body["data"], Json::Null);
    let light = "{ demarche(number: 1001) { dossiers { nodes { number } } } }";
    assert_eq!(data(&sandbox, light, &json!({}))["demarche"]["dossiers"]["nodes"].as_array().map(Vec::len), Some(8));
    sandbox.world().heal(numbers[2]);
    data(&sandbox, PAGE, &json!({}));
}

#[test]
fn a_forbidden_null_is_a_null_node_with_the_error_of_each_platform() {
    for platform in Platform::ALL {
        let (sandbox, numbers) = small(platform);
        sandbox.world().poison(numbers[2], Poison::NullNode);
        let answer = sandbox.graphql(PAGE, &json!({}));
        let dossiers = &answer["data"]["demarche"]["dossiers"];
        let nodes = dossiers["nodes"].as_array().expect("nodes");
        assert_eq!(nodes.iter().filter(|node| node.is_null()).count(), 1);
        assert!(dossiers["pageInfo"]["endCursor"].is_string(), "pageInfo is intact");
        let error = answer["errors"][0].as_object().expect("an error");
        assert_eq!(error["message"], "Cannot return null for non-nullable field Dossier.champs");
        match platform {
            Platform::DemarcheNumerique => {
                assert_eq!(error["extensions"]["code"], "invalid_null");
                assert_eq!(error["path"][4], "champs");
            }
            Platform::DematSocial => assert_eq!(error.len(), 1, "{error:?}"),
        }
    }
}

#[test]
fn after_the_deadline_the_tail_is_null_and_only_the_first_error_has_a_code() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    sandbox.world().timeout_after = Some(5);
    let answer = sandbox.graphql(PAGE, &json!({}));
    let nodes = answer["data"]["demarche"]["dossiers"]["nodes"].as_array().expect("nodes").clone();
    assert_eq!(
        nodes.iter().map(Json::is_null).collect::<Vec<_>>(),
        [false, false, false, false, false, true, true, true]
    );
    let errors = answer["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), numbers.len() - 5);
    assert_eq!(
        (&errors[0]["message"], &errors[0]["extensions"]["code"]),
        (&json!("Timeout on Dossier.number"), &json!("timeout"))
    );
    assert!(errors[1..].iter().all(|error| error.get("extensions").is_none()));
    let small = PAGE.replace("first: 100", "first: 5");
    data(&sandbox, &small, &json!({}));
}

#[test]
fn requests_that_do_not_fit_the_schema_have_no_data_key() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let deep = format!(
        "{{ demarche(number: 1001) {{ revisions {{ {} id {} }} }} }}",
        "champDescriptors { ".repeat(13),
        "}".repeat(13)
    );
    for (case, body, message) in [
        ("syntax", json!({"query": "{ demarche("}), ""),
        ("unknown field", json!({"query": "{ demarche(number: 1) { nimporte } }"}), ""),
        (
            "bad variable",
            json!({"query": "query($n: Int!) { dossier(number: $n) { id } }", "variables": {"n": "x"}}),
            "",
        ),
        ("missing variable", json!({"query": "query($n: Int!) { dossier(number: $n) { id } }"}), ""),
        ("operation", json!({"query": "query A { __typename }", "operationName": "B"}), "No operation named \"B\""),
        ("no query", json!({}), "No query string was present"),
        ("array", json!([{"query": "{ __typename }"}]), "No query string was present"),
        (
            "date",
            json!({"query": "{ demarche(number: 1001) { dossiers(updatedSince: \"2024-01-01 10:00\") { nodes { id } } } }"}),
            "",
        ),
        ("depth", json!({ "query": deep }), "Query has depth of 16, which exceeds max depth of 15"),
    ] {
        let (status, answer) = raw(&sandbox, Some(&sandbox.token()), &body);
        assert_eq!(status, 200, "{case}");
        assert!(answer.get("data").is_none(), "{case}: {answer}");
        let said = answer["errors"][0]["message"].as_str().expect("a message");
        assert!(said.contains(message), "{case}: {said}");
    }
    let (_, answer) = raw(&sandbox, Some(&sandbox.token()), &json!({"query": "{ demarche(number: 1) { nimporte } }"}));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "undefinedField", "{answer}");
    assert_eq!(answer["errors"][0]["message"], "Field 'nimporte' doesn't exist on type 'Demarche'");
}

#[test]
fn an_inline_fragment_without_a_type_and_the_closed_argument_break_the_server() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    for query in [
        "{ demarche(number: 1001) { ... @include(if: true) { id } } }",
        "{ demarche(number: 1001) { groupeInstructeurs(closed: false) { id } } }",
    ] {
        assert_eq!(raw(&sandbox, Some(&sandbox.token()), &json!({ "query": query })).0, 500, "{query}");
    }
}

#[test]
fn exclusive_arguments_and_bad_cursors_are_field_errors() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    for (arguments, message, code) in [
        ("first: 1, last: 1", "Arguments \"first\" and \"last\" are exclusive", json!("bad_request")),
        ("after: \"MQ\", before: \"MQ\"", "Arguments \"before\" and \"after\" are exclusive", json!("bad_request")),
        ("after: \"***\"", "Invalid input: \"***\"", Json::Null),
    ] {
        let query = format!("{{ demarche(number: 1001) {{ dossiers({arguments}) {{ nodes {{ id }} }} }} }}");
        let (status, answer) = raw(&sandbox, Some(&sandbox.token()), &json!({ "query": query }));
        assert_eq!((status, &answer["data"]), (200, &Json::Null), "{arguments}");
        assert_eq!(answer["errors"][0]["message"], message);
        assert_eq!(answer["errors"][0]["extensions"]["code"], code, "{arguments}");
    }
}

#[test]
fn one_missing_dossier_nulls_every_alias() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    let query = format!("{{ a: dossier(number: {}) {{ id }} b: dossier(number: 999) {{ id }} }}", numbers[0]);
    let answer = sandbox.graphql(&query, &json!({}));
    assert_eq!(answer["data"], Json::Null);
    assert_eq!(answer["errors"][0]["message"], "Dossier not found");
    assert_eq!(answer["errors"][0]["extensions"]["code"], "not_found");
    assert_eq!(sandbox.violations().len(), 2);
}

#[test]
fn a_link_to_a_dossier_out_of_scope_is_an_error_beside_good_data() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    let other = *sandbox.snapshot(crate::DEMARCHE_CLONE).dossiers.keys().next().expect("a dossier");
    let link = {
        let world = sandbox.world();
        let form = world.form_of(world.dossier(numbers[0]).expect("exists")).expect("has a form");
        form.champ_of(crate::Kind::DossierLink).expect("asked").stable_id
    };
    sandbox.world().edit(numbers[0], link, other.to_string()).expect("the question exists");
    sandbox.world().remove_from_scope(crate::DEMARCHE_CLONE);
    let query =
        "query($n: Int!) { dossier(number: $n) { champs { stringValue ... on DossierLinkChamp { dossier { id } } } } }";
    let answer = sandbox.graphql(query, &json!({"n": numbers[0]}));
    assert!(answer["data"]["dossier"]["champs"].is_array());
    assert!(answer["data"].to_string().contains(&other.to_string()), "the number is in stringValue");
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], "unauthorized");
    assert_eq!(error["path"].as_array().and_then(|path| path.last()), Some(&json!("dossier")));
}
