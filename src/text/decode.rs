//! Decoding that reports every problem at once.
//!
//! A derived `Deserialize` stops at the first error. So the part that is wrong is set aside and
//! the rest is decoded again, until it succeeds. What is set aside is the smallest part that the
//! rest can do without: a map's entry or a list's element. That a word is missing which was itself
//! set aside is no news, and is not reported.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::de::De;
use super::error::{Error, Step, What};
use super::node::{Node, Value};
use super::path;
use super::source::Problem;

/// After this many problems the rest is not searched: the file is of another kind, or an attack.
pub const MAX_PROBLEMS: usize = 100;

/// What came of decoding.
#[derive(Clone, Debug)]
pub struct Decoded<T> {
    /// The value of what was left when everything wrong was set aside; absent if nothing could be
    /// left. Use it as the whole only if there is no problem.
    pub value: Option<T>,
    /// Everything that is wrong, in the order of the text.
    pub problems: Vec<Problem>,
    /// The keys and names that were set aside or stood in what was, sorted: a later check can know
    /// by them that a name is unknown only because its definition has a problem of its own.
    pub removed: Vec<String>,
}

/// Decodes a tree, and reports all that is wrong with it.
///
/// Two problems are reported only after another is mended: the second word missing in one map
/// (serde names one at a time), and those beside another in the same tuple.
pub fn decode<T: DeserializeOwned>(node: &Node) -> Decoded<T> {
    let mut pruned = Pruned::default();
    let mut problems = Vec::new();
    let mut reported: Vec<Error> = Vec::new();
    let mut removed = Vec::new();
    let value = loop {
        let error = match T::deserialize(De::new(node, &pruned)) {
            Ok(value) => break Some(value),
            Err(error) => error,
        };
        let steps = error.steps();
        let news = !follows(&error, node, &pruned, &steps)
            && !reported.iter().any(|earlier| error.repeats(earlier));
        if news {
            problems.push(error.problem(&path_of(&error, node, &steps), node.mark));
            reported.push(error);
        }
        let Some(last) = steps.iter().rposition(|step| !step.rigid) else {
            break None;
        };
        pruned.remove(&steps[..=last]);
        names_below(node, &steps[..=last], &mut removed);
        if problems.len() >= MAX_PROBLEMS {
            problems.push(Problem::new(format!("more than {MAX_PROBLEMS} problems")));
            break None;
        }
    };
    problems.sort_by_key(|problem| problem.mark.map_or((1, None), |mark| (0, Some(mark))));
    removed.sort();
    removed.dedup();
    Decoded { value, problems, removed }
}

/// The parts of a tree that are set aside, as a tree of the same shape.
#[derive(Debug, Default)]
pub(super) struct Pruned {
    gone: bool,
    children: BTreeMap<usize, Pruned>,
}

impl Pruned {
    /// What is set aside in a child.
    pub(super) fn child(&self, index: usize) -> &Pruned {
        static NOTHING: Pruned = Pruned { gone: false, children: BTreeMap::new() };
        self.children.get(&index).unwrap_or(&NOTHING)
    }

    /// Whether this part itself is set aside.
    pub(super) fn gone(&self) -> bool {
        self.gone
    }

    fn remove(&mut self, steps: &[Step]) {
        let mut at = self;
        for step in steps {
            at = at.children.entry(step.index).or_default();
        }
        at.gone = true;
    }
}

/// Whether an error only follows from what was set aside before: a word is missing that was there,
/// or a type finds fault (too few elements, say) with a value of which a part is gone.
fn follows(error: &Error, root: &Node, pruned: &Pruned, steps: &[Step]) -> bool {
    let pruned = steps.iter().fold(pruned, |at, step| at.child(step.index));
    let mut gone = pruned.children.iter().filter(|(_, child)| child.gone).map(|(&index, _)| index);
    match error.what() {
        What::Missing { word } => match walk(root, steps).map(|node| &node.value) {
            Some(Value::Map(entries)) => {
                gone.any(|index| entries.get(index).is_some_and(|(key, _)| key.text == *word))
            }
            _ => false,
        },
        What::Other { .. } | What::Wrong { .. } => gone.next().is_some(),
        What::Unknown { .. } => false,
    }
}

fn child(node: &Node, index: usize) -> Option<(Option<&str>, &Node)> {
    match &node.value {
        Value::List(items) => items.get(index).map(|item| (None, item)),
        Value::Map(entries) => {
            entries.get(index).map(|(key, value)| (Some(key.text.as_str()), value))
        }
        _ => None,
    }
}

fn walk<'a>(root: &'a Node, steps: &[Step]) -> Option<&'a Node> {
    steps.iter().try_fold(root, |node, step| child(node, step.index).map(|(_, node)| node))
}

/// The dotted path of the place that a message names. An unknown key is in the map around it.
fn path_of(error: &Error, root: &Node, steps: &[Step]) -> String {
    let mut segments = Vec::new();
    let mut node = root;
    for step in steps {
        let Some((key, next)) = child(node, step.index) else {
            break;
        };
        segments.push(key.map_or_else(|| step.index.to_string(), str::to_owned));
        node = next;
    }
    if error.is_unknown_key() {
        segments.pop();
    }
    path::join(segments.iter().map(String::as_str))
}

/// Collects the key at the end of `steps`, and all keys and names below it.
fn names_below(root: &Node, steps: &[Step], names: &mut Vec<String>) {
    let Some((last, before)) = steps.split_last() else {
        return;
    };
    if let Some((key, node)) = walk(root, before).and_then(|parent| child(parent, last.index)) {
        names.extend(key.map(str::to_owned));
        names_in(node, names);
    }
}

fn names_in(node: &Node, names: &mut Vec<String>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| names_in(item, names)),
        Value::Map(entries) => {
            for (key, value) in entries {
                names.push(key.text.clone());
                match &value.value {
                    Value::Text(name) if key.text == "name" => names.push(name.clone()),
                    _ => names_in(value, names),
                }
            }
        }
        _ => {}
    }
}
