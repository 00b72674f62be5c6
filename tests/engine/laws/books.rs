//! Laws of bookkeeping: what is counted in one place agrees with what is counted in another, to the
//! nanosecond and to the byte.

use super::{Kinds, check, on_models, run_text};
use crate::common::{Run, run_plan, try_plan};
use outagelab::sim::outcome::Observed;
use outagelab::sim::run_audited;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// What a client's calls say of their attempts.
const ATTEMPTS: &str = "observe:
  attempts: {count: {of: {attempts: u0}}}
  retries: {count: {of: {retries: u0}}}
  in-flight: {number: {of: {in_flight: u0}}}
  present: {number: {of: {present: c0}}}
";

fn counted(run: &Run, name: &str) -> u64 {
    let place = run.plan.observations.iter().position(|o| o.name == name).unwrap();
    match run.outcome.observed[place] {
        Observed::Count { first, last, .. } => last.unwrap() - first.unwrap(),
        _ => panic!("`{name}` is no counter"),
    }
}

/// The integral of an observed number, in nanoseconds.
fn integral(run: &Run, name: &str) -> f64 {
    let place = run.plan.observations.iter().position(|o| o.name == name).unwrap();
    match &run.outcome.observed[place] {
        Observed::Number(seen) => seen.sum,
        _ => panic!("`{name}` is no number"),
    }
}

/// Present, waiting, busy, connections, Little's law: see `sim/audit.rs`. In the middle of runs,
/// with crashes, cancellations, leaks and what else there is.
#[test]
fn nothing_is_lost_at_any_time_that_no_leak_took() {
    on_models(1, |genome| {
        let text = genome.text(Kinds::All, "", "");
        let plan = try_plan(&text, 1).map_err(TestCaseError::fail)?;
        let audited = run_audited(&plan, 0, 61);
        let audited = audited.map_err(|what| TestCaseError::fail(format!("{what}\n{text}")))?;
        let print = run_plan(plan).outcome.fingerprint;
        check(audited.fingerprint == print, || format!("an audit changed the run\n{text}"))
    });
}

#[test]
fn attempts_are_first_tries_and_retries_and_hedges_and_observing_changes_nothing() {
    on_models(2, |genome| {
        let text = genome.text(Kinds::Passing, "", "");
        let run = run_text(&format!("{text}{ATTEMPTS}"))?;
        let without = run_text(&text)?;
        check(run.outcome.fingerprint == without.outcome.fingerprint, || {
            format!("observing changed the run\n{text}")
        })?;
        let own = run.log.iter().filter(|r| r.client == 0).map(|r| u64::from(r.attempts));
        let own: Vec<u64> = own.collect();
        let tried: u64 = own.iter().sum();
        let first = own.iter().filter(|n| **n > 0).count() as u64;
        let (attempts, retries) = (counted(&run, "attempts"), counted(&run, "retries"));
        let hedges = run.outcome.clients[0].hedges;
        // An attempt for which no instance is fit is made and reaches nobody.
        let all_arrive = !text.contains("fail_open: no");
        let holds = tried == run.outcome.clients[0].attempts
            && attempts <= tried
            && retries + hedges <= tried - first
            && (!all_arrive || attempts == first + retries + hedges && attempts == tried);
        check(holds, || {
            let sent = format!("{attempts} sent, {retries} again, {hedges} copies");
            format!("{tried} tries, {first} first ones; {sent}\n{text}")
        })?;
        // Little's law for the whole system, from a log on one side and levels on the other.
        let waited: u64 = run.log.iter().filter(|r| r.client == 0).map(|r| r.latency).sum();
        let in_flight = integral(&run, "in-flight");
        check((in_flight - waited as f64).abs() <= 1e-9 * in_flight + 1.0, || {
            format!("{in_flight} ns in flight, {waited} ns waited\n{text}")
        })?;
        let present = run.component("c0").mean_present * run.outcome.end as f64;
        let seen = integral(&run, "present");
        check((present - seen).abs() <= 1e-6 * present + 1.0, || {
            format!("{present} ns present, {seen} ns seen\n{text}")
        })
    });
}

/// Observations that can see nothing new for a while are left alone until then. One that is always
/// looked at wakes all others at every event: they must see the same.
#[test]
fn an_observation_that_is_left_alone_misses_nothing() {
    const SOME: &str = "observe:
  gone: {first: {of: {up: c0}, at_most: 0}}
  half: {first: {of: {up: c0}, at_most: 1, after: 3s}}
  back: {first: {of: {up: c0}, at_least: 1, after: 9s}}
  later: {first: {of: {present: c0}, at_least: 1, after: 4s}}
  moments: {moments: {of: {up: c0}, at: [2s, 7s, 11s]}}
  counted: {count: {of: {attempts: u0}, from: 2s, to: 10s}}
  all: {count: {of: {attempts: u0}}}
  window: {number: {of: {present: c0}, from: 3s, to: 9s}}
";
    const ALWAYS: &str = "  always: {number: {of: {present: c0}}}\n";
    let all_died = std::cell::Cell::new(0);
    on_models(1, |genome| {
        let text = genome.text(Kinds::All, "", "");
        let [asleep, awake] = ["", ALWAYS].map(|more| run_text(&format!("{text}{SOME}{more}")));
        let (asleep, awake) = (asleep?, awake?);
        for (seen, observation) in asleep.outcome.observed.iter().zip(&asleep.plan.observations) {
            let same = awake.plan.observations.iter().position(|o| o.name == observation.name);
            let other = &awake.outcome.observed[same.expect("it is in both")];
            check(format!("{seen:?}") == format!("{other:?}"), || {
                format!("`{}`: {seen:?}, awake {other:?}\n{text}", observation.name)
            })?;
            let all_died_here =
                observation.name == "gone" && matches!(seen, Observed::First(Some(_)));
            all_died.set(all_died.get() + u32::from(all_died_here));
        }
        Ok(())
    });
    assert!(all_died.get() > 0, "in some models all processes of a component die");
}

/// One station whose requests of two kinds need known work, and hold and leak known memory.
fn one_station(genes: [u8; 7], horizon: &str) -> String {
    let [rate, instances, workers, discipline, light, heavy, share] = genes.map(u64::from);
    let discipline = ["fifo", "lifo", "random", "priority"][discipline as usize % 4];
    let (rate, share) = (5 + rate % 60, 1 + share % 99);
    let (light, heavy) = (1 + light % 40, 1 + heavy);
    let (instances, workers) = (1 + instances % 3, 1 + workers % 5);
    format!(
        "name: station\nhorizon: {horizon}\nclients:\n  u0:\n    calls: q\n    arrivals: \
         {{profile: {{points: [[0s, {rate}/s], [30s, {rate}/s], [40s, 0/s]]}}}}\n    requests: \
         {{light: {share}%, heavy: {}%}}\ncomponents:\n  q:\n    kind: server\n    instances: \
         {instances}\n    workers: {workers}\n    line: {{discipline: {discipline}}}\n    memory: \
         {{limit: 100GB, base: 7MB, per_request: 300kB, leak: {{per_request: 1kB}}, \
         at_limit: killed}}\n    \
         endpoints:\n      light: [work: {light}ms]\n      heavy: [work: {heavy}ms, wait: 3ms]\n",
        100 - share
    )
}

fn on_stations(law: impl Fn([u8; 7]) -> Result<(), TestCaseError>) {
    super::on(1, any::<[u8; 7]>(), law);
}

#[test]
fn busy_time_is_the_sum_of_the_work_done() {
    on_stations(|genes| {
        let text = one_station(genes, "1h");
        let run = run_text(&text)?;
        let names: Vec<&str> = run.plan.classes.iter().map(|c| c.name.as_str()).collect();
        let (light, heavy) = (1 + u64::from(genes[4]) % 40, 4 + u64::from(genes[5]));
        let work = |class: u32| if names[class as usize].contains("light") { light } else { heavy };
        let done: u64 = run.log.iter().map(|r| work(r.class) * 1_000_000).sum();
        let busy = run.component("q").mean_busy * run.outcome.end as f64;
        check(run.component("q").left_present == 0, || format!("somebody is left\n{text}"))?;
        check((busy - done as f64).abs() <= 1e-12 * busy + 1.0, || {
            format!("busy for {busy} ns with {done} ns of work\n{text}")
        })
    });
}

#[test]
fn memory_is_the_base_and_what_is_held_and_what_has_leaked() {
    on_stations(|genes| {
        let text = one_station(genes, "20s");
        let text = text.replace(&format!("instances: {}", 1 + genes[1] % 3), "instances: 1");
        let run = run_text(&text)?;
        let q = run.component("q");
        let answers: u64 = q.answers.iter().sum();
        let expected = 7_000_000 + 300_000 * q.left_present + 1_000 * answers;
        let found = q.final_memory;
        check(found == expected, || format!("{found} bytes, not {expected}\n{text}"))?;
        check(q.peak_memory >= found, || format!("the peak is {}\n{text}", q.peak_memory))
    });
}

/// Kiefer and Wolfowitz (1955): in the order of arrival, with the same arrivals and the same work,
/// nobody waits longer for one more server.
#[test]
fn more_workers_with_the_same_luck_let_nobody_wait_longer() {
    on_stations(|genes| {
        let mut before: Option<Vec<(u64, u64)>> = None;
        for workers in 1..=4 {
            let text =
                one_station([genes[0], 0, workers - 1, 0, genes[4], genes[5], genes[6]], "2h");
            let work = "work: {lognormal: {mean: 90ms, cv: 2}}";
            let run = run_text(&text.replace(&format!("work: {}ms", 1 + genes[4] % 40), work))?;
            let mut waits: Vec<(u64, u64)> =
                run.log.iter().map(|r| (r.now - r.latency, r.latency)).collect();
            waits.sort_unstable();
            if let Some(before) = before {
                check(before.len() == waits.len(), || format!("others came\n{text}"))?;
                let mean = |waits: &[(u64, u64)]| waits.iter().map(|w| w.1).sum::<u64>();
                let pairs = before.iter().zip(&waits);
                check(mean(&waits) <= mean(&before), || format!("the mean rose\n{text}"))?;
                for (fewer, more) in pairs {
                    check(fewer.0 == more.0 && fewer.1 >= more.1, || {
                        format!("{fewer:?} became {more:?} (came, latency)\n{text}")
                    })?;
                }
            }
            before = Some(waits);
        }
        Ok(())
    });
}
