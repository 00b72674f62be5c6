//! The soonest entries in buckets of equal width, the others in slots by how far off they are.
//!
//! What comes within a window of some hundred events waits in a ring of buckets, each of which
//! stands for a short stretch of time (a calendar queue: Brown 1988, "Calendar Queues: A Fast O(1)
//! Priority Queue Implementation for the Simulation Event Set Problem"). A bit for each bucket says
//! whether there is something in it, so that empty ones cost nothing and the width can be small:
//! most buckets hold one entry or none, and nothing has to be kept in order. The width follows the
//! rate of events and their number; it changes no result.
//!
//! What is beyond the window waits in [`Far`], and comes into the ring from there some hundred
//! entries at once. Buckets with more entries than are looked through cheaply (many events of one
//! moment), and what comes after a long time without events, are put in order, as a run; the next
//! entry is the sooner of the run's and the ring's.

use super::far::{Far, FirstSlot};
use super::packed::{Entry, Packed};
use crate::units::Nanos;

/// Buckets of the ring, and words of bits that say which of them have entries.
const BUCKETS: usize = 2048;
const WORDS: usize = BUCKETS / 64;
/// A bucket with more entries than this is put in order.
const CROWD: usize = 32;
/// The width is looked at after so many entries.
const LOOK_EVERY: u32 = 1024;
/// A width of so many events that are to come, as a share of them in the window: enough for most
/// to lie within it, and few enough for most buckets to have one.
const SHARE: u64 = BUCKETS as u64 / 4;
/// At first a bucket is as wide as 2^20 ns, about a millisecond.
const FIRST_SHIFT: u32 = 20;
/// So many entries come from far off at once, or a slot more.
const ENOUGH: usize = 64;
/// The records that so many events are about do not fit into the caches.
const MANY: usize = 8192;
/// So many are shown at once.
const SHOWN: usize = 64;
/// Entries in the ring at most. Numbers below are masked, which spares a check.
const PLACES: usize = 4096;
/// No entry.
const NONE: u16 = u16::MAX;

/// The place of an entry.
#[inline(always)]
fn place(entry: u16) -> usize {
    usize::from(entry) % PLACES
}

/// Entries in the order of their keys.
#[derive(Debug)]
pub(super) struct Calendar {
    /// By bucket: its newest entry.
    newest: [u16; BUCKETS],
    /// Which buckets have entries, and which words of that are not 0.
    occupied: [u64; WORDS],
    words: u32,
    /// A bucket is 2 to the power of this wide, in nanoseconds.
    shift: u32,
    /// The time of the entry that was taken last, in widths: the ring begins there.
    at: u64,
    /// The entry that was put in last, and whether it is still there, in no bucket yet. Where many
    /// events are to come, the next one is seldom the newest: the processor finds it in the ring
    /// and goes on with it before the time of the newest has been worked out.
    newcomer: Entry,
    held: bool,
    /// Entries of the ring, and the next older one of the same bucket or of the free ones.
    entries: Box<[Entry; PLACES]>,
    older: Box<[u16; PLACES]>,
    free: u16,
    in_ring: usize,
    /// Places that have ever been used.
    used: u16,
    /// The time of the entry that was taken last.
    now: Nanos,
    /// What comes from the ring before this comes before everything else.
    limit: u128,
    /// Entries in the order of their keys, those before `run_at` having been taken.
    run: Vec<(u128, Packed)>,
    run_at: usize,
    moved: Vec<(u128, Packed)>,
    /// What is beyond the window.
    far: Far,
    /// No key of those that are far off is below.
    bound: u128,
    /// Entries to be taken before the width is looked at, and the time when it was last.
    until_look: u32,
    looked: Nanos,
}

impl Calendar {
    pub fn new() -> Calendar {
        Calendar {
            newest: [NONE; BUCKETS],
            occupied: [0; WORDS],
            words: 0,
            shift: FIRST_SHIFT,
            at: 0,
            newcomer: Entry::default(),
            held: false,
            entries: boxed(Entry::default()),
            older: boxed(NONE),
            free: NONE,
            in_ring: 0,
            used: 0,
            now: 0,
            limit: u128::MAX,
            run: Vec::new(),
            run_at: 0,
            moved: Vec::new(),
            far: Far::new(),
            bound: u128::MAX,
            until_look: LOOK_EVERY,
            looked: 0,
        }
    }

    pub fn len(&self) -> usize {
        usize::from(self.held) + self.in_ring + (self.run.len() - self.run_at) + self.far.len()
    }

    pub fn capacity(&self) -> usize {
        PLACES + self.run.capacity() + self.far.capacity()
    }

    /// The time of the entry that was taken last.
    #[inline(always)]
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// Puts an entry in. Its time is not before that of the entry that was taken last.
    #[inline(always)]
    pub fn push(&mut self, key: u128, event: Packed) {
        let held = std::mem::replace(&mut self.held, true);
        if held {
            self.arrange(self.newcomer.key(), self.newcomer.event());
        }
        self.newcomer.set(key, event);
    }

    /// Puts an entry where it belongs.
    #[inline(always)]
    fn arrange(&mut self, key: u128, event: Packed) {
        let index = ((key >> 64) as Nanos) >> self.shift;
        if index - self.at >= BUCKETS as u64 {
            return self.push_far(key, event);
        }
        let mut entry = self.free;
        if entry == NONE {
            entry = self.new_entry();
        }
        let bucket = index as usize % BUCKETS;
        let place = place(entry);
        self.entries[place].set(key, event);
        self.free = std::mem::replace(&mut self.older[place], self.newest[bucket]);
        self.newest[bucket] = entry;
        self.occupied[bucket / 64] |= 1 << (bucket % 64);
        self.words |= 1 << (bucket / 64);
        self.in_ring += 1;
    }

    /// A new free place for an entry; the only one.
    #[cold]
    #[inline(never)]
    fn new_entry(&mut self) -> u16 {
        if usize::from(self.used) == PLACES {
            let all = self.empty_ring();
            all.into_iter().for_each(|(key, event)| self.push_far(key, event));
            return self.free;
        }
        self.older[place(self.used)] = NONE;
        self.used += 1;
        self.used - 1
    }

    #[inline(never)]
    fn push_far(&mut self, key: u128, event: Packed) {
        self.far.push(key, event);
        self.bound = self.bound.min(key);
        self.limit = self.limit.min(key);
    }

    /// Takes the next entry, unless it is later than `until` or there is none: then it gives
    /// [`Packed::NOTHING`]. Where many are far off, `ahead` is shown those that come into the ring
    /// from there.
    #[inline(always)]
    pub fn next(&mut self, until: Nanos, ahead: impl Fn(&[Packed])) -> Packed {
        if self.words != 0 {
            let bucket = self.first_bucket();
            let entry = self.newest[bucket];
            let place = place(entry);
            let older = self.older[place];
            let key = self.entries[place].key();
            if older == NONE && key < self.limit {
                let time = (key >> 64) as Nanos;
                if self.held && self.newcomer.key() < key {
                    return self.take_newcomer(until);
                }
                if time > until {
                    return Packed::NOTHING;
                }
                self.newest[bucket] = NONE;
                self.vacate(bucket);
                return self.take(place, time);
            }
        }
        self.next_of_several(until, ahead)
    }

    /// Takes the entry that was put in last. (A function of its own, so that this is a branch; see
    /// [`Calendar::newcomer`].)
    #[cold]
    #[inline(never)]
    fn take_newcomer(&mut self, until: Nanos) -> Packed {
        let time = (self.newcomer.key() >> 64) as Nanos;
        if time > until {
            return Packed::NOTHING;
        }
        self.held = false;
        self.passes(time);
        self.newcomer.event()
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
        let word = bucket / 64;
        self.occupied[word] &= !(1 << (bucket % 64));
        if self.occupied[word] == 0 {
            self.words &= !(1 << word);
        }
    }

    /// Takes an entry of the ring, which is in no bucket any more.
    #[inline(always)]
    fn take(&mut self, place: usize, time: Nanos) -> Packed {
        let event = self.entries[place].event();
        self.older[place] = self.free;
        self.free = place as u16;
        self.in_ring -= 1;
        self.passes(time);
        event
    }

    /// An entry of this time is taken.
    #[inline(always)]
    fn passes(&mut self, time: Nanos) {
        self.now = time;
        self.at = time >> self.shift;
        self.until_look -= 1;
        if self.until_look == 0 {
            self.look_at_width();
        }
    }

    /// The next entry, where the first bucket has several, or the run or what is far off may be
    /// before it.
    #[inline(never)]
    fn next_of_several(&mut self, until: Nanos, ahead: impl Fn(&[Packed])) -> Packed {
        if std::mem::replace(&mut self.held, false) {
            self.arrange(self.newcomer.key(), self.newcomer.event());
        }
        loop {
            let mut first = (u128::MAX, 0, NONE, NONE);
            if self.words != 0 {
                let bucket = self.first_bucket();
                let Some((key, entry, before)) = self.least(bucket) else {
                    self.put_in_order(bucket);
                    continue;
                };
                first = (key, bucket, entry, before);
            }
            let (key, bucket, entry, before) = first;
            if entry != NONE && key < self.limit {
                let time = (key >> 64) as Nanos;
                if time > until {
                    return Packed::NOTHING;
                }
                self.unlink(bucket, entry, before);
                return self.take(place(entry), time);
            }
            if let Some(&(of_run, event)) = self.run.get(self.run_at)
                && of_run < self.bound
            {
                let time = (of_run >> 64) as Nanos;
                if time > until {
                    return Packed::NOTHING;
                }
                self.run_at += 1;
                self.set_limit();
                self.passes(time);
                return event;
            }
            if self.far.len() == 0 {
                return Packed::NOTHING;
            }
            self.fill(&ahead);
        }
    }

    /// The entry with the smallest key of a bucket, and the next newer one; None if there are too
    /// many to look through.
    #[inline(always)]
    fn least(&self, bucket: usize) -> Option<(u128, u16, u16)> {
        let mut entry = self.newest[bucket];
        let mut least = (self.entries[place(entry)].key(), entry, NONE);
        for _ in 0..CROWD {
            let newer = entry;
            entry = self.older[place(newer)];
            if entry == NONE {
                return Some(least);
            }
            let key = self.entries[place(entry)].key();
            if key < least.0 {
                least = (key, entry, newer);
            }
        }
        None
    }

    /// Takes an entry out of its bucket.
    #[inline(always)]
    fn unlink(&mut self, bucket: usize, entry: u16, newer: u16) {
        let older = self.older[place(entry)];
        if newer != NONE {
            self.older[place(newer)] = older;
            return;
        }
        self.newest[bucket] = older;
        if older == NONE {
            self.vacate(bucket);
        }
    }

    /// Takes all entries of a bucket out.
    fn empty(&mut self, bucket: usize) -> Vec<(u128, Packed)> {
        let mut all = Vec::new();
        let mut entry = std::mem::replace(&mut self.newest[bucket], NONE);
        self.vacate(bucket);
        while entry != NONE {
            let place = place(entry);
            all.push((self.entries[place].key(), self.entries[place].event()));
            let older = std::mem::replace(&mut self.older[place], self.free);
            self.free = std::mem::replace(&mut entry, older);
        }
        self.in_ring -= all.len();
        all
    }

    /// Takes all entries of the ring out.
    fn empty_ring(&mut self) -> Vec<(u128, Packed)> {
        let mut all = Vec::with_capacity(self.in_ring);
        while self.words != 0 {
            all.append(&mut self.empty(self.first_bucket()));
        }
        all
    }

    /// Puts the entries of a bucket into the run.
    #[cold]
    #[inline(never)]
    fn put_in_order(&mut self, bucket: usize) {
        let all = self.empty(bucket);
        self.put_into_run(all);
        self.set_limit();
    }

    /// Puts entries into the run. What has been taken from it is forgotten.
    fn put_into_run(&mut self, mut entries: Vec<(u128, Packed)>) {
        self.run.drain(..self.run_at);
        self.run_at = 0;
        self.run.append(&mut entries);
        self.run.sort_by_key(|(key, _)| *key);
    }

    fn set_limit(&mut self) {
        let of_run = self.run.get(self.run_at).map_or(u128::MAX, |(key, _)| *key);
        self.limit = of_run.min(self.bound);
    }

    /// Gets what is next from far off: into the ring as far as it has room in the window, else into
    /// the run.
    #[inline(never)]
    fn fill(&mut self, ahead: &impl Fn(&[Packed])) {
        let mut moved = 0;
        loop {
            let Some(slot) = self.far.first_slot() else {
                self.bound = u128::MAX;
                break;
            };
            self.bound = slot.begins;
            let fits = self.has_room_for(&slot);
            if (moved >= ENOUGH || !fits) && self.first_key() < self.bound {
                break;
            }
            moved += slot.len;
            if fits {
                let mut moved = std::mem::take(&mut self.moved);
                self.far.take_first_slot(|key, event| moved.push((key, event)));
                if self.far.len() >= MANY {
                    show(&moved, ahead);
                }
                moved.drain(..).for_each(|(key, event)| self.arrange(key, event));
                self.moved = moved;
            } else if slot.can_be_spread {
                self.far.spread_first_slot();
            } else {
                let mut few = Vec::with_capacity(slot.len);
                self.far.take_first_slot(|key, event| few.push((key, event)));
                self.put_into_run(few);
            }
        }
        self.set_limit();
    }

    /// Whether all entries of a slot fit into the ring.
    fn has_room_for(&self, slot: &FirstSlot) -> bool {
        let last = (((slot.ends - 1) >> 64) as Nanos) >> self.shift;
        last - self.at < BUCKETS as u64 && self.in_ring + slot.len <= PLACES
    }

    /// The smallest key of the ring and the run.
    fn first_key(&self) -> u128 {
        let of_run = self.run.get(self.run_at).map_or(u128::MAX, |(key, _)| *key);
        if self.words == 0 {
            return of_run;
        }
        let mut entry = self.newest[self.first_bucket()];
        let mut least = of_run;
        while entry != NONE {
            least = least.min(self.entries[place(entry)].key());
            entry = self.older[place(entry)];
        }
        least
    }

    /// Looks whether the buckets are much too wide or too narrow for the rate at which entries are
    /// taken and for their number; if so, arranges them anew.
    fn look_at_width(&mut self) {
        let gap = (self.now - self.looked) / u64::from(LOOK_EVERY);
        (self.until_look, self.looked) = (LOOK_EVERY, self.now);
        let in_a_bucket = (self.len() as u64).clamp(SHARE / 8, SHARE);
        let wanted = (gap.saturating_mul(in_a_bucket) / SHARE).max(1).ilog2();
        if wanted.abs_diff(self.shift) < 2 {
            return;
        }
        let all = self.empty_ring();
        self.shift = wanted;
        self.at = self.now >> wanted;
        all.into_iter().for_each(|(key, event)| self.arrange(key, event));
    }
}

/// Shows the events of entries.
fn show(entries: &[(u128, Packed)], ahead: &impl Fn(&[Packed])) {
    for some in entries.chunks(SHOWN) {
        let mut events = [Packed::NOTHING; SHOWN];
        events.iter_mut().zip(some).for_each(|(place, (_, event))| *place = *event);
        ahead(&events[..some.len()]);
    }
}

/// So many of the same, on the heap from the beginning.
fn boxed<T: Copy>(value: T) -> Box<[T; PLACES]> {
    let Ok(all) = vec![value; PLACES].try_into() else { unreachable!("as many as there are") };
    all
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;

    /// The slow twin is a sorted list. The numbers to come go up and down through all sizes, and
    /// what comes is near, far off, or of the same moment as much else.
    #[test]
    fn entries_come_in_the_order_of_their_keys_with_few_and_with_many() {
        let mut calendar = Calendar::new();
        let mut list: Vec<u128> = Vec::new();
        let mut luck = crate::rng::Stream::new(1, 0, "test", "calendar");
        let (mut most, mut times_empty, mut widths) = (0, 0, std::collections::BTreeSet::new());
        let (mut with_run, mut now) = (0, 0);
        for round in 0..400_000u32 {
            let wanted = f64::from(round % 10_000) / 10_000.0;
            // Ten thousand rounds each of nanoseconds, microseconds, seconds, and all at once.
            let scale = 10f64.powi((round / 10_000 % 10) as i32);
            if luck.unit() < 0.75 - 0.5 * wanted {
                let ahead = match luck.unit() {
                    u if u < 0.1 => 0,
                    u if u < 0.2 => (1000.0 * scale) as u64,
                    u if u < 0.9 => (luck.unit() * 100.0 * scale) as u64,
                    _ => (luck.unit() * 1e6 * scale) as u64,
                };
                let key = u128::from(now + ahead) << 64 | u128::from(round);
                calendar.push(key, Event::Turn(round).packed(0));
                let place = list.partition_point(|other| *other > key);
                list.insert(place, key);
            } else {
                let last = list.last().map_or(0, |key| (key >> 64) as Nanos);
                if last > 0 && luck.unit() < 0.1 {
                    let none = calendar.next(last - 1, |_| ());
                    assert_eq!(none, Packed::NOTHING, "nothing is taken before its time");
                }
                let next = calendar.next(Nanos::MAX, |_| ());
                match list.pop() {
                    Some(key) => {
                        assert_eq!(next.event(), Event::Turn(key as u32));
                        now = (key >> 64) as Nanos;
                        assert_eq!(calendar.now(), now);
                    }
                    None => assert_eq!(next, Packed::NOTHING),
                }
            }
            assert_eq!(calendar.len(), list.len());
            most = most.max(list.len());
            times_empty += u32::from(list.is_empty());
            with_run += u32::from(calendar.run_at < calendar.run.len() && calendar.words != 0);
            widths.insert(calendar.shift);
        }
        assert!(most > 1500 && times_empty > 10, "all sizes: {most}, {times_empty}");
        assert!(with_run > 10_000 && widths.len() > 10, "{with_run} {widths:?}");
    }

    #[test]
    fn many_of_one_moment_come_in_order_and_places_serve_again() {
        let mut calendar = Calendar::new();
        let mut places = 0;
        for round in 1..4u64 {
            for number in 0..100_000u64 {
                let key = u128::from(round * 1000) << 64 | u128::from(number);
                calendar.push(key, Event::Turn(number as u32).packed(0));
            }
            for number in 0..100_000 {
                let next = calendar.next(Nanos::MAX, |_| ());
                assert_eq!(next.event(), Event::Turn(number));
            }
            assert_eq!(calendar.len(), 0);
            places = if places == 0 { usize::from(calendar.used) } else { places };
            assert_eq!(usize::from(calendar.used), places);
        }
        assert!(places <= PLACES);
    }
}
