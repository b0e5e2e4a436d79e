//! Every refusal of docs/grist-api.md#refusals, and the error that it becomes.

use serde_json::{Value, json};

use super::*;
use Fate::{Final, NotDone, Unknown};

fn asked() -> Asked {
    Asked { tables: vec!["Dossiers".into()], sql: false, bytes: 1234 }
}

fn sql() -> Asked {
    Asked { sql: true, ..asked() }
}

fn told(text: &str) -> Value {
    json!({ "error": text })
}

/// Case, request, status, body, error as it is shown, kind, fate.
type Row = (&'static str, Asked, u16, Value, &'static str, &'static str, Fate);

fn check(rows: Vec<Row>) {
    for (case, asked, status, body, shown, kind, fate) in rows {
        let failure = failure(&asked, status, body.to_string().as_bytes());
        assert_eq!(failure.error.to_string(), shown, "{case}");
        assert_eq!((failure.error.kind(), failure.fate), (kind, fate), "{case}");
    }
}

#[test]
#[rustfmt::skip]
fn who_asks_and_what_for() {
    let denied = json!({ "error": "Blocked by row update access rules", "details": { "memos": [] } });
    check(vec![
        ("a bad key", asked(), 401, told("Bad request: invalid API key"), "Grist does not accept the key: Bad request: invalid API key", "wrong_key", Final),
        ("no bearer", asked(), 401, told("Bad request: unsupported Authorization scheme, expected 'Bearer'"), "Grist does not accept the key: Bad request: unsupported Authorization scheme, expected '…'", "wrong_key", Final),
        ("an expired service account", asked(), 401, told("Service Account has expired"), "Grist does not accept the key: Service Account has expired", "wrong_key", Final),
        ("a disabled account", asked(), 403, told("Owner account is disabled"), "Grist refuses access: Owner account is disabled", "forbidden", Final),
        ("no access", asked(), 403, told("No view access"), "Grist refuses access: No view access", "forbidden", Final),
        ("no access, asked of home", asked(), 403, told("access denied"), "Grist refuses access: access denied", "forbidden", Final),
        ("no access, with SQL", sql(), 403, told("No view access"), "Grist refuses access: No view access", "forbidden", Final),
        ("a viewer who writes", asked(), 403, told("No write access"), "Grist refuses access: No write access", "forbidden", Final),
        ("an editor who acts as owner", asked(), 403, told("No owner access"), "Grist refuses access: No owner access", "forbidden", Final),
        ("an unknown document", asked(), 404, told("document not found"), "Grist does not know the document: document not found", "no_document", Final),
        ("an unknown document, by its page", asked(), 404, told("Document not found"), "Grist does not know the document: Document not found", "no_document", Final),
        ("a document in the trash", asked(), 404, told("Document is deleted"), "Grist does not know the document: Document is deleted", "no_document", Final),
        ("a read rule", asked(), 403, told("Blocked by table read access rules"), "an access rule of the document forbids it: Blocked by table read access rules", "blocked", Final),
        ("a row rule", asked(), 403, denied, "an access rule of the document forbids it: Blocked by row update access rules", "blocked", Final),
        ("a rule on structure", asked(), 403, told("Blocked by table structure access rules"), "an access rule of the document forbids it: Blocked by table structure access rules", "blocked", Final),
        ("an unknown action", asked(), 500, told("Blocked by access rules: 'Foo' actions are not controlled"), "an access rule of the document forbids it: Blocked by access rules: '…' actions are not controlled", "blocked", Final),
        ("SQL and access rules", sql(), 403, told("insufficient document access"), "SQL is not available to this key: insufficient document access", "no_sql", Final),
        ("SQL before there was any", sql(), 404, told("not found: /api/docs/x/sql"), "SQL is not available to this key: this Grist has none", "no_sql", Final),
        ("an unknown folder", asked(), 404, told("workspace not found"), "Grist refused it (HTTP 404): workspace not found", "refused", Final),
        ("an unknown address", asked(), 404, told("not found: /api/nope"), "Grist refused it (HTTP 404): not found: /api/nope", "refused", Final),
        ("an unknown file", asked(), 404, told("Attachment not found: 99"), "Grist refused it (HTTP 404): Attachment not found: 99", "refused", Final),
        ("recovery by an editor", asked(), 500, told("Only owners can start recovery mode"), "Grist refused it (HTTP 500): Only owners can start recovery mode", "refused", Final),
    ]);
}

#[test]
#[rustfmt::skip]
fn what_is_not_there() {
    check(vec![
        ("a table, by REST", asked(), 404, told("Table not found \"Absente\""), "the document has no table `Absente`", "no_table", Final),
        ("a table, in a bundle", asked(), 500, told("[Sandbox] KeyError 'Dossiers'"), "the document has no table `Dossiers`", "no_table", Final),
        ("a table to be changed", asked(), 500, told("[Sandbox] ValueError No such table: Absente"), "the document has no table `Absente`", "no_table", Final),
        ("a table, by SQL", sql(), 400, told("SQLITE_ERROR: no such table: Dn_etat"), "the document has no table `Dn_etat`", "no_table", Final),
        ("a column, by REST", asked(), 400, told("Invalid column \"absente\""), "there is no column `absente`", "no_column", Final),
        ("a column, in a filter", asked(), 400, told("Error manipulating data: [Sandbox] KeyError 'absente'"), "there is no column `absente`", "no_column", Final),
        ("a column, in a bundle", asked(), 500, told("[Sandbox] KeyError 'absente'"), "there is no column `absente`", "no_column", Final),
        ("a column, in a look-up", asked(), 500, told("[Sandbox] KeyError 'Table Dossiers has no column absente'"), "there is no column `absente`", "no_column", Final),
        ("a column to be changed", asked(), 500, told("[Sandbox] ValueError No such column: Dossiers.absente"), "there is no column `absente`", "no_column", Final),
        ("a column to be deleted", asked(), 404, told("Table or column not found \"Dossiers.absente\""), "there is no column `absente`", "no_column", Final),
        ("a column, by SQL", sql(), 400, told("SQLITE_ERROR: no such column: absente"), "there is no column `absente`", "no_column", Final),
        ("a column to sort by", asked(), 500, told("unknown key absente"), "Grist refused it (HTTP 500): unknown key absente", "refused", Final),
        ("a row, by REST", asked(), 400, told("Invalid row id 999"), "there is no row 999", "no_row", Final),
        ("a row, in a bundle", asked(), 500, told("[Sandbox] AssertionError docactions.[Bulk]UpdateRecord for non-existent record #77"), "there is no row 77", "no_row", Final),
        ("a column of references", asked(), 500, told("[Sandbox] KeyError \"'get_record' found no matching record\""), "Grist refused it (HTTP 500): [Sandbox] KeyError found no matching record", "refused", Final),
        ("a formula column, by REST", asked(), 400, told("Error manipulating data: [Sandbox] ValueError Can't save value to formula column total"), "the column `total` holds a formula", "formula_column", Final),
        ("a formula column, in a bundle", asked(), 500, told("[Sandbox] ValueError Can't save value to formula column total"), "the column `total` holds a formula", "formula_column", Final),
    ]);
}

#[test]
#[rustfmt::skip]
fn what_is_wrong_with_a_request() {
    let payload = json!({ "error": "Invalid payload", "details": { "userError": "Error: value.records[0].fields is missing" } });
    check(vec![
        ("a wrong shape", asked(), 400, payload, "Grist refused it (HTTP 400): Invalid payload: Error: value.records[0].fields is missing", "refused", Final),
        ("bad JSON", asked(), 400, told("Unexpected token 'Z', \"Zoé Exemple\" is not valid JSON"), "Grist refused it (HTTP 400): Unexpected token '…', \"…\" is not valid JSON", "refused", Final),
        ("repeated keys, by REST", asked(), 400, told("Error manipulating data: [Sandbox] ValueError require values must be unique"), "two rows of one upsert have the same key", "keys_repeat", Final),
        ("repeated keys, in a bundle", asked(), 500, told("[Sandbox] ValueError require values must be unique"), "two rows of one upsert have the same key", "keys_repeat", Final),
        ("no key", asked(), 400, told("require is empty but allow_empty_require isn't set"), "Grist refused it (HTTP 400): require is empty but allow_empty_require isn't set", "refused", Final),
        ("no key, in a bundle", asked(), 500, told("[Sandbox] ValueError require is empty but allow_empty_require isn't set"), "Grist refused it (HTTP 500): [Sandbox] ValueError require is empty but allow_empty_require isn't set", "refused", Final),
        ("lists of two lengths", asked(), 500, told("[Sandbox] ValueError Value lists must all have the same length, got {\"col_values n\": 2}"), "Grist refused it (HTTP 500): [Sandbox] ValueError Value lists must all have the same length", "refused", Final),
        ("differing fields", asked(), 400, told("PATCH requires all records to have same fields"), "Grist refused it (HTTP 400): PATCH requires all records to have same fields", "refused", Final),
        ("no list of actions", asked(), 500, told("`actions` parameter should be an array."), "Grist refused it (HTTP 500): `…` parameter should be an array.", "refused", Final),
        ("an upsert beside a change of structure", asked(), 500, told("Can only combine AddOrUpdateRecord and BulkAddOrUpdateRecord with simple data changes"), "Grist refused it (HTTP 500): Can only combine AddOrUpdateRecord and BulkAddOrUpdateRecord with simple data changes", "refused", Final),
        ("a number of ours as a row id", asked(), 500, told("[Sandbox] ValueError Row ID too high"), "Grist refused it (HTTP 500): [Sandbox] ValueError Row ID too high", "refused", Final),
        ("a value that the engine quotes", asked(), 500, told("[Sandbox] TypeError Zoé is not a number"), "Grist refused it (HTTP 500): [Sandbox] TypeError", "refused", Final),
        ("a body too large", asked(), 413, told("request entity too large"), "the request is too large (1234 bytes)", "too_large", Final),
        ("SQL that is no question", sql(), 400, told("only select statements are supported"), "Grist refused the SQL: only select statements are supported", "sql", Final),
        ("SQL that is wrong", sql(), 400, told("SQLITE_ERROR: near \"frm\": syntax error"), "Grist refused the SQL: SQLITE_ERROR: near \"…\": syntax error", "sql", Final),
        ("SQL beyond a second", sql(), 400, told("a slow statement resulted in a database interrupt"), "SQL took longer than Grist allows", "slow_sql", NotDone),
    ]);
}

#[test]
#[rustfmt::skip]
fn what_passes_and_what_lasts() {
    check(vec![
        ("eleven at a time", asked(), 429, told("Too many backlogged requests for document x - try again later?"), "the document has too many requests: Too many backlogged requests for document x - try again later?", "busy", NotDone),
        ("the day's quota", asked(), 429, told("Exceeded daily limit for document x"), "the daily limit of requests to the document is reached", "quota", Final),
        ("a dead data engine", asked(), 400, told("Error manipulating data: [Sandbox] PipeToSandbox is closed: Zoé"), "the data engine of the document stopped (HTTP 400)", "engine_down", NotDone),
        ("a data engine that dies", asked(), 500, told("[Sandbox] [Sandbox] PipeFromSandbox is closed: [INFO] [__main__] Ready\n"), "the data engine of the document stopped (HTTP 500)", "engine_down", NotDone),
        ("a document in flux", asked(), 503, told("Document in flux - try again later"), "Grist is not available (HTTP 503): Document in flux - try again later", "unavailable", NotDone),
        ("a worker behind a gate that is away", asked(), 502, told("connect ECONNREFUSED"), "Grist is not available (HTTP 502): connect ECONNREFUSED", "unavailable", Unknown),
        ("a store that is busy", asked(), 500, told("SQLITE_BUSY: database is locked"), "Grist is not available (HTTP 500): SQLITE_BUSY: database is locked", "unavailable", NotDone),
        ("a store that failed", asked(), 500, told("SQLITE_ERROR: too many columns on Dossiers"), "the store of the document failed: SQLITE_ERROR: too many columns on Dossiers", "storage", Final),
        ("a store without its table is no missing table", asked(), 500, told("SQLITE_ERROR: no such table: Dossiers"), "the store of the document failed: SQLITE_ERROR: no such table: Dossiers", "storage", Final),
        ("delete-only mode", asked(), 500, told("Document is in delete-only mode"), "the document is in delete-only mode", "delete_only", Final),
        ("no room for files", asked(), 413, told("Exceeded attachments limit for document"), "the document takes no more attachments: Exceeded attachments limit for document", "attachments_full", Final),
        ("a store of files that is not there", asked(), 500, told("Store 'snapshots' is not a valid and available store"), "Grist refused it (HTTP 500): Store '…' is not a valid and available store", "refused", Final),
    ]);
}

#[test]
fn answers_without_words_of_grist() {
    let rows = [
        (401, "wrong_key", Final),
        (403, "forbidden", Final),
        (404, "refused", Final),
        (408, "unavailable", Unknown),
        (413, "too_large", Final),
        (414, "too_large", Final),
        (425, "busy", NotDone),
        (429, "busy", NotDone),
        (431, "too_large", Final),
        (500, "unavailable", Unknown),
        (502, "unavailable", Unknown),
        (503, "unavailable", Unknown),
        (504, "unavailable", Unknown),
        (520, "unavailable", Unknown),
    ];
    for (status, kind, fate) in rows {
        for body in ["", "<html>Zoé Exemple</html>", "\"Zoé Exemple\""] {
            let failure = failure(&asked(), status, body.as_bytes());
            assert_eq!((failure.error.kind(), failure.fate), (kind, fate), "{status} {body}");
            assert!(!format!("{} {:?}", failure.error, failure.error).contains("Zoé"), "{status} {body}");
        }
    }
}

#[test]
fn every_error_of_the_service_has_a_hint() {
    let bodies = [
        (401, "Bad request: invalid API key"),
        (403, "No view access"),
        (403, "Blocked by table read access rules"),
        (404, "document not found"),
        (404, "Table not found \"T\""),
        (400, "Invalid column \"c\""),
        (400, "Invalid row id 9"),
        (400, "[Sandbox] ValueError Can't save value to formula column X"),
        (413, "request entity too large"),
        (429, "Too many backlogged requests for document x - try again later?"),
        (429, "Exceeded daily limit for document x"),
        (503, "Document in flux - try again later"),
        (500, "[Sandbox] PipeToSandbox is closed: [INFO] [__main__] Ready"),
        (500, "Document is in delete-only mode"),
        (500, "SQLITE_FULL: database or disk is full"),
        (500, "Exceeded attachments limit for document"),
        (500, "anything else"),
    ];
    for (status, text) in bodies {
        let error = failure(&asked(), status, told(text).to_string().as_bytes()).error;
        assert!(error.hint().is_some(), "{text}: {error}");
    }
}
