//! Origins of numbers: which are stated, and which are missing.

use super::Model;
use crate::text::{Node, Problem, Value, suggest};

/// Reports every path in `origins` that leads nowhere in the model.
pub fn unknown_paths(root: &Node, model: &Model) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, _) in &model.origins {
        let mut node = root;
        for segment in segments(&path.value) {
            let Some(next) = step(node, &segment) else {
                let known = words(node);
                let near = suggest(&segment, known.iter().map(String::as_str));
                let help = match near {
                    Some(near) => format!("did you mean `{near}` for `{segment}`?"),
                    None => format!(
                        "`{segment}` is not there; write a path such as \
                                     `components.api.workers`"
                    ),
                };
                let what = format!("`{}` leads to nothing in this model", path.value);
                problems.push(Problem::new(what).help(help).at(path.mark));
                break;
            };
            node = next;
        }
    }
    problems
}

/// The dotted paths of all numbers (quantities included) for which no origin is stated: neither
/// for the number itself nor for a part of the model that contains it. Names and texts are no
/// numbers, whatever digits they have; nor are `origins` and `name` themselves.
pub fn numbers_without_origin(node: &Node, model: &Model) -> Vec<String> {
    let stated: Vec<_> = model.origins.names().map(segments).collect();
    let mut found = Vec::new();
    if let Value::Map(entries) = &node.value {
        for (key, value) in entries {
            if !matches!(key.text.as_str(), "origins" | "name" | "clock_at_alert") {
                collect(value, &mut vec![vec![key.text.clone()]], &stated, &mut found);
            }
        }
    }
    found
}

/// Walks down. Every level of the path has all words by which an origin may name it: the number of
/// an element, and its own word.
fn collect(
    node: &Node,
    path: &mut Vec<Vec<String>>,
    stated: &[Vec<String>],
    found: &mut Vec<String>,
) {
    let covers = |origin: &Vec<String>| {
        origin.len() == path.len() && origin.iter().zip(&*path).all(|(o, words)| words.contains(o))
    };
    if stated.iter().any(covers) {
        return;
    }
    match &node.value {
        Value::Int(_) | Value::Float(_) => found.push(dotted(path)),
        Value::Text(text) if is_quantity(text) => found.push(dotted(path)),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                // `- retry: {...}` is one level: its content is found under the word or the number.
                let (words, content) = match &item.value {
                    Value::Map(entries) if entries.len() == 1 => {
                        (vec![index.to_string(), entries[0].0.text.clone()], Some(&entries[0].1))
                    }
                    _ => (vec![index.to_string()], None),
                };
                path.push(words);
                collect(content.unwrap_or(item), path, stated, found);
                path.pop();
            }
        }
        Value::Map(entries) => {
            for (key, value) in entries {
                path.push(vec![key.text.clone()]);
                collect(value, path, stated, found);
                path.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Text(_) => {}
    }
}

/// Whether a text is a number with a unit: `250ms`, `20%`, `1/100`, `1h30min`.
fn is_quantity(text: &str) -> bool {
    use crate::units::{Bytes, Factor, Rate, Share, Span};
    text.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && (text.parse::<Span>().is_ok()
            || text.parse::<Rate>().is_ok()
            || text.parse::<Bytes>().is_ok()
            || text.parse::<Share>().is_ok()
            || text.parse::<Factor>().is_ok())
}

fn dotted(path: &[Vec<String>]) -> String {
    let words: Vec<&str> =
        path.iter().filter_map(|words| words.last()).map(String::as_str).collect();
    words.join(".")
}

/// The segments of a dotted path. Names with dots are refused in models, so no quotes are needed.
fn segments(path: &str) -> Vec<String> {
    path.split('.').map(|segment| segment.trim_matches('"').to_owned()).collect()
}

/// The child under a key, the number of an element, or an element's word.
fn step<'n>(node: &'n Node, segment: &str) -> Option<&'n Node> {
    let Value::List(items) = &node.value else { return node.get(segment) };
    if let Ok(index) = segment.parse::<usize>() {
        let item = items.get(index)?;
        return Some(match &item.value {
            Value::Map(entries) if entries.len() == 1 => &entries[0].1,
            _ => item,
        });
    }
    items.iter().find_map(|item| match &item.value {
        Value::Map(entries) if entries.len() == 1 => item.get(segment),
        _ => None,
    })
}

/// What a segment can name below a node.
fn words(node: &Node) -> Vec<String> {
    match &node.value {
        Value::Map(entries) => entries.iter().map(|(key, _)| key.text.clone()).collect(),
        Value::List(items) => items.iter().flat_map(words).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::load::load;
    use crate::text::Sources;

    #[test]
    fn numbers_without_an_origin_are_listed_and_a_part_covers_what_is_in_it() {
        let text = "name: model of 2024
horizon: 1h
clients:
  web: {arrivals: {poisson: {rate: 10/s}}, calls: api, layers: [retry: {attempts: 3}]}
components:
  api:
    kind: server
    workers: 8
    endpoints: {request: [work: {lognormal: {mean: 20ms, cv: 1}}]}
origins:
  components.api.endpoints: {fitted: load at the start}
  clients.web.layers.retry.attempts: {text: they said so}
";
        let loaded = load(&mut Sources::default(), "m.yaml", text, &[]);
        assert_eq!(loaded.problems, []);
        let (node, model) = (loaded.node.unwrap(), loaded.model.unwrap());
        assert_eq!(unknown_paths(&node, &model), []);
        let expected = ["horizon", "clients.web.arrivals.poisson.rate", "components.api.workers"];
        assert_eq!(numbers_without_origin(&node, &model), expected);
    }

    #[test]
    fn a_name_with_digits_is_no_number() {
        let words = ["20ms", "5%", "1/100", "1h30min", "4x", "2GiB"];
        assert!(words.iter().all(|word| is_quantity(word)));
        assert!(!["api2", "two", "20 apples", "14:30 UTC"].iter().any(|word| is_quantity(word)));
    }
}
