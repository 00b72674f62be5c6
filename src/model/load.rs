//! Reading a model from text.

use super::Model;
use crate::text::{Node, Patch, Problem, Sources, Value, apply, decode, read};

/// What came of reading a model.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The model; if there are problems, what was left when everything wrong was set aside.
    pub model: Option<Model>,
    /// The tree that it was decoded from, patched.
    pub node: Option<Node>,
    /// What is wrong.
    pub problems: Vec<Problem>,
    /// Words and names that were set aside (see [`crate::text::Decoded::removed`]).
    pub removed: Vec<String>,
}

/// Reads a model, applies patches in order, and decodes it. Use it only if there are no problems;
/// what is left otherwise serves to find further ones.
pub fn load(sources: &mut Sources, name: &str, text: &str, patches: &[Patch]) -> Loaded {
    let mut node = match read(sources, name, text) {
        Ok(node) => node,
        Err(problems) => {
            return Loaded { model: None, node: None, problems, removed: Vec::new() };
        }
    };
    let failed = patches.iter().filter_map(|patch| apply(&mut node, patch).err());
    let mut problems: Vec<Problem> = failed.collect();
    let decoded = decode::<Model>(&node);
    problems.extend(decoded.problems);
    problems.extend(missing_words(&node));
    Loaded { model: decoded.value, node: Some(node), problems, removed: decoded.removed }
}

/// The words that every model has.
pub const REQUIRED: [&str; 4] = ["name", "horizon", "clients", "components"];

/// Complains of each required word that a model file does not have.
pub fn missing_words(node: &Node) -> Vec<Problem> {
    let Value::Map(_) = node.value else { return Vec::new() };
    let missing = REQUIRED.iter().filter(|word| node.get(word).is_none());
    let complain = |word: &&str| {
        Problem::new(format!("`{word}` is missing in the file"))
            .help(format!("add `{word}: ...`"))
            .at(node.mark)
    };
    missing.map(complain).collect()
}
