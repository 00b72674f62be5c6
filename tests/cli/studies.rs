//! Studies: exit codes, files, threads, interruptions.

use super::folder::{EXPERIMENT, Folder, MODEL};
use serde_json::Value;

/// What a study writes in which no alert fires (there is no timeline then).
const FILES: [&str; 9] = [
    "figures/comparison.png",
    "figures/comparison.svg",
    "figures/distributions.png",
    "figures/distributions.svg",
    "provenance.json",
    "replicas.csv",
    "report.html",
    "results.json",
    "table.csv",
];

#[test]
fn a_study_writes_its_files_and_ends_with_0_when_its_claims_hold() {
    let folder = Folder::with_files();
    let ran = folder.run(&["study", "experiment.yaml"]);
    assert!(ran.err.contains("results are in output/experiment"), "{}", ran.err);
    let text = ran.good();
    assert!(text.contains("Does a slow database matter?"), "{text}");
    assert!(text.contains("one worker") && text.contains("holds   it is no outage"), "{text}");
    let mut expected: Vec<String> =
        FILES.iter().map(|file| format!("output/experiment/{file}")).collect();
    expected.extend(["experiment.yaml", "model.yaml"].map(str::to_owned));
    expected.sort();
    assert_eq!(folder.files(), expected);
    assert!(folder.read("output/experiment/report.html").contains("Does a slow database matter?"));
    let rows = folder.read("output/experiment/replicas.csv");
    assert_eq!(rows.lines().count(), 1 + 16, "{rows}");
}

#[test]
fn a_study_ends_with_1_when_a_claim_fails_and_writes_its_files_all_the_same() {
    let folder = Folder::with_files();
    folder.write("experiment.yaml", EXPERIMENT.replace("below: 5min", "above: 5min"));
    let ran = folder.run(&["study", "experiment.yaml", "--quiet"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    assert!(ran.out.contains("FAILED  it is no outage"), "{}", ran.out);
    assert!(folder.path("output/experiment/report.html").exists());
}

#[test]
fn results_are_the_same_for_any_number_of_threads_and_for_the_same_seed_again() {
    let folder = Folder::with_files();
    let run = |threads: &str, seed: &str| {
        let args = ["study", "experiment.yaml", "--json", "--quiet"];
        let more = ["--threads", threads, "--seed", seed, "--out", "out"];
        let text = folder.run(&[&args[..], &more].concat()).good();
        assert_eq!(text, folder.read("out/results.json"));
        text
    };
    let one = run("1", "7");
    assert_eq!(one, run("2", "7"));
    assert_ne!(one, run("2", "8"));
    let json: Value = serde_json::from_str(&one).unwrap();
    assert_eq!(json["seed"], 7);
    assert_eq!(json["variants"][0]["name"], "baseline");
    assert_eq!(json["claims"][0]["holds"], true);
    assert!(json["variants"][1]["differences"]["user_outage"]["ci95"].is_array());
    let command = "outagelab study experiment.yaml --seed 8";
    let provenance: Value = serde_json::from_str(&folder.read("out/provenance.json")).unwrap();
    assert_eq!(provenance["command"], command);
}

#[test]
fn numbers_of_replicas_come_from_the_file_or_the_arguments() {
    let folder = Folder::with_files();
    let replicas = |more: &[&str]| {
        let args = [&["study", "experiment.yaml", "--json", "--quiet"], more].concat();
        let json: Value = serde_json::from_str(&folder.run(&args).good()).unwrap();
        let of = |index: usize| json["variants"][index]["replicas"].as_u64().unwrap();
        (of(0), of(1))
    };
    assert_eq!(replicas(&[]), (8, 8));
    assert_eq!(replicas(&["--replicas", "3"]), (3, 3));
    assert_eq!(replicas(&["--smoke"]), (20, 5));
    assert_eq!(folder.run(&["study", "experiment.yaml", "--replicas", "0"]).code, Some(2));
}

/// What is said about corrective measures, after the small experiment.
const MEASURES: &str =
    "  - {claim: one worker is enough, said_by: postmortem, mean: {of: user_outage, above: 60min}}
normal: {about: no slowness, remove: [changes.slowness], replicas: 3}
pairs: {replicas: 4}
break_even:
  - {variant: luck, over: {changes.slowness.chance: [0%, 100%]}, against: eight workers}
";

#[test]
fn corrective_measures_are_ranked_priced_and_written_and_the_postmortem_may_be_wrong() {
    let folder = Folder::with_files();
    let variants = "variants:
  eight workers: {is: corrective, set: {components.api.workers: 8}}
  three workers: {is: corrective, set: {components.api.workers: 3}}
  luck: {is: corrective, assumed: yes, set: {changes.slowness.chance: 50%}}
  no slowness: {is: link, remove: [changes.slowness]}
";
    let text = EXPERIMENT.replace("variants:\n", variants);
    folder.write("experiment.yaml", format!("{text}{MEASURES}"));
    // The postmortem is wrong, and the study does not fail.
    let text = folder.run(&["study", "experiment.yaml"]).good();
    for expected in [
        "CORRECTIVE MEASURES",
        "LINKS OF THE CHAIN, SWITCHED OFF",
        "WHAT IF",
        "Corrective measures by the user-minutes that they save",
        "eight workers + three workers",
        "Price of the measures in normal operation: no slowness",
        "How good the assumed measures must be",
        "NOT SUPPORTED  one worker is enough",
        "holds   it is no outage",
    ] {
        assert!(text.contains(expected), "{expected}:\n{text}");
    }
    let json: Value = serde_json::from_str(&folder.read("output/experiment/results.json")).unwrap();
    let names = |key: &str, list: &str| -> Vec<String> {
        let list = json[key][list].as_array().unwrap().iter();
        list.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("ranking", "measures").len(), 3);
    assert_eq!(names("pairs", "pairs"), ["eight workers + three workers"]);
    assert_eq!(names("prices", "variants").len(), 5);
    assert_eq!(json["claims"][1]["said_by"], "postmortem");
    assert_eq!(json["break_evens"][0]["against"], "eight workers");
    let ranking = folder.read("output/experiment/ranking.csv");
    assert!(ranking.starts_with("measure,role,rank,rank_at_most,replicas,saved,"), "{ranking}");
    assert_eq!(ranking.lines().count(), 1 + 3 + 1);
    assert!(folder.read("output/experiment/prices.csv").starts_with("variant,measure,unit,n,"));
    let page = folder.read("output/experiment/report.html");
    for expected in ["id=\"ranking\"", "id=\"statements\"", "does not support it"] {
        assert!(page.contains(expected), "{expected}");
    }
    // A later study without measures leaves none of their files behind.
    folder.write("experiment.yaml", EXPERIMENT);
    folder.run(&["study", "experiment.yaml"]).good();
    assert!(!folder.path("output/experiment/ranking.csv").exists());
}

#[test]
fn an_unwritable_folder_is_refused_before_anything_is_run() {
    let folder = Folder::with_files();
    // So long a study would not end within the test.
    let long = EXPERIMENT.replace("baseline: 8", "baseline: 1000000");
    folder.write("experiment.yaml", long);
    let message = folder.run(&["study", "experiment.yaml", "--out", "model.yaml/out"]).bad();
    assert!(message.contains("model.yaml/out: nothing can be written there"), "{message}");
    assert!(message.contains("--out"), "{message}");
    assert_eq!(folder.files(), ["experiment.yaml", "model.yaml"]);
    assert_eq!(folder.read("model.yaml"), MODEL);
}

#[test]
fn figures_of_an_earlier_study_do_not_stay_beside_the_new_ones() {
    let folder = Folder::with_files();
    folder.run(&["study", "experiment.yaml", "--replicas", "2"]).good();
    folder.write("experiment.yaml", format!("{EXPERIMENT}plots: [comparison]\n"));
    folder.run(&["study", "experiment.yaml", "--replicas", "2"]).good();
    let figures: Vec<String> =
        folder.files().into_iter().filter(|file| file.contains("figures")).collect();
    assert_eq!(figures.len(), 2, "{figures:?}");
    assert!(figures.iter().all(|file| file.contains("comparison")));
}

#[test]
#[cfg(unix)]
fn an_interruption_leaves_no_half_written_file_and_says_what_was_kept() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Command, Stdio};

    let folder = Folder::with_files();
    let long = EXPERIMENT.replace("baseline: 8", "baseline: 1000000");
    folder.write("experiment.yaml", long);
    let mut program = folder.program(&["study", "experiment.yaml"]);
    let mut child = program.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // It says how much there is to do once an interruption is prepared for.
    let mut talk = BufReader::new(child.stderr.take().unwrap());
    let mut first = String::new();
    talk.read_line(&mut first).unwrap();
    assert!(first.contains("runs"), "{first}");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let status = child.wait().unwrap();
    let mut rest = String::new();
    talk.read_to_string(&mut rest).unwrap();
    assert_eq!(status.code(), Some(130), "{rest}");
    assert!(rest.contains("interrupted; nothing was written"), "{rest}");
    assert_eq!(folder.files(), ["experiment.yaml", "model.yaml"]);
    assert!(!folder.path("output").exists());
}
