use super::*;
use crate::rng::Luck;
use crate::units::MILLISECOND;

const N: usize = 400_000;

fn read<T: DeserializeOwned>(text: &str) -> T {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn complaint<T: DeserializeOwned + Debug>(text: &str) -> String {
    serde_saphyr::from_str::<T>(text).unwrap_err().to_string()
}

fn no_file(path: &str) -> Result<String, String> {
    Err(format!("{path}: no such file"))
}

fn sampler(text: &str) -> Sampler {
    let compiled = read::<Dist<Span>>(text).compile(&mut no_file);
    compiled.unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn draw(text: &str) -> Vec<f64> {
    let (sampler, mut rng) = (sampler(text), Luck::new(2024).rng());
    (0..N).map(|_| sampler.sample(&mut rng)).collect()
}

fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(q * values.len() as f64) as usize]
}

/// Mean in seconds and squared coefficient of variation, worked out by hand from the definitions.
const THEORY: [(&str, f64, f64); 15] = [
    ("exponential: {mean: 10ms}", 0.01, 1.0),
    ("lognormal: {mean: 450ms, cv: 0.5}", 0.45, 0.25),
    // sigma = ln(3)/1.2815516 = 0.8572517, sigma² = 0.7348804.
    ("lognormal: {median: 2min, p90: 6min}", 173.284_023, 1.085_233),
    ("gamma: {mean: 2s, cv: 2}", 2.0, 4.0),
    ("gamma: {mean: 2s, cv: 0.5}", 2.0, 0.25),
    ("weibull: {mean: 3s, shape: 1}", 3.0, 1.0),
    // Γ(1.5) = sqrt(pi)/2 = 0.8862269; cv² = 4/pi - 1.
    ("weibull: {scale: 1s, shape: 2}", 0.886_226_9, 0.273_239_5),
    // Γ(3) = 2, Γ(5) = 24.
    ("weibull: {mean: 1s, shape: 0.5}", 1.0, 5.0),
    // 5/4 of the minimum; 1/(5*3).
    ("pareto: {minimum: 100ms, shape: 5}", 0.125, 1.0 / 15.0),
    ("uniform: [1s, 3s]", 2.0, 1.0 / 12.0),
    ("uniform: {from: 0s, to: 6ms}", 0.003, 1.0 / 3.0),
    // 0.9 * 1 + 0.1 * 11 = 2; second moment 2 (0.9 + 12.1) = 26.
    ("hyperexponential: [{share: 90%, mean: 1s}, {share: 10%, mean: 11s}]", 2.0, 5.5),
    // Deviations -2, -1, 3.
    ("empirical: {values: [1s, 2s, 6s]}", 3.0, 14.0 / 27.0),
    ("erlang: {mean: 4s, stages: 4}", 4.0, 0.25),
    ("erlang: {mean: 4s, stages: 1}", 4.0, 1.0),
];

#[test]
fn means_and_variations_are_those_of_theory() {
    for (text, mean, cv2) in THEORY {
        let dist: Dist<Span> = read(text);
        assert!((dist.mean() / mean - 1.0).abs() < 1e-6, "{text}: {}", dist.mean());
        assert!((dist.cv2() / cv2 - 1.0).abs() < 1e-6, "{text}: {}", dist.cv2());
    }
}

#[test]
fn samples_have_the_mean_and_variation_of_theory_within_four_standard_errors() {
    for (text, mean, cv2) in THEORY {
        let (values, n) = (draw(text), N as f64);
        let sd = mean * cv2.sqrt();
        let found = values.iter().sum::<f64>() / n;
        assert!((found - mean).abs() < 4.0 * sd / n.sqrt(), "{text}: mean {found}");
        let moment = |k| values.iter().map(|x| (x - mean).powi(k)).sum::<f64>() / n;
        let (second, fourth) = (moment(2), moment(4));
        let error = ((fourth - second * second) / n).sqrt();
        assert!((second - sd * sd).abs() < 4.0 * error, "{text}: sd {} not {sd}", second.sqrt());
    }
}

#[test]
fn a_lognormal_by_median_and_p90_has_these_quantiles() {
    let mut values = draw("lognormal: {median: 2min, p90: 6min}");
    let sigma = 3_f64.ln() / 1.281_551_565_5;
    for (q, z, expected) in [(0.5, 0.0_f64, 120.0), (0.9, 1.281_551_565_5, 360.0)] {
        // Standard error of a quantile: sqrt(q (1-q)/n) / density.
        let density = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() / sigma / expected;
        let error = (q * (1.0 - q) / N as f64).sqrt() / density;
        let found = quantile(&mut values, q);
        assert!((found - expected).abs() < 4.0 * error, "{q}: {found}");
    }
}

#[test]
fn a_heavy_pareto_has_its_quantiles_and_no_finite_mean() {
    let text = "pareto: {minimum: 1s, shape: 1}";
    // P(X > x) = 1/x.
    assert!((quantile(&mut draw(text), 0.5) - 2.0).abs() < 0.02);
    assert!((quantile(&mut draw(text), 0.99) - 100.0).abs() < 6.5);
    assert_eq!(read::<Dist<Span>>(text).mean(), f64::INFINITY);
    assert_eq!(read::<Dist<Span>>("pareto: {minimum: 1s, shape: 2}").cv2(), f64::INFINITY);
}

#[test]
fn no_variation_means_constant() {
    for text in ["5ms", "fixed: 5ms", "lognormal: {mean: 5ms, cv: 0}", "gamma: {mean: 5ms, cv: 0}"]
    {
        let mut rng = Luck::new(0).rng();
        assert_eq!(sampler(text).sample_nanos(&mut rng), 5 * MILLISECOND, "{text}");
        assert_eq!(sampler(text).cv2(), 0.0, "{text}");
    }
}

#[test]
fn a_length_beyond_the_clock_is_never() {
    let sampler = sampler("pareto: {minimum: 1s, shape: 1e-6}");
    assert_eq!(sampler.sample_nanos(&mut Luck::new(0).rng()), crate::units::NEVER);
}

#[test]
fn every_quantity_can_vary() {
    assert_eq!(read::<Dist<Rate>>("uniform: [1.0/s, 120/min]").mean(), 1.5);
    assert_eq!(read::<Dist<Bytes>>("exponential: {mean: 1KiB}").mean(), 1024.0);
    assert_eq!(read::<Dist<Share>>("uniform: [25%, 50%]").mean(), 0.375);
    assert_eq!(read::<Dist<Factor>>("4x"), Dist::Fixed(Factor(4.0)));
    assert_eq!(read::<Dist<f64>>("uniform: [-1, 2.5]").mean(), 0.75);
    assert_eq!(read::<Dist<f64>>("3"), Dist::Fixed(3.0));
    assert_eq!(Share::from_f64(1.7), Share(1.0));
    assert_eq!(Share::from_f64(f64::NAN), Share(0.0));
    assert_eq!(Span::from_f64(-2.0), Span(0));
}

#[test]
fn an_empirical_file_is_read_line_by_line() {
    let dist: Dist<Span> = read("empirical: {file: times.txt}");
    let mut texts = |path: &str| {
        assert_eq!(path, "times.txt");
        Ok("# seen in March\n10ms\n\n 30ms  # odd\n".to_owned())
    };
    assert_eq!(dist.compile(&mut texts).unwrap().mean(), 0.02);
    assert!(dist.mean().is_nan());
    let error = dist.compile(&mut |_| Ok("10ms\n20".to_owned())).unwrap_err();
    assert_eq!(error, "times.txt:2: 20 is a number without unit; write for example `250ms`");
    assert!(dist.compile(&mut |_| Ok("# nothing\n".to_owned())).is_err());
    assert!(dist.compile(&mut no_file).unwrap_err().contains("no such file"));
}

#[test]
fn parameters_without_sense_are_refused() {
    for text in [
        "exponential: {mean: 0s}",
        "lognormal: {mean: 0s, cv: 1}",
        "lognormal: {mean: 1s, cv: -1}",
        "lognormal: {mean: 1s, cv: .nan}",
        "lognormal: {mean: 1s, p90: 2s}",
        "lognormal: {mean: 1s, cv: 1, median: 1s, p90: 2s}",
        "lognormal: {median: 2s, p90: 1s}",
        "gamma: {mean: 1s, cv: .inf}",
        "gamma: {mean: 1s, cv: 1e-160}",
        "weibull: {mean: 1s, shape: 0}",
        "weibull: {mean: 1s, shape: 0.001}",
        "weibull: {shape: 1}",
        "weibull: {mean: 1s, scale: 1s, shape: 1}",
        "pareto: {minimum: 1s, shape: 0}",
        "pareto: {minimum: 0s, shape: 1}",
        "uniform: [2s, 1s]",
        "hyperexponential: []",
        "hyperexponential: [{share: 50%, mean: 1s}, {share: 49%, mean: 1s}]",
        "empirical: {values: []}",
        "empirical: {}",
        "empirical: {file: a, values: [1s]}",
        "erlang: {mean: 1s, stages: 0}",
    ] {
        let dist: Dist<Span> = read(text);
        assert!(dist.compile(&mut no_file).is_err(), "{text}");
        assert!(dist.mean().is_nan(), "{text}");
    }
    assert!(read::<Dist<f64>>("fixed: .inf").check().is_err());
}

#[test]
fn shares_that_sum_to_one_up_to_rounding_are_accepted() {
    let thirds = "hyperexponential: [{share: 1/3, mean: 1s}, {share: 1/3, mean: 1s}, \
                  {share: 1/3, mean: 1s}]";
    assert!((sampler(thirds).mean() - 1.0).abs() < 1e-12);
}

#[test]
fn messages_name_what_is_wrong() {
    type Times = Dist<Span>;
    for (text, expected) in [
        ("5", "5 is a number without unit"),
        ("5kg", "`5kg` is not a length of time"),
        ("exponential: {mean: 5}", "5 is a number without unit"),
        ("exponential: {median: 5ms}", "unknown field `median`"),
        ("exponental: {mean: 5ms}", "unknown variant `exponental`"),
        ("{fixed: 5ms, exponential: {mean: 5ms}}", "`exponential` is a second name"),
        ("lognormal: {mean: 5ms, sd: 1}", "unknown field `sd`"),
        ("uniform: [1s]", "invalid length 1"),
        ("uniform: [1s, 2s, 3s]", "invalid length 3"),
        ("uniform: {from: 1s, upto: 2s}", "unknown field `upto`"),
        ("[1s]", "a quantity or one distribution"),
        ("true", "a quantity or one distribution"),
    ] {
        let error = complaint::<Times>(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
    assert!(complaint::<Count>("5.5").contains("5.5"));
    assert!(complaint::<Count>("-5").contains("-5"));
}

#[test]
fn written_distributions_read_back_equal() {
    for (text, ..) in THEORY {
        let dist: Dist<Span> = read(text);
        let json = serde_json::to_string(&dist).unwrap();
        assert_eq!(serde_json::from_str::<Dist<Span>>(&json).unwrap(), dist, "{json}");
        assert_eq!(read::<Dist<Span>>(&json), dist, "{json}");
    }
    let json = serde_json::to_string(&read::<Dist<Span>>("5ms")).unwrap();
    assert_eq!(json, r#"{"fixed":"5ms"}"#);
}

#[test]
fn schemas_offer_the_short_spellings() {
    let schema = schemars::schema_for!(Dist<Span>).to_value();
    let variants = schema["oneOf"].as_array().unwrap();
    assert_eq!(variants.len(), 11);
    assert_eq!(variants[10]["$ref"], "#/$defs/Span");
    let pair = schema.pointer("/$defs/Uniform/oneOf/0").unwrap();
    assert_eq!(pair["items"]["$ref"], "#/$defs/Span");
    let count = schemars::schema_for!(Count).to_value();
    assert_eq!(count["oneOf"][3]["type"], "integer");
}

#[test]
fn counts_have_the_mean_and_range_of_theory() {
    // Variance of the geometric distribution on 1, 2, …: mean (mean - 1).
    for (text, mean, variance) in [
        ("5", 5.0, 0.0),
        ("geometric: {mean: 5}", 5.0, 20.0),
        ("geometric: {mean: 1}", 1.0, 0.0),
        ("uniform: [1, 9]", 5.0, 80.0 / 12.0),
        ("uniform: {from: 3, to: 3}", 3.0, 0.0),
    ] {
        let count: Count = read(text);
        let (sampler, mut rng) = (count.compile().unwrap(), Luck::new(7).rng());
        let values: Vec<_> = (0..N).map(|_| f64::from(sampler.sample(&mut rng))).collect();
        let found = values.iter().sum::<f64>() / N as f64;
        let spread = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / N as f64;
        let error = 4.0 * (variance / N as f64).sqrt();
        assert!((found - mean).abs() <= error, "{text}: {found}");
        assert!((spread - variance).abs() <= 0.03 * variance, "{text}: {spread}");
        assert_eq!(count.mean(), mean);
    }
    let (sampler, mut rng) =
        (read::<Count>("uniform: [1, 9]").compile().unwrap(), Luck::new(7).rng());
    let drawn: std::collections::BTreeSet<u32> =
        (0..1_000).map(|_| sampler.sample(&mut rng)).collect();
    assert_eq!(drawn, (1..=9).collect());
}

#[test]
fn the_geometric_count_has_its_probabilities() {
    let (sampler, mut rng) =
        (read::<Count>("geometric: {mean: 4}").compile().unwrap(), Luck::new(1).rng());
    let mut seen = [0_u32; 4];
    for _ in 0..N {
        if let Some(count) = seen.get_mut(sampler.sample(&mut rng) as usize) {
            *count += 1;
        }
    }
    for (n, p) in [(0, 0.0), (1, 0.25), (2, 0.1875), (3, 0.140_625)] {
        let error = (p * (1.0_f64 - p) / N as f64).sqrt();
        assert!((f64::from(seen[n]) / N as f64 - p).abs() <= 4.0 * error, "{n}: {}", seen[n]);
    }
}

#[test]
fn counts_without_sense_are_refused() {
    for text in ["geometric: {mean: 0.5}", "geometric: {mean: .nan}", "uniform: [9, 1]"] {
        assert!(read::<Count>(text).compile().is_err(), "{text}");
    }
    let all = read::<Count>("uniform: [0, 4294967295]").compile().unwrap();
    let mut rng = Luck::new(3).rng();
    assert!((0..100).any(|_| all.sample(&mut rng) > u32::MAX / 2));
}
