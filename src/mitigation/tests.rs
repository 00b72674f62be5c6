//! What every member has to pass.

use std::collections::BTreeMap;

use super::*;

fn examples() -> Vec<(Member, Vec<LayerSpec>)> {
    let read = |member: &Member| {
        let layers = serde_saphyr::from_str(member.example())
            .unwrap_or_else(|error| panic!("example of {}: {error}", member.word));
        (*member, layers)
    };
    ROSTER.iter().map(read).collect()
}

#[test]
fn every_example_reads_passes_its_check_and_shows_its_word() {
    for (member, layers) in examples() {
        assert!(layers.iter().any(|layer| layer.word() == member.word), "{}", member.word);
        for layer in layers {
            assert_eq!(layer.check(), Ok(()), "{}", member.word);
        }
    }
}

#[test]
fn the_example_of_pick_reads() {
    let example = BESIDES.iter().find(|member| member.word == "pick").unwrap().example();
    let read: BTreeMap<String, balance::BalanceSpec> = serde_saphyr::from_str(example).unwrap();
    assert_eq!(read["pick"], balance::BalanceSpec::PowerOfTwo);
}

#[test]
fn every_layer_survives_writing_and_reading() {
    for layer in examples().into_iter().flat_map(|(_, layers)| layers) {
        let text = serde_json::to_string(&layer).unwrap();
        let again: LayerSpec = serde_json::from_str(&text).unwrap();
        assert_eq!(again, layer, "{text}");
    }
}

#[test]
fn unknown_words_inside_a_layer_are_refused() {
    for member in ROSTER {
        let text = format!("- {}: {{surprise: 1}}", member.word);
        let error = serde_saphyr::from_str::<Vec<LayerSpec>>(&text).unwrap_err().to_string();
        assert!(error.contains("surprise"), "{error}");
    }
}

#[test]
fn every_member_is_explained_with_its_source_an_example_and_its_traps() {
    for member in ROSTER.iter().chain(BESIDES) {
        for part in ["Source", "```yaml\n", "Traps"] {
            assert!(member.explain.contains(part), "{} lacks {part}", member.word);
        }
        assert!(member.summary.ends_with('.') && member.summary.len() < 90, "{}", member.word);
    }
}

#[test]
fn the_schema_knows_every_word_and_its_summary() {
    let schema = serde_json::to_string(&schemars::schema_for!(LayerSpec)).unwrap();
    for member in ROSTER {
        assert!(schema.contains(&format!("\"{}\"", member.word)), "{}", member.word);
        assert!(schema.contains(member.summary), "{}", member.summary);
    }
}
