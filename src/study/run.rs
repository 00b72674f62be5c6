//! Running a study: an ordered map over (variant, replica).
//!
//! The result is the same for any number of threads: rows are collected in the order of the work,
//! and the bands of the timeline are counts, to which the order of adding means nothing. Memory
//! grows by one row of numbers for each run.

use super::bands::Bands;
use super::caution::Doubts;
use super::check::{Checked, ReadFile};
use super::claim::Statistic;
use super::experiment::Replicas;
use super::paths::{find, folder};
use super::result::{Row, StudyResult, VariantRows, assemble};
use super::setup::Setup;
use super::warm_up::WarmUp;
use crate::measure::View;
use crate::plan::Plan;
use crate::sim;
use crate::text::{Name, Patch, Problem, unknown};
use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

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
pub(super) struct Job<'c> {
    setup: &'c Setup,
    plan: Plan,
    replicas: u64,
}

/// Called after each run with the number of runs that are done and of all runs.
pub type Progress<'p> = &'p (dyn Fn(usize, usize) + Sync);

impl Options {
    /// The seed of a study.
    pub(super) fn seed_of(&self, checked: &Checked) -> u64 {
        self.seed.unwrap_or(checked.experiment.seed)
    }

    /// The numbers of replicas of a study.
    fn replicas_of(&self, checked: &Checked) -> Replicas {
        let experiment = &checked.experiment;
        let said = if self.smoke { experiment.smoke } else { experiment.replicas };
        let baseline = self.replicas.map_or(said.baseline, |number| number.max(1));
        let others = self.replicas.map_or(said.others, |_| said.others.min(baseline));
        Replicas { baseline, others }
    }

    /// The replicas of something that has a number of its own in the file. A first look and a
    /// smaller number of replicas hold for it, too.
    fn own_replicas(&self, checked: &Checked, said: Option<u64>) -> u64 {
        let own = said.filter(|_| !self.smoke).unwrap_or(self.replicas_of(checked).others);
        self.replicas.map_or(own, |number| own.min(number.max(1)))
    }
}

/// Runs all replicas of all variants, of the points of all sweeps, of what corrective measures need
/// and, if asked for, of the models without the claimed causes; `progress` is told after each.
#[must_use]
pub fn run(checked: &Checked, options: &Options, progress: Progress) -> StudyResult {
    let warm_up = WarmUp::find(checked, options);
    let mut jobs = jobs(checked, options);
    if options.ablations {
        jobs.extend(jobs_without_causes(checked, options));
    }
    settle(&mut jobs, warm_up);
    let bands = Mutex::new(Bands::new(&checked.variants[0].plan));
    // Which pair is best is known only then; how many runs it takes in normal operation, before.
    let last = runs_of_best_pair(checked, options);
    let first: usize = jobs.iter().map(|job| job.replicas as usize).sum();
    let with_last = |done: usize, _: usize| progress(done, first + last);
    let finished = run_all(checked, &jobs, Some(&bands), options.threads, &with_last);
    let best_pair = best_pair_in_normal(checked, options, &finished).and_then(|job| {
        let mut jobs = [job];
        settle(&mut jobs, warm_up);
        let after_first = |done: usize, _: usize| progress(first + done, first + last);
        run_all(checked, &jobs, None, options.threads, &after_first).pop()
    });
    let bands = bands.into_inner().unwrap_or_else(PoisonError::into_inner);
    assemble(checked, options, (finished, best_pair), &bands, warm_up.caution())
}

/// The variants and the points of the sweeps.
fn jobs<'c>(checked: &'c Checked, options: &Options) -> Vec<Job<'c>> {
    let (replicas, seed) = (options.replicas_of(checked), options.seed_of(checked));
    let mut jobs = Vec::new();
    for (index, setup) in checked.variants.iter().enumerate() {
        let number = if index == 0 { replicas.baseline } else { replicas.others };
        jobs.push(Job::new(setup, seed, number));
    }
    for sweep in &checked.sweeps {
        let own = options.own_replicas(checked, sweep.replicas);
        jobs.extend(sweep.points.iter().map(|(_, setup)| Job::new(setup, seed, own)));
    }
    for (setup, said) in checked.corrective.setups() {
        jobs.push(Job::new(setup, seed, options.own_replicas(checked, said)));
    }
    jobs
}

/// The runs of the best pair in normal operation.
fn runs_of_best_pair(checked: &Checked, options: &Options) -> usize {
    let is_run = checked.corrective.pairs_that_fit().any(|(_, normal)| normal.is_some());
    let said = checked.corrective.normal.as_ref().and_then(|normal| normal.replicas);
    if is_run { options.own_replicas(checked, said) as usize } else { 0 }
}

/// The best pair in normal operation; `finished` are the rows of [`jobs`].
fn best_pair_in_normal<'c>(
    checked: &'c Checked,
    options: &Options,
    finished: &[VariantRows],
) -> Option<Job<'c>> {
    let corrective = &checked.corrective;
    let points: usize = checked.sweeps.iter().map(|sweep| sweep.points.len()).sum();
    let normal = corrective.normal.as_ref()?;
    let before = checked.variants.len() + points + normal.variants.len();
    let pairs = &finished[before..before + corrective.pairs_that_fit().count()];
    let setup = corrective.best_pair_in_normal(pairs)?;
    let replicas = options.own_replicas(checked, normal.replicas);
    Some(Job::new(setup, options.seed_of(checked), replicas))
}

/// So many replicas give the deciles an interval from order statistics (both of them at 95 %
/// together need 42); with fewer a spread stays open whatever it is.
const SPREAD_NEEDS: u64 = 60;

/// The variants of claims without their causes, in the order of the claims.
pub(super) fn jobs_without_causes<'c>(checked: &'c Checked, options: &Options) -> Vec<Job<'c>> {
    let (replicas, seed) = (options.replicas_of(checked), options.seed_of(checked));
    let mut jobs = Vec::new();
    for claim in &checked.claims {
        let Some(unless) = &claim.unless else { continue };
        let replicas = match claim.test.statistic {
            Statistic::Spread => replicas.others.max(SPREAD_NEEDS),
            _ => replicas.others,
        };
        let setups = std::iter::once(&unless.variant).chain(&unless.against);
        jobs.extend(setups.map(|setup| Job::new(setup, seed, replicas)));
    }
    jobs
}

/// Gives the plans that leave their warm-up open the one that was found.
pub(super) fn settle(jobs: &mut [Job], warm_up: WarmUp) {
    jobs.iter_mut().for_each(|job| warm_up.settle(&mut job.plan));
}

impl<'c> Job<'c> {
    fn new(setup: &'c Setup, seed: u64, replicas: u64) -> Job<'c> {
        Job { setup, plan: Plan { seed, ..setup.plan.clone() }, replicas }
    }

    /// The plan of a replica and its drawn inputs.
    fn plan_of(
        &self,
        checked: &Checked,
        replica: u64,
    ) -> Result<(Cow<'_, Plan>, Vec<f64>), Vec<Problem>> {
        let drawn = self.setup.drawn(replica, self.plan.seed, &checked.draws, &checked.files)?;
        let Some((mut plan, inputs)) = drawn else {
            return Ok((Cow::Borrowed(&self.plan), Vec::new()));
        };
        if plan.warm_up_is_open {
            plan.set_warm_up(self.plan.warm_up);
        }
        Ok((Cow::Owned(plan), inputs))
    }
}

/// All rows, job by job and replica by replica; the first job's are also counted in the bands.
pub(super) fn run_all(
    checked: &Checked,
    jobs: &[Job],
    bands: Option<&Mutex<Bands>>,
    threads: Option<usize>,
    progress: Progress,
) -> Vec<VariantRows> {
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
        let row = run_one(checked, &jobs[index], replica, bands.filter(|_| index == 0));
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        row
    };
    let mut rows = in_parallel(total, threads, one).into_iter();
    let finished = jobs.iter().map(|job| VariantRows {
        name: job.setup.name.clone(),
        measures: job.setup.measures.iter().map(|measure| measure.name.clone()).collect(),
        rows: rows.by_ref().take(job.replicas as usize).collect(),
    });
    finished.collect()
}

/// The ordered map over the numbers below `total`.
#[cfg(feature = "cli")]
pub(crate) fn in_parallel<T: Send>(
    total: usize,
    threads: Option<usize>,
    one: impl Fn(usize) -> T + Sync + Send,
) -> Vec<T> {
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
pub(crate) fn in_parallel<T>(total: usize, _: Option<usize>, one: impl Fn(usize) -> T) -> Vec<T> {
    (0..total).map(one).collect()
}

fn run_one(checked: &Checked, job: &Job, replica: u64, bands: Option<&Mutex<Bands>>) -> Row {
    let (plan, inputs) = match job.plan_of(checked, replica) {
        Ok(drawn) => drawn,
        Err(problems) => {
            let why = problems.into_iter().next().map(|problem| problem.what);
            return Row::without_model(job.setup.measures.len(), why.unwrap_or_default());
        }
    };
    let outcome = sim::run(&plan, replica);
    let view = View::new(&plan, &outcome);
    if let Some(bands) = bands {
        let shape = Bands::shape(&view);
        bands.lock().unwrap_or_else(PoisonError::into_inner).add(shape);
    }
    let measures = job.setup.measures.iter();
    Row {
        values: measures.map(|measure| measure.of(&view).unwrap_or(f64::NAN)).collect(),
        inputs,
        fingerprint: outcome.fingerprint,
        doubts: Doubts::of(&view),
    }
}

impl Checked {
    /// The plan of one replica of a variant, of this experiment or made by [`Checked::changed`]:
    /// with the seed, the drawn inputs and the warm-up that a study gives it, so that it is the
    /// same run.
    ///
    /// # Errors
    /// What is wrong with the model that the draws of this replica make.
    pub fn plan_of(
        &self,
        setup: &Setup,
        replica: u64,
        options: &Options,
    ) -> Result<Plan, Vec<Problem>> {
        let mut job = Job::new(setup, options.seed_of(self), 1);
        WarmUp::find(self, options).settle(&mut job.plan);
        Ok(job.plan_of(self, replica)?.0.into_owned())
    }

    /// A variant (the baseline for none) with further patches.
    ///
    /// # Errors
    /// No such variant; patches that change nothing; what is wrong with the model that they make.
    pub fn changed(
        &self,
        variant: Option<&Name>,
        patches: Vec<Patch>,
        read_file: ReadFile,
    ) -> Result<Setup, Vec<Problem>> {
        let known = self.variants.iter().map(|setup| setup.name.as_str());
        let setup = match variant {
            None => &self.variants[0],
            Some(name) => {
                let found = self.variants.iter().find(|setup| setup.name == name.value);
                found.ok_or_else(|| vec![unknown("variant", name, known)])?
            }
        };
        let all = setup.patches.iter().cloned().chain(patches).collect();
        let (folder, mut files) = (folder(&self.model_path), self.files.clone());
        let mut read = |name: &str| {
            files.read(name, &mut |name| find(&folder, name, read_file).map(|(_, text)| text))
        };
        Setup::new(setup.name.clone(), &self.base, &self.draws, all, &mut read)
    }
}
