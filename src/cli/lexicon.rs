//! Every word of the language with its meaning, out of the JSON Schemas of files.
//!
//! The doc comments of the types are the only source: they become the schema's descriptions, and
//! here they become the help. A word that stands in many places (a distribution, a layer) is kept
//! once, at the place nearest to the root of its file.

use super::schema::{self, Kind};
use serde_json::Value;
use std::collections::{BTreeSet, VecDeque};

/// Stands in paths for a name that the user gives.
pub const ANY_NAME: &str = "NAME";

/// A word of the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word itself: a key, or a value such as `fifo`.
    pub word: String,
    /// Which kind of file it stands in.
    pub file: Kind,
    /// Where it stands: `components.NAME.line.capacity`.
    pub path: Vec<String>,
    /// Whether it is a value of the key at the end of its path, not a key itself.
    pub is_value: bool,
    /// The type that has it, as the schema calls it: `Line`; empty for the file itself.
    pub owner: String,
    /// What it means.
    pub doc: String,
    /// What stands behind it, in words.
    pub takes: String,
    /// The words inside.
    pub inside: Vec<String>,
    /// The default as JSON, if the schema states one.
    pub default: Option<String>,
    /// Whether it must be there.
    pub is_required: bool,
}

impl Word {
    /// The place as a file would show it: `components.NAME.line.discipline: fifo`.
    pub fn place(&self) -> String {
        let path = self.path.join(".");
        if self.is_value { format!("{path}: {}", self.word) } else { path }
    }
}

/// All words of all kinds of file, those nearest to the root first.
pub fn words() -> Vec<Word> {
    Kind::ALL.iter().flat_map(|&kind| words_of(kind)).collect()
}

/// Words of types: all values or keys that a type such as `Status` or `Arrivals` offers.
pub fn members<'a>(words: &'a [Word], owner: &str) -> Vec<&'a Word> {
    words.iter().filter(|word| word.owner == owner).collect()
}

/// What is still to be looked at.
struct Task<'s> {
    path: Vec<String>,
    owner: String,
    /// The description of the alternative that it is, for its key.
    doc: Option<&'s str>,
    schema: &'s Value,
}

fn words_of(kind: Kind) -> Vec<Word> {
    let root = schema::of(kind);
    let mut walk = Walk { root: &root, kind, seen: BTreeSet::new(), words: Vec::new() };
    let start = Task { path: Vec::new(), owner: String::new(), doc: None, schema: &root };
    let mut tasks = VecDeque::from([start]);
    while let Some(task) = tasks.pop_front() {
        walk.visit(task, &mut tasks);
    }
    walk.words
}

struct Walk<'s> {
    root: &'s Value,
    kind: Kind,
    seen: BTreeSet<&'s str>,
    words: Vec<Word>,
}

impl<'s> Walk<'s> {
    fn visit(&mut self, task: Task<'s>, tasks: &mut VecDeque<Task<'s>>) {
        let schema = task.schema;
        if let Some((name, target)) = self.target(schema) {
            if self.seen.insert(name) {
                let (path, owner) = (task.path, name.to_owned());
                tasks.push_back(Task { path, owner, doc: None, schema: target });
            }
            return;
        }
        let deeper = |path: Vec<String>, schema| Task {
            path,
            owner: task.owner.clone(),
            doc: description(schema),
            schema,
        };
        for (key, inside) in object(schema, "properties") {
            self.keep(&task, key, inside);
            let path = [&task.path[..], std::slice::from_ref(key)].concat();
            tasks.push_back(Task { owner: key.clone(), ..deeper(path, inside) });
        }
        if let Some(inside) = schema.get("additionalProperties").filter(|s| s.is_object()) {
            let path = [&task.path[..], &[ANY_NAME.to_owned()]].concat();
            tasks.push_back(deeper(path, inside));
        }
        let several = ["oneOf", "anyOf", "allOf", "prefixItems"];
        let inside = several.iter().flat_map(|word| list(schema, word)).chain(schema.get("items"));
        let whole = description(schema).or(task.doc);
        for inside in inside {
            let alternative = deeper(task.path.clone(), inside);
            tasks.push_back(Task { doc: alternative.doc.or(whole), ..alternative });
        }
        self.keep_values(&task);
    }

    /// The definition that a schema refers to, and its name.
    fn target(&self, schema: &'s Value) -> Option<(&'s str, &'s Value)> {
        let name = schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
        Some((name, self.root.get("$defs")?.get(name)?))
    }

    fn keep(&mut self, task: &Task<'s>, key: &str, inside: &'s Value) {
        let behind = self.target(inside).map(|(_, target)| target);
        let doc = description(inside).or(task.doc).or(behind.and_then(description));
        let required = list(task.schema, "required").any(|word| word.as_str() == Some(key));
        let is_alternative = required && object(task.schema, "properties").count() == 1;
        self.words.push(Word {
            word: key.to_owned(),
            file: self.kind,
            path: [&task.path[..], &[key.to_owned()]].concat(),
            is_value: false,
            owner: task.owner.clone(),
            doc: doc.unwrap_or_default().to_owned(),
            takes: self.takes(inside),
            inside: self.inside(inside, 0),
            default: inside.get("default").filter(|d| !d.is_null()).map(Value::to_string),
            is_required: required && !is_alternative,
        });
    }

    /// Keeps what a schema lists as possible texts.
    fn keep_values(&mut self, task: &Task<'s>) {
        let schema = task.schema;
        let values = schema.get("const").into_iter().chain(list(schema, "enum"));
        for word in values.filter_map(Value::as_str).filter(|word| !is_yes_or_no(word)) {
            self.words.push(Word {
                word: word.to_owned(),
                file: self.kind,
                path: task.path.clone(),
                is_value: true,
                owner: task.owner.clone(),
                doc: description(schema).or(task.doc).unwrap_or_default().to_owned(),
                takes: String::new(),
                inside: Vec::new(),
                default: None,
                is_required: false,
            });
        }
    }

    /// What a schema wants, in words.
    fn takes(&self, schema: &'s Value) -> String {
        if let Some((_, target)) = self.target(schema) {
            let is_map = object(target, "properties").next().is_some();
            return match description(target) {
                _ if is_map => "a map".to_owned(),
                Some(doc) => doc.to_owned(),
                None => self.takes(target),
            };
        }
        let alternatives: Vec<String> = ["oneOf", "anyOf"]
            .iter()
            .flat_map(|word| list(schema, word))
            .filter(|inside| inside.get("type").and_then(Value::as_str) != Some("null"))
            .map(|inside| self.takes(inside))
            .filter(|words| !words.is_empty())
            .collect();
        if !alternatives.is_empty() {
            return alternatives.join(", or ");
        }
        if let Some(word) = schema.get("const").and_then(Value::as_str) {
            return format!("`{word}`");
        }
        if list(schema, "enum").any(|word| word.as_str().is_some_and(is_yes_or_no)) {
            return "`yes` or `no`".to_owned();
        }
        let kind = schema.get("type").map(|kind| match kind {
            Value::Array(kinds) => kinds.first().and_then(Value::as_str).unwrap_or(""),
            kind => kind.as_str().unwrap_or(""),
        });
        let words = match kind {
            Some("integer") => "a whole number",
            Some("number") => "a number",
            Some("string") => "a text",
            Some("array") => "a list",
            Some("object") => "a map",
            _ => "",
        };
        words.to_owned()
    }

    /// The words that may stand inside.
    fn inside(&self, schema: &'s Value, depth: usize) -> Vec<String> {
        // Definitions refer to each other; the words of one stand a few steps away at most.
        if depth > 4 {
            return Vec::new();
        }
        if let Some((_, target)) = self.target(schema) {
            return self.inside(target, depth + 1);
        }
        let keys = object(schema, "properties").map(|(key, _)| key.clone());
        let values = schema.get("const").into_iter().chain(list(schema, "enum"));
        let values = values.filter_map(Value::as_str).filter(|word| !is_yes_or_no(word));
        let mut words: Vec<String> = keys.chain(values.map(str::to_owned)).collect();
        let maps = schema.get("additionalProperties").filter(|inside| inside.is_object());
        let several = ["oneOf", "anyOf"].iter().flat_map(|word| list(schema, word));
        for inside in several.chain(schema.get("items")).chain(maps) {
            words.extend(self.inside(inside, depth + 1));
        }
        words
    }
}

fn is_yes_or_no(word: &str) -> bool {
    word == "yes" || word == "no"
}

fn description(schema: &Value) -> Option<&str> {
    schema.get("description")?.as_str()
}

fn object<'s>(schema: &'s Value, word: &str) -> impl Iterator<Item = (&'s String, &'s Value)> {
    schema.get(word).and_then(Value::as_object).into_iter().flatten()
}

fn list<'s>(schema: &'s Value, word: &str) -> impl Iterator<Item = &'s Value> {
    schema.get(word).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_at_their_places_with_their_meaning() {
        let words = words();
        let find = |place: &str| words.iter().find(|word| word.place() == place);
        let capacity = find("components.NAME.line.capacity").unwrap();
        assert!(capacity.doc.contains("Places in the line"), "{capacity:?}");
        assert!(capacity.takes.contains("unlimited"));
        let lifo = find("components.NAME.line.discipline: lifo").unwrap();
        assert!(lifo.doc.contains("Last in"), "{lifo:?}");
        let horizon = find("horizon").unwrap();
        assert!(horizon.is_required && horizon.takes.contains("length of time"));
        assert!(find("components").unwrap().inside.contains(&"instances".to_owned()));
    }

    #[test]
    fn every_word_is_documented() {
        let silent: Vec<String> =
            words().iter().filter(|word| word.doc.is_empty()).map(Word::place).collect();
        assert!(silent.is_empty(), "{silent:?}");
    }

    #[test]
    fn the_members_of_a_type_are_its_words() {
        let words = words();
        let of = |owner| members(&words, owner).iter().map(|w| w.word.as_str()).collect::<Vec<_>>();
        assert!(of("Arrivals").starts_with(&["poisson", "constant"]));
        assert!(of("Status").contains(&"rate_limited"));
        assert!(of("Dist").contains(&"lognormal") && of("Dist").contains(&"fixed"));
    }
}
