//! The soonest entries in buckets of equal width, the others in slots by how far off they are.
//!
//! What comes within a window of some hundred events waits in [`Buckets`], each of which stands for
//! a short stretch of time (a calendar queue: Brown 1988, "Calendar Queues: A Fast O(1) Priority
//! Queue Implementation for the Simulation Event Set Problem"). Their width follows the rate of
//! events and their number; it changes no result.
//!
//! What is beyond the window waits in [`Far`], and comes into the buckets from there some dozen
//! entries at once. What is crowded in one bucket (many events of one moment), and what comes after
//! a long time without events, is put in order, as a run; the next entry is the sooner of the run's
//! and the buckets'.

use super::buckets::{BUCKETS, Buckets, Least};
use super::far::Far;
use super::packed::{Entry, Packed};
use super::{MANY, SHOWN};
use crate::units::Nanos;

/// The width is looked at after so many entries.
const LOOK_EVERY: u32 = 1024;
/// A bucket is as wide as the mean time between two entries if there are so many in all, and
/// narrower, in proportion, if there are fewer, but not below an eighth: enough for most entries to
/// lie within the window, and for most buckets to have one or none. (As a power of two, rounded
/// down; it is left alone until it is off by a factor of four.)
const MANY_FOR_BUCKETS: u64 = BUCKETS as u64 / 4;
/// So many entries are kept in order, and in no bucket, where there are no more.
const FEW: usize = 8;
/// So many entries come from far off at once, or a slot more.
const ENOUGH: usize = 64;

/// Entries in the order of their keys.
#[derive(Debug)]
pub(super) struct Calendar {
    /// What is soon.
    soon: Buckets,
    /// Entries in no bucket yet, the soonest last: if there is anything in the buckets, that which
    /// was put in last at most, else a few.
    ///
    /// The newest is held here because the next is seldom the newest where many are to come: the
    /// processor finds that in its bucket and goes on with it before the time of the newest has
    /// been worked out. And a few are put in order sooner than they are found in buckets.
    few: [Entry; FEW],
    held: usize,
    /// The time of the entry that was taken last.
    now: Nanos,
    /// What comes from a bucket before this comes before everything else, but the newcomer.
    limit: u128,
    /// Entries in the order of their keys, those before `run_at` having been taken.
    run: Vec<(u128, Packed)>,
    run_at: usize,
    /// What is beyond the window.
    far: Far,
    /// No key of those that are far off is below.
    bound: u128,
    /// Entries on their way from one place to another; empty in between.
    moved: Vec<(u128, Packed)>,
    /// Entries to be taken before the width is looked at, and the time when it was last.
    until_look: u32,
    looked: Nanos,
}

impl Calendar {
    pub fn new() -> Calendar {
        Calendar {
            soon: Buckets::new(),
            few: [Entry::default(); FEW],
            held: 0,
            now: 0,
            limit: u128::MAX,
            run: Vec::new(),
            run_at: 0,
            far: Far::new(),
            bound: u128::MAX,
            moved: Vec::new(),
            until_look: LOOK_EVERY,
            looked: 0,
        }
    }

    pub fn len(&self) -> usize {
        let in_run = self.run.len() - self.run_at;
        self.held + self.soon.len() + in_run + self.far.len()
    }

    pub fn capacity(&self) -> usize {
        self.soon.capacity() + self.run.capacity() + self.moved.capacity() + self.far.capacity()
    }

    /// The time of the entry that was taken last.
    #[inline(always)]
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// Puts an entry in. Its time is not before that of the entry that was taken last.
    #[inline(always)]
    pub fn push(&mut self, key: u128, event: Packed) {
        if !self.soon.is_empty() || self.held >= FEW {
            return self.push_one_of_many(key, event);
        }
        let len = self.held;
        self.held += 1;
        if len == 0 || key <= self.few[len - 1].key() {
            return self.few[len].set(key, event);
        }
        self.few[len] = self.few[len - 1];
        if len == 1 || key <= self.few[len - 2].key() {
            return self.few[len - 1].set(key, event);
        }
        self.insert_among_few(len - 1, key, event);
    }

    /// Puts an entry among the first of the few; the place behind them is free.
    #[inline(never)]
    fn insert_among_few(&mut self, mut place: usize, key: u128, event: Packed) {
        while place > 0 && self.few[place - 1].key() < key {
            self.few[place] = self.few[place - 1];
            place -= 1;
        }
        self.few[place].set(key, event);
    }

    /// Puts an entry in where there is something in the buckets, or more than a few entries.
    #[inline(never)]
    fn push_one_of_many(&mut self, key: u128, event: Packed) {
        if self.held > 1 {
            self.arrange_few();
        } else if self.held > 0 {
            self.arrange(self.few[0].key(), self.few[0].event());
        }
        self.few[0].set(key, event);
        self.held = 1;
    }

    /// Puts what is in no bucket yet where it belongs.
    #[inline(never)]
    fn arrange_few(&mut self) {
        self.soon.begin_at(self.now);
        for place in 0..std::mem::take(&mut self.held) {
            self.arrange(self.few[place].key(), self.few[place].event());
        }
    }

    /// Puts an entry where it belongs.
    #[inline(always)]
    fn arrange(&mut self, key: u128, event: Packed) {
        if !self.soon.put(key, event) {
            self.push_far(key, event);
        }
    }

    #[inline(never)]
    fn push_far(&mut self, key: u128, event: Packed) {
        self.far.push(key, event);
        self.bound = self.bound.min(key);
        self.limit = self.limit.min(key);
    }

    /// Takes the next entry, if it is one of a few or the only one in its bucket, and not later
    /// than `until`. Otherwise it gives [`Packed::NOTHING`], and [`Self::next_of_several`] looks
    /// further.
    #[inline(always)]
    pub fn next_at_once(&mut self, until: Nanos) -> Packed {
        if self.soon.is_empty() {
            if let Some(last) = self.held.checked_sub(1)
                && self.few[last % FEW].key() < self.limit
            {
                return self.take_of_few(last % FEW, until);
            }
        } else if let Some(first) = self.soon.sole()
            && first.key < self.limit
        {
            if self.held > 0 && self.few[0].key() < first.key {
                return self.take_newcomer(until);
            }
            return self.take_soon(first, until);
        }
        Packed::NOTHING
    }

    /// Takes an entry out of its bucket, unless it is later than `until`.
    #[inline(always)]
    fn take_soon(&mut self, first: Least, until: Nanos) -> Packed {
        let time = (first.key >> 64) as Nanos;
        if time > until {
            return Packed::NOTHING;
        }
        let event = self.soon.take(first);
        self.passes(time);
        event
    }

    /// Takes the entry that was put in last, before what is in the buckets. (A function of its own,
    /// so that this is a branch; see [`Calendar::few`].)
    #[cold]
    #[inline(never)]
    fn take_newcomer(&mut self, until: Nanos) -> Packed {
        self.take_of_few(0, until)
    }

    /// Takes the last of the few, unless it is later than `until`.
    #[inline(always)]
    fn take_of_few(&mut self, last: usize, until: Nanos) -> Packed {
        let time = (self.few[last].key() >> 64) as Nanos;
        if time > until {
            return Packed::NOTHING;
        }
        self.held = last;
        self.now = time;
        self.count_down();
        self.few[last].event()
    }

    /// An entry of this time has been taken.
    #[inline(always)]
    fn passes(&mut self, time: Nanos) {
        self.now = time;
        self.soon.begin_at(time);
        self.count_down();
    }

    /// Now and then the width is looked at.
    #[inline(always)]
    fn count_down(&mut self) {
        self.until_look -= 1;
        if self.until_look == 0 {
            self.look_at_width();
        }
    }

    /// The next entry, where the first bucket has several, or the run or what is far off may be
    /// before it.
    #[inline(never)]
    pub fn next_of_several(&mut self, until: Nanos, ahead: &impl Fn(&[Packed])) -> Packed {
        if self.held == 1 {
            self.held = 0;
            self.soon.begin_at(self.now);
            self.arrange(self.few[0].key(), self.few[0].event());
        } else if self.held > 1 {
            self.arrange_few();
        }
        loop {
            if !self.soon.is_empty() {
                let Some(first) = self.soon.least() else {
                    self.soon.take_first(&mut self.moved);
                    self.put_into_run();
                    continue;
                };
                if first.key < self.limit {
                    return self.take_soon(first, until);
                }
            }
            if let Some(&(key, event)) = self.run.get(self.run_at)
                && key < self.bound
            {
                let time = (key >> 64) as Nanos;
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
            self.fill(ahead);
        }
    }

    fn set_limit(&mut self) {
        self.limit = self.first_of_run().min(self.bound);
    }

    fn first_of_run(&self) -> u128 {
        self.run.get(self.run_at).map_or(u128::MAX, |(key, _)| *key)
    }

    /// Puts the entries that are being moved into the run. What has been taken from it is
    /// forgotten.
    #[cold]
    #[inline(never)]
    fn put_into_run(&mut self) {
        self.run.drain(..self.run_at);
        self.run_at = 0;
        self.run.append(&mut self.moved);
        self.run.sort_unstable_by_key(|(key, _)| *key);
        self.set_limit();
    }

    /// Puts the entries that are being moved where they belong.
    fn arrange_moved(&mut self) {
        let mut moved = std::mem::take(&mut self.moved);
        moved.drain(..).for_each(|(key, event)| self.arrange(key, event));
        self.moved = moved;
    }

    /// Gets what is next from far off: into the buckets as far as they have room, else into the
    /// run.
    #[inline(never)]
    fn fill(&mut self, ahead: &impl Fn(&[Packed])) {
        let mut count = 0;
        loop {
            let Some(slot) = self.far.first_slot() else {
                self.bound = u128::MAX;
                break;
            };
            self.bound = slot.begins;
            let last = ((slot.ends - 1) >> 64) as Nanos;
            let fits = self.soon.have_room_for(slot.len, last);
            if (count >= ENOUGH || !fits) && self.is_before_bound() {
                break;
            }
            if !fits && slot.can_be_spread {
                self.far.spread_first_slot();
                continue;
            }
            count += slot.len;
            self.far.take_first_slot(|key, event| self.moved.push((key, event)));
            if self.far.len() >= MANY {
                show(&self.moved, ahead);
            }
            if fits { self.arrange_moved() } else { self.put_into_run() }
        }
        self.set_limit();
    }

    /// Whether there is an entry before everything that is far off. (A crowd counts as one: it is
    /// put in order first, and if it is not before, this is asked again.)
    fn is_before_bound(&self) -> bool {
        let of_bucket = || self.soon.least().is_none_or(|least| least.key < self.bound);
        self.first_of_run() < self.bound || !self.soon.is_empty() && of_bucket()
    }

    /// Looks whether the buckets are much too wide or too narrow for the rate at which entries are
    /// taken and for their number; if so, arranges them anew.
    #[cold]
    #[inline(never)]
    fn look_at_width(&mut self) {
        let gap = (self.now - self.looked) / u64::from(LOOK_EVERY);
        (self.until_look, self.looked) = (LOOK_EVERY, self.now);
        let share = (self.len() as u64).clamp(MANY_FOR_BUCKETS / 8, MANY_FOR_BUCKETS);
        let wanted = (gap.saturating_mul(share) / MANY_FOR_BUCKETS).max(1).ilog2();
        if wanted.abs_diff(self.soon.shift()) >= 2 {
            self.soon.empty(wanted, self.now, &mut self.moved);
            self.arrange_moved();
        }
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

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;

    fn next(calendar: &mut Calendar, until: Nanos) -> Packed {
        match calendar.next_at_once(until) {
            Packed::NOTHING => calendar.next_of_several(until, &|_| ()),
            event => event,
        }
    }

    /// The slow twin is a sorted list. The numbers to come go up and down through all sizes, and
    /// what comes is near, far off, or of the same moment as much else.
    #[test]
    fn entries_come_in_the_order_of_their_keys_with_few_and_with_many() {
        let mut calendar = Calendar::new();
        let mut list: Vec<u128> = Vec::new();
        let mut luck = crate::rng::Stream::new(1, 0, "test", "calendar");
        let (mut most, mut times_empty, mut widths) = (0, 0, std::collections::BTreeSet::new());
        let (mut with_run, mut with_few, mut now) = (0, 0, 0);
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
                    let none = next(&mut calendar, last - 1);
                    assert_eq!(none, Packed::NOTHING, "nothing is taken before its time");
                }
                let next = next(&mut calendar, Nanos::MAX);
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
            with_run +=
                u32::from(calendar.run_at < calendar.run.len() && !calendar.soon.is_empty());
            with_few += u32::from(calendar.held > 2);
            widths.insert(calendar.soon.shift());
        }
        assert!(most > 1500 && times_empty > 10, "all sizes: {most}, {times_empty}");
        assert!(with_few > 1000, "a few, in no bucket: {with_few}");
        assert!(with_run > 10_000 && widths.len() > 10, "{with_run} {widths:?}");
    }

    #[test]
    fn many_of_one_moment_come_in_order() {
        let mut calendar = Calendar::new();
        for round in 1..4u64 {
            for number in 0..100_000u64 {
                let key = u128::from(round * 1000) << 64 | u128::from(number);
                calendar.push(key, Event::Turn(number as u32).packed(0));
            }
            for number in 0..100_000 {
                let next = next(&mut calendar, Nanos::MAX);
                assert_eq!(next.event(), Event::Turn(number));
            }
            assert_eq!(calendar.len(), 0);
        }
    }

    /// Few events, of which now and then one is far off or many are of one moment: what has been
    /// taken leaves nothing behind.
    #[test]
    fn memory_does_not_grow_with_the_number_of_entries() {
        let mut calendar = Calendar::new();
        let mut luck = crate::rng::Stream::new(2, 0, "test", "calendar");
        let mut at_first = 0;
        for round in 0..300_000u64 {
            for number in 0..if luck.unit() < 0.001 { 100 } else { 1 } {
                let ahead = if luck.unit() < 0.02 { 1 << 40 } else { 1 << 20 };
                let key =
                    u128::from(calendar.now() + ahead) << 64 | u128::from(round << 8 | number);
                calendar.push(key, Event::Turn(0).packed(0));
            }
            while calendar.len() > 40 {
                assert_ne!(next(&mut calendar, Nanos::MAX), Packed::NOTHING);
            }
            at_first = if round == 100_000 { calendar.capacity() } else { at_first };
        }
        let now = calendar.capacity();
        assert!(now <= at_first + 64, "{now} places, {at_first} at first");
    }
}
