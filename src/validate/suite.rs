//! The suite: all cases with what is expected of them, run one after the other.

use super::case::{Case, Quantity, read_case};
use super::estimate::Estimate;
use super::expected::{Expected, ExpectedCase, Rule, Target};
use super::judge::{Judged, Verdict, judge, shown};
use super::sample::{Sample, Sampling, first_fingerprints, sample, sample_exactly};
use crate::rng::seed_of;
use crate::study::{ReadFile, stem};
use crate::text::{Problem, Sources, suggest, unknown};
use serde::{Deserialize, Serialize};

/// How much is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// The quick cases, with half-widths ten times the asked ones.
    Quick,
    /// All cases, with half-widths three times the asked ones.
    Usual,
    /// All cases as asked.
    Full,
}

impl Size {
    /// The factor of the half-widths.
    #[must_use]
    pub fn factor(self) -> f64 {
        match self {
            Size::Quick => 10.0,
            Size::Usual => 3.0,
            Size::Full => 1.0,
        }
    }
}

/// Cases and what is expected of them.
#[derive(Debug)]
pub struct Suite {
    /// What is expected, in the order of the file.
    pub expected: Expected,
    /// The cases that have a file, in the same order.
    pub cases: Vec<Case>,
    /// Hash of the expected numbers, of all case files with their models, and of the program's
    /// version.
    pub hash: u64,
}

/// The verdict on a quantity. What is not finite is null in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The case.
    pub case: String,
    /// The quantity.
    pub quantity: String,
    /// What the estimate is compared with; for a quantile, the level.
    pub expected: f64,
    /// The estimate.
    pub found: Option<f64>,
    /// Its 99.9 % interval.
    pub ci999: (Option<f64>, Option<f64>),
    /// The verdict.
    pub verdict: Verdict,
    /// Why, if it is not a plain pass.
    pub reason: Option<String>,
}

impl Line {
    /// The interval in words.
    #[must_use]
    pub fn interval(&self) -> String {
        match self.ci999 {
            (Some(low), Some(high)) => format!("{} to {}", shown(low), shown(high)),
            _ => "–".to_owned(),
        }
    }
}

/// Everything about one case that was run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CaseResult {
    /// What it is the result of: see [`key`].
    pub key: u64,
    /// The verdicts, in the order of the expected numbers.
    pub lines: Vec<Line>,
    /// Replicas of all runs.
    pub replicas: u64,
    /// Events of all replicas.
    pub events: u64,
}

/// How a suite is run.
#[derive(Clone, Copy)]
pub struct Settings<'p> {
    /// How much is run.
    pub size: Size,
    /// Seed, threads and who is told of events.
    pub sampling: Sampling<'p>,
}

impl Suite {
    /// Reads the expected numbers and case files (path and text).
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(
        sources: &mut Sources,
        (expected_path, expected_text): (&str, &str),
        files: &[(String, String)],
        read_file: ReadFile,
    ) -> Result<Suite, Vec<Problem>> {
        let expected =
            Expected::read(expected_path, expected_text).map_err(|problem| vec![problem])?;
        let (mut cases, mut problems) = (Vec::new(), Vec::new());
        for (path, text) in files {
            match read_case(sources, path, text, read_file) {
                Ok(case) => cases.push(case),
                Err(more) => problems.extend(more),
            }
        }
        let place = |id: &str| expected.cases.iter().position(|known| known.id == id);
        for case in &cases {
            match expected.case(&case.id) {
                Some(known) => problems.extend(unknown_quantities(case, known)),
                None => {
                    let what = format!("{}: {expected_path} has no such case", case.path);
                    let ids = expected.cases.iter().map(|known| known.id.as_str());
                    let near = suggest(&case.id, ids).map(|id| format!("did you mean `{id}`?"));
                    problems.push(Problem { what, help: near, mark: None });
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        cases.sort_by_key(|case| place(&case.id));
        let version = seed_of(0, 0, env!("CARGO_PKG_VERSION"), expected_text);
        let hash = cases.iter().fold(version, |hash, case| seed_of(hash, case.hash, "case", ""));
        Ok(Suite { expected, cases, hash })
    }

    /// The cases that a size or a list of names asks for, with their files if they have one.
    #[must_use]
    pub fn chosen(&self, size: Size, names: &[String]) -> Vec<(&ExpectedCase, Option<&Case>)> {
        let with_file =
            |known: &'_ ExpectedCase| self.cases.iter().find(|case| case.id == known.id);
        let all = self.expected.cases.iter().map(|known| (known, with_file(known)));
        all.filter(|(known, case)| match names {
            [] => size != Size::Quick || case.is_some_and(|case| case.quick),
            names => names.iter().any(|name| name.eq_ignore_ascii_case(&known.id)),
        })
        .collect()
    }
}

/// The files that a list of names asks for, before they are read; all for an empty list.
#[must_use]
pub fn wanted_files(files: Vec<(String, String)>, names: &[String]) -> Vec<(String, String)> {
    let is_wanted = |path: &str| {
        names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(&stem(path)))
    };
    files.into_iter().filter(|(path, _)| is_wanted(path)).collect()
}

/// Quantities of a file of which nothing is expected.
fn unknown_quantities(case: &Case, known: &ExpectedCase) -> Vec<Problem> {
    let names = || known.quantities.iter().map(|(name, _)| name.as_str());
    let missing = |quantity: &&Quantity| !names().any(|name| name == quantity.name.value);
    let quantities = case.quantities.iter().filter(missing);
    quantities.map(|quantity| unknown("quantity", &quantity.name, names())).collect()
}

/// What the result of a case depends on, hashed: the texts of the case, its model and what is
/// expected of it, size, seed and version, and what the engine makes of the first replica of each
/// run. Results with the same key are the same.
#[must_use]
pub fn key(known: &ExpectedCase, case: Option<&Case>, settings: Settings) -> u64 {
    let expected = format!("{known:?} {:?}", settings.size);
    let start = seed_of(settings.sampling.seed, 0, env!("CARGO_PKG_VERSION"), &expected);
    let Some(case) = case else { return start };
    let engine = first_fingerprints(case, settings.sampling);
    engine.iter().fold(start, |hash, &found| seed_of(hash, found ^ case.hash, "key", ""))
}

/// Runs a case and judges it.
#[must_use]
pub fn run_case(known: &ExpectedCase, case: Option<&Case>, settings: Settings) -> CaseResult {
    let Some(case) = case else {
        let lines = known.quantities.iter().map(|(name, target)| {
            let judged = Judged::not_comparable("no case file".to_owned());
            let line = line(known, name, target, &[]);
            Line { verdict: judged.verdict, reason: judged.reason, ..line }
        });
        return CaseResult { lines: lines.collect(), ..CaseResult::default() };
    };
    let factor = settings.size.factor();
    let target = |quantity: &Quantity| {
        known.quantities.iter().find(|(name, _)| *name == quantity.name.value).map(|(_, t)| t)
    };
    let precisions: Vec<_> = case
        .quantities
        .iter()
        .map(|q| target(q).map_or(super::sample::Precision::Any, |t| t.precision(factor)))
        .collect();
    let first = sample(case, &precisions, settings.sampling);
    let mut result = CaseResult {
        key: 0,
        lines: Vec::new(),
        replicas: first.runs.iter().map(|run| run.replicas).sum(),
        events: first.events,
    };
    let mut again = Vec::new();
    for (name, target) in &known.quantities {
        let quantities: Vec<&Quantity> =
            case.quantities.iter().filter(|quantity| quantity.name.value == *name).collect();
        let judged: Vec<Answer> = quantities
            .iter()
            .map(|quantity| Answer::new(quantity, target, &first, factor))
            .collect();
        if judged.iter().any(|answer| answer.judged.missed_above.is_some()) {
            again.push((result.lines.len(), target, judged));
        } else {
            result.lines.push(line(known, name, target, &judged));
            continue;
        }
        result.lines.push(line(known, name, target, &[]));
    }
    if !again.is_empty() {
        repeat(known, case, &first, again, &mut result, settings);
    }
    result
}

/// What the judge says of one expression for a quantity.
#[derive(Debug, Clone)]
struct Answer<'c> {
    quantity: &'c Quantity,
    found: Option<Estimate>,
    judged: Judged,
}

impl<'c> Answer<'c> {
    fn new(quantity: &'c Quantity, target: &Target, sample: &Sample, factor: f64) -> Answer<'c> {
        let Some(expr) = &quantity.expr else {
            let why = quantity.why_not.clone().unwrap_or_default();
            return Answer { quantity, found: None, judged: Judged::not_comparable(why) };
        };
        let found = Estimate::new(expr, sample);
        Answer { quantity, found: Some(found), judged: judge(target, &found, factor) }
    }

    /// The answer of a second sample, after a miss.
    fn again(&self, target: &Target, sample: &Sample, factor: f64) -> Answer<'c> {
        let Some(above) = self.judged.missed_above else { return self.clone() };
        let mut second = Answer::new(self.quantity, target, sample, factor);
        let before = self.found.map_or(String::new(), |found| shown(found.value));
        let judged = &mut second.judged;
        match judged.missed_above {
            Some(again) if again != above => {
                *judged = Judged::pass();
                judged.reason = Some(format!(
                    "missed on the other side first, with {before}, and with four times the \
                     replicas on this one"
                ));
            }
            Some(_) => {
                let reason = judged.reason.take().unwrap_or_default();
                judged.reason = Some(format!("{reason}; missed twice, with {before} before"));
            }
            None if judged.verdict == Verdict::Pass => {
                judged.reason = Some(format!("missed once, with {before}"));
            }
            None => {}
        }
        second
    }
}

/// Judges what was missed once more, with new seeds and four times the replicas: a second miss on
/// the same side is a failure.
fn repeat(
    known: &ExpectedCase,
    case: &Case,
    first: &Sample,
    missed: Vec<(usize, &Target, Vec<Answer>)>,
    result: &mut CaseResult,
    settings: Settings,
) {
    let mut replicas = vec![0; case.runs.len()];
    let answers = missed.iter().flat_map(|(_, _, answers)| answers);
    for answer in answers.filter(|answer| answer.judged.missed_above.is_some()) {
        for &run in &answer.quantity.runs {
            replicas[run] = 4 * first.runs[run].replicas;
        }
    }
    let seed = seed_of(settings.sampling.seed, 1, "validate", "again");
    let second = sample_exactly(case, &replicas, Sampling { seed, ..settings.sampling });
    result.replicas += second.runs.iter().map(|run| run.replicas).sum::<u64>();
    result.events += second.events;
    let factor = settings.size.factor();
    for (place, target, answers) in missed {
        let answers: Vec<Answer> =
            answers.iter().map(|answer| answer.again(target, &second, factor)).collect();
        result.lines[place] = line(known, &known.quantities[place].0, target, &answers);
    }
}

/// The line of a quantity: its first expression, or the first that fails. What the others found is
/// the reason of a pass.
fn line(known: &ExpectedCase, name: &str, target: &Target, answers: &[Answer]) -> Line {
    let fails = |answer: &&Answer| answer.judged.verdict == Verdict::Fail;
    let told = answers.iter().find(fails).or(answers.first());
    let (found, judged) = match told {
        Some(answer) => (answer.found, answer.judged.clone()),
        None => {
            let why = match &target.rule {
                Rule::Skip { why } => why.clone(),
                _ => "the case file has no expression for it".to_owned(),
            };
            (None, Judged::not_comparable(why))
        }
    };
    let mut reasons: Vec<String> = judged.reason.into_iter().collect();
    if let (Some(told), [_, _, ..]) = (told, answers) {
        reasons.push(format!("this is `{}`", told.quantity.text));
        let others = answers.iter().filter(|other| !std::ptr::eq(*other, told));
        reasons.extend(others.map(|other| {
            let found = other.found.map_or(String::new(), |found| shown(found.value));
            format!("`{}` is {found}: {}", other.quantity.text, other.judged.verdict.word())
        }));
    }
    Line {
        case: known.id.clone(),
        quantity: name.to_owned(),
        expected: target.expected(),
        found: found.map(|found| found.value),
        ci999: found.map_or((None, None), |found| {
            let (low, high) = found.interval();
            (Some(low), Some(high))
        }),
        verdict: judged.verdict,
        reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
    }
}
