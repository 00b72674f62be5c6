//! From inline YAML to the outcome of a run.

use outagelab::plan::{Plan, load_and_compile};
use outagelab::sim::meter::Request;
use outagelab::sim::outcome::{ClientOutcome, ComponentOutcome};
use outagelab::sim::story::What;
use outagelab::sim::{Outcome, run_logged};
use outagelab::status::Status;
use outagelab::study::{Checked, check};
use outagelab::text::{Sources, plain};
use outagelab::units::{MILLISECOND, Nanos, SECOND};

/// Requests kept one by one.
const LOG: usize = 100_000;

/// A model's text to its plan, or everything that is wrong with it.
pub fn try_plan(text: &str, seed: u64) -> Result<Plan, String> {
    let mut sources = Sources::default();
    let mut no_files = |name: &str| Err(format!("{name}: no files here"));
    let compiled = load_and_compile(&mut sources, "test.yaml", text, &[], seed, &mut no_files);
    compiled
        .map(|(_, _, plan)| plan)
        .map_err(|problems| format!("the model is wrong:\n{}\n{text}", plain(&problems, &sources)))
}

/// An experiment on a model, both as texts, ready to be run.
pub fn try_study(model: &str, experiment: &str) -> Result<Checked, String> {
    let mut sources = Sources::default();
    let mut files = |path: &str| match path {
        "model.yaml" => Ok(model.to_owned()),
        _ => Err("no such file".to_owned()),
    };
    let found = check(&mut sources, "experiment.yaml", experiment, &mut files);
    found.map_err(|problems| plain(&problems, &sources))
}

/// A model's text to its plan.
///
/// # Panics
/// With everything that is wrong with the text.
pub fn plan_seeded(text: &str, seed: u64) -> Plan {
    try_plan(text, seed).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// A model's text to its plan, with seed 1.
pub fn plan(text: &str) -> Plan {
    plan_seeded(text, 1)
}

/// A run with everything that can be known of it.
pub struct Run {
    /// What was run.
    pub plan: Plan,
    /// What came of it.
    pub outcome: Outcome,
    /// Every request, in the order of ending.
    pub log: Vec<Request>,
}

/// Runs replica 0 of a model (see [`model`]).
pub fn run(text: &str) -> Run {
    run_plan(plan(&model(text)))
}

/// A model's text as it stands in a test: indented, and without a name. A horizon of an hour is put
/// before it, unless it says otherwise.
pub fn model(text: &str) -> String {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let indent = lines().map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    let body: String = lines().map(|line| format!("{}\n", &line[indent..])).collect();
    let horizon = if text.contains("horizon:") { "" } else { "horizon: 1h\n" };
    format!("name: test\n{horizon}{body}")
}

/// Runs replica 0 of a plan.
pub fn run_plan(plan: Plan) -> Run {
    let (outcome, log) = run_logged(&plan, 0, LOG);
    Run { plan, outcome, log }
}

impl Run {
    /// What a client saw.
    pub fn client(&self, name: &str) -> &ClientOutcome {
        let index = self.plan.clients.iter().position(|c| c.name == name);
        &self.outcome.clients[index.expect("a client of that name")]
    }

    /// What happened in a component.
    pub fn component(&self, name: &str) -> &ComponentOutcome {
        let index = self.plan.components.iter().position(|c| c.name == name);
        &self.outcome.components[index.expect("a component of that name")]
    }

    /// When each request of a client ended, and how, in that order.
    pub fn ends(&self, client: &str) -> Vec<(Nanos, Status)> {
        let of = |r: &&Request| self.plan.clients[r.client as usize].name == client;
        self.log.iter().filter(of).map(|r| (r.now, r.status)).collect()
    }

    /// When each request of a client began, and when it ended, in the order of ending.
    pub fn spans(&self, client: &str) -> Vec<(Nanos, Nanos)> {
        let of = |r: &&Request| self.plan.clients[r.client as usize].name == client;
        self.log.iter().filter(of).map(|r| (r.now - r.latency, r.now)).collect()
    }

    /// Requests of a client that ended so.
    pub fn count(&self, client: &str, status: Status) -> u64 {
        self.client(client).ended[status as usize]
    }

    /// Answers of a component with that status.
    pub fn answers(&self, component: &str, status: Status) -> u64 {
        self.component(component).answers[status as usize]
    }

    /// Times at which something of the story happened.
    pub fn times(&self, is: impl Fn(&What) -> bool) -> Vec<Nanos> {
        self.outcome.story.iter().filter(|h| is(&h.what)).map(|h| h.at).collect()
    }

    /// The integral of the workers in use of a component over the whole run, in nanoseconds.
    pub fn busy_time(&self, component: &str) -> Nanos {
        (self.component(component).mean_busy * self.outcome.end as f64).round() as Nanos
    }
}

/// Milliseconds.
pub fn ms(n: u64) -> Nanos {
    n * MILLISECOND
}

/// Seconds.
pub fn s(n: u64) -> Nanos {
    n * SECOND
}

/// Pairs of a time in milliseconds and a status, as [`Run::ends`] gives them.
pub fn ends_ms(pairs: &[(u64, Status)]) -> Vec<(Nanos, Status)> {
    pairs.iter().map(|(t, status)| (ms(*t), *status)).collect()
}
