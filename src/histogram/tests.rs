use super::*;
use crate::rng::{Luck, unit_of};
use crate::units::{HOUR, MICROSECOND, MILLISECOND, SECOND};
use rand::Rng;

/// Lengths spread evenly over the octaves from a microsecond to an hour.
fn lengths(n: usize) -> Vec<Nanos> {
    let mut rng = Luck::new(11).rng();
    let octaves = (HOUR as f64 / MICROSECOND as f64).log2();
    let length = |u: f64| (MICROSECOND as f64 * 1.1 * (u * octaves).exp2()) as Nanos;
    (0..n).map(|_| length(unit_of(rng.next_u64()))).collect()
}

fn histogram(lengths: &[Nanos]) -> Histogram {
    let mut histogram = Histogram::new();
    lengths.iter().for_each(|length| histogram.record(*length));
    histogram
}

fn sketch(values: &[f64]) -> Sketch {
    let mut sketch = Sketch::new();
    values.iter().for_each(|value| sketch.record(*value));
    sketch
}

#[test]
fn every_length_lies_within_the_bounds_of_its_narrow_bucket() {
    let mut h = Histogram::new();
    h.record(u64::MAX - 1);
    for length in lengths(20_000).into_iter().chain([0, 1023, 1024, 1055, 1056, (1 << 44) - 1]) {
        let (from, to) = h.bounds(Histogram::index(length));
        assert!(from <= length && length < to, "{length}: {from} {to}");
        assert!(from == 0 || (to - from) * 32 <= from, "{length}: {from} {to}");
    }
    assert_eq!(h.bounds(Histogram::index(1 << 44)).0, 1 << 44);
    for index in 0..LAST - 1 {
        assert_eq!(h.bounds(index).1, h.bounds(index + 1).0);
    }
}

#[test]
fn quantiles_are_those_of_the_sorted_lengths_within_a_bucket() {
    let mut lengths = lengths(20_001);
    let h = histogram(&lengths);
    lengths.sort_unstable();
    for percent in 0..=100 {
        let exact = seconds(lengths[percent * 200]);
        let found = h.quantile(percent as f64 / 100.0);
        assert!((found / exact - 1.0).abs() < 0.035, "{percent}: {found} {exact}");
    }
    assert_eq!(h.quantile(0.0), seconds(lengths[0]));
    assert_eq!(h.quantile(1.0), seconds(lengths[20_000]));
}

#[test]
fn shares_are_those_of_the_sorted_lengths_within_a_bucket() {
    let lengths = lengths(20_000);
    let h = histogram(&lengths);
    for limit in [2 * MICROSECOND, 50 * MICROSECOND, 3 * MILLISECOND, SECOND, HOUR] {
        let exact = lengths.iter().filter(|length| **length <= limit).count() as f64 / 20_000.0;
        assert!((h.share_at_most(limit) - exact).abs() < 0.002, "{limit}");
    }
    assert_eq!(h.share_at_most(0), 0.0);
    assert_eq!(h.share_at_most(u64::MAX), 1.0);
}

#[test]
fn a_histogram_that_is_cleared_counts_as_a_new_one() {
    let (mut used, mut new) = (Histogram::new(), Histogram::new());
    [3, 700_000, 5 * SECOND, u64::MAX].into_iter().for_each(|length| used.record(length));
    used.clear();
    assert_eq!((used.count(), used.sum(), used.min(), used.max()), (0, 0, None, None));
    let mut other = Histogram::new();
    [40_000, 2 * SECOND, 9 * SECOND].into_iter().for_each(|length| other.record(length));
    for cleared in [&mut used, &mut new] {
        cleared.merge(&other);
        cleared.record(SECOND);
    }
    assert_eq!(used, new);
    for q in [0.0, 0.1, 0.4, 0.7, 1.0] {
        assert_eq!(used.quantile(q), new.quantile(q));
    }
}

#[test]
fn one_length_is_all_of_its_quantiles() {
    let h = histogram(&[5 * MILLISECOND]);
    for q in [0.0, 0.5, 1.0] {
        assert_eq!(h.quantile(q), 0.005);
    }
    assert_eq!(h.share_at_most(5 * MILLISECOND - 1), 0.0);
    assert_eq!(h.share_at_most(5 * MILLISECOND), 1.0);
}

#[test]
fn lengths_beyond_the_ends_are_kept_by_their_extremes() {
    let h = histogram(&[0, 100, u64::MAX, u64::MAX]);
    assert_eq!((h.min(), h.max(), h.count()), (Some(0), Some(u64::MAX), 4));
    assert_eq!(h.quantile(1.0), seconds(u64::MAX));
    assert_eq!(h.sum(), 2 * u128::from(u64::MAX) + 100);
    assert_eq!(h.share_at_most(1 << 30), 0.5);
}

#[test]
fn an_empty_histogram_knows_nothing() {
    let h = Histogram::new();
    assert!(h.quantile(0.5).is_nan() && h.mean().is_nan() && h.share_at_most(SECOND).is_nan());
    assert!(h.share_at_most(u64::MAX).is_nan());
    assert_eq!((h.min(), h.max(), h.count()), (None, None, 0));
}

#[test]
fn merging_histograms_is_recording_all_in_any_order() {
    let lengths = lengths(3_000);
    let all = histogram(&lengths);
    let parts: Vec<_> = lengths.chunks(700).map(histogram).collect();
    let (mut forward, mut backward) = (Histogram::new(), Histogram::new());
    parts.iter().for_each(|part| forward.merge(part));
    parts.iter().rev().for_each(|part| backward.merge(part));
    assert_eq!(forward, all);
    assert_eq!(backward, all);
    forward.merge(&Histogram::new());
    assert_eq!(forward, all);
    let exact = lengths.iter().map(|length| u128::from(*length)).sum::<u128>();
    assert_eq!(all.mean(), exact as f64 / 3_000.0 / 1e9);
}

/// Numbers of both signs over twelve orders of magnitude, some of them zero.
fn numbers(n: usize) -> Vec<f64> {
    let mut rng = Luck::new(12).rng();
    let mut number = || {
        let (sign, size) = (unit_of(rng.next_u64()), unit_of(rng.next_u64()));
        let size = 10_f64.powf(12.0 * size - 6.0);
        if sign < 0.3 { -size } else { size * f64::from(u8::from(sign < 0.9)) }
    };
    (0..n).map(|_| number()).collect()
}

#[test]
fn sketched_quantiles_are_within_one_percent_of_the_sorted_numbers() {
    let mut values = numbers(10_001);
    let sketch = sketch(&values);
    values.sort_by(f64::total_cmp);
    for percent in 0..=100 {
        let exact = values[percent * 100];
        let found = sketch.quantile(percent as f64 / 100.0);
        assert!((found - exact).abs() <= 0.01 * exact.abs(), "{percent}: {found} {exact}");
    }
    assert_eq!(sketch.quantile(0.0), values[0]);
    assert_eq!(sketch.quantile(1.0), values[10_000]);
}

#[test]
fn sketched_quantiles_interpolate_between_ranks() {
    let two = sketch(&[100.0, 200.0]);
    assert_eq!((two.quantile(0.0), two.quantile(1.0)), (100.0, 200.0));
    assert!((two.quantile(0.5) - 150.0).abs() < 1.5);
    assert_eq!(sketch(&[7.0; 5]).quantile(0.3), 7.0);
    assert!(Sketch::new().quantile(0.5).is_nan());
}

#[test]
fn a_sketch_leaves_out_nan_and_keeps_infinities_at_the_ends() {
    let s = sketch(&[f64::NAN, f64::INFINITY, 1.0, f64::INFINITY, f64::NEG_INFINITY, f64::MAX]);
    assert_eq!(s.count(), 5);
    assert_eq!(s.quantile(0.0), f64::NEG_INFINITY);
    assert!((s.quantile(0.25) - 1.0).abs() < 0.01);
    assert!((s.quantile(0.5) / f64::MAX - 1.0).abs() < 0.02);
    assert_eq!(s.quantile(0.75), f64::INFINITY);
    assert_eq!(s.quantile(0.9), f64::INFINITY);
}

#[test]
fn merging_sketches_is_recording_all_in_any_order() {
    let mut values = numbers(2_000);
    values.extend([0.0, -0.0]);
    let all = sketch(&values);
    let mut merged = Sketch::new();
    values.chunks(300).rev().for_each(|part| merged.merge(&sketch(part)));
    assert_eq!(merged, all);
    values.reverse();
    assert_eq!(sketch(&values), all);
}
