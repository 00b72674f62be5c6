//! From a model and its patches to something that can be run.

use super::draw::Draw;
use crate::measure::{Measure, measures};
use crate::model::Model;
use crate::model::load::missing_words;
use crate::plan::{CompileContext, Plan, compile};
use crate::text::{Node, Patch, Problem, Value, apply, decode};
use std::collections::BTreeMap;

/// What is read only once: the model's tree and the files that its distributions name.
#[derive(Debug, Clone, Default)]
pub struct Files(BTreeMap<String, Result<String, String>>);

impl Files {
    /// Reads a file, or remembers it.
    pub fn read(
        &mut self,
        path: &str,
        read: &mut dyn FnMut(&str) -> Result<String, String>,
    ) -> Result<String, String> {
        self.0.entry(path.to_owned()).or_insert_with(|| read(path)).clone()
    }

    fn remembered(&self, path: &str) -> Result<String, String> {
        self.0.get(path).cloned().unwrap_or_else(|| Err(format!("`{path}` was not read before")))
    }
}

/// A patched model, compiled, with its measures.
#[derive(Debug)]
pub struct Setup {
    /// The variant's name, or the values of a sweep's point.
    pub name: String,
    /// What makes it of the model.
    pub patches: Vec<Patch>,
    /// The plan; if there are uncertain inputs, that of their first draw.
    pub plan: Plan,
    /// Its measures.
    pub measures: Vec<Measure>,
    source: Source,
}

/// Where the plan of a replica comes from.
#[derive(Debug)]
enum Source {
    /// Every replica has the same plan.
    Same,
    /// The tree before its draws.
    Drawn(Node),
}

/// A plan or what is wrong with the model, which may be left in part.
pub struct Compiled {
    /// The model as it was decoded, if it could be.
    pub model: Option<Model>,
    /// The plan, or every problem.
    pub plan: Result<Plan, Vec<Problem>>,
}

/// Decodes and compiles a tree.
pub fn compile_tree(
    root: &Node,
    read_file: &mut dyn FnMut(&str) -> Result<String, String>,
) -> Compiled {
    let decoded = decode::<Model>(root);
    let mut problems = decoded.problems;
    problems.extend(missing_words(root));
    let Some(model) = decoded.value else { return Compiled { model: None, plan: Err(problems) } };
    let mut context = CompileContext { read_file, removed: &decoded.removed, root: Some(root) };
    let plan = match compile(&model, 0, &mut context) {
        Ok(plan) if problems.is_empty() => Ok(plan),
        Ok(_) => Err(problems),
        Err(more) => {
            problems.extend(more);
            Err(problems)
        }
    };
    Compiled { model: Some(model), plan }
}

/// The tree without its statements of origin: a patch may remove what they speak of, and they were
/// checked with the model itself.
pub fn without_origins(mut root: Node) -> Node {
    if let Value::Map(entries) = &mut root.value {
        entries.retain(|(key, _)| key.text != "origins");
    }
    root
}

impl Setup {
    /// Compiles the model `base` with the first draw of the uncertain inputs and then the patches:
    /// what a variant sets wins over what is drawn.
    ///
    /// # Errors
    /// Patches that change nothing, and everything that is wrong with the patched model.
    pub fn new(
        name: String,
        base: &Node,
        draws: &[Draw],
        patches: Vec<Patch>,
        read_file: &mut dyn FnMut(&str) -> Result<String, String>,
    ) -> Result<Setup, Vec<Problem>> {
        let root = patched(base, draws.iter().map(|draw| draw.patch(0, 0).1), &patches)?;
        let plan = compile_tree(&root, read_file).plan?;
        let measures = measures(&plan);
        let source = match draws.is_empty() {
            true => Source::Same,
            false => Source::Drawn(base.clone()),
        };
        Ok(Setup { name, patches, plan, measures, source })
    }

    /// The plan of a replica with its drawn inputs, in the order of `draws`; none if there are no
    /// draws, and [`Setup::plan`] is that of every replica.
    ///
    /// # Errors
    /// What is wrong with the model that the draws make.
    pub(super) fn drawn(
        &self,
        replica: u64,
        seed: u64,
        draws: &[Draw],
        files: &Files,
    ) -> Result<Option<(Plan, Vec<f64>)>, Vec<Problem>> {
        let Source::Drawn(base) = &self.source else { return Ok(None) };
        let (values, drawn): (Vec<f64>, Vec<Patch>) =
            draws.iter().map(|draw| draw.patch(seed, replica)).unzip();
        let root = patched(base, drawn.into_iter(), &self.patches)?;
        let decoded = decode::<Model>(&root);
        let Some(model) = decoded.value.filter(|_| decoded.problems.is_empty()) else {
            return Err(decoded.problems);
        };
        let mut read = |path: &str| files.remembered(path);
        let plan = compile(&model, seed, &mut CompileContext::new(&mut read))?;
        Ok(Some((plan, values)))
    }

    /// The place of a measure's column.
    #[must_use]
    pub fn column(&self, measure: &str) -> Option<usize> {
        self.measures.iter().position(|m| m.name == measure)
    }
}

/// The tree with the draws and then the patches applied, reporting every patch that fails.
fn patched(
    base: &Node,
    drawn: impl Iterator<Item = Patch>,
    patches: &[Patch],
) -> Result<Node, Vec<Problem>> {
    let mut root = base.clone();
    let mut problems = Vec::new();
    for patch in drawn {
        problems.extend(apply(&mut root, &patch).err());
    }
    for patch in patches {
        problems.extend(apply(&mut root, patch).err());
    }
    if problems.is_empty() { Ok(root) } else { Err(problems) }
}
