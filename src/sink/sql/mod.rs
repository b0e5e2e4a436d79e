//! Shares tables, queries and commits between SQLite and PostgreSQL.
//!
//! - `dialect`: SQL that differs between databases; `store`: a connection that runs statements;
//! - `value`: bound values, before a database encodes them;
//! - `remember`: the catalogue of the tables; `ddl`, `views`: creating tables and views;
//! - `commit`, `rows`, `forget`: a batch, inside a transaction; `outbox`: intents;
//! - `survey`: comparing rows with documents; `read`: all other queries.
//!
//! Opening, locking, the start of a transaction and the encoding of values belong to the target. Every
//! statement here means the same to both databases, with parameters written `$1`, `$2`...

mod commit;
mod ddl;
mod dialect;
mod fault;
mod forget;
pub(in crate::sink) mod outbox;
mod read;
mod remember;
mod rows;
mod store;
mod survey;
mod value;
mod views;

pub(in crate::sink) use commit::{apply, forget_runs, record_run};
pub(in crate::sink) use ddl::prepare;
pub(in crate::sink) use dialect::{Dialect, quoted};
pub(in crate::sink) use fault::Fault;
pub(in crate::sink) use read::{census, checkpoint, documents, known, quarantine, runs, totals};
pub(in crate::sink) use remember::{form, prefix, register, remembered};
pub(in crate::sink) use store::{Fields, Insert, Store, text_of};
pub(in crate::sink) use survey::{Wanted, compare, instances, keep_address, remove_unknown, survey};
pub(in crate::sink) use value::{Type, Value, visible};
