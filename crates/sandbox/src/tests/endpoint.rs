use jiff::SignedDuration;

use super::*;
use crate::world::Token;
use crate::{Fault, FaultPlan, Reset};

const QUERY: &str = "query Q { demarche(number: 1001) { id } }";

#[test]
fn without_a_usable_token_the_two_platforms_differ() {
    let (dn, _) = small(Platform::DemarcheNumerique);
    let (ds, _) = small(Platform::DematSocial);
    let body = json!({"query": QUERY});
    let (status, answer) = raw(&dn, None, &body);
    assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (403, &json!("forbidden")));
    assert_eq!(raw(&dn, Some("nonsense"), &body).0, 403);
    let (status, answer) = raw(&ds, None, &body);
    assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (200, &json!("unauthorized")));
    assert_eq!(answer["errors"][0]["message"], "An object of type Demarche was hidden due to permissions");
}

#[test]
fn a_token_expires_after_its_last_day_and_is_bound_to_a_network() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let body = json!({"query": QUERY});
    let today = sandbox.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    sandbox.world().token_mut().expires_on = Some(today);
    assert_eq!(raw(&sandbox, Some(&sandbox.token()), &body).0, 200);
    sandbox.advance(SignedDuration::from_hours(24));
    let (status, answer) = raw(&sandbox, Some(&sandbox.token()), &body);
    assert_eq!((status, &answer["errors"][0]["message"]), (401, &json!("Token expired")));
    let token = Token { forbidden_network: true, ..Token::new("elsewhere") };
    let token = sandbox.world().add_token(token);
    assert_eq!(raw(&sandbox, Some(&token), &body).0, 403);
}

#[test]
fn a_demarche_that_left_the_scope_is_hidden_with_http_200() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    sandbox.world().remove_from_scope(DEMARCHE_COMPLETE);
    for (query, typename) in [
        (QUERY.to_owned(), "Demarche"),
        (format!("{{ dossier(number: {}) {{ id }} }}", numbers[0]), "Dossier"),
        ("{ groupeInstructeur(number: 10011) { id } }".to_owned(), "GroupeInstructeurWithDossiers"),
    ] {
        let (status, answer) = raw(&sandbox, Some(&sandbox.token()), &json!({ "query": query }));
        assert_eq!((status, &answer["data"]), (200, &Json::Null));
        let said = format!("An object of type {typename} was hidden due to permissions");
        assert_eq!(answer["errors"][0]["message"], said);
    }
    sandbox.world().restore_to_scope(DEMARCHE_COMPLETE);
    data(&sandbox, QUERY, &json!({}));
    sandbox.world().discard_demarche(DEMARCHE_COMPLETE);
    let (_, answer) = raw(&sandbox, Some(&sandbox.token()), &json!({"query": QUERY}));
    assert_eq!(answer["errors"][0]["message"], "Demarche not found");
}

#[test]
fn anyone_may_read_the_descriptor_of_an_open_demarche() {
    let (sandbox, _) = small(Platform::DematSocial);
    let query = "{ demarcheDescriptor(demarche: {number: 1001}) { title revision { annotationDescriptors { id } } } }";
    let (_, answer) = raw(&sandbox, None, &json!({ "query": query }));
    assert_eq!(answer.get("errors"), None);
    sandbox.world().demarche_mut(DEMARCHE_COMPLETE).expect("exists").opendata = false;
    let (_, answer) = raw(&sandbox, None, &json!({ "query": query }));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "unauthorized");
    let both = "{ demarcheDescriptor(demarche: {number: 1001, id: \"x\"}) { title } }";
    assert!(sandbox.graphql(both, &json!({})).get("data").is_none());
}

#[test]
fn stored_queries_are_known_by_name_or_break_the_server() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let body = json!({"queryId": "introspection", "operationName": "IntrospectionQuery"});
    let (status, answer) = raw(&sandbox, None, &body);
    assert_eq!(status, 200);
    assert!(answer["data"]["__schema"]["types"].as_array().is_some_and(|types| types.len() > 200), "{answer}");
    let variables = json!({"demarche": {"number": 1001}, "includeRevision": true, "includeService": true});
    let stored =
        |query_id: &str| json!({"queryId": query_id, "operationName": "getDemarcheDescriptor", "variables": variables});
    let (status, answer) = raw(&sandbox, None, &stored("ds-query-v2"));
    assert_eq!((status, answer.get("errors")), (200, None));
    let questions = &answer["data"]["demarcheDescriptor"]["revision"]["champDescriptors"];
    assert!(questions.as_array().is_some_and(|questions| questions.len() > 20), "{answer}");
    assert_eq!(raw(&sandbox, None, &stored("ds-query-v9")).0, 500);
}

#[test]
fn bodies_may_be_json_or_a_form_and_variables_a_string() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let token = sandbox.token();
    let query = "query($n: Int!) { demarche(number: $n) { number } }";
    let text = json!({"query": query, "variables": "{\"n\": 1001}"});
    assert_eq!(raw(&sandbox, Some(&token), &text).1["data"]["demarche"]["number"], 1001);
    let mut form = Incoming::graphql(Some(&token), &Json::Null);
    form.content_type = Some("application/x-www-form-urlencoded".to_owned());
    form.body = b"query=%7B+demarche(number:+1001)+%7B+number+%7D+%7D".to_vec();
    assert_eq!(sandbox.answer(&form).as_json()["data"]["demarche"]["number"], 1001);
    form.content_type = None;
    let answer = sandbox.answer(&form);
    assert_eq!((answer.status, &answer.as_json()["errors"][0]["extensions"]["code"]), (400, &json!("bad_request")));
    let broken = json!({"query": query, "variables": "{"});
    let (status, answer) = raw(&sandbox, Some(&token), &broken);
    assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (400, &json!("graphql_parse_failed")));
}

#[test]
fn the_limit_counts_by_spelling_of_the_header_and_by_fixed_minute() {
    let sandbox = Sandbox::new(&WorldSpec { rate_limit: Some(2), ..WorldSpec::default().dossiers(1) });
    let ask = |header: &str| {
        let mut request = Incoming::graphql(None, &json!({"query": QUERY}));
        request.authorization = Some(format!("{header}{}", sandbox.token()));
        sandbox.answer(&request)
    };
    assert_eq!([ask("Bearer ").status, ask("Bearer ").status], [200, 200]);
    let refused = ask("Bearer ");
    assert_eq!(refused.status, 429);
    let reset: i64 = refused.header("ratelimit-reset").expect("a header").parse().expect("seconds");
    assert_eq!(reset % 60, 0);
    assert!((1..=60).contains(&(reset - sandbox.now().as_second())), "absolute seconds");
    assert!(refused.header("retry-after").is_none() && refused.as_json().is_null());
    assert_eq!(ask("Bearer token=").status, 200, "another spelling is another bucket");
    sandbox.advance(SignedDuration::from_secs(60));
    assert_eq!(ask("Bearer ").status, 200);
}

#[test]
fn faults_strike_as_planned_and_are_logged() {
    let (sandbox, _) = small(Platform::DemarcheNumerique);
    let body = json!({"query": QUERY, "operationName": "Q"});
    sandbox.plan(FaultPlan::new(Fault::BadGateway).operation("Q").after(1).times(1));
    sandbox.fault(Fault::RateLimited(Reset::In(-5)));
    let statuses: Vec<u16> = (0..3).map(|_| raw(&sandbox, Some(&sandbox.token()), &body).0).collect();
    assert_eq!(statuses, [429, 502, 200]);
    sandbox.fault(Fault::LoseAnswer);
    let lost = sandbox.answer(&Incoming::graphql(Some(&sandbox.token()), &body));
    assert_eq!(lost.cut_after, Some(0));
    let log = sandbox.requests();
    let struck: Vec<bool> = log.iter().map(|request| request.fault.is_some()).collect();
    assert_eq!(struck, [true, true, false, true]);
    assert_eq!(log[2].operation.as_deref(), Some("Q"));
    sandbox.world().maintenance = true;
    let (status, answer) = raw(&sandbox, Some(&sandbox.token()), &body);
    assert_eq!(status, 503);
    assert!(answer["error"].is_string() && answer.get("errors").is_none());
    sandbox.redirect(true);
    let moved = sandbox.answer(&Incoming::graphql(Some(&sandbox.token()), &body));
    assert_eq!(moved.status, 301);
    assert!(moved.header("location").is_some_and(|to| to.starts_with("http://")));
}

#[test]
fn the_language_changes_dates_only() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    let date = {
        let world = sandbox.world();
        let form = world.form_of(world.dossier(numbers[0]).expect("exists")).expect("has a form");
        form.champ_of(crate::Kind::Date).expect("asked").stable_id
    };
    sandbox.world().edit(numbers[0], date, "2019-07-10").expect("the question exists");
    let query = format!("{{ dossier(number: {}) {{ champs {{ stringValue }} }} }}", numbers[0]);
    for (language, expected) in
        [(None, "10 juillet 2019"), (Some("en-GB,fr"), "July 10, 2019"), (Some("de"), "10 juillet 2019")]
    {
        let mut request = Incoming::graphql(Some(&sandbox.token()), &json!({ "query": query }));
        request.accept_language = language.map(str::to_owned);
        assert!(sandbox.answer(&request).as_json().to_string().contains(expected), "{language:?}");
    }
}

#[test]
fn a_file_has_another_address_at_each_read_and_each_lives_one_hour() {
    let (sandbox, numbers) = small(Platform::DemarcheNumerique);
    let query = "query($n: Int!) { dossier(number: $n) { champs { ... on PieceJustificativeChamp { files {
        url checksum byteSizeBigInt } } } } }";
    let read = || {
        for number in &numbers {
            let answer = data(&sandbox, query, &json!({ "n": number }));
            let champs = answer["dossier"]["champs"].as_array().expect("champs").clone();
            if let Some(file) = champs.iter().find_map(|champ| champ.get("files")?.get(0)) {
                return file.clone();
            }
        }
        panic!("no dossier of the seed has a file");
    };
    let (one, two) = (read(), read());
    assert_ne!(one["url"], two["url"]);
    assert_eq!(one["checksum"], two["checksum"]);
    let request = Incoming::download(one["url"].as_str().expect("an address"));
    let answer = sandbox.answer(&request);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.len().to_string(), one["byteSizeBigInt"].as_str().expect("a size"));
    let digest = <md5::Md5 as md5::Digest>::digest(&answer.body);
    let digest = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest);
    assert_eq!(one["checksum"], digest);
    let tail = sandbox.answer(&Incoming { range: Some("bytes=10-".to_owned()), ..request.clone() });
    assert_eq!((tail.status, &tail.body[..]), (206, &answer.body[10..]));
    sandbox.advance(SignedDuration::from_mins(61));
    assert_eq!(sandbox.answer(&request).status, 403);
    let forged = request.path.replace('.', "x.");
    assert_eq!(sandbox.answer(&Incoming { path: forged, ..request }).status, 403);
}
