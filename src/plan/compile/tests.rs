//! What good models mean, and what bad ones are told.

mod bad;
mod endless;
mod good;
mod plain;
mod response;

use super::load_and_compile;
use crate::plan::Plan;
use crate::text::{Problem, Sources};

/// The plan of a model, or all that is wrong with it as `line:column what (help)`.
fn load(text: &str) -> Result<Plan, Vec<String>> {
    let mut sources = Sources::default();
    let mut no_files = |path: &str| Err(format!("there is no file `{path}`"));
    let result = load_and_compile(&mut sources, "model.yaml", text, &[], 7, &mut no_files);
    result.map(|(_, _, plan)| plan).map_err(|problems| {
        assert!(!crate::text::plain(&problems, &sources).is_empty());
        problems.iter().map(|problem| shown(problem, &sources)).collect()
    })
}

fn shown(problem: &Problem, sources: &Sources) -> String {
    let place = problem.mark.map_or("-".to_owned(), |mark| {
        let (line, column) = sources.line_column(mark);
        format!("{line}:{column}")
    });
    let help = problem.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
    format!("{place} {}{help}", problem.what)
}

/// The plan of a model that must be sound.
fn good(text: &str) -> Plan {
    load(text).unwrap_or_else(|problems| panic!("{}", problems.join("\n")))
}

/// Asserts that exactly these problems are reported, in this order; each is given by its beginning.
#[track_caller]
fn bad(text: &str, expected: &[&str]) {
    let problems = load(text).err().unwrap_or_default();
    let same = problems.len() == expected.len()
        && problems.iter().zip(expected).all(|(problem, expected)| problem.starts_with(expected));
    assert!(same, "found:\n{}\nexpected:\n{}", problems.join("\n"), expected.join("\n"));
}

/// One client and one server, with further words for each.
fn simple(client: &str, server: &str, rest: &str) -> String {
    format!(
        "name: simple
horizon: 1h
clients:
  web:
    arrivals: {{poisson: {{rate: 10/s}}}}
    calls: api
    {client}
components:
  api:
    kind: server
    workers: 8
    endpoints: {{request: [work: 20ms]}}
    {server}
{rest}
"
    )
}
