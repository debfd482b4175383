//! Tables: rows on a wide screen, cards on a narrow one.

use askama::Template;

use super::part::{Action, Empty, Html, Pager};

/// A table, its pages, and what stands there when it has no rows.
#[derive(Template, Clone, Debug)]
#[template(path = "pages/table.html")]
pub(crate) struct Table {
    /// What it lists, for those who cannot see where it stands.
    pub(crate) caption: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
    pub(crate) empty: Empty,
    pub(crate) pager: Option<Pager>,
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) heading: String,
    /// Whether it holds numbers, which stand under one another.
    pub(crate) is_number: bool,
}

impl Column {
    pub(crate) fn words(heading: impl Into<String>) -> Column {
        Column { heading: heading.into(), is_number: false }
    }

    pub(crate) fn number(heading: impl Into<String>) -> Column {
        Column { heading: heading.into(), is_number: true }
    }
}

/// A row: a cell for each column, and what can be done with it. The first cell names the row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) cells: Vec<Html>,
    pub(crate) actions: Vec<Action>,
}

impl Row {
    pub(crate) fn new(cells: Vec<Html>) -> Row {
        Row { cells, actions: Vec::new() }
    }
}

impl Table {
    /// A table that is never empty and has one page.
    pub(crate) fn plain(caption: impl Into<String>, columns: Vec<Column>, rows: Vec<Row>) -> Table {
        let empty = Empty { title: String::new(), text: String::new(), action: None };
        Table { caption: caption.into(), columns, rows, empty, pager: None }
    }

    fn has_actions(&self) -> bool {
        self.rows.iter().any(|row| !row.actions.is_empty())
    }

    /// The cells of a row, each with its column.
    fn cells<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (&'a Column, &'a Html)> {
        assert_eq!(
            self.columns.len(),
            row.cells.len(),
            "each row of {} has a cell for each column",
            self.caption
        );
        self.columns.iter().zip(&row.cells)
    }

    pub(crate) fn html(&self) -> Html {
        Html::of(self)
    }
}
