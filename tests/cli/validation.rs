//! `validate`: exit codes, bad input, and a judge that cannot be bribed.

use super::folder::{Folder, Ran};
use outagelab::text::{Sources, plain};
use outagelab::validate::expected::Rule;
use outagelab::validate::judge::shown;
use outagelab::validate::page::fingerprint;
use outagelab::validate::{Size, Suite};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const CASES: &str = "experiments/validation";

/// A folder with some of the cases and what they need.
fn folder_with(cases: &[&str]) -> Folder {
    let folder = Folder::new();
    for part in ["experiments", "models"] {
        std::fs::create_dir_all(folder.path(&format!("{part}/validation"))).unwrap();
    }
    let mut names: Vec<String> = cases.iter().map(|id| format!("{CASES}/{id}.yaml")).collect();
    names.extend(
        ["models/validation/station.yaml", "experiments/validation/expected.json"]
            .map(str::to_owned),
    );
    for name in names {
        folder.write(&name, std::fs::read(Path::new(ROOT).join(&name)).unwrap());
    }
    folder
}

fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_of_json_has_exactly_the_promised_words_and_does_not_depend_on_threads() {
    let folder = folder_with(&["P14a"]);
    let run = |threads| {
        folder.run(&["validate", "p14a", "--quick", "--json", "--threads", threads]).good()
    };
    let one = run("1");
    assert_eq!(one, run("3"));
    let lines = lines(&one);
    assert_eq!(lines.len(), 1);
    let words: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
    let promised = ["case", "quantity", "expected", "found", "ci999", "verdict", "reason"];
    assert_eq!(words, promised);
    assert_eq!(lines[0]["verdict"], "pass");
    assert!(lines[0]["ci999"][0].as_f64() < lines[0]["found"].as_f64());
}

#[test]
fn swapped_expectations_make_both_cases_fail() {
    let folder = folder_with(&["T03a", "T03e"]);
    let path = format!("{CASES}/expected.json");
    let mut expected: Value = serde_json::from_str(&folder.read(&path)).unwrap();
    let all = expected["cases"].as_array_mut().unwrap();
    let place = |id: &str| all.iter().position(|case| case["id"] == id).unwrap();
    let (a, b) = (place("T03a"), place("T03e"));
    let (first, second) = (all[a]["expected"].take(), all[b]["expected"].take());
    (all[a]["expected"], all[b]["expected"]) = (second, first);
    folder.write(&path, expected.to_string());
    let ran = folder.run(&["validate", "T03a", "T03e", "--quick", "--json"]);
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    for id in ["T03a", "T03e"] {
        for quantity in ["P_block", "throughput", "L", "W_accepted"] {
            let is_it = |l: &Value| l["case"] == id && l["quantity"] == quantity;
            let line = lines(&ran.out).into_iter().find(is_it).unwrap();
            assert_eq!(line["verdict"], "fail", "{line}");
            assert!(line["reason"].as_str().unwrap().contains("missed twice"), "{line}");
        }
    }
}

#[test]
fn an_unknown_case_is_answered_with_the_one_that_was_meant_and_all_others() {
    let folder = folder_with(&["P14a"]);
    let said = folder.run(&["validate", "P14aa"]).bad();
    assert!(said.contains("did you mean `P14a`?"), "{said}");
    let said = folder.run(&["validate", "NOSUCH"]).bad();
    assert!(said.contains("T01a, ") && said.contains(", P15"), "{said}");
}

#[test]
fn a_broken_case_is_named_with_the_place_of_everything_that_is_wrong() {
    let folder = folder_with(&["P14a"]);
    let path = format!("{CASES}/P14a.yaml");
    let text = folder.read(&path);
    let broken = text.replace("Wq: wait.mean", "Wq: wait.meen * nosuch(1)\n  Wqq: fifo:wait.mean");
    folder.write(&path, broken.replace("125ms", "125 apples"));
    let said = folder.run(&["validate"]).bad();
    assert!(said.contains("P14a.yaml:9") && said.contains("apples"), "{said}");
    assert!(said.contains("unknown function `nosuch`"), "{said}");
    folder.write(&path, text.replace("Wq: wait.mean", "Wq: wait.meen\n  W: 2 + 2"));
    let said = folder.run(&["validate"]).bad();
    assert!(said.contains("did you mean `wait.mean`?"), "{said}");
    assert!(said.contains("reads no measure"), "{said}");
    folder.write(&path, text.replace("Wq:", "Wqq:"));
    let said = folder.run(&["validate"]).bad();
    assert!(said.contains("unknown quantity `Wqq`") && said.contains("`Wq`"), "{said}");
}

#[test]
fn a_folder_without_cases_is_refused() {
    let said = Folder::new().run(&["validate"]).bad();
    assert!(said.contains("expected.json") && said.contains("--cases"), "{said}");
}

#[test]
fn a_case_without_a_file_is_not_compared() {
    let folder = folder_with(&[]);
    let out = folder.run(&["validate", "P14a", "--json"]).good();
    assert_eq!(lines(&out)[0]["verdict"], "not_comparable");
    assert_eq!(lines(&out)[0]["reason"], "no case file");
}

/// The suite of the repository, as the program reads it.
fn suite() -> Suite {
    let folder = Path::new(ROOT).join(CASES);
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        entries.filter(|p| p.extension().is_some_and(|e| e == "yaml")).collect();
    paths.sort();
    let files: Vec<(String, String)> =
        paths.iter().map(|path| (path.display().to_string(), text(path))).collect();
    let mut read = |path: &str| std::fs::read_to_string(path).map_err(|error| error.to_string());
    let expected = text(&folder.join("expected.json"));
    let mut sources = Sources::default();
    Suite::read(&mut sources, ("expected.json", &expected), &files, &mut read)
        .unwrap_or_else(|problems| panic!("{}", plain(&problems, &sources)))
}

#[test]
fn every_case_has_a_file_and_every_quantity_an_expression_or_a_reason() {
    let suite = suite();
    assert_eq!(suite.expected.cases.len(), 80);
    let mut missing = Vec::new();
    for (known, case) in suite.chosen(Size::Full, &[]) {
        let Some(case) = case else {
            missing.push(known.id.clone());
            continue;
        };
        for (name, target) in &known.quantities {
            let has = case.quantities.iter().any(|quantity| quantity.name.value == *name);
            if !has && !matches!(target.rule, Rule::Skip { .. }) {
                missing.push(format!("{} {name}", known.id));
            }
        }
    }
    assert!(missing.is_empty(), "nothing in {CASES} for {missing:?}");
}

#[test]
fn the_page_is_that_of_the_cases() {
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/validation.md")).unwrap();
    let suite = suite();
    let help = "run `outagelab validate --write-docs docs/validation.md`";
    assert!(page.contains(&fingerprint(&suite)), "docs/validation.md is stale: {help}");
    for known in &suite.expected.cases {
        assert!(page.contains(&format!("\n### {}: ", known.id)), "{}: {help}", known.id);
        for (name, target) in &known.quantities {
            let row = format!("\n| {name} | {} |", shown(target.expected()));
            assert!(page.contains(&row), "{} {name}: {help}", known.id);
        }
    }
}

#[test]
fn the_quick_cases_agree() {
    let command = ["validate", "--quick", "--json"];
    let mut program = Command::new(env!("CARGO_BIN_EXE_outagelab"));
    let ran = Ran::of(program.args(command).current_dir(ROOT).output().unwrap());
    let lines = lines(&ran.out);
    let failed: Vec<&Value> = lines.iter().filter(|line| line["verdict"] == "fail").collect();
    assert!(failed.is_empty() && ran.code == Some(0), "{failed:#?}{}", ran.err);
    assert!(lines.len() >= 30, "{} quantities are not much", lines.len());
}
