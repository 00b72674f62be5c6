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

/// A text broken at blanks so that it fits a terminal, every line but the first indented. Where
/// there is no terminal the text stays whole, so that a line can be searched for.
pub fn wrapped(text: &str, indent: usize) -> String {
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Dynamic);
    match table.width() {
        Some(width) => broken(text, indent, usize::from(width)),
        None => text.to_owned(),
    }
}

fn broken(text: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(20);
    let mut out = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > room {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            length = 0;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += letters;
    }
    out
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

#[cfg(test)]
mod tests {
    use super::broken;

    #[test]
    fn long_texts_are_broken_at_blanks_and_indented() {
        let text = "one two three four five six";
        assert_eq!(broken(text, 2, 100), text);
        assert_eq!(broken(text, 2, 22), "one two three four\n  five six");
        assert_eq!(broken("a".repeat(40).as_str(), 2, 22).lines().count(), 1);
    }
}
