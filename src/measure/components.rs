//! What happened in each component.

use super::unit::{COUNT, MEBIBYTES, REQUESTS, SHARE};
use super::view::View;
use super::{Better, Measure};
use crate::plan::{ComponentPlan, Plan};
use crate::sim::outcome::ComponentOutcome;

pub(super) fn measures(plan: &Plan) -> Vec<Measure> {
    let mut all = vec![Measure::new(
        "instances",
        COUNT,
        "Instances of all components at the start of the run: the machines that it takes.",
        |view| Some(view.plan.components.iter().map(|c| f64::from(c.instances)).sum()),
    )];
    for (id, component) in plan.components.iter().enumerate() {
        // A middleware has no process of its own; what it raises counts at its host.
        if component.instances > 0 {
            station(&mut all, id, component);
        }
        push(
            &mut all,
            ("exceptions", &component.name, COUNT),
            "Exceptions that bugs of the component raised over the run.",
            id,
            |component| component.exceptions as f64,
        );
    }
    all
}

fn station(all: &mut Vec<Measure>, id: usize, plan: &ComponentPlan) {
    let name = &plan.name;
    if plan.memory.is_some() {
        push(
            all,
            ("peak_memory", name, MEBIBYTES),
            "The most memory in use by one instance of the component, over the run.",
            id,
            |component| mebibytes(component.peak_memory),
        );
        push(
            all,
            ("final_memory", name, MEBIBYTES),
            "Memory in use by the fullest instance of the component at the end of the run.",
            id,
            |component| mebibytes(component.final_memory),
        );
    }
    push(
        all,
        ("peak_line", name, REQUESTS),
        "The longest waiting line of one instance of the component, over the run.",
        id,
        |component| f64::from(component.peak_line),
    );
    if plan.workers != u32::MAX {
        let workers = f64::from(plan.workers) * f64::from(plan.instances);
        utilisation(all, id, name, workers);
    }
    if !plan.caches.is_empty() {
        let measure = Measure::new(
            format!("hit_ratio.{name}"),
            SHARE,
            "The share of the looks into caches of the component that found what they wanted, \
             since the warm-up.",
            move |view| {
                let component = &view.outcome.components[id];
                (component.lookups > 0).then(|| component.hits as f64 / component.lookups as f64)
            },
        );
        all.push(measure.better(Better::Neither));
    }
    push(
        all,
        ("deaths", name, COUNT),
        "Processes of the component that died over the run, replaced ones included.",
        id,
        |component| component.deaths as f64,
    );
    push(
        all,
        ("mean_present", name, REQUESTS),
        "Time average of the requests in all instances of the component, waiting or being served, \
         since the warm-up.",
        id,
        |component| component.mean_present,
    );
    push(
        all,
        ("mean_waiting", name, REQUESTS),
        "Time average of the requests that wait for a worker in all instances of the component, \
         since the warm-up.",
        id,
        |component| component.mean_waiting,
    );
}

fn utilisation(all: &mut Vec<Measure>, id: usize, name: &str, workers: f64) {
    let measure = Measure::new(
        format!("utilisation.{name}"),
        SHARE,
        "Time average of the share of workers in use, over all instances that the component has at \
         the start and since the warm-up.",
        move |view| (workers > 0.0).then(|| view.outcome.components[id].mean_busy / workers),
    );
    all.push(measure.better(Better::Neither));
    let measure = Measure::new(
        format!("utilisation_before.{name}"),
        SHARE,
        "The same time average of the share of workers in use, over the minutes before the \
         trigger.",
        move |view| utilisation_before(view, id, workers),
    );
    all.push(measure.better(Better::Neither));
}

fn utilisation_before(view: &View, id: usize, workers: f64) -> Option<f64> {
    let trigger = view.trigger().unwrap_or(view.outcome.end);
    let buckets = view.outcome.components[id].buckets.iter().enumerate();
    let before = buckets.map(|(index, bucket)| (view.bucket(index).to, bucket));
    let (to, bucket) = before.take_while(|(to, _)| *to <= trigger).last()?;
    let time = to.saturating_sub(view.plan.warm_up) as f64;
    (time > 0.0 && workers > 0.0).then(|| bucket.busy as f64 / time / workers)
}

/// Adds a measure `family.component` that reads a component's outcome.
fn push(
    all: &mut Vec<Measure>,
    (family, component, unit): (&str, &str, &'static str),
    doc: &'static str,
    id: usize,
    read: fn(&ComponentOutcome) -> f64,
) {
    let name = format!("{family}.{component}");
    all.push(Measure::new(name, unit, doc, move |view| Some(read(&view.outcome.components[id]))));
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
