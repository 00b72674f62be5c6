use proptest::prelude::*;

use super::*;
use crate::mitigation::Nanos;
use crate::units::{MILLISECOND as MS, SECOND};

fn token_bucket(rate: f64, burst: u32) -> Bucket {
    Limiter::TokenBucket(&TokenBucketSpec { rate: Rate(rate), burst, per: Per::All }).bucket()
}

fn leaky_bucket(rate: f64, burst: u32) -> Bucket {
    Limiter::LeakyBucket(&LeakyBucketSpec { rate: Rate(rate), burst, per: Per::All }).bucket()
}

fn window(limit: u32, window: Nanos) -> WindowLimitSpec {
    WindowLimitSpec { limit, window: Span(window), per: Per::All }
}

/// `P` for pass and `R` for refused.
fn letters(bucket: &mut Bucket, times_ms: &[u64]) -> String {
    let letter = |at: &u64| if bucket.admit(at * MS, 1).is_ok() { 'P' } else { 'R' };
    times_ms.iter().map(letter).collect()
}

#[test]
fn m29_token_bucket_of_five_at_ten_per_second() {
    let mut bucket = token_bucket(10.0, 5);
    assert_eq!(letters(&mut bucket, &[0; 7]), "PPPPPRR");
    assert_eq!(letters(&mut bucket, &[50, 100, 150, 200]), "RPRP");
    assert_eq!(letters(&mut bucket, &[1000; 6]), "PPPPPR");
}

#[test]
fn m30_refusals_say_when_to_come_back_as_gcra_does() {
    let mut bucket = token_bucket(10.0, 5);
    assert_eq!(letters(&mut bucket, &[0; 5]), "PPPPP");
    assert_eq!(bucket.admit(0, 1), Err(100 * MS));
    assert_eq!(bucket.admit(50 * MS, 1), Err(50 * MS));
    assert_eq!(bucket.admit(100 * MS - 1, 1), Err(1));
    assert_eq!(bucket.admit(100 * MS, 1), Ok(()));
}

#[test]
fn the_time_to_come_back_is_rounded_up_to_a_nanosecond_that_passes() {
    let mut bucket = token_bucket(3.0, 1);
    assert_eq!(bucket.admit(0, 1), Ok(()));
    assert_eq!(bucket.admit(0, 1), Err(333_333_334));
    assert_eq!(bucket.admit(333_333_333, 1), Err(1));
    assert_eq!(bucket.admit(333_333_334, 1), Ok(()));
}

#[test]
fn m31_nginx_lets_burst_plus_one_pass_at_once() {
    let mut bucket = leaky_bucket(10.0, 5);
    assert_eq!(letters(&mut bucket, &[0; 7]), "PPPPPPR");
    assert_eq!(letters(&mut bucket, &[100, 150, 200]), "PRP");
}

#[test]
fn m33_nginx_without_burst_refuses_a_gap_that_is_too_short() {
    assert_eq!(letters(&mut leaky_bucket(10.0, 0), &[0, 60, 100]), "PRP");
}

#[test]
fn m34_fixed_windows_let_twice_the_limit_pass_around_a_boundary() {
    let spec = window(10, SECOND);
    let mut fixed = Limiter::FixedWindow(&spec).bucket();
    assert_eq!(letters(&mut fixed, &[999; 10]), "P".repeat(10));
    assert_eq!(fixed.admit(999 * MS, 1), Err(MS));
    assert_eq!(letters(&mut fixed, &[1001; 10]), "P".repeat(10));
    let mut sliding = Limiter::SlidingLog(&spec).bucket();
    assert_eq!(letters(&mut sliding, &[999; 10]), "P".repeat(10));
    assert_eq!(letters(&mut sliding, &[1001; 10]), "R".repeat(10));
    assert_eq!(sliding.admit(1001 * MS, 1), Err(998 * MS));
    assert_eq!(sliding.admit(1999 * MS, 1), Ok(()));
}

#[test]
fn dear_requests_take_more_and_impossible_ones_never_pass() {
    let spec = window(5, SECOND);
    for mut bucket in [
        token_bucket(10.0, 5),
        Limiter::FixedWindow(&spec).bucket(),
        Limiter::SlidingLog(&spec).bucket(),
    ] {
        assert_eq!(bucket.admit(0, 6), Err(Nanos::MAX), "{bucket:?}");
        assert_eq!(bucket.admit(0, 3), Ok(()));
        assert!(bucket.admit(0, 3).is_err());
        assert_eq!(bucket.admit(0, 2), Ok(()));
        assert_eq!(bucket.admit(0, 0), Ok(()), "what costs nothing passes");
        assert!(bucket.admit(0, 1).is_err());
    }
}

#[test]
fn a_slow_rate_does_not_drift_over_a_year() {
    // Five a day, taken exactly when due, 1825 times; a nanosecond earlier each is refused.
    let period = 86_400 * SECOND / 5;
    let mut bucket = token_bucket(5.0 / 86_400.0, 1);
    for n in 0..1825 {
        if n > 0 {
            assert_eq!(bucket.admit(n * period - 1, 1), Err(1), "{n}");
        }
        assert_eq!(bucket.admit(n * period, 1), Ok(()), "{n}");
    }
}

#[test]
fn the_end_of_time_does_not_overflow() {
    let spec = window(1, SECOND);
    for mut bucket in [
        token_bucket(1e9, u32::MAX),
        Limiter::FixedWindow(&spec).bucket(),
        Limiter::SlidingLog(&spec).bucket(),
    ] {
        assert_eq!(bucket.admit(0, 1), Ok(()));
        assert_eq!(bucket.admit(Nanos::MAX, 1), Ok(()));
        let _ = bucket.admit(Nanos::MAX, 1);
    }
}

#[test]
fn exactly_one_limiter_that_lets_something_through() {
    let tokens = |rate, burst| RateLimitSpec {
        token_bucket: Some(TokenBucketSpec { rate: Rate(rate), burst, per: Per::User }),
        ..RateLimitSpec::default()
    };
    let good = tokens(10.0, 5);
    assert_eq!(good.check(), Ok(()));
    assert_eq!(good.limiter().unwrap().per(), Per::User);
    assert_eq!(good.refusal(), Status::RateLimited);
    assert!(RateLimitSpec::default().check().unwrap_err().contains("exactly one"));
    let two = RateLimitSpec { fixed_window: Some(window(1, 1)), ..good };
    assert!(two.check().unwrap_err().contains("exactly one"));
    assert!(tokens(0.0, 5).check().is_err());
    assert!(tokens(10.0, 0).check().is_err());
    for empty in [window(0, 1), window(1, 0)] {
        let spec = RateLimitSpec { sliding_log: Some(empty), ..RateLimitSpec::default() };
        assert!(spec.check().is_err());
    }
}

/// Moments in nanoseconds with gaps of up to 300 ms, many of them 0.
fn moments() -> impl Strategy<Value = Vec<Nanos>> {
    let gap = prop_oneof![Just(0), 0..300 * MS, (0..6u64).prop_map(|n| n * 50 * MS)];
    let sum = |now: &mut Nanos, gap| {
        *now += gap;
        Some(*now)
    };
    prop::collection::vec(gap, 1..300).prop_map(move |gaps| gaps.into_iter().scan(0, sum).collect())
}

proptest! {
    /// GCRA by virtual scheduling, with whole nanoseconds for one token.
    #[test]
    fn token_buckets_decide_as_gcra(moments in moments(), burst in 1..6u64, tenths in 1..50u64) {
        let period = tenths * 10 * MS;
        let mut bucket = token_bucket(1e9 / period as f64, burst as u32);
        prop_assume!((86_400_000 * SECOND).is_multiple_of(period));
        let (mut arrival, tolerance) = (0, (burst - 1) * period);
        for now in moments {
            let expected = if now + tolerance >= arrival {
                arrival = arrival.max(now) + period;
                Ok(())
            } else {
                Err(arrival - tolerance - now)
            };
            prop_assert_eq!(bucket.admit(now, 1), expected);
        }
    }

    /// nginx's formula in floating point; decisions closer than its rounding are not compared.
    #[test]
    fn leaky_buckets_decide_as_nginx(moments in moments(), burst in 0..6u32, rate in 1..40u32) {
        let mut bucket = leaky_bucket(f64::from(rate), burst);
        let mut state: Option<(Nanos, f64)> = None;
        for now in moments {
            let excess = state.map_or(0.0, |(last, excess)| {
                let leak = f64::from(rate) * (now - last) as f64 / 1e9;
                (excess - leak + 1.0).max(0.0)
            });
            if (excess - f64::from(burst)).abs() < 1e-6 {
                return Ok(());
            }
            let passes = excess <= f64::from(burst);
            if passes {
                state = Some((now, excess));
            }
            prop_assert_eq!(bucket.admit(now, 1).is_ok(), passes);
        }
    }

    #[test]
    fn windows_decide_as_a_log_of_all_admitted(moments in moments(), limit in 1..6u32) {
        let (length, spec) = (500 * MS, window(limit, 500 * MS));
        for (sliding, mut bucket) in [
            (false, Limiter::FixedWindow(&spec).bucket()),
            (true, Limiter::SlidingLog(&spec).bucket()),
        ] {
            let mut log: Vec<Nanos> = Vec::new();
            let fits = |log: &[Nanos], now: Nanos| {
                let counts = |at: &&Nanos| match sliding {
                    true => **at + length > now,
                    false => **at / length == now / length,
                };
                (log.iter().filter(counts).count() as u32) < limit
            };
            for now in &moments {
                match bucket.admit(*now, 1) {
                    Ok(()) => {
                        prop_assert!(fits(&log, *now));
                        log.push(*now);
                    }
                    Err(after) => {
                        prop_assert!(!fits(&log, *now + after - 1), "it could come earlier");
                        prop_assert!(fits(&log, *now + after), "it still would not pass");
                    }
                }
            }
        }
    }
}
