//! What bad input gets: file, line, column, excerpt, what is wrong, what to write instead; exit
//! code 2; nothing written.

use super::folder::{EXPERIMENT, Folder, MODEL};

/// Checks the model with `right` replaced by `wrong`; every one of `said` must be in the message.
#[track_caller]
fn refused(right: &str, wrong: &str, said: &[&str]) {
    assert!(MODEL.contains(right), "`{right}` is not in the model");
    let folder = Folder::new();
    folder.write("model.yaml", MODEL.replacen(right, wrong, 1));
    for args in [&["check", "model.yaml"], &["run", "model.yaml"]] {
        let message = folder.run(args).bad();
        for part in said {
            assert!(message.contains(part), "no `{part}` in:\n{message}");
        }
        assert!(message.contains("^"), "no excerpt in:\n{message}");
    }
    assert_eq!(folder.files(), ["model.yaml"]);
}

#[test]
fn an_unknown_key_is_shown_where_it_stands_with_the_one_that_was_meant() {
    let line = "  15 |     while_caling: hold\n     |     ^^^^^^^^^^^^\n";
    let said =
        ["model.yaml:15:5:", "unknown word `while_caling`", line, "did you mean `while_calling`?"];
    refused("while_calling", "while_caling", &said);
}

#[test]
fn an_unknown_component_in_a_call() {
    let said = ["model.yaml:19:17:", "unknown component `databse`", "did you mean `database`?"];
    refused("call: database.query", "call: databse.query", &said);
}

#[test]
fn a_missing_required_word() {
    refused("    workers: 4\n", "", &["model.yaml:12:3:", "`workers`", "write `workers: 8`"]);
    refused(
        "horizon: 10min\n",
        "",
        &["model.yaml:1:1:", "`horizon` is missing", "add `horizon: ...`"],
    );
}

#[test]
fn a_number_without_a_unit_or_with_a_wrong_one() {
    let said = ["model.yaml:2:10:", "10 is a number without unit", "`250ms`"];
    refused("horizon: 10min", "horizon: 10", &said);
    let said = ["model.yaml:2:10:", "`10MiB` is not a length of time", "units: ns us ms s min h d"];
    refused("horizon: 10min", "horizon: 10MiB", &said);
}

#[test]
fn a_negative_or_absurd_quantity() {
    refused("at: 2min", "at: -2min", &["model.yaml:29:63:", "`-2min` is negative"]);
    refused("workers: 4", "workers: -4", &["model.yaml:14:14:", "cannot be negative"]);
    refused("horizon: 10min", "horizon: 90000h", &["model.yaml:2:10:", "longer than two years"]);
    refused("browse: 80%", "browse: 180%", &["model.yaml:8:24:", "not between 0% and 100%"]);
    refused("by: 3x", "by: 0x", &["model.yaml:29:53:", "not a multiple greater than 0"]);
}

#[test]
fn probabilities_that_do_not_add_up() {
    let said = ["model.yaml:8:15:", "add up to 90%", "must add up to 100%"];
    refused("browse: 80%", "browse: 70%", &said);
}

#[test]
fn a_circle_of_calls_that_never_ends_but_not_a_feedback_that_does() {
    let said = ["model.yaml:27:17:", "api.browse -> database.query -> api.browse", "help:"];
    refused("- work: 20ms", "- call: api.browse", &said);
    let folder = Folder::new();
    let feedback = "- choose: [{share: 30%, steps: [{call: api.buy}]}]";
    folder.write("model.yaml", MODEL.replace("- work: 20ms", feedback));
    folder.run(&["check", "model.yaml"]).good();
}

#[test]
fn an_alert_on_an_unknown_signal() {
    let said = ["model.yaml:32:35:", "`api.erors` is an unknown signal", "did you mean `errors`?"];
    refused("api.errors", "api.erors", &said);
}

#[test]
fn all_problems_of_all_files_are_reported_in_one_go() {
    let folder = Folder::new();
    let broken = MODEL
        .replace("thinking: 1s", "thinking: 1")
        .replace("calls: api", "calls: apy")
        .replace("timeout: 5s", "tmeout: 5s")
        .replace("by: 3x", "by: 3");
    folder.write("a.yaml", broken);
    folder.write("b.yaml", "");
    folder.write("good.yaml", MODEL);
    let ran = folder.run(&["check", "a.yaml", "b.yaml", "good.yaml"]);
    assert_eq!(ran.out, "good.yaml: model, no problems\n");
    let message = ran.bad();
    for place in ["a.yaml:7:36:", "a.yaml:9:12:", "a.yaml:10:5:", "a.yaml:29:53:", "b.yaml:1:1:"] {
        assert!(message.contains(place), "no {place} in:\n{message}");
    }
    assert!(message.ends_with("5 problems\n"), "{message}");
}

/// Checks the experiment with a line added under `variants` or `expect`.
#[track_caller]
fn experiment_refused(right: &str, wrong: &str, said: &[&str]) {
    let folder = Folder::with_files();
    assert!(EXPERIMENT.contains(right));
    folder.write("experiment.yaml", EXPERIMENT.replacen(right, wrong, 1));
    for args in [&["check", "experiment.yaml"], &["study", "experiment.yaml"]] {
        let message = folder.run(args).bad();
        for part in said {
            assert!(message.contains(part), "no `{part}` in:\n{message}");
        }
    }
    assert_eq!(folder.files(), ["experiment.yaml", "model.yaml"]);
}

#[test]
fn a_variant_that_patches_what_does_not_exist() {
    let said = ["experiment.yaml:5:", "no `apy` under `components`", "did you mean `api`?"];
    experiment_refused("components.api.workers", "components.apy.workers", &said);
}

#[test]
fn a_variant_whose_model_is_wrong_is_shown_in_the_experiment() {
    let said = ["experiment.yaml:5:", "`lots` is not a whole number"];
    experiment_refused("workers: 1", "workers: lots", &said);
}

#[test]
fn a_claim_about_an_unknown_measure_or_in_a_wrong_unit() {
    let said =
        ["experiment.yaml:7:", "unknown measure `user_outge`", "did you mean `user_outage`?"];
    experiment_refused("of: user_outage", "of: user_outge", &said);
    experiment_refused("below: 5min", "below: 5MiB", &["experiment.yaml:7:", "5MiB"]);
}

#[test]
fn an_experiment_without_its_model() {
    let said = ["experiment.yaml:2:8:", "modell.yaml", "did you mean `model.yaml`?"];
    experiment_refused("model: model.yaml", "model: modell.yaml", &said);
}

#[test]
fn arguments_that_set_nothing_or_something_unknown_are_reported_together() {
    let folder = Folder::with_files();
    let args =
        ["run", "model.yaml", "--set", "x", "--set", "components.api.wrkers=3", "--set", "a=["];
    let message = folder.run(&args).bad();
    for part in ["`x` sets nothing", "did you mean `workers`?", "not YAML", "3 problems"] {
        assert!(message.contains(part), "no `{part}` in:\n{message}");
    }
}

#[test]
fn unknown_words_get_the_one_that_was_meant() {
    let folder = Folder::new();
    let message = folder.run(&["explain", "lognromal"]).bad();
    assert!(message.contains("did you mean `lognormal`?"), "{message}");
    let message = folder.run(&["list", "mitigatons"]).bad();
    assert!(message.contains("did you mean `mitigations`?"), "{message}");
    assert_eq!(folder.run(&["stduy"]).code, Some(2));
    assert_eq!(folder.run(&["run", "a.yaml", "--seed", "much"]).code, Some(2));
}

#[test]
fn variants_of_a_run_that_are_not_there_and_comparisons_with_nothing() {
    let folder = Folder::with_files();
    let refused = |args: &[&str], said: &[&str]| {
        let message = folder.run(&[&["run"], args].concat()).bad();
        for part in said {
            assert!(message.contains(part), "no `{part}` in:\n{message}");
        }
    };
    let said = ["--variant:1:1:", "unknown variant `one wroker`", "did you mean `one worker`?"];
    refused(&["experiment.yaml", "--variant", "one wroker"], &said);
    refused(&["experiment.yaml", "--variant", "one wroker", "--diff"], &said);
    let said = ["model.yaml is a model, and a model has no variants", "give the experiment"];
    refused(&["model.yaml", "--variant", "one worker"], &said);
    let said = ["`--diff` compares with a change, and nothing is changed", "`one worker`"];
    refused(&["experiment.yaml", "--diff"], &said);
    refused(&["experiment.yaml", "--variant", "baseline", "--diff"], &said[..1]);
    refused(&["model.yaml", "--diff"], &["nothing is changed", "add `--set PATH=VALUE`"]);
    refused(
        &["model.yaml", "--diff", "--verify", "--set", "horizon=1min"],
        &["cannot be used with"],
    );
    assert_eq!(folder.files(), ["experiment.yaml", "model.yaml"]);
}
