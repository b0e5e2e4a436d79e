//! Reads the root fields of a document, in order.

use std::cell::RefCell;

use apollo_compiler::resolvers::{ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::{JsonMap, JsonValue};

use super::super::node::{Ctx, Resolved};
use super::input::check;

/// One root field of a mutation, its arguments coerced and completed with their defaults.
#[derive(Debug)]
pub(in crate::graph) struct Call {
    /// Its key in the answer.
    pub key: String,
    /// Its name.
    pub field: String,
    /// The `input` argument.
    pub input: JsonMap,
}

/// A root that executes nothing: it notes the fields that would be executed, those that are skipped left out.
pub(in crate::graph) struct Listing<'c> {
    pub ctx: &'c Ctx<'c>,
    pub calls: &'c RefCell<Vec<Call>>,
}

impl ObjectValue for Listing<'_> {
    fn type_name(&self) -> &'static str {
        "Mutation"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        if let Err(message) = check(info) {
            return Err(self.ctx.invalid(message));
        }
        let input = info.arguments().get("input").and_then(JsonValue::as_object).cloned().unwrap_or_default();
        let key = info.field_selections()[0].response_key().to_string();
        self.calls.borrow_mut().push(Call { key, field: info.field_name().to_owned(), input });
        Ok(ResolvedValue::null())
    }
}
