//! Problems as plain text, for tests and for programs without a terminal.

use std::fmt::Write;

use super::source::{Problem, Sources, floor_char};

/// Excerpts show at most this many characters of a line, around the place in question.
const EXCERPT_CHARACTERS: usize = 100;

/// The problems one after the other: `file:line:column: what`, the line with a caret below the
/// place, and `help:` with what to write instead.
///
/// Control characters of the input are shown as blanks, so that a file cannot steer the terminal.
pub fn plain(problems: &[Problem], sources: &Sources) -> String {
    let mut out = String::new();
    for problem in problems {
        // Writing to a string cannot fail.
        let _ = write_problem(&mut out, problem, sources);
    }
    out
}

fn write_problem(out: &mut String, problem: &Problem, sources: &Sources) -> std::fmt::Result {
    let what = printable(&problem.what);
    match problem.mark {
        Some(mark) => {
            let (line, column) = sources.line_column(mark);
            writeln!(out, "{}:{line}:{column}: {what}", printable(sources.name(mark.source)))?;
            let text = sources.text(mark.source);
            let start = floor_char(text, mark.start as usize);
            let rest = text[start..].find('\n').map_or(text.len(), |length| start + length);
            let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
            let marked = text[start..floor_char(text, mark.end as usize).clamp(start, rest)]
                .trim_end()
                .chars()
                .count();
            write_excerpt(out, line, &text[line_start..rest], column - 1, marked)?;
        }
        None => writeln!(out, "{what}")?,
    }
    if let Some(help) = &problem.help {
        writeln!(out, "  help: {}", printable(help))?;
    }
    Ok(())
}

/// One line of a file, cut to a window around character `column` (counted from 0), and carets below
/// the `marked` characters from there.
fn write_excerpt(
    out: &mut String,
    number: usize,
    line: &str,
    column: usize,
    marked: usize,
) -> std::fmt::Result {
    let skip =
        if column < EXCERPT_CHARACTERS * 3 / 4 { 0 } else { column - EXCERPT_CHARACTERS / 2 };
    let shown: String = line.chars().skip(skip).take(EXCERPT_CHARACTERS).collect();
    let room = EXCERPT_CHARACTERS - (column - skip);
    let margin = number.to_string();
    writeln!(out, "  {margin} | {}", printable(&shown).trim_end())?;
    writeln!(
        out,
        "  {:blank$} | {:indent$}{}",
        "",
        "",
        "^".repeat(marked.clamp(1, room)),
        blank = margin.len(),
        indent = column - skip,
    )
}

fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
