//! Values that the schema's own types let through and that the platform refuses before it executes anything.

use apollo_compiler::Schema;
use apollo_compiler::resolvers::ResolveInfo;
use apollo_compiler::response::JsonValue;
use apollo_compiler::schema::{ExtendedType, Type};

use crate::time;

/// Looks for what no schema check sees: several keys, or a null, where exactly one is allowed; dates that are none.
pub(super) fn check(info: &ResolveInfo<'_>) -> Result<(), String> {
    for argument in &info.field_definition().arguments {
        if let Some(value) = info.arguments().get(argument.name.as_str())
            && let Err((path, why)) = walk(info.schema(), &argument.ty, value)
        {
            let path = path.into_iter().rev().collect::<Vec<_>>().join(".");
            let (name, ty) = (&argument.name, &argument.ty);
            return Err(format!("Variable ${name} of type {ty} was provided invalid value for {path} ({why})"));
        }
    }
    Ok(())
}

/// Where it went wrong, innermost first, and why.
type Wrong = (Vec<String>, String);

fn walk(schema: &Schema, ty: &Type, value: &JsonValue) -> Result<(), Wrong> {
    if let (Type::List(item) | Type::NonNullList(item), JsonValue::Array(items)) = (ty, value) {
        for (rank, inner) in items.iter().enumerate() {
            walk(schema, item, inner).map_err(|wrong| within(wrong, &rank.to_string()))?;
        }
        return Ok(());
    }
    let name = ty.inner_named_type();
    match (schema.types.get(name), value) {
        (Some(ExtendedType::InputObject(object)), JsonValue::Object(fields)) => {
            let alone = fields.len() == 1 && fields.values().all(|value| !value.is_null());
            if object.directives.has("oneOf") && !alone {
                return Err((Vec::new(), format!("`{name}` takes exactly one argument")));
            }
            for (key, field) in &object.fields {
                if let Some(inner) = fields.get(key.as_str()) {
                    walk(schema, &field.ty, inner).map_err(|wrong| within(wrong, key))?;
                }
            }
            Ok(())
        }
        (_, JsonValue::String(text)) => {
            let text = text.as_str();
            let fits = match name.as_str() {
                "ISO8601Date" => text.parse::<jiff::civil::Date>().is_ok(),
                "ISO8601DateTime" => time::parse_instant(text).is_some(),
                _ => true,
            };
            if fits { Ok(()) } else { Err((Vec::new(), format!("Could not coerce value {text:?} to {name}"))) }
        }
        (_, value) => {
            let is_date = matches!(name.as_str(), "ISO8601Date" | "ISO8601DateTime");
            if is_date && !value.is_null() {
                return Err((Vec::new(), format!("Could not coerce value {value} to {name}")));
            }
            Ok(())
        }
    }
}

fn within((mut path, why): Wrong, step: &str) -> Wrong {
    path.push(step.to_owned());
    (path, why)
}
