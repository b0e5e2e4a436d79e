//! The three listings: dossiers, hidden dossiers, tombstones.

use std::ops::Bound;

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use jiff::Timestamp;

use super::dossier::DossierNode;
use super::node::{Ctx, Obj, Resolved, Val, error, global_id, local_id};
use crate::paging::{self, Cursor, Key, Page, Window};
use crate::time;
use crate::world::{Demarche, Dossier, State};

/// Which listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    Dossiers,
    Deleted,
    Pending,
}

/// A page of one of them.
pub(super) struct Connection<'c> {
    ctx: &'c Ctx<'c>,
    demarche: &'c Demarche,
    listing: Listing,
    page: Page,
}

/// Arguments of a connection field.
struct Arguments<'i, 'a> {
    ctx: &'i Ctx<'i>,
    info: &'i ResolveInfo<'a>,
}

impl Arguments<'_, '_> {
    fn get(&self, name: &str) -> Option<&JsonValue> {
        self.info.arguments().get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(JsonValue::as_str)
    }

    fn instant(&self, name: &str) -> Result<Option<Timestamp>, FieldError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let parsed = time::parse_instant(text);
        parsed.map(Some).ok_or_else(|| self.ctx.invalid(format!("Argument '{name}' has an invalid value (\"{text}\")")))
    }

    fn cursor(&self, name: &str) -> Result<Option<Cursor>, FieldError> {
        let Some(text) = self.text(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        match paging::decode(text, &time::in_paris(self.ctx.world.now())) {
            Cursor::Invalid => Err(error("", &format!("Invalid input: \"{text}\""))),
            cursor => Ok(Some(cursor)),
        }
    }

    /// Returns `true` if the client itself wrote this argument, with something else than null.
    fn is_written(&self, name: &str) -> bool {
        let written = self.info.field_selections()[0].arguments.iter().find(|argument| argument.name == name);
        written.is_some_and(|argument| match argument.value.as_variable() {
            Some(variable) => self.ctx.variables.get(variable.as_str()).is_some_and(|value| !value.is_null()),
            None => !argument.value.is_null(),
        })
    }

    fn window(&self) -> Result<Window, FieldError> {
        let window = Window {
            first: self.get("first").and_then(JsonValue::as_i64),
            last: self.get("last").and_then(JsonValue::as_i64),
            after: self.cursor("after")?,
            before: self.cursor("before")?,
            descending: self.text("order") == Some("DESC"),
        };
        if window.first.is_some_and(|first| first > 100) {
            self.ctx.violation("`first` above 100");
        }
        if window.last.is_some() || window.before.is_some() {
            self.ctx.violation("`last` or `before`");
        }
        if self.is_written("order") {
            self.ctx.violation("`order`");
        }
        match window.refusal() {
            Some(refusal) => Err(error("bad_request", refusal)),
            None => Ok(window),
        }
    }
}

impl<'c> Connection<'c> {
    /// Resolves a connection field of a démarche, or of one of its teams.
    pub fn resolve<'a>(
        ctx: &'c Ctx<'c>,
        demarche: &'c Demarche,
        groupe: Option<u32>,
        listing: Listing,
        info: &ResolveInfo<'_>,
    ) -> Resolved<'a>
    where
        'c: 'a,
    {
        let arguments = Arguments { ctx, info };
        let window = arguments.window()?;
        let page = match listing {
            Listing::Dossiers => dossiers(ctx, demarche, groupe, &window, &arguments)?,
            Listing::Deleted => {
                let since = arguments.instant("deletedSince")?;
                let keys: Vec<Key> = demarche
                    .deleted
                    .iter()
                    .filter(|((at, _), row)| {
                        since.is_none_or(|since| *at >= since) && groupe.is_none_or(|g| g == row.groupe)
                    })
                    .map(|(key, _)| *key)
                    .collect();
                cut(&window, &keys)
            }
            Listing::Pending => {
                let since = arguments.instant("deletedSince")?;
                let mut keys: Vec<Key> = demarche
                    .hidden
                    .iter()
                    .filter_map(|number| ctx.world.dossier(*number))
                    .filter(|dossier| {
                        dossier.is_pending_deletion() && groupe.is_none_or(|groupe| groupe == dossier.groupe)
                    })
                    .filter(|dossier| {
                        let dates = [dossier.hidden_by_user_at, dossier.hidden_by_administration_at];
                        since.is_none_or(|since| dates.into_iter().flatten().any(|at| at >= since))
                    })
                    // A row without a date is last, as the database sorts it.
                    .map(|dossier| (pending_key(dossier).unwrap_or(Timestamp::MAX), dossier.number))
                    .collect();
                keys.sort_unstable();
                cut(&window, &keys)
            }
        };
        Ok(ResolvedValue::object(Self { ctx, demarche, listing, page }))
    }

    fn node(&self, rank: usize, key: Key) -> ResolvedValue<'c> {
        let (ctx, demarche) = (self.ctx, self.demarche);
        match self.listing {
            Listing::Dossiers => match ctx.world.dossier(key.1) {
                Some(dossier) => {
                    let late = ctx.heavy && ctx.world.timeout_after.is_some_and(|allowed| rank >= allowed);
                    ResolvedValue::object(DossierNode { ctx, dossier, demarche, late })
                }
                None => ResolvedValue::null(),
            },
            Listing::Deleted => demarche.deleted.get(&key).map_or(ResolvedValue::null(), |row| {
                let object = Obj::new("DeletedDossier")
                    .with("id", global_id("DeletedDossier", row.row))
                    .with("number", row.number)
                    .with("state", row.state.as_str())
                    .with("reason", row.reason.as_str())
                    .with("dateSupression", Ctx::iso(row.deleted_at));
                ResolvedValue::object(object)
            }),
            Listing::Pending => ctx.world.dossier(key.1).map_or(ResolvedValue::null(), |dossier| {
                let object = Obj::new("DeletedDossier")
                    .with("id", global_id("DeletedDossier", dossier.number))
                    .with("number", dossier.number)
                    .with("state", dossier.state.as_str())
                    .with("reason", dossier.hidden_reason.map_or(Val::NULL, |reason| reason.as_str().into()))
                    .with("dateSupression", Ctx::iso_opt(pending_key(dossier)));
                ResolvedValue::object(object)
            }),
        }
    }

    /// A cursor, or the crash of a date that the database lacks.
    fn cursor(&self, key: Option<&Key>) -> Result<Option<String>, FieldError> {
        match key {
            Some(key) if key.0 == Timestamp::MAX => Err(self.ctx.crash()),
            Some(key) => Ok(Some(paging::encode(*key))),
            None => Ok(None),
        }
    }
}

fn pending_key(dossier: &Dossier) -> Option<Timestamp> {
    if dossier.state == State::EnConstruction { dossier.hidden_by_user_at } else { dossier.hidden_by_administration_at }
}

fn cut(window: &Window, keys: &[Key]) -> Page {
    window.cut(
        |after| keys.iter().copied().filter(move |key| after.is_none_or(|after| *key > after)),
        |before| keys.iter().rev().copied().filter(move |key| before.is_none_or(|before| *key < before)),
    )
}

/// Visible dossiers: by date of change when `updatedSince` is given, by date of deposit otherwise.
fn dossiers(
    ctx: &Ctx<'_>,
    demarche: &Demarche,
    groupe: Option<u32>,
    window: &Window,
    arguments: &Arguments<'_, '_>,
) -> Result<Page, FieldError> {
    let updated = arguments.instant("updatedSince")?;
    let created = arguments.instant("createdSince")?.filter(|_| updated.is_none());
    if updated.is_some() && arguments.get("createdSince").is_some() {
        ctx.violation("`createdSince` with `updatedSince`, which ignores it");
    }
    let since = updated.or(created);
    let state = arguments.text("state");
    let archived = arguments.get("archived").and_then(JsonValue::as_bool);
    let rank = |name: &str| -> Result<Option<usize>, FieldError> {
        let Some(id) = arguments.text(name) else { return Ok(None) };
        let number = local_id("ProcedureRevision", id).and_then(|number| number.parse::<u64>().ok());
        let rank = demarche.revisions.iter().position(|revision| Some(revision.number) == number);
        rank.map(Some).ok_or_else(|| Ctx::not_found("DossierConnection"))
    };
    let exact = rank("revision")?;
    let (lowest, highest) = (rank("minRevision")?, rank("maxRevision")?);
    let created_at = |rank: usize| demarche.revisions.get(rank).map(|revision| revision.created_at);
    let keeps = |key: &Key| {
        let Some(dossier) = ctx.world.dossier(key.1).filter(|dossier| dossier.is_visible()) else { return false };
        let revision = match exact {
            Some(exact) => dossier.revision == exact,
            None => {
                lowest.is_none_or(|lowest| created_at(dossier.revision) >= created_at(lowest))
                    && highest.is_none_or(|highest| created_at(dossier.revision) <= created_at(highest))
            }
        };
        revision
            && state.is_none_or(|state| dossier.state.as_str() == state)
            && archived.is_none_or(|archived| dossier.archived == archived)
            && groupe.is_none_or(|groupe| dossier.groupe == groupe)
    };
    let index = if updated.is_some() { &demarche.by_updated } else { &demarche.by_depose };
    let floor = since.map_or(Bound::Unbounded, |since| Bound::Included((since, 0)));
    let ascending = |after: Option<Key>| {
        let start = match (after, since) {
            (Some(after), Some(since)) if after.0 < since => floor,
            (Some(after), _) => Bound::Excluded(after),
            (None, _) => floor,
        };
        index.range((start, Bound::Unbounded)).copied().filter(keeps)
    };
    let descending = |before: Option<Key>| {
        let rows = before.map(|before| index.range(..before)).unwrap_or_else(|| index.range::<Key, _>(..));
        rows.rev().copied().take_while(|key| since.is_none_or(|since| key.0 >= since)).filter(keeps)
    };
    Ok(window.cut(ascending, descending))
}

impl ObjectValue for Connection<'_> {
    fn type_name(&self) -> &'static str {
        match self.listing {
            Listing::Dossiers => "DossierConnection",
            Listing::Deleted | Listing::Pending => "DeletedDossierConnection",
        }
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let rows = || self.page.keys.iter().copied().enumerate();
        Ok(match info.field_name() {
            "nodes" => ResolvedValue::list(rows().map(|(rank, key)| self.node(rank, key))),
            "edges" => {
                ResolvedValue::list(rows().map(|(rank, key)| ResolvedValue::object(Edge { page: self, rank, key })))
            }
            "pageInfo" => {
                let keys = &self.page.keys;
                let object = Obj::new("PageInfo")
                    .with("hasNextPage", self.page.has_next)
                    .with("hasPreviousPage", self.page.has_previous)
                    .with("startCursor", super::node::text(self.cursor(keys.first())?.as_deref()))
                    .with("endCursor", super::node::text(self.cursor(keys.last())?.as_deref()));
                ResolvedValue::object(object)
            }
            _ => ResolvedValue::null(),
        })
    }
}

struct Edge<'p, 'c> {
    page: &'p Connection<'c>,
    rank: usize,
    key: Key,
}

impl ObjectValue for Edge<'_, '_> {
    fn type_name(&self) -> &'static str {
        match self.page.listing {
            Listing::Dossiers => "DossierEdge",
            Listing::Deleted | Listing::Pending => "DeletedDossierEdge",
        }
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        Ok(match info.field_name() {
            "cursor" => ResolvedValue::leaf(self.page.cursor(Some(&self.key))?.unwrap_or_default()),
            _ => self.page.node(self.rank, self.key),
        })
    }
}
