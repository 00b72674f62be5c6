//! What a line is about, without times and numbers, so that the same is found in another run.

use super::words::Names;
use crate::sim::story::{Death, What};

/// The topic of a happening.
pub(super) fn topic(names: &Names, what: &What) -> String {
    let plan = names.plan;
    let component = |instance: u32| names.component(names.component_of(instance));
    let change = |id: u32| plan.changes.get(id as usize).map_or("?", |change| &change.name);
    let alert = |id: u32| plan.alerts.get(id as usize).map_or("?", |alert| &alert.name);
    let people = plan.responder.as_ref();
    let hypothesis = |id: u32| {
        people
            .and_then(|p| p.hypotheses.get(id as usize))
            .map_or("?", |hypothesis| &hypothesis.name)
    };
    let action = |id: u32| {
        people.and_then(|p| p.actions.get(id as usize)).map_or("?", |action| &action.name)
    };
    match *what {
        What::Change { change: id, begins: true } => format!("change begins {}", change(id)),
        What::Change { change: id, .. } => format!("change ends {}", change(id)),
        What::RolloutStops { change: id, .. } => format!("rollout stops {}", change(id)),
        What::BugStruck { bug, .. } => format!("bug {}", names.bug(bug)),
        What::AllWorkersHeld { instance, .. } => format!("workers held {}", component(instance)),
        What::LineFull { instance, .. } => format!("line full {}", component(instance)),
        What::PoolExhausted { instance, .. } => format!("pool exhausted {}", component(instance)),
        What::MemoryPressure { instance, .. } => format!("memory {}", component(instance)),
        What::Stalled { instance, .. } => format!("stalled {}", component(instance)),
        What::Died { instance, death } => {
            let why = match death {
                Death::Change => "change".to_owned(),
                Death::Replaced => "replaced".to_owned(),
                Death::OutOfMemory { .. } => "memory".to_owned(),
                Death::Bug(bug) => names.bug(bug).to_owned(),
            };
            format!("died {} {why}", component(instance))
        }
        What::CameUp { instance } => format!("came up {}", component(instance)),
        What::Unfit { instance } => format!("unfit {}", component(instance)),
        What::Fit { instance } => format!("fit {}", component(instance)),
        What::Breaker { edge, open, .. } => {
            let name = plan.edges.get(edge as usize).map_or("?", |edge| &edge.name);
            format!("breaker {} {name}", if open { "opens" } else { "closes" })
        }
        What::AlertPending { alert: id, .. } => format!("alert pending {}", alert(id)),
        What::AlertFires { alert: id, .. } => format!("alert fires {}", alert(id)),
        What::AlertResolved { alert: id } => format!("alert resolved {}", alert(id)),
        What::Acknowledged => "acknowledged".to_owned(),
        What::Noticed { evidence, .. } => {
            let name = plan.evidence.get(evidence as usize).map_or("?", |evidence| &evidence.name);
            format!("notices {name}")
        }
        What::Suspects { hypothesis: id, .. } => format!("suspects {}", hypothesis(id)),
        What::Finds { hypothesis: id, .. } => format!("finds {}", hypothesis(id)),
        What::Escalates => "escalates".to_owned(),
        What::Escalated => "escalated".to_owned(),
        What::Decides { action: id } => format!("decides {}", action(id)),
        What::Acts { action: id } => format!("acts {}", action(id)),
        What::Judges { action: id, .. } => format!("judges {}", action(id)),
        What::AtALoss => "at a loss".to_owned(),
        What::DeclaredOver => "declared over".to_owned(),
    }
}
