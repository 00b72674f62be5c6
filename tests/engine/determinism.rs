//! The same plan, seed and replica give the same outcome, whoever asks and however often.

use crate::common::{model, plan_seeded, try_study};
use crate::files;
use outagelab::plan::Plan;
use outagelab::sim::run;
use outagelab::study::{self, Options};
use outagelab::units::{MINUTE, SECOND};
use std::collections::BTreeMap;

const MODEL: &str = "
    horizon: 10min
    clients:
      users:
        users: 50
        visits: {poisson: {rate: 2/s}}
        visit: {requests: {geometric: {mean: 4}}, thinking: {exponential: {mean: 1s}}}
        calls: api
        timeout: 500ms
        layers: [retry: {attempts: 3}]
    components:
      api:
        kind: server
        instances: 3
        workers: 2
        line: {discipline: random, capacity: 20}
        pick: random
        memory:
          {limit: 64MB, base: 30MB, per_request: 1MB, leak: {per_request: 20kB}, at_limit: killed}
        restart: {always: {takes: {exponential: {mean: 5s}}}}
        endpoints: {request: [work: {lognormal: {mean: 100ms, cv: 2}}]}
    changes:
      flaps:
        what: {crash: {component: api}}
        recurring: {up: {exponential: {mean: 1min}}, down: 5s, each_instance: yes}
    response:
      alerts: {errors: {signal: {ratio: {of: users.errors, to: users.answers}}, above: 1%}}";

/// Everything there is in an outcome, as text.
fn all_of(plan: &Plan, replica: u64) -> String {
    format!("{:?}", run(plan, replica))
}

#[test]
fn a_replica_run_twice_gives_the_same_numbers_down_to_the_last() {
    let plan = plan_seeded(&model(MODEL), 1);
    assert_eq!(all_of(&plan, 3), all_of(&plan, 3));
    // Compiled anew, too.
    assert_eq!(all_of(&plan, 3), all_of(&plan_seeded(&model(MODEL), 1), 3));
}

#[test]
fn replicas_and_seeds_differ() {
    let plan = plan_seeded(&model(MODEL), 1);
    let mut prints: Vec<u64> = (0..20).map(|replica| run(&plan, replica).fingerprint).collect();
    prints.push(run(&plan_seeded(&model(MODEL), 2), 0).fingerprint);
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), 21);
}

#[test]
fn threads_do_not_matter() {
    let plan = plan_seeded(&model(MODEL), 1);
    let alone: Vec<String> = (0..8).map(|replica| all_of(&plan, replica)).collect();
    let together: Vec<String> = std::thread::scope(|scope| {
        let one = |replica| {
            let plan = &plan;
            scope.spawn(move || all_of(plan, replica))
        };
        let handles: Vec<_> = (0..8).map(one).collect();
        handles.into_iter().map(|h| h.join().expect("no run panics")).collect()
    });
    assert_eq!(alone, together);
}

#[test]
fn two_variants_of_a_replica_share_their_luck_until_they_differ() {
    // Common random numbers: a second client shifts none of the first one's numbers.
    let with_crawler = MODEL.replace(
        "    components:",
        "      crawler: {arrivals: {poisson: {rate: 1/s}}, calls: idle}
    components:
      idle: {kind: server, workers: 1, endpoints: {request: [work: 1ms]}}",
    );
    let (one, two) = (plan_seeded(&model(MODEL), 1), plan_seeded(&model(&with_crawler), 1));
    for replica in 0..5 {
        let (one, two) = (run(&one, replica), run(&two, replica));
        assert_eq!(one.clients[0].ended, two.clients[0].ended);
        assert_eq!(one.clients[0].attempts, two.clients[0].attempts);
    }
}

#[test]
fn the_order_in_which_models_are_loaded_and_run_does_not_matter() {
    let paths = files::below("models", &["yaml"]);
    let outcome = |path: &std::path::PathBuf| {
        let mut plan = files::model(path);
        let name = files::name(path);
        plan.horizon =
            plan.horizon.min(if name.contains("benchmark") { 5 * SECOND } else { 20 * MINUTE });
        (name, all_of(&plan, 1))
    };
    let forwards: BTreeMap<String, String> = paths.iter().map(outcome).collect();
    // Backwards, and in three threads at once.
    let backwards: BTreeMap<String, String> = std::thread::scope(|scope| {
        let third = |part: usize| {
            let own = paths.iter().rev().skip(part).step_by(3);
            scope.spawn(move || own.map(outcome).collect::<Vec<_>>())
        };
        let threads: Vec<_> = (0..3).map(third).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no run panics")).collect()
    });
    assert_eq!(forwards.len(), paths.len());
    for (name, outcome) in &forwards {
        assert!(backwards[name] == *outcome, "{name} depends on what was run before it");
    }
}

const VARIANTS: [&str; 3] = [
    "  more workers: {set: {components.api.workers: 4}}\n",
    "  no flaps: {remove: [changes.flaps]}\n",
    "  more users: {set: {clients.users.visits: {poisson: {rate: 3/s}}}}\n",
];

/// The variants and the sweep of a study as bytes, by name.
fn study_of(variants: &[&str], replicas: u64, threads: usize) -> BTreeMap<String, String> {
    let experiment = format!(
        "question: which?\nmodel: model.yaml\nreplicas: {{baseline: {replicas}, others: 6}}\n\
         uncertain: {{changes.flaps.recurring.down: {{uniform: [2s, 8s]}}}}\nvariants:\n{}\
         sweep: [{{over: {{components.api.workers: [1, 2]}}, measures: [goodput]}}]\n",
        variants.concat()
    );
    let checked = try_study(&model(MODEL), &experiment).unwrap_or_else(|wrong| panic!("{wrong}"));
    let options = Options { threads: Some(threads), ..Options::default() };
    let table = study::run(&checked, &options, &|_, _| {}).table;
    let json = |value: serde_json::Result<String>| value.expect("a table can be written");
    let named = |v: &study::table::Variant| (v.name.clone(), json(serde_json::to_string(v)));
    let mut all: BTreeMap<String, String> = table.variants.iter().map(named).collect();
    all.insert("sweep".to_owned(), json(serde_json::to_string(&table.sweep)));
    all
}

#[test]
fn the_order_of_variants_and_the_number_of_threads_do_not_matter() {
    let [a, b, c] = VARIANTS;
    let first = study_of(&[a, b, c], 6, 1);
    assert_eq!(first.len(), 5);
    assert_eq!(first, study_of(&[c, a, b], 6, 3));
    assert_eq!(first, study_of(&[b, c, a], 6, 2));
    // Neither does what else is studied.
    let alone = study_of(&[b], 6, 2);
    assert!(alone.iter().all(|(name, bytes)| first[name] == *bytes));
    // The test can fail: other replicas give other bytes.
    assert_ne!(first["baseline"], study_of(&[a, b, c], 5, 1)["baseline"]);
}
