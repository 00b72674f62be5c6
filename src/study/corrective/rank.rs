//! The ranking: which measure saves most, and which of them cannot be told apart.

use super::check::{RANKED_BY, RoleOf};
use super::table::{Ranked, Ranking, Role, Saved};
use super::words::Is;
use crate::measure::unit;
use crate::study::estimate::{estimate, paired, ratio_interval};
use crate::study::quantity::{say, say_user_minutes};
use crate::study::result::VariantRows;

/// Ranks the corrective variants by the user-minutes that they save; none without any.
#[must_use]
pub fn ranking(roles: &[RoleOf], variants: &[VariantRows]) -> Option<Ranking> {
    let lost: Vec<Vec<f64>> = variants.iter().map(|rows| rows.values(RANKED_BY)).collect();
    let corrective: Vec<usize> =
        (1..roles.len()).filter(|&place| roles[place].is == Is::Corrective).collect();
    if corrective.is_empty() {
        return None;
    }
    let ranked: Vec<usize> =
        corrective.iter().copied().filter(|&place| roles[place].is_ranked()).collect();
    let mut measures: Vec<Ranked> = Vec::new();
    for &place in &corrective {
        let role = &roles[place];
        let mut measure = Ranked {
            name: variants[place].name.clone(),
            role: match (role.is_combination, role.assumed.is_empty()) {
                (true, _) => Role::Combination,
                (false, true) => Role::Single,
                (false, false) => Role::Assumed,
            },
            saved: saved(&lost[0], &lost[place]),
            assumed: role.assumed.clone(),
            ..Ranked::default()
        };
        if role.is_ranked() {
            rank(&mut measure, place, &ranked, &lost, variants);
        }
        measures.push(measure);
    }
    measures.sort_by(|a, b| a.role.cmp(&b.role).then(more(&a.saved, &b.saved)));
    let best = best(&measures);
    let worth_most = worth_most(&measures, &best);
    Some(Ranking { measures, worth_most, best })
}

/// Rank and ties of one measure among the others.
fn rank(
    measure: &mut Ranked,
    place: usize,
    ranked: &[usize],
    lost: &[Vec<f64>],
    variants: &[VariantRows],
) {
    let (mut better, mut worse) = (0, 0);
    for &other in ranked.iter().filter(|&&other| other != place) {
        match order(&lost[place], &lost[other]) {
            Some(true) => worse += 1,
            Some(false) => better += 1,
            None => measure.ties.push(variants[other].name.clone()),
        }
    }
    measure.rank = Some(1 + better);
    measure.rank_at_most = Some(ranked.len() as u64 - worse);
}

/// Those that save most first; what has no number is last.
pub fn more(a: &Saved, b: &Saved) -> std::cmp::Ordering {
    a.mean.is_nan().cmp(&b.mean.is_nan()).then(b.mean.total_cmp(&a.mean))
}

/// Whether the first of two variants loses less than the second; none if the 95 % interval of their
/// paired difference includes no difference.
#[must_use]
pub fn order(first: &[f64], second: &[f64]) -> Option<bool> {
    let (low, high) = paired(first, second).ci95;
    match () {
        () if low > 0.0 => Some(true),
        () if high < 0.0 => Some(false),
        () => None,
    }
}

/// What a variant saves against the baseline.
#[must_use]
pub fn saved(baseline: &[f64], variant: &[f64]) -> Saved {
    let found = paired(variant, baseline);
    // The baseline may have more replicas; only the paired ones count.
    let pairs = baseline.iter().zip(variant).filter(|(b, v)| !(*b - *v).is_nan());
    let (base, less): (Vec<f64>, Vec<f64>) = pairs.map(|(b, v)| (*b, b - v)).unzip();
    let mean = estimate(&base).mean;
    let ((low, high), (share_low, share_high)) = (found.ci95, ratio_interval(&less, &base));
    Saved {
        mean: found.mean,
        ci95: [low, high],
        share: if mean > 0.0 { found.mean / mean } else { f64::NAN },
        share_ci95: [share_low, share_high],
    }
}

/// The first of the ranked measures and those that cannot be told apart from it, if it saves
/// anything.
fn best(measures: &[Ranked]) -> Vec<String> {
    match measures.first() {
        Some(first) if first.role == Role::Single && first.saved.ci95[0] > 0.0 => {
            let tied = |measure: &&Ranked| first.ties.contains(&measure.name);
            let tied = measures.iter().filter(tied).map(|measure| measure.name.clone());
            std::iter::once(first.name.clone()).chain(tied).collect()
        }
        _ => Vec::new(),
    }
}

fn worth_most(measures: &[Ranked], best: &[String]) -> String {
    let Some(first) = measures.first().filter(|first| first.role == Role::Single) else {
        return "No corrective measure stands alone with a simulated effect.".to_owned();
    };
    let said = |saved: &Saved| {
        let [low, high] = saved.ci95;
        let minutes = say_user_minutes(saved.mean, (low, high));
        format!("{minutes}, {} of what is lost without it", say(saved.share, unit::SHARE))
    };
    match best {
        [] => format!(
            "No corrective measure alone saves user-minutes beyond its interval; `{}` saves {}.",
            first.name,
            said(&first.saved)
        ),
        [only] => format!("Worth most: `{only}`, which saves {}.", said(&first.saved)),
        [leader, tied @ ..] => format!(
            "Worth most: `{leader}`, which saves {}; it cannot be told apart from {}.",
            said(&first.saved),
            listed(tied, 4)
        ),
    }
}

/// The first names of a list in words.
pub fn listed(names: &[String], most: usize) -> String {
    let mut quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    if names.len() > most {
        quoted.truncate(most - 1);
        quoted.push(format!("{} others", names.len() - quoted.len()));
    }
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}
