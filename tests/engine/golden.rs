//! Golden fingerprints: every model that comes with the program runs as it did when the file was
//! written.
//!
//! A fingerprint hashes what can be observed (time, request, attempts, outcome; time, instance,
//! state). A faster engine leaves it alone; a change of what happens does not. After a change that
//! is meant:
//!
//! `OUTAGELAB_BLESS=1 cargo test --test engine golden`

use crate::files;
use outagelab::sim::run;
use outagelab::units::{HOUR, MINUTE};
use std::fmt::Write as _;

const GOLDEN: &str = "tests/golden.txt";
const HEAD: &str = "\
# Fingerprints of the models with seed 1: file, replica, fingerprint, requests of clients.
# Benchmarks run for one minute, the others for at most 12 hours.
";

#[test]
fn golden_fingerprints_of_all_models_are_unchanged() {
    let mut found = HEAD.to_owned();
    for path in files::below("models", &["yaml"]) {
        let name = files::name(&path);
        let mut plan = files::model(&path);
        plan.horizon =
            plan.horizon.min(if name.contains("benchmark") { MINUTE } else { 12 * HOUR });
        for replica in 0..2 {
            let outcome = run(&plan, replica);
            let requests: u64 = outcome.clients.iter().map(|client| client.sent).sum();
            writeln!(found, "{name} {replica} {:016x} {requests}", outcome.fingerprint)
                .expect("a string takes everything");
        }
    }
    let path = files::root().join(GOLDEN);
    if std::env::var_os("OUTAGELAB_BLESS").is_some() {
        std::fs::write(&path, &found).expect("the file can be written");
        return;
    }
    let golden = files::text(&path);
    let differ: Vec<&str> = found.lines().filter(|l| !golden.lines().any(|g| g == *l)).collect();
    let help = "if this is meant: OUTAGELAB_BLESS=1 cargo test --test engine golden";
    assert!(found == golden, "{GOLDEN} does not know:\n{}\n{help}", differ.join("\n"));
}
