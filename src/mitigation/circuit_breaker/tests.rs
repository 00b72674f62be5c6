use proptest::prelude::*;

use super::*;
use crate::units::{MILLISECOND as MS, SECOND, Share, Span};

/// The window of the reference's examples: 10 results, 50%, 60 s, 3 trials.
fn spec(minimum_calls: u32) -> CircuitBreakerSpec {
    CircuitBreakerSpec {
        window: WindowSpec::Count(10),
        minimum_calls,
        half_open_calls: 3,
        ..CircuitBreakerSpec::default()
    }
}

fn verdict(letter: char) -> Verdict {
    match letter {
        'S' => Verdict::Success,
        'F' => Verdict::Failure,
        _ => Verdict::Ignored,
    }
}

/// Sends calls that end at once, at `now`; returns how many passed until the first refusal.
fn send(breaker: &mut Breaker, now: Nanos, results: &str) -> usize {
    for (n, letter) in results.chars().enumerate() {
        let Some(permit) = breaker.ask(now) else { return n };
        breaker.done(now, permit, verdict(letter), 0);
    }
    results.len()
}

/// A breaker with `spec` that opened at 100 s.
fn opened(spec: &CircuitBreakerSpec) -> Breaker {
    let mut breaker = Breaker::new(spec);
    send(&mut breaker, 100 * SECOND, &"F".repeat(100));
    assert_eq!(breaker.state(100 * SECOND), State::Open);
    breaker
}

/// Asks for three trials at once.
fn three(breaker: &mut Breaker, now: Nanos) -> [Permit; 3] {
    [(); 3].map(|()| breaker.ask(now).expect("a trial passes"))
}

#[test]
fn m01_opens_at_the_fifth_failure() {
    let mut breaker = Breaker::new(&spec(5));
    assert_eq!(send(&mut breaker, 0, "FFFFFF"), 5);
    assert_eq!(breaker.state(0), State::Open);
}

#[test]
fn m02_a_success_that_fills_the_window_opens() {
    let mut breaker = Breaker::new(&spec(10));
    send(&mut breaker, 0, "FFFFFSSSS");
    assert_eq!(breaker.state(0), State::Closed);
    send(&mut breaker, 0, "S");
    assert_eq!(breaker.state(0), State::Open);
}

#[test]
fn m03_the_oldest_result_leaves_the_window() {
    let mut breaker = Breaker::new(&spec(10));
    send(&mut breaker, 0, "SSSSSSFFFF");
    assert_eq!(breaker.state(0), State::Closed);
    send(&mut breaker, 0, "F");
    assert_eq!(breaker.state(0), State::Open);
}

#[test]
fn m04_the_wait_is_over_strictly_after_open_for() {
    let mut breaker = opened(&spec(5));
    assert!(breaker.ask(160 * SECOND).is_none());
    assert_eq!(breaker.state(160 * SECOND + MS), State::Open, "only a call makes it half-open");
    assert!(breaker.ask(160 * SECOND + MS).is_some());
    assert_eq!(breaker.state(160 * SECOND + MS), State::HalfOpen);
}

#[test]
fn m05_the_third_trial_decides_and_a_fourth_call_is_refused() {
    for (results, decision) in [("FSF", State::Open), ("SSF", State::Closed)] {
        let mut breaker = opened(&spec(5));
        let now = 161 * SECOND;
        let trials = three(&mut breaker, now);
        assert!(breaker.ask(now).is_none());
        for (n, (permit, letter)) in trials.into_iter().zip(results.chars()).enumerate() {
            assert_eq!(breaker.state(now), State::HalfOpen, "before result {n}");
            breaker.done(now, permit, verdict(letter), 0);
        }
        assert_eq!(breaker.state(now), decision);
        if decision == State::Closed {
            assert_eq!(send(&mut breaker, now, "FFFF"), 4, "the window is empty again");
            assert_eq!(breaker.state(now), State::Closed);
        } else {
            assert!(breaker.ask(now + 60 * SECOND).is_none(), "a new wait begins");
        }
    }
}

#[test]
fn trials_of_an_earlier_half_open_state_are_forgotten() {
    let mut breaker = opened(&spec(5));
    assert_eq!(send(&mut breaker, 161 * SECOND, "FFF"), 3);
    assert_eq!(send(&mut breaker, 222 * SECOND, "SS"), 2);
    assert_eq!(breaker.state(222 * SECOND), State::HalfOpen);
    send(&mut breaker, 222 * SECOND, "S");
    assert_eq!(breaker.state(222 * SECOND), State::Closed);
}

#[test]
fn m06_slow_is_strictly_longer_and_the_slow_rate_trips() {
    let mut breaker = Breaker::new(&CircuitBreakerSpec {
        window: WindowSpec::Count(5),
        slow_call_duration: Span(2 * SECOND),
        ..spec(5)
    });
    let mut call = |duration| {
        let permit = breaker.ask(0).expect("closed");
        breaker.done(0, permit, Verdict::Success, duration);
        breaker.state(0)
    };
    assert_eq!(call(2 * SECOND), State::Closed);
    for _ in 0..4 {
        assert_eq!(call(2100 * MS), State::Closed);
    }
    assert_eq!(call(2100 * MS), State::Open);
}

#[test]
fn m07_hystrix_needs_twenty_results_and_half_of_them_failures() {
    let hystrix = CircuitBreakerSpec {
        window: WindowSpec::Time(Span(10 * SECOND)),
        minimum_calls: 20,
        open_for: Span(5 * SECOND),
        half_open_calls: 1,
        ..CircuitBreakerSpec::default()
    };
    let mut breaker = Breaker::new(&hystrix);
    send(&mut breaker, 3 * SECOND, &"F".repeat(19));
    assert_eq!(breaker.state(12 * SECOND), State::Closed);
    let mut breaker = Breaker::new(&hystrix);
    send(&mut breaker, 3 * SECOND, &"SF".repeat(10));
    assert_eq!(breaker.state(3 * SECOND), State::Open);
    assert_eq!(send(&mut breaker, 8 * SECOND + 1, "S"), 1);
    assert_eq!(breaker.state(8 * SECOND + 1), State::Closed, "one good trial closes");
}

#[test]
fn m08_gobreaker_opens_at_the_sixth_failure_in_a_row() {
    let gobreaker = CircuitBreakerSpec {
        window: WindowSpec::Consecutive(5),
        half_open_calls: 1,
        ..CircuitBreakerSpec::default()
    };
    let mut breaker = Breaker::new(&gobreaker);
    assert_eq!(send(&mut breaker, 0, "FFFFFSFFFFF"), 11);
    assert_eq!(breaker.state(0), State::Closed);
    send(&mut breaker, 0, "F");
    assert_eq!(breaker.state(0), State::Open);
    assert_eq!(send(&mut breaker, 60 * SECOND, "S"), 0);
    assert_eq!(send(&mut breaker, 60 * SECOND + 1, "S"), 1);
    assert_eq!(breaker.state(60 * SECOND + 1), State::Closed);
}

#[test]
fn one_failed_trial_reopens_a_consecutive_breaker_and_late_results_do_not_count() {
    let mut breaker = Breaker::new(&CircuitBreakerSpec {
        window: WindowSpec::Consecutive(0),
        half_open_calls: 3,
        ..CircuitBreakerSpec::default()
    });
    let late = breaker.ask(0).unwrap();
    send(&mut breaker, 0, "F");
    let now = 61 * SECOND;
    let [first, second, third] = three(&mut breaker, now);
    breaker.done(now, late, Verdict::Failure, 0);
    breaker.done(now, first, Verdict::Success, 0);
    assert_eq!(breaker.state(now), State::HalfOpen);
    breaker.done(now, second, Verdict::Failure, 0);
    assert_eq!(breaker.state(now), State::Open);
    breaker.done(now, third, Verdict::Success, 0);
    assert_eq!(breaker.state(now), State::Open);
}

#[test]
fn m09_polly_opens_on_the_second_of_two_calls() {
    let mut breaker = Breaker::new(&CircuitBreakerSpec {
        window: WindowSpec::Time(Span(30 * SECOND)),
        minimum_calls: 2,
        open_for: Span(5 * SECOND),
        half_open_calls: 1,
        ..CircuitBreakerSpec::default()
    });
    send(&mut breaker, 0, "S");
    assert_eq!(breaker.state(0), State::Closed);
    send(&mut breaker, 0, "F");
    assert_eq!(breaker.state(0), State::Open);
}

#[test]
fn a_result_counts_in_the_state_at_its_completion() {
    let mut breaker = Breaker::new(&spec(5));
    let [one, two, three] = three(&mut breaker, 0);
    send(&mut breaker, 0, "FFFFF");
    breaker.done(SECOND, one, Verdict::Success, SECOND);
    assert_eq!(breaker.state(SECOND), State::Open, "results do not close an open breaker");
    let now = 61 * SECOND;
    let trial = breaker.ask(now).unwrap();
    breaker.done(now, two, Verdict::Failure, 0);
    breaker.done(now, three, Verdict::Failure, 0);
    assert_eq!(breaker.state(now), State::HalfOpen);
    breaker.done(now, trial, Verdict::Success, 0);
    assert_eq!(breaker.state(now), State::Open, "two late failures and one trial: 2 of 3");
}

#[test]
fn an_ignored_trial_gives_its_place_back() {
    let mut breaker = opened(&spec(5));
    let now = 161 * SECOND;
    let [first, ..] = three(&mut breaker, now);
    assert!(breaker.ask(now).is_none());
    breaker.done(now, first, Verdict::Ignored, 0);
    assert!(breaker.ask(now).is_some());
    assert_eq!(breaker.state(now), State::HalfOpen);
}

#[test]
fn ignored_results_do_not_fill_the_window() {
    let mut breaker = Breaker::new(&spec(5));
    assert_eq!(send(&mut breaker, 0, "FFFFIIIIII"), 10);
    assert_eq!(breaker.state(0), State::Closed);
}

#[test]
fn automatic_half_open_happens_at_the_end_of_the_wait_without_a_call() {
    let mut breaker = opened(&CircuitBreakerSpec { automatic_half_open: true, ..spec(5) });
    assert_eq!(breaker.next_timer(), Some(160 * SECOND));
    assert_eq!(breaker.state(160 * SECOND - 1), State::Open);
    assert_eq!(breaker.state(160 * SECOND), State::HalfOpen);
    assert_eq!(breaker.next_timer(), None);
}

#[test]
fn trials_that_do_not_come_back_reopen_the_breaker_after_max_half_open() {
    let limited = CircuitBreakerSpec { max_half_open: Some(Span(5 * SECOND)), ..spec(5) };
    let mut breaker = opened(&limited);
    assert_eq!(breaker.next_timer(), None);
    let _lost = three(&mut breaker, 170 * SECOND);
    assert_eq!(breaker.next_timer(), Some(175 * SECOND));
    assert_eq!(breaker.state(175 * SECOND - 1), State::HalfOpen);
    assert_eq!(breaker.state(175 * SECOND), State::Open);
    assert!(breaker.ask(235 * SECOND).is_none());
    assert!(breaker.ask(235 * SECOND + 1).is_some());
}

#[test]
fn a_long_idle_breaker_goes_round_in_step_with_one_that_is_watched() {
    let round = CircuitBreakerSpec {
        automatic_half_open: true,
        open_for: Span(7),
        max_half_open: Some(Span(3)),
        ..spec(5)
    };
    let (mut watched, start) = (opened(&round), 100 * SECOND);
    for now in start..start + 100 {
        assert_eq!(opened(&round).state(now), watched.state(now), "{now}");
    }
    assert_eq!(opened(&round).state(Nanos::MAX), opened(&round).state(Nanos::MAX - 10_000));
}

#[test]
fn statuses_are_failures_unless_good_or_ignored() {
    let default = Breaker::new(&CircuitBreakerSpec::default());
    assert_eq!(default.verdict(Status::Degraded), Verdict::Success);
    assert_eq!(default.verdict(Status::Timeout), Verdict::Failure);
    assert_eq!(default.verdict(Status::LocalReject), Verdict::Failure);
    assert_eq!(default.verdict(Status::ClientError), Verdict::Ignored);
    let listed = Breaker::new(&CircuitBreakerSpec {
        failures: Some(vec![Status::Timeout, Status::Reset]),
        ignore: vec![Status::Reset],
        ..CircuitBreakerSpec::default()
    });
    assert_eq!(listed.verdict(Status::Timeout), Verdict::Failure);
    assert_eq!(listed.verdict(Status::Reset), Verdict::Ignored);
    assert_eq!(listed.verdict(Status::ServerError), Verdict::Success);
}

#[test]
fn specs_without_meaning_are_refused() {
    let ok = CircuitBreakerSpec::default;
    assert_eq!(ok().check(), Ok(()));
    let windows = [WindowSpec::Count(0), WindowSpec::Count(u32::MAX), WindowSpec::Time(Span(0))];
    let longer = [WindowSpec::Time(Span(1500 * MS)), WindowSpec::Time(Span(25 * 3600 * SECOND))];
    for window in windows.into_iter().chain(longer) {
        assert!(CircuitBreakerSpec { window, ..ok() }.check().is_err(), "{window:?}");
    }
    assert!(CircuitBreakerSpec { failure_rate: Share(0.0), ..ok() }.check().is_err());
    assert!(CircuitBreakerSpec { minimum_calls: 0, ..ok() }.check().is_err());
    assert!(CircuitBreakerSpec { half_open_calls: 0, ..ok() }.check().is_err());
    assert!(CircuitBreakerSpec { max_half_open: Some(Span(0)), ..ok() }.check().is_err());
    assert!(CircuitBreakerSpec { failures: Some(vec![Status::Ok]), ..ok() }.check().is_err());
}

/// The slow twin of the windows: a log of all results, counted anew each time.
fn counted(log: &[(Nanos, bool, bool)], window: WindowSpec) -> Counts {
    let now = log.last().map_or(0, |(at, ..)| *at);
    let first = match window {
        WindowSpec::Count(n) => log.len().saturating_sub(n as usize),
        WindowSpec::Time(span) => {
            let oldest = (now / SECOND + 1).saturating_sub(span.0 / SECOND);
            log.iter().position(|(at, ..)| at / SECOND >= oldest).unwrap_or(log.len())
        }
        WindowSpec::Consecutive(_) => unreachable!("no counts"),
    };
    let mut counts = Counts::default();
    log[first..].iter().for_each(|(_, failed, slow)| counts.add(*failed, *slow));
    counts
}

fn windows() -> impl Strategy<Value = WindowSpec> {
    prop_oneof![
        (1..12u32).prop_map(WindowSpec::Count),
        (1..6u64).prop_map(|n| WindowSpec::Time(Span(n * SECOND))),
    ]
}

proptest! {
    #[test]
    fn windows_agree_with_a_log_of_all_results(
        window in windows(),
        steps in prop::collection::vec(
            (0..3000u64, any::<bool>(), any::<bool>(), 0..40u32),
            1..200,
        ),
    ) {
        let mut fast = Window::new(window);
        let (mut log, mut now) = (Vec::new(), 0);
        for (gap_ms, failed, slow, clear) in steps {
            now += gap_ms * MS;
            if clear == 0 {
                fast.clear();
                log.clear();
            }
            log.push((now, failed, slow));
            prop_assert_eq!(fast.record(now, failed, slow), Seen::Rates(counted(&log, window)));
        }
    }
}
