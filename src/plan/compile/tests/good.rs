//! Good models and what they mean.

use super::{good, simple};
use crate::change::knob::Turn;
use crate::component::AtLimit;
use crate::plan::{ChangeAction, NONE, Needs, Op, Plan, Source, Timeout};
use crate::status::Status;
use crate::units::{MINUTE, SECOND};

fn file(name: &str) -> String {
    let path = format!("{}/models/benchmark/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The operations of an endpoint in the base version, up to its reply.
fn program(plan: &Plan, component: usize, endpoint: usize) -> Vec<Op> {
    let first = plan.components[component].programs[endpoint] as usize;
    let length = plan.ops[first..].iter().position(|op| matches!(op, Op::Reply(_))).unwrap();
    plan.ops[first..=first + length].to_vec()
}

fn instances(plan: &Plan) -> Vec<(u32, u32)> {
    plan.components.iter().map(|c| (c.first_instance, c.instances)).collect()
}

#[test]
fn one_queue_compiles_to_work_and_a_reply() {
    let plan = good(&file("w1"));
    assert_eq!(program(&plan, 0, 0), [Op::Work(0), Op::Reply(Status::Ok)]);
    assert_eq!(plan.edges[0].name, "customers.request");
    assert_eq!((plan.edges[0].to, plan.edges[0].endpoint), (0, 0));
    assert_eq!((plan.components[0].workers, plan.components[0].line_capacity), (1, u32::MAX));
    let Source::Open { rate, poisson: true, first_at: None } = &plan.clients[0].source else {
        panic!("{:?}", plan.clients[0].source)
    };
    assert_eq!(rate.rate_at(5.0), 0.8);
    assert!((plan.works[0].takes.mean() - 1.0).abs() < 1e-12);
    assert_eq!(good(&file("w2")).components[0].workers, 16);
}

#[test]
fn the_benchmark_w3_says_what_the_other_programs_run() {
    let plan = good(&file("w3"));
    assert_eq!(program(&plan, 0, 0), [Op::Work(0), Op::Call(1), Op::Reply(Status::Ok)]);
    assert_eq!(instances(&plan), [(0, 4), (4, 1)]);
    assert_eq!((plan.components[0].workers, plan.components[0].releases), (8, false));
    assert_eq!((plan.components[1].workers, plan.components[1].connections), (16, u32::MAX));
    assert!(matches!(plan.edges[0].timeout, Timeout::Constant(SECOND, 0)));
    assert!(matches!(plan.edges[1].timeout, Timeout::Never));
    assert_eq!(plan.lanes, [SECOND]);
    assert_eq!(plan.edges[0].layers.len(), 1);
    assert!(!plan.edges[0].late_used && !plan.edges[0].cancels);
    assert!(plan.edges[1].fails_caller && !plan.edges[1].proxy);
}

#[test]
fn enlarging_multiplies_what_is_in_proportion_and_nothing_else() {
    let rest = "scale: {enlarged: 3}
changes:
  surge: {what: {surge: {clients: web, to: 20/s}}, at: 1min, lasts: 5min}
  crash: {what: {crash: {component: api, instances: 1}}, at: 1min}
response:
  alerts:
    line: {signal: {level: api.line}, above: 50}
    errors: {signal: {ratio: {of: api.errors, to: api.requests}}, above: 5%}
";
    let server = "instances: 2\n    bugs: {b: {when: {rate: {above: 2/s, per: component, window: \
                  10s}}, raises: {crash: yes}}, c: {when: {rate: {above: 2/s, window: 10s}}, \
                  raises: {crash: yes}}}";
    let plan = good(&simple("", server, rest));
    let Source::Open { rate, .. } = &plan.clients[0].source else { panic!() };
    assert_eq!(rate.rate_at(0.0), 30.0);
    assert_eq!((plan.components[0].instances, plan.components[0].workers), (6, 8));
    assert_eq!(plan.bugs.iter().map(|bug| bug.rate.unwrap().count).collect::<Vec<_>>(), [60, 20]);
    assert_eq!(plan.changes[0].action, ChangeAction::Surge { client: 0, to: Some(60.0), by: 1.0 });
    let crash = ChangeAction::Turn { component: 0, count: 3, turn: Turn::Down };
    assert_eq!(plan.changes[1].action, crash);
    assert_eq!((plan.alerts[0].threshold, plan.alerts[1].threshold), (150.0, 0.05));
}

#[test]
fn choose_and_parallel_put_their_bodies_behind_the_program() {
    let steps = "[choose: [{class: request, steps: [work: 1ms]}, {share: 20%, steps: [work: 2ms, \
                 reply: degraded]}, {otherwise: yes, steps: []}], parallel: {wait_for: {at_least: \
                 1}, branches: [[work: 3ms], [wait: 4ms]]}]"
        .replace("], parallel", "]}, {parallel")
        .replace("[choose:", "[{choose:")
        .replace("4ms]]}]", "4ms]]}}]");
    let model = simple("", "while_calling: hold", "").replace("[work: 20ms]", &steps);
    let plan = good(&model);
    let choose = Op::Choose { first: 0, count: 3, luck: 0 };
    let fork = Op::Fork { first: 0, count: 2, copies: 1, need: 1 };
    assert_eq!(program(&plan, 0, 0), [choose, fork, Op::Reply(Status::Ok)]);
    let body = |start: u32, length: usize| &plan.ops[start as usize..start as usize + length];
    let [by_class, by_share, otherwise] = plan.alternatives[..] else { panic!() };
    assert!(matches!(body(by_class.target, 2), [Op::Work(_), Op::Jump(1)]));
    assert_eq!((by_class.cumulative_share, by_class.class), (0.0, 0));
    assert_eq!(plan.class_groups, [vec![true]]);
    assert!(matches!(
        body(by_share.target, 3),
        [Op::Work(_), Op::Reply(Status::Degraded), Op::Jump(1)]
    ));
    assert_eq!((by_share.cumulative_share, by_share.class), (0.2, NONE));
    assert_eq!(body(otherwise.target, 1), [Op::Jump(1)]);
    assert_eq!(otherwise.cumulative_share, 1.0);
    assert!(matches!(body(plan.branches[0], 2), [Op::Work(_), Op::Reply(Status::Ok)]));
    assert!(matches!(body(plan.branches[1], 2), [Op::Wait(_), Op::Reply(Status::Ok)]));
}

pub(super) const THREE_TIERS: &str = "name: three tiers
horizon: 20h
clock_at_alert: 14:30 UTC
clients:
  web:
    users: 100
    visits: {poisson: {rate: 1/s}}
    visit: {requests: {geometric: {mean: 5}}, thinking: {exponential: {mean: 20s}}}
    requests: {search: 70%, look: {share: 30%, endpoint: new}}
    calls: front
    deadline: 8s
components:
  front: {kind: balancer, instances: 2, backends: middle, passing: {timeout: 8s}}
  middle: {kind: balancer, backends: api}
  limiter: {kind: middleware, work: 1ms, bugs: {edge: {raises: {error: server_error}}}}
  api:
    kind: server
    instances: 4
    workers: 8
    while_calling: release
    middleware: [limiter]
    pools: {db: {size: 4, leak: 1%}}
    probe: {needs: {dependency: db}, interval: 5s, timeout: 2s, fall: 3, rise: 2}
    memory: {limit: 1GiB, leak: {per_request: 1KiB}, at_limit: stalls}
    endpoints:
      search: [call: db.query]
    versions:
      v2:
        bugs: {leak: {raises: {leaks_memory: 1MiB}}}
        endpoints: {new: [call: db.query]}
        leak: {per_request: 5KiB}
        connection_leak: {db: 50%}
  db: {kind: database, connections: 12, endpoints: {query: [work: 5ms]}}
changes:
  out: {what: {deploy: {component: api, version: v2}}, at: 1h}
";

#[test]
fn balancers_pass_every_endpoint_on() {
    let plan = good(THREE_TIERS);
    assert_eq!(plan.components[0].endpoints, ["search", "new"]);
    let [Op::Call(edge), Op::Reply(Status::Ok)] = program(&plan, 0, 1)[..] else { panic!() };
    let edge = &plan.edges[edge as usize];
    assert_eq!((edge.to, edge.endpoint, edge.same_endpoint.as_slice()), (1, NONE, &[0, 1][..]));
    assert!(edge.proxy && edge.fails_caller);
    // Both the deadline of the client and the time-out of the balancer are 8 s: one lane.
    assert_eq!(plan.lanes, [8 * SECOND, 2 * SECOND]);
    assert_eq!(plan.edges[0].deadline_lane, 0);
    assert_eq!(instances(&plan), [(0, 2), (2, 1), (3, 0), (3, 4), (7, 1)]);
}

#[test]
fn versions_add_to_the_base_version() {
    let plan = good(THREE_TIERS);
    let api = &plan.components[3];
    assert_eq!((api.versions.len(), api.programs.len()), (2, 4));
    assert_eq!(api.programs[1], NONE);
    // What a version does not replace is the base version's own program.
    assert_eq!(api.programs[0], api.programs[2]);
    assert!(api.programs[3] != NONE);
    assert_eq!(api.leaks, [(1024, 0), (5120, 0)]);
    assert_eq!(program(&plan, 3, 0)[..2], [Op::Bugs, Op::Middleware(2)]);
    let bits: Vec<_> = plan.bugs.iter().map(|bug| (bug.name.as_str(), bug.versions)).collect();
    assert_eq!(bits, [("limiter.edge", u64::MAX), ("api.leak", 2)]);
    let call = plan.edges.iter().find(|edge| edge.name == "api.search -> db.query").unwrap();
    assert_eq!((call.pool, call.pool_leak.as_slice()), (0, &[0.01, 0.5][..]));
    assert_eq!(api.memory.unwrap().at_limit, AtLimit::Stalls);
}

#[test]
fn a_probe_of_a_dependency_has_a_call_site_without_a_program() {
    let plan = good(THREE_TIERS);
    let probe = plan.components[3].probe.as_ref().unwrap();
    assert_eq!(probe.needs, Needs::Dependency(4));
    let edge = &plan.edges[probe.edge as usize];
    assert_eq!((edge.to, edge.endpoint, edge.same_endpoint.len()), (3, NONE, 0));
    assert!(matches!(edge.timeout, Timeout::Constant(_, 1)));
}

#[test]
fn buckets_are_whole_minutes_and_no_more_than_512() {
    let plan = good(THREE_TIERS);
    // 20 h are 1200 minutes: 3 minutes each make 400 buckets.
    assert_eq!(plan.bucket, 3 * MINUTE);
    assert_eq!(good(&simple("", "", "")).bucket, MINUTE);
    assert_eq!(plan.clock_at_alert, Some((14 * 60 + 30, "UTC".to_owned())));
}

#[test]
fn the_luck_of_a_place_does_not_depend_on_other_components_nor_on_the_seed() {
    let plan = good(&simple("", "", ""));
    let other = "  other: {kind: database, connections: 1, endpoints: {q: [work: 1ms]}}";
    let with = good(&simple("", "bugs: {b: {raises: {crash: yes}}}", other));
    assert_eq!(plan.works[0].luck, with.works[0].luck);
    assert_eq!(plan.edges[0].luck, with.edges[0].luck);
    assert_ne!(with.works[0].luck, with.works[1].luck);
}

#[test]
fn a_closed_population_are_the_users() {
    let closed = "closed: {population: 40, thinking: 1s}";
    let plan = good(&simple("", "", "").replace("poisson: {rate: 10/s}", closed));
    assert_eq!((plan.clients[0].users, plan.clients[0].visit.is_none()), (40, true));
    assert!(matches!(plan.clients[0].source, Source::Closed { population: 40, .. }));
    assert!(!plan.clients[0].counts_as_users);
}

#[test]
fn given_arrivals_are_sorted_and_keys_are_summed_up() {
    let requests = "requests: {request: {share: 100%, key: {zipf: {keys: 3, exponent: 1}}}}";
    let plan = good(&simple(requests, "", "").replace("{poisson: {rate: 10/s}}", "{at: [2s, 1s]}"));
    assert!(matches!(&plan.clients[0].source, Source::At(all) if *all == [SECOND, 2 * SECOND]));
    let keys = &plan.classes[0].key_cumulative;
    assert!((keys[0] - 6.0 / 11.0).abs() < 1e-12 && keys[2] == 1.0);
}
