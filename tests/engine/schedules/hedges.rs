//! Hedged calls: when copies go, which answer counts, and what becomes of the others.

use crate::common::{Run, ends_ms, ms, run, s};
use outagelab::status::Status::{
    Cancelled, ClientError, DeadlineExceeded, Ok, Timeout, Unavailable,
};

/// A request at 0 s through these layers to two instances in turn; the first one takes ten times as
/// long as the second, 100 ms.
fn two(words: &str, layers: &str) -> Run {
    run(&format!(
        "
        horizon: 1min
        clients: {{c: {{arrivals: {{at: [0s]}}, calls: api, {words} layers: [{layers}]}}}}
        components:
          api: {{kind: server, instances: 2, workers: 9, endpoints: {{request: [work: 100ms]}}}}
        changes: {{slow: {{what: {{slow: {{component: api, instances: 1, by: 10x}}}}, at: 0s}}}}"
    ))
}

#[test]
fn m25_copies_go_every_500_ms_while_nobody_answers() {
    let attempts = |deadline: &str| {
        let run = run(&format!(
            "
            clients:
              c:
                arrivals: {{at: [0s]}}
                calls: api
                deadline: {deadline}
                layers: [hedge: {{after: 500ms, at_most: 3}}]
            components: {{api: {{kind: server, workers: 9, endpoints: {{request: [work: 2h]}}}}}}"
        ));
        assert_eq!(run.ends("c")[0].1, DeadlineExceeded);
        assert_eq!(run.client("c").hedges + 1, run.client("c").attempts);
        // At a deadline the client's own `cancels` decides: all of them work on.
        assert_eq!(run.component("api").left_present, run.client("c").attempts);
        run.client("c").attempts
    };
    let made = ["499ms", "501ms", "1001ms", "1501ms", "9s"].map(attempts);
    assert_eq!(made, [1, 2, 3, 4, 4]);
}

#[test]
fn the_first_good_answer_wins_and_the_loser_stops_or_works_on() {
    let run = two("", "hedge: {after: 300ms}");
    assert_eq!(run.ends("c"), ends_ms(&[(400, Ok)]));
    assert_eq!(run.busy_time("api"), ms(400 + 100));
    assert_eq!((run.client("c").attempts, run.client("c").hedges), (2, 1));
    let run = two("", "hedge: {after: 300ms, cancels: no}");
    assert_eq!(run.ends("c"), ends_ms(&[(400, Ok)]));
    assert_eq!(run.busy_time("api"), ms(1000 + 100));
}

#[test]
fn an_answer_before_the_hedge_leaves_no_copy() {
    let run = two("", "hedge: {after: 1001ms}");
    assert_eq!((run.ends("c"), run.client("c").attempts), (ends_ms(&[(1000, Ok)]), 1));
}

/// A request at 0 s to a callee that answers the first `fast` of them with a failure at once and
/// works for a second on the others.
fn failing(layers: &str, first: &str) -> Run {
    run(&format!(
        "
        clients: {{c: {{arrivals: {{at: [0s]}}, calls: api, layers: [{layers}]}}}}
        components:
          api: {{kind: server, workers: 9, endpoints: {{request: [work: 1s]}}}}
        changes:
          bad: {{what: {{errors: {{component: api, share: 100%, status: {first}}}}}, at: 0s,
                lasts: 200ms}}"
    ))
}

#[test]
fn a_failure_sends_the_next_copy_at_once_and_a_fatal_one_ends_the_call() {
    // Refused at 0, and so are the two copies that follow at once.
    let run = failing("hedge: {after: 300ms, at_most: 2}", "unavailable");
    assert_eq!(run.ends("c"), ends_ms(&[(0, Unavailable)]));
    assert_eq!(run.client("c").attempts, 3);
    let run = failing("hedge: {after: 300ms, at_most: 2}", "client_error");
    assert_eq!((run.ends("c"), run.client("c").attempts), (ends_ms(&[(0, ClientError)]), 1));
}

#[test]
fn a_retry_around_a_hedge_begins_a_new_round() {
    let layers = "retry: {attempts: 2, backoff: {constant: 250ms}}, hedge: {after: 300ms}";
    let run = failing(layers, "unavailable");
    // Two copies fail at 0; the next round begins at 0.25 s, and its copy goes at 0.55 s.
    assert_eq!(run.ends("c"), ends_ms(&[(1250, Ok)]));
    let client = run.client("c");
    assert_eq!((client.attempts, client.retries, client.hedges), (4, 1, 2));
}

#[test]
fn a_copy_that_a_bulkhead_refuses_decides_nothing_and_a_loser_gives_its_place_back() {
    let run = two("", "hedge: {after: 300ms}, bulkhead: {limit: 1}");
    assert_eq!((run.ends("c"), run.client("c").attempts), (ends_ms(&[(1000, Ok)]), 1));
    let run = run_twice("hedge: {after: 300ms}, bulkhead: {limit: 2}");
    assert_eq!(run.ends("c"), ends_ms(&[(400, Ok), (10_400, Ok)]));
}

fn run_twice(layers: &str) -> Run {
    run(&format!(
        "
        clients: {{c: {{arrivals: {{at: [0s, 10s]}}, calls: api, layers: [{layers}]}}}}
        components:
          api: {{kind: server, instances: 2, workers: 9, endpoints: {{request: [work: 100ms]}}}}
        changes: {{slow: {{what: {{slow: {{component: api, instances: 1, by: 10x}}}}, at: 0s}}}}"
    ))
}

#[test]
fn each_copy_has_its_own_time_out_and_the_last_failure_is_delivered() {
    let run = run("
        clients:
          c:
            arrivals: {at: [0s]}
            calls: api
            timeout: 1s
            layers: [hedge: {after: 600ms}]
        components: {api: {kind: server, workers: 9, endpoints: {request: [work: 5s]}}}");
    assert_eq!(run.ends("c"), ends_ms(&[(1600, Timeout)]));
    assert_eq!(run.client("c").attempts, 2);
}

#[test]
fn late_answers_of_any_copy_are_used_where_the_client_says_so() {
    let model = |late: &str| {
        run(&format!(
            "
            clients:
              c:
                arrivals: {{at: [0s]}}
                calls: api
                timeout: 1s
                late_answers: {late}
                layers:
                  - retry: {{attempts: 2, backoff: {{constant: 300ms}}}}
                  - hedge: {{after: 600ms, cancels: no}}
            components:
              api: {{kind: server, workers: 1, endpoints: {{request: [work: 1200ms]}}}}"
        ))
    };
    // The first attempt's answer comes at 1.2 s, while its copy is out.
    assert_eq!(model("used").ends("c"), ends_ms(&[(1200, Ok)]));
    // The copy's attempt (0.6 s) is over at 1.6 s; the next round begins at 1.9 s and times out at
    // 2.9 and 3.5 s.
    assert_eq!(model("ignored").ends("c"), ends_ms(&[(3500, Timeout)]));
}

#[test]
fn a_budget_that_is_spent_refuses_copies_too() {
    let run = run("
        clients:
          c:
            arrivals: {at: [0s, 10s]}
            calls: api
            timeout: 1s
            layers:
              - hedge: {after: 600ms}
              - retry_budget: {max_tokens: 4, token_ratio: 10%}
        components: {api: {kind: server, workers: 9, endpoints: {request: [work: 5s]}}}");
    // Two time-outs leave 2 of 4 tokens: no copy of the second call.
    assert_eq!(run.ends("c"), ends_ms(&[(1600, Timeout), (11_000, Timeout)]));
    assert_eq!(run.client("c").attempts, 3);
}

#[test]
fn a_breaker_inside_counts_no_loser() {
    let run =
        run_twice("hedge: {after: 300ms}, circuit_breaker: {window: {count: 2}, minimum_calls: 2}");
    assert_eq!(run.ends("c"), ends_ms(&[(400, Ok), (10_400, Ok)]));
    assert_eq!(run.client("c").attempts, 4);
}

#[test]
fn a_caller_that_dies_takes_its_copies_with_it() {
    let run = run("
        clients: {c: {arrivals: {at: [0s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            while_calling: hold
            pools: {db: {size: 2}}
            endpoints:
              request: [call: {to: db.query, cancels: yes, layers: [hedge: {after: 300ms}]}]
          db: {kind: database, connections: 9, endpoints: {query: [work: 5s]}}
        changes: {crash: {what: {crash: {component: api}}, at: 1s}}");
    assert_eq!(run.answers("db", Cancelled), 2);
    assert_eq!(run.busy_time("db"), ms(1000 + 700));
    assert_eq!(run.component("api").left_connections, 0);
    assert_eq!(run.ends("c")[0].0, s(1));
}
