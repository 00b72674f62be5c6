//! What can go wrong when a [`Node`](super::Node) is decoded, and how it is said.

use std::fmt;

use serde::de::{Expected, Unexpected};

use super::node::shortened;
use super::source::{Mark, Problem};
use super::words::{did_you_mean, list_of};

/// Parts the message of a type's own error (`serde::de::Error::custom`) into what is wrong and what
/// to write instead: `"a duration has a unit\nhelp: write 250ms or 2s"`.
pub const HELP: &str = "\nhelp: ";

/// The error type of our deserializer: what is wrong, and the way from the root to where.
#[derive(Debug)]
pub(super) struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    what: What,
    mark: Option<Mark>,
    /// The way to the culprit, its last step first.
    steps: Vec<Step>,
    /// Whether the culprit is the key at the end of the way, not the value under it.
    in_key: bool,
}

/// One step down a tree.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The number of the entry or element, counted from 0.
    pub index: usize,
    /// Whether the parent loses its meaning without this child: the content of an enum's word, an
    /// element of a tuple. Then only the parent as a whole can be set aside.
    pub rigid: bool,
}

/// What is wrong at a place.
#[derive(Debug, PartialEq)]
pub(super) enum What {
    /// A word that is none of the known ones: of a struct's fields or an enum's variants.
    Unknown { word: String, known: &'static [&'static str] },
    /// A field that has no default.
    Missing { word: &'static str },
    /// Something of another kind, or out of range.
    Wrong { found: String, expected: String },
    /// Anything else, with what to write instead.
    Other { what: String, help: Option<String> },
}

impl Error {
    pub(super) fn new(what: What) -> Error {
        Error(Box::new(Inner { what, mark: None, steps: Vec::new(), in_key: false }))
    }

    pub(super) fn other(what: impl Into<String>, help: impl Into<String>) -> Error {
        Error::new(What::Other { what: what.into(), help: Some(help.into()) })
    }

    /// The error at `mark`, unless a place nearer to the culprit is known already.
    pub(super) fn at(mut self, mark: Mark) -> Error {
        self.0.mark.get_or_insert(mark);
        self
    }

    /// The error seen from one level higher.
    pub(super) fn below(mut self, index: usize, rigid: bool) -> Error {
        self.0.steps.push(Step { index, rigid });
        self
    }

    /// The error of a key, seen from its map.
    pub(super) fn in_key(mut self, index: usize) -> Error {
        self.0.in_key = true;
        self.below(index, false)
    }

    /// Whether the culprit is a word that its map does not know.
    pub(super) fn is_unknown_key(&self) -> bool {
        self.0.in_key && matches!(self.0.what, What::Unknown { .. })
    }

    /// The error of a value under a key, seen from the map. A missing word is shown at the key,
    /// because a block map has no visible place of its own.
    pub(super) fn under(self, key: Mark, value: Mark) -> Error {
        let mark = if matches!(self.0.what, What::Missing { .. }) { key } else { value };
        self.at(mark)
    }

    /// Whether `earlier` said the same of the same place in the text, as happens when an alias
    /// repeats what is wrong with its anchor.
    pub(super) fn repeats(&self, earlier: &Error) -> bool {
        let (mark, before) = (self.0.mark, earlier.0.mark);
        mark.is_some_and(Mark::is_somewhere) && mark == before && self.0.what == earlier.0.what
    }

    pub(super) fn what(&self) -> &What {
        &self.0.what
    }

    /// The way from the root to the culprit.
    pub(super) fn steps(&self) -> Vec<Step> {
        self.0.steps.iter().rev().copied().collect()
    }

    /// The problem for the user; `path` is the dotted way to the culprit, empty at the root.
    pub(super) fn problem(&self, path: &str, root: Mark) -> Problem {
        let place = if path.is_empty() { "the file".to_owned() } else { format!("`{path}`") };
        let (what, help) = match &self.0.what {
            What::Unknown { word, known } => {
                let word = shortened(word);
                let place =
                    if path.is_empty() { "at the top level" } else { &format!("in {place}") };
                (
                    format!("unknown word `{word}` {place}"),
                    did_you_mean(&word, known.iter().copied()),
                )
            }
            What::Missing { word } => {
                (format!("`{word}` is missing in {place}"), Some(format!("add `{word}: ...`")))
            }
            What::Wrong { found, expected } => {
                let quote = expected == TEXT && !matches!(found.as_str(), LIST | MAP | EMPTY);
                (
                    format!("{place} should be {expected}, but is {found}"),
                    quote.then(|| "put it in quotes".to_owned()),
                )
            }
            What::Other { what, help } => (format!("{place}: {what}"), help.clone()),
        };
        Problem { what, help, mark: None }.at(self.0.mark.unwrap_or(root))
    }
}

const TEXT: &str = "a text";
const LIST: &str = "a list";
const MAP: &str = "a map";
const EMPTY: &str = "empty";

/// What was found, in our words.
fn found(unexpected: Unexpected) -> String {
    match unexpected {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        Unexpected::Str(text) => format!("the text `{}`", shortened(text)),
        Unexpected::Unit | Unexpected::Option => EMPTY.to_owned(),
        Unexpected::Seq => LIST.to_owned(),
        Unexpected::Map => MAP.to_owned(),
        other => other.to_string(),
    }
}

/// What was wanted, in our words: serde's own types describe themselves by their Rust names.
pub(super) fn expected(expected: &dyn Expected) -> String {
    let text = expected.to_string();
    for tuple in ["an array of length ", "a tuple of size "] {
        if let Some(length) = text.strip_prefix(tuple) {
            return format!("a list of {length} values");
        }
    }
    match text.as_str() {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "u128" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "`true` or `false`",
        "a string" | "a borrowed string" | "string" => TEXT,
        "a character" => "one character",
        "a sequence" => LIST,
        "unit" => EMPTY,
        // `struct Name` and the like say a name of the program, which a user does not know.
        _ if text.starts_with("struct ") => MAP,
        _ if text.starts_with("a nonzero ") => "a whole number other than 0",
        _ => return text,
    }
    .to_owned()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.problem("", Mark::NONE).what)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Error {
        let message = message.to_string();
        let (what, help) = match message.split_once(HELP) {
            Some((what, help)) => (what.to_owned(), Some(help.to_owned())),
            None => (message, None),
        };
        Error::new(What::Other { what, help })
    }

    fn invalid_type(unexpected: Unexpected, wanted: &dyn Expected) -> Error {
        Error::new(What::Wrong { found: found(unexpected), expected: expected(wanted) })
    }

    fn invalid_value(unexpected: Unexpected, wanted: &dyn Expected) -> Error {
        Error::invalid_type(unexpected, wanted)
    }

    fn invalid_length(length: usize, wanted: &dyn Expected) -> Error {
        let (found, expected) = (format!("a list of {length} values"), expected(wanted));
        Error::new(What::Wrong { found, expected })
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Error {
        Error::new(What::Unknown { word: word.to_owned(), known })
    }

    fn unknown_field(word: &str, known: &'static [&'static str]) -> Error {
        Error::new(What::Unknown { word: word.to_owned(), known })
    }

    fn missing_field(word: &'static str) -> Error {
        Error::new(What::Missing { word })
    }

    fn duplicate_field(word: &'static str) -> Error {
        Error::other(
            format!("`{word}` is said twice, under two of its names"),
            "remove one of the two",
        )
    }
}

/// "a map with the words `a`, `b`", for a struct.
pub(super) fn map_of(words: &'static [&'static str]) -> String {
    match words {
        [] => "an empty map".to_owned(),
        [word] => format!("a map with the word `{word}`"),
        _ => format!("a map with words among {}", list_of(words.iter().copied())),
    }
}

/// "one of the words `a`, `b`", for an enum.
pub(super) fn one_of(words: &'static [&'static str]) -> String {
    match words {
        [word] => format!("the word `{word}`"),
        _ => format!("one of the words {}", list_of(words.iter().copied())),
    }
}
