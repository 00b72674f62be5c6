//! All measures by name, without a model at hand.
//!
//! Names of measures end in the names of what they belong to (`peak_line.api`). Here those of the
//! template stand for all: its names become words such as `COMPONENT`.

use crate::measure::measures;
use crate::model::template::Template;
use crate::plan::{Plan, load_and_compile};
use crate::text::Sources;

/// A measure or a family of measures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `user_outage`, `peak_line.COMPONENT`.
    pub name: String,
    /// Its unit; `1` for a share.
    pub unit: &'static str,
    /// Its definition.
    pub doc: &'static str,
}

impl Entry {
    /// Whether a measure's name belongs to it: `peak_line.api` to `peak_line.COMPONENT`, and
    /// `peak_line` too.
    pub fn is_meant(&self, name: &str) -> bool {
        let own: Vec<&str> = self.name.split('.').collect();
        let other: Vec<&str> = name.split('.').collect();
        let same = |(own, other): (&&str, &&str)| own == other || is_placeholder(own);
        other.len() <= own.len()
            && own.iter().zip(&other).all(same)
            && own[other.len()..].iter().all(|rest| is_placeholder(rest))
    }
}

fn is_placeholder(segment: &str) -> bool {
    segment.chars().all(|c| c.is_ascii_uppercase())
}

/// All measures, in the order of tables.
pub fn all() -> Vec<Entry> {
    let template = Template::new("template", "model", "experiment");
    let mut no_files = |_: &str| Err("no file is read here".to_owned());
    let mut sources = Sources::default();
    let loaded = load_and_compile(&mut sources, "template", &template.model, &[], 0, &mut no_files);
    // A test of the template sees to it that it compiles.
    let Ok((_, _, plan)) = loaded else { return Vec::new() };
    let mut entries: Vec<Entry> = Vec::new();
    for measure in measures(&plan) {
        let name = general(&plan, &measure.name);
        if !entries.iter().any(|entry| entry.name == name) {
            entries.push(Entry { name, unit: measure.unit, doc: measure.doc });
        }
    }
    entries
}

/// The name with words in the place of the plan's own names.
fn general(plan: &Plan, name: &str) -> String {
    let mut segments = name.split('.');
    let first = segments.next().unwrap_or_default().to_owned();
    segments.fold(first, |name, segment| format!("{name}.{}", placeholder(plan, segment)))
}

fn placeholder<'n>(plan: &Plan, segment: &'n str) -> &'n str {
    let people = plan.responder.as_ref();
    if plan.components.iter().any(|component| component.name == segment) {
        "COMPONENT"
    } else if plan.clients.iter().any(|client| client.name == segment) {
        "CLIENT"
    } else if plan.classes.iter().any(|class| class.name == segment) {
        "CLASS"
    } else if plan.changes.iter().any(|change| change.name == segment) {
        "CHANGE"
    } else if plan.alerts.iter().any(|alert| alert.name == segment) {
        "ALERT"
    } else if people.is_some_and(|p| p.actions.iter().any(|action| action.name == segment)) {
        "ACTION"
    } else if people.is_some_and(|p| p.hypotheses.iter().any(|h| h.name == segment)) {
        "HYPOTHESIS"
    } else {
        segment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_of_measures_are_listed_once_and_found_by_any_of_their_names() {
        let entries = all();
        let of = |name| entries.iter().filter(|e| e.is_meant(name)).collect::<Vec<_>>();
        assert_eq!(of("peak_line.anything").len(), 1);
        assert_eq!(of("peak_line")[0].name, "peak_line.COMPONENT");
        assert_eq!(of("user_outage")[0].unit, "min");
        assert!(of("user_outag").is_empty() && of("user_outage.api").is_empty());
        assert!(entries.iter().all(|entry| !entry.name.contains("api")), "{entries:?}");
    }
}
