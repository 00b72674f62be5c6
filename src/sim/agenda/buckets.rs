//! A ring of buckets of equal width, for what comes within a window.
//!
//! A bit for each bucket says whether there is something in it, so that empty ones cost nothing and
//! the width can be small: most buckets then hold one entry or none, and nothing has to be kept in
//! order.

use super::packed::{Entry, Packed};
use crate::units::Nanos;

/// Buckets of the ring, and words of bits that say which of them have entries.
pub(super) const BUCKETS: usize = 2048;
const WORDS: usize = BUCKETS / 64;
/// Entries in the ring at most. Numbers below are masked, which spares a check.
const PLACES: usize = 4096;
/// A bucket with more entries than this is not looked through.
const CROWD: usize = 32;
/// At first a bucket is as wide as 2^20 ns, about a millisecond.
const FIRST_SHIFT: u32 = 20;
/// No entry.
const NONE: u16 = u16::MAX;

/// The place of an entry.
#[inline(always)]
fn place(entry: u16) -> usize {
    usize::from(entry) % PLACES
}

/// Entries by bucket, and within one in no order.
#[derive(Debug)]
pub(super) struct Buckets {
    /// By bucket: its newest entry.
    newest: [u16; BUCKETS],
    /// Which buckets have entries, and which words of that are not 0.
    occupied: [u64; WORDS],
    words: u32,
    /// A bucket is 2 to the power of this wide, in nanoseconds.
    shift: u32,
    /// Where the window begins, in widths. No entry is before.
    at: u64,
    entries: Box<[Entry; PLACES]>,
    /// By entry: the next older one of the same bucket, or the next free one.
    older: Box<[u16; PLACES]>,
    free: u16,
    /// Places that have ever been used.
    used: u16,
    len: usize,
}

/// The entry with the smallest key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Least {
    pub key: u128,
    bucket: usize,
    entry: u16,
    /// The next newer one of its bucket.
    newer: u16,
}

impl Buckets {
    pub fn new() -> Buckets {
        Buckets {
            newest: [NONE; BUCKETS],
            occupied: [0; WORDS],
            words: 0,
            shift: FIRST_SHIFT,
            at: 0,
            entries: boxed(Entry::default()),
            older: boxed(NONE),
            free: NONE,
            used: 0,
            len: 0,
        }
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.words == 0
    }

    /// Places that have been used so far.
    pub fn capacity(&self) -> usize {
        usize::from(self.used)
    }

    /// The width of a bucket, as a power of two.
    pub fn shift(&self) -> u32 {
        self.shift
    }

    /// The window begins at this time, up to which all entries have been taken.
    #[inline(always)]
    pub fn begin_at(&mut self, now: Nanos) {
        self.at = now >> self.shift;
    }

    /// Whether so many entries up to a time would all be taken in.
    pub fn have_room_for(&self, entries: usize, last: Nanos) -> bool {
        (last >> self.shift) - self.at < BUCKETS as u64 && self.len + entries <= PLACES
    }

    /// Puts an entry in, which is not before the window. False if it is beyond the window, or there
    /// is no room.
    #[inline(always)]
    pub fn put(&mut self, key: u128, event: Packed) -> bool {
        let index = ((key >> 64) as Nanos) >> self.shift;
        if index - self.at >= BUCKETS as u64 {
            return false;
        }
        let mut entry = self.free;
        if entry == NONE {
            entry = self.new_entry();
            if entry == NONE {
                return false;
            }
        }
        let bucket = index as usize % BUCKETS;
        let place = place(entry);
        self.entries[place].set(key, event);
        self.free = std::mem::replace(&mut self.older[place], self.newest[bucket]);
        self.newest[bucket] = entry;
        self.occupied[bucket / 64] |= 1 << (bucket % 64);
        self.words |= 1 << (bucket / 64);
        self.len += 1;
        true
    }

    /// An entry that has never been used, if there is one.
    #[cold]
    #[inline(never)]
    fn new_entry(&mut self) -> u16 {
        if usize::from(self.used) == PLACES {
            return NONE;
        }
        self.used += 1;
        self.used - 1
    }

    /// The first bucket that has entries; there must be one.
    #[inline(always)]
    fn first_bucket(&self) -> usize {
        let start = self.at as usize % BUCKETS;
        let word = start / 64;
        let here = self.occupied[word] & (u64::MAX << (start % 64));
        if here != 0 {
            return word * 64 + here.trailing_zeros() as usize;
        }
        self.first_bucket_after(word)
    }

    /// The first bucket that has entries from the next word on, all around the ring.
    #[inline(never)]
    fn first_bucket_after(&self, word: usize) -> usize {
        let words = self.words.rotate_right(word as u32 + 1);
        let word = (word + 1 + words.trailing_zeros() as usize) % WORDS;
        word * 64 + self.occupied[word].trailing_zeros() as usize % 64
    }

    /// A bucket has no entries any more.
    #[inline(always)]
    fn vacate(&mut self, bucket: usize) {
        self.newest[bucket] = NONE;
        let word = bucket / 64;
        self.occupied[word] &= !(1 << (bucket % 64));
        if self.occupied[word] == 0 {
            self.words &= !(1 << word);
        }
    }

    /// The entry with the smallest key, if the first bucket that has entries, of which there must
    /// be one, has no other.
    #[inline(always)]
    pub fn sole(&self) -> Option<Least> {
        let bucket = self.first_bucket();
        let entry = self.newest[bucket];
        let key = self.entries[place(entry)].key();
        let is_sole = self.older[place(entry)] == NONE;
        is_sole.then_some(Least { key, bucket, entry, newer: NONE })
    }

    /// The entry with the smallest key; there must be one. None if there are too many in its bucket
    /// to look through.
    #[inline(always)]
    pub fn least(&self) -> Option<Least> {
        let bucket = self.first_bucket();
        let mut entry = self.newest[bucket];
        let mut least = Least { key: u128::MAX, bucket, entry, newer: NONE };
        let mut newer = NONE;
        for _ in 0..CROWD {
            let key = self.entries[place(entry)].key();
            if key < least.key {
                least = Least { key, entry, newer, ..least };
            }
            newer = entry;
            entry = self.older[place(newer)];
            if entry == NONE {
                return Some(least);
            }
        }
        None
    }

    /// Takes an entry.
    #[inline(always)]
    pub fn take(&mut self, Least { bucket, entry, newer, .. }: Least) -> Packed {
        let older = self.older[place(entry)];
        match newer {
            NONE if older == NONE => self.vacate(bucket),
            NONE => self.newest[bucket] = older,
            _ => self.older[place(newer)] = older,
        }
        self.release(entry)
    }

    /// An entry, which is in no bucket any more, is free; gives its event.
    #[inline(always)]
    fn release(&mut self, entry: u16) -> Packed {
        self.older[place(entry)] = self.free;
        self.free = entry;
        self.len -= 1;
        self.entries[place(entry)].event()
    }

    /// Takes all entries of the first bucket that has any; there must be one.
    pub fn take_first(&mut self, all: &mut Vec<(u128, Packed)>) {
        let bucket = self.first_bucket();
        let mut entry = self.newest[bucket];
        self.vacate(bucket);
        while entry != NONE {
            let (key, older) = (self.entries[place(entry)].key(), self.older[place(entry)]);
            all.push((key, self.release(entry)));
            entry = older;
        }
    }

    /// Takes all entries out, and makes the buckets 2 to the power of `shift` wide.
    pub fn empty(&mut self, shift: u32, now: Nanos, all: &mut Vec<(u128, Packed)>) {
        while !self.is_empty() {
            self.take_first(all);
        }
        self.shift = shift;
        self.begin_at(now);
    }
}

/// So many of the same, on the heap from the beginning.
fn boxed<T: Copy>(value: T) -> Box<[T; PLACES]> {
    let Ok(all) = vec![value; PLACES].try_into() else { unreachable!("as many as there are") };
    all
}
