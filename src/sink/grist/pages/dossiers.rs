//! The page of dossiers: a grid, and of the selected dossier its card, messages, history and files. Pure.

use std::collections::BTreeSet;

use grist_client::{ColRef, RowId};
use serde_json::{Value, json};

use super::arrange::{self, Arranged};
use super::builder::{Builder, NewSection};
use super::columns::{self, Shown, TableColumns};
use super::formulas::{APPLICANT, LINK, SIZE};
use crate::demarche::TypeDeChamp as T;
use crate::sink::grist::memory::ColumnMemory;
use crate::sink::grist::shape::{GONE_AT, GONE_REASON, NUMBER, PARENT};
use crate::table::{CellKind, ColumnKey, ColumnSpec, Origin, Part, TableKey};

pub(super) const CARD: &str = "Fiche du dossier";

/// Description of the page: the columns that may be edited.
const SENTENCE: &str = "Copie des dossiers de la plateforme, du plus récemment modifié au plus ancien. Chaque \
                        synchronisation remet les colonnes de la plateforme à jour : ajoutez vos propres colonnes, elles ne \
                        sont jamais touchées.";

/// The number of questions that the grid shows before the number of the dossier.
const FIRST: usize = 2;
/// The number of amounts that it shows after it.
const AMOUNTS: usize = 2;

/// A list of what belongs to the selected dossier.
struct Linked {
    key: TableKey,
    title: &'static str,
    columns: &'static [&'static str],
    /// The date by which the newest comes first.
    sort: &'static str,
}

const LISTS: [Linked; 3] = [
    Linked {
        key: TableKey::Messages,
        title: "Messages du dossier",
        columns: &["created_at", "email", "body"],
        sort: "created_at",
    },
    Linked {
        key: TableKey::Traitements,
        title: "Historique du dossier",
        columns: &["date_traitement", "state", "email_agent_traitant", "motivation"],
        sort: "date_traitement",
    },
    Linked {
        key: TableKey::PiecesJointes,
        title: "Pièces jointes du dossier",
        columns: &["filename", SIZE, "origine", "created_at"],
        sort: "created_at",
    },
];

/// Makes the widgets of the page.
pub(super) fn make(build: &mut Builder, view: RowId, dossiers: TableColumns<'_>, others: &[TableColumns<'_>]) {
    let Some(table) = dossiers.memory.table_ref else { return };
    let grid = build.section(&NewSection {
        table,
        view,
        kind: "record",
        title: "Dossiers".to_owned(),
        description: SENTENCE,
        options: json!({ "rowHeight": 1 }),
        sort: dossiers.named("date_derniere_modification").map(|date| -date.column),
        link: None,
        fields: grid(dossiers),
    });
    build.section(&NewSection {
        table,
        view,
        kind: "single",
        title: CARD.to_owned(),
        description: SENTENCE,
        link: Some((grid, 0)),
        fields: card(dossiers),
        ..NewSection::default()
    });
    for list in &LISTS {
        let Some(linked) = others.iter().find(|table| table.memory.key == list.key) else { continue };
        let (Some(table), Some(parent)) = (linked.memory.table_ref, linked.named(PARENT)) else { continue };
        // Two lists stand side by side.
        let most = if list.key == TableKey::Messages { 340 } else { 160 };
        let mut fields: Vec<Shown> = linked.all(list.columns).into_iter().map(|shown| shown.at_most(most)).collect();
        if list.key == TableKey::PiecesJointes
            && let Some(file) = linked.memory.file.as_ref().and_then(|column| linked.shown(column))
        {
            fields.insert(1, file);
        }
        build.section(&NewSection {
            table,
            view,
            kind: "record",
            title: list.title.to_owned(),
            options: json!({ "rowHeight": 2, "rowNumbers": "hidden" }),
            sort: linked.named(list.sort).map(|date| -date.column),
            link: Some((grid, parent.column)),
            fields,
            ..NewSection::default()
        });
    }
}

/// Arranges the page: the grid above, the card and the lists below.
pub(super) fn arrange(page: &Arranged<'_>) -> Value {
    let messages = page.titled(LISTS[0].title);
    let below = arrange::split(vec![page.titled(LISTS[1].title), page.titled(LISTS[2].title)]);
    let lists = arrange::split(vec![messages, below]);
    let lower = arrange::sized(arrange::split(vec![page.titled(CARD), lists]), 360);
    let upper = page.titled("Dossiers").map(|leaf| arrange::with_size(leaf, 470));
    arrange::split(vec![upper, lower]).unwrap_or_else(|| json!({}))
}

/// The columns of the grid, in their order.
fn grid(dossiers: TableColumns<'_>) -> Vec<Shown> {
    let short = |(column, spec): &(&ColumnMemory, &ColumnSpec)| {
        let asked = matches!(&spec.origin, Origin::Champ(kind, _) if !matches!(kind, T::PieceJustificative | T::Carte));
        let answer = matches!(&spec.key, ColumnKey::Champ(_, Part::Value));
        let kind = match spec.kind {
            CellKind::Text | CellKind::Choice | CellKind::Choices | CellKind::Date => true,
            CellKind::Integer
            | CellKind::Decimal
            | CellKind::Real
            | CellKind::Boolean
            | CellKind::Datetime
            | CellKind::Json => false,
        };
        asked && answer && kind && !columns::is_long(column, Some(spec))
    };
    let first = dossiers.questions().filter(short).filter_map(|(column, _)| dossiers.shown(column)).take(FIRST);
    let asked = |(column, spec): &(&ColumnMemory, &ColumnSpec)| {
        matches!(spec.origin, Origin::Champ(..)) && columns::is_amount(column)
    };
    let amounts = dossiers.questions().filter(asked).filter_map(|(column, _)| dossiers.shown(column)).take(AMOUNTS);
    let mut shown: Vec<Shown> = dossiers
        .all(&["state", APPLICANT])
        .into_iter()
        .zip([130, 180])
        .map(|(shown, most)| shown.at_most(most))
        .collect();
    shown.extend(first.map(|shown| shown.at_most(180)));
    shown.extend(dossiers.named(NUMBER));
    shown.extend(amounts.map(|shown| shown.at_most(130)));
    shown.extend(dossiers.named("date_depot").map(Shown::days));
    let last = dossiers.all(&["groupe_instructeur", "instructeurs", "labels", LINK]);
    shown.extend(last.into_iter().map(|shown| shown.at_most(190)));
    unique(shown)
}

/// The columns of the card, in their order: the questions first, as in the form.
pub(super) fn card(dossiers: TableColumns<'_>) -> Vec<Shown> {
    let mut shown = dossiers.all(&["state", NUMBER, APPLICANT, LINK]);
    shown.extend(dossiers.questions().filter_map(|(column, _)| dossiers.shown(column)));
    shown.extend(dossiers.all(&[
        "date_depot",
        "date_derniere_modification",
        "date_passage_en_instruction",
        "date_traitement",
        "motivation",
        "groupe_instructeur",
        "instructeurs",
        "labels",
        "usager_email",
        "demandeur_siret",
        "demandeur_adresse",
        "demandeur_code_postal",
        "demandeur_commune",
        GONE_REASON,
        GONE_AT,
    ]));
    unique(shown)
}

/// Drops columns that are shown already.
pub(super) fn unique(shown: Vec<Shown>) -> Vec<Shown> {
    let mut seen = BTreeSet::<ColRef>::new();
    shown.into_iter().filter(|shown| seen.insert(shown.column)).collect()
}
