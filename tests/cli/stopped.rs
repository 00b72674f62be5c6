//! Runs that would never end or would need too much memory.

use super::folder::{Folder, MODEL};

/// A model whose database is far too slow: the line before it grows without bound.
fn flooded(stop: &str) -> Folder {
    let folder = Folder::new();
    let model = MODEL
        .replace("rate: 1/s", "rate: 2000/s")
        .replace("    timeout: 5s\n", "")
        .replace("horizon: 10min", &format!("horizon: 10h\nstop: {stop}"))
        .replace("work: 20ms", "work: 10s");
    folder.write("model.yaml", model);
    folder
}

#[test]
fn a_run_that_passes_its_memory_limit_is_stopped_and_names_the_line_that_grew() {
    let text = flooded("{memory: 20MiB}").run(&["run", "model.yaml"]).good();
    assert!(text.contains("the run is stopped: requests in flight need"), "{text}");
    assert!(text.contains("`stop.memory` allows 20MiB"), "{text}");
    assert!(text.contains("The line of api grew to"), "{text}");
}

#[test]
fn a_run_that_passes_its_limit_of_events_is_stopped_and_names_the_line_that_grew() {
    let folder = flooded("{events: 200000}");
    let text = folder.run(&["run", "model.yaml", "--json"]).good();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["ending"], "stopped");
    let why = json["stopped"].as_str().unwrap();
    assert!(why.contains("`stop.events` allows 200000") && why.contains("line of api"), "{why}");
}

#[test]
fn a_study_warns_of_runs_that_were_stopped() {
    let folder = flooded("{events: 100000}");
    folder
        .write("e.yaml", "question: why?\nmodel: model.yaml\nreplicas: {baseline: 2, others: 1}\n");
    let text = folder.run(&["study", "e.yaml"]).good();
    assert!(
        text.contains("Cautions") && text.contains("stopped") && text.contains("api"),
        "{text}"
    );
}
