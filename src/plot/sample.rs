//! A table as a real study might yield it, to draw from in tests.

use crate::study::table::*;

/// Names of the variants, the share of the baseline's user-minutes which each loses, and its
/// probability of the cascade.
const VARIANTS: [(&str, f64, f64); 12] = [
    ("baseline", 1.0, 0.968),
    ("caught exception", 0.012, 0.0),
    ("api fallback", 0.22, 0.02),
    ("balancer limits", 0.61, 0.0),
    ("memory and exception alerts", 0.86, 0.965),
    ("everything", 0.004, 0.0),
    ("balancers restarted with the hotfix", 0.74, 0.968),
    ("balancers that do not leak", 0.72, 0.03),
    ("no surge", 0.0, 0.0),
    ("circuit breaker between balancer and api, half-open after 30 seconds", 0.93, 0.81),
    ("aggressive client retries", 1.21, 0.995),
    ("twice the api instances", 1.01, 0.955),
];

/// A uniform number between 0 and 1 from two counters (the finaliser of SplitMix64), so that the
/// sample looks random and never changes.
fn luck(a: u64, b: u64) -> f64 {
    let mut z = a.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ b.wrapping_mul(0xD1B5_4A32_D192_ED03);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// Roughly normal, with mean 0 and standard deviation 1.
fn bell(a: u64, b: u64) -> f64 {
    (0..12).map(|k| luck(a, b.wrapping_mul(31).wrapping_add(k))).sum::<f64>() - 6.0
}

/// An estimate from the values of the replicas.
pub fn estimate(unit: &str, kind: Kind, doc: &str, values: &[f64]) -> Estimate {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let quantile = |q: f64| sorted[(q * (n - 1.0)).round() as usize];
    let mean = sorted.iter().sum::<f64>() / n;
    let variance = sorted.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    let (mut centre, mut half) = (mean, 1.96 * (variance / n).sqrt());
    if kind == Kind::Probability {
        let z2 = 1.96f64.powi(2);
        centre = (mean + z2 / (2.0 * n)) / (1.0 + z2 / n);
        half = 1.96 / (1.0 + z2 / n) * (mean * (1.0 - mean) / n + z2 / (4.0 * n * n)).sqrt();
    }
    Estimate {
        unit: unit.into(),
        kind,
        better: if doc.starts_with("Requests answered") { Better::Higher } else { Better::Lower },
        doc: doc.into(),
        mean,
        ci95: [centre - half, centre + half],
        median: quantile(0.5),
        p5: quantile(0.05),
        p10: quantile(0.1),
        p90: quantile(0.9),
        p95: quantile(0.95),
        n: sorted.len() as u64,
    }
}

const OUTAGE: &str = "From the first to the last minute in which more than 10 % of users' requests \
    failed or were slower than 10 s.";
const AFFECTED: &str = "Of the users who sent a request during the outage, the share with at least \
    one failure after all retries.";
const LOST: &str = "Over all users, the time from a failed request to that user's next good \
    answer, at most 10 minutes for each visit.";
const CASCADE: &str = "Whether any balancer passed its memory limit.";

/// The values of one variant's replicas: outage, affected, minutes lost, cascade.
fn replicas(index: usize) -> [Vec<f64>; 4] {
    let (_, share, cascade) = VARIANTS[index];
    let count = if index == 0 { 1000 } else { 200 };
    let mut rows = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for replica in 0..count {
        let quiet = luck(replica, index as u64 + 77) > (share * 40.0).min(0.985);
        let scale = if quiet { 0.0 } else { share };
        let outage = (132.0 + 17.0 * bell(replica, 1)) * scale.powf(0.45);
        let affected = (0.79 + 0.05 * bell(replica, 2)).min(1.0) * scale.powf(0.25).min(1.1);
        rows[0].push(outage.max(0.0));
        rows[1].push(affected.clamp(0.0, 1.0));
        rows[2].push((61_500.0 + 9_000.0 * bell(replica, 3)) * scale);
        rows[3].push(if luck(replica, index as u64 + 5) < cascade { 1.0 } else { 0.0 });
    }
    rows
}

fn measured(rows: &[Vec<f64>; 4]) -> Named<Estimate> {
    let mut measures = Named::default();
    measures.insert("user_outage", estimate("min", Kind::Quantity, OUTAGE, &rows[0]));
    measures.insert("users_affected", estimate("1", Kind::Quantity, AFFECTED, &rows[1]));
    measures.insert("user_minutes_lost", estimate("min", Kind::Quantity, LOST, &rows[2]));
    measures.insert("cascade", estimate("1", Kind::Probability, CASCADE, &rows[3]));
    measures
}

fn difference(variant: &[f64], baseline: &[f64]) -> Difference {
    let pairs: Vec<f64> = variant.iter().zip(baseline).map(|(v, b)| v - b).collect();
    let Estimate { mean, ci95, .. } = estimate("", Kind::Quantity, "", &pairs);
    Difference { mean, ci95, variance_ratio: 5.0 }
}

fn series(name: &str, unit: &str, group: Group, shape: impl Fn(f64) -> f64, width: f64) -> Series {
    let t_minutes: Vec<f64> = (-40..=170).map(f64::from).collect();
    let noisy = |t: &f64, k: u64| shape(*t) * (1.0 + 0.04 * bell((t + 99.0) as u64, k));
    let median: Vec<f64> = t_minutes.iter().map(|t| noisy(t, 9)).collect();
    let low = t_minutes.iter().map(|t| (noisy(t, 10) * (1.0 - width)).max(0.0)).collect();
    let high = t_minutes.iter().map(|t| noisy(t, 11) * (1.0 + width)).collect();
    Series { name: name.into(), unit: unit.into(), group, t_minutes, median, p10: low, p90: high }
}

fn timeline() -> Timeline {
    let during = |t: f64, low: f64, high: f64| {
        let share = if (-4.0..=124.0).contains(&t) { (t + 4.0) / 8.0 } else { 0.0 };
        low + (high - low) * share.min(1.0)
    };
    let surge = |t: f64| if (-5.0..25.0).contains(&t) { 14.0 } else { 8.0 };
    let memory = |t: f64| if t > 121.0 { 0.3 } else { during(t, 0.3, 0.97).min(1.0) };
    let mark = |at: f64, spread: f64, label: &str, kind| Mark {
        at_minutes_median: at,
        p10: (kind != MarkKind::MilestoneReported).then_some(at - spread),
        p90: (kind != MarkKind::MilestoneReported).then_some(at + spread),
        label: label.into(),
        kind,
    };
    let reported = |at: f64, label: &str| mark(at, 0.0, label, MarkKind::MilestoneReported);
    Timeline {
        variant: "baseline".into(),
        bucket_seconds: 60.0,
        series: vec![
            series("attempts", "requests/s", Group::Traffic, surge, 0.15),
            series("good answers", "requests/s", Group::Traffic, |t| during(t, 7.8, 1.1), 0.2),
            series("failed", "1", Group::Errors, |t| during(t, 0.002, 0.83), 0.12),
            series("p50", "s", Group::Latency, |t| during(t, 0.35, 7.0), 0.3),
            series("p99", "s", Group::Latency, |t| during(t, 1.9, 29.0), 0.2),
            series("balancer", "1", Group::Memory, memory, 0.06),
            series("api", "1", Group::Memory, |t| during(t, 0.42, 0.81), 0.1),
            series("balancer", "instances", Group::Instances, |t| during(t, 2.0, 0.0), 0.0),
            series("api", "instances", Group::Instances, |t| during(t, 4.0, 0.6), 0.2),
        ],
        marks: vec![
            mark(-5.0, 0.0, "surge from one IP range", MarkKind::Change),
            mark(0.0, 0.0, "alert: unavailable", MarkKind::Alert),
            mark(91.0, 14.0, "hotfix, replaces api", MarkKind::Action),
            mark(121.0, 18.0, "restart, limiter disabled", MarkKind::Action),
            reported(0.0, "alert on 503s"),
            reported(2.0, "team notified"),
            reported(5.0, "balancers and network suspected"),
            reported(20.0, "limiter exceptions in the logs"),
            reported(30.0, "focus on middleware, escalated"),
            reported(45.0, "edge case found"),
            reported(60.0, "hotfix begun"),
            reported(90.0, "hotfix deployed, outage persists"),
            reported(110.0, "balancer leak found"),
            reported(120.0, "restart, middleware disabled"),
            reported(135.0, "restored"),
        ],
        shades: vec![Shade { from: -5.0, to: 25.0, label: "surge".into() }],
    }
}

/// The measures at one load: `load` over `capacity` decides.
fn point(load: f64, capacity: f64) -> Named<Estimate> {
    let busy = load / capacity;
    let outage = 1.0 / (1.0 + (-(busy - 1.0) * 14.0).exp());
    let with_noise = |mean: f64, spread: f64| -> Vec<f64> {
        (0..100).map(|k| mean * (1.0 + spread * bell(k, load.to_bits()))).collect()
    };
    let p99 = 0.9 / (1.02 - busy.min(0.98)) * (1.0 + 4.0 * outage);
    let good = load * (1.0 - 0.8 * outage);
    let happened: Vec<f64> =
        (0..100).map(|k| if luck(k, 3) < outage { 1.0 } else { 0.0 }).collect();
    let mut measures = Named::default();
    let doc = "99th percentile of the time to answer.";
    measures.insert("latency_p99", estimate("s", Kind::Quantity, doc, &with_noise(p99, 0.15)));
    let doc = "Requests answered well per second.";
    measures
        .insert("goodput", estimate("requests/s", Kind::Quantity, doc, &with_noise(good, 0.06)));
    measures.insert("cascade", estimate("1", Kind::Probability, CASCADE, &happened));
    measures
}

fn sweep(variant: &str, capacity: f64) -> Sweep {
    let numbers: Vec<f64> = (2..=12).map(|k| f64::from(k) * 2.0).collect();
    let values: Vec<String> = numbers.iter().map(|n| format!("{n}/s")).collect();
    let points = numbers
        .iter()
        .zip(&values)
        .map(|(&n, text)| Point { values: vec![text.clone()], measures: point(n, capacity) })
        .collect();
    let path = "clients.players.visits.poisson.rate".into();
    Sweep { variant: variant.into(), inputs: vec![Input { path, values, numbers }], points }
}

/// A sweep over two inputs, for the heat map.
pub fn map() -> Sweep {
    let load = Input {
        path: "clients.players.visits.poisson.rate".into(),
        values: ["4/s", "8/s", "12/s", "16/s", "20/s"].map(String::from).to_vec(),
        numbers: vec![4.0, 8.0, 12.0, 16.0, 20.0],
    };
    let lines = Input {
        path: "components.balancer.line.capacity".into(),
        values: ["20", "50", "100", "200"].map(String::from).to_vec(),
        numbers: vec![20.0, 50.0, 100.0, 200.0],
    };
    let mut points = Vec::new();
    for (x, &n) in load.numbers.iter().enumerate() {
        for (y, &limit) in lines.numbers.iter().enumerate() {
            let values = vec![load.values[x].clone(), lines.values[y].clone()];
            points.push(Point { values, measures: point(n, 20.0 - limit / 20.0) });
        }
    }
    Sweep { variant: "everything".into(), inputs: vec![load, lines], points }
}

/// The whole table.
pub fn table() -> Table {
    let rows: Vec<[Vec<f64>; 4]> = (0..VARIANTS.len()).map(replicas).collect();
    let names = ["user_outage", "users_affected", "user_minutes_lost", "cascade"];
    let mut table = Table {
        experiment: "2024-07-10-rate-limiter-leak".into(),
        model: "models/2024-07-10-rate-limiter-leak.yaml".into(),
        question:
            "What happened on 10 July 2024, how likely was it, which of the proposed measures \
            would have prevented or shortened it, and how much load would the repaired system take?"
                .into(),
        seed: 20_240_710,
        replicas: 1000,
        timeline: Some(timeline()),
        sweep: vec![sweep("baseline", 9.0), sweep("everything", 20.0)],
        ..Table::default()
    };
    for (index, (name, ..)) in VARIANTS.iter().enumerate() {
        let mut differences = Named::default();
        for (measure, (values, base)) in names.iter().zip(rows[index].iter().zip(&rows[0])) {
            if index > 0 {
                differences.insert(*measure, difference(values, base));
            }
        }
        let measures = measured(&rows[index]);
        let replicas = rows[index][0].len() as u64;
        let name = (*name).into();
        let rest = Variant::default();
        table.variants.push(Variant { name, replicas, measures, differences, ..rest });
    }
    for (column, measure) in names.iter().enumerate().take(2) {
        let values = VARIANTS.iter().zip(&rows).map(|(v, r)| (v.0.to_string(), r[column].clone()));
        table.distributions.insert(*measure, values.collect());
    }
    texts(&mut table);
    table
}

fn texts(table: &mut Table) {
    let fact = |name: &str, how, unit: &str, [reported, median, p10, p90]: [f64; 4]| Fact {
        name: name.into(),
        how,
        reported: Some(reported),
        unit: unit.into(),
        median,
        p10,
        p90,
        holds: Some((p10..=p90).contains(&reported)),
    };
    table.facts = vec![
        fact("reported_outage", How::Set, "min", [135.0, 133.0, 108.0, 161.0]),
        fact("users_affected", How::Fitted, "1", [0.8, 0.79, 0.72, 0.86]),
        fact("time_to_normal", How::Emergent, "min", [15.0, 4.2, 2.9, 6.4]),
    ];
    let claim = |claim: &str, holds, evidence: &str| Claim {
        claim: claim.into(),
        holds,
        is_open: false,
        evidence: evidence.into(),
        said_by: None,
    };
    table.claims = vec![
        claim(
            "the hotfix alone does not help",
            true,
            "helped in 3.1 % (95 %: 2.2 to 4.4 %) < 10 %",
        ),
        claim("alerts on memory shorten the outage <by half>", false, "−14 % (95 %: −17 to −11 %)"),
    ];
    table.ablations = vec![Ablation {
        claim: "the hotfix alone does not help".into(),
        without: "the leak of the balancers".into(),
        holds: false,
        is_open: false,
        evidence: "helped in 97 % (95 %: 94 to 99 %)".into(),
    }];
    table.cautions =
        vec!["In 3 of 1,000 replicas the horizon ends before recovery; raise it.".into()];
    for (key, value) in [
        ("version", "0.1.0"),
        ("model_hash", "9f2c4b1e77aa03d1"),
        ("fingerprint", "5be0cd19137e2179"),
        ("command", "outagelab study experiments/2024-07-10-rate-limiter-leak.yaml"),
    ] {
        table.provenance.insert(key.into(), value.into());
    }
}
