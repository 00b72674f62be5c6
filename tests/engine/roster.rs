//! Every word of the language is in a file that comes with the program, so that there is an example
//! of it that is known to run (the golden fingerprints run them all).
//!
//! That every mitigation is documented and survives writing and reading is checked beside the
//! families (`src/mitigation/tests.rs`); that an idle one changes nothing, on random models
//! (`laws`).

use crate::files;
use outagelab::change::What;
use outagelab::component::preset::PRESETS;
use outagelab::component::step::Step;
use outagelab::dist::Dist;
use outagelab::load::Arrivals;
use outagelab::mitigation::{BESIDES, Pick, ROSTER};
use outagelab::response::{Deed, Signal};
use outagelab::units::Span;
use schemars::{JsonSchema, schema_for};
use serde_json::Value;
use std::collections::BTreeSet;

/// The words of an enum in files, by its schema: keys of variants with content, and constants.
fn words<T: JsonSchema>() -> Vec<String> {
    let schema = serde_json::to_value(schema_for!(T)).expect("a schema is JSON");
    let mut found = Vec::new();
    for list in ["oneOf", "anyOf", "enum"] {
        for variant in schema.get(list).and_then(Value::as_array).into_iter().flatten() {
            let keys = variant.get("required").and_then(Value::as_array).into_iter().flatten();
            let constant = variant.get("const").into_iter();
            let plain = variant.get("enum").and_then(Value::as_array).into_iter().flatten();
            let all = keys.chain(constant).chain(plain).chain([variant]);
            found.extend(all.filter_map(Value::as_str).map(str::to_owned));
        }
    }
    assert!(found.len() > 3, "the schema has another shape: {schema}");
    found
}

/// Whatever stands as a key or as a bare word in the files.
fn used() -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for path in ["models", "experiments"].iter().flat_map(|f| files::below(f, &["yaml"])) {
        for line in files::text(&path).lines().filter(|l| !l.trim_start().starts_with('#')) {
            let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            used.extend(words.map(str::to_owned));
        }
    }
    used
}

#[test]
fn every_word_of_every_family_is_used_by_some_model() {
    let used = used();
    let mut all: Vec<(&str, String)> = Vec::new();
    let mut family = |name, words: Vec<String>| all.extend(words.into_iter().map(|w| (name, w)));
    let members = |list: &[outagelab::mitigation::Member]| {
        list.iter().map(|member| member.word.to_owned()).collect::<Vec<_>>()
    };
    family("mitigation", members(ROSTER));
    family("mitigation", members(BESIDES));
    family("kind", PRESETS.iter().map(|preset| preset.word.to_owned()).collect());
    family("change", words::<What>());
    family("arrivals", words::<Arrivals>());
    family("step", words::<Step>());
    family("law", words::<Dist<Span>>());
    family("pick", words::<Pick>());
    family("deed", words::<Deed>());
    family("signal", words::<Signal>());
    let missing: Vec<String> = all
        .iter()
        .filter(|(_, word)| !used.contains(word))
        .map(|(family, word)| format!("{family} {word}"))
        .collect();
    assert!(missing.is_empty(), "no model uses: {}", missing.join(", "));
}

#[test]
fn every_model_says_in_a_comment_what_it_is_and_compiles() {
    let models = files::below("models", &["yaml"]);
    assert!(models.len() >= 5);
    for path in models {
        assert!(files::text(&path).starts_with("# "), "{} opens with no comment", path.display());
        files::model(&path);
    }
}
