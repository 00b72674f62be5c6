//! `explain`: what a word means.

use super::lexicon::{self, ANY_NAME, Word};
use super::{Done, Verdict, measures, say};
use crate::component::WhileCalling;
use crate::component::preset::{PRESETS, Preset};
use crate::mitigation::{BESIDES, Member, ROSTER};
use crate::plot::PLOTS;
use crate::text::{Problem, suggest};
use std::collections::BTreeSet;

/// Meanings of one word that are shown at most.
const SHOWN: usize = 8;

/// Explain a word of the language: a mitigation, a law, a change, a measure, any key or value.
///
/// Takes a word (`retry`, `exponential`, `patience`) or a place in a file
/// (`components.api.line.capacity`, `line.capacity`).
#[derive(clap::Args)]
pub struct Args {
    /// The word, or a dotted path.
    name: String,
}

/// Prints what the word means.
pub fn explain(args: &Args) -> Verdict {
    let words = lexicon::words();
    let name = args.name.trim();
    let mut parts: Vec<String> = Vec::new();
    parts.extend(ROSTER.iter().chain(BESIDES).filter(|m| m.word == name).map(mitigation));
    parts.extend(PRESETS.iter().filter(|preset| preset.word == name).map(kind));
    parts.extend(
        PLOTS
            .iter()
            .filter(|plot| plot.name == name)
            .map(|plot| format!("{}: a plot. {}.\n  {}\n", plot.name, plot.title, plot.caption)),
    );
    let measures = measures::all();
    parts.extend(measures.iter().filter(|measure| measure.is_meant(name)).map(measure));
    parts.extend(meanings(&words, name));
    if parts.is_empty() {
        return Err(unknown(&words, &measures, name).into());
    }
    say::print(&parts.join("\n"))?;
    Ok(Done::Well)
}

fn mitigation(member: &Member) -> String {
    format!("{}: a mitigation. {}\n\n{}", member.word, member.summary, indented(member.explain))
}

fn measure(measure: &measures::Entry) -> String {
    let unit = match measure.unit {
        "1" => "a share, or a probability".to_owned(),
        "" => "a number".to_owned(),
        unit => unit.to_owned(),
    };
    format!("{}: a measure\n{}  unit: {unit}\n", measure.name, indented(measure.doc))
}

fn kind(preset: &Preset) -> String {
    let workers = match preset.workers.map(|workers| workers.0) {
        None => "as the file says".to_owned(),
        Some(None) => "unlimited".to_owned(),
        Some(Some(number)) => number.to_string(),
    };
    let calling = match preset.while_calling {
        None => "as the file says",
        Some(WhileCalling::Hold) => "hold",
        Some(WhileCalling::Release) => "release",
    };
    format!(
        "{}: a kind of component; {}\n  workers: {workers}\n  while_calling: {calling}\n",
        preset.word, preset.summary
    )
}

/// What the word means in files.
fn meanings(words: &[Word], name: &str) -> Vec<String> {
    let found = find(words, name);
    let more = found.len().saturating_sub(SHOWN);
    let mut parts: Vec<String> = found.into_iter().take(SHOWN).map(meaning).collect();
    if more > 0 {
        parts.push(format!("and {more} more; name the word before it too, as in `line.{name}`\n"));
    }
    parts
}

/// The words that a name means: by their whole path, or by its end, or without its first parts.
fn find<'w>(words: &'w [Word], name: &str) -> Vec<&'w Word> {
    let segments: Vec<&str> = name.split('.').map(str::trim).filter(|s| !s.is_empty()).collect();
    for skipped in 0..segments.len() {
        let wanted = &segments[skipped..];
        let found: Vec<&Word> = words.iter().filter(|word| is_meant(word, wanted)).collect();
        // A part of a path of another place says little about it by a single common word.
        if !found.is_empty() && (skipped == 0 || wanted.len() > 1) {
            return found;
        }
    }
    Vec::new()
}

fn is_meant(word: &Word, wanted: &[&str]) -> bool {
    let value = word.is_value.then_some(word.word.as_str());
    let path: Vec<&str> = word.path.iter().map(String::as_str).chain(value).collect();
    let Some(start) = path.len().checked_sub(wanted.len()) else { return false };
    let is_last_right = path.last() == wanted.last();
    // A user's own name stands for `NAME` only in a whole path.
    let same = |(a, b): (&&str, &&str)| a == b || (*a == ANY_NAME && start == 0);
    is_last_right && path[start..].iter().zip(wanted).all(same)
}

fn meaning(word: &Word) -> String {
    let what = if word.is_value { "a value" } else { "a word" };
    let mut out = format!(
        "{}: {what} in {} files, for example at {}\n",
        word.word,
        word.file.word(),
        word.place()
    );
    out.push_str(&indented(&word.doc));
    if !word.takes.is_empty() && word.takes != word.doc {
        let first = word.takes.lines().next().unwrap_or_default();
        out.push_str(&format!("  takes: {first}\n"));
    }
    if !word.inside.is_empty() {
        out.push_str(&format!("  words inside: {}\n", word.inside.join(", ")));
    }
    match &word.default {
        Some(default) => out.push_str(&format!("  default: {default}\n")),
        None if word.is_required => out.push_str("  required\n"),
        None => {}
    }
    out
}

fn indented(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") };
    text.lines().map(line).collect()
}

fn unknown(words: &[Word], measures: &[measures::Entry], name: &str) -> Problem {
    let known: BTreeSet<&str> = words
        .iter()
        .map(|word| word.word.as_str())
        .chain(ROSTER.iter().chain(BESIDES).map(|member| member.word))
        .chain(measures.iter().filter_map(|measure| measure.name.split('.').next()))
        .collect();
    let last = name.rsplit('.').next().unwrap_or(name);
    let help = match suggest(last, known.into_iter()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`outagelab list` shows what there is".to_owned(),
    };
    Problem::new(format!("nothing is known about `{name}`")).help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_language_and_every_measure_is_explained_by_its_place() {
        let words = lexicon::words();
        for word in &words {
            let place = word.place().replace(": ", ".");
            assert!(find(&words, &place).contains(&word), "{place}");
        }
        for entry in measures::all() {
            assert!(entry.is_meant(&entry.name) && !entry.doc.is_empty());
        }
    }

    fn places(name: &str) -> Vec<String> {
        find(&lexicon::words(), name).iter().map(|word| word.place()).collect()
    }

    #[test]
    fn a_path_is_found_whole_by_its_end_and_with_names_of_the_user() {
        let capacity = ["components.NAME.line.capacity"];
        assert_eq!(places("components.api.line.capacity"), capacity);
        assert_eq!(places("line.capacity"), capacity);
        assert!(places("capacity").contains(&capacity[0].to_owned()));
        assert_eq!(places("line.discipline.fifo"), ["components.NAME.line.discipline: fifo"]);
        assert!(!places("components.api.layers.retry").is_empty());
    }

    #[test]
    fn a_wrong_word_at_the_end_of_a_path_is_unknown() {
        assert!(places("components.api.line.capcity").is_empty());
        assert!(places("capcity").is_empty());
        assert!(places("").is_empty() && places("...").is_empty());
        let help = unknown(&lexicon::words(), &[], "line.capcity").help.unwrap();
        assert!(help.contains("`capacity`"), "{help}");
    }
}
