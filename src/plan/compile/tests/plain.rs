//! Which components and call sites are plain.

use super::{good, simple};
use crate::plan::{NONE, Plan};

/// Names of the components that are plain.
fn plain(plan: &Plan) -> Vec<&str> {
    let plain = plan.components.iter().filter(|component| component.is_plain);
    plain.map(|component| component.name.as_str()).collect()
}

#[test]
fn what_only_waits_works_and_calls_is_plain() {
    let clients = ["", "timeout: 1s", "layers: [retry: {attempts: 3}]", "priority: 1"];
    let servers = [
        "instances: 5",
        "line: {capacity: 3, discipline: random}",
        "connections: 9",
        "pick: random",
        "start_takes: 5s",
    ];
    for client in clients {
        for server in servers {
            let plan = good(&simple(client, server, ""));
            assert_eq!(plain(&plan), ["api"], "{client} {server}");
            assert!(plan.edges.iter().all(|edge| edge.plain != NONE), "{client} {server}");
            let general = plan.without_plain_ways();
            assert!(plain(&general).is_empty());
            assert!(general.edges.iter().all(|edge| edge.plain == NONE));
        }
    }
}

#[test]
fn whatever_else_may_happen_makes_it_not_plain() {
    let clients = [
        "deadline: 1s",
        "cancels: yes",
        "late_answers: used",
        "network: 1ms",
        "timeout: {exponential: {mean: 1s}}",
        "layers: [bulkhead: {limit: 3}]",
        "layers: [hedge: {after: 1s, at_most: 1}]",
        "layers: [retry_ratio: {retries_below: 30%}, retry: {attempts: 3}]",
    ];
    let servers = [
        "cpu: {cores: 1}",
        "memory: {limit: 1GB, base: 1MB, at_limit: killed}",
        "layers: [bulkhead: {limit: 3}]",
        "probe: {interval: 1s, timeout: 1s, needs: port, fall: 1, rise: 1}",
        "line: {discipline: priority}",
        "line: {wait: 1s}",
        "line: {drops_abandoned: yes}",
        "line: {capacity: 2, when_full: drop}",
        "instances: 2\n    pick: power_of_two",
        "bugs: {b: {when: {share: 1%}, raises: {error: server_error}}}",
    ];
    let rests = [
        "changes: {c: {what: {slow: {component: api, by: 2x}}, at: 1s}}",
        "observe: {o: {times: {of: {wait: api}}}}",
        "observe: {o: {number: {of: {awaited: api}}}}",
    ];
    let models = clients.map(|word| simple(word, "", "")).into_iter();
    let models = models.chain(servers.map(|word| simple("", word, "")));
    for model in models.chain(rests.map(|word| simple("", "", word))) {
        let plan = good(&model);
        assert!(plain(&plan).is_empty(), "{model}");
        assert!(plan.edges.iter().all(|edge| edge.plain == NONE), "{model}");
    }
}

#[test]
fn whoever_calls_one_that_is_not_plain_is_not_plain_and_others_are() {
    let plan = good(
        "name: chain
horizon: 1h
clients:
  web: {arrivals: {poisson: {rate: 10/s}}, calls: front}
components:
  front:
    {kind: server, workers: 8, while_calling: hold,
     endpoints: {request: [call: middle.request, call: store.request]}}
  middle:
    {kind: server, workers: 8, while_calling: hold, endpoints: {request: [call: back.request]}}
  back: {kind: server, workers: 8, cpu: {cores: 2}, endpoints: {request: [work: 1ms]}}
  store: {kind: server, workers: 8, endpoints: {request: [work: 1ms]}}
",
    );
    assert_eq!(plain(&plan), ["store"]);
    let called = plan.edges.iter().filter(|edge| edge.plain != NONE);
    let called: Vec<u32> = called.map(|edge| edge.to).collect();
    assert_eq!(called, [3], "only the call to `store`");
}
