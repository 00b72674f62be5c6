use super::super::*;
use super::node;

fn problem(text: &str) -> (Problem, String) {
    let mut sources = Sources::default();
    let mut problems = read(&mut sources, "f.yaml", text).expect_err("should be refused");
    assert_eq!(problems.len(), 1);
    let rendered = plain(&problems, &sources);
    (problems.remove(0), rendered)
}

fn marked<'a>(node: &Node, text: &'a str) -> &'a str {
    &text[node.mark.start as usize..node.mark.end as usize]
}

#[test]
fn every_kind_of_value_is_read_as_what_it_looks_like() {
    let text =
        "a: ~\nb: true\nc: -3\nd: 1.5\ne: 250ms\nf: '7'\ng: [1, x]\nh: {k: 1e3}\ni: 5%\nj: .inf";
    let json = serde_json::json!({
        "a": null, "b": true, "c": -3, "d": 1.5, "e": "250ms", "f": "7", "g": [1, "x"],
        "h": {"k": 1000.0}, "i": "5%", "j": ".inf",
    });
    assert_eq!(node(text).to_json(), json);
}

#[test]
fn the_words_of_yaml_1_1_for_booleans_stay_text_as_key_and_as_value() {
    assert_eq!(node("no: yes\non: off").to_json(), serde_json::json!({"no": "yes", "on": "off"}));
}

#[test]
fn keys_keep_their_order_and_their_spelling() {
    let Value::Map(entries) = node("z: 1\n503: 2\na b: 3\n\"q.r\": 4").value else {
        panic!("not a map");
    };
    let keys: Vec<&str> = entries.iter().map(|(key, _)| key.text.as_str()).collect();
    assert_eq!(keys, ["z", "503", "a b", "q.r"]);
}

#[test]
fn marks_are_byte_offsets_also_after_characters_of_several_bytes() {
    let text = "é😀: ü\nname: wörter\nlist: [ß, {k: 😀x}]\n";
    let node = node(text);
    let Value::Map(entries) = &node.value else { panic!("not a map") };
    assert_eq!(marked(&node, text), "é😀");
    assert_eq!(marked(&entries[1].1, text), "wörter");
    let Value::List(items) = &entries[2].1.value else { panic!("not a list") };
    assert_eq!(marked(&items[0], text), "ß");
    assert_eq!(marked(items[1].get("k").unwrap(), text), "😀x");
    let key = entries[1].0.mark;
    assert_eq!(&text[key.start as usize..key.end as usize], "name");
}

#[test]
fn a_byte_order_mark_and_carriage_returns_do_not_move_the_marks() {
    let text = "\u{feff}é: 1\r\nkey: ö\r\n";
    assert_eq!(marked(node(text).get("key").unwrap(), text), "ö");
}

#[test]
fn lines_and_columns_count_from_one_and_columns_count_characters() {
    let mut sources = Sources::default();
    let text = "a: 1\né😀: x\n";
    let node = read(&mut sources, "f.yaml", text).unwrap();
    assert_eq!(sources.line_column(node.get("é😀").unwrap().mark), (2, 5));
    assert_eq!(sources.line_column(node.mark), (1, 1));
    assert_eq!(sources.name(node.mark.source), "f.yaml");
    assert_eq!(sources.line_column(Mark { start: 9999, end: 9999, ..node.mark }), (3, 1));
}

#[test]
fn an_error_of_syntax_is_shown_where_it_is_behind_characters_of_several_bytes() {
    let text = "é😀: 1\nb: ü: 2\n";
    let (problem, rendered) = problem(text);
    assert_eq!(&text[problem.mark.unwrap().start as usize..], ": 2\n", "{rendered}");
    assert!(rendered.starts_with("f.yaml:2:5: this is not YAML: "), "{rendered}");
}

#[test]
fn a_key_that_is_there_twice_is_shown_at_its_second_place() {
    let (problem, rendered) = problem("ä: {x: 1}\nb:\n  k: 1\n  l: 2\n  k: 3\n");
    assert_eq!(problem.what, "the key `k` is here for the second time in the same map");
    assert!(rendered.starts_with("f.yaml:5:3: "), "{rendered}");
}

#[test]
fn an_empty_file_says_that_it_is_empty() {
    for text in ["", "\n\n", "# a comment\n", "---\n"] {
        let (problem, _) = problem(text);
        assert_eq!(problem.what, "the file is empty", "{text:?}");
        assert!(problem.help.is_some());
    }
}

#[test]
fn a_second_document_is_refused() {
    let (problem, rendered) = problem("a: 1\n---\nb: 2\n");
    assert!(problem.what.contains("second document"), "{rendered}");
}

#[test]
fn a_file_that_is_too_long_says_its_size_and_the_limit() {
    let text = format!("a: {}", "x".repeat(MAX_FILE_BYTES));
    let (problem, _) = problem(&text);
    assert!(problem.what.contains("1048579 bytes"), "{}", problem.what);
    assert!(problem.what.contains("1048576 are allowed"), "{}", problem.what);
}

#[test]
fn nesting_beyond_the_limit_is_refused_in_both_styles() {
    let flow = format!("a: {}1{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    let block: String = (0..=MAX_DEPTH).map(|i| format!("{:1$}a:\n", "", i)).collect();
    for text in [flow, "[".repeat(100_000), block] {
        let (problem, _) = problem(&text);
        assert_eq!(problem.what, "lists and maps are nested deeper than 64 levels");
    }
    node(&format!("a: {}1{}", "[".repeat(MAX_DEPTH - 1), "]".repeat(MAX_DEPTH - 1)));
}

#[test]
fn more_values_than_allowed_are_refused() {
    let text = format!("[{}]", "1,".repeat(MAX_NODES + 1));
    let (problem, _) = problem(&text);
    assert!(problem.what.contains("too many values"), "{}", problem.what);
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let alias = format!("*a{},", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
    }
    let (problem, _) = problem(&text);
    assert!(problem.what.contains("too many values"), "{}", problem.what);
}

#[test]
fn an_alias_has_the_place_of_its_anchor() {
    let text = "x: &a {k: ü1}\ny: *a\nz: {<<: *a, l: 2}\n";
    let node = node(text);
    assert_eq!(marked(node.get("y").unwrap().get("k").unwrap(), text), "ü1");
    assert_eq!(marked(node.get("z").unwrap().get("k").unwrap(), text), "ü1");
}

#[test]
fn what_yaml_allows_but_a_model_cannot_use_is_refused_with_help() {
    for (text, what) in [
        ("a: !foo 3", "unknown tag `!foo`"),
        ("a: *b", "this alias has no anchor before it"),
        ("a: &a [*a]", "this alias stands inside what it stands for"),
        ("? [1, 2]\n: 3", "a list or a map cannot be a key"),
        ("~: 3", "a key is empty"),
    ] {
        let (problem, _) = problem(text);
        assert_eq!((problem.what.as_str(), problem.help.is_some()), (what, true), "{text}");
    }
}

#[test]
fn json_and_back_keeps_every_value() {
    let json = serde_json::json!({"z": [1, -2.5, null, true, "x"], "a": {"k": {}}});
    assert_eq!(Node::from_json(&json).to_json(), json);
    assert_eq!(serde_json::to_value(Node::from_json(&json)).unwrap(), json);
    assert_eq!(serde_json::from_value::<Node>(json.clone()).unwrap(), Node::from_json(&json));
}

#[test]
fn plain_text_shows_the_line_and_a_caret_below_the_place() {
    let mut sources = Sources::default();
    let node = read(&mut sources, "m.yaml", "name: x\nßize:\tbig one\n").unwrap();
    let problem =
        Problem::new("too big").help("make it smaller").at(node.get("ßize").unwrap().mark);
    let nowhere = Problem::new("no\u{1b}[31m place");
    assert_eq!(
        plain(&[problem, nowhere], &sources),
        "m.yaml:2:7: too big\n  2 | ßize: big one\n    |       ^^^^^^^\n  help: make it smaller\n\
         no [31m place\n"
    );
}

#[test]
fn plain_text_cuts_a_long_line_around_the_place() {
    let mut sources = Sources::default();
    let text = format!("[{}, here]", vec!["x"; 400].join(", "));
    let Value::List(items) = read(&mut sources, "m.yaml", &text).unwrap().value else {
        panic!("not a list");
    };
    let problem = Problem::new("no").at(items[400].mark);
    let rendered = plain(&[problem], &sources);
    let lines: Vec<&str> = rendered.lines().collect();
    assert!(lines.iter().all(|line| line.len() < 120), "{rendered}");
    assert_eq!(lines[1].find("here"), lines[2].find('^'), "{rendered}");
}

#[test]
fn a_near_word_is_suggested_and_a_far_one_is_not() {
    let known = ["instances", "memory", "while_calling", "at"];
    assert_eq!(suggest("instnaces", known.into_iter()), Some("instances"));
    assert_eq!(suggest("Memory", known.into_iter()), Some("memory"));
    assert_eq!(suggest("while-calling", known.into_iter()), Some("while_calling"));
    assert_eq!(suggest("balancer", known.into_iter()), None);
    assert_eq!(suggest("zz", known.into_iter()), None);
    assert_eq!(suggest(&"instances".repeat(1000), known.into_iter()), None);
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest_or_with_all() {
    let near =
        unknown("component", &At::nowhere("databse".into()), ["api", "database"].into_iter());
    assert_eq!(near.what, "unknown component `databse`");
    assert_eq!(near.help.as_deref(), Some("did you mean `database`?"));
    let far = unknown("component", &At::nowhere("queue".into()), ["api", "database"].into_iter());
    assert_eq!(far.help.as_deref(), Some("known: `api`, `database`"));
}
