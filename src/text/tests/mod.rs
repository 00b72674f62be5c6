//! Tests of the module as a whole, by what they test.

mod decoding;
mod hostile;
mod patching;
mod reading;

use super::{Decoded, Node, Problem, Sources, decode, plain, read};

/// Reads a text that must be right.
fn node(text: &str) -> Node {
    let mut sources = Sources::default();
    read(&mut sources, "f.yaml", text)
        .unwrap_or_else(|problems| panic!("{}", plain(&problems, &sources)))
}

/// Decodes a text that can be read.
fn decoded<T: serde::de::DeserializeOwned>(text: &str) -> Decoded<T> {
    decode(&node(text))
}

/// The problems with the stretch of text that each of them marks.
fn shown<'a>(problems: &'a [Problem], text: &'a str) -> Vec<(&'a str, &'a str)> {
    problems
        .iter()
        .map(|problem| {
            let marked = problem.mark.map_or("", |m| &text[m.start as usize..m.end as usize]);
            (problem.what.as_str(), marked)
        })
        .collect()
}
