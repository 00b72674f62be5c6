//! Numbers and tables for a terminal.

use crate::plot::words::{NONE, quantity};
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use std::borrow::Cow;

/// A column of a table.
pub struct Column {
    head: Cow<'static, str>,
    is_number: bool,
}

impl Column {
    /// Words, to the left.
    pub const fn text(head: &'static str) -> Column {
        Column { head: Cow::Borrowed(head), is_number: false }
    }

    /// Numbers, to the right.
    pub const fn number(head: &'static str) -> Column {
        Column { head: Cow::Borrowed(head), is_number: true }
    }

    /// Numbers under a heading that is made as we go.
    pub fn numbers(head: String) -> Column {
        Column { head: Cow::Owned(head), is_number: true }
    }
}

/// A table, as wide as the terminal at most.
pub fn table(columns: &[Column], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    let below_heads = LineStyle::none().fill('─').junction('─');
    table.load_style(TableStyle::new().header_separator(below_heads));
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns.iter().map(|column| &*column.head));
    for row in rows {
        table.add_row(row.into_iter().map(Cell::new));
    }
    for (column, shown) in columns.iter().zip(table.column_iter_mut()) {
        if column.is_number {
            shown.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

/// A value in words, or the sign that there is none.
pub fn or_none<T>(value: Option<T>, words: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| NONE.to_owned(), words)
}

/// A share in percent.
pub fn share(share: Option<f64>) -> String {
    or_none(share, |share| quantity(share, "1"))
}

/// A latency from its seconds.
pub fn latency(seconds: f64) -> String {
    quantity(seconds, "s")
}
