//! An allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

/// The system's allocator, counting.
struct Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);
/// Whether bytes are counted, too; only where they are asked for.
static COUNTS_BYTES: AtomicBool = AtomicBool::new(false);
static BYTES: AtomicI64 = AtomicI64::new(0);

fn more(bytes: i64) {
    if COUNTS_BYTES.load(Relaxed) {
        BYTES.fetch_add(bytes, Relaxed);
    }
}

// SAFETY: every call is handed on unchanged; counting touches no memory of the allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Relaxed);
        more(layout.size() as i64);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        more(-(layout.size() as i64));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Relaxed);
        more(size as i64 - layout.size() as i64);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this process so far.
pub fn so_far() -> u64 {
    COUNT.load(Relaxed)
}

/// What `make` makes, and the bytes that it keeps: those allocated meanwhile and not given back.
#[cfg(feature = "cli")]
pub fn bytes_kept<T>(make: impl FnOnce() -> T) -> (T, i64) {
    COUNTS_BYTES.store(true, Relaxed);
    let before = BYTES.load(Relaxed);
    let made = make();
    let kept = BYTES.load(Relaxed) - before;
    COUNTS_BYTES.store(false, Relaxed);
    (made, kept)
}
