//! `list`: what there is.

use super::lexicon::{self, Word};
use super::{Done, Verdict, input, measures, say};
use crate::component::preset::PRESETS;
use crate::mitigation::{BESIDES, ROSTER};
use crate::plot::PLOTS;
use crate::text::{Problem, Sources, read, suggest};
use std::path::Path;

/// List what there is: models, mitigations, changes, measures, ...
#[derive(clap::Args)]
pub struct Args {
    /// One list; all of them when left out.
    #[arg(value_name = "LIST")]
    topic: Option<String>,
}

/// A list: its name, what it holds, and where its rows come from.
struct Topic {
    word: &'static str,
    about: &'static str,
    rows: fn(&[Word]) -> Vec<Row>,
}

/// A word and one line about it.
type Row = (String, String);

const TOPICS: &[Topic] = &[
    Topic {
        word: "models",
        about: "models in the folder models/",
        rows: |_| files("models", "name"),
    },
    Topic {
        word: "experiments",
        about: "experiments in the folder experiments/",
        rows: |_| files("experiments", "question"),
    },
    Topic {
        word: "arrivals",
        about: "when requests and visits come",
        rows: |words| members(words, "Arrivals"),
    },
    Topic {
        word: "laws",
        about: "how times and other quantities vary",
        rows: |words| members(words, "Dist"),
    },
    Topic { word: "components", about: "kinds of component", rows: |_| presets() },
    Topic { word: "steps", about: "what an endpoint does", rows: |words| members(words, "Step") },
    Topic { word: "mitigations", about: "layers and their like", rows: |_| mitigations() },
    Topic {
        word: "changes",
        about: "what happens at a time",
        rows: |words| members(words, "What"),
    },
    Topic {
        word: "signals",
        about: "what alerts and evidence watch",
        rows: |words| members(words, "Signal"),
    },
    Topic {
        word: "causes",
        about: "what a hypothesis suspects",
        rows: |words| members(words, "Cause"),
    },
    Topic { word: "actions", about: "what people do", rows: |words| members(words, "Deed") },
    Topic { word: "statuses", about: "how a request ends", rows: |words| members(words, "Status") },
    Topic { word: "measures", about: "numbers of a run", rows: |_| measure_rows() },
    Topic { word: "plots", about: "figures of an experiment", rows: |_| plots() },
];

/// Prints one list, or all.
pub fn list(args: &Args) -> Verdict {
    let words = lexicon::words();
    let mut out = String::new();
    match &args.topic {
        Some(wanted) => {
            let topic = TOPICS.iter().find(|topic| topic.word == wanted);
            let topic = topic.ok_or_else(|| unknown(wanted))?;
            write_rows(&mut out, &(topic.rows)(&words), "");
        }
        None => {
            for topic in TOPICS {
                out.push_str(&format!("{}: {}\n", topic.word, topic.about));
                write_rows(&mut out, &(topic.rows)(&words), "  ");
                out.push('\n');
            }
            out.push_str("`outagelab explain WORD` says more about each.\n");
        }
    }
    say::print(&out)?;
    Ok(Done::Well)
}

fn unknown(wanted: &str) -> Problem {
    let known = TOPICS.iter().map(|topic| topic.word);
    let help = match suggest(wanted, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
    };
    Problem::new(format!("there is no list `{wanted}`")).help(help)
}

fn write_rows(out: &mut String, rows: &[Row], margin: &str) {
    let width = rows.iter().map(|(word, _)| word.chars().count()).max().unwrap_or(0);
    for (word, about) in rows {
        let line = format!("{margin}{word:<width$}  {about}");
        out.push_str(line.trim_end());
        out.push('\n');
    }
    if rows.is_empty() {
        out.push_str(&format!("{margin}(none here)\n"));
    }
}

fn members(words: &[Word], owner: &str) -> Vec<Row> {
    let members = lexicon::members(words, owner);
    members.iter().map(|word| (word.word.clone(), first_sentence(&word.doc))).collect()
}

/// The first sentence of a doc comment on one line, without its full stop.
fn first_sentence(doc: &str) -> String {
    let doc = doc.replace('\n', " ");
    let end = doc.find(". ").unwrap_or(doc.len());
    doc[..end].trim_end_matches(['.', ':']).to_owned()
}

fn presets() -> Vec<Row> {
    PRESETS.iter().map(|preset| (preset.word.to_owned(), preset.summary.to_owned())).collect()
}

fn mitigations() -> Vec<Row> {
    let all = ROSTER.iter().chain(BESIDES);
    all.map(|member| (member.word.to_owned(), first_sentence(member.summary))).collect()
}

fn measure_rows() -> Vec<Row> {
    let all = measures::all().into_iter();
    all.map(|entry| (entry.name, first_sentence(entry.doc))).collect()
}

fn plots() -> Vec<Row> {
    PLOTS.iter().map(|plot| (plot.name.to_owned(), plot.title.to_owned())).collect()
}

/// YAML files below a folder, and what each says under `key`.
fn files(folder: &str, key: &str) -> Vec<Row> {
    let mut found = Vec::new();
    find(Path::new(folder), &mut found, 0);
    found.sort();
    let tree = |path: &String| {
        let mut sources = Sources::default();
        let text = input::text(&mut sources, Path::new(path)).ok()?;
        read(&mut sources, path, &text).ok()
    };
    let about = |path: &String| {
        let node = tree(path)?;
        let value = node.get(key)?.to_json();
        value.as_str().map(str::to_owned)
    };
    // Cases of `validate` stand among the experiments.
    let is_case = |path: &String| {
        tree(path).is_some_and(|node| {
            ["quantities", "not_comparable"].iter().any(|key| node.get(key).is_some())
        })
    };
    found
        .into_iter()
        .filter(|path| !is_case(path))
        .map(|path| (about(&path), path))
        .map(|(a, p)| (p, a.unwrap_or_default()))
        .collect()
}

fn find(folder: &Path, found: &mut Vec<String>, depth: usize) {
    const DEEPEST: usize = 4;
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path.is_dir() && depth < DEEPEST {
            find(&path, found, depth + 1);
        } else if path.extension().is_some_and(|end| end == "yaml") {
            found.push(path.display().to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_list_is_empty_but_those_of_folders() {
        let words = lexicon::words();
        for topic in TOPICS.iter().filter(|t| !matches!(t.word, "models" | "experiments")) {
            let rows = (topic.rows)(&words);
            assert!(rows.len() > 1, "{}", topic.word);
            assert!(rows.iter().all(|(word, about)| !word.is_empty() && !about.is_empty()));
        }
    }

    #[test]
    fn the_first_sentence_ends_at_its_full_stop() {
        assert_eq!(first_sentence("One\nline. And more."), "One line");
        assert_eq!(first_sentence("At 0.5 s."), "At 0.5 s");
        assert_eq!(first_sentence(""), "");
    }
}
