//! Case files: an ordinary model, its runs, and an expression for each quantity.

use super::expression::{Expr, Op, Reference, Wrong, parse};
use super::sample::Place;
use crate::measure::Measure;
use crate::plan::Plan;
use crate::study::experiment::Variant;
use crate::study::{
    ReadFile, Setup, compile_tree, find, folder, in_order, patches_of, stem, without_origins,
};
use crate::text::{At, Mark, Name, Named, Node, Problem, Sources, Value, decode, read, unknown};
use serde::{Deserialize, Serialize};

/// What a case file says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// What it checks, in a line.
    pub about: String,
    /// What was chosen where the source leaves it open.
    pub semantics: Option<String>,
    /// Path of the model, from the folder of this file or from the current one.
    pub model: Name,
    /// The model's variants that are run. Left out: the model as it is.
    #[serde(default)]
    pub runs: Named<Variant>,
    /// How many replicas are run.
    #[serde(default)]
    pub replicas: Replicas,
    /// Whether the case belongs to the quick subset.
    #[serde(default)]
    pub quick: bool,
    /// The expression for each quantity; or a list of expressions that should all have its value,
    /// such as a number that does not depend on the law of the work.
    #[serde(default)]
    pub quantities: Named<At<Node>>,
    /// Quantities that a simulation cannot be compared with, and why.
    #[serde(default)]
    pub not_comparable: Named<String>,
}

/// How many replicas are run of each run.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Replicas {
    /// In the first stage, which tells how many are needed.
    pub first: u64,
    /// At most.
    pub at_most: u64,
}

impl Default for Replicas {
    fn default() -> Replicas {
        Replicas { first: 24, at_most: 20_000 }
    }
}

/// A case without problems, ready to run.
#[derive(Debug)]
pub struct Case {
    /// Its name, that of its file.
    pub id: String,
    /// Path of its file.
    pub path: String,
    /// Path under which its model was found.
    pub model_path: String,
    /// What it checks, in a line.
    pub about: String,
    /// What was chosen where the source leaves it open.
    pub semantics: Option<String>,
    /// Hash of the texts of its file and its model.
    pub hash: u64,
    /// Replicas of the first stage.
    pub first: u64,
    /// Replicas of one run at most.
    pub at_most: u64,
    /// Whether it belongs to the quick subset.
    pub quick: bool,
    /// The variants that are run.
    pub runs: Vec<Run>,
    /// What is estimated, in the order of the file.
    pub quantities: Vec<Quantity>,
}

/// A variant that is run.
#[derive(Debug)]
pub struct Run {
    /// Its name; empty for the model as it is.
    pub name: String,
    /// The compiled model.
    pub plan: Plan,
    /// The measures that are read.
    pub measures: Vec<Measure>,
    /// What is kept of each replica: expressions over places in `measures`.
    pub probes: Vec<Expr<usize>>,
}

/// A quantity of a case, or one of the expressions that should have its value.
#[derive(Debug)]
pub struct Quantity {
    /// Its name.
    pub name: Name,
    /// The expression as it is written; empty if there is none.
    pub text: String,
    /// The expression; none if it cannot be compared.
    pub expr: Option<Expr<Place>>,
    /// The runs that it reads.
    pub runs: Vec<usize>,
    /// Why it cannot be compared.
    pub why_not: Option<String>,
}

/// Reads a case and its model.
///
/// # Errors
/// Everything that is wrong with them, in the order of the texts.
pub fn read_case(
    sources: &mut Sources,
    path: &str,
    text: &str,
    read_file: ReadFile,
) -> Result<Case, Vec<Problem>> {
    let root = read(sources, path, text)?;
    let decoded = decode::<CaseFile>(&root);
    let mut problems = decoded.problems;
    let Some(file) = decoded.value else { return Err(in_order(problems)) };
    let (model_path, model_text) = match find(&folder(path), &file.model.value, read_file) {
        Ok(found) => found,
        Err(what) => {
            problems.push(Problem::new(what).at(file.model.mark));
            return Err(in_order(problems));
        }
    };
    let base = match read(sources, &model_path, &model_text) {
        Ok(base) => base,
        Err(more) => return Err(in_order([problems, more].concat())),
    };
    let beside = folder(&model_path);
    let mut data = |name: &str| find(&beside, name, read_file).map(|(_, text)| text);
    if let Err(more) = compile_tree(&base, &mut data).plan {
        return Err(in_order([problems, more].concat()));
    }
    let mut reader = Reader { file: &file, sources, root: &root, runs: Vec::new(), problems };
    reader.runs(&without_origins(base), &mut data);
    reader.replicas();
    let quantities = reader.quantities();
    let (runs, problems) = (reader.runs, reader.problems);
    if !problems.is_empty() {
        return Err(in_order(problems));
    }
    let runs = runs.into_iter().flatten().map(|run| run.finished()).collect();
    let hash = crate::rng::seed_of(0, 0, text, &model_text);
    Ok(Case {
        id: stem(path),
        path: path.to_owned(),
        model_path,
        hash,
        first: file.replicas.first,
        at_most: file.replicas.at_most,
        quick: file.quick,
        runs,
        quantities,
        about: file.about,
        semantics: file.semantics,
    })
}

/// A run while its probes are collected.
struct Draft {
    setup: Setup,
    used: Vec<usize>,
    probes: Vec<Expr<usize>>,
}

impl Draft {
    /// The place of a probe, which is added if it is new.
    fn probe(&mut self, probe: Expr<usize>) -> usize {
        self.probes.iter().position(|known| *known == probe).unwrap_or_else(|| {
            self.probes.push(probe);
            self.probes.len() - 1
        })
    }

    /// The place of a measure among those that are read.
    fn measure(&mut self, name: &str) -> Option<usize> {
        let column = self.setup.column(name)?;
        Some(self.used.iter().position(|known| *known == column).unwrap_or_else(|| {
            self.used.push(column);
            self.used.len() - 1
        }))
    }

    fn finished(self) -> Run {
        let Setup { name, plan, measures, .. } = self.setup;
        let mut all: Vec<Option<Measure>> = measures.into_iter().map(Some).collect();
        // Each is used once, because `used` has no repetitions.
        let measures = self.used.iter().filter_map(|&column| all[column].take()).collect();
        Run { name, plan, measures, probes: self.probes }
    }
}

struct Reader<'a> {
    file: &'a CaseFile,
    sources: &'a Sources,
    root: &'a Node,
    /// None where a run has a problem.
    runs: Vec<Option<Draft>>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn runs(&mut self, base: &Node, data: ReadFile) {
        let draft = |setup| Draft { setup, used: Vec::new(), probes: Vec::new() };
        if self.file.runs.is_empty() {
            let setup = Setup::new(String::new(), base, &[], Vec::new(), data);
            let setup = setup.map_err(|more| self.problems.extend(more)).ok();
            self.runs.push(setup.map(draft));
        }
        for (name, variant) in &self.file.runs {
            let patches = patches_of(&self.file.runs, name, variant).map_err(|one| vec![one]);
            let setup = patches
                .and_then(|patches| Setup::new(name.value.clone(), base, &[], patches, data));
            let own = self.root.mark.source;
            let placed = |mut problem: Problem| {
                if problem.mark.is_none_or(|mark| mark.source != own) {
                    problem.what =
                        format!("with `{}` the model has a problem: {}", name.value, problem.what);
                    problem = problem.at(name.mark);
                }
                problem
            };
            let setup =
                setup.map_err(|more| self.problems.extend(more.into_iter().map(placed))).ok();
            self.runs.push(setup.map(draft));
        }
    }

    fn replicas(&mut self) {
        const MOST: u64 = 100_000_000;
        let Replicas { first, at_most } = self.file.replicas;
        if first < 2 || at_most < first || at_most > MOST {
            let what = format!("{first} replicas first and {at_most} at most");
            let help = format!("at least 2 first, and from as many to {MOST} at most");
            self.problems.push(Problem::new(what).help(help).at(self.root.mark));
        }
    }

    fn quantities(&mut self) -> Vec<Quantity> {
        let file = self.file;
        let mut quantities = Vec::new();
        for (name, node) in &file.quantities {
            if file.not_comparable.get(&name.value).is_some() {
                let what = format!("`{}` has an expression and is not comparable", name.value);
                self.problems.push(Problem::new(what).help("remove one of the two").at(name.mark));
            }
            let texts = match &node.value.value {
                Value::List(items) => items.iter().map(|item| (item.mark, text_of(item))).collect(),
                _ => vec![(node.mark, text_of(&node.value))],
            };
            for (mark, text) in texts {
                match text {
                    Some(text) => quantities.extend(self.quantity(name, mark, text)),
                    None => {
                        let problem = Problem::new(format!("`{}` is not an expression", **name));
                        self.problems.push(problem.at(name.mark));
                    }
                }
            }
        }
        for (name, why) in &file.not_comparable {
            let (name, why_not) = (name.clone(), Some(why.clone()));
            let text = String::new();
            quantities.push(Quantity { name, text, expr: None, runs: Vec::new(), why_not });
        }
        quantities
    }

    fn quantity(&mut self, name: &Name, mark: Mark, text: String) -> Option<Quantity> {
        match self.expression(&text) {
            Ok((expr, runs)) => {
                let (name, expr, why_not) = (name.clone(), Some(expr), None);
                return Some(Quantity { name, text, expr, runs, why_not });
            }
            Err(Some(wrong)) => {
                let what = format!("`{}`: {}", name.value, wrong.what);
                let help = (!wrong.help.is_empty()).then_some(wrong.help);
                let problem = Problem { what, help, mark: None };
                self.problems.push(problem.at(self.inside(mark, &text, wrong.at)));
            }
            // The run has a problem of its own, which is known.
            Err(None) => {}
        }
        None
    }

    /// A place inside a text that stands on one line without quotes; else all of it.
    fn inside(&self, mark: Mark, text: &str, (from, to): (usize, usize)) -> Mark {
        let whole = self.sources.text(mark.source);
        let is_plain = whole.get(mark.start as usize..).is_some_and(|t| t.starts_with(text));
        match is_plain {
            true => Mark { start: mark.start + from as u32, end: mark.start + to as u32, ..mark },
            false => mark,
        }
    }

    /// An expression over columns, and the runs that it reads; no message if a run is not there.
    fn expression(&mut self, text: &str) -> Result<(Expr<Place>, Vec<usize>), Option<Wrong>> {
        let expr = parse(text).map_err(Some)?;
        let mut names = 0;
        expr.leaves(&mut |_| names += 1);
        if names == 0 {
            return Err(Some(Wrong {
                what: "the expression reads no measure".to_owned(),
                help: "a number that was not simulated proves nothing".to_owned(),
                at: (0, text.len()),
            }));
        }
        let leaf = |reader: &mut Self, name: &Reference| {
            let (run, measure) = reader.measure(name)?;
            let probe = reader.draft(run)?.probe(Expr::Leaf(measure));
            Ok(Place { run, probe, is_indicator: false })
        };
        let each = |reader: &mut Self, inner: &Expr<Reference>| reader.each(inner).map(Expr::Leaf);
        let expr = expr.resolve(self, &leaf, &each)?;
        let mut runs = Vec::new();
        expr.leaves(&mut |place: &Place| runs.push(place.run));
        runs.sort_unstable();
        runs.dedup();
        Ok((expr, runs))
    }

    /// What each replica of a run yields.
    fn each(&mut self, inner: &Expr<Reference>) -> Result<Place, Option<Wrong>> {
        let mut first: Option<usize> = None;
        let mut other = None;
        let mut names = Vec::new();
        inner.leaves(&mut |name: &Reference| names.push(name.clone()));
        for name in names {
            let (run, _) = self.measure(&name)?;
            if *first.get_or_insert(run) != run {
                other = Some(name.at);
            }
        }
        if let Some(at) = other {
            return Err(Some(Wrong {
                what: "`each` reads two runs".to_owned(),
                help: "replicas of different runs have nothing in common".to_owned(),
                at,
            }));
        }
        let leaf = |reader: &mut Self, name: &Reference| reader.measure(name).map(|(_, m)| m);
        // The reader refuses `each` inside `each`.
        let probe = inner.resolve(self, &leaf, &|_, _| Err(None))?;
        let run = first.ok_or(None)?;
        let is_indicator = is_indicator(&probe);
        Ok(Place { run, probe: self.draft(run)?.probe(probe), is_indicator })
    }

    fn draft(&mut self, run: usize) -> Result<&mut Draft, Option<Wrong>> {
        self.runs[run].as_mut().ok_or(None)
    }

    /// The run of a name, and the place of its measure.
    fn measure(&mut self, name: &Reference) -> Result<(usize, usize), Option<Wrong>> {
        let runs = &self.file.runs;
        let wrong = |problem: Problem| {
            Some(Wrong { what: problem.what, help: problem.help.unwrap_or_default(), at: name.at })
        };
        let run = match &name.run {
            None if runs.len() <= 1 => 0,
            None => {
                let what = format!("`{}` does not say of which run", name.measure);
                let example = runs.names().next().unwrap_or_default();
                let help = format!("write `{example}:{}`", name.measure);
                return Err(wrong(Problem::new(what).help(help)));
            }
            Some(run) => runs
                .names()
                .position(|known| known == run)
                .ok_or_else(|| wrong(unknown("run", &Name::nowhere(run.clone()), runs.names())))?,
        };
        let draft = self.runs[run].as_mut().ok_or(None)?;
        if let Some(measure) = draft.measure(&name.measure) {
            return Ok((run, measure));
        }
        let known = draft.setup.measures.iter().map(|measure| measure.name.as_str());
        Err(wrong(unknown("measure", &Name::nowhere(name.measure.clone()), known)))
    }
}

/// The text of an expression.
fn text_of(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether an expression is 0 or 1 by its meaning.
fn is_indicator(expr: &Expr<usize>) -> bool {
    match expr {
        Expr::Both(Op::Less | Op::AtMost | Op::More | Op::AtLeast | Op::Equal, ..) => true,
        Expr::Both(Op::Times | Op::Min | Op::Max, a, b) => is_indicator(a) && is_indicator(b),
        _ => false,
    }
}
