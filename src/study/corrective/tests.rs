//! Studies of corrective measures, their numbers beside those of studies that say the same without
//! the words.

use super::check::{RANKED_BY, RoleOf};
use super::rank::ranking;
use super::table::{Beside, Outcome, Role};
use super::words::Is;
use crate::study::caution::Doubts;
use crate::study::estimate::{paired, ratio_interval};
use crate::study::result::{Row, StudyResult, VariantRows};
use crate::study::table::Table;
use crate::study::tests::{MODEL, check_text, problems_of};
use crate::study::{Options, run};
use std::sync::atomic::{AtomicUsize, Ordering};

const EXPERIMENT: &str = "
question: which measure is worth most?
model: tiny.yaml
seed: 7
replicas: {baseline: 14, others: 12}
uncertain:
  clients.players.visits.poisson.rate: {uniform: [0.45/s, 0.55/s]}
variants:
  many workers: {is: corrective, set: {components.api.workers: 20}}
  three workers: {is: corrective, set: {components.api.workers: 3}}
  short line: {is: corrective, set: {components.api.line: {capacity: 4}}}
  no line: {is: corrective, remove: [components.api.line]}
  reviews: {is: corrective, assumed: yes, set: {changes.slowness.chance: 50%}}
  all measures: {is: corrective, all_of: [many workers, reviews]}
  no slowness: {is: link, remove: [changes.slowness]}
  patient: {set: {clients.players.timeout: 3s}}
normal:
  about: no slowness
  remove: [changes.slowness]
  replicas: 6
  measures: [latency_p50, utilisation.*]
pairs: {replicas: 5}
break_even:
  - variant: reviews
    over: {changes.slowness.chance: [100%, 0%, 50%]}
    against: three workers
    replicas: 9
expect:
  - claim: three workers are enough
    said_by: postmortem
    probability: {of: incident, variant: three workers, below: 5%}
";

/// The same models as plain variants.
const PLAIN: &str = "
question: the same?
model: tiny.yaml
seed: 7
replicas: {baseline: 14, others: 12}
uncertain:
  clients.players.visits.poisson.rate: {uniform: [0.45/s, 0.55/s]}
variants:
  three workers: {set: {components.api.workers: 3}}
  never: {set: {changes.slowness.chance: 0%}}
  half: {set: {changes.slowness.chance: 50%}}
  always: {set: {changes.slowness.chance: 100%}}
  quiet: {remove: [changes.slowness]}
  quiet short line: {remove: [changes.slowness], set: {components.api.line: {capacity: 4}}}
  pair: {set: {components.api.line: {capacity: 4}, components.api.workers: 3}}
";

fn study(experiment: &str) -> StudyResult {
    let checked = check_text(MODEL, experiment).unwrap_or_else(|problems| panic!("{problems}"));
    run(&checked, &Options::default(), &|_, _| {})
}

fn plain(result: &StudyResult, variant: &str, measure: &str, replicas: usize) -> Vec<f64> {
    let rows = result.variants.iter().find(|rows| rows.name == variant).unwrap();
    rows.values(measure)[..replicas].to_vec()
}

/// Rows with nothing but user-minutes lost.
fn rows(name: &str, lost: &[f64]) -> VariantRows {
    let row = |lost: &f64| Row {
        values: vec![*lost],
        inputs: Vec::new(),
        fingerprint: 0,
        doubts: Doubts::default(),
    };
    let (name, measures) = (name.to_owned(), vec![RANKED_BY.to_owned()]);
    VariantRows { name, measures, rows: lost.iter().map(row).collect() }
}

fn role(assumed: bool, is_combination: bool) -> RoleOf {
    let assumed = if assumed { vec!["x".to_owned()] } else { Vec::new() };
    RoleOf { is: Is::Corrective, assumed, is_combination }
}

#[test]
fn ranks_count_those_that_are_surely_better_and_ties_are_named() {
    let noisy = |mean: f64, noise: f64| -> Vec<f64> {
        (0..20).map(|i| mean + noise * f64::from(i * 7 % 20 - 10)).collect()
    };
    let base = noisy(100.0, 1.0);
    let variants = [
        rows("baseline", &base),
        rows("weak", &noisy(90.0, 1.0)),
        // Their noise runs the other way, so that they cannot be told apart from one another.
        rows("strong", &noisy(40.0, 1.0)),
        rows("as strong", &noisy(41.0, -1.0)),
        rows("together", &noisy(10.0, 0.0)),
        rows("hoped for", &noisy(0.0, 0.0)),
        rows("a link", &noisy(0.0, 0.0)),
    ];
    let single = role(false, false);
    let roles = [
        RoleOf::default(),
        single.clone(),
        single.clone(),
        single,
        role(false, true),
        role(true, false),
        RoleOf { is: Is::Link, ..RoleOf::default() },
    ];
    let found = ranking(&roles, &variants).unwrap();
    let said: Vec<_> =
        found.measures.iter().map(|m| (m.name.as_str(), m.role, m.rank, m.rank_at_most)).collect();
    assert_eq!(
        said,
        [
            ("strong", Role::Single, Some(1), Some(2)),
            ("as strong", Role::Single, Some(1), Some(2)),
            ("weak", Role::Single, Some(3), Some(3)),
            ("together", Role::Combination, None, None),
            ("hoped for", Role::Assumed, None, None),
        ]
    );
    assert_eq!(found.measures[0].ties, ["as strong"]);
    assert!(found.measures[2].ties.is_empty());
    assert_eq!(found.best, ["strong", "as strong"]);
    assert!(found.worth_most.contains("cannot be told apart from `as strong`"));
    assert!((found.measures[2].saved.mean - 10.0).abs() < 1e-9);
    assert!(ranking(&[RoleOf::default()], &variants[..1]).is_none());
}

#[test]
fn what_saves_nothing_is_not_worth_most() {
    let (up, down) = ([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]);
    let variants = [rows("baseline", &up), rows("useless", &down)];
    let found = ranking(&[RoleOf::default(), role(false, false)], &variants).unwrap();
    assert!(found.best.is_empty());
    assert!(found.worth_most.starts_with("No corrective measure alone saves"), "{found:?}");
}

#[test]
fn the_ranking_is_that_of_the_paired_differences() {
    let result = study(EXPERIMENT);
    let (table, ranking) = (&result.table, result.table.ranking.as_ref().unwrap());
    let order: Vec<&str> = ranking.measures.iter().map(|m| m.name.as_str()).collect();
    assert_eq!((order[0], order[4], order[5]), ("many workers", "all measures", "reviews"));
    assert_eq!(ranking.measures[4].assumed, ["reviews"]);
    assert_eq!(ranking.best, ["many workers"]);
    let [base, many] = ["baseline", "many workers"].map(|name| plain(&result, name, RANKED_BY, 12));
    let saved = ranking.measures[0].saved;
    let expected = paired(&many, &base);
    assert_eq!((saved.mean, saved.ci95), (expected.mean, expected.ci95.into()));
    let less: Vec<f64> = base.iter().zip(&many).map(|(b, v)| b - v).collect();
    assert_eq!(saved.share_ci95, <[f64; 2]>::from(ratio_interval(&less, &base)));
    let share = less.iter().sum::<f64>() / base.iter().sum::<f64>();
    assert!((saved.share - share).abs() < 1e-12);
    let of = |name: &str| table.variants.iter().find(|v| v.name == name).unwrap();
    assert!(of("all measures").assumed && !of("many workers").assumed);
    assert_eq!((of("no slowness").is, of("patient").is), (Is::Link, Is::WhatIf));
    assert!(of("many workers").measures.get("incident").is_some());
}

#[test]
fn a_statement_of_the_postmortem_may_be_wrong_without_failing_the_study() {
    let result = study(EXPERIMENT);
    let claim = &result.table.claims[0];
    assert!(claim.is_of_postmortem() && !claim.holds && !claim.is_open, "{claim:?}");
    assert!(result.claims_hold());
    assert!(!study(&EXPERIMENT.replace("    said_by: postmortem\n", "")).claims_hold());
}

#[test]
fn prices_are_paired_differences_in_normal_operation() {
    let (result, same) = (study(EXPERIMENT), study(PLAIN));
    let prices = result.table.prices.as_ref().unwrap();
    let names: Vec<&str> = prices.variants.iter().map(|v| v.name.as_str()).collect();
    let best = result.table.pairs.as_ref().unwrap().pairs[0].variant.name.as_str();
    let singles = ["many workers", "three workers", "short line", "no line"];
    let expected = [&["baseline"][..], &singles, &["reviews", "all measures", best]].concat();
    assert_eq!(names, expected);
    assert_eq!((prices.about.as_str(), prices.variants[0].replicas), ("no slowness", 6));
    assert_eq!(prices.measures, ["latency_p50", "utilisation.api"]);
    let [quiet, short] =
        ["quiet", "quiet short line"].map(|name| plain(&same, name, "latency_p50", 6));
    let expected = paired(&quiet, &short);
    let found = prices.variants[3].differences.get("latency_p50").unwrap();
    assert_eq!((found.mean, found.ci95), (expected.mean, expected.ci95.into()));
    assert!(found.mean.abs() < 1e-3, "in normal operation the line is short anyway: {found:?}");
    let busy = prices.variants[1].differences.get("utilisation.api").unwrap();
    assert!(busy.ci95[1] < -0.1, "many workers are less busy: {busy:?}");
}

#[test]
fn the_usual_prices_are_latency_loss_the_busiest_station_and_machines() {
    let usual = EXPERIMENT.replace("  measures: [latency_p50, utilisation.*]\n", "");
    let prices = study(&usual).table.prices.unwrap();
    let expected = ["latency_p50", "latency_p99", "loss.players", "utilisation.api", "instances"];
    assert_eq!(prices.measures, expected);
}

#[test]
fn every_two_measures_are_run_together_and_those_that_do_not_fit_are_named() {
    let (result, same) = (study(EXPERIMENT), study(PLAIN));
    let pairs = result.table.pairs.as_ref().unwrap();
    // Of four measures there are six pairs.
    assert_eq!((pairs.pairs.len(), pairs.conflicts.len()), (6, 0), "{pairs:?}");
    let of = |first: &str, second: &str| {
        pairs.pairs.iter().find(|pair| pair.of == [first, second]).unwrap()
    };
    assert_eq!(of("many workers", "three workers").overridden, ["components.api.workers"]);
    assert_eq!(of("short line", "no line").overridden, ["components.api.line"]);
    let pair = of("three workers", "short line");
    assert!(pair.overridden.is_empty() && pair.variant.replicas == 5);
    let [base, both] = ["baseline", "pair"].map(|name| plain(&same, name, RANKED_BY, 5));
    let expected = paired(&both, &base);
    assert_eq!((pair.saved.mean, pair.saved.ci95), (expected.mean, expected.ci95.into()));
    assert!(pairs.pairs.windows(2).all(|two| two[0].saved.mean >= two[1].saved.mean));
    assert_eq!(pairs.beyond_single.as_ref().unwrap().variant, "many workers");
    let twice = EXPERIMENT.replace(
        "  reviews:",
        "  no line either: {is: corrective, remove: [components.api.line]}\n  reviews:",
    );
    let pairs = study(&twice).table.pairs.unwrap();
    assert_eq!(pairs.conflicts.len(), 1, "{:?}", pairs.conflicts);
    assert_eq!(pairs.conflicts[0].of, ["no line", "no line either"]);
    assert!(pairs.conflicts[0].why.contains("patches what does not exist"));
}

#[test]
fn a_break_even_lies_where_the_straight_line_between_two_points_crosses() {
    let (result, same) = (study(EXPERIMENT), study(PLAIN));
    let found = &result.table.break_evens[0];
    let of = |name: &str| plain(&same, name, RANKED_BY, 9);
    let against = of("three workers");
    let mean = |name: &str| paired(&against, &of(name)).mean;
    let (never, half, always) = (mean("never"), mean("half"), mean("always"));
    let said: Vec<(&str, f64)> =
        found.points.iter().map(|p| (p.value.as_str(), p.difference)).collect();
    assert_eq!(said, [("0%", never), ("50%", half), ("100%", always)]);
    assert!(never < 0.0 && always > 0.0, "the test needs a crossing: {found:?}");
    let (from, below, above) = if half < 0.0 { (0.5, half, always) } else { (0.0, never, half) };
    let expected = from + 0.5 * below / (below - above);
    assert_eq!((found.outcome, found.better), (Outcome::Within, Some(Beside::Below)));
    assert!((found.value.unwrap() - expected).abs() < 1e-12, "{found:?} {expected}");
    let [low, high] = found.ci95.map(|end| end.unwrap_or(f64::NAN));
    assert!(!(low > expected || high < expected), "{found:?}");
    assert!(found.says.contains("does better below it"), "{}", found.says);
    assert_eq!((found.replicas, found.unit.as_str()), (9, "min"));
}

#[test]
fn inputs_may_change_together_along_an_axis_of_their_own_and_the_best_is_the_default() {
    let several = EXPERIMENT.replace(
        "    over: {changes.slowness.chance: [100%, 0%, 50%]}\n    against: three workers\n",
        "    axis: {parts left: [100%, 0%]}
    over:
      changes.slowness.chance: [100%, 0%]
      changes.slowness.what.slow.by: [6x, 2x]\n",
    );
    let found = &study(&several).table.break_evens[0];
    assert_eq!((found.input.as_str(), found.against.as_str()), ("parts left", "many workers"));
    assert_eq!(found.points.iter().map(|p| p.number).collect::<Vec<_>>(), [0.0, 1.0]);
}

#[test]
fn what_the_study_says_about_measures_does_not_depend_on_threads() {
    let checked = check_text(MODEL, EXPERIMENT).unwrap();
    let json = |threads| {
        let options = Options { threads: Some(threads), ..Options::default() };
        serde_json::to_string(&run(&checked, &options, &|_, _| {}).table).unwrap()
    };
    assert_eq!(json(1), json(3));
}

#[test]
fn progress_counts_every_run_once_with_those_of_the_best_pair() {
    let checked = check_text(MODEL, EXPERIMENT).unwrap();
    let (calls, most, all) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let options = Options { replicas: Some(2), ..Options::default() };
    let _ = run(&checked, &options, &|done, total| {
        calls.fetch_add(1, Ordering::Relaxed);
        most.fetch_max(done, Ordering::Relaxed);
        all.fetch_max(total, Ordering::Relaxed);
    });
    // Nine variants, seven in normal operation, six pairs, three points, the best pair.
    let expected = 2 * (9 + 7 + 6 + 3 + 1);
    let found = [calls, most, all].map(AtomicUsize::into_inner);
    assert_eq!(found, [expected; 3]);
}

#[test]
fn a_study_without_the_words_says_nothing_about_measures() {
    let table: Table = study(PLAIN).table;
    assert!(table.ranking.is_none() && table.pairs.is_none() && table.prices.is_none());
    assert!(table.break_evens.is_empty());
}

#[test]
fn an_assumed_measure_without_break_even_and_an_incident_in_normal_operation_are_cautioned() {
    let start = EXPERIMENT.find("break_even:").unwrap();
    let end = EXPERIMENT.find("expect:").unwrap();
    let text = format!("{}{}", &EXPERIMENT[..start], &EXPERIMENT[end..])
        .replace("  remove: [changes.slowness]\n", "  set: {changes.slowness.at: 9min}\n")
        .replace("  no slowness: {is: link, remove: [changes.slowness]}\n", "");
    let cautions = study(&text).table.cautions;
    for expected in ["The effect of `reviews` is assumed", "incident in normal operation, too"] {
        assert!(cautions.iter().any(|c| c.contains(expected)), "{expected}: {cautions:?}");
    }
    let good = study(EXPERIMENT).table.cautions;
    assert!(!good.iter().any(|c| c.contains("assumed") || c.contains("normal operation")));
}

#[test]
fn normal_passes_over_what_a_variant_has_removed_itself_and_nothing_else() {
    let removing =
        EXPERIMENT.replace("  no slowness: {is: link,", "  no slowness: {is: corrective,");
    assert!(check_text(MODEL, &removing).is_ok());
    let setting = removing.replace(
        "  remove: [changes.slowness]\n  rep",
        "  set: {changes.slowness.at: 9min}\n  rep",
    );
    let text = problems_of(&setting);
    assert!(text.contains("in normal operation with `no slowness`: patches what"), "{text}");
    let help = "change `normal` or `no slowness`, so that both can be applied";
    assert!(text.contains(help), "{text}");
}

#[test]
fn mistakes_in_what_is_said_about_measures_are_explained() {
    let text = problems_of(
        "
question: what?
model: tiny.yaml
variants:
  one: {is: corrective, set: {components.api.workers: 3}}
  hope: {is: corrective, assumed: yes, set: {changes.slowness.chance: 50%}}
  other hope: {assumed: yes, all_of: [hope]}
normal: {remove: [changes.slownes], measures: [latencyp50], replicas: 0}
pairs: {}
break_even:
  - {variant: one, over: {components.api.workers: [2, 3]}}
  - {variant: hop, over: {components.api.workers: [2, 3]}}
  - {variant: hope, over: {components.api.workers: [2, 3]}, against: hope}
  - {variant: hope, over: {components.api.workers: [2, 3]}, against: other hope}
  - {variant: hope, over: {components.api.workers: [2, 3]}, measure: lost}
  - {variant: hope, over: {components.api.workers: [2]}}
  - {variant: hope, over: {components.api.workers: [2, 2]}}
  - {variant: hope, over: {components.api.line: [unlimited, {capacity: 3}]}}
  - {variant: hope, over: {components.api.workers: [2, 3], changes.slowness.chance: [1%]}}
  - {variant: hope, over: {}}
expect:
  - {claim: a, said_by: nobody, mean: {of: user_outage, above: 1min}}
",
    );
    for expected in [
        "no `slownes` under `changes`",
        "0 replicas are not between",
        "`pairs` needs two corrective measures, and there are 1",
        "`one` is not assumed: its effect is simulated",
        "unknown variant `hop`",
        "cannot break even with itself",
        "the effect of `other hope` is assumed, too",
        "unknown measure `lost`",
        "between 1 points",
        "are not different quantities of one kind",
        "`changes.slowness.chance` has 1 values, and `components.api.workers` has 2",
        "this break-even has no input",
        "nobody",
    ] {
        assert!(text.contains(expected), "{expected}:\n{text}");
    }
    let nothing = "{question: what?, model: tiny.yaml, normal: {replicas: 3}}";
    assert!(problems_of(nothing).contains("`normal` changes nothing"));
    let none = "{question: what?, model: tiny.yaml, normal: {remove: [changes.slowness]}}";
    assert!(problems_of(none).contains("no corrective variant that could have a price"));
    let measure = EXPERIMENT.replace("latency_p50, util", "latencyp50, util");
    assert!(problems_of(&measure).contains("did you mean `latency_p50`?"));
    let alone = "{question: what?, model: tiny.yaml,
      variants: {hope: {assumed: yes, set: {changes.slowness.chance: 50%}}},
      break_even: [{variant: hope, over: {changes.slowness.chance: [0%, 50%]}}]}";
    assert!(problems_of(alone).contains("no corrective measure to compare it with"));
}
