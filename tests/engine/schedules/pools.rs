//! Workers and connections while calling.

use crate::common::{ends_ms, ms, run, s};
use outagelab::status::Status::{Ok, Timeout, Unavailable};

#[test]
fn a_worker_is_held_while_calling_or_serves_others() {
    let model = |while_calling: &str| {
        run(&format!(
            "
            clients: {{c: {{arrivals: {{at: [0s, 1s]}}, calls: api}}}}
            components:
              api:
                kind: server
                workers: 1
                while_calling: {while_calling}
                endpoints: {{request: [work: 2s, call: db.query, work: 1s]}}
              db: {{kind: database, connections: 9, endpoints: {{query: [work: 10s]}}}}"
        ))
    };
    // 0-2 work, 2-12 call, 12-13 work; the second one after that.
    let hold = model("hold");
    assert_eq!(hold.spans("c"), [(0, s(13)), (s(1), s(26))]);
    assert_eq!(hold.busy_time("api"), s(26));
    // The second: 2-4 work, 4-14 call; the first has its last second from 12 to 13.
    let release = model("release");
    assert_eq!(release.spans("c"), [(0, s(13)), (s(1), s(15))]);
    assert_eq!(release.busy_time("api"), s(6));
}

#[test]
fn a_released_worker_has_to_be_queued_for_again() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 3s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            while_calling: release
            endpoints: {request: [work: 2s, call: db.query, work: 2s]}
          db: {kind: database, connections: 9, endpoints: {query: [work: 2s]}}");
    // The first is answered at 4 s and finds the worker busy with the second until 5 s; the second,
    // answered at 7 s, finds it free at that moment.
    assert_eq!(run.spans("c"), [(0, s(7)), (s(3), s(9))]);
}

#[test]
fn a_pool_of_one_lets_calls_through_one_at_a_time() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 0s, 0s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 3
            while_calling: hold
            pools: {db: {size: 1, wait: 2500ms}}
            endpoints: {request: [call: db.query]}
          db: {kind: database, connections: 9, endpoints: {query: [work: 2s]}}");
    // The third would get the connection at 4 s.
    assert_eq!(run.ends("c"), ends_ms(&[(2000, Ok), (2500, Unavailable), (4000, Ok)]));
    assert_eq!(run.busy_time("db"), s(4));
    assert_eq!(run.busy_time("api"), ms(2000 + 2500 + 4000));
}

#[test]
fn a_time_out_runs_from_the_wait_for_a_connection_on() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 0s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 3
            while_calling: hold
            pools: {db: {size: 1}}
            endpoints: {request: [call: {to: db.query, timeout: 3s}]}
          db: {kind: database, connections: 9, endpoints: {query: [work: 2s]}}");
    // The second gets the connection at 2 s, would be answered at 4 s, and times out at 3 s.
    let server_error = outagelab::status::Status::ServerError;
    assert_eq!(run.ends("c"), ends_ms(&[(2000, Ok), (3000, server_error)]));
    assert_eq!(run.component("api").timeouts, 1);
}

#[test]
fn a_cancelled_request_gives_its_connection_back() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 10s]}, calls: api, timeout: 3s, cancels: yes}}
        components:
          api:
            kind: server
            workers: 3
            while_calling: hold
            pools: {db: {size: 1}}
            endpoints: {request: [choose: [{share: 100%, steps: [call: db.query]}]]}
          db: {kind: database, connections: 9, endpoints: {query: [work: 2s]}}
        changes: {slow: {what: {slow: {component: db, by: 10x}}, at: 0s, until: 5s}}");
    assert_eq!(run.ends("c"), ends_ms(&[(3000, Timeout), (12000, Ok)]));
}

#[test]
fn a_cancelled_wait_for_a_connection_leaves_the_pool_to_others() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 0s, 2s]}, calls: api, timeout: 3s, cancels: yes}}
        components:
          api:
            kind: server
            workers: 3
            while_calling: hold
            pools: {db: {size: 1}}
            endpoints: {request: [call: {to: db.query, cancels: yes}]}
          db: {kind: database, connections: 9, endpoints: {query: [work: 2900ms]}}");
    // The second gets the connection at 2.9 s and loses it at 3 s to the third, which has it until
    // 5 s.
    assert_eq!(run.ends("c"), ends_ms(&[(2900, Ok), (3000, Timeout), (5000, Timeout)]));
    assert_eq!(run.busy_time("db"), ms(2900 + 100 + 2000));
}

#[test]
fn m63_a_pool_of_10_at_120_per_second_first_fails_the_arrival_at_150_or_at_5_seconds() {
    let model = |wait: &str, horizon: &str| {
        run(&format!(
            "
            horizon: {horizon}
            clients: {{c: {{arrivals: {{constant: {{rate: 120/s, first: 0s}}}}, calls: api}}}}
            components:
              api:
                kind: server
                workers: unlimited
                while_calling: hold
                pools: {{db: {{size: 10, wait: {wait}}}}}
                endpoints: {{request: [call: db.query]}}
              db: {{kind: database, connections: 100, endpoints: {{query: [work: 100ms]}}}}"
        ))
    };
    // The wait of the arrival at t is 0.2 t, in steps of one service time.
    for (wait, arrival, horizon) in [("1s", 5.0, "10s"), ("30s", 150.0, "190s")] {
        let run = model(wait, horizon);
        let failed = run.log.iter().find(|r| r.status == Unavailable).expect("one fails");
        let limit = if wait == "1s" { s(1) } else { s(30) };
        assert_eq!(failed.latency, limit);
        let came = (failed.now - failed.latency) as f64 / 1e9;
        assert!((came - arrival).abs() <= 0.1 / 0.2 + 0.01, "{wait}: the arrival at {came} fails");
    }
}

#[test]
fn m62_200_threads_are_exhausted_1550_ms_after_a_tenth_of_the_calls_hangs() {
    // 900/s of 50 ms hold 45 threads; from 10 s on a thread more is held every 10 ms.
    let model = |timeout: &str| {
        run(&format!(
            "
            horizon: 20s
            clients:
              fine: {{arrivals: {{constant: {{rate: 900/s}}}}, calls: api}}
              hangs:
                arrivals: {{constant: {{rate: 100/s, first: 10010ms}}}}
                calls: api
                requests: {{slow: {{share: 100%}}}}
            components:
              api:
                kind: server
                workers: 200
                line: {{capacity: 0}}
                while_calling: hold
                endpoints:
                  request: [work: 50ms]
                  slow: [call: {{to: db.query, timeout: {timeout}}}]
              db: {{kind: database, connections: 9999, endpoints: {{query: [work: 30s]}}}}"
        ))
    };
    let run = model("30s");
    let first = run.log.iter().find(|r| r.status == Unavailable).expect("one is refused");
    // 45 or 46 are at work at any moment, so that the 154th or 155th that hangs takes the last
    // thread.
    assert!((ms(11_540)..=ms(11_560)).contains(&first.now), "refused at {}", first.now);
    assert!(run.count("fine", Unavailable) > 0, "then the other 90 % fail too");
    let run = model("1s");
    assert_eq!(run.count("fine", Unavailable) + run.count("hangs", Unavailable), 0);
}
