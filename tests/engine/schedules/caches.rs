//! Caches: what is found, when it is filled, and when it is gone.

use crate::common::{Run, ends_ms, run};
use outagelab::status::Status::{Ok, ServerError, Timeout, Unavailable};

/// Requests at these times to an API with a cache; a hit takes 10 ms, a miss a call of 1 s.
fn cached(times: &str, cache: &str, more: &str) -> Run {
    run(&format!(
        "
        clients: {{c: {{arrivals: {{at: {times}}}, calls: api}}}}
        components:
          api:
            kind: server
            instances: 2
            workers: 9
            while_calling: hold
            start_takes: 1s
            caches: {{items: {{{cache}}}}}
            endpoints:
              request:
                - look_up:
                    cache: items
                    hit: [work: 10ms]
                    miss: [call: {{to: db, timeout: 3s}}]
          db: {{kind: database, connections: 9, endpoints: {{request: [work: 1s]}}}}
        {more}"
    ))
}

#[test]
fn every_instance_fills_its_own_cache_or_all_share_one() {
    // In turn: the third request comes to the first instance again.
    let own = cached("[0s, 10s, 20s, 30s]", "size: 1", "");
    let all = [(1000, Ok), (11_000, Ok), (20_010, Ok), (30_010, Ok)];
    assert_eq!(own.ends("c"), ends_ms(&all));
    assert_eq!((own.component("api").lookups, own.component("api").hits), (4, 2));
    let shared = cached("[0s, 10s, 20s]", "size: 1, shared: yes", "");
    assert_eq!(shared.ends("c"), ends_ms(&[(1000, Ok), (10_010, Ok), (20_010, Ok)]));
}

#[test]
fn requests_that_miss_at_the_same_time_all_go_behind() {
    let herd = cached("[0s, 500ms, 999ms, 1001ms]", "size: 1, shared: yes", "");
    let all = [(1000, Ok), (1011, Ok), (1500, Ok), (1999, Ok)];
    assert_eq!(herd.ends("c"), ends_ms(&all));
}

#[test]
fn an_entry_is_good_for_its_time_from_the_filling_on() {
    // Filled at 1 s, hit at 4 s, too old at 6 s.
    let old = cached("[0s, 4s, 6s]", "size: unlimited, ttl: 5s, shared: yes", "");
    assert_eq!(old.ends("c"), ends_ms(&[(1000, Ok), (4010, Ok), (7000, Ok)]));
}

#[test]
fn a_miss_that_fails_fills_nothing() {
    let failed =
        "changes: {break: {what: {errors: {component: db, share: 100%}}, at: 0s, until: 5s}}";
    let run = cached("[1s, 10s]", "size: 9, shared: yes", failed);
    assert_eq!(run.ends("c"), ends_ms(&[(1000, ServerError), (11_000, Ok)]));
    // Time-outs that keep the cache empty: the fill comes after the caller has given up.
    let slow = "changes: {slow: {what: {slow: {component: db, by: 4x}}, at: 0s}}";
    let run = cached("[1s, 10s]", "size: 9, shared: yes", slow);
    assert_eq!(run.ends("c"), ends_ms(&[(4000, ServerError), (13_000, ServerError)]));
    assert_eq!(run.count("c", Timeout), 0);
}

#[test]
fn a_new_process_begins_with_an_empty_cache_and_a_shared_one_outlives_it() {
    let crash = "changes: {crash: {what: {crash: {component: api}}, at: 5s, until: 6s}}";
    let own = cached("[0s, 1s, 10s]", "size: 9", crash);
    assert_eq!(own.ends("c"), ends_ms(&[(1000, Ok), (2000, Ok), (11_000, Ok)]));
    let shared = cached("[0s, 10s]", "size: 9, shared: yes", crash);
    assert_eq!(shared.ends("c"), ends_ms(&[(1000, Ok), (10_010, Ok)]));
}

#[test]
fn a_change_empties_caches() {
    for cache in ["size: 9", "size: 9, shared: yes"] {
        let empty = "changes: {cold: {what: {empty_caches: {component: api}}, at: 20s}}";
        let run = cached("[0s, 2s, 10s, 30s]", cache, empty);
        let last = run.ends("c").last().copied();
        assert_eq!(last, ends_ms(&[(31_000, Ok)]).last().copied(), "{cache}");
        assert_eq!(run.ends("c")[2], ends_ms(&[(10_010, Ok)])[0], "{cache}");
    }
}

#[test]
fn keys_and_classes_are_entries_of_their_own() {
    let run = run("
        clients:
          c:
            arrivals: {at: [0s, 1s]}
            calls: api
            requests: {a: {share: 100%, endpoint: get, key: {fixed: 3}}}
          d:
            arrivals: {at: [2s, 3s]}
            calls: api
            requests: {b: {share: 100%, endpoint: get, key: {fixed: 4}}}
          e: {arrivals: {at: [4s, 5s]}, calls: api, requests: {get: 100%}}
        components:
          api:
            kind: server
            workers: 9
            caches: {two: {size: 2}}
            endpoints:
              get: [look_up: {cache: two, hit: [work: 1ms], miss: [work: 10ms]}]");
    assert_eq!(run.ends("c"), ends_ms(&[(10, Ok), (1001, Ok)]));
    assert_eq!(run.ends("d"), ends_ms(&[(2010, Ok), (3001, Ok)]));
    assert_eq!(run.ends("e"), ends_ms(&[(4010, Ok), (5001, Ok)]));
}

#[test]
fn early_drop_counts_those_who_wait_and_those_who_are_served() {
    let run = run("
        clients: {c: {arrivals: {at: [0s, 0s, 0s, 0s, 9s]}, calls: api}}
        components:
          api:
            kind: server
            workers: 1
            layers: [random_early_drop: {levels: [{from: 2, chance: 0%}, {from: 3, chance: 100%}]}]
            endpoints: {request: [work: 2s]}");
    let all = [(0, Unavailable), (2000, Ok), (4000, Ok), (6000, Ok), (11_000, Ok)];
    assert_eq!(run.ends("c"), ends_ms(&all));
}
