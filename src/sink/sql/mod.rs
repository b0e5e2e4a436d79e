//! What the SQL targets have in common: the same tables, the same reading, the same commit.
//!
//! - `dialect`: the words in which databases differ; `store`: a connection on which statements run;
//! - `value`: what is bound to a statement, before a database gives it its own form;
//! - `remember`: what a target knows of the tables that it made; `ddl`, `views`: how it makes them;
//! - `commit`, `rows`, `forget`: a batch, inside a transaction; `outbox`: intents;
//! - `survey`: whether the rows are what they should be; `read`: everything else.
//!
//! A target adds what is its own: how it is opened and locked, how a transaction begins, how values are encoded. Every
//! statement here is one that both databases read alike, with parameters written `$1`, `$2`...

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
