//! Running a study: an ordered map over (variant, replica).
//!
//! The result is the same for any number of threads: rows are collected in the order of the work,
//! and the bands of the timeline are counts, to which the order of adding means nothing. Memory
//! grows by one row of numbers for each run.

use super::bands::Bands;
use super::caution::Doubts;
use super::check::Checked;
use super::result::{Row, StudyResult, VariantRows, assemble};
use super::setup::Setup;
use crate::measure::View;
use crate::plan::Plan;
use crate::sim;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How a study is run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Replicas of the baseline in place of the file's; the others get at most as many.
    pub replicas: Option<u64>,
    /// The seed in place of the file's.
    pub seed: Option<u64>,
    /// Number of threads; one for each core when left out.
    pub threads: Option<usize>,
    /// The numbers of replicas for a first look.
    pub smoke: bool,
    /// Whether each claim is judged again without its claimed cause.
    pub ablations: bool,
}

/// What is run so many times.
struct Job<'c> {
    setup: &'c Setup,
    plan: Plan,
    replicas: u64,
}

/// Called after each run with the number of runs that are done and of all runs.
pub type Progress<'p> = &'p (dyn Fn(usize, usize) + Sync);

/// Runs all replicas of all variants, of the points of all sweeps and, if asked for, of the models
/// without the claimed causes; `progress` is told after each.
#[must_use]
pub fn run(checked: &Checked, options: &Options, progress: Progress) -> StudyResult {
    let seed = options.seed.unwrap_or(checked.experiment.seed);
    let jobs = jobs(checked, options, seed);
    let bands = Mutex::new(Bands::new(&jobs[0].plan));
    let mut rows = run_all(checked, &jobs, &bands, options.threads, progress).into_iter();
    let finished: Vec<VariantRows> = jobs
        .iter()
        .map(|job| VariantRows {
            name: job.setup.name.clone(),
            measures: job.setup.measures.iter().map(|measure| measure.name.clone()).collect(),
            // As many rows as replicas were asked for.
            rows: rows.by_ref().take(job.replicas as usize).collect(),
        })
        .collect();
    let bands = bands.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    assemble(checked, options, seed, finished, &bands)
}

/// The variants, the points of the sweeps, and the variants of claims without their causes.
fn jobs<'c>(checked: &'c Checked, options: &Options, seed: u64) -> Vec<Job<'c>> {
    let experiment = &checked.experiment;
    let mut replicas = if options.smoke { experiment.smoke } else { experiment.replicas };
    if let Some(number) = options.replicas {
        replicas.baseline = number.max(1);
        replicas.others = replicas.others.min(replicas.baseline);
    }
    let job = |setup: &'c Setup, replicas| Job {
        setup,
        plan: Plan { seed, ..setup.plan.clone() },
        replicas,
    };
    let mut jobs = Vec::new();
    for (index, setup) in checked.variants.iter().enumerate() {
        jobs.push(job(setup, if index == 0 { replicas.baseline } else { replicas.others }));
    }
    for sweep in &checked.sweeps {
        // A first look and a smaller number of replicas hold for sweeps, too.
        let own = sweep.replicas.filter(|_| !options.smoke).unwrap_or(replicas.others);
        let own = options.replicas.map_or(own, |number| own.min(number.max(1)));
        jobs.extend(sweep.points.iter().map(|(_, setup)| job(setup, own)));
    }
    if options.ablations {
        for unless in checked.claims.iter().filter_map(|claim| claim.unless.as_ref()) {
            jobs.push(job(&unless.variant, replicas.others));
            jobs.extend(unless.against.iter().map(|setup| job(setup, replicas.others)));
        }
    }
    jobs
}

/// All rows, job by job and replica by replica.
fn run_all(
    checked: &Checked,
    jobs: &[Job],
    bands: &Mutex<Bands>,
    threads: Option<usize>,
    progress: Progress,
) -> Vec<Row> {
    let mut starts = Vec::with_capacity(jobs.len());
    let mut total = 0;
    for job in jobs {
        starts.push(total);
        total += job.replicas as usize;
    }
    let done = AtomicUsize::new(0);
    let one = |item: usize| {
        let index = starts.partition_point(|&start| start <= item) - 1;
        let replica = (item - starts[index]) as u64;
        let row = run_one(checked, &jobs[index], replica, (index == 0).then_some(bands));
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        row
    };
    in_parallel(total, threads, one)
}

/// The ordered map over the numbers below `total`.
#[cfg(feature = "cli")]
fn in_parallel(
    total: usize,
    threads: Option<usize>,
    one: impl Fn(usize) -> Row + Sync + Send,
) -> Vec<Row> {
    use rayon::prelude::*;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0)).build();
    match pool {
        // Runs differ in length, so they are handed out one by one.
        Ok(pool) => pool.install(|| (0..total).into_par_iter().with_max_len(1).map(&one).collect()),
        // The system gives no threads.
        Err(_) => (0..total).map(one).collect(),
    }
}

/// The engine alone has no threads.
#[cfg(not(feature = "cli"))]
fn in_parallel(total: usize, _: Option<usize>, one: impl Fn(usize) -> Row) -> Vec<Row> {
    (0..total).map(one).collect()
}

fn run_one(checked: &Checked, job: &Job, replica: u64, bands: Option<&Mutex<Bands>>) -> Row {
    let drawn = job.setup.drawn(replica, job.plan.seed, &checked.draws, &checked.files);
    let drawn = match drawn {
        Ok(drawn) => drawn,
        Err(problems) => {
            let why = problems.into_iter().next().map(|problem| problem.what);
            return Row::without_model(job.setup.measures.len(), why.unwrap_or_default());
        }
    };
    let (plan, inputs) = match &drawn {
        Some((plan, inputs)) => (plan, inputs.clone()),
        None => (&job.plan, Vec::new()),
    };
    let outcome = sim::run(plan, replica);
    let view = View::new(plan, &outcome);
    if let Some(bands) = bands {
        let shape = Bands::shape(&view);
        bands.lock().unwrap_or_else(std::sync::PoisonError::into_inner).add(shape);
    }
    let measures = job.setup.measures.iter();
    Row {
        values: measures.map(|measure| measure.of(&view).unwrap_or(f64::NAN)).collect(),
        inputs,
        fingerprint: outcome.fingerprint,
        doubts: Doubts::of(&view),
    }
}
