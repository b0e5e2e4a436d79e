//! Arranges the widgets of a page: boxes that lie side by side or one above the other. Pure.

use grist_client::RowId;
use serde_json::{Value, json};

use super::views::{PageWidget, Views};

/// The widgets of a page that is to be arranged.
#[derive(Clone, Copy)]
pub(super) struct Arranged<'a> {
    pub views: &'a Views,
    pub view: RowId,
}

impl<'a> Arranged<'a> {
    /// Lists the widgets.
    pub fn sections(&self) -> impl Iterator<Item = &'a PageWidget> + use<'a> {
        self.views.on(self.view)
    }

    /// The box of the widget of a title.
    pub fn titled(&self, title: &str) -> Option<Value> {
        self.sections().find(|section| section.property("title") == title).map(|section| leaf(section.id))
    }
}

/// The box of a widget.
pub(super) fn leaf(section: RowId) -> Value {
    json!({ "leaf": section })
}

/// Puts boxes side by side, or one above the other: the outermost box divides a page in rows, those in it a row in columns,
/// and so on. One box alone stays what it is.
pub(super) fn split(boxes: Vec<Option<Value>>) -> Option<Value> {
    let mut boxes: Vec<Value> = boxes.into_iter().flatten().collect();
    match boxes.len() {
        0 => None,
        1 => boxes.pop(),
        _ => Some(json!({ "children": boxes })),
    }
}

/// Gives a box its share of the room, beside the shares of its neighbours.
pub(super) fn with_size(mut part: Value, size: u32) -> Value {
    part["size"] = size.into();
    part
}

/// The same, for a box that may be missing.
pub(super) fn sized(part: Option<Value>, size: u32) -> Option<Value> {
    part.map(|part| with_size(part, size))
}
