//! The verbs when all is well.

use super::folder::{Folder, MODEL};
use serde_json::Value;
use std::process::Stdio;

#[test]
fn new_files_are_right_run_and_answer_their_question() {
    let folder = Folder::new();
    let text = folder.run(&["new", "shop"]).good();
    assert!(text.contains("outagelab run shop.yaml"), "{text}");
    assert_eq!(folder.files(), ["shop.experiment.yaml", "shop.yaml"]);
    folder.run(&["check", "shop.yaml", "shop.experiment.yaml"]).good();
    folder.run(&["run", "shop.yaml"]).good();
    folder.run(&["study", "shop.experiment.yaml", "--smoke"]).good();
    assert!(folder.path("output/shop.experiment/figures/timeline.svg").exists());
}

#[test]
fn new_files_go_into_the_folders_for_models_and_experiments_where_there_are_some() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("models")).unwrap();
    std::fs::create_dir(folder.path("experiments")).unwrap();
    folder.run(&["new", "shop"]).good();
    assert_eq!(folder.files(), ["experiments/shop.yaml", "models/shop.yaml"]);
    folder.run(&["check", "models/shop.yaml", "experiments/shop.yaml"]).good();
    let lists = folder.run(&["list"]).good();
    assert!(lists.contains("models/shop.yaml") && lists.contains("experiments/shop.yaml"));
}

#[test]
fn new_overwrites_nothing_unless_forced_and_takes_only_plain_names() {
    let folder = Folder::new();
    folder.write("shop.experiment.yaml", "mine");
    let message = folder.run(&["new", "shop"]).bad();
    assert!(message.contains("shop.experiment.yaml is there already"), "{message}");
    assert_eq!(folder.files(), ["shop.experiment.yaml"]);
    assert_eq!(folder.read("shop.experiment.yaml"), "mine");
    folder.run(&["new", "shop", "--force"]).good();
    assert!(folder.read("shop.experiment.yaml").contains("shop.yaml"));
    for name in ["../shop", "a b", "", ".shop", "a/b", "a:b"] {
        folder.run(&["new", name]).bad();
    }
    assert_eq!(folder.files(), ["shop.experiment.yaml", "shop.yaml"]);
}

#[test]
fn a_run_is_told_as_a_story_with_times_and_the_same_one_again() {
    let folder = Folder::with_files();
    let args = ["run", "model.yaml", "--set", "components.database.connections=1"];
    let text = folder.run(&args).good();
    assert!(text.starts_with("a small system\nseed 1, replica 0\n"), "{text}");
    let begins =
        "  0:02:00              change  `slowness` begins: database: work takes 3 times longer";
    assert!(text.contains(begins), "{text}");
    assert!(text.contains("0:03:00              change  `slowness` ends"), "{text}");
    assert!(text.contains("run     the run ends at its horizon"), "{text}");
    assert_eq!(text, folder.run(&args).good());
    let other = folder.run(&[&args[..], &["--replica", "1"]].concat()).good();
    assert_ne!(text, other);
}

#[test]
fn a_run_as_json_has_the_story_and_the_numbers() {
    let folder = Folder::with_files();
    let text = folder.run(&["run", "model.yaml", "--json", "--seed", "5"]).good();
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&json["seed"], &json["ending"]), (&5.into(), &"horizon".into()));
    assert_eq!(json["story"][0]["at_seconds"], 120.0);
    assert_eq!(json["story"][0]["kind"], "change");
    let requests = json["summary"]["clients"][0]["requests"].as_u64().unwrap();
    assert!((400..800).contains(&requests), "{requests}");
    let measures = json["summary"]["measures"].as_array().unwrap();
    assert!(measures.iter().any(|m| m["name"] == "user_outage" && m["value"] == 0.0));
}

#[test]
fn the_alert_is_the_origin_of_times_in_the_story() {
    let folder = Folder::new();
    let model = MODEL
        .replace("slow: {component: database, by: 3x}", "crash: {component: database}")
        .replace("lasts: 1min", "lasts: 4min")
        .replace("horizon: 10min", "horizon: 10min\nclock_at_alert: 23:59 UTC");
    folder.write("model.yaml", model);
    let text = folder.run(&["run", "model.yaml"]).good();
    assert!(text.contains("23:59:00  T+0         alert   the alert `errors` fires"), "{text}");
    assert!(text.contains("api.errors / api.requests is"), "{text}");
    assert!(text.contains("users suffer: "), "{text}");
    assert!(text.contains("\n 00:0"), "times of day go on after midnight: {text}");
}

#[test]
fn words_are_explained_by_themselves_and_by_their_place() {
    let folder = Folder::new();
    let explain = |word: &str| folder.run(&["explain", word]).good();
    assert!(explain("retry").contains("a mitigation"));
    assert!(explain("server").contains("a kind of component"));
    assert!(explain("lognormal").contains("Skewed to the right"));
    assert!(explain("user_outage").contains("a measure"));
    assert!(explain("components.api.line.capacity").contains("a request that finds it full"));
    assert!(explain("variants").contains("experiment files"));
    assert!(explain("timeline").contains("a plot"));
}

#[test]
fn schemas_are_json_and_of_both_kinds() {
    let folder = Folder::new();
    let schema = |kind: &str| -> Value {
        serde_json::from_str(&folder.run(&["schema", kind]).good()).unwrap()
    };
    assert!(schema("model")["properties"]["components"].is_object());
    assert!(schema("experiment")["properties"]["variants"].is_object());
    folder.run(&["schema", "report"]).bad();
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let folder = Folder::new();
    for args in [&["list"][..], &["schema"], &["explain", "mean"]] {
        let mut program = folder.program(args);
        let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{args:?}");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn results_that_cannot_be_printed_are_an_error() {
    let folder = Folder::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = folder.program(&["list"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be printed"));
}

#[test]
fn every_verb_has_help_with_its_options() {
    let folder = Folder::new();
    let help = folder.run(&["--help"]).good();
    for verb in ["new", "run", "study", "check", "explain", "list", "schema"] {
        assert!(help.contains(&format!("  {verb} ")), "{verb}: {help}");
        assert!(folder.run(&[verb, "--help"]).good().contains("Usage: outagelab"));
    }
    let study = folder.run(&["study", "--help"]).good();
    for option in "--replicas --seed --threads --out --smoke --json --quiet".split(' ') {
        assert!(study.contains(option), "{option}");
    }
    assert_eq!(
        folder.run(&["--version"]).good(),
        concat!("outagelab ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn a_run_is_verified_by_a_second_one() {
    let folder = Folder::with_files();
    let text = folder.run(&["run", "model.yaml", "--verify"]).good();
    assert!(text.starts_with("two runs of ") && text.contains("the same; fingerprint"), "{text}");
    let json = folder.run(&["run", "model.yaml", "--verify", "--json"]).good();
    let said: Value = serde_json::from_str(&json).unwrap();
    let run: Value =
        serde_json::from_str(&folder.run(&["run", "model.yaml", "--json"]).good()).unwrap();
    assert_eq!(said["same"], true);
    assert_eq!(said["fingerprint"], run["fingerprint"]);
}

/// An experiment whose replicas draw an input.
const DRAWN: &str = "\
question: Does it matter?
model: model.yaml
seed: 9
replicas: {baseline: 3, others: 3}
uncertain: {components.database.endpoints.query.0.work: {uniform: [20ms, 60ms]}}
variants:
  one connection: {about: Only one query at a time., set: {components.database.connections: 1}}
  same: {set: {name: another name}}
";

#[test]
fn a_replica_of_an_experiment_is_run_with_its_seed_and_its_draws() {
    let folder = Folder::with_files();
    folder.write("drawn.yaml", DRAWN);
    let run = |args: &[&str]| -> Value {
        let args = [&["run", "drawn.yaml", "--json"], args].concat();
        serde_json::from_str(&folder.run(&args).good()).unwrap()
    };
    let baseline = run(&[]);
    assert_eq!(baseline["seed"], 9);
    let variant = run(&["--variant", "one connection"]);
    assert_eq!(variant["variant"], "one connection");
    assert_ne!(variant["fingerprint"], baseline["fingerprint"]);
    assert_eq!(run(&["--variant", "baseline"])["fingerprint"], baseline["fingerprint"]);
    let drawn =
        |replica| run(&["--replica", replica, "--set", "changes={}"])["fingerprint"].clone();
    assert_ne!(drawn("0"), drawn("1"));
    // The model alone, with the same seed, has other draws: none.
    let args = ["run", "model.yaml", "--json", "--seed", "9"];
    let model: Value = serde_json::from_str(&folder.run(&args).good()).unwrap();
    assert_ne!(model["fingerprint"], baseline["fingerprint"]);
}

#[test]
fn two_runs_beside_each_other_say_where_they_part_and_the_same_again() {
    let folder = Folder::with_files();
    folder.write("drawn.yaml", DRAWN);
    let args = ["run", "drawn.yaml", "--variant", "one connection", "--diff"];
    let text = folder.run(&args).good();
    for part in [
        "a small system: as it is, and changed\nseed 9, replica 0, with the same luck in both\n",
        "Changed: `one connection`: Only one query at a time.",
        "\nfirst event   number ",
        "\nfirst line    ",
        "\nfirst minute  ",
        "\nIn short, as it is\n",
        "\nIn short, one connection\n",
        "measure",
        "difference",
    ] {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
    assert_eq!(text, folder.run(&args).good());
    let json = folder.run(&[&args[..], &["--json"]].concat()).good();
    let said: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&said["same"], &said["second"]["name"]), (&false.into(), &"one connection".into()));
    assert!(said["first_event"]["event"].as_u64().unwrap() > 0);
    let alone = ["run", "drawn.yaml", "--variant", "one connection", "--json"];
    let alone: Value = serde_json::from_str(&folder.run(&alone).good()).unwrap();
    assert_eq!(said["second"]["fingerprint"], alone["fingerprint"]);
}

#[test]
fn a_model_is_compared_with_itself_set_otherwise() {
    let folder = Folder::with_files();
    let set = "changes.slowness.what.slow.by=300x";
    let text = folder.run(&["run", "model.yaml", "--set", set, "--diff"]).good();
    assert!(text.contains(&format!("Changed: --set {set}\n")), "{text}");
    assert!(text.contains("\n~  0:02:00 "), "the change is told otherwise: {text}");
    assert!(text.contains("\n+  0:0"), "the users suffer only with it: {text}");
    assert!(text.contains("(`changed`: then too: `slowness` begins: database: work takes 300"));
}

#[test]
fn runs_that_never_part_are_said_to_be_the_same() {
    let folder = Folder::with_files();
    folder.write("drawn.yaml", DRAWN);
    let args = ["run", "drawn.yaml", "--variant", "same", "--diff"];
    let text = folder.run(&args).good();
    assert!(text.contains("none: the two runs never part, in "), "{text}");
    assert!(text.contains("none: the two stories are the same"), "{text}");
    assert!(!text.contains("The two stories from there on"), "{text}");
    let json = folder.run(&[&args[..], &["--json"]].concat()).good();
    let said: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(said["same"], true);
    assert!(said["first_event"].is_null() && said["first_line"].is_null());
}
