//! Which components and call sites are plain.

use super::{good, simple};
use crate::plan::{EdgePlan, NONE, PASSES, Plan};

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
            let is_plain = |edge: &EdgePlan| edge.plain != NONE && edge.opens_plainly;
            assert!(plan.edges.iter().all(is_plain), "{client} {server}");
            let general = plan.without_plain_ways();
            assert!(plain(&general).is_empty());
            let is_general = |edge: &EdgePlan| edge.plain == NONE && !edge.opens_plainly;
            assert!(general.edges.iter().all(is_general));
        }
    }
}

#[test]
fn whatever_else_may_happen_makes_it_not_plain() {
    let clients = ["cancels: yes", "network: 1ms", "layers: [hedge: {after: 1s, at_most: 1}]"];
    let servers = [
        "cpu: {cores: 1}",
        "memory: {limit: 1GB, base: 1MB, at_limit: killed}",
        "layers: [bulkhead: {limit: 3}]",
        "probe: {interval: 1s, timeout: 1s, needs: port, fall: 1, rise: 1}",
        "line: {discipline: priority}",
        "line: {wait: 1s}",
        "line: {drops_abandoned: yes}",
        "line: {capacity: 2, when_full: drop}",
        "while_calling: release",
        "bugs: {b: {when: {share: 1%}, raises: {error: server_error}}}",
    ];
    let rests = [
        "changes: {c: {what: {slow: {component: api, by: 2x}}, at: 1s}}",
        "changes: {c: {what: {flush: {component: api}}, at: 1s}}",
        "changes: {c: {what: {delay: {to: api, by: 1ms}}, at: 1s}}",
        "changes: {c: {what: {deploy: {component: api, version: base}}, at: 1s}}",
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
fn what_stands_around_calls_needs_a_record_of_the_call_and_no_more() {
    let clients = [
        "deadline: 1s",
        "late_answers: used",
        "timeout: {exponential: {mean: 1s}}",
        "layers: [bulkhead: {limit: 3}]",
        "layers: [retry_ratio: {retries_below: 30%}, retry: {attempts: 3}]",
    ];
    let servers = clients.map(|client| (client, "")).into_iter();
    for (client, server) in servers.chain([("", "instances: 2\n    pick: power_of_two")]) {
        let plan = good(&simple(client, server, ""));
        assert_eq!(plain(&plan), ["api"], "{client} {server}");
        let has_a_call = |edge: &EdgePlan| edge.plain != NONE && !edge.opens_plainly;
        assert!(plan.edges.iter().all(has_a_call), "{client} {server}");
    }
}

/// Clients, a balancer, two servers behind it, each with a pool to the next, and a database.
const CHAIN: &str = "name: chain
horizon: 1h
clients:
  web: {arrivals: {poisson: {rate: 10/s}}, calls: front}
components:
  front: {kind: balancer, backends: middle}
  middle:
    {kind: server, workers: 8, while_calling: hold, pools: {back: {size: 2}},
     endpoints: {request: [call: back.request], other: [work: 1ms]}}
  back:
    {kind: server, workers: 8, while_calling: hold, pools: {store: {size: 2}},
     endpoints: {request: [work: 1ms, call: store.request]}}
  store: {kind: database, workers: 8, endpoints: {request: [work: 1ms]}}
";

/// Names of the callees of the call sites that are plain.
fn called_plainly(plan: &Plan) -> Vec<&str> {
    let edges = plan.edges.iter().filter(|edge| edge.opens_plainly);
    edges.map(|edge| plan.components[edge.to as usize].name.as_str()).collect()
}

#[test]
fn balancers_and_pools_are_plain() {
    let plan = good(CHAIN);
    assert_eq!(plain(&plan), ["front", "middle", "back", "store"]);
    let passing = plan.edges.iter().filter(|edge| edge.plain == PASSES);
    assert_eq!(passing.map(|edge| edge.to).collect::<Vec<_>>(), [1], "front passes to middle");
    let mut called = called_plainly(&plan);
    called.sort_unstable();
    assert_eq!(called, ["back", "front", "middle", "store"]);
}

#[test]
fn only_those_on_which_somebody_acts_are_not_plain() {
    let all = ["front", "middle", "back", "store"];
    let changes = [
        ("slow: {component: back, by: 2x}", Some("back")),
        ("cut: {to: store}", Some("store")),
        ("surge: {clients: web, by: 2x}", None),
    ];
    for (what, target) in changes {
        let change = format!("changes:\n  c: {{what: {{{what}}}, at: 1min, lasts: 1min}}\n");
        let plan = good(&format!("{CHAIN}{change}"));
        let others: Vec<&str> = all.into_iter().filter(|name| Some(*name) != target).collect();
        assert_eq!(plain(&plan), others, "{what}");
    }
    let people = "response:
  alerts:
    errors: {signal: {ratio: {of: web.errors, to: web.requests}}, above: 5%}
  responder:
    acknowledge: 2min
    verify: 5min
    declare_over: {quiet: 10min}
    hypotheses:
      hangs: {suspect: middle, cause: exhaustion, suggested_by: [errors], check: 5min}
    actions:
      again: {for: [hangs], does: [{restart: middle}], replaces: [back], takes: 1min}
";
    assert_eq!(plain(&good(&format!("{CHAIN}{people}"))), ["front", "store"]);
}
