//! From rows to a table: estimates, differences, facts, claims, cautions, provenance.

use super::ablation::ablations;
use super::bands::Bands;
use super::caution::{Caution, Doubts, are_few, of_replicas};
use super::check::{Checked, CheckedClaim, CheckedFact, CheckedSweep, is_shown, minutes};
use super::claim::Verdict;
use super::corrective::pairs;
use super::corrective::runs::Rows;
use super::corrective::words::Is;
use super::estimate::{self, Z95, paired, wilson};
use super::run::Options;
use super::setup::Setup;
use super::table::{
    Claim, Difference, Estimate, Fact, Kind, Mark, MarkKind, Named, Point, Shade, Sweep, Table,
    Timeline, Variant,
};
use crate::measure::{Measure, Milestone};

/// The numbers of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// By measure; NaN where it does not apply.
    pub values: Vec<f64>,
    /// Drawn inputs, in base units.
    pub inputs: Vec<f64>,
    /// Hash of what happened.
    pub fingerprint: u64,
    /// What may be wrong with it.
    pub doubts: Doubts,
}

impl Row {
    /// The row of a replica whose drawn inputs made no valid model.
    pub(super) fn without_model(measures: usize, why: String) -> Row {
        Row {
            values: vec![f64::NAN; measures],
            inputs: Vec::new(),
            fingerprint: 0,
            doubts: Doubts { no_model: Some(why), ..Doubts::default() },
        }
    }
}

/// All runs of one variant (or point of a sweep, or variant without a claimed cause).
#[derive(Debug, Clone, PartialEq)]
pub struct VariantRows {
    /// Its name.
    pub name: String,
    /// Names of the measures, in the order of [`Row::values`].
    pub measures: Vec<String>,
    /// One row for each replica, in order.
    pub rows: Vec<Row>,
}

impl VariantRows {
    /// All values of a measure, NaN where it does not apply; empty for an unknown measure.
    #[must_use]
    pub fn values(&self, measure: &str) -> Vec<f64> {
        let Some(column) = self.measures.iter().position(|name| name == measure) else {
            return Vec::new();
        };
        self.rows.iter().map(|row| row.values[column]).collect()
    }
}

/// Everything that came of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyResult {
    /// What is handed on.
    pub table: Table,
    /// Paths of the uncertain inputs, in the order of [`Row::inputs`].
    pub inputs: Vec<String>,
    /// The rows of the variants, the baseline first.
    pub variants: Vec<VariantRows>,
}

impl StudyResult {
    /// Whether every claim of the experiment holds. What the postmortem says may be wrong.
    #[must_use]
    pub fn claims_hold(&self) -> bool {
        self.table.claims.iter().all(|claim| claim.holds || claim.is_of_postmortem())
    }
}

/// Measures that are shown where the experiment does not say which.
const USUAL: [&str; 15] = [
    "user_outage",
    "fault_to_normal",
    "reported_outage",
    "users_affected",
    "users_unable_to_load",
    "user_minutes_lost",
    "requests_failed",
    "incident",
    "cascade",
    "time_to_detect",
    "time_to_mitigate",
    "availability",
    "goodput",
    "latency_p99",
    "helped.*",
];
/// Measures that are always shown: figures and the page are drawn from them.
const ALWAYS: [&str; 4] = ["user_outage", "users_affected", "user_minutes_lost", "cascade"];
/// Measures of a sweep that does not say which.
const SWEPT: [&str; 4] = ["latency_p99", "goodput", "incident", "cascade"];
/// Measures whose distributions are shown.
const DISTRIBUTIONS: [&str; 2] = ["user_outage", "users_affected"];

/// Makes a study's table of the rows of all jobs: variants, then points of sweeps, then what
/// corrective measures need, then variants without claimed causes; and the rows of the best pair in
/// normal operation.
pub(super) fn assemble(
    checked: &Checked,
    options: &Options,
    (mut finished, best_pair): (Vec<VariantRows>, Option<VariantRows>),
    bands: &Bands,
    of_warm_up: Option<Caution>,
) -> StudyResult {
    let seed = options.seed_of(checked);
    let fingerprint = fingerprint(finished.iter().chain(&best_pair));
    let mut others = finished.split_off(checked.variants.len()).into_iter();
    let variants = finished;
    let sweep = checked.sweeps.iter().map(|sweep| self::sweep(sweep, &mut others)).collect();
    let corrective = Rows { best_pair, ..checked.corrective.take(&mut others) };
    let found = checked.corrective.found(&checked.variants, &variants, &corrective, seed);
    let mut claims = Vec::new();
    let mut cautions = found.cautions;
    for claim in &checked.claims {
        let verdict = judge(claim, &variants[claim.variant], &variants[claim.against]);
        let Verdict { holds, evidence, is_open } = verdict;
        if is_open {
            cautions.push(Caution::Open { claim: claim.claim.clone() });
        }
        let (said_by, claim) = (claim.said_by, claim.claim.clone());
        claims.push(Claim { claim, holds, is_open, evidence, said_by });
    }
    let ablations = match options.ablations {
        true => ablations(checked, &mut others),
        false => Vec::new(),
    };
    let shown = shown(checked);
    let described: Vec<Variant> = checked
        .variants
        .iter()
        .zip(&variants)
        .enumerate()
        .map(|(index, (setup, rows))| {
            let variant = describe(setup, rows, (index > 0).then(|| &variants[0]), &shown);
            let role = &checked.corrective.roles[index];
            Variant { is: role.is, assumed: !role.assumed.is_empty(), ..variant }
        })
        .collect();
    let mut all = cautions_of(&variants, &described);
    all.extend(cautions);
    all.extend(of_warm_up);
    let mut distributions = Named::default();
    for measure in DISTRIBUTIONS {
        let values = variants.iter().map(|rows| (rows.name.clone(), rows.values(measure)));
        distributions.insert(measure, values.collect::<Named<Vec<f64>>>());
    }
    let table = Table {
        experiment: checked.name.clone(),
        model: checked.model_path.clone(),
        question: checked.experiment.question.clone(),
        seed,
        replicas: variants[0].rows.len() as u64,
        variants: described,
        facts: checked.facts.iter().map(|fact| self::fact(fact, &variants[0])).collect(),
        claims,
        ablations,
        cautions: all.iter().map(ToString::to_string).collect(),
        timeline: timeline(checked, bands, &variants[0]),
        distributions,
        sweep,
        ranking: found.ranking,
        pairs: found.pairs,
        prices: found.prices,
        break_evens: found.break_evens,
        provenance: provenance(checked, options, seed, fingerprint),
    };
    let inputs = checked.draws.iter().map(|draw| draw.path.value.clone()).collect();
    StudyResult { table, inputs, variants }
}

/// Judges a claim by the rows of its variants.
pub(super) fn judge(claim: &CheckedClaim, variant: &VariantRows, against: &VariantRows) -> Verdict {
    claim.test.judge(&variant.values(&claim.test.measure), &against.values(&claim.test.measure))
}

/// The names, or beginnings with `*`, of measures that are shown.
fn shown(checked: &Checked) -> Vec<String> {
    let experiment = &checked.experiment;
    let mut shown: Vec<String> = ALWAYS.iter().map(ToString::to_string).collect();
    match experiment.measures.is_empty() {
        true => shown.extend(USUAL.iter().map(ToString::to_string)),
        false => shown.extend(experiment.measures.iter().map(|name| name.value.clone())),
    }
    if checked.corrective.roles.iter().any(|role| role.is == Is::Corrective) {
        shown.extend(pairs::SHOWN.map(str::to_owned));
    }
    shown.extend(checked.facts.iter().map(|fact| fact.measure.clone()));
    shown.extend(checked.claims.iter().map(|claim| claim.test.measure.clone()));
    shown
}

/// The estimates of a variant and its differences to the baseline.
pub(super) fn describe(
    setup: &Setup,
    rows: &VariantRows,
    baseline: Option<&VariantRows>,
    shown: &[String],
) -> Variant {
    let mut measures = Named::default();
    let mut differences = Named::default();
    for measure in &setup.measures {
        if !shown.iter().any(|name| is_shown(name, &measure.name)) {
            continue;
        }
        let values = rows.values(&measure.name);
        measures.insert(measure.name.clone(), estimate_of(measure, &values));
        let base = baseline.map(|baseline| baseline.values(&measure.name)).unwrap_or_default();
        if !base.is_empty() {
            let found = paired(&base, &values);
            let (low, high) = found.ci95;
            let difference = Difference {
                mean: found.mean,
                ci95: [low, high],
                variance_ratio: found.variance_ratio,
            };
            differences.insert(measure.name.clone(), difference);
        }
    }
    let (name, replicas) = (rows.name.clone(), rows.rows.len() as u64);
    Variant { name, replicas, measures, differences, ..Variant::default() }
}

fn estimate_of(measure: &Measure, values: &[f64]) -> Estimate {
    let found = estimate::estimate(values);
    let (low, high) = match measure.kind {
        Kind::Quantity => found.ci95,
        Kind::Probability => {
            let happened = values.iter().filter(|value| **value > 0.5).count();
            wilson(happened as u64, found.n as u64, Z95)
        }
    };
    Estimate {
        unit: measure.unit.to_owned(),
        kind: measure.kind,
        better: measure.better,
        doc: measure.doc.to_owned(),
        mean: found.mean,
        ci95: [low, high],
        median: found.median,
        p5: found.p5,
        p10: found.p10,
        p90: found.p90,
        p95: found.p95,
        n: found.n as u64,
    }
}

fn fact(fact: &CheckedFact, baseline: &VariantRows) -> Fact {
    let found = estimate::estimate(&baseline.values(&fact.measure));
    let agrees = |reported: f64| {
        let near = fact.tolerance.is_none_or(|most| (found.median - reported).abs() <= most);
        (found.p10..=found.p90).contains(&reported) && near
    };
    Fact {
        name: fact.name.clone(),
        how: fact.how,
        reported: fact.reported,
        unit: fact.unit.to_owned(),
        median: found.median,
        p10: found.p10,
        p90: found.p90,
        holds: fact.reported.map(agrees),
    }
}

fn sweep(sweep: &CheckedSweep, others: &mut impl Iterator<Item = VariantRows>) -> Sweep {
    let own = match sweep.measures.is_empty() {
        true => SWEPT.iter().map(ToString::to_string).collect(),
        false => sweep.measures.clone(),
    };
    let points = sweep.points.iter().zip(others).map(|((values, setup), rows)| {
        let of = |name: &String| {
            let measure = &setup.measures[setup.column(name)?];
            Some((name.clone(), estimate_of(measure, &rows.values(name))))
        };
        Point { values: values.clone(), measures: own.iter().filter_map(of).collect() }
    });
    Sweep { variant: sweep.variant.clone(), inputs: sweep.inputs.clone(), points: points.collect() }
}

fn cautions_of(variants: &[VariantRows], described: &[Variant]) -> Vec<Caution> {
    let mut all = Vec::new();
    for variant in variants {
        all.extend(of_replicas(&variant.name, variant.rows.iter().map(|row| &row.doubts)));
    }
    let fewest = variants.iter().map(|variant| variant.rows.len()).min().unwrap_or(0);
    if are_few(fewest) {
        all.push(Caution::FewReplicas { replicas: fewest });
    }
    for variant in described {
        if let Some(difference) = variant.differences.get("user_minutes_lost") {
            let [low, high] = difference.ci95;
            if low < 0.0 && high > 0.0 {
                all.push(Caution::WideInterval { variant: variant.name.clone() });
            }
        }
    }
    all
}

fn timeline(checked: &Checked, bands: &Bands, baseline: &VariantRows) -> Option<Timeline> {
    let series = bands.series();
    if series.is_empty() {
        return None;
    }
    let (mut marks, mut shades) = (Vec::new(), Vec::new());
    let plan = &checked.variants[0].plan;
    if plan.alerts.iter().any(|alert| alert.pages) {
        marks.push(Mark {
            at_minutes_median: 0.0,
            p10: Some(0.0),
            p90: Some(0.0),
            label: "alert".to_owned(),
            kind: MarkKind::Alert,
        });
    }
    for measure in &baseline.measures {
        let Some((milestone, name)) = Milestone::of(measure) else { continue };
        let found = estimate::estimate(&baseline.values(measure));
        // What most replicas never see is no part of the usual course.
        if 2 * found.n < baseline.rows.len() {
            continue;
        }
        let (label, kind) = match milestone {
            Milestone::ChangeBegins => (format!("{name} begins"), MarkKind::Change),
            Milestone::ChangeEnds => (format!("{name} ends"), MarkKind::Change),
            Milestone::Suspects => (format!("suspected: {name}"), MarkKind::Action),
            Milestone::Acts => (format!("done: {name}"), MarkKind::Action),
            Milestone::Over => ("declared over".to_owned(), MarkKind::Action),
        };
        marks.push(Mark {
            at_minutes_median: found.median,
            p10: Some(found.p10),
            p90: Some(found.p90),
            label,
            kind,
        });
        if milestone == Milestone::ChangeBegins {
            let end = estimate::estimate(&baseline.values(&format!("ends.{name}")));
            if 2 * end.n >= baseline.rows.len() {
                let label = name.to_owned();
                shades.push(Shade { from: found.median, to: end.median, label });
            }
        }
    }
    for (name, at) in &checked.experiment.milestones {
        marks.push(Mark {
            at_minutes_median: minutes(*at),
            p10: None,
            p90: None,
            label: name.value.clone(),
            kind: MarkKind::MilestoneReported,
        });
    }
    let (variant, bucket_seconds) = (baseline.name.clone(), bands.bucket_seconds());
    Some(Timeline { variant, bucket_seconds, series, marks, shades })
}

/// One hash of all runs, in their order.
fn fingerprint<'r>(finished: impl Iterator<Item = &'r VariantRows>) -> u64 {
    let rows = finished.flat_map(|variant| &variant.rows);
    rows.fold(0xcbf2_9ce4_8422_2325, |hash: u64, row| {
        (hash.rotate_left(5) ^ row.fingerprint).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}

fn provenance(
    checked: &Checked,
    options: &Options,
    seed: u64,
    fingerprint: u64,
) -> serde_json::Map<String, serde_json::Value> {
    let mut map = serde_json::Map::new();
    let mut put = |key: &str, value: serde_json::Value| map.insert(key.to_owned(), value);
    put("program", "outagelab".into());
    put("version", env!("CARGO_PKG_VERSION").into());
    put("experiment_file", checked.path.as_str().into());
    put("model_file", checked.model_path.as_str().into());
    put("model_hash", format!("{:016x}", checked.model_hash).into());
    put("seed", seed.into());
    put("smoke", options.smoke.into());
    put("fingerprint", format!("{fingerprint:016x}").into());
    map
}
