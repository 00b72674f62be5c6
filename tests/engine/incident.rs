//! The founding incidents: their numbers have origins, and their claims need their causes.

use crate::files;
use outagelab::model::load::load;
use outagelab::model::origins::{numbers_without_origin, unknown_paths};
use outagelab::study::{Options, check, claims_without_cause};
use outagelab::text::{Sources, plain};

macro_rules! incidents {
    ($($name:ident: $key:literal, $replicas:literal,)*) => {
        $(
            mod $name {
                #[test]
                fn every_number_of_the_model_says_where_it_comes_from() {
                    super::numbers_have_origins($key);
                }

                #[test]
                fn every_claim_is_refuted_when_its_cause_is_taken_away() {
                    super::claims_need_their_causes($key, $replicas);
                }
            }
        )*
    };
}

// With the number of replicas that is enough to refute each claim without its cause.
incidents! {
    routing_crash: "2024-06-05-routing-crash", 60,
    runaway_client: "2024-06-20-runaway-client", 16,
    memory_leak: "2024-08-10-memory-leak", 16,
    rate_limiter_leak: "2024-07-10-rate-limiter-leak", 60,
    bulk_endpoint: "2024-08-10-bulk-endpoint", 60,
}

fn numbers_have_origins(key: &str) {
    let path = format!("models/{key}.yaml");
    let text = files::text(&files::root().join(&path));
    let mut sources = Sources::default();
    let loaded = load(&mut sources, &path, &text, &[]);
    assert!(loaded.problems.is_empty(), "{}", plain(&loaded.problems, &sources));
    let (model, node) = (loaded.model.unwrap(), loaded.node.unwrap());
    assert_eq!(numbers_without_origin(&node, &model), Vec::<String>::new());
    assert!(unknown_paths(&node, &model).is_empty());
}

/// So few replicas show only some claims, and are enough to refute each one without its cause: an
/// open verdict, for want of replicas, counts as a failure here.
fn claims_need_their_causes(key: &str, replicas: u64) {
    let path = files::root().join(format!("experiments/{key}.yaml"));
    let mut sources = Sources::default();
    let mut read = |path: &str| std::fs::read_to_string(path).map_err(|e| e.to_string());
    let checked = check(&mut sources, &path.to_string_lossy(), &files::text(&path), &mut read)
        .unwrap_or_else(|problems| panic!("{}", plain(&problems, &sources)));
    let options = Options { replicas: Some(replicas), ..Options::default() };
    let ablations = claims_without_cause(&checked, &options, &|_, _| {});
    let claims = files::text(&path).matches("  - claim:").count();
    assert_eq!(ablations.len(), claims, "every claim has an `unless`");
    for ablation in ablations {
        let is_refuted = !ablation.holds && !ablation.is_open;
        let (claim, without, evidence) = (ablation.claim, ablation.without, ablation.evidence);
        assert!(is_refuted, "{claim}: without {without}: {evidence}");
    }
}
