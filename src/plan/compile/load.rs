//! A file's text to a plan.

use super::{CompileContext, compile, in_order};
use crate::model::Model;
use crate::model::load::load;
use crate::plan::Plan;
use crate::text::{Node, Patch, Problem, Sources};

/// Reads a model, patches it and compiles it. Problems of its structure and of its meaning are
/// reported together, in the order of the text; what is only the consequence of another problem
/// (a name is unknown because its definition is broken) is not.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_and_compile(
    sources: &mut Sources,
    name: &str,
    text: &str,
    patches: &[Patch],
    seed: u64,
    read_file: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Result<(Model, Node, Plan), Vec<Problem>> {
    let loaded = load(sources, name, text, patches);
    let mut problems = loaded.problems;
    if let (Some(model), Some(node)) = (loaded.model, loaded.node) {
        let context = CompileContext { read_file, removed: &loaded.removed, root: Some(&node) };
        let mut context = context;
        match compile(&model, seed, &mut context) {
            Ok(plan) if problems.is_empty() => return Ok((model, node, plan)),
            Ok(_) => {}
            Err(more) => problems.extend(more),
        }
    }
    Err(in_order(problems))
}
