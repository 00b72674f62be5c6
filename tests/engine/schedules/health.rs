//! Health probes: who is called, and when callers notice.

use crate::common::{ends_ms, run, s};
use outagelab::sim::story::What;
use outagelab::status::Status::{Ok, Refused, Unavailable};

#[test]
fn m59_three_refused_probes_take_an_instance_out_and_two_good_ones_bring_it_back() {
    let run = run("
        clients: {c: {arrivals: {at: [1min]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            endpoints: {request: [work: 1s]}
            probe: {needs: port, interval: 2s, timeout: 1s, fall: 3, rise: 2}
        changes: {down: {what: {crash: {component: api}}, at: 500ms, until: 10500ms}}");
    let [out] = run.times(|w| matches!(w, What::Unfit { .. }))[..] else { panic!("once out") };
    let [back] = run.times(|w| matches!(w, What::Fit { .. }))[..] else { panic!("once back") };
    // The phase is drawn. The third failing probe takes it out: 6 s when probes come at even
    // seconds.
    let first_failing = out - s(4);
    assert!((500_000_000..2_500_000_000).contains(&first_failing), "{first_failing}");
    let phase = out % s(2);
    let first_good = (0..).map(|n| phase + n * s(2)).find(|t| *t >= 10_500_000_000);
    assert_eq!(Some(back), first_good.map(|t| t + s(2)));
}

#[test]
fn m72_a_process_that_hangs_at_1_is_found_out_by_the_third_probe_and_its_time_out() {
    let run = run("
        clients: {c: {arrivals: {at: [2min]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            endpoints: {request: [work: 1s]}
            probe: {needs: worker, interval: 10s, timeout: 1s, fall: 3, rise: 1}
        changes: {hang: {what: {freeze: {component: api}}, at: 1s, until: 44s}}");
    let [out] = run.times(|w| matches!(w, What::Unfit { .. }))[..] else { panic!("once out") };
    // Probes at 0, 10, 20: failures at 11, 21, 31 in the example; here the phase is drawn.
    let first_failing = out - s(21);
    assert!((s(1)..s(11)).contains(&first_failing), "{first_failing}");
}

/// One instance whose workers all hang from 1 s on, probed for this, and a request at 1 min.
fn hung(needs: &str, more: &str) -> crate::common::Run {
    run(&format!(
        "
        horizon: 5min
        clients:
          c: {{arrivals: {{at: [2s, 1min]}}, calls: api, timeout: 10s}}
        components:
          api:
            kind: server
            workers: 1
            endpoints: {{request: [work: 1s]}}
            bugs: {{hang: {{raises: {{exception: {{holds_worker: yes}}}}}}}}
            probe: {{needs: {needs}, interval: 5s, timeout: 1s, fall: 2, rise: 1{more}}}"
    ))
}

#[test]
fn a_hung_server_passes_a_probe_of_its_port_and_fails_one_of_its_workers() {
    let port = hung("port", "");
    assert_eq!(port.times(|w| matches!(w, What::Unfit { .. })).len(), 0);
    let worker = hung("worker", "");
    assert_eq!(worker.times(|w| matches!(w, What::Unfit { .. })).len(), 1);
    // Nobody is fit: refused at once, without a time-out.
    assert_eq!(worker.ends("c")[1], (s(60), Unavailable));
    let open = hung("worker", ", fail_open: yes");
    assert_eq!(open.ends("c")[1].0, s(70));
}

#[test]
fn a_probe_of_a_dependency_fails_with_the_dependency() {
    let model = |needs: &str| {
        run(&format!(
            "
            clients: {{c: {{arrivals: {{at: [1min]}}, calls: api}}}}
            components:
              api:
                kind: server
                workers: 1
                endpoints: {{request: [work: 1s]}}
                probe: {{needs: {needs}, interval: 5s, timeout: 1s, fall: 2, rise: 1}}
              db:
                kind: database
                connections: 1
                endpoints: {{query: [work: 1s]}}
                probe: {{needs: port, interval: 5s, timeout: 1s, fall: 2, rise: 1}}
            changes: {{down: {{what: {{crash: {{component: db}}}}, at: 1s}}}}"
        ))
    };
    assert_eq!(model("{dependency: db}").ends("c"), ends_ms(&[(60_000, Unavailable)]));
    assert_eq!(model("worker").ends("c"), ends_ms(&[(61_000, Ok)]));
}

#[test]
fn instances_that_are_out_are_not_called() {
    let model = |probe: &str| {
        run(&format!(
            "
            clients: {{c: {{arrivals: {{constant: {{rate: 1/s, first: 100s}}}}, calls: api}}}}
            horizon: 199500ms
            components:
              api:
                kind: server
                instances: 4
                workers: 1
                endpoints: {{request: [work: 100ms]}}
                {probe}
            changes: {{down: {{what: {{crash: {{component: api, instances: 2}}}}, at: 1s}}}}"
        ))
    };
    let probe = "probe: {needs: port, interval: 5s, timeout: 1s, fall: 2, rise: 1}";
    assert_eq!(model(probe).count("c", Refused), 0);
    assert_eq!(model("").count("c", Refused), 50);
}

#[test]
fn probes_are_neither_requests_nor_answers() {
    let run = run("
        clients: {c: {arrivals: {at: [1s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            endpoints: {request: [work: 1s]}
            probe: {needs: worker, interval: 5s, timeout: 1s, fall: 2, rise: 1}");
    let api = run.component("api");
    assert_eq!((api.requests, api.answers.iter().sum::<u64>()), (1, 1));
}
