use serde_json::json;

use super::super::*;
use super::node;

const MODEL: &str = "
components:
  api:
    instances: 4
    layers:
      - retry: {attempts: 3}
      - timeout: 2s
    calls: [database, cache]
  rate.limiter: {work: 5ms}
changes:
  - {name: deploy, at: 1min}
  - surge: {name: black friday, at: 30min}
  - crash: {at: 1h}
  - crash: {at: 2h}
line: unlimited
empty:
";

fn patch(kind: &str, path: &str, value: &str) -> Patch {
    let (path, value) = (At::nowhere(path.to_owned()), node(value));
    match kind {
        "set" => Patch::Set { path, value },
        "add" => Patch::Add { path, value },
        _ => Patch::Remove { path },
    }
}

fn patched(kind: &str, path: &str, value: &str) -> serde_json::Value {
    let mut model = node(MODEL);
    apply(&mut model, &patch(kind, path, value)).unwrap_or_else(|p| panic!("{path}: {p:?}"));
    model.to_json()
}

fn refused(kind: &str, path: &str, value: &str) -> Problem {
    let mut model = node(MODEL);
    let problem = apply(&mut model, &patch(kind, path, value)).expect_err(path);
    assert_eq!(model, node(MODEL), "{path}: a refused patch changed something");
    problem
}

#[test]
fn set_replaces_what_is_there() {
    assert_eq!(
        patched("set", "components.api.instances", "8")["components"]["api"]["instances"],
        8
    );
    assert_eq!(patched("set", "line", "{capacity: 10}")["line"], json!({"capacity": 10}));
}

#[test]
fn set_creates_a_word_that_was_left_at_its_default() {
    let model = patched("set", "components.api.threads", "8");
    assert_eq!(model["components"]["api"]["threads"], 8);
}

#[test]
fn a_segment_in_quotes_may_contain_dots() {
    let model = patched("set", "components.\"rate.limiter\".work", "1ms");
    assert_eq!(model["components"]["rate.limiter"]["work"], "1ms");
}

#[test]
fn elements_are_addressed_by_number_by_word_and_by_name() {
    let layers = |path: &str| patched("set", path, "9")["components"]["api"]["layers"].clone();
    assert_eq!(layers("components.api.layers.0.retry.attempts")[0]["retry"]["attempts"], 9);
    assert_eq!(layers("components.api.layers.retry.attempts")[0]["retry"]["attempts"], 9);
    assert_eq!(layers("components.api.layers.timeout")[1], json!({"timeout": 9}));
    let changes = |path: &str| patched("set", path, "9")["changes"].clone();
    assert_eq!(changes("changes.deploy.at")[0]["at"], 9);
    assert_eq!(changes("changes.surge.at")[1]["surge"]["at"], 9);
    assert_eq!(changes("changes.black friday.at")[1]["surge"]["at"], 9);
    assert_eq!(changes("changes.3.crash.at")[3]["crash"]["at"], 9);
    let calls = patched("set", "components.api.calls.cache", "queue");
    assert_eq!(calls["components"]["api"]["calls"], json!(["database", "queue"]));
}

#[test]
fn a_word_of_several_elements_needs_a_number() {
    let problem = refused("set", "changes.crash.at", "9");
    assert_eq!(problem.what, "several elements of `changes` are `crash`");
}

#[test]
fn what_does_not_exist_is_refused_with_a_suggestion() {
    let problem = refused("set", "components.apii.instances", "8");
    assert_eq!(problem.what, "patches what does not exist: no `apii` under `components`");
    assert_eq!(problem.help.as_deref(), Some("did you mean `api`?"));
    let problem = refused("set", "component.api", "8");
    assert_eq!(problem.what, "patches what does not exist: no `component` at the top level");
    let problem = refused("remove", "components.api.layers.retyr", "~");
    assert_eq!(problem.what, "patches what does not exist: no `retyr` in `components.api.layers`");
    assert_eq!(problem.help.as_deref(), Some("did you mean `retry`?"));
    let problem = refused("set", "components.api.layers.2", "x");
    assert_eq!(problem.what, "patches what does not exist: no `2` in `components.api.layers`");
    assert!(refused("add", "components.apii.layers", "[x]").what.contains("no `apii`"));
}

#[test]
fn a_value_without_inside_is_to_be_set_as_a_whole() {
    assert_eq!(
        refused("set", "line.capacity", "8").what,
        "patches what does not exist: `line` is the text `unlimited`, which has nothing inside"
    );
    assert_eq!(refused("set", "empty.capacity", "8").help.as_deref(), Some("set it as a whole"));
}

#[test]
fn add_appends_to_a_list_one_element_or_each() {
    let calls = |value: &str| {
        patched("add", "components.api.calls", value)["components"]["api"]["calls"].clone()
    };
    assert_eq!(calls("queue"), json!(["database", "cache", "queue"]));
    assert_eq!(calls("[a, {b: 1}]"), json!(["database", "cache", "a", {"b": 1}]));
}

#[test]
fn add_puts_new_keys_into_a_map_but_replaces_none() {
    let model = patched("add", "components", "{cache: {instances: 1}}");
    assert_eq!(model["components"]["cache"]["instances"], 1);
    let problem = refused("add", "components", "{cache: 1, api: 2}");
    assert_eq!(problem.what, "`components` has `api` already");
    assert_eq!(problem.help.as_deref(), Some("use `set` to replace it"));
    assert!(refused("add", "components", "[x]").what.contains("a list cannot be added"));
    assert!(refused("add", "line", "[x]").what.contains("nothing can be added to `line`"));
}

#[test]
fn add_creates_a_last_segment_that_does_not_exist_or_is_empty() {
    let model = patched("add", "components.api.hosts", "[a]");
    assert_eq!(model["components"]["api"]["hosts"], json!(["a"]));
    assert_eq!(patched("add", "empty", "{a: 1}")["empty"], json!({"a": 1}));
    assert!(refused("add", "response.alerts", "{}").what.contains("no `response`"));
}

#[test]
fn remove_takes_entries_and_elements() {
    assert_eq!(patched("remove", "components.api", "~")["components"].get("api"), None);
    let model = patched("remove", "components.api.layers.retry", "~");
    assert_eq!(model["components"]["api"]["layers"], json!([{"timeout": "2s"}]));
    let model = patched("remove", "components.api.calls.database", "~");
    assert_eq!(model["components"]["api"]["calls"], json!(["cache"]));
}

#[test]
fn a_later_patch_overrides_what_it_sets_or_removes_again_in_or_around_the_same_place() {
    let limit = patch("set", "a.limit", "{rate: 2, burst: 3}");
    let added = patch("add", "a", "{limit: {rate: 2}}");
    for (later, of_set, of_add) in [
        (patch("set", "a.limit", "{rate: 4}"), true, true),
        (patch("set", "a", "{}"), true, true),
        (patch("remove", "a", "~"), true, true),
        (patch("set", "a.limit.rate", "9"), true, true),
        (patch("set", "a.limits", "9"), false, false),
        (patch("set", "a.other", "9"), false, false),
        (patch("add", "a.limit", "{more: 1}"), false, false),
        (limit.clone(), false, true),
    ] {
        let path = &later.path().value;
        assert_eq!((later.overrides(&limit), later.overrides(&added)), (of_set, of_add), "{path}");
    }
    assert!(patch("remove", "a", "~").changes_the_place_of(&limit));
    assert!(!patch("add", "a", "{b: 1}").changes_the_place_of(&limit));
    assert!(!limit.changes_the_place_of(&patch("remove", "a", "~")));
}

#[test]
fn a_path_that_is_none_is_refused() {
    for path in ["", ".", "a..b", "a.", "\"a", "\"a\"b"] {
        assert!(refused("set", path, "1").what.starts_with("the path `"), "{path}");
    }
}

#[test]
fn patches_cannot_nest_a_tree_without_end() {
    let mut model = node("a: {}");
    let value = "{a: ".repeat(60) + "{}" + &"}".repeat(60);
    let path = |count: usize| vec!["a"; count].join(".");
    let mut count = 2;
    let problem = loop {
        match apply(&mut model, &patch("set", &path(count), &value)) {
            Ok(()) => count += 60,
            Err(problem) => break problem,
        }
        assert!(count < 1000, "no limit");
    };
    assert!(problem.what.ends_with("would nest its value too deep"), "{}", problem.what);
    assert!(decode::<Node>(&model).value.is_some());
}

#[test]
fn marks_of_what_a_patch_brings_point_into_the_patch() {
    let mut sources = Sources::default();
    let mut model = read(&mut sources, "m.yaml", MODEL).unwrap();
    let patch = parse_set_argument(&mut sources, "components.api.ßize= [ü, ö]").unwrap();
    apply(&mut model, &patch).unwrap();
    let placed = model.get("components").unwrap().get("api").unwrap();
    let Value::Map(entries) = &placed.value else { panic!("not a map") };
    let (key, value) = entries.last().unwrap();
    assert_eq!(sources.name(key.mark.source), "--set");
    let text = sources.text(value.mark.source);
    assert_eq!(&text[key.mark.start as usize..key.mark.end as usize], "components.api.ßize");
    let Value::List(items) = &value.value else { panic!("not a list") };
    let mark = items[1].mark;
    assert_eq!(&text[mark.start as usize..mark.end as usize], "ö");
}

#[test]
fn an_argument_of_set_is_a_path_and_a_value() {
    let mut sources = Sources::default();
    let patch = parse_set_argument(&mut sources, "a.\"b=c\".d={x: 1}").unwrap();
    let Patch::Set { path, value } = patch else { panic!("not a set") };
    assert_eq!((path.value.as_str(), value.to_json()), ("a.\"b=c\".d", json!({"x": 1})));
    for text in ["", "a", "=1", "a=", "a= ", "\"a=1"] {
        assert!(parse_set_argument(&mut sources, text).is_err(), "{text:?}");
    }
    let problem = parse_set_argument(&mut sources, "ü=é: [").unwrap_err();
    assert!(problem.what.starts_with("this is not YAML"), "{}", problem.what);
    assert!(problem.mark.unwrap().start >= 3, "{problem:?}");
}
