//! Everything that a document holds, and its tables about tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cell::Cell;
use super::failure::Failure;
use super::table::{Column, Table};

/// Tables of Grist's own that a sync reads or writes, with the columns of version 46 of its schema.
const METADATA: [(&str, &str); 13] = [
    ("_grist_DocInfo", "docId peers basketId schemaVersion:Int timezone documentSettings"),
    (
        "_grist_Tables",
        "tableId primaryViewId:Ref:_grist_Views summarySourceTable:Ref:_grist_Tables onDemand:Bool \
         rawViewSectionRef:Ref:_grist_Views_section recordCardViewSectionRef:Ref:_grist_Views_section",
    ),
    (
        "_grist_Tables_column",
        "parentId:Ref:_grist_Tables parentPos:PositionNumber colId type widgetOptions isFormula:Bool formula label \
         description untieColIdFromLabel:Bool summarySourceCol:Ref:_grist_Tables_column \
         displayCol:Ref:_grist_Tables_column visibleCol:Ref:_grist_Tables_column rules:RefList:_grist_Tables_column \
         reverseCol:Ref:_grist_Tables_column recalcWhen:Int recalcDeps:RefList:_grist_Tables_column",
    ),
    ("_grist_TabBar", "viewRef:Ref:_grist_Views tabPos:PositionNumber"),
    ("_grist_Pages", "viewRef:Ref:_grist_Views indentation:Int pagePos:PositionNumber shareRef:Int options"),
    ("_grist_Views", "name type layoutSpec"),
    (
        "_grist_Views_section",
        "tableRef:Ref:_grist_Tables parentId:Ref:_grist_Views parentKey title description defaultWidth:Int \
         borderWidth:Int theme options chartType layoutSpec filterSpec sortColRefs \
         linkSrcSectionRef:Ref:_grist_Views_section linkSrcColRef:Ref:_grist_Tables_column \
         linkTargetColRef:Ref:_grist_Tables_column embedId rules:RefList:_grist_Tables_column shareOptions",
    ),
    (
        "_grist_Views_section_field",
        "parentId:Ref:_grist_Views_section parentPos:PositionNumber colRef:Ref:_grist_Tables_column width:Int \
         widgetOptions displayCol:Ref:_grist_Tables_column visibleCol:Ref:_grist_Tables_column filter \
         rules:RefList:_grist_Tables_column",
    ),
    (
        "_grist_Attachments",
        "fileIdent fileName fileType fileSize:Int fileExt imageHeight:Int imageWidth:Int timeDeleted:DateTime \
         timeUploaded:DateTime",
    ),
    ("_grist_Filters", "viewSectionRef:Ref:_grist_Views_section colRef:Ref:_grist_Tables_column filter pinned:Bool"),
    ("_grist_Triggers", "tableRef:Ref:_grist_Tables eventTypes:ChoiceList actions label memo enabled:Bool options"),
    ("_grist_ACLResources", "tableId colIds"),
    ("_grist_ACLRules", "resource:Ref:_grist_ACLResources aclFormula permissionsText rulePos:PositionNumber memo"),
];

/// The tables of a document. Cloning shares them until they are written: this is how a bundle is undone.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) tables: BTreeMap<String, Arc<Table>>,
    /// Bytes of attachments, by the identity of their content.
    pub(super) files: BTreeMap<String, Arc<[u8]>>,
}

pub(super) fn is_metadata(table: &str) -> bool {
    table.starts_with("_grist_")
}

impl State {
    /// A document without tables.
    pub(super) fn empty() -> Self {
        let columns = |spec: &str| {
            let columns = spec.split_whitespace().map(|column| {
                let (id, kind) = column.split_once(':').unwrap_or((column, "Text"));
                Column::data(id, kind)
            });
            columns.collect()
        };
        let tables = METADATA.iter().map(|(name, spec)| {
            ((*name).to_owned(), Arc::new(Table { columns: columns(spec), rows: BTreeMap::new() }))
        });
        Self { tables: tables.collect(), files: BTreeMap::new() }
    }

    /// A table by its id. The engine answers a missing one with the error of a dictionary.
    pub(super) fn table(&self, id: &str) -> Result<&Table, Failure> {
        self.tables.get(id).map(AsRef::as_ref).ok_or_else(|| Failure::key(id))
    }

    /// A table of Grist's own.
    pub(super) fn meta(&self, id: &str) -> &Table {
        self.tables.get(id).expect("a table of Grist's own is always there")
    }

    pub(super) fn find_table(&self, id: &str) -> Option<i64> {
        let tables = self.meta("_grist_Tables");
        tables.rows.keys().copied().find(|row| tables.text(*row, "tableId") == id)
    }

    pub(super) fn table_ref(&self, id: &str) -> Result<i64, Failure> {
        self.find_table(id).ok_or_else(|| Failure::value(format!("No such table: {id}")))
    }

    pub(super) fn table_id(&self, table: i64) -> &str {
        self.meta("_grist_Tables").text(table, "tableId")
    }

    /// The columns of a table, in the order in which people see them.
    pub(super) fn columns_of(&self, table: i64) -> Vec<i64> {
        let columns = self.meta("_grist_Tables_column");
        let mut found = columns.having("parentId", table);
        let position = |column: &i64| columns.cell(*column, "parentPos").and_then(Cell::as_number).unwrap_or_default();
        found.sort_by(|left, right| position(left).total_cmp(&position(right)).then(left.cmp(right)));
        found
    }

    pub(super) fn find_column(&self, table: &str, column: &str) -> Option<i64> {
        let columns = self.meta("_grist_Tables_column");
        columns
            .having("parentId", self.find_table(table)?)
            .into_iter()
            .find(|row| columns.text(*row, "colId") == column)
    }

    pub(super) fn column_ref(&self, table: &str, column: &str) -> Result<i64, Failure> {
        self.find_column(table, column).ok_or_else(|| Failure::value(format!("No such column: {table}.{column}")))
    }

    /// Columns that refer to a table, with the id of their own table.
    pub(super) fn references_to(&self, target: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (table, content) in &self.tables {
            for column in content.columns.iter().filter(|column| column.kind.target() == Some(target)) {
                found.push((table.clone(), column.id.clone()));
            }
        }
        found
    }
}
