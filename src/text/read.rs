//! From text to [`Node`]: YAML with positions and with limits.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{
    DefaultMessageFormatter, DuplicateKeyPolicy, Error, Location, MessageFormatter,
    NonFiniteFloatPolicy, Options, Spanned,
};

use super::node::{Key, Node, Value, shortened};
use super::source::{Mark, Problem, SourceId, Sources, floor_char};

/// A file may have this many bytes (1 MiB). A model is written by people; a longer file is a
/// mistake or an attack.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// Lists and maps may be nested this deep.
pub const MAX_DEPTH: usize = 64;

/// A file may have this many values, keys included, after its aliases (`*name`) are written out.
pub const MAX_NODES: usize = 200_000;

/// Reads one YAML document. The text is kept in `sources` under `name`, and the marks of the
/// [`Node`] point into it.
///
/// # Errors
///
/// The file is longer than [`MAX_FILE_BYTES`], empty, more than one document, not YAML, has a key
/// twice in one map, has an unknown tag (`!word`), or goes beyond [`MAX_DEPTH`] or [`MAX_NODES`].
/// After an error of syntax the rest of a file has no meaning, so that each is reported alone.
pub fn read(sources: &mut Sources, name: &str, text: &str) -> Result<Node, Vec<Problem>> {
    if text.len() > MAX_FILE_BYTES {
        let what = format!(
            "{name} is too long: it has {} bytes, and {MAX_FILE_BYTES} are allowed",
            text.len()
        );
        return Err(vec![Problem::new(what).help("split it, or remove what is not a model")]);
    }
    let source = sources.add(name, text);
    read_part(source, text, 0).map_err(|problem| vec![problem])
}

/// Reads the YAML that begins at byte `from` of `text`, which is the text of `source`.
pub(super) fn read_part(source: SourceId, text: &str, from: usize) -> Result<Node, Problem> {
    let part = Part { source, text, from };
    let yaml = &text[from..];
    let raw: Result<Spanned<Raw>, Error> = serde_saphyr::from_str_with_options(yaml, options());
    match raw {
        // An empty file and a file that says `null` look alike but for the place.
        Ok(raw) if matches!(raw.value, Raw::Null) && part.slice(raw.defined).is_empty() => {
            Err(part.empty())
        }
        Ok(raw) => {
            let mut nodes = 0;
            count(&raw, &mut nodes);
            if nodes > MAX_NODES {
                return Err(too_much().at(part.mark(raw.defined)));
            }
            Ok(part.node(raw))
        }
        Err(Error::Eof { .. }) => Err(part.empty()),
        Err(error) => Err(part.problem(&error)),
    }
}

/// The dialect and the limits.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_aliases: 10_000,
            max_anchors: 10_000,
            max_merge_keys: 1_000,
            max_recorded_anchor_events: MAX_NODES,
            max_recorded_anchor_bytes: 16 * MAX_FILE_BYTES,
            max_total_scalar_bytes: 4 * MAX_FILE_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_NODES,
            max_replay_stack_depth: 16,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        // `yes` and `on` stay text, see `Value`.
        strict_booleans: true,
        // An infinite number fails where a number is wanted, and then with all the other problems.
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// What the YAML reader gives, before its positions are ours.
enum Raw {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

/// Counts values and keys; stops soon after the limit.
fn count(raw: &Spanned<Raw>, nodes: &mut usize) {
    *nodes += 1;
    if *nodes > MAX_NODES {
        return;
    }
    match &raw.value {
        Raw::List(items) => items.iter().for_each(|item| count(item, nodes)),
        Raw::Map(entries) => entries.iter().for_each(|(_, value)| {
            *nodes += 1;
            count(value, nodes);
        }),
        _ => {}
    }
}

/// The part of a text that is read as YAML, and the step from the reader's positions to ours.
struct Part<'a> {
    source: SourceId,
    text: &'a str,
    from: usize,
}

impl Part<'_> {
    /// The reader counts from the start of the part; we count from the start of the text.
    fn mark(&self, location: Location) -> Mark {
        let span = location.span();
        // Errors of syntax have a line and a column (in characters), but no byte offset.
        let start = match span.byte_offset() {
            Some(offset) => self.from.saturating_add(offset as usize),
            None => self.offset(location.line(), location.column()),
        };
        let end = start.saturating_add(span.byte_len().unwrap_or(0) as usize);
        let start = floor_char(self.text, start);
        let end = floor_char(self.text, end).max(start);
        // Offsets fit: no text longer than `MAX_FILE_BYTES` is read.
        Mark { source: self.source, start: start as u32, end: end as u32 }
    }

    /// The byte offset of a line and a column of the part, both counted from 1.
    fn offset(&self, line: u64, column: u64) -> usize {
        let yaml = &self.text[self.from..];
        let skipped = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let mut lines = yaml.split_inclusive('\n');
        let start = self.from + lines.by_ref().take(skipped).map(str::len).sum::<usize>();
        let line = lines.next().unwrap_or("");
        let column = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
        start + line.char_indices().nth(column).map_or(line.len(), |(at, _)| at)
    }

    fn slice(&self, location: Location) -> &str {
        let mark = self.mark(location);
        self.text[mark.start as usize..mark.end as usize].trim()
    }

    fn node(&self, raw: Spanned<Raw>) -> Node {
        // The defined place of what comes by an alias is where it is written, which is where it is
        // to be corrected.
        let mut mark = self.mark(raw.defined);
        let value = match raw.value {
            Raw::Null => Value::Null,
            Raw::Bool(value) => Value::Bool(value),
            Raw::Int(value) => Value::Int(value),
            Raw::Float(value) => Value::Float(value),
            Raw::Text(text) => Value::Text(text),
            Raw::List(items) => Value::List(items.into_iter().map(|raw| self.node(raw)).collect()),
            Raw::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| {
                        let mark = self.mark(key.defined);
                        (Key { text: key.value, mark }, self.node(value))
                    })
                    .collect(),
            ),
        };
        // A block map has no extent of its own; it is shown by its first key.
        if let Value::Map(entries) = &value
            && let Some((key, _)) = entries.first()
            && key.mark.start == mark.start
        {
            mark.end = key.mark.end;
        }
        Node { mark, value }
    }

    fn empty(&self) -> Problem {
        let start = self.from as u32;
        Problem::new("the file is empty")
            .help("write a map of words and values, such as `name: my system`")
            .at(Mark { source: self.source, start, end: start })
    }

    /// The words of the reader's error, without its position, which the mark says.
    fn problem(&self, error: &Error) -> Problem {
        let error = error.without_snippet();
        let problem = match error {
            Error::DuplicateMappingKey { key, .. } => {
                let key =
                    key.as_deref().map_or(String::new(), |key| format!(" `{}`", shortened(key)));
                Problem::new(format!("the key{key} is here for the second time in the same map"))
                    .help("rename one of the two, or remove it")
            }
            Error::MultipleDocuments { .. } => {
                Problem::new("a second document begins here, but a file holds one")
                    .help("remove the line `---`, or put the rest into a file of its own")
            }
            Error::UnsupportedTag { tag, .. } => {
                Problem::new(format!("unknown tag `{}`", shortened(tag)))
                    .help("remove the word with the exclamation mark, or put it in quotes")
            }
            Error::UnknownAnchor { .. } => Problem::new("this alias has no anchor before it")
                .help("put a text that begins with `*` in quotes"),
            Error::NullIntoString { .. } => {
                Problem::new("a key is empty").help("write a word, or put the key in quotes")
            }
            // What is read asks for text at one place only, which is a key.
            Error::Unexpected { .. } => Problem::new("a list or a map cannot be a key")
                .help("write one word or text before the colon"),
            Error::RecursiveReferencesRequireWeakTypes { .. } => {
                Problem::new("this alias stands inside what it stands for")
                    .help("write out what is meant")
            }
            Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => too_deep(),
            Error::Budget { .. }
            | Error::AliasReplayLimitExceeded { .. }
            | Error::AliasExpansionLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. }
            | Error::AliasReplayCounterOverflow { .. } => too_much(),
            Error::AliasError { error, .. } => return self.problem(error),
            Error::ExternalMessage { msg, .. } if msg.contains("recursion limit") => too_deep(),
            _ => Problem::new(format!(
                "this is not YAML: {}",
                DefaultMessageFormatter.format_message(error)
            )),
        };
        match error.location() {
            Some(location) => problem.at(self.mark(location)),
            None => problem.at(Mark { source: self.source, start: 0, end: 0 }),
        }
    }
}

fn too_deep() -> Problem {
    Problem::new(format!("lists and maps are nested deeper than {MAX_DEPTH} levels"))
        .help("write it flatter")
}

fn too_much() -> Problem {
    Problem::new(format!(
        "the file has too many values: more than {MAX_NODES} when its aliases are written out"
    ))
    .help("use fewer aliases, or split the file")
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(i64::try_from(value).map_or(Raw::Float(value as f64), Raw::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Raw, E> {
        Ok(Raw::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}
