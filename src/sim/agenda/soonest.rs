//! The soonest entries in a sorted list, the others in a heap.
//!
//! Most models have a few dozen events to come. For so many a sorted list is faster than the heap:
//! the next one is taken from its end, and a new one finds its place by halving and moves those
//! before it by one copy. Where there are more, the list holds the soonest of them, and is filled
//! again from the heap when it has run dry.

use super::heap::Heap;
use super::packed::Packed;

/// So many entries are in the list at most.
const MOST: usize = 64;

/// Entries in the order of their keys.
#[derive(Debug)]
pub(super) struct Soonest {
    /// Keys of the list, falling: the next one is the last.
    keys: Vec<u128>,
    /// Their events.
    events: Vec<Packed>,
    /// What comes after everything in the list.
    others: Heap,
    /// The smallest key among the others; the largest number there is when there are none.
    bound: u128,
}

impl Soonest {
    pub fn new() -> Soonest {
        Soonest {
            keys: Vec::with_capacity(MOST),
            events: Vec::with_capacity(MOST),
            others: Heap::with_capacity(0),
            bound: u128::MAX,
        }
    }

    pub fn len(&self) -> usize {
        self.keys.len() + self.others.len()
    }

    pub fn capacity(&self) -> usize {
        self.keys.capacity() + self.others.capacity()
    }

    /// The key of the next entry.
    #[inline(always)]
    pub fn first(&mut self) -> Option<u128> {
        if let Some(&key) = self.keys.last() {
            return Some(key);
        }
        self.fill();
        self.keys.last().copied()
    }

    /// Takes the next entry; [`Soonest::first`] has just shown its key.
    #[inline(always)]
    pub fn take_first(&mut self) -> Packed {
        self.keys.pop();
        self.events.pop().unwrap_or(Packed::NOTHING)
    }

    /// Puts an entry in.
    #[inline(always)]
    pub fn push(&mut self, key: u128, event: Packed) {
        if key >= self.bound || self.keys.len() >= MOST {
            return self.push_far(key, event);
        }
        self.insert(key, event);
    }

    /// Puts an entry into the list, which has room.
    #[inline(always)]
    fn insert(&mut self, key: u128, event: Packed) {
        let place = self.keys.partition_point(|other| *other > key);
        self.keys.insert(place, key);
        self.events.insert(place, event);
    }

    /// Puts in an entry for which the list has no room: it or the last of the list goes to the
    /// others.
    #[inline(never)]
    fn push_far(&mut self, mut key: u128, mut event: Packed) {
        if key < self.bound && key < self.keys[0] {
            // It belongs to the list, whose last entry makes room.
            let place = self.keys.partition_point(|other| *other > key);
            self.keys[..place].rotate_left(1);
            self.events[..place].rotate_left(1);
            std::mem::swap(&mut self.keys[place - 1], &mut key);
            std::mem::swap(&mut self.events[place - 1], &mut event);
        }
        self.bound = self.bound.min(key);
        self.others.push(key, event);
    }

    /// Fills the list, which is empty, by half from the others.
    #[inline(never)]
    fn fill(&mut self) {
        while self.keys.len() < MOST / 2 {
            let Some((key, event)) = self.others.first() else { break };
            self.others.take_first();
            self.keys.push(key);
            self.events.push(event);
        }
        self.keys.reverse();
        self.events.reverse();
        self.bound = self.others.first().map_or(u128::MAX, |(key, _)| key);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;

    /// The slow twin is a sorted list without bound. The numbers to come go up and down through all
    /// sizes: none, some in the list, more than it holds.
    #[test]
    fn entries_come_in_the_order_of_their_keys_with_few_and_with_many() {
        let mut soonest = Soonest::new();
        let mut list: Vec<u128> = Vec::new();
        let mut luck = crate::rng::Stream::new(1, 0, "test", "soonest");
        let (mut most, mut times_empty) = (0, 0);
        for round in 0..60_000u32 {
            let wanted = f64::from(round % 10_000) / 10_000.0;
            let key = u128::from(luck.next_u64() % 1000) << 64 | u128::from(round);
            if luck.unit() < 0.75 - 0.5 * wanted {
                soonest.push(key, Event::Turn(round).packed(0));
                let place = list.partition_point(|other| *other > key);
                list.insert(place, key);
            } else {
                let found = soonest.first();
                assert_eq!(found, list.pop());
                if let Some(key) = found {
                    let event = soonest.take_first().event();
                    assert_eq!(event, Event::Turn(key as u32), "a key keeps its event");
                }
            }
            assert_eq!(soonest.len(), list.len());
            most = most.max(list.len());
            times_empty += u32::from(list.is_empty());
        }
        assert!(most > 10 * MOST && times_empty > 10, "all sizes: {most}, {times_empty}");
    }
}
