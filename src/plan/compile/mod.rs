//! From what was said to what it means: names become ids, and **all** errors of a model end here.
//!
//! A compilation never stops at the first problem. Every part reports what is wrong with it and
//! puts something harmless in its place; a plan is handed out only if there was no problem.
//!
//! | file | what it compiles |
//! | --- | --- |
//! | `builder` | what all others share: problems with their places, laws, lanes, call sites |
//! | `names` | names to ids, with "did you mean" |
//! | `clients` | clients, their classes of requests, their arrivals |
//! | `components` `station` | components, and their limits, memory, probes, pools |
//! | `steps` | endpoints to programs |
//! | `bugs` | bugs and their conditions |
//! | `cycles` | proof that calls end |
//! | `changes` | what happens at a time |
//! | `signals` `response` | alerts, evidence, people |
//! | `observe` | observations |
//! | `load` | a file's text to a plan |
//!
//! # `scale.enlarged`
//!
//! The whole number k multiplies what is in proportion to the real system: arrival rates, given
//! arrivals (each comes k times), users and closed populations, instances of every component (also
//! where a change or an action counts some of them, and the batch of a rolling deploy), the rate
//! to which a surge goes, rates of bugs that are counted per component, rate limits at a client,
//! and thresholds on totals (counts, rates, lines, requests present, instances up). It leaves alone
//! what belongs to one instance: workers, memory, pools, and limits at a door or at a component's
//! own calls, because every instance has its own.

mod bugs;
mod builder;
mod changes;
mod clients;
mod components;
mod cycles;
mod load;
mod names;
mod observe;
mod response;
mod signals;
mod station;
mod steps;

use super::{NONE, Plan};
use crate::model::{Model, WarmUp, origins};
use crate::text::{Node, Problem};
use crate::units::{MINUTE, Nanos};
use builder::{Builder, Place};

pub use load::load_and_compile;

/// Instances of all components together that a model may have.
pub const MAX_INSTANCES: u64 = 100_000;
/// Users of all clients together that a model may have.
pub const MAX_USERS: u64 = 10_000_000;
/// Time buckets of a run at most; longer runs have wider buckets.
pub const MAX_BUCKETS: u64 = 512;

/// What a compilation needs beside the model.
pub struct CompileContext<'a> {
    /// Reads a file that an empirical distribution names. The engine itself reads no files.
    pub read_file: &'a mut dyn FnMut(&str) -> Result<String, String>,
    /// Names that decoding has set aside (see [`crate::text::Decoded::removed`]): no complaint is
    /// made that they are unknown or missing.
    pub removed: &'a [String],
    /// The tree that the model was decoded from, for exact places in messages. Without it they
    /// point at the nearest name.
    pub root: Option<&'a Node>,
}

impl<'a> CompileContext<'a> {
    /// A context for a model that is whole.
    pub fn new(read_file: &'a mut dyn FnMut(&str) -> Result<String, String>) -> CompileContext<'a> {
        CompileContext { read_file, removed: &[], root: None }
    }
}

/// Compiles a model.
///
/// # Errors
/// Everything that is wrong with the model, in the order of its text.
pub fn compile(
    model: &Model,
    seed: u64,
    context: &mut CompileContext,
) -> Result<Plan, Vec<Problem>> {
    let mut b = Builder::new(model, seed, context);
    b.check_names();
    b.settings();
    b.clients();
    b.components();
    b.bugs();
    b.check_cycles();
    b.changes();
    b.response();
    b.observations();
    let (mut plan, mut problems) = b.finish();
    if let Some(root) = context.root {
        problems.extend(origins::unknown_paths(root, model));
    }
    if !problems.is_empty() {
        return Err(in_order(problems));
    }
    plan.mark_plain();
    Ok(plan)
}

/// Problems in the order of the text, each once; those without a place last.
pub(super) fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|p| (p.mark.is_none(), p.mark));
    let mut seen = std::collections::BTreeSet::new();
    problems.retain(|p| seen.insert((p.mark, p.what.clone())));
    problems
}

impl Builder<'_, '_> {
    /// What the model says about itself as a whole.
    fn settings(&mut self) {
        let model = self.model;
        let horizon = model.horizon.0;
        let is_there = self.root.is_none_or(|root| root.get("horizon").is_some());
        let is_stated = is_there && !self.is_removed("horizon");
        if horizon == 0 && !is_stated {
            // Said already, where it is missing or could not be read.
        } else if horizon == 0 {
            self.problem(&Place::top("horizon"), "a horizon of 0: nothing would be simulated")
                .help("write how long a run may last, such as `6h`");
        } else if model.warm_up.span().0 >= horizon {
            self.problem(&Place::top("warm_up"), "the warm-up is not shorter than the horizon")
                .help("nothing would be measured; shorten `warm_up` or lengthen `horizon`");
        }
        self.automatic_warm_up();
        if !(model.scale.stands_for.is_finite() && model.scale.stands_for > 0.0) {
            self.problem(&Place::top("scale").word("stands_for"), "`stands_for` must be above 0");
        }
        if model.scale.enlarged == 0 {
            self.problem(&Place::top("scale").word("enlarged"), "`enlarged` must be at least 1");
        }
        if model.stop.events == 0 {
            self.problem(&Place::top("stop").word("events"), "a run that stops before it begins");
        }
        if model.stop.memory.0 == 0 {
            self.problem(&Place::top("stop").word("memory"), "a run that stops before it begins");
        }
        if model.impact.budget_period.0 == 0 {
            let place = Place::top("impact").word("budget_period");
            self.problem(&place, "an error budget for a period of 0");
        }
        if model.impact.objective.0 >= 1.0 {
            self.problem(&Place::top("impact").word("objective"), "an objective of 100%")
                .help("it leaves no error budget; write for example `99.9%`");
        }
        self.plan.bucket = bucket(horizon);
        self.plan.clock_at_alert = model.clock_at_alert.as_deref().and_then(|text| {
            let clock = clock(text);
            if clock.is_none() {
                let what = format!("`{text}` is not a time of day with its zone");
                self.problem(&Place::top("clock_at_alert"), what).help("write `14:30 UTC`");
            }
            clock
        });
    }
}

impl Builder<'_, '_> {
    /// An automatic warm-up looks for a steady state, and so there must be one.
    fn automatic_warm_up(&mut self) {
        let model = self.model;
        if model.warm_up != WarmUp::Auto {
            return;
        }
        let once = model.changes.iter().find(|(_, change)| change.recurring.is_none());
        let why = match once {
            Some((name, _)) => format!("the change `{}` comes once", name.value),
            None if model.response.responder.is_some() => "people respond".to_owned(),
            None => return,
        };
        let what = format!("`warm_up: auto` in a model without a steady state: {why}");
        self.problem(&Place::top("warm_up"), what)
            .help("write a length of time such as `warm_up: 10min`, or leave it out");
    }
}

/// The width of the time buckets: whole minutes, and at most [`MAX_BUCKETS`] of them.
fn bucket(horizon: Nanos) -> Nanos {
    horizon.div_ceil(MAX_BUCKETS * MINUTE).max(1) * MINUTE
}

/// `14:30 UTC` as minutes after midnight and the zone.
fn clock(text: &str) -> Option<(u32, String)> {
    let (time, zone) = text.trim().split_once(char::is_whitespace)?;
    let (hours, minutes) = time.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes) = (hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?);
    let zone = zone.trim();
    (hours < 24 && minutes < 60 && !zone.is_empty())
        .then(|| (hours * 60 + minutes, zone.to_owned()))
}

#[cfg(test)]
mod tests;
