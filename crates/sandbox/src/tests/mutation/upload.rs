use jiff::SignedDuration;
use md5::{Digest as _, Md5};

use super::*;
use crate::world::{Effect, Token};

fn checksum(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

/// Announces a file: the address, the headers as text, the signed id.
fn announce(sandbox: &Sandbox, number: u32, name: &str, kind: &str, bytes: &[u8]) -> [String; 3] {
    let input = json!({"dossierId": id("Dossier", number), "filename": name, "contentType": kind,
        "byteSize": bytes.len(), "checksum": checksum(bytes)});
    let payload = payload(sandbox, "createDirectUpload", &input, "directUpload { url headers signedBlobId blobId }");
    ["url", "headers", "signedBlobId"].map(|key| payload["directUpload"][key].as_str().expect("a text").to_owned())
}

#[test]
fn a_file_that_was_sent_is_joined_and_can_be_fetched() {
    for platform in Platform::ALL {
        let sandbox = empty(platform);
        let number = dossier(&sandbox, State::EnInstruction);
        let bytes = "une décision".repeat(40).into_bytes();
        let [url, headers, signed] = announce(&sandbox, number, "décision.pdf", "application/pdf", &bytes);
        assert_eq!(sandbox.answer(&Incoming::upload(&url, &headers, &bytes)).status, 201);
        let input = by_one(number, &json!({"motivation": "Vu", "justificatif": signed}));
        let shown = "dossier { motivationAttachment { url filename checksum byteSizeBigInt } } errors { message }";
        let payload = accepted(&sandbox, "dossierAccepter", &input, shown);
        let file = &payload["dossier"]["motivationAttachment"];
        assert_eq!((&file["filename"], &file["checksum"]), (&json!("décision.pdf"), &json!(checksum(&bytes))));
        let fetched = sandbox.answer(&Incoming::download(file["url"].as_str().expect("an address")));
        assert_eq!((fetched.status, fetched.body), (200, bytes.clone()));
        let audit = sandbox.audit();
        assert!(matches!(audit[0].effect, Effect::Upload { .. }));
        let Effect::State { justificatif, .. } = &audit[1].effect else { panic!("{audit:?}") };
        assert_eq!(*justificatif, Some(checksum(&bytes)));
    }
}

#[test]
fn each_way_of_failing_has_its_words() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnInstruction);
    let send = |signed: &str| {
        refused(&sandbox, "dossierEnvoyerMessage", &by_one(number, &json!({"body": "Voici.", "attachment": signed})))
    };
    let [url, headers, signed] = announce(&sandbox, number, "a.txt", "text/plain", b"abc");
    assert_eq!(send(&signed), "Le fichier n’a pas été correctement téléversé sur le serveur de stockage");
    let other = |bytes: &[u8]| sandbox.answer(&Incoming::upload(&url, &headers, bytes)).status;
    for wrong in [&b"abd"[..], b"abcd", b""] {
        assert_eq!(other(wrong), 201);
        assert_eq!(send(&signed), "Le hash du fichier téléversé est invalide");
    }
    assert_eq!(other(b"abc"), 201);
    for invalid in ["x", &signed.replace('.', "x."), url.rsplit('/').next().expect("a last part")] {
        assert_eq!(send(invalid), "L’identifiant du fichier téléversé est invalide");
    }
    sandbox.advance(SignedDuration::from_mins(61));
    assert_eq!(send(&signed), "L’identifiant du fichier téléversé est invalide", "an hour is over");
    assert_eq!(other(b"abc"), 403);
}

#[test]
fn the_storage_wants_exactly_the_headers_that_were_given_and_no_token() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnInstruction);
    let [url, headers, _] = announce(&sandbox, number, "a.txt", "text/plain", b"abc");
    let good = Incoming::upload(&url, &headers, b"abc");
    let etag: String = Md5::digest(b"abc").iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(good.etag, Some(etag), "hexadecimal here, base64 in the announcement");
    for bad in [
        Incoming { etag: None, ..good.clone() },
        Incoming { content_type: Some("application/pdf".to_owned()), ..good.clone() },
        Incoming { path: good.path.replace('.', "x."), ..good.clone() },
    ] {
        assert_eq!(sandbox.answer(&bad).status, 403);
    }
    assert_eq!(sandbox.violations(), [] as [&str; 0]);
    let leak = Incoming { authorization: Some(format!("Bearer {}", sandbox.token())), ..good.clone() };
    assert_eq!(sandbox.answer(&leak).status, 400);
    assert_eq!(sandbox.violations(), ["upload: the token was sent to the storage"]);
    assert_eq!(sandbox.answer(&good).status, 201);
    assert_eq!(sandbox.requests().last().expect("logged").operation.as_deref(), Some("upload"));
}

#[test]
fn what_is_not_attached_within_a_day_is_forgotten() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnInstruction);
    let [url, headers, signed] = announce(&sandbox, number, "a.txt", "text/plain", b"abc");
    announce(&sandbox, number, "b.txt", "text/plain", b"abc");
    assert_eq!(sandbox.answer(&Incoming::upload(&url, &headers, b"abc")).status, 201);
    let input = by_one(number, &json!({"body": "Voici.", "attachment": signed}));
    let shown = "message { attachments { filename } } errors { message }";
    let sent = accepted(&sandbox, "dossierEnvoyerMessage", &input, shown);
    assert_eq!(sent["message"]["attachments"], json!([{"filename": "a.txt"}]));
    assert_eq!(sandbox.world().unattached_blobs(), 1);
    sandbox.advance(SignedDuration::from_hours(24));
    assert_eq!(sandbox.world().unattached_blobs(), 0);
    let query = "query($n: Int!) { dossier(number: $n) { messages { attachments { url } } } }";
    let read = data(&sandbox, query, &json!({ "n": number }));
    let messages = read["dossier"]["messages"].as_array().expect("messages").clone();
    let url = messages.iter().find_map(|message| message["attachments"][0]["url"].as_str()).expect("the file");
    assert_eq!(sandbox.answer(&Incoming::download(url)).body, b"abc");
}

#[test]
fn a_message_takes_small_files_of_known_types_only() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnInstruction);
    let large = vec![0; 20 * 1024 * 1024];
    for (name, kind, bytes) in
        [("a.exe", "application/x-msdownload", &b"abc"[..]), ("b.pdf", "application/pdf", &large)]
    {
        let [url, headers, signed] = announce(&sandbox, number, name, kind, bytes);
        assert_eq!(sandbox.answer(&Incoming::upload(&url, &headers, bytes)).status, 201);
        let input = by_one(number, &json!({"body": "Voici.", "attachment": signed}));
        let said = refused(&sandbox, "dossierEnvoyerMessage", &input);
        assert!(said.starts_with("Le champ « "), "{said}");
    }
}

#[test]
fn a_token_that_only_reads_gets_a_null_where_the_schema_forbids_it() {
    let sandbox = empty(Platform::DemarcheNumerique);
    let number = dossier(&sandbox, State::EnInstruction);
    let reader = sandbox.world().add_token(Token { write_access: false, ..Token::new("reader") });
    let input = json!({"dossierId": id("Dossier", number), "filename": "a", "contentType": "text/plain",
        "byteSize": 1, "checksum": "x"});
    let body = body("createDirectUpload", &input, "directUpload { url }");
    let (status, answer) = raw(&sandbox, Some(&reader), &body);
    assert_eq!((status, &answer["data"]), (200, &json!({"createDirectUpload": null})));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "invalid_null");
    assert_eq!(sandbox.world().unattached_blobs(), 0);
}
