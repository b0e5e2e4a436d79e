//! The page on which people decide: the dossiers that wait for a decision, and the card of the selected one. Pure.

use grist_client::RowId;
use serde_json::{Value, json};

use super::arrange::{self, Arranged};
use super::builder::{Builder, NewSection};
use super::columns::{Shown, TableColumns};
use super::dossiers::{CARD, card, unique};
use super::formulas::APPLICANT;
use crate::sink::grist::shape::NUMBER;
use crate::table::ColumnKey;

/// The name of the page, and of its grid.
pub(super) const NAME: &str = "Décider";
const GRID: &str = "Dossiers à décider";

const SENTENCE: &str = "Écrivez la décision, puis cochez « Envoyer ». La réponse de la plateforme vient dans « Suite donnée ». \
                        Les autres colonnes sont une copie de la plateforme.";

/// The columns of decisions that stand before those of annotations.
const BEFORE: [&str; 3] = ["decision", "motivation_a_envoyer", "message_a_l_usager"];
/// Those that stand after them.
const AFTER: [&str; 3] = ["envoyer", "suite_donnee", "agent"];

/// Makes the widgets of the page.
pub(super) fn make(build: &mut Builder, view: RowId, dossiers: TableColumns<'_>, undecided: &[&str]) {
    let Some(table) = dossiers.memory.table_ref else { return };
    let decisions = &dossiers.memory.decisions;
    let named = |name: &&str| {
        let key = ColumnKey::Fixed((*name).to_owned());
        decisions.iter().find(|column| column.key == key).and_then(|column| dossiers.shown(column))
    };
    let annotations = decisions.iter().filter(|column| matches!(column.key, ColumnKey::Champ(..)));
    let narrow = |shown: Shown| shown.at_most(220);
    let mut fields = dossiers.all(&["state", APPLICANT, NUMBER]);
    fields.extend(BEFORE.iter().filter_map(named).map(narrow));
    fields.extend(AFTER.iter().take(2).filter_map(named).map(narrow));
    fields.extend(annotations.filter_map(|column| dossiers.shown(column)).map(narrow));
    fields.extend(AFTER.iter().skip(2).filter_map(named));
    let grid = build.section(&NewSection {
        table,
        view,
        kind: "record",
        title: GRID.to_owned(),
        description: SENTENCE,
        options: json!({ "rowHeight": 3, "numFrozen": 2 }),
        sort: dossiers.named("date_depot").map(|date| date.column),
        link: None,
        fields: unique(fields),
    });
    if let Some(state) = dossiers.named("state") {
        build.filter(grid, state.column, &json!({ "included": undecided }));
    }
    build.section(&NewSection {
        table,
        view,
        kind: "single",
        title: CARD.to_owned(),
        link: Some((grid, 0)),
        fields: card(dossiers),
        ..NewSection::default()
    });
}

/// Arranges the page: the grid above, the card below.
pub(super) fn arrange(page: &Arranged<'_>) -> Value {
    arrange::split(vec![page.titled(GRID), page.titled(CARD)]).unwrap_or_else(|| json!({}))
}
