use super::table::Table;
use super::*;
use crate::text::{Sources, plain};

pub(super) const MODEL: &str = "
name: tiny
horizon: 45min
clients:
  players:
    users: 300
    visits: {poisson: {rate: 0.5/s}}
    visit: {requests: 3, thinking: {exponential: {mean: 5s}}}
    requests: {search: 100%}
    calls: api
    timeout: 2s
components:
  api:
    kind: server
    workers: 2
    while_calling: hold
    line: {capacity: 20}
    endpoints: {search: [{work: 300ms}]}
changes:
  slowness: {what: {slow: {component: api, by: 6x}}, at: 10min, until: 25min}
response:
  alerts:
    failing:
      signal: {ratio: {of: players.errors, to: players.answers}}
      above: 20%
origins:
  components.api.workers: {chosen: a test}
";

const EXPERIMENT: &str = "
question: does anything happen?
model: tiny.yaml
seed: 7
replicas: {baseline: 20, others: 20}
uncertain:
  clients.players.visits.poisson.rate: {uniform: [0.45/s, 0.55/s]}
variants:
  many workers:
    set: {components.api.workers: 20}
  no slowness:
    remove: [changes.slowness]
  both:
    all_of: [many workers, no slowness]
sweep:
  - over: {components.api.workers: [2, 20]}
    measures: [user_outage, goodput]
    replicas: 3
facts:
  user_outage: {reported: 16min, how: emergent, tolerance: 20%}
  impossible: {reported: 1%, how: set, measure: users_affected}
  time_to_detect: {how: emergent}
milestones: {slow answers reported: 2min}
expect:
  - claim: the slowness causes an incident
    probability: {of: incident, above: 70%}
    unless: {remove: [changes.slowness]}
  - claim: more workers save user-minutes
    difference: {of: user_minutes_lost, variant: many workers, below: -30%}
    unless: {about: the slowness, remove: [changes.slowness]}
  - claim: hardly anybody notices
    probability: {of: user_outage below 1min, above: 50%}
  - claim: without a slowness, nothing is lost
    mean: {of: user_outage, variant: no slowness, below: 1min}
  - claim: half of the outage stays
    ratio: {of: user_outage, variant: both, above: 0.5x}
measures: [user_outage, users_affected, latency_*]
";

pub(super) fn check_text(model: &str, experiment: &str) -> Result<Checked, String> {
    let mut sources = Sources::default();
    let mut files = |path: &str| match path {
        "lab/tiny.yaml" => Ok(model.to_owned()),
        _ => Err("no such file".to_owned()),
    };
    let found = check(&mut sources, "lab/first.yaml", experiment, &mut files);
    found.map_err(|problems| plain(&problems, &sources))
}

fn checked() -> Checked {
    check_text(MODEL, EXPERIMENT).unwrap_or_else(|problems| panic!("{problems}"))
}

fn study(options: &Options) -> StudyResult {
    run(&checked(), options, &|_, _| {})
}

pub(super) fn problems_of(experiment: &str) -> String {
    check_text(MODEL, experiment).map(|_| ()).unwrap_err()
}

#[test]
fn a_study_is_the_same_for_any_number_of_threads_and_for_the_same_seed_again() {
    let json = |threads| {
        let options = Options { threads: Some(threads), ablations: true, ..Options::default() };
        serde_json::to_string(&study(&options).table).unwrap()
    };
    let one = json(1);
    assert_eq!(one, json(2));
    assert_eq!(one, json(3));
    let other = Options { seed: Some(8), ..Options::default() };
    assert_ne!(one, serde_json::to_string(&study(&other).table).unwrap());
}

#[test]
fn claims_hold_or_fail_by_their_intervals_and_fall_without_their_causes() {
    let result = study(&Options { ablations: true, ..Options::default() });
    let table = &result.table;
    let holds: Vec<bool> = table.claims.iter().map(|claim| claim.holds).collect();
    assert_eq!(holds, [true, true, false, true, false], "{:#?}", table.claims);
    assert!(!result.claims_hold());
    let without: Vec<_> = table.ablations.iter().map(|a| (a.without.as_str(), a.holds)).collect();
    assert_eq!(without, [("changes.slowness", false), ("the slowness", false)]);
    let alone = claims_without_cause(&checked(), &Options::default(), &|_, _| {});
    assert_eq!(alone, table.ablations);
}

#[test]
fn variants_are_compared_in_pairs_and_facts_with_bands() {
    let table = study(&Options::default()).table;
    assert_eq!(table.experiment, "first");
    assert_eq!(table.model, "lab/tiny.yaml");
    let baseline = table.baseline().unwrap();
    assert!(baseline.differences.is_empty());
    assert!(baseline.measures.get("latency_p99.during").is_some());
    assert!(baseline.measures.get("availability").is_none(), "it was not asked for");
    let outage = &baseline.measures.get("user_outage").unwrap();
    assert!((14.0..18.0).contains(&outage.median), "{outage:?}");
    let many = &table.variants[1];
    let difference = many.differences.get("user_outage").unwrap();
    let mean = many.measures.get("user_outage").unwrap().mean - outage.mean;
    assert!((difference.mean - mean).abs() < 1e-9);
    assert!(difference.ci95[0] <= difference.mean && difference.ci95[1] < 0.0);
    let facts: Vec<Option<bool>> = table.facts.iter().map(|fact| fact.holds).collect();
    assert_eq!(facts, [Some(true), Some(false), None], "{:#?}", table.facts);
    assert_eq!(table.facts[0].unit, "min");
}

#[test]
fn the_timeline_is_centred_on_the_alert() {
    let timeline = study(&Options::default()).table.timeline.unwrap();
    let errors = timeline.series.iter().find(|s| s.name == "lost requests").unwrap();
    let at = |minute: f64| {
        let place = errors.t_minutes.iter().position(|t| *t == minute).unwrap();
        errors.median[place]
    };
    assert!(at(-8.0) < 0.05 && at(5.0) > 0.5 && at(25.0) < 0.05, "{errors:?}");
    let mark = |label: &str| timeline.marks.iter().find(|m| m.label == label).unwrap();
    let begins = mark("slowness begins").at_minutes_median;
    assert!((-4.0..0.0).contains(&begins), "{begins}");
    assert_eq!(mark("slow answers reported").at_minutes_median, 2.0);
    assert_eq!(timeline.shades.len(), 1);
    assert!((timeline.shades[0].to - timeline.shades[0].from - 15.0).abs() < 1e-9);
}

#[test]
fn every_variant_sees_the_same_draws_and_every_run_is_a_row() {
    let result = study(&Options { replicas: Some(6), ..Options::default() });
    let inputs = |variant: usize| -> Vec<f64> {
        result.variants[variant].rows.iter().map(|row| row.inputs[0]).collect()
    };
    assert_eq!(inputs(0).len(), 6);
    assert!(inputs(0).iter().all(|rate| (0.45..=0.55).contains(rate)));
    assert!(inputs(0).windows(2).any(|pair| pair[0] != pair[1]));
    assert_eq!(inputs(0), inputs(1));
    assert_eq!(result.table.sweep[0].points[1].measures.get("user_outage").unwrap().n, 3);
    assert_eq!(result.table.sweep[0].inputs[0].numbers, [2.0, 20.0]);
}

#[cfg(feature = "cli")]
#[test]
fn replicas_and_table_are_written_for_spreadsheets() {
    let result = study(&Options { replicas: Some(3), ..Options::default() });
    let csv = replicas_csv(&result).unwrap();
    let head = csv.lines().next().unwrap();
    assert!(
        head.starts_with("variant,replica,clients.players.visits.poisson.rate,user_outage,"),
        "{head}"
    );
    assert_eq!(csv.lines().count(), 1 + 4 * 3);
    assert!(csv.lines().nth(4).unwrap().starts_with("many workers,0,0."));
    let table = table_csv(&result.table).unwrap();
    assert!(table.lines().nth(1).unwrap().starts_with("baseline,user_outage,min,3,"));
}

#[test]
fn few_replicas_and_open_claims_are_cautioned() {
    let result = study(&Options { replicas: Some(2), ..Options::default() });
    let cautions = &result.table.cautions;
    assert!(cautions.iter().any(|c| c.contains("only 2 replicas")), "{cautions:?}");
    assert!(cautions.iter().any(|c| c.contains("neither shown nor refuted")), "{cautions:?}");
    assert!(cautions.iter().any(|c| c.contains("never declared over")), "{cautions:?}");
}

#[test]
fn an_empty_experiment_runs_its_model_alone() {
    let experiment = "{question: what?, model: tiny.yaml, replicas: {baseline: 2, others: 1}}";
    let checked = check_text(MODEL, experiment).unwrap();
    let table: Table = run(&checked, &Options::default(), &|_, _| {}).table;
    assert_eq!((table.variants.len(), table.replicas), (1, 2));
    assert!(table.claims.is_empty() && table.sweep.is_empty());
    assert!(table.baseline_measure("goodput").is_some());
}

#[test]
fn all_problems_of_an_experiment_are_reported_at_once() {
    let text = problems_of(
        "
question: what?
model: tiny.yaml
variants:
  more: {set: {components.apu.workers: 3}}
  less: {set: {components.api.workers: none}}
  loop: {all_of: [loop]}
uncertain:
  clients.players.visits.poisson.rate: {uniform: [2/s, 1/s]}
sweep:
  - over: {components.api.workers: [2, many]}
    variant: mroe
facts:
  user_outage: {reported: 80%, how: set}
  users_affected: {how: set}
expect:
  - {claim: a, probability: {of: users_affectd, above: 1%}}
  - {claim: b, probability: {of: user_outage, above: 1%}}
  - {claim: c, mean: {of: user_outage, above: 1%}}
  - {claim: d}
  - {claim: e, difference: {of: user_outage, variant: nothing, below: -5min}}
  - {claim: f, mean: {of: user_outage}}
measures: [goodputt]
",
    );
    for expected in [
        "lab/first.yaml:5:16: patches what does not exist: no `apu`",
        "did you mean `api`?",
        "`none` is not a whole number or `unlimited`",
        "`loop` contains itself",
        "2/s is larger than 1/s",
        "unknown variant `mroe`",
        "`80%` is not a length of time",
        "the fact `users_affected` has no figure to agree with",
        "unknown measure `users_affectd`",
        "did you mean `users_affected`?",
        "`user_outage` is a quantity",
        "the claim `d` does not say what it means",
        "unknown variant `nothing`",
        "the claim `f` has no limit",
        "did you mean `goodput`?",
    ] {
        assert!(text.contains(expected), "{expected}:\n{text}");
    }
}

#[test]
fn problems_of_the_model_and_missing_models_are_told() {
    let missing = problems_of("{question: what?, model: tony.yaml}");
    assert!(missing.contains("`lab/tony.yaml`: no such file"), "{missing}");
    assert!(missing.contains("`tony.yaml`: no such file"), "{missing}");
    let broken = MODEL.replace("calls: api", "calls: apy");
    let text = check_text(&broken, EXPERIMENT).map(|_| ()).unwrap_err();
    assert!(text.starts_with("lab/tiny.yaml:") && text.contains("did you mean `api`?"), "{text}");
}

#[test]
fn a_variant_whose_model_is_wrong_elsewhere_is_named() {
    let text = problems_of(
        "{question: what?, model: tiny.yaml, variants: {gone: {remove: [components.api]}}}",
    );
    assert!(text.contains("with `gone` the model has a problem"), "{text}");
    assert!(text.starts_with("lab/first.yaml:1:"), "{text}");
}

/// Variants in which the incident still happens.
const MILDER: &str = "{question: how much does pairing save?, model: tiny.yaml, seed: 3,
  replicas: {baseline: 60, others: 60}, measures: [user_minutes_lost], variants: {
  milder: {set: {changes.slowness.what.slow.by: 5x}},
  shorter: {set: {changes.slowness.until: 22min}},
  more patient: {set: {clients.players.timeout: 3s}}}}";

#[test]
fn common_random_numbers_make_the_variance_of_differences_at_least_three_times_smaller() {
    let checked = check_text(MODEL, MILDER).unwrap();
    let lost = |seed: u64, variant: usize| {
        let options = Options { seed: Some(seed), ..Options::default() };
        run(&checked, &options, &|_, _| {}).variants[variant].values("user_minutes_lost")
    };
    let table = run(&checked, &Options::default(), &|_, _| {}).table;
    for (index, variant) in table.variants.iter().enumerate().skip(1) {
        let said = variant.differences.get("user_minutes_lost").unwrap().variance_ratio;
        let name = &variant.name;
        assert!(said >= 3.0, "{name}: {said}");
        // And against runs that really are independent: another seed.
        let paired = estimate::paired(&lost(3, 0), &lost(3, index)).sd;
        let independent = estimate::paired(&lost(4, 0), &lost(3, index)).sd;
        let measured = (independent / paired).powi(2);
        assert!(
            measured >= 2.0 && (said / 3.0..said * 3.0).contains(&measured),
            "{measured} {said}"
        );
    }
}

const STEADY: &str = "
name: steady
horizon: 40min
warm_up: auto
clients: {c: {calls: api, arrivals: {poisson: {rate: 40/s}}}}
components:
  api: {kind: server, workers: unlimited, endpoints: {request: [work: {exponential: {mean: 60s}}]}}
  other: {kind: server, workers: 3, endpoints: {request: [work: 1s]}}
";

#[test]
fn an_automatic_warm_up_is_found_once_and_holds_for_every_variant() {
    let experiment = "{question: what?, model: tiny.yaml, replicas: {baseline: 6, others: 6},
      measures: [mean_present.api], variants: {idle: {set: {components.other.workers: 4}},
      none: {set: {warm_up: 0s}}}}";
    let checked = check_text(STEADY, experiment).unwrap();
    let table = run(&checked, &Options::default(), &|_, _| {}).table;
    let mean =
        |variant: usize| table.variants[variant].measures.get("mean_present.api").unwrap().mean;
    // 2,400 are there in the mean; they begin with none, which costs 60 s of 40 minutes.
    assert!((mean(0) / 2400.0 - 1.0).abs() < 0.006, "{}", mean(0));
    assert_eq!(mean(0), mean(1), "the same time is measured");
    assert!(mean(2) < 0.99 * mean(0), "without a warm-up the beginning weighs: {}", mean(2));
    assert!(!table.cautions.iter().any(|c| c.contains("MSER-5")), "{:?}", table.cautions);
}

#[test]
fn a_short_warm_up_and_a_short_run_are_cautioned() {
    let experiment = "{question: what?, model: tiny.yaml, replicas: {baseline: 2, others: 2}}";
    let cautions = |model: &str| {
        let checked = check_text(model, experiment);
        run(&checked.unwrap(), &Options::default(), &|_, _| {}).table.cautions.concat()
    };
    let short = cautions(&STEADY.replace("warm_up: auto", "warm_up: 10s"));
    assert!(short.contains("Measuring begins after 10s, and the pilot run settled"), "{short}");
    let short = cautions(&STEADY.replace("horizon: 40min", "horizon: 1min"));
    assert!(short.contains("had not settled after half of its time (MSER-5)"), "{short}");
    let long = cautions(&STEADY.replace("warm_up: auto", "warm_up: 15min"));
    assert!(!long.contains("MSER-5"), "{long}");
}

#[test]
fn an_automatic_warm_up_wants_a_steady_state() {
    let model = format!("{MODEL}warm_up: auto\n");
    let text = check_text(&model, EXPERIMENT).map(|_| ()).unwrap_err();
    let expected =
        "`warm_up: auto` in a model without a steady state: the change `slowness` comes once";
    assert!(text.contains(expected), "{text}");
}
