//! The plain way against the general one: the same outcome, to the last bit.

use super::models::Genes;
use super::{check, on};
use crate::common::try_plan;
use crate::files;
use outagelab::plan::Plan;
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

/// Models in which most components are plain, and some are not, by one thing of many. (Where a
/// process dies, those who wait for it are told in the order of slots, which all tasks share: with
/// fewer tasks it is another order. So nobody dies here.)
fn text(clients: &[Vec<u8>], components: &[Vec<u8>]) -> String {
    let clients = clients.iter().enumerate().map(|(i, genes)| client(i, genes));
    let count = components.len();
    let components = components.iter().enumerate().map(|(i, genes)| component(i, count, genes));
    let (clients, components) = (clients.collect::<String>(), components.collect::<String>());
    format!("name: random\nhorizon: 30s\nclients:\n{clients}components:\n{components}")
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
        g.word(&["", "requests: {request: 60%, heavy: {share: 40%, endpoint: request}}"]).into(),
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
    let discipline = g.word(&["fifo", "lifo", "random"]);
    let line = g.word(&["", "", ", capacity: 0", ", capacity: 4", ", capacity: 30"]);
    let mut words = vec![
        "kind: server".to_owned(),
        format!("instances: {}", 1 + g.pick(3)),
        format!("workers: {}", 1 + g.pick(4)),
        format!("line: {{discipline: {discipline}{line}}}"),
    ];
    words.push(g.word(&["", "", "connections: 6"]).into());
    let pick = ["", "", "pick: random", "pick: sticky_by_user"];
    let pick = g.word(&pick);
    let rare = match g.pick(60) {
        1 => "while_calling: release",
        2 => "cpu: {cores: 1}",
        3 => "memory: {limit: 60MB, base: 40MB, per_request: 2MB, at_limit: stalls}",
        4 => "layers: [bulkhead: {limit: 5}]",
        5 => "probe: {needs: worker, interval: 1s, timeout: 200ms, fall: 2, rise: 1}",
        6 => "pick: power_of_two",
        7 => "bugs: {b: {when: {share: 3%}, raises: {error: server_error}}}",
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
    for to in index + 1..count {
        // The next one is always called, so that every component has a caller.
        if to == index + 1 || g.pick(2) == 1 {
            let mut call = vec![format!("to: c{to}.request")];
            call.extend(way(&mut g));
            call.push(g.word(&["", "on_failure: go_on"]).into());
            call.retain(|word| !word.is_empty());
            steps.push(format!("call: {{{}}}", call.join(", ")));
            steps.push(format!("work: {{{}}}", g.word(&work)));
        }
    }
    steps.push(match g.pick(20) {
        1 => "choose: [{share: 10%, steps: [wait: 1ms]}]".into(),
        2 | 3 => "reply: server_error".into(),
        _ => String::new(),
    });
    steps.retain(|step| !step.is_empty());
    words.push(format!("endpoints: {{request: [{}]}}", steps.join(", ")));
    words.retain(|word| !word.is_empty());
    format!("  c{index}: {{{}}}\n", words.join(", "))
}

#[test]
fn the_plain_way_gives_the_outcome_of_the_general_way_to_the_last_bit() {
    let genes = |n| vec(any::<u8>(), n);
    let models = (vec(genes(8), 1..=2), vec(genes(32), 1..=4));
    let (plain, all, turned_away) = (Cell::new(0u32), Cell::new(0u32), Cell::new(0u32));
    let (retried, mixed) = (Cell::new(0u32), Cell::new(0u32));
    let count = |cell: &Cell<u32>, holds: bool| cell.set(cell.get() + u32::from(holds));
    let refuses = |c: &ComponentOutcome| c.answers[Status::Unavailable as usize] > 0;
    on(1, models, |(clients, components)| {
        let text = text(&clients, &components);
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
        count(&retried, plains > 0 && audited.clients.iter().any(|c| c.retries > 0));
        Ok(())
    });
    // The law is tried where it says something.
    for (what, least) in [(plain, 3), (turned_away, 8), (retried, 8), (mixed, 10)] {
        assert!(what.get() * least > all.get(), "{} of {}", what.get(), all.get());
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
        plan.horizon = plan.horizon.min(if name.contains("benchmark") { MINUTE } else { HOUR });
        let general = plan.without_plain_ways();
        let [one, other] = [&plan, &general].map(|plan| format!("{:?}", run(plan, 0)));
        assert!(one == other, "{name}");
    }
    assert!(plain > 10, "only {plain} models have plain components");
}
