//! Problems for people: drawn on a terminal, plain elsewhere.

use super::say;
use crate::text::{Mark, Problem, Sources, plain};
use miette::{Diagnostic, LabeledSpan, MietteHandlerOpts, NamedSource, ReportHandler, SourceCode};
use std::fmt;
use std::io::IsTerminal;

/// Why a verb did nothing: everything that is wrong with its input.
#[derive(Debug, Default)]
pub struct Refusal {
    problems: Vec<Problem>,
    sources: Sources,
}

impl Refusal {
    /// Problems and the texts that they point into.
    pub fn new(problems: Vec<Problem>, sources: Sources) -> Refusal {
        Refusal { problems, sources }
    }

    /// Says on stderr what is wrong.
    pub fn report(&self) {
        let text = if std::io::stderr().is_terminal() {
            self.drawn()
        } else {
            plain(&self.problems, &self.sources)
        };
        say::talk(&text);
        if self.problems.len() > 1 {
            say::talk(&format!("{} problems\n", self.problems.len()));
        }
    }

    /// The problems with excerpts, as a terminal shows them.
    fn drawn(&self) -> String {
        let handler = MietteHandlerOpts::new().force_graphical(true).build();
        let draw = |problem| {
            let drawn = Drawn::new(problem, &self.sources);
            Shown { drawn: &drawn, handler: &handler }.to_string()
        };
        self.problems.iter().map(draw).collect()
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Refusal {
        Refusal::new(vec![problem], Sources::default())
    }
}

/// A problem as miette wants it.
#[derive(Debug)]
struct Drawn {
    what: String,
    help: Option<String>,
    place: Option<(NamedSource<String>, Mark)>,
}

impl Drawn {
    fn new(problem: &Problem, sources: &Sources) -> Drawn {
        let place = problem.mark.map(|mark| {
            let text = harmless(sources.text(mark.source), true);
            (NamedSource::new(harmless(sources.name(mark.source), false), text), mark)
        });
        Drawn {
            what: harmless(&problem.what, false),
            help: problem.help.as_deref().map(|help| harmless(help, false)),
            place,
        }
    }
}

/// Blanks for control characters, so that a file cannot steer the terminal. As many bytes as
/// before, so that marks stay right.
fn harmless(text: &str, keeps_lines: bool) -> String {
    let keeps = |c: char| !c.is_control() || keeps_lines && c == '\n';
    text.chars()
        .flat_map(|c| {
            let (shown, times) = if keeps(c) { (c, 1) } else { (' ', c.len_utf8()) };
            std::iter::repeat_n(shown, times)
        })
        .collect()
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Drawn {}

impl Diagnostic for Drawn {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|(source, _)| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (source, mark) = self.place.as_ref()?;
        let end = source.inner().len();
        let (start, stop) = ((mark.start as usize).min(end), (mark.end as usize).min(end));
        // A mark over many lines would show them all: its first line says where.
        let first_line =
            source.inner().get(start..stop).and_then(|t| t.find('\n')).unwrap_or(stop - start);
        let span = LabeledSpan::new_with_span(None, (start, first_line));
        Some(Box::new(std::iter::once(span)))
    }
}

/// A problem drawn by a handler.
struct Shown<'a> {
    drawn: &'a Drawn,
    handler: &'a miette::MietteHandler,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.handler.debug(self.drawn, f)?;
        f.write_str("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_problem_has_its_place_its_excerpt_and_its_help_and_no_control_characters() {
        let mut sources = Sources::default();
        let source = sources.add("models/a.yaml", "name: x\nkind: \u{1b}[31mservr\u{9b}\n");
        let mark = Mark { source, start: 14, end: 24 };
        let problem = Problem::new("unknown \u{7}kind").help("did you mean `server`?").at(mark);
        let text = Refusal::new(vec![problem], sources).drawn();
        assert!(text.contains("models/a.yaml:2:7"), "{text}");
        for part in ["unknown  kind", "servr", "did you mean `server`?"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains('\u{7}') && !text.contains("\u{1b}[31mservr"), "{text}");
    }

    #[test]
    fn a_mark_outside_its_text_is_drawn_all_the_same() {
        let mut sources = Sources::default();
        let source = sources.add("a.yaml", "ä");
        for (start, end) in [(0, 9), (1, 1), (7, 9), (2, 2)] {
            let problem = Problem::new("odd").at(Mark { source, start, end });
            assert!(Refusal::new(vec![problem], sources.clone()).drawn().contains("odd"));
        }
    }
}
