//! Shared by resolvers: the current request, objects made in advance, errors with a code.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::{JsonMap, JsonValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::document::Prepared;
use super::engine::Scope;
use crate::Platform;
use crate::time::{self, Language};
use crate::world::World;

/// A failure of the whole request.
pub(super) enum Failure {
    /// HTTP 500.
    Crash,
    /// Refused before execution: errors without a `data` key.
    Invalid(String),
}

/// One request under way.
pub(super) struct Ctx<'w> {
    pub world: &'w World,
    pub prepared: Arc<Prepared>,
    pub variables: JsonMap,
    pub scope: Scope,
    pub language: Language,
    pub base_url: String,
    /// `true` if the operation reads champs, and may therefore exceed the time allowed.
    pub heavy: bool,
    pub failure: RefCell<Option<Failure>>,
    pub timeout_reported: Cell<bool>,
    pub violations: RefCell<Vec<String>>,
    pub nonce: Cell<u64>,
}

/// The result of a resolver.
pub(super) type Resolved<'a> = Result<ResolvedValue<'a>, FieldError>;

/// Separates code and message within the text of an error, until [`super::engine`] takes them apart.
pub(super) const MARK: char = '\u{1}';

impl Ctx<'_> {
    pub fn platform(&self) -> Platform {
        self.world.platform
    }

    pub fn is_demarche_numerique(&self) -> bool {
        self.platform() == Platform::DemarcheNumerique
    }

    pub fn has_fragment(&self, name: &str) -> bool {
        self.prepared.fragments.contains(name)
    }

    /// A number that no other address of this world carries.
    pub fn next_nonce(&self) -> u64 {
        self.nonce.set(self.nonce.get() + 1);
        self.nonce.get()
    }

    pub fn crash(&self) -> FieldError {
        *self.failure.borrow_mut() = Some(Failure::Crash);
        error("internal_server_error", "Internal Server Error")
    }

    pub fn invalid(&self, message: impl Into<String>) -> FieldError {
        let message = message.into();
        self.failure.borrow_mut().get_or_insert(Failure::Invalid(message.clone()));
        error("", &message)
    }

    /// The first field after the deadline says so with a code, the others without.
    pub fn timeout(&self, typename: &str, field: &str) -> FieldError {
        let code = if self.timeout_reported.replace(true) { "" } else { "timeout" };
        error(code, &format!("Timeout on {typename}.{field}"))
    }

    pub fn hidden(typename: &str) -> FieldError {
        error("unauthorized", &format!("An object of type {typename} was hidden due to permissions"))
    }

    pub fn not_found(typename: &str) -> FieldError {
        error("not_found", &format!("{typename} not found"))
    }

    pub fn violation(&self, text: &str) {
        self.violations.borrow_mut().push(text.to_owned());
    }

    pub fn iso(at: Timestamp) -> JsonValue {
        time::iso(at).into()
    }

    pub fn iso_opt(at: Option<Timestamp>) -> JsonValue {
        at.map_or(JsonValue::Null, Self::iso)
    }
}

/// An error with a code of the platform; an empty code is none.
pub(super) fn error(code: &str, message: &str) -> FieldError {
    FieldError { message: format!("{MARK}{code}{MARK}{message}") }
}

/// Null where the schema forbids it.
pub(super) fn invalid_null(typename: &str, field: &str) -> FieldError {
    error("invalid_null", &format!("Cannot return null for non-nullable field {typename}.{field}"))
}

/// An opaque id: base64 of `<Type>-<n>`.
pub(super) fn global_id(typename: &str, id: impl std::fmt::Display) -> String {
    STANDARD.encode(format!("{typename}-{id}"))
}

/// The text behind an opaque id of that type.
pub(super) fn local_id(typename: &str, id: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(id).ok()?).ok()?;
    text.strip_prefix(typename)?.strip_prefix('-').map(str::to_owned)
}

/// A value made in advance.
pub(super) enum Val {
    Leaf(JsonValue),
    Object(Obj),
    List(Vec<Val>),
    Fail(String),
}

impl Val {
    pub const NULL: Self = Self::Leaf(JsonValue::Null);

    pub fn list(objects: impl IntoIterator<Item = Obj>) -> Self {
        Self::List(objects.into_iter().map(Self::Object).collect())
    }

    /// The value, owned.
    pub fn into_resolved<'a>(self) -> ResolvedValue<'a> {
        match self {
            Self::Leaf(leaf) => ResolvedValue::Leaf(leaf),
            Self::Object(object) => ResolvedValue::object(object),
            Self::List(items) => ResolvedValue::List(Box::new(items.into_iter().map(|item| Ok(item.into_resolved())))),
            Self::Fail(_) => ResolvedValue::null(),
        }
    }

    fn resolved(&self) -> Resolved<'_> {
        Ok(match self {
            Self::Leaf(leaf) => ResolvedValue::Leaf(leaf.clone()),
            Self::Object(object) => ResolvedValue::object(Borrowed(object)),
            Self::List(items) => ResolvedValue::List(Box::new(items.iter().map(Val::resolved))),
            Self::Fail(message) => return Err(error("", message)),
        })
    }
}

macro_rules! leaves {
    ($($leaf:ty),*) => {
        $(impl From<$leaf> for Val {
            fn from(leaf: $leaf) -> Self {
                Self::Leaf(leaf.into())
            }
        })*
    };
}

leaves!(&str, String, bool, i32, u32, f64, JsonValue);

impl From<Obj> for Val {
    fn from(object: Obj) -> Self {
        Self::Object(object)
    }
}

impl From<Option<Obj>> for Val {
    fn from(object: Option<Obj>) -> Self {
        object.map_or(Self::NULL, Self::Object)
    }
}

/// A text or null.
pub(super) fn text(value: Option<&str>) -> Val {
    value.map_or(Val::NULL, Val::from)
}

/// An object made in advance: a type and its fields.
pub(super) struct Obj {
    typename: String,
    fields: Vec<(&'static str, Val)>,
}

impl Obj {
    pub fn new(typename: impl Into<String>) -> Self {
        Self { typename: typename.into(), fields: Vec::new() }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<Val>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

impl ObjectValue for Obj {
    fn type_name(&self) -> &str {
        &self.typename
    }

    /// A field that was not made reads as null, and null where the schema forbids it is an error.
    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let name = info.field_name();
        let found = self.fields.iter().find(|(field, _)| *field == name).map_or(&Val::NULL, |(_, value)| value);
        if matches!(found, Val::Leaf(JsonValue::Null)) && info.field_definition().ty.is_non_null() {
            return Err(invalid_null(&self.typename, name));
        }
        found.resolved()
    }
}

struct Borrowed<'a>(&'a Obj);

impl ObjectValue for Borrowed<'_> {
    fn type_name(&self) -> &str {
        &self.0.typename
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        self.0.resolve_field(info)
    }
}
