use super::*;
use crate::dist::{Lognormal, Uniform};
use crate::rng::Luck;
use crate::units::MILLISECOND as MS;

fn luck(attempt: u64) -> LazyLuck {
    LazyLuck { call: Luck::new(7), attempt, layer: 3 }
}

fn exponential(base_ms: u64, factor: f64, cap_ms: Option<u64>, jitter: Jitter) -> Backoff {
    Backoff::new(&BackoffSpec::Exponential(ExponentialSpec {
        base: Span(base_ms * MS),
        factor: Factor(factor),
        cap: cap_ms.map(|cap| Span(cap * MS)),
        jitter,
    }))
}

fn delays_ms(backoff: &Backoff, retries: u32, u: f64) -> Vec<f64> {
    let mut previous = 0;
    let next = |n| {
        previous = backoff.delay(n, previous, u);
        previous as f64 / MS as f64
    };
    (1..=retries).map(next).collect()
}

#[test]
fn m20_grpc_backoff_with_full_jitter() {
    let grpc = exponential(100, 2.0, Some(1000), Jitter::Full);
    assert_eq!(delays_ms(&grpc, 6, 0.5), [50.0, 100.0, 200.0, 400.0, 500.0, 500.0]);
    assert_eq!(delays_ms(&grpc, 2, 0.0), [0.0, 0.0]);
}

#[test]
fn m21_upper_bounds_of_the_current_envoy_backoff() {
    let envoy = exponential(25, 2.0, Some(250), Jitter::Full);
    let bounds: Vec<u64> = (1..=6).map(|n| envoy.bound(n) / MS).collect();
    assert_eq!(bounds, [25, 50, 100, 200, 250, 250]);
    assert_eq!(delays_ms(&envoy, 5, 0.5), [12.5, 25.0, 50.0, 100.0, 125.0]);
}

#[test]
fn m22_aws_standard_backoff() {
    let aws = exponential(1000, 2.0, Some(20_000), Jitter::Full);
    assert_eq!(delays_ms(&aws, 2, 0.5), [500.0, 1000.0]);
}

#[test]
fn resilience4j_exponential_backoff_without_jitter() {
    let backoff = exponential(500, 1.5, None, Jitter::None);
    assert_eq!(delays_ms(&backoff, 4, 0.9), [500.0, 750.0, 1125.0, 1687.5]);
}

#[test]
fn resilience4j_randomised_backoff_spreads_to_both_sides() {
    let backoff = exponential(500, 1.0, None, Jitter::PlusMinus(Share(0.5)));
    assert_eq!(delays_ms(&backoff, 2, 0.0), [250.0, 250.0]);
    assert_eq!(delays_ms(&backoff, 2, 0.5), [500.0, 500.0]);
    assert_eq!(delays_ms(&backoff, 1, 0.75), [625.0]);
}

#[test]
fn equal_jitter_keeps_half_of_the_pause() {
    let backoff = exponential(100, 2.0, Some(300), Jitter::Equal);
    assert_eq!(delays_ms(&backoff, 3, 0.0), [50.0, 100.0, 150.0]);
    assert_eq!(delays_ms(&backoff, 3, 0.5), [75.0, 150.0, 225.0]);
}

#[test]
fn decorrelated_jitter_grows_from_the_previous_pause_up_to_the_cap() {
    let backoff = exponential(100, 2.0, Some(500), Jitter::Decorrelated);
    // 100 + (300 - 100) / 2, 100 + (600 - 100) / 2, 100 + (1050 - 100) / 2 = 575 > 500
    assert_eq!(delays_ms(&backoff, 4, 0.5), [200.0, 350.0, 500.0, 500.0]);
    assert_eq!(delays_ms(&backoff, 3, 0.0), [100.0, 100.0, 100.0]);
}

#[test]
fn constant_and_no_backoff_ignore_number_and_luck() {
    let constant = Backoff::new(&BackoffSpec::Constant(Span(7)));
    assert_eq!((constant.delay(1, 0, 0.3), constant.delay(9, 7, 0.8)), (7, 7));
    assert_eq!(Backoff::new(&BackoffSpec::None).delay(3, 0, 0.9), 0);
}

#[test]
fn late_retries_saturate_instead_of_overflowing() {
    let backoff = exponential(100, 10.0, None, Jitter::None);
    assert_eq!(backoff.delay(u32::MAX, 0, 0.5), Nanos::MAX);
    assert_eq!(exponential(0, 10.0, None, Jitter::None).delay(u32::MAX, 0, 0.5), 0);
    assert_eq!(exponential(100, 10.0, Some(200), Jitter::None).delay(u32::MAX, 0, 0.5), 200 * MS);
    let retry = Retry::new(&RetrySpec {
        attempts: Limit(None),
        backoff: BackoffSpec::Exponential(ExponentialSpec {
            jitter: Jitter::None,
            ..ExponentialSpec::default()
        }),
        ..RetrySpec::default()
    });
    let ended = Ended { status: Status::Timeout, attempt: 5000, elapsed: 9, previous: 0 };
    assert_eq!(retry.told(&ended, 0.5, luck(0)), Told::Deliver);
}

fn told(spec: &RetrySpec, status: Status, attempt: u32, elapsed: Nanos) -> Told {
    Retry::new(spec).told(&Ended { status, attempt, elapsed, previous: 0 }, 0.5, luck(0))
}

#[test]
fn three_attempts_are_two_retries() {
    let spec = RetrySpec::default();
    assert_eq!(told(&spec, Status::Unavailable, 1, 0), Told::Again(50 * MS));
    assert_eq!(told(&spec, Status::Unavailable, 2, 0), Told::Again(100 * MS));
    assert_eq!(told(&spec, Status::Unavailable, 3, 0), Told::Deliver);
}

#[test]
fn success_client_errors_and_the_callers_own_refusals_are_not_retried() {
    let spec = RetrySpec::default();
    for status in [Status::Ok, Status::Degraded, Status::ClientError, Status::LocalReject] {
        assert_eq!(told(&spec, status, 1, 0), Told::Deliver);
    }
    let spec = RetrySpec { on: Some(vec![Status::LocalReject]), ..spec };
    assert_eq!(told(&spec, Status::LocalReject, 1, 0), Told::Again(50 * MS));
    assert_eq!(told(&spec, Status::Unavailable, 1, 0), Told::Deliver);
}

#[test]
fn no_retry_begins_at_or_after_the_time_to_give_up() {
    let spec = RetrySpec { give_up_after: Some(Span(200 * MS)), ..RetrySpec::default() };
    assert_eq!(told(&spec, Status::Reset, 1, 150 * MS - 1), Told::Again(50 * MS));
    assert_eq!(told(&spec, Status::Reset, 1, 150 * MS), Told::Deliver);
}

#[test]
fn specs_without_meaning_are_refused() {
    let exponential = |factor, cap| RetrySpec {
        backoff: BackoffSpec::Exponential(ExponentialSpec {
            factor: Factor(factor),
            cap,
            ..ExponentialSpec::default()
        }),
        ..RetrySpec::default()
    };
    assert_eq!(exponential(1.0, None).check(), Ok(()));
    assert!(exponential(0.5, None).check().unwrap_err().contains("at least 1x"));
    assert!(exponential(2.0, Some(Span(1))).check().unwrap_err().contains("cap"));
    assert!(RetrySpec { attempts: Limit(Some(0)), ..RetrySpec::default() }.check().is_err());
    assert!(RetrySpec { on: Some(vec![]), ..RetrySpec::default() }.check().is_err());
}

#[test]
fn of_those_who_could_retry_the_chance_decides() {
    let spec = RetrySpec { chance: Share(0.75), attempts: Limit(None), ..RetrySpec::default() };
    let retry = Retry::new(&spec);
    let ended = Ended { status: Status::Timeout, attempt: 40_000, elapsed: 0, previous: 0 };
    let again = |n: &u64| retry.told(&ended, 0.5, luck(*n)) != Told::Deliver;
    let made = (0..10_000).filter(again).count() as f64;
    // Five standard deviations of a share of 10 000 are 2.2 points.
    assert!((made / 10_000.0 - 0.75).abs() < 0.022, "{made}");
}

#[test]
fn pauses_are_drawn_anew_from_their_law() {
    let law = Dist::Uniform(Uniform { from: Span(100 * MS), to: Span(200 * MS) });
    let retry = Retry::new(&RetrySpec { backoff: BackoffSpec::Drawn(law), ..RetrySpec::default() });
    let ended = Ended { status: Status::Timeout, attempt: 1, elapsed: 0, previous: 0 };
    let pause = |n| match retry.told(&ended, 0.5, luck(n)) {
        Told::Again(pause) => pause as f64 / MS as f64,
        other => panic!("{other:?}"),
    };
    let all: Vec<f64> = (0..10_000).map(pause).collect();
    assert!(all.iter().all(|pause| (100.0..=200.0).contains(pause)));
    let mean = all.iter().sum::<f64>() / 10_000.0;
    // Five standard deviations of a mean of 10 000 are 1.4 ms.
    assert!((mean - 150.0).abs() < 1.4, "{mean}");
}

#[test]
fn laws_without_meaning_and_retries_that_stop_time_are_refused() {
    let nothing = Lognormal { mean: None, cv: None, median: None, p90: None };
    let drawn = |law| RetrySpec { backoff: BackoffSpec::Drawn(law), ..RetrySpec::default() };
    assert!(drawn(Dist::Lognormal(nothing)).check().unwrap_err().contains("lognormal"));
    let endless = |backoff, on, chance| RetrySpec {
        attempts: Limit(None),
        backoff,
        on,
        chance: Share(chance),
        ..RetrySpec::default()
    };
    let refused = endless(BackoffSpec::None, None, 1.0).check();
    assert!(refused.unwrap_err().contains("at one moment"));
    assert!(endless(BackoffSpec::Constant(Span(0)), None, 1.0).check().is_err());
    assert_eq!(endless(BackoffSpec::None, None, 0.9).check(), Ok(()));
    assert_eq!(endless(BackoffSpec::None, Some(vec![Status::Timeout]), 1.0).check(), Ok(()));
    assert_eq!(endless(BackoffSpec::Constant(Span(1)), None, 1.0).check(), Ok(()));
}
