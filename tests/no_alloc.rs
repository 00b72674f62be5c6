//! After the warm-up the hot loop does not allocate: a run that is twice as long, with twice as
//! many requests, allocates only what belongs to time and not to requests.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use outagelab::plan::{Plan, load_and_compile};
use outagelab::sim::run;
use outagelab::text::Sources;
use outagelab::units::MINUTE;

/// The system's allocator, counting.
struct Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is handed on unchanged; counting touches no memory of the allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of one run of W3, and its requests.
fn of_a_run(plan: &mut Plan, minutes: u64) -> (u64, u64) {
    plan.horizon = minutes * MINUTE;
    let before = COUNT.load(Ordering::Relaxed);
    let outcome = run(plan, 0);
    let count = COUNT.load(Ordering::Relaxed) - before;
    (count, outcome.clients[0].sent)
}

/// What each bucket of a minute may allocate: the histogram of the latencies of each class (a box
/// and its counts, which grow in a few steps).
const FOR_A_BUCKET: u64 = 16;
/// Lists of buckets double, and now and then more requests are in flight than ever before.
const FOR_GROWTH: u64 = 64;

#[test]
fn the_hot_loop_of_w3_does_not_allocate_after_its_warm_up() {
    let text = include_str!("../models/benchmark/w3.yaml");
    let mut no_files = |name: &str| Err(format!("{name}: no files here"));
    let mut sources = Sources::default();
    let compiled = load_and_compile(&mut sources, "w3.yaml", text, &[], 1, &mut no_files);
    let (_, _, mut plan) = compiled.expect("the benchmark compiles");
    // The meters' bucket is fixed when the model is compiled; a minute, as for all short runs.
    plan.bucket = MINUTE;
    let _ = of_a_run(&mut plan, 1);
    let (short, some) = of_a_run(&mut plan, 4);
    let (long, more) = of_a_run(&mut plan, 8);
    assert!(more > some + 200_000, "{some} and {more} requests");
    let allowed = 4 * FOR_A_BUCKET + FOR_GROWTH;
    let extra = long.saturating_sub(short);
    assert!(extra <= allowed, "{extra} allocations for {} more requests", more - some);
}
