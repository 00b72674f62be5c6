use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;

use super::super::*;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(dead_code, reason = "the types are decoded, not used")]
enum Layer {
    Shed,
    Retry { attempts: u32, backoff: Option<At<String>> },
    Weights([f64; 2]),
    Nested(Box<Layer>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the types are decoded, not used")]
struct Sample {
    name: Name,
    #[serde(default)]
    on: bool,
    parts: Named<BTreeMap<u16, Vec<Layer>>>,
    any: Option<Node>,
}

const SAMPLE: &str = "\
name: é😀 sample   # comment
on: yes
parts:
  api: &api
    503: [shed, {retry: {attempts: 3, backoff: 250ms}}]
    7:
      - weights: [1, 2.5]
      - nested: {nested: shed}
  db: *api
  other: {<<: *api, 8: []}
any:
  \"quoted \\u00e9\": |
    block
    text
  x: ~
";

#[test]
fn the_sample_itself_is_right() {
    let node = read(&mut Sources::default(), "s", SAMPLE).unwrap();
    let decoded = decode::<Sample>(&node);
    assert_eq!(decoded.problems, []);
    assert!(decoded.value.unwrap().on);
}

/// Bytes that mean something in YAML, and one that is not text.
const TELLING: &[u8] = b"\n :-[]{}&*!|>'\"#%@~,?x0\xff\t";

/// Edits bytes, keeps what is text, and does all that can be done with it.
fn survive(edits: &[(usize, u8, u8)]) {
    let mut bytes = SAMPLE.as_bytes().to_vec();
    for &(at, kind, byte) in edits {
        let at = at % bytes.len().max(1);
        match kind {
            0 => bytes.insert(at, byte),
            1 if !bytes.is_empty() => drop(bytes.remove(at)),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|b| *b = byte),
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut sources = Sources::default();
    let problems = match read(&mut sources, "s", &text) {
        Err(problems) => problems,
        Ok(mut node) => {
            let decoded = decode::<Sample>(&node);
            assert!(decoded.value.is_some() || !decoded.problems.is_empty(), "{text}");
            if let Ok(patch) = parse_set_argument(&mut sources, "parts.api.7.0.weights=[x]") {
                let _ = apply(&mut node, &patch);
                decode::<Sample>(&node);
            }
            decoded.problems
        }
    };
    for mark in problems.iter().filter_map(|problem| problem.mark) {
        assert!(sources.text(mark.source).get(mark.start as usize..mark.end as usize).is_some());
    }
    plain(&problems, &sources);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_every_failure_has_a_problem_whatever_bytes_are_edited(
        edits in prop::collection::vec(
            (any::<usize>(), 0u8..3, prop::sample::select(TELLING.to_vec())),
            1..8,
        ),
    ) {
        survive(&edits);
    }

    #[test]
    fn no_text_is_too_strange_to_be_read_or_set(text in "\\PC{0,60}") {
        let mut sources = Sources::default();
        if let Err(problems) = read(&mut sources, "s", &text) {
            prop_assert!(!problems.is_empty());
            plain(&problems, &sources);
        }
        if let Ok(patch) = parse_set_argument(&mut sources, &text) {
            let mut node = Node::from_json(&serde_json::json!({"a": [1, {"b": 2}]}));
            let _ = apply(&mut node, &patch);
        }
    }
}

#[test]
fn a_long_file_with_a_few_problems_is_decoded_a_few_times_only() {
    let mut text = "name: s\nparts:\n".to_owned();
    for part in 0..3_000 {
        let attempts = if part % 1_000 == 500 { "x" } else { "3" };
        text.push_str(&format!("  p{part}:\n    1:\n      - retry: {{attempts: {attempts}}}\n"));
    }
    let node = read(&mut Sources::default(), "s", &text).unwrap();
    let decoded = decode::<Sample>(&node);
    assert_eq!(decoded.problems.len(), 3);
    assert!(decoded.value.is_some());
}
