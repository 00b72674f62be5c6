//! The plain way against the general one: the same outcome, to the last bit.

use super::models::Genes;
use super::{check, on};
use crate::common::try_plan;
use crate::files;
use outagelab::plan::{EdgePlan, NONE, PASSES, Plan};
use outagelab::sim::outcome::ComponentOutcome;
use outagelab::sim::{run, run_audited, run_logged};
use outagelab::status::Status;
use outagelab::units::{HOUR, MINUTE};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::cell::Cell;

/// Everything there is in an outcome, and every request, as text.
fn all_of(plan: &Plan, replica: u64) -> String {
    format!("{:?}", run_logged(plan, replica, 100_000))
}

/// Models in which most components are plain, and some are not, by one thing of many.
fn text(clients: &[Vec<u8>], components: &[Vec<u8>], changes: &[Vec<u8>]) -> String {
    let clients = clients.iter().enumerate().map(|(i, genes)| client(i, genes));
    let count = components.len();
    let components = components.iter().enumerate().map(|(i, genes)| component(i, count, genes));
    let changes = changes.iter().enumerate().map(|(i, genes)| change(i, count, genes));
    let (clients, components) = (clients.collect::<String>(), components.collect::<String>());
    let changes = changes.collect::<String>();
    let changes = if changes.is_empty() { changes } else { format!("changes:\n{changes}") };
    format!("name: random\nhorizon: 30s\nclients:\n{clients}components:\n{components}{changes}")
}

/// What acts on a component, or on the ways to it, makes it not plain.
fn change(index: usize, count: usize, genes: &[u8]) -> String {
    let mut g = Genes::new(genes);
    let to = g.pick(count);
    let what = [
        format!("crash: {{component: c{to}}}"),
        format!("slow: {{component: c{to}, by: 3x}}"),
        format!("freeze: {{component: c{to}}}"),
        format!("errors: {{component: c{to}, share: 30%}}"),
        "cut: {to: c0}".to_owned(),
        "delay: {to: c0, by: 20ms}".to_owned(),
        format!("fewer_workers: {{component: c{to}, workers: 1}}"),
    ];
    let what = &what[g.pick(what.len())];
    format!("  x{index}: {{what: {{{what}}}, at: {}s, lasts: 3s}}\n", 5 + g.pick(15))
}

fn client(index: usize, genes: &[u8]) -> String {
    let mut g = Genes::new(genes);
    let rate = [5, 30, 80][g.pick(3)];
    let source = [
        format!("arrivals: {{poisson: {{rate: {rate}/s}}}}"),
        format!("arrivals: {{closed: {{population: {rate}, thinking: {{fixed: 100ms}}}}}}"),
        format!(
            "users: 20, visits: {{poisson: {{rate: {rate}/s}}}}, \
             visit: {{requests: {{geometric: {{mean: 3}}}}, \
             thinking: {{exponential: {{mean: 200ms}}}}, patience: {{failures: 2}}}}"
        ),
        "arrivals: {constant: {rate: 50/s}}".to_owned(),
    ];
    let mut words = vec![source[g.pick(source.len())].clone(), "calls: c0".to_owned()];
    words.extend(way(&mut g));
    words.push(
        g.word(&["", "requests: {request: 60%, heavy: {share: 40%, endpoint: other}}"]).into(),
    );
    words.retain(|word| !word.is_empty());
    format!("  u{index}: {{{}}}\n", words.join(", "))
}

/// What stands around calls. A fallback, and each of the rare words, makes them not plain.
fn way(g: &mut Genes) -> Vec<String> {
    let timeout = g.word(&["", "timeout: 300ms", "timeout: 20ms", "timeout: 100ms"]);
    let layers = g.word(&[
        "",
        "layers: [retry: {attempts: 3, backoff: {constant: 50ms}}]",
        "layers: [retry: {attempts: 4, backoff: none}]",
        "layers: [fallback: {answer: degraded, takes: 5ms}, retry: {attempts: 2}]",
    ]);
    let rare = match g.pick(60) {
        1 => "deadline: 150ms",
        2 => "cancels: yes",
        3 => "late_answers: used",
        4 => "layers: [bulkhead: {limit: 3}]",
        5 => "timeout: {exponential: {mean: 100ms}}",
        _ => "",
    };
    let of = |word: &str| word.split(':').next().unwrap_or("").to_owned();
    let mut words = vec![rare.to_owned()];
    let others = [timeout, layers].into_iter().filter(|word| of(word) != of(rare));
    words.extend(others.map(str::to_owned));
    words.retain(|word| !word.is_empty());
    words
}

fn component(index: usize, count: usize, genes: &[u8]) -> String {
    let mut g = Genes::new(genes);
    if index + 1 < count && g.pick(3) == 1 {
        let rare = match g.pick(6) {
            1 => ", memory: {limit: 60MB, base: 40MB, per_request: 1MB, at_limit: stalls}",
            2 => ", layers: [bulkhead: {limit: 5}]",
            _ => "",
        };
        let mut way = way(&mut g);
        way.retain(|word| !word.starts_with("deadline") && !word.starts_with("late"));
        let way = way.join(", ");
        let backend = index + 1;
        return format!(
            "  c{index}: {{kind: balancer, backends: c{backend}, passing: {{{way}}}{rare}}}\n"
        );
    }
    let discipline = g.word(&["fifo", "lifo", "random"]);
    let line = g.word(&["", "", ", capacity: 0", ", capacity: 4", ", capacity: 30"]);
    let dropped = g.word(&["", "", "", "", "", "", "", ", drops_abandoned: yes"]);
    let mut words = vec![
        "kind: server".to_owned(),
        format!("instances: {}", 1 + g.pick(3)),
        format!("workers: {}", 1 + g.pick(4)),
        format!("line: {{discipline: {discipline}{line}{dropped}}}"),
    ];
    words.push(g.word(&["", "", "connections: 6"]).into());
    let pick = ["", "", "pick: random", "pick: sticky_by_user"];
    let pick = g.word(&pick);
    let rare = match g.pick(30) {
        1 => "while_calling: release",
        2 => "cpu: {cores: 1}",
        3 => "memory: {limit: 60MB, base: 40MB, per_request: 2MB, at_limit: stalls}",
        4 => "layers: [bulkhead: {limit: 5}]",
        5 => "probe: {needs: worker, interval: 1s, timeout: 200ms, fall: 2, rise: 1}",
        6 => "pick: power_of_two",
        7 => "bugs: {b: {when: {share: 3%}, raises: {error: server_error}}}",
        8 => {
            "memory: {limit: 60MB, base: 40MB, per_request: 2MB, leak: {per_request: 50kB}, \
             at_limit: killed}, restart: {always: {takes: 500ms}}"
        }
        9 => "bugs: {b: {when: {share: 1%}, raises: {crash: yes}}}, restart: {always: {takes: 1s}}",
        10 => "bugs: {b: {when: {share: 3%}, raises: {calls_again: {times: 3, pause: 5ms}}}}",
        11 => "bugs: {b: {when: {share: 1%}, raises: {exception: {holds_worker: yes}}}}",
        _ => "",
    };
    words.push(if rare.starts_with("while_calling") { rare } else { "while_calling: hold" }.into());
    words.push(if rare.starts_with("pick") { "" } else { pick }.into());
    words.push(if rare.starts_with("while_calling") { "" } else { rare }.into());
    let work = [
        "fixed: 10ms",
        "exponential: {mean: 20ms}",
        "lognormal: {mean: 30ms, cv: 2}",
        "fixed: 0ms",
    ];
    let mut steps = vec![format!("work: {{{}}}", g.word(&work))];
    let mut pools = Vec::new();
    for to in index + 1..count {
        // The next one is always called, so that every component has a caller.
        if to == index + 1 || g.pick(2) == 1 {
            let endpoint = g.word(&["request", "request", "other"]);
            let mut call = vec![format!("to: c{to}.{endpoint}")];
            call.extend(way(&mut g));
            call.push(g.word(&["", "on_failure: go_on"]).into());
            call.retain(|word| !word.is_empty());
            let call = format!("call: {{{}}}", call.join(", "));
            steps.push(match g.pick(12) {
                1 => format!("parallel: {{wait_for: all, branches: [[{call}], [{call}]]}}"),
                _ => call,
            });
            steps.push(format!("work: {{{}}}", g.word(&work)));
            let leak = g.word(&["", ", leak: 1%"]);
            pools.push(match g.pick(3) {
                1 => format!("c{to}: {{size: 2, wait: 50ms}}"),
                2 => format!("c{to}: {{size: 3{leak}}}"),
                _ => String::new(),
            });
        }
    }
    pools.retain(|pool| !pool.is_empty());
    if !pools.is_empty() {
        words.push(format!("pools: {{{}}}", pools.join(", ")));
    }
    steps.push(match g.pick(20) {
        1 => "choose: [{share: 10%, steps: [wait: 1ms]}]".into(),
        2 | 3 => "reply: server_error".into(),
        _ => String::new(),
    });
    steps.retain(|step| !step.is_empty());
    let steps = steps.join(", ");
    words.push(format!("endpoints: {{request: [{steps}], other: [work: 5ms, {steps}]}}"));
    words.retain(|word| !word.is_empty());
    format!("  c{index}: {{{}}}\n", words.join(", "))
}

#[test]
fn the_plain_way_gives_the_outcome_of_the_general_way_to_the_last_bit() {
    let genes = |n| vec(any::<u8>(), n);
    let models = (vec(genes(8), 1..=2), vec(genes(48), 1..=5), vec(genes(4), 0..=2));
    let (plain, all, turned_away) = (Cell::new(0u32), Cell::new(0u32), Cell::new(0u32));
    let (retried, mixed, died) = (Cell::new(0u32), Cell::new(0u32), Cell::new(0u32));
    let (pooled, passed, bare) = (Cell::new(0u32), Cell::new(0u32), Cell::new(0u32));
    let count = |cell: &Cell<u32>, holds: bool| cell.set(cell.get() + u32::from(holds));
    let refuses = |c: &ComponentOutcome| c.answers[Status::Unavailable as usize] > 0;
    on(1, models, |(clients, components, changes)| {
        let text = text(&clients, &components, &changes);
        let plan = try_plan(&text, 1).map_err(TestCaseError::fail)?;
        let general = plan.without_plain_ways();
        let [one, other] = [&plan, &general].map(|plan| all_of(plan, 0));
        check(one == other, || {
            let at = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
            let part = |all: &str| -> String {
                all.chars().skip(at.saturating_sub(150)).take(200).collect()
            };
            let (one, other) = (part(&one), part(&other));
            format!("the plain way differs:\n{one}\n{other}\n{text}")
        })?;
        let audited = run_audited(&plan, 1, 61);
        let audited = audited.map_err(|what| TestCaseError::fail(format!("{what}\n{text}")))?;
        let plains = plan.components.iter().filter(|c| c.is_plain).count();
        count(&all, true);
        count(&plain, plains > 0);
        count(&mixed, plains > 0 && plains < plan.components.len());
        count(&turned_away, plains > 0 && audited.components.iter().any(refuses));
        let opens = |edge: &&EdgePlan| edge.opens_plainly;
        count(&pooled, plan.edges.iter().filter(opens).any(|edge| edge.pool != NONE));
        count(&passed, plan.edges.iter().filter(opens).any(|edge| edge.plain == PASSES));
        // A time-out of a plain call without layers, at a caller that makes no others.
        let times_out = |(id, c): (u32, &ComponentOutcome)| {
            let mut calls = plan.edges.iter().filter(|edge| edge.from == id);
            c.timeouts > 0 && calls.all(|edge| edge.opens_plainly && edge.layers.is_empty())
        };
        count(&bare, (0..).zip(&audited.components).any(times_out));
        count(&died, plains > 0 && audited.components.iter().any(|c| c.deaths > 0));
        count(&retried, plains > 0 && audited.clients.iter().any(|c| c.retries > 0));
        Ok(())
    });
    // The law is tried where it says something.
    let often = [(plain, 3), (turned_away, 8), (retried, 8), (mixed, 3)];
    for (what, least) in
        often.into_iter().chain([(died, 20), (pooled, 10), (passed, 20), (bare, 20)])
    {
        assert!(what.get() * least > all.get(), "{} of {}, {least}", what.get(), all.get());
    }
}

#[test]
fn models_that_come_with_the_program_run_as_in_the_general_way() {
    let mut plain = 0;
    for path in files::below("models", &["yaml"]) {
        let name = files::name(&path);
        let mut plan = files::model(&path);
        if plan.components.iter().all(|component| !component.is_plain) {
            continue;
        }
        plain += 1;
        plan.horizon =
            plan.horizon.min(if name.contains("benchmark") { MINUTE } else { 12 * HOUR });
        let general = plan.without_plain_ways();
        let [one, other] = [&plan, &general].map(|plan| format!("{:?}", run(plan, 0)));
        assert!(one == other, "{name}");
    }
    assert!(plain > 10, "only {plain} models have plain components");
}
