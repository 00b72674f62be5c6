//! Patches: changes to a tree, in one dialect for every kind of experiment.
//!
//! A path is dotted: `components.api.instances`. A segment with a dot in it stands in double
//! quotes. In a list, a segment is the number of an element, counted from 0, or its word: `retry`
//! is the content of the element `{retry: ...}`, the element whose `name` is `retry`, or the
//! element that is the bare word `retry`. An element's number may change when an earlier patch
//! removes one.

use super::at::{At, Name};
use super::node::{Key, Node, Value};
use super::path;
use super::read::{MAX_DEPTH, MAX_FILE_BYTES, read_part};
use super::source::{Mark, Problem, Sources};
use super::words::did_you_mean;

/// One change to a tree. The value keeps its own place, so that a message about it points into the
/// patch.
#[derive(Clone, Debug, PartialEq)]
pub enum Patch {
    /// Gives `path` this value, whatever was there. All but the last segment must exist; the last
    /// may be a word of a map that was left at its default.
    Set {
        /// The dotted path.
        path: Name,
        /// What stands there afterwards.
        value: Node,
    },
    /// Adds to `path`: elements to the end of a list (each element, if the value is a list), new
    /// keys to a map. If only the last segment does not exist, the value stands there afterwards.
    Add {
        /// The dotted path.
        path: Name,
        /// What is added.
        value: Node,
    },
    /// Removes what is at `path`.
    Remove {
        /// The dotted path.
        path: Name,
    },
}

impl Patch {
    /// The dotted path that it changes.
    pub fn path(&self) -> &Name {
        match self {
            Patch::Set { path, .. } | Patch::Add { path, .. } | Patch::Remove { path } => path,
        }
    }

    /// Whether this patch sets or removes the place of `other`, or one around it.
    pub fn changes_the_place_of(&self, other: &Patch) -> bool {
        let paths = (path::split(&self.path().value), path::split(&other.path().value));
        match (self, paths) {
            (Patch::Set { .. } | Patch::Remove { .. }, (Ok(own), Ok(other))) => {
                other.starts_with(&own)
            }
            _ => false,
        }
    }

    /// Whether this patch, applied after `earlier`, changes what that one has done: it sets or
    /// removes the same place, a place around it, or one inside what it has put there. Doing the
    /// same once more changes nothing, and neither does adding.
    pub fn overrides(&self, earlier: &Patch) -> bool {
        let (Ok(own), Ok(other)) =
            (path::split(&self.path().value), path::split(&earlier.path().value))
        else {
            return false;
        };
        let is_same = match (self, earlier) {
            (Patch::Set { value, .. }, Patch::Set { value: before, .. }) => {
                own == other && value.to_json() == before.to_json()
            }
            _ => false,
        };
        let inside = match earlier {
            Patch::Set { .. } => own.starts_with(&other),
            Patch::Add { value: Node { value: Value::Map(added), .. }, .. } => {
                own.starts_with(&other)
                    && own
                        .get(other.len())
                        .is_some_and(|next| added.iter().any(|(key, _)| key.text == *next))
            }
            _ => false,
        };
        match self {
            Patch::Add { .. } => false,
            _ => !is_same && (other.starts_with(&own) || inside),
        }
    }
}

/// Changes the tree `root`. After an error it is as it was before.
///
/// # Errors
///
/// The path is not one, or leads to what does not exist or has nothing inside; a key to add exists
/// already; a word in a list is the word of several elements; the result would be nested too deep.
pub fn apply(root: &mut Node, patch: &Patch) -> Result<(), Problem> {
    let name = patch.path();
    let wrong =
        |what: &str| Problem::new(format!("the path `{}` {what}", name.value)).at(name.mark);
    let segments = path::split(&name.value).map_err(|what| {
        wrong(what).help("write words with dots between, such as `components.api.instances`")
    })?;
    let Some((leaf, parents)) = segments.split_last() else {
        return Err(wrong("is empty"));
    };
    // A step through a list can be two levels: the element and its content.
    let added = match patch {
        Patch::Set { value, .. } | Patch::Add { value, .. } => depth(value),
        Patch::Remove { .. } => 0,
    };
    if 2 * segments.len() + added > 2 * MAX_DEPTH {
        return Err(wrong("would nest its value too deep"));
    }
    let mut parent = root;
    for (count, segment) in parents.iter().enumerate() {
        let at = Place { name, before: &parents[..count] };
        let Some(spot) = at.find(parent, segment)? else {
            return Err(at.missing(parent, segment));
        };
        parent = spot.node(parent).ok_or_else(|| wrong("leads nowhere"))?;
    }
    let place = Place { name, before: parents };
    match patch {
        Patch::Set { value, .. } => place.set(parent, leaf, value),
        Patch::Add { value, .. } => place.add(parent, leaf, value),
        Patch::Remove { .. } => place.remove(parent, leaf),
    }
}

/// Reads the argument `path=value` of an option `--set`. The value is YAML.
///
/// # Errors
///
/// There is no `=`, nothing after it, or the value is not YAML.
pub fn parse_set_argument(sources: &mut Sources, text: &str) -> Result<Patch, Problem> {
    const HOW: &str = "write `path=value`, such as `components.api.instances=8`";
    if text.len() > MAX_FILE_BYTES {
        return Err(Problem::new("the argument of --set is too long").help(HOW));
    }
    let source = sources.add("--set", text);
    let whole = Mark { source, start: 0, end: text.len() as u32 };
    let mut quoted = false;
    let equals = text.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b'=' && !quoted
    });
    let Some(equals) = equals else {
        return Err(Problem::new(format!("`{text}` sets nothing")).help(HOW).at(whole));
    };
    let (path, value) = (text[..equals].trim(), text[equals + 1..].trim());
    if path.is_empty() || value.is_empty() {
        return Err(Problem::new(format!("`{text}` sets nothing")).help(HOW).at(whole));
    }
    let start = (text.len() - text.trim_start().len()) as u32;
    let mark = Mark { source, start, end: start + path.len() as u32 };
    let value = read_part(source, text, equals + 1)?;
    Ok(Patch::Set { path: At { value: path.to_owned(), mark }, value })
}

/// How deep a tree is nested; a scalar has depth 0.
fn depth(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(entries) => 1 + entries.iter().map(|(_, node)| depth(node)).max().unwrap_or(0),
        _ => 0,
    }
}

/// Where a segment leads from its parent.
enum Spot {
    /// The entry of a map.
    Entry(usize),
    /// The element of a list.
    Element(usize),
    /// The content of an element `{word: content}`.
    Content(usize),
}

impl Spot {
    fn node<'a>(&self, parent: &'a mut Node) -> Option<&'a mut Node> {
        match (self, &mut parent.value) {
            (Spot::Entry(index), Value::Map(entries)) => {
                entries.get_mut(*index).map(|(_, node)| node)
            }
            (Spot::Element(index), Value::List(items)) => items.get_mut(*index),
            (Spot::Content(index), Value::List(items)) => match &mut items.get_mut(*index)?.value {
                Value::Map(entries) => entries.first_mut().map(|(_, node)| node),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The place in a patch's path up to which it was followed.
struct Place<'a> {
    name: &'a Name,
    before: &'a [String],
}

impl Place<'_> {
    fn problem(&self, what: String) -> Problem {
        Problem::new(what).at(self.name.mark)
    }

    /// The part of the path that was followed, for messages.
    fn here(&self) -> String {
        if self.before.is_empty() {
            "the top level".to_owned()
        } else {
            format!("`{}`", path::join(self.before.iter().map(String::as_str)))
        }
    }

    /// Where `segment` leads from `parent`; nothing if it does not exist there.
    fn find(&self, parent: &Node, segment: &str) -> Result<Option<Spot>, Problem> {
        match &parent.value {
            Value::Map(entries) => {
                Ok(entries.iter().position(|(key, _)| key.text == segment).map(Spot::Entry))
            }
            Value::List(items) => {
                if let Ok(index) = segment.parse::<usize>() {
                    return Ok((index < items.len()).then_some(Spot::Element(index)));
                }
                let mut found = items
                    .iter()
                    .enumerate()
                    .filter_map(|(index, item)| named(item, index, segment));
                let first = found.next();
                if found.next().is_some() {
                    let what = format!("several elements of {} are `{segment}`", self.here());
                    return Err(self.problem(what).help("write its number, counted from 0"));
                }
                Ok(first)
            }
            Value::Null => Err(self
                .problem(format!("patches what does not exist: {} is empty", self.here()))
                .help("set it as a whole")),
            scalar => Err(self
                .problem(format!(
                    "patches what does not exist: {} is {}, which has nothing inside",
                    self.here(),
                    scalar.describe()
                ))
                .help("set it as a whole")),
        }
    }

    /// The problem that `segment` does not exist in `parent`.
    fn missing(&self, parent: &Node, segment: &str) -> Problem {
        let (known, list) = match &parent.value {
            Value::Map(entries) => {
                (entries.iter().map(|(key, _)| key.text.as_str()).collect(), false)
            }
            Value::List(items) => (items.iter().filter_map(word).collect::<Vec<&str>>(), true),
            _ => (Vec::new(), false),
        };
        let place = match self.before {
            [] => "at the top level".to_owned(),
            _ => format!("{} {}", if list { "in" } else { "under" }, self.here()),
        };
        let mut problem =
            self.problem(format!("patches what does not exist: no `{segment}` {place}"));
        problem.help = did_you_mean(segment, known.iter().copied());
        problem
    }

    fn set(&self, parent: &mut Node, leaf: &str, value: &Node) -> Result<(), Problem> {
        let spot = self.find(parent, leaf)?;
        if let Some(node) = spot.as_ref().and_then(|spot| spot.node(parent)) {
            *node = value.clone();
            return Ok(());
        }
        match &mut parent.value {
            Value::Map(entries) => {
                let key = Key { text: leaf.to_owned(), mark: self.name.mark };
                entries.push((key, value.clone()));
                Ok(())
            }
            _ => {
                let problem = self.missing(parent, leaf);
                Err(if problem.help.is_none() {
                    problem.help("use `add` for a new element")
                } else {
                    problem
                })
            }
        }
    }

    fn add(&self, parent: &mut Node, leaf: &str, value: &Node) -> Result<(), Problem> {
        let spot = self.find(parent, leaf)?;
        let Some(node) = spot.as_ref().and_then(|spot| spot.node(parent)) else {
            return self.set(parent, leaf, value);
        };
        match (&mut node.value, &value.value) {
            (Value::Null, _) => *node = value.clone(),
            (Value::List(items), Value::List(more)) => items.extend(more.iter().cloned()),
            (Value::List(items), _) => items.push(value.clone()),
            (Value::Map(entries), Value::Map(more)) => {
                let twice = more
                    .iter()
                    .find(|(new, _)| entries.iter().any(|(key, _)| key.text == new.text));
                if let Some((key, _)) = twice {
                    let what = format!("`{}` has `{}` already", self.name.value, key.text);
                    return Err(Problem::new(what).help("use `set` to replace it").at(key.mark));
                }
                entries.extend(more.iter().cloned());
            }
            (Value::Map(_), _) => {
                let what = format!(
                    "`{}` is a map, and {} cannot be added to it",
                    self.name.value,
                    value.value.describe()
                );
                return Err(Problem::new(what).help("add a map of new keys").at(value.mark));
            }
            (scalar, _) => {
                let what = format!(
                    "nothing can be added to `{}`: it is {}",
                    self.name.value,
                    scalar.describe()
                );
                return Err(self.problem(what).help("use `set` to replace it"));
            }
        }
        Ok(())
    }

    fn remove(&self, parent: &mut Node, leaf: &str) -> Result<(), Problem> {
        match (self.find(parent, leaf)?, &mut parent.value) {
            (Some(Spot::Entry(index)), Value::Map(entries)) => {
                entries.remove(index);
                Ok(())
            }
            (Some(Spot::Element(index) | Spot::Content(index)), Value::List(items)) => {
                items.remove(index);
                Ok(())
            }
            _ => Err(self.missing(parent, leaf)),
        }
    }
}

/// Where the word `segment` leads in the list element `item`, if it is that element's word.
fn named(item: &Node, index: usize, segment: &str) -> Option<Spot> {
    let is_named = |node: &Node| match node.get("name").map(|name| &name.value) {
        Some(Value::Text(name)) => name == segment,
        _ => false,
    };
    match &item.value {
        Value::Text(text) if text == segment => Some(Spot::Element(index)),
        Value::Map(_) if is_named(item) => Some(Spot::Element(index)),
        Value::Map(entries) => match entries.as_slice() {
            [(key, content)] if key.text == segment || is_named(content) => {
                Some(Spot::Content(index))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The word of a list element, for suggestions.
fn word(item: &Node) -> Option<&str> {
    match &item.value {
        Value::Text(text) => Some(text),
        Value::Map(entries) => match (item.get("name").map(|name| &name.value), entries.as_slice())
        {
            (Some(Value::Text(name)), _) => Some(name),
            (_, [(key, _)]) => Some(&key.text),
            _ => None,
        },
        _ => None,
    }
}
