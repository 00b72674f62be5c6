//! The outage of 10 July 2024: its numbers have origins, and its claims need their causes.

use crate::files;
use outagelab::model::load::load;
use outagelab::model::origins::{numbers_without_origin, unknown_paths};
use outagelab::study::{Options, check, claims_without_cause};
use outagelab::text::{Sources, plain};

const MODEL: &str = "models/2024-07-10-rate-limiter-leak.yaml";
const EXPERIMENT: &str = "experiments/2024-07-10-rate-limiter-leak.yaml";

#[test]
fn every_number_of_the_model_says_where_it_comes_from() {
    let text = files::text(&files::root().join(MODEL));
    let mut sources = Sources::default();
    let loaded = load(&mut sources, MODEL, &text, &[]);
    assert!(loaded.problems.is_empty(), "{}", plain(&loaded.problems, &sources));
    let (model, node) = (loaded.model.unwrap(), loaded.node.unwrap());
    assert_eq!(numbers_without_origin(&node, &model), Vec::<String>::new());
    assert!(unknown_paths(&node, &model).is_empty());
}

/// Sixty replicas are too few to show some claims, and enough to refute each one without its
/// cause: an open verdict, for want of replicas, counts as a failure here.
#[test]
fn every_claim_is_refuted_when_its_cause_is_taken_away() {
    let path = files::root().join(EXPERIMENT);
    let mut sources = Sources::default();
    let mut read = |path: &str| std::fs::read_to_string(path).map_err(|e| e.to_string());
    let checked = check(&mut sources, &path.to_string_lossy(), &files::text(&path), &mut read)
        .unwrap_or_else(|problems| panic!("{}", plain(&problems, &sources)));
    let options = Options { replicas: Some(60), ..Options::default() };
    let ablations = claims_without_cause(&checked, &options, &|_, _| {});
    let claims = files::text(&path).matches("  - claim:").count();
    assert_eq!(ablations.len(), claims, "every claim has an `unless`");
    for ablation in ablations {
        let is_refuted = !ablation.holds && !ablation.is_open;
        let (claim, without, evidence) = (ablation.claim, ablation.without, ablation.evidence);
        assert!(is_refuted, "{claim}: without {without}: {evidence}");
    }
}
