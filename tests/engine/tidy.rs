//! Rules of style that the compiler does not keep.

use crate::files;
use std::path::Path;

/// Lines of a file, at most.
const LINES: usize = 500;
/// Columns of a line, at most.
const COLUMNS: usize = 100;

/// The layers, lowest first. A file imports only from its own layer and lower ones.
const LAYERS: [&[&str]; 9] = [
    &["units", "rng", "dist", "status", "histogram", "text"],
    &["load", "component", "mitigation", "change", "response", "observe"],
    &["model"],
    &["plan"],
    &["sim"],
    &["measure"],
    &["study", "validate"],
    &["plot", "report"],
    &["cli"],
];

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// The module at the top of the crate that a source file belongs to.
fn module(path: &Path) -> String {
    let name = files::name(path);
    let inside = name.trim_start_matches("src/");
    inside.split('/').next().unwrap_or(inside).trim_end_matches(".rs").to_owned()
}

/// The lines of a source file with their numbers: no comments, and nothing from the unit tests at
/// its end on.
fn code(text: &str) -> Vec<(usize, &str)> {
    let tests = text.find("#[cfg(test)]").unwrap_or(text.len());
    let lines = text[..tests].lines().enumerate().map(|(number, line)| (number + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//")).collect()
}

fn is_test(path: &Path) -> bool {
    let name = files::name(path);
    name.ends_with("/tests.rs") || name.contains("/tests/")
}

fn none(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn files_are_short_and_lines_fit() {
    let mut found = Vec::new();
    let everything = ["src", "tests", "benches"].iter().flat_map(|f| files::below(f, &["rs"]));
    for path in everything {
        let text = files::text(&path);
        let (name, count) = (files::name(&path), text.lines().count());
        if count > LINES {
            found.push(format!("{name} has {count} lines, more than {LINES}"));
        }
        for (number, line) in text.lines().enumerate() {
            // A row of a table cannot be broken.
            let is_row = line.trim_start_matches(['/', '!', ' ']).starts_with('|');
            if line.chars().count() > COLUMNS && !is_row {
                found.push(format!("{name}:{} is longer than {COLUMNS} columns", number + 1));
            }
        }
    }
    none("too long", found);
}

#[test]
fn a_file_imports_only_from_lower_layers() {
    let mut found = Vec::new();
    for path in files::below("src", &["rs"]) {
        let module = module(&path);
        let Some(own) = layer_of(&module).filter(|_| !is_test(&path)) else {
            assert!(
                ["lib", "main"].contains(&module.as_str()) || is_test(&path),
                "{module}: no layer"
            );
            continue;
        };
        for (number, line) in code(&files::text(&path)) {
            for other in line.split("crate::").skip(1) {
                let end = other.find(|c: char| !(c.is_alphanumeric() || c == '_'));
                let other = &other[..end.unwrap_or(other.len())];
                let allowed = other == module || layer_of(other).is_some_and(|layer| layer < own);
                let same_layer = layer_of(other) == Some(own);
                // Within a layer nobody minds; layers 0 and 1 are sets of equals.
                if !allowed && !same_layer {
                    found.push(format!("{}:{number} imports `{other}`", files::name(&path)));
                }
            }
        }
    }
    none("imports from a higher layer", found);
}

#[test]
fn the_engine_reads_no_clock_draws_no_ambient_randomness_and_iterates_over_no_hashes() {
    let words =
        ["HashMap", "HashSet", "Instant", "SystemTime", "thread_rng", "rand::rng(", "OsRng"];
    let mut found = Vec::new();
    for path in files::below("src", &["rs"]) {
        if is_test(&path) || layer_of(&module(&path)).is_none_or(|layer| layer > 5) {
            continue;
        }
        for (number, line) in code(&files::text(&path)) {
            let has = |word: &&&str| {
                line.match_indices(**word).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric())
                        && !line[at + word.len()..].starts_with(|c: char| c.is_alphanumeric())
                })
            };
            if let Some(word) = words.iter().find(has) {
                found.push(format!("{}:{number} says `{word}`", files::name(&path)));
            }
        }
    }
    none("not in the engine", found);
}

#[test]
fn the_compiler_keeps_documentation_and_safety() {
    let lib = files::text(&files::root().join("src/lib.rs"));
    for lint in ["#![forbid(unsafe_code)]", "#![warn(missing_docs)]"] {
        assert!(lib.contains(lint), "src/lib.rs does not say {lint}");
    }
}

#[test]
fn dependencies_come_from_one_registry_that_is_not_named_anywhere_else() {
    let lock = files::text(&files::root().join("Cargo.lock"));
    let sources: Vec<&str> = lock.lines().filter(|line| line.starts_with("source = ")).collect();
    assert!(sources.len() > 20, "the lock file has another shape");
    let usual = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    assert!(sources.iter().all(|source| *source == usual), "another registry than the usual one");
    assert!(!files::root().join(".cargo").exists(), "settings of one machine");
    let words = ["sparse+http", "replace-with", "registry-index", "[source."];
    let mut found = Vec::new();
    for folder in ["src", "benches", "docs", "models", "experiments", "examples"] {
        for path in files::below(folder, &["rs", "toml", "md", "yaml", "yml", "sh"]) {
            let text = files::text(&path);
            for word in words.iter().filter(|word| text.contains(**word)) {
                found.push(format!("{} says `{word}`", files::name(&path)));
            }
        }
    }
    none("names a registry", found);
}
