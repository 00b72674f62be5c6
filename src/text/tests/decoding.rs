use std::fmt;

use schemars::JsonSchema;
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use super::super::*;
use super::{decoded, shown};

/// A quantity with a unit, read as those of this crate are.
#[derive(Debug, PartialEq)]
struct Milliseconds(u32);

impl<'de> Deserialize<'de> for Milliseconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Quantity;
        impl Visitor<'_> for Quantity {
            type Value = Milliseconds;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a duration such as `250ms`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Milliseconds, E> {
                text.strip_suffix("ms").and_then(|n| n.parse().ok()).map(Milliseconds).ok_or_else(
                    || E::custom(format!("`{text}` is not a duration{HELP}write it like `250ms`")),
                )
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Milliseconds, E> {
                Err(E::custom(format!("{value} is a number without unit")))
            }
        }
        deserializer.deserialize_any(Quantity)
    }
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Work {
    None,
    Fixed(Milliseconds),
    Uniform([Milliseconds; 2]),
    Erlang { shape: u32, mean: Milliseconds },
    Scaled(Scaled),
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Scaled {
    by: f64,
    of: Box<Work>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Part {
    instances: u32,
    work: Work,
    #[serde(default)]
    share: Option<f64>,
    #[serde(default)]
    hold: bool,
    #[serde(default)]
    calls: Vec<Name>,
    #[serde(default)]
    layers: Vec<Work>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct System {
    name: String,
    #[serde(default)]
    parts: Named<Part>,
}

fn whats(text: &str) -> Vec<String> {
    decoded::<System>(text).problems.into_iter().map(|problem| problem.what).collect()
}

fn helps(text: &str) -> Vec<String> {
    decoded::<System>(text).problems.into_iter().filter_map(|problem| problem.help).collect()
}

/// The one problem of a part that is right but for one more line.
fn with_line(line: &str) -> Problem {
    let text = format!("name: s\nparts:\n  api:\n    instances: 2\n    work: none\n    {line}\n");
    let mut problems = decoded::<System>(&text).problems;
    assert_eq!(problems.len(), 1, "{line}: {problems:?}");
    problems.remove(0)
}

#[test]
fn a_right_file_decodes_without_problems() {
    let text = "name: s\nparts:\n  api:\n    \
                instances: 2\n    work: {fixed: 250ms}\n    share: 1\n    \
                hold: yes\n    calls: [db]\n  db: {instances: 1, work: none, share: }\n";
    let decoded = decoded::<System>(text);
    assert_eq!((decoded.problems, decoded.removed), (vec![], vec![]));
    let system = decoded.value.unwrap();
    assert_eq!(system.parts.names().collect::<Vec<_>>(), ["api", "db"]);
    let api = system.parts.get("api").unwrap();
    assert_eq!(
        (&api.work, api.share, api.hold),
        (&Work::Fixed(Milliseconds(250)), Some(1.0), true)
    );
    assert_eq!(system.parts.get("db").unwrap().share, None);
}

#[test]
fn all_problems_are_reported_at_once_each_at_its_place() {
    let text = "nmae: x\nname: [1]\nparts:\n  api:\n    \
                instnaces: 3\n    instances: two\n    work: none\n  \
                db:\n    instances: 1\n    work: {fixde: 1ms}\n  \
                c\u{e9}: {instances: 1, work: {fixed: 5}}\n";
    let decoded = decoded::<System>(text);
    assert_eq!(
        shown(&decoded.problems, text),
        [
            ("unknown word `nmae` at the top level", "nmae"),
            ("`name` should be a text, but is a list", "["),
            ("unknown word `instnaces` in `parts.api`", "instnaces"),
            (
                "`parts.api.instances` should be a whole number that is not negative, \
                 but is the text `two`",
                "two"
            ),
            ("unknown word `fixde` in `parts.db.work`", "fixde"),
            ("`parts.c\u{e9}.work.fixed`: 5 is a number without unit", "5"),
        ]
    );
    assert!(decoded.value.is_none(), "the name is set aside, and there is no system without");
    for key in ["nmae", "api", "db", "c\u{e9}", "instnaces"] {
        assert!(decoded.removed.iter().any(|removed| removed == key), "{key}");
    }
}

#[test]
fn what_is_left_is_decoded_when_the_wrong_part_can_be_spared() {
    let text = "name: s\nparts:\n  api: {instances: 1, work: none, hold: 7}\n  \
                db: {instances: -1, work: none}\n";
    let decoded = decoded::<System>(text);
    assert_eq!(decoded.problems.len(), 2);
    assert_eq!(decoded.value.unwrap().parts.names().collect::<Vec<_>>(), ["api"]);
    assert!(decoded.removed.contains(&"db".to_owned()));
}

#[test]
fn an_unknown_word_gets_a_suggestion_or_the_list() {
    let near = with_line("hodl: yes");
    assert_eq!(near.what, "unknown word `hodl` in `parts.api`");
    assert_eq!(near.help.as_deref(), Some("did you mean `hold`?"));
    let same = with_line("layers: [{scaled: {by: 1, of: of}}]");
    assert_eq!(same.what, "unknown word `of` in `parts.api.layers.0.scaled.of`");
    let far = with_line("xyzzy: 1");
    let list = "known: `instances`, `work`, `share`, `hold`, `calls`, `layers`";
    assert_eq!(far.help.as_deref(), Some(list));
}

#[test]
fn a_missing_word_is_reported_at_its_map_and_only_if_it_was_never_there() {
    let text = "name: s\nparts:\n  api: {work: none}\n  db: {instances: x, work: none}\n";
    let decoded = decoded::<System>(text);
    assert_eq!(shown(&decoded.problems, text)[0], ("`instances` is missing in `parts.api`", "api"));
    assert_eq!(decoded.problems.len(), 2, "{:?}", decoded.problems);
    assert_eq!(whats("parts: {}"), ["`name` is missing in the file"]);
    assert_eq!(helps("parts: {}"), ["add `name: ...`"]);
}

#[test]
fn a_wrong_word_deep_in_an_enum_is_one_problem() {
    let text = "name: s\nparts:\n  api:\n    instances: 1\n    \
                work: {scaled: {by: 2, of: {erlang: {shape: x, mean: 10}}}}\n";
    assert_eq!(
        whats(text),
        [
            "`parts.api.work.scaled.of.erlang.shape` should be a whole number that is not \
             negative, but is the text `x`",
            "`parts.api.work.scaled.of.erlang.mean`: 10 is a number without unit",
        ]
    );
}

#[test]
fn a_list_loses_only_its_wrong_element() {
    let text =
        "name: s\nparts:\n  a: {instances: 1, work: none, layers: [none, {fixed: 1}, none, nnoe]}";
    let decoded = decoded::<System>(text);
    assert_eq!(
        shown(&decoded.problems, text),
        [
            ("`parts.a.layers.1.fixed`: 1 is a number without unit", "1"),
            ("unknown word `nnoe` in `parts.a.layers.3`", "nnoe"),
        ]
    );
    assert_eq!(decoded.value.unwrap().parts.get("a").unwrap().layers.len(), 2);
}

#[test]
fn the_words_of_an_enum_say_whether_they_need_content() {
    let cases = [
        (
            "layers: [fixed]",
            "`fixed` stands alone, but needs content",
            "write `fixed: ...` with a duration such as `250ms`",
        ),
        (
            "layers: [erlang]",
            "`erlang` stands alone, but needs content",
            "write `erlang: ...` with a map with words among `shape`, `mean`",
        ),
        (
            "layers: [scaled]",
            "`scaled` stands alone, but needs content",
            "write `scaled: ...` with a map with words among `by`, `of`",
        ),
        (
            "layers: [uniform]",
            "`uniform` stands alone, but needs content",
            "write `uniform: ...` with a list of 2 values",
        ),
        (
            "layers: [{none: {x: 1}}]",
            "`none` stands alone, but something follows it",
            "write `none` without a colon",
        ),
    ];
    for (line, what, help) in cases {
        let problem = with_line(line);
        assert_eq!(problem.what, format!("`parts.api.layers.0`: {what}"));
        assert_eq!(problem.help.as_deref(), Some(help));
    }
    assert_eq!(
        with_line("layers: [{none: , fixed: 2ms}]").what,
        "`parts.api.layers.0`: only one word can stand here, but `none` is followed by `fixed`"
    );
    assert_eq!(
        with_line("layers: [7]").what,
        "`parts.api.layers.0` should be one of the words `none`, `fixed`, `uniform`, `erlang`, \
         `scaled`, but is the number 7"
    );
}

#[test]
fn a_tuple_with_a_wrong_length_or_element_is_set_aside_as_a_whole() {
    assert_eq!(
        with_line("layers: [{uniform: [1ms, 2ms, 3ms]}]").what,
        "`parts.api.layers.0.uniform` should be a list of 2 values, but is a list of 3"
    );
    assert_eq!(
        with_line("layers: [{uniform: [1ms, x]}]").what,
        "`parts.api.layers.0.uniform.1`: `x` is not a duration"
    );
}

#[test]
fn whole_numbers_pass_as_numbers_but_not_the_other_way() {
    assert_eq!(decoded::<f64>("3").value, Some(3.0));
    assert_eq!(decoded::<u32>("3.0").value, None);
    assert_eq!(
        decoded::<u8>("300").problems[0].what,
        "the file should be a whole number from 0 to 255, but is the number 300"
    );
    assert_eq!(decoded::<i64>("-3").value, Some(-3));
    assert_eq!(decoded::<f64>(".nan").problems.len(), 1);
}

#[test]
fn booleans_may_be_said_in_words_but_texts_stay_texts() {
    assert_eq!(
        decoded::<Vec<bool>>("[yes, No, on, off, true]").value.unwrap(),
        [true, false, true, false, true]
    );
    assert_eq!(decoded::<Vec<String>>("[yes, on]").value.unwrap(), ["yes", "on"]);
    assert_eq!(decoded::<Named<u8>>("on: 1").value.unwrap().get("on"), Some(&1));
    assert_eq!(
        with_line("hold: perhaps").what,
        "`parts.api.hold` should be `true` or `false`, but is the text `perhaps`"
    );
}

#[test]
fn a_number_where_a_text_is_wanted_asks_for_quotes() {
    let problems = decoded::<System>("name: 10").problems;
    assert_eq!(problems[0].what, "`name` should be a text, but is the number 10");
    assert_eq!(problems[0].help.as_deref(), Some("put it in quotes"));
}

#[test]
fn a_type_can_give_help_with_its_own_message() {
    let problem = with_line("layers: [{fixed: soon}]");
    assert_eq!(problem.what, "`parts.api.layers.0.fixed`: `soon` is not a duration");
    assert_eq!(problem.help.as_deref(), Some("write it like `250ms`"));
}

#[test]
fn a_struct_is_a_map_and_not_a_list_or_nothing() {
    for (text, found) in [("[1, 2]", "a list"), ("~", "empty"), ("x", "the text `x`")] {
        assert_eq!(
            decoded::<Scaled>(text).problems[0].what,
            format!("the file should be a map with words among `by`, `of`, but is {found}")
        );
    }
}

#[test]
fn values_and_names_know_their_places() {
    let text = "ü: [a, b]\nö: [c]\n";
    let lists = decoded::<Named<Vec<Name>>>(text).value.unwrap();
    let cut = |mark: Mark| &text[mark.start as usize..mark.end as usize];
    assert_eq!(lists.iter().map(|(name, _)| cut(name.mark)).collect::<Vec<_>>(), ["ü", "ö"]);
    assert_eq!(cut(lists.get("ö").unwrap()[0].mark), "c");
    let kept = decoded::<Named<Node>>(text).value.unwrap();
    assert_eq!(cut(kept.get("ü").unwrap().mark), "[");
}

#[test]
fn places_do_not_show_in_json_schemas_or_comparisons() {
    #[derive(Debug, Deserialize, Serialize, JsonSchema, PartialEq)]
    struct Marked {
        name: Name,
        sizes: Named<At<u8>>,
    }
    let json = serde_json::json!({"name": "x", "sizes": {"b": 1, "a": 2}});
    let from_json: Marked = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(from_json.name.mark, Mark::NONE);
    let from_file = decoded::<Marked>("name: x\nsizes: {b: 1, a: 2}").value.unwrap();
    assert!(from_file.name.mark.is_somewhere());
    assert_eq!(from_file, from_json);
    assert_eq!(serde_json::to_value(&from_file).unwrap(), json);
    let schema = serde_json::to_value(schemars::schema_for!(Marked)).unwrap();
    assert_eq!(schema["properties"]["name"], serde_json::json!({"type": "string"}));
    assert_eq!(schema["properties"]["sizes"]["type"], "object");
    assert_eq!(schema["properties"]["sizes"]["additionalProperties"]["maximum"], 255);
}

#[test]
fn an_alias_does_not_repeat_the_problems_of_its_anchor() {
    let text = "name: s\nparts:\n  a: &a {instances: 1, work: none, hold: 7}\n  b: *a\n";
    let decoded = decoded::<System>(text);
    assert_eq!(decoded.problems.len(), 1, "{:?}", decoded.problems);
    assert_eq!(decoded.value.unwrap().parts.len(), 2);
}

#[test]
fn the_search_ends_after_a_hundred_problems() {
    let text: String = (0..500).map(|i| format!("k{i}: x\n")).collect();
    let decoded = decoded::<Named<u8>>(&text);
    assert_eq!(decoded.problems.len(), MAX_PROBLEMS + 1);
    assert!(decoded.value.is_none());
    assert_eq!(decoded.problems[MAX_PROBLEMS].what, "more than 100 problems");
}
