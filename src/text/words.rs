//! "Did you mean": names that nobody knows, and the known one that is nearest.

use super::at::Name;
use super::source::Problem;

/// At most this many known names are listed when none is near.
const LISTED: usize = 20;

/// The known word that `word` was probably meant to be, if one is near enough: at most a third of
/// its letters differ (at least one may). The distance counts inserted, deleted, replaced and
/// swapped neighbouring letters (optimal string alignment); case and the choice of `-`, `_` or a
/// blank do not count. Of equally near words the first is taken.
pub fn suggest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // A word from a file may be very long, and the distance takes quadratic time.
    const LONGEST: usize = 80;
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let folded = fold(word);
    let allowed = (length / 3).max(1);
    known
        .filter(|candidate| candidate.len() <= 4 * LONGEST)
        .map(|candidate| (strsim::osa_distance(&folded, &fold(candidate)), candidate))
        .filter(|&(distance, candidate)| {
            distance <= allowed && distance < candidate.chars().count()
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

fn fold(word: &str) -> String {
    word.to_lowercase().replace(['_', ' '], "-")
}

/// The problem that `name` is not the name of any `kind` (a word like "component"), with the known
/// one that was probably meant or else with the list of the known ones.
pub fn unknown<'a>(
    kind: &str,
    name: &Name,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Problem {
    let problem = Problem::new(format!("unknown {kind} `{}`", name.value)).at(name.mark);
    problem.help(did_you_mean(&name.value, known).unwrap_or(format!("there is no {kind} yet")))
}

/// "did you mean `x`?", or the list of what is known; nothing if nothing is known.
pub(super) fn did_you_mean<'a>(
    word: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(near) = suggest(word, known.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let list = list_of(known);
    (!list.is_empty()).then(|| format!("known: {list}"))
}

/// The words in backquotes with commas between, cut after the first twenty.
pub(super) fn list_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut all = words.map(|word| format!("`{word}`"));
    let mut shown: Vec<String> = all.by_ref().take(LISTED).collect();
    let more = all.count();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}
