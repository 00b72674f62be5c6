//! What an experiment means: all its problems end here.

use super::claim::Test;
use super::corrective::check::Corrective;
use super::corrective::words::SaidBy;
use super::draw::{Draw, number};
use super::experiment::{BASELINE, Edits, Experiment, Sweep};
use super::patches::{edits, patches_of};
use super::paths::{find, folder, stem};
use super::quantity;
use super::setup::{Files, Setup, compile_tree, without_origins};
use super::table::How;
use crate::measure::{Measure, measures};
use crate::text::{
    Mark, Name, Named, Node, Patch, Problem, SourceId, Sources, decode, read, unknown,
};
use crate::units::Span;

/// Replicas of one variant at most.
const MAX_REPLICAS: u64 = 1_000_000;
/// Points of one sweep at most.
pub(super) const MAX_POINTS: usize = 2_500;

/// An experiment without problems, ready to run.
#[derive(Debug)]
pub struct Checked {
    /// What the file says.
    pub experiment: Experiment,
    /// Name of the experiment.
    pub name: String,
    /// Path of the experiment file.
    pub path: String,
    /// Path under which the model was found.
    pub model_path: String,
    /// Hash of the baseline model with its defaults written out, without positions and comments.
    pub model_hash: u64,
    /// The baseline first, then the variants in the order of the file.
    pub variants: Vec<Setup>,
    pub(super) draws: Vec<Draw>,
    pub(super) files: Files,
    pub(super) sweeps: Vec<CheckedSweep>,
    pub(super) facts: Vec<CheckedFact>,
    pub(super) claims: Vec<CheckedClaim>,
    pub(super) corrective: Corrective,
}

/// A sweep, its points compiled.
#[derive(Debug)]
pub(super) struct CheckedSweep {
    pub(super) variant: String,
    pub(super) inputs: Vec<super::table::Input>,
    /// Values of the inputs as text, and the model with them.
    pub(super) points: Vec<(Vec<String>, Setup)>,
    pub(super) replicas: Option<u64>,
    pub(super) measures: Vec<String>,
}

/// A fact in the unit of its measure.
#[derive(Debug)]
pub(super) struct CheckedFact {
    pub(super) name: String,
    pub(super) how: How,
    pub(super) measure: String,
    pub(super) unit: &'static str,
    pub(super) reported: Option<f64>,
    /// The largest difference between the median and the figure, in the unit.
    pub(super) tolerance: Option<f64>,
}

/// A claim with its variants, as places in [`Checked::variants`].
#[derive(Debug)]
pub(super) struct CheckedClaim {
    pub(super) claim: String,
    pub(super) test: Test,
    pub(super) variant: usize,
    pub(super) against: usize,
    pub(super) unless: Option<Unless>,
    pub(super) said_by: Option<SaidBy>,
}

/// The variants of a claim without its claimed cause.
#[derive(Debug)]
pub(super) struct Unless {
    pub(super) about: String,
    pub(super) variant: Setup,
    /// None if it is the same as `variant`.
    pub(super) against: Option<Setup>,
}

pub(crate) type ReadFile<'a> = &'a mut dyn FnMut(&str) -> Result<String, String>;

/// Reads an experiment and everything that it names.
///
/// # Errors
/// Everything that is wrong with it, with its model, and with what its variants make of the model;
/// in the order of the texts.
pub fn check(
    sources: &mut Sources,
    path: &str,
    text: &str,
    read_file: ReadFile,
) -> Result<Checked, Vec<Problem>> {
    let root = read(sources, path, text)?;
    let decoded = decode::<Experiment>(&root);
    let mut problems = decoded.problems;
    let Some(experiment) = decoded.value else { return Err(in_order(problems)) };
    let mut files = Files::default();
    let folder = folder(path);
    let (model_path, model_text) = match find(&folder, &experiment.model.value, read_file) {
        Ok(found) => found,
        Err(what) => {
            problems.push(
                Problem::new(what)
                    .help("write the path of a model, such as `models/three-tier.yaml`")
                    .at(experiment.model.mark),
            );
            return Err(in_order(problems));
        }
    };
    let base = match read(sources, &model_path, &model_text) {
        Ok(base) => base,
        Err(more) => {
            problems.extend(more);
            return Err(in_order(problems));
        }
    };
    let model_folder = self::folder(&model_path);
    let mut read_data = |name: &str| {
        files.read(name, &mut |name| find(&model_folder, name, read_file).map(|(_, text)| text))
    };
    let compiled = compile_tree(&base, &mut read_data);
    let (plan, model) = match (compiled.plan, compiled.model) {
        (Ok(plan), Some(model)) => (plan, model),
        (plan, _) => {
            problems.extend(plan.err().unwrap_or_default());
            return Err(in_order(problems));
        }
    };
    let mut checker = Checker {
        experiment: &experiment,
        source: root.mark.source,
        base: without_origins(base),
        measures: measures(&plan),
        draws: Vec::new(),
        read_file: &mut read_data,
        problems,
    };
    checker.numbers();
    checker.draws();
    let variants = checker.variants();
    let sweeps = checker.sweeps(&variants);
    let corrective = checker.corrective(&variants);
    let facts = checker.facts(&variants);
    let claims = checker.claims(&variants);
    checker.shown(&variants);
    let (draws, problems) = (checker.draws, checker.problems);
    // Every variant is there, or else there is a problem.
    let variants: Option<Vec<Setup>> = variants.into_iter().collect();
    let Some(variants) = variants.filter(|_| problems.is_empty()) else {
        return Err(in_order(problems));
    };
    let name = experiment.name.clone().unwrap_or_else(|| stem(path));
    let json = serde_json::to_string(&model).unwrap_or_default();
    let model_hash = crate::rng::seed_of(0, 0, "model", &json);
    let path = path.to_owned();
    Ok(Checked {
        experiment,
        name,
        path,
        model_path,
        model_hash,
        variants,
        draws,
        files,
        sweeps,
        facts,
        claims,
        corrective,
    })
}

/// The work of a check.
pub(super) struct Checker<'a> {
    pub(super) experiment: &'a Experiment,
    /// The experiment file.
    source: SourceId,
    /// The model's tree.
    pub(super) base: Node,
    /// Measures of the baseline.
    pub(super) measures: Vec<Measure>,
    draws: Vec<Draw>,
    read_file: ReadFile<'a>,
    pub(super) problems: Vec<Problem>,
}

impl Checker<'_> {
    fn numbers(&mut self) {
        let Experiment { replicas, smoke, sweep, .. } = self.experiment;
        let all = [replicas.baseline, replicas.others, smoke.baseline, smoke.others];
        let all = all.into_iter().chain(sweep.iter().filter_map(|sweep| sweep.replicas));
        all.for_each(|number| self.replicas(Some(number)));
        let name = self.experiment.name.as_deref().unwrap_or("a name");
        if name.trim().is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
            let what = format!("`{name}` cannot be the name of a folder");
            self.problems.push(Problem::new(what).help("write letters, digits and dashes"));
        }
    }

    /// A number of replicas must be one.
    pub(super) fn replicas(&mut self, number: Option<u64>) {
        if let Some(number) = number.filter(|number| !(1..=MAX_REPLICAS).contains(number)) {
            let what = format!("{number} replicas are not between 1 and {MAX_REPLICAS}");
            self.problems.push(Problem::new(what));
        }
    }

    fn draws(&mut self) {
        for (path, dist) in &self.experiment.uncertain {
            match Draw::new(path, dist, self.read_file) {
                Ok(draw) => self.draws.push(draw),
                Err(problems) => self.problems.extend(problems),
            }
        }
    }

    /// The baseline and the variants; none where one has a problem.
    fn variants(&mut self) -> Vec<Option<Setup>> {
        // The model itself is whole, so what is wrong here is wrong with a draw.
        let mut setups = vec![self.setup(&Name::nowhere(BASELINE.to_owned()), Vec::new())];
        if setups[0].is_none() && self.problems.is_empty() {
            self.problems.push(Problem::new("the uncertain inputs do not fit the model"));
        }
        for (name, variant) in &self.experiment.variants {
            if name.value == BASELINE {
                let what = "`baseline` is the model as it is";
                let help = "give this variant another name";
                self.problems.push(Problem::new(what).help(help).at(name.mark));
            }
            let patches = patches_of(&self.experiment.variants, name, variant);
            let patches = patches.map_err(|problem| self.problems.push(problem)).ok();
            setups.push(patches.and_then(|patches| self.setup(name, patches)));
        }
        setups
    }

    /// Compiles a variant. What is wrong stands at its patch if it is known which one it is, and
    /// at the variant's name otherwise.
    pub(super) fn setup(&mut self, name: &Name, patches: Vec<Patch>) -> Option<Setup> {
        let problems = match self.try_setup(&name.value, patches) {
            Ok(setup) => return Some(setup),
            Err(problems) => problems,
        };
        for mut problem in problems {
            if problem.mark.is_none_or(|mark| mark.source != self.source) {
                problem.what =
                    format!("with `{}` the model has a problem: {}", name.value, { problem.what });
                problem = problem.at(name.mark);
            }
            self.problems.push(problem);
        }
        None
    }

    /// Compiles a variant, or says what is wrong with it.
    pub(super) fn try_setup(
        &mut self,
        name: &str,
        patches: Vec<Patch>,
    ) -> Result<Setup, Vec<Problem>> {
        Setup::new(name.to_owned(), &self.base, &self.draws, patches, self.read_file)
    }

    /// The place of a variant in the list; the baseline if it is left out.
    pub(super) fn variant(&mut self, name: Option<&Name>) -> Option<usize> {
        let Some(name) = name else { return Some(0) };
        if name.value == BASELINE {
            return Some(0);
        }
        let variants = &self.experiment.variants;
        let place = variants.names().position(|known| known == name.value);
        if place.is_none() {
            let known = std::iter::once(BASELINE).chain(variants.names());
            self.problems.push(unknown("variant", name, known));
        }
        place.map(|place| place + 1)
    }

    /// The unit of a measure; a problem if no such measure is known in the variant.
    pub(super) fn unit(&mut self, measure: &Name, variant: Option<&Setup>) -> Option<&'static str> {
        let known = variant.map_or(&self.measures, |setup| &setup.measures);
        let found = known.iter().find(|m| m.name == measure.value).map(|m| m.unit);
        if found.is_none() {
            let problem = unknown("measure", measure, known.iter().map(|m| m.name.as_str()));
            self.problems.push(problem);
        }
        found
    }

    fn sweeps(&mut self, variants: &[Option<Setup>]) -> Vec<CheckedSweep> {
        let experiment = self.experiment;
        experiment.sweep.iter().filter_map(|sweep| self.sweep(sweep, variants)).collect()
    }

    fn sweep(&mut self, sweep: &Sweep, variants: &[Option<Setup>]) -> Option<CheckedSweep> {
        let variant = self.variant(sweep.variant.as_ref())?;
        let setup = variants[variant].as_ref();
        for measure in &sweep.measures {
            self.unit(measure, setup);
        }
        let at = sweep.over.0.first().map_or(Mark::NONE, |(path, _)| path.mark);
        let points: usize = sweep.over.iter().map(|(_, values)| values.len()).product();
        if !(1..=2).contains(&sweep.over.len()) || !(1..=MAX_POINTS).contains(&points) {
            let what = format!("a sweep over {} inputs with {points} points", sweep.over.len());
            let help = format!("give one or two inputs and at most {MAX_POINTS} points");
            self.problems.push(Problem::new(what).help(help).at(at));
            return None;
        }
        let setup = setup?;
        let values = |values: &[Node]| values.iter().map(text_of).collect();
        let inputs = sweep.over.iter().map(|(path, nodes)| super::table::Input {
            path: path.value.clone(),
            values: values(nodes),
            numbers: nodes.iter().map(|node| number(node).unwrap_or(f64::NAN)).collect(),
        });
        let mut points = Vec::new();
        for combination in combinations(&sweep.over) {
            let texts: Vec<String> = combination.iter().map(|(_, node)| text_of(node)).collect();
            let mut patches = setup.patches.clone();
            patches.extend(
                combination.iter().map(|(path, node)| Patch::Set {
                    path: (*path).clone(),
                    value: (*node).clone(),
                }),
            );
            let name = Name { value: texts.join(", "), mark: at };
            points.push((texts, self.setup(&name, patches)?));
        }
        Some(CheckedSweep {
            variant: setup.name.clone(),
            inputs: inputs.collect(),
            points,
            replicas: sweep.replicas,
            measures: sweep.measures.iter().map(|measure| measure.value.clone()).collect(),
        })
    }

    fn facts(&mut self, variants: &[Option<Setup>]) -> Vec<CheckedFact> {
        let mut facts = Vec::new();
        for (name, fact) in &self.experiment.facts {
            let measure = fact.measure.as_ref().unwrap_or(name);
            let Some(unit) = self.unit(measure, variants[0].as_ref()) else { continue };
            let reported = match &fact.reported {
                Some(node) => match quantity::read(node, unit) {
                    Ok(reported) => Some(reported),
                    Err(what) => {
                        self.problems.push(Problem::new(what).at(node.mark));
                        continue;
                    }
                },
                None => None,
            };
            if reported.is_none() && (fact.how != How::Emergent || fact.tolerance.is_some()) {
                let what = format!("the fact `{}` has no figure to agree with", name.value);
                let help = "write `reported:`, or `how: emergent` without a tolerance";
                self.problems.push(Problem::new(what).at(name.mark).help(help));
                continue;
            }
            let relative = |part: f64| match unit {
                crate::measure::unit::SHARE => part,
                _ => part * reported.unwrap_or_default().abs(),
            };
            facts.push(CheckedFact {
                name: name.value.clone(),
                how: fact.how,
                measure: measure.value.clone(),
                unit,
                reported,
                tolerance: fact.tolerance.map(|part| relative(part.0)),
            });
        }
        facts
    }

    /// Whether every measure to be shown is there, in some variant.
    fn shown(&mut self, variants: &[Option<Setup>]) {
        for name in &self.experiment.measures {
            let all = || {
                let others = variants.iter().flatten().flat_map(|setup| &setup.measures);
                self.measures.iter().chain(others).map(|measure| measure.name.as_str())
            };
            if !all().any(|measure| is_shown(&name.value, measure)) {
                let mut known: Vec<&str> = all().collect();
                known.dedup();
                self.problems.push(unknown("measure", name, known.into_iter()));
            }
        }
    }

    /// The model of a variant without the claimed cause of a claim.
    pub(super) fn without(&mut self, claim: &str, of: &Setup, unless: &Edits) -> Option<Setup> {
        let mut patches = of.patches.clone();
        let own: Vec<Patch> = edits(&unless.set, &unless.add, &unless.remove).collect();
        let mark = own.first().map_or(Mark::NONE, |patch| patch.path().mark);
        patches.extend(own);
        self.setup(&Name { value: format!("{} unless {claim}", of.name), mark }, patches)
    }
}

/// Whether a name to be shown, perhaps one that ends in `*`, stands for a measure.
#[must_use]
pub fn is_shown(name: &str, measure: &str) -> bool {
    match name.strip_suffix('*') {
        Some(beginning) => measure.starts_with(beginning),
        None => name == measure,
    }
}

/// Every combination of the values of the inputs; the last input changes fastest.
fn combinations(over: &Named<Vec<Node>>) -> Vec<Vec<(&Name, &Node)>> {
    over.iter().fold(vec![Vec::new()], |so_far, (path, values)| {
        let longer = so_far.iter().flat_map(|before| {
            values.iter().map(move |value| {
                let mut longer = before.clone();
                longer.push((path, value));
                longer
            })
        });
        longer.collect()
    })
}

pub(super) fn text_of(node: &Node) -> String {
    match node.to_json() {
        serde_json::Value::String(text) => text,
        json => json.to_string(),
    }
}

/// Problems in the order of the texts, each once; those without a place last.
pub(crate) fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| (problem.mark.is_none(), problem.mark));
    problems.dedup();
    problems
}

/// A milestone in minutes.
pub(super) fn minutes(span: Span) -> f64 {
    crate::units::seconds(span.0) / 60.0
}
