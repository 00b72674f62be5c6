//! The same plan, seed and replica give the same outcome, whoever asks and however often.

use crate::common::{model, plan_seeded};
use outagelab::plan::Plan;
use outagelab::sim::run;

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
